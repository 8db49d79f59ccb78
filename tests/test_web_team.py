"""The lead's page of people, and what a change of criteria asks of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from livereview.ops import surveil
from livereview.ops.acts import UNSEEN
from livereview.review import Criterion
from livereview.screening.criteria import change
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found, secret_of
from tests.test_web_screen import TA, vote

People = Callable[..., Browser]
TEAM = f"/r/{REVIEW}/team"
YES = "Yes, do this"
AGE, ADULT = Criterion("age", "include", "Under 18"), Criterion("adult", "exclude", "Over 18")


@pytest.mark.parametrize(
    ("before", "after", "verdicts"),
    [
        ([AGE], [AGE], ()),
        ([AGE], [AGE, ADULT], ("include", "maybe")),
        ([AGE, ADULT], [AGE], ("exclude",)),
        ([AGE], [Criterion("age", "include", "Under 25")], ("include", "maybe", "exclude")),
        ([AGE], [Criterion("age", "exclude", "Under 18")], ("include", "maybe", "exclude")),
    ],
)
def test_which_verdicts_a_change_of_criteria_may_turn(
    before: list[Criterion], after: list[Criterion], verdicts: tuple[str, ...]
) -> None:
    assert change(before, after).verdicts == verdicts


def test_an_account_is_opened_and_its_secret_shown_once(reviewed: Store, browser: People) -> None:
    lena = browser("lena", "lead")
    lena.get(TEAM)
    page = lena.press("Open it", name="dora", role="reviewer")
    assert "dora begins with this link" in page
    secret = page.split("/invite/")[1].split("</code>")[0]
    assert secret not in lena.get(TEAM) and "dora" in lena.page.text
    lena.http.post("/sign-out", data={"csrf": lena.form("Sign out")[1]["csrf"]})
    lena.page = lena.http.post("/sign-in", data={"secret": secret})
    assert "dora" in lena.page.text and "lena made the secret" in lena.page.text


def test_a_secret_that_somebody_else_made_opens_only_the_way_to_one_s_own(
    reviewed: Store, browser: People
) -> None:
    """A lead who resets a colleague's secret can't screen beside themselves unseen: who goes in
    first is known.
    """
    lena, bo = browser("lena", "lead"), browser("bo")
    lena.get(TEAM)
    lena.press("Open it", name="bo", role="reviewer")
    page = lena.press("Yes, do this", reason="")
    secret = page.split("/invite/")[1].split("</code>")[0]
    told = bo.http.post("/sign-in", data={"secret": secret_of("bo")}).text
    assert "replaced by lena" in told and "in your name" in told
    bo.page = bo.http.post("/sign-in", data={"secret": secret})
    assert bo.http.get("/", follow_redirects=False).status_code == 303, "nobody is in yet"
    button = "I have kept it: go on"
    address, fields = bo.form(button)
    other = {**fields, "own": "x" * 32}
    assert bo.http.post(address, data=other).status_code == 422, "nobody slips another in"
    assert "bo" in bo.press(button) and bo.page.status_code == 200
    assert bo.http.post(address, data=fields).status_code == 422, "it was good once"
    assert bo.http.post("/sign-in", data={"secret": secret}).status_code == 401
    assert (
        bo.http.post("/sign-in", data={"secret": fields["own"]}, follow_redirects=False).status_code
        == 303
    )


def test_a_name_that_is_none_is_refused_with_the_reason(browser: People) -> None:
    lena = browser("lena", "lead")
    lena.get(TEAM)
    assert "letters, digits and _ only" in lena.press("Open it", name="<b>", role="reviewer")


def test_closing_an_account_gives_back_what_only_it_had_voted_on(
    reviewed: Store, browser: People
) -> None:
    one, two = found(reviewed, article(1), article(2))
    browser("bo")
    vote(reviewed, one, "bo", "exclude")
    vote(reviewed, two, "bo", "include")
    vote(reviewed, two, "ada", "include")
    lena = browser("lena", "lead")
    page = lena.get(TEAM)
    assert "Title and abstract: 1" in page, "the half-screened one is closed to a lead who may vote"
    action, fields = lena.form("Close")
    lena.page = lena.http.post(action, data={**fields, "name": "bo"})
    assert "can&#39;t sign in any more" in lena.page.text and UNSEEN in lena.page.text
    assert "no vote but theirs" not in lena.page.text, "that would tell her of bo's vote"
    lena.press(YES)
    assert lena.http.post("/sign-in", data={"secret": secret_of("bo")}).status_code == 401
    with reviewed.read() as con:
        rows = con.execute(
            "SELECT report_id, stage, votes, state FROM screening_state ORDER BY seq"
        ).fetchall()
    assert rows == [(one, "title_abstract", 0, "open"), (two, "full_text", 0, "open")]


def test_nobody_closes_their_own_account(browser: People) -> None:
    lena = browser("lena", "lead")
    lena.get(TEAM)
    _, fields = lena.form("Open it")
    answer = lena.http.post(TEAM, data={**fields, "name": "lena", "act": "close"})
    assert answer.status_code == 422 and "another lead must close it" in answer.text


def test_a_changed_criterion_lists_the_decisions_it_may_turn_and_has_them_decided_again(
    reviewed: Store, browser: People, protocol: str
) -> None:
    one, two = found(reviewed, article(1), article(2))
    for person in ("ada", "bo"):
        vote(reviewed, one, person, "exclude")
        vote(reviewed, two, person, "include")
    lena = browser("lena", "lead")
    assert "None that today" in lena.get(TEAM)
    wider = protocol.replace('version = "2026-01"', 'version = "2026-02"').replace(
        "under 18", "under 25"
    )
    surveil.register(reviewed, text=wider, now=NOW)
    page = lena.get(TEAM)
    assert (
        "<del" in page
        and "under 25" in page
        and "4 decisions at title and abstract may turn" in page
    )
    narrower = wider.replace("under 25", "under 18").replace(
        'version = "2026-02"', 'version = "2026-03"'
    )
    narrower = narrower.replace(
        '[[reasons]]\nid = "wrong-population"', NEW + '[[reasons]]\nid = "wrong-population"'
    )
    surveil.register(reviewed, text=narrower, now=NOW)
    page = lena.get(TEAM)
    assert (
        "2 decisions at title and abstract may turn" in page
        and "Trial 2" in page
        and "Trial 1" not in page
    )
    assert "Decisions that count no more: 2" in lena.press("Have them decided again")
    lena.press(YES)
    assert "None that today" in lena.get(TEAM)
    assert "Trial 2" in browser("ada").get(TA)


NEW = '[[criteria.exclude]]\nid = "abroad"\ntext = "Outside of the United Kingdom"\n\n'


def test_agreement_is_told_with_its_interval_to_the_lead(reviewed: Store, browser: People) -> None:
    records = found(reviewed, *(article(number) for number in range(1, 9)))
    for number, record in enumerate(records):
        vote(reviewed, record, "ada", "include" if number < 3 else "exclude")
        vote(reviewed, record, "bo", "maybe" if number < 4 else "exclude")
    page = browser("lena", "lead").get(TEAM)
    assert "8 records with two votes or more, 88% of pairs of votes agree" in page
    assert (
        "ada and bo" in page
        and "0.75" in page
        and "Gwet" in page
        and "No record has two votes yet" in page
    )
