"""Nobody is counted twice: arms, subgroups, repeated results, and one trial entered as several studies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from livereview.evidence import checked, weigh
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction, Result
from livereview.review import Comparison, Moderator
from livereview.summary import findings_table
from tests.evidence import CARE, SOS, WELLBEING, finding, ratio, review, smd, study

OTHER = Comparison("more", "Added support, or usual practice", "added support", "usual practice")
CONTROL = {"ci": 20, "n2i": 100}


def counted(ai: int, n1i: int = 100, **more: Any) -> Result:
    """A result on entry to care against the control group of 100 people."""
    effect = (ai / n1i) / 0.2
    reported = {"ai": ai, "n1i": n1i, **CONTROL}
    plain = {"n": None, "reported": reported, "derivation": "RR", "control_arm": "usual"}
    return ratio(effect, effect / 1.6, effect * 1.6, **{**plain, **more})


def people(found: Finding) -> tuple[int | None, int, int]:
    """People of the finding, of its rows together, and how many studies it counts."""
    rows = sum(row.people or 0 for row in found.counted)
    return found.people, rows, len(found.counted)


# Arms


def test_three_arms_in_one_form_count_the_shared_group_once() -> None:
    found = finding(CARE, study("a", counted(10, arm="light"), counted(14, arm="full")))
    assert people(found) == (300, 300, 1)
    table = findings_table.findings_tables([found])
    assert "300" in str(table)


def test_an_arm_beside_a_result_of_the_whole_trial_adds_nobody() -> None:
    whole = counted(24, 200, n=300)
    found = finding(CARE, study("a", whole, counted(10, arm="light"), counted(14, arm="full")))
    assert people(found) == (300, 300, 1)
    assert [one.reason for one in found.not_used] == ["an arm of a result that is used whole"] * 2


def test_an_arm_stands_where_the_whole_has_no_size_that_can_be_pooled() -> None:
    bare = ratio(0.6, 0.4, 0.9, n=300, control_arm="usual")
    bare = replace(bare, ci_low=None, ci_high=None)
    found = finding(CARE, study("a", bare, counted(10, arm="light")))
    assert found.studies[0].value == pytest.approx(0.5)


def test_a_shared_group_in_two_comparisons_counts_once_in_each_row() -> None:
    first = counted(10, comparison="sos", arm="light")
    second = counted(14, comparison="more", arm="full")
    protocol = review(CARE, comparisons=(SOS, OTHER))
    found = checked.findings(protocol, [study("a", first, second)])
    assert [people(one) for one in found] == [(200, 200, 1), (200, 200, 1)]


def test_two_controls_of_one_trial_are_not_added_up() -> None:
    waiting = counted(10, arm="light", control_arm="waiting")
    found = finding(CARE, study("a", counted(10, arm="light"), waiting))
    assert people(found) == (200, 200, 1)
    assert "another group" in found.not_used[0].reason


# One trial as two studies


def two_forms(**second: Any) -> tuple[Extraction, Extraction]:
    light = study("a", counted(10, arm="light"), reports=("10.5555/trial",))
    full = study("b", counted(14, arm="full"), **{"reports": ("10.5555/Trial ",), **second})
    return light, full


def test_a_trial_entered_as_two_studies_counts_its_comparison_group_once_and_asks() -> None:
    found = finding(CARE, *two_forms())
    assert people(found) == (200, 200, 1)
    assert found.estimate is not None and found.estimate.studies == 1
    unused = found.not_used[0]
    assert unused.asks
    assert "enter both as arms of one study" in unused.reason
    assert found.votes.more + found.votes.fewer == 1


def test_two_studies_of_one_report_with_groups_of_their_own_both_count() -> None:
    own = {"ai": 9, "n1i": 80, "ci": 15, "n2i": 90}
    second = counted(9, 80, reported=own)
    light, full = two_forms()
    assert people(finding(CARE, light, replace(full, results=(second,)))) == (370, 370, 2)


def test_two_reports_with_the_same_figures_both_count() -> None:
    assert people(finding(CARE, *two_forms(reports=("10.5555/another",)))) == (400, 400, 2)


def test_means_of_a_shared_group_are_seen_too() -> None:
    shared = {"m2i": 10.0, "sd2i": 4.0, "n2i": 60.0}

    def arm(mean: float, name: str) -> Extraction:
        reported = {"m1i": mean, "sd1i": 4.0, "n1i": 60.0, **shared}
        result = smd(0.3, 0.2, n=120, reported=reported, derivation="SMD", arm=name)
        return study(name, result, reports=("10.5555/trial",))

    assert people(finding(WELLBEING, arm(11, "a"), arm(12, "b"))) == (120, 120, 1)


def test_forms_that_say_they_overlap_count_once_whichever_says_so() -> None:
    early, late = study("a", counted(10)), study("b", counted(12), overlaps=("a",))
    for known in ((early, late), (late, early)):
        assert people(finding(CARE, *known)) == (200, 200, 1)


# Times, scales and analyses of the same people


def test_two_times_of_the_same_people_count_once() -> None:
    early = counted(10, time=6, time_unit="months")
    found = finding(CARE, study("a", early, counted(12, time=12, time_unit="months")))
    assert people(found) == (200, 200, 1)


def test_all_results_of_a_study_count_as_results_and_never_as_people() -> None:
    both = [smd(0.4, 0.2, construct=name) for name in ("mood", "hope")]
    known = [study(name, *both) for name in "abc"]
    methods = replace(review().methods, dependent="all")
    found = finding(WELLBEING, *known, methods=methods)
    assert found.estimate is not None and found.estimate.results == 6
    assert people(found) == (600, 600, 3)


def test_clusters_and_individuals_of_one_study_count_once() -> None:
    individuals = counted(10)
    clusters = counted(12, clustered=True, analysed="clusters", n=200)
    assert people(finding(CARE, study("a", individuals, clusters))) == (200, 200, 1)


# Subgroups


def part(name: str, ai: int, **more: Any) -> Result:
    return counted(ai, subgroup=name, control_arm=None, **more)


def test_a_subgroup_with_two_analyses_counts_once() -> None:
    women = [part("women", 10), part("women", 12, adjusted=True)]
    found = finding(CARE, study("a", part("men", 11, primary=True), *women))
    assert people(found) == (400, 400, 1)
    assert "the same people at the same time" in found.not_used[0].reason


def test_people_divided_by_sex_and_again_by_age_count_once() -> None:
    by_sex = [part(name, 10, subgroup_is={"sex": name}) for name in ("men", "women")]
    by_age = [part(name, 10, subgroup_is={"age": name}) for name in ("young", "old")]
    found = finding(CARE, study("a", *by_sex, *by_age))
    assert people(found) == (400, 400, 1)
    assert len(found.not_used) == 2


def test_subgroups_with_more_people_than_joined_are_not_added_up() -> None:
    some = [part(name, 10) for name in ("men", "women", "young", "old")]
    found = finding(CARE, study("a", *some, participants=420))
    assert people(found) == (200, 200, 1)
    assert all("more than joined the study" in one.reason for one in found.not_used)


def test_groups_of_a_moderator_hold_each_person_once() -> None:
    sex = Moderator("sex", "Sex", "category", "asked for", True, ("men", "women"))
    some = [part(name, 10, subgroup_is={"sex": name}) for name in ("men", "women")]
    known = [study(name, *some) for name in ("a", "b")]
    found = finding(CARE, *known, moderators=(sex,))
    groups = found.moderators[0].groups
    assert [group.people for group in groups] == [400, 400]
    assert found.people == 800


def test_what_is_assumed_without_the_intervention_takes_each_study_once() -> None:
    """The middle of 0.2 (three arms of one trial), 0.4 and 0.4 is 0.4, not 0.2."""
    plain = replace(CARE, risk=None)
    trial = study("a", counted(10, arm="x"), counted(14, arm="y"), counted(15, arm="z"))
    own = {"ai": 30, "n1i": 100, "ci": 40, "n2i": 100}
    others = [study(name, counted(30, reported=own)) for name in ("b", "c")]
    found = weigh.finding(review(plain), SOS, plain, [trial, *others])
    assert found.estimate is not None and found.estimate.absolute is not None
    assert found.estimate.absolute.risk == pytest.approx(400)
