"""GRADE beside the numbers: a rating holds for the figures it was made from, and is asked about
mismatches.

People judge. What this adds is memory and arithmetic: whether a rating still speaks of today's
estimate, and where a judgement and the numbers don't fit each other, a warning that the rater
answers in words before the rating is taken. GRADE: Guyatt and others, J Clin Epidemiol
2011;64:383-94 and its series; imprecision against thresholds: Zeng and others, J Clin Epidemiol
2021;137:163-75; ROBINS-I: Schünemann and others, J Clin Epidemiol 2019;111:105-14.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from livereview.errors import Refused
from livereview.evidence.certainty import LEVELS, Numbers, Rating, Reason
from livereview.evidence.finding import Certainty, Finding, Level, MissingEvidence, StudyEffect
from livereview.evidence.weigh import distance
from livereview.messages import mark, say

TOLERANCE = 0.5
"""A rating lapses when the estimate moves by more than half of its standard error."""

FEW_PEOPLE = 400
"""Below so many people a continuous outcome seldom reaches its optimal information size (GRADE 6)."""

INCONSISTENT = 50.0
"""I² in per cent from which GRADE 7 asks whether studies differ too much."""

BIASED_SHARE = 50.0
"""Per cent of the weight in studies at high risk of bias from which the domain must be answered."""

LARGE_RATIO = 2.0
"""A relative effect counts as large from 2, or below 1/2 (GRADE 9)."""

LARGE_SMD = 0.8
"""A standardised mean difference counts as large from 0.8 (Cohen)."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A domain in which the rating and the numbers don't fit; `ask` is what the rater must answer."""

    domain: str
    ask: str


def numbers_of(finding: Finding) -> Numbers:
    """What a rating made now rests on."""
    estimate = finding.estimate
    return Numbers(
        state=finding.state,
        side=finding.side,
        size=finding.size,
        measure=estimate.measure if estimate else None,
        value=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        studies=_counted(finding),
        basis=finding.basis,
    )


def lapsed(numbers: Numbers | None, finding: Finding) -> str | None:
    """Why a rating made from `numbers` no longer speaks of the finding.

    None where it still does.
    """
    if numbers is None:
        return say(mark("it was rated before its numbers were kept, and waits to be rated again"))
    now = numbers_of(finding)
    if numbers.basis == now.basis and numbers.state == now.state:
        return None
    if numbers.studies != now.studies:
        return say(mark("the studies have changed since it was rated"))
    if (numbers.state, numbers.side, numbers.size) != (now.state, now.side, now.size):
        return say(mark("what the studies say has changed since it was rated"))
    if _moved(numbers, finding):
        return say(mark("the estimate has moved since it was rated"))
    return None


def _moved(numbers: Numbers, finding: Finding) -> bool:
    estimate = finding.estimate
    if estimate is None or numbers.value is None:
        return (estimate is None) != (numbers.value is None)
    if estimate.measure != numbers.measure or numbers.low is None or numbers.high is None:
        return True
    before = estimate.model_copy(
        update={"value": numbers.value, "low": numbers.low, "high": numbers.high}
    )
    return distance(before, estimate) > TOLERANCE


def all_rated(findings: Iterable[Finding], ratings: Iterable[Rating]) -> tuple[Finding, ...]:
    """The findings with their certainty and the judgement of missing evidence, where there are any.

    Args:
        findings: without either.
        ratings: the last of each kind and subject; those from before comparisons were named have
        the outcome's id.
    """
    by_subject = {(rating.kind, rating.subject): rating for rating in ratings}
    done: list[Finding] = []
    for finding in findings:
        missing = by_subject.get(("missing_evidence", finding.id))
        rating = by_subject.get(("grade", finding.id)) or by_subject.get(("grade", finding.outcome))
        done.append(rated(judged(finding, missing), rating))
    return tuple(done)


def judged(finding: Finding, rating: Rating | None) -> Finding:
    """The finding with the judgement of missing evidence.

    It stays in sight when studies come or go, and says so.
    """
    levels: dict[str, Literal["low", "some_concerns", "high"]] = {
        "low": "low",
        "some_concerns": "some_concerns",
        "high": "high",
    }
    if rating is None or not finding.studies:
        return finding
    current = rating.studies == _counted(finding)
    why = " ".join(reason.why for reason in rating.reasons)
    missing = MissingEvidence(judgement=levels[rating.level], why=why, current=current)
    return finding.model_copy(update={"missing_evidence": missing})


def _counted(finding: Finding) -> tuple[str, ...]:
    return tuple(sorted(study.study for study in finding.counted))


