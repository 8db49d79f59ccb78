"""PubMed: how a search is walked to its end, however large it is, and every recorded payload."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.sources import pubmed
from livereview.sources.protocol import Page, Query, Request, Window
from livereview.sources.pubmed_xml import medline_date

CASES = Path(__file__).parent / "data" / "sources" / "pubmed"
PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "pubmed"
WEEK = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, 23, 59, tzinfo=UTC))
EVER = Window(None, datetime(2026, 3, 8, tzinfo=UTC))
QUERY = Query('"signs of safety"[tiab]\n OR "kinship care"[tiab]')


def form(request: Request) -> dict[str, str]:
    assert request.form is not None and request.params == ()
    return dict(request.form)


def searched(count: int, **more: object) -> bytes:
    result = {
        "count": str(count),
        "retmax": "0",
        "webenv": f"env{count}",
        "querykey": "1",
        "idlist": [],
        **more,
    }
    return json.dumps({"esearchresult": result}).encode()


def articles(pmids: list[int]) -> bytes:
    item = "<PubmedArticle><MedlineCitation><PMID>{}</PMID><Article/></MedlineCitation></PubmedArticle>"
    return (
        "<PubmedArticleSet>" + "".join(item.format(pmid) for pmid in pmids) + "</PubmedArticleSet>"
    ).encode()


class Server:
    """PubMed as far as we use it: records by create date, and no more than 9,999 of them a search."""

    def __init__(self, days: dict[date, int]):
        self.records = [
            (day, number) for day, many in sorted(days.items()) for number in range(many)
        ]
        self.searches: list[list[int]] = []

    def answer(self, request: Request) -> bytes:
        asked = form(request)
        if "term" not in asked:
            at, size = int(asked["retstart"]), int(asked["retmax"])
            assert at + size <= 10_000, "PubMed refuses what lies behind its limit"
            return articles(self.searches[int(asked["WebEnv"])][at : at + size])
        span = re.search(r'"([\d/]+)"\[crdt\] : "([\d/]+)"\[crdt\]', asked["term"])
        first, last = (span.group(1), span.group(2)) if span else ("0000/00/00", "9999/99/99")
        found = [
            n for n, (day, _) in enumerate(self.records, 1) if first <= f"{day:%Y/%m/%d}" <= last
        ]
        self.searches.append(found)
        return searched(len(found), webenv=str(len(self.searches) - 1))


def walk(server: Server, window: Window) -> list[Page]:
    pages, cursor, seen = [], None, {None}
    while True:
        page = pubmed.parse(server.answer(pubmed.request(QUERY, window, cursor)), cursor)
        pages.append(page)
        if (cursor := page.next_cursor) is None:
            return pages
        assert cursor not in seen, "a cursor that comes back would never end"
        seen.add(cursor)


def test_a_search_asks_for_the_days_of_creation_and_leaves_its_result_on_the_server() -> None:
    request = pubmed.request(QUERY, WEEK, None)
    assert request.url == "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi"
    assert request.secrets == (("api_key", "NCBI_API_KEY"), ("email", "LIVEREVIEW_MAILTO"))
    assert form(request) == {
        "db": "pubmed",
        "tool": "livereview",
        "term": '("signs of safety"[tiab] OR "kinship care"[tiab]) AND ("2026/03/01"[crdt] : "2026/03/08"[crdt])',
        "usehistory": "y",
        "retmax": "0",
        "retmode": "json",
    }


def test_the_records_are_fetched_200_at_a_time() -> None:
    cursor = pubmed.parse(searched(412), None).next_cursor
    wanted = []
    while cursor:
        request = pubmed.request(QUERY, WEEK, cursor)
        asked = form(request)
        assert request.url.endswith("/efetch.fcgi")
        assert (asked["WebEnv"], asked["query_key"], asked["retmode"]) == ("env412", "1", "xml")
        wanted.append((asked["retstart"], asked["retmax"]))
        many = min(200, 412 - int(asked["retstart"]))
        cursor = pubmed.parse(articles(list(range(1, many + 1))), cursor).next_cursor
    assert wanted == [("0", "200"), ("200", "200"), ("400", "200")]


def test_a_filter_and_another_date_field_go_into_the_term() -> None:
    query = Query("safety", (("la", "eng"), ("window", "edat")))
    term = form(pubmed.request(Query(query.text, (("window", "edat"), ("la", "eng"))), WEEK, None))[
        "term"
    ]
    assert term == '(safety) AND (eng[la]) AND ("2026/03/01"[edat] : "2026/03/08"[edat])'
    assert (
        form(pubmed.request(QUERY, EVER, None))["term"]
        == '("signs of safety"[tiab] OR "kinship care"[tiab])'
    )


def test_a_search_for_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="needs a query or a filter"):
        pubmed.request(Query(" "), WEEK, None)


def test_a_search_over_pubmeds_limit_is_halved_by_date_and_nothing_is_lost() -> None:
    days = {date(2026, 3, day): 3_400 for day in range(1, 9)}
    server = Server(days)
    pages = walk(server, WEEK)
    keys = [record.source_key for page in pages for record in page.records]
    assert sorted(map(int, keys)) == list(range(1, 8 * 3_400 + 1))
    assert {page.total for page in pages} == {8 * 3_400}
    assert not any(page.warnings or page.rejects for page in pages)


@settings(max_examples=15, database=None)
@given(
    st.dictionaries(st.dates(date(1850, 1, 1), date(2026, 3, 8)), st.integers(1, 6_000), max_size=6)
)
def test_a_search_since_ever_finds_every_record_once(days: dict[date, int]) -> None:
    found = [record.source_key for page in walk(Server(days), EVER) for record in page.records]
    assert sorted(map(int, found)) == list(range(1, sum(days.values()) + 1))


def test_a_single_day_over_the_limit_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(SourceBroken, match=r"single day 2026-03-04.*narrow the search"):
        walk(Server({date(2026, 3, 4): 10_000}), WEEK)


def test_halves_meet_without_gap_or_overlap() -> None:
    for path in ("", "0", "1", "00", "01", "10", "11"):
        first, last = pubmed._span(WEEK, path)
        assert first <= last
        if path.endswith("0"):
            assert pubmed._span(WEEK, path[:-1] + "1")[0] == last + timedelta(days=1)


def test_words_that_pubmed_did_not_use_are_warnings() -> None:
    body = searched(
        3,
        errorlist={"phrasesnotfound": ["xyzzy"], "fieldsnotfound": ["tiabb"]},
        warninglist={
            "quotedphrasesnotfound": ['"signs of unsafety"'],
            "outputmessages": ["No items found."],
        },
    )
    assert pubmed.parse(body, None).warnings == (
        "phrase not found: xyzzy",
        "field not found: tiabb",
        'quoted phrase not found: "signs of unsafety"',
    )


def test_the_old_xml_answer_of_a_search_reads_like_json() -> None:
    body = b"<eSearchResult><Count>412</Count><RetMax>0</RetMax><QueryKey>1</QueryKey><WebEnv>env412</WebEnv><IdList/>"
    body += b"<ErrorList><PhraseNotFound>xyzzy</PhraseNotFound></ErrorList></eSearchResult>"
    left, right = (
        pubmed.parse(body, None),
        pubmed.parse(searched(412, errorlist={"phrasesnotfound": ["xyzzy"]}), None),
    )
    assert left == right


def test_a_search_that_found_nothing_ends_at_once() -> None:
    assert pubmed.parse(searched(0), None) == Page(total=0)


def test_a_search_without_history_never_looks_like_an_empty_one() -> None:
    with pytest.raises(Retry, match="kept no history"):
        pubmed.parse(searched(7, webenv=None), None)
    page = pubmed.parse(searched(7, webenv=None, idlist=["1", "2"]), None)
    assert (page.total, page.next_cursor) == (7, None) and "only ids" in page.warnings[0]


def test_fewer_records_than_asked_for_are_told_and_none_at_all_are_asked_for_again() -> None:
    cursor = pubmed.parse(searched(3), None).next_cursor
    assert pubmed.parse(articles([1, 2]), cursor).warnings == (
        "PubMed sent 2 of 3 records asked for, from 0 on",
    )
    with pytest.raises(Retry, match="none of the 3"):
        pubmed.parse(articles([]), cursor)
    assert pubmed.parse(articles([]), None) == Page(), "a file may hold an empty set"


@pytest.mark.parametrize(
    "name", ["articles.xml", "books.xml", "esummary_xml.xml", "history_expired.xml"]
)
def test_a_cut_answer_is_never_read_as_a_shorter_one(name: str) -> None:
    body = (CASES / name).read_bytes().strip()
    start = body.index(
        b"<",
        body.rindex(b"?>") + 2 if b"<!DOCTYPE" not in body else body.index(b"<PubmedArticleSet"),
    )
    for length in range(start + 20, len(body), 41):
        with pytest.raises(Retry, match="truncated"):
            pubmed.parse(body[:length], None)


def test_what_an_error_repeats_of_a_request_does_not_show_the_key() -> None:
    for name in ("rate_limit.json", "bad_key.json"):
        with pytest.raises(LivereviewError) as failure:
            pubmed.parse((CASES / name).read_bytes(), None)
        assert "0123456789abcdef" not in str(failure.value)


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"{}", b"[]", b"<a/>", b"not anything", b"{not json}", b'{"result": 1}']
)
def test_what_is_not_pubmeds_is_never_an_empty_page(body: bytes) -> None:
    with pytest.raises((SourceBroken, Retry)):
        pubmed.parse(body, None)


@pytest.mark.parametrize(
    ("words", "iso"),
    [
        ("2010 Sep-Oct", "2010"),
        ("1999 Spring", "1999"),
        ("1998 Dec-1999 Jan", "1998"),
        ("2024 Jan 15", "2024-01-15"),
        ("2023 Dec", "2023-12"),
        ("2010 Sep 5-12", "2010-09"),
        ("Winter", None),
        (None, None),
    ],
)
def test_a_date_in_words_is_as_exact_as_it_is_certain(words: str | None, iso: str | None) -> None:
    assert medline_date(words) == iso


# --- recorded payloads
# -----------------------------------------------------------------------------------------------

FILES = [path for path in sorted(PAYLOADS.glob("*")) if not path.name.endswith(".meta.json")]
if not FILES:
    FILES = [pytest.param(CASES, marks=pytest.mark.skip(reason="the shared payloads are not here"))]  # type: ignore[list-item]
BROKEN = (
    "epost",
    "einfo",
    "espell",
    "idconv",
    "414",
    "200_esearch_ERROR",
    "pmid_22663011",
    "pubmed3",
    "Malformed",
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_recorded_payload_gives_all_that_is_in_it_or_a_clear_error(path: Path) -> None:
    body = path.read_bytes()
    if any(word in path.name for word in BROKEN):
        with pytest.raises(SourceBroken) as failure:
            pubmed.parse(body, None)
        assert len(failure.value.message) > 30
        return
    page = pubmed.parse(body, None)
    held = len(re.findall(rb"<PubmedArticle>|<PubmedBookArticle>", body))
    if b'"uids"' in body:
        held = len(json.loads(body)["result"]["uids"])
    assert len(page.records) + len(page.rejects) == held
    assert held or page.total is not None
    assert [reject.reason for reject in page.rejects] == [
        "no MedlineCitation with PMID and Article"
    ] * len(page.rejects)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_ids_of_cited_works_are_never_taken_for_the_articles_own(path: Path) -> None:
    body = path.read_bytes()
    if b"<ReferenceList>" not in body:
        return
    alone = re.sub(rb"<ReferenceList>.*</ReferenceList>", b"", body, flags=re.DOTALL)
    assert pubmed.parse(body, None).records == pubmed.parse(alone, None).records
