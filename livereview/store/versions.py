"""Published versions, and the outbox that asks for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from livereview.store.open import Connection
from livereview.store.rows import by_review, one_row


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


@dataclass(frozen=True, slots=True)
class Held:
    """What of a build is not signed: the hash that a name is put under, its class, and each reason
    to wait.

    Attributes:
        since: When the oldest of what waits began to.
        whole: Nothing of the build is public until then; else only the findings that change wait.
        waits: Since when each of them waits: findings by id, and what holds the whole page.
    """

    content_hash: str
    change: str
    reasons: list[dict[str, Any]]
    cause: str
    since: str
    whole: bool = False
    waits: dict[str, str] = field(default_factory=dict)


def ask(con: Connection, review: str, cause: str, now: datetime) -> None:
    """Ask for a rebuild, in the transaction of the event that needs it."""
    con.execute("INSERT INTO outbox (review, cause, made) VALUES (?, ?, ?)", [review, cause, now])


@dataclass(frozen=True, slots=True)
class Asked:
    """What no build of a review has answered yet.

    Attributes:
        last: The number of the last request.
        cause: What it was made for.
        since: When the first of them was made.
    """

    last: int
    cause: str
    since: datetime


def asked(con: Connection) -> dict[str, Asked]:
    """The reviews that wait for a build."""
    rows = con.execute(
        """WITH seen AS (SELECT review, max(upto) AS upto FROM built WHERE problem IS NULL GROUP BY review)
        SELECT o.review, max(o.seq), arg_max(o.cause, o.seq), min(o.made) FROM outbox o
        LEFT JOIN seen s ON s.review = o.review
        WHERE o.seq > coalesce(s.upto, 0) GROUP BY o.review ORDER BY o.review"""
    ).fetchall()
    return {review: Asked(*row) for review, *row in rows}


def answered(
    con: Connection,
    review: str,
    upto: int,
    problem: str | None,
    now: datetime,
    held: Held | None = None,
) -> None:
    """Write that a build has seen everything up to this sequence, why it failed, or what it holds
    back.
    """
    text = json.dumps(asdict(held), ensure_ascii=False) if held else None
    con.execute(
        "INSERT INTO built (review, upto, problem, made, held) VALUES (?, ?, ?, ?, ?)",
        [review, upto, problem, now, text],
    )


def held(con: Connection, review: str) -> Held | None:
    """The changed conclusion that waits for a name; None if none does."""
    return built(con, [review])[review].held


@dataclass(frozen=True, slots=True)
class Built:
    """How the last builds of a review went.

    Attributes:
        problem: Why the very last one failed; None if it did not.
        held: What the last one that went well holds back; None if it holds nothing.
    """

    problem: str | None = None
    held: Held | None = None


def built(con: Connection, reviews: Sequence[str]) -> dict[str, Built]:
    """How the last builds of each of these reviews went."""
    rows = by_review(
        con,
        """SELECT review, arg_max(coalesce(problem, ''), seq), arg_max(coalesce(held, ''), seq) FILTER (WHERE problem IS NULL)
        FROM built WHERE review IN (SELECT unnest($reviews::VARCHAR[])) GROUP BY review""",
        reviews,
    )
    return {review: _built(*found[0]) if found else Built() for review, found in rows.items()}


def _built(problem: str, held: str | None) -> Built:
    return Built(problem or None, Held(**json.loads(held)) if held else None)


def sign(
    con: Connection,
    id: str,
    review: str,
    content_hash: str,
    author: str,
    note: str | None,
    now: datetime,
) -> bool:
    """Put a name under this content; False if this very signature is known already."""
    rows = con.execute(
        """INSERT INTO sign_off (id, review, content_hash, author, note, made) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [id, review, content_hash, author, note, now],
    ).fetchall()
    return bool(rows)


@dataclass(frozen=True, slots=True)
class Opening:
    """A lead let the review be public: who, and when."""

    author: str
    made: datetime


