"""Settled reports that reviewers are asked again, and what they answered.

Nothing here is a vote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.screening.calibration import Asked, gap, turn
from livereview.store.open import Connection
from livereview.store.rows import any_row, kept_rows, one_row


@dataclass(frozen=True, slots=True)
class Item:
    """One report that one reviewer is asked again; as in db/0013_calibration.sql."""

    id: str
    reviewer: str
    record_id: str
    settled: str
    own: bool
    place: int
    seed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to an item; `verdict` "withdrawn" takes the last answer back."""

    id: str
    item: str
    record_id: str
    verdict: str
    reason: str | None
    note: str | None
    tags: tuple[str, ...]
    criteria_version: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A report on which two people or more agree: `verdict` include or exclude, by `voters`."""

    report_id: str
    verdict: str
    voters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """The item that comes now (its report; None: none does), how many come in all, and how many are
    answered.
    """

    report_id: str | None = None
    left: int = 0
    answered: int = 0


def add(
    con: Connection,
    round: str,
    review: str,
    stage: str,
    items: Sequence[Item],
    author: str,
    now: datetime,
) -> None:
    """Log the items of one draw."""
    for one in items:
        con.execute(
            """INSERT INTO calibration (id, round, review, stage, reviewer, record_id, settled, own, place, seed, author, made)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
            [
                one.id,
                round,
                review,
                stage,
                one.reviewer,
                one.record_id,
                one.settled,
                one.own,
                one.place,
                one.seed,
                author,
                now,
            ],
        )


def drawn(con: Connection, round: str) -> dict[str, int]:
    """How many items each reviewer has in this draw; empty: there was none of this id."""
    rows = con.execute(
        "SELECT reviewer, count(*) FROM calibration WHERE round = ? GROUP BY reviewer ORDER BY reviewer",
        [round],
    ).fetchall()
    return dict(rows)


def pool(con: Connection, review: str, stage: str) -> list[Settled]:
    """The reports settled at this stage by votes alone, two or more and all to one effect; "maybe"
    counts as include.
    """
    rows = con.execute(
        """SELECT d.report_id, if(bool_or(d.verdict = 'exclude'), 'exclude', 'include'), list(DISTINCT d.reviewer)
        FROM current_decision d JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
        WHERE d.review = $review AND d.stage = $stage AND d.verdict <> 'not_retrieved'
            AND (s.stage <> $stage OR s.state IN ('included', 'excluded'))
        GROUP BY d.report_id HAVING bool_and(d.role = 'vote') AND count(DISTINCT d.reviewer) > 1
            AND count(DISTINCT d.verdict = 'exclude') = 1 ORDER BY d.report_id""",
        {"review": review, "stage": stage},
    ).fetchall()
    return [Settled(report, verdict, tuple(voters)) for report, verdict, voters in rows]


def asked_before(con: Connection, review: str, reviewer: str, stage: str) -> set[str]:
    """The reports that this reviewer was ever asked again."""
    rows = con.execute(
        "SELECT report_id FROM calibration_item WHERE review = ? AND reviewer = ? AND stage = ?",
        [review, reviewer, stage],
    ).fetchall()
    return {row[0] for row in rows}


def coming(con: Connection, review: str, reviewer: str, stage: str, waiting: int) -> Coming:
    """What comes to a reviewer among the `waiting` records that wait for them."""
    here = [review, reviewer, stage]
    if not _any(con, here):
        return Coming()
    rows = con.execute(
        """SELECT report_id, seed, place, seq, answer_seq FROM calibration_item
        WHERE review = ? AND reviewer = ? AND stage = ? AND stands ORDER BY seq""",
        here,
    ).fetchall()
    answered = {row[0]: row[4] for row in rows if row[4] is not None}
    # a report once, where two were merged
    left = {row[0]: row for row in reversed(rows) if row[0] not in answered}
    items = sorted(left.values(), key=lambda row: row[3])
    if not items:
        return Coming(answered=len(answered))
    since = _votes_since(con, here, max([items[0][3], *answered.values()]))
    now, number = turn([gap(row[1], row[2]) for row in items], since, waiting)
    return Coming(items[0][0] if now else None, number, len(answered))


def _any(con: Connection, here: Sequence[str]) -> bool:
    """Whether this reviewer was ever asked again: most never are, and need not wait for the answer."""
    rows = kept_rows(
        con,
        "SELECT 1 FROM calibration WHERE review = ? AND reviewer = ? AND stage = ? LIMIT 1",
        here,
    )
    return bool(rows)


def asked_again(con: Connection, reviewer: str) -> set[str]:
    """The reviews in which this reviewer was ever asked again."""
    rows = con.execute(
        "SELECT DISTINCT review FROM calibration WHERE reviewer = ?", [reviewer]
    ).fetchall()
    return {row[0] for row in rows}


