"""Room on the disk: how much is kept in reserve, what has to wait when it is touched, and how
"full" is recognised.

A disk that is nearly full is told before it is full (`/readyz`, alarms), and what can be done again
later stops first: rankings, recordings, new builds and whole copies at the reserve, a night's pages
at half of it. What people decide and upload goes on to the last byte, because only they could say
it again.
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from livereview.errors import DiskFull, Retry

MB = 2**20
# A day's room: a night of 20,000 records writes about 60 MB, its checkpoint as much again, a build
# of 500 studies 20 MB, and ten full texts of the largest size 200 MB.
RESERVE = 512 * MB
# a published version has up to a hundred files, and a disk can run out of them too
FEWEST_FILES = 2_000
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# as libraries hand errno on
FULL_WORDS = ("No space left on device", "Disk quota exceeded", "File too large")


@dataclass(frozen=True, slots=True)
class Room:
    """What is left on the disk of a folder: bytes, and files where the file system counts them."""

    free: int
    files: int | None


def room(folder: Path) -> Room:
    """What is left for this process on the disk of a folder, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    stat = os.statvfs(folder)
    return Room(stat.f_bavail * stat.f_frsize, stat.f_favail if stat.f_files else None)


@dataclass(frozen=True, slots=True)
class Reserve:
    """The room that must stay free on the disk of `folder`: `size` bytes (LIVEREVIEW_RESERVE)."""

    folder: Path
    size: int = RESERVE

    def short(self, share: float = 1.0) -> str | None:
        """In words, that less than this share of the reserve is left; None: there is room."""
        left = room(self.folder)
        if left.free < self.size * share:
            return (
                f"{left.free / MB:,.0f} MB are free in {self.folder}, "
                f"less than the reserve of {self.size / MB:,.0f} MB"
            )
        if self.size and left.files is not None and left.files < FEWEST_FILES:
            return f"the disk of {self.folder} has room for {left.files:,} more files only"
        return None

    def require(self, what: str, share: float = 1.0) -> None:
        """Raise Retry, naming `what` has to wait, where less than this share of the reserve is
        left.
        """
        if words := self.short(share):
            raise Retry(f"the disk is nearly full ({words}): {what} until there is room")

    def require_bytes(self, needed: int, what: str) -> None:
        """Raise DiskFull where `needed` bytes would not fit at all."""
        free = room(self.folder).free
        if free < needed:
            raise DiskFull(
                f"the disk is full: {what} needs {needed / MB:,.0f} MB, "
                f"and {free / MB:,.0f} MB are free in {self.folder}"
            )


def remove_leftovers(home: Path) -> list[Path]:
    """Remove what processes that were killed left half written in a home.

    Ask only while no other owner lives.

    Half uploads and ranking features, copies that were made to look into the past, unfinished
    backups, and what DuckDB had put aside for want of memory. What is in its place under its own
    name is never touched.
    """
    chosen = [
        *home.glob("full-texts/.*"),
        *home.glob("ranking/.*"),
        *home.glob("ranking/*.new"),
        *home.glob("backups/.*"),
        *home.glob("backups/as-of-*"),
        *home.glob("backups/*.part"),
        *home.glob("*.duckdb.tmp"),
        *home.glob(".restore-*"),
    ]
    for path in chosen:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return chosen


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_full(error: BaseException | None) -> bool:
    """Whether this error, or one that it came from, says that the disk has no room."""
    seen = 0
    while error is not None and seen < 10:  # chains are short; a loop in one must not hang us
        if isinstance(error, DiskFull):
            return True
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if any(words in str(error) for words in FULL_WORDS):
            return True
        error = error.__cause__ or error.__context__
        seen += 1
    return False


def full(error: BaseException) -> DiskFull:
    """The error for people, whatever noticed it."""
    if isinstance(error, DiskFull):
        return error
    return DiskFull(
        "the disk is full, so this was not saved. Whoever runs this server has to make room; then do it again, "
        "nothing needs a restart"
    )
