"""The size of an effect: of one study, of several pooled as the protocol says, and per 1,000 people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from livereview.evidence import measures, no_size, three_level
from livereview.evidence.contributions import Contribution
from livereview.evidence.finding import Absolute, Estimate, NotUsed
from livereview.evidence.measures import MeasureUnit
from livereview.evidence.orientation import Effect, Z
from livereview.messages import mark, say
from livereview.review import Methods, Outcome
from livereview.statistics import rare
from livereview.statistics.pooling import Pooled, pool

FEWEST = 2
"""Studies that can be pooled at all; two give their common effect."""

I2_FROM = 3
"""Two studies say next to nothing of how studies differ, and no prediction can be made from them."""

PER = 1000
"""People for whom absolute effects are told."""

COMMON = mark("common effect")
MANTEL_HAENSZEL, PETO = "Mantel-Haenszel", "Peto"
BY_COUNTS = (MANTEL_HAENSZEL, PETO)
"""Models that pool counts of events, not effects of studies."""

ONE_EFFECT = (COMMON, *BY_COUNTS)
"""Models of one effect that all studies share: the largest study decides what their mean is."""

RANDOM = mark("random effects")
"""The model in which studies differ about a mean."""

THREE_LEVELS = mark("three levels: studies and their results")
"""The model where all results of a study count."""

TEST_WORDS = {
    "z": "z",
    "knha": "Knapp-Hartung",
    "adhoc": mark("Knapp-Hartung, never narrower than z"),
}
_PREDICTIONS = {"riley": "t with k - 2", "k-1": "t with k - 1", "matched": "as the test"}


@dataclass(frozen=True, slots=True)
class Sized:
    """The estimate with each study's weight, and the studies that it can't hold."""

    estimate: Estimate | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    left_out: tuple[NotUsed, ...] = ()
    weightless: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Made:
    """How an estimate was made, as `Estimate` tells it."""

    studies: int
    model: str
    estimator: str | None = None
    test: str | None = None
    caution: str | None = None
    results: int | None = None


ALONE = Made(1, mark("one study"))
"""One study's own estimate."""


def of_studies(methods: Methods, outcome: Outcome, counted: Sequence[Contribution]) -> Sized:
    """The estimate of the counted studies; without one where they give none.

    Studies whose figures give no size are put aside first, but for those whose counts can still be
    pooled as a difference of 0.
    """
    unit = measures.read(outcome.measure)
    silent = [one for one in counted if one.no_size is not None]
    if outcome.pool and methods.rare != "none":
        silent = [one for one in silent if not _pools_as_no_difference(one, unit)]
    speaking = [one for one in counted if one not in silent]

    sized = _of_speaking(methods, outcome, unit, speaking)
    if sized.estimate is None or sized.estimate.model not in BY_COUNTS:
        silent = [one for one in counted if one.no_size is not None]
    named = {row.study for row in sized.left_out}
    left_out = tuple(_without_size(one) for one in silent if one.study not in named)
    weightless = frozenset(one.study for one in silent)
    return replace(sized, left_out=(*sized.left_out, *left_out), weightless=weightless)


def _of_speaking(
    methods: Methods,
    outcome: Outcome,
    unit: MeasureUnit | None,
    counted: Sequence[Contribution],
) -> Sized:
    """The estimate of studies each of which has an effect or counts that can be pooled."""
    empty = [one for one in counted if _empty(one, unit)]
    numbers = [one for one in counted if one.effect is not None or one in empty]
    if len(numbers) == 1:
        return Sized(of_one(outcome, counted, numbers[0]))
    if unit is None or not outcome.pool:
        return Sized()

    sized = [one for one in counted if _in_measure(one, unit)]
    both = [one for one in counted if one in sized or one in empty]
    beyond = any(one.beyond_counts for one in both)
    have_counts = methods.rare != "none" and _all_have_counts(both, unit)
    if empty and have_counts and not beyond and len(both) > 1:
        return _by_counts(methods, outcome, unit, counted, both)
    empty = [one for one in empty if not _stands_alone(one)]
    left_out = tuple(_left_out(one, _why_no_counts(methods, beyond)) for one in empty)
    kept = [one for one in sized if one not in empty]
    if len(kept) < 2:
        return Sized(left_out=left_out)
    estimate, weights = _pooled(methods, outcome, unit, counted, kept)
    return Sized(estimate, weights, left_out)


def _pools_as_no_difference(one: Contribution, unit: MeasureUnit | None) -> bool:
    """Whether the counts of a study without a size still weigh: as a difference of 0."""
    if unit is None or unit.measure.id not in no_size.DIFFERENCES:
        return False
    no_contrast = one.no_size in no_size.TURNED
    return no_contrast and _all_have_counts([one], unit)


