"""Who may do what, as a table: every route and every operation, by every kind of visitor.

A route or an operation that is new and has no row here fails, and so does a row whose route is
gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from livereview.commands import BY_OPERATION
from livereview.ops import surveil, team
from livereview.store.accounts import BEGINS
from livereview.store.open import Store
from livereview.web import guard
from livereview.web.guard import NO_REVIEW
from tests.conftest import NOW, REVIEW, Browser, TestClient, secret_of

OTHER = "other-review"
OWNER = "owner-token"
# The columns. Answers: y let in · n 403 · - 404 · s asked to sign in · u 401.
#
#   sessions            a lead's tokens, one scope each            others
#   nobody              read                    all six            token of every scope, of another review only
#    | reader           | screen                |                  | token of a closed account, open again since
#    | | adjudicator    | | extract             |                  | | the owner's own token
#    | | | reviewer     | | | manage            |                  | | | session that may enter another review only
#    | | | | lead       | | | | flows  monitor  |                  | | | |
COLUMNS = (
    *("nobody", "reader", "adjudicator", "reviewer", "lead"),
    *("read", "screen", "extract", "manage", "flows", "monitor", "all"),
    *("other", "closed", "owner", "outsider"),
)
#                   sessions   lead's tokens  others
OPEN_TO_ALL     = "y y y y y   y y y y y y y   y y y y"  # fmt: skip
ONE_S_OWN       = "s y y y y   y n n n n n y   y u s y"  # fmt: skip
OWN_SECRET      = "s y y y y   n n n n n n n   n u s y"  # fmt: skip
LEAD_READS      = "s n n n y   y n n n n n y   - u s -"  # fmt: skip
VOTER_READS     = "s n n y y   y n n n n n y   - u s -"  # fmt: skip
MEMBER_READS    = "s n y y y   y n n n n n y   - u s -"  # fmt: skip
SETTLER_READS   = "s n y n y   y n n n n n y   - u s -"  # fmt: skip
VOTER_SCREENS   = "s n n y y   n y n n n n y   - u s -"  # fmt: skip
MEMBER_SCREENS  = "s n y y y   n y n n n n y   - u s -"  # fmt: skip
SETTLER_SCREENS = "s n y n y   n y n n n n y   - u s -"  # fmt: skip
VOTER_EXTRACTS  = "s n n y y   n n y n n n y   - u s -"  # fmt: skip
LEAD_MANAGES    = "s n n n y   n n n y n n y   - u s -"  # fmt: skip
LEAD_OF_ALL     = "s n n n y   n n n y n n y   n u s n"  # fmt: skip
LEAD_IMPORTS    = "s n n n y   n n n n n n y   - u s -"  # fmt: skip
# At the door: sessions never; what is named there is judged by the second table.
DOOR            = "u u u u u   n n n n y n y   - u y u"  # fmt: skip

MONITOR         = "u u u u u   n n n n n y y   - u y u"  # fmt: skip

# The API: who is not known is asked for a token, and a session changes nothing.
API_OWN         = "u y y y y   y n n n n n y   y u u y"  # fmt: skip
API_LEAD        = "u n n n y   y n n n n n y   - u u -"  # fmt: skip
API_VOTER       = "u n n y y   y n n n n n y   - u u -"  # fmt: skip
API_MEMBER      = "u n y y y   y n n n n n y   - u u -"  # fmt: skip
API_SETTLER     = "u n y n y   y n n n n n y   - u u -"  # fmt: skip
API_QUEUE       = "u n n y y   n y n n n n y   - u u -"  # fmt: skip
API_SCREENS     = "u n n n n   n y n n n n y   - u u -"  # fmt: skip
API_EXTRACTS    = "u n n n n   n n y n n n y   - u u -"  # fmt: skip
API_MANAGES     = "u n n n n   n n n y n n y   - u u -"  # fmt: skip
V1 = "/api/v1/reviews/{review}"

ROUTES = {
    "GET /api/v1/openapi.json": OPEN_TO_ALL,
    "GET /api/v1/me": API_OWN,
    "GET /api/v1/reviews": API_OWN,
    f"GET {V1}": API_MEMBER,
    f"GET {V1}/status": API_LEAD,
    f"GET {V1}/attempts": API_LEAD,
    f"POST {V1}/imports": API_MANAGES,
    f"GET {V1}/reports": API_LEAD,
    f"GET {V1}/reports/{{record}}": API_MEMBER,
    f"GET {V1}/queue/{{stage}}": API_QUEUE,
    f"POST {V1}/decisions": API_SCREENS,
    f"GET {V1}/conflicts": API_SETTLER,
    f"POST {V1}/conflicts": API_SCREENS,
    f"GET {V1}/duplicates": API_MEMBER,
    f"POST {V1}/duplicates": API_SCREENS,
    f"GET {V1}/studies": API_VOTER,
    f"GET {V1}/studies/{{study}}": API_VOTER,
    f"POST {V1}/extractions": API_EXTRACTS,
    f"POST {V1}/ratings": API_EXTRACTS,
    f"GET {V1}/versions": API_MEMBER,
    f"GET {V1}/summary": API_MEMBER,
    f"GET {V1}/held": API_LEAD,
    f"POST {V1}/signatures": API_MANAGES,
    f"POST {V1}/opening": API_MANAGES,
    f"GET {V1}/tasks": API_LEAD,
    f"POST {V1}/tasks/{{task}}": API_MANAGES,
    f"GET {V1}/acts": API_LEAD,
    f"POST {V1}/acts/preview": API_MANAGES,
    f"POST {V1}/acts": API_MANAGES,
    f"POST {V1}/acts/{{act}}/undo": API_MANAGES,
    "GET /healthz": OPEN_TO_ALL,
    "GET /readyz": OPEN_TO_ALL,
    "GET /metrics": MONITOR,
    "GET /site": OPEN_TO_ALL,
    "GET /site/{path:path}": OPEN_TO_ALL,
    "GET /static/{name:path}": OPEN_TO_ALL,
    "GET /oembed": OPEN_TO_ALL,
    "POST /api/ops/{name}": DOOR,
    "GET /suggest/{review}": OPEN_TO_ALL,
    "POST /suggest/{review}": OPEN_TO_ALL,
    "GET /comment/{review}": OPEN_TO_ALL,
    "POST /comment/{review}": OPEN_TO_ALL,
    "GET /comment/{review}/{token}": OPEN_TO_ALL,
    "POST /comment/{review}/{token}": OPEN_TO_ALL,
    "GET /sign-in": OPEN_TO_ALL,
    "POST /sign-in": "u u u u u   u u u u u u u   u u u u",  # the secret that was sent is wrong
    "POST /sign-in/own": OPEN_TO_ALL,
    "GET /invite/{secret}": OPEN_TO_ALL,
    "GET /first/{token}": OPEN_TO_ALL,
    "POST /first/{token}": OPEN_TO_ALL,
    "GET /account": ONE_S_OWN,
    "POST /account": OWN_SECRET,
    "POST /account/secret": OWN_SECRET,
    "GET /sign-in/oidc": OPEN_TO_ALL,
    "GET /sign-in/oidc/back": OPEN_TO_ALL,
    "POST /sign-out": ONE_S_OWN,
    "GET /": ONE_S_OWN,
    "GET /new": LEAD_OF_ALL,
    "POST /new": LEAD_OF_ALL,
    "GET /new/{draft}/check": LEAD_OF_ALL,
    "POST /new/{draft}/check": LEAD_OF_ALL,
    "GET /new/{draft}/try/{trial}": LEAD_OF_ALL,
    "GET /new/{draft}/{step}": LEAD_OF_ALL,
    "POST /new/{draft}/{step}": LEAD_OF_ALL,
    "GET /r/{review}": LEAD_READS,
    "GET /r/{review}/protocol": LEAD_READS,
    "POST /r/{review}/protocol": LEAD_MANAGES,
    "GET /r/{review}/protocol/compare": LEAD_READS,
    "GET /r/{review}/protocol/edit/{step}": LEAD_MANAGES,
    "POST /r/{review}/protocol/edit/{step}": LEAD_MANAGES,
    "GET /r/{review}/protocol/try/{trial}": LEAD_MANAGES,
    "GET /r/{review}/protocol/check": LEAD_MANAGES,
    "POST /r/{review}/protocol/check": LEAD_MANAGES,
    "GET /r/{review}/searches": LEAD_READS,
    "POST /r/{review}/searches": LEAD_MANAGES,
    "GET /r/{review}/ledger": LEAD_READS,
    "GET /r/{review}/ledger.json": LEAD_READS,
    "GET /r/{review}/curve.{kind}": LEAD_READS,
    "GET /r/{review}/why/{record}": LEAD_READS,
    "GET /r/{review}/assistant": LEAD_READS,
    "POST /r/{review}/second-look": LEAD_MANAGES,
    "POST /r/{review}/open": LEAD_MANAGES,
    "POST /r/{review}/sign-off": LEAD_MANAGES,
    "POST /r/{review}/withdraw": LEAD_MANAGES,
    "POST /r/{review}/reading": LEAD_MANAGES,
    "POST /r/{review}/tasks": LEAD_MANAGES,
    "GET /r/{review}/act": MEMBER_READS,
    "POST /r/{review}/act/do": LEAD_MANAGES,
    "POST /r/{review}/ask": MEMBER_SCREENS,
    "POST /r/{review}/ask/forget": MEMBER_SCREENS,
    "GET /r/{review}/acts": LEAD_READS,
    "POST /r/{review}/acts/undo": LEAD_MANAGES,
    "POST /r/{review}/acts/decline": LEAD_MANAGES,
    "GET /r/{review}/team": LEAD_READS,
    "GET /r/{review}/team/secret": LEAD_MANAGES,
    "POST /r/{review}/team": LEAD_MANAGES,
    "POST /r/{review}/team/again": LEAD_MANAGES,
    "POST /r/{review}/team/calibrate": LEAD_MANAGES,
    "POST /r/{review}/team/screening": LEAD_MANAGES,
    "GET /r/{review}/consultation": LEAD_READS,
    "POST /r/{review}/consultation": LEAD_MANAGES,
    "POST /r/{review}/consultation/invite": LEAD_MANAGES,
    "POST /r/{review}/consultation/comment": LEAD_MANAGES,
    "GET /r/{review}/files": LEAD_READS,
    "POST /r/{review}/import": LEAD_IMPORTS,
    "POST /r/{review}/bring": LEAD_MANAGES,
    "GET /r/{review}/bring/{id}": LEAD_READS,
    "POST /r/{review}/bring/{id}": LEAD_MANAGES,
    "GET /r/{review}/bring/{id}/rejects/{number}": LEAD_READS,
    "GET /r/{review}/export/{kind}": LEAD_READS,
    "GET /r/{review}/records": MEMBER_READS,
    "GET /r/{review}/records/{record}": MEMBER_READS,
    "POST /r/{review}/records/{record}/codes": VOTER_EXTRACTS,
    "POST /r/{review}/records": MEMBER_SCREENS,
    "POST /r/{review}/views": MEMBER_SCREENS,
    "GET /r/{review}/tags": MEMBER_READS,
    "POST /r/{review}/tags": MEMBER_SCREENS,
    "GET /r/{review}/evidence": VOTER_READS,
    "POST /r/{review}/evidence/group": VOTER_EXTRACTS,
    "POST /r/{review}/evidence/rate": VOTER_EXTRACTS,
    "POST /r/{review}/evidence/confidence": VOTER_EXTRACTS,
    "GET /r/{review}/evidence/{study}": VOTER_READS,
    "GET /r/{review}/evidence/{study}/without": VOTER_READS,
    "POST /r/{review}/evidence/{study}/check": VOTER_EXTRACTS,
    "GET /r/{review}/evidence/{study}/consensus": VOTER_EXTRACTS,
    "POST /r/{review}/evidence/{study}/consensus": VOTER_EXTRACTS,
    "POST /r/{review}/evidence/{study}": VOTER_EXTRACTS,
    "POST /r/{review}/evidence/{study}/draft": VOTER_EXTRACTS,
    "GET /r/{review}/screen/{stage}": VOTER_SCREENS,
    "POST /r/{review}/decide": VOTER_SCREENS,
    "POST /r/{review}/full-text": MEMBER_SCREENS,
    "GET /r/{review}/arrived/{form}": MEMBER_READS,
    "GET /r/{review}/full-text/{sha256}": MEMBER_READS,
    "POST /r/{review}/full-text/{sha256}": MEMBER_SCREENS,
    "GET /r/{review}/full-text/{sha256}/copy": MEMBER_READS,
    "GET /r/{review}/full-text/{sha256}/view": MEMBER_READS,
    "GET /r/{review}/full-text/{sha256}/find": MEMBER_READS,
    "GET /r/{review}/retrieval": MEMBER_READS,
    "POST /r/{review}/retrieval": MEMBER_SCREENS,
    "POST /r/{review}/retrieval/files": MEMBER_SCREENS,
    "POST /r/{review}/retrieval/settle": LEAD_MANAGES,
    "POST /r/{review}/undo": MEMBER_SCREENS,
    "GET /r/{review}/history": MEMBER_READS,
    "GET /r/{review}/conflicts": SETTLER_READS,
    "POST /r/{review}/conflicts": SETTLER_SCREENS,
    "GET /r/{review}/retirement": MEMBER_READS,
    "POST /r/{review}/retirement": MEMBER_SCREENS,
    "POST /r/{review}/retirement/vote": MEMBER_SCREENS,
    "POST /r/{review}/retirement/close": LEAD_MANAGES,
    "GET /r/{review}/duplicates": MEMBER_READS,
    "POST /r/{review}/duplicates": MEMBER_SCREENS,
}
# Operations by name, with the review among the arguments; what is not named here is the owner's
# alone.
OWNER_ONLY      = "u u u u u   n n n n n n n   n u y u"  # fmt: skip
NIGHTS = DOOR
MANAGED         = "u u u u u   n n n y n n y   - u y u"  # fmt: skip
BY_NIGHTS = """protocol begin ingest finish due begin_lookup checked open_copies_wanted take_open_copy publish
    assistant_questions take_assistant_answer
    settle_outbox status ledger digests due_webhooks note_delivery renew lose_night note_night end_run sign_of_life
    readiness note_digests may_begin schedule"""
BY_THE_OWNER = """import_file settle_task settle_tip decide take_decision judge explain find_record rerank why
    stop_reading read_on draw_audit retirement propose_retirement vote_retirement close_retirement extract code rate
    group preview without read_sheet open_review sign_off as_of withdraw take_back add_account close_account add_token
    revoke_token tokens backup follow rebuild preview_act act take_back_act acts ask_for_act decline_act"""
OPERATIONS = {
    **dict.fromkeys(BY_NIGHTS.split(), NIGHTS),
    **dict.fromkeys(BY_THE_OWNER.split(), OWNER_ONLY),
    "register": MANAGED,
}


def cells(row: str) -> dict[str, str]:
    return dict(zip(COLUMNS, row.split(), strict=True))


class Visitors:
    """A client for each column, made when it is asked for.

    A session that was ended is begun again.
    """

    def __init__(self, app: FastAPI, store: Store):
        self.app, self.store = app, store
        for role in ("reader", "adjudicator", "reviewer", "lead"):
            self.account(role, role)
        self.account("outsider", "lead", reviews=[OTHER])
        self.account("gone", "lead")
        self.secrets = {
            scope: self.token(scope)
            for scope in ("read", "screen", "extract", "manage", "flows", "monitor")
        }
        everything = tuple(self.secrets)
        self.secrets["all"] = self.token(*everything)
        self.secrets["other"] = self.token(*everything, review=OTHER)
        self.secrets["closed"] = self.token(*everything, account="gone")
        team.close_account(store, name="gone", now=NOW)
        self.account("gone", "lead")
        self.secrets["owner"] = OWNER

    def account(self, name: str, role: str, **more: Any) -> None:
        team.add_account(self.store, name=name, role=role, secret=secret_of(name), now=NOW, **more)

    def token(self, *scopes: str, account: str = "lead", review: str | None = None) -> str:
        secret = f"{BEGINS}{account}-{review}-{'-'.join(scopes)}-{'t' * 30}"
        asked: dict[str, Any] = {"label": "x", "secret": secret, "by": "test", "now": NOW}
        team.add_token(self.store, account=account, scopes=scopes, review=review, **asked)
        return secret

    def client(self, column: str) -> tuple[TestClient, dict[str, str]]:
        """(the client, the form token that its forms carry)"""
        if column in self.secrets:
            headers = {"Authorization": f"Bearer {self.secrets[column]}"}
            return TestClient(self.app, headers=headers, follow_redirects=False), {}
        if column == "nobody":
            return TestClient(self.app, follow_redirects=False), {}
        http = Browser(self.app, secret_of(column)).http
        http.follow_redirects = False
        visit = guard.RequestUser(self.app.state.shared, None, http.cookies["livereview"])  # type: ignore[arg-type]
        return http, {"csrf": visit.csrf}


@pytest.fixture
def visitors(app: FastAPI, reviewed: Store, protocol: str) -> Visitors:
    surveil.register(reviewed, text=protocol.replace("small-review", OTHER), now=NOW)
    return Visitors(app, reviewed)


def address(path: str) -> str:
    filled = (
        path.replace("{review}", REVIEW)
        .replace("{stage}", "title_abstract")
        .replace("{kind}", "csv")
    )
    return re.sub(r"\{\w+(:path)?\}", "x", filled.replace("/api/ops/{name}", "/api/ops/status"))


def answered(answer: Any, public: bool) -> str:
    """The letter of an answer: only what says who may, whatever else the page has to say."""
    to = answer.headers.get("location", "")
    if answer.status_code == 303 and to.startswith("/sign-in?next="):
        return "s"
    if answer.status_code == 401:
        return "s" if "Your session has ended" in answer.text else "u"
    if answer.status_code == 403:
        return "n"
    hidden = NO_REVIEW in answer.text or "this token opens" in answer.text
    if answer.status_code == 404 and hidden and not public:
        return "-"
    return "y"


def routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    for route in app.routes:
        assert isinstance(route, guard.GuardedRoute), "every route is one that is guarded"
        for method in sorted(route.methods - {"HEAD"}):
            yield f"{method} {route.path}", route


def test_every_route_and_every_operation_has_a_row_and_every_row_is_one(app: FastAPI) -> None:
    assert {name for name, _ in routes(app)} == ROUTES.keys()
    assert BY_OPERATION.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("column", COLUMNS)
def test_each_visitor_may_do_what_the_table_says(
    app: FastAPI, visitors: Visitors, column: str
) -> None:
    wrong = []
    http, form = visitors.client(column)
    for name, route in routes(app):
        method = name.split()[0]
        expected = cells(ROUTES[name])[column]
        public = ROUTES[name] == OPEN_TO_ALL
        for tried in ("GET", "HEAD") if method == "GET" else (method,):
            sent: dict[str, Any] = {"data": form} if method != "GET" else {}
            if route.path == "/api/ops/{name}":
                sent = {"json": {"review": REVIEW}}
            answer = http.request(tried, address(route.path), **sent)
            if tried == "HEAD" and answer.status_code in (404, 200):
                continue  # it has no words; its GET was judged just before
            if (letter := answered(answer, public)) != expected:
                wrong.append(
                    f"{tried} {route.path}: {letter}, not {expected} ({answer.status_code})"
                )
            assert answer.status_code < 500, name
        if route.path == "/sign-out":
            http, form = visitors.client(column)
    assert wrong == []


@pytest.mark.parametrize("column", COLUMNS)
def test_each_visitor_may_run_the_operations_that_the_table_says(
    app: FastAPI, visitors: Visitors, column: str, protocol: str
) -> None:
    http, _ = visitors.client(column)
    wrong = []
    for name in BY_OPERATION:
        arguments = (
            {"text": protocol} if name == "register" else {"review": REVIEW, "not an argument": 1}
        )
        letter = answered(http.post(f"/api/ops/{name}", json=arguments), public=False)
        if letter != cells(OPERATIONS[name])[column]:
            wrong.append(f"{name}: {letter}, not {cells(OPERATIONS[name])[column]}")
    assert wrong == []


def test_other_methods_do_nothing_for_anybody(app: FastAPI, visitors: Visitors) -> None:
    http, form = visitors.client("lead")
    methods = {route.path: set[str]() for _, route in routes(app)}
    for _, route in routes(app):
        methods[route.path] |= route.methods
    for path, known in methods.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - known:
            answer = http.request(method, address(path), data=form)
            assert answer.status_code in (404, 405), (method, path)
