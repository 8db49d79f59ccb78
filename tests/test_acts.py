"""Acts that undo others' work say first what they do, are confirmed, stand in a log, and can be
taken back.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from livereview import ops
from livereview.cli import terminal
from livereview.errors import Refused
from livereview.evidence.falls import is_large_fall
from livereview.ops import evidence, publish, surveil, team
from livereview.ops.acts import EffectChanged
from livereview.screening.settled import SLIP, is_the_teams
from livereview.screening.states import Place
from livereview.settings import Settings
from livereview.store import accounts, matches
from livereview.store.open import Store
from livereview.store.writer import JobConnection
from tests.conftest import NOW, REVIEW, Browser, Forms, OpenStore, article, found, secret_of
from tests.test_ops import form
from tests.test_ops_as_of import extract
from tests.test_rejudge import by_older_rules
from tests.test_web_screen import vote

People = Callable[..., Browser]
BASE = f"/r/{REVIEW}"
ACTS, TEAM, HISTORY = f"{BASE}/acts", f"{BASE}/team", f"{BASE}/history"
YES, BACK = "Yes, do this", "Take it back"
STAGES = ("title_abstract", "full_text")
LATER = NOW + timedelta(days=1)


def include(store: Store, *records: str) -> None:
    for record in records:
        for stage in STAGES:
            for person in ("ada", "bo"):
                vote(store, record, person, "include", stage)


def state(store: Store) -> dict[str, list[Any]]:
    """All that counts: where reports stand, the decisions in force by their words, the studies, the
    reports.
    """
    questions = {
        "standings": "SELECT review, report_id, stage, votes, state FROM screening_state ORDER BY ALL",
        "decisions": """SELECT record_id, stage, reviewer, role, verdict, reason, note, tags, criteria_version,
            rank, model FROM current_decision ORDER BY ALL""",
        "studies": "SELECT review, study, report_id FROM current_study ORDER BY ALL",
        "reports": "SELECT record_id, report_id FROM report WHERE record_id <> report_id ORDER BY ALL",
        "reopened": "SELECT review, report_id, stage FROM reopened ORDER BY ALL",
    }
    with store.read() as con:
        return {name: con.execute(question).fetchall() for name, question in questions.items()}


def widen(store: Store, protocol: str) -> None:
    """Put criteria in force under which every decision may turn."""
    wider = protocol.replace('version = "2026-01"', 'version = "2026-02"').replace(
        "under 18", "under 25"
    )
    surveil.register(store, text=wider, now=NOW)


def act(store: Store, kind: str, given: dict[str, str], **more: Any) -> dict[str, Any]:
    asked = {"id": uuid4().hex, "review": REVIEW, "author": "lena", "now": NOW, **more}
    return ops.acts.carry_out(store, kind=kind, given=given, **asked)


def preview(store: Store, kind: str, given: dict[str, str], **more: Any) -> dict[str, Any]:
    return ops.acts.preview(store, kind=kind, review=REVIEW, given=given, now=NOW, **more)


def back(store: Store, done: dict[str, Any]) -> dict[str, Any]:
    return ops.acts.take_back(
        store, id=uuid4().hex, act=done["act"], review=REVIEW, author="lena", now=NOW
    )


@pytest.fixture
def three(reviewed: Store) -> list[str]:
    """Three included reports."""
    ids = found(reviewed, *(article(number) for number in (1, 2, 3)))
    include(reviewed, *ids)
    return ids


# Each act: preview changes nothing, the act does what was shown, taking it back restores what stood


def extracted(store: Store, record: str) -> None:
    result = {
        "outcome": "attendance",
        "construct": "x",
        "direction": "favours_intervention",
        "n": 40,
    }
    filled = form(
        study="doe-2020", label="Doe", reports=[record], results=[result], participants=40
    )
    evidence.extract(store, id="e", review=REVIEW, data=filled, extractor="ada", now=NOW)


def decide_again(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    widen(store, protocol)
    return "decide_again", {"version": "2026-01", "stage": "title_abstract"}


def regroup(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    extracted(store, ids[0])
    return "regroup", {"record": ids[0]}


def split(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    left, right = sorted(ids[:2])
    asked = {
        "id": "pair",
        "left": left,
        "right": right,
        "verdict": "same",
        "person": "ada",
        "now": NOW,
    }
    ops.screen.judge(store, **asked)
    return "judge", {"left": left, "right": right, "verdict": "different"}


def join(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    (other,) = found(store, article(9), search="s9")
    for person in ("ada", "bo"):
        vote(store, other, person, "exclude")
    return "judge", {"left": ids[0], "right": other, "verdict": "same"}


def take_back_word(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    extracted(store, ids[0])
    return "take_back_word", {"record": ids[0], "stage": "title_abstract", "reviewer": "bo"}


def close_account(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    team.add_account(store, name="bo", role="reviewer", secret=secret_of("bo"), now=NOW)
    (other,) = found(store, article(9), search="s9")
    vote(store, other, "bo", "exclude", note="not young people", reason="wrong-population")
    return "close_account", {"name": "bo"}


def stop_reading(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    found(store, *(article(number) for number in range(20, 25)), search="s9")
    return "stop_reading", {}


def judge_again(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    titles = ("Home visits: type I", "Home visits: type II")
    records = [article(30 + n, title=title, doi=None) for n, title in enumerate(titles)]
    by_older_rules(store, *found(store, *records, search="s9"), "same")
    return "judge_again", {}


def narrow_protocol(store: Store, ids: list[str], protocol: str) -> tuple[str, dict[str, str]]:
    return "protocol", {"text": protocol.replace("votes = 2", "votes = 3")}


@pytest.mark.parametrize(
    "prepare",
    [
        decide_again,
        regroup,
        split,
        join,
        take_back_word,
        close_account,
        stop_reading,
        judge_again,
        narrow_protocol,
    ],
)
def test_an_act_does_what_it_said_and_taking_it_back_restores_what_stood(
    reviewed: Store, three: list[str], protocol: str, prepare: Any
) -> None:
    kind, given = prepare(reviewed, three, protocol)
    before = state(reviewed)
    told = preview(reviewed, kind, given, reason="because")
    assert told["lines"] and state(reviewed) == before, "a preview changes nothing"
    done = act(reviewed, kind, given, shown=told["shown"], reason="because")
    assert done["lines"] == told["lines"]
    if kind != "stop_reading":
        assert state(reviewed) != before
    back(reviewed, done)
    assert state(reviewed) == before
    with pytest.raises(Refused, match="taken back already, by lena"):
        back(reviewed, done)
    (logged,) = ops.acts.listing(reviewed, review=REVIEW, now=NOW)["acts"]
    assert (logged["kind"], logged["author"], logged["reason"]) == (kind, "lena", "because")
    assert logged["taken_back"]["author"] == "lena"


def test_an_effect_is_told_in_numbers_titles_and_public_sentences(
    reviewed: Store, three: list[str], protocol: str
) -> None:
    extracted(reviewed, three[0])
    told = preview(reviewed, *decide_again(reviewed, three, protocol))
    assert "Decisions that count no more: 6." in told["lines"]
    assert "Included reports: 3 before, 0 after." in told["lines"]
    assert "Studies on the public page: 1 before, 0 after." in told["lines"]
    assert (
        "6 decisions at full text are kept, and count again when the report goes on again."
        in told["lines"]
    )
    assert any("Trial 2 of mentoring" in line for line in told["lines"])
    (one,) = told["reviews"]
    assert one["change"] == "now_shows" and one["sentences"][0]["before"]


def test_a_confirmation_of_what_is_no_longer_so_does_nothing(
    reviewed: Store, three: list[str], protocol: str
) -> None:
    kind, given = decide_again(reviewed, three, protocol)
    told = preview(reviewed, kind, given)
    ops.screen.decide(
        reviewed,
        id="w",
        review=REVIEW,
        record=three[0],
        stage="full_text",
        reviewer="bo",
        verdict="withdrawn",
        now=NOW,
    )
    before = state(reviewed)
    with pytest.raises(EffectChanged) as changed:
        act(reviewed, kind, given, shown=told["shown"])
    assert (
        "Included reports: 2 before, 0 after." in changed.value.told["lines"]
        and state(reviewed) == before
    )
    act(reviewed, kind, given, shown=changed.value.told["shown"])


def test_a_page_whose_effect_has_changed_is_shown_again_and_nothing_is_done(
    reviewed: Store, three: list[str], protocol: str, browser: People
) -> None:
    kind, given = decide_again(reviewed, three, protocol)
    lena = browser("lena", "lead")
    page = lena.get(f"{BASE}/act?kind={kind}&version={given['version']}&stage={given['stage']}")
    assert "Included reports: 3 before, 0 after." in page
    ops.screen.decide(
        reviewed,
        id="w",
        review=REVIEW,
        record=three[0],
        stage="full_text",
        reviewer="bo",
        verdict="withdrawn",
        now=NOW,
    )
    before = state(reviewed)
    page = lena.press(YES, reason="typed with care")
    assert lena.page.status_code == 409 and "would do something else by now" in page
    assert (
        "Included reports: 2 before, 0 after." in page
        and "typed with care" in page
        and state(reviewed) == before
    )
    assert "<strong>Done</strong>" in lena.press(YES) and state(reviewed) != before


def test_the_same_act_sent_twice_is_done_once(
    reviewed: Store, three: list[str], protocol: str
) -> None:
    kind, given = decide_again(reviewed, three, protocol)
    assert not act(reviewed, kind, given, id="a")["known"]
    first = state(reviewed)
    assert act(reviewed, kind, given, id="a")["known"] and state(reviewed) == first
    assert len(ops.acts.listing(reviewed, review=REVIEW, now=NOW)["acts"]) == 1


def test_what_was_decided_since_stays_when_the_act_is_taken_back(
    reviewed: Store, three: list[str], protocol: str
) -> None:
    done = act(reviewed, *decide_again(reviewed, three, protocol))
    ops.screen.decide(
        reviewed,
        id="n",
        review=REVIEW,
        record=three[0],
        stage=STAGES[0],
        reviewer="ada",
        verdict="exclude",
        now=NOW,
    )
    told = back(reviewed, done)
    assert "1 of 3 reports stay as they are: somebody has decided on them since." in told["lines"]
    with reviewed.read() as con:
        rows = con.execute(
            "SELECT report_id, state FROM screening_state ORDER BY seq, report_id"
        ).fetchall()
    assert dict(rows) == {three[0]: "half", three[1]: "included", three[2]: "included"}


def test_a_link_comes_back_with_what_the_two_are_to_each_other(
    reviewed: Store, three: list[str]
) -> None:
    left, right = sorted(three[:2])
    word = {"left": left, "right": right, "person": "ada", "now": NOW}
    ops.screen.judge(reviewed, id="link", verdict="linked", link="thesis", **word)
    done = act(reviewed, "judge", {"left": left, "right": right, "verdict": "same"})
    back(reviewed, done)
    with reviewed.read() as con:
        assert matches.linked(con, left) == {right: "thesis"}


def test_decisions_can_be_made_again_twice(
    reviewed: Store, three: list[str], protocol: str
) -> None:
    kind, given = decide_again(reviewed, three, protocol)
    back(reviewed, act(reviewed, kind, given))
    told = act(reviewed, kind, given)
    assert "Decisions that count no more: 6." in told["lines"]


def test_an_act_asks_a_fixed_number_of_questions_however_many_reports_it_moves(
    reviewed: Store, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the writer in hand while it asks."""
    plain = JobConnection.execute
    asked: list[str] = []

    def counted(self: JobConnection, statement: str, values: object = None) -> Any:
        asked.append(statement)
        return plain(self, statement, values)

    def questions(kind: str, given: dict[str, str]) -> int:
        asked.clear()
        preview(reviewed, kind, given)
        return len(asked)

    counts: dict[int, tuple[int, ...]] = {}
    few = found(reviewed, *(article(number) for number in range(1, 4)))
    more = found(reviewed, *(article(number) for number in range(4, 16)))
    monkeypatch.setattr(JobConnection, "execute", counted)
    team.add_account(
        reviewed, name="cy", role="reviewer", secret=secret_of("cy"), now=NOW, reviews=[]
    )
    for settled, alone in ((few[:2], few[2:]), (more[:6], more[6:])):
        for record in settled:
            vote(reviewed, record, "ada", "exclude", reason="wrong-population")
            vote(reviewed, record, "bo", "exclude", reason="wrong-population")
        for record in alone:
            vote(reviewed, record, "cy", "include")
        chosen = {"records": ",".join(settled), "stage": STAGES[0]}
        counts[len(settled)] = (
            questions("reopen_chosen", chosen),
            questions("close_account", {"name": "cy"}),
        )
    assert counts[2] == counts[6]


