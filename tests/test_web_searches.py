"""The page of searches: what each brought, when it runs next, and one run by hand and stopped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI

from livereview.ops.protocols import protocol
from livereview.store import searches
from livereview.store.open import Connection, Store
from livereview.surveillance import calendar
from livereview.web.runs import Runs
from tests.conftest import NOW, REVIEW, Browser, article, found

PAGE = f"/r/{REVIEW}/searches"
SLEEPS = "import time; print('begun', flush=True); time.sleep(600)"
IGNORES = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 2 * * *", "every day at 02:00"),
        ("30 6 * * mon", "every Monday at 06:30"),
        ("0 6 * * 1,thu", "every Monday and Thursday at 06:00"),
        ("0 6 * * 7", "every Sunday at 06:00"),
        ("5 2 1 * *", "every month, on day 1, at 02:05"),
        ("0 2 1 1,4 *", "by the schedule 0 2 1 1,4 *"),
        ("0 2 1 * mon", "by the schedule 0 2 1 * mon"),
        ("*/5 * * * *", "by the schedule */5 * * * *"),
        ("0 2 * * 1-5", "by the schedule 0 2 * * 1-5"),
    ],
)
def test_a_schedule_is_said_in_words_where_it_has_some(cron: str, words: str) -> None:
    assert calendar.in_words(cron) == words


def wait_until(runs: Runs, ended: bool) -> None:
    for _ in range(300):
        if all(not run.running for run in runs.of(REVIEW, NOW).values()) == ended:
            return
        time.sleep(0.1)
    raise AssertionError("the run did not end")


def test_a_lead_sees_what_searches_brought_runs_one_and_stops_it(
    browser: Callable[..., Browser], app: FastAPI, reviewed: Store
) -> None:
    lead = browser("lena", "lead")
    runs: Runs = app.state.shared.runs
    page = lead.get(PAGE)
    assert "never run" in page and "next 2026-" in page
    found(reviewed, article(1), article(2))
    page = lead.get(PAGE)
    assert "2 found, 2 new" in page and "1 of 1 runs in 90 days ran through" in page
    assert "<rect" in page

    runs.command = lambda home, review, name: [sys.executable, "-c", SLEEPS]
    page = lead.press("Run it now")
    assert "is starting" in page and "Started by lena" in page and "Stop it" in page
    again = {**lead.form("Run it now")[1], "name": "openalex"}  # crossref's button, for openalex
    answer = lead.http.post(PAGE, data=again)
    assert answer.status_code == 409 and "runs already, started by lena" in answer.text
    lead.get(PAGE)
    page = lead.press("Stop it")
    assert "is stopping" in page
    wait_until(runs, ended=True)
    assert "stopped by lena" in lead.get(PAGE)

    runs.command = lambda home, review, name: [sys.executable, "-c", "raise SystemExit('no key')"]
    lead.press("Run it now")
    wait_until(runs, ended=True)
    page = lead.get(PAGE)
    assert "It did not run through" in page and "no key" in page


def test_a_search_that_runs_elsewhere_is_not_begun_again(
    browser: Callable[..., Browser], reviewed: Store
) -> None:
    lead = browser("lena", "lead")

    def begin(con: Connection) -> None:
        plan = protocol(con, REVIEW).searches[0]
        searches.begin(con, "night", REVIEW, plan, searches.Run("search", None, NOW), NOW)

    lead.get(PAGE)
    form = lead.form("Run it now")[1]
    reviewed.write(begin)
    answer = lead.http.post(PAGE, data={**form, "name": "openalex"})
    assert answer.status_code == 409 and "runs at this moment" in answer.text
    assert lead.http.post(PAGE, data={**form, "name": "none"}).status_code == 404
    assert lead.http.post(PAGE, data={**form, "act": "stop"}).status_code == 409
    assert "pages so far" in lead.get(PAGE)


def test_what_does_not_stop_is_killed_and_others_wait_their_turn(tmp_path: object) -> None:
    runs = Runs(command=lambda home, review, name: [sys.executable, "-c", IGNORES])
    for name in ("a", "b"):
        runs.begin(tmp_path, REVIEW, name, "lena", NOW)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="Other searches"):
        runs.begin(tmp_path, REVIEW, "c", "lena", NOW)  # type: ignore[arg-type]
    for name in ("a", "b"):
        runs.stop(REVIEW, name, "lena", NOW)
    later = NOW + timedelta(seconds=16)
    for _ in range(300):
        if not any(run.running for run in runs.of(REVIEW, later).values()):
            break
        time.sleep(0.1)
    assert not any(run.running for run in runs.of(REVIEW, later).values())
