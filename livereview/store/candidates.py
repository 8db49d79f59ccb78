"""Blocking: which pairs of records are worth comparing, found by keys they share."""

from __future__ import annotations

from collections.abc import Sequence

from livereview.store.open import Connection

CAP = 400  # a key shared by more records than this tells nothing; what it costs is measured in README


def replace(con: Connection, keyed: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    """Let these records be found by these keys and no others."""
    con.execute("DELETE FROM block WHERE record_id IN (SELECT unnest(?::VARCHAR[]))", [[record for record, _ in keyed]])
    rows = [(key, record) for record, keys in keyed for key in keys]
    if rows:
        con.execute(
            "INSERT INTO block SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [[key for key, _ in rows], [record for _, record in rows]],
        )


def pairs(con: Connection, record_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Each pair, once, of one of these records and any record that shares a key with it."""
    return con.execute(
        """WITH new AS (SELECT unnest(?::VARCHAR[]) AS record_id),
        mine AS (SELECT DISTINCT b.key, b.record_id FROM block b JOIN new USING (record_id)),
        common AS (SELECT key FROM block WHERE key IN (SELECT key FROM mine) GROUP BY key HAVING count(*) <= ?)
        SELECT DISTINCT least(mine.record_id, b.record_id), greatest(mine.record_id, b.record_id)
        FROM mine JOIN common USING (key) JOIN block b USING (key) WHERE b.record_id <> mine.record_id""",
        [list(record_ids), CAP],
    ).fetchall()


def clear(con: Connection) -> None:
    """Forget every key, before they are made again."""
    con.execute("DELETE FROM block")
