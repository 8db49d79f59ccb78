"""The ranking of a review's queue, and what it is learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store.open import Connection
from livereview.store.rows import by_review, kept_rows, one_row


@dataclass(frozen=True, slots=True)
class Ranking:
    """One ranking of a review: `model` and `features` are versions, `reports` and `labels` how many
    there were.

    Attributes:
        told: What else the model says, as `ranking.nightly.rank` tells it.
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


def save(
    con: Connection,
    review: str,
    ranking: Ranking,
    reports: tuple[str, ...],
    scores: tuple[float, ...],
) -> None:
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
        """INSERT INTO rank (review, report_id, place, score)
        SELECT ?, unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::DOUBLE[])""",
        [review, list(reports), list(range(1, len(reports) + 1)), list(scores)],
    )


def place(con: Connection, review: str, report_id: str) -> tuple[int, str] | None:
    """(place, version of the model) of a report in the ranking that is in use."""
    models = kept_rows(con, "SELECT arg_max(model, seq) FROM ranking WHERE review = ?", [review])
    model = models[0][0]
    if model is None:
        return None
    row = one_row(
        con, "SELECT place FROM rank WHERE review = ? AND report_id = ?", [review, report_id]
    )
    return (row[0], model) if row else None


def labels(con: Connection, review: str, stage: str) -> list[tuple[str, bool]]:
    """(report, whether it went on) of each report that is settled at the first stage, in the order
    settled.

    Half-screened reports are left out: a rank that one vote moved would tell the other reviewer of
    it. So are conflicts: whether they go on is for a third person to say.
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
    """How many reports have all their votes at this stage, which differ, and wait for a third
    person.
    """
    row = one_row(
        con,
        "SELECT count(*) FROM screening_state WHERE review = ? AND stage = ? AND state = 'conflict'",
        [review, stage],
    )
    return int(row[0]) if row else 0


def reports(con: Connection, review: str) -> int:
    """How many reports a review has."""
    row = one_row(con, "SELECT count(*) FROM screening_state WHERE review = ?", [review])
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Age:
    """What tells whether the ranking in use is out of date.

    Attributes:
        reports: The reports of the review.
        without: Those of them without a place.
        settled: Those that are settled at the first stage.
        labels: How many were settled when it was ranked last; None: it never was.
        searching: Whether a search is still bringing records.
    """

    reports: int = 0
    without: int = 0
    settled: int = 0
    labels: int | None = None
    searching: bool = False


def ages(con: Connection, first_stages: Mapping[str, str]) -> dict[str, Age]:
    """The age of the ranking of each review, by the first stage of its protocol."""
    rows = by_review(
        con,
        """WITH ask AS (SELECT unnest($reviews::VARCHAR[]) AS review, unnest($stages::VARCHAR[]) AS stage),
        last AS (SELECT review, arg_max(labels, seq) AS labels FROM ranking GROUP BY review),
        voted AS (SELECT DISTINCT review, stage, report_id FROM current_decision),
        running AS (SELECT DISTINCT review FROM attempt WHERE outcome = 'running')
        SELECT a.review, count(*), count(*) FILTER (WHERE r.report_id IS NULL),
            count(*) FILTER (WHERE v.report_id IS NOT NULL
                AND (s.stage <> a.stage OR s.state IN ('included', 'excluded'))),
            any_value(l.labels), any_value(u.review) IS NOT NULL
        FROM ask a JOIN screening_state s ON s.review = a.review
        LEFT JOIN rank r ON r.review = s.review AND r.report_id = s.report_id
        LEFT JOIN voted v ON v.review = s.review AND v.stage = a.stage AND v.report_id = s.report_id
        LEFT JOIN last l ON l.review = a.review LEFT JOIN running u ON u.review = a.review
        GROUP BY a.review""",
        list(first_stages),
        stages=list(first_stages.values()),
    )
    return {review: Age(*found[0]) if found else Age() for review, found in rows.items()}


@dataclass(frozen=True, slots=True)
class Finished:
    """A review with nothing left to read at its first stage.

    Attributes:
        relevant: Reports that went on.
        expected: What each of its rankings expected, as `ranking.nightly.expectation` tells it.
    """

    review: str
    relevant: int
    expected: tuple[dict[str, Any], ...]


def finished(con: Connection) -> list[Finished]:
    """Every finished review that was ranked while it was read."""
    rows = con.execute(
        """WITH done AS (
            SELECT s.review,
                count(*) FILTER (WHERE s.stage <> p.stages[1] OR s.state = 'included') AS relevant
            FROM screening_state s JOIN current_protocol p ON p.review = s.review
            GROUP BY s.review
            HAVING count(*) FILTER (
                WHERE s.stage = p.stages[1] AND s.state IN ('open', 'half', 'conflict')) = 0)
        SELECT d.review, d.relevant, list(r.told ORDER BY r.seq)
        FROM done d JOIN ranking r ON r.review = d.review
        WHERE r.told IS NOT NULL GROUP BY d.review, d.relevant ORDER BY d.review"""
    ).fetchall()
    found = []
    for review, relevant, texts in rows:
        expected = [json.loads(text).get("expected") for text in texts]
        looks = tuple(look for look in expected if look)
        if looks:
            found.append(Finished(review, relevant, looks))
    return found


def above(con: Connection, review: str, stage: str, score: float) -> int:
    """How many of the reports that still take votes at this stage score at least this much."""
    row = one_row(
        con,
        """SELECT count(*) FROM rank r JOIN screening_state s USING (review, report_id)
        WHERE review = ? AND s.stage = ? AND s.state IN ('open', 'half') AND r.score >= ?""",
        [review, stage, score],
    )
    return row[0] if row else 0


def found_since(con: Connection, review: str, moment: datetime) -> list[str]:
    """The reports that the review found after this, the newest last."""
    rows = con.execute(
        "SELECT report_id FROM listing WHERE review = ? AND found > ? ORDER BY found, report_id",
        [review, moment],
    ).fetchall()
    return [report for (report,) in rows]


@dataclass(frozen=True, slots=True)
class Drifted:
    """What the last ranking said of the new reports beside those found before: fields as of
    `ranking.drift.Drift`.

    Attributes:
        audited: When reports were last drawn at random from the unread; None: never.
    """

    alarm: bool
    new: int
    old: int
    unknown_new: float
    unknown_old: float
    audited: datetime | None


def drifted(con: Connection, reviews: Sequence[str]) -> dict[str, Drifted | None]:
    """The drift of each of these reviews; None where nothing can be told of it."""
    rows = by_review(
        con,
        """WITH last AS (SELECT review, arg_max(told, seq) AS told FROM ranking
            WHERE review IN (SELECT unnest($reviews::VARCHAR[])) GROUP BY review)
        SELECT l.review, l.told -> '$.drift', (SELECT max(d.made) FROM draw d WHERE d.review = l.review)
        FROM last l WHERE json_type(l.told, '$.drift') = 'OBJECT'""",
        list(reviews),
    )
    found: dict[str, Drifted | None] = {}
    for review, some in rows.items():
        found[review] = None
        for text, audited in some:
            told = json.loads(text)
            found[review] = Drifted(
                alarm=told["alarm"],
                new=told["new"],
                old=told["old"],
                unknown_new=told["unknown_new"],
                unknown_old=told["unknown_old"],
                audited=audited,
            )
    return found
