"""Who may read what is in a home: only this user, except for the published site, which is for
everybody.

The umask of whoever starts the service decides nothing: the process that owns a home has one of its
own, and what an older version or a careless copy left open is closed again at the start.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from livereview.disk import sync_folder

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
PUBLIC_FILE, PUBLIC_FOLDER = 0o644, 0o755
HOME = 0o711  # others may pass through to `site`, and neither list nor read what is beside it
UMASK = 0o077
SITE = "site"
FOLDERS = (
    "backups",
    "backups-kept",
    "full-texts",
    "brought",
    "page-texts",
    "safe-copies",
    "ranking",
    "recordings",
    "prefect",
    "*.duckdb.tmp",
)
FILES = ("*.duckdb", "*.duckdb.*", "owner.*", ".owner.*")


def keep_private() -> None:
    """Let whatever this process writes from now on be its user's alone, unless it is opened
    explicitly.

    DuckDB makes its files, the write-ahead log again and again, with whatever the umask leaves.
    """
    os.umask(UMASK)


def secure(database: Path) -> list[Path]:
    """Make a home's modes what they must be, whatever they were; what had to be closed to others.

    Asked by the process that owns the database, before it opens it. What is not ours is left alone.
    """
    home = database.parent
    make_home(home)
    closed = [path for path in _private(home, database) if _close(path)]
    open_site(home / SITE)
    return closed


def make_home(home: Path) -> None:
    """Make a home, or close an old one, so that others come through to the published site at most."""
    keep_private()
    if home.is_dir():
        _set(home, stat.S_IMODE(home.stat().st_mode) & ~0o066)
        return
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(HOME)


def _private(home: Path, database: Path) -> Iterator[Path]:
    """Everything in a home that others may not read."""
    for pattern in (*FILES, f"{database.stem}.*", f".{database.stem}.*"):
        yield from (path for path in home.glob(pattern) if path.is_file())
    for pattern in FOLDERS:
        for folder in home.glob(pattern):
            yield folder
            yield from folder.rglob("*")


def _close(path: Path) -> bool:
    """Take from others what they may do with this; whether they could do anything."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode) or not mode & 0o077:
        return False
    return _set(path, stat.S_IMODE(mode) & 0o700)


def _set(path: Path, mode: int) -> bool:
    """Give a path this mode, if it is ours to give."""
    now = path.lstat()
    if stat.S_IMODE(now.st_mode) == mode or now.st_uid != os.geteuid():
        return False
    path.chmod(mode)
    return True


def open_site(site: Path) -> None:
    """Let everybody read the published folder."""
    if site.is_dir():
        _open(site)
        _open_all(site.rglob("*"))


def _open_all(paths: Iterable[Path]) -> None:
    for path in paths:
        _open(path)


def _open(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:  # a build that was replaced meanwhile
        return
    if stat.S_ISDIR(mode):
        _set(path, PUBLIC_FOLDER)
    elif stat.S_ISREG(mode):
        _set(path, PUBLIC_FILE)


def public_folder(folder: Path) -> None:
    """Make a folder that everybody may read, and those above it that are missing."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(PUBLIC_FOLDER)


def private_folder(folder: Path) -> None:
    """Make a folder that only this user may enter, and those above it that are missing."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


# how the hidden name of a private file ends while it is written; an owner's start removes them
PART = ".part"


def write_private(target: Path, content: bytes) -> None:
    """Let a file that only this user may read hold this: all of it, or nothing and no trace.

    Written beside, forced to the disk, put there by one rename.
    """
    private_folder(target.parent)
    beside = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}{PART}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
