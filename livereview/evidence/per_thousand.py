"""How many people of 1,000: figures that are rounded once, together, so that they add up.

A reader who subtracts the number with the intervention from the number without it must get the
difference that stands beside them. So the assumed number and the differences are rounded, and every
other figure is worked out from these as shown (the Handbook's corresponding risk, 14.1.6.4).
"""

from __future__ import annotations

from dataclasses import dataclass

from livereview.evidence.finding import Absolute, Estimate, Side
from livereview.messages import figures, mark, say

LEAST_WHOLE = 10
"""People of 1,000 below whom a risk and its change are told with a digit: one more or fewer is much."""

LEAST_SEEN = 2
"""People of 1,000 below whom a risk has a digit whatever its change is: rounding may leave nobody."""

ONE, TENTH = 1, 0.1
"""Risks below these have one digit more each."""

MOST_DIGITS = 3
"""Decimals of a difference that is clear and would else read as none: one in a million."""


@dataclass(frozen=True, slots=True)
class RisksShown:
    """Both risks and their difference as rounded for readers, with the ends of the interval.

    Attributes:
        without: Of 1,000 people without the intervention; None where nobody knows.
        difference, low, high: With the intervention, less those without it.
        clear: The side on which the whole interval lies; None where it holds no difference.
    """

    without: float | None
    difference: float
    low: float
    high: float
    clear: Side | None

    @property
    def with_it(self) -> float | None:
        """Of 1,000 people with the intervention."""
        return self._with(self.difference)

    @property
    def with_low(self) -> float | None:
        """Lower end of the interval of `with_it`."""
        return self._with(self.low)

    @property
    def with_high(self) -> float | None:
        """Upper end of the interval of `with_it`."""
        return self._with(self.high)

    def _with(self, difference: float) -> float | None:
        if self.without is None:
            return None
        return round(self.without + difference, MOST_DIGITS)

    @property
    def in_words(self) -> str:
        """The difference: "12 fewer"."""
        return self._told(self.difference)

    @property
    def low_in_words(self) -> str:
        """The lower end of its interval."""
        return self._told(self.low)

    @property
    def high_in_words(self) -> str:
        """The upper end of its interval."""
        return self._told(self.high)

    def _told(self, difference: float) -> str:
        """What is off no difference is never called none."""
        if self.clear is not None and difference == 0:
            return say(mark("almost no difference"))
        return difference_in_words(difference)


def risks_shown(estimate: Estimate) -> RisksShown | None:
    """An estimate in people of 1,000, as readers see it; None where it can't be told so."""
    absolute, clear = estimate.absolute, estimate.clear
    if absolute is None:
        return None
    digits = _digits(absolute)
    without = None
    if absolute.risk is not None:
        without = round(absolute.risk, digits)
    rounded = (
        _rounded(absolute.value, digits, clear),
        _rounded(absolute.low, digits),
        _rounded(absolute.high, digits),
    )
    value, low, high = (_within(figure, without, absolute.per) for figure in rounded)
    return RisksShown(without, value, low, high, clear)


def _digits(absolute: Absolute) -> int:
    """Decimals of a risk and of what changes it: none, but where they would hide a small one."""
    if absolute.risk is None or absolute.with_it is None:
        return 0
    if absolute.risk < ONE:
        return 2 if absolute.risk >= TENTH else MOST_DIGITS
    smaller = min(absolute.risk, absolute.with_it)
    few = smaller < LEAST_WHOLE and abs(absolute.value) < LEAST_WHOLE
    return 1 if few or smaller < LEAST_SEEN else 0


def _rounded(difference: float, digits: int, clear: Side | None = None) -> float:
    """With so many decimals; below one with a digit at least, and more where a clear one would else
    read as none.
    """
    if round(abs(difference), 1) < ONE:
        digits = max(digits, 1)
    while clear and round(difference, digits) == 0 and digits < MOST_DIGITS:
        digits += 1
    return round(difference, digits)


def _within(difference: float, without: float | None, per: int) -> float:
    """No more are spared than there are without it, and no more come than there are people."""
    if without is None:
        return difference
    return round(min(max(difference, -without), per - without), MOST_DIGITS)


def difference(value: float) -> str:
    """A difference by itself: "12 fewer", "3 more", "no difference"; below one with a digit."""
    return difference_in_words(_rounded(value, 0))


def difference_in_words(rounded: float) -> str:
    """ "12 fewer", "3 more", "no difference", of a difference as it is shown."""
    if rounded == 0:
        return say(mark("no difference"))
    count = people(abs(rounded))
    return say(mark("{n} more") if rounded > 0 else mark("{n} fewer"), n=count)


def people(rounded: float) -> str:
    """ "1,200", "8", "0.3": a figure as it is shown, without needless decimals."""
    if rounded == round(rounded):
        return figures(f"{round(rounded):,}")
    return figures(f"{rounded:,}")


def both_in_words(estimate: Estimate) -> str | None:
    """ "83 in every 1,000 without it, 71 with it"; None where nobody knows how many without it."""
    shown = risks_shown(estimate)
    if shown is None or shown.without is None or shown.with_it is None:
        return None
    return say(
        mark("{without} in every 1,000 without it, {there} with it"),
        without=people(shown.without),
        there=people(shown.with_it),
    )
