"""In through an OpenID Connect provider: off to it, and back with a mail address that it vouches
for.

The address must be that of an open account: nobody gets one by signing in, and no role comes from
outside.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.settings import OpenId
from livereview.store import accounts
from livereview.store.accounts import Account, digest
from livereview.web import guard, pages, sign_in
from livereview.web.guard import AppState
from livereview.web.provider import Back, PendingSignIn

log = logging.getLogger(__name__)
LASTS = timedelta(minutes=10)
LONGEST = 2_000  # letters of an address to go on to: it is kept in memory meanwhile
LOST = "This sign-in was begun in another browser or tab, more than ten minutes ago, or is over already. Start again."


def start(request: Request, next: str = "/") -> Response:
    """Off to the provider, with a secret in this browser that no other one has."""
    shared, oidc = _provided(request)
    state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
    after = sign_in.inside(next) if len(next) <= LONGEST else "/"
    pending = PendingSignIn(digest(browser), nonce, verifier, after, shared.clock() + LASTS)
    try:
        address = shared.provider.address(oidc, pending, state, shared.clock())
    except LivereviewError as error:
        return _sorry(oidc, error, pending.next)
    shared.pending_sign_ins.begin(state, pending, shared.clock())
    return _with_cookie(request, RedirectResponse(address, 303), browser, LASTS)


def back(
    request: Request, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> Response:
    """Back from the provider: in, if it vouches for the address of one open account.

    Else what to do now.
    """
    shared, oidc = _provided(request)
    pending = shared.pending_sign_ins.end(
        state, request.cookies.get(cookie(request), ""), shared.clock()
    )
    if pending is None:
        return pages.error(400, LOST, ("/sign-in", "Sign in"))
    try:
        email = shared.provider.email(oidc, pending, Back(code, error, iss), shared.clock())
        answer = sign_in.admit(request, _account(shared, email), pending.next)
    except LivereviewError as problem:
        answer = _sorry(oidc, problem, pending.next)
    return _with_cookie(request, answer, "", timedelta(0))


def cookie(request: Request) -> str:
    """The name of the cookie that ties a sign-in under way to its browser."""
    return f"{guard.cookie(request)}-oidc"


def _provided(request: Request) -> tuple[AppState, OpenId]:
    shared = guard.shared(request)
    if shared.settings.oidc is None:
        raise HTTPException(404, "Nobody signs in through an organisation here; use your secret.")
    return shared, shared.settings.oidc


def _account(shared: AppState, email: str) -> Account:
    """The one open account of this address."""
    with shared.store.read() as con:
        found = accounts.by_email(con, email)
    if not found:
        raise Refused(
            f"You are {email} at your organisation, and no account here has this address. Ask the lead of your review"
            " for an account with it, or to add it to yours; then sign in again."
        )
    if len(found) > 1:
        raise Refused(
            f"More than one account has the address {email}, so nobody can tell which is yours. Ask the lead of your"
            " review to give each account its own, or sign in with your secret."
        )
    return found[0]


def _sorry(oidc: OpenId, error: LivereviewError, next: str) -> Response:
    """Say what went wrong.

    The log is told where it is the provider's fault; messages hold no codes and no tokens.
    """
    if isinstance(error, Retry):
        status = 503
    elif isinstance(error, SourceBroken):
        status = 502
    else:
        status = 403
    if not isinstance(error, Refused):
        log.warning("sign-in through %s: %s", oidc.issuer, error.message)
    return pages.error(status, error.message, (f"/sign-in?next={quote(next, safe='/')}", "Sign in"))


def _with_cookie(request: Request, answer: Response, value: str, lasts: timedelta) -> Response:
    """With the browser's part of a sign-in under way.

    Lax: it must come along when the provider sends people back.
    """
    secure, age = guard.secure(request), int(lasts.total_seconds())
    answer.set_cookie(
        cookie(request), value, age, path="/", secure=secure, httponly=True, samesite="lax"
    )
    return answer
