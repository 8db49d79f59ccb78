"""What a monitoring system counts: how searches end, how they stand, and how many reports wait.

One question each for all reviews, so that a look is cheap however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.writer import Connection
from livereview.surveillance.clock import TOLERANCE


@dataclass(frozen=True, slots=True)
class SearchState:
    """Where a search that ever began stands.

    Attributes:
        success: When it last ran through, with a clock that was not ahead; None: never.
        begun: When its last attempt began.
        failures: Attempts in a row, the newest ones, that did not run through.
        running: Whether the last attempt has not ended.
    """

    review: str
    name: str
    success: datetime | None
    begun: datetime
    failures: int
    running: bool


def search_states(con: Connection, now: datetime) -> list[SearchState]:
    """Every search of every review; look-ups and files that were brought are none.

    Args:
        con: A connection.
        now: A success that claims a later time than this, by more than clocks differ, is none.
    """
    rows = con.execute(
        """WITH nightly AS (
            SELECT review, name, seq, made, outcome FROM attempt WHERE coalesce(kind, 'search') IN ('search', 'sweep')
        ), through AS (
            SELECT review, name, max(seq) AS seq, arg_max(window_end, seq) AS until FROM genuine_success
            WHERE coalesce(kind, 'search') IN ('search', 'sweep') AND window_end <= $latest GROUP BY review, name
        )
        SELECT n.review, n.name, any_value(t.until), arg_max(n.made, n.seq),
            count(*) FILTER (WHERE n.outcome IN ('failed', 'partial') AND n.seq > coalesce(t.seq, 0)),
            arg_max(n.outcome, n.seq) = 'running'
        FROM nightly n LEFT JOIN through t USING (review, name) GROUP BY n.review, n.name ORDER BY n.review, n.name""",
        {"latest": now + TOLERANCE},
    ).fetchall()
    return [SearchState(*row) for row in rows]


def endings(con: Connection) -> list[tuple[str, str, int]]:
    """(source, outcome, how many attempts of it ever ended so)."""
    return con.execute(
        """SELECT s.source, e.outcome, count(*) FROM search_end e JOIN search s USING (search)
        GROUP BY s.source, e.outcome ORDER BY s.source, e.outcome"""
    ).fetchall()


def waiting(con: Connection) -> list[tuple[str, str, int]]:
    """(review, stage, how many reports wait there for people).

    One that lacks a vote, one that nobody has seen and one that reviewers differ on all count the
    same, so that the number tells nothing of anybody's vote.
    """
    return con.execute(
        """SELECT s.review, s.stage, count(*) FROM screening_state s
        ANTI JOIN left_unread u ON u.review = s.review AND u.report_id = s.report_id
        WHERE s.state IN ('open', 'half', 'conflict') GROUP BY s.review, s.stage
        UNION ALL SELECT review, 'extraction', count(*) FROM to_extract GROUP BY review ORDER BY ALL"""
    ).fetchall()