# Accounts


def test_sole_votes_come_back_with_the_account_as_they_were(reviewed: Store) -> None:
    one, two = found(reviewed, article(1), article(2))
    team.add_account(
        reviewed, name="bo", role="reviewer", secret=secret_of("bo"), now=NOW, reviews=[]
    )
    vote(reviewed, one, "bo", "exclude", note="adults", reason="wrong-population")
    vote(reviewed, two, "bo", "include")
    before = state(reviewed)
    team.close_account(reviewed, name="bo", now=NOW)
    assert state(reviewed) != before
    team.add_account(reviewed, name="bo", role="reviewer", secret=secret_of("bo"), now=NOW)
    assert state(reviewed) == before
    team.close_account(reviewed, name="bo", now=NOW)
    for person in ("ada", "cy"):
        vote(reviewed, two, person, "exclude")
    done = team.add_account(reviewed, name="bo", role="reviewer", secret=secret_of("bo"), now=NOW)
    assert done["votes_back"] == 1, "a report that has all its votes by now takes no third one"


def test_opening_again_shows_role_and_reviews_as_they_were_and_says_what_changes(
    reviewed: Store, browser: People
) -> None:
    team.add_account(
        reviewed, name="bo", role="adjudicator", secret=secret_of("bo"), now=NOW, reviews=[]
    )
    team.close_account(reviewed, name="bo", now=NOW)
    lena = browser("lena", "lead")
    page = lena.get(f"{TEAM}?name=bo")
    assert "as it was: every review" in page and "<option selected>adjudicator" in page
    page = lena.press("See what this changes", reach="here")
    assert "May enter: every review before, small-review after." in page
    lena.get(TEAM)
    page = lena.press("Open again")
    assert "May enter: every review, as before." in page and "Role: adjudicator, as before." in page
    assert "bo begins with this link" in lena.press(YES)
    with reviewed.read() as con:
        account = accounts.open_one(con, "bo")
    assert account is not None and (account.role, account.reviews) == ("adjudicator", ())


