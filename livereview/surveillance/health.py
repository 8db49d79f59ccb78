"""What is wrong with a search, judged by its own history: a failure must never look like "nothing
new".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from livereview.records import Record
from livereview.surveillance.clock import TOLERANCE, in_future

WATCHED = (
    "title",
    "authors",
    "year",
    "doi",
    "abstract",
    "container_title",
)  # fields that screening needs
RAN_THROUGH = ("ok", "ok-zero")
EXPECTED = 3.0  # records a silent run of searches should have brought: e^-3 is a chance of 1 in 20
# records in the last run, and before it, that a vanished field is judged by
SAMPLE, HISTORY = 10, 30
LOW_QUOTA = 0.1
# a search that has brought no page for so long has lost its process, or its source hangs
QUIET = timedelta(hours=6)
# how many times its usual length a search may take without a page, where that is longer than QUIET
USUAL_TIMES = 10
LONGEST_RUN = timedelta(hours=24)  # the next night is due by then


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a search.

    `kind` is search, sweep, lookup or import; `finished` None: it never ended.

    Attributes:
        query: The search as it was run, or the address of a feed.
        filters: (name, value) pairs as
            run.
        filled: How many of the found records have each of WATCHED.
        seconds: How long it took, where that was measured.
        quota: The share of the source's
            allowance left after it.
        missing: DOIs that this run had to return and did not.
        last_page: When its last page was taken in; None: none has come yet.
    """

    name: str
    source: str
    kind: str
    outcome: str
    started: datetime
    window_start: datetime | None
    window_end: datetime
    query: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    error: str | None = None
    finished: datetime | None = None
    found: int = 0
    fresh: int = 0
    changed: int = 0
    rejected: int = 0
    pages: int = 0
    bytes: int = 0
    seconds: float | None = None
    filled: Mapping[str, int] = field(default_factory=dict)
    quota: float | None = None
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    last_page: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Where a search stands.

    Attributes:
        usual: Mean yield of the runs that ran through, sweeps apart; None before the first.
        silent_since: When it last brought a record that was new; None: never.
        silent: It found nothing, which is suspicious.
        alarms: What is wrong, a sentence each, most urgent first.
    """

    name: str
    source: str
    last: Attempt
    last_success: datetime | None
    usual: float | None
    successes: int
    silent_since: datetime | None
    silent: bool
    alarms: tuple[str, ...]


def filled(records: Iterable[Record]) -> dict[str, int]:
    """How many of the records have each of WATCHED."""
    known = list(records)
    return {name: sum(1 for record in known if getattr(record, name)) for name in WATCHED}


def health(
    attempts: Sequence[Attempt], now: datetime, stale_days: int, usual_zero: bool = False
) -> Health:
    """The state of one search from its attempts, oldest first (at least one)."""
    last = attempts[-1]
    through = [attempt for attempt in genuine(attempts, now) if attempt.outcome in RAN_THROUGH]
    nightly = [attempt for attempt in through if attempt.kind != "sweep"] or through
    success = max((attempt.window_end for attempt in through), default=None)
    silent = () if usual_zero else tuple(_silent(attempts))
    alarms = (
        *_from_the_future(attempts, now),
        *_ended_badly(last),
        *_still_running(attempts, now),
        *silent,
        *_stale(last.name, success, now, stale_days),
        *_missing(attempts),
        *_gone(last),
        *_drift(attempts),
        *_quota(last),
    )
    return Health(
        name=last.name,
        source=last.source,
        last=last,
        last_success=success,
        usual=sum(attempt.found for attempt in nightly) / len(nightly) if nightly else None,
        successes=len(through),
        silent_since=max((attempt.started for attempt in attempts if attempt.fresh), default=None),
        silent=bool(silent),
        alarms=alarms,
    )


def ahead(attempts: Sequence[Attempt], now: datetime) -> list[bool]:
    """For each attempt, oldest first, whether its clock was ahead: it claims a time that had not
    come.

    A later attempt with an earlier time tells too, so that a false success does not count once its
    time has come.
    """
    flags: list[bool] = []
    latest_possible = now
    for attempt in reversed(attempts):
        false = in_future(attempt.window_end, latest_possible)
        flags.append(false)
        if not false:
            latest_possible = min(latest_possible, attempt.started)
    return flags[::-1]


def genuine(attempts: Sequence[Attempt], now: datetime) -> list[Attempt]:
    """The attempts whose clock was not ahead, oldest first."""
    return [
        attempt for attempt, false in zip(attempts, ahead(attempts, now), strict=True) if not false
    ]


def _from_the_future(attempts: Sequence[Attempt], now: datetime) -> Iterable[str]:
    """The last run whose clock was ahead, until one with the right time has run through since."""
    last: Attempt | None = None
    for attempt, false in zip(attempts, ahead(attempts, now), strict=True):
        if false:
            last = attempt
        elif attempt.outcome in RAN_THROUGH:
            last = None
    if last is not None:
        yield (
            f"search {last.name} ended {last.outcome} with a clock that said {last.window_end:%Y-%m-%d %H:%M} UTC,"
            f" which had not come: that clock was ahead. Its window counts for nothing, and the next run asks from"
            f" the last true success. See to the clock of that machine"
        )


def _still_running(attempts: Sequence[Attempt], now: datetime) -> Iterable[str]:
    """A search that has not ended although it should have, judged by its last page and by its own
    history.
    """
    last = attempts[-1]
    if last.outcome != "running" or in_future(last.started, now):
        return
    lengths = [attempt.seconds for attempt in attempts if attempt.seconds]
    usual = timedelta(seconds=sum(lengths) / len(lengths)) if lengths else timedelta(0)
    quiet = now - max(last.started, last.last_page or last.started)
    running = now - last.started
    if quiet <= max(QUIET, USUAL_TIMES * usual) and running <= LONGEST_RUN:
        return
    if last.last_page is None:
        seen = "and no page has come yet"
    else:
        seen = f"and the last page came {_ago(quiet)} ago"
    yield f"search {last.name} is still running after {_ago(running)}, {seen}: look at its process, or end the run"


def _ago(length: timedelta) -> str:
    """A length of time in words, in the largest unit that fits."""
    hours = round(length / timedelta(hours=1))
    if hours < 48:
        return f"{hours} {'hour' if hours == 1 else 'hours'}"
    return f"{length.days} days"


def _ended_badly(last: Attempt) -> Iterable[str]:
    if last.outcome in ("failed", "partial"):
        yield f"search {last.name} ended {last.outcome}: {last.error or 'no reason given'}"


def _silent(attempts: Sequence[Attempt]) -> Iterable[str]:
    """Zeros in a row are suspicious where the usual yield makes them less likely than 1 in 20
    (Poisson).
    """
    through = [attempt for attempt in attempts if attempt.outcome in RAN_THROUGH]
    zeros = next((n for n, attempt in enumerate(reversed(through)) if attempt.found), len(through))
    before = [attempt.found for attempt in through[: len(through) - zeros]]
    if attempts[-1].outcome != "ok-zero" or not before:
        return
    usual = sum(before) / len(before)
    if usual * zeros >= EXPECTED or through[-1].kind == "sweep":
        times = f"{zeros} times in a row" if zeros > 1 else "nothing this time"
        yield f"search {attempts[-1].name} found nothing ({times}); it usually brings {usual:.0f} records"


def _stale(name: str, success: datetime | None, now: datetime, stale_days: int) -> Iterable[str]:
    if success is None:
        return
    if (
        success - now > TOLERANCE
    ):  # `genuine` leaves none such; who asks with another clock shall still hear of it
        yield f"search {name} last succeeded in the future, at {success:%Y-%m-%d %H:%M} UTC: a clock is wrong"
    if (now - success).days > stale_days:
        yield f"search {name} last succeeded {(now - success).days} days ago"


def _missing(attempts: Sequence[Attempt]) -> Iterable[str]:
    """Canaries that the last complete run did not return."""
    complete = [
        attempt
        for attempt in attempts
        if attempt.kind == "sweep" and attempt.outcome in RAN_THROUGH
    ]
    if complete and complete[-1].missing:
        gone = ", ".join(complete[-1].missing[:5])
        if len(complete[-1].missing) > 5:
            more = f" and {len(complete[-1].missing) - 5} more"
        else:
            more = ""
        name = complete[-1].name
        yield f"search {name} no longer returns {gone}{more}, which it must: has the query or source changed?"


def _gone(last: Attempt) -> Iterable[str]:
    """What a watched page linked to the time before and does not any more."""
    if last.source == "page" and last.missing:
        yield f"search {last.name}: {len(last.missing)} links are gone from the page: {', '.join(last.missing[:3])}"


def _drift(attempts: Sequence[Attempt]) -> Iterable[str]:
    """Items that can't be read any more, and fields that vanished, overnight."""
    last, before = attempts[-1], [attempt for attempt in attempts[:-1] if attempt.found]
    items = last.found + last.rejected
    if last.rejected >= 3 and last.rejected * 2 >= items:
        yield f"search {last.name} could not read {last.rejected} of {items} items: has the source changed its format?"
    known = sum(attempt.found for attempt in before if attempt.filled)
    if last.found < SAMPLE or known < HISTORY or not last.filled:
        return
    for name in WATCHED:
        share = sum(attempt.filled.get(name, 0) for attempt in before) / known
        if share >= 0.5 and not last.filled.get(name, 0):
            yield (
                f"search {last.name}: none of {last.found} records has {name.replace('_', ' ')};"
                f" {share:.0%} had before. Has the source changed its format?"
            )


def _quota(last: Attempt) -> Iterable[str]:
    if last.quota is not None and last.quota < LOW_QUOTA:
        yield f"search {last.name}: {last.quota:.0%} of the source's allowance is left"
