"""The shares that a review's protocol gives to people, among those whose accounts are open.

Nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from livereview.review import Review
from livereview.screening.shares import SLOTS, Person, deal, lack
from livereview.store import voters
from livereview.store.open import Connection

VOTERS = voters.ROLES


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of a review: as the protocol has them, and `people` who are there to take them.

    Attributes:
        lack: Why they do not hold now, so that everybody is asked about everything; None: they
            hold.
    """

    named: tuple[tuple[str, float], ...]
    people: tuple[Person, ...]
    votes: int
    lack: str | None


@dataclass(frozen=True, slots=True)
class Load:
    """What one person's share means now: `counts` are (stage, reports there that are theirs, those
    they voted on).

    Attributes:
        open: Whether they have an account that votes; else their reports are others' now.
    """

    name: str
    share: float
    open: bool
    counts: tuple[tuple[str, int, int], ...]


def of(con: Connection, review: Review) -> Shares | None:
    """The shares of a review; None where its protocol has none."""
    if review.screening.shares:
        return among(review, voters.names(con, review.id))
    return None


def among(review: Review, there: Collection[str]) -> Shares | None:
    """The shares of a review in which these people vote; None where its protocol has none."""
    named, votes, core = review.screening.shares, review.screening.votes, review.screening.core
    if not named:
        return None
    people = tuple(
        sorted(Person(name, share, name in core) for name, share in named if name in there)
    )
    return Shares(named, people, votes, lack(people, votes, bool(core)))


def mine(con: Connection, review: Review, reviewer: str) -> bytes | None:
    """The slots of the reports that this person is asked about, as bits.

    None: about every report.
    """
    return slots_of(review, of(con, review), reviewer)


def slots_of(review: Review, held: Shares | None, reviewer: str) -> bytes | None:
    """The slots of the reports that these shares give to a person, as bits; None: every report."""
    if held is None or held.lack:
        return None
    return deal(review.id, held.people, held.votes).get(reviewer, bytes(SLOTS // 8))


def asked(con: Connection, review: Review, reviewer: str, report_ids: Sequence[str]) -> set[str]:
    """Those of the reports that this person is asked about."""
    rows = con.execute(
        "SELECT report_id FROM (SELECT unnest($ids::VARCHAR[]) AS report_id) WHERE in_share($share::BLOB, report_id)",
        {"ids": list(report_ids), "share": mine(con, review, reviewer)},
    ).fetchall()
    return {row[0] for row in rows}


def loads(con: Connection, review: Review, eyes: str | None = None) -> list[Load]:
    """What each named person's share means, in the order of the protocol.

    Nobody has one where shares do not hold.

    Args:
        eyes: Who looks and still votes: of others they see how many they did of what has all its
            votes (None: of all).
    """
    found = of(con, review)
    if found is None:
        return []
    table = {} if found.lack else deal(review.id, found.people, found.votes)
    there = {one.name for one in found.people}
    stages = review.screening.stages
    return [
        Load(
            name,
            share,
            name in there,
            _counts(con, review.id, name, table.get(name, bytes(SLOTS // 8)), stages, eyes),
        )
        for name, share in found.named
    ]


def _counts(
    con: Connection, review: str, name: str, share: bytes, stages: Sequence[str], eyes: str | None
) -> tuple[tuple[str, int, int], ...]:
    """(stage, reports that reached it, those of them with this person's vote there) of the slots of
    `share`.
    """
    rows = con.execute(
        """WITH theirs AS (SELECT s.report_id, list_position($stages::VARCHAR[], s.stage) AS reached
            FROM screening_state s WHERE s.review = $review AND in_share($share::BLOB, s.report_id)),
        voted AS (SELECT DISTINCT d.report_id, d.stage FROM current_decision d
            JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
            WHERE d.review = $review AND d.reviewer = $name AND d.role = 'vote' AND ($eyes IS NULL OR $eyes = $name
                OR s.stage <> d.stage OR s.state IN ('included', 'excluded', 'conflict')))
        SELECT g.stage, count(*), count(v.report_id) FROM theirs t
        JOIN (SELECT unnest($stages::VARCHAR[]) AS stage, generate_subscripts($stages::VARCHAR[], 1) AS place) g
            ON g.place <= t.reached
        LEFT JOIN voted v ON v.report_id = t.report_id AND v.stage = g.stage GROUP BY g.stage""",
        {"review": review, "name": name, "share": share, "stages": list(stages), "eyes": eyes},
    ).fetchall()
    counts = {stage: (reached, voted) for stage, reached, voted in rows}
    return tuple((stage, *counts.get(stage, (0, 0))) for stage in stages)
