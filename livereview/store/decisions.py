"""Decisions and where each report stands because of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.screening.states import is_vote
from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.rows import any_row, by_review, execute_told, one_row, read_as, tell
from livereview.store.standings import Standing
from livereview.store.waiting import Voted


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


def append(con: Connection, d: Decision, now: datetime, report_id: str | None = None) -> bool:
    """Write a decision; False if this very one is known already.

    Whoever writes it keeps what it moved in `standings`.

    Args:
        con: A connection.
        d: The decision.
        now: When it was made.
        report_id: The report of its record, where whoever asks has looked it up.
    """
    rows = execute_told(
        con,
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
    if rows and d.role == "vote":
        answers = is_vote(d.role, d.verdict)
        tell(con, Voted(d.review, d.stage, d.reviewer, report_id if answers else None))
    return bool(rows)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody once said of a report."""

    verdict: str
    reason: str | None
    note: str | None
    tags: tuple[str, ...]
    criteria_version: str


def said(
    con: Connection, review: str, report_id: str, stage: str, reviewer: str, role: str
) -> list[Said]:
    """All that a reviewer said of a report at a stage since it was last opened again, oldest first.

    A word that moves from one record of the report to another, and so takes itself back on the
    first, is one word.
    """
    records = standings.members(con, [report_id])
    rows = con.execute(
        """SELECT split_part(d.id, '/', 1), d.verdict, d.reason, d.note, d.tags, d.criteria_version FROM decision d
        LEFT JOIN reopened o ON o.review = d.review AND o.stage = d.stage AND o.report_id = ?
        WHERE d.review = ? AND d.stage = ? AND d.reviewer = ? AND d.role = ?
            AND d.record_id IN (SELECT unnest(?::VARCHAR[])) AND d.seq > coalesce(o.seq, 0) ORDER BY d.seq""",
        [report_id, review, stage, reviewer, role, records],
    ).fetchall()
    first: dict[str, Said] = {}
    for id, verdict, reason, note, tags, criteria_version in rows:
        first.setdefault(id, Said(verdict, reason, note, tuple(tags or ()), criteria_version))
    return list(first.values())


def known(con: Connection, id: str) -> bool:
    """Whether a decision of this id was ever written."""
    return any_row(con, "SELECT 1 FROM decision WHERE id = ?", [id])


def by_id(con: Connection, id: str) -> dict[str, Any] | None:
    """What the decision of this id said, in force or not; None where there is none."""
    row = one_row(
        con, "SELECT verdict, reason, note, tags, record_id, stage FROM decision WHERE id = ?", [id]
    )
    names = ("verdict", "reason", "note", "tags", "record_id", "stage")
    return dict(zip(names, row, strict=True)) if row else None


def on_report(
    con: Connection, review: str, report_id: str, stage: str | None = None
) -> list[dict[str, Any]]:
    """The decisions in force on a report, oldest first; None: at every stage."""
    found = standings.in_force(con, standings.members(con, [report_id]))
    return [one for one in found if one["review"] == review and stage in (None, one["stage"])]


def conflicts(con: Connection, review: str) -> list[Standing]:
    """Reports on which reviewers differ, in the order they were found."""
    rows = con.execute(
        """SELECT report_id, stage, votes, state FROM screening_state
        WHERE review = ? AND state = 'conflict' ORDER BY seq""",
        [review],
    ).fetchall()
    return [Standing(*row) for row in rows]


def conflict_counts(con: Connection, reviews: Sequence[str]) -> dict[str, int]:
    """On how many reports reviewers differ in each of these reviews."""
    rows = by_review(
        con,
        """SELECT review, count(*) FROM screening_state
        WHERE review IN (SELECT unnest($reviews::VARCHAR[])) AND state = 'conflict' GROUP BY review""",
        reviews,
    )
    return {review: found[0][0] if found else 0 for review, found in rows.items()}


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
    """(reason, note, tags) of a reviewer's last answer on a record, in force or taken back.

    None if there never was one.
    """
    rows = con.execute(
        """SELECT reason, note, tags, seq FROM decision WHERE review = $review AND record_id = $record AND stage = $stage
            AND reviewer = $reviewer AND role = 'vote' AND verdict <> 'withdrawn'
        UNION ALL SELECT NULL, note, tags, seq FROM retrieval WHERE review = $review AND record_id = $record
            AND author = $reviewer AND act = 'asked' AND $stage = 'full_text' ORDER BY seq DESC LIMIT 1""",
        {"review": review, "record": record_id, "stage": stage, "reviewer": reviewer},
    ).fetchall()
    if rows:
        return (rows[0][0], rows[0][1], rows[0][2] or [])
    return None


def sole_votes(con: Connection, reviewer: str) -> list[str]:
    """The ids of a reviewer's votes in force that are the only ones so far on reports which wait
    for more.
    """
    rows = con.execute(
        """SELECT d.id FROM current_decision d JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
            AND s.stage = d.stage
        WHERE d.reviewer = ? AND d.role = 'vote' AND s.state = 'half' AND s.votes = 1 ORDER BY d.seq""",
        [reviewer],
    ).fetchall()
    return [row[0] for row in rows]


