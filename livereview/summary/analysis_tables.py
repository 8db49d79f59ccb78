"""The tables with which somebody else can do the analysis again: what was asked, what each study
gave to each finding, for whom it differs, what it costs, what was coded and how sure the team is.

Effects are turned to their outcome here: above the null is more of it, whichever way the study's
own scale runs (`effects` has them as reported). Figures are unrounded, and an empty cell is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from livereview.evidence import certainty, coded, costs, moderators, wording_checks
from livereview.evidence.certainty import Rating, Reason
from livereview.evidence.finding import Estimate, Finding, Moderation, NotUsed, StudyEffect
from livereview.evidence.forms import EmmieFinding, Extraction
from livereview.review import Review
from livereview.summary.snapshot import Snapshot

Cell = str | int | float | None
Cells = Mapping[str, Cell]
Kind = Literal["text", "integer", "number"]

OUTCOMES = (
    "comparison",
    "comparison_label",
    "intervention",
    "comparator",
    "outcome",
    "outcome_label",
    "kind",
    "better",
    "more",
    "fewer",
    "measure",
    "unit",
    "pooled",
    "important_difference",
    "assumed_risk_per_1000",
    "risk_source",
    "constructs",
    "follow_up",
)
"""What the protocol asks: a row for each outcome of each comparison."""

CONTRIBUTIONS = (
    "comparison",
    "outcome",
    "study",
    "label",
    "used",
    "result",
    "how_chosen_or_why_not",
    "measured",
    "months",
    "measure",
    "per_people",
    "effect",
    "ci_low",
    "ci_high",
    "leans",
    "people",
    "events_with",
    "others_with",
    "events_without",
    "others_without",
    "weight_percent",
    "risk_of_bias",
    "risk_of_bias_tool",
    "moderators",
)
"""What each study gives to each finding, turned to the outcome, and each result that is not used."""

MODERATORS = (
    "comparison",
    "outcome",
    "moderator",
    "label",
    "kind",
    "named_in_advance",
    "group",
    "studies",
    "people",
    "measure",
    "effect",
    "ci_low",
    "ci_high",
    "slope",
    "slope_low",
    "slope_high",
    "test",
    "statistic",
    "df",
    "df2",
    "p",
    "credibility",
    "works_better",
    "what_it_means",
)
"""For whom, where and how much: a row for each group of a moderator, and for each slope of one."""

COSTS = (
    "study",
    "label",
    "item",
    "amount",
    "currency",
    "price_year",
    "per",
    "perspective",
    "whole_cost",
    "converted",
    "converted_unit",
    "why_not_converted",
)
COSTS_PER_OUTCOME = (
    "finding",
    "outcome_label",
    "converted_unit",
    "one",
    "cost",
    "cost_low",
    "cost_high",
    "cost_band",
    "what_it_means",
)
EMMIE = (
    "study",
    "label",
    "dimension",
    "code",
    "code_label",
    "polarity",
    "text",
    "quote",
    "page",
    "quality",
)
RATINGS = ("kind", "subject", "level", "starts", "domain", "step", "concern", "why", "holds")
"""A row for each reason of a rating; one without reasons has a row too."""

ALL: Mapping[str, Sequence[str]] = {
    "outcomes": OUTCOMES,
    "contributions": CONTRIBUTIONS,
    "moderators": MODERATORS,
    "costs": COSTS,
    "costs_per_outcome": COSTS_PER_OUTCOME,
    "emmie": EMMIE,
    "ratings": RATINGS,
}
"""Columns by the table's name."""

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("result", "people", "per_people", "studies", "df", "df2", "quality", "step"), "integer"
    ),
    **dict.fromkeys(
        (
            "assumed_risk_per_1000",
            "important_difference",
            "months",
            "events_with",
            "others_with",
            "events_without",
            "others_without",
            "weight_percent",
            "slope",
            "slope_low",
            "slope_high",
            "statistic",
            "p",
            "amount",
            "converted",
            "cost",
            "cost_low",
            "cost_high",
        ),
        "number",
    ),
}
"""Of the columns that are no text and that no other table has."""


def rows(snapshot: Snapshot, findings: Sequence[Finding]) -> Mapping[str, Iterable[Cells]]:
    """The rows of each table of ALL, each cell by its column; what is absent is unknown."""
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    review = snapshot.review
    return {
        "outcomes": (_outcome(review, finding) for finding in findings),
        "contributions": _contributions(review, forms, findings),
        "moderators": _moderators(findings),
        "costs": _costs(review, forms),
        "costs_per_outcome": _costs_per_outcome(review, forms, findings),
        "emmie": _emmie(review, forms),
        "ratings": _ratings(snapshot, findings, forms),
    }


