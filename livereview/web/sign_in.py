"""In and out of the service."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from livereview.errors import Retry
from livereview.store import accounts
from livereview.store.accounts import Account
from livereview.store.open import Connection
from livereview.web import guard, pages
from livereview.web.limits import TRIES, network_of

LASTS = timedelta(hours=12)


def page(request: Request, next: str = "/") -> Response:
    """The form to sign in, and what to do while there is no account at all."""
    with guard.desk(request).store.read() as con:
        return _form(request, next, empty=not accounts.names(con))


async def enter(request: Request, secret: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/") -> Response:
    """Start a new session for whom the secret belongs to; an earlier one in this browser ends.

    A right secret always gets in, whatever else came from its address: it is looked up first, and only wrong
    ones are counted and held up. Tries that come together wait for each other.
    """
    desk = guard.desk(request)
    try:
        account = await desk.sign_ins.turn(lambda: _whose(desk, secret.strip()))
    except Retry as busy:
        answer = _form(request, next, busy.message, 503)
        answer.headers["Retry-After"] = "3"
        return answer
    if account is None:
        return _wrong(request, next)
    return await run_in_threadpool(admit, request, account, next)


def _whose(desk: guard.Desk, secret: str) -> Account | None:
    with desk.store.read() as con:
        return accounts.by_secret(con, secret)


def _wrong(request: Request, next: str) -> Response:
    """Say that the secret opens nothing; after some of those from one network only when to try again."""
    desk = guard.desk(request)
    wait = desk.wrong_secrets.take(network_of(guard.address_of(request)), desk.clock(), TRIES)
    if not wait:
        said = "This secret opens no account. Copy the whole of it, or ask your lead for a new one."
        return _form(request, next, said, 401)
    minutes = -(-wait // 60)
    said = f"Too many wrong tries from here. Try again in {minutes} minutes; the right secret works at once."
    answer = _form(request, next, said, 429)
    answer.headers["Retry-After"] = str(wait)
    return answer


def admit(request: Request, account: Account, next: str) -> Response:
    """Start a new session for an account whose owner this is, and go on to `next`; an earlier one here ends."""
    desk, now = guard.desk(request), guard.desk(request).clock()
    session, old = secrets.token_urlsafe(32), request.cookies.get(guard.cookie(request), "")

    def begin(con: Connection) -> None:
        accounts.end_session(con, old)
        accounts.start_session(con, session, account, now + LASTS, now)

    desk.store.write(begin, quick=True)
    return _with_cookie(request, RedirectResponse(inside(next), 303), session, int(LASTS.total_seconds()))


def leave(request: Request, visit: guard.Visitor) -> Response:
    """End the session, here and on the server. What is on the person's screens is free once they are out everywhere."""
    desk = visit.desk
    desk.store.write(lambda con: accounts.end_session(con, visit.secret))
    with desk.store.read() as con:
        elsewhere = accounts.has_session(con, visit.name, desk.clock())
    if not elsewhere:
        desk.leases.leave(visit.name)
    return _with_cookie(request, RedirectResponse("/sign-in", 303), "", 0)


def inside(address: str) -> str:
    r"""An address of this app, or the start: "//evil", "/\evil" and "https:…" lead elsewhere."""
    return address if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", address) else "/"


def _form(
    request: Request, next: str, problem: str | None = None, status: int = 200, *, empty: bool = False
) -> Response:
    elsewhere = guard.desk(request).settings.oidc is not None
    shown = {"next": inside(next), "problem": problem, "empty": empty, "elsewhere": elsewhere}
    return pages.render("sign_in.html", None, status, **shown)


def _with_cookie(request: Request, answer: Response, value: str, age: int) -> Response:
    secure = guard.secure(request)
    answer.set_cookie(guard.cookie(request), value, age, path="/", secure=secure, httponly=True, samesite="lax")
    return answer
