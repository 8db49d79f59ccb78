"""Decisions and where each report stands because of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.standings import Standing


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
    if rows:
        standings.refresh(con, [d.record_id])
    return bool(rows)


def on_report(con: Connection, review: str, report_id: str, stage: str) -> list[dict[str, Any]]:
    """The decisions in force on a report at a stage, oldest first."""
    chosen, values = standings.chosen(standings.members(con, [report_id]))
    rows = con.execute(
        f"""SELECT id, record_id, reviewer, role, verdict, reason, note, tags, made FROM current_decision
        WHERE review = ? AND stage = ? AND record_id {chosen} ORDER BY seq""",  # noqa: S608
        [review, stage, *values],
    ).fetchall()
    names = ("id", "record_id", "reviewer", "role", "verdict", "reason", "note", "tags", "made")
    return [dict(zip(names, row, strict=True)) for row in rows]


@dataclass(frozen=True, slots=True)
class Next:
    """What a reviewer meets next: the report to show, the one after it, how many wait in all, and whether `report_id` is
    not the first of them; None where there is none."""

    report_id: str | None
    following: str | None
    waiting: int
    skipped: bool


# Reports that others have on their screens come last if they then have all their votes. Half-screened ones first, or a
# re-ranked list leaves records with a single vote for ever. "Not retrieved" is no vote: once somebody has the report after
# all, everyone is asked.
_WAITING = """
    WITH mine AS (SELECT DISTINCT report_id FROM current_decision
        WHERE review = $review AND reviewer = $reviewer AND stage = $stage AND verdict <> 'not_retrieved'),
    held AS (SELECT unnest($held::VARCHAR[]) AS report_id, unnest($times::INTEGER[]) AS times),
    waiting AS (SELECT q.report_id,
            row_number() OVER (
                ORDER BY coalesce(h.times, 0) + q.votes >= p.votes AND h.times > 0, q.votes = 0, r.place NULLS LAST, q.seq
            ) AS place
        FROM queue q JOIN current_protocol p ON p.review = q.review LEFT JOIN held h ON h.report_id = q.report_id
            LEFT JOIN rank r ON r.review = q.review AND r.report_id = q.report_id
        WHERE q.review = $review AND q.stage = $stage AND q.report_id NOT IN (SELECT report_id FROM mine))
"""


def next_for(
    con: Connection, review: str, reviewer: str, stage: str, wanted: str = "", held: Mapping[str, int] | None = None
) -> Next:
    """The head of a reviewer's queue at a stage: reports that they have not voted on, those with a vote already first, then
    by rank, then as they were found. Where the report `wanted` waits for them too, it is shown instead of the first.

    held   how many others have each report before them: where theirs will be the last votes it comes at the end
    """
    held = held or {}
    rows = con.execute(
        f"""{_WAITING} SELECT report_id, place, (SELECT count(*) FROM waiting) FROM waiting
        WHERE place <= 2 OR place - coalesce((SELECT place FROM waiting WHERE report_id = $wanted), 0) IN (0, 1)
        ORDER BY place""",  # noqa: S608
        {
            "review": review,
            "reviewer": reviewer,
            "stage": stage,
            "wanted": wanted,
            "held": list(held),
            "times": list(held.values()),
        },
    ).fetchall()
    if not rows:
        return Next(None, None, 0, False)
    ids = [row[0] for row in rows]
    at = ids.index(wanted) if wanted in ids else 0
    after = ids[(at + 1) % len(ids)] if len(ids) > 1 else None
    return Next(ids[at], after, rows[0][2], rows[at][1] > 1)


def waiting_for(con: Connection, review: str, reviewer: str, stage: str) -> list[str]:
    """The whole queue of a reviewer at a stage, in its order."""
    rows = con.execute(
        f"{_WAITING} SELECT report_id FROM waiting ORDER BY place",  # noqa: S608
        {"review": review, "reviewer": reviewer, "stage": stage, "held": [], "times": []},
    ).fetchall()
    return [row[0] for row in rows]


def conflicts(con: Connection, review: str) -> list[Standing]:
    """Reports on which reviewers differ, in the order they were found."""
    rows = con.execute(
        """SELECT report_id, stage, votes, state FROM screening_state
        WHERE review = ? AND state = 'conflict' ORDER BY seq""",
        [review],
    ).fetchall()
    return [Standing(*row) for row in rows]


def history(con: Connection, review: str, reviewer: str, limit: int) -> list[dict[str, Any]]:
    """A reviewer's own decisions in force, newest first."""
    rows = con.execute(
        """SELECT record_id, report_id, stage, verdict, reason, note, tags, role, made FROM current_decision
        WHERE review = ? AND reviewer = ? ORDER BY seq DESC LIMIT ?""",
        [review, reviewer, limit],
    ).fetchall()
    names = ("record_id", "report_id", "stage", "verdict", "reason", "note", "tags", "role", "made")
    return [dict(zip(names, row, strict=True)) for row in rows]


