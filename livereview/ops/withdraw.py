"""A published version is withdrawn, or stands again: a lead's signed act, and the folders that follow from it.

What the folders show comes from the events alone, so whatever dies half way, the next build puts right. `v/N/` of a
withdrawn version is a tombstone. Where it was the newest, `latest` is a notice (summary/graves.py says why) until the
evidence gives a new version: the withdrawn content itself is never published again, unless the act is taken back. Then
`v/N/` is built again from the events that it was made from, to the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from livereview.errors import Refused
from livereview.ops import as_of, publish
from livereview.ops.snapshot import snapshot, withdrawn
from livereview.ops.surveil import protocol
from livereview.store import versions, withdrawals
from livereview.store.open import Connection, Store
from livereview.store.versions import Version
from livereview.store.withdrawals import Act
from livereview.summary import graves, tombstone


def withdraw(
    store: Store, *, id: str, review: str, version: int, by: str, reason: str, folder: Path, now: datetime
) -> dict[str, Any]:
    """Withdraw a published version and bring the folder up to date.

    reason  public, so it is needed. Raises Refused where there is no such version, or it is withdrawn already.
    """
    act = Act(id, version, True, by, reason.strip(), now)
    return _done(store, review, act, f"version {version} was withdrawn", folder)


def take_back(
    store: Store, *, id: str, review: str, version: int, by: str, reason: str, folder: Path, now: datetime
) -> dict[str, Any]:
    """Let a withdrawn version stand again, as it was. Raises Refused where it is not withdrawn."""
    act = Act(id, version, False, by, reason.strip(), now)
    return _done(store, review, act, f"the withdrawal of version {version} was taken back", folder)


def _done(store: Store, review: str, act: Act, cause: str, folder: Path) -> dict[str, Any]:
    def job(con: Connection) -> bool:
        if withdrawals.known(con, act.id):
            return False
        _check(con, review, act)
        new = withdrawals.append(con, review, act)
        versions.ask(con, review, cause, act.made)
        return new

    new = store.write(job)
    told = publish.settle_outbox(store, folder=folder, now=act.made).get(review, {})
    publish.library(store, folder=folder)
    return {"version": act.version, "withdrawn": act.withdraws, "known": not new, "published": told}


def _check(con: Connection, review: str, act: Act) -> None:
    protocol(con, review)  # raises Refused where there is no such review
    numbers = [one.number for one in versions.all_of(con, review)]
    if act.version not in numbers:
        listed = ", ".join(map(str, numbers)) or "none yet"
        raise Refused(f"version {act.version} of {review} was never published; its versions: {listed}")
    if not act.reason:
        raise Refused("say why: readers of the page will see the reason")
    before = withdrawals.in_force(con, review).get(act.version)
    if act.withdraws and before:
        raise Refused(f"version {act.version} was withdrawn already, on {before.made:%Y-%m-%d}: {before.reason}")
    if not act.withdraws and not before:
        raise Refused(f"version {act.version} is not withdrawn, so there is nothing to take back")


def bury(con: Connection, review: str, home: Path, known: Sequence[Version]) -> bool:
    """Put tombstones where the events say so; whether `latest` is a notice too. No failure of a build delays them."""
    acts, texts = withdrawn(con, review), [one.summary for one in known]
    gone = tombstone.in_force(acts)
    for number in gone:
        pages, grave = graves.grave(texts, acts, number, publish.NUMBERED), home / "v" / str(number)
        if _held(grave) != pages:
            publish.place(grave, pages)
    if len(known) in gone:
        publish.show(home, graves.notice(texts, acts, publish.LATEST))
    return len(known) in gone


def revive(store: Store, review: str, home: Path, known: Sequence[Version]) -> None:
    """Build the versions again whose withdrawal was taken back and whose files are not there."""
    with store.read() as con:
        acts = withdrawn(con, review)
    standing = {act.version for act in acts} - set(tombstone.in_force(acts))
    for version in known:
        folder = home / "v" / str(version.number)
        if version.number in standing and ((folder / graves.DATA).exists() or not folder.exists()):
            publish.place(folder, _again(store, review, version))


def _again(store: Store, review: str, version: Version) -> Mapping[str, bytes]:
    with as_of.then(store, version.upto, version.made) as con:
        snap = snapshot(con, review, versions.all_of(con, review))
        (files,) = publish.files_of(snap, version, publish.NUMBERED)
    return files


def _held(folder: Path) -> dict[str, bytes]:
    """What a folder holds."""
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}
