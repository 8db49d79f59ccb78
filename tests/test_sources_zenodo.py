"""Zenodo: what is asked for, the end of paging, recorded payloads, and items of any shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, SourceBroken
from livereview.sources.protocol import Query, Window
from livereview.sources.zenodo import REACH, SIZE, SOURCE, parse, request

CASES = Path(__file__).parent / "data" / "sources" / "zenodo"
PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "zenodo"
MAY = Window(datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 31, 2, tzinfo=UTC))
EVER = Window(None, MAY.end)


def test_a_search_names_its_words_its_days_and_its_page() -> None:
    asked = request(Query('"kinship care"\n OR fostering'), MAY, None)
    assert asked.url == "https://zenodo.org/api/records"
    assert asked.params == (
        ("q", '("kinship care" OR fostering) AND created:[2026-05-01 TO 2026-05-31]'),
        ("size", "25"),
        ("page", "1"),
        ("sort", "oldest"),
    )


def test_a_protocol_may_choose_another_date_and_any_parameter_of_zenodos() -> None:
    query = Query("care", (("window", "updated"), ("type", "publication"), ("communities", "care")))
    asked = dict(request(query, MAY, "7").params)
    assert asked["q"] == "(care) AND updated:[2026-05-01 TO 2026-05-31]"
    assert (asked["type"], asked["communities"], asked["page"]) == ("publication", "care", "7")
    assert "window" not in asked


def test_since_ever_there_are_no_days_and_a_filter_alone_is_a_search() -> None:
    assert dict(request(Query("care"), EVER, None).params)["q"] == "(care)"
    assert "q" not in dict(request(Query(filters=(("communities", "care"),)), EVER, None).params)
    with pytest.raises(Refused, match=r"review\.toml"):
        request(Query(filters=(("window", "updated"),)), EVER, None)


def test_the_token_is_a_secret_and_a_large_window_is_known_to_be_too_large() -> None:
    assert request(Query("care"), EVER, None).secrets == (
        ("access_token", "LIVEREVIEW_ZENODO_TOKEN"),
    )
    assert SOURCE.secrets == ("LIVEREVIEW_ZENODO_TOKEN",)
    assert SOURCE.reach == REACH == 10_000 and SIZE <= 25


def page_of(items: list[Any], following: str | None) -> bytes:
    links = {"next": f"https://zenodo.org/api/records?page={following}&q=care"} if following else {}
    return json.dumps({"hits": {"hits": items, "total": 60}, "links": links}).encode()


def test_paging_follows_the_links_and_ends_with_them() -> None:
    item = {"id": 1, "metadata": {"title": "Care"}}
    assert parse(page_of([item], "2"), None).next_cursor == "2"
    assert parse(page_of([item], "3"), "2").next_cursor == "3"
    assert parse(page_of([item], None), "3").next_cursor is None


@pytest.mark.parametrize("following", ["2", "1", "x", "", "-4"])
def test_a_link_that_does_not_lead_on_is_the_end(following: str) -> None:
    assert (
        parse(page_of([{"id": 1, "metadata": {"title": "Care"}}], following), "2").next_cursor
        is None
    )
    assert parse(page_of([], "9"), "2").next_cursor is None, "an empty page is the end"


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ({"id": "publication-workingpaper"}, "preprint"),
        ({"type": "publication", "subtype": "deliverable"}, "report"),
        ({"id": "textDocument-journalArticle"}, "journal-article"),
        ({"type": "poster"}, "conference-paper"),
        ({"type": "publication", "subtype": "thesis"}, "thesis"),
        ({"type": "dataset"}, "dataset"),
        ({"id": "image-figure"}, "figure"),
        ({}, None),
    ],
)
def test_old_and_new_words_for_a_kind_become_ours(kind: dict[str, str], word: str | None) -> None:
    (record,) = parse(
        page_of([{"id": 1, "metadata": {"title": "Care", "resource_type": kind}}], None), None
    ).records
    assert record.type == word


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
ALL = """id metadata title creators publication_date journal imprint resource_type links pids custom_fields languages
description tombstone created doi"""
FIELDS = st.sampled_from(ALL.split())


@settings(max_examples=60, database=None)
@given(
    st.lists(
        JSON | st.dictionaries(FIELDS, JSON | st.dictionaries(FIELDS, JSON, max_size=3)), max_size=4
    )
)
def test_every_item_comes_out_as_a_record_or_a_reject(items: list[Any]) -> None:
    page = parse(page_of(items, "2"), None)
    assert len(page.records) + len(page.rejects) == len(items)


@settings(max_examples=60, database=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_other_body_is_an_error_that_names_its_source(body: bytes) -> None:
    with pytest.raises(LivereviewError) as failure:
        parse(body, None)
    assert failure.value.source == "zenodo"


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_each_recorded_answer_is_one_record_with_what_the_payload_says() -> None:
    files = [path for path in sorted(PAYLOADS.glob("*.json")) if ".meta." not in path.name]
    assert len(files) == 8
    for path in files:
        raw = json.loads(path.read_text())
        (record,) = parse(path.read_bytes(), None).records
        assert record.source_key == str(raw["id"])
        assert record.title == raw["metadata"]["title"]
        assert len(record.authors) == len(raw["metadata"]["creators"]) and all(
            "," in a for a in record.authors
        )
        assert record.published == raw["metadata"]["publication_date"] and record.type
        assert record.doi and record.doi in json.dumps(raw).lower() and record.abstract


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
@pytest.mark.parametrize(
    "name", ["cm_test_rogue_scholar_with_parent_doi.00.302.html", "excerpt_NOTE_limits.txt"]
)
def test_what_else_was_recorded_is_no_answer(name: str) -> None:
    with pytest.raises(SourceBroken):
        parse((PAYLOADS / name).read_bytes(), None)
