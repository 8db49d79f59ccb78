"""A rating holds for the numbers it was made from, and is asked about what does not fit them."""

from __future__ import annotations

from typing import Any

import pytest

from livereview.errors import Refused
from livereview.evidence import certainty, grade
from livereview.evidence.certainty import Rating, Reason
from livereview.evidence.finding import Finding
from tests.evidence import CARE, WELLBEING, finding, rated, ratio, review, smd, study

DOWN = Reason("imprecision", "the interval is wide", -1)


def large(effect: float = 0.8, low: float = 0.72, high: float = 0.89, **more: Any) -> Finding:
    return finding(CARE, study("a", ratio(effect, low, high, n=20_000), **more))


def asked(found: Finding, start: str, *reasons: Reason, tool: str = "RoB 2") -> set[str]:
    tools = {one.study: tool for one in found.studies}
    return {mismatch.domain for mismatch in grade.warnings(found, start, reasons, tools)}


def test_a_rating_lapses_when_the_estimate_moves() -> None:
    before = large()
    rating = Rating("grade", before.id, "high", (), (), "high", grade.numbers_of(before))
    assert grade.rated(before, rating).certainty is not None
    near = large(0.81, 0.73, 0.90)
    assert grade.rated(near, rating).certainty is not None
    moved = large(0.9, 0.82, 0.99)
    assert (
        grade.rated(moved, rating).certainty_reason == "the estimate has moved since it was rated"
    )


def test_a_rating_lapses_when_what_is_said_changes_or_a_study_comes() -> None:
    before = large()
    rating = Rating("grade", before.id, "high", (), (), "high", grade.numbers_of(before))
    turned = large(3.0, 1.8, 5.0)
    assert grade.rated(turned, rating).certainty is None
    more = finding(
        CARE, study("a", ratio(0.8, 0.72, 0.89, n=20_000)), study("b", ratio(0.8, 0.7, 0.9))
    )
    assert (
        grade.rated(more, rating).certainty_reason == "the studies have changed since it was rated"
    )


def test_a_rating_from_before_numbers_were_kept_waits_to_be_made_again() -> None:
    old = Rating("grade", "care", "high", (), ("a",), "high")
    assert "waits to be rated again" in str(grade.rated(large(), old).certainty_reason)


@pytest.mark.parametrize(
    ("found", "start", "reasons", "domains"),
    [
        (large(), "high", (), {"high"}),
        (large(), "low", (), {"start"}),
        (large(), "high", (DOWN,), set()),
        (
            finding(WELLBEING, study("a", smd(0.1, 0.6))),
            "high",
            (Reason("indirectness", "x", -1),),
            {"imprecision"},
        ),
        (large(risk_of_bias="high"), "high", (DOWN,), {"risk_of_bias"}),
        (large(), "high", (Reason("large_effect", "x", 1),), {"large_effect"}),
        (large(0.4, 0.3, 0.5), "high", (Reason("large_effect", "x", 1),), set()),
        (large(0.4, 0.3, 0.5), "high", (DOWN, Reason("large_effect", "x", 1)), {"up_after_down"}),
    ],
)
def test_what_does_not_fit_the_numbers_is_asked(
    found: Finding, start: str, reasons: tuple[Reason, ...], domains: set[str]
) -> None:
    assert asked(found, start, *reasons) == domains


def test_robins_i_starts_high_and_other_designs_are_asked_why() -> None:
    assert asked(large(), "high", DOWN, tool="ROBINS-I V2") == set()
    assert asked(large(), "high", DOWN, tool="our own checklist") == {"start"}
    assert asked(large(), "low", DOWN, tool="our own checklist") == set()


def test_studies_that_differ_much_ask_about_inconsistency() -> None:
    found = finding(
        WELLBEING, *(study(n, smd(e, 0.1)) for n, e in zip("abc", (0.2, 0.6, 1.0), strict=True))
    )
    assert found.estimate is not None
    assert found.estimate.i2 is not None
    assert found.estimate.i2 > grade.INCONSISTENT
    assert "inconsistency" in asked(found, "high", DOWN)


def test_a_mismatch_must_be_answered_in_words() -> None:
    found = large(risk_of_bias="high")
    data = {
        "outcome": "care",
        "start": "high",
        "reasons": [{"domain": "imprecision", "step": -1, "why": "wide"}],
    }
    rating = certainty.from_json(data, review(CARE), [found.id])
    with pytest.raises(Refused, match="100% of the weight is in studies at high risk of bias"):
        grade.made(rating, found, {"a": "RoB 2"})
    answered = certainty.from_json(
        {**data, "answers": {"risk_of_bias": "Blinding can't bias deaths."}},
        review(CARE),
        [found.id],
    )
    made = grade.made(answered, found, {"a": "RoB 2"})
    assert made.level == "moderate"
    assert made.studies == ("a",)
    assert certainty.known(certainty.to_json(made)) == made
    assert grade.rated(found, made).certainty is not None


def test_cerqual_needs_studies_to_rate() -> None:
    told = {"kind": "cerqual", "statement": "caution", "level": "high"}
    with pytest.raises(Refused, match="names no studies"):
        certainty.from_json(told, review(), [])


def test_reasons_are_told_with_their_steps() -> None:
    found = rated(large(), "moderate", DOWN)
    assert found.certainty is not None
    assert found.certainty.reasons == ("imprecision (−1): the interval is wide",)
