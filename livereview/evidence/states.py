"""What a finding can say at all, and to which side: judged from the estimate, or study by study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from livereview.evidence import measures, sizes
from livereview.evidence.contributions import Contribution, Given
from livereview.evidence.finding import Estimate, Side, Size, State
from livereview.evidence.orientation import Effect
from livereview.messages import many, mark, say
from livereview.review import Outcome
from livereview.statistics.pooling import pool


@dataclass(frozen=True, slots=True)
class Judged:
    """State, side, size and the reason of a finding."""

    state: State
    why: str
    side: Side | None = None
    size: Size | None = None


def judge(
    outcome: Outcome,
    given: Given,
    counted: Sequence[Contribution],
    estimate: Estimate | None,
    lead: Contribution | None,
    waiting: int,
) -> Judged:
    if not given.contributions:
        return _without_results(given, waiting)
    if not counted:
        return Judged("too_little", say(mark("every study is at critical risk of bias")))
    if all(one.effect is None for one in counted):
        return Judged("too_little", _why_no_size(counted))
    clear = _clear_sides(_effects(counted))
    if estimate is None:
        return _by_studies(outcome, counted, lead, clear)

    matters = [effect for effect in _effects(counted) if not _is_trivial(outcome, counted, effect)]
    sides = _clear_sides(matters)
    if len(sides) == 2 and not _mean_decides(estimate, counted):
        return Judged("disagree", say(mark("some results clearly point one way, some the other")))
    if _outweighed(outcome, estimate, counted):
        why = mark("studies that can't be averaged with the others clearly found the opposite")
        return Judged("disagree", say(why))
    return _by_estimate(outcome, estimate, clear)


def _without_results(given: Given, waiting: int) -> Judged:
    """What can be said where no study gives a result that can be used."""
    if any(unused.asks for unused in given.unused):
        why = mark("what a study reports waits for an answer of the team")
        return Judged("too_little", say(why))
    if waiting:
        return Judged("not_yet_assessed", say(mark("records still wait to be assessed")))
    return Judged("no_studies", say(mark("no included study reports this outcome")))


def _why_no_size(counted: Sequence[Contribution]) -> str:
    if any(one.no_size is not None for one in counted):
        return say(mark("no study's figures give a size"))
    return say(mark("no study reports a size, only words"))


def _why_not_clear(counted: Sequence[Contribution]) -> str:
    """Why no study's own estimate says anything: it has no interval, or one that reaches both ways."""
    effects = [part.effect for part in counted if part.effect is not None]
    if all(effect.low is None or effect.high is None for effect in effects):
        return many(
            "one study gives a size, and nobody knows how exact it is",
            "{n} studies give a size, and nobody knows how exact it is",
            len(effects),
        )
    return say(mark("no study's interval lies on one side"))


def _outweighed(outcome: Outcome, estimate: Estimate, counted: Sequence[Contribution]) -> bool:
    """Whether studies in other measures clearly found the opposite of a mean that can't hold them,
    in at least as many people as it holds.

    Where nobody reports how many, that is taken to be so: a mean of some studies is no answer of
    all.
    """
    if estimate.clear is None:
        return False
    against = {"more": "fewer", "fewer": "more"}[estimate.clear]
    inside = [one for one in counted if one.sized_in(estimate.measure)]
    opposite = [
        one
        for one in counted
        if one not in inside
        and one.effect is not None
        and one.effect.clear == against
        and not _is_trivial(outcome, counted, one.effect)
    ]
    if not opposite:
        return False
    return sum(one.people or 0 for one in opposite) >= sum(one.people or 0 for one in inside)


def _mean_decides(estimate: Estimate, counted: Sequence[Contribution]) -> bool:
    """Whether a mean may speak for studies that clearly point both ways with differences that
    matter.

    Never where its interval holds no difference: a mean of two opposites may lie near none with a
    narrow interval. A model of one effect assumes what such studies deny, and lets one huge study
    speak for all; it must say the same where studies may differ (DerSimonian and Laird).
    """
    if estimate.clear is None:
        return False
    if estimate.model not in sizes.ONE_EFFECT:
        return True
    sized = [one.effect for one in counted if one.sized_in(estimate.measure)]
    values = [effect.value for effect in sized if effect is not None]
    variances = [effect.variance for effect in sized if effect is not None]
    if len(values) < 2:
        return True
    differing = pool(values, variances, method="DL", test="z")
    if differing.ci_lb is None or differing.ci_ub is None:
        return False
    low, high = differing.ci_lb, differing.ci_ub
    return low > 0 if estimate.clear == "more" else high < 0


