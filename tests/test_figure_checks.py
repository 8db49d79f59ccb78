"""What a form says twice of one result must agree: people, counts, effect, interval, p."""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.evidence import checks
from livereview.evidence.figure_checks import contradictions
from livereview.evidence.forms import Result
from livereview.evidence.orientation import Z
from tests.evidence import CARE, WELLBEING, review

COUNTS = {"ai": 12.0, "ci": 20.0, "n1i": 100.0, "n2i": 100.0}


def said(participants: int | None = None, **fields: Any) -> list[str]:
    """The contradictions of a result in words."""
    result = Result(fields.pop("outcome", "care"), "placed in care", **fields)
    return [problem.text for problem in contradictions(result, participants)]


def sized(effect: float, low: float, high: float, measure: str = "RR", **fields: Any) -> list[str]:
    reported = fields.pop("reported", {})
    return said(
        measure=measure, effect=effect, ci_low=low, ci_high=high, reported=reported, **fields
    )


@pytest.mark.parametrize(
    ("fields", "both"),
    [
        ({"n": 120, "reported": COUNTS}, ("n = 120", "n1i + n2i = 200")),
        (
            {"n": 90, "reported": {"ai": 1.0, "bi": 49.0, "ci": 5.0, "di": 45.0}},
            ("n = 90", "= 100"),
        ),
        ({"reported": COUNTS | {"ai": 112.0}}, ("ai = 112", "n1i = 100")),
        ({"reported": COUNTS | {"bi": 80.0}}, ("ai + bi = 92", "n1i = 100")),
        ({"reported": COUNTS | {"di": 90.0}}, ("ci + di = 110", "n2i = 100")),
        ({"reported": COUNTS | {"ai": 12.5}}, ("ai = 12.5", "no whole number")),
        ({"reported": COUNTS | {"n2i": 33.3, "ci": 3.0}}, ("n2i = 33.3", "no whole number")),
        ({"n": 240, "participants": 200}, ("240 people analysed", "participants = 200")),
        ({"reported": COUNTS, "participants": 150}, ("200 people", "participants = 150")),
    ],
)
def test_people_who_are_counted_twice_and_differently_are_named(
    fields: dict[str, Any], both: tuple[str, str]
) -> None:
    told = said(**fields)
    assert any(all(part in text for part in both) for text in told), told


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 200, "reported": COUNTS, "participants": 200},
        {"n": 200, "reported": COUNTS | {"bi": 88.0, "di": 80.0}, "participants": 260},
        {"n": 240, "participants": 200, "note": "children of the 200 families"},
        {"n": 200, "clustered": True, "reported": COUNTS | {"n1i": 61.5, "n2i": 60.5}},
        {"n": 200},
    ],
)
def test_people_who_agree_or_are_accounted_for_are_not_named(fields: dict[str, Any]) -> None:
    assert said(**fields) == []


@pytest.mark.parametrize(
    ("effect", "low", "high", "measure", "reported", "both"),
    [
        (0.6, 0.4, 0.9, "RR", {"se": 0.05}, ("0.4 to 0.9", "se = 0.05")),  # of another scale
        (0.3, 0.1, 0.5, "SMD", {"se": 1.02}, ("0.1 to 0.5", "se = 1.02")),  # a standard deviation
        (0.3, 0.04, 0.56, "SMD", {"se": 0.102}, ("0.04 to 0.56", "se = 0.102")),  # 99% interval
        (0.6, 0.4, 0.9, "RR", {"p": 0.4}, ("p = 0.4", "0.4 to 0.9")),
        (0.8, 0.5, 1.28, "OR", {"p": 0.01}, ("p = 0.01", "0.5 to 1.28")),
        (0.3, 0.1, 0.5, "SMD", {"t": 0.4}, ("t = 0.4", "0.1 to 0.5")),
        (0.1, -0.1, 0.3, "SMD", {"z": 3.2}, ("z = 3.2", "-0.1 to 0.3")),
        (0.41, 0.2, 0.84, "OR", {"estimate": 1.51}, ("effect = 0.41", "estimate = 1.51")),
        (0.6, 0.4, 0.9, "RR", {"low": 0.2}, ("ci_low = 0.4", "low = 0.2")),
        (3.0, 1.8, 5.0, "RR", COUNTS, ("RR of 3", "0.6")),
    ],
)
def test_an_effect_that_its_interval_p_or_counts_deny_is_named(
    effect: float,
    low: float,
    high: float,
    measure: str,
    reported: dict[str, float],
    both: tuple[str, str],
) -> None:
    told = sized(effect, low, high, measure, reported=reported)
    assert any(all(part in text for part in both) for text in told), told


