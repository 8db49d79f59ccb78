"""The votes that a person who votes may not see: removed within a transaction that is rolled back.

What is computed from the database afterwards tells nothing of them, whatever computes it.
"""

from __future__ import annotations

from livereview.screening.blindness import TAKES_VOTES
from livereview.store import standings
from livereview.store.open import Connection


def votes(con: Connection, review: str, eyes: str) -> list[tuple[int, str]]:
    """(number, record) of what others said, at its stage, on any report of the review that takes
    votes, as `screening.blindness.visible` has it; with what was taken back.

    Args:
        con: A connection.
        review: The review.
        eyes: Who looks, and votes in it.
    """
    return con.execute(
        """SELECT d.seq, d.record_id FROM decision d LEFT JOIN report p ON p.record_id = d.record_id
        JOIN screening_state s ON s.review = d.review
            AND s.report_id = coalesce(p.report_id, d.record_id) AND s.stage = d.stage
        WHERE d.review = ? AND d.reviewer <> ? AND list_contains(?::VARCHAR[], s.state)""",
        [review, eyes, list(TAKES_VOTES)],
    ).fetchall()


def remove(con: Connection, review: str, eyes: str) -> None:
    """Let these never have been said. Decisions are never removed: the transaction must be rolled
    back.
    """
    hidden = votes(con, review, eyes)
    if not hidden:
        return
    numbers = [number for number, _ in hidden]
    con.execute("DELETE FROM decision WHERE seq IN (SELECT unnest(?::BIGINT[]))", [numbers])
    standings.refresh(con, {record for _, record in hidden})