def _effects(counted: Iterable[Contribution]) -> list[Effect]:
    """Every study's effect, and those of the arms or subgroups that it was put together from."""
    own = [one.effect for one in counted if one.effect is not None]
    return own + [part for one in counted for part in one.parts]


def _clear_sides(effects: Iterable[Effect]) -> set[str]:
    """The sides on which the whole interval of at least one of these effects lies."""
    return {effect.clear for effect in effects if effect.clear is not None}


def _is_trivial(outcome: Outcome, counted: Sequence[Contribution], effect: Effect) -> bool:
    if effect.variance is None:
        return False
    return _within(outcome, sizes.told(outcome, counted, effect, sizes.ALONE))


def _by_estimate(outcome: Outcome, estimate: Estimate, clear: set[str]) -> Judged:
    """By the estimate's interval.

    Args:
        outcome: with its smallest important difference.
        estimate: of all counted studies.
        clear: the sides to which a study or a part of one clearly points.
    """
    if _within(outcome, estimate):
        why = mark("the whole interval lies within the smallest difference that matters")
        return Judged("little_or_no_difference", say(why))
    side = estimate.clear
    if side is not None:
        why = mark("the whole interval lies on one side of no difference")
        return Judged("effect", say(why), side, _size(outcome, estimate))
    if len(clear) == 2:
        return Judged("disagree", say(mark("some studies clearly point one way, some the other")))
    return Judged("too_little", say(mark("the interval reaches from one side to the other")))


def _by_studies(
    outcome: Outcome,
    counted: Sequence[Contribution],
    lead: Contribution | None,
    clear: set[str],
) -> Judged:
    """The state where nothing is pooled: by the studies' own intervals, the lead study's first."""
    if len(clear) == 2:
        return Judged("disagree", say(mark("some studies clearly point one way, some the other")))
    led = _told_alone(outcome, counted, lead)
    lead_level = led is not None and _within(outcome, led)
    if not clear and lead_level:
        why = mark("the least biased and largest study found a difference too small to matter")
        return Judged("little_or_no_difference", say(why))
    if not clear:
        return Judged("too_little", _why_not_clear(counted))
    if lead_level:
        why = mark("a study points one way, and a less biased or larger one found no difference")
        return Judged("disagree", say(why))
    side: Side = "more" if "more" in clear else "fewer"
    against = "fewer" if side == "more" else "more"
    if lead is not None and lead.leans == against:
        why = mark("the least biased and largest study leans the other way")
        return Judged("disagree", say(why))
    if led is not None and led.clear == side:
        size = _size(outcome, led)
    else:
        size = "not_judged"
    why = mark("every study with a clear result points this way")
    return Judged("effect", say(why), side, size)


def lead_of(counted: Sequence[Contribution]) -> Contribution | None:
    """The study that is read first where nothing is pooled: least biased, then largest."""
    sized = [one for one in counted if one.effect is not None and one.effect.variance is not None]
    if not sized:
        return None
    return min(
        sized,
        key=lambda one: (
            one.appraised.rank,
            -(one.people or 0),
            one.effect.variance if one.effect and one.effect.variance else 0.0,
            one.study,
        ),
    )


def _told_alone(
    outcome: Outcome, counted: Sequence[Contribution], lead: Contribution | None
) -> Estimate | None:
    if lead is not None:
        return sizes.of_one(outcome, counted, lead)
    return None


def _within(outcome: Outcome, estimate: Estimate) -> bool:
    """Whether the whole interval lies within the smallest important difference."""
    bounds = _in_units_of_importance(outcome, estimate)
    if outcome.important is None or bounds is None:
        return False
    _, low, high = bounds
    return -outcome.important < low and high < outcome.important


def _size(outcome: Outcome, estimate: Estimate) -> Size:
    """Whether the point estimate is at least the smallest important difference."""
    figures = _in_units_of_importance(outcome, estimate)
    if outcome.important is None or figures is None:
        return "not_judged"
    if abs(figures[0]) >= outcome.important:
        return "important"
    return "small"


def _in_units_of_importance(
    outcome: Outcome, estimate: Estimate
) -> tuple[float, float, float] | None:
    """Estimate and interval in the units of `important`; None where they can't be told in them."""
    if estimate.absolute is not None:
        return estimate.absolute.value, estimate.absolute.low, estimate.absolute.high
    own = measures.read(outcome.measure)
    if own is None or own.measure.id != estimate.measure or own.measure.counts or own.measure.ratio:
        return None
    return estimate.value, estimate.low, estimate.high
