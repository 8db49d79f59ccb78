"""Two studies: a common effect that would not be clear if they may differ is told with that reserve."""

from __future__ import annotations

from math import sqrt

import pytest

from livereview.evidence import wording
from livereview.evidence.finding import Finding
from livereview.review import Methods
from tests.evidence import CARE, WELLBEING, around, finding, smd, study

APART = ((0.05, 0.10), (0.80, 0.30))
"""(effect, half of its interval) of two studies on wellbeing; their common effect is 0.13, 0.03 to 0.22."""


def two(*figures: tuple[float, float], **more: Methods) -> Finding:
    known = [study(f"s{n}", smd(effect, half)) for n, (effect, half) in enumerate(figures)]
    return finding(WELLBEING, *known, **more)


def random_interval(*figures: tuple[float, float]) -> tuple[float, float]:
    """DerSimonian and Laird's, by hand."""
    weights = [(1.959963984540054 / half) ** 2 for _, half in figures]
    effects = [effect for effect, _ in figures]
    mean = sum(w * y for w, y in zip(weights, effects, strict=True)) / sum(weights)
    q = sum(w * (y - mean) ** 2 for w, y in zip(weights, effects, strict=True))
    scale = sum(weights) - sum(w**2 for w in weights) / sum(weights)
    tau2 = max(0.0, (q - 1) / scale)
    again = [1 / (1 / w + tau2) for w in weights]
    mean = sum(w * y for w, y in zip(again, effects, strict=True)) / sum(again)
    half = 1.959963984540054 / sqrt(sum(again))
    return mean - half, mean + half


RESERVE = "If they differ by more than chance, there may be no difference, or the opposite."


def test_two_that_differ_too_much_are_both_shown_and_their_mean_is_told_with_a_reserve() -> None:
    found = two(*APART)
    assert found.estimate is not None and found.estimate.clear == "more"
    assert random_interval(*APART)[0] < 0 < random_interval(*APART)[1]
    text = wording.words(found).text
    assert (
        f"Two studies only: their common effect is shown, and how far studies differ can't be told. {RESERVE}"
        in text
    )
    assert "The two found very different sizes: S0 2020" in text


@pytest.mark.parametrize(
    "figures",
    [((0.4, 0.2), (0.4, 0.3)), ((0.3, 0.15), (0.5, 0.2)), ((0.6, 0.2), (0.3, 0.25))],
    ids=["alike", "a little apart", "more apart"],
)
def test_two_that_agree_enough_give_their_answer(figures: tuple[tuple[float, float], ...]) -> None:
    assert random_interval(*figures)[0] > 0
    assert two(*figures).state == "effect"
    assert RESERVE not in wording.words(two(*figures)).text


def test_a_protocol_that_promises_one_effect_has_it() -> None:
    found = two(*APART, methods=Methods(estimator="EE"))
    assert found.state == "effect"
    assert RESERVE not in wording.words(found).text


def test_two_that_are_both_clear_by_themselves_need_no_mean() -> None:
    found = two((0.2, 0.08), (0.9, 0.1))
    assert (found.state, found.side) == ("effect", "more")
    assert "The two found very different sizes" in wording.words(found).text
    assert RESERVE not in wording.words(found).text


def test_two_ratios_that_agree_say_so() -> None:
    known = [study("a", around(0.70, 0.15)), study("b", around(0.80, 0.13))]
    assert finding(CARE, *known).state == "effect"
