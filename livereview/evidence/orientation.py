"""Which way a result points: every effect turned so that above 0 means more of the outcome.

A direction is derived from the effect and its interval. It is believed as typed only where a report
gives no number, and is then marked so. Whether an effect may be turned at all is decided here: an
instrument that may run either way must say whether more on it is good (`higher_is_better`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

from livereview.evidence import counts, measures, no_size, own_figures
from livereview.evidence.forms import Result
from livereview.evidence.measures import MeasureUnit
from livereview.evidence.no_size import NoSize
from livereview.evidence.reported import complete
from livereview.messages import mark, say
from livereview.review import Outcome, Review

Z = 1.959963984540054
"""Of the two-sided 95% intervals that reports give."""

SHARE = "RD"
"""The measure that is a share of people, so that it lies between −1 and 1."""

OUTER_PART = 0.1
"""Of an interval's width: an effect that lies nearer to one end on its scale of analysis is a slip, or rounded to
too few digits. Exact intervals of small studies are skewed too, though by far less."""

SIDES = ("more", "fewer")
"""Of an outcome: the side to which an effect above 0, or below it, points."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect on the scale of analysis (ratios as logs), above 0 where there is more of the
    outcome.

    Attributes:
        variance: None where the report gives no interval and no standard error.
        ends: The interval as its report prints it, where it does: rounded ends, or exact ones of few
            people, are not the same distance from the effect. None: worked out from `variance`.
    """

    measure: MeasureUnit
    value: float
    variance: float | None
    ends: tuple[float, float] | None = None

    @property
    def low(self) -> float | None:
        """Lower end of the 95% interval."""
        if self.ends is not None:
            return self.ends[0]
        if self.variance is None:
            return None
        return self.value - Z * sqrt(self.variance)

    @property
    def high(self) -> float | None:
        """Upper end of the 95% interval."""
        if self.ends is not None:
            return self.ends[1]
        if self.variance is None:
            return None
        return self.value + Z * sqrt(self.variance)

    @property
    def leans(self) -> str | None:
        """The side of SIDES to which the point estimate leans; None at exactly no difference."""
        if self.value == 0:
            return None
        return "more" if self.value > 0 else "fewer"

    @property
    def clear(self) -> str | None:
        """The side on which the whole interval lies; None where it holds "no difference"."""
        if self.low is None or self.high is None:
            return None
        if self.low > 0:
            return "more"
        return "fewer" if self.high < 0 else None

    def turned(self) -> Effect:
        """The same effect seen from the other side."""
        ends = None if self.ends is None else (-self.ends[1], -self.ends[0])
        return Effect(self.measure, -self.value, self.variance, ends)

    def times(self, factor: float) -> Effect:
        """The same effect in other units, such as another currency; for what is no ratio."""
        variance = None if self.variance is None else self.variance * factor**2
        ends = None if self.ends is None else (self.ends[0] * factor, self.ends[1] * factor)
        return Effect(self.measure, self.value * factor, variance, ends)


@dataclass(frozen=True, slots=True)
class Oriented:
    """One result of a study as findings may use it.

    Attributes:
        effect: None where there is none that can be turned, with `reason`.
        words: Where no number is given: the side of SIDES that the report says, or "none" for "no
            difference"; None where it says nothing that can be told.
        asks: A person can put the reason right (by saying which way the instrument runs, say).
        no_size: Why its figures give no effect, where they are such as can give none.
    """

    result: Result
    effect: Effect | None = None
    reason: str | None = None
    words: str | None = None
    asks: bool = False
    no_size: NoSize | None = None


def orient(outcome: Outcome, result: Result) -> Oriented:
    """The result turned to the outcome, or why it can't be."""
    lack = lacks_size(result)
    if lack is not None:
        return _without_size(outcome, result, lack)
    if result.effect is None:
        reason = mark("no size is reported, only a direction in words")
        return Oriented(result, reason=say(reason), words=words_of(outcome, result.direction))

    unit = measures.read(result.measure)
    if unit is None:
        reason = say("its measure ({measure}) is none that can be compared", measure=result.measure)
        return Oriented(result, reason=reason, asks=True)

    effect = _as_reported(unit, result)
    if isinstance(effect, str):
        return Oriented(result, reason=effect, asks=True)

    with_outcome = _runs_with(outcome, unit, result)
    if with_outcome is None:
        return Oriented(result, reason=_nobody_said_which_way(result), asks=True)
    if with_outcome:
        return _unless_typed_otherwise(outcome, Oriented(result, effect))
    if unit.measure.ratio and unit.measure.id != "OR":
        opposite = _of_opposite_event(unit, result)
        if opposite is not None:
            return _unless_typed_otherwise(outcome, Oriented(result, opposite))
        reason = _OPPOSITE_SCALE if unit.measure.scales else _OPPOSITE_EVENT
        return Oriented(result, reason=say(reason, measure=unit.measure.id), asks=True)
    return _unless_typed_otherwise(outcome, Oriented(result, effect.turned()))


