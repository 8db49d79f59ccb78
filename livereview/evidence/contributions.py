"""What each study gives to a finding: one effect, chosen by the protocol's order, and why not the
others.

A study may report an outcome many times: on several scales, at several times, for several arms and
subgroups. It counts once. Which result stands for it is decided by the protocol (constructs, then
time bands), then by what the report calls primary, the most people, the latest time; never by the
alphabet. Subgroups of one study and arms of one trial are made one (Cochrane Handbook 6.2.9 and
6.5.2.10), so that nobody is counted twice. Every result that is not used is listed with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt

from livereview.errors import Refused
from livereview.evidence import appraisal, costs, counts, measures, no_size, own_figures
from livereview.evidence.appraisal import Appraised
from livereview.evidence.counts import Rates, Table
from livereview.evidence.forms import Extraction, Result
from livereview.evidence.measures import MeasureUnit
from livereview.evidence.no_size import NoSize
from livereview.evidence.orientation import Effect, Oriented, orient
from livereview.messages import mark, say
from livereview.review import Comparison, Outcome, Review
from livereview.statistics import rare
from livereview.statistics.conversions import design_effect
from livereview.statistics.conversions_means import Group, combined
from livereview.statistics.effects import escalc

SHARED_CONTROL = 0.5
"""Correlation of two effects that share a control group of about the size of each arm (Handbook 23.3.4)."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A result that a finding does not use, and why.

    Attributes:
        place: In the study's form.
        asks: A person can put the reason right.
    """

    study: str
    label: str
    place: int
    construct: str
    reason: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Further:
    """Another result of a study that counts beside the preferred one; `unused` says why not, where
    only one counts.
    """

    effect: Effect
    unused: tuple[Unused, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """One study's part in one finding.

    Attributes:
        effect: Turned to the outcome; None where the study reports only words (`words`, of
            orientation).
        table: Its counts, where all results it was made from have them; turned like the effect.
        rates: Its counts by time, where it is made from one result that has them.
        no_size: Why its figures give no effect, where they are such as can give none.
        own: Its effect is the report's own, with an interval, and not worked out here.
        beyond_counts: That effect allows for differences at the start, or for clusters, which a pool of
            plain counts would forget.
        half_event: Its effect was worked out by half an event added to each count, since a group
            had none, or nothing else: a rough size for the eye, and never pooled.
        people: Analysed, each once; None where not reported.
        places: Of the results that it was made from, in the form's order.
        chosen: How it was chosen or put together, in words.
        parts: The effects of the arms or subgroups that it was put together from; empty for a
            single result.
        opposite: How many of its results that are not used clearly point the other way.
        further: The study's other results, where the protocol lets all count; see `three_level.py`.
    """

    study: str
    label: str
    year: int | None
    appraised: Appraised
    effect: Effect | None
    words: str | None
    people: int | None
    construct: str
    months: float | None
    table: Table | None
    places: tuple[int, ...]
    chosen: str
    further: tuple[Further, ...] = ()
    parts: tuple[Effect, ...] = ()
    opposite: int = 0
    rates: Rates | None = None
    no_size: NoSize | None = None
    half_event: bool = False
    own: bool = False
    beyond_counts: bool = False

    @property
    def mixed(self) -> bool:
        """Whether its arms or subgroups clearly point both ways, which their mean hides."""
        return {"more", "fewer"} <= {part.clear for part in self.parts}

    def sized_in(self, measure: str) -> bool:
        """Whether it has an effect in this measure, with an interval."""
        effect = self.effect
        return (
            effect is not None
            and effect.variance is not None
            and effect.measure.measure.id == measure
        )

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All results that may count together, the preferred one first."""
        own = () if self.effect is None else (self.effect,)
        return (*own, *(one.effect for one in self.further))

    @property
    def leans(self) -> str | None:
        """The side to which it points: by its number where it has one, else in words."""
        if self.effect is not None:
            return self.effect.leans
        return self.words if self.words != "none" else None

    @property
    def critical(self) -> bool:
        """Too biased to count among the others."""
        return self.appraised.apart


@dataclass(frozen=True, slots=True)
class Given:
    """All that the studies give to one finding."""

    contributions: tuple[Contribution, ...]
    unused: tuple[Unused, ...]

    @property
    def counted(self) -> tuple[Contribution, ...]:
        """Without the studies at critical risk of bias, which are shown apart."""
        return tuple(one for one in self.contributions if not one.critical)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A result that may stand for its study; `factor` turned its money into the review's."""

    place: int
    oriented: Oriented
    table: Table | None
    factor: float = 1.0

    @property
    def result(self) -> Result:
        return self.oriented.result


