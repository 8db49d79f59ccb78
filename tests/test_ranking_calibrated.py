"""The calibrated rule stops where finished reviews say it may, never looks ahead, and leaves the
word to the test where little is found.
"""

from __future__ import annotations

import re
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.ranking import calibrated
from livereview.ranking.calibrated import Limit, Look, calibrated_stop, expected_left
from livereview.ranking.stopping import first_stop

LIMIT = Limit(0.25, 9)


def curved(number: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels drawn by a logistic curve of them: about one in ten is relevant."""
    dice = np.random.default_rng(seed)
    scores = dice.normal(size=number)
    return scores, (dice.random(number) < 1 / (1 + np.exp(3.2 - 2 * scores))).astype(int)


def test_what_is_expected_is_what_is_there_where_the_curve_is_logistic() -> None:
    scores, labels = curved()
    expected = expected_left(scores[:3000], labels[:3000].tolist(), scores[3000:])
    assert expected == pytest.approx(labels[3000:].sum(), rel=0.2)
    assert expected_left(scores[:3000], labels[:3000].tolist(), scores[:0]) == 0


def test_a_clean_cut_promises_no_certainty() -> None:
    labels = [1] * 30 + [0] * 300
    scores = np.array([2.0] * 30 + [-2.0] * 300)
    assert expected_left(scores, labels, np.full(1000, -2.0)) > 1


def test_a_model_that_orders_the_wrong_way_expects_more_not_less() -> None:
    scores, labels = curved()
    share = labels.mean()
    unread = np.full(500, scores.min())
    assert expected_left(-scores, labels.tolist(), -unread) < 5
    assert expected_left(-scores, labels.tolist(), unread) > 500 * share


def test_the_smallest_ratio_that_was_too_large_counts_only_looks_below_the_target() -> None:
    looks = [Look(100, 19, 1.0), Look(150, 25, 20.0), Look(200, 30, 12.0), Look(300, 39, 2.0)]
    assert calibrated.smallest_too_large(looks, relevant=40) == 0.4
    assert calibrated.smallest_too_large(looks[3:], relevant=40) == inf
    assert calibrated.smallest_too_large(looks, relevant=30) == 0.8


def test_a_limit_keeps_every_review_it_was_learned_from() -> None:
    limit = calibrated.limit_of([0.5, 0.3, inf])
    assert (limit.ratio, limit.promise) == (pytest.approx(calibrated.MARGIN * 0.3), 0.75)
    assert calibrated.SHIPPED.ratio < min(calibrated.DEVELOPMENT.values())
    assert Limit(0.2, 9).least == pytest.approx(0.05 ** (1 / 9))


def test_own_reviews_count_from_nine_on() -> None:
    assert calibrated.learned([0.1] * 8) == calibrated.SHIPPED
    assert calibrated.learned([0.1] * 9) == Limit(
        pytest.approx(calibrated.MARGIN * 0.1), 9, own=True
    )
    assert calibrated.learned([inf] * 9) == calibrated.SHIPPED


@pytest.mark.parametrize(
    ("look", "may"),
    [
        (Look(500, 40, 10.0), True),
        (Look(500, 40, 10.1), False),
        (Look(500, 19, 0.0), False),
        (Look(500, 0, 0.0), False),
    ],
)
def test_it_may_stop_from_twenty_found_and_a_small_ratio(look: Look, may: bool) -> None:
    assert calibrated.may_stop(look, LIMIT) is may


def run(relevant: int = 40, records: int = 1000, at: int = 200) -> tuple[list[int], list]:
    """Relevant records first, and one look after `at` records that expects 5 more."""
    labels = [1] * relevant + [0] * (records - relevant)
    scores: list[float | None] = [None] * records
    scores[at] = 5.0
    return labels, scores


def test_it_stops_at_the_look_that_is_small_enough() -> None:
    labels, scores = run()
    assert calibrated_stop(labels, scores, LIMIT) == 200
    scores[200] = 11.0
    assert calibrated_stop(labels, scores, LIMIT) == first_stop(labels, 0.95, 0.8) > 200


def test_below_twenty_and_without_expectations_the_test_decides() -> None:
    labels, scores = run(relevant=19)
    by_test = first_stop(labels, 0.95, 0.8)
    assert calibrated_stop(labels, scores, LIMIT) == by_test
    labels, scores = run()
    assert calibrated_stop(labels, None, LIMIT) == first_stop(labels, 0.95, 0.8)


def test_scores_of_strangers_are_not_taken_for_expectations() -> None:
    labels, _ = run()
    falling = [1 - rank / 1000 for rank in range(1000)]
    assert calibrated_stop(labels, falling, LIMIT) == calibrated_stop(labels)


@given(
    st.lists(st.booleans(), min_size=30, max_size=120),
    st.lists(st.one_of(st.none(), st.floats(0, 20)), min_size=120, max_size=120),
)
def test_no_label_behind_the_stop_is_used(drawn: list[bool], expected: list[float | None]) -> None:
    labels = [1] * 20 + [int(label) for label in drawn]
    scores = [None, *expected][: len(labels)] + [None] * (len(labels) - 121)
    read = calibrated_stop(labels, scores, LIMIT)
    turned = labels[:read] + [1 - label for label in labels[read:]]
    assert calibrated_stop(turned, scores, LIMIT) == read


def test_the_documentation_tells_the_ratios_that_the_rule_ships_with() -> None:
    """Both are written down after `python -m tests.bench.stopping`; neither may change alone."""
    text = (Path(__file__).parents[1] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    _, _, table = text.partition("**Stopping by the calibrated rule**")
    rows = re.findall(r"^\| (\w+) \| \d+ \| (\.\d{3}) \|", table, re.MULTILINE)
    told = {name: float(ratio) for name, ratio in rows}
    shipped = {
        name.removesuffix("_qualitative"): ratio for name, ratio in calibrated.DEVELOPMENT.items()
    }
    assert told == shipped
    ratio = f"{calibrated.SHIPPED.ratio:.3f}".removeprefix("0")
    assert f"the limit is .85 of the smallest, {ratio}:" in table
