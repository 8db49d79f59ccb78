"""bioRxiv and medRxiv: what is asked, where a span of days ends, and their recorded answers
counted.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.sources.biorxiv import SOURCE, request
from livereview.sources.protocol import Page, Query, Window

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "biorxiv"
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC))


def read(count: int, asked: str | None = None, /, **head: Any) -> Page:
    items = [{"doi": f"10.1101/{number}", "title": "Kinship"} for number in range(count)]
    return SOURCE.parse(
        json.dumps({"messages": [{"status": "ok", **head}], "collection": items}).encode(), asked
    )


def test_server_days_and_place_are_in_the_path_and_the_category_is_a_parameter() -> None:
    query = Query("is not sent", (("server", "biorxiv"), ("category", "neuroscience")))
    asked = request(query, MAY, "60")
    assert asked.url == "https://api.biorxiv.org/details/biorxiv/2026-05-01/2026-05-31/60/json"
    assert asked.params == (("category", "neuroscience"),)


def test_medrxiv_is_read_by_default_and_since_ever_begins_with_biorxivs_first_month() -> None:
    asked = request(Query(), Window(None, MAY.end), None)
    assert asked.url == "https://api.biorxiv.org/details/medrxiv/2013-11-01/2026-05-31/0/json"
    with pytest.raises(Refused, match="medrxiv or biorxiv"):
        request(Query(filters=(("server", "arxiv"),)), MAY, None)


@pytest.mark.parametrize("size", [30, 100])
def test_a_span_of_days_is_read_to_its_end_whatever_the_size_of_a_page(size: int) -> None:
    cursor, read_so_far, total = None, 0, 250
    while True:
        count = min(size, total - read_so_far)
        page = read(count, cursor, cursor=cursor or 0, total=str(total))
        read_so_far += count
        if page.next_cursor is None:
            break
        assert page.next_cursor == str(read_so_far)
        cursor = page.next_cursor
    assert read_so_far == total


def test_the_place_is_that_of_the_request_where_the_answer_leaves_it_out() -> None:
    assert read(30, "30", total="90").next_cursor == "60"
    assert read(30, "60", total="90").next_cursor is None


def test_a_span_without_a_total_goes_on_until_nothing_is_found() -> None:
    assert read(30, None, cursor=0).next_cursor == "30"
    nothing = SOURCE.parse(b'{"messages":[{"status":"no posts found"}],"collection":[]}', "30")
    assert (nothing.records, nothing.next_cursor) == ((), None)
    assert read(1).next_cursor is None, "a single preprint has no place in a list"


def test_versions_of_one_preprint_have_one_key() -> None:
    versions = [
        {"doi": "10.1101/1", "version": number, "title": f"Version {number}"} for number in "12"
    ]
    page = SOURCE.parse(json.dumps({"messages": [], "collection": versions}).encode(), None)
    assert (
        len({record.record_id for record in page.records}) == 1
        and page.records[-1].title == "Version 2"
    )


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_every_row_of_a_recorded_answer_is_a_record_and_withdrawals_are_marked() -> None:
    for path in sorted(PAYLOADS.glob("*.json")):
        raw = path.read_text(encoding="utf-8")
        page = SOURCE.parse(raw.encode(), None)
        assert len(page.records) == raw.count('"doi":') and not page.rejects, path.name
        assert sum(one.retraction == "retracted" for one in page.records) == raw.count(
            '"type": "withdrawn"'
        )
        assert all(
            one.title and one.year and one.doi and one.type == "preprint" for one in page.records
        )