def _all_have_counts(some: Iterable[Contribution], unit: MeasureUnit) -> bool:
    """Whether each of them has the counts from which this measure is pooled."""
    if unit.measure.id in no_size.OF_TIME:
        return all(one.rates is not None for one in some)
    return all(one.table is not None for one in some)


def _in_measure(one: Contribution, unit: MeasureUnit | None) -> bool:
    effect = one.effect
    if unit is None or effect is None or effect.variance is None:
        return False
    return effect.measure.measure.id == unit.measure.id


def _empty(one: Contribution, unit: MeasureUnit | None) -> bool:
    """Whether a group without events keeps an effect of its own from being told without a made-up
    half event.

    Never where its report gives an adjusted one. A study without events has no ratio; and where
    neither group had one, the half event gives its risk difference a variance far too small, so
    that it would outweigh every study in which something happened.
    """
    if unit is None or one.beyond_counts:
        return False
    if unit.measure.id in no_size.OF_TIME:
        return one.rates is not None and one.rates.has_zero
    if unit.measure.id in no_size.OF_PEOPLE:
        return one.table is not None and one.table.has_zero
    return False


def _stands_alone(one: Contribution) -> bool:
    """Whether a study with a group without events may be averaged by its report's own effect.

    Not where nothing differed: the half event gives a difference of 0 an interval far too narrow.
    """
    nothing_differs = one.table is not None and (one.table.without_events or one.table.only_events)
    return one.own and not nothing_differs


def _why_no_counts(methods: Methods, beyond: bool) -> str:
    """Why a study of which a group had no event is in no mean.

    Args:
        beyond: whether another study's effect is its report's own, adjusted one.
    """
    if methods.rare == "none":
        return say(
            mark("a group had no event, or nothing but events, and the protocol pools no counts")
        )
    if beyond:
        return say(
            mark(
                "a group had no event, or nothing but events, and counts are not pooled where a report's "
                "own effect is adjusted, which they would forget"
            )
        )
    return say(
        mark("a group had no event, or nothing but events, and another study gives no counts")
    )


def _without_size(one: Contribution) -> NotUsed:
    assert one.no_size is not None
    return _left_out(one, say(no_size.REASONS[one.no_size]))


def _left_out(one: Contribution, reason: str) -> NotUsed:
    return NotUsed(
        study=one.study, label=one.label, place=one.places[0], measured=one.construct, reason=reason
    )


def of_one(outcome: Outcome, counted: Sequence[Contribution], one: Contribution) -> Estimate | None:
    """One study's own estimate."""
    effect = one.effect
    if effect is None or effect.variance is None:
        return None
    caution = None
    if one.half_event:
        caution = say(
            mark(
                "A group had no event, or nothing but events: the size is rough, by half an event added."
            )
        )
    return told(outcome, counted, effect, replace(ALONE, caution=caution))


def _pooled(
    methods: Methods,
    outcome: Outcome,
    unit: MeasureUnit,
    counted: Sequence[Contribution],
    kept: Sequence[Contribution],
) -> tuple[Estimate | None, dict[str, float]]:
    """The mean effect by the protocol's model.

    Of two studies their common effect, with a caution.
    """
    estimator = "EE" if len(kept) == FEWEST else methods.estimator
    several = methods.dependent == "all" and any(one.further for one in kept)
    if several and estimator != "EE":
        return _all_results(methods, outcome, unit, counted, kept)

    averaged = [three_level.average(one) if several else one.effect for one in kept]
    effects = [effect for effect in averaged if effect is not None]
    test = _test_of(methods, estimator, len(kept))
    found = pool(
        [effect.value for effect in effects],
        [effect.variance for effect in effects],
        method=estimator,
        test=test,
        prediction=methods.prediction,
    )
    if found.b is None or found.ci_lb is None or found.ci_ub is None:
        return None, {}

    middle = Effect(unit, found.b, ((found.ci_ub - found.ci_lb) / (2 * Z)) ** 2)
    interval = (found.ci_lb, found.ci_ub)
    made = Made(
        studies=len(kept),
        model=COMMON if estimator == "EE" else RANDOM,
        estimator=None if estimator == "EE" else estimator,
        test=say(TEST_WORDS[test]),
        caution=_caution_of_pool(methods, effects, interval),
        results=sum(len(one.effects) for one in kept) if several else None,
    )
    estimate = told(outcome, counted, middle, made)
    if len(kept) >= I2_FROM and estimator != "EE":
        estimate = estimate.model_copy(update=_how_they_differ(methods, unit, found))
    weights = {one.study: weight for one, weight in zip(kept, found.weights, strict=True)}
    return estimate, weights


