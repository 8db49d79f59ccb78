"""How often somebody may try, by the network that they come from: noise is held up, and a right
secret never is.

Secrets are long and random, so guessing is hopeless however often one may try. The limits are there
for load and for noise, and each is made so that a neighbour behind the same address is not shut out
by it.
All of it is in memory and bounded: a restart forgives, and nobody fills the memory with addresses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from livereview.errors import Retry

T = TypeVar("T")
TRIES = 10  # wrong sign-ins of a network in WITHIN that are answered as such; then 429
WITHIN = timedelta(minutes=15)
MOST_NETWORKS = 10_000  # that are kept in memory: the least recently heard of are forgotten first
AT_ONCE = 4  # secrets that are looked up side by side; each takes milliseconds
MOST_WAITING = 1_000  # tries in the line before it is said to come back: some seconds of work
# pages that compute for seconds: more would share one interpreter with everybody's decisions
LONG_AT_ONCE = 2
LONG_WAITING = 20
LONG_EACH = 3  # of one person: a button that was pressed again, and two other tabs
V6_SITE, V6_WIDE = 64, 48  # what one customer has of IPv6 at least, and often
V4_WIDE = 24


def network_of(address: str, v4: int = 32, v6: int = V6_SITE) -> str:
    """Whom a limit counts together: an IPv4 address, or the /64 of an IPv6 one, as each device
    there has many.
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    known = mapped or known
    prefix = v4 if known.version == 4 else v6
    return str(ipaddress.ip_network((known, prefix), strict=False))


def wide_network_of(address: str) -> str:
    """The neighbourhood of an address: what one who has many addresses has them from."""
    return network_of(address, V4_WIDE, V6_WIDE)


@dataclass(slots=True)
class Recent:
    """When each key was last heard of: at most `most` times each, none older than `within`, of so
    many keys.
    """

    within: timedelta
    most_keys: int = MOST_NETWORKS
    _times: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self._times)

    def take(self, key: str, now: datetime, most: int) -> int:
        """Count one more where fewer than `most` are; 0, or the seconds until there is room again."""
        with self._lock:
            times = self._fresh(key, now)
            if len(times) >= most:
                return max(1, math.ceil((times[0] + self.within - now).total_seconds()))
            times.append(now)
            self._times[key] = times
            self._times.move_to_end(key)
            while len(self._times) > self.most_keys:
                self._times.popitem(last=False)
            return 0

    def give_back(self, key: str, now: datetime) -> None:
        """The last one taken came to nothing."""
        with self._lock:
            times = self._fresh(key, now)
            if times:
                times.pop()
            if not times:
                self._times.pop(key, None)

    def count(self, key: str, now: datetime) -> int:
        """How many there are."""
        with self._lock:
            return len(self._fresh(key, now))

    def _fresh(self, key: str, now: datetime) -> deque[datetime]:
        times = self._times.get(key, deque())
        while times and now - times[0] >= self.within:
            times.popleft()
        return times


class Line:
    """Work that waits its turn: a few pieces are done side by side, the others wait without holding
    a thread.

    The threads are its own, so that whatever stands in the line, the pages of others have all of
    theirs.

    Args:
        at_once: How many pieces are done side by side.
        most_waiting: How many may wait beside these.
        most_each: How many of one person's may be in the line; None: as many as fit.
        full: What is said to who comes when there is no room.
    """

    def __init__(
        self,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
        most_each: int | None = None,
        full: str = "Very many people sign in at this moment. Try again in a few seconds.",
    ):
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="line")
        self._most = at_once + most_waiting
        self._most_each = most_each or self._most
        self._full = full
        self._in_line: Counter[str] = Counter()
        self._lock = threading.Lock()

    async def turn(self, work: Callable[[], T], person: str = "") -> T:
        """What `work` gives, in the order of arrival; raises Retry where too many wait already."""
        with self._lock:
            if self._in_line.total() >= self._most or self._in_line[person] >= self._most_each:
                raise Retry(self._full)
            self._in_line[person] += 1
        task = self._pool.submit(work)
        task.add_done_callback(lambda _: self._leave(person))
        return await asyncio.wrap_future(task)

    def _leave(self, person: str) -> None:
        with self._lock:
            self._in_line[person] -= 1
            if not self._in_line[person]:
                del self._in_line[person]


def long_tasks() -> Line:
    """The line of pages that compute for seconds where a review is large, such as exports."""
    return Line(
        at_once=LONG_AT_ONCE,
        most_waiting=LONG_WAITING,
        most_each=LONG_EACH,
        full="This is being made for you or for others already. Wait for it, or try again in a minute.",
    )


# The public forms: suggestions and comments

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
EACH_A_DAY = 20  # of one network
WIDE_QUIET_A_DAY = 20  # of a neighbourhood; what comes after is kept, but does not crowd out others
WIDE_A_DAY = 200  # of a neighbourhood, which leaves most of a review's day to others


@dataclass(slots=True)
class Senders:
    """Who sent what through the public forms, lately."""

    hour: Recent = field(default_factory=lambda: Recent(AN_HOUR))
    day: Recent = field(default_factory=lambda: Recent(A_DAY))
    wide: Recent = field(default_factory=lambda: Recent(A_DAY))

    def take(self, form: str, address: str, now: datetime, an_hour: int) -> int:
        """Count one more from this address; 0, or the seconds until more is taken from there."""
        narrow, wide = f"{form} {network_of(address)}", f"{form} {wide_network_of(address)}"
        limits = (
            (self.hour, narrow, an_hour),
            (self.day, narrow, EACH_A_DAY),
            (self.wide, wide, WIDE_A_DAY),
        )
        taken: list[tuple[Recent, str]] = []
        for recent, key, most in limits:
            wait = recent.take(key, now, most)
            if wait:
                for earlier, earlier_key in taken:
                    earlier.give_back(earlier_key, now)
                return wait
            taken.append((recent, key))
        return 0

    def give_back(self, form: str, address: str, now: datetime) -> None:
        """What was taken last from this address was refused: they are still writing."""
        narrow, wide = f"{form} {network_of(address)}", f"{form} {wide_network_of(address)}"
        self.hour.give_back(narrow, now)
        self.day.give_back(narrow, now)
        self.wide.give_back(wide, now)

    def noisy(self, form: str, address: str, now: datetime) -> bool:
        """Whether more came from this neighbourhood today than a few readers send."""
        return self.wide.count(f"{form} {wide_network_of(address)}", now) > WIDE_QUIET_A_DAY
