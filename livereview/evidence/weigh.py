"""From what the studies give to a Finding: its size, its state and the side it points to.

The rules, in the order in which they are asked:

1. Studies at critical risk of bias, and those that report only words, are shown and never decide.
2. Where the protocol lets sizes be averaged and two studies or more have one in the outcome's
   measure, they are pooled by the protocol's model; one study alone gives its own estimate.
3. The state comes from the estimate's interval: wholly inside the smallest important difference it
   is "little or no difference"; wholly on one side of no difference it is an effect; else the
   studies hold too little to say, or disagree where some clearly point one way and some clearly the
   other.
4. Where nothing can be pooled the studies' own intervals decide, led by the least biased and then
   the largest study: a small imprecise study and a large precise one never read as a draw.

The rules of sizes stand in `sizes.py`, those of states in `states.py`, and how each study is shown
in `shown.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from livereview.evidence import contributions, costs, measures, shown, sizes, states
from livereview.evidence.contributions import Contribution, Given
from livereview.evidence.finding import Estimate, Finding, NotUsed, Side, State, StudyEffect
from livereview.evidence.forms import Extraction
from livereview.evidence.orientation import Z, is_good
from livereview.messages import mark, say
from livereview.review import Comparison, Methods, Outcome, Review

RULE, RULE_VERSION = "finding", "5"
MAIN = "main"
"""Id of the comparison of a review whose protocol names none."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is judged from what the studies give, and the estimate behind it.

    Attributes:
        weights: Per cent, by study; empty where nothing is weighted.
        left_out: Studies that the estimate can't hold, and why.
        weightless: Ids of studies whose figures give no size and that no pool holds: shown, and
            counted nowhere.
    """

    judged: states.Judged
    estimate: Estimate | None
    weights: Mapping[str, float]
    left_out: tuple[NotUsed, ...] = ()
    weightless: frozenset[str] = frozenset()

    def that_count(self, given: Given) -> list[Contribution]:
        """The studies that say something here: neither at critical risk of bias nor weightless."""
        return [one for one in given.counted if one.study not in self.weightless]


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
    studies = _studies(outcome, given, conclusion)
    numbers = [one.people for one in conclusion.that_count(given)]
    known = [n for n in numbers if n is not None]
    unused = [shown.not_used(one) for one in _unused(given, estimate)]
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
        lead=_read_first(given, conclusion, studies),
        votes=shown.votes(outcome, given.contributions),
        studies=studies,
        not_used=(*unused, *conclusion.left_out),
        people=sum(known) if known else None,
        people_unknown=len(numbers) - len(known),
        waiting=waiting,
        certainty_reason=_unrated(judged.state),
        basis=_basis(given),
    )


def _studies(outcome: Outcome, given: Given, conclusion: Conclusion) -> tuple[StudyEffect, ...]:
    """Every study that gives something, as it is shown."""
    estimate = conclusion.estimate
    several = estimate is not None and estimate.results is not None
    that_count = conclusion.that_count(given)
    rows: list[StudyEffect] = []
    for one in given.contributions:
        weight = conclusion.weights.get(one.study)
        rows.append(shown.study(outcome, one, weight, several, counts=one in that_count))
    return tuple(rows)


def _read_first(
    given: Given, conclusion: Conclusion, studies: Iterable[StudyEffect]
) -> StudyEffect | None:
    """The study that is read first, where nothing is pooled or the studies disagree."""
    if conclusion.estimate is not None and conclusion.judged.state != "disagree":
        return None
    lead = states.lead_of(given.counted)
    if lead is None:
        return None
    return next(study for study in studies if study.study == lead.study)


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
    sized = sizes.of_studies(methods, outcome, given.counted)
    estimate = sized.estimate
    lead = None if estimate else states.lead_of(given.counted)
    if comparison.outcomes and outcome.id not in comparison.outcomes:
        judged = states.Judged("not_asked", say(mark("the review does not ask about this")))
    else:
        judged = states.judge(outcome, given, given.counted, estimate, lead, waiting)
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
    if label[1:2].islower():
        return label[:1].lower() + label[1:]
    return label


def _unrated(state: State) -> str | None:
    if state in ("not_asked", "not_yet_assessed", "no_studies"):
        return say(mark("no studies"))
    return say(mark("nobody has rated it yet"))


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
