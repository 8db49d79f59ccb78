"""The files of a home that a backup holds, with their checksums.

Read again only where something changed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from livereview.backups.manifest import FOLDERS, Kept, Tree, leads_out

CHUNK = 2**20
# Of a home and not in a backup: what is secret, made again by itself, or another program's.
NOT_IN_IT = {
    "owner.token": "the owner's token: made anew at the next start",
    "ranking": "features of texts for ranking: made anew",
    "page-texts": "the texts of full texts: read anew from the files",
    "safe-copies": "full texts without what may run in them: made anew from the files",
    "prefect": "Prefect's own database and runs: schedules are made anew by `livereview schedule`",
}
ALWAYS_MISSING = (
    "secrets, of which the manifest has the names: set them again",
    "sessions: everybody signs in again, with the secret they have",
    "recordings that were kept outside of the home's folder `recordings`",
)
OWN = ("backups", *FOLDERS)  # neither missing nor told


class Listing:
    """Lists the files of a home; remembers the checksums of those that did not change."""

    def __init__(self, home: Path):
        self._home = home
        self._known: dict[str, tuple[tuple[int, int, int], Kept]] = {}
        self._left_out: dict[str, str] = {}  # paths that no restore could bring back, and why

    def look(self) -> Tree:
        """Every file and link there is now.

        What is half written is left out, as are builds that nothing shows.
        """
        files: dict[str, Kept] = {}
        links: dict[str, str] = {}
        known: dict[str, tuple[tuple[int, int, int], Kept]] = {}
        left_out: dict[str, str] = {}
        for path in self._walk():
            name = str(path.relative_to(self._home))
            if reason := _unfit(path, name):
                left_out[name] = reason
                continue
            if path.is_symlink():
                links[name] = str(path.readlink())
                continue
            status = path.stat()
            sign = (status.st_ino, status.st_size, status.st_mtime_ns)
            before = self._known.get(name)
            kept = before[1] if before and before[0] == sign else _kept(path, name)
            files[name], known[name] = kept, (sign, kept)
        self._known, self._left_out = known, left_out
        shown = {str(Path(path).parent / to) for path, to in links.items()}
        return Tree({name: kept for name, kept in files.items() if _wanted(name, shown)}, links)

    def missing(self) -> tuple[str, ...]:
        """What lies in the home and is in no backup, and what never is."""
        found = []
        for path in sorted(self._home.iterdir()):
            if path.name in NOT_IN_IT:
                found.append(NOT_IN_IT[path.name])
            elif path.name not in OWN and not path.name.startswith((".", "livereview.")):
                found.append(f"{path.name}: not one of livereview's own folders")
        left_out = [
            f"{_printable(name)}: {reason}" for name, reason in sorted(self._left_out.items())
        ]
        return (*found, *left_out, *ALWAYS_MISSING)

    def _walk(self) -> Iterator[Path]:
        for folder in FOLDERS:
            for root, folders, names in os.walk(self._home / folder):
                here = Path(root)
                folders[:] = sorted(name for name in folders if not _half(name))
                yield from (here / name for name in folders if (here / name).is_symlink())
                yield from (here / name for name in sorted(names) if not _half(name))


def _unfit(path: Path, name: str) -> str | None:
    """Why a restore could not bring this back, in words; None where it can.

    One such path must not stop the backup of all others, nor make the whole copy unreadable.
    """
    if _printable(name) != name:
        return "its name is not UTF-8; rename it"
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        if leads_out(str(path.readlink())):
            return "a link that leads out of its folder"
        return None
    if stat.S_ISREG(mode):
        return None
    return "no file but a pipe, a socket or a device"


def _printable(name: str) -> str:
    """A name as JSON can hold it: bytes that are not UTF-8 are shown as such."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _half(name: str) -> bool:
    return name.startswith(".") or name.endswith((".new", ".part"))


def _wanted(name: str, shown: set[str]) -> bool:
    """Whether a file is no part of a build that nothing leads to any more."""
    parts = Path(name).parts
    if len(parts) < 5 or parts[0] != "site" or parts[2] != "builds":
        return True
    return str(Path(*parts[:4])) in shown


def _kept(path: Path, name: str) -> Kept:
    return Kept(sha256_of(path), path.stat().st_size, public=name.startswith("site/"))


def sha256_of(path: Path) -> str:
    """The checksum of a file of any size."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def place(sha256: str) -> str:
    """Where a content is kept in a target."""
    return f"files/{sha256[:2]}/{sha256}"


def sha256_of_bytes(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