def gather(
    review: Review, comparison: Comparison, outcome: Outcome, forms: Iterable[Extraction]
) -> Given:
    """What all studies give to the finding of this comparison and outcome, ordered by study."""
    contributions: list[Contribution] = []
    unused: list[Unused] = []
    ordered = sorted(forms, key=lambda form: form.study)
    for form in ordered:
        contribution, others = of_study(review, comparison, outcome, form)
        unused += others
        if contribution is not None:
            contributions.append(contribution)

    if _of_several_moneys(review, outcome, contributions, ordered):
        reason = say(
            mark(
                "costs in several currencies or years, and the protocol has no table to convert them"
            )
        )
        aside = [
            Unused(c.study, c.label, c.places[0], c.construct, reason, asks=True)
            for c in contributions
        ]
        return Given((), (*unused, *aside))
    kept, doubled = _each_person_once(contributions, ordered)
    kept, shared = _each_comparison_group_once(kept, ordered)
    doubled += shared
    return Given(tuple(kept), (*unused, *doubled))


def _of_several_moneys(
    review: Review,
    outcome: Outcome,
    contributions: Iterable[Contribution],
    forms: Iterable[Extraction],
) -> bool:
    """Whether results in money are in several currencies or years that nothing converts."""
    if review.costs is not None:
        return False
    by_study = {form.study: form for form in forms}
    used = [by_study[one.study].results[place] for one in contributions for place in one.places]
    moneys = {
        (result.currency, result.price_year) for result in used if costs.is_money(outcome, result)
    }
    return len(moneys) > 1


def of_study(
    review: Review, comparison: Comparison, outcome: Outcome, form: Extraction
) -> tuple[Contribution | None, tuple[Unused, ...]]:
    """What one study gives, and its results on this outcome that are not used."""
    candidates, unused = _candidates(review, comparison, outcome, form)
    if not candidates:
        return None, tuple(unused)
    ranked = sorted(candidates, key=lambda candidate: _rank(review, outcome, candidate))
    best = ranked[0]
    together = [candidate for candidate in ranked if _one_slot(candidate, best)]
    parts, put_aside = _of_different_parts(form, together)
    contribution = _put_together(form, parts, appraisal.appraised(form, review.tools))
    for candidate, reason in put_aside:
        unused.append(_unused(form, candidate.place, candidate.result, reason))
    others = [candidate for candidate in candidates if candidate not in together]
    further: tuple[Further, ...] = ()
    if review.methods.dependent == "all" and contribution.effect is not None:
        further, others = _further(review, outcome, form, best, others)
    for candidate in others:
        reason = _why_other(review, outcome, candidate, best)
        unused.append(_unused(form, candidate.place, candidate.result, reason))
    left = [*others, *(candidate for candidate, _ in put_aside)]
    contribution = replace(contribution, further=further, opposite=_opposite(contribution, left))
    return contribution, tuple(sorted(unused, key=lambda one: one.place))


def _candidates(
    review: Review, comparison: Comparison, outcome: Outcome, form: Extraction
) -> tuple[list[_Candidate], list[Unused]]:
    """A study's results that may stand for it, and those that can't whatever the others are."""
    candidates: list[_Candidate] = []
    unused: list[Unused] = []
    for place, result in enumerate(form.results):
        if result.outcome != outcome.id or not _asked_by(review, comparison, result):
            continue
        reason, asks = _left_out(review, outcome, result)
        if reason is not None:
            unused.append(_unused(form, place, result, reason, asks))
            continue
        factor = costs.result_factor(review, outcome, result)
        candidate = _candidate(outcome, place, result, factor)
        if candidate.oriented.asks:
            reason = candidate.oriented.reason or ""
            unused.append(_unused(form, place, result, reason, asks=True))
            continue
        candidates.append(candidate)
    return candidates, unused


def _further(
    review: Review,
    outcome: Outcome,
    form: Extraction,
    best: _Candidate,
    others: Sequence[_Candidate],
) -> tuple[tuple[Further, ...], list[_Candidate]]:
    """The other results that count beside the best one, arms and subgroups made one, and those that
    still don't.

    They must be as good as the best: in its measure with an interval, of a construct and from a
    time that the protocol prefers as much.
    """
    as_good = [
        candidate
        for candidate in others
        if _as_good(review, outcome, candidate, best) and not _same_people(candidate, best)
    ]
    left = [candidate for candidate in others if candidate not in as_good]
    further: list[Further] = []
    as_good.sort(key=lambda candidate: _rank(review, outcome, candidate))
    while as_good:
        first = as_good[0]
        slot = [candidate for candidate in as_good if _one_slot(candidate, first)]
        again = [candidate for candidate in as_good if _same_people(candidate, first)]
        left += [candidate for candidate in again if candidate is not first]
        as_good = [one for one in as_good if one not in slot and one not in again]
        parts, put_aside = _of_different_parts(form, slot)
        left += [candidate for candidate, _ in put_aside]
        effect, _ = _combined_effect(parts)
        if effect is None or not effect.variance:
            left += parts
            continue
        unused = [
            _unused(form, part.place, part.result, _why_other(review, outcome, part, best))
            for part in parts
        ]
        further.append(Further(effect, tuple(unused)))
    return tuple(further), left


