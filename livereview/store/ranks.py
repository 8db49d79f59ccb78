"""The ranking of a review's queue, and what it is learned from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store.open import Connection
from livereview.store.rows import one_row


@dataclass(frozen=True, slots=True)
class Ranking:
    """One ranking of a review: `model` and `features` are versions, `reports` and `labels` how many there were.

    told   what else the model says, as `ranking.nightly.rank` tells it
    """

    id: str
    model: str
    features: str
    seed: int
    reports: int
    labels: int
    made: datetime
    told: dict[str, Any]


def last(con: Connection, review: str) -> Ranking | None:
    row = one_row(
        con,
        """SELECT id, model, features, seed, reports, labels, made, coalesce(told, '{}') FROM ranking
        WHERE review = ? ORDER BY seq DESC LIMIT 1""",
        [review],
    )
    if row is None:
        return None
    return Ranking(*(*row[:-1], json.loads(row[-1])))


def save(con: Connection, review: str, ranking: Ranking, reports: tuple[str, ...], scores: tuple[float, ...]) -> None:
    """Let this be the review's ranking."""
    con.execute(
        """INSERT INTO ranking (id, review, model, features, seed, reports, labels, made, told)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            ranking.id,
            review,
            ranking.model,
            ranking.features,
            ranking.seed,
            ranking.reports,
            ranking.labels,
            ranking.made,
            json.dumps(ranking.told, allow_nan=False),
        ],
    )
    con.execute("DELETE FROM rank WHERE review = ?", [review])
    con.execute(
        "INSERT INTO rank SELECT ?, unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::DOUBLE[])",
        [review, list(reports), list(range(1, len(reports) + 1)), list(scores)],
    )


def place(con: Connection, review: str, report_id: str) -> tuple[int, str] | None:
    """(place, version of the model) of a report in the ranking that is in use."""
    row = one_row(con, "SELECT place FROM rank WHERE review = ? AND report_id = ?", [review, report_id])
    if row is None:
        return None
    model = one_row(con, "SELECT arg_max(model, seq) FROM ranking WHERE review = ?", [review])
    return (row[0], model[0]) if model and model[0] is not None else None


def labels(con: Connection, review: str, stage: str) -> list[tuple[str, bool]]:
    """(report, whether it went on) of each report that is settled at the first stage, in the order settled.

    Half-screened reports are left out: a rank that one vote moved would tell the other reviewer of it. So are conflicts:
    whether they go on is for a third person to say.
    """
    rows = con.execute(
        """SELECT s.report_id, s.stage <> $stage OR s.state = 'included' FROM screening_state s
        JOIN (SELECT report_id, max(seq) AS seq FROM current_decision WHERE review = $review AND stage = $stage
            GROUP BY report_id) d USING (report_id)
        WHERE s.review = $review AND (s.stage <> $stage OR s.state IN ('included', 'excluded'))
        ORDER BY d.seq""",
        {"review": review, "stage": stage},
    ).fetchall()
    return [(row[0], bool(row[1])) for row in rows]


def conflicts(con: Connection, review: str, stage: str) -> int:
    """How many reports have all their votes at this stage, which differ, and wait for a third person."""
    row = one_row(
        con,
        "SELECT count(*) FROM screening_state WHERE review = ? AND stage = ? AND state = 'conflict'",
        [review, stage],
    )
    return int(row[0]) if row else 0


def counts(con: Connection, review: str) -> tuple[int, int]:
    """(reports of the review, those without a place)."""
    row = one_row(
        con,
        """SELECT count(*), count(*) FILTER (WHERE r.report_id IS NULL) FROM screening_state s
        LEFT JOIN rank r ON r.review = s.review AND r.report_id = s.report_id WHERE s.review = ?""",
        [review],
    )
    return (row[0], row[1]) if row else (0, 0)


def searching(con: Connection, review: str) -> bool:
    """Whether a search of the review is still bringing records."""
    row = one_row(con, "SELECT EXISTS (SELECT 1 FROM attempt WHERE review = ? AND outcome = 'running')", [review])
    return bool(row and row[0])


def above(con: Connection, review: str, stage: str, score: float) -> int:
    """How many of the reports that still take votes at this stage score at least this much."""
    row = one_row(
        con,
        """SELECT count(*) FROM rank r JOIN screening_state s USING (review, report_id)
        WHERE review = ? AND s.stage = ? AND s.state IN ('open', 'half') AND r.score >= ?""",
        [review, stage, score],
    )
    return row[0] if row else 0
