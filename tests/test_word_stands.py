"""What a person said stands as they said it, whoever else does what beside them: merges, leads,
forms, browsers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from livereview import ops
from livereview.errors import Refused
from livereview.ops import protocols, retrieval
from livereview.ops.screen import Arrived
from livereview.ops.team import add_account
from livereview.store import queues, standings
from livereview.store.open import Store
from livereview.store.queues import Candidate, Head
from livereview.store.retrieval import Entry
from livereview.store.standings import Standing
from livereview.web.leases import Journal, Leases
from tests.conftest import NOW, REVIEW, Browser, article, found, secret_of
from tests.test_ops import decide

People = Callable[..., Browser]
PLACE = (REVIEW, "title_abstract")
SCREEN = f"/r/{REVIEW}/screen/title_abstract"
TAKEN = {"review": REVIEW, "stage": "title_abstract", "person": "ada", "act": "take", "report": "r"}
RECORD = re.compile(r'name="record" value="([^"]+)"')


def team(store: Store, *names: str, role: str = "reviewer") -> None:
    for name in names:
        add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)


def at_full_text(store: Store, number: int) -> list[str]:
    """So many reports that ada and bo have sent on to full text."""
    records = found(store, *(article(n) for n in range(number)))
    for record in records:
        for person in ("ada", "bo"):
            decide(store, record, person, "include")
    return records


def can_not_get(store: Store, record: str, person: str, **more: Any) -> dict[str, Any]:
    return decide(store, record, person, "not_retrieved", stage="full_text", waiting=True, **more)


def merge(store: Store, left: str, right: str, verdict: str = "same") -> None:
    ops.screen.judge(
        store,
        id=f"{verdict}{left}",
        left=left,
        right=right,
        verdict=verdict,
        person="lena",
        now=NOW,
    )


def stands(store: Store) -> list[Standing]:
    with store.read() as con:
        return standings.all_of(con, REVIEW)


def to_be_retrieved(store: Store) -> list[Entry]:
    with store.read() as con:
        return retrieval.entries(con, protocols.protocol(con, REVIEW))


def waiting(store: Store, person: str, stage: str) -> list[str]:
    with store.read() as con:
        return queues.waiting_for(con, protocols.protocol(con, REVIEW), person, stage)


# Leads who see votes


@pytest.mark.parametrize("back", [False, True])
def test_who_could_see_the_votes_on_a_record_does_not_change_their_own(
    reviewed: Store, back: bool
) -> None:
    (record,) = found(reviewed, article(1))
    team(reviewed, "ada")
    team(reviewed, "lena", role="lead")
    decide(reviewed, record, "lena", "include", id="lena-1", waiting=True)
    ops.team.screens(reviewed, id="out", review=REVIEW, account="lena", screens=False, now=NOW)
    decide(reviewed, record, "ada", "exclude", waiting=True)
    if back:
        ops.team.screens(reviewed, id="back", review=REVIEW, account="lena", screens=True, now=NOW)
    with pytest.raises(Refused, match="you could see the votes"):
        decide(reviewed, record, "lena", "exclude", id="lena-2", waiting=True, instead="lena-1")
    assert [one.state for one in stands(reviewed)] == ["conflict"]


def test_a_lead_who_came_back_changes_what_they_say_of_new_records(reviewed: Store) -> None:
    team(reviewed, "ada")
    team(reviewed, "lena", role="lead")
    for screens in (False, True):
        ops.team.screens(
            reviewed, id=str(screens), review=REVIEW, account="lena", screens=screens, now=NOW
        )
    (record,) = found(reviewed, article(1))
    decide(reviewed, record, "lena", "include", id="lena-1", waiting=True)
    answer = decide(
        reviewed, record, "lena", "exclude", id="lena-2", waiting=True, instead="lena-1"
    )
    assert answer["stands"] and not answer["known"]


# Forms


def test_a_form_says_one_thing_of_one_record(reviewed: Store) -> None:
    first, second = at_full_text(reviewed, 2)
    can_not_get(reviewed, first, "ada", id="form")
    with pytest.raises(Arrived, match="not_retrieved had arrived"):
        decide(reviewed, first, "ada", "include", stage="full_text", id="form", waiting=True)
    with pytest.raises(Refused, match="used for another record"):
        can_not_get(reviewed, second, "ada", id="form")
    assert second in waiting(reviewed, "ada", "full_text")


def test_a_form_is_used_for_one_record_only(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(SCREEN)
    action, fields = ada.form("Include")
    ada.press("Include")
    other = ada.form("Include")[1] | {"form": fields["form"]}
    ada.page = ada.http.post(action, data=other)
    assert ada.page.status_code == 422 and "used for another record" in ada.page.text
    assert ada.form("Include")[1]["record"] == other["record"], "it is still there to be decided"
    assert "Included" in ada.press("Include")


def test_what_somebody_tried_can_be_said_again_in_other_words(reviewed: Store) -> None:
    (record,) = at_full_text(reviewed, 1)
    can_not_get(reviewed, record, "ada", id="one", note="asked the library")
    can_not_get(reviewed, record, "ada", id="two", note="wrote to the author", instead="one")
    (entry,) = to_be_retrieved(reviewed)
    assert [request.note for request in entry.requests] == ["wrote to the author"]


# Merges


def test_who_voted_on_one_of_two_merged_records_does_not_seek_the_other(reviewed: Store) -> None:
    left, right = at_full_text(reviewed, 2)
    team(reviewed, "ada", "bo")
    can_not_get(reviewed, left, "ada")
    decide(reviewed, right, "ada", "include", stage="full_text", waiting=True)
    merge(reviewed, left, right)
    assert to_be_retrieved(reviewed) == [], "ada has it"
    can_not_get(reviewed, right, "bo")
    assert [one.state for one in stands(reviewed)] == ["half"], (
        "one person can't get it, and one has read it"
    )
    (entry,) = to_be_retrieved(reviewed)
    assert [request.person for request in entry.requests] == ["bo"] and not entry.final
    merge(reviewed, left, right, "different")
    assert sorted(one.state for one in stands(reviewed)) == ["half", "open"]


def test_requests_for_two_merged_records_are_one_list_and_come_apart_again(reviewed: Store) -> None:
    left, right = at_full_text(reviewed, 2)
    team(reviewed, "ada", "bo")
    can_not_get(reviewed, left, "ada")
    can_not_get(reviewed, right, "bo")
    merge(reviewed, left, right)
    assert [one.state for one in stands(reviewed)] == ["not_retrieved"]
    for person in ("ada", "bo"):
        decide(reviewed, right, person, "withdrawn", stage="full_text")
    assert [one.report_id for one in stands(reviewed)] == waiting(reviewed, "ada", "full_text")
    merge(reviewed, left, right, "different")
    assert [one.state for one in stands(reviewed)] == ["open", "open"]


# The file of the leases


def look(question: object) -> Head:
    return Head((Candidate("r", 0),), (), 1, 0)


@pytest.mark.parametrize(
    "line",
    [
        "12",
        "null",
        "[]",
        "\0\0\0",
        json.dumps({"review": REVIEW}),
        json.dumps(TAKEN),
        json.dumps(TAKEN | {"at": "yesterday"}),
        json.dumps(TAKEN | {"at": "2026-03-02T09:00:00"}),
        json.dumps(TAKEN | {"at": NOW.isoformat(), "person": ["ada"]}),
        json.dumps(TAKEN | {"at": NOW.isoformat(), "act": "steal"}),
    ],
)
def test_a_damaged_line_is_left_out_and_the_others_count(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.leases"
    good = json.dumps(TAKEN | {"at": NOW.isoformat()})
    path.write_text(f"{line}\n{good}\n", encoding="utf-8")
    leases = Leases(Journal(path))
    assert leases.take(PLACE, "bo", NOW, 1, look).report is None, "ada has it"


@pytest.mark.parametrize("name", ["x.leases", "x.leases.new"])
def test_a_file_of_leases_that_is_none_stops_nobody(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    leases = Leases(Journal(tmp_path / "x.leases"))
    assert leases.take(PLACE, "ada", NOW, 1, look).report == "r"


def test_a_lease_of_a_clock_that_was_wrong_holds_nothing() -> None:
    leases = Leases()
    leases.take(PLACE, "ada", NOW + timedelta(days=400), 1, look)
    assert leases.take(PLACE, "bo", NOW, 1, look).report == "r"


# Two browsers of one person


def test_signing_out_in_one_browser_leaves_the_other_as_it_was(
    reviewed: Store, app: FastAPI, browser: People
) -> None:
    found(reviewed, *(article(number) for number in range(4)))
    here, there = browser("ada"), Browser(app, secret_of("ada"))
    (skipped,) = RECORD.findall(there.get(SCREEN))
    (shown,) = RECORD.findall(there.get(f"{SCREEN}?skip={skipped}"))
    here.get("/")
    here.press("Sign out")
    assert RECORD.findall(there.get(SCREEN)) == [shown]
    there.get("/")
    there.press("Sign out")
    again = Browser(app, secret_of("ada"))
    assert RECORD.findall(again.get(SCREEN)) == [skipped], (
        "who is out everywhere has skipped nothing"
    )
    for one in (there, again):
        one.http.close()
