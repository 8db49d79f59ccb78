"""Moving the parts of a home: all of them or none, from disk to disk where a folder is a disk of
its own.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from livereview import durable

LOST = "lost+found"  # in the root of a disk, where it stays

Move = Callable[[Path, Path], None]


@contextmanager
def all_or_nothing() -> Iterator[Move]:
    """A way to move files; where something fails, everything goes back to where it was."""
    done: list[tuple[Path, Path]] = []

    def move(path: Path, target: Path) -> None:
        _carry(path, target)
        done.append((path, target))

    try:
        yield move
    except BaseException:
        for path, target in reversed(done):
            _carry(target, path)
        raise


def _carry(path: Path, target: Path) -> None:
    """Rename; to another disk copy, and then remove. What fails leaves everything where it was."""
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        try:
            _copy(path, target)
        except BaseException:
            durable.remove(target)
            raise
        durable.remove(path)


def _copy(path: Path, target: Path) -> None:
    """Copy a file, a link or a folder, and force it to the disk."""
    if path.is_symlink():
        target.symlink_to(path.readlink())
    elif path.is_dir():
        target.mkdir(mode=path.stat().st_mode & 0o777)
        for inner in path.iterdir():
            _copy(inner, target / inner.name)
        durable.sync(target)
    else:
        shutil.copy2(path, target)
        durable.sync(target)


def move_whole(path: Path, target: Path, move: Move) -> None:
    """Move a file or a folder.

    Of a folder that is a disk of its own what is in it, as the folder can't be moved.
    """
    if not path.is_mount() and not target.is_mount():
        move(path, target)
        return
    target.mkdir(mode=path.stat().st_mode & 0o777, exist_ok=True)
    for inner in sorted(path.iterdir()):
        if inner.name != LOST:
            move(inner, target / inner.name)
