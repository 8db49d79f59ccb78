"""Places that backups are kept in: a folder (of this machine or mounted from another), or what
fsspec reaches.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from livereview.disk import is_full, sync_folder
from livereview.errors import DiskFull, LivereviewError, Refused, Retry
from livereview.private_files import write_private

PART = ".part"  # how the name of a file ends that is still on its way
# they show a file when all of it has come
WHOLE_OR_NOT = ("s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "memory")
EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "sftp": "sftp",
    "ssh": "sftp",
}


class Target(Protocol):
    """Files by names such as "copies/a/manifest.json". `words` name the place without secrets.

    Every method raises Retry where the place can't be reached.
    """

    words: str

    def names(self, folder: str) -> list[str]: ...

    def size(self, name: str) -> int | None: ...

    def read(self, name: str) -> bytes: ...

    def fetch(self, name: str, path: Path) -> None: ...

    def write(self, name: str, content: bytes) -> None: ...

    def send(self, path: Path, name: str, *, move: bool = False) -> None: ...

    def remove(self, name: str) -> None: ...

    def remove_parts(self, seconds: float) -> None:
        """Remove what has been on its way for so long that whoever sent it must be dead, where such
        things stay.
        """


def at(address: str) -> Target:
    """The place with this address: a path, file:// or any other that fsspec knows.

    Raises:
        Refused: for what is none.
    """
    if not address.strip():
        raise Refused("a backup needs a place: a folder, or an address such as s3://bucket/folder")
    scheme = address.partition("://")[0] if "://" in address else "file"
    if scheme in ("file", "local"):
        return Folder(Path(address.partition("://")[2] or address))
    return Elsewhere(address, scheme)


def without_secrets(address: str) -> str:
    """An address as it may be shown: without user, password and query."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


@contextmanager
def _reaching(words: str) -> Iterator[None]:
    """Turn what goes wrong on the way to a place into words for the operator."""
    try:
        yield
    except LivereviewError:
        raise
    except (
        Exception
    ) as error:  # packages behind fsspec raise kinds of their own, such as ftplib.Error
        if is_full(error):
            raise DiskFull(
                f"the backup's disk is full ({words}): make room there, or keep fewer copies"
            ) from error
        if isinstance(error, OSError) and error.strerror:
            kind = error.strerror
        else:
            kind = str(error) or type(error).__name__
        raise Retry(f"the backup's place {words} can't be used: {kind}") from error


class Folder:
    """A folder, readable by this user only; what is in it was forced to the disk."""

    def __init__(self, root: Path):
        self.root = root.expanduser().resolve()
        self.words = str(self.root)

    def names(self, folder: str) -> list[str]:
        with _reaching(self.words):
            found = (path for path in (self.root / folder).rglob("*") if path.is_file())
            return sorted(
                str(path.relative_to(self.root)) for path in found if not path.name.endswith(PART)
            )

    def size(self, name: str) -> int | None:
        with _reaching(self.words):
            path = self.root / name
            return path.stat().st_size if path.is_file() else None

    def read(self, name: str) -> bytes:
        with _reaching(self.words):
            return (self.root / name).read_bytes()

    def fetch(self, name: str, path: Path) -> None:
        with _reaching(self.words):
            shutil.copyfile(self.root / name, path)

    def write(self, name: str, content: bytes) -> None:
        with _reaching(self.words):
            write_private(self.root / name, content)

    def send(self, path: Path, name: str, *, move: bool = False) -> None:
        """Copy a file there.

        On this very disk it is linked: a second copy would not outlive the disk either.

        Args:
            move: The file is not needed any more, so it may be renamed.
        """
        target = self.root / name
        with _reaching(self.words):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}{PART}")
            try:
                _bring(path, beside, move)
                beside.replace(target)
            finally:
                beside.unlink(missing_ok=True)
            sync_folder(target.parent)

    def remove(self, name: str) -> None:
        with _reaching(self.words):
            path = self.root / name
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.root or any(folder.iterdir()):
                    break
                folder.rmdir()

    def remove_parts(self, seconds: float) -> None:
        now = time.time()
        with _reaching(self.words):
            for part in self.root.rglob(f".*{PART}"):
                if (
                    now - part.lstat().st_ctime > seconds
                ):  # a link has the time of what it leads to as its mtime
                    part.unlink(missing_ok=True)


def _bring(path: Path, beside: Path, move: bool) -> None:
    if path.stat().st_dev == beside.parent.stat().st_dev:
        if move:
            path.chmod(0o600)
            path.rename(beside)
            return
        try:
            os.link(path, beside)
        except OSError:  # this file system has no links
            pass
        else:
            return
    shutil.copyfile(path, beside)
    beside.chmod(0o600)
    with beside.open("rb") as file:
        os.fsync(file.fileno())


class Elsewhere:
    """A place that fsspec reaches: s3://, gs://, az://, sftp://, ftp://, memory:// …"""

    def __init__(self, address: str, scheme: str):
        import fsspec

        self.words = without_secrets(address)
        self._scheme = scheme
        try:
            self._fs, root = fsspec.core.url_to_fs(address, use_listings_cache=False)
        except ImportError as error:
            extra = EXTRAS.get(scheme)
            how = f"pip install 'livereview[{extra}]'" if extra else str(error)
            raise Refused(f"{scheme}:// needs a package that is not installed: {how}") from None
        except ValueError as error:
            raise Refused(f"{self.words} is no place for a backup: {error}") from None
        except OSError as error:
            raise Retry(f"the backup's place {self.words} can't be used: {error}") from error
        self._root = root.rstrip("/")

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def names(self, folder: str) -> list[str]:
        with _reaching(self.words):
            self._fs.invalidate_cache()
            try:
                found: list[str] = self._fs.find(self._at(folder))
            except FileNotFoundError:
                return []
            start = len(self._fs._strip_protocol(self._root)) + 1
            return sorted(name[start:] for name in found if not name.endswith(PART))

    def size(self, name: str) -> int | None:
        with _reaching(self.words):
            self._fs.invalidate_cache()
            try:
                told: dict[str, Any] = self._fs.info(self._at(name))
            except FileNotFoundError:
                return None
            if told.get("size") is not None:
                return int(told["size"])
            return None

    def read(self, name: str) -> bytes:
        with _reaching(self.words):
            self._fs.invalidate_cache()
            content: bytes = self._fs.cat_file(self._at(name))
            return content

    def fetch(self, name: str, path: Path) -> None:
        with _reaching(self.words):
            self._fs.get_file(self._at(name), str(path))

    def write(self, name: str, content: bytes) -> None:
        with _reaching(self.words), self._there(name) as place:
            self._fs.pipe_file(place, content)

    def send(self, path: Path, name: str, *, move: bool = False) -> None:
        with _reaching(self.words), self._there(name) as place:
            self._fs.put_file(str(path), place)

    def remove(self, name: str) -> None:
        with _reaching(self.words):
            self._fs.rm_file(self._at(name))

    def remove_parts(self, seconds: float) -> None:
        """Nothing: what is sent again has the same name, and takes the place of what was left."""

    @contextmanager
    def _there(self, name: str) -> Iterator[str]:
        """Where to write so that nobody finds a half file under its own name."""
        place = self._at(name)
        if self._scheme in WHOLE_OR_NOT:
            yield place
            return
        self._fs.makedirs(place.rpartition("/")[0], exist_ok=True)
        yield place + PART
        self._fs.invalidate_cache()
        if self._fs.exists(place):
            self._fs.rm_file(place)
        self._fs.mv(place + PART, place)


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")  # of a copy
