"""Copies of a database: all of it at one moment, or the rows that came after a number, and putting
those back.

Three kinds of tables are told apart. Events have a number and are only added: what is new is what
has a higher one. Derived tables are made again from the events and never shipped. Everything else
is small (a sign of life, a lease) or keyed by its content (`body`); it is shipped whole when it
changed, except for the bodies, which come with their pages. A table that nobody thought of is of
this last kind, so nothing is forgotten.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import duckdb

from livereview.errors import Refused
from livereview.store import past
from livereview.store.open import Connection, connect

# `rank` by the next ranking, `listing` by the next start, the others by ops.settle
DERIVED = ("report", "block", "screening_state", "rank", "listing")
# Sessions end with a restore: one that was signed out must not come back. Signs of life and leases
# of processes mean nothing on another day.
NEVER = ("session", "migration", "sign_of_life", "search_lease")
BODIES = "body"
LET_GO_SECONDS = 60.0  # a question may take as long as that (store.open.PATIENCE)
SEQUENCE = "event_seq"
FINGERPRINT = 1_000  # events: the last one alone would do, but for a number that nobody took


@dataclass(frozen=True, slots=True)
class Rows:
    """What was written for an increment: rows by table, which tables are whole, and each whole
    table's signature.
    """

    rows: Mapping[str, int]
    whole: tuple[str, ...]
    signatures: Mapping[str, str]


def tables(con: Connection) -> list[str]:
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database() ORDER BY ALL"
    ).fetchall()
    return [row[0] for row in rows]


def counts(con: Connection) -> dict[str, int]:
    """Rows of each table that a restore must have again."""
    chosen = [table for table in tables(con) if table not in (*DERIVED, *NEVER)]
    return {table: _count(con, table) for table in chosen}


def migration(con: Connection) -> int:
    """The last migration that the database has had."""
    return int(con.execute("SELECT max(number) FROM migration").fetchall()[0][0])


def copy_all(con: Connection, target: Path) -> None:
    """Write everything that this transaction sees to a new file, which the connection must be
    allowed to write.
    """
    source = con.execute("SELECT current_database()").fetchall()[0][0]
    alias = f"copy_{uuid4().hex}"
    con.execute(f"ATTACH '{_quoted(target)}' AS {alias}")
    try:
        con.execute(f'COPY FROM DATABASE "{source}" TO {alias}')
        con.commit()  # or the copy could not be let go of
    except BaseException:
        with suppress(duckdb.Error):  # what went wrong is what counts
            con.rollback()
            con.execute(f"DETACH {alias}")
        raise
    con.execute(f"DETACH {alias}")


def open_copy(path: Path, memory: str, read_only: bool) -> Connection:
    """Open a copy that `copy_all` has just written.

    It is let go of when the last question that saw it has ended.
    """
    until = time.monotonic() + LET_GO_SECONDS
    while True:
        try:
            return connect(path, None, memory, 1, read_only)
        except duckdb.Error as error:
            if "file handle conflict" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.05)


def check(path: Path, expected: Mapping[str, int], seq: int, fresh: bool = False) -> None:
    """Open a copy and count; raises Refused where it is not what it should be.

    Args:
        fresh: `copy_all` has just written it: its log is put into the file first.
    """
    try:
        con = open_copy(path, "1GB", read_only=not fresh)
        try:
            if fresh:
                con.execute("CHECKPOINT")
            found, last = counts(con), past.seen(con)
        finally:
            con.close()
    except duckdb.Error as error:
        raise Refused(f"the copy can't be opened: {str(error).splitlines()[0][:200]}") from None
    differences = [
        f"{table} has {found.get(table, 0):,} rows instead of {number:,}"
        for table, number in expected.items()
        if found.get(table) != number
    ]
    if last != seq:
        differences.append(f"its last event has number {last:,} instead of {seq:,}")
    if differences:
        raise Refused(f"the copy is not whole: {'; '.join(differences)}")


def write_rows(
    con: Connection, after: int, upto: int, folder: Path, before: Mapping[str, str]
) -> Rows:
    """Write the events with numbers over `after` and up to `upto`, and what else changed, as
    Parquet files.

    Args:
        before: The signatures of whole tables when they were last written.
    """
    rows: dict[str, int] = {}
    events = past.event_tables(con)
    for table in events:
        number = _count(con, table, f"seq > {after:d} AND seq <= {upto:d}")
        if number:
            _write(con, table, f"seq > {after:d} AND seq <= {upto:d}", folder)
            rows[table] = number
    if "page" in rows:
        first = f"SELECT sha256 FROM page GROUP BY sha256 HAVING min(seq) > {after:d} AND min(seq) <= {upto:d}"  # noqa: S608
        rows[BODIES] = _count(con, BODIES, f"sha256 IN ({first})")
        _write(con, BODIES, f"sha256 IN ({first})", folder)
    others = [table for table in tables(con) if table not in (*events, *DERIVED, *NEVER, BODIES)]
    signatures = {table: _signature(con, table) for table in others}
    changed = tuple(
        table for table, signature in signatures.items() if before.get(table) != signature
    )
    for table in changed:
        _write(con, table, "true", folder)
        rows[table] = _count(con, table)
    return Rows(rows, changed, signatures)


def fingerprint(con: Connection, upto: int) -> str:
    """Of the last FINGERPRINT events up to this one, by which a database is known that has gone
    another way since.
    """
    near = f"seq > {upto - FINGERPRINT:d} AND seq <= {upto:d}"
    parts = [
        f"SELECT '{table}' AS name, count(*) AS rows, bit_xor(hash(t)) AS mixed FROM {table} t WHERE {near}"  # noqa: S608
        for table in past.event_tables(con)
    ]
    every = " UNION ALL ".join(parts)
    rows = con.execute(f"{every} ORDER BY name").fetchall()
    # a table that a migration adds is empty, and changes nothing
    present = [row for row in rows if row[1]]
    return hashlib.sha256(repr(present).encode()).hexdigest()


def signatures(con: Connection) -> dict[str, str]:
    """Of each table that is shipped whole, what tells whether it changed."""
    events = past.event_tables(con)
    others = [table for table in tables(con) if table not in (*events, *DERIVED, *NEVER, BODIES)]
    return {table: _signature(con, table) for table in others}


def put_back(
    con: Connection, folder: Path, rows: Mapping[str, int], whole: tuple[str, ...]
) -> None:
    """Add the rows of an increment, in one transaction.

    Raises:
        Refused: for a table that the database does not have.
    """
    known = set(tables(con))
    if strangers := sorted(set(rows) - known):
        raise Refused(
            f"the increment has a table {strangers[0]!r} that this database does not have"
        )
    con.begin()
    try:
        for table in rows:
            if table in whole:
                con.execute(f"DELETE FROM {table}")  # noqa: S608
            file = folder / f"{table}.parquet"
            conflict = "ON CONFLICT DO NOTHING" if table == BODIES else ""
            con.execute(
                f"INSERT INTO {table} BY NAME SELECT * FROM read_parquet('{_quoted(file)}') {conflict}"  # noqa: S608
            )
        con.commit()
    except BaseException:
        con.rollback()
        raise


def finish(con: Connection, upto: int, ranked_anew: bool) -> None:
    """Let numbers go on after the last event, end all sessions, and drop ranks that a later ranking
    replaced.
    """
    row = con.execute(
        "SELECT coalesce(last_value, 0) FROM duckdb_sequences() WHERE sequence_name = ?", [SEQUENCE]
    )
    last = int(row.fetchall()[0][0])
    if last < upto:
        con.execute("SELECT max(nextval('event_seq')) FROM range(?)", [upto - last]).fetchall()
    con.execute("DELETE FROM session")
    if ranked_anew:
        con.execute("DELETE FROM rank")


def _write(con: Connection, table: str, where: str, folder: Path) -> None:
    target = folder / f"{table}.parquet"
    con.execute(
        f"COPY (SELECT * FROM {table} WHERE {where}) TO '{_quoted(target)}' (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608
    )


def _quoted(path: Path) -> str:
    """A path as it stands between the quotes of a statement."""
    return str(path).replace("'", "''")


def _count(con: Connection, table: str, where: str = "true") -> int:
    return int(con.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchall()[0][0])  # noqa: S608


def _signature(con: Connection, table: str) -> str:
    rows = con.execute(
        f"SELECT count(*), coalesce(bit_xor(hash(t)), 0)::VARCHAR FROM {table} t"  # noqa: S608
    ).fetchall()
    return f"{rows[0][0]}:{rows[0][1]}"
