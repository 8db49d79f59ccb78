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
    if answer.estimate is None:
        return ()
    counted = {one.study for one in given.counted}
    taking_part = tuple(form for form in forms if form.study in counted)
    asked: list[Moderation] = []
    for moderator in _of_outcome(review, outcome):
        question = _Question(review, comparison, outcome, moderator, taking_part, answer.estimate)
        ask = _category if moderator.kind == "category" else _number
        asked.append(ask(question, given))
    return tuple(asked)


def _of_outcome(review: Review, outcome: Outcome) -> list[Moderator]:
    return [one for one in review.moderators if not one.outcomes or outcome.id in one.outcomes]


# Groups


@dataclass(frozen=True, slots=True)
class _Group:
    """The studies, or parts of studies, of one value.

    Attributes:
        conclusion: By the rule of the finding.
        plain: The same with z standard errors, which the test of interaction compares.
    """

    value: str
    given: Given
    conclusion: Conclusion
    plain: Estimate | None

    @property
    def row(self) -> Subgroup:
        """As the finding shows it."""
        numbers = [one.people for one in self.conclusion.that_count(self.given)]
        known = [n for n in numbers if n is not None]
        return Subgroup(
            value=self.value,
            studies=len(numbers),
            people=sum(known) if known else None,
            people_unknown=len(numbers) - len(known),
            estimate=self.conclusion.estimate,
        )


@dataclass(frozen=True, slots=True)
class _Interaction:
    """Cochran's Q between the groups that have a pooled size; no q where fewer than two have."""

    q: float | None
    p: float | None
    groups: int

    @property
    def df(self) -> int | None:
        return None if self.q is None else self.groups - 1


@dataclass(frozen=True, slots=True)
class _Seen:
    """A difference that the test sees, and what it rests on.

    Attributes:
        best: The group, or `high` or `low`, where it seems to work better.
        p: Of the test.
        groups: Of a category; empty for a number.
        within: Studies that compare the groups among their own people.
    """

    best: str
    p: float
    groups: tuple[Subgroup, ...] = ()
    within: int = 0


def _category(question: _Question, given: Given) -> Moderation:
    """A row a group, and the test of interaction between them."""
    groups = [_grouped(question, value) for value in question.moderator.values]
    rows = tuple(group.row for group in groups)
    test = _interaction(question, groups)
    within = sum(len(_values_within(question, form)) > 1 for form in question.forms)
    known = {one.study for group in groups for one in group.given.counted}

    seen = None
    if test.p is not None and test.p <= SEEN:
        seen = _Seen(_best(question, rows), test.p, rows, within)
    refused = None
    if test.q is None:
        refused = say(mark("fewer than two groups have a pooled size"))
    moderation = _moderation(question, test.p, seen)
    return moderation.model_copy(
        update={
            "groups": rows,
            "within": within,
            "unknown": sum(one.study not in known for one in given.counted),
            "q": test.q,
            "df": test.df,
            "regression": _on_groups(question, groups),
            "refused": refused,
        }
    )


def _moderation(question: _Question, p: float | None, seen: _Seen | None) -> Moderation:
    """What is told of a moderator by the protocol and by its test."""
    moderator = question.moderator
    cautions = _cautions(question, seen) if seen else ()
    return Moderation(
        id=moderator.id,
        label=moderator.label,
        kind="category" if moderator.kind == "category" else "number",
        reason=moderator.reason,
        in_advance=moderator.in_advance,
        better_for=moderator.better_for,
        p=p,
        credibility=_credibility(p, cautions),
        works_better=seen.best if seen else None,
        cautions=cautions,
    )


def _grouped(question: _Question, value: str) -> _Group:
    """The group of this value, pooled by the finding's rule and by z."""
    parts = [_part(question, form, value) for form in question.forms]
    some = contributions.gather(
        question.review,
        question.comparison,
        question.outcome,
        [part for part in parts if part is not None],
    )
    methods = question.review.methods
    as_z = replace(methods, test="z")
    conclusion = weigh.conclude(methods, question.comparison, question.outcome, some)
    plain = weigh.conclude(as_z, question.comparison, question.outcome, some).estimate
    return _Group(value, some, conclusion, plain)


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


def _interaction(question: _Question, groups: Sequence[_Group]) -> _Interaction:
    """The test between the groups that have a size in the finding's measure."""
    measure = measures.MEASURES[question.estimate.measure]
    sized = [
        group.plain
        for group in groups
        if group.plain is not None and group.plain.measure == measure.id
    ]
    pairs = [(measure.analysed(one.value), weigh.standard_error(one)) for one in sized]
    q, p, _ = between(pairs)
    return _Interaction(q, p, len(pairs))


