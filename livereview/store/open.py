"""Opening the database: the lock of its one owner, the hardened connection, migrations, and its
writers.

DuckDB lets one process open a file for writing and no other even to read it. So one process owns
the file, `writer.py`'s threads write in it, and reads take a cursor each.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb

from livereview import private_files
from livereview.disk import RESERVE, Reserve, full, is_full, remove_leftovers, room
from livereview.errors import Refused, Retry
from livereview.store import condition, listing, standings
from livereview.store.condition import Mark, Torn
from livereview.store.kept import Kept, Reading
from livereview.store.migrations import SQL as SQL
from livereview.store.migrations import (
    applied,
    copy_before,
    is_used,
    migrate,
    pending,
    refuse_older,
)
from livereview.store.turns import Turns
from livereview.store.vitals import Heartbeats, Schedules, Shipping, WriterLoad
from livereview.store.watch import Watch
from livereview.store.writer import BULK, SOON, Writer
from livereview.store.writer import Connection as Connection

log = logging.getLogger(__name__)

T = TypeVar("T")
# seconds for a lock to come free that is no owner's: `owner` takes it while it looks
LOOKED_AT = 0.5
PATIENCE = 60.0  # seconds that a look into the database may take
CHECKPOINT_AT = 16 * 2**20  # bytes of log: DuckDB's own figure
# times the log, and times the file: DuckDB also writes anew the columns that were touched
CHECKPOINT_ROOM = 2, 0.25
CHECKPOINT_PAUSE = 10.0  # seconds after one that did not come about


class OwnerLock:
    """Held by the process that owns a database file; released by the kernel even after kill -9.

    The lock file tells others who owns it: {"pid": 1, "url": "http://127.0.0.1:8000" or null}.
    """

    def __init__(self, database: Path):
        self.path = database.with_suffix(".owner")
        database.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise not_ours(self.path, error) from error
        deadline = time.monotonic() + LOOKED_AT
        while not self._taken():
            if time.monotonic() > deadline:
                os.close(self._file)
                raise Refused(f"{database} is owned by {describe(owner(database))}; stop it first")
            time.sleep(0.02)
        self.announce(None)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def announce(self, url: str | None) -> None:
        """Tell others where the owner answers."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)

    def release(self) -> None:
        os.close(self._file)


def not_ours(path: Path, error: OSError) -> Refused:
    """The error for people where this user may not use a file of the home, or nobody may."""
    if error.errno == errno.EROFS:
        return Refused(
            f"{path} can't be written: its disk is mounted read-only, as disks are after an error. Look at the disk "
            "(dmesg), mount it for writing, and do this again; where it is broken, restore a backup on another"
        )
    return Refused(
        f"{path} can't be used by this user ({error.strerror}): run livereview as the user that the service runs as"
    )


def owner(database: Path) -> dict[str, Any] | None:
    """Who owns the database now ({"pid", "url"}), or None."""
    path = database.with_suffix(".owner")
    try:
        opened = path.open("r+")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise not_ours(path, error) from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            text = file.read()
            known: dict[str, Any]
            if text:
                known = json.loads(text)
            else:
                known = {"pid": None, "url": None}
            return known
    return None


def describe(found: dict[str, Any] | None) -> str:
    """The owner in words."""
    if not found:
        return "nobody"
    where = f", serving {found['url']}" if found.get("url") else ""
    return f"process {found['pid']}{where}"


