"""From what the studies give to a Finding: its size, its state and the side it points to.

The rules, in the order in which they are asked:

1. Studies at critical risk of bias, and those that report only words, are shown and never decide.
2. Where the protocol lets sizes be averaged and two studies or more have one in the outcome's
   measure, they are pooled by the protocol's model; one study alone gives its own estimate.
3. The state comes from the estimate's interval: wholly inside the smallest important difference it
is "little or no difference"; wholly on one side of no difference it is an effect; else the studies
hold too little to say, or disagree where some clearly point one way and some clearly the other.
4. Where nothing can be pooled the studies' own intervals decide, led by the least biased and then
the
   largest study: a small imprecise study and a large precise one never read as a draw.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import comb
from statistics import median

from livereview.evidence import contributions, costs, measures, no_size, three_level
from livereview.evidence.contributions import Contribution, Given
from livereview.evidence.finding import (
    Absolute,
    DomainJudgement,
    Estimate,
    Finding,
    NotUsed,
    Side,
    Size,
    State,
    StudyEffect,
    Votes,
)
from livereview.evidence.forms import Extraction
from livereview.evidence.measures import MeasureUnit
from livereview.evidence.orientation import Effect, Z, is_good
from livereview.messages import many, mark, say
from livereview.review import Comparison, Methods, Outcome, Review
from livereview.statistics import rare
from livereview.statistics.pooling import pool

RULE, RULE_VERSION = "finding", "4"
SIGN_TEST_FROM = 5
"""Below five studies with a direction a sign test can't fall under 0.06, whatever they found."""

I2_FROM = 3
"""Two studies say next to nothing of how studies differ, and no prediction can be made from them."""

PER = 1000
"""People for whom absolute effects are told."""

MAIN = "main"
"""Id of the comparison of a review whose protocol names none."""

COMMON = mark("common effect")
MANTEL_HAENSZEL, PETO = "Mantel-Haenszel", "Peto"
BY_COUNTS = (MANTEL_HAENSZEL, PETO)
"""Models that pool counts of events, not effects of studies."""

ONE_EFFECT = (COMMON, *BY_COUNTS)
"""Models of one effect that all studies share: the largest study decides what their mean is."""

THREE_LEVELS = mark("three levels: studies and their results")
"""The model where all results of a study count."""

TEST_WORDS = {
    "z": "z",
    "knha": "Knapp-Hartung",
    "adhoc": mark("Knapp-Hartung, never narrower than z"),
}
_PREDICTIONS = {"riley": "t with k - 2", "k-1": "t with k - 1", "matched": "as the test"}


@dataclass(frozen=True, slots=True)
class Judged:
    """State, side, size and the reason of a finding."""

    state: State
    why: str
    side: Side | None = None
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is judged from what the studies give, and the estimate behind it.

    Attributes:
        weights: Per cent, by study; empty where nothing is weighted.
        left_out: Studies that the estimate can't hold, and why.
        weightless: Ids of studies whose figures give no size and that no pool holds: shown, and
            counted nowhere.
    """

    judged: Judged
    estimate: Estimate | None
    weights: Mapping[str, float]
    left_out: tuple[NotUsed, ...] = ()
    weightless: frozenset[str] = frozenset()

    def that_count(self, given: Given) -> list[Contribution]:
        """The studies that say something here: neither at critical risk of bias nor weightless."""
        return [one for one in given.counted if one.study not in self.weightless]


@dataclass(frozen=True, slots=True)
class Sized:
    """The estimate with each study's weight, and the studies that it can't hold."""

    estimate: Estimate | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    left_out: tuple[NotUsed, ...] = ()
    weightless: frozenset[str] = frozenset()


def comparisons_of(review: Review) -> tuple[Comparison, ...]:
    """The protocol's comparisons; where it names none, the one of its question."""
    if review.comparisons:
        return review.comparisons
    label = say(mark("The intervention against the comparison"))
    return (Comparison(MAIN, label, say(mark("the intervention")), say(mark("the comparison"))),)


def finding(
    review: Review,
    comparison: Comparison,
    outcome: Outcome,
    forms: Iterable[Extraction],
    waiting: int = 0,
) -> Finding:
    """The finding of one comparison and outcome, without its checks (`checked.py` adds them) and
    certainty.
    """
    given = contributions.gather(review, comparison, outcome, forms)
    conclusion = conclude(review.methods, comparison, outcome, given, waiting)
    return put_together(comparison, with_unit(review, outcome), given, conclusion, waiting)


