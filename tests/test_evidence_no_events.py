"""Studies whose figures give no size: taken in, kept and shown, and never made to say anything."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.evidence import checked, checks, no_size, wording
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.review import Methods, Outcome
from livereview.statistics import rare
from livereview.summary import bars, forest
from livereview.summary.words import effect as in_words
from tests.evidence import CARE, WELLBEING, finding, review

SHARE = replace(CARE, measure="RD", important=None)
ODDS = replace(CARE, measure="OR")
RATE = replace(CARE, measure="IRR", important=None, risk=None)
RATE_DIFFERENCE = replace(RATE, measure="IRD")
POINTS = replace(WELLBEING, measure="MD")


def form(name: str, outcome: Outcome, *results: dict[str, Any]) -> Extraction:
    """A form as a person types it, without a direction."""
    shared = {"outcome": outcome.id, "construct": "entry", "comparison": "sos"}
    if outcome.measure in ("MD", "SMD"):
        shared["higher_is_better"] = True
    typed = [{**shared, "measure": outcome.measure, **result} for result in results]
    data = {"study": name, "label": name.title(), "reports": [f"10.5555/{name}"], "results": typed}
    return checks.from_json(data, review(outcome), name)


def counts(ai: int, n1i: int, ci: int, n2i: int, **more: Any) -> dict[str, Any]:
    return {"reported": {"ai": ai, "n1i": n1i, "ci": ci, "n2i": n2i}, **more}


def means(m1: float, sd1: float, m2: float, sd2: float, **more: Any) -> dict[str, Any]:
    names = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")
    return {"reported": dict(zip(names, (m1, sd1, 40, m2, sd2, 40), strict=True)), **more}


def rates(x1: int, t1: float, x2: int, t2: float) -> dict[str, Any]:
    return {"reported": {"x1i": x1, "t1i": t1, "x2i": x2, "t2i": t2}, "n": 100}


TWO = (counts(10, 100, 20, 100), counts(12, 100, 21, 100))


def with_two(outcome: Outcome, odd: dict[str, Any], **more: Any) -> Finding:
    """The odd result beside two studies that say something."""
    known = [form(f"s{n}", outcome, result) for n, result in enumerate(TWO)]
    return finding(outcome, *known, form("odd", outcome, odd), **more)


@pytest.mark.parametrize("outcome", [CARE, ODDS], ids=["RR", "OR"])
@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (counts(0, 50, 0, 50), "no_events"),
        (counts(50, 50, 50, 50), "only_events"),
        (counts(3, 50, 0, 0), "too_few_people"),
        ({"reported": {"ai": 0, "bi": 50, "ci": 0, "di": 50}}, "no_events"),
        (counts(0, 50, 0, 50, measure="RD"), "no_events"),
    ],
    ids=["nobody", "everybody", "a group without people", "cells", "told as a difference"],
)
@pytest.mark.parametrize("rare_events", ["mantel-haenszel", "peto", "none"])
def test_a_study_that_says_nothing_of_a_ratio_is_kept_and_shown_and_weighs_nothing(
    outcome: Outcome, odd: dict[str, Any], why: str, rare_events: str
) -> None:
    methods = Methods(rare=rare_events)
    found = with_two(outcome, odd, methods=methods)
    alone = finding(
        outcome, *(form(f"s{n}", outcome, one) for n, one in enumerate(TWO)), methods=methods
    )
    assert found.estimate == alone.estimate, "by the protocol's own model, as if it were not there"
    assert found.people == 400
    study = next(one for one in found.studies if one.study == "odd")
    assert (study.no_size, study.counted, study.value, study.as_words) == (why, False, None, False)
    assert [(one.study, one.reason) for one in found.not_used] == [("odd", no_size.REASONS[why])]
    assert found.votes.words_only == 0
    text = wording.words(found).text
    assert (
        f"One study can't say which did better, and is not counted: Odd ({no_size.REASONS[why]})."
        in text
    )
    assert "2 studies with 400 people." in text


def test_the_forest_table_has_a_row_for_it_with_what_stands_in_place_of_a_size() -> None:
    found = with_two(CARE, counts(0, 50, 0, 50))
    drawn = bars.forest(found, forest.parts_of(found))
    assert [(row.study.study, row.instead) for row in drawn.without] == [("odd", "no events")]
    assert len(drawn.rows) == 2
    assert "no events" in forest.svg("x", "Care", found)


def test_a_group_without_events_is_pooled_from_counts_and_its_own_size_is_marked_rough() -> None:
    found = with_two(CARE, counts(0, 50, 4, 50))
    assert found.estimate is not None
    assert (found.estimate.model, found.estimate.studies) == ("Mantel-Haenszel", 3)
    study = next(one for one in found.studies if one.study == "odd")
    assert study.half_event and study.counted
    assert not any(one.half_event for one in found.studies if one.study != "odd")
    assert "≈ " in forest.svg("x", "Care", found)
    peto = with_two(ODDS, counts(0, 50, 4, 50), methods=Methods(rare="peto"))
    assert peto.estimate is not None and (peto.estimate.model, peto.estimate.studies) == ("Peto", 3)


def test_a_difference_keeps_a_study_without_events_where_counts_are_pooled() -> None:
    found = with_two(SHARE, counts(0, 100, 0, 100))
    assert found.estimate is not None and found.estimate.studies == 3
    by_hand = (50 * (10 - 20) / 100 + 50 * (12 - 21) / 100 + 0) / 150  # n1 n2 / N are 50 each
    assert found.estimate.value == pytest.approx(by_hand)
    assert (found.people, found.not_used) == (600, ())
    assert all(study.counted for study in found.studies)


@pytest.mark.parametrize("outcome", [CARE, ODDS, SHARE], ids=["RR", "OR", "RD"])
def test_alone_it_says_too_little_and_claims_no_interval(outcome: Outcome) -> None:
    """Half an event added would make 0 of 100 against 0 of 100 “little or no difference”."""
    found = finding(replace(outcome, important=50), form("odd", outcome, counts(0, 100, 0, 100)))
    assert (found.state, found.estimate, found.people) == ("too_little", None, None)
    assert found.why == "no study's figures give a size"
    assert wording.studies_and_people(found) == "no study that counts"


def test_one_study_that_speaks_beside_silent_ones_gives_its_own_estimate() -> None:
    known = [form("a", CARE, counts(0, 50, 0, 50)), form("b", CARE, counts(10, 100, 20, 100))]
    found = finding(CARE, *known)
    assert found.estimate is not None and found.estimate.model == "one study"
    assert found.people == 200


def test_a_typed_side_that_such_figures_deny_is_refused_naming_both() -> None:
    with pytest.raises(Refused, match=r"favours_intervention contradicts .* nobody had the event"):
        form("a", CARE, counts(0, 50, 0, 50, direction="favours_intervention"))
    taken = form("a", CARE, counts(0, 50, 0, 50, direction="no_difference"))
    assert finding(CARE, taken).votes.words_only == 0


def test_what_an_older_form_holds_by_half_an_event_counts_no_more_than_today() -> None:
    today = form("odd", SHARE, counts(0, 100, 0, 100))
    then = replace(today.results[0], effect=0.0, ci_low=-0.019, ci_high=0.019, derivation="RD")
    older = replace(today, results=(then,))
    assert finding(CARE, older) == finding(CARE, today)


def test_the_opposite_event_is_turned() -> None:
    stayed = form("odd", CARE, counts(0, 50, 0, 50, higher_is_better=True))
    assert finding(CARE, stayed).studies[0].no_size == "only_events"


def test_a_study_with_a_size_elsewhere_gives_that_one() -> None:
    both = form(
        "a", CARE, counts(0, 50, 0, 50, time=6, time_unit="months"), counts(4, 50, 8, 50, time=1, time_unit="years")
    )  # fmt: skip
    found = finding(CARE, both)
    assert found.studies[0].value == pytest.approx(0.5)
    assert [one.reason for one in found.not_used] == ["nobody had the event in either group"]


# Groups of one study


def test_subgroups_without_events_are_combined_by_counts_and_nobody_is_lost() -> None:
    men, women = counts(0, 50, 0, 50, subgroup="men"), counts(3, 60, 6, 60, subgroup="women")
    found = finding(CARE, form("a", CARE, men, women))
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(0.5), "the men say nothing of a ratio"
    assert (found.people, found.not_used) == (220, ())


def test_subgroups_with_a_group_without_events_need_no_half_event() -> None:
    men, women = counts(0, 50, 2, 50, subgroup="men"), counts(3, 60, 6, 60, subgroup="women")
    found = finding(CARE, form("a", CARE, men, women))
    pooled = rare.tables("RR", [0, 3], [50, 57], [2, 6], [48, 54])
    assert found.estimate is not None and pooled.b is not None
    assert log(found.estimate.value) == pytest.approx(pooled.b)
    assert not found.studies[0].half_event


def test_effects_that_the_report_gives_stand_whatever_its_counts_are() -> None:
    hazard = replace(CARE, measure="HR")
    given = {"measure": "HR", "effect": 0.4, "ci_low": 0.2, "ci_high": 0.8}
    men = counts(0, 50, 5, 50, subgroup="men", **given)
    women = counts(3, 60, 6, 60, subgroup="women", **{**given, "effect": 0.5, "ci_high": 1.25})
    found = finding(hazard, form("a", hazard, men, women))
    assert found.estimate is not None and 0.4 < found.estimate.value < 0.5
    adjusted = {"measure": "OR", "effect": 0.6, "ci_low": 0.36, "ci_high": 1.0, "adjusted": True}
    both = [
        counts(ai, 50, 4, 50, subgroup=name, **adjusted) for ai, name in ((0, "men"), (3, "women"))
    ]
    odds = finding(ODDS, form("a", ODDS, *both))
    assert odds.estimate is not None and odds.estimate.value == pytest.approx(0.6)
    assert not odds.studies[0].half_event


def test_arms_of_which_one_has_no_events_are_one_group() -> None:
    first = counts(0, 50, 6, 50, arm="light", control_arm="usual")
    second = counts(4, 50, 6, 50, arm="full", control_arm="usual")
    found = finding(CARE, form("a", CARE, first, second))
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx((4 / 100) / (6 / 50))
    assert found.people == 150


# Clusters


def test_counts_of_clusters_are_brought_down_before_they_are_pooled() -> None:
    clustered = counts(0, 100, 8, 100, clustered=True, analysed="individuals")
    clustered["reported"] |= {"icc": 0.05, "cluster_size": 21}
    found = with_two(CARE, clustered)
    plain = with_two(CARE, counts(0, 100, 8, 100))
    halved = rare.tables("RR", [10, 12, 0], [90, 88, 50], [20, 21, 4], [80, 79, 46])
    assert found.estimate is not None and plain.estimate is not None and halved.b is not None
    assert log(found.estimate.value) == pytest.approx(halved.b), "a design effect of 2"
    assert found.estimate.value != pytest.approx(plain.estimate.value)


# Means and rates


@pytest.mark.parametrize("outcome", [POINTS, WELLBEING], ids=["MD", "SMD"])
def test_means_without_spread_are_kept_and_weigh_nothing(outcome: Outcome) -> None:
    usual = [form(f"s{n}", outcome, means(12, 4, 10 + n, 4)) for n in range(2)]
    found = finding(outcome, *usual, form("odd", outcome, means(12, 0, 10, 0)))
    assert found.estimate == finding(outcome, *usual).estimate
    assert found.people == 160
    assert [one.reason for one in found.not_used] == [no_size.REASONS["no_spread"]]
    one_sided = finding(outcome, form("a", outcome, means(12, 0, 10, 4)))
    assert one_sided.estimate is not None, "the other group's spread is enough"


def test_rates_without_events_or_without_time_are_kept_and_weigh_nothing() -> None:
    usual = [form("a", RATE, rates(10, 100, 20, 100)), form("b", RATE, rates(8, 90, 15, 90))]
    odd = [form("c", RATE, rates(0, 50, 0, 50)), form("d", RATE, rates(4, 50, 0, 0))]
    found = finding(RATE, *usual, *odd)
    assert found.estimate == finding(RATE, *usual).estimate
    assert found.people == 200
    assert [one.reason for one in found.not_used] == [
        no_size.REASONS["no_events"],
        no_size.REASONS["no_person_time"],
    ]


@pytest.mark.parametrize("outcome", [RATE, RATE_DIFFERENCE], ids=["IRR", "IRD"])
def test_rates_with_a_group_without_events_are_pooled_from_counts(outcome: Outcome) -> None:
    rows = [(10, 100, 20, 100), (8, 90, 15, 90), (0, 50, 4, 60)]
    found = finding(outcome, *(form(f"s{n}", outcome, rates(*row)) for n, row in enumerate(rows)))
    assert found.estimate is not None and found.estimate.model == "Mantel-Haenszel"
    weights = [(t1 + t2) for _, t1, _, t2 in rows]
    first = sum(x1 * t2 / t for (x1, _, _, t2), t in zip(rows, weights, strict=True))
    second = sum(x2 * t1 / t for (_, t1, x2, _), t in zip(rows, weights, strict=True))
    shared = sum(t1 * t2 / t for (_, t1, _, t2), t in zip(rows, weights, strict=True))
    by_hand = first / second if outcome is RATE else (first - second) / shared
    assert found.estimate.value == pytest.approx(by_hand)


def test_the_pool_of_one_table_of_rates_is_that_table() -> None:
    """Mantel and Haenszel's variances reduce to those of a single rate ratio and rate difference."""
    one = ([10], [100.0], [20], [120.0])
    ratio, difference = rare.rates("IRR", *one), rare.rates("IRD", *one)
    assert ratio.b == pytest.approx(log((10 / 100) / (20 / 120)))
    assert ratio.se is not None and ratio.se**2 == pytest.approx(1 / 10 + 1 / 20)
    assert difference.b == pytest.approx(10 / 100 - 20 / 120)
    assert difference.se is not None
    assert difference.se**2 == pytest.approx(10 / 100**2 + 20 / 120**2)


def test_rates_of_the_same_people_in_halves_pool_to_about_the_whole() -> None:
    halves = rare.rates("IRR", [5, 5], [50.0, 50.0], [10, 10], [60.0, 60.0])
    whole = rare.rates("IRR", [10], [100.0], [20], [120.0])
    assert halves.b == pytest.approx(whole.b)
    assert halves.se == pytest.approx(whole.se)


# Said elsewhere


@pytest.mark.parametrize("why", no_size.REASONS)
def test_every_reason_has_words_for_a_cell_and_for_a_list(why: no_size.NoSize) -> None:
    assert no_size.REASONS[why] and no_size.CELLS[why]


def test_a_result_without_a_size_says_why_in_the_study_s_own_list() -> None:
    taken = form("a", CARE, counts(0, 50, 0, 50))
    assert in_words(taken.results[0]) == "no size: nobody had the event in either group"


def test_a_study_at_critical_risk_of_bias_is_told_once() -> None:
    odd = replace(form("odd", CARE, counts(0, 50, 0, 50)), risk_of_bias="critical")
    found = checked.findings(review(CARE), [odd])[0]
    assert found.votes.critical == 1
    assert "can't say which did better" not in wording.words(found).text
