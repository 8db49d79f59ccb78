"""The owner's web app: the table of its routes, who may use each, and what happens on an error."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from livereview import ops, rights
from livereview.disk import is_full
from livereview.errors import DiskFull, LivereviewError, Retry
from livereview.ops.refusals import Outdated, Stale
from livereview.rights import Act
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.web import (
    account,
    acts,
    api,
    assistant,
    bodies,
    bring,
    coding,
    confidence,
    conflicts,
    consensus,
    consultation,
    drafts,
    duplicates,
    evidence,
    exchange,
    extraction_check,
    first,
    full_text,
    guard,
    home,
    lead,
    metrics,
    oembed,
    oidc,
    pages,
    protocol,
    public,
    record_acts,
    record_page,
    record_table,
    retirement,
    retrieval,
    screen,
    searches,
    security_headers,
    sign_in,
    suggest,
    team,
    traced,
    undo,
)
from livereview.web.leases import Journal, Leases
from livereview.web.v1 import manners
from livereview.web.v1 import routes as v1

log = logging.getLogger(__name__)
METRICS = "/metrics"


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One route: its method, path, function, and the act that it is: who may do it is `rights`' to
    say.

    Attributes:
        largest: Bytes of a body that are received, and only once whoever asks was let in.
        long: It computes for seconds where a review is large: it waits in a line, and on no thread
            of others.
    """

    method: str
    path: str
    page: Callable[..., Any]
    act: Act
    largest: int = bodies.FORM
    long: bool = False