def _as_good(review: Review, outcome: Outcome, candidate: _Candidate, best: _Candidate) -> bool:
    mine, other = candidate.result, best.result
    if _tier(outcome, candidate) != 0 or _tier(outcome, best) != 0:
        return False
    named = len(outcome.constructs)
    both_named = (_construct_rank(outcome, mine) < named) == (
        _construct_rank(outcome, other) < named
    )
    same_time = _time_rank(review, outcome, mine) == _time_rank(review, outcome, other)
    return both_named and same_time


def _opposite(contribution: Contribution, left: Sequence[_Candidate]) -> int:
    """How many of the results that are left clearly point to the other side than the contribution."""
    others = [candidate.oriented.effect for candidate in left]
    sides = {"more": "fewer", "fewer": "more"}
    other_side = sides.get(contribution.leans or "")
    return sum(
        effect is not None and effect.clear is not None and effect.clear == other_side
        for effect in others
    )


def _unused(
    form: Extraction, place: int, result: Result, reason: str, asks: bool = False
) -> Unused:
    return Unused(form.study, form.label, place, result.construct, reason, asks)


def _asked_by(review: Review, comparison: Comparison, result: Result) -> bool:
    """Whether the result is about this comparison, or about one that nobody has named yet."""
    return result.comparison in (None, comparison.id)


def _left_out(review: Review, outcome: Outcome, result: Result) -> tuple[str | None, bool]:
    """Why a result can't stand for the outcome whatever its figures are.

    And whether that asks a person.
    """
    if result.comparison is None and len(review.comparisons) > 1:
        return say(mark("nobody has said which comparison it is about")), True
    kind = result.kind or outcome.kind
    if kind != outcome.kind and kind in ("service_use", "cost"):
        about = {
            "service_use": mark("it counts services that were used, which is not this outcome"),
            "cost": mark("it counts costs, which is not this outcome"),
        }
        return say(about[kind]), False
    reason = costs.why_not_comparable(review, outcome, result) or own_figures.opposite(result)
    return reason, reason is not None


def _candidate(outcome: Outcome, place: int, result: Result, factor: float = 1.0) -> _Candidate:
    """The result in the outcome's own measure where its figures allow that.

    Money in the review's by `factor`.
    """
    oriented = orient(outcome, result)
    if factor != 1 and oriented.effect is not None:
        oriented = replace(oriented, effect=oriented.effect.times(factor))
    table = _table_of(result)
    computed = _computed(outcome, oriented, table)
    if computed is not None:
        oriented = _turned_like(outcome, result, computed)
    opposite = result.higher_is_better not in (None, outcome.better == "higher")
    if table is not None and opposite:
        table = table.turned()
    return _Candidate(place, oriented, table, factor)


def _table_of(result: Result) -> Table | None:
    """The counts of a result, not turned; those of clusters brought down to what they are worth."""
    reported = result.reported or {}
    table = counts.table_from(reported)
    if table is None or "icc" not in reported or "cluster_size" not in reported:
        return table
    spread = reported.get("cluster_cv", 0.0)
    try:
        worth = design_effect(reported["cluster_size"], reported["icc"], spread)
    except Refused:
        return None
    return Table(table.a / worth, table.b / worth, table.c / worth, table.d / worth)


def _computed(outcome: Outcome, oriented: Oriented, table: Table | None) -> Effect | None:
    """The effect that counts give in the outcome's measure; None where the result's own stands.

    It stands too where it allows for differences between the groups or for clusters, which plain
    counts would forget.
    """
    wanted = measures.read(outcome.measure)
    if wanted is None or table is None or oriented.no_size is not None:
        return None
    effect = oriented.effect
    if effect is not None and effect.measure.measure.id == wanted.measure.id:
        return None
    result = oriented.result
    is_reported = effect is not None and result.derivation is None
    if is_reported and _allows_for_more(result):
        return None
    return _from_table(wanted, table)


def _from_table(unit: MeasureUnit, table: Table) -> Effect | None:
    """The effect that counts give in this measure.

    None where they give none without a correction.
    """
    if unit.measure.id not in ("OR", "RR", "RD"):
        return None
    if unit.measure.ratio and table.has_zero:
        return None
    columns = {"ai": [table.a], "bi": [table.b], "ci": [table.c], "di": [table.d]}
    found = escalc(unit.measure.id, columns)
    value, variance = found.yi[0], found.vi[0]
    if value is None or not variance:
        return None
    return Effect(unit, value, variance)


def _turned_like(outcome: Outcome, result: Result, effect: Effect) -> Oriented:
    """An effect computed from counts of the result's own event, turned to the outcome."""
    if result.higher_is_better is None or result.higher_is_better == (outcome.better == "higher"):
        return Oriented(result, effect)
    if effect.measure.measure.id in ("OR", "RD"):
        return Oriented(result, effect.turned())
    return Oriented(result, reason=say(mark("it counts the opposite event")), asks=True)


