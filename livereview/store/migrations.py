"""Bringing a database's schema up to date, with a copy of the file from before."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from livereview.disk import Reserve
from livereview.errors import Refused
from livereview.store.condition import Unopenable
from livereview.store.writer import Connection

log = logging.getLogger(__name__)

# how a statement of a migration begins, up to the name of what it changes
CHANGE = re.compile(
    r"^(CREATE (?:OR REPLACE )?(?:TABLE|VIEW|INDEX|SEQUENCE|MACRO)|ALTER TABLE|DROP (?:TABLE|VIEW|INDEX)|UPDATE|DELETE FROM"
    r"|INSERT INTO)(?: IF (?:NOT )?EXISTS)? (\w+)",
    re.MULTILINE,
)
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


def refuse_newer(done: Iterable[int]) -> None:
    """Raise Refused where a database has had migrations of a later livereview."""
    if unknown := set(done) - _files().keys():
        raise Refused(
            f"the database has migration {max(unknown)}, which this livereview does not know; update livereview"
        )


def refuse_older(done: list[int]) -> None:
    """Raise Refused where a database would have to be changed first, which only `serve` does."""
    if done and pending(done):
        raise Refused(
            f"the database is that of an older livereview (migration {max(done)}, this one has {newest()}), and only"
            " the owner changes it: `livereview upgrade --check` says what will happen, `livereview serve` or"
            " `livereview upgrade` does it"
        )


def is_used(con: Connection) -> bool:
    """Whether a database holds anybody's review or account.

    One whose maker died half-way through the first migrations holds neither.
    """
    tables = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('protocol', 'account')"
    ).fetchall()
    for (table,) in tables:
        (held,) = con.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchall()[0]  # noqa: S608
        if held:
            return True
    return False


def newest() -> int:
    """The last migration that this livereview has."""
    return max(_files())


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration that waits.

    Attributes:
        number: Its place in the order.
        name: Its file.
        words: What it is for, as its file begins.
        changes: What it does, a statement each: such as "CREATE TABLE draft".
    """

    number: int
    name: str
    words: str
    changes: tuple[str, ...]


def waiting(done: list[int]) -> list[Migration]:
    """The migrations that a database has not had yet, ascending."""
    files = _files()
    return [_described(number, files[number]) for number in sorted(pending(done))]


def _described(number: int, path: Path) -> Migration:
    script = path.read_text(encoding="utf-8")
    comment = []
    for line in script.splitlines():
        if not line.startswith("--"):
            break
        comment.append(line.removeprefix("--").strip())
    words = " ".join(comment).split(". ")[0].rstrip(".:")
    changes = tuple(f"{match[1]} {match[2]}" for match in CHANGE.finditer(script))
    return Migration(number, path.name, words, changes)


def copy_before(database: Path, backups: Path, last: int, reserve: Reserve) -> None:
    """Copy the closed file to `backups/before-migration-…`, and say so in a line."""
    reserve.require_bytes(
        2 * database.stat().st_size, "the copy that is made before an update changes the database"
    )
    backups.mkdir(mode=0o700, exist_ok=True)
    target = backups / f"before-migration-{newest():04}-{time.time_ns()}.duckdb"
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
        newest(),
        target,
    )
    for old in sorted(
        backups.glob("before-migration-*.duckdb"), key=lambda path: path.stat().st_mtime_ns
    )[:-KEPT_BEFORE_MIGRATION]:
        old.unlink()


def migrate(con: Connection, on_step: Callable[[int, float], None] = lambda *_: None) -> None:
    """Bring the schema up to date, one transaction a migration, then the views where they are not
    today's.

    Args:
        con: A connection that may write.
        on_step: Told each migration that was carried out, and its seconds.
    """
    con.execute(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)"
    )
    done = {row[0] for row in con.execute("SELECT number FROM migration").fetchall()}
    files = _files()
    refuse_newer(done)
    news = sorted(files.keys() - done)
    for number in news:
        began = time.monotonic()
        _apply(con, files[number].read_text(encoding="utf-8"), number, files[number].name)
        on_step(number, time.monotonic() - began)
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
