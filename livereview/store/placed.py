"""What each place of the published folder shows: noted when it changes, to know it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import Row, by_review

LATEST = "latest"
FRONT = ("", "front")  # (review, place) of the front page over all reviews


@dataclass(frozen=True, slots=True)
class Placed:
    """A place shows files of this digest; `standing` is False for a tombstone or a notice."""

    digest: str
    standing: bool


def place_of(number: int) -> str:
    """The place of a numbered version."""
    return f"v/{number}"


def note(
    con: Connection, review: str, place: str, digest: str, standing: bool, now: datetime
) -> bool:
    """Write what a place shows from now on; False where that is what it showed before."""
    last = con.execute(
        "SELECT digest, standing FROM placed WHERE review = ? AND place = ? ORDER BY seq DESC LIMIT 1",
        [review, place],
    ).fetchall()
    if last == [(digest, standing)]:
        return False
    con.execute(
        "INSERT INTO placed (review, place, digest, standing, made) VALUES (?, ?, ?, ?, ?)",
        [review, place, digest, standing, now],
    )
    return True


def all_of(con: Connection, review: str) -> dict[str, list[Placed]]:
    """All that each place of a review ever showed, oldest first."""
    return each(con, [review])[review]


def each(con: Connection, reviews: Sequence[str]) -> dict[str, dict[str, list[Placed]]]:
    """`all_of` each of these reviews."""
    rows = by_review(
        con,
        """SELECT review, place, digest, standing FROM placed
        WHERE review IN (SELECT unnest($reviews::VARCHAR[])) ORDER BY seq""",
        reviews,
    )
    return {review: _by_place(found) for review, found in rows.items()}


def _by_place(rows: Sequence[Row]) -> dict[str, list[Placed]]:
    places: dict[str, list[Placed]] = {}
    for place, digest, standing in rows:
        places.setdefault(place, []).append(Placed(digest, standing))
    return places


def newest_event(con: Connection) -> int:
    """The number of the last event that the front page tells of."""
    rows = con.execute(
        """SELECT coalesce(max(seq), 0) FROM (
            SELECT max(seq) AS seq FROM version UNION ALL SELECT max(seq) FROM withdrawal)"""
    ).fetchall()
    return int(rows[0][0])


def front(con: Connection) -> str | None:
    """The digest of the front page.

    None where events came since that it must tell of, or it was never made.
    """
    rows = con.execute(
        """SELECT arg_max(digest, seq) FROM placed WHERE review = ? AND place = ? HAVING max(seq) > ?""",
        [*FRONT, newest_event(con)],
    ).fetchall()
    return str(rows[0][0]) if rows else None


def note_front(con: Connection, digest: str, upto: int, now: datetime) -> None:
    """Write that the front page tells of everything up to event `upto`.

    Not where others came since.
    """
    if newest_event(con) == upto and front(con) != digest:
        con.execute(
            "INSERT INTO placed (review, place, digest, standing, made) VALUES (?, ?, ?, true, ?)",
            [*FRONT, digest, now],
        )


Numbers = list[tuple[int, bool]]


def numbers(con: Connection, review: str) -> Numbers:
    """(number, whether it is withdrawn) of each version, oldest first; without their texts."""
    return published(con).get(review, [])


def published(con: Connection) -> dict[str, Numbers]:
    """`numbers` of every review that has a version."""
    rows = con.execute(
        """SELECT v.review, v.number, w.version IS NOT NULL FROM version v
        LEFT JOIN withdrawn w ON w.review = v.review AND w.version = v.number ORDER BY v.review, v.number"""
    ).fetchall()
    reviews: dict[str, Numbers] = {}
    for review, number, withdrawn in rows:
        reviews.setdefault(review, []).append((number, withdrawn))
    return reviews
