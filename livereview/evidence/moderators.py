"""For whom: whether an effect differs by what the protocol names, and how far such a difference can
be believed.

Each group is pooled by the rule of the finding itself (`weigh.conclude`), from the same studies. A
study that reports its own people apart (`subgroup_is`) gives each part to its group, and its whole
to none, so that nobody is counted twice. A difference is never told as established: what speaks
against it is listed after the questions of ICEMAN (Schandelmaier and others, CMAJ 2020;192:E901-6).
Meta-regression from ten studies on: Cochrane Handbook 10.11.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from livereview.evidence import contributions, measures, weigh
from livereview.evidence.contributions import Contribution, Given
from livereview.evidence.finding import (
    Credibility,
    Estimate,
    MetaRegression,
    Moderation,
    Slope,
    Subgroup,
)
from livereview.evidence.forms import Extraction, Result
from livereview.evidence.measures import MeasureUnit
from livereview.evidence.weigh import Conclusion
from livereview.messages import many, mark, say
from livereview.review import Comparison, Moderator, Outcome, Review
from livereview.statistics.metareg import Regression, regress
from livereview.statistics.pooling import between

REGRESSION_FROM = 10
"""Studies for each slope of a meta-regression (Handbook 10.11.4)."""

SEEN = 0.05
"""Above this p of the test of interaction no difference is told."""

CHANCE = 0.01
"""Above this p chance may still explain a difference (ICEMAN, item on the test of interaction)."""

FEW_IN_A_GROUP = 5
"""Below so many studies in the smallest group a comparison between studies rests on few."""

MANY_TESTED = 3
"""From more moderators than these of one outcome, one differs by chance easily."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One moderator asked of one finding."""

    review: Review
    comparison: Comparison
    outcome: Outcome
    moderator: Moderator
    forms: tuple[Extraction, ...]
    estimate: Estimate

    @property
    def tested(self) -> int:
        """How many moderators are asked of this outcome."""
        return len(_of_outcome(self.review, self.outcome))


def moderations(
    review: Review,
    comparison: Comparison,
    outcome: Outcome,
    forms: Sequence[Extraction],
    given: Given,
    answer: Conclusion,
) -> tuple[Moderation, ...]:
    """What the protocol's moderators come to for one pooled answer, in its order.

    Empty where it names none.

    Args:
        review: the protocol.
        comparison: what is compared.
        outcome: what is measured.
        forms: the extractions in force.
        given: what the studies give to the answer: only these take part.
        answer: as the finding has it.
    """
    mine = _of_outcome(review, outcome)
    if not mine or answer.estimate is None:
        return ()
    counted = {one.study for one in given.counted}
    taking_part = tuple(form for form in forms if form.study in counted)
    return tuple(
        _category(question, given)
        if question.moderator.kind == "category"
        else _number(question, given)
        for question in (
            _Question(review, comparison, outcome, moderator, taking_part, answer.estimate)
            for moderator in mine
        )
    )


def _of_outcome(review: Review, outcome: Outcome) -> list[Moderator]:
    return [one for one in review.moderators if not one.outcomes or outcome.id in one.outcomes]


# Groups


def _category(question: _Question, given: Given) -> Moderation:
    """A row a group, and the test of interaction between them."""
    moderator = question.moderator
    groups: list[Subgroup] = []
    pieces: list[tuple[str, Contribution]] = []
    plain: list[Estimate | None] = []
    for value in moderator.values:
        parts = tuple(
            part for form in question.forms if (part := _part(question, form, value)) is not None
        )
        some = contributions.gather(question.review, question.comparison, question.outcome, parts)
        conclusion = weigh.conclude(
            question.review.methods, question.comparison, question.outcome, some
        )
        groups.append(_group(value, some, conclusion))
        pieces += [(value, one) for one in some.counted]
        as_z = replace(question.review.methods, test="z")
        plain.append(weigh.conclude(as_z, question.comparison, question.outcome, some).estimate)

    q, p, tested = _interaction(question, plain)
    regression = _on_groups(question, pieces) if len(moderator.values) > 2 else None
    within = sum(len(_values_within(question, form)) > 1 for form in question.forms)
    known = {one.study for _, one in pieces}
    best = _best(question, groups) if p is not None and p <= SEEN else None
    cautions = _cautions(question, groups, within, p, best) if best is not None else ()
    return Moderation(
        id=moderator.id,
        label=moderator.label,
        kind="category",
        reason=moderator.reason,
        in_advance=moderator.in_advance,
        better_for=moderator.better_for,
        groups=tuple(groups),
        within=within,
        unknown=sum(one.study not in known for one in given.counted),
        q=q,
        df=tested - 1 if q is not None else None,
        p=p,
        regression=regression,
        refused=None if q is not None else say(mark("fewer than two groups have a pooled size")),
        credibility=_credibility(p, cautions),
        works_better=best,
        cautions=cautions,
    )


