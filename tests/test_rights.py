"""Tokens and sessions are worth no more than they say, whatever the account behind them may do."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from livereview import rights
from livereview.commands import BY_OPERATION
from livereview.errors import Refused
from livereview.ops import door, principals, surveil, team
from livereview.rights import Kind, Principal, Scope
from livereview.store import accounts
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, TestClient, article, found, secret_of

ROOT = Path(__file__).resolve().parents[1]
OTHER = "other-review"
ALL = tuple(Scope)


@pytest.fixture
def people(reviewed: Store, protocol: str) -> Store:
    """Two reviews; a lead of all, a reviewer and a reader."""
    surveil.register(reviewed, text=protocol.replace("small-review", OTHER), now=NOW)
    for name, role in (("lena", "lead"), ("ada", "reviewer"), ("rob", "reader")):
        opened(reviewed, name, role)
    return reviewed


def opened(store: Store, name: str, role: str, **more: Any) -> dict[str, Any]:
    return team.add_account(store, name=name, role=role, secret=secret_of(name), now=NOW, **more)


def token(store: Store, account: str, *scopes: str, review: str | None = None) -> str:
    secret = f"lr_{account}-{'-'.join(scopes)}-{review or 'all'}-{'x' * 30}"
    asked: dict[str, Any] = {
        "account": account,
        "label": "x",
        "secret": secret,
        "by": "test",
        "now": NOW,
    }
    team.add_token(store, scopes=scopes, review=review, **asked)
    return secret


def form() -> dict[str, str]:
    return {"form": uuid4().hex}


def program(app: FastAPI, secret: str) -> TestClient:
    return TestClient(app, headers={"Authorization": f"Bearer {secret}"}, follow_redirects=False)


def of_token(store: Store, secret: str) -> Principal:
    with store.read() as con:
        known = principals.by_token(con, secret)
    assert known is not None
    return known


# A limit to one review binds the accounts that are made


def test_a_token_of_one_review_opens_accounts_of_that_review_only(
    app: FastAPI, people: Store
) -> None:
    http = program(app, token(people, "lena", *ALL, review=REVIEW))
    team_page = f"/r/{REVIEW}/team"
    wide = http.post(
        team_page, data={**form(), "name": "mal", "act": "open", "role": "lead", "reach": "every"}
    )
    assert wide.status_code == 422 and "can&#39;t open more" in wide.text
    for name, reach in (("nina", "here"), ("pia", "")):
        narrow = http.post(
            team_page, data={**form(), "name": name, "act": "open", "role": "lead", "reach": reach}
        )
        assert narrow.status_code == 303
        (secret,) = re.findall(
            r"/invite/([\w-]{32})</code>", http.get(narrow.headers["location"]).text
        )
        made = Browser(app, secret)
        made.press("I have kept it: go on")
        assert made.http.get(f"/r/{REVIEW}").status_code == 200
        assert made.http.get(f"/r/{OTHER}").status_code == 404
    with people.read() as con:
        reach_of = {account.name: account.reviews for account in accounts.names(con)}
    assert "mal" not in reach_of and reach_of["nina"] == reach_of["pia"] == (REVIEW,)


def test_a_token_of_one_review_changes_nobody_who_reaches_further(
    app: FastAPI, people: Store
) -> None:
    http = program(app, token(people, "lena", *ALL, review=REVIEW))
    for act in ({"act": "close"}, {"act": "open", "role": "reader"}):
        for name in ("ada", "lena"):
            answer = http.post(f"/r/{REVIEW}/team", data={**form(), "name": name, **act})
            assert answer.status_code == 422, (name, act)
    assert Browser(app, secret_of("ada")).page.status_code == 200


@pytest.mark.parametrize(
    ("scopes", "role", "opens"),
    [
        (("manage",), "reader", False),
        (("read", "manage"), "reader", True),
        (("read", "manage"), "reviewer", False),
        (("read", "screen", "manage"), "adjudicator", True),
        (("read", "screen", "manage"), "reviewer", False),
        (("read", "screen", "extract"), "reader", False),
        (("read", "screen", "extract", "manage"), "lead", True),
    ],
)
def test_a_token_opens_no_account_that_may_do_more_than_itself(
    app: FastAPI, people: Store, scopes: tuple[str, ...], role: str, opens: bool
) -> None:
    http = program(app, token(people, "lena", *scopes))
    answer = http.post(
        f"/r/{REVIEW}/team", data={**form(), "name": "mal", "act": "open", "role": role}
    )
    assert (answer.status_code == 303) == opens
    with people.read() as con:
        assert (accounts.open_one(con, "mal") is not None) == opens


def test_a_token_neither_changes_nor_closes_its_own_account(people: Store) -> None:
    by = of_token(people, token(people, "lena", *ALL))
    with pytest.raises(Refused, match="can't change the account that it belongs to"):
        opened(people, "lena", "lead", by=by)
    with pytest.raises(Refused, match="can't change the account that it belongs to"):
        team.close_account(people, name="lena", now=NOW, by=by)


def test_a_change_of_the_team_says_who_made_it(people: Store) -> None:
    by = of_token(people, token(people, "lena", *ALL))
    opened(people, "nina", "reader", by=by)
    with people.read() as con:
        rows = con.execute(
            "SELECT author FROM account WHERE name IN ('ada', 'nina') ORDER BY name"
        ).fetchall()
    assert rows == [("the operator",), (f"lena by token {by.token_id}",)]


# What has ended stays dead


def close(store: Store) -> None:
    team.close_account(store, name="ada", now=NOW)


def new_secret(store: Store) -> None:
    opened(store, "ada", "reviewer")


def other_role(store: Store) -> None:
    opened(store, "ada", "lead")


def narrower(store: Store) -> None:
    opened(store, "ada", "reviewer", reviews=[OTHER])


@pytest.mark.parametrize("change", [close, new_secret, other_role, narrower])
def test_a_changed_account_ends_its_tokens_and_sessions_for_good(
    app: FastAPI, people: Store, change: Any
) -> None:
    http, session = (
        program(app, token(people, "ada", "read", "screen")),
        Browser(app, secret_of("ada")).http,
    )
    before = [http.get("/").status_code, session.get("/", follow_redirects=False).status_code]
    assert before == [200, 200]
    change(people)
    for _ in range(2):
        assert http.get("/").status_code == 401
        assert session.get("/", follow_redirects=False).status_code == 303
        with people.read() as con:
            assert accounts.tokens_of(con, "ada") == []
        opened(people, "ada", "lead")  # opened again: what was dead stays dead


def test_a_sign_in_that_was_under_way_when_the_account_closed_counts_for_nothing(
    people: Store,
) -> None:
    with people.read() as con:
        account = accounts.by_secret(con, secret_of("ada"))
    assert account is not None
    close(people)
    people.write(
        lambda con: accounts.start_session(con, "late", account, NOW.replace(year=2027), NOW)
    )
    opened(people, "ada", "lead")
    with people.read() as con:
        assert principals.by_session(con, "late", NOW) is None


def test_a_token_that_is_ended_opens_no_account_with_its_last_breath(people: Store) -> None:
    secret = token(people, "lena", *ALL)
    by = of_token(people, secret)
    team.revoke_token(people, id=str(by.token_id), by="test", now=NOW)
    with pytest.raises(Refused, match="ended meanwhile"):
        opened(people, "mal", "lead", by=by)
    session = Principal(Kind.SESSION, "lena", "lead", frozenset(Scope), None, by.account_version)
    opened(people, "lena", "reader")
    with pytest.raises(Refused, match="changed meanwhile"):
        opened(people, "mal", "lead", by=session)


# Scopes


def test_a_token_is_made_with_scopes_that_its_role_has(people: Store) -> None:
    for account, scope in (
        ("ada", "manage"),
        ("ada", "flows"),
        ("rob", "screen"),
        ("rob", "write"),
    ):
        with pytest.raises(Refused, match=f"{account} is a re"):
            token(people, account, "read", scope)
    with pytest.raises(
        Refused, match="read, screen, extract, manage, flows, monitor; they were all"
    ):
        token(people, "lena", "all")
    opened(people, "bo", "lead", reviews=[REVIEW])
    with pytest.raises(Refused, match="bo enters small-review only"):
        token(people, "bo", "read", review=OTHER)


def test_a_token_from_before_means_screen_and_extract_and_never_what_leads_do(
    app: FastAPI, people: Store
) -> None:
    old = accounts.Token("old1", "lena", "old", ("write",), None, NOW)
    secret = "lr_" + "o" * 40
    people.write(lambda con: accounts.add_token(con, old, accounts.digest(secret), "test"))
    assert of_token(people, secret).scopes == {Scope.SCREEN, Scope.EXTRACT}
    http = program(app, secret)
    assert http.get(f"/r/{REVIEW}/ledger.json").status_code == 403
    assert http.get(f"/r/{REVIEW}/screen/title_abstract").status_code == 200
    answer = http.post(f"/r/{REVIEW}/team", data={"name": "mal", "act": "open", "role": "reader"})
    assert answer.status_code == 403 and "this needs manage" in answer.text


def test_a_principal_is_made_in_one_place_and_accounts_are_asked_nowhere_else() -> None:
    for path in (ROOT / "livereview").rglob("*.py"):
        calls = [
            node.func
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
        ]
        makes = any(isinstance(func, ast.Name) and func.id == "Principal" for func in calls)
        assert makes == (path.name == "principals.py"), path
    for path in (ROOT / "livereview" / "web").rglob("*"):
        if path.suffix in (".py", ".html"):
            assert not re.search(r"(visit|principal)\.account\.", path.read_text("utf-8")), path


# The door for programs


def test_a_token_for_flows_runs_a_night_and_nothing_else(app: FastAPI, people: Store) -> None:
    http = program(app, token(people, "lena", "flows", review=REVIEW))

    def call(operation: str, **arguments: Any) -> int:
        return int(http.post(f"/api/ops/{operation}", json=arguments).status_code)

    assert call("protocol", review=REVIEW) == 200
    assert call("begin", review=REVIEW, name="openalex", search="mine") == 200
    assert call("finish", search="mine") == 200
    assert call("publish", review=REVIEW) == 200
    assert call("status", review=REVIEW) == 200
    assert (
        call("status")
        == call("digests", base_url="https://x.example")
        == call("settle_outbox")
        == 404
    )
    assert call("protocol", review=OTHER) == call("publish", review=OTHER) == 404
    for name in sorted(BY_OPERATION.keys() - door.ACTS.keys()):
        assert call(name, review=REVIEW) in (403, 404), name
    assert http.get(f"/r/{REVIEW}").status_code == http.get("/").status_code == 403


def test_a_search_of_another_review_is_out_of_reach_whatever_else_is_said(
    app: FastAPI, people: Store
) -> None:
    found(people, article(1), review=OTHER, search="theirs")
    http = program(app, token(people, "lena", "flows", review=REVIEW))
    for name, more in (
        ("ingest", {"body": {"base64": "e30="}}),
        ("finish", {}),
        ("begin", {"review": REVIEW, "name": "openalex"}),
        ("begin_lookup", {"review": REVIEW, "source": "crossref"}),
        ("ingest", {"review": REVIEW, "body": {"base64": "e30="}}),
    ):
        for search in ("theirs", {"base64": "dGhlaXJz"}, ["theirs"]):
            answer = http.post(f"/api/ops/{name}", json={"search": search, **more})
            assert answer.status_code == 404, (name, search, answer.text)


def test_only_a_token_or_the_owner_comes_through_the_door(app: FastAPI, people: Store) -> None:
    lena = Browser(app, secret_of("lena"))
    assert lena.http.post("/api/ops/status", json={}).status_code == 401
    for scope in (scope for scope in Scope if scope != Scope.FLOWS):
        answer = program(app, token(people, "lena", scope)).post("/api/ops/status", json={})
        assert answer.status_code == 403 and "flows" in answer.json()["error"], scope
    owner = {"Authorization": "Bearer owner-token"}
    assert TestClient(app, headers=owner).post("/api/ops/tokens", json={}).status_code == 200
    assert (
        program(app, token(people, "lena", *ALL)).post("/api/ops/tokens", json={}).status_code
        == 403
    )


def test_a_protocol_is_registered_by_who_may_manage_that_review(
    app: FastAPI, people: Store, protocol: str
) -> None:
    text = protocol.replace("small-review", OTHER)
    flows, manages = (
        program(app, token(people, "lena", scope, review=REVIEW)) for scope in ("flows", "manage")
    )
    assert flows.post("/api/ops/register", json={"text": protocol}).status_code == 403
    assert manages.post("/api/ops/register", json={"text": protocol}).status_code == 200
    for wrong in (text, text.replace(OTHER, "brand-new"), "no protocol", 7):
        assert manages.post("/api/ops/register", json={"text": wrong}).status_code == 404


def test_every_act_at_the_door_is_one_of_a_known_operation() -> None:
    assert door.ACTS.keys() <= BY_OPERATION.keys()
    never = {
        "add_account",
        "close_account",
        "add_token",
        "revoke_token",
        "tokens",
        "backup",
        "withdraw",
        "sign_off",
        "open_review",
    }
    assert not never & door.ACTS.keys()
    assert all(act.scope in (Scope.FLOWS, Scope.MANAGE) for act in door.ACTS.values())


def test_deny_is_the_default() -> None:
    lead = Principal(Kind.SESSION, "lena", "lead", rights.session_scopes("lead"), None)
    assert not rights.may(None, rights.USE_SESSION) and rights.may(None, rights.OPEN_TO_ALL)
    assert not rights.may(lead, rights.OWN) and not rights.may(lead, rights.RUN_FLOWS, REVIEW)
    nobody = Principal(Kind.TOKEN, "lena", "lead", frozenset(Scope), frozenset())
    assert not rights.may(nobody, rights.SEE_AS_LEAD, REVIEW) and not nobody.covers(None)
