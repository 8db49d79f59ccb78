"""Several reviews on one server, strictly apart."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from livereview.errors import Refused
from livereview.ops import notices, principals, surveil, team
from livereview.store.open import Store
from livereview.web import guard
from tests.conftest import NOW, REVIEW, Browser, TestClient, article, found, secret_of
from tests.test_web_guard import OPEN, address, routes

OTHER = "other-review"


@pytest.fixture
def two(reviewed: Store, protocol: str) -> Store:
    """The small review and another one, each with a record."""
    text = protocol.replace("small-review", OTHER).replace(
        "Mentoring for children in care", "Quite another question"
    )
    surveil.register(reviewed, text=text, now=NOW)
    found(reviewed, article(1))
    found(reviewed, article(2), review=OTHER, search="s2")
    return reviewed


def opened(store: Store, app: FastAPI, name: str, role: str, *reviews: str) -> Browser:
    team.add_account(store, name=name, role=role, secret=secret_of(name), now=NOW, reviews=reviews)
    return Browser(app, secret_of(name))


def test_every_page_of_a_review_is_no_page_to_those_who_may_not_enter_it(
    two: Store, app: FastAPI
) -> None:
    http = opened(two, app, "lena", "lead", OTHER).http
    token = guard.RequestUser(app.state.shared, None, http.cookies.get("livereview", "")).csrf  # type: ignore[arg-type]
    tried = 0
    for route in routes(app):
        if "{review}" not in route.path or route.path in OPEN:
            continue
        for method in route.methods - {"HEAD"}:
            answer = http.request(
                method, address(route.path), data={"csrf": token}, follow_redirects=False
            )
            assert answer.status_code == 404, (method, route.path, answer.status_code)
            tried += 1
    assert tried > 25


def test_the_start_lists_only_what_one_may_enter(two: Store, app: FastAPI) -> None:
    page = opened(two, app, "ada", "reviewer", OTHER).get("/")
    assert "Quite another question" in page and "Mentoring for children" not in page
    assert "Mentoring for children" in opened(two, app, "ben", "reviewer").get("/")


def test_a_token_of_one_review_is_told_of_no_other(two: Store, app: FastAPI) -> None:
    opened(two, app, "ben", "reviewer")
    secret = "lr_" + "t" * 40
    team.add_token(two, account="ben", label="x", secret=secret, by="ben", now=NOW, review=OTHER)
    page = TestClient(app, headers={"Authorization": f"Bearer {secret}"}).get("/").text
    assert "Quite another question" in page and "Mentoring for children" not in page


def test_digests_tell_of_what_one_may_enter(two: Store) -> None:
    team.add_account(
        two, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW, reviews=[OTHER]
    )
    (told,) = notices.digests(two, base_url="https://x.example", now=NOW)["digests"]
    assert "Quite another question" in told["text"] and "Mentoring for children" not in told["text"]


def test_a_lead_of_one_review_gives_no_more_than_they_have(two: Store, app: FastAPI) -> None:
    lena = opened(two, app, "lena", "lead", REVIEW)
    opened(two, app, "olga", "lead")
    opened(two, app, "omar", "reviewer", OTHER)
    there = f"/r/{REVIEW}/team"
    page = lena.get(there)
    assert "omar" not in page and "every review of this server" not in page and "olga" in page
    assert "begins with this link" in lena.press("Open it", name="nina", role="reviewer")
    with two.read() as con:
        made = next(one for one in team.accounts.names(con) if one.name == "nina")
    assert made.reviews == (REVIEW,)
    lena.get(there)
    for name in ("olga", "omar"):  # their secrets would open doors that are shut to her
        assert "may not enter" in lena.press("Open it", name=name, role="reader")
        lena.get(there)
    assert "can&#39;t open more" in lena.press("Open it", name="pia", role="lead", reach="every")
    for name in ("olga", "omar"):
        with two.read() as con, pytest.raises(Refused, match="may not enter"):
            asker = principals.by_session(con, lena.http.cookies["livereview"], NOW)
            assert asker is not None
            team.close_account(two, name=name, now=NOW, by=asker)


def test_a_new_secret_keeps_the_reach_and_a_named_one_changes_it(two: Store) -> None:
    def reach(**asked: object) -> list[str]:
        secret = secret_of("ada")
        return team.add_account(two, name="ada", role="reviewer", secret=secret, now=NOW, **asked)[
            "reviews"
        ]  # type: ignore[arg-type]

    assert reach() == []
    assert reach(reviews=[OTHER]) == [OTHER]
    assert reach() == [OTHER]
    assert reach(reviews=[]) == []
    with pytest.raises(Refused, match="unknown review 'third'"):
        reach(reviews=["third"])
