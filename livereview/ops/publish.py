"""From what is known now to the published folder: snapshot, build, write beside, rename, note the version."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from livereview.errors import Refused
from livereview.evidence.claims import CONCLUSION_CHANGED, sentences
from livereview.ops import renditions
from livereview.ops.snapshot import snapshot, withdrawn
from livereview.review import Review
from livereview.store import past, searches, versions
from livereview.store.open import Connection, Store
from livereview.store.versions import Held, Version
from livereview.summary import front, graves, site, tombstone
from livereview.summary.snapshot import Snapshot

KEPT_BUILDS = 3
LATEST, NUMBERED = "../", "../../"  # from a build to the folder of its review


def publish(store: Store, *, review: str, folder: Path, now: datetime) -> dict[str, Any]:
    """Bring the published folder of a review up to date with what the database knows.

    New content makes a new version: `folder/<review>/v/<n>/` is written once, never changed. `folder/<review>/latest`
    always points to a complete build; where only search dates moved it is refreshed without a new version, and where
    nothing moved nothing is written. A build that fails leaves everything as it was and is noted for the lead; so does
    one that changes a conclusion, until somebody signs it (`sign`), unless the protocol says `sign_off = false`.
    Withdrawn versions become tombstones whatever comes of the build (ops/withdraw.py).
    """
    with store.publishing:
        return _publish(store, review, folder, now)


def _publish(store: Store, review: str, folder: Path, now: datetime) -> dict[str, Any]:
    from livereview.ops import withdraw  # which publishes what it withdraws, so it imports this module

    home = folder / review
    with store.still() as con:
        upto = past.seen(con)
        cause = (versions.asked(con, review) or (0, "a scheduled rebuild"))[1]
        known, waiting = versions.all_of(con, review), versions.held(con, review)
        notice = withdraw.bury(con, review, home, known)
        try:
            snap = snapshot(con, review, known)
            version = _version(snap, known, cause, upto, now)
            new = version.number > len(known)
            if new:
                version = _signed(snap, version, versions.signed_by(con, review, version.content_hash), waiting)
                if _needs_name(snap.review, version):
                    if notice:  # it was built, so that as-of finds it
                        store.write(lambda c: versions.answered(c, review, upto, None, now))
                    return _hold(store, review, known[-1], version, waiting, folder)
            files, *kept = files_of(snap, version, LATEST, *([NUMBERED] if new else []))
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            store.write(lambda c: versions.answered(c, review, upto, problem, now))
            raise
    place(home / "builds" / _digest(files), files)
    for pages in kept:
        place(home / "v" / str(version.number), pages)
    withdraw.revive(store, review, home, known)

    def note(con: Connection) -> None:
        if new:
            versions.append(con, review, version)
        versions.answered(con, review, upto, None, now)

    store.write(note)
    _point(home, files)
    if new:  # tombstones tell what replaces them
        with store.read() as con:
            withdraw.bury(con, review, home, [*known, version])
    return {"version": version.number, "new": new, "change": version.change, "folder": str(home / "latest")}


def _signed(snap: Snapshot, version: Version, author: str | None, waiting: Held | None) -> Version:
    """The version with the name under it, and the cause that it had when it was first built."""
    same = waiting is not None and waiting.content_hash == version.content_hash
    cause = waiting.cause if waiting and same else version.cause
    if author is None and cause == version.cause:
        return version
    made = site.draft(snap, version.number, cause, author)
    return replace(version, cause=cause, signed_by=author, summary=made.text.decode())


def _needs_name(review: Review, version: Version) -> bool:
    return review.living.sign_off and version.change in CONCLUSION_CHANGED and version.signed_by is None


def _hold(
    store: Store, review: str, last: Version, version: Version, waiting: Held | None, folder: Path
) -> dict[str, Any]:
    """Note what waits for a name; the published folder stays as it is."""
    before, after = json.loads(last.summary), json.loads(version.summary)
    changed = [(one["claim"], one["class"], one["why"]) for one in after["changed"]["reasons"]]
    reasons = sentences(before["claims"], after["claims"], changed)
    since = waiting.since if waiting and waiting.content_hash == version.content_hash else version.made.isoformat()
    held = Held(version.content_hash, version.change, reasons, version.cause, since)
    store.write(lambda con: versions.answered(con, review, version.upto, None, version.made, held))
    stands = version.number - 1
    return {
        "version": stands,
        "new": False,
        "change": version.change,
        "folder": str(folder / review / "latest"),
        "held": asdict(held),
    }


def sign(
    store: Store,
    *,
    id: str,
    review: str,
    by: str,
    now: datetime,
    content_hash: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """Put a name under the changed conclusion that waits; it is published with it.

    content_hash   of what the person saw (None: whatever waits). Raises Refused when nothing waits, or something else.
    """

    def job(con: Connection) -> dict[str, Any]:
        waiting = versions.held(con, review)
        if waiting is None:
            raise Refused(f"no changed conclusion of {review} waits for a name")
        if content_hash not in (None, waiting.content_hash):
            raise Refused("the evidence has changed since this page was made; read it again before you sign")
        new = versions.sign(con, id, review, waiting.content_hash, by, note, now)
        if new:
            versions.ask(con, review, waiting.cause, now)
        return {**asdict(waiting), "known": not new}

    return store.write(job)


def _version(snap: Snapshot, known: Sequence[Version], cause: str, upto: int, now: datetime) -> Version:
    """The version that this content is: the last one again, or a new one."""
    made, number = site.draft(snap, len(known) + 1, cause), len(known) + 1
    if known and made.content_hash == known[-1].content_hash:
        return known[-1]
    text = made.text.decode()
    return Version(number, upto, made.content_hash, made.change, cause, None, text, moment=snap.moment, made=now)


def files_of(snap: Snapshot, version: Version, *homes: str) -> tuple[Mapping[str, bytes], ...]:
    """The version's files with today's search dates, for each of `homes`, the way from them to the review's folder.

    Where the version is withdrawn they are a notice that says so.
    """
    if version.number in tombstone.in_force(snap.withdrawals):
        texts = [one.summary for one in snap.history]
        return tuple(graves.notice(texts, snap.withdrawals, home) for home in homes)
    before = replace(snap, history=snap.history[: version.number - 1])
    made = site.draft(before, version.number, version.cause, version.signed_by, version.moment)
    return site.files(made, *homes, encode=renditions.encode, draw=renditions.draw)


def place(target: Path, files: Mapping[str, bytes]) -> None:
    """All files or none: written beside, then renamed. A folder left by a build that died is replaced."""
    beside = target.with_name(target.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    for name, content in files.items():
        path = beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def show(home: Path, files: Mapping[str, bytes]) -> None:
    """Let `latest` show these files."""
    place(home / "builds" / _digest(files), files)
    _point(home, files)


def _point(home: Path, files: Mapping[str, bytes]) -> None:
    """Let `latest` show this build, in one step, and drop builds that nobody can be reading any more."""
    digest = _digest(files)
    link = home / "latest"
    if not link.is_symlink() or link.readlink() != Path("builds") / digest:
        beside = home / "latest.new"
        beside.unlink(missing_ok=True)
        beside.symlink_to(f"builds/{digest}")
        beside.replace(link)
    builds = sorted((home / "builds").iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for old in [path for path in builds if path.name != digest][KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:20]


def settle_outbox(store: Store, *, folder: Path, now: datetime) -> dict[str, Any]:
    """Publish every review whose outbox asks for it; what happened to each. One review's failure spares the others."""
    done: dict[str, Any] = {}
    with store.read() as con:
        waiting = [review for review in searches.review_ids(con) if versions.asked(con, review)]
    for review in waiting:
        try:
            done[review] = publish(store, review=review, folder=folder, now=now)
        except Exception as error:  # the lead's page shows it; the next review must not wait for this one
            done[review] = {"problem": f"{type(error).__name__}: {error}"}
    if any("problem" not in result for result in done.values()):
        library(store, folder=folder)
    return done


def library(store: Store, *, folder: Path) -> None:
    """Write the front page over all published reviews."""
    with store.read() as con:
        entries = [(review, versions.all_of(con, review)) for review in searches.review_ids(con)]
        files = front.files(
            [front.Entry(review, known[-1].summary, withdrawn(con, review)) for review, known in entries if known]
        )
    for name, content in files.items():
        beside = folder / f".{name}.new"
        beside.write_bytes(content)
        beside.replace(folder / name)