def _votes_since(con: Connection, here: Sequence[str], seq: int) -> int:
    row = one_row(
        con,
        """SELECT count(*) FROM (SELECT arg_max(verdict, seq) AS verdict FROM decision
            WHERE review = ? AND reviewer = ? AND stage = ? AND role = 'vote' AND seq > ? GROUP BY record_id)
        WHERE verdict <> 'withdrawn'""",
        [*here, seq],
    )
    return int(row[0]) if row else 0


def item_of(
    con: Connection, review: str, reviewer: str, report_id: str, stage: str
) -> tuple[str, dict[str, Any] | None] | None:
    """(item, the answer in force to it) where this reviewer is asked about this report again.

    None: they are not.

    The answer has the keys of a decision, and `item`.
    """
    if not _any(con, [review, reviewer, stage]):
        return None
    row = one_row(
        con,
        """SELECT id, answer, shown, verdict, reason, note, tags FROM calibration_item
        WHERE review = ? AND reviewer = ? AND report_id = ? AND stage = ? AND stands
        ORDER BY answer_seq DESC NULLS LAST, seq LIMIT 1""",
        [review, reviewer, report_id, stage],
    )
    if row is None:
        return None
    item, *answer = row
    names = ("id", "record_id", "verdict", "reason", "note", "tags")
    return item, {**dict(zip(names, answer, strict=True)), "item": item} if answer[0] else None


def answer(con: Connection, given: Answer, now: datetime) -> bool:
    """Write an answer; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO calibration_answer (id, item, record_id, verdict, reason, note, tags, criteria_version, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            given.id,
            given.item,
            given.record_id,
            given.verdict,
            given.reason,
            given.note,
            list(given.tags),
            given.criteria_version,
            now,
        ],
    ).fetchall()
    return bool(rows)


def known(con: Connection, id: str) -> bool:
    """Whether an answer of this id was ever written."""
    return any_row(con, "SELECT 1 FROM calibration_answer WHERE id = ?", [id])


def by_id(con: Connection, id: str) -> dict[str, Any] | None:
    """What the answer of this id said, as `decisions.by_id`."""
    if not kept_rows(con, "SELECT 1 FROM calibration_answer LIMIT 1"):
        return None
    row = one_row(
        con,
        """SELECT a.verdict, a.reason, a.note, a.tags, a.record_id, c.stage FROM calibration_answer a
        JOIN calibration c ON c.id = a.item WHERE a.id = ?""",
        [id],
    )
    names = ("verdict", "reason", "note", "tags", "record_id", "stage")
    return dict(zip(names, row, strict=True)) if row else None


def last_answer(con: Connection, item: str) -> tuple[str | None, str | None, list[str]] | None:
    """(reason, note, tags) of the last answer to an item, in force or taken back.

    None if there never was one.
    """
    row = one_row(
        con,
        """SELECT reason, note, tags FROM calibration_answer WHERE item = ? AND verdict <> 'withdrawn'
        ORDER BY seq DESC LIMIT 1""",
        [item],
    )
    return (row[0], row[1], row[2] or []) if row else None


def history(con: Connection, review: str, reviewer: str, limit: int) -> list[dict[str, Any]]:
    """A reviewer's answers in force, newest first, in the form of `decisions.history`."""
    rows = con.execute(
        """SELECT shown, report_id, stage, verdict, reason, note, tags, 'vote', answered FROM calibration_item
        WHERE review = ? AND reviewer = ? AND stands AND answer IS NOT NULL ORDER BY answer_seq DESC LIMIT ?""",
        [review, reviewer, limit],
    ).fetchall()
    names = ("record_id", "report_id", "stage", "verdict", "reason", "note", "tags", "role", "made")
    return [dict(zip(names, row, strict=True)) for row in rows]


def asked(con: Connection, review: str) -> list[Asked]:
    """Every item of the review with its answer, for those who compare them; "maybe" counts as
    include.
    """
    rows = con.execute(
        """SELECT reviewer, id, settled, own, if(verdict = 'maybe', 'include', verdict), strftime(answered, '%Y-%m')
        FROM calibration_item WHERE review = ? ORDER BY seq""",
        [review],
    ).fetchall()
    return [Asked(*row) for row in rows]


def unanswered(con: Connection, review: str, reviewer: str) -> dict[str, str]:
    """The reports that this reviewer is asked about again and has not answered, each with its
    stage.
    """
    rows = con.execute(
        """SELECT report_id, stage FROM calibration_item
        WHERE review = ? AND reviewer = ? AND answer IS NULL AND stands ORDER BY report_id""",
        [review, reviewer],
    ).fetchall()
    return dict(rows)
