"""The condition of a database file: can it be opened, and has its write-ahead log lost its end?

DuckDB opens an empty file as a new database, and a log that was cut short without its last
transactions: both silently. So the file is looked at before DuckDB sees it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from livereview.errors import Refused

HEAD = 12_288  # bytes: DuckDB's three headers, one of which is written anew at every checkpoint
# DuckDB's, for a block's checksum
DAMAGED_WORDS = ("Corrupt database file", "does not match stored checksum")
MAGIC = slice(8, 12)  # where DuckDB's files say DUCK


class Unopenable(Refused):
    """The database file can't be opened as it is; the message says why, in one sentence."""


def check(database: Path) -> None:
    """Raise Unopenable for a file that is there and can't be a database.

    No file at all is a new home.
    """
    if not database.exists() and not database.is_symlink():
        return
    if not database.is_file():
        raise Unopenable(f"{database} is not a file")
    if not os.access(database, os.R_OK | os.W_OK):
        raise Unopenable(f"{database} can't be read and written by this user")
    with database.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise Unopenable(f"{database} is empty")
    if head[MAGIC] != b"DUCK":
        raise Unopenable(f"{database} is not a DuckDB database")
    if len(head) < HEAD:
        raise Unopenable(f"{database} is cut off after {len(head):,} bytes")


def because(database: Path, error: Exception) -> Unopenable:
    """What DuckDB said when it could not open the file, as one sentence."""
    said = str(error).splitlines()[0][:300]
    kind, _, rest = said.partition(": ")
    words = rest if kind.endswith("Error") and rest else said
    return Unopenable(
        f"{database} can't be opened: {words.rstrip('.').replace(chr(92) + 'n', ' ')}"
    )


def damaged(database: Path, error: Exception) -> Refused | None:
    """The error for people where DuckDB met a block of the file that the disk has changed.

    Else None.
    """
    if not any(words in str(error) for words in DAMAGED_WORDS):
        return None
    return Refused(
        f"a part of {database} is damaged: the disk did not give back what was written. Stop the service, then bring"
        " back the newest backup: `livereview restore BACKUP --check` tells what it has; with --replace it is brought"
        " back, and the damaged database is kept beside it"
    )


def log_of(database: Path) -> Path:
    """The write-ahead log of a database file."""
    return database.with_name(f"{database.name}.wal")


def size_of_log(database: Path) -> int:
    """Bytes in the write-ahead log; 0 where there is none."""
    try:
        return log_of(database).stat().st_size
    except FileNotFoundError:
        return 0


class Mark:
    """Remembers, in a small file beside the database, how long the log was when the last commit was
    acknowledged.

    Without a checkpoint since then (the database's head is the same), a shorter log has lost
    transactions. The mark is
    not synced: one that a power cut takes back only sees less, and never cries wolf.
    """

    def __init__(self, database: Path):
        self._database = database
        self._path = database.with_suffix(".mark")
        self._lock = threading.Lock()
        self._size = 0
        self._head = ""

    def missing(self) -> int:
        """How many bytes the log has lost since the last acknowledged commit.

        Ask before the database is opened.
        """
        try:
            noted = json.loads(self._path.read_text())
            size, head = int(noted["size"]), str(noted["head"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0  # no mark, or a torn one: nothing can be said
        if not self._database.exists() or _head(self._database) != head:
            return 0
        return max(0, size - size_of_log(self._database))

    def note(self) -> None:
        """A commit is about to be acknowledged.

        Never raises: a full disk must not take back what is committed.
        """
        with self._lock:
            size = size_of_log(self._database)
            if size == self._size:
                return
            try:
                if size < self._size or not self._head:
                    self._head = _head(self._database)
                self._size = size
                text = json.dumps({"size": size, "head": self._head})
                file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
                try:
                    os.pwrite(file, text.ljust(128).encode(), 0)
                finally:
                    os.close(file)
            except OSError:
                self._head = ""  # asked again at the next commit

    def checkpointed(self) -> None:
        """The head of the file has changed."""
        with self._lock:
            self._head, self._size = "", 0


def _head(database: Path) -> str:
    with database.open("rb") as file:
        return hashlib.sha256(file.read(HEAD)).hexdigest()


class Torn:
    """The note that a log had lost its end when the database was opened: it stands until an
    operator removes it.
    """

    def __init__(self, database: Path):
        self.path = database.with_suffix(".torn")

    def write(self, lost: int) -> None:
        """Note it, after what may stand there already."""
        line = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {lost:,} bytes\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)

    def words(self) -> str | None:
        """What stands in it, as an alarm; None: nothing was lost that we know of."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return (
            f"the write-ahead log had lost its end when the database was opened ({', '.join(text.split(chr(10))).strip(', ')}): "
            "the last acknowledged acts may be missing; `livereview restore BACKUP --check` tells what the backup has; "
            f"remove {self.path} when that is settled"
        )