def _test_of(methods: Methods, estimator: str, k: int) -> str:
    """The test of the mean: Knapp and Hartung's is one of a mean over studies that differ."""
    if k < methods.few or estimator == "EE":
        return "z"
    return methods.test


def _how_they_differ(methods: Methods, unit: MeasureUnit, found: Pooled) -> dict[str, Any]:
    """tau², I² and the prediction interval, as an estimate has them."""
    between = {
        "tau2": found.tau2,
        "i2": found.I2,
        "i2_formula": say(mark("from tau² and the typical variance of the studies")),
    }
    if found.pi_lb is None or found.pi_ub is None:
        return between
    return between | {
        "prediction_low": shown(unit, found.pi_lb),
        "prediction_high": shown(unit, found.pi_ub),
        "prediction_formula": _PREDICTIONS[methods.prediction],
    }


def _all_results(
    methods: Methods,
    outcome: Outcome,
    unit: MeasureUnit,
    counted: Sequence[Contribution],
    kept: Sequence[Contribution],
) -> tuple[Estimate | None, dict[str, float]]:
    """The mean of all results of three studies or more, by the three-level model."""
    pooled = three_level.together(methods, kept)
    if pooled is None:
        return None, {}
    low, high = pooled.prediction
    made = Made(len(kept), THREE_LEVELS, "REML", pooled.test, pooled.caution, pooled.results)
    estimate = told(outcome, counted, pooled.effect, made)
    more = {
        "tau2": pooled.between,
        "i2": pooled.i2,
        "i2_formula": say(
            mark(
                "between and within studies, from both variances and the typical one of the results"
            )
        ),
        "prediction_low": shown(unit, low),
        "prediction_high": shown(unit, high),
        "prediction_formula": _PREDICTIONS[methods.prediction],
    }
    return estimate.model_copy(update=more), pooled.weights


def _clear_only_as_one(effects: Sequence[Effect], low: float, high: float) -> bool:
    """Whether the common effect of two studies is clear only because it takes them to be one.

    So it is where DerSimonian and Laird's interval holds no difference. Where both clearly found
    the same side by themselves, that side needs no mean.
    """
    if low <= 0 <= high:
        return False
    if effects[0].clear is not None and effects[0].clear == effects[1].clear:
        return False
    values, variances = [one.value for one in effects], [one.variance for one in effects]
    differing = pool(values, variances, method="DL", test="z")
    if differing.ci_lb is None or differing.ci_ub is None:
        return True
    return differing.ci_lb <= 0 <= differing.ci_ub


def _caution_of_pool(
    methods: Methods, effects: Sequence[Effect], interval: tuple[float, float]
) -> str | None:
    """What to keep in mind of a mean of so few studies, and of two that may differ."""
    caution = _caution(len(effects), methods)
    two = len(effects) == FEWEST and methods.estimator != "EE"
    if two and _clear_only_as_one(effects, *interval):
        text = mark(
            "If they differ by more than chance, there may be no difference, or the opposite."
        )
        return f"{caution} {say(text)}"
    return caution


def _caution(k: int, methods: Methods) -> str | None:
    if k == 2:
        return say(
            mark(
                "Two studies only: their common effect is shown, and how far studies differ can't be told."
            )
        )
    if k < methods.few:
        return say(
            mark("Fewer than {few} studies: the interval may be too narrow if they differ."),
            few=methods.few,
        )
    return None


def _by_counts(
    methods: Methods,
    outcome: Outcome,
    unit: MeasureUnit,
    counted: Sequence[Contribution],
    with_counts: Sequence[Contribution],
) -> Sized:
    """Events pooled from their counts, so that no group without events needs a made-up half event."""
    peto = methods.rare == "peto" and unit.measure.id == "OR"
    found = _pool_of_counts("PETO" if peto else unit.measure.id, with_counts)
    reason = say(mark("nobody, or everybody, had the event in both groups"))
    left_out = tuple(_left_out(with_counts[place], reason) for place in found.dropped)
    if found.b is None or found.se is None:
        return Sized(left_out=left_out)
    effect = Effect(unit, found.b, found.se**2)
    caution = mark(
        "A study has a group without events, or with nothing else: pooled from the counts, as one effect."
    )
    model = PETO if peto else MANTEL_HAENSZEL
    made = Made(found.k, model, test="z", caution=say(caution))
    return Sized(told(outcome, counted, effect, made), left_out=left_out)


