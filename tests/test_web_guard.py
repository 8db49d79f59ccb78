from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from livereview import rights
from livereview.ops.team import add_account, close_account
from livereview.settings import Settings
from livereview.store import accounts
from livereview.store.open import Store
from livereview.web import guard, sign_in
from livereview.web.app import ROUTES, PageRoute, add, create
from livereview.web.security_headers import PRIVATE
from livereview.web.v1 import manners
from livereview.web.v1 import routes as v1
from tests.conftest import NOW, REVIEW, Browser, TestClient, article, found, secret_of

People = Callable[..., Browser]
OPEN = {
    "/healthz",
    "/readyz",
    "/oembed",
    "/site",
    "/site/{path:path}",
    "/static/{name:path}",
    "/sign-in",
    "/sign-in/own",
    "/first/{token}",
    "/invite/{secret}",
    "/suggest/{review}",
} | {
    "/api/v1/openapi.json",
    "/comment/{review}",
    "/comment/{review}/{token}",
    "/sign-in/oidc",
    "/sign-in/oidc/back",
}


def address(path: str) -> str:
    return path.replace("{review}", REVIEW).replace("{stage}", "title_abstract")


def routes(app: FastAPI) -> list[APIRoute]:
    return [route for route in app.routes if isinstance(route, APIRoute)]


def test_every_route_names_its_act_and_every_form_a_token(app: FastAPI) -> None:
    assert len(routes(app)) == len(app.routes) == len(ROUTES) + len(v1.routes())
    for route in routes(app):
        assert isinstance(route, guard.GuardedRoute) and route.act is not None, route.path
        public = route.act in (rights.OPEN_TO_ALL, rights.DOOR_FOR_PROGRAMS)
        assert public == (route.path in {*OPEN, "/api/ops/{name}"}), route.path
        calls = [dependency.call for dependency in route.dependant.dependencies]
        if "POST" in route.methods and not public:
            of_programs = route.path.startswith(manners.ROOT)
            needed = manners.token_only if of_programs else guard.form_token
            assert needed in calls, route.path


def test_a_route_that_names_no_act_lets_nobody_in(app: FastAPI, browser: People) -> None:
    app.add_api_route("/forgotten", lambda: "secret", methods=["GET", "POST"])
    for http in (browser("lena", "lead").http, TestClient(app)):
        for method in ("GET", "POST"):
            answer = http.request(method, "/forgotten")
            assert answer.status_code == 403 and "secret" not in answer.text


def test_who_is_not_let_in_learns_whom_to_ask(browser: People) -> None:
    browser("lena", "lead")
    page = browser("rob", "reader").get(f"/r/{REVIEW}/history")
    assert "you are a reader. Ask lena." in page


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({"Sec-Fetch-Site": "same-site"}, None),
        ({"Origin": "https://evil.example"}, None),
        ({}, ""),
        ({}, "f" * 64),
    ],
)
def test_forms_of_other_sites_and_sessions_are_refused(
    reviewed: Store, browser: People, headers: dict[str, str], token: str | None
) -> None:
    found(reviewed, article(1))
    ada = browser("ada")
    ada.get(f"/r/{REVIEW}/screen/title_abstract")
    action, fields = ada.form("Include")
    data = fields if token is None else {**fields, "csrf": token}
    assert ada.http.post(action, data=data, headers=headers).status_code == 403
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM decision").fetchall() == [(0,)]
    # what a browser sends under no-referrer
    good = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert ada.http.post(action, data=fields, headers=good).status_code == 200