def _rank(review: Review, outcome: Outcome, candidate: _Candidate) -> tuple[float, ...]:
    """Where a result stands in the protocol's order; the least stands for the study."""
    result = candidate.result
    return (
        _tier(outcome, candidate),
        _construct_rank(outcome, result),
        _time_rank(review, outcome, result),
        0 if result.primary else 1,
        _adjusted_rank(result),
        -(result.people or 0),
        -(result.months or 0),
        candidate.place,
    )


def _tier(outcome: Outcome, candidate: _Candidate) -> int:
    """A size that can be pooled, before one in another measure, before a bare size, before words."""
    effect = candidate.oriented.effect
    if effect is None:
        return 3
    if effect.variance is None:
        return 2
    wanted = measures.read(outcome.measure)
    if wanted is not None and effect.measure.measure.id != wanted.measure.id:
        return 1
    return 0


def _adjusted_rank(result: Result) -> int:
    """An analysis that allows for differences between the groups first, one that says it does not
    last (Handbook 24.6.1): never the one that was typed first.
    """
    if own_figures.is_adjusted(result):
        return 0
    return 1 if result.adjusted is None else 2


def _construct_rank(outcome: Outcome, result: Result) -> int:
    wanted = [name.casefold() for name in outcome.constructs]
    named = {result.construct.casefold(), (result.instrument or "").casefold()}
    return next((n for n, name in enumerate(wanted) if name in named), len(wanted))


def _time_rank(review: Review, outcome: Outcome, result: Result) -> int:
    months = result.months
    bands = {band.id: band for band in review.follow_up}
    if months is not None:
        for n, name in enumerate(outcome.follow_up):
            if name in bands and bands[name].holds(months):
                return n
    return len(outcome.follow_up)


def _one_slot(candidate: _Candidate, best: _Candidate) -> bool:
    """Whether two results measure the same thing at the same time, for other arms or subgroups."""
    mine, other = candidate.result, best.result
    same_thing = (mine.construct, mine.instrument) == (other.construct, other.instrument)
    same_time = (mine.months, mine.timing) == (other.months, other.timing)
    same_control = mine.control_arm == other.control_arm
    same_kind = _only_words(candidate) == _only_words(best)
    other_people = (mine.arm, mine.subgroup) != (other.arm, other.subgroup)
    alike = same_thing and same_time and same_control and same_kind
    return candidate is best or (alike and other_people)


def _same_people(candidate: _Candidate, other: _Candidate) -> bool:
    """Whether two results are analyses of the same thing in the same people at the same time, such
    as an adjusted one and a plain one.
    """
    return _measured(candidate.result) == _measured(other.result)


def _measured(result: Result) -> tuple[object, ...]:
    """What a result measured, when and in whom."""
    thing = (result.construct, result.instrument)
    time = (result.months, result.timing)
    people = (result.arm, result.control_arm, result.subgroup)
    return (*thing, *time, *people)


def _only_words(candidate: _Candidate) -> bool:
    """Whether it has neither a size nor figures."""
    return candidate.oriented.effect is None and candidate.oriented.no_size is None


_Aside = list[tuple[_Candidate, str]]


def _of_different_parts(
    form: Extraction, together: Sequence[_Candidate]
) -> tuple[list[_Candidate], _Aside]:
    """The results of one slot that are about different people, so that they can be made one.

    Args:
        form: of the study, with how many people it has.
        together: its results on the same thing at the same time, the preferred one first.
    """
    aside: _Aside = []
    kept = _without(together, aside, _REPEATED, _repeated(together))
    kept = _without(kept, aside, _PART_OF_WHOLE, _arms_of_a_whole(kept))
    kept = _without(kept, aside, _SUBGROUP_OF_WHOLE, _subgroups_of_a_whole(kept))
    kept = _without(kept, aside, _OTHERWISE_DIVIDED, _otherwise_divided(kept))
    kept = _without(kept, aside, _OVERLAPPING, _overlapping(form, kept))

    first = min(kept, key=lambda candidate: candidate.oriented.effect is None)
    unlike = [candidate for candidate in kept if not _combines(candidate, first)]
    kept = _without(kept, aside, _NOT_COMBINED, unlike)
    return sorted(kept, key=lambda candidate: candidate.place), aside


_REPEATED = mark("another result on the same people at the same time is used")
_PART_OF_WHOLE = mark("an arm of a result that is used whole")
_SUBGROUP_OF_WHOLE = mark("a subgroup of a result that is used whole")
_OTHERWISE_DIVIDED = mark("the same people, divided otherwise than in the results that are used")
_OVERLAPPING = mark(
    "its people are in more than one of these results, which have more than joined the study"
)
_NOT_COMBINED = mark("it can't be combined with the result that is used")


def _without(
    some: Sequence[_Candidate], aside: _Aside, reason: str, left: Sequence[_Candidate]
) -> list[_Candidate]:
    """`some` without those that are `left`, which go to `aside` with the reason."""
    aside += [(candidate, say(reason)) for candidate in left]
    return [candidate for candidate in some if candidate not in left]