def put_together(
    comparison: Comparison, outcome: Outcome, given: Given, conclusion: Conclusion, waiting: int
) -> Finding:
    """What the studies give and what it comes to, as a Finding."""
    judged, estimate = conclusion.judged, conclusion.estimate
    read_one_by_one = estimate is None or judged.state == "disagree"
    lead = _lead(given.counted) if read_one_by_one else None

    several = estimate is not None and estimate.results is not None
    that_count = conclusion.that_count(given)
    studies = tuple(
        _study(outcome, one, conclusion.weights.get(one.study), several, counts=one in that_count)
        for one in given.contributions
    )
    numbers = [one.people for one in that_count]
    known = [n for n in numbers if n is not None]
    unused = (*(_not_used(one) for one in _unused(given, estimate)), *conclusion.left_out)
    return Finding(
        id=f"{comparison.id}/{outcome.id}",
        comparison=comparison.id,
        comparison_label=comparison.label,
        intervention=comparison.intervention,
        comparator=comparison.comparator,
        outcome=outcome.id,
        outcome_label=outcome.label,
        kind=outcome.kind,
        better="higher" if outcome.better == "higher" else "lower",
        more=phrase(outcome, "more"),
        fewer=phrase(outcome, "fewer"),
        unit=outcome.unit,
        important=outcome.important,
        state=judged.state,
        why=judged.why,
        side=judged.side,
        good=is_good(outcome, judged.side) if judged.side else None,
        size=judged.size,
        estimate=estimate,
        lead=next((one for one in studies if lead and one.study == lead.study), None),
        votes=_votes(outcome, given.contributions),
        studies=studies,
        not_used=unused,
        people=sum(known) if known else None,
        people_unknown=len(numbers) - len(known),
        waiting=waiting,
        certainty_reason=_unrated(judged.state),
        basis=_basis(given),
    )


def conclude(
    methods: Methods, comparison: Comparison, outcome: Outcome, given: Given, waiting: int = 0
) -> Conclusion:
    """What the studies' parts come to: the one rule behind a finding and behind every check of it.

    Args:
        methods: how sizes are pooled; a check of the finding asks the same with other ones.
        comparison: what is compared.
        outcome: what is measured.
        given: what the studies give; a check asks the same with some of it.
        waiting: records that wait to be screened, read or extracted.
    """
    sized = _estimate(methods, outcome, given.counted)
    estimate = sized.estimate
    lead = None if estimate else _lead(given.counted)
    if comparison.outcomes and outcome.id not in comparison.outcomes:
        judged = Judged("not_asked", say(mark("the review does not ask about this")))
    else:
        judged = _judge(outcome, given, given.counted, estimate, lead, waiting)
    return Conclusion(judged, estimate, sized.weights, sized.left_out, sized.weightless)


def _unused(given: Given, estimate: Estimate | None) -> tuple[contributions.Unused, ...]:
    """Results that count for nothing: further results of a study too, where not all of them are
    pooled.
    """
    if estimate is not None and estimate.results is not None:
        return given.unused
    further = (
        unused for one in given.contributions for more in one.further for unused in more.unused
    )
    return (*given.unused, *further)


def with_unit(review: Review, outcome: Outcome) -> Outcome:
    """The outcome; one that counts money is told in the protocol's currency and year."""
    if outcome.kind != "cost" or outcome.unit or review.costs is None:
        return outcome
    return replace(outcome, unit=costs.unit(review.costs))


_OF_OTHER_KINDS: Mapping[str, Mapping[Side, str]] = {
    "cost": {
        "more": mark("costs are higher ({label})"),
        "fewer": mark("costs are lower ({label})"),
    },
    "service_use": {
        "more": mark("use is higher ({label})"),
        "fewer": mark("use is lower ({label})"),
    },
}
"""What is neither better nor worse for people by itself."""


def phrase(outcome: Outcome, side: Side) -> str:
    """What more, or less, of an outcome means, as a clause of a sentence."""
    own = outcome.more if side == "more" else outcome.fewer
    if own:
        return own
    label = lowered(outcome.label)
    if outcome.kind in _OF_OTHER_KINDS:
        return say(_OF_OTHER_KINDS[outcome.kind][side], label=label)
    if is_good(outcome, side):
        return say(mark("results for {label} are better"), label=label)
    return say(mark("results for {label} are worse"), label=label)


