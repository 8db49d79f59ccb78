"""Opening the database: the lock of its one owner, the hardened connection, migrations, and the one writer.

DuckDB lets one process open a file for writing and no other even to read it. So one process owns the file, one thread
in it writes, and reads take a cursor each.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import queue
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from livereview.errors import Refused
from livereview.store import standings

T = TypeVar("T")
Connection = duckdb.DuckDBPyConnection
Job = Callable[[Connection], Any]
GROUP = 64  # most jobs in one commit

_source_tree = Path(__file__).resolve().parents[2] / "db"
SQL = _source_tree if _source_tree.is_dir() else Path(__file__).resolve().parents[1] / "_db"


SOON, BULK, LAST = 0, 1, 2  # turns of jobs that wait for the writer


@dataclass(order=True, slots=True)
class Waiting:
    """A job that waits for the writer; LAST has none."""

    turn: int
    number: int
    job: Job = field(default=lambda con: None, compare=False)
    future: Future[Any] = field(default_factory=Future, compare=False)


class OwnerLock:
    """Held by the process that owns a database file; released by the kernel even after kill -9.

    The lock file tells others who owns it: {"pid": 1, "url": "http://127.0.0.1:8000" or null}.
    """

    def __init__(self, database: Path):
        self.path = database.with_suffix(".owner")
        database.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Refused(f"{database} is owned by {describe(owner(database))}; stop it first") from None
        self.announce(None)

    def announce(self, url: str | None) -> None:
        """Tell others where the owner answers."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)

    def release(self) -> None:
        os.close(self._file)


def owner(database: Path) -> dict[str, Any] | None:
    """Who owns the database now ({"pid", "url"}), or None."""
    path = database.with_suffix(".owner")
    if not path.exists():
        return None
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            text = file.read()
            known: dict[str, Any] = json.loads(text) if text else {"pid": None, "url": None}
            return known
    return None


def describe(found: dict[str, Any] | None) -> str:
    """The owner in words."""
    if not found:
        return "nobody"
    where = f", serving {found['url']}" if found.get("url") else ""
    return f"process {found['pid']}{where}"


class Store:
    """A database that this process owns. Close it, or use it as a context manager."""

    def __init__(self, database: Path, memory: str = "2GB", threads: int = 2):
        self.database = database
        self.backups = database.parent / "backups"
        self.lock = OwnerLock(database)
        try:
            self._con = connect(database, self.backups, memory, threads)
            migrate(self._con)
            standings.fill(self._con)
        except BaseException:
            self.lock.release()
            raise
        self.publishing = threading.Lock()  # two builds of one version would write over each other
        self._jobs: queue.PriorityQueue[Waiting] = queue.PriorityQueue()
        self._order = itertools.count()
        self._writer = threading.Thread(target=self._write_all, name="writer", daemon=True)
        self._writer.start()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A cursor of its own for a few questions; it sees what was committed before each."""
        cursor = self._con.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def write(self, job: Callable[[Connection], T], *, bulk: bool = False) -> T:
        """Run `job` in a transaction on the writer and give its answer after the commit.

        Jobs that wait together share a commit; where one of them fails all are rolled back and run again one by one, so
        a job must be safe to run twice. What a job raises is raised here, and it then has changed nothing. A `bulk` job
        lets the others go first and has a commit of its own: a person does not wait for a page of two hundred records.
        """
        future: Future[T] = Future()
        self._jobs.put(Waiting(BULK if bulk else SOON, next(self._order), job, future))
        return future.result()

    def close(self) -> None:
        """Finish what waits, then let go of the file."""
        self._jobs.put(Waiting(LAST, next(self._order)))
        self._writer.join()
        self._con.close()
        del self._con  # whoever still holds this Store must not keep DuckDB alive past the interpreter's end
        self.lock.release()

    def _write_all(self) -> None:
        con = self._con.cursor()
        while group := self._next_group():
            if len(group) == 1 or not _together(con, group):
                for waiting in group:
                    _alone(con, waiting)
        con.close()

    def _next_group(self) -> list[Waiting]:
        """What shares the next commit; nothing: the end."""
        group = [self._jobs.get()]
        if group[0].turn == LAST:
            return []
        while group[-1].turn == SOON and len(group) < GROUP:
            try:
                following = self._jobs.get_nowait()
            except queue.Empty:
                break
            if following.turn != SOON:
                self._jobs.put(following)
                break
            group.append(following)
        return group


def _together(con: Connection, group: list[Waiting]) -> bool:
    try:
        con.begin()
        answers = [waiting.job(con) for waiting in group]
        con.commit()
    except Exception:
        _roll_back(con)
        return False
    for waiting, answer in zip(group, answers, strict=True):
        waiting.future.set_result(answer)
    return True


def _alone(con: Connection, waiting: Waiting) -> None:
    try:
        con.begin()
        answer = waiting.job(con)
        con.commit()
    except BaseException as error:  # whatever it is, it belongs to the caller, and the writer lives on
        _roll_back(con)
        waiting.future.set_exception(error)
    else:
        waiting.future.set_result(answer)


def _roll_back(con: Connection) -> None:
    with suppress(duckdb.TransactionException):  # a failed commit has rolled back already
        con.rollback()


def connect(database: Path | str, backups: Path | None, memory: str, threads: int) -> Connection:
    """A connection that reads and writes no file but its own and those in `backups`."""
    con = duckdb.connect(
        str(database),
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "memory_limit": memory,
            "threads": threads,
        },
    )
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET python_enable_replacements = false")
    con.execute("SET preserve_insertion_order = true")
    if backups:
        con.execute("SET allowed_directories = [?]", [f"{backups}/"])
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def memory_database(memory: str = "2GB", threads: int = 2) -> Connection:
    """A migrated database in memory, hardened likewise."""
    con = connect(":memory:", None, memory, threads)
    migrate(con)
    return con


def migrate(con: Connection) -> None:
    """Bring the schema up to date, one transaction a migration, then make the views again."""
    con.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)")
    done = {row[0] for row in con.execute("SELECT number FROM migration").fetchall()}
    files = {int(path.name[:4]): path for path in SQL.glob("[0-9][0-9][0-9][0-9]_*.sql")}
    if unknown := done - files.keys():
        raise Refused(
            f"the database has migration {max(unknown)}, which this livereview does not know; update livereview"
        )
    for number in sorted(files.keys() - done):
        _apply(con, files[number].read_text(encoding="utf-8"), number, files[number].name)
    con.execute((SQL / "views.sql").read_text(encoding="utf-8"))


def _apply(con: Connection, script: str, number: int, name: str) -> None:
    con.begin()
    try:
        con.execute(script)
        con.execute("INSERT INTO migration VALUES (?, ?)", [number, name])
        con.commit()
    except BaseException:
        _roll_back(con)
        raise


def backup(store: Store, name: str) -> Path:
    """A copy of the whole database in `backups/<name>.duckdb`, consistent, while the owner goes on working."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,80}", name) or name.startswith("."):
        raise Refused(f"{name!r} can't name a backup; use letters, digits, - and _")
    store.backups.mkdir(parents=True, exist_ok=True)
    target = store.backups / f"{name}.duckdb"
    if target.exists():
        raise Refused(f"{target} exists; choose another name")
    with store.read() as con:
        source = con.execute("SELECT current_database()").fetchall()[0][0]
        con.execute(f"ATTACH '{target}' AS backup_copy")  # the name was checked above
        try:
            con.execute(f'COPY FROM DATABASE "{source}" TO backup_copy')
        finally:
            con.execute("DETACH backup_copy")
    return target
