"""Secrets on their way from the server to the lead who asked for them: shown once, and forgotten."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

KEPT = timedelta(minutes=10)  # a page that is not fetched by then never will be


@dataclass(slots=True)
class Handover:
    """In memory only: by the session that asked and the review that it was asked in. A restart forgets."""

    _waiting: dict[str, tuple[str, str, datetime]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def leave(self, session: str, review: str, name: str, secret: str, now: datetime) -> None:
        """Keep the secret of `name` until this session's next look."""
        with self._lock:
            self._waiting = {key: kept for key, kept in self._waiting.items() if now - kept[2] < KEPT}
            self._waiting[_key(session, review)] = (name, secret, now)

    def take(self, session: str, review: str, now: datetime) -> tuple[str, str] | None:
        """(name, secret), this once; None where none waits."""
        with self._lock:
            name, secret, left = self._waiting.pop(_key(session, review), ("", "", now - KEPT))
        return (name, secret) if now - left < KEPT else None


def _key(session: str, review: str) -> str:
    return hashlib.sha256(f"{session} {review}".encode()).hexdigest()
