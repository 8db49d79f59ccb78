"""How often a host is asked, and how long to wait before asking again."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from random import Random
from typing import Protocol, TypeVar

from livereview.errors import Retry

TRIES = 5
LONGEST_PAUSE = 120.0  # seconds; who asks for more is asked again on another night
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 60.0
T = TypeVar("T")


class Lane(Protocol):
    """Keeps a host's turn among several processes."""

    def __call__(
        self, host: str, longest: float
    ) -> AbstractContextManager[Callable[[float], None]]:
        """Hold the host's turn within the block, waited for at most `longest` seconds.

        What it gives says, before the block ends, for how many seconds more the turn is kept.

        Raises:
            Retry: The turn was not to be had.
        """
        ...


@contextmanager
def no_lane(host: str, longest: float) -> Iterator[Callable[[float], None]]:  # noqa: ARG001
    """Nobody else asks: a process without others."""
    yield _kept_by_nobody


def _kept_by_nobody(seconds: float) -> None:
    """Nothing is held, so nothing is kept."""


class Turns:
    """One request at a time to a host, and the source's interval between the end of one and the
    start of the next.

    Args:
        lane: Keeps the same among the processes and machines of a centre.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        lane: Lane = no_lane,
    ):
        self._clock, self._sleep = clock, sleep
        self._lane = lane
        self._locks: dict[str, threading.Lock] = {}
        self._free: dict[str, float] = {}
        self._gaps: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, interval: float, longest: float = math.inf) -> Iterator[None]:
        """Wait for the host's turn, at most `longest` seconds for other processes, and hold it."""
        with self._locks.setdefault(host, threading.Lock()):
            if (wait := self._free.get(host, -math.inf) - self._clock()) > 0:
                self._sleep(wait)
            with self._lane(host, longest) as keep_for:
                try:
                    yield
                finally:
                    gap = max(interval, self._gaps.get(host, 0.0))
                    self._free[host] = self._clock() + gap
                    keep_for(gap)

    def heed(self, host: str, headers: Mapping[str, str]) -> None:
        """Keep to the rate that an answer states."""
        self._gaps[host] = stated_gap(headers)


def stated_gap(headers: Mapping[str, str]) -> float:
    """Seconds between requests by Crossref's X-Rate-Limit-Limit and -Interval ("50", "1s"); 0 where
    not stated.

    Rule:
    https://www.crossref.org/documentation/retrieve-metadata/rest-api/tips-for-using-the-crossref-rest-api/
    """
    limit = re.fullmatch(r"\d{1,6}", headers.get("x-rate-limit-limit", "").strip())
    interval = re.fullmatch(r"(\d{1,4})s?", headers.get("x-rate-limit-interval", "").strip())
    if not limit or not interval or int(limit.group()) == 0:
        return 0.0
    return min(int(interval.group(1)) / int(limit.group()), LONGEST_BACKOFF)


def stated_pause(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for, given as seconds or as a date.

    None where it is absent or makes no sense.

    A date is compared with the answer's own Date, so that a wrong clock on either side does no
    harm.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        pause = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):  # TypeError: one date has a time zone and the other has not
        return None
    return max(pause, timedelta()).total_seconds()


def patiently(attempt: Callable[[], T], sleep: Callable[[float], None], rng: Random) -> T:
    """What `attempt` gives in at most five tries.

    A Retry that says after how many seconds is taken at its word.

    Raises the last Retry; or the first that asks for more than two minutes, at once: the caller has
    other work.
    """
    for number in count(1):
        try:
            return attempt()
        except Retry as again:
            if number == TRIES or (again.after or 0.0) > LONGEST_PAUSE:
                raise
            longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (number - 1))
            pause = rng.uniform(0.0, longest) if again.after is None else again.after
        sleep(pause)
    raise AssertionError("count never ends")