def take_back(con: Connection, withdrawals: Mapping[str, str], now: datetime) -> None:
    """Withdraw decisions, each as an event of its own; the same ids again change nothing.

    Args:
        withdrawals: The id of the withdrawal, by the id of the decision.
    """
    if not withdrawals:
        return
    rows = con.execute(
        """INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict, criteria_version, made)
        SELECT asked.id, review, record_id, record_version, stage, reviewer, role, 'withdrawn', criteria_version, $now
        FROM (SELECT unnest($votes::VARCHAR[]) AS vote, unnest($ids::VARCHAR[]) AS id) asked
        JOIN decision d ON d.id = asked.vote ORDER BY d.seq
        ON CONFLICT (id) DO NOTHING RETURNING record_id""",
        {"votes": list(withdrawals), "ids": list(withdrawals.values()), "now": now},
    ).fetchall()
    standings.refresh(con, {row[0] for row in rows})


def closed_votes(con: Connection, reviewer: str) -> list[str]:
    """The ids of votes that were taken back because their account was closed, oldest first."""
    rows = con.execute(
        """SELECT substr(id, 8) FROM decision WHERE reviewer = ? AND verdict = 'withdrawn' AND starts_with(id, 'closed/')
        ORDER BY seq""",
        [reviewer],
    ).fetchall()
    return [row[0] for row in rows]


