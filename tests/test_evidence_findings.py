"""A finding says what its numbers hold, no more and no less: the ways in which a page once said
something else.
"""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from livereview.evidence import checked, wording
from livereview.evidence.appraisal import RISK_OF_BIAS, risk_rank
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Result
from livereview.review import Comparison, FollowUp, Methods, Outcome
from livereview.statistics.pooling import pool
from tests.evidence import CARE, SOS, WELLBEING, around, finding, rated, ratio, review, smd, study


def text(found: Finding) -> str:
    return wording.words(found).text


# Direction, size and sentence are one


def test_studies_that_all_help_on_two_scales_are_turned_before_they_are_pooled() -> None:
    found = finding(
        WELLBEING,
        study("a", smd(-0.5, 0.3, good=False)),
        study("b", smd(0.5, 0.3)),
        study("c", smd(-0.4, 0.3, good=False)),
        study("d", smd(0.45, 0.3)),
    )
    assert (found.state, found.side, found.good) == ("effect", "more", True)
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(0.4625)
    assert found.votes.more == 4


def test_a_scale_that_nobody_said_the_way_of_counts_for_nothing_and_asks() -> None:
    found = finding(WELLBEING, study("a", smd(0.5, 0.2, good=None)), study("b", smd(0.3, 0.1)))
    assert [one.study for one in found.counted] == ["b"]
    assert [(one.study, one.asks) for one in found.not_used] == [("a", True)]


def test_a_typed_direction_that_its_figures_contradict_counts_for_nothing_and_asks() -> None:
    wrong = smd(-0.4, 0.2, direction="favours_intervention")
    found = finding(WELLBEING, study("a", wrong))
    assert found.state == "too_little", "a study measured it, so it is no gap"
    assert found.not_used[0].asks
    assert "contradicts" in found.not_used[0].reason


def test_words_of_a_pool_come_from_its_estimate_and_not_from_counting() -> None:
    found = finding(
        WELLBEING, study("a", smd(-0.1, 0.2)), study("b", smd(-0.1, 0.3)), study("c", smd(0.6, 0.3))
    )
    assert found.state == "too_little"
    assert "children feel" not in text(found)


def test_a_ratio_that_may_go_either_way_is_no_effect_however_it_is_rated() -> None:
    some = [around(value, 0.6, measure="OR") for value in (0.95, 0.9, 0.98)]
    found = rated(finding(replace(CARE, measure="OR"), *map(study, "abc", some)), "high")
    assert found.state == "too_little"
    assert wording.headline(found).startswith(
        "There is too little evidence on children entering care."
    )


def test_one_large_precise_trial_is_worded_by_its_rating_with_its_size() -> None:
    found = rated(finding(CARE, study("a", ratio(0.8, 0.72, 0.89, n=20_000))), "moderate")
    assert wording.headline(found) == (
        "It is likely that with Signs of Safety fewer children enter care than with usual practice."
    )
    assert "about 12 fewer in every 1,000 (17 fewer to 7 fewer; RR 0.80" in text(found)
    assert "too little" not in text(found)


def test_an_interval_within_the_important_difference_is_little_or_no_difference() -> None:
    effects = (0.1, -0.1, 0.12, -0.12, 0.05, -0.05)
    found = rated(
        finding(
            WELLBEING, *(study(n, smd(e, 0.2)) for n, e in zip("abcdef", effects, strict=True))
        ),
        "high",
    )
    assert found.state == "little_or_no_difference"
    assert wording.headline(found) == (
        "There is little or no difference in wellbeing. This compares Signs of Safety with usual practice."
    )


def test_one_precise_study_may_show_little_or_no_difference() -> None:
    alone = Outcome(
        "care", "Children entering care", "lower", "risk difference per 1,000 children", 5, True
    )
    result = Result(
        "care", "entry", measure="RD", effect=0.0003, ci_low=-0.0021, ci_high=0.0027, n=60_000
    )
    old = Result("care", "entry", "favours_intervention")
    found = finding(alone, study("old", old), study("new", result))
    assert found.state == "little_or_no_difference"
    assert (found.votes.words_only, found.people) == (1, 60_000)
    assert found.side is None
    assert found.good is None


