"""Whether an answer stands when it is worked out otherwise: without some studies, or by another
model.

A check makes the answer again by the very rule that made it (`weigh.conclude`) from other parts or
by other
methods, and compares what is said: state, side, and whether the difference is small. It changes
nothing of the finding; where the answer would be another one, readers are told which. Cochrane
Handbook 10.14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from livereview.evidence import measures, sizes
from livereview.evidence.contributions import Contribution, Given
from livereview.evidence.finding import Check, Estimate, OtherAnswer, Sensitivity, meaning_of
from livereview.evidence.weigh import Conclusion
from livereview.messages import many, mark, say
from livereview.review import Methods

LEFT_OUT_FROM = 3
"""Of two studies each without the other is one study: both are shown, and no check is needed to see it."""

OTHER_ESTIMATOR = "DL"
"""Beside any other; REML stands beside it. The two are those that reviews use most."""

Conclude = Callable[[Methods, Given], Conclusion]
"""The rule of the finding for other methods and other parts; all else is as in the answer."""


@dataclass(frozen=True, slots=True)
class _Other:
    """One way to work the answer out again."""

    methods: Methods
    given: Given
    without: tuple[str, ...] = ()


def checked(
    methods: Methods, given: Given, answer: Conclusion, conclude: Conclude
) -> tuple[Sensitivity, ...]:
    """The checks that the protocol asks for, of one pooled answer; none where nothing is pooled.

    Args:
        methods: the protocol's; `sensitivity` names the checks.
        given: what the studies give to the finding.
        answer: as the finding has it.
        conclude: the rule that made it.
    """
    estimate = answer.estimate
    if estimate is None or estimate.studies < 2:
        return ()
    checks: list[Sensitivity] = []
    if "risk-of-bias" in methods.sensitivity:
        checks += _without_high_risk(methods, given, answer, conclude)
    if "leave-one-out" in methods.sensitivity and estimate.studies >= LEFT_OUT_FROM:
        checks.append(_leave_one_out(methods, given, answer, conclude))
    if "model" in methods.sensitivity:
        checks += _other_models(methods, given, answer, conclude)
    return tuple(checks)


def _without_high_risk(
    methods: Methods, given: Given, answer: Conclusion, conclude: Conclude
) -> Iterable[Sensitivity]:
    """Studies at high risk of bias are set apart as those at critical risk always are."""
    high = [one for one in given.counted if one.appraised.high]
    if not high:
        return []
    parts = tuple(_set_apart(one) if one in high else one for one in given.contributions)
    label = many(
        "without the study at high risk of bias",
        "without the {n} studies at high risk of bias",
        len(high),
    )
    other = _Other(methods, replace(given, contributions=parts), tuple(one.label for one in high))
    return [_sensitivity("risk_of_bias", label, [other], answer, conclude)]


def _set_apart(one: Contribution) -> Contribution:
    return replace(one, appraised=replace(one.appraised, apart=True))


def _leave_one_out(
    methods: Methods, given: Given, answer: Conclusion, conclude: Conclude
) -> Sensitivity:
    others = [
        _Other(methods, _without(given, one), (one.label,))
        for one in given.counted
        if one.effect or one.table
    ]
    return _sensitivity(
        "leave_one_out", say(mark("without each study in turn")), others, answer, conclude
    )


def _without(given: Given, one: Contribution) -> Given:
    return replace(
        given, contributions=tuple(other for other in given.contributions if other is not one)
    )


def _other_models(
    methods: Methods, given: Given, answer: Conclusion, conclude: Conclude
) -> list[Sensitivity]:
    """Each a change of one of the protocol's choices, where that choice plays a part in the answer."""
    estimate = answer.estimate
    assert estimate is not None
    if estimate.model in ("Mantel-Haenszel", "Peto"):
        return _other_counts(methods, given, answer, conclude)
    changes: list[tuple[Check, str, Methods]] = []
    if estimate.results is not None:
        label = say(mark("with one result of each study"))
        changes.append(("dependent", label, replace(methods, dependent="choose")))
    if estimate.studies >= LEFT_OUT_FROM:  # two studies always give their common effect
        changes += _other_pools(methods, estimate)
    return [
        _sensitivity(check, label, [_Other(other, given)], answer, conclude)
        for check, label, other in changes
    ]


def _other_pools(methods: Methods, estimate: Estimate) -> list[tuple[Check, str, Methods]]:
    """Another model, estimator or test: (check, what it is in words, the methods)."""
    changes: list[tuple[Check, str, Methods]] = []
    if methods.estimator == "EE":
        label = say(mark("with random effects"))
        changes.append(("model", label, replace(methods, estimator="REML")))
    else:
        label = say(mark("with one common effect"))
        changes.append(("model", label, replace(methods, estimator="EE")))
    if methods.estimator != "EE" and estimate.results is None:
        name = "REML" if methods.estimator == OTHER_ESTIMATOR else OTHER_ESTIMATOR
        label = say(
            mark("with another estimator of the differences between studies ({name})"), name=name
        )
        changes.append(("estimator", label, replace(methods, estimator=name)))
        if estimate.studies >= methods.few:
            test = "adhoc" if methods.test == "z" else "z"
            label = say(mark("with another test ({name})"), name=say(sizes.TEST_WORDS[test]))
            changes.append(("test", label, replace(methods, test=test)))
    return changes


def _other_counts(
    methods: Methods, given: Given, answer: Conclusion, conclude: Conclude
) -> list[Sensitivity]:
    """Rare events: the other way to pool counts, which is there for odds ratios only."""
    estimate = answer.estimate
    assert estimate is not None
    if estimate.measure != "OR":
        return []
    rare = "mantel-haenszel" if estimate.model == "Peto" else "peto"
    name = "Mantel-Haenszel" if rare == "mantel-haenszel" else "Peto"
    label = say(mark("by the method of {name}"), name=name)
    other = _Other(replace(methods, rare=rare), given)
    return [_sensitivity("model", label, [other], answer, conclude)]


def _sensitivity(
    check: Check, label: str, others: Iterable[_Other], answer: Conclusion, conclude: Conclude
) -> Sensitivity:
    """The answers of these, and those among them that say something else."""
    answers = [(other, conclude(other.methods, other.given)) for other in others]
    values = [
        new.estimate.value for _, new in answers if _same_measure(answer, new) and new.estimate
    ]
    differing = [
        _other_answer(other, new) for other, new in answers if meaning(new) != meaning(answer)
    ]
    return Sensitivity(
        check=check,
        label=label,
        analyses=len(answers),
        least=min(values, default=None),
        most=max(values, default=None),
        other_answers=tuple(differing),
    )


def meaning(conclusion: Conclusion) -> tuple[str, str | None, bool]:
    """What a conclusion says without a figure, as `Finding.meaning`."""
    judged = conclusion.judged
    return meaning_of(judged.state, judged.side, judged.size)


def _same_measure(answer: Conclusion, new: Conclusion) -> bool:
    if answer.estimate is None or new.estimate is None:
        return False
    return measures.MEASURES[answer.estimate.measure] is measures.MEASURES[new.estimate.measure]


def _other_answer(other: _Other, new: Conclusion) -> OtherAnswer:
    judged, estimate = new.judged, new.estimate
    return OtherAnswer(
        without=other.without,
        state=judged.state,
        side=judged.side,
        size=judged.size,
        value=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
    )
