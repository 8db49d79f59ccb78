"""What a search's own history says is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from livereview.surveillance.health import WATCHED, Attempt, Health, filled, health
from tests.conftest import article

DAY = datetime(2026, 3, 1, 2, tzinfo=UTC)
FULL = dict.fromkeys(WATCHED, 20)


def run(day: int, found: int = 20, **more: Any) -> Attempt:
    """An attempt on a day of March that ran through, unless told otherwise."""
    at = DAY + timedelta(days=day)
    usual: dict[str, Any] = {
        "kind": "search",
        "outcome": "ok" if found else "ok-zero",
        "window_start": at - timedelta(days=8),
        "window_end": at,
        "found": found,
        "filled": dict.fromkeys(WATCHED, found),
    }
    return Attempt("openalex", "openalex", started=at, **{**usual, **more})


def judged(*attempts: Attempt, days: int = 0, usual_zero: bool = False) -> Health:
    return health(attempts, attempts[-1].started + timedelta(days=days), 45, usual_zero)


def test_a_healthy_search_has_no_alarm_and_tells_its_usual_yield_without_sweeps() -> None:
    found = judged(run(0, 900, kind="sweep"), run(1, 10, fresh=2), run(2, 20))
    assert found.alarms == () and found.usual == 15 and found.successes == 3
    assert found.silent_since == DAY + timedelta(days=1)


def test_failure_and_partial_runs_are_named_with_their_reason() -> None:
    found = judged(run(0), run(1, 0, outcome="failed", error="answered 500"))
    assert found.alarms == ("search openalex ended failed: answered 500",)
    assert found.last_success == DAY


@pytest.mark.parametrize(
    ("before", "zeros", "suspicious"),
    [(20, 1, True), (2, 1, False), (1, 2, False), (1, 3, True), (2, 2, True)],
)
def test_zeros_are_suspicious_when_the_usual_yield_makes_them_unlikely(
    before: int, zeros: int, suspicious: bool
) -> None:
    attempts = [run(day, before) for day in range(5)] + [run(5 + day, 0) for day in range(zeros)]
    assert judged(*attempts).silent is suspicious
    assert not judged(*attempts, usual_zero=True).silent


def test_a_sweep_that_finds_nothing_is_suspicious_however_small_the_yield() -> None:
    assert judged(run(0, 1), run(1, 0, kind="sweep")).silent
    assert not judged(run(0, 0), run(1, 0)).silent, (
        "a search that never found anything has no usual yield"
    )


def test_a_search_without_success_for_longer_than_promised_is_named() -> None:
    assert judged(run(0), days=45).alarms == ()
    assert judged(run(0), days=46).alarms == ("search openalex last succeeded 46 days ago",)


def test_a_canary_that_the_last_complete_run_missed_stays_an_alarm_until_one_finds_it() -> None:
    missed = run(1, kind="sweep", missing=("10.1000/a",))
    assert "no longer returns 10.1000/a" in judged(run(0), missed, run(2)).alarms[0]
    assert judged(missed, run(2, kind="sweep")).alarms == ()
    many = judged(run(0, kind="sweep", missing=tuple("abcdefg")))
    assert "a, b, c, d, e and 2 more" in many.alarms[0]


def test_a_field_that_vanishes_overnight_is_drift() -> None:
    lost = run(3, filled={**FULL, "abstract": 0})
    assert (
        "none of 20 records has abstract; 100% had before" in judged(run(0), run(1), lost).alarms[0]
    )


def test_a_field_that_was_rare_before_or_a_small_sample_is_no_drift() -> None:
    rare = [run(day, filled={**FULL, "abstract": 5}) for day in range(3)]
    assert judged(*rare, run(3, filled={**FULL, "abstract": 0})).alarms == ()
    assert judged(run(0), run(1), run(2, 5, filled={"title": 5})).alarms == ()
    assert judged(run(0), run(1, filled={**FULL, "abstract": 0})).alarms == (), (
        "20 records are too short a history"
    )


def test_items_that_cannot_be_read_any_more_are_drift() -> None:
    assert "could not read 30 of 40 items" in judged(run(0), run(1, 10, rejected=30)).alarms[0]
    assert judged(run(0), run(1, 10, rejected=2)).alarms == ()


def test_an_allowance_that_is_nearly_spent_is_named() -> None:
    assert judged(run(0, quota=0.5)).alarms == ()
    assert judged(run(0, quota=0.04)).alarms == (
        "search openalex: 4% of the source's allowance is left",
    )


def test_filled_counts_the_records_that_have_each_field() -> None:
    counted = filled([article(1), article(2, abstract=None, doi=None)])
    assert counted["title"] == 2 and counted["abstract"] == 1 and set(counted) == set(WATCHED)
