"""The HTTP API for programs: what it describes is what it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from livereview.ops import team
from livereview.store.accounts import BEGINS
from livereview.store.open import Store
from livereview.web.v1 import routes
from tests.conftest import NOW, REVIEW, TestClient, article, found, secret_of

ROOT = "/api/v1"
HERE = f"{ROOT}/reviews/{REVIEW}"
MOST_CASES = 10  # for each address
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def client(app: FastAPI, store: Store, name: str, role: str, *scopes: str) -> TestClient:
    """A program with a token of these scopes."""
    team.add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)
    secret = f"{BEGINS}{name}-{'t' * 30}"
    team.add_token(store, account=name, label="x", secret=secret, by="test", scopes=scopes, now=NOW)
    return TestClient(app, headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture(autouse=True)
def records(reviewed: Store) -> list[str]:
    """Four reports of the small review."""
    return found(reviewed, *(article(number) for number in range(1, 5)))


@pytest.fixture
def ada(app: FastAPI, reviewed: Store) -> Iterator[TestClient]:
    with client(app, reviewed, "ada", "reviewer", "read", "screen", "extract") as http:
        yield http


@pytest.fixture
def lena(app: FastAPI, reviewed: Store) -> Iterator[TestClient]:
    scopes = ("read", "screen", "extract", "manage")
    with client(app, reviewed, "lena", "lead", *scopes) as http:
        yield http


def everything(http: TestClient, address: str) -> list[dict[str, Any]]:
    """All items of a list, part by part."""
    items: list[dict[str, Any]] = []
    following: str | None = address
    while following:
        answer = http.get(following)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        items += body["items"]
        following = body["next"]
        assert (f'<{following}>; rel="next"' == answer.headers.get("link")) or not following
    return items


def test_a_program_learns_what_it_may_do_and_which_reviews_it_may_enter(ada: TestClient) -> None:
    me = ada.get(f"{ROOT}/me").json()
    assert me == {
        "account": "ada",
        "role": "reviewer",
        "kind": "token",
        "scopes": ["extract", "read", "screen"],
        "reviews": None,
    }
    rows = everything(ada, f"{ROOT}/reviews")
    assert [row["id"] for row in rows] == [REVIEW]
    review = ada.get(HERE).json()
    assert review["question"] and review["votes"] >= 1 and REVIEW in review["protocol"]


def test_lists_come_in_parts_that_hold_everything_once(lena: TestClient) -> None:
    whole = everything(lena, f"{HERE}/reports?limit=200")
    assert len(whole) > 2
    parts = everything(lena, f"{HERE}/reports?limit=1")
    assert parts == whole
    waiting = everything(lena, f"{HERE}/reports?state=open&limit=1")
    assert waiting == [row for row in whole if row["state"] == "open"]
    for nonsense in ("x", "%00", "YWJj", "LTE"):
        answer = lena.get(f"{HERE}/reports?after={nonsense}")
        assert answer.status_code == 422 and "after" in answer.json()["detail"]


def test_what_is_unchanged_is_not_sent_again(ada: TestClient) -> None:
    first = ada.get(HERE)
    tag = first.headers["etag"]
    again = ada.get(HERE, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert ada.get(HERE, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_decision_is_written_once_however_often_it_is_sent(
    ada: TestClient, lena: TestClient
) -> None:
    queue = ada.get(f"{HERE}/queue/title_abstract").json()
    record = queue["report"]["record"]
    body = {"record": record, "stage": "title_abstract", "verdict": "include", "tags": ["x"]}
    key = {"Idempotency-Key": "first-try"}
    first = ada.post(f"{HERE}/decisions", json=body, headers=key)
    assert first.status_code == 201, first.text
    again = ada.post(f"{HERE}/decisions", json=body, headers=key)
    assert again.status_code == 200
    assert again.json() == first.json() | {"known": True}
    other = ada.post(f"{HERE}/decisions", json=body | {"verdict": "exclude"}, headers=key)
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    late = ada.post(f"{HERE}/decisions", json=body)
    assert late.status_code == 409, "it does not wait for ada any more"
    after = ada.get(f"{HERE}/queue/title_abstract").json()
    assert after["waiting"] == queue["waiting"] - 1 and after["done"] == queue["done"] + 1
    taken_back = ada.post(f"{HERE}/decisions", json=body | {"verdict": "withdrawn", "tags": []})
    assert taken_back.status_code == 201, taken_back.text
    assert ada.get(f"{HERE}/queue/title_abstract").json()["waiting"] == queue["waiting"]
    seen = lena.get(f"{HERE}/reports/{record}").json()
    assert seen["record"] == record and "decisions" not in seen


def test_who_still_votes_sees_no_vote_of_others(ada: TestClient, lena: TestClient) -> None:
    before = lena.get(f"{HERE}/reports").json()
    record = ada.get(f"{HERE}/queue/title_abstract").json()["report"]["record"]
    for verdict in ("include", "exclude"):
        body = {"record": record, "stage": "title_abstract", "verdict": verdict}
        if verdict == "exclude":
            body["reason"] = lena.get(HERE).json()["reasons"][0]["id"]
        assert ada.post(f"{HERE}/decisions", json=body).status_code == 201
        assert lena.get(f"{HERE}/reports").json() == before
        ada.post(f"{HERE}/decisions", json=body | {"verdict": "withdrawn", "reason": None})


def test_errors_are_problems_that_name_the_field(ada: TestClient, app: FastAPI) -> None:
    answer = ada.post(f"{HERE}/decisions", json={"record": "x", "stage": "abstract", "more": 1})
    problem = answer.json()
    assert answer.status_code == problem["status"] == 422
    pointers = {error["pointer"] for error in problem["errors"]}
    assert pointers == {"#/stage", "#/verdict", "#/more"}
    gone = ada.get(f"{ROOT}/reviews/none-such")
    assert gone.status_code == 404 and gone.json()["title"] == "Not Found"
    assert ada.get(f"{ROOT}/nowhere").headers["content-type"] == "application/problem+json"
    nobody = TestClient(app, follow_redirects=False).get(HERE)
    assert nobody.status_code == 401 and nobody.headers["www-authenticate"] == "Bearer"
    lead_only = ada.get(f"{HERE}/reports")
    assert lead_only.status_code == 403 and "leads" in lead_only.json()["detail"]


def test_a_session_reads_and_never_writes(app: FastAPI, reviewed: Store) -> None:
    team.add_account(reviewed, name="bo", role="reviewer", secret=secret_of("bo"), now=NOW)
    http = TestClient(app)
    http.post("/sign-in", data={"secret": secret_of("bo")})
    record = http.get(f"{HERE}/queue/title_abstract").json()["report"]["record"]
    body = {"record": record, "stage": "title_abstract", "verdict": "include"}
    answer = http.post(f"{HERE}/decisions", json=body)
    assert answer.status_code == 403 and "token" in answer.json()["detail"]


def test_a_file_of_records_is_taken_in_once(lena: TestClient) -> None:
    before = len(everything(lena, f"{HERE}/reports?limit=200"))
    ris = b"TY  - JOUR\nTI  - A study of kinship care in one town\nAU  - Roe, Ann\nPY  - 2020\nER  - \n"
    address = f"{HERE}/imports?source=ris&name=mine.ris"
    first = lena.post(address, content=ris)
    assert first.status_code == 201, first.text
    assert first.json()["counts"]["fresh"] == 1
    assert lena.post(address, content=ris).status_code == 200
    assert len(everything(lena, f"{HERE}/reports?limit=200")) == before + 1
    page = lena.post(address, content=b"<html>not found</html>")
    assert page.status_code == 422 and "RIS" in page.json()["detail"]
    table = f"{HERE}/imports?source=csv&name=odd.csv"
    odd = b"Primary;When\nA study of foster care in one village;2019\n"
    assert lena.post(table, content=odd).status_code == 422
    named = lena.post(f"{table}&columns=title%3DPrimary%2Cyear%3DWhen", content=odd)
    assert named.json()["counts"]["fresh"] == 1
    runs = everything(lena, f"{HERE}/attempts?limit=3")
    assert "import: mine.ris" in {run["name"] for run in runs}


def test_an_act_says_first_what_it_does_and_is_taken_back(
    lena: TestClient, ada: TestClient, reviewed: Store
) -> None:
    asked = {"kind": "close_account", "given": {"name": "ada"}, "reason": "has left"}
    told = lena.post(f"{HERE}/acts/preview", json=asked)
    assert told.status_code == 200, told.text
    assert ada.get(f"{ROOT}/me").status_code == 200, "a preview changes nothing"
    wrong = lena.post(f"{HERE}/acts", json=asked | {"shown": "0" * 64})
    assert wrong.status_code == 409
    done = lena.post(f"{HERE}/acts", json=asked | {"shown": told.json()["shown"]})
    assert done.status_code == 201, done.text
    assert ada.get(f"{ROOT}/me").status_code == 401
    logged = everything(lena, f"{HERE}/acts")
    assert logged[0]["kind"] == "close_account"
    undone = lena.post(f"{HERE}/acts/{done.json()['act']}/undo", json={"reason": "a mistake"})
    assert undone.status_code == 200, undone.text


def test_nothing_published_and_nothing_held_are_not_there(lena: TestClient) -> None:
    for name in ("summary", "held"):
        answer = lena.get(f"{HERE}/{name}")
        assert answer.status_code in (200, 404)
    assert lena.get(f"{HERE}/status").json()["review"] == REVIEW


def test_everything_is_described_with_words(app: FastAPI) -> None:
    document = TestClient(app).get(f"{ROOT}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert len(document["paths"]) == len({endpoint.path for endpoint in routes.ENDPOINTS})
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"].endswith("."), where
            assert operation["security"] == [{"token": []}], where
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), f"{where}: {parameter['name']}"
    described = json.dumps(document)
    assert "HTTPValidationError" not in described


def test_whatever_is_asked_the_answer_is_one_that_is_described(
    lena: TestClient, records: list[str]
) -> None:
    described = schemathesis.openapi.from_dict(routes.description())
    for endpoint in routes.ENDPOINTS:
        answers = _asked(described[ROOT + endpoint.path][endpoint.method], lena, records[0])
        assert answers and max(answers) < 500, f"{endpoint.method} {endpoint.path}"


def _asked(operation: Any, http: TestClient, record: str) -> set[int]:
    """The statuses of answers to whatever the description allows; each answer is as described."""
    answered: set[int] = set()

    @settings(
        max_examples=MOST_CASES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.path_parameters = real(case.path_parameters, record)
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent.pop("cookies", None)
        if isinstance(sent.get("data"), bytes):
            sent["content"] = sent.pop("data")
        response = http.request(**sent)
        answered.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    ask()
    return answered


def real(parameters: dict[str, Any] | None, record: str) -> dict[str, Any]:
    """The parameters of a path, of a review and a record that are there."""
    there = {"review": REVIEW, "record": record}
    return {name: there.get(name, value) for name, value in (parameters or {}).items()}
