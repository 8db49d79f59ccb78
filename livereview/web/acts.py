"""Acts that undo others' work: a page that says what one does, the log of all, and requests to a
lead.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from livereview import ops, rights
from livereview.errors import Refused
from livereview.ops.act_types import NothingToDo
from livereview.ops.acts import EffectChanged
from livereview.store import accounts, acts, records
from livereview.store.open import Connection
from livereview.web import guard, mine, pages
from livereview.web.guard import ReviewContext
from livereview.web.handover import Handed

FIELDS: dict[str, tuple[str, ...]] = {
    "decide_again": ("version", "stage"),
    "look_again": ("record",),
    "reopen_chosen": ("records", "stage"),
    "reopen_task": ("task",),
    "close_account": ("name",),
    "open_account": ("name", "role", "reviews", "email"),
    "withdraw": ("version",),
    "close_vote": ("proposal",),
    "stop_reading": (),
    "regroup": ("record", "study"),
    "judge": ("left", "right", "verdict", "link"),
    "judge_again": (),
    "take_back_import": ("search", "name"),
    "take_back_word": ("record", "stage", "role"),
}
"""What each kind of act is about; nothing else that a form or an address brings is looked at."""

WHERE_FROM = {
    "close_account": "team",
    "open_account": "team",
    "decide_again": "team",
    "close_vote": "retirement",
    "regroup": "evidence",
    "judge": "duplicates",
    "judge_again": "duplicates",
    "take_back_import": "searches",
    "take_back_word": "history",
    "reopen_chosen": "records",
}
"""The page that somebody who thinks better of it goes back to; else the overview."""

MEMBERS_OWN = {"regroup": "evidence/group", "judge": "duplicates"}
"""Where members confirm what is their work too; all else is done by leads."""

SHOWN = 200  # acts on the page of the log

FormId = Annotated[str, Depends(guard.form_id)]


def confirm(
    context: ReviewContext, kind: str, given: Mapping[str, str], reason: str = ""
) -> Response:
    """On to the page that says what an act would do."""
    about = {name: given[name] for name in FIELDS[kind] if given.get(name)}
    query = {"kind": kind, **about, **({"reason": reason} if reason else {})}
    return RedirectResponse(f"/r/{context.review.id}/act?{urlencode(query)}", 303)


def preview(
    context: ReviewContext, kind: str, given: Mapping[str, str], reason: str = ""
) -> dict[str, Any]:
    """What an act of this visitor would do; raises Refused where it can't be done."""
    asked: dict[str, Any] = {"review": context.review.id, "given": given, "reason": reason}
    return ops.acts.preview(
        context.shared.store,
        kind=kind,
        now=context.shared.clock(),
        by=context.user.principal,
        author=context.me,
        **asked,
    )


def must_ask(context: ReviewContext, kind: str, given: Mapping[str, str]) -> bool:
    """Whether this visitor may not do the act alone, as an included study would leave the review by
    it.
    """
    return not context.may(rights.MANAGE) and bool(preview(context, kind, given)["takes_out"])


def page(context: guard.InReview, request: Request) -> Response:
    """What an act would do, with the button that does it; or the form that asks a lead for it."""
    query = request.query_params
    if request_id := query.get("request", ""):
        return _requested(context, request_id)
    kind = query.get("kind", "")
    given = _given(context, kind, query)
    return _show(context, kind, given, reason=query.get("reason", ""))


def _given(context: ReviewContext, kind: str, values: Mapping[str, Any]) -> dict[str, str]:
    """What the act is about; 404 for no kind, 403 for one that is not this person's work."""
    if kind not in FIELDS:
        raise HTTPException(404, "There is no such act.")
    if kind == "take_back_word":
        right = rights.TAKE_PART
    else:
        right = ops.acts.kind_of(kind).right
    if not context.may(right):
        raise HTTPException(403, "This is the work of others in this review. Ask a lead.")
    given = {name: str(values[name]) for name in FIELDS[kind] if values.get(name)}
    if kind == "take_back_word":
        given["reviewer"] = context.me
    return given


def _requested(context: ReviewContext, request_id: str) -> Response:
    if not context.may(rights.SEE_AS_LEAD):
        raise HTTPException(403, "Leads answer requests.")
    with context.shared.store.read() as con:
        request = ops.acts.request_of(con, context.review.id, request_id)
    return _show(context, request.kind, request.given, request=request)


