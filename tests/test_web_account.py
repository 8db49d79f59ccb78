"""People are invited by a link, take it up once, and change their own secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from livereview.errors import Refused
from livereview.ops.team import make_first_account
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.web import first
from livereview.web.app import create
from tests.conftest import NOW, REVIEW, Browser, TestClient, secret_of

TEAM = f"/r/{REVIEW}/team"
SignIn = Callable[..., Browser]


def invite(lead: Browser, **typed: str) -> str:
    """The secret in the link of a new account."""
    lead.get(TEAM)
    page = lead.press("Open it", role="reviewer", **typed)
    link = re.search(r"/invite/([\w-]{32})</code>", page)
    assert link is not None
    return link[1]


def test_an_invitation_is_taken_up_once(browser: SignIn, app: FastAPI) -> None:
    secret = invite(browser("lena", "lead"), name="dora")
    dora = Browser(app, "no secret at all")
    assert "You are invited" in dora.get(f"/invite/{secret}")
    dora.get(f"/invite/{secret}")  # a mail program looked too
    assert "Your own secret, dora" in dora.press("Go on")
    dora.press("I have kept it: go on")
    assert "dora" in dora.get("/account")
    dora.get(f"/invite/{secret}")
    assert "opens no account" in dora.press("Go on") or "was replaced by dora" in dora.page.text
    assert dora.http.get("/invite/short").status_code == 404


def test_an_invitation_that_nobody_took_up_in_time_is_over(
    browser: SignIn, reviewed: Store, settings: Settings
) -> None:
    secret = invite(browser("lena", "lead"), name="dora")
    late = create(
        reviewed, settings, token="owner-token", clock=lambda: NOW + timedelta(days=14, seconds=1)
    )
    answer = TestClient(late).post("/sign-in", data={"secret": secret})
    assert answer.status_code == 401 and "lena gave you this more than 14 days ago" in answer.text


def test_an_invitation_is_mailed_where_the_server_can(
    browser: SignIn, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    lena = browser("lena", "lead")
    assert "Mail them" not in lena.get(TEAM)
    invite(lena, name="bo", email="bo@example.org", mail="yes")
    assert "this server is not set up to send mail" in lena.page.text

    sent: list[Any] = []
    monkeypatch.setattr(
        "livereview.notices.post.smtp", lambda message, server: sent.append(message)
    )
    desk = app.state.shared
    app.state.shared = replace(
        desk,
        settings=replace(
            desk.settings,
            url="https://reviews.example.org",
            sender="reviews@example.org",
            secrets={"LIVEREVIEW_SMTP": "smtp://localhost"},
        ),
    )
    assert "Mail them the invitation" in lena.get(TEAM)
    secret = invite(lena, name="dora", email="dora@example.org", mail="yes")
    assert "Mailed to dora@example.org" in lena.page.text
    text = sent[0].get_body(("plain",)).get_content()
    assert f"https://reviews.example.org/invite/{secret}" in text
    assert sent[0]["To"] == "dora@example.org" and "until 2026-03-16" in text
    invite(lena, name="eve", mail="yes")
    assert "there is no address to mail it to" in lena.page.text


def test_a_person_changes_their_own_secret(browser: SignIn, app: FastAPI) -> None:
    ada = browser("ada")
    elsewhere = Browser(app, secret_of("ada"))
    ada.get("/account")
    assert "not the secret" in ada.press("Make another", present="something else")
    ada.press("Make another", present=secret_of("ada"))
    address, filled = ada.form("I have kept it: go on")
    slipped = ada.http.post(address, data={**filled, "own": "x" * 32})
    assert slipped.status_code == 422
    ada.press("I have kept it: go on")
    assert str(ada.page.url).endswith("/account") and ada.page.status_code == 200
    assert elsewhere.http.get("/account", follow_redirects=False).status_code == 303
    old = Browser(app, secret_of("ada"))
    assert old.page.status_code == 401
    new = Browser(app, filled["own"])
    assert "ada" in new.get("/account")


def test_the_first_account_is_made_by_a_link_that_is_good_once(
    app: FastAPI, reviewed: Store
) -> None:
    desk = app.state.shared
    link = first.link(desk, "")
    assert link is not None and "printed a link" in TestClient(app).get("/sign-in").text
    assert desk.first not in repr(desk)
    lena = Browser(app, "no secret at all")
    assert lena.http.get("/first/another").status_code == 404
    lena.get(link)
    assert "letters, digits" in lena.press("Make it", name="lena b")
    page = lena.press("Make it", name="lena")
    assert "Your secret, lena" in page
    again = lena.http.post(link, data={"name": "mal"})
    assert again.status_code == 404
    lena.page = lena.page
    lena.press("I have kept it: go on")
    assert str(lena.page.url).endswith("/new") and "New review" in lena.page.text
    assert first.link(desk, "") is None
    with pytest.raises(Refused, match="already"):
        make_first_account(reviewed, name="mal", secret="x" * 32, now=NOW)
