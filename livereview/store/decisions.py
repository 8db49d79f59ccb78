"""Decisions and where each report stands because of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's word on one record at one stage; `verdict` "withdrawn" takes the last one back."""

    id: str
    review: str
    record_id: str
    record_version: int
    stage: str
    reviewer: str
    role: str
    verdict: str
    reason: str | None
    note: str | None
    tags: tuple[str, ...]
    criteria_version: str
    rank: int | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a report stands: at `stage`, with `votes`, `state` open, half, conflict, included, excluded or not_retrieved."""

    report_id: str
    stage: str
    votes: int
    state: str


def append(con: Connection, d: Decision, now: datetime) -> bool:
    """Write a decision; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict, reason, note, tags,
            criteria_version, rank, model, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            d.id,
            d.review,
            d.record_id,
            d.record_version,
            d.stage,
            d.reviewer,
            d.role,
            d.verdict,
            d.reason,
            d.note,
            list(d.tags),
            d.criteria_version,
            d.rank,
            d.model,
            now,
        ],
    ).fetchall()
    return bool(rows)


def standing(con: Connection, review: str, report_id: str) -> Standing | None:
    """Where this report stands in the review; None if the review never found it."""
    row = con.execute(
        "SELECT report_id, stage, votes, state FROM screening_state WHERE review = ? AND report_id = ?",
        [review, report_id],
    ).fetchone()
    return Standing(*row) if row else None


def state_at(con: Connection, review: str, report_id: str, stage: str) -> str:
    """The state of a report at one stage, whether or not it has left it."""
    row = con.execute(
        "SELECT state FROM tally_state WHERE review = ? AND report_id = ? AND stage = ?", [review, report_id, stage]
    ).fetchone()
    return str(row[0]) if row else "open"


def on_report(con: Connection, review: str, report_id: str, stage: str) -> list[dict[str, Any]]:
    """The decisions in force on a report at a stage, oldest first."""
    rows = con.execute(
        """SELECT id, record_id, reviewer, role, verdict, reason, note, made FROM current_decision
        WHERE review = ? AND report_id = ? AND stage = ? ORDER BY seq""",
        [review, report_id, stage],
    ).fetchall()
    names = ("id", "record_id", "reviewer", "role", "verdict", "reason", "note", "made")
    return [dict(zip(names, row, strict=True)) for row in rows]


def waiting_for(con: Connection, review: str, reviewer: str, stage: str) -> list[Standing]:
    """The queue of one reviewer: reports at this stage that they have not voted on; the order is screening.queue's.

    "Not retrieved" is no vote: once somebody has the report after all, everyone is asked.
    """
    rows = con.execute(
        """SELECT q.report_id, q.stage, q.votes, CASE WHEN q.votes > 0 THEN 'half' ELSE 'open' END FROM queue q
        LEFT JOIN (SELECT DISTINCT report_id FROM current_decision
            WHERE review = ? AND reviewer = ? AND stage = ? AND verdict <> 'not_retrieved') mine ON mine.report_id = q.report_id
        WHERE q.review = ? AND q.stage = ? AND mine.report_id IS NULL ORDER BY q.seq""",
        [review, reviewer, stage, review, stage],
    ).fetchall()
    return [Standing(*row) for row in rows]


def conflicts(con: Connection, review: str) -> list[Standing]:
    """Reports on which reviewers differ, in the order they were found."""
    rows = con.execute(
        """SELECT s.report_id, s.stage, s.votes, s.state FROM screening_state s
        JOIN review_report r USING (review, report_id) WHERE s.review = ? AND s.state = 'conflict' ORDER BY r.seq""",
        [review],
    ).fetchall()
    return [Standing(*row) for row in rows]


def history(con: Connection, review: str, reviewer: str, limit: int) -> list[dict[str, Any]]:
    """A reviewer's own decisions in force, newest first."""
    rows = con.execute(
        """SELECT record_id, report_id, stage, verdict, reason, note, role, made FROM current_decision
        WHERE review = ? AND reviewer = ? ORDER BY seq DESC LIMIT ?""",
        [review, reviewer, limit],
    ).fetchall()
    names = ("record_id", "report_id", "stage", "verdict", "reason", "note", "role", "made")
    return [dict(zip(names, row, strict=True)) for row in rows]


def last_word(
    con: Connection, review: str, record_id: str, stage: str, reviewer: str
) -> tuple[str | None, str | None] | None:
    """(reason, note) of a reviewer's last vote on a record, in force or taken back; None if there never was one."""
    row = con.execute(
        """SELECT reason, note FROM decision WHERE review = ? AND record_id = ? AND stage = ? AND reviewer = ?
        AND role = 'vote' AND verdict <> 'withdrawn' ORDER BY seq DESC LIMIT 1""",
        [review, record_id, stage, reviewer],
    ).fetchone()
    return (row[0], row[1]) if row else None


def excluded_at_full_text(con: Connection, review: str) -> list[tuple[str, str | None]]:
    """(report_id, reason id) of reports excluded at full text; an adjudicator's reason stands over the voters'."""
    rows = con.execute(
        """SELECT s.report_id, arg_max(d.reason, d.seq + CASE WHEN d.role = 'adjudication' THEN 1000000000000 ELSE 0 END)
        FROM screening_state s JOIN current_decision d ON d.review = s.review AND d.report_id = s.report_id
            AND d.stage = s.stage AND d.verdict = 'exclude'
        WHERE s.review = ? AND s.stage = 'full_text' AND s.state = 'excluded' GROUP BY s.report_id ORDER BY s.report_id""",
        [review],
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def counts(con: Connection, review: str) -> dict[str, int]:
    """The PRISMA boxes of `flow_counts`, zero where there is nothing yet."""
    result = con.execute("SELECT * EXCLUDE (review) FROM flow_counts WHERE review = ?", [review])
    names = [column[0] for column in result.description]
    row = result.fetchone()
    return dict(zip(names, row or [0] * len(names), strict=True))


def progress(con: Connection, review: str, reviewer: str, stages: Sequence[str]) -> dict[str, tuple[int, int]]:
    """(done by this reviewer, waiting for this reviewer) at each stage."""
    counts = done(con, review, reviewer)
    return {stage: (counts.get(stage, 0), len(waiting_for(con, review, reviewer, stage))) for stage in stages}


def done(con: Connection, review: str, reviewer: str) -> dict[str, int]:
    """How many reports a reviewer has decided at each stage."""
    rows = con.execute(
        """SELECT stage, count(DISTINCT report_id) FROM current_decision WHERE review = ? AND reviewer = ? AND role = 'vote'
        GROUP BY stage""",
        [review, reviewer],
    ).fetchall()
    return dict(rows)
