"""Codes of reports for the map, as people gave them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from livereview.store.open import Connection


def append(
    con: Connection, id: str, review: str, record: str, codes: str, author: str, now: datetime
) -> bool:
    """Write the codes (JSON text) of a record's report; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO coding (id, review, record_id, codes, author, made) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [id, review, record, codes, author, now],
    ).fetchall()
    return bool(rows)


def said(con: Connection, review: str, records: Sequence[str]) -> list[tuple[str, str]]:
    """(author, JSON text) of all that was said of a report by any of its records, oldest first."""
    return con.execute(
        """SELECT author, codes FROM coding
        WHERE review = ? AND record_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY seq""",
        [review, list(records)],
    ).fetchall()


def in_force(con: Connection, review: str) -> dict[str, str]:
    """The last word on each report, as JSON text."""
    rows = con.execute(
        """SELECT coalesce(p.report_id, c.record_id) AS report_id, arg_max(c.codes, c.seq)
        FROM coding c LEFT JOIN report p ON p.record_id = c.record_id
        WHERE c.review = ? GROUP BY ALL ORDER BY report_id""",
        [review],
    ).fetchall()
    return dict(rows)
