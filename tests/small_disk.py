"""A real disk of a few megabytes: a tmpfs, which is full when it is full.

Needs root; elsewhere these tests skip.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MB = 2**20


class SmallDisk:
    """The disk while it is mounted at `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._filler = folder / "filler"

    def free(self) -> int:
        stat = os.statvfs(self.folder)
        return stat.f_bavail * stat.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Fill it up but for so many bytes."""
        with self._filler.open("ab") as file:
            size = self.free() - leave
            if size > 0:
                os.posix_fallocate(file.fileno(), self._filler.stat().st_size, size)

    def make_room(self) -> None:
        """Everything that `fill` took is free again."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one; skips the test where this user may not."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("this machine has no mount")
    if done.returncode:
        pytest.skip(f"this user can't mount a small disk: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
