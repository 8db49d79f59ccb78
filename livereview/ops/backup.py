"""Backups: a whole copy beside everybody's work, and each minute's events after it.

A whole copy costs as much as the database is large; an increment as much as happened. So one is made a day, the other
each minute, and a restore takes the newest whole copy and what came after it.
"""

from __future__ import annotations

import io
import json
import logging
import platform
import shutil
import socket
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from livereview.backups import listing
from livereview.backups.listing import Listing
from livereview.backups.manifest import Increment, Kept, Manifest, Tree, read_tree, sealed, unsealed, written
from livereview.backups.target import NAME, Target, at
from livereview.disk import sync_folder, write_private
from livereview.errors import LivereviewError, Refused, Retry
from livereview.store import copies, past
from livereview.store.open import Connection, Store

log = logging.getLogger(__name__)

WHOLE_EACH = timedelta(hours=24)  # a restore then has a day of increments to put back at most
TRIES = 3  # a copy of files that change meanwhile is begun again so often
OTHERS_FRESH = timedelta(minutes=10)  # another owner that shipped so lately is alive
HEAD = "head.json"
MANIFEST = "manifest.json"
DATABASE = "livereview.duckdb"
DETAILS = "increment.json"


class Moved(Exception):
    """A file of the home changed between being listed and being copied."""


@dataclass(slots=True)
class Shipped:
    """How far a follower is; kept in the home, so that it goes on after a restart.

    writer      who ships, made up once a home;  whole  when the copy was made that increments belong to
    last        sha256 of the last increment, "" before the first;  number  how many there are
    signatures  of tables that are shipped whole when they change
    """

    writer: str
    place: str
    copy: str = ""
    whole: str = ""
    program: str = ""
    seq: int = 0
    number: int = 0
    last: str = ""
    tree: Tree = field(default_factory=Tree)
    signatures: Mapping[str, str] = field(default_factory=dict)


def backup(
    store: Store, *, now: datetime, target: str | None = None, name: str | None = None, keep: int | None = None
) -> dict[str, Any]:
    """Make a whole copy in `target` (None: the home's folder `backups`) while everything goes on.

    name   of the copy; None: the time
    keep   afterwards only so many of the newest copies stay; None: all
    Raises Refused for a name that is taken or can't be one. Nothing stays under that name if it does not come about.
    """
    place = at(target or str(store.backups))
    with store.backing:
        manifest = _whole(store, place, Listing(store.database.parent), name or _stamp(now), now)
        _note_last(store, place, manifest)
        removed = prune(place, keep) if keep else []
    return {
        "place": place.words,
        "name": manifest.name,
        "seq": manifest.seq,
        "decisions": manifest.counts.get("decision", 0),
        "bytes": manifest.database.size,
        "files": len(manifest.tree.files),
        "missing": list(manifest.missing),
        "removed": removed,
        "same_disk": _same_disk(store, target),
    }


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _same_disk(store: Store, target: str | None) -> bool:
    """Whether the copy goes down with the disk that the database is on."""
    folder = Path(target).expanduser() if target and "://" not in target else None
    if target and folder is None:
        return target.startswith("file:")
    folder = folder or store.backups
    return folder.exists() and folder.stat().st_dev == store.database.parent.stat().st_dev


def _whole(store: Store, place: Target, files: Listing, name: str, now: datetime) -> Manifest:
    """Write a copy and say what is in it; begun again where files changed meanwhile."""
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} can't name a backup; use up to 80 letters, digits, '.', - and _")
    if place.size(f"copies/{name}/{MANIFEST}") is not None:
        raise Refused(f"{place.words} has a copy named {name}; choose another name")
    for _ in range(TRIES):
        try:
            return _try_whole(store, place, files, name, now)
        except Moved as error:
            log.info("a copy is begun again: %s", error)
    raise Retry("the published files changed too often while they were copied; try again later")


