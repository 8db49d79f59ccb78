"""The table of records: what is found, counted and shown, for whom."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import ops
from livereview.ops import settle
from livereview.ops.team import screens
from livereview.screening.find import parse
from livereview.store import finding, listing, records
from livereview.store.finding import FACETS, SORTS, Eyes, Question
from livereview.store.open import Store
from livereview.web import record_view
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_many_reviews import asked as asked
from tests.test_ops import decide

People = Callable[..., Browser]
TABLE = f"/r/{REVIEW}/records"


def titles(page: str) -> list[str]:
    """The titles of the rows, in their order."""
    cells = re.findall(r'<th scope="row" class="title".*?</a>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]


def count(page: str) -> int:
    (number,) = re.findall(r'id="count"[^>]*>([\d,]+) reports?<', page)
    return int(number.replace(",", ""))


def facets(page: str) -> dict[tuple[str, str], int]:
    """(facet, value) in words, with its count."""
    counts = {}
    for block in page.split('<details class="facet"')[1:]:
        (name,) = re.findall(r"<summary>([^<]*)</summary>", block)[:1]
        for value, number in re.findall(
            r'<span dir="auto">([^<]*)</span> <span class="count">([\d,]+)', block
        ):
            counts[name, value] = int(number.replace(",", ""))
    return counts


@pytest.fixture
def four(reviewed: Store) -> list[str]:
    """Four reports that differ in what can be searched."""
    return found(
        reviewed,
        article(1, title="Mentoring for care leavers", authors=("Müller, Ada",), year=2015),
        article(2, title="Housing First", abstract=None, year=2021, type="report", doi=None),
        article(3, title="A trial of housing", source="pubmed", pmid="4711", language="de"),
        article(4, title="Young people in care", retraction="retracted", container_title="Zeitung"),
    )


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("", [1, 2, 3, 4]),
        ("housing", [2, 3]),
        ("HOUS", [2, 3]),
        ("housing trial", [3]),
        ('"housing first"', [2]),
        ('"first housing"', []),
        ("-housing", [1, 4]),
        ("muller", [1]),
        ("author:müller", [1]),
        ("title:residential", []),
        ("abstract:residential", [1, 3, 4]),
        ("title:care", [1, 4]),
        ("abstract:mentoring", []),
        ("10.1000/trial3", [3]),
        ("doi:10.1000/trial1", [1]),
        ("pmid:4711", [3]),
        ("journal:zeitung", [4]),
        ("year:2015", [1]),
        ("year:2016-2020", [3, 4]),
        ("-year:2016-", [1]),
        ("source:pubmed", [3]),
        ("type:report", [2]),
        ("language:de", [3]),
        ("note:nothing", []),
    ],
)
def test_reports_are_found_by_their_words(
    reviewed: Store, four: list[str], typed: str, numbers: list[int]
) -> None:
    with reviewed.read() as con:
        answer = finding.ask(con, REVIEW, Question(parse(typed)), Eyes("ada"))
    assert [four.index(report) + 1 for report in answer.reports] == numbers
    assert answer.total == len(numbers)


def test_the_table_is_narrowed_by_facets_and_every_choice_is_in_the_address(
    four: list[str], browser: People
) -> None:
    ada = browser("ada")
    page = ada.get(TABLE)
    assert count(page) == 4 and len(titles(page)) == 4
    counts = facets(page)
    assert counts["State", "Open"] == 4 and counts["Source", "pubmed"] == 1
    assert counts["Has an abstract", "No"] == 1 and counts["Retraction", "Retracted"] == 1

    page = ada.get(f"{TABLE}?source=pubmed")
    assert titles(page) == ["A trial of housing"]
    counts = facets(page)
    assert counts["Source", "openalex"] == 3, "a second value can be added to the first"
    assert ("Has an abstract", "No") not in counts
    assert count(ada.get(f"{TABLE}?source=pubmed&source=openalex")) == 4
    assert titles(ada.get(f"{TABLE}?source=pubmed&retraction=retracted")) == []
    assert "No report is like that" in ada.page.text

    assert titles(ada.get(f"{TABLE}?sort=title&size=25"))[0] == "A trial of housing"
    assert titles(ada.get(f"{TABLE}?sort=oldest"))[0] == "Mentoring for care leavers"
    page = ada.get(f"{TABLE}?columns=doi&density=dense&q=mentoring")
    assert "10.1000/trial1" in page and 'class="records dense"' in page
    assert "columns=doi" in page and "density=dense" in page, "links keep what was chosen"
    odd = "?sort=loud&size=7&page=999999999999&columns=x&stage=nowhere&q=%00%22&awaits=bo"
    assert ada.http.get(f"{TABLE}{odd}").status_code == 200


def test_decisions_notes_and_tags_are_found_by_those_who_may_see_them(
    reviewed: Store, four: list[str], browser: People
) -> None:
    ada, bo, lena = browser("ada"), browser("bo"), browser("lena", "lead")
    screens(reviewed, id="x", review=REVIEW, account="lena", screens=False, now=NOW)
    decide(reviewed, four[0], "ada", "include", note="Ask Agnès", tags=("background",))
    for person in ("ada", "bo"):
        decide(
            reviewed, four[1], person, "exclude", reason="wrong-design", note=f"{person} was here"
        )

    assert (
        count(ada.get(f"{TABLE}?q=agnes")) == 1 and count(ada.get(f"{TABLE}?tag=background")) == 1
    )
    assert facets(ada.page.text)["My decision", "Included"] == 1
    assert count(bo.get(f"{TABLE}?q=agnes")) == 0 and ("Tag", "background") not in facets(
        bo.get(TABLE)
    )
    assert facets(bo.page.text)["State", "Open"] == 3, "half-screened looks open"
    assert count(bo.get(f"{TABLE}?q=note:here")) == 1 and "ada was here" not in bo.page.text
    assert ("Decided by", "ada") not in facets(bo.get(f"{TABLE}?state=excluded"))

    counts = facets(lena.get(TABLE))
    assert counts["State", "Half-screened"] == 1 and counts["Decided by", "ada"] == 2
    assert counts["Half-screened, can be finished by", "bo"] == 1
    assert ("Half-screened, can be finished by", "ada") not in counts
    assert count(lena.get(f"{TABLE}?awaits=bo")) == 1
    assert count(lena.get(f"{TABLE}?reason=wrong-design&state=excluded")) == 1
    assert "ada: " in lena.page.text.replace("\n", "") and "Wrong study design" in lena.page.text


def test_what_somebody_is_asked_again_looks_as_if_nobody_had_decided_it(
    reviewed: Store, four: list[str], browser: People
) -> None:
    ada = browser("ada")
    browser("bo")
    for person in ("ada", "bo"):
        decide(reviewed, four[0], person, "exclude", note="settled")
    assert facets(ada.get(TABLE))["State", "Excluded"] == 1
    reviewed.write(
        lambda con: con.execute(
            """INSERT INTO calibration (id, round, review, stage, reviewer, record_id, settled, own,
                place, seed, author, made)
            VALUES ('c', 'r', ?, 'title_abstract', 'ada', ?, 'exclude', true, 1, 1, 'lena', ?)""",
            [REVIEW, four[0], NOW],
        ).fetchall()
    )
    counts = facets(ada.get(TABLE))
    assert ("State", "Excluded") not in counts and ("My decision", "Excluded") not in counts
    assert counts["State", "Open"] == 4 and count(ada.get(f"{TABLE}?q=settled")) == 0


def test_a_page_asks_the_same_questions_however_many_rows_it_has(
    reviewed: Store, browser: People, asked: Counter[str]
) -> None:
    ada = browser("ada")
    counts = []
    for numbers in (range(3), range(3, 60)):
        news = found(reviewed, *(article(n) for n in numbers), search=f"s{numbers.start}")
        decide(reviewed, news[0], "ada", "include", tags=("x",))
        asked.clear()
        page = ada.get(f"{TABLE}?size=100&q=trial&state=open&sort=title")
        counts.append(asked.total())
    assert len(titles(page)) == 60
    assert counts[0] == counts[1] < 20


def test_facets_and_rows_agree(reviewed: Store, four: list[str]) -> None:
    """Each value of each facet has as many rows as it says, alone and beside another choice."""
    for person in ("ada", "bo"):
        decide(reviewed, four[0], person, "include", tags=("t",))
    decide(reviewed, four[1], "ada", "exclude", reason="wrong-design")
    for eyes in (Eyes("ada"), Eyes("cy", own_only=False), Eyes("lena", True, voters=("ada", "bo"))):
        with reviewed.read() as con:
            for beside in ({}, {"abstract": ("yes",)}, {"source": ("openalex",), "pdf": ("no",)}):
                whole = finding.ask(con, REVIEW, Question(chosen=beside), eyes)
                for key, counted in whole.facets.items():
                    for value, number in counted:
                        chosen = {**beside, key: (value,)}
                        answer = finding.ask(con, REVIEW, Question(chosen=chosen), eyes)
                        assert answer.total == len(answer.reports) == number, (key, value, beside)
                        assert dict(answer.facets[key])[value] == number


def test_the_listing_follows_merges_and_changes_and_can_be_made_again(reviewed: Store) -> None:
    one, two = found(
        reviewed,
        article(1),
        article(2, title="Trial 1 of mentoring", source="pubmed", abstract=None),
    )
    ops.screen.judge(reviewed, id="j", left=one, right=two, verdict="same", person="lena", now=NOW)
    everything = "SELECT * EXCLUDE (found) FROM listing ORDER BY ALL"
    with reviewed.read() as con:
        kept = con.execute(everything).fetchall()
        merged = finding.ask(con, REVIEW, Question(chosen={"relation": ("merged",)}), Eyes("ada"))
    assert merged.total == 1 and len(kept) == 1
    reviewed.write(settle.rebuild)
    with reviewed.read() as con:
        assert con.execute(everything).fetchall() == kept
    ops.screen.judge(
        reviewed, id="k", left=one, right=two, verdict="different", person="lena", now=NOW
    )
    with reviewed.read() as con:
        apart = con.execute(everything).fetchall()
    assert len(apart) == 2
    reviewed.write(lambda con: con.execute("DELETE FROM listing").fetchall())
    reviewed.write(listing.fill)
    with reviewed.read() as con:
        assert con.execute(everything).fetchall() == apart


# The page of one report


def test_a_reports_page_tells_all_that_happened_to_it_and_leads_on(
    reviewed: Store, browser: People
) -> None:
    one, two, three = found(
        reviewed,
        article(1),
        article(2, title="Trial 1 of mentoring", source="pubmed", pmid="4711", abstract=None),
        article(3),
    )
    newer = article(1, abstract="Now with an abstract that says more.")
    reviewed.write(lambda con: records.append(con, [newer], "1" * 64, NOW))
    ada, lena = browser("ada"), browser("lena", "lead")
    screens(reviewed, id="x", review=REVIEW, account="lena", screens=False, now=NOW)
    for id, left, right, verdict in (("j", one, two, "same"), ("k", one, three, "linked")):
        ops.screen.judge(
            reviewed, id=id, left=left, right=right, verdict=verdict, person="ada", now=NOW
        )
    decide(reviewed, one, "ada", "include", note="SECRET")

    page = " ".join(lena.get(f"{TABLE}/{two}").split())
    assert lena.page.url.path.endswith(one), "a record leads to the page of its report"
    for words in (
        "Found by the search",
        "openalex changed it: version 2",
        "ada on a pair of records: Same report",
        "ada decided at title and abstract: Included",
        "SECRET",
        "<del>Abstract 1: young people in residential care.</del>",
        "Half-screened",
        f"/records/{three}",
    ):
        assert words in page, words
    (row,) = re.findall(r'<th scope="row">PMID</th><td dir="auto">4711</td><td>(\w+)</td>', page)
    assert row == "pubmed"
    assert titles(lena.get(TABLE)) and f'href="{TABLE}/{one}"' in lena.page.text

    assert "SECRET" in ada.get(f"{TABLE}/{one}") and "Open" in ada.page.text
    bo = browser("bo")
    assert "SECRET" not in bo.get(f"{TABLE}/{one}") and "Half-screened" not in bo.page.text
    assert "decided at" not in bo.page.text
    assert bo.http.get(f"{TABLE}/r{'0' * 20}").status_code == 404
    bo.press("Split it off: a different report")
    assert count(bo.get(TABLE)) == 3, "split from its page"


VIEWS = st.builds(
    record_view.View,
    text=st.text(st.characters(codec="utf-8"), max_size=40).map(
        lambda text: " ".join(text.split())
    ),
    chosen=st.dictionaries(
        st.sampled_from(FACETS),
        st.lists(st.text(max_size=20), min_size=1, max_size=4, unique=True).map(tuple),
        max_size=3,
    ),
    sort=st.sampled_from(sorted(SORTS)),
    page=st.integers(1, 2_000),
    size=st.sampled_from(record_view.SIZES),
    columns=st.sets(st.sampled_from(sorted(record_view.COLUMNS)), min_size=1).map(
        lambda chosen: tuple(name for name in record_view.COLUMNS if name in chosen)
    ),
    density=st.sampled_from(record_view.DENSITIES),
)


@given(VIEWS)
def test_the_address_of_a_view_is_that_view(view: record_view.View) -> None:
    assert record_view.read(view.pairs) == view


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12))))
def test_any_address_is_a_view(pairs: list[tuple[str, str]]) -> None:
    view = record_view.read(pairs)
    assert record_view.read(view.pairs) == view