def test_a_secret_is_shown_once_and_no_reload_or_double_click_makes_another(
    reviewed: Store, browser: People
) -> None:
    lena = browser("lena", "lead")
    lena.get(TEAM)
    action, fields = lena.form("Open it")
    sent = {**fields, "name": "eve", "role": "reviewer"}
    first = lena.http.post(action, data=sent, follow_redirects=False)
    assert first.status_code == 303 and first.headers["location"].endswith("/team/secret")
    again = lena.http.post(action, data=sent, follow_redirects=False)
    assert again.status_code == 303
    page = lena.get(again.headers["location"])
    (secret,) = re.findall(r"/invite/([\w-]{32})</code>", page)
    assert lena.page.headers["cache-control"] == "no-store"
    assert (
        secret not in lena.get(again.headers["location"])
        and "No invitation to show" in lena.page.text
    )
    assert "Your own secret, eve" in lena.http.post("/sign-in", data={"secret": secret}).text
    with reviewed.read() as con:
        rows = con.execute("SELECT count(*) FROM account WHERE name = 'eve'").fetchall()
        logged = con.execute("SELECT given, effect, undo FROM act").fetchall()
    assert rows == [(1,)] and secret not in str(logged)


def test_closing_is_confirmed_logged_and_taken_back_by_one_click(
    reviewed: Store, browser: People
) -> None:
    bo, lena = browser("bo"), browser("lena", "lead")
    lena.get(TEAM)
    forms = Forms(lena.page.text).all
    close = next(
        form for form in forms if "Close" in form["buttons"] and form["fields"].get("name") == "bo"
    )
    lena.page = lena.http.post(close["action"], data={**close["fields"], "act": "close"})
    assert (
        "bo can&#39;t sign in any more." in lena.page.text
        and "1 open session end" in lena.page.text
    )
    assert bo.http.get("/", follow_redirects=False).status_code == 200, "nothing is done yet"
    page = lena.press(YES, reason="left the team")
    assert "<strong>Done</strong>: Close the account bo" in page and "left the team" in page
    assert lena.http.post("/sign-in", data={"secret": secret_of("bo")}).status_code == 401
    assert "<strong>Taken back</strong>: Close the account bo" in lena.press(BACK)
    assert Browser(lena.http.app, secret_of("bo")).page.status_code == 200  # type: ignore[arg-type]


