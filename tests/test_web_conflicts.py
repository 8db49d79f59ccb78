from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI

from livereview import ops
from livereview.settings import Settings
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_web_screen import TA, in_force, vote

People = Callable[..., Browser]
ROOM = f"/r/{REVIEW}/conflicts"


@pytest.fixture
def conflict(reviewed: Store) -> str:
    """A record that ada includes and bea excludes."""
    record, _ = found(reviewed, article(1), article(2))
    vote(reviewed, record, "ada", "include", note="fits well")
    vote(reviewed, record, "bea", "exclude", reason="wrong-design", note="no control group")
    return record


def standing(store: Store, record: str) -> tuple[str, str]:
    with store.read() as con:
        rows = con.execute(
            "SELECT stage, state FROM screening_state WHERE report_id = ?", [record]
        ).fetchall()
    return (rows[0][0], rows[0][1])


def test_a_third_person_sees_both_votes_and_settles(
    conflict: str, reviewed: Store, browser: People
) -> None:
    zoe = browser("zoe", "adjudicator")
    page = zoe.get(ROOM)
    for words in (
        "ada: Included",
        "fits well",
        "bea: Excluded",
        "Wrong study design",
        "no control group",
    ):
        assert words in page
    page = zoe.press("Settle: include", note="I agree with ada")
    assert "No conflicts" in page and "Settled: Included" in page
    assert standing(reviewed, conflict) == ("full_text", "open")
    assert [row[:2] for row in in_force(reviewed)] == [
        ("ada", "include"),
        ("bea", "exclude"),
        ("zoe", "include"),
    ]
    zoe.press("Undo")
    assert standing(reviewed, conflict) == ("title_abstract", "conflict")


def test_a_voter_does_not_settle_their_own_conflict(reviewed: Store, browser: People) -> None:
    (record,) = found(reviewed, article(1))
    vote(reviewed, record, "lena", "include")
    vote(reviewed, record, "bea", "exclude")
    lena = browser("lena", "lead")
    zoe = browser("zoe", "adjudicator")
    assert "a third person must settle it" in lena.get(ROOM)
    assert "Settle: include" not in lena.page.text
    zoe.get(ROOM)
    action, fields = zoe.form("Settle: include")
    lena.get("/")
    fields["csrf"] = lena.form("Sign out")[1]["csrf"]
    assert lena.http.post(action, data=fields).status_code == 409  # a form of somebody else's
    assert standing(reviewed, record) == ("title_abstract", "conflict")


def test_what_was_settled_elsewhere_is_left_alone(
    conflict: str, reviewed: Store, browser: People
) -> None:
    zoe = browser("zoe", "adjudicator")
    zoe.get(ROOM)
    action, fields = zoe.form("Settle: exclude")
    zoe.press("Settle: exclude", reason="wrong-design")
    fields["reason"] = "wrong-design"
    assert zoe.http.post(action, data=fields).status_code == 200, "the very same form"
    fields["form"] = "0" * 32
    answer = zoe.http.post(action, data=fields)
    assert answer.status_code == 409 and "Excluded is what you had said" in answer.text
    assert "Nothing was changed" in answer.text and "Undo" in answer.text


def test_a_settlement_that_is_refused_keeps_its_note(conflict: str, browser: People) -> None:
    zoe = browser("zoe", "adjudicator")
    zoe.get(ROOM)
    page = zoe.press("Settle: include", verdict="maybe", note="hm")
    assert (
        zoe.page.status_code == 422
        and "Choose include or exclude" in page
        and "hm</textarea>" in page
    )


def test_a_reviewer_whom_the_protocol_names_may_settle_and_others_learn_who(
    conflict: str, reviewed: Store, protocol: str, browser: People, app: FastAPI, settings: Settings
) -> None:
    text = protocol.replace("votes = 2", 'votes = 2\nadjudicators = ["max"]')
    ops.surveil.register(reviewed, text=text, now=NOW)
    assert "review.toml names who settles conflicts: max" in browser("zoe", "adjudicator").get(ROOM)
    browser("kim").get(ROOM)
    max_ = browser("max")
    assert "Conflicts to settle" in max_.get("/")
    max_.get(ROOM)
    assert "Settled: Excluded" in max_.press("Settle: exclude")
    kim = browser("kim")
    kim.get(ROOM)
    assert kim.page.status_code == 403


def test_voters_never_learn_of_each_other_from_their_own_pages(
    conflict: str, browser: People
) -> None:
    ada = browser("ada")
    for path in ("/", TA, f"/r/{REVIEW}/history", ROOM):
        ada.get(path)
        told = re.sub(r"[0-9a-f]{20,}", "", ada.page.text)  # ids of forms and records
        assert not re.search("bea|no control|onflict", told), path