def _repeated(together: Sequence[_Candidate]) -> list[_Candidate]:
    """Results on people of whom a preferred result is there: adjusted and not, say."""
    seen: set[tuple[str | None, str | None]] = set()
    again: list[_Candidate] = []
    for candidate in together:
        people = (candidate.result.arm, candidate.result.subgroup)
        if people in seen:
            again.append(candidate)
        seen.add(people)
    return again


def _arms_of_a_whole(kept: Sequence[_Candidate]) -> list[_Candidate]:
    """Arms where a result that names none is of all of them."""
    wholes = [one for one in kept if not one.result.arm and not one.result.subgroup]
    as_good = any(_combines(one, kept[0]) for one in wholes)
    return [one for one in kept if one.result.arm and as_good]


def _subgroups_of_a_whole(kept: Sequence[_Candidate]) -> list[_Candidate]:
    """Subgroups of an arm whose whole is reported too."""
    whole_arms = {one.result.arm for one in kept if not one.result.subgroup}
    return [one for one in kept if one.result.subgroup and one.result.arm in whole_arms]


def _otherwise_divided(kept: Sequence[_Candidate]) -> list[_Candidate]:
    """Subgroups by another property than the preferred one's: by age where it is by sex."""
    divided = [one for one in kept if one.result.subgroup and _divided_by(one)]
    if not divided:
        return []
    first = _divided_by(divided[0])
    return [one for one in divided if _divided_by(one) != first]


def _divided_by(candidate: _Candidate) -> tuple[str, ...]:
    """The moderators by which a subgroup is one; empty where nobody said so."""
    return tuple(sorted(candidate.result.subgroup_is or ()))


def _overlapping(form: Extraction, kept: Sequence[_Candidate]) -> list[_Candidate]:
    """All but the preferred subgroup, where they have more people than joined the study."""
    divided = [one for one in kept if one.result.subgroup]
    if form.participants is None or len(divided) < 2:
        return []
    arms = {one.result.arm for one in divided}
    people = sum(one.result.people or 0 for one in divided)
    if len(arms) == 1 and people > form.participants:
        return divided[1:]
    return []


def _combines(candidate: _Candidate, first: _Candidate) -> bool:
    """Whether two parts of a study can be made one: by effects in one measure, or by counts."""
    effect, other = candidate.oriented.effect, first.oriented.effect
    if effect is None and other is None:
        return candidate.oriented.no_size == first.oriented.no_size
    if effect is None:
        return _counted_like(candidate, first)
    if other is None:
        return False
    same_measure = effect.measure.measure.id == other.measure.measure.id
    return same_measure and (effect.variance is None) == (other.variance is None)


def _counted_like(candidate: _Candidate, first: _Candidate) -> bool:
    """Whether a part in which nobody, or everybody, had the event has counts beside another's."""
    effect = first.oriented.effect
    no_contrast = candidate.oriented.no_size in no_size.TURNED
    in_counts = effect is not None and effect.measure.measure.id in no_size.OF_PEOPLE
    both_counted = candidate.table is not None and first.table is not None
    return no_contrast and in_counts and both_counted


def _put_together(form: Extraction, parts: Sequence[_Candidate], judged: Appraised) -> Contribution:
    """One contribution from one result, or from the subgroups and arms of one study."""
    first = parts[0]
    effect, chosen = _combined_effect(parts)
    table = _combined_table(parts)
    rates = _rates_of(first.result) if len(parts) == 1 else None
    contribution = Contribution(
        study=form.study,
        label=form.label,
        year=form.year,
        appraised=judged,
        effect=effect,
        words=None,
        people=_people(form, parts),
        construct=first.result.construct,
        months=first.result.months,
        table=table,
        places=tuple(part.place for part in parts),
        chosen=chosen,
        rates=rates,
    )
    if effect is None:
        return replace(contribution, words=_said_in_words(parts), no_size=_no_size_of(parts))
    return replace(
        contribution,
        parts=_effects_put_together(parts),
        half_event=_by_half_an_event(parts, effect, table, rates),
        own=all(_has_own_effect(part) for part in parts),
        beyond_counts=any(_beyond_counts(part) for part in parts),
    )


def _said_in_words(parts: Sequence[_Candidate]) -> str | None:
    """The direction that all parts report in words; None where they differ."""
    words = {part.oriented.words for part in parts}
    return words.pop() if len(words) == 1 else None


def _no_size_of(parts: Sequence[_Candidate]) -> NoSize | None:
    """Why the parts give no size, by the first of them that says so."""
    return next((part.oriented.no_size for part in parts if part.oriented.no_size), None)


def _effects_put_together(parts: Sequence[_Candidate]) -> tuple[Effect, ...]:
    """The effects of several arms or subgroups; empty for a single result."""
    if len(parts) == 1:
        return ()
    return tuple(part.oriented.effect for part in parts if part.oriented.effect)


def _has_own_effect(part: _Candidate) -> bool:
    """Whether a report gives the effect of a result itself, with an interval."""
    effect = part.oriented.effect
    has_interval = effect is not None and effect.variance is not None
    return effect is not None and has_interval and _is_given(part.result, effect)


