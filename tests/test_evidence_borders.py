"""Sentences at the borders: printed figures never deny the sentence before them, and no kind of outcome is
told in the words of another.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from livereview.evidence import per_thousand, wording
from livereview.review import Outcome
from tests.evidence import CARE, WELLBEING, finding, rated, ratio, smd, study

COST = replace(
    WELLBEING, id="cost", label="Cost of services", kind="cost", measure="MD", more="", fewer=""
)
VISITS = replace(COST, id="visits", label="Visits", kind="service_use")


@pytest.mark.parametrize(
    ("ends", "printed"),
    [
        ((0.81, 0.9994), "0.81 to 0.999"),
        ((0.81, 0.99994), "0.81 to 0.9999"),
        ((0.81, 0.98), "0.81 to 0.98"),
    ],
)
def test_an_interval_that_is_off_no_difference_is_printed_so(
    ends: tuple[float, float], printed: str
) -> None:
    text = wording.words(finding(CARE, study("a", ratio((ends[0] * ends[1]) ** 0.5, *ends)))).text
    assert f"95% interval {printed}" in text
    assert "to no difference" not in text


def test_an_end_per_thousand_that_is_off_none_is_called_almost_none() -> None:
    text = wording.words(finding(CARE, study("a", ratio(0.9, 0.81, 0.9995)))).text
    assert "(11 fewer to almost no difference; RR 0.90" in text


def test_an_interval_that_holds_no_difference_may_end_on_it() -> None:
    found = finding(CARE, study("a", ratio(0.9, 0.81, 1.0004)))
    assert found.state == "too_little"
    assert "0.81 to 1.00" in wording.words(found).text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (-0.98, "1 fewer"),
        (0.96, "1 more"),
        (0.94, "0.9 more"),
        (1.4, "1 more"),
        (0.04, "no difference"),
    ],
)
def test_one_in_a_thousand_is_one_word(value: float, told: str) -> None:
    assert per_thousand.difference(value) == told


@pytest.mark.parametrize(
    ("outcome", "question"),
    [
        (COST, "if Signs of Safety cost more or less than usual practice."),
        (VISITS, "if there was more or less of it with Signs of Safety than with usual practice."),
        (WELLBEING, "if Signs of Safety did better or worse than usual practice."),
    ],
    ids=["cost", "service use", "benefit"],
)
def test_too_little_is_told_in_the_words_of_its_kind(outcome: Outcome, question: str) -> None:
    wide = smd(0.1, 0.5, outcome=outcome.id, measure=outcome.measure, kind=outcome.kind)
    if outcome.kind == "cost":
        wide = replace(wide, currency="GBP", price_year=2020)
    found = finding(outcome, study("a", wide))
    assert found.state == "too_little"
    assert wording.headline(found).endswith(question)


def test_very_low_certainty_asks_of_every_kind_if_there_is_a_difference() -> None:
    wide = smd(0.1, 0.5, outcome="visits", measure="MD", kind="service_use")
    unsure = wording.headline(rated(finding(VISITS, study("a", wide)), "very_low"))
    assert unsure.startswith("We are very unsure if there is any difference in visits.")
