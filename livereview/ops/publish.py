"""From what is known now to the published folder: snapshot, build, write beside, rename, note the
version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from livereview import durable
from livereview.disk import full, is_full
from livereview.durable import Staging
from livereview.errors import Refused
from livereview.evidence.sign_off import Shown
from livereview.ops import published_files, renditions, tasks
from livereview.ops.held_back import held_back
from livereview.ops.protocols import protocol
from livereview.ops.published_files import ReviewFolder
from livereview.ops.snapshot import snapshot, withdrawn
from livereview.ops.typed import typed
from livereview.private_files import public_folder
from livereview.store import past, placed, searches, versions
from livereview.store.open import Connection, Store
from livereview.store.versions import Held, Opening, Version
from livereview.summary import data, front, site, statements, tombstone, tombstone_files, words
from livereview.summary.snapshot import Snapshot
from livereview.summary.statements import TeamWords

LATEST, NUMBERED = "../", "../../"  # from a build to the folder of its review


def publish(store: Store, *, review: str, folder: Path, now: datetime) -> dict[str, Any]:
    """Bring the published folder of a review up to date with what the database knows.

    New content makes a new version: `folder/<review>/v/<n>/` is written once, never changed.
    `folder/<review>/latest` always points to a complete build; where only search dates moved it is
    refreshed without a new version, and where nothing moved nothing is written. A build that fails
    leaves everything as it was and is noted for the lead. Nothing is public before a lead opens the
    review (`open_review`). A finding whose sentence would mean something else keeps its signed one,
    marked, until somebody signs (`sign`), unless the protocol says `sign_off = false`. Withdrawn
    versions become tombstones whatever comes of the build (ops/withdraw.py).
    """
    with store.publishing:
        return _publish(store, review, folder, now)


def _publish(store: Store, review: str, folder: Path, now: datetime) -> dict[str, Any]:
    # which publishes what it withdraws, so it imports this module
    from livereview.ops import withdraw

    home = ReviewFolder(folder / review)
    with store.still() as con:
        upto = past.seen(con)
        asked = versions.asked(con).get(review)
        cause = asked.cause if asked else "a scheduled rebuild"
        known, waiting = versions.all_of(con, review), versions.held(con, review)
        try:
            notice = withdraw.write_tombstones(store, con, review, home, known, now)
            opened = versions.opening(con, review)
            if not known and opened is None:
                store.write(lambda c: versions.answered(c, review, upto, None, now))
                return _unopened(folder, review)
            snap = snapshot(con, review, known)
            store.reserve.require("no new version is built")
            version, shown = _version(snap, known, cause, upto, now, opened)
            _ask_for_statements(store, con, snap, shown, now)
            new = version.number > len(known)
            held = held_back(snap, version, shown, cause=cause, before=waiting, notice=notice)
            if held is not None and held.whole:
                if notice:  # it was built, so that as-of finds it
                    store.write(lambda c: versions.answered(c, review, upto, None, now))
                return _hold_all(store, review, known, version, held, folder)
            files, *kept = files_of(snap, version, LATEST, *([NUMBERED] if new else []))
        except Exception as error:
            _failed(store, review, upto, error, now)
            raise
    try:
        _put(store, review, home, upto, version, files, kept[0] if new else None, now, held)
        withdraw.restore_pages(store, review, home, known, now)
    except Exception as error:
        _failed(store, review, upto, error, now)
        raise
    if new:  # tombstones tell what replaces them
        with store.read() as con:
            withdraw.write_tombstones(store, con, review, home, [*known, version], now)
    done = {
        "version": version.number,
        "new": new,
        "change": version.change,
        "folder": str(home.latest),
    }
    return done | ({"held": asdict(held)} if held else {})


def _ask_for_statements(
    store: Store, con: Connection, snap: Snapshot, shown: Shown, now: datetime
) -> None:
    """Let what the page says of the team's statements and the lead's tasks be the same."""
    with words.as_told_in(snap.review):
        ground = statements.ground(snap)
        marked: list[TeamWords] = [*statements.marked(ground, shown.findings)]
        marked += statements.marked_configurations(ground)
    review = snap.review.id
    if not tasks.statements_settled(con, review, marked):
        store.write(lambda c: tasks.settle_statements(c, review, marked, now))


def _failed(store: Store, review: str, upto: int, error: Exception, now: datetime) -> None:
    """Note for the lead why a build failed; a full disk may have no room for that either."""
    problem = _problem(error)
    with suppress(Exception):
        store.write(lambda con: versions.answered(con, review, upto, problem, now))


def _problem(error: Exception) -> str:
    """Why a build failed, in words where whoever runs the server can do something about it."""
    if is_full(error):
        return full(error).message
    return f"{type(error).__name__}: {error}"


def _put(
    store: Store,
    review: str,
    home: ReviewFolder,
    upto: int,
    version: Version,
    files: Mapping[str, bytes],
    numbered: Mapping[str, bytes] | None,
    now: datetime,
    held: Held | None,
) -> None:
    """Let the folder show this version: `files` in `latest`, and `numbered` for good where the
    version is new.

    All is written before the events say so, and what readers see changes after that, by one rename
    each. Whoever dies between leaves events that the folder is behind of; `published.mend` finds
    that.
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
            versions.answered(con, review, upto, None, now)  # it was built, so that as-of finds it
            if held is not None:
                versions.answered(con, review, upto, None, now, held)

        store.write(note)
        beside.put()
    home.show(digest)