def _beyond_counts(part: _Candidate) -> bool:
    """Whether a result's own effect holds what its counts do not."""
    return _allows_for_more(part.result) and _has_own_effect(part)


def _allows_for_more(result: Result) -> bool:
    """Whether a reported effect allows for differences between the groups, or for clusters."""
    return own_figures.is_adjusted(result) or result.analysed == "clusters"


def _by_half_an_event(
    parts: Sequence[_Candidate], effect: Effect | None, table: Table | None, rates: Rates | None
) -> bool:
    """Whether an effect could only be worked out from counts by adding half an event to each."""
    if effect is None or _is_given(parts[0].result, effect) or _are_subgroups(parts):
        return False
    measure = effect.measure.measure.id
    if measure in no_size.OF_TIME:
        return rates is not None and rates.has_zero
    return measure in no_size.OF_PEOPLE and table is not None and table.has_zero


def _is_given(result: Result, effect: Effect) -> bool:
    """Whether the report gives the effect itself, in this measure."""
    unit = measures.read(result.measure)
    same_measure = unit is not None and unit.measure.id == effect.measure.measure.id
    return same_measure and result.effect is not None and result.derivation is None


def _are_subgroups(parts: Sequence[_Candidate]) -> bool:
    """Whether these are several groups of people, whose counts need no half event together."""
    return len(parts) > 1 and len({part.result.arm for part in parts}) == 1


def _rates_of(result: Result) -> Rates | None:
    """The counts by time of a result; None where clusters make them worth less than they are."""
    reported = result.reported or {}
    return None if "icc" in reported else counts.rates_from(reported)


def _combined_effect(parts: Sequence[_Candidate]) -> tuple[Effect | None, str]:
    """The one effect of all parts, and how it was made."""
    effects = [part.oriented.effect for part in parts if part.oriented.effect is not None]
    if not effects:
        return None, _without_effect(parts[0])
    if len(parts) == 1:
        return effects[0], _as_reported(parts[0])

    tables = [part.table for part in parts if part.table is not None]
    all_counted = len(tables) == len(parts)
    if all_counted and any(_needs_counts(part, effects[0]) for part in parts):
        return _by_counts(parts, tables, effects[0])
    by_arm: dict[str | None, list[Effect]] = {}
    for part in parts:
        if part.oriented.effect is not None:
            by_arm.setdefault(part.result.arm, []).append(part.oriented.effect)
    subgroups = any(len(some) > 1 for some in by_arm.values())
    arms = [_of_different_people(some) for some in by_arm.values()]
    if len(arms) == 1:
        return arms[0], say(mark("{n} subgroups of the study combined"), n=len(parts))

    from_figures = None
    figures_hold_all = not subgroups and not any(_beyond_counts(part) for part in parts)
    if figures_hold_all:
        from_figures = _arms_from_figures(parts, effects[0].measure)
    effect = from_figures or _of_shared_control(arms)
    return effect, say(mark("{n} arms of the trial combined"), n=len(arms))


def _as_reported(part: _Candidate) -> str:
    """How the effect of a single result was made, where its counts would say less."""
    if part.table is not None and part.table.has_zero and _beyond_counts(part):
        return say(
            mark(
                "as reported: its own effect is adjusted, and its counts, with a group without events "
                "or with nothing else, are not used"
            )
        )
    return say(mark("as reported"))


def _without_effect(part: _Candidate) -> str:
    """What stands in place of how an effect was made."""
    lack = part.oriented.no_size
    if lack is None:
        return say(mark("reported in words"))
    return say(no_size.REASONS[lack])


def _needs_counts(part: _Candidate, first: Effect) -> bool:
    """Whether a part has no effect of its own in this measure, but by half an event."""
    if first.measure.measure.id not in no_size.OF_PEOPLE:
        return False
    effect = part.oriented.effect
    if effect is None:
        return part.oriented.no_size is not None
    has_zero = part.table is not None and part.table.has_zero
    return has_zero and not _is_given(part.result, effect)


def _by_counts(
    parts: Sequence[_Candidate], tables: Sequence[Table], first: Effect
) -> tuple[Effect, str]:
    """The one effect of parts of which one has a group without events, or with nothing else.

    Subgroups by Mantel-Haenszel, arms as one group, so that no part needs half an event. Where the
    whole has none either, it is that of the part that has one.
    """
    arms = {part.result.arm for part in parts}
    if len(arms) == 1:
        effect = _mantel_haenszel(tables, first.measure)
        return effect or first, say(mark("{n} subgroups of the study combined"), n=len(parts))
    subgroups = any(part.result.subgroup for part in parts)
    whole = None if subgroups else _one_table(tables)
    combined = None if whole is None else _from_table(first.measure, whole)
    if combined is None:
        own = [part.oriented.effect for part in parts if part.oriented.effect is not None]
        combined = _of_shared_control(own)
    return combined, say(mark("{n} arms of the trial combined"), n=len(arms))


