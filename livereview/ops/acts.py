"""Acts that undo others' work: told first, confirmed, logged, and taken back.

A preview does the act and rolls it back, so it says what would really happen. A confirmation
carries a fingerprint of what was shown; where the act would do something else by now, nothing is
done and that is shown instead.

Who votes sees nobody's votes first, and what an act would do must not tell of them either: fewer
votes a report, two reports joined or an account closed would give them away. So what such a person
is told, and what the log then says, is what the act does where the votes that they may not see are
not there (`store.unseen`); the act itself is done with all votes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from livereview.errors import LivereviewError, Refused
from livereview.ops import effects, publish
from livereview.ops.act_kinds import KINDS
from livereview.ops.act_types import Asked, Kind
from livereview.ops.principals import OPERATOR
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.rights import Principal
from livereview.store import acts, searches, unseen, voters
from livereview.store.acts import LoggedAct, Request
from livereview.store.open import Connection, Store

LONGEST_REASON = 500  # letters
UNSEEN = (
    "As you screen here, this is counted without what others may have decided on reports that still"
    " wait for decisions."
)
REQUESTED = ("take_back_word", "regroup", "judge")  # what members may ask a lead for


class EffectChanged(Refused):
    """The act would not do what was shown any more; `told` is what it would do now."""

    def __init__(self, told: Mapping[str, Any], **place: str | None):
        super().__init__(
            "this would do something else by now, so nothing was done; read again what it would do",
            **place,
        )
        self.told = told


_Seen = tuple[Mapping[str, Any], Mapping[str, Any]]  # what an act does, and its own answer


class _RolledBack(Exception):
    """Ends a transaction that must leave nothing behind.

    No LivereviewError: it is raised after writes.
    """

    def __init__(self, told: Mapping[str, Any], result: Mapping[str, Any] = MappingProxyType({})):
        super().__init__()
        self.told, self.result = dict(told), dict(result)


def kind_of(name: str) -> Kind:
    """The kind of this name; raises Refused for others."""
    if name not in KINDS:
        raise Refused(f"an act must be one of {', '.join(KINDS)}; it was {name!r}")
    return KINDS[name]


@typed
def preview(
    store: Store,
    *,
    kind: str,
    review: str,
    given: Mapping[str, str],
    now: datetime,
    reason: str = "",
    author: str = "",
    by: Principal = OPERATOR,
) -> dict[str, Any]:
    """What an act would do, in sentences and numbers; nothing is changed.

    Returns:
    title; lines; reviews (`effects.Effect` each); undoes_work; takes_out; shown, which `carry_out`
    wants.
    """
    chosen = kind_of(kind)
    asked = Asked("preview", review, given, by, author or by.account, now, reason or "not said yet")

    told, _ = _rolled_back(store, chosen, lambda con: _as_seen(con, chosen, asked))
    return {"title": chosen.named(given), **told}


def _rolled_back(store: Store, chosen: Kind, perform: Callable[[Connection], _Seen]) -> _Seen:
    """What `perform` tells of what it does, which is then rolled back, as it is where it refuses."""
    refusals: list[LivereviewError] = []

    def job(con: Connection) -> None:
        try:
            told, result = perform(con)
        except LivereviewError as refusal:  # votes that are hidden from it were removed before
            refusals.append(refusal)
            raise _RolledBack({}) from None
        raise _RolledBack(told, result)

    try:
        store.write(job, bulk=chosen.is_long)
    except _RolledBack as end:
        if refusals:
            raise refusals[-1] from None
        return end.told, end.result
    raise AssertionError("the job always ends by rolling back")


def _as_seen(con: Connection, chosen: Kind, asked: Asked) -> _Seen:
    """What an act does, and answers, as far as whoever asks may see it; the transaction must be
    rolled back.
    """
    hides = chosen.moves_reports and _hide_unseen(con, asked)
    told, _, result = _perform(con, chosen, asked)
    return _said_so(told) if hides else told, result


def _hide_unseen(con: Connection, asked: Asked) -> bool:
    """Remove the votes that whoever asks may not see; whether there may be any."""
    reviews = [review for review in searches.review_ids(con) if asked.by.enters(review)]
    voting = [
        review for review in reviews if voters.eyes(con, review, asked.by.account) is not None
    ]
    for review in voting:
        unseen.remove(con, review, asked.by.account)
    return bool(voting)


def _sees_all(store: Store, asked: Asked) -> bool:
    with store.read() as con:
        reviews = [review for review in searches.review_ids(con) if asked.by.enters(review)]
        voting = voters.names_of(con, reviews)
    return not any(asked.by.account in names for names in voting.values())


def _said_so(told: Mapping[str, Any]) -> dict[str, Any]:
    """With the sentence that not all votes are counted."""
    said = {**told, "lines": [*told["lines"], UNSEEN]}
    return {**said, "shown": effects.fingerprint(said)}


@typed
def carry_out(
    store: Store,
    *,
    id: str,
    kind: str,
    review: str,
    given: Mapping[str, str],
    now: datetime,
    reason: str = "",
    shown: str | None = None,
    author: str = "",
    by: Principal = OPERATOR,
    secret_hash: str | None = None,
    request: str | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Do the act and log it; the same id again changes nothing.

    Args:
        shown: What the preview gave; None: whoever asks has not looked, and wants it whatever it
        does.
        secret_hash: Of the secret that `open_account` gives.
        request: The request that this accepts.
        folder: Where sites are published, for a withdrawn version; None: the next build brings it
        up to date.

    Raises:
        EffectChanged: It would do something else than what was shown.
        Refused: It can't be done, or lacks a reason.
    """
    chosen = kind_of(kind)
    reason = _reason(reason, chosen.needs_reason)
    asked = Asked(id, review, given, by, author or by.account, now, reason)
    if secret_hash is not None:
        asked = Asked(id, review, given, by, author or by.account, now, reason, secret_hash)

    with store.read() as con:
        known = acts.of(con, id) is not None
    as_seen: _Seen | None = None
    if not known and chosen.moves_reports and not _sees_all(store, asked):
        as_seen = _rolled_back(store, chosen, lambda con: _as_seen(con, chosen, asked))

    def job(con: Connection) -> dict[str, Any]:
        if before := acts.of(con, id):
            return {"act": id, "known": True, **before.effect}
        waiting = _request(con, review, request) if request else None
        whole, undo, result = _perform(con, chosen, asked)
        told: Mapping[str, Any] = whole
        if as_seen is not None:
            told, result = as_seen
        if shown is not None and told["shown"] != shown:
            raise _RolledBack(told)
        reviews = tuple(one["review"] for one in whole["reviews"])
        acts.append(con, LoggedAct(id, kind, reviews, given, asked.author, reason, told, undo, now))
        if waiting:
            acts.answer(con, waiting.id, "accepted", asked.author, reason or None, now)
        return {"act": id, "known": False, "result": dict(result), **told}

    try:
        done = store.write(job, bulk=chosen.is_long)
    except _RolledBack as end:
        raise EffectChanged({"title": chosen.named(given), **end.told}) from None
    return _published(store, kind, review, done, folder, now)


