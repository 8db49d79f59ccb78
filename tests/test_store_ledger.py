"""The ledger, complete runs and what they must return."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from livereview.ops import protocols, status, surveil
from livereview.review import Search
from livereview.store import ledger, searches
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import _openalex, include

NAME = "openalex"


def night(store: Store, search: str, body: bytes, now: datetime, **more: Any) -> dict[str, Any]:
    begun = surveil.begin(store, review=REVIEW, name=NAME, search=search, now=now)
    surveil.ingest(store, search=search, body=body, now=now, url="https://a.example/?q=1", **more)
    return {**begun, **surveil.finish(store, search=search, now=now, seconds=1.5)}


def test_the_ledger_tells_query_window_pages_bytes_counts_duration_and_notes(
    reviewed: Store,
) -> None:
    body = _openalex("W1", "W2")
    night(reviewed, "n1", body, NOW, quota=0.5, note="asked by publication date")
    (told,) = status.ledger_of(reviewed, review=REVIEW, now=NOW)["attempts"]
    assert (told["found"], told["fresh"], told["pages"], told["bytes"]) == (2, 2, 1, len(body))
    assert told["seconds"] == 1.5 and told["quota"] == 0.5 and told["kind"] == "sweep"
    assert told["notes"] == ("asked by publication date",) and told["query"]
    assert told["filled"]["title"] == 2 and told["filled"]["abstract"] == 0


def test_a_search_sweeps_at_first_then_looks_at_windows_and_sweeps_again_in_time(
    reviewed: Store,
) -> None:
    kinds = []
    for days in (0, 1, 29, 30, 31):
        begun = night(reviewed, f"n{days}", _openalex("W1"), NOW + timedelta(days=days))
        kinds.append((begun["kind"], begun["start"] is None))
    assert kinds == [
        ("sweep", True),
        ("search", False),
        ("search", False),
        ("sweep", True),
        ("search", False),
    ]


@pytest.mark.parametrize(
    ("plan", "days", "kind"),
    [
        (Search("a", "openalex", "A", sweep_days=0), 900, "search"),
        (Search("a", "feed", "A", url="https://a.example"), 900, "search"),
        (Search("a", "openalex", "A", sweep_days=7), 6, "search"),
        (Search("a", "openalex", "A", sweep_days=7), 7, "sweep"),
    ],
)
def test_when_a_sweep_is_due(plan: Search, days: int, kind: str) -> None:
    assert surveil.next_run(plan, NOW, NOW, NOW + timedelta(days=days)).kind == kind


def test_a_failed_sweep_is_tried_again_the_next_night(reviewed: Store) -> None:
    night(reviewed, "n0", _openalex("W1"), NOW)
    later = NOW + timedelta(days=30)
    surveil.begin(reviewed, review=REVIEW, name=NAME, search="broken", now=later)
    surveil.finish(reviewed, search="broken", now=later, error="answered 500")
    assert (
        surveil.begin(reviewed, review=REVIEW, name=NAME, search="again", now=later)["kind"]
        == "sweep"
    )


def alarms_of(store: Store, now: datetime) -> list[str]:
    """The alarms about the one search that these nights run.

    The other of the protocol is late by then.
    """
    return [
        alarm
        for alarm in status.status(store, now=now)["reviews"][0]["alarms"]
        if f"search {NAME} " in alarm
    ]


def test_an_included_report_that_a_complete_run_does_not_return_any_more_is_an_alarm(
    reviewed: Store,
) -> None:
    night(reviewed, "n0", _openalex("W1", "W2"), NOW)
    with reviewed.read() as con:
        record = con.execute("SELECT record_id FROM record WHERE source_key = 'W1'").fetchall()[0][
            0
        ]
    include(reviewed, record)
    night(reviewed, "window", _openalex("W3"), NOW + timedelta(days=1))
    assert alarms_of(reviewed, NOW) == [], "a window need not return it"
    night(reviewed, "sweep", _openalex("W2", "W3"), NOW + timedelta(days=30))
    (alarm,) = alarms_of(reviewed, NOW + timedelta(days=30))
    assert "no longer returns" in alarm
    night(reviewed, "whole", _openalex("W1", "W2", "W3"), NOW + timedelta(days=60))
    assert alarms_of(reviewed, NOW + timedelta(days=60)) == []


def test_the_protocols_canaries_are_looked_for_in_complete_runs(
    reviewed: Store, protocol: str
) -> None:
    text = protocol.replace("\n[question]", '\ncanaries = ["10.1000/missing"]\n[question]', 1)
    surveil.register(reviewed, text=text, now=NOW)
    night(reviewed, "n0", _openalex("W1"), NOW)
    (alarm,) = status.status(reviewed, now=NOW)["reviews"][0]["alarms"]
    assert "no longer returns 10.1000/missing" in alarm


def test_found_by_names_the_searches_of_each_included_report(reviewed: Store) -> None:
    first, _ = found(reviewed, article(1), article(2))
    found(reviewed, article(1), search="s2")
    include(reviewed, first)
    with reviewed.read() as con:
        names = ledger.found_by(con, REVIEW)
        assert names == [frozenset({protocols.protocol(con, REVIEW).searches[0].name})]
        assert searches.last_complete(con, REVIEW, NAME, NOW) is None
