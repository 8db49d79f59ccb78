"""A published version is withdrawn, or stands again: a lead's signed act, and the folders that
follow from it.

What the folders show comes from the events alone, so whatever dies half way, the next build puts
right. `v/N/` of a withdrawn version is a tombstone. Where it was the newest, `latest` is a notice
(summary/tombstone_files.py says why) until the
evidence gives a new version: the withdrawn content itself is never published again, unless the act
is taken back. Then `v/N/` is built again from the events that it was made from, to the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from livereview import durable
from livereview.durable import Staging
from livereview.errors import Refused
from livereview.ops import as_of, publish, published_files
from livereview.ops.protocols import protocol
from livereview.ops.published_files import ReviewFolder
from livereview.ops.snapshot import snapshot, withdrawn
from livereview.ops.typed import typed
from livereview.store import placed, versions, withdrawals
from livereview.store.open import Connection, Store
from livereview.store.versions import Version
from livereview.store.withdrawals import Act
from livereview.summary import tombstone, tombstone_files
from livereview.summary.crate import SUMS


@typed
def withdraw(
    store: Store,
    *,
    id: str,
    review: str,
    version: int,
    by: str,
    reason: str,
    folder: Path,
    now: datetime,
) -> dict[str, Any]:
    """Withdraw a published version and bring the folder up to date.

    Args:
        reason: Public, so it is needed.

    Raises:
        Refused: there is no such version, or it is withdrawn already.
    """
    act = Act(id, version, True, by, reason.strip(), now)
    return _done(store, review, act, f"version {version} was withdrawn", folder)


@typed
def take_back(
    store: Store,
    *,
    id: str,
    review: str,
    version: int,
    by: str,
    reason: str,
    folder: Path,
    now: datetime,
) -> dict[str, Any]:
    """Let a withdrawn version stand again, as it was. Raises Refused where it is not withdrawn."""
    act = Act(id, version, False, by, reason.strip(), now)
    return _done(store, review, act, f"the withdrawal of version {version} was taken back", folder)


def _done(store: Store, review: str, act: Act, cause: str, folder: Path) -> dict[str, Any]:
    new = store.write(lambda con: apply(con, review, act, cause))
    told = publish.settle_outbox(store, folder=folder, now=act.made).get(review, {})
    publish.library(store, folder=folder, now=act.made)
    return {"version": act.version, "withdrawn": act.withdraws, "known": not new, "published": told}


def apply(con: Connection, review: str, act: Act, cause: str) -> bool:
    """Write the act and ask for a build, within a transaction.

    False where its id is known already.
    """
    if withdrawals.known(con, act.id):
        return False
    _check(con, review, act)
    new = withdrawals.append(con, review, act)
    versions.ask(con, review, cause, act.made)
    return new


def _check(con: Connection, review: str, act: Act) -> None:
    protocol(con, review)  # raises Refused where there is no such review
    numbers = [one.number for one in versions.all_of(con, review)]
    if act.version not in numbers:
        listed = ", ".join(map(str, numbers)) or "none yet"
        raise Refused(
            f"version {act.version} of {review} was never published; its versions: {listed}"
        )
    if not act.reason:
        raise Refused("say why: readers of the page will see the reason")
    before = withdrawals.in_force(con, review).get(act.version)
    if act.withdraws and before:
        raise Refused(
            f"version {act.version} was withdrawn already, on {before.made:%Y-%m-%d}: {before.reason}"
        )
    if not act.withdraws and not before:
        raise Refused(f"version {act.version} is not withdrawn, so there is nothing to take back")


def write_tombstones(
    store: Store,
    con: Connection,
    review: str,
    home: ReviewFolder,
    known: Sequence[Version],
    now: datetime,
) -> bool:
    """Put tombstones where the events say so; whether `latest` is a notice too.

    No failure of a build delays them.
    """
    acts, texts = withdrawn(con, review), [version.summary for version in known]
    gone = tombstone.in_force(acts)
    for number in gone:
        pages = tombstone_files.of_version(texts, acts, number, publish.NUMBERED)
        durable.write_folder(home.version(number), pages)
        _note(store, review, placed.place_of(number), published_files.digest(pages), False, now)
    if len(known) not in gone:
        return False
    with Staging() as staging:
        digest = home.stage(staging, tombstone_files.notice(texts, acts, publish.LATEST))
        staging.put()
    _note(store, review, placed.LATEST, digest, False, now)
    home.show(digest)
    return True


def _note(
    store: Store, review: str, place: str, digest: str, standing: bool, now: datetime
) -> None:
    store.write(lambda con: placed.note(con, review, place, digest, standing, now))


def restore_pages(
    store: Store, review: str, home: ReviewFolder, known: Sequence[Version], now: datetime
) -> None:
    """Build the versions again whose withdrawal was taken back.

    Raises:
        Refused: where that can't be done.
    """
    with store.read() as con:
        gone = tombstone.in_force(withdrawn(con, review))
    buried = [
        version
        for version in known
        if (home.version(version.number) / tombstone_files.DATA).exists()
    ]
    problems = rebuild(
        store, review, home, [version for version in buried if version.number not in gone], now
    )
    for problem in problems.values():
        raise Refused(problem)


def rebuild(
    store: Store, review: str, home: ReviewFolder, wanted: Sequence[Version], now: datetime
) -> dict[int, str]:
    """Let the folders of these standing versions hold what was published there.

    Why not, by number, where that fails.

    They are built again from the events that they were made from, newest first, in one copy of the
    database that forgets more and more. One version's failure spares the others.
    """
    newest_first = sorted(wanted, key=lambda version: version.number, reverse=True)
    problems: dict[int, str] = {}
    if not newest_first:
        return problems
    events = [version.upto for version in newest_first]
    with closing(as_of.back_through(store, events)) as copies:
        for version, con in zip(newest_first, copies, strict=False):
            try:
                _rebuild(store, con, review, home, version, now)
            except Exception as error:
                problems[version.number] = f"version {version.number} of {review}: {error}"
    return problems


def _rebuild(
    store: Store, then: Connection, review: str, home: ReviewFolder, version: Version, now: datetime
) -> None:
    """Build one version again from the database as it was then.

    Where today's rules give other bytes, what is whole in the folder is kept. Where that is not
    enough the version is shown as it is built today, which `published.faults` tells from then on,
    as long as its data are the same. Raises Refused where they are not.
    """
    snap = snapshot(then, review, versions.all_of(then, review))
    (built,) = publish.files_of(snap, version, publish.NUMBERED)
    place, folder = placed.place_of(version.number), home.version(version.number)
    with store.read() as con:
        shown = placed.all_of(con, review).get(place, [])
    original = next((files.digest for files in shown if files.standing), None)
    mended = _mended(published_files.read(folder), built)
    files = mended if published_files.digest(mended) == original else built
    if files["summary.json"].decode() != version.summary:
        raise Refused(
            "it was built by rules that are no more, so bring its folder back from a backup"
        )
    durable.write_folder(folder, files)
    _note(store, review, place, published_files.digest(files), True, now)


def _mended(present: Mapping[str, bytes], built: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The files that SHA256SUMS lists: those of the folder that are whole, others as they were
    built again.
    """
    listed = published_files.listed(present.get(SUMS, built[SUMS]))
    whole = {
        name: body for name, body in present.items() if listed.get(name) == sha256(body).hexdigest()
    }
    files = {name: whole.get(name, built.get(name, b"")) for name in listed}
    return {**files, SUMS: present.get(SUMS, built[SUMS])}
