"""What a wrong clock does to searches, and how it is found out.

A night whose clock is ahead leaves a success that claims to cover days which have not come yet.
Windows that start from it would skip those days, so such a success never counts. A night whose
clock is behind would ask for the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

# time zones, a sleepy clock: less than any overlap that is worth having
TOLERANCE = timedelta(days=1)
ONE_NIGHT = timedelta(hours=12)  # events closer together belong to one night


class Event(NamedTuple):
    """Something that was written down for a review, in the order of writing."""

    made: datetime
    words: str


def in_future(moment: datetime, now: datetime) -> bool:
    """Whether this moment can't have come yet."""
    return moment > now + TOLERANCE


def behind(events: Sequence[Event], now: datetime) -> Event | None:
    """The last event, where it shows that the clock that says `now` is behind.

    None: nothing speaks against it.

    One single night that is ahead of `now`, with earlier events before it, was a night with a wrong
    clock: its successes count for nothing, and `now` is believed. So one bad night heals by itself.
    Several nights, or all that there ever was, are believed instead.
    """
    if not events or not in_future(events[-1].made, now):
        return None
    ahead: list[datetime] = []
    for event in reversed(events):
        if event.made <= now:
            break
        ahead.append(event.made)
    before = len(events) > len(ahead)
    if before and _nights(ahead) == 1:
        return None
    return events[-1]


def _nights(moments: Sequence[datetime]) -> int:
    """How many groups these make, when those less than half a day apart belong together."""
    ordered = sorted(moments)
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    return 1 + sum(gap > ONE_NIGHT for gap in gaps)