def open_to_public(
    con: Connection, id: str, review: str, author: str, note: str | None, now: datetime
) -> bool:
    """Write that a lead opened the review; False if this very act is known already."""
    rows = con.execute(
        """INSERT INTO opening (id, review, author, note, made) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [id, review, author, note, now],
    ).fetchall()
    return bool(rows)


def opening(con: Connection, review: str) -> Opening | None:
    """Who opened the review first; None while nobody has."""
    rows = con.execute(
        "SELECT author, made FROM opening WHERE review = ? ORDER BY seq LIMIT 1", [review]
    ).fetchall()
    return Opening(*rows[0]) if rows else None


def opened(con: Connection, reviews: Sequence[str]) -> set[str]:
    """Those of the reviews that a lead opened."""
    rows = con.execute(
        "SELECT DISTINCT review FROM opening WHERE review IN (SELECT unnest(?::VARCHAR[]))",
        [list(reviews)],
    ).fetchall()
    return {row[0] for row in rows}


def signatures(con: Connection, review: str) -> list[tuple[str, str, int]]:
    """(hash of what was signed, author, number of the event) of each signature, oldest first."""
    return con.execute(
        "SELECT content_hash, author, seq FROM sign_off WHERE review = ? ORDER BY seq", [review]
    ).fetchall()


def latest(con: Connection, review: str) -> datetime | None:
    """The time of the last event that this review's summary is made from."""
    row = one_row(
        con,
        """SELECT max(made) FROM (
            SELECT made FROM protocol WHERE review = $review
            UNION ALL SELECT e.made FROM search_end e JOIN search s USING (search) WHERE s.review = $review
            UNION ALL SELECT made FROM hit WHERE review = $review
            UNION ALL SELECT made FROM import_back WHERE review = $review
            UNION ALL SELECT m.made FROM match m
                WHERE EXISTS (SELECT 1 FROM hit h WHERE h.review = $review AND h.record_id = m.left_id)
            UNION ALL SELECT made FROM decision WHERE review = $review
            UNION ALL SELECT made FROM reopening WHERE review = $review
            UNION ALL SELECT made FROM cancelled WHERE review = $review
            UNION ALL SELECT made FROM study WHERE review = $review
            UNION ALL SELECT made FROM extraction WHERE review = $review
            UNION ALL SELECT made FROM rating WHERE review = $review
            UNION ALL SELECT made FROM stopping WHERE review = $review
            UNION ALL SELECT o.made FROM retirement_outcome o JOIN retirement_proposal p ON p.id = o.proposal
                WHERE p.review = $review AND o.carried
            UNION ALL SELECT made FROM withdrawal WHERE review = $review
            UNION ALL SELECT made FROM opening WHERE review = $review
            UNION ALL SELECT made FROM sign_off WHERE review = $review)""",
        {"review": review},
    )
    return row[0] if row else None


def all_of(con: Connection, review: str) -> list[Version]:
    """The versions of a review, oldest first."""
    rows = con.execute(
        """SELECT number, upto, content_hash, change, cause, signed_by, summary, moment, made FROM version
        WHERE review = ? ORDER BY number""",
        [review],
    ).fetchall()
    return [Version(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Listed:
    """A published version without its text."""

    number: int
    change: str
    cause: str
    signed_by: str | None
    made: datetime
    content_hash: str


def listed(con: Connection, review: str) -> list[Listed]:
    """The versions of a review without their texts, newest first."""
    rows = con.execute(
        """SELECT number, change, cause, signed_by, made, content_hash FROM version
        WHERE review = ? ORDER BY number DESC""",
        [review],
    ).fetchall()
    return [Listed(*row) for row in rows]


def newest(con: Connection, review: str) -> Version | None:
    """The last version of a review; None before the first."""
    rows = con.execute(
        """SELECT number, upto, content_hash, change, cause, signed_by, summary, moment, made FROM version
        WHERE review = ? ORDER BY number DESC LIMIT 1""",
        [review],
    ).fetchall()
    return Version(*rows[0]) if rows else None


@dataclass(frozen=True, slots=True)
class Head:
    """The newest version of a review, without its text."""

    number: int
    change: str
    made: datetime


def heads(con: Connection, reviews: Sequence[str]) -> dict[str, Head]:
    """The newest version of each of these reviews that has one."""
    rows = by_review(
        con,
        """SELECT review, max(number), arg_max(change, number), arg_max(made, number) FROM version
        WHERE review IN (SELECT unnest($reviews::VARCHAR[])) GROUP BY review""",
        reviews,
    )
    return {review: Head(*found[0]) for review, found in rows.items() if found}


def append(con: Connection, review: str, v: Version) -> None:
    con.execute(
        """INSERT INTO version (review, number, upto, content_hash, change, cause, signed_by, summary, moment, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (review, number) DO NOTHING""",
        [
            review,
            v.number,
            v.upto,
            v.content_hash,
            v.change,
            v.cause,
            v.signed_by,
            v.summary,
            v.moment,
            v.made,
        ],
    )
