"""Numbers at the edge: no events, everybody, one group reused, huge and tiny, and a percentage
typed as a share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.evidence import checked, checks, wording
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction, Result
from livereview.review import FollowUp, Methods, Outcome
from tests.evidence import CARE, WELLBEING, finding, ratio, review, smd, study

SHARE = replace(CARE, measure="RD", important=0.01)


def form(name: str, outcome: Outcome = CARE, **result: Any) -> Extraction:
    """A form as a person types it, checked and completed as any other."""
    typed = {"outcome": outcome.id, "construct": "entry", "comparison": "sos", **result}
    reports = [f"10.5555/{name}"]
    data = {
        "study": name,
        "label": name.title(),
        "reports": reports,
        "results": [typed],
        "form_version": "3",
    }
    return checks.from_json(data, review(outcome), name)


def counts(name: str, ai: int, ci: int, outcome: Outcome = SHARE) -> Extraction:
    """Events out of 100 in each of two groups."""
    reported = {"ai": ai, "n1i": 100, "ci": ci, "n2i": 100}
    return form(name, outcome, measure=outcome.measure, reported=reported, n=200)


def text(known: Finding) -> str:
    return wording.words(known).text


# No events


def test_a_study_in_which_nothing_happened_does_not_drown_one_in_which_something_did() -> None:
    """With half an event added its variance is the least of all, and −0.10 would be told as −0.004."""
    found = finding(SHARE, counts("empty", 0, 0), counts("full", 10, 20))
    assert found.estimate is not None
    assert found.estimate.model == "Mantel-Haenszel"
    by_hand = (50 * 0 + 50 * (10 - 20) / 100) / 100  # weights n1 n2 / N, Greenland and Robins 1985
    assert found.estimate.value == pytest.approx(by_hand)
    assert "A study has a group without events" in text(found)


def test_a_protocol_that_pools_no_counts_leaves_a_group_without_events_out_and_says_so() -> None:
    known = [counts("a", 0, 0), counts("b", 0, 4), counts("c", 10, 20), counts("d", 12, 21)]
    found = finding(SHARE, *known, methods=Methods(rare="none"))
    assert found.estimate is not None and found.estimate.studies == 2
    assert {one.study: one.reason for one in found.not_used} == {
        "a": "nobody had the event in either group",
        "b": "a group had no event, or nothing but events, and the protocol pools no counts",
    }


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
def test_half_an_event_of_one_study_alone_is_never_silent(measure: str) -> None:
    outcome = replace(CARE, measure=measure)
    assert "by half an event added" in text(finding(outcome, counts("a", 0, 5, outcome)))
    assert "by half an event added" not in text(finding(outcome, counts("a", 2, 5, outcome)))


def test_a_hazard_ratio_beside_a_group_without_events_stands_as_reported() -> None:
    hazard = replace(CARE, measure="HR")
    none = {"ai": 0, "n1i": 100, "ci": 5, "n2i": 100}
    first = study("a", ratio(0.4, 0.2, 0.8, measure="HR", reported=none))
    found = finding(hazard, first, study("b", ratio(0.5, 0.3, 0.8, measure="HR")))
    assert found.estimate is not None and found.estimate.studies == 2


def test_no_difference_reads_as_no_difference() -> None:
    said = text(finding(CARE, study("a", ratio(1.0, 0.5, 2.0))))
    assert "The best estimate is no difference (30 fewer to 60 more in every 1,000; RR 1.00" in said


# More than everybody


@pytest.mark.parametrize("value", [-13.0, 1.4])
def test_a_percentage_typed_as_a_share_is_refused_with_the_next_step(value: float) -> None:
    with pytest.raises(
        Refused, match=r'is beyond 1, and more than all .* write measure "percentage points"'
    ):
        form("a", SHARE, measure="RD", effect=value, ci_low=value - 5, ci_high=value + 5)
    points = form("a", SHARE, measure="percentage points", effect=-13, ci_low=-20, ci_high=-6)
    found = finding(SHARE, points)
    assert found.estimate is not None and found.estimate.absolute is not None
    assert found.estimate.absolute.value == pytest.approx(-130)


def test_a_ratio_that_would_mean_more_than_everybody_is_told_without_numbers_of_people() -> None:
    """RR 3 at 600 in 1,000 would be capped to "400 more (400 more to 400 more)": a certainty that
    nobody has.
    """
    found = finding(replace(CARE, risk=600), study("a", ratio(3.0, 2.5, 3.6)))
    assert found.state == "effect"
    assert found.estimate is not None and found.estimate.absolute is None
    capped = finding(replace(CARE, risk=600), study("a", ratio(1.5, 1.2, 1.875))).estimate
    assert capped is not None and capped.absolute is not None
    assert (capped.absolute.value, capped.absolute.high) == (pytest.approx(300), pytest.approx(400))


# An effect beside the figures it was made from


TURNED = {"measure": "RR", "effect": 0.5, "ci_low": 0.3, "ci_high": 0.8}
COUNTED = {"ai": 40, "n1i": 100, "ci": 20, "n2i": 100}
SCALE = {"measure": "SMD", "effect": 0.4, "ci_low": 0.1, "ci_high": 0.7, "higher_is_better": True}
MEANS = {"m1i": 10, "sd1i": 5, "n1i": 90, "m2i": 12, "sd2i": 5, "n2i": 90}


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (CARE, {**TURNED, "reported": COUNTED}),
        (CARE, {**TURNED, "reported": {"ai": 40, "bi": 60, "ci": 20, "di": 80}}),
        (CARE, {**TURNED, "ci_low": None, "ci_high": None, "reported": COUNTED}),
        (replace(CARE, measure="RD"), {"measure": "percentage points", "effect": -20, "reported": COUNTED}),
        (WELLBEING, {**SCALE, "reported": MEANS}),
    ],
    ids=["totals", "cells", "without an interval", "percentage points", "means"],
)  # fmt: skip
def test_an_effect_that_its_own_figures_deny_is_refused_and_never_counts(
    outcome: Outcome, result: dict[str, Any]
) -> None:
    given = {key: value for key, value in result.items() if value is not None}
    with pytest.raises(Refused, match=r"contradicts its own figures, which give .*adjusted = true"):
        form("a", outcome, **given)
    kept = study("a", Result(outcome.id, "entry", comparison="sos", **given))
    found = finding(outcome, kept)
    assert (found.state, found.not_used[0].asks) == ("too_little", True)

    allowed = form("a", outcome, adjusted=True, **given)
    assert finding(outcome, allowed).not_used == ()


def test_an_effect_that_its_own_figures_give_is_taken_whatever_was_rounded() -> None:
    near = {**TURNED, "effect": 2.0, "ci_low": 1.3, "ci_high": 3.2, "reported": COUNTED}
    assert finding(CARE, form("a", **near)).state == "effect"
    by_name = {**TURNED, "measure": "aRR", "reported": COUNTED}
    assert finding(CARE, form("a", **by_name)).side == "fewer"


@pytest.mark.parametrize("reported", [COUNTED, {"ai": 40, "bi": 60, "ci": 20, "di": 80}])
def test_people_are_those_of_the_figures_and_not_all_who_ever_joined(
    reported: dict[str, float],
) -> None:
    result = Result("care", "entry", comparison="sos", measure="RR", reported=reported)
    known = study("a", replace(result, effect=2, ci_low=1.3, ci_high=3.2), participants=900)
    assert finding(CARE, known).people == 200


# What is typed


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ({"effect": 0.8, "ci_low": 0.9, "ci_high": 0.7}, "must be ci_low <= effect <= ci_high"),
        ({"effect": 0.8, "ci_low": 0.9, "ci_high": 1.1}, "must be ci_low <= effect <= ci_high"),
        ({"effect": 0.8, "ci_low": 0.8, "ci_high": 0.8}, "its interval has no width"),
        ({"effect": 0.8, "ci_low": 0.1, "ci_high": 0.81}, "at the very edge of its interval"),
        ({"effect": 0.8, "ci_low": 0.79, "ci_high": 8.1}, "at the very edge of its interval"),
        ({"effect": -0.8, "ci_low": -0.9, "ci_high": -0.7}, "RR must be above 0"),
        ({"effect": 0.1, "ci_low": 0, "ci_high": 0.7}, "RR must be above 0"),
        ({"effect": 0.8, "ci_low": 0.7, "ci_high": 0.9, "n": 0}, "from 1 to"),
        (
            {"effect": 0.5, "ci_low": 0.4, "ci_high": 0.6, "direction": "favours_comparison"},
            "contradicts RR 0.5",
        ),
        (
            {"effect": 0.5, "ci_low": 0.4, "ci_high": 0.6, "direction": "no_difference"},
            "contradicts RR 0.5",
        ),
        ({"effect": 0.5, "ci_low": 0.4, "ci_high": 0.6, "measure": "SMCC"}, "must be one of SMD"),
    ],
)
def test_figures_that_can_not_be_are_refused(figures: dict[str, Any], problem: str) -> None:
    with pytest.raises(Refused, match=problem):
        form("a", **{"measure": "RR", **figures})


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_huge_and_tiny_figures_are_pooled_and_told_without_failing(size: float) -> None:
    found = finding(WELLBEING, *(study(name, smd(size, size / 10)) for name in "abc"))
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(size)
    assert found.state == ("effect" if size > 1 else "little_or_no_difference")
    assert text(found)


def test_a_change_from_baseline_and_a_final_value_are_one_measure_and_both_are_listed_as_they_are() -> (
    None
):
    change = study("a", smd(0.4, 0.3, construct="change in wellbeing since the start"))
    final = study("b", smd(0.3, 0.2))
    found = finding(WELLBEING, change, final)
    assert found.estimate is not None and found.estimate.studies == 2
    assert [one.measured for one in found.studies] == [
        "change in wellbeing since the start",
        "wellbeing",
    ]


# One group reused


def test_a_control_group_that_two_comparisons_share_counts_once_in_each_and_never_twice_in_one() -> (
    None
):
    figures = {"ci": 20, "n2i": 100}
    arms = [
        ratio(1.3, 0.8, 2.1, arm=arm, n=200, reported={"ai": events, "n1i": 100, **figures})
        for arm, events in (("a", 26), ("b", 44), ("c", 20))
    ]
    found = finding(CARE, study("t", *arms))
    assert found.people == 400, "three arms of 100 and their one control group"
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx((90 / 300) / (20 / 100))


def test_a_scale_that_is_reversed_in_one_study_turns_its_interval_too() -> None:
    turned = finding(WELLBEING, study("a", smd(-0.5, 0.2, good=False)))
    assert turned.estimate is not None
    ends = (turned.estimate.low, turned.estimate.value, turned.estimate.high)
    assert ends == pytest.approx((0.3, 0.5, 0.7))


# Results that point both ways


@pytest.mark.parametrize("apart", ["subgroup", "arm"])
def test_opposite_parts_of_one_study_are_no_little_or_no_difference(apart: str) -> None:
    """Their mean is 0 with a narrow interval, and hides that women were helped and men harmed."""
    parts = smd(0.6, 0.2, **{apart: "a"}), smd(-0.6, 0.2, **{apart: "b"})
    found = finding(WELLBEING, study("one", *parts))
    assert (found.state, found.side, found.studies[0].mixed) == ("disagree", None, True)
    assert wording.headline(found) == (
        "The results of one study disagree. Some clearly show that with Signs of Safety children feel better. "
        "Others clearly show that children feel worse."
    )
    more = finding(
        WELLBEING, study("one", smd(0.9, 0.2, **{apart: "a"}), smd(-0.3, 0.2, **{apart: "b"}))
    )
    assert more.state == "effect"
    assert "Within one study, arms or groups of people clearly point both ways." in text(more)


def test_two_large_opposite_studies_are_no_little_or_no_difference() -> None:
    """By a common effect their interval lies within what matters, between two effects that both
    matter.
    """
    found = finding(CARE, study("a", ratio(0.5, 0.48, 0.52)), study("b", ratio(2.0, 1.92, 2.08)))
    assert found.estimate is not None and found.estimate.absolute is not None
    assert abs(found.estimate.absolute.low) < 5 and abs(found.estimate.absolute.high) < 5
    assert found.state == "disagree"


def test_opposite_differences_too_small_to_matter_are_little_or_no_difference() -> None:
    found = finding(CARE, study("a", ratio(0.98, 0.97, 0.99)), study("b", ratio(1.02, 1.01, 1.03)))
    assert found.state == "little_or_no_difference"


def test_no_study_is_said_to_have_clearly_found_what_its_interval_denies() -> None:
    apart = replace(WELLBEING, pool=False)
    found = finding(
        apart, study("small", smd(0.6, 0.5, n=30)), study("large", smd(-0.1, 0.3, n=3000))
    )
    assert found.state == "disagree"
    assert wording.headline(found) == (
        "The studies disagree. Some clearly found that with Signs of Safety children feel better. "
        "A larger or less biased one did not."
    )


def test_a_clear_result_the_other_way_that_is_not_used_is_told() -> None:
    used, other = smd(0.6, 0.2, instrument="A"), smd(-0.6, 0.2, instrument="B")
    found = finding(WELLBEING, study("one", used, other))
    assert found.studies[0].opposite == 1
    assert (
        "One study also has a clear result the other way, which is listed and not used here."
        in text(found)
    )
    alike = finding(WELLBEING, study("one", used, smd(0.3, 0.2, instrument="B")))
    assert "the other way" not in text(alike)


# One study among others


HUGE = study("huge", ratio(0.9, 0.88, 0.92, n=200_000))
SMALL = study("small", ratio(1.5, 1.2, 1.875, n=300))


def test_a_huge_study_does_not_silence_one_that_clearly_found_the_opposite() -> None:
    """A common effect weighs by size: the mean is that of the huge one, whatever the other found."""
    found = finding(CARE, HUGE, SMALL)
    assert found.estimate is not None and found.estimate.clear == "fewer"
    assert (found.state, found.side) == ("disagree", None)
    said = text(found)
    assert "Do not rely on it: it hides that the studies disagree." in said
    assert "The largest study: Huge 2020 found that fewer children enter care (RR 0.90" in said
    assert "On its own, one study clearly found that more children enter care: Small 2020" in said


@pytest.mark.parametrize("estimator", ["EE", "REML"])
def test_one_opposite_study_among_many_is_named_beside_the_effect(estimator: str) -> None:
    many = [study(f"s{n}", ratio(0.7, 0.63, 0.7778)) for n in range(9)]
    found = finding(CARE, *many, SMALL, methods=Methods(estimator=estimator))
    assert (found.state, found.side) == ("effect", "fewer")
    assert "One study clearly found the opposite: Small 2020 (RR 1.50" in text(found)


def test_a_common_effect_of_opposites_is_an_effect_only_where_studies_may_differ_too() -> None:
    others = [study(name, ratio(1.5, 1.2, 1.875, n=300)) for name in "abc"]
    found = finding(CARE, HUGE, *others, methods=Methods(estimator="EE"))
    assert found.estimate is not None and found.estimate.clear == "fewer"
    assert found.state == "disagree"


@pytest.mark.parametrize(("people", "state"), [(90_000, "disagree"), (90, "effect")])
def test_a_mean_does_not_speak_for_a_larger_study_that_it_cannot_hold(
    people: int, state: str
) -> None:
    """Two risk ratios are averaged; the odds ratio of a third can't be, and says the opposite."""
    apart = study("apart", ratio(2, 1.5, 2.667, measure="OR", n=people))
    two = study("a", ratio(0.8, 0.7, 0.914)), study("b", ratio(0.7, 0.6, 0.8167))
    found = finding(CARE, *two, apart)
    assert found.state == state
    said = text(found)
    assert "The size is that of 2 of them: one is told in another measure." in said
    assert "Apart 2020" in said and "OR 2.00" in said
    assert "another measure" not in text(finding(CARE, *two))


