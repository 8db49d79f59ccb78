"""Blocking: which pairs of records are worth comparing, found by keys they share.

A key that more than CAP records share is skipped. Keys are made so that this hardly happens
(`dedup.blocks`); where it
does, pairs found before the key grew past CAP stay known, and are judged again when one of the two
changes, while a later batch would not find them: the one price at which the nights in another order
could differ from one batch.

Keys are kept as numbers of 64 bits, which are read several times as fast as their texts. Two keys
with one number would cost a comparison more, and change nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from livereview.dedup.blocks import CAP
from livereview.store.open import Connection

CHUNK = 50_000  # records handed to the database at once: bounds the memory of its list parameters

Keys = tuple[str, ...]


def add(con: Connection, keyed: Mapping[str, Keys]) -> None:
    """Let these records, which have no keys yet, be found by these."""
    rows = list(keyed.items())
    for start in range(0, len(rows), CHUNK):
        keys, records = _columns(dict(rows[start : start + CHUNK]))
        con.execute(
            "INSERT INTO block SELECT md5_number_lower(unnest(?::VARCHAR[])), unnest(?::VARCHAR[])",
            [keys, records],
        )


def remove(con: Connection, record_ids: Collection[str]) -> None:
    """Let these records be found by no key."""
    if record_ids:
        con.execute(
            "DELETE FROM block WHERE record_id IN (SELECT unnest(?::VARCHAR[]))", [list(record_ids)]
        )


def pairs(con: Connection, keyed: Mapping[str, Keys]) -> list[tuple[str, str]]:
    """Each pair, once, of one of these records and any record that shares a key with it.

    Args:
        keyed: Records that were added, with the keys they were added by.
    """
    keys, records = _columns(keyed)
    return con.execute(
        """WITH mine AS (
            SELECT md5_number_lower(unnest(?::VARCHAR[])) AS key, unnest(?::VARCHAR[]) AS record_id
        ), shared AS MATERIALIZED (
            SELECT key, record_id FROM block WHERE key IN (SELECT key FROM mine)
        ), common AS (
            SELECT key FROM shared GROUP BY key HAVING count(*) BETWEEN 2 AND ?
        )
        SELECT DISTINCT
            least(mine.record_id, shared.record_id), greatest(mine.record_id, shared.record_id)
        FROM mine JOIN common USING (key) JOIN shared USING (key)
        WHERE shared.record_id <> mine.record_id""",
        [keys, records, CAP],
    ).fetchall()


def sharing(con: Connection, apart: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of these pairs whose two records share a key, however many others share it too."""
    if not apart:
        return []
    left, right = zip(*sorted(apart), strict=True)
    return con.execute(
        """WITH asked AS (
            SELECT unnest(?::VARCHAR[]) AS one, unnest(?::VARCHAR[]) AS other
        )
        SELECT DISTINCT asked.one, asked.other FROM asked
        JOIN block mine ON mine.record_id = asked.one
        JOIN block theirs ON theirs.record_id = asked.other AND theirs.key = mine.key""",
        [list(left), list(right)],
    ).fetchall()


def clear(con: Connection) -> None:
    """Forget every key, before they are made again."""
    con.execute("DELETE FROM block")


def _columns(keyed: Mapping[str, Keys]) -> tuple[list[str], list[str]]:
    """The keys, and beside each the record that has it."""
    keys: list[str] = []
    records: list[str] = []
    for record, own in keyed.items():
        keys += own
        records += [record] * len(own)
    return keys, records
