"""When to stop, and what a random look at the rest tells: as published, and never promising more."""

from __future__ import annotations

from math import comb, floor, inf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.ranking import audit, stopping
from livereview.ranking.simulate import verdicts

LABELS = st.lists(st.integers(0, 1), max_size=40)


def every_window(labels: list[int], total: int, target: float) -> float:
    """The p-value by the definition: each window, each probability as a ratio of binomials."""
    n, found, least = len(labels), sum(labels), 1.0
    for i in range(1, n + 1):
        inside, population = sum(labels[n - i :]), total - (n - i)
        relevant = floor(found / target + 1 - (found - inside))
        if relevant > population:
            return 0.0
        ways = sum(
            comb(relevant, x) * comb(population - relevant, i - x) for x in range(inside + 1)
        )
        least = min(least, ways / comb(population, i))
    return least


@given(LABELS, st.integers(0, 60), st.sampled_from([0.5, 0.8, 0.9, 0.95, 1.0]))
def test_p_is_the_least_over_all_windows(labels: list[int], unread: int, target: float) -> None:
    total = len(labels) + unread
    assert stopping.p_value(labels, total, target) == pytest.approx(
        every_window(labels, total, target), abs=1e-9
    )


def test_p_of_known_readings() -> None:
    """By hand: 1 found first, then 20 irrelevant of 30 left, where one relevant at least would have
    to be.
    """
    assert stopping.p_value([1] + [0] * 20, 31, 0.95) == pytest.approx(1 - 20 / 30, abs=1e-12)
    assert stopping.p_value([], 10) == 1.0
    assert stopping.p_value([0] * 10, 10) == 0.0


def test_new_arrivals_take_back_what_was_allowed() -> None:
    labels = [1] * 40 + [0] * 400
    then, now = stopping.backlog(labels, 500), stopping.backlog(labels, 5_000)
    assert then.may_stop
    assert not now.may_stop
    assert now.p > then.p
    assert now.low < then.low


@given(LABELS, st.integers(0, 60))
def test_the_bounds_agree_with_the_test(labels: list[int], unread: int) -> None:
    """`most` is not rejected, one more would be.

    And a target below the lower bound may be stopped at.
    """
    total = len(labels) + unread
    told = stopping.backlog(labels, total, 0.9, 0.9)
    assert sum(labels) <= told.most <= sum(labels) + unread
    assert told.may_stop == (told.p < 0.1)
    if isnan(told.low):
        assert told.found == 0
    else:
        assert 0 <= told.low <= 1
        if sum(labels) / told.most >= 0.9 and told.most < total - len(labels) + sum(labels):
            assert told.may_stop


@given(
    st.lists(st.integers(0, 1), min_size=1, max_size=60).filter(any), st.sampled_from([0.8, 0.95])
)
def test_the_first_stop_is_the_first(labels: list[int], target: float) -> None:
    stop = stopping.first_stop(labels, target, 0.9)
    allowed = [
        read
        for read in range(1, len(labels) + 1)
        if any(labels[:read]) and stopping.p_value(labels[:read], len(labels), target) < 0.1
    ]
    assert stop == (allowed[0] if allowed else len(labels))


def test_the_test_holds_its_promise_in_random_order() -> None:
    """Read at random, which is as bad as the test allows for: recall below target in one stop of
    twenty at most.
    """
    dice, short = np.random.default_rng(1), 0
    for _ in range(200):
        labels = dice.permutation([1] * 20 + [0] * 380).tolist()
        short += sum(labels[: stopping.first_stop(labels)]) < 19
    assert short / 200 < 0.1