def yes_or_no(value: bool) -> str:
    """As all tables write it."""
    return "yes" if value else "no"


# What was asked


def _outcome(review: Review, finding: Finding) -> Cells:
    """An outcome as the protocol asks about it; one that it asks no longer keeps what was signed."""
    told: Cells = {
        "comparison": finding.comparison,
        "comparison_label": finding.comparison_label,
        "intervention": finding.intervention,
        "comparator": finding.comparator,
        "outcome": finding.outcome,
        "outcome_label": finding.outcome_label,
        "kind": finding.kind,
        "better": finding.better,
        "more": finding.more,
        "fewer": finding.fewer,
        "unit": finding.unit,
        "important_difference": finding.important,
    }
    asked = next((one for one in review.outcomes if one.id == finding.outcome), None)
    if asked is None:
        return told
    return {
        **told,
        "measure": asked.measure,
        "pooled": yes_or_no(asked.pool),
        "assumed_risk_per_1000": asked.risk,
        "risk_source": asked.risk_source,
        "constructs": " | ".join(asked.constructs),
        "follow_up": " | ".join(asked.follow_up),
    }


# What each study gives


def _contributions(
    review: Review, forms: Sequence[Extraction], findings: Iterable[Finding]
) -> Iterator[Cells]:
    by_study = {form.study: form for form in forms}
    for finding in findings:
        place: Cells = {"comparison": finding.comparison, "outcome": finding.outcome}
        for study in finding.studies:
            form = by_study.get(study.study)
            known = _moderators_of(review, form, study) if form else ""
            yield {**place, **_used(study), "moderators": known or None}
        for unused in finding.not_used:
            yield {**place, **_not_used(unused)}


def _used(study: StudyEffect) -> Cells:
    """A study's part; one at critical risk of bias is shown in the finding and not used."""
    counts: Cells = study.counts.model_dump() if study.counts else {}
    return {
        **counts,
        "study": study.study,
        "label": study.label,
        "used": yes_or_no(study.counted),
        "how_chosen_or_why_not": study.chosen,
        "measured": study.measured,
        "months": study.months,
        "measure": study.measure,
        "per_people": study.per,
        "effect": study.value,
        "ci_low": study.low,
        "ci_high": study.high,
        "leans": study.leans,
        "people": study.people,
        "weight_percent": study.weight,
        "risk_of_bias": study.risk_of_bias,
        "risk_of_bias_tool": study.tool,
    }


def _moderators_of(review: Review, form: Extraction, study: StudyEffect) -> str:
    """A study's value of each moderator, as sheets have them: "age = under 10 | sessions = 3"."""
    values = [
        (moderator.id, moderators.value_of(moderator, form, study.months))
        for moderator in review.moderators
    ]
    return " | ".join(f"{id} = {value}" for id, value in values if value is not None)


def _not_used(unused: NotUsed) -> Cells:
    """A result that is not used; `result` is its place among the study's, from 1."""
    return {
        "study": unused.study,
        "label": unused.label,
        "used": "no",
        "result": unused.place + 1,
        "how_chosen_or_why_not": unused.reason,
        "measured": unused.measured,
    }


# For whom


def _moderators(findings: Iterable[Finding]) -> Iterator[Cells]:
    for finding in findings:
        for asked in finding.moderators:
            yield from _moderator(finding, asked)


def _moderator(finding: Finding, asked: Moderation) -> Iterator[Cells]:
    """The groups of a moderator, then its slopes; one that has neither has a row all the same."""
    shared: Cells = {
        "comparison": finding.comparison,
        "outcome": finding.outcome,
        "moderator": asked.id,
        "label": asked.label,
        "kind": asked.kind,
        "named_in_advance": yes_or_no(asked.in_advance),
        "credibility": asked.credibility,
        "works_better": asked.works_better,
        "what_it_means": wording_checks.moderation(finding, asked),
    }
    slopes = asked.regression.slopes if asked.regression else ()
    for group in asked.groups:
        yield {
            **shared,
            "group": group.value,
            "studies": group.studies,
            "people": group.people,
            **_estimate(group.estimate),
            **_interaction(asked),
        }
    for slope in slopes:
        yield {
            **shared,
            "group": slope.label if asked.kind == "category" else None,
            "slope": slope.value,
            "slope_low": slope.low,
            "slope_high": slope.high,
            **_regression(asked),
        }
    if not asked.groups and not slopes:
        yield shared


