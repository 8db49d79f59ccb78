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
from livereview.web.guard import Visit


def page(visit: guard.Visitor) -> Response:
    """What this account is, and the form for another secret."""
    return _show(visit)


def _show(visit: Visit, status: int = 200, *, problem: str = "") -> Response:
    with visit.desk.store.read() as con:
        account = accounts.open_one(con, visit.name)
    email = account.email if account else None
    return pages.render("account.html", visit, status, email=email, problem=problem)


def renew(visit: guard.Visitor, present: Annotated[str, Form()] = "") -> Response:
    """Show another secret; nothing changes before whoever sees it says that it is kept."""
    _in_person(visit)
    given = present.strip()
    with visit.desk.store.read() as con:
        opened = accounts.by_secret(con, given)
    if opened is None or opened.name != visit.name:
        return _show(visit, 422, problem="This is not the secret that you sign in with now.")
    own = secrets.token_urlsafe(24)
    mark = sign_in.mark(given, own)
    return pages.render("new_secret.html", visit, present=given, own=own, mark=mark)


def take(
    request: Request,
    visit: guard.Visitor,
    present: Annotated[str, Form()] = "",
    own: Annotated[str, Form()] = "",
    mark: Annotated[str, Form()] = "",
) -> Response:
    """Put the secret that was shown in the place of the present one, in a new session."""
    _in_person(visit)
    if not hmac.compare_digest(mark.encode(), sign_in.mark(present, own).encode()):
        return _show(visit, 422, problem="This page was not made here. Begin again.")
    desk = visit.desk
    try:
        account = ops.team.renew_own_secret(
            desk.store, account=visit.name, present=present, secret=own, now=desk.clock()
        )
    except Refused as refusal:
        return _show(visit, 422, problem=f"{refusal.message}.")
    return sign_in.admit(request, account, "/account")


def _in_person(visit: Visit) -> None:
    """A token never changes what its owner signs in with."""
    if visit.principal.kind != Kind.SESSION:
        raise HTTPException(403, "Sign in to change your secret; a token can't.")
