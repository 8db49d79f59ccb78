"""Nights that must not lie: wrong clocks, searches whose process is gone, nights that did not
begin.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from livereview import processes, sources
from livereview.errors import LivereviewError, Refused
from livereview.ops.protocols import parsed, protocols, with_statuses
from livereview.processes import Process
from livereview.review import Review, Search
from livereview.sources import citations
from livereview.sources.protocol import Query, Window
from livereview.store import nights, retirement, searches, versions, vitals
from livereview.store.nights import Lease, LostNight
from livereview.store.open import Connection, Store
from livereview.store.searches import Run
from livereview.store.versions import Head
from livereview.surveillance import clock
from livereview.surveillance.health import Attempt
from livereview.surveillance.late import Expected, lateness
from livereview.timetable import TimedReview, TimedSearch

# a search whose process has not been heard of for so long has lost it
LEASE = timedelta(minutes=10)
RENEWED_EACH = 60.0  # seconds between two signs of life of a running search
INTERRUPTED = "interrupted: its process died"
SOON = timedelta(minutes=5)  # a time this close to the wall clock was read from a clock, not typed
LONGEST_REASON = 2_000  # characters that are kept of why a night did not begin
LONGEST_SILENCE = 3600.0  # seconds that a schedule may say that it will be silent
LONGEST_NAME = 200  # characters that are kept of what did not
KEPT = 10_000  # searches of protocols whose cron line is kept
ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)
TOLD_AT_MOST = 20  # lost nights that are alarms of their own; the ledger has them all


# Clocks and windows


def check_clock(con: Connection, review: str, now: datetime, clock_is_right: bool) -> None:
    """Raise Refused where `now` is behind what has already happened in this review."""
    last = clock.behind(nights.events_near(con, review, now), now)
    if last is None or clock_is_right:
        return
    wall = datetime.now(UTC)
    whose = (
        "the clock of this machine" if abs(wall - now) < SOON else "the time that was given (--now)"
    )
    raise Refused(
        f"{whose} says {now:%Y-%m-%d %H:%M} UTC, but the last event of {review} is of {last.made:%Y-%m-%d %H:%M} UTC"
        f" ({last.words}); {_hours(clock.TOLERANCE)} behind is the most that is taken, as a window from a wrong time"
        f" loses records. Set it right. If it is right, and the clock was ahead in earlier nights, search once with:"
        f" livereview surveil --review {review} --clock-is-right"
    )


def check_window(name: str, run: Run) -> None:
    """Raise Refused for a window that ends before it starts, or when it starts: it would find
    nothing.
    """
    if run.start is None or run.start < run.end:
        return
    raise Refused(
        f"search {name} would ask from {run.start:%Y-%m-%d %H:%M} to {run.end:%Y-%m-%d %H:%M} UTC, a window that ends"
        f" before it starts: look at this machine's clock, and at `start` of the search in review.toml"
    )


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):.0f} hours"


# Searches that run, and their processes


def lease(con: Connection, search: str, runner: Mapping[str, Any] | None, run: str | None) -> None:
    """Write down who runs a search; `runner` as `processes.Process`, None: not known."""
    known = runner or {}
    nights.take_lease(
        con,
        search,
        datetime.now(UTC),
        place=known.get("place"),
        pid=known.get("pid"),
        started=known.get("started"),
        run=run,
    )


def renew(store: Store, *, search: str, now: datetime) -> dict[str, Any]:
    """The process that runs this search lives; asked each RENEWED_EACH seconds.

    `now` is not looked at.
    """
    store.write(lambda con: nights.renew_lease(con, search, datetime.now(UTC)))
    return {}


def end_dead(store: Store, now: datetime) -> list[str]:
    """End each search whose process is gone, as failed or partial.

    The names of those, with their reviews.
    """
    with store.read() as con:
        gone = [each for each in nights.running(con) if _is_gone(each, store.opened)]
    for each in gone:
        _end(store, each, INTERRUPTED, now)
    return [f"{each.review}: {each.name}" for each in gone]


def _is_gone(each: Lease, owner_since: datetime) -> bool:
    """Whether its process is known to be dead, or was not heard of for LEASE while it could have
    been.

    A search of before leases were kept has none to go by: its last sign is its begin, which may
    carry a replay's time.
    """
    if each.place is not None and each.pid is not None:
        alive = processes.is_alive(Process(each.place, each.pid, each.started))
        if alive is not None:
            return not alive
    wall = datetime.now(UTC)
    return wall - max(each.renewed, owner_since) > LEASE


def at_work_on(
    con: Connection,
    review: str,
    name: str,
    runner: Mapping[str, Any] | None,
    owner_since: datetime,
) -> Lease | None:
    """The run of this search that another process has in hand and that is not known to be dead.

    A run of no known process, and one of the process that asks, is none: it was given up.
    """
    asks = runner or {}
    me = (asks.get("place"), asks.get("pid"), asks.get("started"))
    same = [each for each in nights.running(con) if (each.review, each.name) == (review, name)]
    anothers = [
        each for each in same if each.pid is not None and (each.place, each.pid, each.started) != me
    ]
    return next((each for each in anothers if not _is_gone(each, owner_since)), None)


def runs_already(each: Lease) -> str:
    """That a search runs, where, and what to do where it does not."""
    place = (each.place or "").partition(" ")[0]
    minutes = LEASE.total_seconds() / 60
    return (
        f"search {each.name} of {each.review} runs already, in process {each.pid} on {place}, and nothing is searched"
        f" twice at once; if that process hangs, end it: {minutes:.0f} minutes after its last sign of life its search"
        " counts as failed"
    )


def end_run(store: Store, *, run: str, reason: str, now: datetime) -> dict[str, Any]:
    """End every search that this Prefect flow run had in hand; their names.

    For a run that was cancelled or crashed.
    """
    with store.read() as con:
        mine = [each for each in nights.running(con) if each.run == run]
    for each in mine:
        _end(store, each, reason, now)
    return {"ended": [each.name for each in mine]}


def _end(store: Store, each: Lease, reason: str, now: datetime) -> None:
    from livereview.ops import surveil  # which leases what it begins, so it imports this module

    surveil.finish(store, search=each.search, now=now, error=reason)


# Nights that did not begin


def lose_night(
    store: Store,
    *,
    review: str,
    what: str,
    reason: str,
    now: datetime,
    due: datetime | None = None,
    id: str | None = None,
) -> dict[str, Any]:
    """Write down that searches did not begin, and why; the same again changes nothing.

    Args:
        what: The name of the search, or the cron line.
        due: When it was due, or happened; None: now.
    """
    moment = due or now
    key = id or hashlib.sha256(f"{review}\0{what}\0{moment.isoformat()}".encode()).hexdigest()
    night = LostNight(what[:LONGEST_NAME], reason[:LONGEST_REASON], moment, now)

    def job(con: Connection) -> None:
        _must_be_known(con, review)
        nights.save_lost(con, key, review, night)

    store.write(job)
    return {"id": key}


def note_night(
    store: Store, *, id: str, review: str, what: str, note: str, now: datetime
) -> dict[str, Any]:
    """Write down what happened in a night although nothing failed.

    The same again changes nothing.
    """

    def job(con: Connection) -> None:
        _must_be_known(con, review)
        nights.save_note(con, id, review, what[:LONGEST_NAME], note[:LONGEST_REASON], now)

    store.write(job)
    return {}


def _must_be_known(con: Connection, review: str) -> None:
    if searches.protocol_text(con, review) is None:
        known = ", ".join(searches.review_ids(con)) or "none yet"
        raise Refused(f"unknown review {review!r}; this database has: {known}")


def sign_of_life(
    store: Store,
    *,
    words: str,
    now: datetime,
    ok: bool = True,
    id: str = "",
    where: str = "",
    reviews: Sequence[str] = (),
    every: float = 60.0,
) -> dict[str, Any]:
    """The schedule lives; `words` and `ok` are what it says of itself.

    Its clock is not asked: the owner's counts.

    Args:
        id: Tells it from any other schedule; "": an older livereview, which is not looked at as
            one of several.
        where: Its process and machine, in words.
        reviews: Those that it serves; none: all.
        every: Seconds until its next sign.
    """
    sign = vitals.SignOfLife(vitals.SCHEDULE, words[:LONGEST_REASON], ok, datetime.now(UTC))
    store.write(lambda con: vitals.save_sign(con, sign))
    if id:
        seconds = min(max(float(every), 1.0), LONGEST_SILENCE)
        store.schedules.sign(id[:LONGEST_NAME], where[:LONGEST_NAME], tuple(reviews), seconds)
    return {}


# What is late


def cron_of(rules: Review, search: Search) -> str:
    """The cron line that starts a search."""
    return search.schedule or rules.living.search_schedule


@dataclass(frozen=True, slots=True)
class Begun:
    """When the runs of a review's searches began, by name, and when the one that runs now did."""

    by_name: Mapping[str, Sequence[datetime]]
    busy_since: datetime | None


