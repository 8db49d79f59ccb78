"""The first account of a server: a link that `serve` prints makes it, while there is none."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import Response

from livereview import ops
from livereview.errors import Refused
from livereview.store import accounts
from livereview.web import guard, pages

GONE = (
    "This link made the first account, or is that of an earlier start: sign in, or look at what "
    "the server printed when it started last."
)


def link(shared: guard.AppState, base: str) -> str | None:
    """Where the first account is made; None where there is one."""
    with shared.store.read() as con:
        if accounts.names(con):
            return None
    return f"{base}/first/{shared.first}"


def page(request: Request, token: str) -> Response:
    """Ask for the name of the first lead."""
    _must_fit(request, token)
    return pages.render("first.html", None, token=token, name="", problem="", secret="")


def make(request: Request, token: str, name: Annotated[str, Form()] = "") -> Response:
    """Make the account, and show its secret, this once."""
    _must_fit(request, token)
    shared, secret = guard.shared(request), secrets.token_urlsafe(24)
    try:
        ops.team.make_first_account(
            shared.store, name=name.strip(), secret=secret, now=shared.clock()
        )
    except Refused as refusal:
        shown = {"token": token, "name": name, "problem": f"{refusal.message}.", "secret": ""}
        return pages.render("first.html", None, 422, **shown)
    return pages.render(
        "first.html", None, token=token, name=name.strip(), problem="", secret=secret
    )


def _must_fit(request: Request, token: str) -> None:
    """404 unless this is the link of this start, and it has made no account yet."""
    shared = guard.shared(request)
    if not hmac.compare_digest(token.encode(), shared.first.encode()) or link(shared, "") is None:
        raise HTTPException(404, GONE)