def _published(
    store: Store, kind: str, review: str, done: dict[str, Any], folder: Path | None, now: datetime
) -> dict[str, Any]:
    """A withdrawn version must not stay a minute longer.

    Everything else waits for the next build.
    """
    if kind != "withdraw" or folder is None:
        return done
    published = publish.settle_outbox(store, folder=folder, now=now).get(review, {})
    publish.library(store, folder=folder, now=now)
    return {**done, "published": published}


def _perform(
    con: Connection, chosen: Kind, asked: Asked
) -> tuple[dict[str, Any], Mapping[str, Any], Mapping[str, Any]]:
    """(what it did, what it takes to take it back, its own answer), within a transaction."""
    if asked.review:
        protocol(con, asked.review)
    asked = replace(asked, looked=chosen.look(con, asked))
    reviews = chosen.concerns(con, asked)
    before = {review: effects.measure(con, review) for review in reviews}
    done = chosen.do(con, asked)
    after = {review: effects.measure(con, review) for review in reviews}
    found = [effects.between(con, before[review], after[review]) for review in reviews]
    return effects.to_json(done.lines, found), done.undo, done.result


def _reason(text: str, needed: bool) -> str:
    reason = " ".join(text.split())
    if needed and not reason:
        raise Refused("say why: the reason is kept in the log, and readers of the page see it")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"the reason is too long: {len(reason)} letters, at most {LONGEST_REASON}")
    return reason