def test_counts_pooled_as_one_effect_do_not_hide_an_opposite_either() -> None:
    outcome = replace(CARE, measure="OR")
    known = [
        counts("empty", 0, 5, outcome),
        form("huge", outcome, measure="OR", reported=_table(900, 20_000, 1_200)),
        form("small", outcome, measure="OR", reported=_table(60, 200, 30)),
    ]
    found = finding(outcome, *known)
    assert found.estimate is not None
    assert (found.estimate.model, found.estimate.clear) == ("Mantel-Haenszel", "fewer")
    assert found.state == "disagree"


def _table(ai: int, people: int, ci: int) -> dict[str, int]:
    return {"ai": ai, "n1i": people, "ci": ci, "n2i": people}


@pytest.mark.parametrize(
    ("effects", "state"), [((0.0, 0.0, 0.6), "too_little"), ((0.0, 0.0, 0.15), "little_or_no_difference")]
)  # fmt: skip
def test_a_clear_result_that_the_mean_does_not_show_is_named_with_its_figure(
    effects: tuple[float, ...], state: str
) -> None:
    forms = [study(name, smd(e, 0.1)) for name, e in zip("abc", effects, strict=True)]
    found = finding(WELLBEING, *forms)
    assert found.state == state
    assert f"One study has a clear result of its own: C 2020 (SMD {effects[2]:.2f}" in text(found)
    assert "children feel" not in text(found)


