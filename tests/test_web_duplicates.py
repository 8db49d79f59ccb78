from __future__ import annotations

from collections.abc import Callable

import pytest

from livereview.store import matches
from livereview.store.matches import Match
from livereview.store.open import Store
from livereview.web.duplicates import compare
from tests.conftest import NOW, REVIEW, Browser, article, found

People = Callable[..., Browser]
ROOM = f"/r/{REVIEW}/duplicates"


@pytest.fixture
def pair(reviewed: Store) -> tuple[str, str]:
    """Two records that the rules could not tell apart."""
    one = article(1)
    two = article(
        2, source="crossref", title="Trial 1 of Mentoring", year=2021, doi=None, volume="7"
    )
    left, right = sorted(found(reviewed, one, two))
    scores = {"score": 0.8125, "title": 0.97}
    doubt = Match("m1", left, right, "doubtful", "rule", "close title, other year", "1", scores)
    reviewed.write(lambda con: matches.append(con, [doubt], NOW))
    return left, right


def reports(store: Store) -> int:
    with store.read() as con:
        return int(con.execute("SELECT count(*) FROM screening_state").fetchall()[0][0])


def test_fields_are_compared_in_words() -> None:
    rows = compare(
        article(1, volume="7", doi=None),
        article(1, title="TRIAL 1 of mentoring", year=2021, doi=None),
    )
    states = {row.label: row.state for row in rows}
    assert (states["Title"], states["Year"], states["Volume"]) == (
        "same",
        "differs",
        "only one has it",
    )
    assert "DOI" not in states


def test_a_pair_is_judged_and_taken_back(
    pair: tuple[str, str], reviewed: Store, browser: People
) -> None:
    ada = browser("ada")
    page = ada.get(ROOM)
    for words in (
        "close title, other year",
        "0.81",
        "≠ differs",
        "only one has it",
        "2020",
        "2021",
    ):
        assert words in page
    page = ada.press("Same report")
    assert (
        "No doubtful pairs" in page
        and "<strong>Same report</strong>" in page
        and reports(reviewed) == 1
    )
    assert "Are these two the same report?" in ada.press("Undo") and reports(reviewed) == 2


@pytest.mark.parametrize("words", ["Different", "Linked: same study"])
def test_pairs_that_are_not_the_same_stay_two_reports(
    pair: tuple[str, str], reviewed: Store, browser: People, words: str
) -> None:
    ada = browser("ada")
    ada.get(ROOM)
    assert "No doubtful pairs" in ada.press(words) and reports(reviewed) == 2


def test_a_pair_that_someone_else_judged_is_left_alone(
    pair: tuple[str, str], reviewed: Store, browser: People
) -> None:
    ada, bea = browser("ada"), browser("bea")
    ada.get(ROOM)
    bea.get(ROOM)
    bea.press("Different")
    page = ada.press("Same report")
    assert (
        ada.page.status_code == 409
        and "bea judged the last pair" in page
        and reports(reviewed) == 2
    )
    assert "No doubtful pairs" in page and "Duplicates" in page


def test_a_form_that_had_arrived_is_never_told_as_another_answer(
    pair: tuple[str, str], reviewed: Store, browser: People
) -> None:
    ada = browser("ada")
    ada.get(ROOM)
    action, fields = ada.form("Different")
    ada.press("Different")
    assert ada.http.post(action, data=fields).status_code == 200
    ada.page = ada.http.post(action, data={**fields, "verdict": "same"})
    assert ada.page.status_code == 409 and "Your Different had arrived and stands" in ada.page.text
    assert reports(reviewed) == 2
    assert "Are these two the same report?" in ada.press("Undo")


def test_a_verdict_that_does_not_exist_is_refused(pair: tuple[str, str], browser: People) -> None:
    ada = browser("ada")
    ada.get(ROOM)
    page = ada.press("Different", verdict="maybe")
    assert "same, linked, different" in page and "Are these two the same report?" in page
    assert ada.page.status_code == 422
    ada.get(ROOM)
    ada.press("Different", left="r0")
    assert ada.page.status_code == 404
