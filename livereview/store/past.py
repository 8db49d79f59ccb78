"""The database as it was: events are never changed, so the past is what has the lower numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from livereview.store.open import Connection, Store
from livereview.store.rows import one_row

DERIVED = ("screening_state",)  # has the number of an event, and is made again


def event_tables(con: Connection) -> list[str]:
    """Every table of numbered events."""
    rows = con.execute(
        """SELECT table_name FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, table_name)
        WHERE column_name = 'seq' AND database_name = current_database() ORDER BY table_name"""
    ).fetchall()
    return [row[0] for row in rows if row[0] not in DERIVED]


def seen(con: Connection) -> int:
    """The highest number of all events that this connection sees."""
    highest = " UNION ALL ".join(
        f"SELECT max(seq) AS seq FROM {table}"  # noqa: S608
        for table in event_tables(con)
    )
    row = one_row(con, f"SELECT coalesce(max(seq), 0) FROM ({highest})")  # noqa: S608
    return int(row[0]) if row else 0


def last_build(con: Connection, review: str, moment: datetime) -> int | None:
    """What the last good build before this moment had seen; None if there was none.

    A build that is held is none.
    """
    row = one_row(
        con,
        """SELECT arg_max(b.upto, b.seq) FROM built b WHERE b.review = $review AND b.problem IS NULL AND b.held IS NULL
            AND b.made <= $moment AND EXISTS (SELECT 1 FROM version v WHERE v.review = $review AND v.made <= $moment)""",
        {"review": review, "moment": moment},
    )
    return int(row[0]) if row and row[0] is not None else None


@contextmanager
def copy(store: Store, name: str) -> Iterator[Connection]:
    """A copy of the whole database to change at will; it is gone afterwards."""
    from livereview.store import copies  # which asks this module for the tables of events

    store.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    store.reserve.require_bytes(
        store.database.stat().st_size, "a copy of the database to look into the past"
    )
    path = store.backups / f"{name}.duckdb"
    try:
        with store.still() as moment:
            copies.copy_all(moment, path)
        con = copies.open_copy(path, "1GB", read_only=False)
        try:
            yield con
        finally:
            con.close()
    finally:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def forget(con: Connection, upto: int) -> None:
    """Delete every event after number `upto`; of versions those that could know of more.

    A version's own event comes after all that it was made from, so it is told by that; never by the
    time, since clocks are set back.
    """
    for table in event_tables(con):
        if table == "version":
            con.execute("DELETE FROM version WHERE upto > ?", [upto])
        else:
            con.execute(f"DELETE FROM {table} WHERE seq > ?", [upto])  # noqa: S608
