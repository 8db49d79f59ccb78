"""Whether what is published is there, whole, and what the events say.

And putting right what is not.

The events are what holds. What a place shows is noted in them (store/placed.py), so that a folder
that was deleted, damaged, or changed by somebody else's hand is known, and so is one that a killed
process left behind the events.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livereview import durable
from livereview.durable import Staging
from livereview.ops import as_of, publish, published_files, withdraw
from livereview.ops.published_files import FolderReader, ReviewFolder
from livereview.store import placed, searches, versions
from livereview.store.open import Connection, Store
from livereview.store.placed import Placed
from livereview.summary import front, tombstone_files

log = logging.getLogger(__name__)

FRONT_PAGE = "front page"  # the name of what belongs to no review
# seconds that a look waits for a publish to end before it calls what it sees a fault
PATIENCE = 10.0
PAUSE = 15.0  # seconds between two looks of the owner
# and at least so many times what the last look took: looking must not be what the owner does
SHARE = 100
LONGEST_PAUSE = 300.0  # seconds
WHOLE = 24 * 3600.0  # seconds until every file is read again, whatever its times say: disks rot

_reader = FolderReader()
_why: dict[tuple[Path, str, str], str] = {}  # why a fault could not be put right


@dataclass(frozen=True, slots=True)
class Fault:
    """A published place that is not as it should be.

    Attributes:
        review: "" for the front page.
        place: Latest, v/<n> or front.
        version: The number of a numbered version.
        mendable: False where a version could only be built again to other bytes than were
            published.
    """

    review: str
    place: str
    problem: str
    version: int | None = None
    mendable: bool = True

    def words(self) -> str:
        """A sentence for the lead."""
        if self.review:
            name = f"the published {self.review}/{self.place}"
        else:
            name = "the front page of all reviews"
        return f"{name} {self.problem}"


def faults(store: Store, folder: Path, review: str | None = None) -> list[Fault]:
    """What is wrong with the published folder now: of one review and the front page, or of all.

    Nothing is changed.
    """
    with store.read() as con:
        found = list(_look(con, folder, review))
    if not found or not store.publishing.acquire(timeout=PATIENCE):
        return [_explained(folder, fault) for fault in found]
    try:
        with store.read() as con:
            found = list(_look(con, folder, review))
    finally:
        store.publishing.release()
    return [_explained(folder, fault) for fault in found]


def _explained(folder: Path, fault: Fault) -> Fault:
    why = _why.get((folder, fault.review, fault.place))
    if why:
        return replace(fault, problem=f"{fault.problem}; it could not be put right: {why}")
    return fault


def _look(con: Connection, folder: Path, review: str | None) -> Iterator[Fault]:
    published = placed.published(con)
    chosen = {name: numbers for name, numbers in published.items() if review in (None, name)}
    shown = placed.each(con, list(chosen))
    for name, numbers in chosen.items():
        yield from _look_at_review(ReviewFolder(folder / name), name, numbers, shown[name])
    if published:
        yield from _look_at_front(con, folder)


def _look_at_review(
    home: ReviewFolder, review: str, numbers: placed.Numbers, shown: Mapping[str, Sequence[Placed]]
) -> Iterator[Fault]:
    if problem := _latest_problem(home, shown.get(placed.LATEST, [])):
        yield Fault(review, placed.LATEST, problem)
    for number, gone in numbers:
        place = placed.place_of(number)
        yield from _look_at_version(
            home.version(number), review, number, gone, shown.get(place, [])
        )


def _latest_problem(home: ReviewFolder, shown: Sequence[Placed]) -> str | None:
    build = home.shown()
    if build is None:
        return (
            "is not there" if not home.latest.is_symlink() else "leads to a build that is not there"
        )
    seen = _reader.look(build)
    if seen is None:
        return "leads to an empty build"
    if shown and seen.digest == shown[-1].digest:
        return None
    if seen.problem:
        return f"is damaged: {seen.problem}"
    return "is not what was published last" if shown else None


def _look_at_version(
    path: Path, review: str, number: int, gone: bool, shown: Sequence[Placed]
) -> Iterator[Fault]:
    place = placed.place_of(number)
    seen = _reader.look(path)
    if seen is None:
        yield Fault(review, place, "is not there", number)
        return
    digests = [files.digest for files in shown if files.standing != gone]
    if gone:
        digests = digests[-1:]
    if seen.digest in digests[:1]:
        return
    if seen.digest in digests[-1:]:
        yield Fault(
            review,
            place,
            "was lost and is shown as today's rules build it: its data are the same, other bytes are not. "
            "Bring its folder back from a backup, or withdraw it",
            number,
            mendable=False,
        )
    elif seen.problem:
        yield Fault(review, place, f"is damaged: {seen.problem}", number)
    elif (path / tombstone_files.DATA).exists() != gone:
        yield Fault(
            review,
            place,
            "is withdrawn and still there" if gone else "stands and is not there",
            number,
        )
    elif digests:
        yield Fault(review, place, "is not what was published there", number)


def _look_at_front(con: Connection, folder: Path) -> Iterator[Fault]:
    expected = placed.front(con)
    if expected is None:
        yield Fault(*placed.FRONT, "is behind what it lists")
    elif expected != _front_digest(folder):
        yield Fault(*placed.FRONT, "is damaged or not there")


def _front_digest(folder: Path) -> str | None:
    try:
        there = [name for name in front.FILES if (folder / name).exists()]
        return published_files.digest({name: (folder / name).read_bytes() for name in there})
    except OSError:
        return None


def mend(store: Store, *, folder: Path, now: datetime) -> dict[str, dict[str, Any]]:
    """Put right what is wrong with the published folder, and remove what dead processes left in it.

    By review (or "front page"): `mended`, the places that were put right, and `problem` where one
    could not be.
    """
    _remove_leftovers(store, folder)
    _adopt(store, folder, now)
    before = [fault for fault in faults(store, folder) if fault.mendable]
    for review in {fault.review for fault in before}:
        _clear_way(folder, review)
    for review in dict.fromkeys(fault.review for fault in before):
        _mend(store, folder, review, [fault for fault in before if fault.review == review], now)
    if not before:
        return {}
    after = {
        (fault.review, fault.place): fault for fault in faults(store, folder) if fault.mendable
    }
    done: dict[str, dict[str, Any]] = {}
    for fault in before:
        result = done.setdefault(fault.review or FRONT_PAGE, {})
        if left := after.get((fault.review, fault.place)):
            result["problem"] = left.words()
        else:
            _why.pop((folder, fault.review, fault.place), None)
            result.setdefault("mended", []).append(fault.place)
    return done


def _clear_way(folder: Path, review: str) -> None:
    """Make room for the folders of a review where something else stands in their place."""
    home = ReviewFolder(folder / review)
    for place in (folder, home.home, home.builds, home.versions):
        if durable.clear_way(place):
            log.warning("%s was no folder, and was removed", place)


def _mend(store: Store, folder: Path, review: str, wrong: Sequence[Fault], now: datetime) -> None:
    """Put right what is wrong with one review, or with the front page.

    Why not is kept for the lead.
    """
    for kind in (placed.LATEST, "v/", placed.FRONT[1]):
        some = [fault for fault in wrong if fault.place.startswith(kind)]
        try:
            problems = _MENDERS[kind](store, folder, review, some, now) if some else {}
        except Exception as error:
            problems = {fault.place: f"{type(error).__name__}: {error}" for fault in some}
        for place, problem in problems.items():
            _why[folder, review, place] = problem


def _mend_latest(
    store: Store, folder: Path, review: str, wrong: Sequence[Fault], now: datetime
) -> dict[str, str]:
    """Let `latest` show the last good build again: the one that is there, else one made again."""
    home = ReviewFolder(folder / review)
    with store.publishing, store.read() as con:
        shown = placed.all_of(con, review).get(placed.LATEST, [])
        last = shown[-1].digest if shown else None
        seen = _reader.look(home.build(last)) if last else None
        if last and seen and seen.digest == last:
            home.show(last)
            return {}
    try:
        publish.publish(store, review=review, folder=folder, now=now)
    except Exception as error:  # the page of before must come back all the same
        _why[folder, review, placed.LATEST] = f"{type(error).__name__}: {error}"
    with store.publishing:
        with store.read() as con:
            shown = placed.all_of(con, review).get(placed.LATEST, [])
        if _latest_problem(home, shown) is None:
            return {}
        _, files = as_of.shown_at(store, review, now, folder)
        with Staging() as staging:
            digest = home.stage(staging, files)
            staging.put()
        standing = tombstone_files.DATA not in files
        store.write(lambda con: placed.note(con, review, placed.LATEST, digest, standing, now))
        home.show(digest)
    return {}


def _mend_versions(
    store: Store, folder: Path, review: str, wrong: Sequence[Fault], now: datetime
) -> dict[str, str]:
    """Put tombstones where they belong, and the versions that stand."""
    home = ReviewFolder(folder / review)
    lost = {fault.version for fault in wrong}
    with store.publishing:
        with store.read() as con:
            known = versions.all_of(con, review)
            gone = {number for number, withdrawn in placed.numbers(con, review) if withdrawn}
            if gone & lost:
                withdraw.write_tombstones(store, con, review, home, known, now)
        standing = [version for version in known if version.number in lost - gone]
        problems = withdraw.rebuild(store, review, home, standing, now)
    return {placed.place_of(number): problem for number, problem in problems.items()}


def _mend_front(
    store: Store, folder: Path, review: str, wrong: Sequence[Fault], now: datetime
) -> dict[str, str]:
    publish.library(store, folder=folder, now=now)
    return {}


_MENDERS: dict[str, Callable[[Store, Path, str, Sequence[Fault], datetime], dict[str, str]]] = {
    placed.LATEST: _mend_latest,
    "v/": _mend_versions,
    placed.FRONT[1]: _mend_front,
}


def _adopt(store: Store, folder: Path, now: datetime) -> None:
    """Note what places show that were published before such notes were kept, where they are whole."""
    with store.read() as con:
        published = placed.published(con)
        shown = placed.each(con, list(published))
    for review, numbers in published.items():
        home = ReviewFolder(folder / review)
        places = {placed.place_of(number): home.version(number) for number, _ in numbers}
        if build := home.shown():
            places[placed.LATEST] = build
        for place, path in places.items():
            if place not in shown[review]:
                _adopt_one(store, review, place, path, now)


def _adopt_one(store: Store, review: str, place: str, path: Path, now: datetime) -> None:
    seen = _reader.look(path)
    if seen and not seen.problem:
        standing = not (path / tombstone_files.DATA).exists()
        store.write(lambda con: placed.note(con, review, place, seen.digest, standing, now))


def _remove_leftovers(store: Store, folder: Path) -> None:
    with store.read() as con:
        homes = [folder / review for review in searches.review_ids(con)]
    inside = [home / name for home in homes for name in ("", "builds", "v", "as-of")]
    durable.remove_leftovers([folder, *inside])


class FolderChecker:
    """Looks after the published folder while the owner lives: at its start, then every PAUSE
    seconds.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: Callable[[], float] = time.monotonic,
    ):
        self.store, self.folder, self.clock, self.seconds = store, folder, clock, seconds
        self.due = self.whole = seconds()

    def look(self) -> dict[str, dict[str, Any]]:
        """Mend what is wrong if it is time to look; what came of it."""
        begun = self.seconds()
        if begun < self.due:
            return {}
        if begun >= self.whole:
            _reader.forget()
            self.whole = begun + WHOLE
        try:
            return mend(self.store, folder=self.folder, now=self.clock())
        finally:
            ended = self.seconds()
            self.due = ended + min(LONGEST_PAUSE, max(PAUSE, SHARE * (ended - begun)))
