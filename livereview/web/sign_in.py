"""In and out of the service."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from livereview.store import accounts
from livereview.store.accounts import Account
from livereview.store.open import Connection
from livereview.web import guard, pages

LASTS = timedelta(hours=12)


def page(request: Request, next: str = "/") -> Response:
    """The form to sign in, and what to do while there is no account at all."""
    with guard.desk(request).store.read() as con:
        return _form(request, next, empty=not accounts.names(con))


def enter(request: Request, secret: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/") -> Response:
    """Start a new session for whom the secret belongs to; an earlier one in this browser ends."""
    desk, address = guard.desk(request), request.client.host if request.client else ""
    now = desk.clock()
    if wait := desk.tries.take(address, now):
        answer = _form(request, next, f"Too many wrong tries from here. Try again in {-(-wait // 60)} minutes.", 429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    with desk.store.read() as con:
        account = accounts.by_secret(con, secret.strip())
    if account is None:
        said = "This secret opens no account. Copy the whole of it, or ask your lead for a new one."
        return _form(request, next, said, 401)
    desk.tries.forgive(address)
    return admit(request, account, next)


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
    """End the session, here and on the server."""
    visit.desk.store.write(lambda con: accounts.end_session(con, visit.secret))
    visit.desk.leases.leave(visit.name)
    return _with_cookie(request, RedirectResponse("/sign-in", 303), "", 0)


def inside(address: str) -> str:
    """An address of this app, or the start: "//evil", "/\\evil" and "https:…" lead elsewhere."""
    return address if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", address) else "/"


def _form(
    request: Request, next: str, problem: str | None = None, status: int = 200, *, empty: bool = False
) -> Response:
    elsewhere = guard.desk(request).settings.oidc is not None
    shown = {"next": inside(next), "problem": problem, "empty": empty, "elsewhere": elsewhere}
    return pages.render("sign_in.html", None, status, **shown)


def _with_cookie(request: Request, answer: Response, value: str, age: int) -> Response:
    secure = request.url.scheme == "https"
    answer.set_cookie(guard.cookie(request), value, age, path="/", secure=secure, httponly=True, samesite="lax")
    return answer
