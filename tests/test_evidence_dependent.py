"""All results of a study may count: together, not as if each were a study, and its people once."""

from __future__ import annotations

import json
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest
from scipy.stats import t

from livereview.evidence import weigh, wording
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.review import FollowUp, Methods
from tests.evidence import SOS, WELLBEING, finding, review, smd, study

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "data" / "synthesis"
ALL = Methods(dependent="all")
PAIRS = ((0.1, 0.3), (0.5, 0.2), (0.3, 0.7), (-0.1, 0.2), (0.4, 0.6), (0.0, 0.35))


def pair(name: str, values: tuple[float, ...]) -> Extraction:
    return study(
        name, *[smd(value, 0.3, construct=f"scale {n}", n=100) for n, value in enumerate(values)]
    )


def asked(*forms: Extraction, methods: Methods = ALL) -> Finding:
    return weigh.finding(review(WELLBEING, methods=methods), SOS, WELLBEING, forms)


SIX = [pair(f"s{n}", values) for n, values in enumerate(PAIRS)]


def test_a_balanced_pool_is_the_mean_of_the_studies_means_by_a_t_test_of_them() -> None:
    some = asked(*SIX).estimate
    assert some is not None
    means = [fmean(values) for values in PAIRS]
    half = float(t.ppf(0.975, 5)) * stdev(means) / sqrt(6)
    assert some.value == pytest.approx(fmean(means), rel=1e-6)
    assert (some.low, some.high) == pytest.approx(
        (fmean(means) - half, fmean(means) + half), rel=1e-6
    )
    assert (some.studies, some.results) == (6, 12)
    assert some.test == "CR2, t with 5.0 degrees of freedom"


def test_people_are_counted_once_and_no_result_is_listed_as_not_used() -> None:
    some = asked(*SIX)
    assert some.people == 600
    assert some.not_used == ()
    assert "6 studies with 600 people. All 12 of their results count." in wording.words(some).text
    assert some.studies[0].chosen == "as reported; 1 more result counts with it"
    assert sum(one.weight or 0 for one in some.studies) == pytest.approx(100)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden cases are not beside the project")
def test_a_published_three_level_pool_comes_out_as_that_of_metafor_and_clubsandwich() -> None:
    case = json.loads((GOLDEN / "konstantopoulos2011_3level.json").read_text())
    rows = list(zip(case["raw"]["yi"], case["raw"]["vi"], case["raw"]["cluster"], strict=True))
    forms = [
        study(
            f"d{district}",
            *[
                smd(y, 1.959963984540054 * sqrt(v), construct=f"school {n}")
                for n, (y, v, at) in enumerate(rows)
                if at == district
            ],
        )
        for district in dict.fromkeys(at for _, _, at in rows)
    ]
    some = asked(*forms).estimate
    assert some is not None
    wanted = {name: values[0] for name, values in case["robust_CR2_clubSandwich"].items()}
    assert some.value == pytest.approx(wanted["b"], rel=1e-5)
    assert (some.low, some.high) == pytest.approx((wanted["ci_lb"], wanted["ci_ub"]), rel=1e-4)
    assert some.tau2 == pytest.approx(case["multilevel_REML"]["sigma2"][0], rel=1e-4)
    by_z = asked(*forms, methods=replace(ALL, test="z")).estimate
    assert by_z is not None
    own = case["multilevel_REML"]
    assert (by_z.low, by_z.high) == pytest.approx((own["ci_lb"][0], own["ci_ub"][0]), rel=1e-4)


def test_where_one_is_chosen_the_others_are_listed_with_the_reason() -> None:
    some = asked(*SIX, methods=Methods())
    assert some.estimate is not None
    assert some.estimate.results is None
    assert len(some.not_used) == 6
    assert "results" not in some.estimate.model_dump()


def test_studies_with_one_result_each_are_pooled_as_ever() -> None:
    single = [pair(f"s{n}", values[:1]) for n, values in enumerate(PAIRS)]
    assert asked(*single) == asked(*single, methods=Methods())
    assert weigh._basis(_given(single)) == weigh._basis(_given(single, Methods()))


def _given(forms: list[Extraction], methods: Methods = ALL) -> weigh.Given:
    return weigh.contributions.gather(review(WELLBEING, methods=methods), SOS, WELLBEING, forms)


def test_of_two_studies_the_results_of_each_are_averaged_and_no_surer_for_it() -> None:
    some = asked(*SIX[:2]).estimate
    single = asked(*SIX[:2], methods=Methods()).estimate
    assert some is not None
    assert single is not None
    assert some.value == pytest.approx((0.2 + 0.35) / 2)
    assert some.high - some.low == pytest.approx(single.high - single.low)
    assert (some.results, some.model) == (4, "common effect")


def test_a_study_alone_speaks_by_its_preferred_result() -> None:
    some = asked(SIX[0])
    assert some.estimate is not None
    assert (some.estimate.value, some.estimate.results, len(some.not_used)) == (
        pytest.approx(0.1),
        None,
        1,
    )


def test_below_five_studies_the_interval_is_the_models_own_with_a_caution() -> None:
    some = asked(*SIX[:3]).estimate
    assert some is not None
    assert (some.test, some.caution) == (
        "z",
        "Fewer than 5 studies: the interval may be too narrow if they differ.",
    )


def test_a_whole_and_its_subgroups_do_not_count_beside_each_other() -> None:
    parted = study(
        "a",
        smd(0.3, 0.2, n=100),
        smd(0.2, 0.3, n=50, subgroup="girls"),
        smd(0.4, 0.3, n=50, subgroup="boys"),
        smd(0.5, 0.3, construct="another scale", n=100),
    )
    some = asked(parted, *SIX)
    assert some.estimate is not None
    assert some.estimate.results == 14
    assert {one.measured for one in some.not_used} == {"wellbeing"}
    assert len(some.not_used) == 2


def test_times_and_scales_that_the_protocol_prefers_less_do_not_count() -> None:
    outcome = replace(WELLBEING, constructs=("scale 0",), follow_up=("year",))
    late = [
        smd(0.3, 0.3, construct="scale 0", time=months, time_unit="months") for months in (12, 36)
    ]
    forms = [study("late", *late), *SIX]
    protocol = review(outcome, methods=ALL)
    protocol = replace(protocol, follow_up=(FollowUp("year", "A year", 9, 18),))
    some = weigh.finding(protocol, SOS, outcome, forms)
    assert some.estimate is not None
    assert some.estimate.results is None
    assert {one.reason for one in some.not_used} == {
        "the protocol prefers another time after the start",
        "the protocol prefers scale 0",
    }


def test_a_sensitivity_analysis_takes_one_result_of_each_study() -> None:
    checks = {one.check: one for one in finding(WELLBEING, *SIX, methods=ALL).sensitivity}
    assert list(checks) == ["leave_one_out", "dependent", "model"]
    single = asked(*SIX, methods=Methods())
    assert single.estimate is not None
    assert checks["dependent"].least == pytest.approx(single.estimate.value)
    assert bool(checks["dependent"].other_answers) == (single.meaning != asked(*SIX).meaning)
