"""What was sent to whom: addresses for digests, and each attempt to tell a webhook of a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver a version to an address; `outcome` ok, retry or gone."""

    version: int
    url: str
    attempt: int
    outcome: str
    status: int | None
    error: str | None
    seconds: float | None
    made: datetime


def attempts(con: Connection, review: str) -> list[Attempt]:
    """Every attempt of a review, oldest first."""
    rows = con.execute(
        """SELECT version, url, attempt, outcome, status, error, seconds, made FROM delivery WHERE review = ?
        ORDER BY seq""",
        [review],
    ).fetchall()
    return [Attempt(*row) for row in rows]


def note(con: Connection, review: str, one: Attempt) -> None:
    con.execute(
        """INSERT INTO delivery (review, version, url, attempt, outcome, status, error, seconds, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [review, one.version, one.url, one.attempt, one.outcome, one.status, one.error, one.seconds, one.made],
    )