# What the team has settled


def test_a_reviewer_asks_for_what_an_included_report_rests_on_and_both_are_told(
    reviewed: Store, three: list[str], browser: People
) -> None:
    extracted(reviewed, three[0])
    bo, lena = browser("bo"), browser("lena", "lead")
    before = state(reviewed)
    for stage in STAGES:
        bo.get(HISTORY)
        forms = Forms(bo.page.text).all
        undo = next(
            one
            for one in forms
            if "Undo" in one["buttons"]
            and (one["fields"]["record"], one["fields"]["stage"]) == (three[0], stage)
        )
        bo.page = bo.http.post(undo["action"], data=undo["fields"])
        assert "Ask the lead" in bo.page.text and state(reviewed) == before
    assert bo.press("Ask the lead", reason=" ").count("say why") == 1 and bo.page.status_code == 422
    page = bo.press("Ask the lead", reason="It is a conference poster")
    assert "Waits for a lead" in page and "conference poster" in page and state(reviewed) == before
    assert "1 request waits</strong> for a lead" in lena.get(BASE).replace(
        " for a lead</strong>", "</strong> for a lead"
    )
    page = lena.get(ACTS)
    assert "bo, 2026-03-02 09:00 UTC" in page and "conference poster" in page
    (link,) = re.findall(r'href="([^"]*request=[^"]*)"', page)
    page = lena.get(link)
    assert "Included reports: 3 before, 2 after." in page and "Trial 1 of mentoring" in page
    lena.press("Decline", note="The full paper has the same data")
    assert state(reviewed) == before
    page = bo.get(HISTORY)
    assert "Declined</strong> by lena" in page and "same data" in page