def test_two_studies_of_very_different_sizes_are_both_shown() -> None:
    strong = study("strong", ratio(0.3, 0.2, 0.45))
    assert "The two found very different sizes: Huge 2020 (RR 0.90" in text(
        finding(CARE, HUGE, strong)
    )
    near = study("near", ratio(0.85, 0.8, 0.9031))
    assert "very different" not in text(finding(CARE, HUGE, near))


def test_a_clear_mean_says_that_it_may_be_otherwise_elsewhere() -> None:
    values = (0.4, 0.6, 0.9, 0.5, 0.95, 0.7, 1.1, 0.45)
    forms = [study(f"s{n}", ratio(v, v * 0.8, v / 0.8)) for n, v in enumerate(values)]
    assert "Elsewhere there may be no difference, or the opposite one" in text(
        finding(CARE, *forms)
    )
    alike = [
        study(f"s{n}", ratio(v, v * 0.8, v / 0.8)) for n, v in enumerate((0.6, 0.62, 0.58) * 2)
    ]
    assert "Elsewhere" not in text(finding(CARE, *alike))


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({"n": 900, "risk_of_bias": "low"}, {"n": 90, "risk_of_bias": "high"}, "The least biased and largest study"),
        ({"n": 90, "risk_of_bias": "low"}, {"n": 900, "risk_of_bias": "high"}, "The least biased study"),
        ({"n": 900}, {"n": 90}, "The largest study"),
        ({"n": 90}, {"n": 90}, "One of the largest studies"),
        ({"n": None}, {"n": None}, "The most precise study"),
    ],
)  # fmt: skip
def test_a_study_is_called_largest_or_least_biased_only_where_it_is(
    first: dict[str, Any], second: dict[str, Any], why: str
) -> None:
    forms = [
        study(name, smd(0.5, 0.2, n=more.get("n")), risk_of_bias=more.get("risk_of_bias"))
        for name, more in (("a", first), ("b", second))
    ]
    assert f"{why}: A 2020 found" in text(finding(replace(WELLBEING, pool=False), *forms))