def test_harm_is_said_plainly_first_and_without_the_caveat() -> None:
    harm = [study(name, ratio(1.4, 1.1, 1.78)) for name in "abc"]
    help_ = [study(name, smd(0.5, 0.2)) for name in "de"]
    found = [
        rated(one, "high") for one in checked.findings(review(WELLBEING, CARE), [*harm, *help_])
    ]
    answer = wording.answer(found)
    assert answer.startswith(
        "With Signs of Safety, more children enter care than with usual practice."
    )
    assert not wording.evidence_lacks(found)


def test_the_caveat_stands_where_evidence_lacks_everywhere() -> None:
    none = checked.findings(review(), [])
    assert wording.evidence_lacks(none)
    some = checked.findings(review(), [study("a", ratio(0.5, 0.4, 0.6))])
    assert not wording.evidence_lacks(some)


def test_no_studies_is_not_said_while_records_wait() -> None:
    assert finding(CARE, waiting=8).state == "not_yet_assessed"
    assert finding(CARE).state == "no_studies"


def test_studies_that_clearly_point_both_ways_disagree() -> None:
    found = finding(CARE, study("a", ratio(0.5, 0.4, 0.6)), study("b", ratio(2.0, 1.6, 2.5)))
    assert found.state == "disagree"
    assert "Some clearly found that with Signs of Safety more children enter care." in text(found)


# What a study gives


def test_costs_and_services_never_count_as_health() -> None:
    cost = smd(0.84, 0.05, good=False, kind="cost", construct="cost of care")
    visits = smd(0.3, 0.1, kind="service_use", construct="visits")
    found = finding(WELLBEING, study("a", cost, visits))
    assert found.state == "no_studies"
    assert {one.reason for one in found.not_used} == {
        "it counts costs, which is not this outcome",
        "it counts services that were used, which is not this outcome",
    }


def test_each_comparison_has_a_finding_of_its_own() -> None:
    added = Comparison("added", "Added support, or none", "added support", "no support")
    both = [smd(0.8, 0.3, comparison="sos"), smd(-0.1, 0.8, comparison="added"), smd(0.4, 0.2)]
    first, second = checked.findings(
        review(WELLBEING, comparisons=(SOS, added)), [study("a", *both)]
    )
    assert (first.state, second.state) == ("effect", "too_little")
    assert first.id == "sos/wellbeing"
    assert [one.asks for one in first.not_used] == [True]  # nobody said which the third is about


def test_a_comparison_may_not_ask_about_an_outcome() -> None:
    narrow = replace(SOS, outcomes=("care",))
    care, wellbeing = checked.findings(review(CARE, WELLBEING, comparisons=(narrow,)), [])
    assert (care.state, wellbeing.state) == ("no_studies", "not_asked")


def test_the_protocol_chooses_construct_then_time_and_the_rest_is_listed() -> None:
    bands = (FollowUp("year", "A year", 9, 15), FollowUp("later", "Later", 15))
    outcome = replace(WELLBEING, constructs=("self-esteem",), follow_up=("year", "later"))
    results = [
        smd(0.9, 0.2, construct="mood", time=12, time_unit="months", n=900),
        smd(0.1, 0.2, construct="self-esteem", time=24, time_unit="months", n=500),
        smd(0.2, 0.2, construct="Self-esteem", time=1, time_unit="years", n=300),
    ]
    r = replace(review(outcome), follow_up=bands)
    found = checked.findings(r, [study("a", *results)])[0]
    assert found.studies[0].value == pytest.approx(0.2)
    assert sorted(one.reason for one in found.not_used) == [
        "the protocol prefers Self-esteem",
        "the protocol prefers another time after the start",
    ]


def test_without_an_order_the_most_people_then_the_latest_time_decide_as_numbers() -> None:
    results = [
        smd(0.1, 0.2, time=6, time_unit="months", timing="6 months"),
        smd(0.2, 0.2, time=12, time_unit="months", timing="12 months"),
    ]
    assert finding(WELLBEING, study("a", *results)).studies[0].value == pytest.approx(0.2)
    larger = [replace(results[0], n=500), results[1]]
    assert finding(WELLBEING, study("a", *larger)).studies[0].value == pytest.approx(0.1)


def test_subgroups_of_one_study_are_combined_and_each_person_counts_once() -> None:
    women = smd(0.4, 0.2, subgroup="women", n=210)
    men = smd(-0.2, 0.4, subgroup="men", n=190)
    found = finding(WELLBEING, study("a", women, men))
    weights = [1 / 0.2**2, 1 / 0.4**2]
    assert found.studies[0].value == pytest.approx(
        (0.4 * weights[0] - 0.2 * weights[1]) / sum(weights)
    )
    assert found.people == 400
    assert found.not_used == ()