def _try_whole(store: Store, place: Target, files: Listing, name: str, now: datetime) -> Manifest:
    copy = f"copies/{name}"
    with _staging(store) as staging:
        path = staging / DATABASE
        store.reserve.require_bytes(store.database.stat().st_size, "a copy of the database")
        with _moment(store, files) as (con, tree):
            seq, counts, last = past.seen(con), copies.counts(con), copies.migration(con)
            copies.copy_all(con, path)
        copies.check(path, counts, seq, fresh=True)
        kept = Kept(listing.sha256_of(path), path.stat().st_size)
        manifest = Manifest(
            name=name,
            made=now.isoformat(),
            program=_program(),
            migration=last,
            seq=seq,
            database=kept,
            counts=counts,
            tree=tree,
            settings=dict(store.notes),
            missing=files.missing(),
        )
        try:
            _send_files(store, place, tree)
            place.send(path, f"{copy}/{DATABASE}", move=True)
            place.write(f"{copy}/{MANIFEST}", written(manifest))
        except BaseException:
            with suppress(Exception):  # the place may be gone; a copy without manifest is none anyway
                for left in place.names(copy):
                    place.remove(left)
            raise
    return manifest


@contextmanager
def _moment(store: Store, files: Listing) -> Iterator[tuple[Connection, Tree]]:
    """One moment of the database with the published files of the same moment: no build is under way."""
    store.publishing.acquire()
    held = True
    try:
        with store.still() as con:
            tree = files.look()
            store.publishing.release()
            held = False
            yield con, tree
    finally:
        if held:
            store.publishing.release()


@contextmanager
def _staging(store: Store) -> Iterator[Path]:
    """A folder in which the database may write files; gone afterwards, or at the next start."""
    folder = store.backups / f".staging-{uuid4().hex}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> str:
    return f"livereview {version('livereview')}, DuckDB {version('duckdb')}, Python {platform.python_version()}"


def _send_files(store: Store, place: Target, tree: Tree) -> None:
    """Send each content that the place does not have; raises Moved where one is not what was listed."""
    sent: set[str] = set()
    for name, kept in tree.files.items():
        there = listing.place(kept.sha256)
        if kept.sha256 in sent or place.size(there) == kept.size:
            continue
        path = store.database.parent / name
        try:
            if listing.sha256_of(path) != kept.sha256:
                raise Moved(name)
        except FileNotFoundError:
            raise Moved(name) from None
        place.send(path, there)
        sent.add(kept.sha256)


def _note_last(store: Store, place: Target, manifest: Manifest) -> None:
    """Remember the last whole copy, for alarms and for who can't open the database."""
    last = {"place": place.words, "name": manifest.name, "made": datetime.now(UTC).isoformat(), "seq": manifest.seq}
    write_private(store.backups / "last.json", json.dumps(last).encode())


# What stays


def whole_copies(place: Target) -> list[str]:
    """The names of whole copies, oldest first: those that have a manifest."""
    names = [name.split("/") for name in place.names("copies")]
    found = [parts[1] for parts in names if len(parts) == 3 and parts[2] == MANIFEST]
    return sorted(found, key=lambda name: _made(place, name))


def _made(place: Target, name: str) -> str:
    try:
        content = unsealed(place.read(f"copies/{name}/{MANIFEST}"), f"the manifest of {name}")
    except Refused:
        return ""  # a damaged one counts as the oldest
    return datetime.fromisoformat(content["made"]).astimezone(UTC).isoformat()


def prune(place: Target, keep: int) -> list[str]:
    """Remove all whole copies but the newest `keep`, with their increments, and contents that nobody names any more."""
    if keep < 1:
        raise Refused(f"at least one copy must stay; got --keep {keep}")
    known = whole_copies(place)
    gone = known[:-keep]
    if not gone:
        return []
    for name in gone:
        place.remove(f"copies/{name}/{MANIFEST}")  # first: from here on it is no copy
        for left in place.names(f"copies/{name}"):
            place.remove(left)
    named = {kept.sha256 for name in known[-keep:] for kept in _named(place, name)}
    for name in place.names("files"):
        if name.rpartition("/")[2] not in named:
            place.remove(name)
    return gone