def test_studies_stand_in_the_unit_of_the_answer_that_they_are_shown_beside() -> None:
    """Percentage points, shares and differences per 1,000 are one measure in three units."""
    outcome = replace(CARE, measure="risk difference per 1,000 children", risk=None)
    found = finding(
        outcome,
        study("a", ratio(-13, -20, -6, measure="percentage points")),
        study("b", ratio(-0.05, -0.08, -0.02, measure="RD")),
        study("c", ratio(-40, -70, -10, measure="RD per 1,000")),
    )
    assert [one.value for one in found.studies] == pytest.approx([-130, -50, -40])
    assert [one.per for one in found.studies] == [1000] * 3
    assert found.estimate is not None
    assert -130 < found.estimate.value < -40


def test_a_size_without_an_interval_is_told_and_decides_nothing() -> None:
    outcome = replace(CARE, measure="risk difference per 1,000 children", risk=None)
    bare = study("bare", Result("care", "kin", measure="percentage points", effect=-13))
    alone = finding(outcome, bare)
    assert alone.state == "too_little"
    told = "One study gives a size without an interval, so it can't be told from chance: Bare 2020"
    assert f"{told} (RD per 1,000 −130)." in text(alone)
    beside = finding(outcome, bare, study("b", ratio(-0.05, -0.08, -0.02, measure="RD")))
    assert "The only study with an interval: B 2020 found that fewer children" in text(beside)
    assert told in text(beside)


# Times


@pytest.mark.parametrize(
    ("time", "unit", "months"),
    [
        (39, "weeks", 9.0),
        (52, "weeks", 12.0),
        (26, "weeks", 6.0),
        (365, "days", 12.0),
        (1, "years", 12.0),
        (90, "days", 3.0),
    ],
)
def test_the_same_time_in_other_units_is_the_same_time(
    time: float, unit: str, months: float
) -> None:
    assert smd(0.1, 0.1, time=time, time_unit=unit).months == months


def test_a_band_of_follow_up_holds_its_first_month_in_weeks_too() -> None:
    rules = replace(
        review(replace(WELLBEING, follow_up=("year",))),
        follow_up=(FollowUp("year", "A year", 9, 15),),
    )
    inside = smd(0.6, 0.2, time=39, time_unit="weeks")
    later = smd(0.1, 0.2, time=24, time_unit="months")
    (found,) = checked.findings(rules, [study("a", later, inside)])
    assert found.studies[0].value == pytest.approx(0.6)
    assert [one.reason for one in found.not_used] == [
        "the protocol prefers another time after the start"
    ]