def test_a_subgroup_beside_the_whole_is_listed_and_not_used() -> None:
    found = finding(
        WELLBEING, study("a", smd(0.4, 0.2, n=400), smd(0.9, 0.3, subgroup="women", n=200))
    )
    assert found.studies[0].value == pytest.approx(0.4)
    assert [one.reason for one in found.not_used] == ["a subgroup of a result that is used whole"]


def test_arms_of_one_trial_are_one_and_its_control_group_counts_once() -> None:
    figures = {"ci": 20, "n2i": 100}
    first = ratio(1.3, 0.8, 2.1, arm="a", n=200, reported={"ai": 26, "n1i": 100, **figures})
    second = ratio(2.2, 1.4, 3.4, arm="b", n=200, reported={"ai": 44, "n1i": 100, **figures})
    found = finding(CARE, study("t", first, second))
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx((70 / 200) / (20 / 100))
    assert found.people == 300
    assert found.not_used == ()


def test_arms_without_counts_are_averaged_with_a_shared_control() -> None:
    found = finding(CARE, study("t", around(1.2, 0.3, arm="a"), around(1.8, 0.3, arm="b")))
    assert found.estimate is not None
    assert log(found.estimate.value) == pytest.approx((log(1.2) + log(1.8)) / 2)
    width = log(found.estimate.high) - log(found.estimate.low)
    assert width == pytest.approx(0.6 * (0.75**0.5))  # two equal variances, correlated by a half


def test_measures_under_two_names_are_one() -> None:
    found = finding(WELLBEING, study("a", smd(0.4, 0.2, measure="g")), study("b", smd(0.3, 0.2)))
    assert found.estimate is not None
    assert found.estimate.studies == 2


def test_a_risk_difference_per_thousand_is_worked_out_from_counts() -> None:
    outcome = replace(
        CARE, measure="risk difference per 1,000 children", risk=None, risk_source=None
    )
    counts = {"ai": 30, "n1i": 1000, "ci": 60, "n2i": 1000}
    found = finding(outcome, study("a", ratio(0.5, 0.3, 0.8, reported=counts)))
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(-30)
    assert found.size == "important"


def test_two_studies_of_the_same_people_count_once() -> None:
    thesis = study("thesis", smd(0.5, 0.4, n=80), overlaps=("article",), risk_of_bias="high")
    article = study("article", smd(0.4, 0.3, n=80), risk_of_bias="low")
    found = finding(WELLBEING, thesis, article)
    assert [one.study for one in found.counted] == ["article"]
    assert found.people == 80
    assert found.not_used[0].reason == "the same people as in Article 2020, which is used"


def test_critical_risk_of_bias_and_words_are_shown_and_never_decide() -> None:
    worst = study("worst", ratio(0.3, 0.2, 0.4), risk_of_bias="critical")
    said = study("said", Result("care", "entry", "favours_intervention"))
    found = finding(CARE, worst, said)
    assert found.state == "too_little"
    assert (found.votes.critical, found.votes.words_only) == (1, 1)


@pytest.mark.parametrize("judgement", [*RISK_OF_BIAS, None])
def test_every_judgement_of_bias_can_be_told(judgement: str | None) -> None:
    found = finding(CARE, study("a", ratio(0.8, 0.7, 0.9), risk_of_bias=judgement))
    assert text(found)
    assert risk_rank(judgement) >= 0


# Size


def test_two_studies_have_a_common_effect_with_a_caution_and_no_i2() -> None:
    found = finding(CARE, study("a", ratio(0.7, 0.6, 0.82)), study("b", ratio(0.8, 0.7, 0.91)))
    estimate = found.estimate
    assert estimate is not None
    assert (estimate.model, estimate.i2, estimate.prediction_low) == ("common effect", None, None)
    assert 0.6 < estimate.low < estimate.high < 0.91
    assert "Two studies only" in text(found)


