"""What was sent to whom: each attempt to tell a webhook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to tell an address; `outcome` ok, retry or gone.

    `about` as in db/0019_told.sql.
    """

    version: int
    url: str
    attempt: int
    outcome: str
    status: int | None
    error: str | None
    seconds: float | None
    made: datetime
    about: str | None = None


def attempts(con: Connection, review: str) -> list[Attempt]:
    """Every attempt of a review, oldest first."""
    rows = con.execute(
        """SELECT version, url, attempt, outcome, status, error, seconds, made, about FROM delivery WHERE review = ?
        ORDER BY seq""",
        [review],
    ).fetchall()
    return [Attempt(*row) for row in rows]


def note(con: Connection, review: str, one: Attempt) -> None:
    con.execute(
        """INSERT INTO delivery (review, version, url, attempt, outcome, status, error, seconds, made, about)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            review,
            one.version,
            one.url,
            one.attempt,
            one.outcome,
            one.status,
            one.error,
            one.seconds,
            one.made,
            one.about,
        ],
    )
