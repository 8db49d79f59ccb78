"""Backups: a whole copy beside everybody's work, and each minute's events after it.

A whole copy costs as much as the database is large; an increment as much as happened. So one is
made a day, the other each minute, and a restore takes the newest whole copy and what came after it.
"""

from __future__ import annotations

import io
import json
import logging
import platform
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from livereview.backups import listing
from livereview.backups.listing import Listing
from livereview.backups.manifest import FOLDERS, Kept, Manifest, Tree, read_tree, unsealed, written
from livereview.backups.target import NAME, Folder, Target, at
from livereview.errors import Refused, Retry
from livereview.private_files import write_private
from livereview.store import copies, past
from livereview.store.open import Connection, Store

log = logging.getLogger(__name__)

TRIES = 3  # a copy of files that change meanwhile is begun again so often
HEAD = "head.json"
MANIFEST = "manifest.json"
DATABASE = "livereview.duckdb"
DETAILS = "increment.json"
STAMP = "%Y%m%dT%H%M%S%fZ"
UNFINISHED = timedelta(days=1)  # after which nobody writes any more what is not whole yet


class Moved(Exception):
    """A file of the home changed between being listed and being copied."""


def backup(
    store: Store,
    *,
    now: datetime,
    target: str | None = None,
    name: str | None = None,
    keep: int | None = None,
) -> dict[str, Any]:
    """Make a whole copy in `target` (None: the home's folder `backups`) while everything goes on.

    Raises Refused for a name that is taken or can't be one. Nothing stays under that name if it
    does not come about.

    Args:
        name: Of the copy; None: the time.
        keep: Afterwards only so many of the newest copies stay; None: all.
    """
    place = place_of(store, target or str(store.backups))
    with store.backing:
        manifest = write_whole(
            store, place, Listing(store.database.parent), name or stamp(now), now
        )
        note_last(store, place, manifest)
        removed = prune(place, keep) if keep else []
        remove_unfinished(place, now)
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


def place_of(store: Store, address: str) -> Target:
    """The place at this address, which is in no folder that the service itself fills.

    Raises Refused for such a folder: everybody can fetch what lies in the published site, and what
    lies among full texts or recordings would be in the next backup too.
    """
    place = at(address)
    home = store.database.parent.resolve()
    if not isinstance(place, Folder) or not place.root.is_relative_to(home):
        return place
    inside = place.root.relative_to(home).parts
    if not inside or inside[0] not in {*FOLDERS, *listing.NOT_IN_IT}:
        return place
    raise Refused(
        f"{place.words} lies in a folder that livereview fills itself; choose one on another machine or disk, "
        f"or {home / 'backups'}"
    )


def stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime(STAMP)


