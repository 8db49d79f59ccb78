"""In and out of the service."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from livereview import ops
from livereview.errors import Refused, Retry
from livereview.store import accounts
from livereview.store.accounts import Account
from livereview.store.open import Connection
from livereview.web import guard, pages
from livereview.web.limits import TRIES, network_of

LASTS = timedelta(hours=12)


def page(request: Request, next: str = "/") -> Response:
    """The form to sign in, and what to do while there is no account at all."""
    with guard.shared(request).store.read() as con:
        return _form(request, next, empty=not accounts.names(con))


async def enter(
    request: Request, secret: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Start a new session for whom the secret belongs to; an earlier one in this browser ends.

    A right secret always gets in, whatever else came from its address: it is looked up first, and
    only wrong ones are counted and held up. Tries that come together wait for each other.
    """
    shared = guard.shared(request)
    try:
        account = await shared.sign_ins.turn(lambda: _whose(shared, secret.strip()))
    except Retry as busy:
        answer = _form(request, next, busy.message, 503)
        answer.headers["Retry-After"] = "3"
        return answer
    if account is None:
        return await run_in_threadpool(_wrong, request, secret.strip(), next)
    return await run_in_threadpool(_welcome, request, account, secret.strip(), next)


def _whose(shared: guard.AppState, secret: str) -> Account | None:
    with shared.store.read() as con:
        return accounts.by_secret(con, secret)


def _welcome(request: Request, account: Account, secret: str, next: str) -> Response:
    """In; but first to a secret of one's own, where somebody else has made and seen the one that
    was given.

    Who makes a secret for another could sign in and vote in their name. So that secret is good for
    one thing: to take another. Who takes it first is known, as it then opens nothing for the
    second.
    """
    with guard.shared(request).store.read() as con:
        given = ops.team.given_by(con, account)
    if given is None:
        return admit(request, account, next)
    if ops.team.is_over(given, guard.shared(request).clock()):
        days = ops.team.INVITED_FOR.days
        said = (
            f"{given.by} gave you this more than {days} days ago, so it is over. Ask for another."
        )
        return _form(request, next, said, 401)
    own = secrets.token_urlsafe(24)
    shown: dict[str, Any] = {
        "account": account,
        "by": given,
        "given": secret,
        "own": own,
        "mark": mark(secret, own),
    }
    return pages.render("own_secret.html", None, next=inside(next), **shown)


def invited(request: Request, secret: str) -> Response:
    """Where an invitation leads: a button that takes it up.

    Nothing is looked up before it is pressed, so that a mail program which follows links uses up no
    invitation, and nobody learns here whether one is good.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{20,64}", secret):
        raise HTTPException(404, "This is no invitation. Copy the whole link.")
    return pages.render("invited.html", None, secret=secret)


def take_own(
    request: Request,
    given: Annotated[str, Form()] = "",
    own: Annotated[str, Form()] = "",
    made: Annotated[str, Form(alias="mark")] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Put one's own secret, which the page has shown, in the place of the one that was given, and
    go in.
    """
    if not hmac.compare_digest(made.encode(), mark(given, own).encode()):
        return _form(
            request,
            next,
            "This page was not made here. Sign in with the secret that you were given.",
            422,
        )
    shared = guard.shared(request)
    try:
        account = ops.team.take_own_secret(
            shared.store, given=given, secret=own, now=shared.clock()
        )
    except Refused as refusal:
        return _form(request, next, f"{refusal.message}.", 422)
    return admit(request, account, next)


def mark(given: str, own: str) -> str:
    """Shows that a new secret was made here, for whoever had the given one: nobody else's can be
    slipped in.
    """
    return hmac.new(given.encode(), f"own secret {own}".encode(), hashlib.sha256).hexdigest()


def _wrong(request: Request, secret: str, next: str) -> Response:
    """Say that the secret opens nothing.

    After some of those from one network only when to try again.
    """
    shared = guard.shared(request)
    with shared.store.read() as con:
        replaced = accounts.replaced(con, secret)
    if replaced:
        said = (
            f"This secret was replaced by {replaced.by} on {replaced.made:%Y-%m-%d %H:%M} UTC. If that is your own"
            " name and it was not you, or if nobody told you, ask your lead for a new one at once and why: whoever had"
            " the new one could act in your name."
        )
        return _form(request, next, said, 401)
    wait = shared.wrong_secrets.take(network_of(guard.address_of(request)), shared.clock(), TRIES)
    if not wait:
        said = "This secret opens no account. Copy the whole of it, or ask your lead for a new one."
        return _form(request, next, said, 401)
    minutes = -(-wait // 60)
    said = f"Too many wrong tries from here. Try again in {minutes} minutes; the right secret works at once."
    answer = _form(request, next, said, 429)
    answer.headers["Retry-After"] = str(wait)
    return answer


def admit(request: Request, account: Account, next: str) -> Response:
    """Start a new session for an account whose owner this is, and go on to `next`.

    An earlier one here ends.
    """
    shared, now = guard.shared(request), guard.shared(request).clock()
    session, old = secrets.token_urlsafe(32), request.cookies.get(guard.cookie(request), "")

    def begin(con: Connection) -> None:
        accounts.end_session(con, old)
        accounts.start_session(con, session, account, now + LASTS, now)

    shared.store.write(begin, quick=True)
    return _with_cookie(
        request, RedirectResponse(inside(next), 303), session, int(LASTS.total_seconds())
    )


def leave(request: Request, user: guard.Visitor) -> Response:
    """End the session, here and on the server.

    What is on the person's screens is free once they are out everywhere.
    """
    shared = user.shared
    shared.store.write(lambda con: accounts.end_session(con, user.secret))
    with shared.store.read() as con:
        elsewhere = accounts.has_session(con, user.name, shared.clock())
    if not elsewhere:
        shared.leases.leave(user.name)
    return _with_cookie(request, RedirectResponse("/sign-in", 303), "", 0)


def inside(address: str) -> str:
    r"""An address of this app, or the start: "//evil", "/\evil" and "https:…" lead elsewhere."""
    if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", address):
        return address
    return "/"


def _form(
    request: Request,
    next: str,
    problem: str | None = None,
    status: int = 200,
    *,
    empty: bool = False,
) -> Response:
    elsewhere = guard.shared(request).settings.oidc is not None
    shown = {"next": inside(next), "problem": problem, "empty": empty, "elsewhere": elsewhere}
    return pages.render("sign_in.html", None, status, **shown)


def _with_cookie(request: Request, answer: Response, value: str, age: int) -> Response:
    secure = guard.secure(request)
    answer.set_cookie(
        guard.cookie(request), value, age, path="/", secure=secure, httponly=True, samesite="lax"
    )
    return answer