def test_a_lead_accepts_a_request_and_nothing_dangles(
    reviewed: Store, three: list[str], browser: People
) -> None:
    extracted(reviewed, three[0])
    bo, lena = browser("bo"), browser("lena", "lead")
    before = state(reviewed)
    bo.get(f"{BASE}/act?kind=take_back_word&record={three[0]}&stage=title_abstract")
    bo.press("Ask the lead", reason="Adults only")
    (link,) = re.findall(r'href="([^"]*request=[^"]*)"', lena.get(ACTS))
    page = lena.get(link)
    assert "3 decisions at full text" not in page and "2 decisions at full text are kept" in page
    assert "What was extracted is kept" in page
    assert "<strong>Done</strong>: Take back the decision of bo" in lena.press(YES, reason="agreed")
    assert "Accepted</strong> by lena" in bo.get(HISTORY)
    with reviewed.read() as con:
        row = con.execute(
            "SELECT stage, state FROM screening_state WHERE report_id = ?", [three[0]]
        ).fetchall()
        grouped = con.execute(
            "SELECT count(*) FROM to_extract WHERE report_id = ?", [three[0]]
        ).fetchall()
    assert row == [("title_abstract", "half")] and grouped == [(0,)]
    assert "Trial 1" in bo.get(f"{BASE}/screen/title_abstract"), "it waits for bo again"
    lena.get(ACTS)
    lena.press(BACK)
    assert state(reviewed) == before


