"""The owner's web app: the table of its routes, who may use each, and what happens on an error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from livereview import ops
from livereview.disk import is_full
from livereview.errors import DiskFull, LivereviewError, Retry
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.web import (
    api,
    conflicts,
    consultation,
    duplicates,
    evidence,
    exchange,
    full_text,
    guard,
    home,
    lead,
    oembed,
    oidc,
    pages,
    public,
    retirement,
    screen,
    shield,
    sign_in,
    suggest,
    team,
    undo,
)
from livereview.web.leases import Journal, Leases

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """One route: its method, path, function, and the guard that everybody must pass."""

    method: str
    path: str
    page: Callable[..., Any]
    guard: Callable[..., Any]


WAYS = (
    Way("GET", "/healthz", public.health, guard.public),
    Way("GET", "/readyz", public.ready, guard.public),
    Way("GET", "/site", public.door, guard.public),
    Way("GET", "/site/{path:path}", public.site, guard.public),
    Way("GET", "/static/{name}", public.static, guard.public),
    Way("GET", "/oembed", oembed.answer, guard.public),
    Way("POST", "/api/ops/{name}", api.run, guard.owner),
    Way("GET", "/suggest/{review}", suggest.page, guard.public),
    Way("POST", "/suggest/{review}", suggest.send, guard.public),
    Way("GET", "/comment/{review}", consultation.page, guard.public),
    Way("POST", "/comment/{review}", consultation.send, guard.public),
    Way("GET", "/comment/{review}/{token}", consultation.panel_page, guard.public),
    Way("POST", "/comment/{review}/{token}", consultation.panel_send, guard.public),
    Way("GET", "/sign-in", sign_in.page, guard.public),
    Way("POST", "/sign-in", sign_in.enter, guard.public),
    Way("GET", "/sign-in/oidc", oidc.start, guard.public),
    Way("GET", "/sign-in/oidc/back", oidc.back, guard.public),
    Way("POST", "/sign-out", sign_in.leave, guard.signed_in),
    Way("GET", "/", home.page, guard.signed_in),
    Way("GET", "/r/{review}", lead.page, guard.lead),
    Way("GET", "/r/{review}/ledger", lead.ledger, guard.lead),
    Way("GET", "/r/{review}/ledger.json", lead.ledger_json, guard.lead),
    Way("GET", "/r/{review}/curve.{kind}", lead.curve, guard.lead),
    Way("GET", "/r/{review}/why/{record}", lead.why, guard.lead),
    Way("POST", "/r/{review}/second-look", lead.again, guard.lead),
    Way("POST", "/r/{review}/sign-off", lead.sign_off, guard.lead),
    Way("POST", "/r/{review}/withdraw", lead.withdraw, guard.lead),
    Way("POST", "/r/{review}/reading", lead.reading, guard.lead),
    Way("POST", "/r/{review}/tasks", lead.settle, guard.lead),
    Way("GET", "/r/{review}/team", team.page, guard.lead),
    Way("POST", "/r/{review}/team", team.change, guard.lead),
    Way("POST", "/r/{review}/team/again", team.again, guard.lead),
    Way("POST", "/r/{review}/team/calibrate", team.calibrate, guard.lead),
    Way("GET", "/r/{review}/consultation", consultation.lead_page, guard.lead),
    Way("POST", "/r/{review}/consultation", consultation.change, guard.lead),
    Way("POST", "/r/{review}/consultation/invite", consultation.invite, guard.lead),
    Way("POST", "/r/{review}/consultation/comment", consultation.settle, guard.lead),
    Way("GET", "/r/{review}/files", exchange.page, guard.lead),
    Way("POST", "/r/{review}/import", exchange.take, guard.lead),
    Way("GET", "/r/{review}/export/{kind}", exchange.export, guard.lead),
    Way("GET", "/r/{review}/evidence", evidence.page, guard.screener),
    Way("POST", "/r/{review}/evidence/group", evidence.group, guard.screener),
    Way("POST", "/r/{review}/evidence/rate", evidence.rate, guard.screener),
    Way("GET", "/r/{review}/evidence/{study}", evidence.form, guard.screener),
    Way("GET", "/r/{review}/evidence/{study}/without", evidence.without, guard.screener),
    Way("POST", "/r/{review}/evidence/{study}", evidence.save, guard.screener),
    Way("GET", "/r/{review}/screen/{stage}", screen.page, guard.screener),
    Way("POST", "/r/{review}/decide", screen.decide, guard.screener),
    Way("POST", "/r/{review}/full-text", full_text.add, guard.screener),
    Way("GET", "/r/{review}/full-text/{sha256}", full_text.read, guard.member),
    Way("POST", "/r/{review}/undo", undo.undo, guard.member),
    Way("GET", "/r/{review}/history", undo.history, guard.member),
    Way("GET", "/r/{review}/conflicts", conflicts.page, guard.adjudicator),
    Way("POST", "/r/{review}/conflicts", conflicts.settle, guard.adjudicator),
    Way("GET", "/r/{review}/retirement", retirement.page, guard.member),
    Way("POST", "/r/{review}/retirement", retirement.propose, guard.member),
    Way("POST", "/r/{review}/retirement/vote", retirement.vote, guard.member),
    Way("POST", "/r/{review}/retirement/close", retirement.close, guard.lead),
    Way("GET", "/r/{review}/duplicates", duplicates.page, guard.member),
    Way("POST", "/r/{review}/duplicates", duplicates.judge, guard.member),
)


def create(
    store: Store, settings: Settings, *, token: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> FastAPI:
    """The app over a store that this process owns; `token` opens /api to flows and command lines."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    leases = Leases(Journal(store.database.with_suffix(".leases")))
    app.state.desk = guard.Desk(store, settings, token, clock, leases=leases)
    app.state.readiness = ops.readiness.Door(store, settings.site, clock)
    for way in WAYS:
        needs = [Depends(way.guard)]
        if way.method == "POST" and way.guard not in (guard.public, guard.owner):
            needs.append(Depends(guard.form_token))
        methods = ["GET", "HEAD"] if way.method == "GET" else [way.method]
        app.add_api_route(way.path, way.page, methods=methods, dependencies=needs, response_model=None)
    app.add_middleware(shield.Shield)
    app.add_exception_handler(guard.SignIn, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _incomplete)
    app.add_exception_handler(LivereviewError, _refused)
    app.add_exception_handler(OSError, _machine)
    app.add_exception_handler(Exception, _bug)
    return app