def begun(attempts: Mapping[str, Sequence[Attempt]]) -> Begun:
    """From the ledger."""
    regular = {
        name: [attempt for attempt in runs if attempt.kind in ("search", "sweep")]
        for name, runs in attempts.items()
    }
    running = [
        runs[-1].started for runs in regular.values() if runs and runs[-1].outcome == "running"
    ]
    return Begun(
        {name: [attempt.started for attempt in runs] for name, runs in regular.items()},
        max(running, default=None),
    )


@dataclass(frozen=True, slots=True)
class History:
    """What was in force and what went wrong in a review's nights.

    Attributes:
        lost: Every night that did not begin, in the order they were written down.
        protocols: (text, since when) of every protocol, the oldest first.
        decided: When a vote last made the review living or retired; None: its protocol says so.
    """

    lost: Sequence[LostNight]
    protocols: Sequence[tuple[str, datetime]]
    decided: datetime | None


def histories(con: Connection, reviews: Sequence[str]) -> dict[str, History]:
    """The history of each of these reviews."""
    lost = nights.lost_of(con, reviews)
    protocols = searches.protocols(con, reviews)
    votes = retirement.decided(con, reviews)
    return {
        review: History(
            lost[review], protocols[review], votes[review].made if review in votes else None
        )
        for review in reviews
    }