def test_a_vote_of_a_settled_report_is_not_changed_by_the_back_door(
    reviewed: Store, three: list[str], browser: People
) -> None:
    """Neither by a decision instead of the one in force, nor by the mouth of somebody who may not."""
    with pytest.raises(ops.screen.TeamsOutcome):
        ops.screen.decide(
            reviewed,
            id="x",
            review=REVIEW,
            record=three[0],
            stage="title_abstract",
            reviewer="bo",
            verdict="exclude",
            now=NOW,
            waiting=True,
            instead=f"bo/{three[0]}/title_abstract/include",
            settled_stays=True,
        )
    bo, ada = browser("bo"), browser("ada")
    page = bo.get(
        f"{BASE}/act?kind=take_back_word&record={three[0]}&stage=title_abstract&reviewer=ada"
    )
    _, fields = bo.form("Ask the lead")
    told = re.sub(r"[0-9a-f]{20,}", "", page.split("<main")[1])  # ids may hold any name of a-f
    assert fields["reviewer"] == "bo" and "ada" not in told
    bo.press("Ask the lead", reason="x", reviewer="ada")
    with reviewed.read() as con:
        (given,) = con.execute("SELECT given FROM act_request").fetchall()[0]
    assert json.loads(given)["reviewer"] == "bo"
    (request,) = re.findall(r'name="request" value="([^"]+)"', bo.get(HISTORY))
    csrf = ada.form("Sign out")[1]["csrf"] if "Sign out" in ada.page.text else ""
    answer = ada.http.post(f"{BASE}/ask/forget", data={"csrf": csrf, "request": request})
    assert answer.status_code == 403
    for kind in ("decide_again", "close_account", "withdraw"):
        assert ada.http.get(f"{BASE}/act?kind={kind}&name=bo&version=1").status_code == 403


def test_a_slip_of_the_finger_is_taken_back_at_once(reviewed: Store, browser: People) -> None:
    (one,) = found(reviewed, article(1))
    vote(reviewed, one, "bo", "exclude")
    vote(reviewed, one, "ada", "exclude")
    ada, bo = browser("ada"), browser("bo")
    bo.get(HISTORY)
    assert "Ask the lead" in bo.press("Undo"), "ada has spoken since"
    ada.get(HISTORY)
    assert "Ask the lead" not in ada.press("Undo")


INCLUDED, EXCLUDED = Place("full_text", 2, "included"), Place("title_abstract", 2, "excluded")
HALF = Place("title_abstract", 1, "half")


@pytest.mark.parametrize(
    ("before", "after", "said_last", "teams"),
    [
        (INCLUDED, HALF, NOW, True),
        (INCLUDED, Place("full_text", 3, "included"), None, False),
        (EXCLUDED, HALF, NOW, False),
        (EXCLUDED, HALF, NOW - SLIP - timedelta(seconds=1), True),
        (EXCLUDED, HALF, None, True),
        (Place("full_text", 0, "open"), HALF, None, True),
        (Place("title_abstract", 2, "conflict"), HALF, None, False),
        (HALF, Place("title_abstract", 0, "open"), None, False),
    ],
)
def test_what_is_the_teams(before: Place, after: Place, said_last: Any, teams: bool) -> None:
    assert is_the_teams(before, after, STAGES, "title_abstract", said_last, NOW) == teams


def test_a_study_leaves_by_no_reviewer_alone(
    reviewed: Store, three: list[str], browser: People
) -> None:
    extracted(reviewed, three[0])
    ada = browser("ada")
    before = state(reviewed)
    ada.get(f"{BASE}/evidence")
    page = ada.press("Take out")
    assert "Ask the lead" in page and "Yes, do this" not in page
    shown = preview(reviewed, "regroup", {"record": three[0]})["shown"]
    fields = {**ada.form("Ask the lead")[1], "shown": shown}
    answer = ada.http.post(f"{BASE}/evidence/group", data=fields)
    assert "Ask the lead" in answer.text and state(reviewed) == before


