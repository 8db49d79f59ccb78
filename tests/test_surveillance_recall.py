"""What the searches find of the included reports, and the estimate of what they all missed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.surveillance.recall import recall


def times(*counts: int) -> list[frozenset[str]]:
    """Reports found by so many sources each."""
    return [frozenset(f"s{n}" for n in range(count)) for count in counts]


def test_the_estimate_is_chaos_lower_bound_worked_by_hand() -> None:
    # f1 = 4, f2 = 2: 4 * 3 / (2 * 3) = 2 unseen beside the 8 seen
    found = recall(times(1, 1, 1, 1, 2, 2, 3, 3))
    assert found.estimate == pytest.approx(10.0) and found.included == 8
    assert found.share == pytest.approx(0.8)
    assert found.low is not None and found.high is not None and 8 < found.low < 10 < found.high


def test_yields_tell_what_only_one_source_found() -> None:
    found = recall([frozenset({"a", "b"}), frozenset({"a"}), frozenset({"a"}), frozenset({"b"})])
    assert [(one.source, one.found, one.alone) for one in found.sources] == [
        ("a", 3, 2),
        ("b", 2, 1),
    ]


def test_with_few_reports_or_one_source_there_is_a_reason_and_no_number() -> None:
    few = recall(times(1, 2))
    assert few.estimate is None and few.reason == "fewer than 5 included reports"
    alone = recall([frozenset({"a"})] * 9)
    assert alone.estimate is None and alone.reason == "only one source found any of them"
    assert recall([]).included == 0


def test_reports_that_every_source_found_leave_nothing_to_estimate() -> None:
    found = recall(times(*[3] * 6))
    assert (found.estimate, found.low, found.high) == (6.0, 6.0, 6.0)


@given(st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=5, max_size=60))
def test_the_estimate_never_lies_under_what_was_seen_and_inside_its_interval(
    sets: list[set[str]],
) -> None:
    found = recall(map(frozenset, sets))
    if found.estimate is not None and found.low is not None and found.high is not None:
        assert len(sets) <= found.low <= found.estimate <= found.high