class Store:
    """A database that this process owns. Close it, or use it as a context manager.

    Args:
        may_migrate: Whether a database of an older livereview is brought up to date; else it is
            refused.
    """

    def __init__(
        self,
        database: Path,
        memory: str = "2GB",
        threads: int = 2,
        reserve: int = RESERVE,
        may_migrate: bool = True,
    ):
        self._may_migrate = may_migrate
        self.database = database
        self.backups = database.parent / "backups"
        self.reserve = Reserve(database.parent, reserve)
        self.torn = Torn(database)
        private_files.make_home(database.parent)
        self.lock = OwnerLock(database)
        self._mark = Mark(database)
        try:
            self._close_to_others()
            self._look_at_file()
            self._con = self._open(memory, threads)
        except BaseException:
            self.lock.release()
            raise
        # what the owner was started with, for a backup's manifest; no secrets
        self.notes: dict[str, Any] = {}
        self.news = threading.Event()  # something was written since somebody cleared this
        # DuckDB has closed the database and can't go on without a restart
        self.broken = threading.Event()
        self.heartbeats = Heartbeats()
        self.opened = datetime.now(UTC)
        self.shipping = Shipping()
        self.schedules = Schedules()
        self.backing = threading.Lock()  # one backup at a time
        self.publishing = threading.Lock()  # two builds of one version would write over each other
        # A writer that runs a job again has it in hand already when the job asks for it.
        self._gate, self._watch = threading.RLock(), Watch()
        self._turns = Turns(threads + 1)  # one waits for the disk or a lock, now and then
        self.kept = Kept(self._con)
        self._main = Writer(self._con.cursor(), "writer", self._gate, kept=self.kept)
        self._quick = Writer(
            self._con.cursor(), "quick writer", self._gate, self._main, kept=self.kept
        )
        self._checkpoints = threading.Lock()
        self._not_before = 0.0  # time.monotonic() of the next checkpoint

    def _close_to_others(self) -> None:
        """Let nobody but this user read what an older version or a careless copy left open."""
        if closed := private_files.secure(self.database):
            names = ", ".join(sorted(path.name for path in closed)[:5])
            log.warning(
                "others could read %d files or folders of this home; now they can't: %s",
                len(closed),
                names,
            )

    def _look_at_file(self) -> None:
        condition.check(self.database)
        if removed := remove_leftovers(self.database.parent):
            log.info("removed %d half-written files of processes that were killed", len(removed))
        if damage := self._mark.damage():
            log.error("the write-ahead log of %s is not whole: %s", self.database, damage)
            self.torn.write(damage)

    def _open(self, memory: str, threads: int) -> Connection:
        """The connection to a database that is up to date.

        Before it is changed, a copy of the file is made.
        """
        new = not self.database.exists()
        try:
            con = connect(self.database, self.backups, memory, threads)
            done = [] if new else applied(con, self.database)
            if not self._may_migrate and is_used(con):
                refuse_older(done)
            if done and pending(done):
                con.close()
                copy_before(self.database, self.backups, done[-1], self.reserve)
                con = connect(self.database, self.backups, memory, threads)
            migrate(con)
            standings.fill(con)
            listing.fill(con)
        except (duckdb.Error, OSError, UnicodeDecodeError) as error:
            if is_full(error):
                raise full(error) from error
            raise condition.because(self.database, error) from error
        return con

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def read(self, seconds: float = PATIENCE) -> Iterator[Connection]:
        """A cursor of its own for a few questions; it sees what was committed before each.

        Raises:
            Retry: for a question that is still not answered after so many seconds.
        """
        with self._turns.turn():
            yield from self._read(seconds)

    def _read(self, seconds: float) -> Iterator[Connection]:
        cursor = self._con.cursor()
        try:
            with self._watch.over(cursor, seconds):
                yield cast(Connection, Reading(cursor, self.kept))
        except duckdb.InterruptException:
            raise Retry(
                f"the database was asked something that took over {seconds:.0f} s; try again later"
            ) from None
        except duckdb.Error as error:
            raise self._in_words(error) from error
        finally:
            cursor.close()

    @contextmanager
    def still(self) -> Iterator[Connection]:
        """A cursor that sees one moment: all events up to the highest number it sees, and nothing
        that comes later.
        """
        cursor = self._con.cursor()

        # while neither writer has numbers that are not committed yet
        def hold(con: Connection) -> None:
            with self._gate:
                cursor.begin()
                # DuckDB's moment is the first question
                cursor.execute("SELECT count(*) FROM migration").fetchall()

        try:
            self._put(hold, bulk=True)
            yield cursor
        except duckdb.Error as error:
            raise self._in_words(error) from error
        finally:
            cursor.close()

    def write(
        self, job: Callable[[Connection], T], *, bulk: bool = False, quick: bool = False
    ) -> T:
        """Run `job` in a transaction on a writer and give its answer after the commit.

        What a job raises is raised here, and it then has changed nothing. Jobs that wait together
        share a commit. One that refuses does so before its first write, and touches no other; where
        one fails afterwards all are rolled back and run again one by one, so a job must be safe to
        run twice.

        Args:
            bulk: Lets the others go first and has a commit of its own: a page of two hundred
                records.
            quick: Does not wait for any of these: for what changes only rows that any other job on
                the same report changes too, so that DuckDB refuses one of two that meet.
        """
        answer = self._put(job, bulk=bulk, quick=quick)
        self._mark.note()
        self.news.set()
        self._checkpoint_if_due()
        return answer

    def _put(self, job: Callable[[Connection], T], *, bulk: bool = False, quick: bool = False) -> T:
        writer, turn = (self._quick if quick else self._main), (BULK if bulk else SOON)
        try:
            answer: T = writer.put(job, turn).result()
        except (duckdb.Error, OSError) as error:
            self._mark.distrust()
            raise self._in_words(error) from error
        return answer

    def _in_words(self, error: Exception) -> Exception:
        """The error for people where it is the disk's or the whole database's; else as it is."""
        if isinstance(error, duckdb.FatalException):
            log.error("DuckDB has closed %s: %s", self.database, error)
            self.broken.set()
            return Retry(
                "the database had to be closed after an error and opens again with the owner's next start"
            )
        if is_full(error):
            return full(error)
        return condition.damaged(self.database, error) or error

    def _checkpoint_if_due(self) -> None:
        """Put the log into the file once it has grown, if the disk has room for that.

        DuckDB would do so by itself, but where its own checkpoint meets a full disk it closes the
        whole database.
        """
        size = condition.size_of_log(self.database)
        if size < CHECKPOINT_AT or time.monotonic() < self._not_before:
            return
        if not self._checkpoints.acquire(blocking=False):
            return
        try:
            of_log, of_file = CHECKPOINT_ROOM
            needed = of_log * size + of_file * self.database.stat().st_size
            if room(self.database.parent).free >= needed and not self._checkpoint():
                self._not_before = time.monotonic() + CHECKPOINT_PAUSE
        finally:
            self._checkpoints.release()

    def _checkpoint(self) -> bool:
        """Whether the log could be put into the file while both writers rested."""
        cursor = self._con.cursor()

        def job(con: Connection) -> None:
            with self._gate:
                cursor.execute("CHECKPOINT")

        try:
            self._put(job, bulk=True)
        except duckdb.TransactionException:  # somebody still reads what was there before: later
            return False
        finally:
            cursor.close()
        self._mark.checkpointed()
        return True

    def answers(self, seconds: float) -> bool:
        """Whether both writers take a job and commit it within so many seconds."""
        asked = [writer.put(lambda con: None, SOON) for writer in (self._quick, self._main)]
        return not wait(asked, timeout=seconds).not_done and not any(
            job.exception() for job in asked
        )

    def loads(self) -> tuple[WriterLoad, ...]:
        """How busy each writer is. Asking waits for none of them."""
        return self._main.load(), self._quick.load()

    def close(self) -> None:
        """Finish what waits, then let go of the file."""
        self._quick.close()
        self._main.close()
        self._watch.close()
        self._con.close()
        # whoever still holds this Store must not keep DuckDB alive past the interpreter's end
        del self._con
        self.lock.release()


def connect(
    database: Path | str, backups: Path | None, memory: str, threads: int, read_only: bool = False
) -> Connection:
    """A connection that reads and writes no file but its own and those in `backups`."""
    con = duckdb.connect(
        str(database),
        read_only=read_only,
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "memory_limit": memory,
            "threads": threads,
            "checkpoint_threshold": "1TB",  # `Store` asks for checkpoints, when the disk has room
        },
    )
    con.execute("SET GLOBAL TimeZone = 'UTC'")  # a cursor inherits no session's setting
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