def _part(question: _Question, form: Extraction, value: str) -> Extraction | None:
    """What a study gives to the group of this value: its own part of that group, or its whole.

    None for nothing.
    """
    within = _values_within(question, form)
    if not within:
        if _value(question.moderator, form) == value:
            return form
        return None
    if value not in within:
        return None
    own = tuple(result for result in form.results if _is_within(question, result, value))
    return replace(form, results=own, participants=None)


def _values_within(question: _Question, form: Extraction) -> set[str]:
    """The groups that a study reports apart for this outcome and comparison."""
    id = question.moderator.id
    mine = [result for result in form.results if _is_about(question, result)]
    return {
        str(result.subgroup_is[id])
        for result in mine
        if result.subgroup_is and id in result.subgroup_is
    }


def _is_about(question: _Question, result: Result) -> bool:
    return result.outcome == question.outcome.id and result.comparison in (
        None,
        question.comparison.id,
    )


def _is_within(question: _Question, result: Result, value: str) -> bool:
    return (
        _is_about(question, result)
        and (result.subgroup_is or {}).get(question.moderator.id) == value
    )


def value_of(moderator: Moderator, form: Extraction, months: float | None) -> str | float | None:
    """A study's value of a moderator in one finding; None where nobody noted it.

    Args:
        moderator: as the protocol names it.
        form: the study's.
        months: when the result was measured that stands for the study.
    """
    if moderator.reads == "months":
        return months
    return _value(moderator, form)


def _value(moderator: Moderator, form: Extraction) -> str | float | None:
    """A study's value of a moderator; None where nobody noted it.

    `months` is the contribution's, not the form's.
    """
    if moderator.reads is None:
        return (form.characteristics or {}).get(moderator.id)
    value: str | float | None = getattr(form, moderator.reads)
    return value


def _group(value: str, some: Given, conclusion: Conclusion) -> Subgroup:
    numbers = [one.people for one in conclusion.that_count(some)]
    known = [n for n in numbers if n is not None]
    return Subgroup(
        value=value,
        studies=len(numbers),
        people=sum(known) if known else None,
        people_unknown=len(numbers) - len(known),
        estimate=conclusion.estimate,
    )


def _interaction(
    question: _Question, estimates: Sequence[Estimate | None]
) -> tuple[float | None, float | None, int]:
    """Cochran's Q between the groups' estimates with z standard errors, its p, and how many groups
    it compares.
    """
    pairs = [
        (measures.MEASURES[one.measure].analysed(one.value), weigh.standard_error(one))
        for one in estimates
        if one is not None and one.measure == question.estimate.measure
    ]
    q, p, _ = between(pairs)
    return q, p, len(pairs)


def _best(question: _Question, groups: Sequence[Subgroup]) -> str | None:
    """The group whose estimate is best for people."""
    sized = [
        group
        for group in groups
        if group.estimate and group.estimate.measure == question.estimate.measure
    ]
    sign = 1 if question.outcome.better == "higher" else -1
    return max(
        sized, key=lambda group: sign * group.estimate.value if group.estimate else 0.0
    ).value


def _on_groups(
    question: _Question, pieces: Sequence[tuple[str, Contribution]]
) -> MetaRegression | None:
    """Several groups in one model with one variance between studies.

    None where there are too few studies.
    """
    unit = measures.read(question.outcome.measure)
    if unit is None:
        return None
    usable = [(value, one) for value, one in pieces if one.sized_in(unit.measure.id)]
    values = [value for value in question.moderator.values if any(value == at for at, _ in usable)]
    if len(values) < 3 or len(usable) < REGRESSION_FROM * (len(values) - 1):
        return None
    columns = {value: [float(at == value) for at, _ in usable] for value in values[1:]}
    return _meta_regression(
        unit, values[1:], _regressed(question, [one for _, one in usable], columns)
    )


# Numbers