def reviews_of(con: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The review that each of these decisions was made in, by the decision's id."""
    return dict(
        con.execute(
            "SELECT id, review FROM decision WHERE id IN (SELECT unnest(?::VARCHAR[]))", [list(ids)]
        ).fetchall()
    )


@dataclass(frozen=True, slots=True)
class Return:
    """A decision that is to count again: `id` is the event that says it once more."""

    vote: str
    withdrawal: str
    id: str


def bring_back(con: Connection, returns: Sequence[Return], now: datetime) -> int:
    """Say again what one person took back, each as an event of its own.

    Not where the person has said something since, where the report has been opened again since
    the vote, or where the report waits for no such word any more.

    Returns:
        How many decisions count again.
    """
    if not returns:
        return 0
    rows = con.execute(
        """INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict, reason, note, tags,
            criteria_version, rank, model, made)
        WITH asked AS (
            SELECT unnest($votes::VARCHAR[]) AS vote, unnest($withdrawals::VARCHAR[]) AS withdrawal, unnest($ids::VARCHAR[]) AS id),
        newest AS (
            SELECT e.review, e.record_id, e.stage, e.reviewer, e.role, arg_max(e.id, e.seq) AS id FROM decision e
            WHERE e.record_id IN (SELECT record_id FROM decision JOIN asked ON asked.vote = decision.id) GROUP BY ALL)
        SELECT asked.id, d.review, d.record_id, d.record_version, d.stage, d.reviewer, d.role, d.verdict, d.reason, d.note,
            d.tags, d.criteria_version, d.rank, d.model, $now
        FROM asked JOIN decision d ON d.id = asked.vote
        JOIN newest n ON n.id = asked.withdrawal AND n.review = d.review AND n.record_id = d.record_id
            AND n.stage = d.stage AND n.reviewer = d.reviewer AND n.role = d.role
        LEFT JOIN report p ON p.record_id = d.record_id
        JOIN screening_state s ON s.review = d.review AND s.report_id = coalesce(p.report_id, d.record_id)
        LEFT JOIN reopened o ON o.review = d.review AND o.stage = d.stage AND o.report_id = s.report_id
        WHERE s.stage = d.stage AND d.seq > coalesce(o.seq, 0)
            AND ((d.role = 'vote' AND s.state IN ('open', 'half')) OR (d.role = 'adjudication' AND s.state = 'conflict'))
        ORDER BY d.seq ON CONFLICT (id) DO NOTHING RETURNING record_id""",
        {
            "votes": [wanted.vote for wanted in returns],
            "withdrawals": [wanted.withdrawal for wanted in returns],
            "ids": [wanted.id for wanted in returns],
            "now": now,
        },
    ).fetchall()
    standings.refresh(con, {row[0] for row in rows})
    return len(rows)


@dataclass(frozen=True, slots=True)
class Older:
    """A decision in force that was made under an earlier version of the criteria."""

    record_id: str
    stage: str
    reviewer: str
    verdict: str
    made: datetime


def made_under(
    con: Connection, review: str, version: str, verdicts: Sequence[str], eyes: str | None = None
) -> list[Older]:
    """Decisions in force of these verdicts that cite this version of the criteria, oldest first."""
    rows = con.execute(
        """SELECT d.record_id, d.stage, d.reviewer, d.verdict, d.made FROM current_decision d
        JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
        WHERE d.review = $review AND d.criteria_version = $version
            AND d.verdict IN (SELECT unnest($verdicts::VARCHAR[])) AND ($eyes IS NULL OR d.reviewer = $eyes
                OR s.stage <> d.stage OR s.state IN ('included', 'excluded', 'conflict')) ORDER BY d.seq""",
        {"review": review, "version": version, "verdicts": list(verdicts), "eyes": eyes},
    ).fetchall()
    return [Older(*row) for row in rows]


def on_reports(
    con: Connection, review: str, report_ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Every decision in force on these reports of the review, oldest first, by report."""
    rows = con.execute(
        """SELECT report_id, stage, reviewer, role, verdict, reason, note, tags, criteria_version, made
        FROM current_decision
        WHERE review = $review AND report_id IN (SELECT unnest($reports::VARCHAR[])) ORDER BY seq""",
        {"review": review, "reports": list(report_ids)},
    ).fetchall()
    return _grouped(rows)


def by_report(con: Connection, review: str) -> dict[str, list[dict[str, Any]]]:
    """Every decision in force of the review, oldest first, by report."""
    rows = con.execute(
        """SELECT report_id, stage, reviewer, role, verdict, reason, note, tags, criteria_version, made
        FROM current_decision WHERE review = ? ORDER BY seq""",
        [review],
    ).fetchall()
    return _grouped(rows)


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[dict[str, Any]]]:
    names = (
        "stage",
        "reviewer",
        "role",
        "verdict",
        "reason",
        "note",
        "tags",
        "criteria_version",
        "made",
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for report_id, *row in rows:
        found.setdefault(report_id, []).append(dict(zip(names, row, strict=True)))
    return found


@dataclass(frozen=True, slots=True)
class StageVote:
    """A vote in force on a report."""

    report_id: str
    reviewer: str
    verdict: str
    made: datetime


def votes(con: Connection, review: str, stage: str) -> list[StageVote]:
    """The votes on reports that have all of them at a stage, oldest first."""
    return read_as(
        con,
        StageVote,
        """SELECT d.report_id, d.reviewer, d.verdict, d.made FROM current_decision d
        JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
        WHERE d.review = ? AND d.stage = ? AND d.role = 'vote' AND d.verdict <> 'not_retrieved'
            AND (s.stage <> d.stage OR s.state IN ('included', 'excluded', 'conflict')) ORDER BY d.seq""",
        [review, stage],
    )


@dataclass(frozen=True, slots=True)
class PersonsWork:
    """What a person has decided at a stage: how many decisions are in force, and when the last of
    them was made.
    """

    reviewer: str
    stage: str
    decisions: int
    last: datetime


def counts_by_person(con: Connection, review: str, eyes: str | None = None) -> list[PersonsWork]:
    """The work of everybody who has decided here."""
    return read_as(
        con,
        PersonsWork,
        """SELECT d.reviewer, d.stage, count(DISTINCT d.report_id) AS decisions, max(d.made) AS last FROM current_decision d
        JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
        WHERE d.review = $review AND ($eyes IS NULL OR d.reviewer = $eyes OR s.stage <> d.stage
            OR s.state IN ('included', 'excluded', 'conflict'))
        GROUP BY d.reviewer, d.stage ORDER BY d.reviewer, d.stage DESC""",
        {"review": review, "eyes": eyes},
    )


def excluded_at_full_text(con: Connection, review: str) -> list[tuple[str, str | None]]:
    """(report_id, reason id) of reports excluded at full text.

    An adjudicator's reason stands over the voters'.
    """
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
    return counts_of(con, [review])[review]


def counts_of(con: Connection, reviews: Sequence[str]) -> dict[str, dict[str, int]]:
    """`counts` of each of these reviews."""
    result = con.execute(
        "SELECT * FROM flow_counts WHERE review IN (SELECT unnest(?::VARCHAR[]))", [list(reviews)]
    )
    names = [column[0] for column in result.description if column[0] != "review"]
    boxes = {review: dict.fromkeys(names, 0) for review in reviews}
    place = [column[0] for column in result.description].index("review")
    for row in result.fetchall():
        numbers = [*row[:place], *row[place + 1 :]]
        boxes[row[place]] = dict(zip(names, numbers, strict=True))
    return boxes


def waiting_since(con: Connection, review: str) -> dict[str, datetime]:
    """When the oldest report that waits was found: to be screened, to be read in full, and to be
    extracted.
    """
    rows = con.execute(
        """WITH found AS (SELECT r.report_id, min(r.made) AS made FROM review_record r
            WHERE r.review = $review AND r.found GROUP BY r.report_id)
        SELECT CASE WHEN e.report_id IS NOT NULL THEN 'awaiting_extraction'
                WHEN s.stage = 'title_abstract' THEN 'awaiting_screening' ELSE 'awaiting_full_text' END AS step, min(f.made)
        FROM screening_state s JOIN found f USING (report_id)
        LEFT JOIN to_extract e ON e.review = s.review AND e.report_id = s.report_id
        LEFT JOIN left_unread u ON u.review = s.review AND u.report_id = s.report_id
        WHERE s.review = $review AND u.report_id IS NULL
            AND (e.report_id IS NOT NULL OR s.state IN ('open', 'half', 'conflict')) GROUP BY step ORDER BY step""",
        {"review": review},
    ).fetchall()
    return dict(rows)