ROUTES = (
    PageRoute("GET", "/healthz", public.health, rights.OPEN_TO_ALL),
    PageRoute("GET", "/readyz", public.ready, rights.OPEN_TO_ALL),
    PageRoute("GET", METRICS, metrics.page, rights.READ_METRICS),
    PageRoute("GET", "/site", public.door, rights.OPEN_TO_ALL),
    PageRoute("GET", "/site/{path:path}", public.site, rights.OPEN_TO_ALL),
    PageRoute("GET", "/static/{name:path}", public.static, rights.OPEN_TO_ALL),
    PageRoute("GET", "/oembed", oembed.answer, rights.OPEN_TO_ALL),
    PageRoute("POST", "/api/ops/{name}", api.run, rights.DOOR_FOR_PROGRAMS, bodies.PAGE),
    PageRoute("GET", "/suggest/{review}", suggest.page, rights.OPEN_TO_ALL),
    PageRoute("POST", "/suggest/{review}", suggest.send, rights.OPEN_TO_ALL, bodies.PUBLIC_FORM),
    PageRoute("GET", "/comment/{review}", consultation.page, rights.OPEN_TO_ALL),
    PageRoute(
        "POST", "/comment/{review}", consultation.send, rights.OPEN_TO_ALL, bodies.PUBLIC_FORM
    ),
    PageRoute("GET", "/comment/{review}/{token}", consultation.panel_page, rights.OPEN_TO_ALL),
    PageRoute(
        "POST",
        "/comment/{review}/{token}",
        consultation.panel_send,
        rights.OPEN_TO_ALL,
        bodies.PUBLIC_FORM,
    ),
    PageRoute("GET", "/sign-in", sign_in.page, rights.OPEN_TO_ALL),
    PageRoute("POST", "/sign-in", sign_in.enter, rights.OPEN_TO_ALL, bodies.SECRET),
    PageRoute("POST", "/sign-in/own", sign_in.take_own, rights.OPEN_TO_ALL, bodies.SECRET),
    PageRoute("GET", "/invite/{secret}", sign_in.invited, rights.OPEN_TO_ALL),
    PageRoute("GET", "/first/{token}", first.page, rights.OPEN_TO_ALL),
    PageRoute("POST", "/first/{token}", first.make, rights.OPEN_TO_ALL, bodies.SECRET),
    PageRoute("GET", "/account", account.page, rights.USE_SESSION),
    PageRoute("POST", "/account", account.renew, rights.USE_SESSION, bodies.SECRET),
    PageRoute("POST", "/account/secret", account.take, rights.USE_SESSION, bodies.SECRET),
    PageRoute("GET", "/sign-in/oidc", oidc.start, rights.OPEN_TO_ALL),
    PageRoute("GET", "/sign-in/oidc/back", oidc.back, rights.OPEN_TO_ALL),
    PageRoute("POST", "/sign-out", sign_in.leave, rights.USE_SESSION),
    PageRoute("GET", "/", home.page, rights.USE_SESSION),
    PageRoute("GET", "/new", protocol.new_page, rights.MAKE_REVIEW),
    PageRoute("POST", "/new", protocol.begin, rights.MAKE_REVIEW, bodies.LONG_FORM),
    PageRoute("GET", "/new/{draft}/check", protocol.new_check, rights.MAKE_REVIEW),
    PageRoute("POST", "/new/{draft}/check", protocol.make, rights.MAKE_REVIEW),
    PageRoute("GET", "/new/{draft}/try/{trial}", protocol.new_trial, rights.MAKE_REVIEW),
    PageRoute("GET", "/new/{draft}/{step}", protocol.new_step, rights.MAKE_REVIEW),
    PageRoute(
        "POST", "/new/{draft}/{step}", protocol.new_save, rights.MAKE_REVIEW, bodies.LONG_FORM
    ),
    PageRoute("GET", "/r/{review}", lead.page, rights.SEE_AS_LEAD),
    PageRoute("GET", "/r/{review}/protocol", protocol.page, rights.SEE_AS_LEAD),
    PageRoute("POST", "/r/{review}/protocol", protocol.begin_change, rights.MANAGE),
    PageRoute("GET", "/r/{review}/protocol/compare", protocol.compare, rights.SEE_AS_LEAD),
    PageRoute("GET", "/r/{review}/protocol/edit/{step}", protocol.step, rights.MANAGE),
    PageRoute(
        "POST",
        "/r/{review}/protocol/edit/{step}",
        protocol.save,
        rights.MANAGE,
        bodies.LONG_FORM,
    ),
    PageRoute("GET", "/r/{review}/protocol/try/{trial}", protocol.trial, rights.MANAGE),
    PageRoute("GET", "/r/{review}/protocol/check", protocol.check, rights.MANAGE, long=True),
    PageRoute(
        "POST", "/r/{review}/protocol/check", protocol.put_in_force, rights.MANAGE, long=True
    ),
    PageRoute("GET", "/r/{review}/searches", searches.page, rights.SEE_AS_LEAD),
    PageRoute("POST", "/r/{review}/searches", searches.act, rights.MANAGE),
    PageRoute("GET", "/r/{review}/ledger", lead.ledger, rights.SEE_AS_LEAD),
    PageRoute("GET", "/r/{review}/ledger.json", lead.ledger_json, rights.SEE_AS_LEAD, long=True),
    PageRoute("GET", "/r/{review}/curve.{kind}", lead.curve, rights.SEE_AS_LEAD, long=True),
    PageRoute("GET", "/r/{review}/why/{record}", lead.why, rights.SEE_AS_LEAD),
    PageRoute("GET", "/r/{review}/assistant", assistant.page, rights.SEE_AS_LEAD, long=True),
    PageRoute("POST", "/r/{review}/second-look", lead.again, rights.MANAGE),
    PageRoute("POST", "/r/{review}/sign-off", lead.sign_off, rights.MANAGE),
    PageRoute("POST", "/r/{review}/open", lead.open_review, rights.MANAGE),
    PageRoute("POST", "/r/{review}/withdraw", lead.withdraw, rights.MANAGE),
    PageRoute("POST", "/r/{review}/reading", lead.reading, rights.MANAGE),
    PageRoute("POST", "/r/{review}/tasks", lead.settle, rights.MANAGE),
    PageRoute("GET", "/r/{review}/act", acts.page, rights.SEE_AS_MEMBER, long=True),
    PageRoute("POST", "/r/{review}/act/do", acts.do, rights.MANAGE, long=True),
    PageRoute("POST", "/r/{review}/ask", acts.ask, rights.TAKE_PART),
    PageRoute("POST", "/r/{review}/ask/forget", acts.forget, rights.TAKE_PART),
    PageRoute("GET", "/r/{review}/acts", acts.log, rights.SEE_AS_LEAD),
    PageRoute("POST", "/r/{review}/acts/undo", acts.take_back, rights.MANAGE),
    PageRoute("POST", "/r/{review}/acts/decline", acts.decline, rights.MANAGE),
    PageRoute("GET", "/r/{review}/team", team.page, rights.SEE_AS_LEAD),
    PageRoute("GET", "/r/{review}/team/secret", acts.secret, rights.MANAGE),
    PageRoute("POST", "/r/{review}/team", team.change, rights.MANAGE),
    PageRoute("POST", "/r/{review}/team/screening", team.screening, rights.MANAGE),
    PageRoute("POST", "/r/{review}/team/again", team.again, rights.MANAGE),
    PageRoute("POST", "/r/{review}/team/calibrate", team.calibrate, rights.MANAGE),
    PageRoute("GET", "/r/{review}/consultation", consultation.lead_page, rights.SEE_AS_LEAD),
    PageRoute("POST", "/r/{review}/consultation", consultation.change, rights.MANAGE),
    PageRoute("POST", "/r/{review}/consultation/invite", consultation.invite, rights.MANAGE),
    PageRoute("POST", "/r/{review}/consultation/comment", consultation.settle, rights.MANAGE),
    PageRoute("GET", "/r/{review}/files", exchange.page, rights.SEE_AS_LEAD),
    PageRoute(
        "POST", "/r/{review}/import", exchange.take, rights.IMPORT_DECISIONS, bodies.FILE, long=True
    ),
    PageRoute("POST", "/r/{review}/bring", bring.bring, rights.MANAGE, bodies.EXPORTS, long=True),
    PageRoute("GET", "/r/{review}/bring/{id}", bring.page, rights.SEE_AS_LEAD),
    PageRoute("POST", "/r/{review}/bring/{id}", bring.act, rights.MANAGE, long=True),
    PageRoute("GET", "/r/{review}/bring/{id}/rejects/{number}", bring.rejects, rights.SEE_AS_LEAD),
    PageRoute("GET", "/r/{review}/export/{kind}", exchange.export, rights.SEE_AS_LEAD, long=True),
    PageRoute("GET", "/r/{review}/records", record_table.page, rights.SEE_AS_MEMBER),
    PageRoute(
        "POST",
        "/r/{review}/records",
        record_acts.act,
        rights.TAKE_PART,
        bodies.LONG_FORM,
        long=True,
    ),
    PageRoute("POST", "/r/{review}/views", record_acts.keep_view, rights.TAKE_PART),
    PageRoute("GET", "/r/{review}/tags", record_acts.tags_page, rights.SEE_AS_MEMBER),
    PageRoute("POST", "/r/{review}/tags", record_acts.change_tag, rights.TAKE_PART),
    PageRoute("GET", "/r/{review}/records/{record}", record_page.page, rights.SEE_AS_MEMBER),
    PageRoute("POST", "/r/{review}/records/{record}/codes", coding.save, rights.EXTRACT),
    PageRoute("GET", "/r/{review}/evidence", evidence.page, rights.SEE_AS_VOTER),
    PageRoute("POST", "/r/{review}/evidence/group", evidence.group, rights.EXTRACT),
    PageRoute("POST", "/r/{review}/evidence/rate", evidence.rate, rights.EXTRACT),
    PageRoute("POST", "/r/{review}/evidence/confidence", confidence.rate, rights.EXTRACT),
    PageRoute("GET", "/r/{review}/evidence/{study}", evidence.form, rights.SEE_AS_VOTER),
    PageRoute("GET", "/r/{review}/evidence/{study}/without", evidence.without, rights.SEE_AS_VOTER),
    PageRoute("POST", "/r/{review}/evidence/{study}/check", extraction_check.check, rights.EXTRACT),
    PageRoute("GET", "/r/{review}/evidence/{study}/consensus", consensus.page, rights.EXTRACT),
    PageRoute(
        "POST",
        "/r/{review}/evidence/{study}/consensus",
        consensus.settle,
        rights.EXTRACT,
        bodies.LONG_FORM,
    ),
    PageRoute(
        "POST", "/r/{review}/evidence/{study}", evidence.save, rights.EXTRACT, bodies.LONG_FORM
    ),
    PageRoute(
        "POST",
        "/r/{review}/evidence/{study}/draft",
        drafts.change,
        rights.EXTRACT,
        bodies.LONG_FORM,
    ),
    PageRoute("GET", "/r/{review}/screen/{stage}", screen.page, rights.SCREEN),
    PageRoute("POST", "/r/{review}/decide", screen.decide, rights.SCREEN),
    PageRoute("POST", "/r/{review}/full-text", full_text.add, rights.TAKE_PART, bodies.FILE),
    PageRoute("GET", "/r/{review}/arrived/{form}", screen.arrived, rights.SEE_AS_MEMBER),
    PageRoute("GET", "/r/{review}/full-text/{sha256}", full_text.read, rights.SEE_AS_MEMBER),
    PageRoute("POST", "/r/{review}/full-text/{sha256}", full_text.say, rights.TAKE_PART),
    PageRoute(
        "GET",
        "/r/{review}/full-text/{sha256}/copy",
        full_text.copy,
        rights.SEE_AS_MEMBER,
        long=True,
    ),
    PageRoute(
        "GET",
        "/r/{review}/full-text/{sha256}/view",
        full_text.view,
        rights.SEE_AS_MEMBER,
        long=True,
    ),
    PageRoute(
        "GET",
        "/r/{review}/full-text/{sha256}/find",
        full_text.find,
        rights.SEE_AS_MEMBER,
        long=True,
    ),
    PageRoute("GET", "/r/{review}/retrieval", retrieval.page, rights.SEE_AS_MEMBER),
    PageRoute("POST", "/r/{review}/retrieval", retrieval.act, rights.TAKE_PART),
    PageRoute(
        "POST",
        "/r/{review}/retrieval/files",
        retrieval.take_files,
        rights.TAKE_PART,
        bodies.FILES,
        long=True,
    ),
    PageRoute("POST", "/r/{review}/retrieval/settle", retrieval.settle, rights.MANAGE),
    PageRoute("POST", "/r/{review}/undo", undo.undo, rights.TAKE_PART),
    PageRoute("GET", "/r/{review}/history", undo.history, rights.SEE_AS_MEMBER),
    PageRoute("GET", "/r/{review}/conflicts", conflicts.page, rights.SEE_CONFLICTS),
    PageRoute("POST", "/r/{review}/conflicts", conflicts.settle, rights.SETTLE_CONFLICTS),
    PageRoute("GET", "/r/{review}/retirement", retirement.page, rights.SEE_AS_MEMBER),
    PageRoute("POST", "/r/{review}/retirement", retirement.propose, rights.TAKE_PART),
    PageRoute("POST", "/r/{review}/retirement/vote", retirement.vote, rights.TAKE_PART),
    PageRoute("POST", "/r/{review}/retirement/close", retirement.close, rights.MANAGE),
    PageRoute("GET", "/r/{review}/duplicates", duplicates.page, rights.SEE_AS_MEMBER),
    PageRoute("POST", "/r/{review}/duplicates", duplicates.judge, rights.TAKE_PART),
)


