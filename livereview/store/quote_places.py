"""Where quotes stand in full texts, as they were looked up. The rule is `evidence.quotes`'."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from livereview.evidence.places import FINDER, Looked
from livereview.store.open import Connection
from livereview.store.rows import one_row


def append(con: Connection, review: str, looked: Sequence[Looked], now: datetime) -> int:
    """Write what was looked up, and how much of it is new."""
    new = 0
    for row in looked:
        quote = hashlib.sha256(row.quote.encode()).hexdigest()
        written = con.execute(
            """INSERT INTO quote_place
            (id, review, quote, sha256, finder, page, start, stop, boxes, before, after, reason, made)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
            [
                *(f"{review}/{row.sha256}/{quote}/{FINDER}", review, row.quote, row.sha256, FINDER),
                *(row.page, row.start, row.stop, row.boxes, row.before, row.after, row.reason),
                now,
            ],
        ).fetchall()
        new += len(written)
    return new


def of(con: Connection, review: str) -> dict[tuple[str, str], Looked]:
    """What was looked up in a review by today's rule, by quote and sha256 of the file."""
    rows = con.execute(
        """SELECT quote, sha256, page, start, stop, boxes, before, after, reason FROM quote_place
        WHERE review = ? AND finder = ? ORDER BY seq""",
        [review, FINDER],
    ).fetchall()
    return {(row[0], row[1]): Looked(*row) for row in rows}


def at(con: Connection, review: str, sha256: str, span: tuple[int, int]) -> Looked | None:
    """A quote that was found at just this place of a file; None if none was."""
    row = one_row(
        con,
        """SELECT quote, sha256, page, start, stop, boxes, before, after, reason FROM quote_place
        WHERE review = ? AND sha256 = ? AND finder = ? AND start = ? AND stop = ? LIMIT 1""",
        [review, sha256, FINDER, *span],
    )
    return Looked(*row) if row else None


def files_of_studies(con: Connection, review: str) -> dict[str, list[str]]:
    """The sha256 of each full text of a study's reports that is used, oldest first."""
    rows = con.execute(
        """SELECT s.study, f.sha256 FROM full_text f
        LEFT JOIN report p ON p.record_id = f.record_id
        JOIN current_study s ON s.review = f.review AND s.report_id = coalesce(p.report_id, f.record_id)
        ANTI JOIN (SELECT sha256 FROM current_full_text_word WHERE review = ? AND state <> 'used') gone
            ON gone.sha256 = f.sha256
        WHERE f.review = ? GROUP BY s.study, f.sha256 ORDER BY s.study, min(f.seq)""",
        [review, review],
    ).fetchall()
    files: dict[str, list[str]] = {}
    for study, sha256 in rows:
        files.setdefault(study, []).append(sha256)
    return files