@typed
def take_back(
    store: Store,
    *,
    id: str,
    act: str,
    review: str,
    now: datetime,
    reason: str = "",
    author: str = "",
    by: Principal = OPERATOR,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Undo an act of the log: what stood before stands again, as new events.

    The same id again changes nothing.

    What somebody has decided since stays, and the answer's `lines` say so. Raises Refused where
    nothing is left to undo.
    """
    asked = Asked(id, review, {}, by, author or by.account, now, _reason(reason, needed=False))

    def undo_as_seen(con: Connection) -> _Seen:
        _hide_unseen(con, asked)
        return _said_so(_undo(con, _not_taken_back(con, act, review), asked)), {}

    as_seen: _Seen | None = None
    with store.read() as con:
        chosen = kind_of(_not_taken_back(con, act, review).kind)
    if chosen.moves_reports and not _sees_all(store, asked):
        try:
            as_seen = _rolled_back(store, chosen, undo_as_seen)
        except Refused:  # what is to come back is itself unseen: whether it can, `job` says
            as_seen = _said_so(effects.to_json((), [])), {}

    def job(con: Connection) -> dict[str, Any]:
        logged = _not_taken_back(con, act, review)
        whole = _undo(con, logged, asked)
        told = whole if as_seen is None else as_seen[0]
        acts.take_back(con, id, act, asked.author, told, now)
        return {"act": act, "kind": logged.kind, **told}

    done = store.write(job)
    return _published(store, done["kind"], review, done, folder, now)


def _not_taken_back(con: Connection, act: str, review: str) -> LoggedAct:
    """An act that stands; raises Refused where there is none, or it was taken back."""
    logged = acts.of(con, act)
    if logged is None or review not in logged.reviews:
        raise Refused(
            f"no act {act!r} is in the log of {review}; livereview acts --review {review} lists them"
        )
    if logged.taken_back:
        who, when = logged.taken_back.author, f"{logged.taken_back.made:%Y-%m-%d %H:%M}"
        raise Refused(f"this was taken back already, by {who} on {when} UTC")
    return logged


def _undo(con: Connection, logged: LoggedAct, asked: Asked) -> dict[str, Any]:
    """Undo an act, and say what that did."""
    before = {review: effects.measure(con, review) for review in logged.reviews}
    lines = kind_of(logged.kind).undo(con, logged, asked)
    after = {review: effects.measure(con, review) for review in logged.reviews}
    found = [effects.between(con, before[review], after[review]) for review in logged.reviews]
    return effects.to_json(lines, found)


def listing(store: Store, *, review: str, now: datetime) -> dict[str, Any]:
    """The log of a review, newest first, and the requests that wait for a lead."""
    with store.read() as con:
        protocol(con, review)
        return {
            "acts": [as_told(act) for act in acts.log(con, review)],
            "requests": [
                {**asdict(request), "title": kind_of(request.kind).named(request.given)}
                for request in acts.requests(con, review)
            ],
        }


def as_told(act: LoggedAct) -> dict[str, Any]:
    """An act for people and programs: who, when, what, how much, why, and what became of it."""
    back = act.taken_back
    return {
        "id": act.id,
        "kind": act.kind,
        "title": kind_of(act.kind).named(act.given),
        "author": act.author,
        "reason": act.reason,
        "lines": list(act.effect["lines"]),
        "sentences": [sentence for one in act.effect["reviews"] for sentence in one["sentences"]],
        "made": act.made,
        "taken_back": None
        if back is None
        else {"author": back.author, "made": back.made, "lines": back.effect["lines"]},
    }


# Requests of those who may not do it alone


@typed
def ask(
    store: Store,
    *,
    id: str,
    review: str,
    kind: str,
    given: Mapping[str, str],
    author: str,
    reason: str,
    now: datetime,
) -> dict[str, Any]:
    """Ask a lead for an act; nothing changes before a lead accepts.

    The same id again changes nothing.

    Raises Refused without a reason, or while the same request of this person waits.
    """
    chosen = kind_of(kind)
    if kind not in REQUESTED:
        raise Refused(f"ask a lead for one of {', '.join(REQUESTED)}; not {kind}")
    said = " ".join(reason.split())
    if not said:
        raise Refused("say why: the lead decides by your reason")
    said = _reason(said, needed=True)

    def job(con: Connection) -> dict[str, Any]:
        protocol(con, review)
        waiting = [
            one for one in acts.requests(con, review) if one.outcome is None and one.id != id
        ]
        if any((one.kind, one.given, one.author) == (kind, dict(given), author) for one in waiting):
            raise Refused("you have asked for this already, and it waits for a lead")
        new = acts.ask(con, Request(id, review, kind, given, author, said, now))
        return {"request": id, "title": chosen.named(given), "known": not new}

    return store.write(job)


@typed
def decline(
    store: Store, *, request: str, review: str, author: str, now: datetime, note: str = ""
) -> dict[str, Any]:
    """Say no to a request; its author reads the note. Whoever asked takes it back so too."""
    note = _reason(note, needed=False)

    def job(con: Connection) -> dict[str, Any]:
        waiting = _request(con, review, request)
        outcome = "withdrawn" if waiting.author == author else "declined"
        acts.answer(con, request, outcome, author, note or None, now)
        return {"request": request, "outcome": outcome}

    return store.write(job)


def request_of(con: Connection, review: str, request: str) -> Request:
    """A request that waits; raises Refused where there is none, or it was answered."""
    return _request(con, review, request)


def _request(con: Connection, review: str, request: str) -> Request:
    found = next((one for one in acts.requests(con, review) if one.id == request), None)
    if found is None:
        raise Refused("there is no such request in this review")
    if found.outcome is not None:
        raise Refused(f"this request was {found.outcome} already, by {found.answered_by}")
    return found