@pytest.mark.parametrize(
    ("labels", "total", "target", "words"),
    [
        ([1, 0], 1, 0.95, "2 labels for 1 records"),
        ([1], 9, 0, "lies above 0"),
        ([1], 9, 95, "such as 0.95"),
    ],
)
def test_what_can_t_be_tested_is_refused(
    labels: list[int], total: int, target: float, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        stopping.p_value(labels, total, target)


def test_simple_rules_count_in_a_row() -> None:
    assert stopping.irrelevant_in_a_row([0, 0, 1, 0, 0, 0, 1], 3) == 6
    assert stopping.irrelevant_in_a_row([0, 1, 0], 2) == 3


def test_each_rule_gives_its_verdict() -> None:
    told = {v.rule: (v.read, v.recall) for v in verdicts([1] * 9 + [0] * 120 + [1] + [0] * 270)}
    assert told["50 irrelevant in a row"] == (59, 0.9)
    assert told["200 irrelevant in a row"] == (330, 1.0)
    assert told["hypergeometric test, recall 0.95 at 0.95 (the guarantee)"][1] == 1.0


def test_a_cut_leaves_room_for_the_next_relevant_record() -> None:
    scores = np.arange(1.0, 20.0)
    assert stopping.cut(scores, 0.95) == 1.0
    assert stopping.cut(scores, 0.5) == 10.0
    assert stopping.cut(scores[:18], 0.95) == -inf


def test_cuts_find_their_target_of_records_like_these() -> None:
    dice, found = np.random.default_rng(2), []
    for _ in range(300):
        found.append((dice.normal(size=50) >= stopping.cut(dice.normal(size=60), 0.9)).mean())
    assert np.mean(found) == pytest.approx(0.9, abs=0.01)


def test_a_threshold_is_judged_on_folds_it_did_not_see() -> None:
    dice = np.random.default_rng(3)
    y = np.array([1] * 100 + [0] * 900)
    scores = dice.normal(size=1_000) + 2.5 * y
    told = stopping.threshold(scores, y.tolist(), (np.arange(1_000) % 5).tolist(), 0.95)
    assert told.found / told.relevant == told.recall
    assert 0.9 <= told.recall <= 1
    assert told.low < told.recall
    assert 0.2 < told.reading < 0.5
    few = stopping.threshold(scores[90:110], y[90:110].tolist(), (np.arange(20) % 5).tolist(), 0.95)
    assert (few.score, few.reading, few.recall) == (-inf, 1.0, 1.0)
    with pytest.raises(Refused, match="until some are found"):
        stopping.threshold(scores[100:], y[100:].tolist(), [0] * 900, 0.95)


def test_lower_bounds_are_clopper_and_pearson_s() -> None:
    assert stopping.lowest(10, 10) == pytest.approx(0.05**0.1)
    assert stopping.lowest(0, 10) == 0.0
    assert stopping.lowest(95, 100) == pytest.approx(0.8977466, abs=1e-6)


def test_none_found_still_allows_many_missed() -> None:
    """None among 100 drawn of 2,000 unread; also by ratio of binomials."""
    told = audit.missed([audit.Stratum(0.05, 2_000, 100, 0)])
    assert (told.estimate, told.low, told.high) == (0.0, 0, 57)
    assert comb(1_943, 100) / comb(2_000, 100) > 0.05 > comb(1_942, 100) / comb(2_000, 100)


@pytest.mark.parametrize(("audited", "relevant"), [(100, 0), (100, 3), (400, 1), (2_000, 4)])
def test_bounds_of_one_stratum_are_exact(audited: int, relevant: int) -> None:
    def chance(missed: int, finds: range) -> float:
        ways = sum(
            comb(missed, x) * comb(2_000 - missed, audited - x) for x in finds if x <= missed
        )
        return ways / comb(2_000, audited)

    told = audit.missed([audit.Stratum(audited / 2_000, 2_000, audited, relevant)])
    assert chance(told.high, range(relevant + 1)) > 0.05
    assert audited == 2_000 or chance(told.high + 1, range(relevant + 1)) <= 0.05
    assert chance(told.low, range(relevant, audited + 1)) > 0.05
    assert told.low == relevant or chance(told.low - 1, range(relevant, audited + 1)) <= 0.05


def test_nights_with_other_probabilities_are_weighed() -> None:
    told = audit.missed([audit.Stratum(0.05, 1_000, 50, 1), audit.Stratum(0.5, 100, 50, 4)])
    assert told.estimate == pytest.approx(1 / 0.05 + 4 / 0.5)
    assert told.low <= told.estimate <= told.high


def test_bounds_over_nights_hold_wherever_the_missed_lie() -> None:
    """In 19 of 20 audits at least the upper bound is no less than the truth, the missed being where
    chances are low.
    """
    dice, held = np.random.default_rng(4), 0
    for _ in range(200):
        seen = [dice.hypergeometric(m, n - m, k) for n, k, m in ((600, 30, 40), (400, 80, 5))]
        strata = [
            audit.Stratum(0.05, 600, 30, int(seen[0])),
            audit.Stratum(0.2, 400, 80, int(seen[1])),
        ]
        held += audit.missed(strata).high >= 45
    assert held / 200 >= 0.95


def test_a_draw_is_logged_with_its_probability_and_can_be_repeated() -> None:
    ids = [f"r{n}" for n in range(200)]
    drawn = audit.draw(ids, 20, 7)
    assert drawn == audit.draw(ids[::-1], 20, 7)
    assert drawn != audit.draw(ids, 20, 8)
    assert {one.probability for one in drawn} == {0.1}
    assert len({one.record_id for one in drawn}) == 20
    assert [one.probability for one in audit.draw(ids[:3], 20, 7)] == [1.0] * 3
    assert audit.draw([], 5, 7) == ()
    with pytest.raises(Refused, match="at least one"):
        audit.draw(ids, 0, 7)


def test_every_record_is_drawn_as_often_as_any_other() -> None:
    counts = dict.fromkeys((f"r{n}" for n in range(20)), 0)
    for seed in range(2_000):
        for one in audit.draw(list(counts), 5, seed):
            counts[one.record_id] += 1
    assert min(counts.values()) > 420
    assert max(counts.values()) < 580


def test_nights_together_raise_the_probability() -> None:
    assert audit.together([0.1, 0.2]) == pytest.approx(1 - 0.9 * 0.8)
    assert audit.together([]) == 0


def test_recall_is_an_interval() -> None:
    told = audit.recall(95, audit.Missed(5.0, 0, 57, 0.95))
    assert (told.estimate, told.low, told.high) == (0.95, 95 / 152, 1.0)
    with pytest.raises(Refused, match="found by screening"):
        audit.recall(0, audit.Missed(5.0, 0, 57, 0.95))


@pytest.mark.parametrize(
    "wrong", [(0.1, 10, 11, 0), (0.1, 10, 5, 6), (0, 10, 5, 1), (1.1, 10, 5, 1)]
)
def test_counts_that_can_t_be_are_refused(wrong: tuple[float, int, int, int]) -> None:
    with pytest.raises(Refused, match="relevant <= audited <= unread"):
        audit.missed([audit.Stratum(*wrong)])
