"""A report's own effect beside its counts: which one is used, and that the page says why.

An adjusted ratio holds what plain counts forget, and an interval stands as its report prints it.
"""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import pytest

from livereview.evidence import checked, checks, wording
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.review import Methods, Outcome, Review
from tests.evidence import CARE, WELLBEING, finding, ratio, review, study

ODDS = replace(CARE, measure="OR")
ZERO = {"ai": 0, "n1i": 50, "ci": 5, "n2i": 52}
OWN = {"measure": "OR", "effect": 0.12, "ci_low": 0.02, "ci_high": 0.75, "reported": ZERO}
ADJUSTED = {**OWN, "adjusted": True}
FROM_COUNTS = {"measure": "OR", "reported": ZERO}
OTHERS: tuple[dict[str, Any], ...] = (
    {
        "measure": "OR", "effect": 0.6, "ci_low": 0.4, "ci_high": 0.9, "adjusted": True,
        "reported": {"ai": 40, "n1i": 200, "ci": 50, "n2i": 200},
    },
    {
        "measure": "OR", "effect": 0.7, "ci_low": 0.4, "ci_high": 1.2, "adjusted": True,
        "reported": {"ai": 30, "n1i": 200, "ci": 33, "n2i": 200},
    },
)  # fmt: skip
PLAIN = ({"measure": "OR", "reported": row["reported"]} for row in OTHERS)
PLAIN_OTHERS = tuple(PLAIN)


def form(rules: Review, name: str, *rows: dict[str, Any]) -> Extraction:
    """One study's form, as people fill it in."""
    outcome = {"outcome": rules.outcomes[0].id, "construct": "entry"}
    data = {"study": name, "label": name, "reports": [f"10.5555/{name}"]}
    results = [{**outcome, **row} for row in rows]
    return checks.from_json({**data, "results": results}, rules, name)


def found(outcome: Outcome, *rows: dict[str, Any], methods: Methods | None = None) -> Finding:
    """The finding of studies with one result each."""
    rules = review(outcome) if methods is None else review(outcome, methods=methods)
    forms = [form(rules, "abcdef"[place], row) for place, row in enumerate(rows)]
    return checked.findings(rules, forms)[0]


def pooled_by_hand(*effects: tuple[float, float, float]) -> float:
    """The inverse-variance mean of ratios with their intervals, by no code of the project."""
    weights = [1 / ((log(high) - log(low)) / 3.919927969080108) ** 2 for _, low, high in effects]
    mean = sum(w * log(e) for w, (e, _, _) in zip(weights, effects, strict=True)) / sum(weights)
    return float(2.718281828459045**mean)


def test_an_adjusted_ratio_beside_a_zero_cell_is_the_one_that_is_used_and_says_why() -> None:
    told = found(ODDS, ADJUSTED)
    assert told.estimate is not None
    assert (told.estimate.value, told.estimate.low) == (pytest.approx(0.12), pytest.approx(0.02))
    (own,) = told.studies
    assert not own.half_event
    assert "its own effect is adjusted, and its counts" in own.chosen


def test_adjusted_effects_are_never_replaced_by_a_pool_of_plain_counts() -> None:
    told = found(ODDS, ADJUSTED, *OTHERS)
    assert told.estimate is not None
    assert told.estimate.model == "random effects" and told.estimate.studies == 3
    by_hand = pooled_by_hand((0.12, 0.02, 0.75), (0.6, 0.4, 0.9), (0.7, 0.4, 1.2))
    assert told.estimate.value == pytest.approx(by_hand, rel=0.02)


def test_a_study_that_only_counts_can_tell_is_left_out_of_adjusted_effects_in_sight() -> None:
    told = found(ODDS, FROM_COUNTS, *OTHERS)
    assert told.estimate is not None and told.estimate.studies == 2
    assert told.estimate.value == pytest.approx(pooled_by_hand((0.6, 0.4, 0.9), (0.7, 0.4, 1.2)))
    (left_out,) = told.not_used
    assert "counts are not pooled where a report's own effect is adjusted" in left_out.reason
    assert "One of them has a group without events" in wording.evidence(told)
    assert "is not in the size: a." in wording.evidence(told)


def test_plain_counts_are_still_pooled_where_nothing_is_adjusted() -> None:
    told = found(ODDS, FROM_COUNTS, *PLAIN_OTHERS)
    assert told.estimate is not None
    assert told.estimate.model == "Mantel-Haenszel" and told.estimate.studies == 3


def test_a_reports_own_effect_counts_where_counts_cannot_be_pooled() -> None:
    told = found(ODDS, OWN, {"measure": "OR", "effect": 0.6, "ci_low": 0.4, "ci_high": 0.9})
    assert told.estimate is not None and told.estimate.studies == 2
    assert not told.not_used
    alone = found(ODDS, FROM_COUNTS, OTHERS[0], methods=Methods(rare="none"))
    assert "the protocol pools no counts" in alone.not_used[0].reason


