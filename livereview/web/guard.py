"""Who is at the door: sessions, roles and the tokens of forms. Every route names one of the guards below."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Form, HTTPException, Request

from livereview.ops import surveil
from livereview.review import Review
from livereview.settings import Settings
from livereview.store import accounts, records, searches
from livereview.store.accounts import BEGINS, Account, Token
from livereview.store.open import Connection, Store
from livereview.web.leases import Leases
from livereview.web.provider import Provider, Trips

TRIES = 10  # wrong sign-ins an address may make in WITHIN
WITHIN = timedelta(minutes=15)


@dataclass(slots=True)
class Tries:
    """Wrong sign-ins by address, in memory: a restart forgives."""

    wrong: dict[str, deque[datetime]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, address: str, now: datetime) -> int:
        """Seconds until this address may try again; 0: it may, and the try is counted as wrong until `forgive`."""
        with self.lock:
            self.wrong = {key: times for key, times in self.wrong.items() if now - times[-1] < WITHIN}
            times = self.wrong.get(address, deque())
            while times and now - times[0] >= WITHIN:
                times.popleft()
            if len(times) >= TRIES:
                return math.ceil((times[0] + WITHIN - now).total_seconds())
            self.wrong.setdefault(address, deque(maxlen=TRIES)).append(now)
            return 0

    def forgive(self, address: str) -> None:
        """The last try of this address was right."""
        with self.lock:
            if self.wrong.get(address):
                self.wrong[address].pop()
            if not self.wrong.get(address):
                self.wrong.pop(address, None)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page of one app shares. `turns`: one person takes back one thing at a time, so tabs see each other."""

    store: Store
    settings: Settings
    token: str = field(repr=False)
    clock: Callable[[], datetime]
    tries: Tries = field(default_factory=Tries)
    turns: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    leases: Leases = field(default_factory=Leases)
    suggested: dict[str, list[datetime]] = field(default_factory=dict)  # when each address sent tips, in memory
    provider: Provider = field(default_factory=Provider)  # of settings.oidc, if there is one
    trips: Trips = field(default_factory=Trips)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a person who signed in."""

    desk: Desk
    account: Account
    secret: str = field(repr=False)
    token: Token | None = None  # a program's key, which needs no token of a form

    @property
    def name(self) -> str:
        return self.account.name

    def enters(self, review: str) -> bool:
        """Whether the account, and the token where there is one, open this review."""
        return self.account.enters(review) and (self.token is None or self.token.review in (None, review))

    @property
    def csrf(self) -> str:
        """The token that this session's forms carry: others can't know it."""
        return hmac.new(self.secret.encode(), b"livereview form", hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Room:
    """A visit to one review."""

    visit: Visit
    review: Review

    @property
    def desk(self) -> Desk:
        return self.visit.desk

    @property
    def me(self) -> str:
        return self.visit.name


class SignIn(Exception):
    """Nobody is signed in, or the session has ended."""


def desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


def cookie(request: Request) -> str:
    """The name of the session cookie; over https one that no other host or path can set."""
    return "__Host-livereview" if request.url.scheme == "https" else "livereview"


def visit(request: Request) -> Visit:
    """Who asks, by session or by a program's token; raises SignIn where nobody does."""
    here, secret = desk(request), request.cookies.get(cookie(request), "")
    given = request.headers.get("authorization", "")
    if given.startswith(f"Bearer {BEGINS}"):
        return _program(request, here, given.removeprefix("Bearer "))
    with here.store.read() as con:
        account = accounts.by_session(con, secret, here.clock()) if secret else None
    if account is None:
        raise SignIn
    return Visit(here, account, secret)


def _program(request: Request, here: Desk, secret: str) -> Visit:
    """The visit of a program, within the scopes of its token."""
    with here.store.read() as con:
        found = accounts.by_token(con, secret)
    if found is None:
        raise HTTPException(401, "This token is not good any more; make another with livereview token.")
    account, token = found
    if request.method not in ("GET", "HEAD") and "write" not in token.scopes:
        raise HTTPException(403, "This token may read only; make one with --scope write.")
    return Visit(here, account, secret, token)


Visitor = Annotated[Visit, Depends(visit)]


def room(visit: Visitor, review: str) -> Room:
    """The review of the address; 404 where there is none of this name."""
    with visit.desk.store.read() as con:
        text = searches.protocol_text(con, review) if re.fullmatch(r"[a-z0-9-]{1,64}", review) else None
    if text is None or not visit.enters(review):
        raise HTTPException(404, "There is no review of this name here.")
    return Room(visit, surveil.parsed(text))


Here = Annotated[Room, Depends(room)]


def public() -> None:
    """Anybody."""


def owner(request: Request) -> None:
    """Flows and command lines of this machine, by the owner's token."""
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {desk(request).token}".encode()):
        raise HTTPException(401, "this needs the owner's token: Authorization: Bearer …")


def signed_in(visit: Visitor) -> None:
    """Every account."""


def lead(visit: Visitor) -> None:
    """Leads."""
    _only(visit, ("lead",))


def screener(visit: Visitor) -> None:
    """Those who vote."""
    _only(visit, ("lead", "reviewer"))


def member(visit: Visitor) -> None:
    """Everyone who works on a review."""
    _only(visit, ("lead", "reviewer", "adjudicator"))


def adjudicator(room: Here) -> None:
    """Those who settle conflicts: leads, adjudicators, and reviewers whom review.toml names."""
    if not may_adjudicate(room):
        _only(room.visit, ("lead", "adjudicator"))


def may_adjudicate(room: Room) -> bool:
    """Whether conflicts are shown to this person; who may settle one is the rules' to say."""
    role = room.visit.account.role
    return role in ("lead", "adjudicator") or (role == "reviewer" and room.me in room.review.screening.adjudicators)


def _only(visit: Visit, roles: tuple[str, ...]) -> None:
    if visit.account.role in roles:
        return
    with visit.desk.store.read() as con:
        leads = [one.name for one in accounts.names(con) if one.role == "lead" and one.covers(visit.account)]
    ask = f" Ask {' or '.join(leads)}." if leads else ""
    raise HTTPException(403, f"This page is for {_words(roles)}; you are a {visit.account.role}.{ask}")


def _words(roles: tuple[str, ...]) -> str:
    *first, last = [f"{role}s" for role in roles]
    return f"{', '.join(first)} and {last}" if first else last


def form_token(visit: Visitor, csrf: Annotated[str, Form()] = "") -> None:
    """Refuse a form that was not made for this session. A token comes from no browser, so no page can borrow it."""
    if visit.token:
        return
    if not hmac.compare_digest(csrf.encode(), visit.csrf.encode()):
        raise HTTPException(403, "This form was not made for your session. Go back, reload the page and try again.")


def form_id(form: Annotated[str, Form()]) -> str:
    """The id that a page gave its form: sent twice, it is the same event."""
    if not re.fullmatch(r"[0-9a-f]{32}", form):
        raise HTTPException(422, "This form has no id. Go back, reload the page and try again.")
    return form


def recorded(con: Connection, room: Room, record: str) -> None:
    """404 unless the review found this record."""
    if not records.in_review(con, room.review.id, record):
        raise HTTPException(404, "There is no such record in this review.")
