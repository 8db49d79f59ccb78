"""Open copies of full texts that were tried: where, who told of them, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Tried:
    """One try.

    Attributes:
        origin: The source that told of the copy.
        licence, version: As that source says; None: it does not.
        problem: Why it could not be had; None: it was.
        sha256: The file that it is; None: it could not be had.
    """

    url: str
    origin: str
    licence: str | None
    version: str | None
    problem: str | None
    sha256: str | None
    made: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report whose full text is sought and not there, and the DOIs of all its records."""

    record: str
    dois: tuple[str, ...]


def append(con: Connection, id: str, review: str, record: str, tried: Tried) -> bool:
    """Write a try; False if this very one is known."""
    rows = con.execute(
        """INSERT INTO open_copy
        (id, review, record_id, url, origin, licence, version, problem, sha256, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            *(id, review, record, tried.url, tried.origin, tried.licence, tried.version),
            *(tried.problem, tried.sha256, tried.made),
        ],
    ).fetchall()
    return bool(rows)


def wanted(con: Connection, review: str, stage: str) -> list[Wanted]:
    """The reports that wait at this stage, or could not be retrieved, and have no file."""
    rows = con.execute(
        """SELECT s.report_id, list_sort(list(DISTINCT c.doi)) FROM screening_state s
        LEFT JOIN report p ON p.report_id = s.report_id
        JOIN current_record c ON c.record_id = coalesce(p.record_id, s.report_id)
        WHERE s.review = $review AND s.stage = $stage AND c.doi IS NOT NULL
            AND s.state IN ('open', 'half', 'conflict', 'not_retrieved')
            AND s.report_id NOT IN (
                SELECT coalesce(q.report_id, f.record_id) FROM full_text f
                LEFT JOIN report q ON q.record_id = f.record_id WHERE f.review = $review
            )
        GROUP BY s.report_id ORDER BY s.report_id""",
        {"review": review, "stage": stage},
    ).fetchall()
    return [Wanted(report, tuple(dois)) for report, dois in rows]


def tried_since(con: Connection, review: str, moment: datetime) -> list[str]:
    """The addresses that were tried for this review since then."""
    rows = con.execute(
        "SELECT DISTINCT url FROM open_copy WHERE review = ? AND made > ? ORDER BY url",
        [review, moment],
    ).fetchall()
    return [row[0] for row in rows]


def of_reports(con: Connection, review: str, report_ids: Sequence[str]) -> dict[str, list[Tried]]:
    """The tries for each of these reports, the newest first; none for most."""
    rows = con.execute(
        """SELECT coalesce(p.report_id, o.record_id) AS report_id,
            o.url, o.origin, o.licence, o.version, o.problem, o.sha256, o.made
        FROM open_copy o LEFT JOIN report p ON p.record_id = o.record_id
        WHERE o.review = ? AND coalesce(p.report_id, o.record_id) IN (SELECT unnest(?::VARCHAR[]))
        ORDER BY o.seq DESC""",
        [review, list(report_ids)],
    ).fetchall()
    tries: dict[str, list[Tried]] = {report: [] for report in report_ids}
    for report, *facts in rows:
        tries[report].append(Tried(*facts))
    return tries
