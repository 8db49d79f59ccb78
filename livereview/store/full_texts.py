"""Which full texts were added to which reports. The files are `ops.full_text`'s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import one_row


@dataclass(frozen=True, slots=True)
class FullText:
    """One file of a report: `name` as it was called where it came from, `size` in bytes."""

    sha256: str
    name: str
    size: int
    author: str
    made: datetime


def append(con: Connection, id: str, review: str, record: str, file: FullText) -> None:
    """Add it; the same id again changes nothing."""
    con.execute(
        """INSERT INTO full_text (id, review, record_id, sha256, name, size, author, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, record, file.sha256, file.name, file.size, file.author, file.made],
    )


def of(con: Connection, review: str, report_id: str) -> list[FullText]:
    """The files of a report, each once, oldest first."""
    return of_each(con, review, [report_id])[report_id]


def of_each(con: Connection, review: str, report_ids: Sequence[str]) -> dict[str, list[FullText]]:
    """The files of each of these reports, each once, oldest first."""
    rows = con.execute(
        """WITH asked AS (SELECT DISTINCT unnest(?::VARCHAR[]) AS report_id),
        members AS (
            SELECT report_id, report_id AS record_id FROM asked
            UNION SELECT report_id, p.record_id FROM asked JOIN report p USING (report_id)
        )
        SELECT m.report_id, f.sha256, arg_min(f.name, f.seq), any_value(f.size),
            arg_min(f.author, f.seq), min(f.made)
        FROM full_text f JOIN members m USING (record_id)
        WHERE f.review = ? GROUP BY m.report_id, f.sha256 ORDER BY min(f.seq)""",
        [list(report_ids), review],
    ).fetchall()
    files: dict[str, list[FullText]] = {report: [] for report in report_ids}
    for report, *row in rows:
        files[report].append(FullText(*row))
    return files


def one(con: Connection, review: str, sha256: str) -> FullText | None:
    """This file as it first came to the review; None if the review has no such file."""
    row = one_row(
        con,
        """SELECT sha256, name, size, author, made FROM full_text
        WHERE review = ? AND sha256 = ? ORDER BY seq LIMIT 1""",
        [review, sha256],
    )
    return FullText(*row) if row else None


def report_of(con: Connection, review: str, sha256: str) -> str:
    """The report that a file of this review was last added to."""
    row = one_row(
        con,
        """SELECT coalesce(p.report_id, f.record_id) FROM full_text f
        LEFT JOIN report p ON p.record_id = f.record_id
        WHERE f.review = ? AND f.sha256 = ? ORDER BY f.seq DESC LIMIT 1""",
        [review, sha256],
    )
    assert row
    return str(row[0])
