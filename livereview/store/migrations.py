"""Bringing a database's schema up to date, with a copy of the file from before."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from livereview.disk import Reserve
from livereview.errors import Refused
from livereview.store.condition import Unopenable
from livereview.store.writer import Connection

log = logging.getLogger(__name__)

# copies: who finds the fault of an update late has still the one from before it
KEPT_BEFORE_MIGRATION = 3

# where a wheel has what is `db` in a checkout
_packaged = Path(__file__).resolve().parents[1] / "_db"
SQL = _packaged if _packaged.is_dir() else Path(__file__).resolve().parents[2] / "db"


def applied(con: Connection, database: Path) -> list[int]:
    """The migrations that a database has had, ascending.

    Raises:
        Unopenable: for one that is not ours.
    """
    tables = {
        row[0]
        for row in con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
    }
    if not tables:
        return []  # its owner died before the first migration
    if "migration" not in tables:
        raise Unopenable(f"{database} is another program's database: it has no table `migration`")
    return [
        row[0] for row in con.execute("SELECT number FROM migration ORDER BY number").fetchall()
    ]


def _files() -> dict[int, Path]:
    """The migrations that this livereview has, by number."""
    return {int(path.name[:4]): path for path in SQL.glob("[0-9][0-9][0-9][0-9]_*.sql")}


def pending(done: list[int]) -> set[int]:
    """The migrations that a database has not had yet."""
    return _files().keys() - set(done)


def copy_before(database: Path, backups: Path, last: int, reserve: Reserve) -> None:
    """Copy the closed file to `backups/before-migration-…`, and say so in a line."""
    reserve.require_bytes(
        2 * database.stat().st_size, "the copy that is made before an update changes the database"
    )
    backups.mkdir(mode=0o700, exist_ok=True)
    newest = max(_files())
    target = backups / f"before-migration-{newest:04}-{time.time_ns()}.duckdb"
    beside = target.with_suffix(".part")
    try:
        shutil.copyfile(database, beside)
        beside.chmod(0o600)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    log.warning(
        "the database goes from migration %d to %d; the file from before is kept as %s",
        last,
        newest,
        target,
    )
    for old in sorted(
        backups.glob("before-migration-*.duckdb"), key=lambda path: path.stat().st_mtime_ns
    )[:-KEPT_BEFORE_MIGRATION]:
        old.unlink()


def migrate(con: Connection) -> None:
    """Bring the schema up to date, one transaction a migration, then the views where they are not
    today's.
    """
    con.execute(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)"
    )
    done = {row[0] for row in con.execute("SELECT number FROM migration").fetchall()}
    files = _files()
    if unknown := done - files.keys():
        raise Refused(
            f"the database has migration {max(unknown)}, which this livereview does not know; update livereview"
        )
    news = sorted(files.keys() - done)
    for number in news:
        _apply(con, files[number].read_text(encoding="utf-8"), number, files[number].name)
    views = (SQL / "views.sql").read_text(encoding="utf-8")
    if news or _noted(con) != _state_of_views(con, views):
        con.execute(views)
        con.execute(f"COMMENT ON TABLE migration IS '{_state_of_views(con, views)}'")


def _state_of_views(con: Connection, wanted: str) -> str:
    """Tells the views that are wanted, and those that the database has: an older livereview may
    have put its own back.
    """
    rows = con.execute(
        "SELECT sql FROM duckdb_views() WHERE NOT internal ORDER BY view_name"
    ).fetchall()
    present = "\n".join(sql for (sql,) in rows)
    return " ".join(hashlib.sha256(text.encode()).hexdigest() for text in (wanted, present))


def _noted(con: Connection) -> str | None:
    """The state in which the views were left, which is noted at the table of migrations."""
    rows = con.execute(
        "SELECT comment FROM duckdb_tables() WHERE table_name = 'migration'"
    ).fetchall()
    noted: str | None = rows[0][0]
    return noted


def _apply(con: Connection, script: str, number: int, name: str) -> None:
    con.begin()
    try:
        con.execute(script)
        con.execute("INSERT INTO migration VALUES (?, ?)", [number, name])
        con.commit()
    except BaseException:
        with suppress(duckdb.TransactionException):  # a failed commit has rolled back already
            con.rollback()
        raise