def _pool_of_counts(measure: str, with_counts: Sequence[Contribution]) -> rare.Tables:
    """The counts of these studies pooled in this measure."""
    if measure in no_size.OF_TIME:
        rates = [one.rates for one in with_counts]
        columns = [[getattr(row, name) for row in rates] for name in ("x1", "t1", "x2", "t2")]
        return rare.rates(measure, *columns)
    tables = [one.table for one in with_counts]
    cells = [[getattr(table, cell) for table in tables] for cell in ("a", "b", "c", "d")]
    return rare.tables(measure, *cells)


def told(
    outcome: Outcome,
    counted: Sequence[Contribution],
    effect: Effect,
    made: Made,
) -> Estimate:
    """An effect as a finding tells it: in the measure's own figures, and per 1,000 where it counts
    events.
    """
    assert effect.low is not None and effect.high is not None
    unit = unit_of(outcome, effect)
    return Estimate(
        measure=unit.measure.id,
        measure_label=unit.words,
        null=unit.measure.null,
        value=shown(unit, effect.value),
        low=shown(unit, effect.low),
        high=shown(unit, effect.high),
        studies=made.studies,
        model=made.model,
        estimator=made.estimator,
        test=made.test,
        caution=made.caution,
        results=made.results,
        absolute=_absolute(outcome, counted, effect),
    )


def unit_of(outcome: Outcome, effect: Effect) -> MeasureUnit:
    """The outcome's own way of telling the measure, where it is the same one."""
    own = measures.read(outcome.measure)
    if own is not None and own.measure.id == effect.measure.measure.id:
        return own
    return effect.measure


def shown(unit: MeasureUnit, analysed: float | None) -> float:
    assert analysed is not None
    return unit.measure.reported(analysed) * unit.per


def _absolute(outcome: Outcome, counted: Sequence[Contribution], effect: Effect) -> Absolute | None:
    """The effect per 1,000 people, where events are counted and a comparator's risk is known.

    Handbook 15.4.4; for hazard ratios Altman and Andersen, BMJ 1999;319:1492-5. The risk itself is
    taken as certain.
    """
    measure = effect.measure.measure
    if not measure.counts or effect.low is None or effect.high is None:
        return None
    assumed = _assumed_risk(outcome, counted)
    if measure.id == "RD" and not _fits(effect, assumed):
        risk, source = None, say(mark("none is needed: the studies report the difference itself"))
    elif assumed is None:
        return None
    else:
        risk, source = assumed
    if risk is not None and _beyond_all(measure.id, effect.value, risk):
        return None
    ends = [_difference(measure.id, y, risk) for y in (effect.value, effect.low, effect.high)]
    if any(end is None for end in ends):
        return None
    value, low, high = (PER * end for end in ends if end is not None)
    return Absolute(
        risk=PER * risk if risk is not None else None,
        risk_source=source,
        value=value,
        low=low,
        high=high,
    )


def _fits(effect: Effect, assumed: tuple[float, str] | None) -> bool:
    """Whether a difference can be laid beside an assumed risk: 80 fewer of 60 people can't be."""
    if assumed is None:
        return False
    risk, _ = assumed
    return 0 <= risk + effect.value <= 1


def _assumed_risk(outcome: Outcome, counted: Sequence[Contribution]) -> tuple[float, str] | None:
    """The share that has the event without the intervention, and where that figure is from."""
    if outcome.risk is not None:
        source = outcome.risk_source or say(mark("assumed in the review's protocol"))
        return outcome.risk / PER, source
    risks = [one.table.comparator_risk for one in counted if one.table is not None]
    known = [risk for risk in risks if risk is not None and 0 < risk < 1]
    if not known:
        return None
    return median(known), say(mark("the middle one of these studies' comparison groups"))


def _beyond_all(measure: str, analysed: float, risk: float) -> bool:
    """Whether a ratio at this risk would mean more than everybody: the risk is not one of these
    studies' people.

    Capped at everybody it would be told with an interval of no width, which is a certainty that
    nobody has.
    """
    unit = measures.MEASURES[measure]
    return unit.ratio and measure not in ("OR", "HR") and unit.reported(analysed) * risk >= 1


def _difference(measure: str, analysed: float, risk: float | None) -> float | None:
    """The change of a share that an effect means at this risk, never beyond 0 and 1."""
    if measure in ("RD", "IRD"):
        return analysed if measure == "RD" else None
    if risk is None:
        return None
    unit = measures.MEASURES[measure]
    ratio = unit.reported(analysed)
    if measure == "OR":
        there = ratio * risk / (1 - risk + ratio * risk)
    elif measure == "HR":
        there = 1 - (1 - risk) ** ratio
    else:
        there = ratio * risk
    return min(there, 1.0) - risk