def made_of_missing(rating: Rating, finding: Finding) -> Rating:
    """A judgement of missing evidence with the studies that it was made from."""
    if not finding.studies:
        raise Refused(f"{finding.id} has no study yet, so there is nothing to judge")
    return replace(rating, studies=_counted(finding))


def made(rating: Rating, finding: Finding, tools: Mapping[str, str | None]) -> Rating:
    """The rating with what it rests on; raises Refused while a warning has no answer in words.

    Args:
        rating: as a person gave it.
        finding: what it is about, as it is now.
        tools: by study the risk-of-bias tool that judged it.
    """
    if not finding.studies:
        raise Refused(f"{finding.id} has no study yet, so there is nothing to rate")
    asked = warnings(finding, rating.start or "", rating.reasons, tools)
    answered = dict(rating.answers)
    open_ = [warning for warning in asked if warning.domain not in answered]
    if open_:
        lines = "\n".join(f"- {warning.domain}: {warning.ask}" for warning in open_)
        raise Refused(
            f"the rating of {finding.id} and its numbers do not fit; mend it, or answer each in words "
            f'under "answers":\n{lines}'
        )
    numbers = numbers_of(finding)
    return replace(rating, studies=numbers.studies, numbers=numbers)


def rated(finding: Finding, rating: Rating | None) -> Finding:
    """The finding with its certainty where the rating still holds, else with the reason why not."""
    if rating is None or not finding.studies:
        return finding
    why = lapsed(rating.numbers, finding)
    if why is not None:
        return finding.model_copy(update={"certainty": None, "certainty_reason": why})
    steps = tuple(_step(reason) for reason in rating.reasons if reason.step)
    certainty = Certainty(level=_level(rating.level), reasons=steps)
    return finding.model_copy(update={"certainty": certainty, "certainty_reason": None})


def _level(text: str) -> Level:
    levels: dict[str, Level] = {
        "high": "high",
        "moderate": "moderate",
        "low": "low",
        "very_low": "very_low",
    }
    return levels[text]


def _step(reason: Reason) -> str:
    domain = reason.domain.replace("_", " ")
    return f"{domain} ({reason.step:+d}): {reason.why.rstrip('.')}".replace("-", "−")


def warnings(
    finding: Finding, start: str, reasons: Sequence[Reason], tools: Mapping[str, str | None]
) -> tuple[Mismatch, ...]:
    """Where a rating does not fit the numbers; each must be answered in words.

    Args:
        finding: what is rated.
        start: where the rating begins, "high" or "low".
        reasons: its steps.
        tools: by study the risk-of-bias tool that judged it, as typed.
    """
    steps = {reason.domain: reason.step for reason in reasons}
    found = [
        _start(finding, start, tools),
        _imprecision(finding, steps),
        _inconsistency(finding, steps),
        _risk_of_bias(finding, steps),
        _publication_bias(finding, steps),
        _large_effect(finding, steps),
        _up_after_down(steps),
        _high_for_nothing(start, steps),
    ]
    return tuple(warning for warning in found if warning is not None)


def _start(finding: Finding, start: str, tools: Mapping[str, str | None]) -> Mismatch | None:
    names = [(tools.get(study.study) or "").casefold() for study in finding.counted]
    trials = [name.startswith("rob 2") for name in names]
    robins = [name.startswith("robins-i") for name in names]
    if start == "low" and trials and all(trials):
        ask = mark("every study is a trial judged by RoB 2; why does the rating start low?")
        return Mismatch("start", say(ask))
    if start == "high" and not all(t or r for t, r in zip(trials, robins, strict=True)):
        ask = mark(
            "not every study is a trial or judged by ROBINS-I; why does the rating start high?"
        )
        return Mismatch("start", say(ask))
    return None


def _imprecision(finding: Finding, steps: Mapping[str, int]) -> Mismatch | None:
    if steps.get("imprecision", 0) < 0:
        return None
    if finding.state == "too_little":
        ask = mark("the interval reaches from one side to the other; why is this not imprecise?")
        return Mismatch("imprecision", say(ask))
    if finding.state == "effect" and _reaches_trivial(finding):
        ask = mark("the interval reaches into differences too small to matter; is it imprecise?")
        return Mismatch("imprecision", say(ask))
    if finding.people is not None and finding.people < FEW_PEOPLE:
        ask = mark("only {n} people were studied; is this enough?")
        return Mismatch("imprecision", say(ask, n=finding.people))
    return None


