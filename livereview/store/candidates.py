"""Blocking: which pairs of records are worth comparing, found by keys they share.

A key that more than CAP records share is skipped. Keys are made so that this hardly happens
(`dedup.blocks`); where it
does, pairs found before the key grew past CAP stay known while a later batch would not find them:
the one price at which the nights in another order could differ from one batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from livereview.dedup.blocks import CAP
from livereview.store.open import Connection
from livereview.store.rows import one_row

CHUNK = 50_000  # records handed to the database at once: bounds the memory of its list parameters


def replace(con: Connection, keyed: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    """Let these records be found by these keys and no others."""
    known = one_row(con, "SELECT EXISTS (SELECT 1 FROM block)")
    if known and known[0]:
        con.execute(
            "DELETE FROM block WHERE record_id IN (SELECT unnest(?::VARCHAR[]))",
            [[record for record, _ in keyed]],
        )
    for start in range(0, len(keyed), CHUNK):
        _insert(
            con, [(key, record) for record, keys in keyed[start : start + CHUNK] for key in keys]
        )


def _insert(con: Connection, rows: list[tuple[str, str]]) -> None:
    if rows:
        con.execute(
            """INSERT INTO block (key, record_id)
            SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])""",
            [[key for key, _ in rows], [record for _, record in rows]],
        )


def pairs(con: Connection, record_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Each pair, once, of one of these records and any record that shares a key with it."""
    return con.execute(
        """WITH new AS (SELECT unnest(?::VARCHAR[]) AS record_id),
        mine AS (SELECT DISTINCT b.key, b.record_id FROM block b JOIN new USING (record_id)),
        common AS (SELECT key FROM block WHERE key IN (SELECT key FROM mine) GROUP BY key HAVING count(*) BETWEEN 2 AND ?)
        SELECT DISTINCT least(mine.record_id, b.record_id), greatest(mine.record_id, b.record_id)
        FROM mine JOIN common USING (key) JOIN block b USING (key) WHERE b.record_id <> mine.record_id""",
        [list(record_ids), CAP],
    ).fetchall()


def clear(con: Connection) -> None:
    """Forget every key, before they are made again."""
    con.execute("DELETE FROM block")
