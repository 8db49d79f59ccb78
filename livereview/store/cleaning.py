"""By which rules the stored records were last read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import one_row


def rules(con: Connection) -> str | None:
    """The version of the rules; None for records that were never read again."""
    row = one_row(con, "SELECT rules FROM cleaning ORDER BY seq DESC LIMIT 1", [])
    return row[0] if row else None


def note(con: Connection, version: str, changed: int, now: datetime) -> None:
    """Write that all records were read by these rules, and how many of them changed."""
    con.execute(
        "INSERT INTO cleaning (rules, changed, made) VALUES (?, ?, ?)", [version, changed, now]
    )


def hashes(con: Connection, record_ids: Sequence[str]) -> dict[str, str]:
    """The hash of the bytes from which each record's latest version was read."""
    rows = con.execute(
        "SELECT record_id, sha256 FROM current_record WHERE record_id IN (SELECT unnest(?::VARCHAR[]))",
        [list(record_ids)],
    ).fetchall()
    return dict(rows)