_OPPOSITE_EVENT = mark(
    "it counts the opposite event, and the {measure} of one event is not 1 over that of the other"
)
_OPPOSITE_SCALE = mark(
    "its scale runs the other way, and the {measure} of a scale is not 1 over that of its reverse; "
    "give means and standard deviations as an SMD or MD"
)
"""Why a ratio can't be turned to the outcome."""


def _of_opposite_event(unit: MeasureUnit, result: Result) -> Effect | None:
    """The risk ratio of the event that a result does not count, from its counts.

    None where it has none, or where a group has nobody with the event or nobody without it, and
    where the report's own ratio allows for what plain counts forget.
    """
    table = counts.table_from(result.reported or {})
    if (
        unit.measure.id != "RR"
        or table is None
        or table.has_zero
        or own_figures.is_adjusted(result)
    ):
        return None
    others = table.turned()
    figures = {
        **(result.reported or {}),
        **{"ai": others.a, "bi": others.b, "ci": others.c, "di": others.d},
    }
    effect = _as_reported(unit, replace(result, **complete(unit.measure.id, figures)))
    return effect if isinstance(effect, Effect) else None


def _nobody_said_which_way(result: Result) -> str:
    if result.direction in no_size.SIDES_OF_NOTHING:
        return say(
            mark(
                "its direction is typed and nobody has said whether more on this scale is better or worse"
            )
        )
    return say(mark("nobody has said whether more on this scale is better or worse"))


def lacks_size(result: Result) -> NoSize | None:
    """Why the figures of a result give no effect; None where they do, or it is given as such.

    Earlier rules worked one out by half an event, and forms from then still hold it.
    """
    is_given = result.effect is not None and result.derivation is None
    if is_given:
        return None
    return no_size.of(result.measure, result.reported)


def _without_size(outcome: Outcome, result: Result, lack: NoSize) -> Oriented:
    opposite = result.higher_is_better not in (None, outcome.better == "higher")
    turned = no_size.TURNED.get(lack, lack) if opposite else lack
    return Oriented(result, reason=say(no_size.REASONS[turned]), no_size=turned)


def _unless_typed_otherwise(outcome: Outcome, oriented: Oriented) -> Oriented:
    """Old forms may hold a direction that their own numbers contradict: a person must say which is
    right.
    """
    typed = oriented.result.direction
    if typed in (None, "unclear") or typed == direction_of(outcome, oriented):
        return oriented
    reason = mark("its direction, as typed, contradicts its figures")
    return Oriented(oriented.result, reason=say(reason), asks=True)


def side(outcome: Outcome, good: bool) -> str:
    """The side of SIDES that is good, or bad, for people."""
    if good == (outcome.better == "higher"):
        return "more"
    return "fewer"


def is_good(outcome: Outcome, towards: str) -> bool:
    """Whether this side of SIDES is the good one."""
    return towards == side(outcome, good=True)


def words_of(outcome: Outcome, direction: str | None) -> str | None:
    """What a typed direction says of the outcome: a side of SIDES, "none", or None where unclear."""
    if direction == "favours_intervention":
        return side(outcome, good=True)
    if direction == "favours_comparison":
        return side(outcome, good=False)
    return "none" if direction == "no_difference" else None