def test_another_persons_token_is_refused(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    ada, bea = browser("ada"), browser("bea")
    for person in (ada, bea):
        person.get(f"/r/{REVIEW}/screen/title_abstract")
    ada.press("Include", csrf=bea.form("Include")[1]["csrf"])
    assert ada.page.status_code == 403


def test_no_address_changes_anything_by_get(app: FastAPI, reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    lena = browser("lena", "lead")
    tables = ("decision", "match", "account", "session", "outbox")

    def counts() -> list[int]:
        with reviewed.read() as con:
            return [
                con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in tables
            ]

    before = counts()
    for route in routes(app):
        if "GET" in route.methods:
            lena.get(address(route.path))
    assert counts() == before


def test_signing_in_makes_a_new_session_and_signing_out_ends_it(browser: People) -> None:
    ada = browser("ada")
    first = ada.http.cookies["livereview"]
    ada.http.post("/sign-in", data={"secret": f" {secret_of('ada')}\n"})
    second = ada.http.cookies["livereview"]
    assert first != second
    ada.get("/")
    ada.press("Sign out")
    for old in (first, second):
        ada.http.cookies.set("livereview", old)
        assert "Your sign-in secret" in ada.get("/")


def test_the_cookie_is_for_this_host_only_and_no_script_reads_it(
    app: FastAPI, reviewed: Store
) -> None:
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    for base, name in (
        ("http://testserver", "livereview"),
        ("https://testserver", "__Host-livereview"),
    ):
        with TestClient(app, base_url=base) as http:
            cookie = http.post(
                "/sign-in", data={"secret": secret_of("ada")}, follow_redirects=False
            ).headers["set-cookie"]
            assert (
                cookie.startswith(f"{name}=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
            )
            assert (
                ("Secure" in cookie) == (base[:5] == "https")
                and "Domain" not in cookie
                and "Max-Age=43200" in cookie
            )
            assert http.get("/", follow_redirects=False).status_code == 200


def test_a_session_ends_after_twelve_hours_and_when_the_account_is_closed(
    reviewed: Store, settings: Settings, browser: People
) -> None:
    ada = browser("ada")
    late = TestClient(
        create(reviewed, settings, token="t", clock=lambda: NOW + timedelta(hours=12, seconds=1))
    )
    late.cookies.set("livereview", ada.http.cookies["livereview"])
    assert late.get("/", follow_redirects=False).status_code == 303
    close_account(reviewed, name="ada", now=NOW)
    assert "Your sign-in secret" in ada.get("/")


def test_the_eleventh_wrong_secret_has_to_wait(
    app: FastAPI, reviewed: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    http = TestClient(app)
    assert [http.post("/sign-in", data={"secret": "wrong"}).status_code for _ in range(10)] == [
        401
    ] * 10
    answer = http.post("/sign-in", data={"secret": "wrong"})
    assert answer.status_code == 429 and "Try again in 15 minutes" in answer.text
    assert answer.headers["retry-after"] == "900"
    assert (
        http.post("/sign-in", data={"secret": secret_of("ada")}, follow_redirects=False).status_code
        == 303
    )
    desk = app.state.shared
    app.state.shared = replace(desk, clock=lambda: NOW + guard.WITHIN)
    assert http.post("/sign-in", data={"secret": "wrong"}).status_code == 401
    assert secret_of("ada") not in caplog.text and http.cookies["livereview"] not in caplog.text


@pytest.mark.parametrize(
    "evil", ["//evil", "/\\evil", "https://evil", "/\t/evil", "javascript:alert(1)", "", "/%0d\n"]
)
def test_after_signing_in_one_stays_on_this_server(
    app: FastAPI, reviewed: Store, evil: str
) -> None:
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    answer = TestClient(app).post(
        "/sign-in", data={"secret": secret_of("ada"), "next": evil}, follow_redirects=False
    )
    assert answer.headers["location"] == "/"
    assert sign_in.inside("/r/x/screen/full_text?record=r1") == "/r/x/screen/full_text?record=r1"


def test_signing_in_leads_back_to_where_one_was(app: FastAPI, reviewed: Store) -> None:
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    http = TestClient(app)
    page = http.get(f"/r/{REVIEW}/history?x=1&y=2").text
    assert f'value="/r/{REVIEW}/history?x=1&amp;y=2"' in page


def test_every_private_answer_carries_the_headers(app: FastAPI, browser: People) -> None:
    ada = browser("ada")
    for path in ("/", "/sign-in", "/nowhere", f"/r/{REVIEW}", f"/r/{REVIEW}/history", "/healthz"):
        ada.get(path)
        assert {name: ada.page.headers.get(name) for name in PRIVATE} == PRIVATE, path
    add(app, PageRoute("GET", "/broken", lambda: 1 / 0, rights.OPEN_TO_ALL))
    broken = TestClient(app, raise_server_exceptions=False).get("/broken")
    assert broken.status_code == 500 and "saved nothing" in broken.text
    assert broken.headers["content-security-policy"] == PRIVATE["Content-Security-Policy"]


def test_a_form_that_is_too_large_is_stopped_whatever_it_says_of_its_size(browser: People) -> None:
    ada = browser("ada")
    answer = ada.http.post(
        f"/r/{REVIEW}/decide",
        content=(b"x" * 100_000 for _ in range(30)),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413 and "256 kB" in answer.text


def test_sessions_of_one_name_and_of_days_gone_by_do_not_pile_up(
    app: FastAPI, reviewed: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSIONS_EACH", 10)
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    add_account(reviewed, name="bo", role="reviewer", secret=secret_of("bo"), now=NOW)
    first = TestClient(app)
    first.post("/sign-in", data={"secret": secret_of("bo")})
    for _ in range(15):
        http = TestClient(app)
        assert http.post("/sign-in", data={"secret": secret_of("ada")}).status_code == 200
    assert http.get("/").url.path == "/" and first.get("/").url.path == "/"

    def kept() -> list[tuple[str, int]]:
        with reviewed.read() as con:
            return con.execute(
                "SELECT name, count(*) FROM session GROUP BY name ORDER BY name"
            ).fetchall()

    assert kept() == [("ada", 10), ("bo", 1)]
    late = TestClient(
        create(reviewed, settings, token="t", clock=lambda: NOW + timedelta(hours=13))
    )
    late.post("/sign-in", data={"secret": secret_of("bo")})
    assert kept() == [("bo", 1)]
