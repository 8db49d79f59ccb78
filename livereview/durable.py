"""Files and folders that change in one step, for readers and for a power cut.

Everything is written beside its place under a hidden name that ends in `.new`, forced to the disk,
and put there by one rename. A reader sees what was there before or what is there now, never neither
and never a half. Whoever dies half way leaves only a name that `remove_leftovers` knows.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from livereview.private_files import PUBLIC_FILE, PUBLIC_FOLDER, public_folder

TEMPORARY = ".new"  # how the name of what is not in its place yet ends
# part of such names, so that a living process's are told from a dead one's
PROCESS = secrets.token_hex(4)

_numbers = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # <fcntl.h>, <linux/fs.h>
# this kernel or file system can't exchange
_NOT_HERE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


def beside(target: Path) -> Path:
    """A hidden name in the same folder that nobody else uses."""
    return target.with_name(f".{target.name}.{PROCESS}-{next(_numbers)}{TEMPORARY}")


def is_leftover(path: Path) -> bool:
    """Whether a process that is no more was writing this."""
    return path.name.endswith(TEMPORARY) and PROCESS not in path.name


def remove_leftovers(folders: Iterable[Path]) -> list[Path]:
    """Remove what dead processes left in these folders (not in folders within).

    A folder may be missing.
    """
    removed = []
    for folder in folders:
        leftovers = (
            [path for path in folder.iterdir() if is_leftover(path)] if folder.is_dir() else []
        )
        for path in leftovers:
            remove(path)
            removed.append(path)
    return removed


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder; what is not there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(FileNotFoundError):
        path.unlink()


def clear_way(folder: Path) -> bool:
    """Remove a file, or a link that leads nowhere, which stands where a folder must be.

    A link to a folder stays: that is how somebody puts a site on another disk.
    """
    if folder.is_dir() or not os.path.lexists(folder):
        return False
    remove(folder)
    return True


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def swap(new: Path, target: Path) -> None:
    """Let `target` be what `new` is, in one step; what `target` was before is removed.

    A rename does it, except for a folder in place of another: that needs Linux's RENAME_EXCHANGE.
    Where the file system has none, two renames do it, with a moment between them in which nothing
    is there.
    """
    occupied = os.path.lexists(target)
    files_only = not _is_folder(new) and not _is_folder(target)
    if files_only or not occupied:
        new.replace(target)
        sync(target.parent)
        return
    old = new
    if not _exchange(new, target):
        old = beside(target)
        target.rename(old)
        new.rename(target)
    sync(target.parent)
    remove(old)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _exchange(left: Path, right: Path) -> bool:
    """Give each the other's name at once; False where this can't be done here."""
    rename = getattr(_libc, "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(left), _AT_FDCWD, os.fsencode(right), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(right))


def write_file(target: Path, content: bytes) -> bool:
    """Let a public file hold this; False, touching nothing, where it does already."""
    if _holds(target, content):
        return False
    new = beside(target)
    try:
        _write(new, content)
        sync(new)
        swap(new, target)
    finally:
        remove(new)
    return True


def write_link(link: Path, to: str) -> bool:
    """Let a link lead to `to`; False, touching nothing, where it does already."""
    if link.is_symlink() and link.readlink() == Path(to):
        return False
    new = beside(link)
    try:
        new.symlink_to(to)
        swap(new, link)
    finally:
        remove(new)
    return True


class Staging:
    """Public folders that are written beside their places now, and put there later or not at all.

    with Staging() as staging:
        staging.folder(target, files)   # may fail, for want of space: nothing has changed then
        staging.put()                   # one rename each
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, Path]] = []

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for new, _ in self._waiting:
            remove(new)

    def folder(self, target: Path, files: Mapping[str, bytes]) -> bool:
        """Write a folder of these files beside `target`.

        False where `target` holds just them already.
        """
        if holds(target, files):
            return False
        public_folder(target.parent)
        new = beside(target)
        self._waiting.append((new, target))
        for name, content in files.items():
            _write(new / name, content)
        _sync_all(new)
        return True

    def put(self) -> None:
        """Put each folder in its place."""
        while self._waiting:
            new, target = self._waiting[0]
            swap(new, target)
            self._waiting.pop(0)


def write_folder(target: Path, files: Mapping[str, bytes]) -> bool:
    """Let a public folder hold just these files; False, touching nothing, where it does already."""
    with Staging() as staging:
        changed = staging.folder(target, files)
        staging.put()
    return changed


def holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether a folder holds just these files."""
    if not _is_folder(folder):
        return False
    names = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not _is_folder(path)
    }
    return names == set(files) and all(
        _holds(folder / name, content) for name, content in files.items()
    )


def _holds(path: Path, content: bytes) -> bool:
    try:
        return (
            not path.is_symlink()
            and path.stat().st_size == len(content)
            and path.read_bytes() == content
        )
    except OSError:
        return False


def _write(path: Path, content: bytes) -> None:
    public_folder(path.parent)
    path.write_bytes(content)
    path.chmod(PUBLIC_FILE)


def _sync_all(folder: Path) -> None:
    """Force a folder and all in it to the disk.

    After all is written, so that the disk can take it in one go.
    """
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(PUBLIC_FOLDER)
        sync(path)
    folder.chmod(PUBLIC_FOLDER)
    sync(folder)
