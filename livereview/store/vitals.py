"""Signs of life: of the owner's own threads, in memory; of processes beside it, in the database."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livereview.store.writer import Connection

SCHEDULE = "schedule"  # the process that serves the cron lines
# after so many signs that did not come a schedule is no more: one may be late
SIGNS_MISSED = 2.5


class Heartbeats:
    """When each of this process's threads last gave a sign of life. Safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def beat(self, thread: str) -> None:
        """This thread is alive now."""
        with self._lock:
            self._last[thread] = self._clock()

    def age(self, thread: str) -> float | None:
        """Seconds since its last sign of life; None: it never gave one in this process."""
        with self._lock:
            last = self._last.get(thread)
        return None if last is None else self._clock() - last


class Shipping:
    """How the shipping of each minute's events fares: where to, since when, and what is wrong.

    Safe from any thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._place: str | None = None
        self._last = 0.0
        self._problem: str | None = None

    def begin(self, place: str) -> None:
        """From now on events are shipped there."""
        with self._lock:
            if self._place is None:
                self._last = self._clock()
            self._place = place

    def done(self) -> None:
        """All that there was is there."""
        with self._lock:
            self._last, self._problem = self._clock(), None

    def failed(self, problem: str) -> None:
        with self._lock:
            self._problem = problem

    def state(self) -> tuple[str, float, str | None] | None:
        """(place, seconds since all was there, what is wrong); None: nothing is shipped."""
        with self._lock:
            if self._place is None:
                return None
            return self._place, self._clock() - self._last, self._problem


@dataclass(slots=True)
class Schedule:
    """A process that serves cron lines, as it last spoke of itself.

    Attributes:
        id: Made up by each process, or by each Prefect server that nights are deployed to.
        where: The process and its machine, in words.
        reviews: Those that it serves; none: all.
        every: Seconds between two of its signs.
        began: When it was first heard of, in seconds of this process's clock; `seen`: last.
    """

    id: str
    where: str
    reviews: tuple[str, ...] = ()
    every: float = 60.0
    began: float = 0.0
    seen: float = 0.0

    def meets(self, other: Schedule) -> bool:
        """Whether both were heard of after the other had begun, and serve a review in common.

        One that was started again in the place of another was not: that one is silent since.
        """
        if self.seen <= other.began or other.seen <= self.began:
            return False
        common = set(self.reviews) & set(other.reviews)
        return not self.reviews or not other.reviews or bool(common)


class Schedules:
    """Which schedules were heard of lately. Safe to use from any thread.

    In memory only: after a restart of the owner each of them is heard of again within its `every`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Schedule] = {}

    def sign(self, id: str, where: str, reviews: tuple[str, ...], every: float) -> None:
        """This schedule lives now."""
        with self._lock:
            now = self._clock()
            before = self._known.get(id)
            began = before.began if before else now
            self._known[id] = Schedule(id, where, reviews, every, began, now)
            self._forget(now)

    def _forget(self, now: float) -> None:
        silent = [
            id for id, one in self._known.items() if now - one.seen > SIGNS_MISSED * one.every
        ]
        for id in silent:
            del self._known[id]

    def doubled(self) -> list[Schedule]:
        """Those that serve a review which another serves too, in the order they began."""
        with self._lock:
            self._forget(self._clock())
            known = sorted(self._known.values(), key=lambda one: one.began)
        return [
            one for one in known if any(one is not other and one.meets(other) for other in known)
        ]


# seconds: a decision is committed within 10 ms, a page of records within a second, and who waits
# for longer than a minute gives up
WAIT_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class WriterLoad:
    """How busy a writer is.

    Attributes:
        writer: Its name.
        waiting: Jobs that wait for it now.
        in_hand: Seconds since it took what it has in hand; 0: it rests.
        buckets: How many jobs have waited at most so many seconds, for each of WAIT_BOUNDS.
        waited: How many jobs it has taken.
        seconds: For how long they waited, all together.
    """

    writer: str
    waiting: int
    in_hand: float
    buckets: tuple[int, ...]
    waited: int
    seconds: float


class Waits:
    """For how long the jobs of a writer waited, counted. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(WAIT_BOUNDS) + 1)
        self._seconds = 0.0

    def note(self, seconds: float) -> None:
        """A job was taken after it had waited so long."""
        with self._lock:
            self._counts[bisect_left(WAIT_BOUNDS, seconds)] += 1
            self._seconds += seconds

    def load(self, writer: str, waiting: int, in_hand: float) -> WriterLoad:
        """What was counted, together with how the writer stands now."""
        with self._lock:
            counts, seconds = list(self._counts), self._seconds
        sums = tuple(accumulate(counts))
        return WriterLoad(writer, waiting, in_hand, sums[:-1], sums[-1], seconds)


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What a process said when it was last heard of; `ok` is its own word."""

    process: str
    words: str
    ok: bool
    seen: datetime


def save_sign(con: Connection, sign: SignOfLife) -> None:
    """Keep this sign of life in place of the one before."""
    con.execute(
        """INSERT INTO sign_of_life (process, words, ok, seen) VALUES (?, ?, ?, ?)
        ON CONFLICT (process) DO UPDATE SET words = excluded.words, ok = excluded.ok, seen = excluded.seen""",
        [sign.process, sign.words, sign.ok, sign.seen],
    )


def last_sign(con: Connection, process: str) -> SignOfLife | None:
    """The last sign of life of this process, or None if it never gave one."""
    rows = con.execute(
        "SELECT process, words, ok, seen FROM sign_of_life WHERE process = ?", [process]
    ).fetchall()
    return SignOfLife(*rows[0]) if rows else None


def birth(con: Connection) -> datetime:
    """When this database began."""
    found: datetime = con.execute("SELECT made FROM birth").fetchall()[0][0]
    return found