def _mantel_haenszel(tables: Sequence[Table], unit: MeasureUnit) -> Effect | None:
    """The common effect of several groups of people; None where their counts give none."""
    if unit.measure.id not in no_size.OF_PEOPLE:
        return None
    cells = [[getattr(table, cell) for table in tables] for cell in ("a", "b", "c", "d")]
    found = rare.tables(unit.measure.id, *cells)
    if found.b is None or found.se is None:
        return None
    return Effect(unit, found.b, found.se**2)


def _of_different_people(effects: Sequence[Effect]) -> Effect:
    """Their inverse-variance mean: subgroups of one study estimate one effect."""
    if any(effect.variance is None for effect in effects):
        return Effect(effects[0].measure, sum(e.value for e in effects) / len(effects), None)
    weights = [1 / effect.variance for effect in effects if effect.variance]
    value = sum(w * e.value for w, e in zip(weights, effects, strict=True)) / sum(weights)
    return Effect(effects[0].measure, value, 1 / sum(weights))


def _of_shared_control(effects: Sequence[Effect]) -> Effect:
    """The mean of effects against one control group, correlated by SHARED_CONTROL."""
    k = len(effects)
    value = sum(effect.value for effect in effects) / k
    if any(effect.variance is None for effect in effects):
        return Effect(effects[0].measure, value, None)
    errors = [sqrt(effect.variance) for effect in effects if effect.variance]
    total = sum(error**2 for error in errors)
    for n, error in enumerate(errors):
        total += 2 * SHARED_CONTROL * error * sum(errors[n + 1 :])
    return Effect(effects[0].measure, value, total / k**2)


def _arms_from_figures(parts: Sequence[_Candidate], unit: MeasureUnit) -> Effect | None:
    """The effect of all intervention arms as one group, from counts or means.

    None where they lack.
    """
    tables = [part.table for part in parts]
    if all(table is not None for table in tables):
        whole = _one_table([table for table in tables if table is not None])
        return _from_table(unit, whole) if whole else None
    return _arms_from_means(parts, unit)


def _one_table(tables: Sequence[Table]) -> Table | None:
    """All intervention arms together against the control group that they share."""
    if any((first.c, first.d) != (then.c, then.d) for first, then in pairwise(tables)):
        return None
    a = sum(table.a for table in tables)
    b = sum(table.b for table in tables)
    return Table(a, b, tables[0].c, tables[0].d)


def _arms_from_means(parts: Sequence[_Candidate], unit: MeasureUnit) -> Effect | None:
    if unit.measure.id not in ("SMD", "MD") or any(part.factor != 1 for part in parts):
        return None
    figures = [part.result.reported or {} for part in parts]
    names = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")
    if any(name not in some for some in figures for name in names):
        return None
    controls = {(some["m2i"], some["sd2i"], some["n2i"]) for some in figures}
    if len(controls) > 1:
        return None
    try:
        group = combined(*(Group(some["m1i"], some["sd1i"], some["n1i"]) for some in figures))
    except Refused:
        return None
    mean, sd, n = controls.pop()
    columns = dict(
        zip(names, ([group.mean], [group.sd], [group.n], [mean], [sd], [n]), strict=True)
    )
    found = escalc(unit.measure.id, columns)
    value, variance = found.yi[0], found.vi[0]
    if value is None or variance is None:
        return None
    effect = Effect(unit, value, variance)
    first = parts[0].oriented.effect
    turned = first is not None and first.value * (figures[0]["m1i"] - figures[0]["m2i"]) < 0
    return effect.turned() if turned else effect


def _combined_table(parts: Sequence[_Candidate]) -> Table | None:
    tables = [part.table for part in parts if part.table is not None]
    if len(tables) < len(parts):
        return None
    if len(tables) == 1:
        return tables[0]
    if len({part.result.arm for part in parts}) == 1:
        sums = [sum(getattr(table, cell) for table in tables) for cell in ("a", "b", "c", "d")]
        return Table(*sums)
    if any(part.result.subgroup for part in parts):
        return None
    return _one_table(tables)


def _people(form: Extraction, parts: Sequence[_Candidate]) -> int | None:
    """People analysed, each once: subgroups add up.

    Arms add up, less the control group they share.
    """
    if len(parts) == 1:
        return parts[0].result.people or form.participants
    numbers = [part.result.people for part in parts]
    if any(n is None for n in numbers):
        return form.participants
    total = sum(n for n in numbers if n is not None)
    arms = {part.result.arm for part in parts}
    if len(arms) == 1:
        return total
    controls = [(part.result.reported or {}).get("n2i") for part in parts]
    if any(n is None for n in controls) or len(set(controls)) > 1:
        return form.participants or max(n for n in numbers if n is not None)
    return total - round((len(arms) - 1) * (controls[0] or 0))


