"""`/healthz` says that the owner lives, `/readyz` that it can work.

Anybody learns names, operators the words.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from fastapi import FastAPI

from livereview import ops
from livereview.ops import readiness
from livereview.settings import Settings
from livereview.store import versions, vitals
from livereview.store.open import Connection, Store
from tests.conftest import NOW, REVIEW, TestClient


def found(store: Store, settings: Settings, name: str) -> readiness.Check:
    """The check of this name, now."""
    here = readiness.Surroundings(store, settings.site, NOW)
    return next(check for check in readiness.checks(here) if check.name == name)


def test_a_new_owner_is_ready_and_says_so_without_a_word_about_reviews(app: FastAPI) -> None:
    with TestClient(app) as visitor:
        answer = visitor.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert [set(check) for check in answer.json()["checks"]] == [{"name", "ok"}] * len(
        readiness.CHECKS
    )
    assert REVIEW not in answer.text


def test_an_owner_with_a_missing_page_lives_but_is_not_ready(
    reviewed: Store, app: FastAPI, settings: Settings
) -> None:
    settings.site.mkdir()
    ops.publish.publish(reviewed, review=REVIEW, folder=settings.site, now=NOW)
    (settings.site / REVIEW / "latest").unlink()
    with TestClient(app) as visitor:
        assert visitor.get("/healthz").json() == {"ok": True}
        answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert {"name": "latest", "ok": False} in answer.json()["checks"]
    assert REVIEW not in answer.text
    assert REVIEW in found(reviewed, settings, "latest").words


@contextmanager
def stuck_writer(store: Store) -> Iterator[None]:
    """The main writer has a job in hand that does not end."""
    begun, may_end = threading.Event(), threading.Event()

    def job(con: Connection) -> None:
        begun.set()
        may_end.wait()

    stuck = threading.Thread(target=lambda: store.write(job))
    stuck.start()
    begun.wait()
    try:
        yield
    finally:
        may_end.set()
        stuck.join()


def test_a_writer_that_hangs_is_told(
    reviewed: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "WRITER_SECONDS", 0.2)
    with stuck_writer(reviewed):
        assert not found(reviewed, settings, "writer").ok
    assert found(reviewed, settings, "writer").ok


def test_a_publisher_that_died_or_is_behind_is_told(reviewed: Store, settings: Settings) -> None:
    moment = [0.0]
    reviewed.heartbeats = vitals.Heartbeats(lambda: moment[0])
    reviewed.heartbeats.beat(readiness.PUBLISHER)
    assert found(reviewed, settings, "publisher").ok
    moment[0] = readiness.PUBLISHER_SECONDS + 1
    assert "no sign of life" in found(reviewed, settings, "publisher").words
    reviewed.heartbeats.beat(readiness.PUBLISHER)
    asked = NOW - readiness.BEHIND - timedelta(minutes=1)
    reviewed.write(lambda con: versions.ask(con, REVIEW, "a test", asked))
    check = found(reviewed, settings, "publisher")
    assert not check.ok and REVIEW in check.words


def test_a_schedule_that_fell_silent_is_told_and_one_that_complains_is_quoted(
    reviewed: Store, settings: Settings
) -> None:
    assert found(reviewed, settings, "schedule").ok, "who runs nights by other means is not alarmed"
    well = vitals.SignOfLife(vitals.SCHEDULE, "3 reviews", True, NOW)
    reviewed.write(lambda con: vitals.save_sign(con, well))
    assert found(reviewed, settings, "schedule") == readiness.Check("schedule", True, "3 reviews")
    unwell = vitals.SignOfLife(vitals.SCHEDULE, "Prefect does not answer", False, NOW)
    reviewed.write(lambda con: vitals.save_sign(con, unwell))
    assert found(reviewed, settings, "schedule") == readiness.Check(
        "schedule", False, "Prefect does not answer"
    )
    silent = vitals.SignOfLife(
        vitals.SCHEDULE, "3 reviews", True, NOW - readiness.SCHEDULE_SILENT * 2
    )
    reviewed.write(lambda con: vitals.save_sign(con, silent))
    assert "last heard of" in found(reviewed, settings, "schedule").words


def test_a_check_that_breaks_is_not_ok_and_the_others_go_on(
    reviewed: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(here: readiness.Surroundings) -> readiness.Answer:
        raise OSError("the disk is gone")

    monkeypatch.setattr(readiness, "CHECKS", (("broken", broken), *readiness.CHECKS))
    checks = readiness.checks(readiness.Surroundings(reviewed, settings.site, NOW))
    assert len(checks) == len(readiness.CHECKS)
    assert "the disk is gone" in checks[0].words and not checks[0].ok
    assert all(check.ok for check in checks[1:])
