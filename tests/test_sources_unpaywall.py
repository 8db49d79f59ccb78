"""Unpaywall: one DOI is asked for, the best open copy is told, and the recorded answers are
counted.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused
from livereview.sources.protocol import Query, Window
from livereview.sources.unpaywall import SOURCE, request

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "unpaywall"
EVER = Window(None, datetime(2026, 5, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["10.1000/Care(7);a", "https://doi.org/10.1000/care(7);a#top", "doi: 10.1000/care(7);a"]
)
def test_a_doi_is_asked_for_in_the_path_and_the_address_of_the_asker_is_a_secret(text: str) -> None:
    asked = request(Query(text), EVER, None)
    assert asked.url == "https://api.unpaywall.org/v2/10.1000/care%287%29%3Ba" and not asked.params
    assert asked.secrets == (("email", "LIVEREVIEW_MAILTO"),)


@pytest.mark.parametrize("text", ["", "kinship care", "10.1000/a 10.1000/b"])
def test_anything_but_one_doi_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="one DOI at a time"):
        request(Query(text), EVER, None)


def test_a_look_up_is_one_page_and_selects_no_days() -> None:
    page = SOURCE.parse(b'{"doi": "10.1000/a", "genre": "dissertation"}', None)
    assert (page.next_cursor, page.total, page.records[0].type) == (None, 1, "thesis")
    assert not SOURCE.days


def test_a_control_character_in_a_snapshots_line_loses_nothing() -> None:
    line = b'{"doi": "10.1000/%d", "genre": "report", "title": "Care\x01leavers"}\n'
    page = SOURCE.parse(line % 1 + b"\n" + line % 2, None)
    assert [(one.source_key, one.title) for one in page.records] == [
        ("10.1000/1", "Careleavers"),
        ("10.1000/2", "Careleavers"),
    ]


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=40), min_size=2, max_size=4))
def test_any_lines_never_crash(lines: list[bytes]) -> None:
    try:
        SOURCE.parse(b"\n".join(b'{"doi": "10.1000/a", ' + line + b"}" for line in lines), None)
    except LivereviewError as error:
        assert error.source == "unpaywall"


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_every_recorded_answer_gives_all_its_dois_and_its_best_open_copy() -> None:
    for path in sorted(PAYLOADS.glob("*.json*")):
        if path.name.endswith(".meta.json"):
            continue
        raw = path.read_text(encoding="utf-8")
        items = (
            [json.loads(line) for line in raw.splitlines()]
            if path.suffix == ".jsonl"
            else [json.loads(raw)]
        )
        items = [one["response"] for one in items[0]["results"]] if "results" in items[0] else items
        page = SOURCE.parse(raw.encode(), None)
        assert [one.source_key for one in page.records] == [one["doi"].lower() for one in items], (
            path.name
        )
        for record, item in zip(page.records, items, strict=True):
            assert (
                record.url
                == (item["best_oa_location"] or {"url": f"https://doi.org/{record.doi}"})["url"]
            )
            assert (record.year, len(record.authors)) == (
                item["year"],
                len(item["z_authors"] or ()),
            )