def _show(
    context: ReviewContext,
    kind: str,
    given: Mapping[str, str],
    status: int = 200,
    *,
    reason: str = "",
    problem: str = "",
    told: Mapping[str, Any] | None = None,
    request: acts.Request | None = None,
) -> Response:
    """The page of one act. Who may not do it alone is told so, and nothing of what others said."""
    leads = context.may(rights.MANAGE)
    asks = kind == "take_back_word" and not leads
    nothing = ""
    if told is None and not asks:
        try:
            told = preview(context, kind, given, reason)
        except NothingToDo as refusal:
            nothing = f"{refusal.message[:1].upper()}{refusal.message[1:]}."
        except Refused as refusal:
            if request is None:
                raise
            problem = (
                problem
                or f"This can't be done any more: {refusal.message}. Decline it, with a word on why."
            )
        asks = not leads and told is not None and bool(told["takes_out"])
    with context.shared.store.read() as con:
        what = _about(con, given)
    base = f"/r/{context.review.id}"
    values = {
        "kind": kind,
        "title": ops.acts.kind_of(kind).named(given),
        "about": what,
        "given": given,
        "told": None if asks else told,
        "asks": asks,
        "address": f"{base}/act/do" if leads else f"{base}/{MEMBERS_OWN.get(kind, 'act/do')}",
        "back": f"{base}/{WHERE_FROM[kind]}" if kind in WHERE_FROM else base,
        "needs_reason": ops.acts.kind_of(kind).needs_reason,
        "reason": reason,
        "problem": problem,
        "nothing": nothing,
        "request": request,
        "longest": ops.acts.LONGEST_REASON,
    }
    return pages.show("act.html", context, status, **values)


def _about(con: Connection, given: Mapping[str, str]) -> list[str]:
    """The titles of the records that an act is about."""
    ids = [given[name] for name in ("record", "left", "right") if given.get(name)]
    current = records.current(con, ids)
    return [current[id].title or "Untitled record" for id in ids if id in current]


async def sent(request: Request) -> dict[str, str]:
    """The fields of a form as they came."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Sent = Annotated[dict[str, str], Depends(sent)]


def do(
    context: guard.InReview,
    form: FormId,
    fields: Sent,
    kind: Annotated[str, Form()] = "",
    shown: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    request: Annotated[str, Form()] = "",
) -> Response:
    """Do what the page said, if it still does just that, and show it in the log with its undo."""
    waiting = None
    if request:
        with context.shared.store.read() as con:
            waiting = ops.acts.request_of(con, context.review.id, request)
    given = dict(waiting.given) if waiting else _given(context, kind, fields)
    kind = waiting.kind if waiting else kind
    return carry_out(context, form, kind, given, shown=shown, reason=reason, request=waiting)


def carry_out(
    context: ReviewContext,
    form: str,
    kind: str,
    given: Mapping[str, str],
    *,
    shown: str | None,
    reason: str = "",
    request: acts.Request | None = None,
    after: str = "",
    mail: bool = False,
) -> Response:
    """Do an act of this visitor; `after` is the page to go on to, else the log.

    `mail`: the link to an account that is opened is mailed to the address that is given.
    """
    id = f"{context.me}-{form}"
    secret = secrets.token_urlsafe(24) if kind == "open_account" else ""
    asked: dict[str, Any] = {
        "id": id,
        "review": context.review.id,
        "given": given,
        "reason": reason,
        "shown": shown,
    }
    asked |= {
        "by": context.user.principal,
        "author": context.me,
        "folder": context.shared.settings.site,
    }
    asked |= {
        "request": request.id if request else None,
        "secret_hash": accounts.digest(secret) if secret else None,
    }
    try:
        done = ops.acts.carry_out(
            context.shared.store, kind=kind, now=context.shared.clock(), **asked
        )
    except EffectChanged as change:
        again: dict[str, Any] = {
            "told": change.told,
            "reason": reason,
            "problem": f"{change.message}.",
            "request": request,
        }
        return _show(context, kind, given, 409, **again)
    except Refused as refusal:
        if shown is None:
            raise
        problem = f"{refusal.message}."
        return _show(context, kind, given, 422, reason=reason, problem=problem, request=request)
    if secret:
        if not done["known"]:
            handed = _invitation(context, given, secret, mail=mail)
            context.shared.handover.leave(
                context.user.secret, _secret_page(context), handed, context.shared.clock()
            )
        return RedirectResponse(_secret_page(context), 303)
    return RedirectResponse(after or f"/r/{context.review.id}/acts?done={id}", 303)


def _invitation(
    context: ReviewContext, given: Mapping[str, str], secret: str, *, mail: bool
) -> Handed:
    """The link that takes up an account, which is mailed where that is wanted."""
    settings, address = context.shared.settings, given.get("email", "")
    link = f"{settings.address}/invite/{secret}"
    if not mail:
        return Handed(given["name"], link)
    if not address:
        return Handed(given["name"], link, problem="there is no address to mail it to")
    if not (settings.smtp and settings.sender and settings.url):
        return Handed(given["name"], link, problem="this server is not set up to send mail")
    problem = ops.team.mail_invitation(
        name=given["name"],
        address=address,
        by=context.me,
        link=link,
        title=context.review.title,
        server=settings.smtp,
        sender=settings.sender,
        now=context.shared.clock(),
    )
    mailed = address if problem is None else None
    return Handed(given["name"], link, mailed, problem)


def secret(context: guard.InReview, request: Request) -> Response:
    """The secret of an account that was just opened, this once."""
    handed = None
    if request.method == "GET":
        handed = context.shared.handover.take(
            context.user.secret, _secret_page(context), context.shared.clock()
        )
    return pages.show("secret.html", context, handed=handed, days=ops.team.INVITED_FOR.days)


def _secret_page(context: ReviewContext) -> str:
    return f"/r/{context.review.id}/team/secret"


def log(context: guard.InReview, done: str = "", undone: str = "", all: str = "") -> Response:
    """The acts of this review, newest first, each with its undo; `all`: also the oldest.

    Requests that wait stand above.
    """
    return _log(context, done=done, undone=undone, most=None if all else SHOWN)


def _log(
    context: ReviewContext,
    status: int = 200,
    *,
    done: str = "",
    undone: str = "",
    problem: str = "",
    most: int | None = SHOWN,
) -> Response:
    listing = ops.acts.listing(
        context.shared.store, review=context.review.id, now=context.shared.clock()
    )
    with context.shared.store.read() as con:
        titles = {request["id"]: _about(con, request["given"]) for request in listing["requests"]}
    waiting = [request for request in listing["requests"] if request["outcome"] is None]
    answered = [request for request in listing["requests"] if request["outcome"] is not None]
    latest = next((act for act in listing["acts"] if act["id"] in (done, undone)), None)
    values = {
        "acts": listing["acts"][:most],
        "all": len(listing["acts"]),
        "latest": latest,
        "problem": problem,
    }
    return pages.show(
        "acts.html",
        context,
        status,
        waiting=waiting,
        answered=answered[:SHOWN],
        titles=titles,
        **values,
    )


def take_back(context: guard.InReview, form: FormId, act: Annotated[str, Form()]) -> Response:
    """Undo an act: what stood before it stands again, and the log says so."""
    asked: dict[str, Any] = {
        "review": context.review.id,
        "author": context.me,
        "by": context.user.principal,
    }
    try:
        ops.acts.take_back(
            context.shared.store,
            id=f"{context.me}-{form}",
            act=act,
            now=context.shared.clock(),
            folder=context.shared.settings.site,
            **asked,
        )
    except Refused as refusal:
        return _log(context, 422, problem=f"{refusal.message}.")
    return RedirectResponse(f"/r/{context.review.id}/acts?{urlencode({'undone': act})}", 303)


def decline(
    context: guard.InReview,
    form: FormId,
    request: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Say no to a request, with a word for whoever asked."""
    asked: dict[str, Any] = {
        "request": request,
        "review": context.review.id,
        "author": context.me,
        "note": note,
    }
    try:
        ops.acts.decline(context.shared.store, now=context.shared.clock(), **asked)
    except Refused as refusal:
        return _log(context, 422, problem=f"{refusal.message}.")
    return RedirectResponse(f"/r/{context.review.id}/acts#requests", 303)