def _reaches_trivial(finding: Finding) -> bool:
    estimate, limit = finding.estimate, finding.important
    if estimate is None or limit is None or finding.size != "important":
        return False
    low, high = estimate.low, estimate.high
    if estimate.absolute is not None:
        low, high = estimate.absolute.low, estimate.absolute.high
    return min(abs(low), abs(high)) < limit


def _inconsistency(finding: Finding, steps: Mapping[str, int]) -> Mismatch | None:
    if steps.get("inconsistency", 0) < 0:
        return None
    estimate = finding.estimate
    if finding.state == "disagree":
        ask = mark("the studies clearly disagree; why is this not inconsistent?")
        return Mismatch("inconsistency", say(ask))
    if estimate is None or estimate.i2 is None:
        return None
    if estimate.i2 >= INCONSISTENT:
        ask = mark("I² is {i2:.0f}%; why is this not inconsistent?")
        return Mismatch("inconsistency", say(ask, i2=estimate.i2))
    if _prediction_crosses(finding):
        ask = mark("a new study may find the opposite (prediction interval); is it inconsistent?")
        return Mismatch("inconsistency", say(ask))
    return None


def _prediction_crosses(finding: Finding) -> bool:
    estimate = finding.estimate
    if estimate is None or estimate.clear is None:
        return False
    if estimate.prediction_low is None or estimate.prediction_high is None:
        return False
    return estimate.prediction_low < estimate.null < estimate.prediction_high


def _risk_of_bias(finding: Finding, steps: Mapping[str, int]) -> Mismatch | None:
    if steps.get("risk_of_bias", 0) < 0 or not finding.counted:
        return None
    share = share_at_high_risk(finding.counted)
    if share < BIASED_SHARE:
        return None
    ask = mark("{share:.0f}% of the weight is in studies at high risk of bias; why not down?")
    return Mismatch("risk_of_bias", say(ask, share=share))


def share_at_high_risk(studies: Iterable[StudyEffect]) -> float:
    """Per cent of the weight, or of the studies where nothing is weighted."""
    known = list(studies)
    weighted = any(study.weight for study in known)
    total = sum(study.weight or 0 for study in known) if weighted else len(known)
    high = [study for study in known if study.high_risk]
    part = sum(study.weight or 0 for study in high) if weighted else len(high)
    return 100 * part / total if total else 0.0


def _publication_bias(finding: Finding, steps: Mapping[str, int]) -> Mismatch | None:
    test, missing = finding.small_studies, finding.missing_evidence
    differ = test is not None and test.differ
    if steps.get("publication_bias", 0) < 0:
        doubt_is_low = missing is not None and missing.current and missing.judgement == "low"
        if doubt_is_low and not differ:
            ask = mark("the risk that results are missing was judged low; why down?")
            return Mismatch("publication_bias", say(ask))
        return None
    if missing is not None and missing.judgement == "high":
        ask = mark("the risk that results are missing was judged high ({why}); why not down?")
        return Mismatch("publication_bias", say(ask, why=missing.why))
    if test is not None and differ:
        ask = mark(
            "small studies show other results than large ones ({test}, p = {p:.2g}); may results be missing?"
        )
        return Mismatch("publication_bias", say(ask, test=test.test, p=test.p))
    return None


def _large_effect(finding: Finding, steps: Mapping[str, int]) -> Mismatch | None:
    if steps.get("large_effect", 0) <= 0 or _is_large(finding):
        return None
    ask = mark("the estimate is not a large effect by GRADE; why up?")
    return Mismatch("large_effect", say(ask))


def _is_large(finding: Finding) -> bool:
    estimate = finding.estimate
    if estimate is None or finding.state != "effect":
        return False
    if estimate.null == 1:
        return estimate.value >= LARGE_RATIO or estimate.value <= 1 / LARGE_RATIO
    return estimate.measure == "SMD" and abs(estimate.value) >= LARGE_SMD


def _up_after_down(steps: Mapping[str, int]) -> Mismatch | None:
    if max(steps.values(), default=0) > 0 > min(steps.values(), default=0):
        ask = mark("GRADE goes up only where nothing went down; why both?")
        return Mismatch("up_after_down", say(ask))
    return None


def _high_for_nothing(start: str, steps: Mapping[str, int]) -> Mismatch | None:
    if start == "high" and not steps:
        ask = mark("high certainty without a word: say why none of the five domains lowers it")
        return Mismatch("high", say(ask))
    return None


def place(level: str) -> int:
    """Place of a level from 0 (very low)."""
    return LEVELS.index(level)
