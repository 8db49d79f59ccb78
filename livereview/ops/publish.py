"""From what is known now to the published folder: snapshot, build, write beside, rename, note the version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from livereview import durable
from livereview.durable import Staging
from livereview.errors import Refused
from livereview.evidence.claims import CONCLUSION_CHANGED, sentences
from livereview.evidence.falls import is_large_fall
from livereview.ops import published_files, renditions
from livereview.ops.published_files import ReviewFolder
from livereview.ops.snapshot import snapshot, withdrawn
from livereview.ops.typed import typed
from livereview.private_files import public_folder
from livereview.review import Review
from livereview.store import past, placed, searches, versions
from livereview.store.open import Connection, Store
from livereview.store.versions import Held, Version
from livereview.summary import front, graves, site, tombstone
from livereview.summary.snapshot import Snapshot

FALL = "large fall"  # the class of a reason to hold a build
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

    home = ReviewFolder(folder / review)
    with store.still() as con:
        upto = past.seen(con)
        cause = (versions.asked(con, review) or (0, "a scheduled rebuild"))[1]
        known, waiting = versions.all_of(con, review), versions.held(con, review)
        try:
            notice = withdraw.bury(store, con, review, home, known, now)
            snap = snapshot(con, review, known)
            store.reserve.require("no new version is built")
            version = _version(snap, known, cause, upto, now)
            new = version.number > len(known)
            if new:
                version = _signed(snap, version, versions.signed_by(con, review, version.content_hash), waiting)
                if _needs_name(snap.review, version, known):
                    if notice:  # it was built, so that as-of finds it
                        store.write(lambda c: versions.answered(c, review, upto, None, now))
                    return _hold(store, review, known[-1], version, waiting, folder)
            files, *kept = files_of(snap, version, LATEST, *([NUMBERED] if new else []))
        except Exception as error:
            _failed(store, review, upto, error, now)
            raise
    try:
        _put(store, review, home, upto, version, files, kept[0] if new else None, now)
        withdraw.revive(store, review, home, known, now)
    except Exception as error:
        _failed(store, review, upto, error, now)
        raise
    if new:  # tombstones tell what replaces them
        with store.read() as con:
            withdraw.bury(store, con, review, home, [*known, version], now)
    return {"version": version.number, "new": new, "change": version.change, "folder": str(home.latest)}


def _failed(store: Store, review: str, upto: int, error: Exception, now: datetime) -> None:
    """Note for the lead why a build failed; a full disk may have no room for that either."""
    problem = f"{type(error).__name__}: {error}"
    with suppress(Exception):
        store.write(lambda con: versions.answered(con, review, upto, problem, now))


def _put(
    store: Store,
    review: str,
    home: ReviewFolder,
    upto: int,
    version: Version,
    files: Mapping[str, bytes],
    numbered: Mapping[str, bytes] | None,
    now: datetime,
) -> None:
    """Let the folder show this version: `files` in `latest`, and `numbered` for good where the version is new.

    All is written before the events say so, and what readers see changes after that, by one rename each. Whoever dies
    between leaves events that the folder is behind of; `published.mend` finds that.
    """
    stands = "tombstone.json" not in files
    with Staging() as staging, Staging() as beside:
        digest = home.stage(staging, files)
        if numbered is not None:
            beside.folder(home.version(version.number), numbered)
        staging.put()  # nobody is shown this yet

        def note(con: Connection) -> None:
            if numbered is not None:
                versions.append(con, review, version)
                own = published_files.digest(numbered)
                placed.note(con, review, placed.place_of(version.number), own, True, now)
            placed.note(con, review, placed.LATEST, digest, stands, now)
            versions.answered(con, review, upto, None, now)

        store.write(note)
        beside.put()
    home.show(digest)


def _signed(snap: Snapshot, version: Version, author: str | None, waiting: Held | None) -> Version:
    """The version with the name under it, and the cause that it had when it was first built."""
    same = waiting is not None and waiting.content_hash == version.content_hash
    cause = waiting.cause if waiting and same else version.cause
    if author is None and cause == version.cause:
        return version
    made = site.draft(snap, version.number, cause, author)
    return replace(version, cause=cause, signed_by=author, summary=made.text.decode())


def _needs_name(review: Review, version: Version, known: Sequence[Version]) -> bool:
    """Whether a lead must sign first: the version changes a conclusion, or much of the evidence has left."""
    if not review.living.sign_off or version.signed_by is not None:
        return False
    return version.change in CONCLUSION_CHANGED or bool(known and _fall(known[-1], version))


def _fall(last: Version, version: Version) -> list[dict[str, Any]]:
    """A large fall in what is included, as one of the reasons of `claims.sentences`; none where there is none."""
    before, after = json.loads(last.summary), json.loads(version.summary)
    counts = [
        ("included reports", before["flow"]["included"], after["flow"]["included"]),
        ("included studies", len(before["studies"]), len(after["studies"])),
    ]
    return [
        {
            "claim": what,
            "class": FALL,
            "why": f"from {was:,} to {now:,}; look at the log of acts before you sign",
            "before": f"{was:,} {what}.",
            "after": f"{now:,} {what}.",
        }
        for what, was, now in counts
        if is_large_fall(was, now)
    ]


def _hold(
    store: Store, review: str, last: Version, version: Version, waiting: Held | None, folder: Path
) -> dict[str, Any]:
    """Note what waits for a name; the published folder stays as it is."""
    before, after = json.loads(last.summary), json.loads(version.summary)
    changed = [(one["claim"], one["class"], one["why"]) for one in after["changed"]["reasons"]]
    reasons = [*_fall(last, version), *sentences(before["claims"], after["claims"], changed)]
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


@typed
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


def settle_outbox(store: Store, *, folder: Path, now: datetime) -> dict[str, Any]:
    """Publish every review whose outbox asks for it, and mend what is damaged; what happened to each.

    One review's failure spares the others.
    """
    from livereview.ops import published  # which publishes what it mends, so it imports this module

    done: dict[str, Any] = {}
    with store.read() as con:
        waiting = [review for review in searches.review_ids(con) if versions.asked(con, review)]
    for review in waiting:
        try:
            done[review] = publish(store, review=review, folder=folder, now=now)
        except Exception as error:  # the lead's page shows it; the next review must not wait for this one
            done[review] = {"problem": f"{type(error).__name__}: {error}"}
    if any("problem" not in result for result in done.values()):
        library(store, folder=folder, now=now)
    for review, result in published.mend(store, folder=folder, now=now).items():
        done.setdefault(review, {}).update(result)
    return done


def library(store: Store, *, folder: Path, now: datetime) -> None:
    """Bring the front page over all published reviews up to date; unchanged files are not touched."""
    with store.publishing:
        with store.read() as con:
            upto = placed.newest_event(con)
            files = front.files(_entries(con))
        public_folder(folder)
        for name, content in files.items():
            durable.write_file(folder / name, content)
        digest = published_files.digest(files)
        store.write(lambda con: placed.note_front(con, digest, upto, now))


def _entries(con: Connection) -> Iterator[front.Entry]:
    """What the front page lists: the newest version of each published review."""
    for review in searches.review_ids(con):
        if version := versions.newest(con, review):
            yield front.Entry(review, version.summary, withdrawn(con, review))
