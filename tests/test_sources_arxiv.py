"""arXiv: what is asked, where a search ends, what a withdrawal is, and its recorded answers
counted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, Retry
from livereview.sources.arxiv import SOURCE, request
from livereview.sources.protocol import Page, Query, Window

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "arxiv"
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC))
ENTRY = "<entry><id>http://arxiv.org/abs/2605.0000{0}v1</id><title>Kinship</title>{1}</entry>"


def feed(entries: str, total: int | str = 1, start: int | str | None = 0) -> bytes:
    place = "" if start is None else f"<o:startIndex>{start}</o:startIndex>"
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/"'
        f' xmlns:x="http://arxiv.org/schemas/atom"><o:totalResults>{total}</o:totalResults>{place}{entries}</feed>'
    ).encode()


def read(entries: str, total: int, start: int | None, cursor: str | None = None) -> Page:
    return SOURCE.parse(feed(entries, total, start), cursor)


def test_the_query_is_bracketed_before_filters_and_days_are_added() -> None:
    query = Query(
        'all:kinship OR abs:"foster care"', (("cat", "cs.CY"), ("window", "lastUpdatedDate"))
    )
    asked = dict(request(query, MAY, None).params)
    days = "lastUpdatedDate:[202605010000 TO 202605312359]"
    assert asked["search_query"] == f'(all:kinship OR abs:"foster care") AND cat:cs.CY AND {days}'
    assert (asked["start"], asked["max_results"], asked["sortOrder"]) == ("0", "100", "ascending")


def test_a_search_since_ever_has_no_days_and_one_of_nothing_is_refused() -> None:
    asked = dict(request(Query("all:kinship"), Window(None, MAY.end), "200").params)
    assert (asked["search_query"], asked["start"]) == ("(all:kinship)", "200")
    with pytest.raises(Refused, match="needs a query or a filter"):
        request(Query(), MAY, None)


def test_a_search_is_read_to_its_end_though_the_place_be_left_out() -> None:
    both = ENTRY.format(1, "") + ENTRY.format(2, "")
    assert read(both, 5, 0).next_cursor == "2"
    assert read(both, 5, None, "2").next_cursor == "4"
    assert read(ENTRY.format(5, ""), 5, 4, "4").next_cursor is None


@pytest.mark.parametrize(
    ("total", "start", "cursor"), [(7, 0, None), (7, 5, "5"), (0, 5, "5"), (7, None, "5")]
)
def test_an_empty_page_before_the_end_is_asked_for_again(
    total: int, start: int | None, cursor: str | None
) -> None:
    with pytest.raises(Retry, match="before the end"):
        read("", total, start, cursor)


def test_a_total_that_shrank_to_what_was_read_is_the_end() -> None:
    assert read("", 5, 5, "5") == Page(total=5)


@pytest.mark.parametrize(
    ("said", "withdrawn"),
    [
        ("Withdrawn", True),
        ("This paper has been withdrawn by the author due to an error", True),
        ("This submission has been withdrawn by arXiv administrators", True),
        ("Withdrawn from ICML; accepted at KDD", False),
        ("12 pages, on care leavers who were withdrawn from school", False),
        ("", False),
    ],
)
def test_only_a_paper_that_was_itself_withdrawn_counts_as_retracted(
    said: str, withdrawn: bool
) -> None:
    (record,) = read(ENTRY.format(1, f"<x:comment>{said}</x:comment>"), 1, 0).records
    assert record.retraction == ("retracted" if withdrawn else None)


@settings(max_examples=60)
@given(st.text(max_size=30), st.text(max_size=6), st.text(max_size=60))
def test_any_entry_total_and_cursor_never_crash(identity: str, total: str, cursor: str) -> None:
    try:
        SOURCE.parse(
            feed(f"<entry><id>arxiv.org/abs/{identity}</id></entry>", total, total), cursor
        )
    except LivereviewError as error:
        assert error.source == "arxiv"


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_every_entry_of_a_recorded_answer_is_a_record_with_all_its_authors() -> None:
    for path in sorted(PAYLOADS.glob("*.xml")):
        raw = path.read_text(encoding="utf-8")
        page = SOURCE.parse(raw.encode(), None)
        assert len(page.records) == raw.count("<entry>") and not page.rejects, path.name
        assert sum(len(one.authors) for one in page.records) == raw.count("<author>"), path.name
        assert all(one.title and one.abstract and one.year and one.doi for one in page.records), (
            path.name
        )
    with pytest.raises(Retry, match="Rate exceeded"):
        SOURCE.parse((PAYLOADS / "excerpt_429.html").read_bytes(), None)
