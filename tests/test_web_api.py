from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI

from livereview import ops
from livereview.commands import ReadStatus
from livereview.errors import Retry, SourceBroken
from tests.conftest import REVIEW, TestClient

OWNER = {"Authorization": "Bearer owner-token"}


def test_a_use_case_is_run_by_its_name(app: FastAPI) -> None:
    answer = TestClient(app).post("/api/ops/status", json={"review": REVIEW}, headers=OWNER)
    assert answer.status_code == 200 and answer.json()["reviews"][0]["review"] == REVIEW
    assert TestClient(app).post("/api/ops/status", headers=OWNER).status_code == 200


@pytest.mark.parametrize(
    "header",
    [None, "Bearer", "Bearer owner-tokem", "owner-token", "Bearer öwner", "Basic owner-token"],
)
def test_without_the_owners_token_nothing_is_run_and_nothing_read(
    app: FastAPI, header: str | None
) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    answer = TestClient(app).post("/api/ops/status", content=b"{" * 100, headers=headers)
    assert answer.status_code == 401 and "owner's token" in answer.json()["error"]


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("nothing", b"{}", "unknown operation"),
        ("status", b'{"review": "none"}', "unknown review"),
        ("status", b'{"colour": 1}', "colour"),
        ("status", b"{", "not JSON"),
        ("status", b"[1]", "JSON object"),
    ],
)
def test_what_can_not_be_done_is_said_as_422(
    app: FastAPI, name: str, body: bytes, words: str
) -> None:
    answer = TestClient(app).post(f"/api/ops/{name}", content=body, headers=OWNER)
    assert answer.status_code == 422 and words in answer.json()["error"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(Retry("later"), 503), (SourceBroken("not RIS"), 422), (ZeroDivisionError("bug"), 500)],
)
def test_errors_keep_their_kind(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: Any, **__: Any) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(ops, "USE_CASES", {**ops.USE_CASES, ReadStatus: fail})
    answer = TestClient(app).post("/api/ops/status", content=b"{}", headers=OWNER)
    assert answer.status_code == status and str(error) in answer.json()["error"]


def test_a_page_of_a_search_may_be_large_but_not_endless(app: FastAPI) -> None:
    http = TestClient(app)
    large = json.dumps({"colour": "x" * 3_000_000}).encode()
    assert http.post("/api/ops/status", content=large, headers=OWNER).status_code == 422
    answer = http.post(
        "/api/ops/status", content=(b"x" * 1_000_000 for _ in range(72)), headers=OWNER
    )
    assert answer.status_code == 413 and "70 MB" in answer.json()["error"]