def _why_other(review: Review, outcome: Outcome, candidate: _Candidate, best: _Candidate) -> str:
    """Why another result of the study stands for it."""
    mine, chosen = candidate.result, best.result
    lack = candidate.oriented.no_size
    if lack is not None and best.oriented.effect is not None:
        return say(no_size.REASONS[lack])
    if _tier(outcome, candidate) != _tier(outcome, best):
        reasons = {
            1: mark("its measure is not the one in which the outcome is told"),
            2: mark("it has no interval"),
            3: mark("it has no size, only a direction in words"),
        }
        return say(reasons[_tier(outcome, candidate)])
    if _construct_rank(outcome, mine) != _construct_rank(outcome, chosen):
        return say(mark("the protocol prefers {other}"), other=chosen.construct)
    if _time_rank(review, outcome, mine) != _time_rank(review, outcome, chosen):
        return say(mark("the protocol prefers another time after the start"))
    if chosen.primary and not mine.primary:
        return say(mark("the study's primary result, {other}, is used"), other=chosen.construct)
    if _adjusted_rank(mine) != _adjusted_rank(chosen):
        return say(mark("the result that allows for differences between the groups is used"))
    if mine.control_arm != chosen.control_arm:
        return say(mark("it is against another group than the result that is used"))
    if (chosen.people or 0) > (mine.people or 0):
        return say(mark("{other} was measured in more people"), other=chosen.construct)
    if (chosen.months or 0) > (mine.months or 0):
        return say(mark("a later time point of {other} is used"), other=chosen.construct)
    return say(mark("{other} stands first in the form"), other=chosen.construct)


def _each_person_once(
    contributions: Sequence[Contribution], forms: Sequence[Extraction]
) -> tuple[list[Contribution], list[Unused]]:
    """Of studies about the same people only the least biased, then the largest, counts."""
    overlaps = _overlaps(forms)
    kept: list[Contribution] = []
    doubled: list[Unused] = []
    for contribution in sorted(contributions, key=_preference):
        twin = next((k for k in kept if k.study in overlaps[contribution.study]), None)
        if twin is None:
            kept.append(contribution)
            continue
        reason = say(mark("the same people as in {other}, which is used"), other=twin.label)
        doubled.append(
            Unused(
                contribution.study,
                contribution.label,
                contribution.places[0],
                contribution.construct,
                reason,
            )
        )
    return sorted(kept, key=lambda one: one.study), doubled


def _each_comparison_group_once(
    contributions: Sequence[Contribution], forms: Sequence[Extraction]
) -> tuple[list[Contribution], list[Unused]]:
    """Of a trial that was entered as several studies only one counts, till it is entered as one.

    It is one where the forms name the same report and give the same figures for the comparison
    group: that group would be counted once with each of them.
    """
    by_study = {form.study: form for form in forms}
    kept: list[Contribution] = []
    shared: list[Unused] = []
    for contribution in sorted(contributions, key=_preference):
        twin = next((one for one in kept if _share_a_group(by_study, one, contribution)), None)
        if twin is None:
            kept.append(contribution)
            continue
        reason = mark(
            "its comparison group is that of {other}, from the same report: enter both as arms of one "
            "study, so that both count"
        )
        place = contribution.places[0]
        shared.append(
            Unused(
                contribution.study,
                contribution.label,
                place,
                contribution.construct,
                say(reason, other=twin.label),
                asks=True,
            )
        )
    return sorted(kept, key=lambda one: one.study), shared


COMPARISON_GROUPS = (("ci", "n2i"), ("ci", "di"), ("m2i", "sd2i", "n2i"), ("x2i", "t2i"))
"""Figures that describe the comparison group alone, by how they are reported."""


def _share_a_group(
    forms: Mapping[str, Extraction], first: Contribution, second: Contribution
) -> bool:
    one, other = forms[first.study], forms[second.study]
    if not _reports_of(one) & _reports_of(other):
        return False
    groups = _groups_of(one, first) & _groups_of(other, second)
    return bool(groups)


def _reports_of(form: Extraction) -> set[str]:
    return {report.casefold().strip() for report in form.reports}


def _groups_of(
    form: Extraction, contribution: Contribution
) -> set[tuple[tuple[str, ...], tuple[float, ...]]]:
    """The figures of each comparison group in the results that a contribution was made from."""
    found: set[tuple[tuple[str, ...], tuple[float, ...]]] = set()
    for place in contribution.places:
        reported = form.results[place].reported or {}
        for names in COMPARISON_GROUPS:
            if all(name in reported for name in names):
                found.add((names, tuple(reported[name] for name in names)))
    return found


def _preference(contribution: Contribution) -> tuple[bool, float, int, str]:
    return (
        contribution.effect is None,
        contribution.appraised.rank,
        -(contribution.people or 0),
        contribution.study,
    )


def _overlaps(forms: Sequence[Extraction]) -> Mapping[str, set[str]]:
    """By study those about the same people; it is enough that one of the two forms says so."""
    found: dict[str, set[str]] = {form.study: set(form.overlaps) for form in forms}
    for form in forms:
        for other in form.overlaps:
            if other in found:
                found[other].add(form.study)
    return found