def direction_of(outcome: Outcome, oriented: Oriented) -> str:
    """One of forms.DIRECTIONS: derived from the effect; as typed where there is no number."""
    if oriented.effect is None:
        return oriented.result.direction or "unclear"
    leans = oriented.effect.leans
    if leans is None:
        return "no_difference"
    if is_good(outcome, leans):
        return "favours_intervention"
    return "favours_comparison"


def direction_in(review: Review, result: Result) -> str:
    """One of forms.DIRECTIONS for a result of this review; "unclear" where nobody can tell."""
    outcome = next((outcome for outcome in review.outcomes if outcome.id == result.outcome), None)
    if outcome is None:
        return "unclear"
    oriented = orient(outcome, result)
    if oriented.effect is None and result.effect is not None:
        return "unclear"
    return direction_of(outcome, oriented)


def contradiction(outcome: Outcome, result: Result) -> str | None:
    """Why a typed direction can't stand beside the numbers of the same result; None where it can.

    "No difference" is right only for an effect of exactly none; anything else is told by the
    numbers.
    """
    lack = lacks_size(result)
    names_a_side = result.direction in no_size.SIDES_OF_NOTHING
    if lack is not None and lack in no_size.TURNED and names_a_side:
        return (
            f"{result.direction} contradicts its own figures, which say that "
            f"{no_size.REASONS[lack]}; leave direction out, or mend them"
        )
    if result.direction in (None, "unclear") or result.effect is None:
        return None
    oriented = orient(outcome, replace(result, direction=None))
    if oriented.effect is None:
        return None
    derived = direction_of(outcome, oriented)
    if derived == result.direction:
        return None
    figure = f"{result.measure} {result.effect:g}"
    scale = _scale_in_words(outcome, result)
    return (
        f"{result.direction} contradicts {figure}, which says {derived} where {scale}; "
        "leave direction out, or mend effect or higher_is_better"
    )


def _scale_in_words(outcome: Outcome, result: Result) -> str:
    higher = result.higher_is_better
    if higher is None:
        higher = outcome.better == "higher"
    return "more is better" if higher else "more is worse"


def _as_reported(unit: MeasureUnit, result: Result) -> Effect | str:
    """The effect on the scale of analysis, not yet turned; or why the figures can't be read."""
    assert result.effect is not None
    try:
        value = unit.measure.analysed(result.effect / unit.per)
        if unit.measure.id == SHARE and abs(value) > 1:
            return _beyond_a_share(unit, result)
        if result.ci_low is None or result.ci_high is None:
            return Effect(unit, value, None)
        low = unit.measure.analysed(result.ci_low / unit.per)
        high = unit.measure.analysed(result.ci_high / unit.per)
    except ValueError as error:
        return say("its figures can't be read: {problem}", problem=str(error))
    if not low < high:
        return say("its interval has no width")
    if min(value - low, high - value) < OUTER_PART * (high - low):
        return say(
            mark(
                "its effect of {value:g} lies at the very edge of its interval ({low:g} to {high:g}), "
                "so one of the three may be mistyped; check them, or give more digits, or counts or means"
            ),
            value=result.effect,
            low=result.ci_low,
            high=result.ci_high,
        )
    return Effect(unit, value, ((high - low) / (2 * Z)) ** 2, (low, high))


def _beyond_a_share(unit: MeasureUnit, result: Result) -> str:
    """Mostly a percentage that was typed as a share: it would be told as 1,300 fewer in every
    1,000.
    """
    return say(
        mark(
            "{measure} {value:g} is beyond {limit:g}, and more than all of the people is not possible; "
            'write measure "percentage points" or "RD per 1,000" if it is in these'
        ),
        measure=result.measure,
        value=result.effect,
        limit=unit.per,
    )


def _runs_with(outcome: Outcome, unit: MeasureUnit, result: Result) -> bool | None:
    """Whether more on the result's scale is more of the outcome; None where nobody said so.

    How often the outcome's own event happens needs no answer; a scale does, since a scale of
    wellbeing and one of distress stand for the same outcome.
    """
    if result.higher_is_better is not None:
        return result.higher_is_better == (outcome.better == "higher")
    return None if unit.measure.scales else True