def _number(question: _Question, given: Given) -> Moderation:
    """A meta-regression on the studies that have an effect and a value.

    Refused with the reason below ten.
    """
    moderator = question.moderator
    unit = measures.read(question.outcome.measure)
    forms = {form.study: form for form in question.forms}
    usable: list[tuple[float, Contribution]] = []
    for one in given.counted:
        value = value_of(moderator, forms[one.study], one.months)
        if isinstance(value, int | float) and unit is not None and one.sized_in(unit.measure.id):
            usable.append((float(value), one))

    regression, refused = None, None
    if unit is None or len(usable) < REGRESSION_FROM:
        refused = many(
            "meta-regression needs {least} studies with a size and this value; there is {n}",
            "meta-regression needs {least} studies with a size and this value; there are {n}",
            len(usable),
            least=REGRESSION_FROM,
        )
    else:
        column = {moderator.label: [value for value, _ in usable]}
        regression = _meta_regression(
            unit,
            [moderator.label],
            _regressed(question, [one for _, one in usable], column),
            with_intercept=True,
        )
        if regression is None:
            refused = say(mark("the values do not vary enough to tell"))
    p = regression.p if regression else None
    if regression and regression.p <= SEEN:
        best = _rises(question, regression)
    else:
        best = None
    cautions = _cautions(question, (), 0, p, best) if best is not None else ()
    return Moderation(
        id=moderator.id,
        label=moderator.label,
        kind="number",
        reason=moderator.reason,
        in_advance=moderator.in_advance,
        better_for=moderator.better_for,
        unit=moderator.unit,
        unknown=len(given.counted) - len(usable),
        p=p,
        regression=regression,
        refused=refused,
        credibility=_credibility(p, cautions),
        works_better=best,
        cautions=cautions,
    )


def _regressed(
    question: _Question, parts: Sequence[Contribution], columns: dict[str, list[float]]
) -> Regression:
    methods = question.review.methods
    effects = [one.effect for one in parts if one.effect is not None]
    test = "z" if methods.estimator == "EE" else methods.test
    return regress(
        [effect.value for effect in effects],
        [effect.variance for effect in effects],
        columns,
        method=methods.estimator,
        test=test,
    )


def _meta_regression(
    unit: MeasureUnit, labels: Sequence[str], model: Regression, *, with_intercept: bool = False
) -> MetaRegression | None:
    """The model in the measure's own figures; None where it can't be fitted.

    Of groups the intercept is the first group's effect, which stands in its own row.
    """
    df, df2 = model.QMdf
    if model.QM is None or model.QMp is None or df is None:
        return None
    start = model.b[0] if with_intercept else None
    slopes: list[Slope] = []
    for label, b, low, high in zip(
        labels, model.b[1:], model.ci_lb[1:], model.ci_ub[1:], strict=True
    ):
        if b is None or low is None or high is None:
            return None
        value, least, most = (unit.measure.reported(end) * unit.per for end in (b, low, high))
        slopes.append(Slope(label=label, value=value, low=least, high=most))
    return MetaRegression(
        studies=model.k,
        slopes=tuple(slopes),
        statistic=model.QM,
        df=df,
        df2=df2,
        p=model.QMp,
        r2=model.R2,
        intercept=unit.measure.reported(start) * unit.per if start is not None else None,
    )


def _rises(question: _Question, regression: MetaRegression) -> Literal["high", "low"]:
    """Whether it works better where the number is high, or low."""
    unit = measures.MEASURES[question.estimate.measure]
    rises = unit.analysed(regression.slopes[0].value) > 0
    if rises == (question.outcome.better == "higher"):
        return "high"
    return "low"


# How far to believe it


def _credibility(p: float | None, cautions: Sequence[str]) -> Credibility:
    if p is None:
        return "not_tested"
    if p > SEEN:
        return "not_seen"
    return "possible" if cautions else "likely"


def _cautions(
    question: _Question, groups: Sequence[Subgroup], within: int, p: float | None, best: str | None
) -> tuple[str, ...]:
    """Why a difference that the test sees is not established, in words."""
    moderator = question.moderator
    smallest = min((group.studies for group in groups if group.studies), default=0)
    between_studies = within < len(question.forms)
    reasons = [
        (
            between_studies,
            mark("it compares studies with each other, which differ in other ways too"),
        ),
        (
            bool(groups) and between_studies and smallest < FEW_IN_A_GROUP,
            mark("a group has few studies"),
        ),
        (
            bool(groups) and not between_studies and within < 2,
            mark("one study alone compares its own people"),
        ),
        (not moderator.in_advance, mark("nobody had named it before the results were known")),
        (moderator.better_for is None, mark("the protocol expected nothing of it")),
        (moderator.better_for not in (None, best), mark("the protocol expected the opposite")),
        (p is not None and p > CHANCE, mark("it may be chance")),
        (question.tested > MANY_TESTED, mark("many such questions were asked")),
        (
            question.review.methods.estimator == "EE",
            mark("the model takes the studies of a group to share one effect"),
        ),
    ]
    return tuple(say(text) for holds, text in reasons if holds)
