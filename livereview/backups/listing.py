"""The files of a home that a backup holds, with their checksums; read again only where something changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from livereview.backups.manifest import FOLDERS, Kept, Tree

CHUNK = 2**20
# Of a home and not in a backup: what is secret, made again by itself, or another program's.
NOT_IN_IT = {
    "owner.token": "the owner's token: made anew at the next start",
    "ranking": "features of texts for ranking: made anew",
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

    def look(self) -> Tree:
        """Every file and link there is now. What is half written is left out, as are builds that nothing shows."""
        files: dict[str, Kept] = {}
        links: dict[str, str] = {}
        known: dict[str, tuple[tuple[int, int, int], Kept]] = {}
        for path in self._walk():
            name = str(path.relative_to(self._home))
            if path.is_symlink():
                links[name] = str(path.readlink())
                continue
            stat = path.stat()
            sign = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            before = self._known.get(name)
            kept = before[1] if before and before[0] == sign else _kept(path, name)
            files[name], known[name] = kept, (sign, kept)
        self._known = known
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
        return (*found, *ALWAYS_MISSING)

    def _walk(self) -> Iterator[Path]:
        for folder in FOLDERS:
            for root, folders, names in os.walk(self._home / folder):
                here = Path(root)
                folders[:] = sorted(name for name in folders if not _half(name))
                yield from (here / name for name in folders if (here / name).is_symlink())
                yield from (here / name for name in sorted(names) if not _half(name))


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