def ask(
    context: guard.InReview,
    form: FormId,
    fields: Sent,
    kind: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Ask a lead for what I may not do alone."""
    given = _given(context, kind, fields)
    with context.shared.store.read() as con:
        for name in ("record", "left", "right"):
            if given.get(name):
                guard.recorded(con, context, given[name])
        if kind == "take_back_word":
            _is_mine(con, context, given)
    asked: dict[str, Any] = {
        "review": context.review.id,
        "given": given,
        "author": context.me,
        "reason": reason,
    }
    try:
        ops.acts.ask(
            context.shared.store,
            id=f"{context.me}-{form}",
            kind=kind,
            now=context.shared.clock(),
            **asked,
        )
    except Refused as refusal:
        return _show(context, kind, given, 422, reason=reason, problem=f"{refusal.message}.")
    return RedirectResponse(f"/r/{context.review.id}/history#requests", 303)


def _is_mine(con: Connection, context: ReviewContext, given: Mapping[str, str]) -> None:
    """Refuse a request about a word that I have not said, or that does not stand."""
    word = mine.my_vote(
        con, context, given.get("record", ""), given.get("stage", ""), given.get("role", "vote")
    )
    if word is None:
        raise Refused("you have no decision in force on this record at this stage")


def forget(context: guard.InReview, request: Annotated[str, Form()]) -> Response:
    """Take back a request of my own while it waits."""
    with context.shared.store.read() as con:
        waiting = ops.acts.request_of(con, context.review.id, request)
    if waiting.author != context.me:
        raise HTTPException(403, "Only whoever asked takes a request back.")
    asked: dict[str, Any] = {"request": request, "review": context.review.id, "author": context.me}
    ops.acts.decline(context.shared.store, now=context.shared.clock(), **asked)
    return RedirectResponse(f"/r/{context.review.id}/history#requests", 303)


def my_requests(con: Connection, context: ReviewContext) -> list[dict[str, Any]]:
    """What I asked leads for, newest first, and what came of it."""
    return [
        {
            "id": request.id,
            "title": ops.acts.kind_of(request.kind).named(request.given),
            "about": _about(con, request.given),
            "reason": request.reason,
            "made": request.made,
            "outcome": request.outcome,
            "answered_by": request.answered_by,
            "answered": request.answered,
            "note": request.note,
        }
        for request in acts.requests(con, context.review.id)
        if request.author == context.me
    ]
