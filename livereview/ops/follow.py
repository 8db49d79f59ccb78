"""Shipping each minute what came since the last, so that at most a minute of work can be lost with
a disk.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from livereview.backups import listing
from livereview.backups.listing import Listing
from livereview.backups.manifest import Increment, Tree, read_tree, sealed, unsealed, written
from livereview.errors import LivereviewError, Refused, Retry
from livereview.ops.backup import (
    DETAILS,
    HEAD,
    MANIFEST,
    TRIES,
    Moved,
    note_last,
    one_moment,
    place_of,
    program,
    prune,
    remove_unfinished,
    send,
    send_files,
    staging_folder,
    stamp,
    write_whole,
)
from livereview.private_files import write_private
from livereview.store import copies, past
from livereview.store.open import Store

log = logging.getLogger(__name__)

WHOLE_EACH = timedelta(hours=24)  # a restore then has a day of increments to put back at most
# a copy of so far in the future is of a wrong clock: another is made
CLOCK_PUT_RIGHT = timedelta(hours=1)
OTHERS_FRESH = timedelta(minutes=10)  # another owner that shipped so lately is alive


@dataclass(slots=True)
class Shipped:
    """How far a follower is; kept in the home, so that it goes on after a restart.

    Attributes:
        writer: Who ships, made up once a home.
        whole: When the copy was made that increments belong to.
        last: Sha256 of the last increment, "" before the first.
        number: How many there are.
        signatures: Of tables that are shipped whole when they change.
        fingerprint: Of the last events up to `seq`, by which a database that was put in the place
            of ours is known.
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
    fingerprint: str = ""


class Replaced(Exception):
    """The database has fewer events than were shipped from it."""


def noted_in(words: str) -> str:
    """The file in the home's `backups` that remembers how far we are in the place with these words."""
    return f"follow-{hashlib.sha256(words.encode()).hexdigest()[:12]}.json"


