"""The condition of a database file: can it be opened, and is its write-ahead log what was written?

DuckDB opens an empty file as a new database, a log that was cut short without its last
transactions, and one that a power cut filled with zeros without all that comes after them: each
silently. So the file and its log are looked at before DuckDB sees them.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livereview.errors import Refused

HEAD = 12_288  # bytes: DuckDB's three headers, one of which is written anew at every checkpoint
# DuckDB's, for a block's checksum
DAMAGED_WORDS = ("Corrupt database file", "does not match stored checksum")
PIECE = 2**20  # bytes that are read at a time
MARK_BYTES = 256  # a mark is written over the one before, so all have one length
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
    """Remembers, in a small file beside the database, what the log held when the last commit was
    acknowledged: its length, and the sha256 of that many bytes.

    Without a checkpoint since then (the database's head is the same), a log that is shorter or
    begins otherwise has lost transactions. The mark is not synced: one that a power cut takes back
    only sees less, and never cries wolf.
    """

    def __init__(self, database: Path):
        self._database = database
        self._path = database.with_suffix(".mark")
        self._lock = threading.Lock()
        self._size = 0
        self._content = hashlib.sha256()  # of the first `_size` bytes of the log
        self._head = ""

    def damage(self) -> str | None:
        """How the log differs from what was acknowledged, in words; None where it does not, or
        where nothing can be said.

        Ask before the database is opened.
        """
        try:
            noted = json.loads(self._path.read_text())
            size, head = int(noted["size"]), str(noted["head"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no mark, or a torn one
        if not self._database.exists() or _head(self._database) != head:
            return None
        lost = size - size_of_log(self._database)
        if lost > 0:
            return f"{lost:,} bytes were missing at its end"
        content = noted.get("content")  # marks of before have none
        if content is None or not size or self._read(hashlib.sha256(), 0, size) == content:
            return None
        return f"its {size:,} bytes are not those that were written"

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
                    self._size, self._content = 0, hashlib.sha256()
                content = self._read(self._content, self._size, size)
                self._size = size
                text = json.dumps({"size": size, "head": self._head, "content": content})
                file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
                try:
                    os.pwrite(file, text.ljust(MARK_BYTES).encode(), 0)
                finally:
                    os.close(file)
            except OSError:
                self._head = ""  # asked again at the next commit

    def distrust(self) -> None:
        """A transaction failed, so DuckDB may have taken back what it had written of it: the log is
        read from its beginning at the next commit.
        """
        with self._lock:
            self._head = ""

    def checkpointed(self) -> None:
        """The head of the file has changed."""
        with self._lock:
            self._head, self._size = "", 0

    def _read(self, content: Any, start: int, end: int) -> str:
        """Take these bytes of the log into a sha256, and give what it then is."""
        with log_of(self._database).open("rb") as log:
            log.seek(start)
            while start < end and (piece := log.read(min(PIECE, end - start))):
                content.update(piece)
                start += len(piece)
        digest: str = content.hexdigest()
        return digest


def _head(database: Path) -> str:
    with database.open("rb") as file:
        return hashlib.sha256(file.read(HEAD)).hexdigest()


class Torn:
    """The note that a log was not whole when the database was opened: it stands until an operator
    removes it.
    """

    def __init__(self, database: Path):
        self.path = database.with_suffix(".torn")

    def write(self, damage: str) -> None:
        """Note it, after what may stand there already."""
        line = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {damage}\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)

    def words(self) -> str | None:
        """What stands in it, as an alarm; None: nothing was lost that we know of."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return (
            f"the write-ahead log was not whole when the database was opened ({', '.join(text.split(chr(10))).strip(', ')}): "
            "the last acknowledged acts may be missing; `livereview restore BACKUP --check` tells what the backup has; "
            f"remove {self.path} when that is settled"
        )
