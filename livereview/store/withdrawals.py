"""Published versions that a lead withdrew, and those that were taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import any_row


@dataclass(frozen=True, slots=True)
class Act:
    """A version was withdrawn, or (`withdraws` false) stands again."""

    id: str
    version: int
    withdraws: bool
    author: str
    reason: str
    made: datetime


def append(con: Connection, review: str, act: Act) -> bool:
    """Write the act; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO withdrawal (id, review, version, withdraws, author, reason, made) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [act.id, review, act.version, act.withdraws, act.author, act.reason, act.made],
    ).fetchall()
    return bool(rows)


def known(con: Connection, id: str) -> bool:
    return any_row(con, "SELECT 1 FROM withdrawal WHERE id = ?", [id])


def acts(con: Connection, review: str) -> list[Act]:
    """Everything that was withdrawn or taken back, oldest first."""
    rows = con.execute(
        "SELECT id, version, withdraws, author, reason, made FROM withdrawal WHERE review = ? ORDER BY seq",
        [review],
    ).fetchall()
    return [Act(*row) for row in rows]


def in_force(con: Connection, review: str) -> dict[int, Act]:
    """The versions that are withdrawn now, each with its last act."""
    rows = con.execute(
        "SELECT id, version, true, author, reason, made FROM withdrawn WHERE review = ? ORDER BY version",
        [review],
    ).fetchall()
    return {row[1]: Act(*row) for row in rows}