def alarms(rules: Review, runs: Begun, history: History, now: datetime) -> list[str]:
    """Searches that are late or never ran, and nights that did not begin and were not made good
    since.
    """
    if rules.living.status != "living":
        return []
    lost = _not_made_good(rules, history.lost)
    told = [_lost_words(night) for night in lost[-TOLD_AT_MOST:]]
    if len(lost) > TOLD_AT_MOST:
        told.append(
            f"{len(lost) - TOLD_AT_MOST:,} other nights did not begin either; the ledger has them"
        )
    since = in_force_since(rules, history)
    for search in rules.searches:
        moments = runs.by_name.get(search.name, ())
        expected = Expected(
            search.name, cron_of(rules, search), rules.living.timezone, since[search.name]
        )
        words = lateness(expected, moments, now, runs.busy_since)
        if words:
            told.append(words)
    return told


def _not_made_good(rules: Review, lost: Sequence[LostNight]) -> list[LostNight]:
    """The last lost night of each search or cron line, unless one that it was for has begun since."""
    last = {night.what: night for night in lost}
    return [night for night in last.values() if not _made_good(rules, night)]


def _made_good(rules: Review, night: LostNight) -> bool:
    meant = {
        search.name
        for search in rules.searches
        if night.what in (search.name, cron_of(rules, search))
    }
    if not meant:  # it was for something else, or for what has left the protocol
        return bool(night.begun_since)
    return bool(night.begun_since & meant)


def _lost_words(night: LostNight) -> str:
    return f"a night did not begin ({night.what}, {night.due:%Y-%m-%d %H:%M} UTC): {night.reason}"


