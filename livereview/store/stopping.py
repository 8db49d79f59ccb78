"""Ends of the reading that leads signed, and what was drawn to look behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store.open import Connection
from livereview.store.rows import any_row, one_row


@dataclass(frozen=True, slots=True)
class Stop:
    """A lead's act at the first stage: to stop, or (`stops` false) to read on.

    `told`: what the test said that day.
    """

    id: str
    stops: bool
    author: str
    note: str | None
    told: dict[str, Any]
    made: datetime


@dataclass(frozen=True, slots=True)
class Eligible:
    """A report that an audit could draw: the probabilities of the audits it lay unread at;
    `verdict`: went on (True), did not (False), not settled yet (None).
    """

    report_id: str
    probabilities: tuple[float, ...]
    drawn: bool
    verdict: bool | None


def append(con: Connection, review: str, stop: Stop) -> bool:
    """Write the act; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO stopping (id, review, stops, author, note, told, made) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            stop.id,
            review,
            stop.stops,
            stop.author,
            stop.note,
            json.dumps(stop.told, allow_nan=False),
            stop.made,
        ],
    ).fetchall()
    return bool(rows)


def last(con: Connection, review: str) -> Stop | None:
    """The last act, whether or not it still holds."""
    row = one_row(
        con,
        "SELECT id, stops, author, note, told, made FROM stopping WHERE review = ? ORDER BY seq DESC LIMIT 1",
        [review],
    )
    if row:
        return Stop(row[0], row[1], row[2], row[3], json.loads(row[4]), row[5])
    return None


def in_force(con: Connection, review: str) -> Stop | None:
    """The stop that holds today: not taken back, no report came since, and the protocol is the
    same.
    """
    held = one_row(con, "SELECT 1 FROM stopped WHERE review = ?", [review])
    return last(con, review) if held else None


def holds(con: Connection, review: str, stage: str) -> bool:
    """Whether reading has stopped at this stage."""
    if not any_row(con, "SELECT 1 FROM stopping WHERE review = ? LIMIT 1", [review]):
        return False
    row = one_row(
        con,
        "SELECT 1 FROM stopped JOIN current_protocol p USING (review) WHERE review = ? AND p.stages[1] = ?",
        [review, stage],
    )
    return row is not None


def stopped(con: Connection, reviews: Sequence[str]) -> set[str]:
    """Those of the reviews whose reading has stopped, which it does at their first stage."""
    rows = con.execute(
        "SELECT review FROM stopped WHERE review IN (SELECT unnest(?::VARCHAR[]))", [list(reviews)]
    ).fetchall()
    return {row[0] for row in rows}


def unread(con: Connection, review: str) -> list[str]:
    """Reports without a vote at the first stage that no audit has drawn yet.

    The stop, if any, does not matter.
    """
    rows = con.execute(
        """SELECT s.report_id FROM screening_state s JOIN current_protocol p USING (review)
        ANTI JOIN drawn d ON d.review = s.review AND d.report_id = s.report_id
        WHERE s.review = ? AND s.stage = p.stages[1] AND s.state = 'open' ORDER BY s.report_id""",
        [review],
    ).fetchall()
    return [row[0] for row in rows]


def draw(
    con: Connection,
    audit: str,
    review: str,
    drawn: Sequence[tuple[str, float]],
    author: str,
    now: datetime,
) -> None:
    """Log an audit: (record, probability) of each record drawn."""
    con.execute(
        """INSERT INTO draw (audit, review, record_id, probability, author, made)
        SELECT ?, ?, unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), ?, ? ON CONFLICT DO NOTHING""",
        [audit, review, [one for one, _ in drawn], [p for _, p in drawn], author, now],
    )


def drawn(con: Connection, audit: str) -> int:
    """How many records this audit drew; 0: there was none of this id."""
    row = one_row(con, "SELECT count(*) FROM draw WHERE audit = ?", [audit])
    return row[0] if row else 0


def eligible(con: Connection, review: str, stage: str) -> list[Eligible]:
    """Every report that lay unread at an audit: found before it, and not voted on at the first
    stage until after it.
    """
    rows = con.execute(
        """WITH audits AS (SELECT audit, min(seq) AS seq, max(probability) AS probability FROM draw WHERE review = $review
            GROUP BY audit),
        first_vote AS (SELECT coalesce(p.report_id, d.record_id) AS report_id, min(d.seq) AS seq FROM decision d
            LEFT JOIN report p ON p.record_id = d.record_id WHERE d.review = $review AND d.stage = $stage GROUP BY ALL),
        chosen AS (SELECT coalesce(p.report_id, d.record_id) AS report_id, min(d.seq) AS seq FROM draw d
            LEFT JOIN report p ON p.record_id = d.record_id WHERE d.review = $review GROUP BY ALL)
        SELECT s.report_id, list(a.probability ORDER BY a.seq), any_value(c.report_id IS NOT NULL),
            any_value(CASE WHEN s.stage = $stage AND s.state IN ('open', 'half', 'conflict', 'not_retrieved') THEN NULL
                ELSE s.stage <> $stage OR s.state = 'included' END)
        FROM screening_state s JOIN audits a ON a.seq > s.seq LEFT JOIN first_vote v USING (report_id)
        LEFT JOIN chosen c USING (report_id)
        WHERE s.review = $review AND coalesce(v.seq, a.seq) >= a.seq AND coalesce(c.seq, a.seq) >= a.seq
        GROUP BY s.report_id ORDER BY s.report_id""",
        {"review": review, "stage": stage},
    ).fetchall()
    return [
        Eligible(report, tuple(probabilities), drawn, verdict)
        for report, probabilities, drawn, verdict in rows
    ]
