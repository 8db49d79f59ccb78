"""Synthesis by direction of effect: three states that never merge, and no vote by significance."""

from dataclasses import replace
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.evidence.forms import DIRECTIONS
from livereview.evidence.synthesis import STATES, sign_test, synthesise
from tests.snapshots import CARE, WELL, result, study

FOR, AGAINST = "favours_intervention", "favours_comparison"


def small(n=100, **fields):
    return result(measure="SMD", effect=0.01, ci_low=-0.1, ci_high=0.12, n=n, **fields)


def state(*studies, outcome=WELL):
    return synthesise(outcome, studies).state


def test_no_study_is_its_own_state():
    found = synthesise(WELL, [study("a", result("care"))])
    assert (found.state, found.studies, found.leading) == ("no_studies", (), None)
    assert found.sign_test.p is None
    assert found.sign_test.reason == "no study has a direction"


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_one_study_is_never_enough_whatever_it_found(direction):
    assert state(study("a", result(direction=direction, n=10_000))) == "insufficient_evidence"
    assert state(study("a", small(direction=direction))) == "insufficient_evidence"


def test_a_direction_needs_most_studies_and_most_people():
    big, little, other = (study(name, result(n=n)) for name, n in (("a", 200), ("b", 50), ("c", 60)))
    against = study("d", result(direction=AGAINST, n=100))
    assert state(big, little, against) == FOR
    assert state(little, other, replace(against, results=(result(direction=AGAINST, n=500),))) == "mixed"
    assert state(big, against) == "mixed"


def test_unknown_numbers_of_people_make_no_majority():
    found = synthesise(WELL, [study("a", result()), study("b", result(n=50))])
    assert found.state == "insufficient_evidence"
    assert found.reason == "not all studies report how many people took part"
    assert (found.participants, found.unreported) == (50, 1)


def test_no_important_effect_needs_every_interval_within_the_smallest_difference_that_matters():
    assert state(study("a", small()), study("b", small())) == "no_important_effect"
    wide = result(measure="SMD", effect=0.01, ci_low=-0.1, ci_high=0.21, n=100)
    assert state(study("a", small()), study("b", wide)) == FOR
    unsized = result(direction="no_difference", n=100)
    assert state(study("a", unsized), study("b", unsized)) == "insufficient_evidence"


def test_intervals_in_another_measure_or_of_ratios_prove_no_small_effect():
    ratio = replace(WELL, measure="OR")
    near = result(measure="OR", effect=0.05, ci_low=0.01, ci_high=0.1, direction="no_difference", n=9)
    assert state(study("a", near), study("b", near), outcome=ratio) == "insufficient_evidence"
    assert state(study("a", near), study("b", near)) == "insufficient_evidence"
    assert state(study("a", small()), study("b", small()), outcome=replace(WELL, important=None)) == FOR


def test_a_study_counts_once_in_the_direction_of_seventy_per_cent_of_its_results():
    seven = [result() for _ in range(7)]
    found = synthesise(
        WELL,
        [
            study("a", *seven, *[result(direction=AGAINST)] * 3),
            study("b", *seven[:6], *[result(direction=AGAINST)] * 3),
        ],
    )
    assert [one.direction for one in found.studies] == [FOR, "mixed"]
    assert found.studies[0].counts == ((FOR, 7), (AGAINST, 3))
    assert found.results == 19


def test_significance_plays_no_part():
    strong = result(measure="SMD", effect=2.0, ci_low=1.5, ci_high=2.5, n=50)
    weak = result(direction=AGAINST, measure="SMD", effect=-0.3, ci_low=-1.5, ci_high=0.9, n=60)
    found = synthesise(WELL, [study("a", strong), study("b", weak), study("c", weak)])
    assert found.state == AGAINST


def test_people_are_the_largest_group_analysed_and_not_counted_twice():
    found = synthesise(
        WELL, [study("a", result(n=90), result(n=100), participants=300), study("b", result(), participants=40)]
    )
    assert [one.participants for one in found.studies] == [100, 40]


def test_the_sign_test_is_exact_and_two_sided():
    assert sign_test(5, 0).p == 2 / 32
    assert sign_test(1, 0).p == 1.0
    assert sign_test(3, 3).p == 1.0
    assert sign_test(8, 2).p == sign_test(2, 8).p == 2 * (comb(10, 0) + comb(10, 1) + comb(10, 2)) / 1024


RESULTS = st.builds(
    result, st.sampled_from(["well", "care"]), st.sampled_from(DIRECTIONS), n=st.none() | st.integers(1, 500)
)
STUDIES = st.lists(st.lists(RESULTS, max_size=5), max_size=6).map(
    lambda lists: [study(f"s{n}", *results) for n, results in enumerate(lists)]
)


@given(STUDIES, st.randoms(use_true_random=False))
def test_the_order_of_studies_and_results_is_irrelevant(studies, random):
    shuffled = [replace(one, results=tuple(random.sample(one.results, len(one.results)))) for one in studies]
    random.shuffle(shuffled)
    assert synthesise(WELL, shuffled) == synthesise(WELL, studies)


@given(STUDIES)
def test_every_outcome_has_one_state_that_fits_its_studies(studies):
    found = synthesise(CARE, studies)
    assert found.state in STATES
    assert (found.state == "no_studies") == (not found.studies)
    assert len(found.studies) != 1 or found.state == "insufficient_evidence"
    assert found.sign_test.p is None or 0 < found.sign_test.p <= 1
    mirrored = [
        replace(one, results=tuple(replace(r, direction=_MIRROR.get(r.direction, r.direction)) for r in one.results))
        for one in studies
    ]
    assert synthesise(CARE, mirrored).state == _MIRROR.get(found.state, found.state)


_MIRROR = {FOR: AGAINST, AGAINST: FOR}
