"""Nights: who is at work on a search, nights that could not begin, and what was noted of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.store.rows import by_review
from livereview.store.writer import Connection
from livereview.surveillance.clock import Event


@dataclass(frozen=True, slots=True)
class Lease:
    """A search that runs, and the process that runs it.

    `renewed` is the owner's wall clock, never a replay's time.
    """

    search: str
    review: str
    name: str
    place: str | None
    pid: int | None
    started: str | None
    run: str | None
    renewed: datetime


@dataclass(frozen=True, slots=True)
class LostNight:
    """A night that did not begin: what was to run, why it did not, when it was due, and when that
    was written down.

    Attributes:
        begun_since: Names of the searches that began after it, whatever its clock said.
    """

    what: str
    reason: str
    due: datetime
    made: datetime
    begun_since: frozenset[str] = frozenset()


def take_lease(
    con: Connection,
    search: str,
    wall: datetime,
    *,
    place: str | None = None,
    pid: int | None = None,
    started: str | None = None,
    run: str | None = None,
) -> None:
    """Write down who runs a search; saying so again renews it."""
    con.execute(
        """INSERT INTO search_lease (search, place, pid, started, run, renewed) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (search) DO UPDATE SET renewed = excluded.renewed""",
        [search, place, pid, started, run, wall],
    )


def renew_lease(con: Connection, search: str, wall: datetime) -> None:
    """The process that runs this search lives."""
    con.execute("UPDATE search_lease SET renewed = ? WHERE search = ?", [wall, search])


def running(con: Connection) -> list[Lease]:
    """Every search without an end, of all reviews, with what is known of its process, in the order
    they began.
    """
    rows = con.execute(
        """SELECT s.search, s.review, s.name, l.place, l.pid, l.started, l.run, coalesce(l.renewed, s.made)
        FROM search s LEFT JOIN search_lease l ON l.search = s.search
        WHERE NOT EXISTS (SELECT 1 FROM search_end e WHERE e.search = s.search) ORDER BY s.seq"""
    ).fetchall()
    return [Lease(*row) for row in rows]


def events_near(con: Connection, review: str, now: datetime) -> list[Event]:
    """What was written for a review with a time after `now`, in the order of writing, after the
    last that was before it.

    The first is that last one before, where there is one; nothing: no event is ahead of `now`.
    """
    rows = con.execute(
        """WITH event AS (
            SELECT made, seq, 'the search ' || name || ' began' AS words FROM search
                WHERE review = $review AND coalesce(kind, 'search') IN ('search', 'sweep')
            UNION ALL SELECT made, seq, 'a protocol was put in force' FROM protocol WHERE review = $review
            UNION ALL SELECT made, seq, 'a decision was made' FROM decision WHERE review = $review
        ), last AS (SELECT max(seq) AS seq FROM event WHERE made <= $now)
        SELECT made, words FROM event WHERE seq >= coalesce((SELECT seq FROM last), 0)
        AND EXISTS (SELECT 1 FROM event WHERE made > $now) ORDER BY seq""",
        {"review": review, "now": now},
    ).fetchall()
    return [Event(*row) for row in rows]


def save_lost(con: Connection, id: str, review: str, night: LostNight) -> None:
    """Keep that a night did not begin; saying so again with the same id changes nothing."""
    con.execute(
        """INSERT INTO lost_night (id, review, what, reason, due, made) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, night.what, night.reason, night.due, night.made],
    )


def lost(con: Connection, review: str) -> list[LostNight]:
    """Every night of a review that did not begin, in the order they were written down."""
    return lost_of(con, [review])[review]


def lost_of(con: Connection, reviews: Sequence[str]) -> dict[str, list[LostNight]]:
    """`lost` of each of these reviews."""
    rows = by_review(
        con,
        """SELECT l.review, l.what, l.reason, l.due, l.made, list(DISTINCT s.name) FILTER (WHERE s.name IS NOT NULL)
        FROM lost_night l LEFT JOIN search s ON s.review = l.review AND coalesce(s.kind, 'search') <> 'import'
            AND (s.seq > l.seq OR (s.made > l.due AND l.made > l.due + INTERVAL 1 MINUTE)) -- that was told afterwards
        WHERE l.review IN (SELECT unnest($reviews::VARCHAR[]))
        GROUP BY l.review, l.what, l.reason, l.due, l.made, l.seq ORDER BY l.seq""",
        reviews,
    )
    return {review: [_lost(*row) for row in found] for review, found in rows.items()}


def _lost(
    what: str, reason: str, due: datetime, made: datetime, names: list[str] | None
) -> LostNight:
    return LostNight(what, reason, due, made, frozenset(names or ()))


def save_note(con: Connection, id: str, review: str, what: str, note: str, now: datetime) -> None:
    """Keep what happened in a night although nothing failed."""
    con.execute(
        """INSERT INTO night_note (id, review, what, note, made) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, what, note, now],
    )


def notes(con: Connection, review: str) -> list[tuple[str, str, datetime]]:
    """(what, note, when) of a review's nights, in order."""
    return con.execute(
        "SELECT what, note, made FROM night_note WHERE review = ? ORDER BY seq", [review]
    ).fetchall()


def save_digest(con: Connection, person: str, review: str, made: datetime) -> None:
    """A digest told this person of everything that had ended in this review by then."""
    con.execute(
        "INSERT INTO digest_made (person, review, made) VALUES (?, ?, ?)", [person, review, made]
    )


def last_digest(con: Connection, person: str, review: str, now: datetime) -> datetime | None:
    """When the last digest was made for this person about this review, no later than now.

    None: never.
    """
    rows = con.execute(
        "SELECT max(made) FROM digest_made WHERE person = ? AND review = ? AND made <= ?",
        [person, review, now],
    ).fetchall()
    last: datetime | None = rows[0][0]
    return last


def last_digests(con: Connection, person: str, now: datetime) -> dict[str, datetime]:
    """`last_digest` of this person about every review that they were ever told of."""
    rows = con.execute(
        "SELECT review, max(made) FROM digest_made WHERE person = ? AND made <= ? GROUP BY review",
        [person, now],
    ).fetchall()
    return dict(rows)