def _estimate(estimate: Estimate | None) -> Cells:
    if estimate is None:
        return {}
    return {
        "measure": estimate.measure,
        "effect": estimate.value,
        "ci_low": estimate.low,
        "ci_high": estimate.high,
    }


def _interaction(asked: Moderation) -> Cells:
    if asked.q is None:
        return {}
    return {"test": "interaction", "statistic": asked.q, "df": asked.df, "p": asked.p}


def _regression(asked: Moderation) -> Cells:
    model = asked.regression
    if model is None:
        return {}
    return {
        "test": "meta-regression",
        "studies": model.studies,
        "statistic": model.statistic,
        "df": model.df,
        "df2": model.df2,
        "p": model.p,
    }


# What it costs, what was coded, how sure


def _costs(review: Review, forms: Sequence[Extraction]) -> Iterator[Cells]:
    for row in costs.converted(review, forms):
        yield {
            "study": row.study,
            "label": row.label,
            "item": row.cost.item,
            "amount": row.cost.amount,
            "currency": row.cost.currency,
            "price_year": row.cost.price_year,
            "per": row.cost.per,
            "perspective": row.cost.perspective,
            "whole_cost": yes_or_no(row.cost.total),
            "converted": row.amount,
            "converted_unit": costs.unit(review.costs) if review.costs else None,
            "why_not_converted": row.reason,
        }


def _costs_per_outcome(
    review: Review, forms: Sequence[Extraction], findings: Sequence[Finding]
) -> Iterator[Cells]:
    rules = review.costs
    if rules is None:
        return
    per_unit = costs.per_unit(rules, costs.converted(review, forms))
    for row in costs.per_outcome(rules, per_unit, findings):
        yield {
            "finding": row.finding,
            "outcome_label": row.outcome,
            "converted_unit": costs.unit(rules),
            "one": "more" if row.more else "fewer",
            "cost": row.value,
            "cost_low": row.low,
            "cost_high": row.high,
            "cost_band": row.band,
            "what_it_means": costs.per_outcome_in_words(rules, row),
        }


def _emmie(review: Review, forms: Sequence[Extraction]) -> Iterator[Cells]:
    labels = {code.id: code.label for code in review.codes}
    for form in forms:
        for finding in form.findings:
            yield {"study": form.study, "label": form.label, **_words(finding, labels)}


def _words(finding: EmmieFinding, labels: Mapping[str, str]) -> Cells:
    return {
        "dimension": finding.dimension,
        "code": finding.code,
        "code_label": labels.get(finding.code or ""),
        "polarity": finding.polarity,
        "text": finding.text,
        "quote": finding.quote,
        "page": finding.page,
        "quality": finding.quality,
    }


def _ratings(
    snapshot: Snapshot, findings: Sequence[Finding], forms: Sequence[Extraction]
) -> Iterator[Cells]:
    """Every rating by its reasons, and whether it holds for today's evidence."""
    standing = _studies_by_subject(snapshot.review, forms)
    by_id = {finding.id: finding for finding in findings}
    for rating in sorted(snapshot.ratings, key=lambda rating: (rating.kind, rating.subject)):
        shared: Cells = {
            "kind": rating.kind,
            "subject": rating.subject,
            "level": rating.level,
            "starts": rating.start,
            "holds": yes_or_no(_holds(rating, by_id.get(rating.subject), standing)),
        }
        for reason in rating.reasons:
            yield {**shared, **_reason(rating, reason)}
        if not rating.reasons:
            yield shared


def _studies_by_subject(
    review: Review, forms: Sequence[Extraction]
) -> Mapping[str, tuple[str, ...]]:
    """The studies behind each statement and each coded finding, which CERQual rates."""
    dimensions = {finding.dimension for form in forms for finding in form.findings}
    groups = [group for name in dimensions for group in coded.coded(review, forms, name)]
    statements = {statement.id: statement.studies for statement in review.statements}
    return {**statements, **{group.id: group.studies for group in groups}}


def _holds(
    rating: Rating, finding: Finding | None, standing: Mapping[str, tuple[str, ...]]
) -> bool:
    if rating.kind == "cerqual":
        return certainty.holds(rating, standing.get(rating.subject, ()))
    if finding is None:
        return False
    if rating.kind == "missing_evidence":
        return finding.missing_evidence is not None and finding.missing_evidence.current
    return finding.certainty is not None


def _reason(rating: Rating, reason: Reason) -> Cells:
    """A reason; a step is GRADE's, a concern CERQual's."""
    return {
        "domain": reason.domain,
        "step": reason.step if rating.kind == "grade" else None,
        "concern": reason.concern,
        "why": reason.why,
    }
