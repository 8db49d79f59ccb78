"""Files of records that are being taken in, in the background: pages go on meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from livereview.ops.brought import Brought, take
from livereview.store.open import Store

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]


@dataclass(slots=True)
class Takings:
    """Files that are being taken in, one after another, while pages go on."""

    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="taking in")
    )
    _running: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def runs(self, id: str) -> bool:
        """Whether this import is being taken in."""
        with self._lock:
            return id in self._running

    def begin(
        self, store: Store, home: Path, clock: Clock, brought: Brought, *, grey: bool
    ) -> None:
        """Take in what waits of this import; nothing where that has begun."""
        with self._lock:
            if brought.id in self._running:
                return
            self._running.add(brought.id)
        self._pool.submit(self._take, store, home, clock, brought, grey)

    def _take(self, store: Store, home: Path, clock: Clock, brought: Brought, grey: bool) -> None:
        try:
            for number, file in enumerate(brought.files):
                if file.state == "waiting":
                    brought = take(store, home, brought, number, grey=grey, now=clock())
        except Exception:  # the page shows where it stopped, and offers to go on
            log.exception("an import of %s stopped", brought.review)
        finally:
            with self._lock:
                self._running.discard(brought.id)
