"""What a program says at the door: each argument is of the kind it must be, near the owner's time,
and about its own.

Whoever has a token for nights may be anywhere, and may have lost it to somebody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from flows import owner
from livereview.commands import BY_OPERATION, LoseNight, ReadStatus
from livereview.commands.wire import decode
from livereview.errors import Refused
from livereview.ops import door, nights, protocols, recheck, surveil, team
from livereview.rights import Scope
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, OpenStore, TestClient, secret_of

OTHER = "other-review"
YEARS_AHEAD = (NOW + timedelta(days=3_650)).isoformat()
Program = Callable[..., TestClient]

ODD = (
    None, True, 0, -1, 1.5, 10**30, "", "x", "\x00", "\ud800", [], ["a"], [[]], {}, {"a": 1}, {"base64": "AAAA"},
    "2026-01-01T00:00", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00",
)  # fmt: skip
SOUND: dict[str, Any] = {
    "review": REVIEW, "search": "s1", "name": "openalex", "source": "crossref", "text": "x", "what": "w", "words": "w",
    "reason": "r", "id": "i", "note": "n", "run": "r", "records": [], "people": [], "base_url": "http://x",
    "body": {"base64": "AAAA"}, "version": 1, "url": "http://x", "attempt": 1, "outcome": "ok", "record": "r1",
    "origin": "o",
}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {
    "take_open_copy": {"version": "published version"},
    "take_assistant_answer": {
        "record_version": 1,
        "protocol": "0" * 64,
        "prompt": "criteria-1",
        "title": "T",
        "abstract": "A",
        "sent": '{"model": "m"}',
        "seconds": 1.0,
        "problem": "p",
    },
}


def sound_of(operation: str) -> dict[str, Any]:
    """Values that the operation takes."""
    names = BY_OPERATION[operation].model_fields
    sound = {name: value for name, value in SOUND.items() if name in names}
    return sound | OWN.get(operation, {})


@pytest.fixture
def program(app: FastAPI, reviewed: Store, protocol: str) -> Program:
    """program(review=…) is a program with a lead's token of every scope, for that review or for
    all.
    """
    surveil.register(reviewed, text=protocol.replace(REVIEW, OTHER), now=NOW)
    team.add_account(reviewed, name="lena", role="lead", secret=secret_of("lena"), now=NOW)

    def make(review: str | None = None) -> TestClient:
        secret = f"lr_{review}-{'x' * 40}"
        asked: dict[str, Any] = {
            "account": "lena",
            "label": "x",
            "secret": secret,
            "by": "test",
            "now": NOW,
        }
        team.add_token(reviewed, scopes=tuple(Scope), review=review, **asked)
        return TestClient(app, headers={"Authorization": f"Bearer {secret}"})

    return make


def answer(http: TestClient, operation: str, **arguments: Any) -> tuple[int, str]:
    reply = http.post(f"/api/ops/{operation}", content=json.dumps(arguments))
    return reply.status_code, reply.text


@pytest.mark.parametrize("operation", sorted(door.ACTS))
def test_no_odd_value_is_met_as_a_bug(operation: str, program: Program) -> None:
    http = program()
    names = list(BY_OPERATION[operation].model_fields)
    sound = sound_of(operation)
    bugs = {}
    for name in names:
        for odd in ODD:
            status, words = answer(http, operation, **{**sound, name: odd})
            if status >= 500:
                bugs[name, repr(odd)] = words

    assert bugs == {}


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"review":' * 50_000, '{"review": NaN}', '{"review": 1e999}']
)
def test_a_body_that_no_program_sends_is_refused(body: str, program: Program) -> None:
    assert program().post("/api/ops/status", content=body).status_code == 422


def test_a_value_of_another_kind_is_named() -> None:
    with pytest.raises(Refused, match=r"status: review must be a valid string, not \['a'\]"):
        decode(ReadStatus, {"review": ["a"]})
    with pytest.raises(Refused, match="review: character 1 is half of one"):
        decode(ReadStatus, {"review": "\ud800"})
    with pytest.raises(Refused, match=r"now: .* is not between 1900 and 2200"):
        decode(ReadStatus, {"now": "9999-12-31T23:00+00:00"})


# A token's clock


@pytest.mark.parametrize("operation", sorted(door.ACTS))
def test_a_token_can_not_choose_the_time(operation: str, program: Program) -> None:
    status, words = answer(program(), operation, **sound_of(operation), now=YEARS_AHEAD)

    assert status == 422 and "this token says" in words


def test_a_lost_token_stops_no_later_night(program: Program, reviewed: Store) -> None:
    http = program(REVIEW)
    for number in (0, 1):
        asked = {
            "review": REVIEW,
            "name": "openalex",
            "search": f"ahead{number}",
            "clock_is_right": True,
        }
        later = (NOW + timedelta(days=400 + number)).isoformat()
        assert answer(http, "begin", **asked, now=later)[0] == 422
    surveil.begin(reviewed, review=REVIEW, name="openalex", search="honest", now=NOW)


def test_a_night_lost_in_the_future_is_refused(program: Program) -> None:
    asked = {"review": REVIEW, "what": "w", "reason": "r"}
    assert answer(program(), "lose_night", **asked, due=YEARS_AHEAD)[0] == 422
    assert (
        answer(program(REVIEW), "lose_night", **asked, due=(NOW - timedelta(days=90)).isoformat())[
            0
        ]
        == 200
    )


def test_the_owner_s_own_secret_says_any_time(app: FastAPI, reviewed: Store) -> None:
    http = TestClient(app, headers={"Authorization": "Bearer owner-token"})
    assert answer(http, "status", now=YEARS_AHEAD)[0] == 200


# Ids


def test_an_id_of_another_search_is_not_begun_again(reviewed: Store, protocol: str) -> None:
    surveil.register(reviewed, text=protocol.replace(REVIEW, OTHER), now=NOW)
    asked: dict[str, Any] = {"name": "openalex", "search": "s", "now": NOW}
    surveil.begin(reviewed, review=REVIEW, **asked)
    surveil.begin(reviewed, review=REVIEW, **asked)  # sent again
    with pytest.raises(Refused, match="the id 's' is taken by another search"):
        surveil.begin(reviewed, review=OTHER, **asked)
    with pytest.raises(Refused, match="the id 's' is taken by another search"):
        recheck.begin_lookup(reviewed, review=REVIEW, source="crossref", search="s", now=NOW)


# Lost nights


def test_many_lost_nights_are_a_few_alarms(reviewed: Store) -> None:
    for number in range(nights.TOLD_AT_MOST + 30):
        nights.lose_night(
            reviewed, review=REVIEW, what=f"w{number}" + "x" * 9_000, reason="r", now=NOW
        )
    with reviewed.read() as con:
        rules = protocols.protocol(con, REVIEW)
        history = nights.histories(con, [REVIEW])[REVIEW]
    alarms = nights.alarms(rules, nights.Begun({}, None), history, NOW)
    lost = [alarm for alarm in alarms if "did not begin" in alarm]
    assert (
        len(lost) == nights.TOLD_AT_MOST + 1 and "30 other nights did not begin either" in lost[-1]
    )
    assert max(map(len, lost)) < 500


def test_a_night_of_no_review_is_refused(reviewed: Store) -> None:
    with pytest.raises(Refused, match="unknown review 'nowhere'; this database has: small-review"):
        nights.lose_night(reviewed, review="nowhere", what="w", reason="r", now=NOW)


def test_a_lost_night_that_is_refused_stops_no_other(reviewed: Store, tmp_path: Path) -> None:
    home = tmp_path / "flows"
    for name, review in (("a", "nowhere"), ("b", REVIEW)):
        owner.keep(home, LoseNight(id=name, review=review, what="w", reason="r", due=NOW))

    assert owner.deliver(home, OpenStore(reviewed)) == 1
    assert owner.deliver(home, OpenStore(reviewed)) == 0
    assert [path.name for path in (home / owner.UNDELIVERED).iterdir()] == ["a.refused"]