def _stamped(name: str) -> datetime | None:
    """When the copy of this name was begun; None where it was given another name than its time."""
    try:
        return datetime.strptime(name, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _same_disk(store: Store, target: str | None) -> bool:
    """Whether the copy goes down with the disk that the database is on."""
    folder = Path(target).expanduser() if target and "://" not in target else None
    if target and folder is None:
        return target.startswith("file:")
    folder = folder or store.backups
    return folder.exists() and folder.stat().st_dev == store.database.parent.stat().st_dev


def write_whole(store: Store, place: Target, files: Listing, name: str, now: datetime) -> Manifest:
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
    with staging_folder(store) as staging:
        path = staging / DATABASE
        store.reserve.require_bytes(store.database.stat().st_size, "a copy of the database")
        with one_moment(store, files) as (con, tree):
            seq, counts, last = past.seen(con), copies.counts(con), copies.migration(con)
            copies.copy_all(con, path)
        copies.check(path, counts, seq, fresh=True)
        kept = Kept(listing.sha256_of(path), path.stat().st_size)
        manifest = Manifest(
            name=name,
            made=now.isoformat(),
            program=program(),
            migration=last,
            seq=seq,
            order=_next_order(place),
            database=kept,
            counts=counts,
            tree=tree,
            settings=dict(store.notes),
            missing=files.missing(),
        )
        try:
            send_files(store, place, tree)
            send(place, path, f"{copy}/{DATABASE}", move=True)
            place.write(f"{copy}/{MANIFEST}", written(manifest))
        except BaseException:
            # the place may be gone; a copy without manifest is none anyway
            with suppress(Exception):
                for left in place.names(copy):
                    place.remove(left)
            raise
    return manifest


@contextmanager
def one_moment(store: Store, files: Listing) -> Iterator[tuple[Connection, Tree]]:
    """One moment of the database with the published files of the same moment: no build is under
    way.
    """
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
def staging_folder(store: Store) -> Iterator[Path]:
    """A folder in which the database may write files; gone afterwards, or at the next start."""
    folder = store.backups / f".staging-{uuid4().hex}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def program() -> str:
    return f"livereview {version('livereview')}, DuckDB {version('duckdb')}, Python {platform.python_version()}"


def send_files(store: Store, place: Target, tree: Tree) -> None:
    """Send each content that the place does not have.

    Raises:
        Moved: where one is not what was listed.
    """
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
        send(place, path, there)
        sent.add(kept.sha256)


def send(place: Target, path: Path, name: str, *, move: bool = False) -> None:
    """Send a file and look whether all of it has come.

    Raises:
        Retry: where it has not, and nothing stays there.
    """
    size = path.stat().st_size
    place.send(path, name, move=move)
    arrived = place.size(name)
    if arrived == size:
        return
    if arrived is not None:
        place.remove(name)
    raise Retry(
        f"the backup's place {place.words} kept {arrived or 0:,} of the {size:,} bytes of {name}"
    )


def note_last(store: Store, place: Target, manifest: Manifest) -> None:
    """Remember the last whole copy, for alarms and for who can't open the database."""
    last = {
        "place": place.words,
        "name": manifest.name,
        "made": datetime.now(UTC).isoformat(),
        "seq": manifest.seq,
    }
    write_private(store.backups / "last.json", json.dumps(last).encode())


# What stays


def whole_copies(place: Target) -> list[str]:
    """The names of whole copies, oldest first: those that have a manifest."""
    names = [name.split("/") for name in place.names("copies")]
    found = [parts[1] for parts in names if len(parts) == 3 and parts[2] == MANIFEST]
    return sorted(found, key=lambda name: _age(place, name))


def _age(place: Target, name: str) -> tuple[int, str]:
    """By what copies are sorted: their order in the place, then their times, as clocks may be set
    back.
    """
    try:
        content = unsealed(place.read(f"copies/{name}/{MANIFEST}"), f"the manifest of {name}")
    except Refused:
        return -1, ""  # a damaged one counts as the oldest
    return content.get("order", 0), datetime.fromisoformat(content["made"]).astimezone(
        UTC
    ).isoformat()


def _next_order(place: Target) -> int:
    """The number of the copy that comes after all that the place has."""
    present = whole_copies(place)
    return max(_age(place, present[-1])[0], 0) + 1 if present else 1


def prune(place: Target, keep: int) -> list[str]:
    """Remove all whole copies but the newest `keep`, with their increments, and contents that
    nobody names any more.
    """
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


def remove_unfinished(place: Target, now: datetime) -> None:
    """Remove what was left by processes that were killed while they wrote or removed a copy: no
    restore looks at it.
    """
    place.remove_parts(UNFINISHED.total_seconds())
    whole = set(whole_copies(place))
    for name in place.names("copies"):
        copy = name.split("/")[1]
        begun = _stamped(copy)
        if copy not in whole and begun is not None and now - begun > UNFINISHED:
            place.remove(name)


def _named(place: Target, name: str) -> Iterator[Kept]:
    """The contents that a copy and its increments name.

    Raises:
        Refused: where that can't be told: then nothing goes.
    """
    yield from read_tree(
        unsealed(place.read(f"copies/{name}/{MANIFEST}"), name)["tree"]
    ).files.values()
    for increment in place.names(f"copies/{name}/increments"):
        with zipfile.ZipFile(io.BytesIO(place.read(increment))) as packed:
            details = unsealed(packed.read(DETAILS), increment)
        yield from read_tree(details["changed"]).files.values()
