"""OpenAIRE: what is asked for, the end of paging, its older shapes, and the recorded payload."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused
from livereview.records import Record
from livereview.sources.openaire import SOURCE, parse, request
from livereview.sources.protocol import Query, Window

CASES = Path(__file__).parent / "data" / "sources" / "openaire"
PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "openaire"
MAY = Window(datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 31, 2, tzinfo=UTC))
EVER = Window(None, MAY.end)


def page_of(items: list[Any], following: str | None = None) -> bytes:
    return json.dumps(
        {"header": {"numFound": 9, "nextCursor": following}, "results": items}
    ).encode()


def read(**fields: Any) -> Record:
    """The record of one product with these fields."""
    (record,) = parse(page_of([{"id": "x::1", "mainTitle": "Care", **fields}]), None).records
    return record


def test_a_search_reaches_back_as_openaire_learns_of_things_late() -> None:
    asked = request(Query('"kinship care"\n AND placement'), MAY, None)
    assert asked.url == "https://api.openaire.eu/graph/v3/research-products"
    assert asked.params == (
        ("search", '"kinship care" AND placement'),
        ("type", "publication"),
        ("fromPublicationDate", "2026-01-31"),
        ("pageSize", "100"),
        ("cursor", "*"),
    )


def test_filters_are_openaires_parameters_and_one_alone_is_a_search() -> None:
    asked = request(
        Query(filters=(("type", "dataset"), ("countryCode", "GB"))), EVER, "AoE/Nd=="
    ).params
    assert asked == (
        ("type", "dataset"),
        ("countryCode", "GB"),
        ("pageSize", "100"),
        ("cursor", "AoE/Nd=="),
    )
    with pytest.raises(Refused, match="needs a query"):
        request(Query(), EVER, None)


def test_the_token_is_a_secret_header_and_sixty_requests_an_hour_are_kept() -> None:
    assert request(Query("care"), EVER, None).secrets == (
        ("header:Authorization", "LIVEREVIEW_OPENAIRE_TOKEN"),
    )
    assert SOURCE.secrets == ("LIVEREVIEW_OPENAIRE_TOKEN",) and SOURCE.interval * 60 >= 3_600


def test_paging_follows_the_cursor_until_there_is_none_or_it_comes_again() -> None:
    item = {"id": "x::1", "mainTitle": "Care"}
    assert parse(page_of([item], "b"), "a").next_cursor == "b"
    assert parse(page_of([item], "b"), "b").next_cursor is None
    assert parse(page_of([], "b"), "a").next_cursor is None
    assert parse(page_of([item]), "a").next_cursor is None


@pytest.mark.parametrize(
    ("kinds", "word"),
    [
        (["Article"], "journal-article"),
        (["Other literature type", "Conference object"], "conference-paper"),
        (["Part of book or chapter of book"], "book-chapter"),
        (["Doctoral thesis"], "thesis"),
        (["Project deliverable"], "report"),
        (["Preprint", "Article"], "preprint"),
        (["Book"], "book"),
        (["Other ORP type"], None),
    ],
)
def test_the_kinds_of_its_instances_say_what_a_product_is(
    kinds: list[str], word: str | None
) -> None:
    assert read(type="publication", instances=[{"type": kind} for kind in kinds]).type == word
    assert read(type="software", instances=[]).type == "software"


def test_authors_stand_by_rank_and_the_name_in_full_outdoes_its_guessed_parts() -> None:
    people = [
        {
            "fullName": "LaManna, Caroline M.",
            "name": "Caroline M.",
            "surname": "Lamanna",
            "rank": 2,
        },
        {"fullName": "Ann Doe", "name": "Ann", "surname": "Doe", "rank": 1},
        {"fullName": "A Working Group", "rank": 3},
    ]
    assert read(authors=people).authors == ("Doe, Ann", "LaManna, Caroline M.", "A Working Group")


def test_a_doi_is_the_products_own_before_its_instances() -> None:
    instances = [
        {"pids": [{"scheme": "doi", "value": "10.99999/copy"}], "urls": ["https://a.example.org"]}
    ]
    assert (
        read(pids=[{"scheme": "doi", "value": "10.99999/own"}], instances=instances).doi
        == "10.99999/own"
    )
    assert read(pids=None, instances=instances).doi == "10.99999/copy"
    assert (
        read(instances=[{"urls": ["no address", "https://a.example.org/?a&amp;b"]}]).url
        == "https://a.example.org/?a&b"
    )


def test_the_first_of_january_is_only_a_year() -> None:
    assert (
        read(publicationDate="2024-01-01").published,
        read(publicationDate="2024-01-02").published,
    ) == (
        "2024",
        "2024-01-02",
    )


def test_the_legacy_search_reads_the_same_as_json_and_as_xml() -> None:
    from_json = parse((CASES / "legacy.json").read_bytes(), None)
    from_xml = parse((CASES / "legacy_xml.xml").read_bytes(), None)
    assert (from_json.total, from_xml.total) == (41, 2)
    assert (
        from_xml.records[0].authors == ("Kay, Mo", "Zed, Al")
        and from_json.next_cursor is from_xml.next_cursor is None
    )
    assert len(from_xml.records) + len(from_xml.rejects) == 2, (
        "an empty <result> is a reject, not lost"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
ALL = "id mainTitle subTitle authors author pids pid instances instance container language descriptions type rank urls"
FIELDS = st.sampled_from(ALL.split())


@settings(max_examples=60, database=None)
@given(
    st.lists(
        JSON | st.dictionaries(FIELDS, JSON | st.lists(st.dictionaries(FIELDS, JSON), max_size=2)),
        max_size=4,
    )
)
def test_every_item_comes_out_as_a_record_or_a_reject(items: list[Any]) -> None:
    page = parse(page_of([*items, {"id": "x::1", "mainTitle": "Care"}]), None)
    assert len(page.records) + len(page.rejects) == len(items) + 1


@settings(max_examples=60, database=None)
@given(JSON)
def test_a_legacy_answer_of_any_shape_never_crashes(result: Any) -> None:
    row = {
        "header": {"dri:objIdentifier": {"$": "x::1"}},
        "metadata": {"oaf:entity": {"oaf:result": result}},
    }
    page = parse(
        json.dumps(
            {"response": {"header": {}, "results": {"result": [row, result, row]}}}
        ).encode(),
        None,
    )
    assert len(page.records) + len(page.rejects) == 3


@settings(max_examples=60, database=None)
@given(
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.text().map(lambda text: f"<response>{text}".encode("utf-8", "replace"))
)
def test_any_other_body_is_an_error_that_names_its_source(body: bytes) -> None:
    with pytest.raises(LivereviewError) as failure:
        parse(body, None)
    assert failure.value.source == "openaire"


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_each_recorded_product_is_a_record_with_what_the_payload_says() -> None:
    body = (PAYLOADS / "fastpaper_openaire_graph_v3.json").read_bytes()
    page, raw = parse(body, None), json.loads(body)
    assert (len(page.records), page.total, page.next_cursor) == (
        5,
        108_712,
        None,
    ) and not page.rejects
    for record, item in zip(page.records, raw["results"], strict=True):
        assert record.source_key == item["id"]
        assert record.title == " ".join(re.sub("</?i>", "", item["mainTitle"]).split())
        people = [set(one["fullName"].replace(",", "").split()) for one in item["authors"] or []]
        assert [set(one.replace(",", "").split()) for one in record.authors] == people
        assert all("," in one for one in record.authors)
        assert record.published == item["publicationDate"]
        assert bool(record.doi) == bool(item["pids"]) and record.type
        assert record.container_title == (item["container"] or {}).get("name")