@pytest.mark.parametrize(
    ("effect", "low", "high", "measure", "reported"),
    [
        (0.6, 0.4, 0.9, "RR", {"se": 0.21, "p": 0.013, "z": -2.47}),
        (0.3, 0.1, 0.5, "SMD", {"se": 0.1, "p": 0.003, "t": -2.94}),
        (0.3, -0.01, 0.61, "SMD", {"p": 0.049}),  # a t-test of a small study
        (0.5, 0.4, 0.6, "SMD", {"p": 0.001}),  # p < 0.001
        (0.5, 0.4, 0.6, "SMD", {"p": 0.0, "t": 11.0}),
        (0.6, 0.4, 0.9, "RR", {"estimate": 0.604, "low": 0.4, "high": 0.897}),
        (0.6, 0.31, 1.16, "RR", COUNTS),
        (-80.0, -181.0, 21.0, "RD per 1,000", COUNTS | {"se": 0.0515}),
    ],
)
def test_figures_that_rounding_or_a_t_test_explains_are_not_named(
    effect: float, low: float, high: float, measure: str, reported: dict[str, float]
) -> None:
    assert sized(effect, low, high, measure, reported=reported) == []


def test_a_logarithm_that_was_typed_as_ratio_is_called_one() -> None:
    result = Result(
        "care", "placed", measure="OR", effect=0.41, ci_low=0.2, ci_high=0.62, reported={"estimate": 1.51}
    )  # fmt: skip
    (problem,) = contradictions(result)
    assert problem.next_step == "give the ratio itself, not its logarithm"


def test_a_form_that_contradicts_itself_is_refused_with_its_place_and_the_next_step() -> None:
    row = {"outcome": "care", "construct": "placed", "measure": "RR", "n": 120, "reported": COUNTS}
    form = {"study": "a", "label": "A 2020", "reports": ["10.1/a"], "results": [row]}
    with pytest.raises(Refused) as refused:
        checks.from_json(form, review(CARE, WELLBEING), "a.json")
    assert "results[0].n: n = 120 contradicts n1i + n2i = 200" in refused.value.message
    assert "mend one of them" in refused.value.message
    # a form that was taken before this was asked keeps its study in the review
    assert (
        checks.from_json(form, review(CARE, WELLBEING), "a.json", accepted=True).results[0].n == 120
    )


@given(
    size=st.floats(-1.2, 1.2),
    error=st.floats(0.02, 0.6),
    ratio=st.booleans(),
)
def test_what_one_effect_says_in_many_ways_never_contradicts_itself(
    size: float, error: float, ratio: bool
) -> None:
    shown = exp if ratio else float
    effect, low, high = (round(shown(size + side * Z * error), 4) for side in (0, -1, 1))
    reported = {"se": round(error, 3), "z": round(size / error, 2), "estimate": round(effect, 3)}
    reported["p"] = round(_p(size / error), 4)
    told = sized(effect, low, high, "OR" if ratio else "SMD", reported=reported)
    assert told == [], (effect, low, high, reported)
    if ratio and abs(log(effect) - effect) > 1:
        assert sized(effect, low, high, "OR", reported={"estimate": round(log(effect), 3)})


def _p(z: float) -> float:
    from statistics import NormalDist

    return 2 * NormalDist().cdf(-abs(z))
