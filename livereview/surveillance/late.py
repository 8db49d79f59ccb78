"""Searches that should have begun and have not: what did not run must not look like "nothing new"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from livereview.surveillance.calendar import slot_after, slot_before
from livereview.surveillance.clock import in_future

# the searches of a slot run one after another; the morning's digest must still tell
GRACE = timedelta(hours=3)
EARLY = timedelta(minutes=5)  # a scheduler's clock may be a little ahead of the owner's


@dataclass(frozen=True, slots=True)
class Expected:
    """A search of the protocol in force, and when it is due.

    Attributes:
        since: When it came into the protocol, or the review came back to life.
    """

    name: str
    cron: str
    timezone: str
    since: datetime


def lateness(
    expected: Expected, begun: Sequence[datetime], now: datetime, busy_since: datetime | None
) -> str | None:
    """What to say of a search that is late, or None.

    Args:
        begun: When its attempts began, the oldest first.
        busy_since: When the review's running search began: the others of its slot wait for their
            turn; None: none runs.
    """
    slot = slot_before(expected.cron, expected.timezone, now)
    if slot is None or slot <= expected.since:
        return None
    true = [moment for moment in begun if not in_future(moment, now)]
    last = true[-1] if true else None
    if last is not None and last >= slot - EARLY:
        return None
    if busy_since is not None and busy_since >= slot - EARLY:
        return None

    missed = _first_missed(expected, last)
    period = _period(expected, slot)
    overdue = missed is not None and now - missed > GRACE
    if last is None and (overdue or now - expected.since > period):
        return f"search {expected.name} has never run: it was first due at {_utc(missed or slot)}. {_NEXT_STEP}"
    if overdue:
        return f"search {expected.name} did not run: it was due at {_utc(missed or slot)}. {_NEXT_STEP}"
    return None


_NEXT_STEP = (
    "Is the schedule running, and its Prefect server? Run it now on the review's page Searches."
)


def _first_missed(expected: Expected, last: datetime | None) -> datetime | None:
    """The first time that it was due and did not begin."""
    start = expected.since if last is None else max(last + EARLY, expected.since)
    return slot_after(expected.cron, expected.timezone, start)


def _period(expected: Expected, slot: datetime) -> timedelta:
    following = slot_after(expected.cron, expected.timezone, slot)
    return following - slot if following else timedelta.max


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