def test_no_extraction_form_takes_a_report_out_of_another_study_unseen(
    reviewed: Store, three: list[str], browser: People
) -> None:
    extracted(reviewed, three[0])
    ada = browser("ada")
    before = state(reviewed)
    ada.get(f"{BASE}/evidence/new?report={three[0]}")
    page = ada.press("Save", study="roe-2021", label="Roe", year="2021")
    assert (
        ada.page.status_code == 422
        and "belongs to doe-2020; take it out of that study first" in page
    )
    assert state(reviewed) == before


def test_a_request_that_can_not_be_done_any_more_can_still_be_declined(
    reviewed: Store, three: list[str], browser: People
) -> None:
    bo, lena = browser("bo"), browser("lena", "lead")
    bo.get(f"{BASE}/act?kind=take_back_word&record={three[0]}&stage=title_abstract")
    bo.press("Ask the lead", reason="Adults only")
    ops.screen.decide(
        reviewed,
        id="gone",
        review=REVIEW,
        record=three[0],
        stage="title_abstract",
        reviewer="bo",
        verdict="withdrawn",
        now=NOW,
    )
    (link,) = re.findall(r'href="([^"]*request=[^"]*)"', lena.get(ACTS))
    page = lena.get(link)
    assert "has no word in force" in page and YES not in page
    lena.press("Decline", note="done already")
    assert "0 requests wait for you" in lena.get(ACTS)


# Large falls


@pytest.mark.parametrize(
    ("before", "after", "large"),
    [
        (10, 0, True),
        (1, 0, True),
        (0, 0, False),
        (10, 9, False),
        (10, 8, False),
        (8, 6, True),
        (9, 6, True),
        (4, 3, False),
        (4, 2, True),
        (2, 1, False),
        (3, 5, False),
        (1000, 751, False),
        (1000, 750, True),
    ],
)
def test_what_a_large_fall_is(before: int, after: int, large: bool) -> None:
    assert is_large_fall(before, after) == large


def test_a_large_fall_waits_for_a_name_though_no_conclusion_changes(
    reviewed: Store, three: list[str], protocol: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    kind, given = decide_again(reviewed, three, protocol)
    told = preview(reviewed, kind, given)
    assert told["reviews"][0]["held"] and told["reviews"][0]["change"] == "none"
    done = act(reviewed, kind, given)
    held = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    assert not held["new"] and held["held"]["reasons"][0]["before"] == "3 included reports."
    public = json.loads((site / REVIEW / "latest" / "summary.json").read_text("utf-8"))
    assert public["flow"]["included"] == 3
    back(reviewed, done)
    assert "held" not in publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)


def test_a_signed_fall_is_published(
    reviewed: Store, three: list[str], protocol: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    act(reviewed, *decide_again(reviewed, three, protocol))
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    publish.sign(reviewed, id="s", review=REVIEW, by="lena", now=NOW)
    assert publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)["new"]


def test_one_name_is_for_a_fall_and_the_finding_that_it_changes(
    reviewed: Store, three: list[str], protocol: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    extract(reviewed, 1, NOW)
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    latest = site / REVIEW / "latest" / "summary.json"
    before = latest.read_bytes()
    act(reviewed, *decide_again(reviewed, three, protocol))
    held = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)["held"]
    assert [one["class"] for one in held["reasons"]] == [
        "large fall",
        "large fall",
        "no longer supported",
    ]
    assert latest.read_bytes() == before, "the whole page waits"
    publish.sign(reviewed, id="s", review=REVIEW, by="lena", now=NOW)
    done = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    (finding,) = json.loads(latest.read_text("utf-8"))["findings"]
    assert (
        done["new"]
        and "held" not in done
        and finding["weighing"] is None
        and finding["studies"] == []
    )