@pytest.mark.parametrize("first", ["adjusted", "plain"])
def test_of_two_analyses_of_the_same_people_the_adjusted_one_counts_whichever_was_typed_first(
    first: str,
) -> None:
    rows = [
        ratio(0.9, 0.8, 1.01, n=480, adjusted=True),
        ratio(0.7, 0.6, 0.82, n=500, adjusted=False),
    ]
    if first == "plain":
        rows.reverse()
    told = finding(CARE, study("a", *rows))
    assert told.state == "too_little"
    assert told.estimate is not None and told.estimate.value == pytest.approx(0.9)
    (other,) = told.not_used
    assert other.reason == "the result that allows for differences between the groups is used"


@pytest.mark.parametrize(
    ("ends", "side"), [((0.5, 0.9), "fewer"), ((0.48, 0.99), "fewer"), ((0.5, 1.0), None)]
)
def test_one_studys_interval_stands_as_its_report_prints_it(
    ends: tuple[float, float], side: str | None
) -> None:
    """Rounded ends lie at two distances from the effect; the page prints neither of its own."""
    told = finding(CARE, study("a", ratio(0.7, *ends)))
    assert told.estimate is not None
    assert (told.estimate.low, told.estimate.high) == pytest.approx(ends)
    assert told.side == side
    (own,) = told.studies
    assert (own.low, own.high) == pytest.approx(ends)


def test_a_risk_ratio_of_the_opposite_event_is_worked_out_from_its_counts() -> None:
    """Ninety of 100 stayed at home, and 80 of 100: ten entered care, and 20."""
    stayed = {"measure": "RR", "reported": {"ai": 90, "n1i": 100, "ci": 80, "n2i": 100}}
    told = found(CARE, {**stayed, "higher_is_better": True})
    assert told.estimate is not None and told.estimate.value == pytest.approx(0.5)
    spread = 1.959963984540054 * (1 / 10 - 1 / 100 + 1 / 20 - 1 / 100) ** 0.5
    assert log(told.estimate.high) == pytest.approx(log(0.5) + spread)
    (own,) = told.studies
    assert own.counts is not None and own.counts.events_with == 10


def test_an_adjusted_ratio_of_the_opposite_event_is_still_asked_about() -> None:
    counted = {"ai": 90, "n1i": 100, "ci": 80, "n2i": 100}
    own = {"measure": "RR", "effect": 1.1, "ci_low": 1.0, "ci_high": 1.2, "adjusted": True}
    with pytest.raises(Exception, match="counts the opposite event"):
        found(CARE, {**own, "reported": counted, "higher_is_better": True})


def test_a_ratio_of_means_on_a_reversed_scale_is_told_of_as_a_scale_and_not_as_an_event() -> None:
    reversed_scale = {"measure": "ROM", "effect": 0.8, "ci_low": 0.7, "ci_high": 0.9}
    with pytest.raises(Exception, match="its scale runs the other way") as refused:
        found(replace(WELLBEING, measure="ROM"), {**reversed_scale, "higher_is_better": False})
    assert "event" not in str(refused.value)


def arm(name: str, events: int, effect: float) -> dict[str, Any]:
    """An arm of a trial with an adjusted ratio beside its counts."""
    counted = {"ai": events, "n1i": 100, "ci": 25, "n2i": 100}
    ends = {"ci_low": effect / 1.3, "ci_high": effect * 1.3}
    own = {"measure": "RR", "effect": effect, "adjusted": True, "reported": counted}
    return {**own, **ends, "arm": name}


def test_arms_with_adjusted_effects_are_averaged_and_not_added_up_from_plain_counts() -> None:
    rules = review(CARE)
    (told,) = checked.findings(rules, [form(rules, "a", arm("x", 10, 0.9), arm("y", 9, 0.95))])
    assert told.estimate is not None
    assert told.estimate.value == pytest.approx((0.9 * 0.95) ** 0.5)
    assert told.state == "too_little"


def test_an_adjusted_ratio_in_another_measure_is_not_replaced_by_plain_counts() -> None:
    own = {"measure": "RR", "effect": 0.9, "ci_low": 0.7, "ci_high": 1.1}
    counted = {"ai": 10, "n1i": 100, "ci": 25, "n2i": 100}
    adjusted = found(ODDS, {**own, "adjusted": True, "reported": counted})
    assert adjusted.estimate is not None
    assert (adjusted.estimate.measure, adjusted.state) == ("RR", "too_little")
    plain = found(ODDS, {"measure": "RR", "reported": counted})
    assert plain.estimate is not None and plain.estimate.measure == "OR"


def test_where_all_results_count_two_analyses_of_the_same_people_are_one_result() -> None:
    rules = review(CARE, methods=Methods(dependent="all"))
    own = {"measure": "RR", "effect": 0.95, "ci_low": 0.7, "ci_high": 1.3, "n": 500}
    plain = {"measure": "RR", "effect": 0.6, "ci_low": 0.45, "ci_high": 0.8, "n": 500}
    both = form(rules, "a", plain, {**own, "adjusted": True})
    once = form(rules, "a", {**own, "adjusted": True})
    others = [form(rules, name, {**plain, "construct": "in care"}) for name in "bc"]
    (with_both,) = checked.findings(rules, [both, *others])
    (with_one,) = checked.findings(rules, [once, *others])
    assert with_both.estimate == with_one.estimate
    assert [row.reason for row in with_both.not_used] == [
        "the result that allows for differences between the groups is used"
    ]
