"""Keys for programs: they act as their account, within scopes and review, and end at once."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from livereview.errors import Refused
from livereview.ops import surveil, team
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, TestClient, article, found, secret_of

SECRET = "lr_a-token-that-is-long-enough-to-be-one"


def token(store: Store, *given_scopes: str, account: str = "lena", **more: Any) -> str:
    given = {
        "label": "dashboard",
        "secret": SECRET,
        "by": "lena",
        "now": NOW,
        "scopes": given_scopes or ("read",),
        **more,
    }
    return str(team.add_token(store, account=account, **given)["id"])


@pytest.fixture
def people(reviewed: Store) -> Store:
    for name, role in (("lena", "lead"), ("ada", "reviewer")):
        team.add_account(reviewed, name=name, role=role, secret=secret_of(name), now=NOW)
    return reviewed


def http(app: FastAPI, secret: str = SECRET) -> TestClient:
    return TestClient(app, headers={"Authorization": f"Bearer {secret}"})


def test_a_token_reads_as_its_account_and_sets_no_cookie(app: FastAPI, people: Store) -> None:
    token(people)
    answer = http(app).get(f"/r/{REVIEW}/ledger.json")
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert TestClient(app).get(f"/r/{REVIEW}/ledger.json", follow_redirects=False).status_code in (
        303,
        401,
    )
    assert http(app, "lr_" + "x" * 40).get(f"/r/{REVIEW}/ledger.json").status_code == 401


def test_it_may_do_no_more_than_its_account_and_its_scopes(app: FastAPI, people: Store) -> None:
    (record,) = found(people, article(1))
    token(people, account="ada")
    assert http(app).get(f"/r/{REVIEW}").status_code == 403
    vote = {
        "form": "a" * 32,
        "record": record,
        "stage": "title_abstract",
        "verdict": "include",
        "version": "1",
    }
    assert http(app).post(f"/r/{REVIEW}/decide", data=vote).status_code == 403
    with people.read() as con:
        assert con.execute("SELECT count(*) FROM decision").fetchall() == [(0,)]


def test_a_token_that_may_write_needs_no_token_of_a_form(app: FastAPI, people: Store) -> None:
    (record,) = found(people, article(1))
    token(people, "read", "write", account="ada")
    vote = {
        "form": "a" * 32,
        "record": record,
        "stage": "title_abstract",
        "verdict": "include",
        "version": "1",
    }
    answer = http(app).post(f"/r/{REVIEW}/decide", data=vote, follow_redirects=False)
    assert answer.status_code in (200, 303)
    with people.read() as con:
        assert con.execute("SELECT reviewer, verdict FROM decision").fetchall() == [
            ("ada", "include")
        ]
    foreign = http(app).post(
        f"/r/{REVIEW}/decide", data=vote, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403


def test_it_opens_its_review_only(app: FastAPI, people: Store, protocol: str) -> None:
    surveil.register(people, text=protocol.replace("small-review", "other-review"), now=NOW)
    token(people, review=REVIEW)
    assert http(app).get(f"/r/{REVIEW}/ledger.json").status_code == 200
    assert http(app).get("/r/other-review/ledger.json").status_code == 404


def test_it_ends_when_revoked_and_with_its_account(app: FastAPI, people: Store) -> None:
    id = token(people)
    team.revoke_token(people, id=id, by="lena", now=NOW)
    assert http(app).get(f"/r/{REVIEW}/ledger.json").status_code == 401
    with pytest.raises(Refused, match="no token"):
        team.revoke_token(people, id=id, by="lena", now=NOW)
    token(people, account="ada", secret=f"{SECRET}2")
    team.close_account(people, name="ada", now=NOW)
    assert http(app, f"{SECRET}2").get("/").status_code == 401


def test_what_is_listed_holds_no_secret_and_mistakes_are_refused(people: Store) -> None:
    token(people)
    (listed,) = team.tokens(people, now=NOW)["tokens"]
    assert listed["label"] == "dashboard" and SECRET not in str(listed)
    with people.read() as con:
        assert SECRET not in str(con.execute("SELECT * FROM token").fetchall())
    for wrong in ({"scopes": ("all",)}, {"secret": "short"}, {"label": " "}, {"review": "nowhere"}):
        with pytest.raises(Refused):
            token(people, **wrong)
    with pytest.raises(Refused, match="no open account 'zoe'"):
        token(people, account="zoe")
