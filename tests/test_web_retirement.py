"""The page on retirement: everybody who works on a review votes there, blind until the lead closes
the vote.
"""

from __future__ import annotations

from collections.abc import Callable

from livereview.ops import retirement
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser

People = Callable[..., Browser]
PAGE = f"/r/{REVIEW}/retirement"
YES = "Yes, do this"
MOVE, BACK, CLOSE = "Move that it retires", "Move that it comes back", "Close the vote and count"


def rows(store: Store, table: str) -> int:
    with store.read() as con:
        return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def move(
    person: Browser, button: str = MOVE, reason: str = "Settled for years", **typed: str
) -> str:
    person.get(PAGE)
    return person.press(button, reason=reason, **typed)


def vote(person: Browser, verdict: str, **typed: str) -> str:
    person.get(PAGE)
    return person.press(verdict, **typed)


def test_a_review_retires_and_comes_back_by_forms_alone(reviewed: Store, browser: People) -> None:
    lena, ada, bo = browser("lena", "lead"), browser("ada"), browser("bo", "adjudicator")
    assert f'href="{PAGE}">Could this review retire?' in lena.get(f"/r/{REVIEW}")
    page = move(ada, not_asked="the law changed")
    assert (
        "A vote to retire" in page
        and "Settled for years" in page
        and "the team says: the law changed." in page
    )
    vote(ada, "Yes")
    page = vote(bo, "Yes", note="at last")
    assert "You voted <strong>yes</strong>" in page and "2 of 3" in page and CLOSE not in page
    lena.get(PAGE)
    assert "The vote is carried: the review is retired" in lena.press(CLOSE)
    lena.press(YES)
    page = lena.get(PAGE)
    assert "The review is <strong>retired</strong> since 2026-03-02 09:00 UTC" in page
    assert "To retire: carried" in page and "2 yes, 0 no, 0 abstained, of 3 who could vote" in page
    assert (
        "<strong>Retired.</strong>" in lena.get(f"/r/{REVIEW}")
        and "Never run:" not in lena.page.text
    )
    move(lena, BACK, "A new trial is announced")
    for person in (ada, lena):
        vote(person, "Yes")
    lena.press(CLOSE)
    lena.press(YES)
    assert "The review is <strong>living</strong>" in lena.get(PAGE)
    assert "To come back: carried" in lena.page.text


def test_nobody_sees_anothers_vote_before_the_close(reviewed: Store, browser: People) -> None:
    lena, ada, bo = browser("lena", "lead"), browser("ada"), browser("bo")
    move(lena)
    vote(ada, "No", note="far too early")
    for person in (bo, lena):
        page = person.get(PAGE)
        assert "You have not voted yet" in page and "1 of 3" in page
        assert "far too early" not in page and "ada: no" not in page
    assert "far too early" in ada.get(PAGE), "one's own note is there to be changed"
    lena.get(PAGE)
    lena.press(CLOSE)
    lena.press(YES)
    assert (
        'ada: no, <span dir="auto">“far too early”' in bo.get(PAGE)
        and "not carried" in bo.page.text
    )


def test_a_form_sent_twice_is_one_act(reviewed: Store, browser: People) -> None:
    lena = browser("lena", "lead")
    for button, table in ((MOVE, "proposal"), ("Abstain", "ballot"), (CLOSE, "outcome")):
        lena.get(PAGE)
        if button == CLOSE:
            lena.press(CLOSE)
            button = YES
        action, fields = lena.form(button)
        for _ in range(2):
            lena.page = lena.http.post(
                action, data={**fields, **({"reason": "Settled"} if button == MOVE else {})}
            )
            assert lena.page.status_code == 200
        assert rows(reviewed, f"retirement_{table}") == 1


def test_what_was_typed_stays_in_a_form_that_is_refused(reviewed: Store, browser: People) -> None:
    lena = browser("lena", "lead")
    page = move(lena, reason=" ", not_asked="the law <changed>")
    assert (
        lena.page.status_code == 422
        and "give a reason" in page
        and 'value="the law &lt;changed&gt;"' in page
    )
    assert rows(reviewed, "retirement_proposal") == 0
    page = move(lena, reason="x" * 501)
    assert "too long: 501 letters" in page and "x" * 501 in page


def test_a_vote_on_a_proposal_that_was_closed_meanwhile_is_not_taken_for_the_next(
    reviewed: Store, browser: People
) -> None:
    lena, ada = browser("lena", "lead"), browser("ada")
    move(lena)
    ada.get(PAGE)
    lena.get(PAGE)
    lena.press(CLOSE)
    lena.press(YES)
    assert "no proposal on small-review is open" in ada.press("Yes")
    move(lena)
    vote(ada, "Abstain")
    lena.get(PAGE)
    action, fields = lena.form("Yes")
    page = lena.http.post(action, data={**fields, "proposal": "0" * 32}).text
    assert "another one is open now" in page
    assert rows(reviewed, "retirement_ballot") == 1


def test_the_start_tells_who_has_not_voted(reviewed: Store, browser: People) -> None:
    lena, ada, rob = browser("lena", "lead"), browser("ada"), browser("rob", "reader")
    waits = "A vote on retiring this review waits for you"
    assert waits not in ada.get("/")
    move(lena)
    assert waits in ada.get("/") and waits in lena.get("/") and waits not in rob.get("/")
    vote(ada, "No")
    assert waits not in ada.get("/")


def test_only_leads_close_and_readers_do_not_vote(reviewed: Store, browser: People) -> None:
    lena, ada, rob = browser("lena", "lead"), browser("ada"), browser("rob", "reader")
    move(ada)
    lena.get(PAGE)
    action, fields = lena.form(CLOSE)
    ada.get(PAGE)
    csrf = ada.form("Yes")[1]["csrf"]
    assert ada.http.post(action, data={**fields, "csrf": csrf}).status_code == 403
    rob.get(PAGE)
    assert rob.page.status_code == 403
    assert retirement.monitor(reviewed, review=REVIEW, now=NOW)["open"] is not None