def in_force_since(rules: Review, history: History) -> dict[str, datetime]:
    """For each search, when it came into the protocol with its present cron line, or the review
    came back.
    """
    texts = tuple(history.protocols)
    entered = {search.name: _entered(search.name, texts) for search in rules.searches}
    decided = history.decided
    if decided is None:
        return entered
    return {name: max(moment, decided) for name, moment in entered.items()}


@lru_cache(maxsize=KEPT)
def _entered(name: str, protocols: tuple[tuple[str, datetime], ...]) -> datetime:
    """When the last unbroken run of protocols began that have this search with its present cron
    line.
    """
    entered = protocols[-1][1]
    wanted = _line(protocols[-1][0], name)
    for text, made in reversed(protocols):
        if _line(text, name) != wanted:
            break
        entered = made
    return entered


@lru_cache(maxsize=KEPT)
def _line(text: str, name: str) -> tuple[str, str] | None:
    """The cron line and time zone of a search in this protocol.

    None: it is not in it, or is not searched now.
    """
    try:
        rules = parsed(text)
    except LivereviewError:  # an older livereview took it
        return None
    search = rules.search(name)
    if search is None or rules.living.status != "living":
        return None
    return cron_of(rules, search), rules.living.timezone


def attempts_of(con: Connection, rules: Review) -> list[Attempt]:
    """Nights that did not begin, and notes of others, as rows of the ledger."""
    lost = [
        Attempt(
            name=night.what,
            source="",
            kind="night",
            outcome="failed",
            started=night.due,
            window_start=None,
            window_end=night.due,
            error=f"did not begin: {night.reason}",
            finished=night.made,
        )
        for night in nights.lost(con, rules.id)
    ]
    noted = [
        Attempt(
            name=what,
            source="",
            kind="night",
            outcome="noted",
            started=made,
            window_start=None,
            window_end=made,
            finished=made,
            notes=(note,),
        )
        for what, note, made in nights.notes(con, rules.id)
    ]
    return [*lost, *noted]


# What is to run


def schedule(store: Store, *, now: datetime) -> dict[str, Any]:
    """What the schedule serves: each review with its cron lines, its searches, its time zone, the
    status that holds, and the number of its newest version.
    """
    with store.read() as con:
        rules = with_statuses(con, protocols(con))
        heads = versions.heads(con, [review.id for review in rules])
    return {"reviews": [asdict(_timed(review, heads.get(review.id))) for review in rules]}


def _timed(rules: Review, head: Head | None) -> TimedReview:
    searches = tuple(
        TimedSearch(
            search.name,
            search.source,
            cron_of(rules, search),
            url=search.url,
            asks=asks(rules.id, search),
        )
        for search in rules.searches
    )
    return TimedReview(
        review=rules.id,
        crons=tuple(dict.fromkeys(search.cron for search in searches)),
        searches=searches,
        timezone=rules.living.timezone,
        status=rules.living.status,
        version=head.number if head else None,
    )


def asks(review: str, search: Search) -> str:
    """Says of two searches whether they ask their source the same, apart from the days."""
    if search.source == citations.NAME:  # which asks about what its own review included
        return f"{review} {search.name}"
    return _asks(search.source, search.query, search.filters, search.url)


@lru_cache(maxsize=KEPT)
def _asks(source: str, query: str, filters: tuple[tuple[str, str], ...], url: str | None) -> str:
    asked: object = [query, filters, url]
    with suppress(Exception):  # a third party's source, or a query that it would refuse
        request = sources.find(source).request
        if request is not None:
            first = request(Query(query, filters, url), Window(ANY_DAY, ANY_DAY), None)
            asked = [first.url, first.params, first.headers, first.posted]
    text = json.dumps([source, asked], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def may_begin(
    store: Store, *, review: str, now: datetime, clock_is_right: bool = False
) -> dict[str, Any]:
    """Raise Refused where a night at this time would be: for whoever searches by hand, before
    anything starts.
    """
    with store.read() as con:
        check_clock(con, review, now, clock_is_right)
    return {}