def lowered(label: str) -> str:
    """A label inside a sentence: its capital goes, unless it begins an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _unrated(state: State) -> str | None:
    if state in ("not_asked", "not_yet_assessed", "no_studies"):
        return say(mark("no studies"))
    return say(mark("nobody has rated it yet"))


# Size


def _estimate(methods: Methods, outcome: Outcome, counted: Sequence[Contribution]) -> Sized:
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
        return Sized(_of_one(outcome, counted, numbers[0]))
    if unit is None or not outcome.pool:
        return Sized()

    sized = [one for one in counted if _in_measure(one, unit)]
    both = [one for one in counted if one in sized or one in empty]
    by_counts = bool(empty) and methods.rare != "none" and _all_have_counts(both, unit)
    if by_counts and len(both) > 1:
        return _by_counts(methods, outcome, unit, counted, both)
    left_out = tuple(_without_events(one) for one in empty)
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

    It has no ratio; and where neither group had one, the half event gives its risk difference a
    variance far too small, so that it would outweigh every study in which something happened.
    """
    if unit is None:
        return False
    if unit.measure.id in no_size.OF_TIME:
        return one.rates is not None and one.rates.has_zero
    if unit.measure.id in no_size.OF_PEOPLE:
        return one.table is not None and one.table.has_zero
    return False


def _without_events(one: Contribution) -> NotUsed:
    reason = mark("a group had no event, or nothing but events, and the protocol pools no counts")
    return _left_out(one, say(reason))


def _without_size(one: Contribution) -> NotUsed:
    assert one.no_size is not None
    return _left_out(one, say(no_size.REASONS[one.no_size]))


def _left_out(one: Contribution, reason: str) -> NotUsed:
    return NotUsed(
        study=one.study, label=one.label, place=one.places[0], measured=one.construct, reason=reason
    )