def create(
    store: Store,
    settings: Settings,
    *,
    token: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The app over a store that this process owns; `token` opens /api to flows and command lines."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    leases = Leases(Journal(store.database.with_suffix(".leases")))
    app.state.shared = guard.AppState(store, settings, token, clock, leases=leases)
    app.state.readiness = ops.readiness.Door(store, settings.site, clock)
    app.state.metrics = metrics.Registry(store, clock)
    app.router.route_class = guard.GuardedRoute
    app.router.routes.extend(_routes())
    app.router.routes.extend(v1.routes())
    app.add_middleware(security_headers.SecurityHeaders)
    app.add_middleware(metrics.Counted, requests=app.state.metrics.requests)
    app.add_middleware(traced.Traced, access_log=settings.access_log)
    app.add_exception_handler(guard.SignIn, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _incomplete)
    app.add_exception_handler(LivereviewError, _refused)
    app.add_exception_handler(OSError, _machine)
    app.add_exception_handler(Exception, _bug)
    return app


@lru_cache(maxsize=1)
def _routes() -> tuple[guard.GuardedRoute, ...]:
    """The routes of ROUTES. They hold nothing of an app, so all apps of a process share them."""
    return tuple(_route(page_route) for page_route in ROUTES)


def add(app: FastAPI, page_route: PageRoute) -> None:
    """One route more, with its guard."""
    app.router.routes.append(_route(page_route))


def _route(page_route: PageRoute) -> guard.GuardedRoute:
    """The route with its guard; a form of somebody who signed in also needs their form token."""
    with_form = page_route.method == "POST" and page_route.act not in (
        rights.OPEN_TO_ALL,
        rights.DOOR_FOR_PROGRAMS,
    )
    needs = [Depends(guard.form_token)] if with_form else []
    methods = ["GET", "HEAD"] if page_route.method == "GET" else [page_route.method]
    page = _in_line(page_route.page) if page_route.long else page_route.page
    route = guard.GuardedRoute(
        page_route.path, page, methods=methods, dependencies=needs, response_model=None
    )
    route.act = page_route.act
    route.largest = page_route.largest
    return route


def _in_line(page: Callable[..., Response]) -> Callable[..., Any]:
    """The page of a review, in its turn among those that take long, on their threads."""

    @functools.wraps(page)
    async def waits(**values: Any) -> Response:
        context: guard.ReviewContext = values["context"]
        return await context.shared.long_tasks.turn(functools.partial(page, **values), context.me)

    return waits


def _answer(request: Request, status: int, message: str) -> Response:
    """The error in the caller's language: JSON for programs, a page for people."""
    if manners.is_api(guard.path_of(request)):
        return manners.problem(status, message)
    if _is_for_programs(request):
        return JSONResponse({"error": message}, status)
    return pages.error(status, message)


def _is_for_programs(request: Request) -> bool:
    """Whether a program asks, which wants JSON and no page."""
    path = guard.path_of(request)
    return path.startswith("/api/") or path == METRICS


def _sign_in(request: Request, error: Exception) -> Response:
    if manners.is_api(guard.path_of(request)):
        return manners.problem(401, "Send a token: Authorization: Bearer …")
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(f"/sign-in?next={quote(guard.place_of(request), safe='/')}", 303)
    message = (
        "Your session has ended and nothing was saved. "
        "Sign in, then go back: what you typed is still in the form."
    )
    return pages.error(401, message, ("/sign-in", "Sign in"))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and is_full(
        error
    ):  # a file that was sent found no room for its parts
        return _disk_full(request)
    if error.status_code == 404 and (elsewhere := _without_slash(request)):
        return RedirectResponse(elsewhere, 307)
    plain = {404: "There is no page at this address.", 405: "This address can't be used that way."}
    said = error.detail not in ("Not Found", "Method Not Allowed")
    return _answer(request, error.status_code, error.detail if said else plain[error.status_code])


def _without_slash(request: Request) -> str | None:
    """The same address without the slash at its end, if there is a page.

    The framework's own redirect would name the host that the request names.
    """
    path = guard.path_of(request)
    if request.method not in ("GET", "HEAD") or not re.fullmatch(r"/[a-z].*[^/]/", path):
        return None
    bare = path.removesuffix("/")
    scope = {**request.scope, "path": bare}
    here = any(route.matches(scope)[0] == Match.FULL for route in request.app.routes)
    if here and request.scope.get("route") is None:
        return quote(bare)
    return None


def _incomplete(request: Request, error: Exception) -> Response:
    if manners.is_api(guard.path_of(request)):
        assert isinstance(error, RequestValidationError)
        return manners.invalid(error.errors())
    return _answer(
        request, 422, "Something is missing in this form. Go back, reload the page and try again."
    )


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LivereviewError)
    if isinstance(error, DiskFull):
        return _disk_full(request)
    if isinstance(error, Retry):
        return _answer(request, 503, error.message)
    came_late = isinstance(error, Stale | Outdated) and manners.is_api(guard.path_of(request))
    return _answer(request, 409 if came_late else 422, error.message)