def _best(question: _Question, groups: Sequence[Subgroup]) -> str:
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


def _on_groups(question: _Question, groups: Sequence[_Group]) -> MetaRegression | None:
    """Three groups or more in one model with one variance between studies.

    None where there are too few studies.
    """
    unit = measures.read(question.outcome.measure)
    if unit is None or len(question.moderator.values) < 3:
        return None
    usable = [
        (group.value, one)
        for group in groups
        for one in group.given.counted
        if one.sized_in(unit.measure.id)
    ]
    values = list(dict.fromkeys(value for value, _ in usable))
    slopes = values[1:]
    if len(values) < 3 or len(usable) < REGRESSION_FROM * len(slopes):
        return None
    columns = {value: [float(at == value) for at, _ in usable] for value in slopes}
    model = _regressed(question, [one for _, one in usable], columns)
    return _meta_regression(unit, slopes, model)


# Numbers


def _number(question: _Question, given: Given) -> Moderation:
    """A meta-regression on the studies that have an effect and a value.

    Refused with the reason below ten.
    """
    usable = _with_value(question, given)
    regression, refused = None, None
    if len(usable) < REGRESSION_FROM:
        refused = many(
            "meta-regression needs {least} studies with a size and this value; there is {n}",
            "meta-regression needs {least} studies with a size and this value; there are {n}",
            len(usable),
            least=REGRESSION_FROM,
        )
    else:
        regression = _on_number(question, usable)
        if regression is None:
            refused = say(mark("the values do not vary enough to tell"))

    p, seen = None, None
    if regression is not None:
        p = regression.p
        if p <= SEEN:
            seen = _Seen(_rises(question, regression), p)
    moderation = _moderation(question, p, seen)
    return moderation.model_copy(
        update={
            "unit": question.moderator.unit,
            "unknown": len(given.counted) - len(usable),
            "regression": regression,
            "refused": refused,
        }
    )


def _with_value(question: _Question, given: Given) -> list[tuple[float, Contribution]]:
    """The counted studies that have a size in the outcome's measure and a value, with that value."""
    unit = measures.read(question.outcome.measure)
    if unit is None:
        return []
    forms = {form.study: form for form in question.forms}
    usable: list[tuple[float, Contribution]] = []
    for one in given.counted:
        value = value_of(question.moderator, forms[one.study], one.months)
        if isinstance(value, int | float) and one.sized_in(unit.measure.id):
            usable.append((float(value), one))
    return usable


def _on_number(
    question: _Question, usable: Sequence[tuple[float, Contribution]]
) -> MetaRegression | None:
    """The effects regressed on the number; None where its values do not vary enough."""
    unit = measures.read(question.outcome.measure)
    assert unit is not None, "the studies have a size in it"
    label = question.moderator.label
    column = {label: [value for value, _ in usable]}
    model = _regressed(question, [one for _, one in usable], column)
    return _meta_regression(unit, [label], model, with_intercept=True)


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


def _cautions(question: _Question, seen: _Seen) -> tuple[str, ...]:
    """Why a difference that the test sees is not established, in words."""
    moderator = question.moderator
    smallest = min((group.studies for group in seen.groups if group.studies), default=0)
    between_studies = seen.within < len(question.forms)
    is_category = bool(seen.groups)
    expected_nothing = moderator.better_for is None
    reasons = [
        (
            between_studies,
            mark("it compares studies with each other, which differ in other ways too"),
        ),
        (
            is_category and between_studies and smallest < FEW_IN_A_GROUP,
            mark("a group has few studies"),
        ),
        (
            is_category and not between_studies and seen.within < 2,
            mark("one study alone compares its own people"),
        ),
        (not moderator.in_advance, mark("nobody had named it before the results were known")),
        (expected_nothing, mark("the protocol expected nothing of it")),
        (
            not expected_nothing and moderator.better_for != seen.best,
            mark("the protocol expected the opposite"),
        ),
        (seen.p > CHANCE, mark("it may be chance")),
        (question.tested > MANY_TESTED, mark("many such questions were asked")),
        (
            question.review.methods.estimator == "EE",
            mark("the model takes the studies of a group to share one effect"),
        ),
    ]
    return tuple(say(text) for holds, text in reasons if holds)