def test_model_and_test_are_the_protocols() -> None:
    forms = [
        study(n, smd(e, 0.3)) for n, e in zip("abcde", (0.1, 0.5, 0.3, 0.8, -0.1), strict=True)
    ]
    plain = finding(WELLBEING, *forms).estimate
    dl = finding(WELLBEING, *forms, methods=Methods(estimator="DL", test="z")).estimate
    common = finding(WELLBEING, *forms, methods=Methods(estimator="EE")).estimate
    assert plain is not None
    assert dl is not None
    assert common is not None
    assert (plain.estimator, plain.test) == ("REML", "Knapp-Hartung, never narrower than z")
    assert (dl.estimator, dl.test) == ("DL", "z")
    variances = [(0.3 / 1.959963984540054) ** 2] * 5
    by_hand = pool([0.1, 0.5, 0.3, 0.8, -0.1], variances, method="DL", test="z")
    assert (dl.value, dl.low, dl.high) == pytest.approx((by_hand.b, by_hand.ci_lb, by_hand.ci_ub))
    assert common.model == "common effect"
    assert common.low > dl.low


def test_groups_without_events_get_no_made_up_half() -> None:
    def counts(a: int, c: int) -> Result:
        return ratio(
            1.0, 0.5, 2.0, measure="OR", reported={"ai": a, "n1i": 100, "ci": c, "n2i": 100},
            derivation="from the counts",
        )  # fmt: skip

    outcome = replace(CARE, measure="OR")
    forms = [study("a", counts(0, 5)), study("b", counts(3, 9)), study("c", counts(4, 8))]
    found = finding(outcome, *forms).estimate
    assert found is not None
    assert found.model == "Mantel-Haenszel"
    tables = [(0, 100, 5, 95), (3, 97, 9, 91), (4, 96, 8, 92)]
    top = sum(a * d / 200 for a, b, c, d in tables)
    bottom = sum(b * c / 200 for a, b, c, d in tables)
    assert found.value == pytest.approx(top / bottom)
    left = finding(outcome, *forms, methods=Methods(rare="none"))
    assert left.estimate is not None
    assert left.estimate.studies == 2
    assert [one.study for one in left.not_used] == ["a"]


def test_an_absolute_effect_needs_a_risk_that_is_named() -> None:
    bare = replace(CARE, risk=None, risk_source=None)
    found = finding(bare, study("a", ratio(0.8, 0.72, 0.89)))
    assert found.estimate is not None
    assert found.estimate.absolute is None
    assert found.size == "not_judged"
    counts = {"ai": 80, "n1i": 1000, "ci": 100, "n2i": 1000}
    known = finding(bare, study("a", ratio(0.8, 0.72, 0.89, reported=counts)))
    assert known.estimate is not None
    assert known.estimate.absolute is not None
    assert known.estimate.absolute.risk == pytest.approx(100)
    assert known.estimate.absolute.value == pytest.approx(-20)


@pytest.mark.parametrize(
    ("measure", "value", "risk", "expected"),
    [
        ("RR", 0.8, 60, -12.0),
        ("OR", 0.5, 200, 1000 * (0.5 * 0.25 / (1 + 0.5 * 0.25)) - 200),
        ("HR", 2.0, 100, 1000 * (1 - 0.9**2) - 100),
    ],
)
def test_absolute_effects_agree_with_arithmetic_by_odds_and_survival(
    measure: str, value: float, risk: float, expected: float
) -> None:
    outcome = replace(CARE, measure=measure, risk=risk)
    found = finding(outcome, study("a", around(value, 0.1, measure=measure))).estimate
    assert found is not None
    assert found.absolute is not None
    assert found.absolute.value == pytest.approx(expected)


# Where nothing is pooled


def test_a_small_imprecise_study_and_a_large_precise_one_never_read_as_a_draw() -> None:
    apart = replace(WELLBEING, pool=False)
    large = study("large", smd(0.6, 0.2, n=2000), risk_of_bias="low")
    small = study("small", smd(-0.1, 0.8, n=24), risk_of_bias="some_concerns")
    found = finding(apart, large, small)
    assert (found.state, found.side) == ("effect", "more")
    assert found.lead is not None
    assert found.lead.study == "large"
    assert "The least biased and largest study: Large 2020 found that children feel better" in text(
        found
    )
    assert "range from −0.10 to 0.60" in text(found)


def test_the_sign_test_waits_for_five_studies_and_is_never_in_plain_sight() -> None:
    apart = replace(WELLBEING, pool=False)
    four = finding(apart, *(study(n, smd(0.2, 0.5)) for n in "abcd"))
    five = finding(apart, *(study(n, smd(0.2, 0.5)) for n in "abcde"))
    assert four.votes.sign_p is None
    assert five.votes.sign_p == pytest.approx(0.0625)
    assert "p =" not in text(five)
    assert "sign" not in text(five)