def test_a_fall_after_the_signature_waits_for_another_name(
    reviewed: Store, three: list[str], protocol: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    extract(reviewed, 1, NOW)
    assert not publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)["held"]["whole"]
    publish.sign(reviewed, id="s", review=REVIEW, by="lena", now=NOW)
    act(reviewed, *decide_again(reviewed, three, protocol))
    held = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)["held"]
    assert held["whole"] and "large fall" in {one["class"] for one in held["reasons"]}


def test_a_page_that_waits_as_a_whole_says_so(
    reviewed: Store, three: list[str], protocol: str, tmp_path: Path, browser: People
) -> None:
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    act(reviewed, *decide_again(reviewed, three, protocol))
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    page = browser("lena", "lead").get(BASE)
    assert "The whole page waits for a name" in page and "all else is public already" not in page


def test_the_log_is_for_leads(app: FastAPI, browser: People) -> None:
    assert browser("ada").http.get(ACTS).status_code == 403
    assert "Nothing yet" in browser("lena", "lead").get(ACTS)


# The command line


def command(home: Path, *words: str, code: int = 0) -> str:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "LIVEREVIEW_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "livereview", *words],
        capture_output=True,
        text=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_command_line_says_first_asks_lists_and_takes_back(
    tmp_path: Path, protocol: str
) -> None:
    with Store(tmp_path / "livereview.duckdb") as store:
        surveil.register(store, text=protocol, now=NOW)
        include(store, *found(store, article(1), article(2)))
        (one,) = found(store, article(3), search="s3")
        team.add_account(
            store, name="bo", role="adjudicator", secret=secret_of("bo"), now=NOW, reviews=[REVIEW]
        )
        vote(store, one, "bo", "exclude")
    said = command(tmp_path, "account", "bo", "--close", code=2)
    assert "bo can't sign in any more." in said and "1 record has no vote but theirs" in said
    assert "nothing was done: say --yes to do it" in said
    command(tmp_path, "account", "bo", "--close", "--yes")
    said = command(tmp_path, "account", "bo", "--yes")
    assert "Role: adjudicator, as before." in said and "May enter: small-review, as before." in said
    (tmp_path / "review.toml").write_text(
        protocol.replace("votes = 2", "votes = 3"), encoding="utf-8"
    )
    said = command(tmp_path, "register", str(tmp_path / "review.toml"), code=2)
    assert "Included reports: 2 before, 0 after." in said and "say --yes" in said
    command(tmp_path, "register", "--yes", str(tmp_path / "review.toml"))
    listed = json.loads(command(tmp_path, "acts", "--review", REVIEW, "--json"))["acts"]
    assert [act["kind"] for act in listed] == ["protocol", "open_account", "close_account"]
    said = command(tmp_path, "acts", "--review", REVIEW, "--undo", listed[0]["id"], "--by", "lena")
    assert "Included reports: 0 before, 2 after." in said
    assert "taken back by lena" in command(tmp_path, "acts", "--review", REVIEW)


def test_a_file_never_takes_back_in_silence_what_was_put_in_force_in_the_room(
    reviewed: Store, settings: Settings, protocol: str, tmp_path: Path
) -> None:
    """A night by a file from before is refused; whoever means it puts the file in force."""
    file = tmp_path / "review.toml"
    file.write_text(protocol, encoding="utf-8")
    changed = protocol.replace("CC-BY-4.0", "CC0")
    ops.acts.carry_out(
        reviewed,
        id="a" * 32,
        kind="protocol",
        review=REVIEW,
        given={"text": changed},
        author="lena",
        now=NOW + timedelta(hours=1),
    )
    client = OpenStore(reviewed, settings.site)
    with pytest.raises(Refused, match="that lena put in force in the room"):
        terminal.register(client, REVIEW, file)
    file.write_text(changed, encoding="utf-8")
    terminal.register(client, REVIEW, file)
    surveil.register(reviewed, text=protocol, now=NOW + timedelta(hours=2))
    assert terminal.put_in_force_by(client, REVIEW, changed) is None, "it came from a file"
