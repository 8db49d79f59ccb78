"""What this livereview would do to a database, found out without changing it."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from livereview.disk import room
from livereview.store import condition, listing, migrations, standings
from livereview.store.migrations import Migration
from livereview.store.open import OwnerLock, connect

MEMORY, THREADS = "1GB", 2  # that looking takes
# the file that is kept, and what its change writes before the next checkpoint
COPIES = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """How long it took on a copy, in seconds.

    Attributes:
        steps: Each migration, by its number.
        copying: To copy the file.
        deriving: To derive again what is derived.
    """

    steps: dict[int, float]
    copying: float
    deriving: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What the start of this livereview's `serve` would do.

    Attributes:
        last: The last migration that the database has had; 0: it is new.
        newest: The last that this livereview has.
        waiting: Those in between.
        size: Bytes of the database and its log.
        needed: Bytes that must be free on its disk.
        free: Bytes that are.
        trial: What a copy took; None: it was not tried.
    """

    last: int
    newest: int
    waiting: list[Migration]
    size: int
    needed: int
    free: int
    trial: Trial | None = field(default=None)

    @property
    def fits(self) -> bool:
        """Whether there is room for the copy that is made first."""
        return not self.waiting or self.free >= self.needed


def plan(database: Path, trial: bool = False) -> Plan:
    """Look at a database that nobody owns, while nobody can begin to.

    Args:
        database: The file.
        trial: Carry it all out on a copy beside it, which is removed.

    Raises:
        Refused: It is owned, it is no database of ours, or that of a later livereview.
    """
    condition.check(database)
    lock = OwnerLock(database)
    try:
        done = _applied(database)
        migrations.refuse_newer(done)
        size = database.stat().st_size + condition.size_of_log(database)
        waiting = migrations.waiting(done) if done else []
        needed = COPIES * size if waiting else 0
        free = room(database.parent).free
        last = max(done, default=0)
        tried = _tried(database) if trial and free >= COPIES * size else None
        return Plan(last, migrations.newest(), waiting, size, needed, free, tried)
    finally:
        lock.release()


def _applied(database: Path) -> list[int]:
    con = connect(database, None, MEMORY, THREADS, read_only=True)
    try:
        return migrations.applied(con, database)
    finally:
        con.close()


def _tried(database: Path) -> Trial:
    """Carry the upgrade out on a copy in a folder beside the database."""
    steps: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix=".upgrade-", dir=database.parent) as folder:
        began = time.monotonic()
        copy = Path(folder) / database.name
        for path in (database, condition.log_of(database)):
            if path.exists():
                shutil.copyfile(path, copy.with_name(path.name))
        copying = time.monotonic() - began
        con = connect(copy, None, MEMORY, THREADS)
        try:
            migrations.migrate(con, on_step=steps.__setitem__)
            began = time.monotonic()
            standings.fill(con)
            listing.fill(con)
            deriving = time.monotonic() - began
        finally:
            con.close()
    return Trial(steps, copying, deriving)
