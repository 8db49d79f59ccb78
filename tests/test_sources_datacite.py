"""DataCite: what is asked for, the end of paging, which of several fields is meant, and recorded
payloads.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, SourceBroken
from livereview.records import Record
from livereview.sources.datacite import SOURCE, parse, request
from livereview.sources.protocol import Query, Window

CASES = Path(__file__).parent / "data" / "sources" / "datacite"
PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "datacite"
MAY = Window(datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 31, 2, tzinfo=UTC))
EVER = Window(None, MAY.end)
recorded = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)


def read(**attributes: Any) -> Record:
    """The record of one DOI with these attributes."""
    known = {"doi": "10.99999/a", "titles": [{"title": "Care"}], "creators": [], **attributes}
    (record,) = parse(
        json.dumps({"data": {"type": "dois", "attributes": known}}).encode(), None
    ).records
    return record


def test_a_search_names_its_words_its_days_and_begins_a_cursor() -> None:
    asked = request(
        Query('titles.title:"kinship care"\n OR descriptions.description:kinship'), MAY, None
    )
    assert asked.url == "https://api.datacite.org/dois"
    words = '(titles.title:"kinship care" OR descriptions.description:kinship)'
    assert asked.params == (
        ("query", f"{words} AND updated:[2026-05-01 TO 2026-05-31]"),
        ("page[cursor]", "1"),
        ("page[size]", "200"),
    )
    assert asked.secrets == () == SOURCE.secrets


def test_filters_are_datacites_parameters_but_for_the_choice_of_a_date() -> None:
    asked = dict(
        request(
            Query("care", (("window", "created"), ("resource-type-id", "text"))), MAY, "x+/="
        ).params
    )
    assert asked["query"] == "(care) AND created:[2026-05-01 TO 2026-05-31]"
    assert (asked["resource-type-id"], asked["page[cursor]"]) == ("text", "x+/=")
    assert "query" not in dict(request(Query(filters=(("client-id", "a.b"),)), EVER, None).params)
    with pytest.raises(Refused, match="needs a query"):
        request(Query(), EVER, None)


def test_the_cursor_in_the_link_is_decoded_and_asked_for_again() -> None:
    first = parse((CASES / "list.json").read_bytes(), None)
    assert (first.next_cursor, first.total) == ("MTY5MDAw+zc9", 5)
    assert ("page[cursor]", "MTY5MDAw+zc9") in request(Query("care"), MAY, first.next_cursor).params
    assert parse((CASES / "last_page.json").read_bytes(), first.next_cursor).next_cursor is None
    assert parse((CASES / "empty.json").read_bytes(), None).next_cursor is None, (
        "a link after nothing leads nowhere"
    )


def test_an_empty_list_counts_as_an_honest_zero_only_with_datacites_own_words() -> None:
    with pytest.raises(SourceBroken):
        parse(b'{"total": 0, "offset": 0, "data": []}', None)


def test_numbered_pages_which_never_end_are_not_followed() -> None:
    answer = json.loads((CASES / "list.json").read_bytes())
    answer["links"]["next"] = "https://api.datacite.org/dois?page%5Bnumber%5D=2"
    assert parse(json.dumps(answer).encode(), None).next_cursor is None


def test_a_harvest_goes_on_by_its_token() -> None:
    page = parse((CASES / "harvest.xml").read_bytes(), None)
    assert (page.next_cursor, page.total) == ("oai:1435,50,oai_dc", 3)
    asked = request(Query("care"), MAY, page.next_cursor)
    assert asked.url == "https://oai.datacite.org/oai"
    assert asked.params == (("verb", "ListRecords"), ("resumptionToken", "1435,50,oai_dc"))
    assert parse((CASES / "harvest.xml").read_bytes(), page.next_cursor).next_cursor is None, (
        "its own token again"
    )


@pytest.mark.parametrize(
    ("types", "word"),
    [
        (("Text", "Journal Article"), "journal-article"),
        (("Text", "Bachelorarbeit"), "thesis"),
        (("Text", "Working Paper"), "preprint"),
        (("Text", "Technical Report"), "report"),
        (("Text", "BookChapter"), "book-chapter"),
        (("Text", "BlogPosting"), "web-page"),
        (("Text", "Species information"), "species information"),
        (("JournalArticle", "Report"), "journal-article"),
        (("Dissertation", None), "thesis"),
        (("ConferenceProceeding", None), "conference-proceeding"),
        (("Dataset", "Thesis data"), "dataset"),
        (("StudyRegistration", None), "trial"),
        ((None, None), None),
    ],
)
def test_the_controlled_word_decides_unless_it_says_no_more_than_text(
    types: tuple[str, str], word: str
) -> None:
    assert read(types={"resourceTypeGeneral": types[0], "resourceType": types[1]}).type == word
    assert (
        read(types={"resourceTypeGeneral": "Text", "citeproc": "article-journal"}).type
        == "journal-article"
    )


@pytest.mark.parametrize(
    ("year", "issued", "published"),
    [
        (2024, ["2024-02-03"], "2024-02-03"),
        (2024, ["2021-11-30"], "2024"),
        ("2015", ["2016-06-09", "2015"], "2015"),
        (None, ["2012-12-13/2013-01-01"], "2012-12-13"),
        (None, [], None),
    ],
)
def test_the_day_of_issue_counts_where_it_is_in_the_year_of_publication(
    year: object, issued: list[str], published: str | None
) -> None:
    dates = [
        {"date": "1999-01-01", "dateType": "Created"},
        *({"date": day, "dateType": "Issued"} for day in issued),
    ]
    record = read(publicationYear=year, dates=dates)
    assert record.published == published and record.year == (
        int(published[:4]) if published else None
    )


@pytest.mark.parametrize(
    ("first", "last", "pages"),
    [
        ("93", "105", "93-105"),
        ("e12", None, "e12"),
        ("7", "7", "7"),
        ("Bd. 1 (2018)", None, None),
        ("No 1", "2 (2018)", None),
    ],
)
def test_pages_are_pages_and_not_what_else_the_series_is_called(
    first: str, last: str | None, pages: str | None
) -> None:
    record = read(container={"title": "A journal; of care", "firstPage": first, "lastPage": last})
    assert (record.pages, record.container_title) == (pages, "A journal; of care")


def test_a_note_is_no_abstract() -> None:
    def described(kind: str, text: str) -> str | None:
        return read(descriptions=[{"descriptionType": kind, "description": text}]).abstract

    assert described("Abstract", "Short.") == "Short."
    assert described("Other", "Funded by a council.") is None
    assert described("Other", '{"references": [' + '"A reference", ' * 40) is None
    assert described("Methods", "We asked them. " * 40) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
ALL = """doi id titles title creators container types dates descriptions publicationYear relatedItems relatedIdentifiers
url language author"""
FIELDS = st.sampled_from(ALL.split())


@settings(max_examples=60, database=None)
@given(
    st.lists(
        JSON | st.dictionaries(FIELDS, JSON | st.lists(st.dictionaries(FIELDS, JSON), max_size=2)),
        max_size=4,
    )
)
def test_every_item_comes_out_as_a_record_or_a_reject(items: list[Any]) -> None:
    items.append({"doi": "10.99999/a", "titles": [], "creators": []})
    page = parse(
        json.dumps({"data": [{"type": "dois", "attributes": item} for item in items]}).encode(),
        None,
    )
    assert len(page.records) + len(page.rejects) == len(items)


@settings(max_examples=60, database=None)
@given(
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.text().map(lambda text: f"<resource>{text}".encode("utf-8", "replace"))
)
def test_any_other_body_is_an_error_that_names_its_source(body: bytes) -> None:
    with pytest.raises(LivereviewError) as failure:
        parse(body, None)
    assert failure.value.source == "datacite"


@recorded
def test_each_recorded_doi_is_one_record_with_what_the_payload_says() -> None:
    files = [path for path in sorted(PAYLOADS.glob("*.json")) if ".meta." not in path.name]
    assert len(files) == 18
    for path in files:
        raw = json.loads(path.read_text())
        raw = raw["data"]["attributes"] if "data" in raw else raw
        (record,) = parse(path.read_bytes(), None).records
        assert record.doi == raw["doi"].lower() == record.source_key
        assert record.title and record.title.startswith(
            raw["titles"][0]["title"].split("  ")[0][:60]
        )
        assert len(record.authors) == len(raw["creators"])
        assert str(record.year) == str(raw["publicationYear"]) == (record.published or "")[:4]
        assert bool(record.abstract) == any(
            d["descriptionType"] == "Abstract" for d in raw["descriptions"]
        )
        assert record.type


@recorded
@pytest.mark.parametrize(
    ("name", "authors"),
    [
        ("bo_datacite-example-ancientdates-v4.3.xml", 1),
        ("bo_datacite-example-full-v4.6.xml", 2),
        ("bo_datacite-multiple-language.xml", 1),
        ("bo_datacite_malformed_creator.xml", 3),
        ("bo_datacite_missing_creator.xml", 0),
    ],
)
def test_each_recorded_kernel_is_one_record(name: str, authors: int) -> None:
    (record,) = parse((PAYLOADS / name).read_bytes(), None).records
    assert (
        len(record.authors) == authors
        and record.title
        and record.doi
        and record.year
        and record.type
    )


@recorded
def test_the_recorded_harvest_is_read_whole() -> None:
    pages = [parse((PAYLOADS / f"scrapi_datacite.0{n}.200.xml").read_bytes(), None) for n in (0, 1)]
    assert [len(page.records) + len(page.rejects) for page in pages] == [50, 6]
    assert pages[0].total == 56 and pages[0].next_cursor and pages[1].next_cursor is None
    assert all(record.source == "datacite" for page in pages for record in page.records)


@recorded
@pytest.mark.parametrize("name", ["dc_cn.00.200.txt", "dc_cn.01.200.txt", "dc_cn_fail.00.404.txt"])
def test_citations_in_words_are_no_answer(name: str) -> None:
    with pytest.raises(SourceBroken):
        parse((PAYLOADS / name).read_bytes(), None)
