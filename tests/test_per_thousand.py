"""People of 1,000: what readers see adds up, and says no more and no less than the estimate."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.evidence import wording
from livereview.evidence.finding import Absolute, Estimate, Finding
from livereview.evidence.per_thousand import RisksShown, both_in_words, people, risks_shown
from livereview.summary import findings_table, glance
from tests.evidence import CARE, finding, ratio, study


def estimate(risk: float | None, value: float, low: float, high: float, clear: bool) -> Estimate:
    """An estimate of these absolute figures, whose own interval is clear or not."""
    null = 0.0 if clear else value
    return Estimate(
        measure="RD",
        measure_label="risk difference per 1,000",
        null=null,
        value=value,
        low=low,
        high=high,
        studies=2,
        model="common effect",
        absolute=Absolute(risk=risk, risk_source="an example", value=value, low=low, high=high),
    )


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    """Any that can be: nobody spared who is not there, and no more than everybody."""
    risk = draw(st.floats(0.001, 999.9))
    change = st.floats(-risk, 1000 - risk)
    low, value, high = sorted((draw(change), draw(change), draw(change)))
    return estimate(risk, value, low, high, clear=not low <= 0 <= high)


def shown(told: Estimate) -> RisksShown:
    """Its figures, which these tests know to be there."""
    figures = risks_shown(told)
    assert figures is not None
    return figures


@given(estimates())
def test_shown_figures_add_up_and_stay_close_to_the_estimate(told: Estimate) -> None:
    figures = shown(told)
    absolute = told.absolute
    assert absolute is not None and absolute.risk is not None
    assert figures.without is not None and figures.with_it is not None
    assert figures.with_low is not None and figures.with_high is not None
    assert figures.with_it == pytest.approx(figures.without + figures.difference, abs=1e-9)
    assert figures.with_low == pytest.approx(figures.without + figures.low, abs=1e-9)
    assert figures.with_high == pytest.approx(figures.without + figures.high, abs=1e-9)

    assert 0 <= figures.with_low <= figures.with_it <= figures.with_high <= 1000
    assert figures.with_it == pytest.approx(absolute.risk + absolute.value, abs=1.01)
    small = min(absolute.risk, absolute.risk + absolute.value) < 2
    if small:
        assert figures.with_it == pytest.approx(absolute.risk + absolute.value, abs=0.11)
    assert figures.difference * absolute.value >= 0, "never the other side"


@given(estimates())
def test_what_is_printed_adds_up_for_a_reader_who_subtracts(told: Estimate) -> None:
    figures, text = shown(told), both_in_words(told)
    assert text is not None
    pair = re.fullmatch(r"([\d,.]+) in every 1,000 without it, ([\d,.]+) with it", text)
    assert pair is not None
    without, there = (float(figure.replace(",", "")) for figure in pair.groups())
    words = figures.in_words
    number = re.search(r"[\d,.]+", words)
    difference = float(number[0].replace(",", "")) if number else 0.0
    sign = -1 if "fewer" in words else 1
    assert round(there - without, 3) == round(sign * difference, 3)


@pytest.mark.parametrize(
    ("risk", "value", "words"),
    [
        (289.4, -122.6, "289 in every 1,000 without it, 166 with it"),
        (288.6, -122.4, "289 in every 1,000 without it, 167 with it"),
        (60.0, -12.4, "60 in every 1,000 without it, 48 with it"),
        (1.46, -1.4, "1.5 in every 1,000 without it, 0.1 with it"),
        (12.0, -8.6, "12 in every 1,000 without it, 3.4 with it"),
        (250.0, 0.4, "250 in every 1,000 without it, 250.4 with it"),
        (999.4, 0.6, "999 in every 1,000 without it, 999.6 with it"),
    ],
)
def test_both_risks_in_words(risk: float, value: float, words: str) -> None:
    assert both_in_words(estimate(risk, value, value - 0.1, value + 0.1, clear=True)) == words


def test_a_clear_difference_of_a_very_rare_event_is_never_told_as_none() -> None:
    rare = replace(CARE, risk=0.06, important=None)
    found = finding(rare, study("a", ratio(0.5, 0.4, 0.6)))
    assert found.state == "effect"
    assert "about 0.03 fewer in every 1,000" in wording.size(found)
    assert both_in_words(_size(found)) == "0.06 in every 1,000 without it, 0.03 with it"


def test_card_and_table_and_picture_show_one_set_of_figures() -> None:
    found = finding(replace(CARE, risk=289.4), study("a", ratio(0.576, 0.5, 0.66)))
    figures = shown(_size(found))
    (table,) = findings_table.findings_tables([found])
    (row,) = table.rows
    assert (row.without, row.with_it) == ("289", "166")
    assert "about 123 fewer" in wording.size(found)
    assert row.with_range == f"{people(289 + figures.low)} to {people(289 + figures.high)}"

    picture = glance.pictograph(_size(found))
    assert picture is not None
    assert picture.difference.count("M") == 12, "one dot for ten of the 123"
    assert picture.text == "289 in every 1,000 without it, 166 with it"
    drawn = findings_table.svg("main", table, "A review")
    assert "289 in every 1,000 without it" in " ".join(re.sub("<[^>]*>", " ", drawn).split())


def _size(found: Finding) -> Estimate:
    assert found.estimate is not None
    return found.estimate
