"""A person's word stands as it was given: what is told is what stands, and a decision cites what
was on the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.ops import protocols, ranking, screen, surveil
from livereview.store import records
from livereview.store.open import Store
from livereview.web import as_shown
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_web_screen import FULL, TA, in_force, vote

People = Callable[..., Browser]
CONFLICTS = f"/r/{REVIEW}/conflicts"


def stored(store: Store) -> list[dict[str, Any]]:
    """Every decision as it was written."""
    names = (
        "record_id",
        "record_version",
        "verdict",
        "reason",
        "note",
        "criteria_version",
        "rank",
        "model",
    )
    with store.read() as con:
        rows = con.execute(f"SELECT {', '.join(names)} FROM decision ORDER BY seq").fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def resent(person: Browser, action: str, fields: dict[str, str], **other: str) -> str:
    """The page that the same form gets when it is sent once more, with other fields."""
    person.page = person.http.post(action, data={**fields, **other})
    return person.page.text


# The answer tells what stands


@pytest.mark.parametrize("script", [False, True])
def test_a_form_that_arrived_is_never_told_as_another_and_one_button_changes_it(
    reviewed: Store, browser: People, script: bool
) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    if script:
        ada.http.headers["HX-Request"] = "true"
    ada.get(TA)
    action, fields = ada.form("Exclude")
    ada.press("Exclude")  # its answer is lost
    page = resent(ada, action, {**fields, "verdict": "include"}, note="fits")
    assert ada.page.status_code == 409
    assert "Your Excluded had arrived" in page and "That is what stands" in page
    assert "Trial 2 of" in page and "<strong>Included</strong>" not in page
    assert in_force(reviewed) == [("ada", "exclude", None, None)]
    page = ada.press("Change it to Included")
    assert "<strong>Included</strong>" in page and "Trial 2 of" in page
    assert in_force(reviewed) == [("ada", "include", None, "fits")]


def test_a_note_that_came_after_the_decision_had_arrived_is_not_lost_in_silence(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    action, fields = ada.form("Exclude")
    ada.press("Exclude")
    page = resent(ada, action, fields, note="see page 4", tags="pilot")
    assert ada.page.status_code == 409 and "without what you wrote since" in page
    assert in_force(reviewed) == [("ada", "exclude", None, None)]
    ada.press("Change it to Excluded")
    assert in_force(reviewed) == [("ada", "exclude", None, "see page 4")]


def test_a_change_of_what_does_not_stand_any_more_changes_nothing(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    action, fields = ada.form("Exclude")
    ada.press("Exclude")
    undo, back = ada.form("Undo")
    resent(ada, action, {**fields, "verdict": "include"})
    change, late = ada.form("Change it to Included")
    ada.http.post(undo, data=back)
    ada.page = ada.http.post(change, data=late)
    assert ada.page.status_code == 409 and in_force(reviewed) == []


def test_a_page_that_got_no_answer_can_ask_for_its_form(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    ada, bo = browser("ada"), browser("bo")
    ada.get(TA)
    form = ada.form("Exclude")[1]["form"]
    address = f"/r/{REVIEW}/arrived/{form}"
    assert ada.http.get(address).json() == {"arrived": False, "verdict": None}
    ada.press("Exclude")
    assert ada.http.get(address).json() == {"arrived": True, "verdict": "Excluded"}
    assert bo.http.get(address).json() == {"arrived": False, "verdict": None}
    assert ada.http.get(f"/r/{REVIEW}/arrived/x").status_code == 404


# What was on the screen is what a decision cites


def test_a_decision_keeps_the_rank_and_the_record_that_were_on_the_screen(
    reviewed: Store, browser: People
) -> None:
    ids = found(reviewed, *(article(number) for number in range(1, 13)))
    for place, record in enumerate(ids[4:]):
        for person in ("x", "y"):
            vote(reviewed, record, person, "exclude" if place % 2 else "include")
    ada = browser("ada")
    ada.get(TA)
    record = ada.form("Include")[1]["record"]
    ranking.rerank(reviewed, review=REVIEW, now=NOW)
    ada.press("Include")
    ada.press("Include")
    words = [row for row in stored(reviewed) if row["record_id"] in ids[:4]]
    assert words[0]["record_id"] == record and (words[0]["rank"], words[0]["model"]) == (None, None)
    assert words[1]["rank"] is not None and words[1]["model"]


def test_changed_criteria_are_told_and_everything_typed_is_kept(
    reviewed: Store, protocol: str, browser: People
) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    changed = protocol.replace("Children under 18", "Children under 21").replace(
        '"2026-01"', '"2026-02"'
    )
    surveil.register(reviewed, text=changed, now=NOW)
    page = ada.press("Exclude", note="too old", reason="wrong-population", tags="age")
    assert ada.page.status_code == 409 and "Trial 1 of" in page and "Not saved." in page
    assert "“Children under 18 in foster or residential care” is now “Children under 21" in page
    assert "too old</textarea>" in page and 'value="age"' in page
    assert '<option value="wrong-population" selected>' in page
    assert stored(reviewed) == []
    ada.press("Include")
    (word,) = stored(reviewed)
    assert (word["criteria_version"], word["note"]) == ("2026-02", "too old")


def test_a_protocol_that_changes_something_else_disturbs_nobody(
    reviewed: Store, protocol: str, browser: People
) -> None:
    found(reviewed, article(1))
    ada = browser("ada")
    ada.get(TA)
    surveil.register(reviewed, text=protocol.replace("A. Lead", "B. Lead"), now=NOW)
    assert "<strong>Included</strong>" in ada.press("Include")


def test_a_record_that_has_changed_is_read_again(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    newer = article(1, abstract="Withdrawn by the authors.", retraction="retracted")
    reviewed.write(lambda con: records.append(con, [newer], "0" * 64, NOW))
    page = ada.press("Include", note="fits")
    assert ada.page.status_code == 409 and "abstract, retraction or correction" in page
    assert (
        "Withdrawn by the authors." in page and "fits</textarea>" in page and stored(reviewed) == []
    )
    ada.press("Exclude")
    assert [(row["record_version"], row["verdict"]) for row in stored(reviewed)] == [(2, "exclude")]


def test_nobody_can_make_up_what_was_on_the_screen(reviewed: Store, browser: People) -> None:
    first, second = found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    action, fields = ada.form("Include")
    seal = as_shown.opened(fields["shown"], fields["csrf"])
    assert seal and seal.record == first and as_shown.opened(fields["shown"], "another key") is None
    for shown in ("", fields["shown"][:-1], "e30=." + fields["shown"].partition(".")[2], "ü.ü"):
        page = resent(ada, action, fields, shown=shown)
        assert ada.page.status_code == 409 and "please decide again" in page, shown
    resent(ada, action, fields, record=second)
    assert ada.page.status_code == 409 and stored(reviewed) == []


def test_the_use_case_refuses_what_is_out_of_date_in_its_own_transaction(reviewed: Store) -> None:
    (record,) = found(reviewed, article(1))
    asked = {
        "review": REVIEW,
        "record": record,
        "stage": "title_abstract",
        "reviewer": "ada",
        "now": NOW,
    }
    for what, shown in (
        ("criteria", screen.Shown("other", "2026-01", 1)),
        ("record", screen.Shown(_criteria(reviewed), "2026-01", 7)),
    ):
        with pytest.raises(screen.Outdated) as refused:
            screen.decide(reviewed, id="d", verdict="include", waiting=True, shown=shown, **asked)
        assert refused.value.what == what
    assert stored(reviewed) == []


def _criteria(store: Store) -> str:
    from livereview.screening.criteria import fingerprint

    with store.read() as con:
        return fingerprint(protocols.protocol(con, REVIEW))


# Late, double, used: the next record, and a line that says why


def test_a_late_vote_is_told_as_such_with_what_was_typed_above_the_next_record(
    reviewed: Store, browser: People
) -> None:
    (record, _) = found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    for person, verdict in (("zachary", "exclude"), ("quentin", "exclude")):
        vote(reviewed, record, person, verdict, note="a telling note", reason="wrong-design")
    page = ada.press("Include", note="my own note", tags="pilot")
    assert ada.page.status_code == 409 and "no longer waits for you" in page
    assert (
        "pilot; my own note" in page
        and "Trial 2 of" in page
        and 'name="verdict" value="include"' in page
    )
    assert [word for word in ("telling", "zachary", "quentin", "Excluded") if word in page] == []


def test_the_second_adjudicator_learns_what_stands_and_meets_the_next_conflict(
    reviewed: Store, browser: People
) -> None:
    for record in found(reviewed, article(1), article(2)):
        vote(reviewed, record, "ada", "include")
        vote(reviewed, record, "bea", "exclude")
    cy, dee = browser("cy", "adjudicator"), browser("dee", "adjudicator")
    cy.get(CONFLICTS)
    dee.get(CONFLICTS)
    cy.press("Settle: include")
    page = dee.press("Settle: exclude", note="no comparison")
    assert dee.page.status_code == 409 and "cy has settled it meanwhile: Included" in page
    assert (
        "no comparison" in page
        and "Trial 2 of" in page
        and "Conflict <strong>1</strong> of <strong>1" in page
    )
    assert len(in_force(reviewed)) == 5


def test_a_settlement_sent_again_with_another_verdict_is_refused_and_can_be_changed(
    reviewed: Store, browser: People
) -> None:
    (record,) = found(reviewed, article(1))
    vote(reviewed, record, "ada", "include")
    vote(reviewed, record, "bea", "exclude")
    cy = browser("cy", "adjudicator")
    cy.get(CONFLICTS)
    action, fields = cy.form("Settle: exclude")
    cy.press("Settle: exclude", reason="wrong-design")
    page = resent(cy, action, {**fields, "verdict": "include"})
    assert cy.page.status_code == 409 and "Your Excluded had arrived" in page
    cy.press("Change it to Included")
    assert in_force(reviewed)[-1] == ("cy", "include", None, None)


def test_a_link_to_a_record_that_does_not_wait_says_so_and_shows_the_next(
    reviewed: Store, browser: People
) -> None:
    first, _ = found(reviewed, article(1), article(2))
    vote(reviewed, first, "ada", "include")
    page = browser("ada").get(f"{TA}?record={first}")
    assert "This record does not wait for you now" in page and "Trial 2 of" in page


# A reason belongs to an exclusion


@pytest.mark.parametrize("button", ["Include", "Maybe"])
def test_a_reason_is_left_out_of_what_is_no_exclusion_and_that_is_said(
    reviewed: Store, browser: People, button: str
) -> None:
    found(reviewed, article(1))
    page_of = browser("ada")
    page_of.get(TA)
    page = page_of.press(button, reason="wrong-design", note="hm")
    assert "(Wrong study design) was left out" in page
    assert [(row["reason"], row["note"]) for row in stored(reviewed)] == [(None, "hm")]


def test_elsewhere_an_include_with_a_reason_is_refused(reviewed: Store) -> None:
    (record,) = found(reviewed, article(1))
    with pytest.raises(Refused, match="a reason belongs to an exclusion"):
        vote(reviewed, record, "ada", "include", reason="wrong-design")
    assert stored(reviewed) == []


def test_a_settlement_leaves_the_reason_out_likewise(reviewed: Store, browser: People) -> None:
    (record,) = found(reviewed, article(1))
    vote(reviewed, record, "ada", "include")
    vote(reviewed, record, "bea", "exclude")
    cy = browser("cy", "adjudicator")
    cy.get(CONFLICTS)
    assert "reason was left out" in cy.press("Settle: include", reason="wrong-design")
    assert in_force(reviewed)[-1] == ("cy", "include", None, None)


# Undo


def test_undo_goes_one_further_back_each_time_and_then_says_that_there_is_no_more(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1), article(2), article(3))
    ada = browser("ada")
    ada.get(TA)
    ada.press("Include")
    ada.press("Exclude")
    assert "Trial 2 of" in ada.press("Undo")
    page = ada.press("Undo the one before")
    assert "Trial 1 of" in page and "nothing more to undo" in page and in_force(reviewed) == []


def test_a_file_that_is_refused_leaves_the_record_there(reviewed: Store, browser: People) -> None:
    from tests.test_web_full_text import at_full_text, send

    at_full_text(reviewed, article(1))
    ada = browser("ada")
    ada.get(FULL)
    send(ada, b"no pdf")
    assert (
        ada.page.status_code == 422
        and "The file was not added: this is not a whole PDF" in ada.page.text
    )
    assert "Trial 1 of" in ada.page.text and 'aria-describedby="problem" autofocus' in ada.page.text
