"""Who asks, and whether they may: every route names the act that it is, and nothing is read of a
request before.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from livereview import rights
from livereview.ops import principals
from livereview.ops.protocols import parsed
from livereview.review import Review
from livereview.rights import Act, Kind, Principal, Scope, WhyNot
from livereview.settings import Settings
from livereview.store import accounts, records, searches
from livereview.store.accounts import BEGINS
from livereview.store.open import Connection, Store
from livereview.store.turns import IS_SHORT
from livereview.web import bodies
from livereview.web.handover import Handover
from livereview.web.leases import Leases
from livereview.web.limits import TRIES as TRIES
from livereview.web.limits import WITHIN as WITHIN
from livereview.web.limits import Line, Recent, Senders, long_tasks
from livereview.web.provider import PendingSignIns, Provider
from livereview.web.runs import Runs
from livereview.web.takings import Takings
from livereview.web.trials import Trials

NO_REVIEW = "There is no review of this name here."
FILES_AT_ONCE = 8  # published files that are read at the same time; each takes half a millisecond
ALL_REVIEWS = (
    "This is for leads who may enter every review of this server, and your account enters some. "
    "Ask one of them."
)


@dataclass(frozen=True, slots=True)
class AppState:
    """What every page of one app shares.

    `turns`: one person takes back one thing at a time, so tabs see each other.
    """

    store: Store
    settings: Settings
    token: str = field(repr=False)
    clock: Callable[[], datetime]
    wrong_secrets: Recent = field(default_factory=lambda: Recent(WITHIN))  # by network
    sign_ins: Line = field(default_factory=Line)
    long_tasks: Line = field(default_factory=long_tasks)
    files: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(FILES_AT_ONCE))
    turns: defaultdict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )
    leases: Leases = field(default_factory=Leases)
    handover: Handover = field(default_factory=Handover)
    senders: Senders = field(default_factory=Senders)  # of the public forms
    provider: Provider = field(default_factory=Provider)  # of settings.oidc, if there is one
    pending_sign_ins: PendingSignIns = field(default_factory=PendingSignIns)
    trials: Trials = field(default_factory=Trials)
    runs: Runs = field(default_factory=Runs)
    takings: Takings = field(default_factory=Takings)
    # in the link that makes the first account, while there is none; each start has another
    first: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


@dataclass(frozen=True, slots=True)
class RequestUser:
    """One request of somebody who signed in. What it may do is asked of `principal`."""

    shared: AppState
    principal: Principal
    secret: str = field(repr=False)

    @property
    def name(self) -> str:
        return self.principal.account

    @property
    def role(self) -> str:
        return self.principal.role

    def enters(self, review: str) -> bool:
        """Whether this review is there for whoever asks."""
        return self.principal.enters(review)

    def may(self, act: Act) -> bool:
        """Whether whoever asks may do what belongs to no review."""
        return rights.may(self.principal, act)

    @property
    def csrf(self) -> str:
        """The token that this session's forms carry: others can't know it."""
        return hmac.new(self.secret.encode(), b"livereview form", hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """A visit to one review."""

    user: RequestUser
    review: Review

    @property
    def shared(self) -> AppState:
        return self.user.shared

    @property
    def me(self) -> str:
        return self.user.name

    def may(self, act: Act) -> bool:
        """Whether whoever asks may do this in this review."""
        adjudicators = self.review.screening.adjudicators
        return rights.may(self.user.principal, act, self.review.id, adjudicators)


class SignIn(Exception):
    """Nobody is signed in, or the session has ended."""


def shared(request: Request) -> AppState:
    found: AppState = request.app.state.shared
    return found


def address_of(request: Request) -> str:
    """Where a visitor comes from, as the connection or a trusted proxy says."""
    return request.client.host if request.client else ""


def path_of(request: Request) -> str:
    """The path that was asked for. `request.url` would mix in what the Host header says."""
    path: str = request.scope["path"]
    return path


def place_of(request: Request) -> str:
    """Path and query that were asked for."""
    query = request.scope["query_string"].decode("latin-1")
    if query:
        return f"{path_of(request)}?{query}"
    return path_of(request)


def secure(request: Request) -> bool:
    """Whether it came over https, as far as the connection or a trusted proxy says."""
    return bool(request.scope["scheme"] == "https")


def cookie(request: Request) -> str:
    """The name of the session cookie; over https one that no other host or path can set."""
    return "__Host-livereview" if secure(request) else "livereview"


# Who asks, and whether they may: judged once for each request, before anything of its body is read


class GuardedRoute(APIRoute):
    """A route that lets nobody in before the act that it names has been judged.

    One that names none lets nobody in.

    Only then is a body received, and no more of it than `largest`.
    """

    act: Act | None = None
    largest: int = bodies.FORM

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def judged(request: Request) -> Response:
            # programs bring pages and ask for nights' work; long pages have threads of their own
            IS_SHORT.set(self.act is not None and not self.act.by_name)
            if self.act != rights.OPEN_TO_ALL:
                await run_in_threadpool(let_in, request, self.act)
            # which has the form, should it fail
            request.state.read = read = bodies.limited(request, self.largest)
            return await handle(read)

        return judged


def let_in(request: Request, act: Act | None) -> None:
    """Judge a request by what signed in; what is learned about it is kept for the page.

    Raises:
        SignIn: nobody is signed in.
        HTTPException: 401, 403 or 404, in words for whoever asks.
    """
    if act is None:
        raise HTTPException(403, "Nobody may use this address: it does not say who may.")
    if act.by_name:
        request.state.principal = _program(request)
        return
    if act.by_programs:
        _judge_program(_program(request), act)
        return
    user = _request_user(request)
    request.state.user = user
    if "review" in request.path_params:
        request.state.context = context = _review_context(user, request.path_params["review"])
        _judge(user, act, context.review)
    else:
        _judge(user, act, None)


def _request_user(request: Request) -> RequestUser:
    """Who asks, by a program's token or by session; raises SignIn where nobody does."""
    here = shared(request)
    given = request.headers.get("authorization", "")
    if given.startswith(f"Bearer {BEGINS}"):
        secret = given.removeprefix("Bearer ")
        return RequestUser(here, _by_token(here, secret), secret)
    secret = request.cookies.get(cookie(request), "")
    with here.store.read() as con:
        principal = principals.by_session(con, secret, here.clock())
    if principal is None:
        raise SignIn
    return RequestUser(here, principal, secret)