def last_word(
    con: Connection, review: str, record_id: str, stage: str, reviewer: str
) -> tuple[str | None, str | None, list[str]] | None:
    """(reason, note, tags) of a reviewer's last vote on a record, in force or taken back; None if there never was one."""
    row = con.execute(
        """SELECT reason, note, tags FROM decision WHERE review = ? AND record_id = ? AND stage = ? AND reviewer = ?
        AND role = 'vote' AND verdict <> 'withdrawn' ORDER BY seq DESC LIMIT 1""",
        [review, record_id, stage, reviewer],
    ).fetchone()
    return (row[0], row[1], row[2] or []) if row else None


def sole_votes(con: Connection, reviewer: str) -> list[str]:
    """The ids of a reviewer's votes in force that are the only ones so far on reports which wait for more."""
    rows = con.execute(
        """SELECT d.id FROM current_decision d JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
            AND s.stage = d.stage
        WHERE d.reviewer = ? AND d.role = 'vote' AND s.state = 'half' AND s.votes = 1 ORDER BY d.seq""",
        [reviewer],
    ).fetchall()
    return [row[0] for row in rows]


def take_back(con: Connection, vote: str, id: str, now: datetime) -> None:
    """Withdraw the decision of this id, as an event of its own."""
    con.execute(
        """INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict, criteria_version, made)
        SELECT ?, review, record_id, record_version, stage, reviewer, role, 'withdrawn', criteria_version, ?
        FROM decision WHERE id = ? ON CONFLICT (id) DO NOTHING""",
        [id, now, vote],
    )
    rows = con.execute("SELECT record_id FROM decision WHERE id = ?", [id]).fetchall()
    standings.refresh(con, [row[0] for row in rows])


@dataclass(frozen=True, slots=True)
class Older:
    """A decision in force that was made under an earlier version of the criteria."""

    record_id: str
    stage: str
    reviewer: str
    verdict: str
    made: datetime


def made_under(con: Connection, review: str, version: str, verdicts: Sequence[str]) -> list[Older]:
    """Decisions in force of these verdicts that cite this version of the criteria, oldest first."""
    rows = con.execute(
        """SELECT record_id, stage, reviewer, verdict, made FROM current_decision
        WHERE review = ? AND criteria_version = ? AND verdict IN (SELECT unnest(?::VARCHAR[])) ORDER BY seq""",
        [review, version, list(verdicts)],
    ).fetchall()
    return [Older(*row) for row in rows]


def by_report(con: Connection, review: str) -> dict[str, list[dict[str, Any]]]:
    """Every decision in force of the review, oldest first, by report."""
    rows = con.execute(
        """SELECT report_id, stage, reviewer, role, verdict, reason, note, tags, criteria_version, made
        FROM current_decision WHERE review = ? ORDER BY seq""",
        [review],
    ).fetchall()
    names = ("stage", "reviewer", "role", "verdict", "reason", "note", "tags", "criteria_version", "made")
    found: dict[str, list[dict[str, Any]]] = {}
    for report_id, *row in rows:
        found.setdefault(report_id, []).append(dict(zip(names, row, strict=True)))
    return found


def votes(con: Connection, review: str, stage: str) -> list[tuple[str, str, str, datetime]]:
    """(report, reviewer, verdict, time) of every vote in force at a stage, oldest first."""
    return con.execute(
        """SELECT report_id, reviewer, verdict, made FROM current_decision
        WHERE review = ? AND stage = ? AND role = 'vote' AND verdict <> 'not_retrieved' ORDER BY seq""",
        [review, stage],
    ).fetchall()


def counts_by_person(con: Connection, review: str) -> list[tuple[str, str, int, datetime]]:
    """(reviewer, stage, decisions in force, the last one's time) of everybody who has decided here."""
    return con.execute(
        """SELECT reviewer, stage, count(DISTINCT report_id), max(made) FROM current_decision WHERE review = ?
        GROUP BY reviewer, stage ORDER BY reviewer, stage DESC""",
        [review],
    ).fetchall()


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
    return {stage: (counts.get(stage, 0), next_for(con, review, reviewer, stage).waiting) for stage in stages}


def done(con: Connection, review: str, reviewer: str) -> dict[str, int]:
    """How many reports a reviewer has decided at each stage."""
    rows = con.execute(
        """SELECT stage, count(DISTINCT report_id) FROM current_decision WHERE review = ? AND reviewer = ? AND role = 'vote'
        GROUP BY stage""",
        [review, reviewer],
    ).fetchall()
    return dict(rows)
