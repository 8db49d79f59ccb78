"""Where a review's published files are, and whether they are what was put there.

site/index.html, index.json     the front page
site/<review>/builds/<digest>/  complete builds; never changed
site/<review>/latest            a link to one of them
site/<review>/v/<n>/            numbered versions, or the tombstones of withdrawn ones
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from livereview import durable
from livereview.durable import Staging
from livereview.summary.crate import SUMS

# builds that `latest` no longer shows, at least: who copies the folder may be on their way through
# one
KEPT_BUILDS = 3
# and none goes within so many seconds: somebody may have the page, and not yet its pictures
KEPT_SECONDS = 60.0
SHORT = 20  # digits of a digest that name a build's folder: 80 bits

Signature = tuple[tuple[str, int, int, int, int], ...]


def digest(files: Mapping[str, bytes]) -> str:
    """One number for these files under these names."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def read(folder: Path) -> dict[str, bytes]:
    """What a folder holds, by path; nothing where there is no folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def listed(sums: bytes) -> dict[str, str]:
    """The checksum of each file that a SHA256SUMS names."""
    found = {}
    for line in sums.decode("utf-8", "replace").splitlines():
        checksum, _, name = line.partition("  ")
        found[name] = checksum
    return found


def sums_problem(files: Mapping[str, bytes]) -> str | None:
    """How the files differ from their SHA256SUMS, in words; None if they don't."""
    if SUMS not in files:
        return f"it has no {SUMS}"
    checksums = listed(files[SUMS])
    present = set(files) - {SUMS}
    if missing := sorted(set(checksums) - present):
        return f"{missing[0]} is missing"
    if strangers := sorted(present - set(checksums)):
        return f"{strangers[0]} does not belong there"
    changed = sorted(
        name for name in present if hashlib.sha256(files[name]).hexdigest() != checksums[name]
    )
    if changed:
        return f"{changed[0]} is not what {SUMS} says"
    return None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a folder held when it was last read: its digest, and how it differs from its SHA256SUMS."""

    digest: str
    problem: str | None


class FolderReader:
    """Reads folders whole, and again only when a file's inode, size or times changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Signature, Seen]] = {}
        self._lock = threading.Lock()

    def look(self, folder: Path) -> Seen | None:
        """What the folder holds; None where it is none or can't be read."""
        try:
            signature = _signature(folder)
            with self._lock:
                before = self._known.get(folder)
            if before and before[0] == signature:
                return before[1]
            files = read(folder) if signature else {}
        except OSError:
            return None
        if not files:
            return None
        seen = Seen(digest(files), sums_problem(files))
        with self._lock:
            self._known[folder] = (signature, seen)
        return seen

    def forget(self) -> None:
        """Read everything again: a disk may hand out other bytes without a sign."""
        with self._lock:
            self._known.clear()


def _signature(folder: Path) -> Signature:
    signs = []
    for path in folder.rglob("*"):
        stat = path.lstat()
        signs.append((str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return tuple(sorted(signs))


@dataclass(frozen=True, slots=True)
class ReviewFolder:
    """The published folder of one review."""

    home: Path

    @property
    def latest(self) -> Path:
        return self.home / "latest"

    @property
    def builds(self) -> Path:
        return self.home / "builds"

    @property
    def versions(self) -> Path:
        return self.home / "v"

    def build(self, digest: str) -> Path:
        return self.builds / digest[:SHORT]

    def version(self, number: int) -> Path:
        return self.versions / str(number)

    def stage(self, staging: Staging, files: Mapping[str, bytes]) -> str:
        """Write a build beside its place unless it is there already; its digest."""
        key = digest(files)
        staging.folder(self.build(key), files)
        return key

    def shown(self) -> Path | None:
        """The build that `latest` shows, whole or not; None where it leads nowhere that is one."""
        link = self.latest
        if not link.is_symlink():
            return None
        target = link.parent / link.readlink()
        if target.parent == self.builds and target.is_dir():
            return target
        return None

    def show(self, digest: str) -> bool:
        """Let `latest` show the build of this digest, which is there.

        False where it does already.
        """
        before = self.shown()
        changed = durable.write_link(self.latest, f"builds/{digest[:SHORT]}")
        if changed and before is not None:
            before.touch()  # from now on it is one that was shown
        self._prune(digest)
        return changed

    def _prune(self, digest: str) -> None:
        """Drop builds that nobody can be reading any more, and what dead processes left."""
        durable.remove_leftovers((self.home, self.builds, self.versions))
        others = [path for path in self.builds.iterdir() if path != self.build(digest)]
        others = [path for path in others if not path.name.endswith(durable.TEMPORARY)]
        others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in others[KEPT_BUILDS:]:
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                durable.remove(path)