def _named(place: Target, name: str) -> Iterator[Kept]:
    """The contents that a copy and its increments name. Raises Refused where that can't be told: then nothing goes."""
    yield from read_tree(unsealed(place.read(f"copies/{name}/{MANIFEST}"), name)["tree"]).files.values()
    for increment in place.names(f"copies/{name}/increments"):
        with zipfile.ZipFile(io.BytesIO(place.read(increment))) as packed:
            details = unsealed(packed.read(DETAILS), increment)
        yield from read_tree(details["changed"]).files.values()


# Increments


class Follower:
    """Ships what is new to one place; `step` once a minute."""

    def __init__(self, store: Store, address: str, keep: int = 30):
        self.store, self.place, self.keep = store, at(address), keep
        self.address = address
        self._files = Listing(store.database.parent)
        self._path = store.backups / "follow.json"
        self._shipped = _read_shipped(self._path, self.place.words)
        self._sure = False  # whether the place's head was compared with ours since we last failed

    def step(self, now: datetime) -> dict[str, Any]:
        """Ship what is new: {"seq", "rows", "whole", "place"}. What goes wrong is noted for the alarms, and raised."""
        self.store.shipping.begin(self.place.words)
        try:
            with self.store.backing:
                done = self._step(now)
        except LivereviewError as error:
            self._sure = False
            self.store.shipping.failed(error.message)
            raise
        except Exception as error:
            self._sure = False
            self.store.shipping.failed(f"{type(error).__name__}: {error}")
            raise
        self.store.shipping.done()
        return {**done, "place": self.place.words}

    def _step(self, now: datetime) -> dict[str, Any]:
        if not self._sure:
            self._compare(now)
        if self._whole_is_due(now):
            return self._begin_anew(now)
        for _ in range(TRIES):
            try:
                return self._ship(now)
            except Moved as error:
                log.info("an increment is begun again: %s", error)
        raise Retry("the published files changed too often while they were copied")

    def _compare(self, now: datetime) -> None:
        """Go on only where the place knows us as the last who wrote there; else a whole copy begins a new row."""
        head = self._head()
        base = f"copies/{self._shipped.copy}/{MANIFEST}"
        if head is None or (self._shipped.copy and self.place.size(base) is None):
            self._shipped.copy = ""
        else:
            mine = head["writer"] == self._shipped.writer
            age = now - datetime.fromisoformat(head["made"])
            if not mine and timedelta() <= age < OTHERS_FRESH:
                raise Refused(
                    f"{self.place.words} is where another database ships to ({head['host']}, last at {head['made']}): "
                    "give each database a place of its own; if that one is gone, this one takes over in ten minutes"
                )
            if (head["writer"], head["copy"], head["last"]) != (
                self._shipped.writer,
                self._shipped.copy,
                self._shipped.last,
            ):
                self._shipped.copy = ""
        if self._shipped.copy:
            self._remove_unfinished()
        self._sure = True

    def _head(self) -> dict[str, Any] | None:
        """What the place says of who ships there; None where it says nothing that can be read."""
        if self.place.size(HEAD) is None:
            return None
        try:
            return unsealed(self.place.read(HEAD), HEAD)
        except Refused as error:
            log.warning("%s in %s, so a whole copy is made", error.message, self.place.words)
            return None

    def _remove_unfinished(self) -> None:
        """Increments that were written and never noted: their events are shipped again."""
        for name in self.place.names(f"copies/{self._shipped.copy}/increments"):
            if int(name.rpartition("/")[2].partition(".")[0]) > self._shipped.number:
                self.place.remove(name)

    def _whole_is_due(self, now: datetime) -> bool:
        shipped = self._shipped
        if not shipped.copy or shipped.program != _program():
            return True
        due = now - datetime.fromisoformat(shipped.whole) >= WHOLE_EACH
        if due and (words := self.store.reserve.short()):
            log.warning("no whole copy is made: %s", words)
            return False
        return due

    def _begin_anew(self, now: datetime) -> dict[str, Any]:
        with self.store.read() as con:
            signatures = copies.signatures(con)  # older than the copy: at worst a table is shipped once more
        manifest = _whole(self.store, self.place, self._files, _stamp(now), now)
        _note_last(self.store, self.place, manifest)
        self._shipped = Shipped(
            writer=self._shipped.writer,
            place=self.place.words,
            copy=manifest.name,
            whole=now.isoformat(),
            program=manifest.program,
            seq=manifest.seq,
            tree=manifest.tree,
            signatures=signatures,
        )
        self._note(now)
        try:
            prune(self.place, self.keep)
        except LivereviewError as error:  # the copy is there; old ones may stay a day longer
            log.warning("old copies could not be removed: %s", error.message)
        return {"seq": manifest.seq, "rows": sum(manifest.counts.values()), "whole": True}

    def _ship(self, now: datetime) -> dict[str, Any]:
        shipped = self._shipped
        with _staging(self.store) as staging:
            with _moment(self.store, self._files) as (con, tree):
                upto = past.seen(con)
                found = copies.write_rows(con, shipped.seq, upto, staging, shipped.signatures)
                counts = copies.counts(con)
                last = copies.migration(con)
            changed, gone = tree.changed(shipped.tree), tree.gone(shipped.tree)
            if not found.rows and tree == shipped.tree:
                return {"seq": upto, "rows": 0, "whole": False}
            increment = Increment(
                copy=shipped.copy,
                number=shipped.number + 1,
                previous=shipped.last,
                start=shipped.seq,
                end=upto,
                made=now.isoformat(),
                migration=last,
                rows=found.rows,
                whole=found.whole,
                counts=counts,
                changed=changed,
                gone=tuple(gone),
            )
            _send_files(self.store, self.place, changed)
            packed = staging / "increment.zip"
            _pack(packed, written(increment), staging, found.rows)
            sha256 = listing.sha256_of(packed)
            self.place.send(packed, f"copies/{shipped.copy}/{increment.file(sha256)}", move=True)
        shipped.seq, shipped.number, shipped.last = upto, increment.number, sha256
        shipped.tree, shipped.signatures = tree, {**shipped.signatures, **found.signatures}
        self._note(now)
        return {"seq": upto, "rows": sum(found.rows.values()), "whole": False}

    def _note(self, now: datetime) -> None:
        """Say in the place, then here, how far it is: where the first is lost, what came is shipped again."""
        shipped = self._shipped
        head = {
            "format": 1,
            "writer": shipped.writer,
            "host": socket.gethostname(),
            "copy": shipped.copy,
            "number": shipped.number,
            "last": shipped.last,
            "seq": shipped.seq,
            "made": now.isoformat(),
        }
        self.place.write(HEAD, sealed(head))
        write_private(self._path, sealed({"format": 1, **asdict(shipped)}))


def _pack(target: Path, details: bytes, folder: Path, rows: Mapping[str, int]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:  # Parquet is packed already
        packed.writestr(DETAILS, details)
        for table in rows:
            packed.write(folder / f"{table}.parquet", f"{table}.parquet")
    sync_folder(folder)


def _read_shipped(path: Path, place: str) -> Shipped:
    """How far we were in this place; from the beginning where that is not known."""
    try:
        content = unsealed(path.read_bytes(), str(path))
        del content["format"]
        shipped = Shipped(**{**content, "tree": read_tree(content["tree"])})
    except (OSError, Refused, TypeError, KeyError):
        return Shipped(writer=uuid4().hex, place=place)
    return shipped if shipped.place == place else Shipped(writer=shipped.writer, place=place)


_followers: WeakKeyDictionary[Store, dict[str, Follower]] = WeakKeyDictionary()


def follow(store: Store, *, target: str, now: datetime, keep: int = 30) -> dict[str, Any]:
    """Ship to `target` what came since the last time; the first time, and once a day, a whole copy."""
    known = _followers.setdefault(store, {})
    if target not in known:
        known[target] = Follower(store, target, keep)
    return known[target].step(now)
