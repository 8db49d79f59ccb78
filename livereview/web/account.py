"""One's own account: what it may do, and another secret for it."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import Response

from livereview import ops
from livereview.errors import Refused
from livereview.rights import Kind
from livereview.store import accounts
from livereview.web import guard, pages, sign_in
from livereview.web.guard import RequestUser


def page(user: guard.Visitor) -> Response:
    """What this account is, and the form for another secret."""
    return _show(user)


def _show(user: RequestUser, status: int = 200, *, problem: str = "") -> Response:
    with user.shared.store.read() as con:
        account = accounts.open_one(con, user.name)
    email = account.email if account else None
    return pages.render("account.html", user, status, email=email, problem=problem)


def renew(user: guard.Visitor, present: Annotated[str, Form()] = "") -> Response:
    """Show another secret; nothing changes before whoever sees it says that it is kept."""
    _in_person(user)
    given = present.strip()
    with user.shared.store.read() as con:
        opened = accounts.by_secret(con, given)
    if opened is None or opened.name != user.name:
        return _show(user, 422, problem="This is not the secret that you sign in with now.")
    own = secrets.token_urlsafe(24)
    mark = sign_in.mark(given, own)
    return pages.render("new_secret.html", user, present=given, own=own, mark=mark)


def take(
    request: Request,
    user: guard.Visitor,
    present: Annotated[str, Form()] = "",
    own: Annotated[str, Form()] = "",
    mark: Annotated[str, Form()] = "",
) -> Response:
    """Put the secret that was shown in the place of the present one, in a new session."""
    _in_person(user)
    if not hmac.compare_digest(mark.encode(), sign_in.mark(present, own).encode()):
        return _show(user, 422, problem="This page was not made here. Begin again.")
    shared = user.shared
    try:
        account = ops.team.renew_own_secret(
            shared.store, account=user.name, present=present, secret=own, now=shared.clock()
        )
    except Refused as refusal:
        return _show(user, 422, problem=f"{refusal.message}.")
    return sign_in.admit(request, account, "/account")


def _in_person(user: RequestUser) -> None:
    """A token never changes what its owner signs in with."""
    if user.principal.kind != Kind.SESSION:
        raise HTTPException(403, "Sign in to change your secret; a token can't.")
