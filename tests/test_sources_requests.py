"""What OpenAlex, Crossref and Europe PMC are asked, and the small readers they share
(livereview/sources/answers).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from livereview.errors import Refused
from livereview.sources import answers, crossref, europepmc, openalex
from livereview.sources.protocol import Query, Request, Source, Window

WEEK = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, 23, 59, tzinfo=UTC))
EVER = Window(None, datetime(2026, 3, 8, tzinfo=UTC))
TEXT = '("signs of safety"\n  OR "children, in care") AND england'
SOURCES = (openalex.SOURCE, crossref.SOURCE, europepmc.SOURCE)


def ask(
    source: Source, text: str = "", span: Window = WEEK, cursor: str | None = None, **filters: str
) -> Request:
    assert source.request is not None
    return source.request(Query(text, tuple(filters.items())), span, cursor)


def params(request: Request) -> dict[str, str]:
    assert len(dict(request.params)) == len(request.params)
    return dict(request.params)


def test_openalex_is_asked_for_words_and_the_days_of_creation() -> None:
    request = ask(openalex.SOURCE, TEXT, type="article|report")
    assert request.url == "https://api.openalex.org/works"
    assert request.secrets == (("api_key", "OPENALEX_API_KEY"),)
    assert params(request) == {
        "filter": 'title_and_abstract.search:("signs of safety" OR "children in care") AND england,type:article|report,'
        "from_created_date:2026-03-01,to_created_date:2026-03-08",
        "cursor": "*",
        "per_page": "200",
        "sort": "publication_date:desc",
    }


def test_openalex_takes_another_window_field_and_page_size() -> None:
    filters = (
        ("window", "from_publication_date"),
        ("field", "title.search"),
        ("per_page", "50"),
        ("sort", "created_date"),
    )
    asked = params(openalex.request(Query("a | b", filters), WEEK, "IlsxXSI="))
    days = "from_publication_date:2026-03-01,to_publication_date:2026-03-08"
    assert asked["filter"] == f"title.search:a b,{days}"
    assert (asked["cursor"], asked["per_page"], asked["sort"]) == ("IlsxXSI=", "50", "created_date")


def test_crossref_is_asked_for_words_and_the_days_of_indexing() -> None:
    request = ask(crossref.SOURCE, TEXT, issn="0140-6736")
    assert request.url == "https://api.crossref.org/works"
    assert request.secrets == (("mailto", "LIVEREVIEW_MAILTO"),)
    assert params(request) == {
        "query.bibliographic": '("signs of safety" OR "children, in care") AND england',
        "filter": "issn:0140-6736,from-index-date:2026-03-01,until-index-date:2026-03-08",
        "cursor": "*",
        "rows": "200",
    }


def test_crossref_takes_another_window_field_and_query_parameter() -> None:
    own = (
        ("window", "from-created-date"),
        ("field", "query.title"),
        ("rows", "1000"),
        ("sort", "created"),
    )
    query = Query("safety", (*own, ("query.container-title", "Lancet")))
    asked = params(crossref.request(query, WEEK, "7 DnF1+/ =="))
    assert asked["filter"] == "from-created-date:2026-03-01,until-created-date:2026-03-08"
    assert (asked["query.title"], asked["query.container-title"]) == ("safety", "Lancet")
    assert (asked["cursor"], asked["rows"], asked["sort"]) == ("DnF1+/ ==", "1000", "created")
    assert "query.bibliographic" not in asked


def test_europe_pmc_is_asked_in_brackets_for_the_days_of_first_indexing() -> None:
    request = ask(europepmc.SOURCE, "TITLE_ABS:a OR TITLE_ABS:b", SRC="MED OR PPR", LANG="eng")
    assert request.url == "https://www.ebi.ac.uk/europepmc/webservices/rest/search"
    assert params(request) == {
        "query": "(TITLE_ABS:a OR TITLE_ABS:b) AND (SRC:(MED OR PPR)) AND (LANG:eng) "
        "AND (FIRST_IDATE:[2026-03-01 TO 2026-03-08])",
        "resultType": "core",
        "format": "json",
        "cursorMark": "*",
        "pageSize": "100",
    }


def test_europe_pmc_takes_another_window_and_page_size() -> None:
    asked = params(
        ask(
            europepmc.SOURCE,
            "a",
            cursor="AoII==",
            window="UPDATE_DATE",
            pageSize="1000",
            synonym="false",
        )
    )
    assert asked["query"] == "(a) AND (UPDATE_DATE:[2026-03-01 TO 2026-03-08])"
    assert (asked["cursorMark"], asked["pageSize"], asked["synonym"]) == ("AoII==", "1000", "false")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_window_without_a_start_asks_for_everything(source: Source) -> None:
    request = ask(source, "safety", EVER)
    assert "2026" not in str(request.params) and "date" not in params(request).get("filter", "")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_search_for_nothing_is_refused_before_it_fetches_a_whole_database(source: Source) -> None:
    with pytest.raises(Refused, match="needs a query or a filter"):
        ask(source, "  \n", window="created", sort="relevance")


@pytest.mark.parametrize("source", SOURCES[:2], ids=lambda source: source.name)
def test_a_comma_in_a_filter_is_refused_as_it_would_ask_something_else(source: Source) -> None:
    with pytest.raises(Refused, match="once per value"):
        ask(source, updates="10.5555/with,comma")


def test_the_days_of_a_window_are_those_of_utc() -> None:
    assert answers.day(datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2026-02-28"


@pytest.mark.parametrize(
    ("parts", "date"),
    [
        ((2021, 3, 7), "2021-03-07"),
        (("2021", "3"), "2021-03"),
        ((2021,), "2021"),
        ((2021, 2, 30), "2021-02"),
        ((2021, 13, 1), "2021"),
        ((2021, None, 5), "2021"),
        ((None,), None),
        ((), None),
        ((0,), None),
        ((20215,), None),
        (([2021],), None),
        ((True,), None),
    ],
)
def test_a_date_is_as_exact_as_its_parts_are_right(
    parts: tuple[object, ...], date: str | None
) -> None:
    assert answers.iso(*parts) == date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2021-03-07T09:00:00Z", "2021-03-07"),
        ("2021-3", "2021-03"),
        (2021, "2021"),
        ("2021-02-31", "2021-02"),
        ("20210307", None),
        ("March 2021", None),
        ({}, None),
    ],
)
def test_a_date_is_read_from_the_start_of_a_text(text: object, date: str | None) -> None:
    assert answers.iso_date(text) == date


@pytest.mark.parametrize(
    ("title", "marked"),
    [
        ("RETRACTED: Ileal hyperplasia", True),
        ("RETRACTED ARTICLE: Ileal hyperplasia", True),
        ("[Retracted] A trial", True),
        ("WITHDRAWN: A trial", True),
        ("Retraction: A trial", False),
        ("Withdrawn: the lives of isolated teenagers", False),
        ("Retracted claws of the cat", False),
        (None, False),
    ],
)
def test_the_publishers_mark_before_a_title_counts_and_like_words_do_not(
    title: str | None, marked: bool
) -> None:
    assert answers.marked_retracted(title) is marked


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a ", "a"),
        (7, "7"),
        (1.5, "1.5"),
        (True, None),
        ("", None),
        ([], None),
        ({}, None),
        ("a\x00\ud83db", "ab"),
    ],
)
def test_only_text_and_numbers_are_text(value: object, text: str | None) -> None:
    assert answers.string(value) == text


def test_a_list_of_one_may_come_without_its_list() -> None:
    assert (answers.sequence("a"), answers.sequence(["a"]), answers.sequence(None)) == (
        ["a"],
        ["a"],
        [],
    )
    assert (answers.first(["", None, "b"]), answers.first("a"), answers.first([])) == (
        "b",
        "a",
        None,
    )
    assert (answers.whole("12"), answers.whole(12), answers.whole("1.2"), answers.whole(-1)) == (
        12,
        12,
        None,
        None,
    )
