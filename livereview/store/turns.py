"""Turns of the requests that read: a few at a time.

Python runs one thread at a time. Where forty pages are worked out together, a writer gets the
interpreter back after each of a decision's thirty questions only when all forty had it: people then
wait a second for what takes ten milliseconds. So as many short reads go on together as keep the
cores busy, and the others wait for their turn. Nobody waits long: it is a matter of order, and a
read that takes seconds must not hold up the others.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LONGEST = 1.0  # seconds that a read waits for its turn; then it begins without

IS_SHORT: ContextVar[bool] = ContextVar("is_short", default=False)
"""Whether what goes on is a request whose answer takes a moment; nights, builds and exports, which
take as long as they take, are none."""


class Turns:
    """Lets so many short reads go on together.

    Args:
        at_once: How many.
        longest: Seconds that one waits at most.
    """

    def __init__(self, at_once: int, longest: float = LONGEST):
        self._free = threading.BoundedSemaphore(at_once)
        self._longest = longest
        self._mine = threading.local()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn of this thread, which may have one already; at once for what is not short."""
        has_one = getattr(self._mine, "has_one", False)
        if has_one or not IS_SHORT.get() or not self._free.acquire(timeout=self._longest):
            yield
            return
        self._mine.has_one = True
        try:
            yield
        finally:
            self._mine.has_one = False
            self._free.release()