def _machine(request: Request, error: Exception) -> Response:
    """A full disk is told as that; whatever else the machine refuses is a bug."""
    if is_full(error):
        log.error("the disk is full: %s", error)
        return _disk_full(request)
    raise error


def _disk_full(request: Request) -> Response:
    """What was sent comes back in a form that sends it again, with its id, so that nothing is typed
    or kept twice.
    """
    if _is_for_programs(request):
        return _answer(request, pages.INSUFFICIENT_STORAGE, pages.DISK_FULL)
    read = getattr(request.state, "read", request)
    sent = getattr(read, "_form", None)  # as the route has read it; a body can't be read twice
    if sent:
        fields = [(name, value) for name, value in sent.multi_items() if isinstance(value, str)]
    else:
        fields = []
    secret = any(name == "secret" for name, _ in fields)
    return pages.disk_full(guard.place_of(request), [] if secret else fields)


def _bug(request: Request, error: Exception) -> Response:
    """The log has the trace; the person learns that nothing of theirs was half saved, and by what
    name the log has it.
    """
    number = traced.request_of(request.scope)
    message = (
        "The server made a mistake and saved nothing. Try again; if it stays, tell the lead,"
        f" with this number: {number}."
    )
    answer = _answer(request, 500, message)
    answer.headers[traced.HEADER] = number
    security_headers.set_headers(answer.headers, guard.path_of(request), request.scope["scheme"])
    return answer
