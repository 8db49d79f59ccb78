"""A limit on how long one look into the database may take: DuckDB has none of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from livereview.store.writer import Connection

LOOKS = 0.5  # seconds between two looks at the clock


class Watch:
    """Interrupts the connections that are over their time.

    Whoever asked gets duckdb.InterruptException.
    """

    def __init__(self) -> None:
        self._until: dict[int, tuple[float, Connection]] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    @contextmanager
    def over(self, con: Connection, seconds: float) -> Iterator[None]:
        """Let nothing that is asked of this connection run past so many seconds from now."""
        with self._lock:
            self._until[id(con)] = time.monotonic() + seconds, con
        try:
            yield
        finally:
            with self._lock:
                del self._until[id(con)]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOKS):
            with self._lock:  # a connection that is closed has left before
                for until, con in self._until.values():
                    if time.monotonic() > until:
                        con.interrupt()