def _unopened(folder: Path, review: str) -> dict[str, Any]:
    """What a publish answers before a lead has opened the review."""
    return {
        "version": 0,
        "new": False,
        "change": "none",
        "folder": str(folder / review / "latest"),
        "waits": "a lead opens the review to the public",
    }


@typed
def open_review(
    store: Store, *, id: str, review: str, by: str, now: datetime, note: str | None = None
) -> dict[str, Any]:
    """Let a review be public from now on: the next build is its first version, signed by this
    person.
    """

    def job(con: Connection) -> dict[str, Any]:
        protocol(con, review)  # raises Refused where there is no such review
        if versions.opening(con, review) is not None or versions.all_of(con, review):
            return {"review": review, "known": True}
        new = versions.open_to_public(con, id, review, by, note, now)
        versions.ask(con, review, "the review was opened to the public", now)
        return {"review": review, "known": not new}

    return store.write(job)


def _hold_all(
    store: Store, review: str, known: Sequence[Version], version: Version, held: Held, folder: Path
) -> dict[str, Any]:
    """Note what waits for a name; the published folder stays as it is."""
    store.write(lambda con: versions.answered(con, review, version.upto, None, version.made, held))
    return {
        "version": len(known),
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

    Args:
        content_hash: Of what the person saw (None: whatever waits).

    Raises:
        Refused: nothing waits, or something else.
    """

    def job(con: Connection) -> dict[str, Any]:
        waiting = versions.held(con, review)
        if waiting is None:
            raise Refused(f"no changed conclusion of {review} waits for a name")
        if content_hash not in (None, waiting.content_hash):
            raise Refused(
                "the evidence has changed since this page was made; read it again before you sign"
            )
        new = versions.sign(con, id, review, waiting.content_hash, by, note, now)
        if new:
            versions.ask(con, review, waiting.cause, now)
        return {**asdict(waiting), "known": not new}

    return store.write(job)


def _version(
    snap: Snapshot,
    known: Sequence[Version],
    cause: str,
    upto: int,
    now: datetime,
    opened: Opening | None,
) -> tuple[Version, Shown]:
    """The version that this content is, the last one again or a new one.

    And what it shows of the findings.
    """
    number = len(known) + 1
    made = site.draft(snap, number, cause)
    shown = made.evidence.shown
    if known and made.content_hash == known[-1].content_hash:
        return known[-1], shown

    author = shown.signed_by or data.signed(snap).get(made.content_hash)
    if not known and opened is not None:
        author = opened.author
    if author is not None:
        made = site.draft(snap, number, cause, author)
    version = Version(
        number=number,
        upto=upto,
        content_hash=made.content_hash,
        change=made.change,
        cause=cause,
        signed_by=author,
        summary=made.text.decode(),
        moment=snap.moment,
        made=now,
    )
    return version, shown


def files_of(snap: Snapshot, version: Version, *homes: str) -> tuple[Mapping[str, bytes], ...]:
    """The version's files with today's search dates, for each of `homes`, the way from them to the
    review's folder.

    Where the version is withdrawn they are a notice that says so.
    """
    if version.number in tombstone.in_force(snap.withdrawals):
        texts = [one.summary for one in snap.history]
        return tuple(tombstone_files.notice(texts, snap.withdrawals, home) for home in homes)
    before = replace(snap, history=snap.history[: version.number - 1])
    made = site.draft(before, version.number, version.cause, version.signed_by, version.moment)
    return site.files(made, *homes, encode=renditions.encode, draw=renditions.draw)


def settle_outbox(store: Store, *, folder: Path, now: datetime) -> dict[str, Any]:
    """Publish every review whose outbox asks for it, and mend what is damaged.

    What happened to each.

    One review's failure spares the others.
    """
    from livereview.ops import published  # which publishes what it mends, so it imports this module

    done: dict[str, Any] = {}
    with store.read() as con:
        waiting = versions.asked(con)
    for review in waiting:
        try:
            done[review] = publish(store, review=review, folder=folder, now=now)
        except (
            Exception
        ) as error:  # the lead's page shows it; the next review must not wait for this one
            done[review] = {"problem": _problem(error)}
    with store.read() as con:
        behind = bool(placed.published(con)) and placed.front(con) is None
    if behind:
        library(store, folder=folder, now=now)
    for review, result in published.mend(store, folder=folder, now=now).items():
        done.setdefault(review, {}).update(result)
    return done


def library(store: Store, *, folder: Path, now: datetime) -> None:
    """Bring the front page over all published reviews up to date.

    Unchanged files are not touched.
    """
    with store.publishing:
        with store.read() as con:
            upto = placed.newest_event(con)
            files = front.files(_entries(con))
        public_folder(folder)
        for name, content in files.items():
            durable.write_file(folder / name, content)
        for name in set(front.FILES) - set(files):
            (folder / name).unlink(missing_ok=True)
        digest = published_files.digest(files)
        store.write(lambda con: placed.note_front(con, digest, upto, now))


def _entries(con: Connection) -> Iterator[front.Entry]:
    """What the front page lists: the newest version of each published review."""
    for review in searches.review_ids(con):
        if version := versions.newest(con, review):
            yield front.Entry(review, version.summary, withdrawn(con, review))
