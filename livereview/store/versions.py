"""Published versions, and the outbox that asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a review's summary; `upto` is the last event it could know of."""

    number: int
    upto: int
    content_hash: str
    change: str
    cause: str
    signed_by: str | None
    summary: str
    moment: datetime
    made: datetime


def ask(con: Connection, review: str, cause: str, now: datetime) -> None:
    """Ask for a rebuild, in the transaction of the event that needs it."""
    con.execute("INSERT INTO outbox (review, cause, made) VALUES (?, ?, ?)", [review, cause, now])


def asked(con: Connection, review: str) -> tuple[int, str] | None:
    """(last sequence asked for, its cause) if no build has seen it yet; else None."""
    row = con.execute(
        """SELECT max(o.seq), arg_max(o.cause, o.seq) FROM outbox o
        WHERE o.review = ? AND o.seq > coalesce((SELECT max(upto) FROM built WHERE review = ? AND problem IS NULL), 0)""",
        [review, review],
    ).fetchone()
    return (row[0], row[1]) if row and row[0] is not None else None


def answered(con: Connection, review: str, upto: int, problem: str | None, now: datetime) -> None:
    """Write that a build has seen everything up to this sequence, or why it failed."""
    con.execute("INSERT INTO built (review, upto, problem, made) VALUES (?, ?, ?, ?)", [review, upto, problem, now])


def last_problem(con: Connection, review: str) -> str | None:
    """Why the last build failed; None if it did not."""
    row = con.execute("SELECT problem FROM built WHERE review = ? ORDER BY seq DESC LIMIT 1", [review]).fetchone()
    return row[0] if row else None


def latest_sequence(con: Connection, review: str) -> tuple[int, datetime | None]:
    """(highest sequence, its time) of all events that this review's summary is made from."""
    row = con.execute(
        """SELECT coalesce(max(seq), 0), max(made) FROM (
            SELECT seq, made FROM protocol WHERE review = ?
            UNION ALL SELECT e.seq, e.made FROM search_end e JOIN search s USING (search) WHERE s.review = ?
            UNION ALL SELECT seq, made FROM hit WHERE review = ?
            UNION ALL SELECT m.seq, m.made FROM match m
                WHERE EXISTS (SELECT 1 FROM hit h WHERE h.review = ? AND h.record_id = m.left_id)
            UNION ALL SELECT seq, made FROM decision WHERE review = ?
            UNION ALL SELECT seq, made FROM study WHERE review = ?
            UNION ALL SELECT seq, made FROM extraction WHERE review = ?)""",
        [review] * 7,
    ).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def all_of(con: Connection, review: str) -> list[Version]:
    """The versions of a review, oldest first."""
    rows = con.execute(
        """SELECT number, upto, content_hash, change, cause, signed_by, summary, moment, made FROM version
        WHERE review = ? ORDER BY number""",
        [review],
    ).fetchall()
    return [Version(*row) for row in rows]


def append(con: Connection, review: str, v: Version) -> None:
    con.execute(
        """INSERT INTO version (review, number, upto, content_hash, change, cause, signed_by, summary, moment, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (review, number) DO NOTHING""",
        [review, v.number, v.upto, v.content_hash, v.change, v.cause, v.signed_by, v.summary, v.moment, v.made],
    )
