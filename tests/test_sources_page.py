"""A watched page: which links are records, what is told when it changes, and the whole way through
the store.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.surveil import run_search
from livereview import fetch
from livereview.client import Local
from livereview.commands import Register
from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.ops import status
from livereview.review import Search
from livereview.sources import page
from livereview.sources.protocol import Query, Window
from tests.conftest import NOW, REVIEW
from tests.test_flows_recheck import client  # noqa: F401  (a fixture)
from tests.world import World, reply

HOME = "https://charity.example.org/research/"
LISTING = """<!doctype html><html><head><title>Research</title></head><body><nav><a href="/about">About</a></nav>
<main><h1>Publications</h1><ul>
<li><a href="kinship.pdf?utm_source=x#page=2">Kinship care in {place}: an evaluation</a></li>
<li><a href="/research/kinship.pdf">Kinship care again</a></li>
<li><a href="https://doi.org/10.5555/abc"><img alt="Foster care report"></a></li>
<li><a href="#top">Top</a> <a href="mailto:a@example.org">Write</a></li>{more}
</ul></main></body></html>"""
MORE = '<li><a href="/research/new">A new study</a></li>'


def links(text: str, **filters: str) -> list[tuple[str | None, str]]:
    found = page.read(text.encode(), Query(filters=tuple(filters.items()), url=HOME))
    return [(record.title, record.source_key) for record in found.records]


def test_links_of_the_main_part_are_records_once_each_without_tracking() -> None:
    assert links(LISTING.format(place="Wales", more="")) == [
        ("Kinship care in Wales: an evaluation", HOME + "kinship.pdf"),
        ("Foster care report", "https://doi.org/10.5555/abc"),
    ]
    report, article = page.read(
        LISTING.format(place="Wales", more="").encode(), Query(url=HOME)
    ).records
    assert (report.type, article.type, article.doi) == ("report", "web-page", "10.5555/abc")


def test_a_selector_and_a_pattern_choose_the_links() -> None:
    text = LISTING.format(place="Wales", more=MORE)
    assert [title for title, _ in links(text, select="nav a")] == ["About"]
    assert [title for title, _ in links(text, select="main li", keep="new|foster")] == [
        "Foster care report",
        "A new study",
    ]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("<html><title>Just a moment...</title><body>Checking</body></html>", Retry, "robot"),
        ("", Retry, "empty"),
        ("<html><body><p>Nothing here</p></body></html>", SourceBroken, "has the page changed"),
        ("plain words", SourceBroken, "no web page"),
        ('<?xml version="1.0"?><rss></rss>', SourceBroken, "no web page"),
    ],
)
def test_a_page_without_its_links_is_never_an_honest_zero(
    text: str, error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        page.parse(text.encode(), None)


def test_a_saved_page_tells_its_own_address_or_its_relative_links_are_rejects() -> None:
    text = '<html><head>{}</head><body><main><a href="a.pdf">A study</a></main></body></html>'
    told = page.parse(
        text.format('<link rel="canonical" href="https://a.example/x/">').encode(), None
    )
    assert [record.url for record in told.records] == ["https://a.example/x/a.pdf"]
    untold = page.parse(text.format("").encode(), None)
    assert untold.records == () and "relative link" in untold.rejects[0].reason


@pytest.mark.parametrize("filters", [{"select": "a[["}, {"keep": "("}])
def test_filters_that_are_none_are_refused(filters: dict[str, str]) -> None:
    with pytest.raises(Refused):
        links(LISTING.format(place="Wales", more=""), **filters)


def test_a_selector_of_titles_names_links_by_what_stands_around_them() -> None:
    card = '<main><div class="card"><b class="name">{0}</b><a href="/{0}.pdf">Report 2026</a></div></main>'
    text = f"<html><body>{card.format('Kinship')}{card.format('Respite')}</body></html>"
    assert [title for title, _ in links(text)] == ["Report 2026", "Report 2026"]
    assert [title for title, _ in links(text, title=".name")] == ["Kinship", "Respite"]


@pytest.mark.parametrize(
    ("href", "key"),
    [
        (
            "HTTPS://WWW.Example.org:443/A?b=1&utm_medium=mail&c=%20d#top",
            "https://www.example.org/A?b=1&c=%20d",
        ),
        ("//other.example/x;jsessionid=12AB?id", "https://other.example/x?id"),
        ("?page=2", HOME + "?page=2"),
        ("https://a.example", "https://a.example/"),
    ],
)
def test_the_key_is_the_whole_address_without_what_changes_from_night_to_night(
    href: str, key: str
) -> None:
    assert links(f'<main><a href="{href}">A study</a></main>') == [("A study", key)]


@pytest.mark.parametrize(
    "href",
    ["#a", "javascript:x()", "data:text/html,x", "tel:1", "whatsapp://send", HOME + "#b", ""],
)
def test_links_that_lead_nowhere_new_are_neither_records_nor_rejects(href: str) -> None:
    text = f'<main><a href="{href}">Click</a><a href="/b">B study</a></main>'
    page_read = page.read(text.encode(), Query(url=HOME))
    assert [record.title for record in page_read.records] == ["B study"] and page_read.rejects == ()


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        ("<h3>Care</h3><p>In 12 areas</p>", "Care"),
        ("<span>Care</span><span>2026</span>", "Care 2026"),
        ("K<b>insh</b>ip<svg><title>icon</title></svg>", "Kinship"),
        ("Read more about foster care", "foster care"),
        ("Care (opens in new tab)", "Care"),
        ("Download (PDF, 1.2 MB)", "The heading beside"),
    ],
)
def test_a_title_is_the_words_that_a_reader_sees(inside: str, title: str) -> None:
    text = f'<main><li><h2>The heading beside</h2><a href="/a">{inside}</a></li></main>'
    assert [found for found, _ in links(text)] == [title]


@pytest.mark.parametrize(
    "words", ["Children's services budget", "DBS security checks", "Access to services"]
)
def test_pages_on_subjects_that_sound_like_errors_are_read(words: str) -> None:
    text = f"<html><title>{words}</title><body><main><a href='/a'>A study</a></main></body></html>"
    assert links(text) == [("A study", "https://charity.example.org/a")]


def test_a_page_with_a_base_resolves_by_it_and_old_encodings_are_read() -> None:
    text = '<html><head><meta charset="iso-8859-1"><base href="/old/"></head><body><a href="a">Café study</a></html>'
    found = page.read(text.encode("latin-1"), Query(url=HOME)).records
    assert [(record.title, record.url) for record in found] == [
        ("Café study", "https://charity.example.org/old/a")
    ]


def test_filters_that_a_page_has_not_are_refused_before_it_is_asked_for() -> None:
    assert (
        page.SOURCE.request
        and page.SOURCE.request(Query(url=HOME), Window(None, NOW), None).url == HOME
    )
    for filters in (
        (("selector", "a"),),
        (("select", "a[["),),
        (("title", ":::"),),
        (("keep", "("),),
    ):
        with pytest.raises(Refused):
            page.SOURCE.request(Query(filters=filters, url=HOME), Window(None, NOW), None)
    with pytest.raises(Refused, match="give the search a url"):
        page.SOURCE.request(Query(), Window(None, NOW), None)


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            ["<a href='", "'>", "http://[", "x", "</a>", "<!-- -->", "<main>", "é", "<tr>", "<h1>"]
        )
    )
)
def test_any_markup_never_crashes(parts: list[str]) -> None:
    try:
        page.read("".join(parts).encode(), Query(url=HOME))
    except LivereviewError as error:
        assert error.source == "page"


@settings(max_examples=40)
@given(st.binary(max_size=200) | st.text(alphabet='<>a/ =hrefml"', max_size=80).map(str.encode))
def test_any_bytes_never_crash(raw: bytes) -> None:
    try:
        page.parse(raw, None)
    except LivereviewError as error:
        assert error.source == "page" or isinstance(error, Refused)


def test_new_links_are_queued_and_links_that_are_gone_are_told(
    client: Local,  # noqa: F811
    protocol: str,
) -> None:
    plan = Search(
        "charity", "page", "A charity", url=HOME, filters=(("keep", "kinship|new"),), grey=True
    )
    text = '[[searches]]\nname = "charity"\nsource = "page"\nplatform = "A charity"\nurl = "' + HOME
    text += '"\ngrey = true\n[searches.filters]\nkeep = "kinship|new"\n\n[[searches]]'
    client.run(Register(text=protocol.replace("[[searches]]", text, 1), now=NOW))
    first, second = LISTING.format(place="Wales", more=""), LISTING.format(place="Wales", more=MORE)
    with World() as world, fetch.Fetcher(secrets={}, via=world.base) as fetcher:
        third = second.replace("kinship.pdf", "gone.txt").replace("Kinship", "Other")
        world.script(
            "/https/charity.example.org/research/",
            *(reply(text) for text in (first, second, third)),
        )
        fresh = []
        for day in range(3):
            now = NOW + timedelta(days=day)
            ending = run_search(client, fetcher, REVIEW, plan, now)
            fresh.append((ending.outcome, ending.fresh))
    assert fresh == [("ok", 1), ("ok", 1), ("ok", 0)]
    alarms = status.status(client.store, now=NOW)["reviews"][0]["alarms"]
    assert any("1 links are gone from the page: Kinship care in Wales" in alarm for alarm in alarms)