class Follower:
    """Ships what is new to one place; `step` once a minute."""

    def __init__(self, store: Store, address: str, keep: int = 30):
        self.store, self.place, self.keep = store, place_of(store, address), keep
        self.address = address
        self._files = Listing(store.database.parent)
        self._path = store.backups / noted_in(self.place.words)
        self._shipped = _read_shipped(self._path, self.place.words)
        self._sure = False  # whether the place's head was compared with ours since we last failed

    def step(self, now: datetime) -> dict[str, Any]:
        """Ship what is new: {"seq", "rows", "whole", "place"}. What goes wrong is noted for the
        alarms, and raised.
        """
        self.store.shipping.begin(self.place.words)
        try:
            with self.store.backing:
                done = self._step(now)
        except LivereviewError as error:
            self._forget()
            self.store.shipping.failed(error.message)
            raise
        except Exception as error:
            self._forget()
            self.store.shipping.failed(f"{type(error).__name__}: {error}")
            raise
        self.store.shipping.done()
        return {**done, "place": self.place.words}

    def _forget(self) -> None:
        """After a failure only what was noted counts: a place that was away is no new place."""
        self._sure = False
        self._shipped = _read_shipped(self._path, self.place.words)

    def _step(self, now: datetime) -> dict[str, Any]:
        if not self._sure:
            self._compare(now)
        if self._whole_is_due(now):
            return self._begin_anew(now)
        for _ in range(TRIES):
            try:
                return self._ship(now)
            except Replaced:
                log.warning(
                    "the database has fewer events than were shipped, so a whole copy is made"
                )
                return self._begin_anew(now)
            except Moved as error:
                log.info("an increment is begun again: %s", error)
        raise Retry("the published files changed too often while they were copied")

    def _compare(self, now: datetime) -> None:
        """Go on only where the place knows us as the last who wrote there.

        Else a whole copy begins a new row.
        """
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
        if self._shipped.copy and self._is_replaced():
            log.warning(
                "the database is not the one that was shipped from, so a whole copy is made"
            )
            self._shipped.copy = ""
        if self._shipped.copy:
            self._remove_unfinished()
        self._sure = True

    def _is_replaced(self) -> bool:
        """Whether the events up to where we were are others than those that were shipped."""
        with self.store.read() as con:
            return copies.fingerprint(con, self._shipped.seq) != self._shipped.fingerprint

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
        if not shipped.copy or shipped.program != program():
            return True
        age = now - datetime.fromisoformat(shipped.whole)
        due = age >= WHOLE_EACH or age < -CLOCK_PUT_RIGHT
        if due and (words := self.store.reserve.short()):
            log.warning("no whole copy is made: %s", words)
            return False
        return due

    def _begin_anew(self, now: datetime) -> dict[str, Any]:
        with self.store.read() as con:
            # older than the copy: at worst a table is shipped once more
            signatures = copies.signatures(con)
        manifest = write_whole(self.store, self.place, self._files, stamp(now), now)
        with self.store.read() as con:
            fingerprint = copies.fingerprint(con, manifest.seq)
        note_last(self.store, self.place, manifest)
        self._shipped = Shipped(
            writer=self._shipped.writer,
            place=self.place.words,
            copy=manifest.name,
            whole=now.isoformat(),
            program=manifest.program,
            seq=manifest.seq,
            tree=manifest.tree,
            signatures=signatures,
            fingerprint=fingerprint,
        )
        self._note(now)
        try:
            prune(self.place, self.keep)
            remove_unfinished(self.place, now)
        except LivereviewError as error:  # the copy is there; old ones may stay a day longer
            log.warning("old copies could not be removed: %s", error.message)
        return {"seq": manifest.seq, "rows": sum(manifest.counts.values()), "whole": True}

    def _ship(self, now: datetime) -> dict[str, Any]:
        shipped = self._shipped
        with staging_folder(self.store) as staging:
            with one_moment(self.store, self._files) as (con, tree):
                upto = past.seen(con)
                found = copies.write_rows(con, shipped.seq, upto, staging, shipped.signatures)
                counts, fingerprint = copies.counts(con), copies.fingerprint(con, upto)
                last = copies.migration(con)
            changed, gone = tree.changed(shipped.tree), tree.gone(shipped.tree)
            if upto < shipped.seq:
                raise Replaced
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
            send_files(self.store, self.place, changed)
            packed = staging / "increment.zip"
            _pack(packed, written(increment), staging, found.rows)
            sha256 = listing.sha256_of(packed)
            send(self.place, packed, f"copies/{shipped.copy}/{increment.file(sha256)}", move=True)
            shipped.fingerprint = fingerprint
        shipped.seq, shipped.number, shipped.last = upto, increment.number, sha256
        shipped.tree, shipped.signatures = tree, {**shipped.signatures, **found.signatures}
        self._note(now)
        return {"seq": upto, "rows": sum(found.rows.values()), "whole": False}

    def _note(self, now: datetime) -> None:
        """Say in the place, then here, how far it is: where the first is lost, what came is shipped
        again.
        """
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


def _read_shipped(path: Path, place: str) -> Shipped:
    """How far we were in this place; from the beginning where that is not known."""
    try:
        content = unsealed(path.read_bytes(), str(path))
        del content["format"]
        shipped = Shipped(**{**content, "tree": read_tree(content["tree"])})
    except (OSError, Refused, TypeError, KeyError):
        return Shipped(writer=uuid4().hex, place=place)
    if shipped.place == place:
        return shipped
    return Shipped(writer=shipped.writer, place=place)


_followers: WeakKeyDictionary[Store, dict[str, Follower]] = WeakKeyDictionary()


def follow(store: Store, *, target: str, now: datetime, keep: int = 30) -> dict[str, Any]:
    """Ship to `target` what came since the last time.

    The first time, and once a day, a whole copy.
    """
    known = _followers.setdefault(store, {})
    if target not in known:
        known[target] = Follower(store, target, keep)
    return known[target].step(now)