def _by_token(here: AppState, secret: str) -> Principal:
    with here.store.read() as con:
        principal = principals.by_token(con, secret)
    if principal is None:
        raise HTTPException(
            401, "This token is not good any more; make another with livereview token."
        )
    return principal


def _program(request: Request) -> Principal:
    """The program that asks, by the owner's own secret or a token. No session is one."""
    here, given = shared(request), request.headers.get("authorization", "")
    if hmac.compare_digest(given.encode(), f"Bearer {here.token}".encode()):
        return principals.OPERATOR
    if not given.startswith(f"Bearer {BEGINS}"):
        raise HTTPException(
            401,
            "this needs the owner's token, or one with the right scope: Authorization: Bearer …",
        )
    return _by_token(here, given.removeprefix("Bearer "))


def _review_context(user: RequestUser, review: str) -> ReviewContext:
    """The review of the address; 404 where there is none of this name."""
    text = None
    if re.fullmatch(r"[a-z0-9-]{1,64}", review) and user.enters(review):
        with user.shared.store.read() as con:
            text = searches.protocol_text(con, review)
    if text is None:
        raise HTTPException(404, NO_REVIEW)
    return ReviewContext(user, parsed(text))


def _judge(user: RequestUser, act: Act, review: Review | None) -> None:
    """Refuse, in words, what this principal may not do."""
    adjudicators = review.screening.adjudicators if review else ()
    problem = rights.why_not(user.principal, act, review.id if review else None, adjudicators)
    if problem is None:
        return
    if problem == WhyNot.NOT_THERE and review is None:
        raise HTTPException(403, ALL_REVIEWS)
    if problem == WhyNot.NOT_THERE:
        raise HTTPException(404, NO_REVIEW)
    if problem == WhyNot.SCOPE:
        raise HTTPException(403, _lacks(act, user.principal))
    raise HTTPException(403, _only(user, act, review))


def _judge_program(principal: Principal, act: Act) -> None:
    """Refuse, in words, what this program may not do; the act concerns all reviews at once."""
    problem = rights.why_not(principal, act)
    if problem is None:
        return
    if problem == WhyNot.SCOPE:
        raise HTTPException(403, _lacks(act, principal))
    if problem == WhyNot.NOT_THERE:
        raise HTTPException(404, "This concerns all reviews; this token opens some of them only.")
    raise HTTPException(403, f"This needs a token of {_words(act.roles)}.")


def _lacks(act: Act, principal: Principal) -> str:
    has = ", ".join(scope for scope in Scope if scope in principal.scopes) or "nothing"
    needed = " and ".join(act.scopes)
    return f"This token is good for {has}; this needs {needed}. Make one with --scope {act.scope}."


def _only(user: RequestUser, act: Act, review: Review | None) -> str:
    """Whose page it is, and whom to ask."""
    with user.shared.store.read() as con:
        open_accounts = accounts.names(con)
    leads = [
        account.name
        for account in open_accounts
        if account.role == "lead" and (review is None or account.enters(review.id))
    ]
    ask = f" Ask {' or '.join(leads)}." if leads else ""
    return f"This page is for {_words(act.roles)}; you are a {user.role}.{ask}"


def _words(roles: tuple[str, ...]) -> str:
    *first, last = [f"{role}s" for role in roles]
    return f"{', '.join(first)} and {last}" if first else last


# What pages ask for: who was let in


def user(request: Request) -> RequestUser:
    """Who was let in. A page of a route that is open to all has no visitor to ask for."""
    known: RequestUser = request.state.user
    return known


Visitor = Annotated[RequestUser, Depends(user)]


def context(request: Request) -> ReviewContext:
    """The review of the address, and who was let into it."""
    known: ReviewContext = request.state.context
    return known


InReview = Annotated[ReviewContext, Depends(context)]


def may_adjudicate(context: ReviewContext) -> bool:
    """Whether conflicts are shown to this person; who may settle one is the rules' to say."""
    return context.may(rights.SEE_CONFLICTS)


def form_token(user: Visitor, csrf: Annotated[str, Form()] = "") -> None:
    """Refuse a form that was not made for this session.

    A token comes from no browser, so no page can borrow it.
    """
    if user.principal.kind == Kind.TOKEN:
        return
    if not hmac.compare_digest(csrf.encode(), user.csrf.encode()):
        raise HTTPException(
            403, "This form was not made for your session. Go back, reload the page and try again."
        )


def form_id(form: Annotated[str, Form()]) -> str:
    """The id that a page gave its form: sent twice, it is the same event."""
    if not re.fullmatch(r"[0-9a-f]{32}", form):
        raise HTTPException(422, "This form has no id. Go back, reload the page and try again.")
    return form


def recorded(con: Connection, context: ReviewContext, record: str) -> None:
    """404 unless the review found this record."""
    if not records.in_review(con, context.review.id, record):
        raise HTTPException(404, "There is no such record in this review.")
