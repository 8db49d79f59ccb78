"""The words for what stands beside an answer: for whom it differs, small studies, and results that
may be missing.
"""

from __future__ import annotations

from livereview.evidence import wording
from livereview.evidence.finding import Estimate, Finding, MetaRegression, Moderation, Subgroup
from livereview.evidence.per_thousand import risks_shown
from livereview.evidence.weigh import lowered
from livereview.messages import figures, many, mark, say


def small_studies(finding: Finding) -> str:
    """Whether small studies show other results than large ones; empty where that is not asked."""
    test = finding.small_studies
    if test is None:
        return ""
    figure = say(
        mark("{test}'s test, {n} studies, {p}"), test=test.test, n=test.studies, p=p_value(test.p)
    )
    if test.differ:
        text = say(
            mark(
                "Small studies show other results than large ones ({figure}): results may be missing."
            ),
            figure=figure,
        )
    else:
        text = say(
            mark("No sign that small studies show other results than large ones ({figure})."),
            figure=figure,
        )
    if test.caution is None:
        return text
    return say(mark("{text} Caution: {caution}."), text=text, caution=test.caution)


def moderation(finding: Finding, asked: Moderation) -> str:
    """Whether the effect differs by a moderator, its test, and what speaks against believing it."""
    parts = [_differs(asked)]
    if asked.cautions:
        parts.append(
            say(mark("This is not established: {cautions}."), cautions="; ".join(asked.cautions))
        )
    if asked.regression is not None and asked.kind == "number":
        parts.append(_slope(finding, asked, asked.regression))
    if asked.unknown:
        parts.append(
            many(
                "Nothing is known of {n} study.", "Nothing is known of {n} studies.", asked.unknown
            )
        )
    return " ".join(parts)


def _differs(asked: Moderation) -> str:
    """What the test says; never that groups are the same, and never that a difference is sure."""
    if asked.credibility == "not_tested":
        return say(
            mark("It can't be told whether the effect differs: {why}."), why=asked.refused or ""
        )
    if asked.credibility == "not_seen":
        text = mark(
            "No clear difference was seen ({test}). That is no proof that it works the same for all."
        )
        return say(text, test=_test(asked))
    where = _where(asked)
    if asked.credibility == "likely":
        return say(
            mark("It is likely that the effect is better {where} ({test})."),
            where=where,
            test=_test(asked),
        )
    return say(mark("The effect may be better {where} ({test})."), where=where, test=_test(asked))


def _where(asked: Moderation) -> str:
    label = lowered(asked.label)
    if asked.kind == "category":
        return say(mark("where {label} is: {value}"), label=label, value=asked.works_better or "")
    if asked.works_better == "high":
        return say(mark("where {label} is higher"), label=label)
    return say(mark("where {label} is lower"), label=label)


def _test(asked: Moderation) -> str:
    assert asked.p is not None
    if asked.q is not None and asked.df is not None:
        text = mark("test of interaction: Q {q} on {df} df, {p}")
        return say(text, q=wording.number(asked.q), df=asked.df, p=p_value(asked.p))
    return say(mark("meta-regression, {p}"), p=p_value(asked.p))


def _slope(finding: Finding, asked: Moderation, regression: MetaRegression) -> str:
    slope = regression.slopes[0]
    ratio = finding.estimate is not None and finding.estimate.null == 1
    text = mark(
        "Over {n} studies each {unit} more changes the effect by {value} ({low} to {high})."
    )
    if ratio:
        text = mark(
            "Over {n} studies each {unit} more multiplies the ratio by {value} ({low} to {high})."
        )
    return say(
        text,
        n=regression.studies,
        unit=asked.unit or say(mark("unit")),
        value=wording.number(slope.value),
        low=wording.number(slope.low),
        high=wording.number(slope.high),
    )


def people(group: Subgroup) -> str:
    """ "1,204", "at least 300", "not reported"."""
    if group.people is None:
        return say(mark("not reported")) if group.studies else "0"
    count = figures(f"{group.people:,}")
    if group.people_unknown:
        return say(mark("at least {people}"), people=count)
    return count


def absolute_of(estimate: Estimate) -> str | None:
    """ "12 fewer in every 1,000 (20 fewer to 3 fewer)"; None without absolute figures."""
    risks = risks_shown(estimate)
    if risks is None:
        return None
    return say(
        mark("{value} in every 1,000 ({low} to {high})"),
        value=risks.in_words,
        low=risks.low_in_words,
        high=risks.high_in_words,
    )


MISSING_WORDS = {
    "low": mark("low"),
    "some_concerns": mark("some concerns"),
    "high": mark("high"),
}


def missing_evidence(finding: Finding) -> str:
    """The team's judgement of the risk that results are missing; empty where there is none."""
    judged = finding.missing_evidence
    if judged is None:
        return ""
    level, why = say(MISSING_WORDS[judged.judgement]), judged.why.rstrip(".")
    text = mark("Risk that results are missing: {level} ({why}).")
    if not judged.current:
        text = mark(
            "Risk that results are missing, as judged before the studies changed: {level} ({why})."
        )
    return say(text, level=level, why=why)


def p_value(p: float) -> str:
    """ "p = 0.03", "p < 0.001"."""
    if p < 0.001:
        return figures("p < 0.001")
    return figures(f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}")
