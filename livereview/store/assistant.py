"""What a language model was asked about records, and what came back: only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import by_review, one_row, read_as


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One question and what came of it, as in the table `assistant_answer`."""

    id: str
    review: str
    record_id: str
    record_version: int
    use: str
    criteria_version: str
    protocol: str
    prompt: str
    prompt_sha256: str
    asked_model: str
    told_model: str | None
    sent: str
    status: int | None
    raw: str | None
    problem: str | None
    answers: str
    seconds: float
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    currency: str | None
    made: datetime


_COLUMNS = ", ".join(KeptAnswer.__slots__)


def append(con: Connection, asked: KeptAnswer) -> bool:
    """Write a question with its answer; False if this very one is known."""
    rows = con.execute(
        """INSERT INTO assistant_answer (
            id, review, record_id, record_version, use, criteria_version, protocol, prompt,
            prompt_sha256, asked_model, told_model, sent, status, raw, problem, answers, seconds,
            tokens_in, tokens_out, cost, currency, made
        ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [getattr(asked, name) for name in KeptAnswer.__slots__],
    ).fetchall()
    return bool(rows)


@dataclass(frozen=True, slots=True)
class Wanting:
    """What makes an answer an answer to today's question."""

    review: str
    stage: str
    model: str
    prompt_sha256: str
    criteria_version: str


def wanted(con: Connection, wanting: Wanting, tries: int, since: datetime, most: int) -> list[str]:
    """Reports that somebody voted on at this stage and that have no answer, those found first
    first; not those that were asked about in vain so many times, or since then.
    """
    rows = con.execute(
        """WITH asked AS (
            SELECT coalesce(p.report_id, a.record_id) AS report_id, count(*) AS times,
                count(*) FILTER (WHERE a.problem IS NULL OR a.made > $since) AS done
            FROM assistant_answer a LEFT JOIN report p ON p.record_id = a.record_id
            WHERE a.review = $review AND a.asked_model = $model AND a.prompt_sha256 = $prompt
                AND a.criteria_version = $criteria
            GROUP BY 1)
        SELECT s.report_id FROM screening_state s LEFT JOIN asked a USING (report_id)
        WHERE s.review = $review AND coalesce(a.done, 0) = 0 AND coalesce(a.times, 0) < $tries
            AND EXISTS (SELECT 1 FROM current_decision d WHERE d.review = s.review
                AND d.report_id = s.report_id AND d.stage = $stage AND d.role = 'vote')
        ORDER BY s.seq LIMIT $most""",
        {
            "review": wanting.review,
            "model": wanting.model,
            "prompt": wanting.prompt_sha256,
            "criteria": wanting.criteria_version,
            "stage": wanting.stage,
            "tries": tries,
            "since": since,
            "most": most,
        },
    ).fetchall()
    return [report for (report,) in rows]


def asked_since(con: Connection, review: str, moment: datetime) -> tuple[int, int]:
    """(since then, in all): how many questions were asked for a review."""
    row = one_row(
        con,
        """SELECT count(*) FILTER (WHERE made > ?), count(*) FROM assistant_answer
        WHERE review = ?""",
        [moment, review],
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


def of_report(con: Connection, review: str, report_id: str) -> KeptAnswer | None:
    """The newest answer on a report; None where there is none."""
    found = read_as(
        con,
        KeptAnswer,
        f"""SELECT {_COLUMNS} FROM assistant_answer a
        WHERE review = ? AND problem IS NULL AND record_id IN (
            SELECT ? UNION ALL SELECT record_id FROM report WHERE report_id = ?)
        ORDER BY seq DESC LIMIT 1""",  # noqa: S608
        [review, report_id, report_id],
    )
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class SoundAnswer:
    """A sound answer on a report, without what was sent.

    Attributes:
        changed: Whether somebody decided on the report anew after it, who had decided before.
    """

    report_id: str
    model: str
    prompt: str
    criteria_version: str
    protocol: str
    answers: str
    seconds: float
    cost: float | None
    currency: str | None
    made: datetime
    changed: bool


def given(con: Connection, review: str, stage: str) -> list[SoundAnswer]:
    """The newest sound answer on each report by each model, prompt and version of the criteria."""
    return read_as(
        con,
        SoundAnswer,
        """WITH sound AS (
            SELECT coalesce(p.report_id, a.record_id) AS report,
                coalesce(a.told_model, a.asked_model) AS model, a.prompt, a.criteria_version,
                a.protocol, a.answers, a.seconds, a.cost, a.currency, a.made, a.seq
            FROM assistant_answer a LEFT JOIN report p ON p.record_id = a.record_id
            WHERE a.review = $review AND a.problem IS NULL
        ), answer AS (
            SELECT * EXCLUDE (report), report AS report_id FROM sound
            QUALIFY row_number() OVER (
                PARTITION BY report, model, prompt, criteria_version ORDER BY seq DESC) = 1
        ), spoken AS (
            SELECT coalesce(p.report_id, d.record_id) AS report_id, d.reviewer, min(d.seq) AS first,
                max(d.seq) AS last
            FROM decision d LEFT JOIN report p ON p.record_id = d.record_id
            WHERE d.review = $review AND d.stage = $stage GROUP BY ALL
        )
        SELECT a.report_id, a.model, a.prompt, a.criteria_version, a.protocol, a.answers, a.seconds,
            a.cost, a.currency, a.made, EXISTS (SELECT 1 FROM spoken s
                WHERE s.report_id = a.report_id AND s.first < a.seq AND s.last > a.seq) AS changed
        FROM answer a ORDER BY a.seq""",
        {"review": review, "stage": stage},
    )


def last(con: Connection, reviews: Sequence[str], most: int) -> dict[str, list[str | None]]:
    """What was wrong with the last questions of each review, newest first; None: nothing."""
    rows = by_review(
        con,
        """SELECT review, problem FROM assistant_answer
        WHERE review IN (SELECT unnest($reviews::VARCHAR[]))
        QUALIFY row_number() OVER (PARTITION BY review ORDER BY seq DESC) <= $most
        ORDER BY review, seq DESC""",
        list(reviews),
        most=most,
    )
    return {review: [row[0] for row in found] for review, found in rows.items()}


@dataclass(frozen=True, slots=True)
class Spent:
    """All that was asked for a review: questions, those that brought no answer, tokens and cost."""

    questions: int
    failed: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    currency: str | None


def spent(con: Connection, review: str) -> list[Spent]:
    """What was spent, by currency."""
    rows = con.execute(
        """SELECT count(*), count(problem), coalesce(sum(tokens_in), 0),
            coalesce(sum(tokens_out), 0), sum(cost), currency
        FROM assistant_answer WHERE review = ? GROUP BY currency ORDER BY currency NULLS FIRST""",
        [review],
    ).fetchall()
    return [Spent(*row) for row in rows]


def votes(con: Connection, review: str, stage: str) -> dict[str, list[tuple[str, bool]]]:
    """(person, whether they kept it) of each vote in force at this stage, by report."""
    rows = con.execute(
        """SELECT report_id, reviewer, verdict <> 'exclude' FROM current_decision
        WHERE review = ? AND stage = ? AND role = 'vote' ORDER BY report_id, reviewer""",
        [review, stage],
    ).fetchall()
    found: dict[str, list[tuple[str, bool]]] = {}
    for report, person, keeps in rows:
        found.setdefault(report, []).append((person, keeps))
    return found


def ends(con: Connection, review: str, stage: str) -> dict[str, bool]:
    """Whether each report that is settled at this stage, the last, was included."""
    rows = con.execute(
        """SELECT report_id, state = 'included' FROM screening_state
        WHERE review = ? AND stage = ? AND state IN ('included', 'excluded')""",
        [review, stage],
    ).fetchall()
    return dict(rows)


def tagged(con: Connection, review: str, tag: str) -> set[str]:
    """The reports that have this tag of the review, however it is written."""
    rows = con.execute(
        """SELECT g.report_id FROM current_tagging g
        JOIN current_tag t ON t.review = g.review AND t.tag = g.tag
        WHERE g.review = ? AND lower(t.name) = lower(?)""",
        [review, tag],
    ).fetchall()
    return {report for (report,) in rows}


def protocol_texts(con: Connection, review: str) -> dict[str, str]:
    """Every text that the protocol of a review ever had, by its hash."""
    rows = con.execute("SELECT hash, text FROM protocol WHERE review = ?", [review]).fetchall()
    return dict(rows)