def _of_one(
    outcome: Outcome, counted: Sequence[Contribution], one: Contribution
) -> Estimate | None:
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
    return _told(outcome, counted, effect, studies=1, model=mark("one study"), caution=caution)


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
    k = len(kept)
    two = k == 2
    estimator = "EE" if two else methods.estimator
    several = methods.dependent == "all" and any(one.further for one in kept)
    if several and estimator != "EE":
        return _all_results(methods, outcome, unit, counted, kept)
    averaged = [three_level.average(one) if several else one.effect for one in kept]
    effects = [effect for effect in averaged if effect is not None]
    test = methods.test
    if k < methods.few or estimator == "EE":
        test = "z"  # Knapp and Hartung's is a test of a mean over studies that differ
    found = pool(
        [effect.value for effect in effects],
        [effect.variance for effect in effects],
        method=estimator,
        test=test,
        prediction=methods.prediction,
    )
    if found.b is None or found.ci_lb is None or found.ci_ub is None:
        return None, {}

    common = estimator == "EE"
    caution = _caution(k, methods)
    if two and methods.estimator != "EE" and _clear_only_as_one(effects, found.ci_lb, found.ci_ub):
        text = mark(
            "If they differ by more than chance, there may be no difference, or the opposite."
        )
        caution = f"{caution} {say(text)}"
    middle = Effect(unit, found.b, ((found.ci_ub - found.ci_lb) / (2 * Z)) ** 2)
    estimate = _told(
        outcome,
        counted,
        middle,
        studies=k,
        model=COMMON if common else mark("random effects"),
        estimator=None if common else estimator,
        test=say(TEST_WORDS[test]),
        caution=caution,
        results=sum(len(one.effects) for one in kept) if several else None,
    )
    if k >= I2_FROM and not common:
        wide = found.pi_lb is not None and found.pi_ub is not None
        estimate = estimate.model_copy(
            update={
                "tau2": found.tau2,
                "i2": found.I2,
                "i2_formula": say(mark("from tau² and the typical variance of the studies")),
                "prediction_low": _shown(unit, found.pi_lb) if wide else None,
                "prediction_high": _shown(unit, found.pi_ub) if wide else None,
                "prediction_formula": _PREDICTIONS[methods.prediction] if wide else None,
            }
        )
    weights = {one.study: weight for one, weight in zip(kept, found.weights, strict=True)}
    return estimate, weights


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
    estimate = _told(
        outcome,
        counted,
        pooled.effect,
        studies=len(kept),
        model=THREE_LEVELS,
        estimator="REML",
        test=pooled.test,
        caution=pooled.caution,
        results=pooled.results,
    )
    more = {
        "tau2": pooled.between,
        "i2": pooled.i2,
        "i2_formula": say(
            mark(
                "between and within studies, from both variances and the typical one of the results"
            )
        ),
        "prediction_low": _shown(unit, low),
        "prediction_high": _shown(unit, high),
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
    estimate = _told(
        outcome,
        counted,
        effect,
        studies=found.k,
        model=PETO if peto else MANTEL_HAENSZEL,
        test="z",
        caution=say(
            mark(
                "A study has a group without events, or with nothing else: pooled from the counts, as one effect."
            )
        ),
    )
    return Sized(estimate, left_out=left_out)


def _pool_of_counts(measure: str, with_counts: Sequence[Contribution]) -> rare.Tables:
    """The counts of these studies pooled in this measure."""
    if measure in no_size.OF_TIME:
        rates = [one.rates for one in with_counts]
        columns = [[getattr(row, name) for row in rates] for name in ("x1", "t1", "x2", "t2")]
        return rare.rates(measure, *columns)
    tables = [one.table for one in with_counts]
    cells = [[getattr(table, cell) for table in tables] for cell in ("a", "b", "c", "d")]
    return rare.tables(measure, *cells)


def _told(
    outcome: Outcome,
    counted: Sequence[Contribution],
    effect: Effect,
    *,
    studies: int,
    model: str,
    estimator: str | None = None,
    test: str | None = None,
    caution: str | None = None,
    results: int | None = None,
) -> Estimate:
    """An effect as a finding tells it: in the measure's own figures, and per 1,000 where it counts
    events.
    """
    assert effect.low is not None and effect.high is not None
    unit = _unit_of(outcome, effect)
    return Estimate(
        measure=unit.measure.id,
        measure_label=unit.words,
        null=unit.measure.null,
        value=_shown(unit, effect.value),
        low=_shown(unit, effect.low),
        high=_shown(unit, effect.high),
        studies=studies,
        model=model,
        estimator=estimator,
        test=test,
        caution=caution,
        results=results,
        absolute=_absolute(outcome, counted, effect),
    )


def _unit_of(outcome: Outcome, effect: Effect) -> MeasureUnit:
    """The outcome's own way of telling the measure, where it is the same one."""
    own = measures.read(outcome.measure)
    if own is not None and own.measure.id == effect.measure.measure.id:
        return own
    return effect.measure


def _shown(unit: MeasureUnit, analysed: float | None) -> float:
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


# State


def _judge(
    outcome: Outcome,
    given: Given,
    counted: Sequence[Contribution],
    estimate: Estimate | None,
    lead: Contribution | None,
    waiting: int,
) -> Judged:
    if not given.contributions and any(unused.asks for unused in given.unused):
        return Judged(
            "too_little", say(mark("what a study reports waits for an answer of the team"))
        )
    if not given.contributions:
        if waiting:
            return Judged("not_yet_assessed", say(mark("records still wait to be assessed")))
        return Judged("no_studies", say(mark("no included study reports this outcome")))
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


def _why_no_size(counted: Sequence[Contribution]) -> str:
    if any(one.no_size is not None for one in counted):
        return say(mark("no study's figures give a size"))
    return say(mark("no study reports a size, only words"))


def _why_not_clear(counted: Sequence[Contribution]) -> str:
    """Why no study's own estimate says anything: it has no interval, or one that reaches both ways."""
    sizes = [part.effect for part in counted if part.effect is not None]
    if all(effect.low is None or effect.high is None for effect in sizes):
        return many(
            "one study gives a size, and nobody knows how exact it is",
            "{n} studies give a size, and nobody knows how exact it is",
            len(sizes),
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
    if estimate.model not in ONE_EFFECT:
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
    return _within(outcome, _told(outcome, counted, effect, studies=1, model=mark("one study")))


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
    size = _size(outcome, led) if led is not None and led.clear == side else "not_judged"
    why = mark("every study with a clear result points this way")
    return Judged("effect", say(why), side, size)


def _lead(counted: Sequence[Contribution]) -> Contribution | None:
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
    return _of_one(outcome, counted, lead) if lead is not None else None


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
    return "important" if abs(figures[0]) >= outcome.important else "small"


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


# Studies


def _study(
    outcome: Outcome, one: Contribution, weight: float | None, several: bool, *, counts: bool
) -> StudyEffect:
    """One study as it is shown: by its preferred result, also where several of them count.

    Its figures are in the outcome's own unit where it has one of the same measure: percentage
    points stand beside an answer per 1,000 as people in 1,000.
    """
    effect = one.effect
    unit = _unit_of(outcome, effect) if effect else None
    return StudyEffect(
        study=one.study,
        label=one.label,
        year=one.year,
        people=one.people,
        risk_of_bias=one.appraised.overall,
        high_risk=one.appraised.high,
        tool=one.appraised.tool,
        domains=tuple(
            DomainJudgement(domain=row.domain, label=row.label, judgement=row.judgement)
            for row in one.appraised.domains
        ),
        measured=one.construct,
        months=one.months,
        measure=unit.measure.id if unit else None,
        per=unit.per if unit else 1,
        value=_shown(unit, effect.value) if unit and effect else None,
        low=_shown(unit, effect.low) if unit and effect and effect.low is not None else None,
        high=_shown(unit, effect.high) if unit and effect and effect.high is not None else None,
        leans=_as_side(one.leans),
        clear=effect is not None and effect.clear is not None,
        as_words=effect is None and one.no_size is None,
        level=effect is None and one.words == "none",
        no_size=None if one.critical else one.no_size,
        half_event=one.half_event,
        weight=weight,
        counted=counts,
        chosen=_chosen(one) if several else one.chosen,
        mixed=one.mixed,
        opposite=one.opposite,
    )


def _chosen(one: Contribution) -> str:
    if not one.further:
        return one.chosen
    return many(
        "{chosen}; {n} more result counts with it",
        "{chosen}; {n} more results count with it",
        len(one.further),
        chosen=one.chosen,
    )


def _as_side(text: str | None) -> Side | None:
    if text == "more":
        return "more"
    return "fewer" if text == "fewer" else None


def _not_used(one: contributions.Unused) -> NotUsed:
    return NotUsed(
        study=one.study,
        label=one.label,
        place=one.place,
        measured=one.construct,
        reason=one.reason,
        asks=one.asks,
    )


def _votes(outcome: Outcome, given: Sequence[Contribution]) -> Votes:
    """Counted by the sign of each estimate; words and critical studies apart."""
    counted = [one for one in given if not one.critical]
    numbers = [one for one in counted if one.effect is not None]
    more = sum(one.leans == "more" for one in numbers)
    fewer = sum(one.leans == "fewer" for one in numbers)
    unit = measures.read(outcome.measure)
    values = [
        _shown(unit, one.effect.value)
        for one in numbers
        if unit and one.effect and one.effect.measure.measure.id == unit.measure.id
    ]
    return Votes(
        more=more,
        fewer=fewer,
        level=len(numbers) - more - fewer,
        words_only=sum(one.effect is None and one.no_size is None for one in counted),
        critical=sum(one.critical for one in given),
        least=min(values, default=None),
        most=max(values, default=None),
        sign_p=_sign_test(more, fewer) if more + fewer >= SIGN_TEST_FROM else None,
    )


def _sign_test(more: int, fewer: int) -> float:
    """Exact and two-sided: twice the smaller tail of Binomial(n, 1/2), at most 1."""
    n = more + fewer
    tail = sum(comb(n, k) for k in range(min(more, fewer) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def _basis(given: Given) -> str:
    """sha256 of the results used and their figures."""
    rows = [_row(one) for one in given.contributions]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _row(one: Contribution) -> list[object]:
    """One study's figures; further results stand there only where there are any."""
    further = [
        [_rounded(more.effect.value), _rounded(more.effect.variance)] for more in one.further
    ]
    return [
        one.study,
        list(one.places),
        one.effect.measure.measure.id if one.effect else None,
        _rounded(one.effect.value) if one.effect else None,
        _rounded(one.effect.variance) if one.effect else None,
        one.words,
        one.people,
        one.appraised.overall,
        *([further] if further else []),
        *([one.no_size] if one.no_size else []),
    ]


def _rounded(value: float | None) -> float | None:
    """Ten significant digits: what machines may add up differently is no change of the evidence."""
    return None if value is None else float(f"{value:.10g}")


def standard_error(estimate: Estimate) -> float:
    """On the scale of analysis, from the 95% interval."""
    measure = measures.MEASURES[estimate.measure]
    return float(measure.analysed(estimate.high) - measure.analysed(estimate.low)) / (2 * Z)


def distance(before: Estimate, after: Estimate) -> float:
    """How far the point estimate moved, in standard errors of the one before."""
    measure = measures.MEASURES[before.measure]
    error = standard_error(before)
    moved = abs(measure.analysed(after.value) - measure.analysed(before.value))
    return float(moved / error) if error else float("inf")
