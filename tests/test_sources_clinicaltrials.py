"""ClinicalTrials.gov: what is asked, where a search ends, and its recorded answers counted against
themselves.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livereview.errors import Refused, Retry
from livereview.sources.clinicaltrials import SOURCE, request
from livereview.sources.protocol import Query, Window

PAYLOADS = (
    Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads" / "clinicaltrials"
)
MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC))
TRIAL = {"protocolSection": {"identificationModule": {"nctId": "NCT90000001"}}}


def body(**answer: object) -> bytes:
    return json.dumps(answer).encode()


def test_query_filters_and_window_become_parameters_that_stay_the_same_from_page_to_page() -> None:
    query = Query(
        "kinship OR foster",
        (("filter.overallStatus", "COMPLETED"), ("window", "StudyFirstPostDate")),
    )
    first, second = (request(query, MAY, cursor) for cursor in (None, "tok"))
    asked = dict(first.params)
    assert (asked["query.term"], asked["filter.overallStatus"]) == (
        "kinship OR foster",
        "COMPLETED",
    )
    assert asked["filter.advanced"] == "AREA[StudyFirstPostDate]RANGE[2026-05-01,2026-05-31]"
    assert "window" not in asked and asked["countTotal"] == "true"
    assert second.params == (*first.params, ("pageToken", "tok"))


def test_a_search_of_nothing_is_refused_and_one_since_ever_has_no_days() -> None:
    with pytest.raises(Refused, match="needs a query or a filter"):
        request(Query(), MAY, None)
    assert "filter.advanced" not in dict(
        request(Query("kinship"), Window(None, MAY.end), None).params
    )


def test_a_search_ends_without_a_token_and_on_the_empty_page_after_a_full_last_one() -> None:
    assert (
        SOURCE.parse(body(studies=[TRIAL], nextPageToken="t2", totalCount=1), None).next_cursor
        == "t2"
    )
    assert SOURCE.parse(body(studies=[TRIAL]), "t2").next_cursor is None
    after_the_last = SOURCE.parse(body(studies=[]), "t2")
    assert (after_the_last.records, after_the_last.next_cursor) == ((), None)


def test_an_empty_page_that_speaks_of_more_is_asked_for_again() -> None:
    for answer in (body(studies=[], totalCount=5), body(studies=[], nextPageToken="t2")):
        with pytest.raises(Retry, match="before the end"):
            SOURCE.parse(answer, None)


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_every_number_in_a_recorded_answer_is_a_record_with_that_key() -> None:
    for path in sorted(PAYLOADS.glob("*.json")):
        raw = path.read_text(encoding="utf-8")
        page = SOURCE.parse(raw.encode(), None)
        keys = [
            line.split('"')[3] for line in raw.splitlines() if line.strip().startswith('"nctId"')
        ]
        assert (
            keys and [record.source_key for record in page.records] == keys and not page.rejects
        ), path.name
        assert (page.next_cursor is not None) == ("nextPageToken" in raw), path.name