def _answer(request: Request, status: int, message: str) -> Response:
    """The error in the caller's language: JSON for programs, a page for people."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": message}, status)
    return pages.error(status, message)


def _sign_in(request: Request, error: Exception) -> Response:
    if request.method in ("GET", "HEAD"):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/sign-in?next={quote(request.url.path + query, safe='/')}", 303)
    message = (
        "Your session has ended and nothing was saved. Sign in, then go back: what you typed is still in the form."
    )
    return pages.error(401, message, ("/sign-in", "Sign in"))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and is_full(error):  # a file that was sent found no room for its parts
        return _disk_full(request)
    plain = {404: "There is no page at this address.", 405: "This address can't be used that way."}
    said = error.detail not in ("Not Found", "Method Not Allowed")
    return _answer(request, error.status_code, error.detail if said else plain[error.status_code])


def _incomplete(request: Request, error: Exception) -> Response:
    return _answer(request, 422, "Something is missing in this form. Go back, reload the page and try again.")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LivereviewError)
    if isinstance(error, DiskFull):
        return _disk_full(request)
    return _answer(request, 503 if isinstance(error, Retry) else 422, error.message)


def _machine(request: Request, error: Exception) -> Response:
    """A full disk is told as that; whatever else the machine refuses is a bug."""
    if is_full(error):
        log.error("the disk is full: %s", error)
        return _disk_full(request)
    raise error


def _disk_full(request: Request) -> Response:
    """What was sent comes back in a form that sends it again, with its id, so that nothing is typed or kept twice."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": pages.DISK_FULL}, pages.INSUFFICIENT_STORAGE)
    sent = getattr(request, "_form", None)  # as the route has read it; a body can't be read twice
    fields = [(name, value) for name, value in sent.multi_items() if isinstance(value, str)] if sent else []
    secret = any(name == "secret" for name, _ in fields)
    query = f"?{request.url.query}" if request.url.query else ""
    return pages.disk_full(request.url.path + query, [] if secret else fields)


def _bug(request: Request, error: Exception) -> Response:
    """The log has the trace; the person learns that nothing of theirs was half saved."""
    answer = _answer(
        request, 500, "The server made a mistake and saved nothing. Try again; if it stays, tell the lead."
    )
    shield.put_on(answer.headers, request.url.path, request.url.scheme)
    return answer
