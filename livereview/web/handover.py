"""Secrets on their way from the server to the lead who asked for them: shown once, and forgotten."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

KEPT = timedelta(minutes=10)  # a page that is not fetched by then never will be


@dataclass(frozen=True, slots=True)
class Handed:
    """A secret for somebody: what they sign in with, or the address that is theirs alone.

    Attributes:
        name: Whose it is.
        secret: The secret, or the address that holds it.
        mailed: Where it was mailed to, too.
        problem: Why it could not be mailed.
    """

    name: str
    secret: str = field(repr=False)
    mailed: str | None = None
    problem: str | None = None


@dataclass(slots=True)
class Handover:
    """In memory only: by the session that asked and the page that will show it.

    A restart forgets.
    """

    _waiting: dict[str, tuple[Handed, datetime]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def leave(self, session: str, page: str, handed: Handed, now: datetime) -> None:
        """Keep it until this session's next look at that page."""
        with self._lock:
            self._waiting = {
                key: kept for key, kept in self._waiting.items() if now - kept[1] < KEPT
            }
            self._waiting[_key(session, page)] = (handed, now)

    def take(self, session: str, page: str, now: datetime) -> Handed | None:
        """What waits there, this once; None where nothing does."""
        with self._lock:
            kept = self._waiting.pop(_key(session, page), None)
        if kept is None or now - kept[1] >= KEPT:
            return None
        return kept[0]


def _key(session: str, page: str) -> str:
    return hashlib.sha256(f"{session} {page}".encode()).hexdigest()
