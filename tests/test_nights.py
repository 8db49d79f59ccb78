"""Nights that must not lie: what is late, what died, what could not begin, and what a digest tells
of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import owner
from livereview import processes
from livereview.commands import LoseNight
from livereview.errors import Refused
from livereview.ops import nights, notices, protocols, readiness, status, surveil
from livereview.ops.team import add_account
from livereview.settings import Settings
from livereview.store import nights as store_nights
from livereview.store import vitals
from livereview.store.open import Connection, Store
from livereview.surveillance.calendar import slot_after, slot_before
from livereview.surveillance.late import Expected, lateness
from tests.conftest import NOW, REVIEW, OpenStore, secret_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = ("openalex", "crossref")
NIGHTLY = "0 2 * * *"


def alarms(store: Store, now: datetime) -> list[str]:
    told: list[str] = status.status(store, now=now)["reviews"][0]["alarms"]
    return told


def begin(store: Store, name: str, now: datetime, **runner: Any) -> str:
    search = f"{name} {now.isoformat()}"
    surveil.begin(store, review=REVIEW, name=name, search=search, now=now, **runner)
    return search


def whole_night(store: Store, now: datetime) -> None:
    for name in NAMES:
        surveil.finish(store, search=begin(store, name, now), now=now)


# Late


@pytest.mark.parametrize("days", [1, 7, 30, 90, 365])
def test_a_search_that_never_ran_is_an_alarm_from_one_period_on(reviewed: Store, days: int) -> None:
    assert alarms(reviewed, NOW + 12 * HOUR) == []
    told = alarms(reviewed, NOW + days * DAY)
    assert [
        alarm for alarm in told if "has never run" in alarm and "2026-03-03 02:00 UTC" in alarm
    ] == told
    assert len(told) == len(NAMES)


def test_a_slot_that_passed_is_an_alarm_after_its_grace_and_a_run_ends_it(reviewed: Store) -> None:
    whole_night(reviewed, NOW)
    slot = datetime(2026, 3, 3, 2, tzinfo=UTC)
    assert alarms(reviewed, slot + HOUR) == []
    told = alarms(reviewed, slot + 4 * HOUR)
    assert len(told) == 2 and all(
        "did not run: it was due at 2026-03-03 02:00 UTC" in alarm for alarm in told
    )
    whole_night(reviewed, slot + 5 * HOUR)
    assert alarms(reviewed, slot + 5 * HOUR) == []


def test_searches_that_wait_for_their_turn_are_not_late(reviewed: Store) -> None:
    whole_night(reviewed, NOW)
    slot = datetime(2026, 3, 3, 2, tzinfo=UTC)
    begin(reviewed, NAMES[0], slot)
    assert alarms(reviewed, slot + 4 * HOUR) == []


def test_a_retired_and_a_paused_review_are_never_late(reviewed: Store, protocol: str) -> None:
    for word in ("retired", "paused"):
        text = protocol.replace("[living]\n", f'[living]\nstatus = "{word}"\n', 1)
        surveil.register(reviewed, text=text, now=NOW)
        assert alarms(reviewed, NOW + 30 * DAY) == []


def test_a_protocol_that_is_edited_each_day_does_not_put_the_alarm_off(
    reviewed: Store, protocol: str
) -> None:
    for day in range(1, 20):
        text = protocol.replace("[living]\n", f"[living]\nstale_days = {45 + day}\n", 1)
        surveil.register(reviewed, text=text, now=NOW + day * DAY)
    assert len(
        [alarm for alarm in alarms(reviewed, NOW + 19 * DAY) if "has never run" in alarm]
    ) == len(NAMES)


@pytest.mark.parametrize(
    ("cron", "zone", "moment", "before", "after"),
    [
        (NIGHTLY, "UTC", "2026-03-02T09:00", "2026-03-02T02:00", "2026-03-03T02:00"),
        (NIGHTLY, "Europe/London", "2026-07-02T00:59", "2026-07-01T01:00", "2026-07-02T01:00"),
        ("30 1 * * *", "Europe/London", "2026-10-25T12:00", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("30 1 * * *", "Europe/London", "2026-03-29T12:00", "2026-03-29T01:30", "2026-03-30T00:30"),
        ("0 2 29 feb *", "UTC", "2026-03-02T09:00", "2024-02-29T02:00", "2028-02-29T02:00"),
        ("0 2 * * fri-mon", "UTC", "2026-03-04T09:00", "2026-03-02T02:00", "2026-03-06T02:00"),
        ("*/15 9-10 * * 7", "UTC", "2026-03-02T09:00", "2026-03-01T10:45", "2026-03-08T09:00"),
        ("0 2 1 * mon", "UTC", "2026-03-03T09:00", "2026-03-02T02:00", "2026-03-09T02:00"),
    ],
)
def test_slots_are_where_cron_has_them(
    cron: str, zone: str, moment: str, before: str, after: str
) -> None:
    asked = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert slot_before(cron, zone, asked) == datetime.fromisoformat(before).replace(tzinfo=UTC)
    assert slot_after(cron, zone, asked) == datetime.fromisoformat(after).replace(tzinfo=UTC)


def test_a_run_from_the_future_does_not_hide_that_a_slot_passed() -> None:
    expected = Expected("openalex", NIGHTLY, "UTC", NOW - 30 * DAY)
    assert lateness(expected, [NOW - 10 * DAY, NOW + 40 * DAY], NOW, None)


# Running, and dead


@pytest.mark.parametrize("later", [7 * HOUR, 30 * HOUR, 180 * DAY])
def test_a_search_that_runs_for_hours_without_a_page_is_an_alarm(
    reviewed: Store, later: timedelta
) -> None:
    begin(reviewed, NAMES[0], NOW)
    assert not [alarm for alarm in alarms(reviewed, NOW + HOUR) if "still running" in alarm]
    assert [
        alarm
        for alarm in alarms(reviewed, NOW + later)
        if f"search {NAMES[0]} is still running" in alarm
    ]


def test_a_search_whose_process_was_killed_ends_as_failed_at_the_next_look(reviewed: Store) -> None:
    night = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    me = processes.this()
    runner = asdict(processes.Process(me.place, night.pid, processes._started(night.pid)))
    begin(reviewed, NAMES[0], NOW, runner=runner)
    assert alarms(reviewed, NOW + HOUR) == [], "it lives"
    night.kill()
    night.wait()
    assert alarms(reviewed, NOW + HOUR) == [f"search {NAMES[0]} ended failed: {nights.INTERRUPTED}"]


def test_a_search_that_was_not_heard_of_from_elsewhere_is_ended_after_its_lease(
    reviewed: Store,
) -> None:
    search = begin(
        reviewed, NAMES[0], NOW, runner={"place": "another machine", "pid": 1, "started": "1"}
    )
    assert nights.end_dead(reviewed, NOW) == []
    long_ago = datetime.now(UTC) - 2 * nights.LEASE
    reviewed.write(lambda con: store_nights.renew_lease(con, search, long_ago))
    assert nights.end_dead(reviewed, NOW) == [], "the owner itself was just opened"
    reviewed.opened = long_ago
    assert nights.end_dead(reviewed, NOW) == [f"{REVIEW}: {NAMES[0]}"]


def test_a_cancelled_run_ends_what_it_had_in_hand_with_its_reason(reviewed: Store) -> None:
    begin(reviewed, NAMES[0], NOW, run="run-1")
    begin(reviewed, NAMES[1], NOW, run="run-2")
    assert nights.end_run(reviewed, run="run-1", reason="cancelled: by lena", now=NOW) == {
        "ended": [NAMES[0]]
    }
    assert alarms(reviewed, NOW + HOUR) == [f"search {NAMES[0]} ended failed: cancelled: by lena"]


# Two schedules


ELSEWHERE = {"place": "another machine", "pid": 1, "started": "1"}
THIRD = {"place": "a third machine", "pid": 1, "started": "1"}


def test_a_slot_is_searched_once_however_many_schedules_serve_it(reviewed: Store) -> None:
    def due(search: str, now: datetime, runner: dict[str, Any], slot: datetime) -> Any:
        asked = {"review": REVIEW, "name": NAMES[0], "search": search, "now": now}
        return surveil.begin(reviewed, **asked, runner=runner, due=slot)

    minute = timedelta(minutes=1)
    assert due("first", NOW, ELSEWHERE, NOW)["search"] == "first"
    second = due("second", NOW + minute, THIRD, NOW)
    assert second["search"] is None and "in process 1 on another" in second["why"]
    surveil.finish(reviewed, search="first", now=NOW + 5 * minute)
    late = due("late", NOW + 9 * minute, THIRD, NOW)
    assert late["search"] is None and "run through at 2026-03-02 09:00 UTC" in late["why"]
    assert due("next", NOW + DAY, THIRD, NOW + DAY)["search"] == "next"
    surveil.finish(reviewed, search="next", now=NOW + DAY, error="away")
    assert due("again", NOW + DAY + HOUR, THIRD, NOW + DAY)["search"] == "again", "it had failed"


def test_what_somebody_wants_now_is_refused_while_another_process_searches(reviewed: Store) -> None:
    begin(reviewed, NAMES[0], NOW, runner=ELSEWHERE)
    with pytest.raises(Refused, match="runs already, in process 1 on another"):
        begin(reviewed, NAMES[0], NOW + HOUR, runner=THIRD)
    begin(reviewed, NAMES[0], NOW + 2 * HOUR, runner=ELSEWHERE)  # it gave up what it had
    long_ago = datetime.now(UTC) - 2 * nights.LEASE
    reviewed.opened = long_ago
    last = f"{NAMES[0]} {(NOW + 2 * HOUR).isoformat()}"
    reviewed.write(lambda con: store_nights.renew_lease(con, last, long_ago))
    begin(reviewed, NAMES[0], NOW + 3 * HOUR, runner=THIRD)


def sign(store: Store, id: str, reviews: tuple[str, ...] = ()) -> None:
    nights.sign_of_life(
        store, words="well", now=NOW, id=id, where=f"schedule {id}", reviews=reviews
    )


@pytest.mark.parametrize(
    ("signs", "told"),
    [
        ("a a a", ""),
        ("a b b b", ""),  # started again: the first is silent since
        ("a b a b", "ab"),
        ("a b c a c", "abc"),  # whoever was heard of last has just gone, or not
        ("a:x b:y a:x b:y", ""),  # each serves a review of its own
        ("a:x b a:x b", "ab"),
        ("a:x,y b:y a:x,y b:y", "ab"),
    ],
)
def test_schedules_that_serve_the_same_reviews_are_told(
    reviewed: Store, settings: Settings, signs: str, told: str
) -> None:
    moment = [0.0]
    reviewed.schedules = vitals.Schedules(lambda: moment[0])
    for word in signs.split():
        moment[0] += 10
        id, _, names = word.partition(":")
        sign(reviewed, id, tuple(names.split(",")) if names else ())
    here = readiness.Surroundings(reviewed, settings.site, datetime.now(UTC))
    ok, words = readiness.schedule(here)
    service = status.status(reviewed, now=NOW)["service"]
    if not told:
        assert ok and service == []
        return
    assert not ok and service == [words]
    assert [id for id in "abc" if f"schedule {id}" in words] == list(told)
    moment[0] += 200
    sign(reviewed, told[1])
    assert readiness.schedule(here)[0], "the other has stopped"


# Nights that did not begin


def test_a_night_that_did_not_begin_is_in_the_ledger_and_an_alarm_until_it_is_made_good(
    reviewed: Store,
) -> None:
    whole_night(reviewed, NOW)
    lost: dict[str, Any] = {
        "id": "one",
        "review": REVIEW,
        "what": NIGHTLY,
        "reason": "the owner was away",
    }
    for _ in range(2):
        nights.lose_night(reviewed, due=NOW + 17 * HOUR, now=NOW + 20 * HOUR, **lost)
    (row,) = [
        row
        for row in status.ledger_of(reviewed, review=REVIEW, now=NOW)["attempts"]
        if row["kind"] == "night"
    ]
    assert row["outcome"] == "failed" and "the owner was away" in row["error"]
    assert ["the owner was away" in alarm for alarm in alarms(reviewed, NOW + 18 * HOUR)] == [True]
    whole_night(reviewed, NOW + 21 * HOUR)
    assert alarms(reviewed, NOW + 21 * HOUR) == []


def test_a_night_lost_to_a_clock_that_was_behind_is_an_alarm_though_its_time_is_past(
    reviewed: Store,
) -> None:
    whole_night(reviewed, NOW)
    lost = {"review": REVIEW, "what": NAMES[0], "reason": "the clock says 1970"}
    nights.lose_night(reviewed, now=datetime(1970, 1, 1, tzinfo=UTC), **lost)
    assert ["1970" in alarm for alarm in alarms(reviewed, NOW + HOUR)] == [True]
    surveil.finish(reviewed, search=begin(reviewed, NAMES[0], NOW + HOUR), now=NOW + HOUR)
    assert alarms(reviewed, NOW + HOUR) == []


def test_what_the_owner_missed_is_remembered_and_delivered_once(
    reviewed: Store, tmp_path: Path
) -> None:
    home = tmp_path / "flow"
    owner.keep(home, LoseNight(id="a", review=REVIEW, what=NIGHTLY, reason="away", due=NOW))
    (kept,) = (home / owner.UNDELIVERED).iterdir()
    assert (kept.stat().st_mode | kept.parent.stat().st_mode) & 0o077 == 0
    (home / owner.UNDELIVERED / "half.json").write_text('{"id": ')
    assert owner.deliver(home, OpenStore(reviewed)) == 1
    assert owner.deliver(home, OpenStore(reviewed)) == 0
    assert [path.name for path in (home / owner.UNDELIVERED).iterdir()] == ["half.damaged"]
    with reviewed.read() as con:
        assert [night.reason for night in store_nights.lost(con, REVIEW)] == ["away"]


def test_what_the_owner_refuses_is_set_aside_and_never_stands_in_the_way_of_a_night(
    reviewed: Store, tmp_path: Path
) -> None:
    home = tmp_path / "flow"
    lost = {"id": "a", "review": REVIEW, "what": NIGHTLY, "reason": "away", "due": NOW.isoformat()}
    folder = home / owner.UNDELIVERED
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps({**lost, "of": "another version"}))
    (folder / "b.json").write_text(json.dumps({**lost, "id": "b", "due": "last night"}))
    owner.keep(home, LoseNight(id="c", review=REVIEW, what=NIGHTLY, reason="away", due=NOW))
    assert owner.deliver(home, OpenStore(reviewed)) == 1
    assert sorted(path.suffix for path in (home / owner.UNDELIVERED).iterdir()) == [
        ".refused",
        ".refused",
    ]


def test_a_name_asked_for_by_hand_that_is_gone_is_refused_with_the_choices(reviewed: Store) -> None:
    from flows.surveil import chosen_searches

    with reviewed.read() as con:
        rules = protocols.protocol(con, REVIEW)
    with pytest.raises(Refused, match=r"no search gone; it has openalex, crossref"):
        chosen_searches(rules, ["gone"])


# Digests


@pytest.fixture
def lena(reviewed: Store) -> str:
    add_account(reviewed, name="lena", role="lead", secret=secret_of("lena"), now=NOW)
    return "lena"


def digest(store: Store, now: datetime, told: bool = True) -> dict[str, Any]:
    answer = notices.digests(store, base_url="https://r.example", now=now, always=True)
    if told:
        notices.note_digests(store, people=answer["people"], now=now)
    message: dict[str, Any] = next(each for each in answer["digests"] if each["name"] == "lena")
    return message


def test_a_night_still_running_is_told_as_running_and_again_with_its_end(
    reviewed: Store, lena: str
) -> None:
    night = NOW.replace(hour=2)
    surveil.finish(reviewed, search=begin(reviewed, NAMES[1], night), now=night + HOUR)
    search = begin(reviewed, NAMES[0], night)
    first = digest(reviewed, night + 5 * HOUR)
    assert f"{NAMES[0]}: still running since 2026-03-02 02:00 UTC" in first["text"]
    assert "failed" not in first["subject"] + first["text"]
    surveil.finish(reviewed, search=search, now=night + 7 * HOUR, error="answered 500")
    second = digest(reviewed, night + 29 * HOUR)
    assert "Night failed: 1 of 1 search" in second["subject"] and "answered 500" in second["text"]
    assert NAMES[1] not in second["text"].split("Alarms")[0]
    assert "answered 500" not in digest(reviewed, night + 30 * HOUR)["text"].split("Alarms")[0]


@pytest.mark.parametrize("made", [True, False], ids=["each noted", "none noted"])
def test_nothing_falls_through_a_day_of_25_hours(reviewed: Store, lena: str, made: bool) -> None:
    # 07:00 in London
    first, second = datetime(2026, 10, 24, 6, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)
    failed = datetime(2026, 10, 24, 6, 20, tzinfo=UTC)
    assert "answered 500" not in digest(reviewed, first, made)["text"]
    surveil.finish(
        reviewed, search=begin(reviewed, NAMES[0], failed), now=failed, error="answered 500"
    )
    night = datetime(2026, 10, 25, 1, tzinfo=UTC)
    whole_night(reviewed, night)
    assert "answered 500" in digest(reviewed, second, made)["text"]


def test_a_digest_that_was_missed_or_could_not_be_sent_loses_nothing(
    reviewed: Store, lena: str
) -> None:
    digest(reviewed, NOW)
    surveil.finish(
        reviewed, search=begin(reviewed, NAMES[0], NOW + HOUR), now=NOW + HOUR, error="answered 500"
    )
    assert "answered 500" in digest(reviewed, NOW + DAY, told=False)["text"], "made, and not sent"
    assert "answered 500" in digest(reviewed, NOW + 5 * DAY)["text"].split("Alarms")[0]


def test_ledger_rows_of_nights_are_plain_data(reviewed: Store) -> None:
    nights.note_night(
        reviewed, id="n", review=REVIEW, what="gone", note="the search left the protocol", now=NOW
    )
    (row,) = status.ledger_of(reviewed, review=REVIEW, now=NOW)["attempts"]
    assert row["outcome"] == "noted" and "left the protocol" in json.dumps(row, default=str)


def test_leases_do_not_stand_in_the_way_of_a_replay(reviewed: Store) -> None:
    """A night with a time of the past, run now, is not taken for dead at the owner's next look."""
    begin(reviewed, NAMES[0], NOW - 300 * DAY + 301 * DAY)

    def leases(con: Connection) -> int:
        return len(store_nights.running(con))

    assert nights.end_dead(reviewed, datetime.now(UTC)) == []
    assert reviewed.write(leases) == 1
