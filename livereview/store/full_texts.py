"""Which full texts were added to which reports. The files are `ops.full_text`'s."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store import standings
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
    where, values = standings.chosen(standings.members(con, [report_id]))
    rows = con.execute(
        f"""SELECT sha256, arg_min(name, seq), any_value(size), arg_min(author, seq), min(made) FROM full_text
        WHERE review = ? AND record_id {where} GROUP BY sha256 ORDER BY min(seq)""",  # noqa: S608
        [review, *values],
    ).fetchall()
    return [FullText(*row) for row in rows]


def named(con: Connection, review: str, sha256: str) -> str | None:
    """What this file is called in this review; None if the review has no such file."""
    row = one_row(
        con,
        "SELECT arg_min(name, seq) FROM full_text WHERE review = ? AND sha256 = ?",
        [review, sha256],
    )
    return row[0] if row else None
