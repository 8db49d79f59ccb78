"""Every picture of a version by its name, each with the same content as rows: for the page, and as
files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from livereview.evidence import appraisal, moderators, weigh
from livereview.evidence.finding import Estimate, Finding, StudyEffect
from livereview.evidence.forms import Extraction
from livereview.review import Tool
from livereview.summary import (
    bias_grid,
    bubbles,
    cumulative,
    figures,
    findings_table,
    flow_diagram,
    forest,
    funnel,
    over_time,
)
from livereview.summary.bias_grid import Judged
from livereview.summary.bubbles import Bubble, Fitted
from livereview.summary.cumulative import Step
from livereview.summary.funnel import Part
from livereview.summary.over_time import Version
from livereview.summary.snapshot import Published, Snapshot, Study
from livereview.summary.words import day, state

FEW = 10  # studies below which a funnel plot misleads (Cochrane Handbook 13.3.5.4)
LATEST_YEAR = 9999  # of a study without a year: it comes last
Rows = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Picture:
    """`kind`: forest, cumulative, funnel, bubbles, over-time, effect-direction, risk-of-bias, prisma.

    `rows`: heading first.

    Attributes:
        short: Draws the first so many studies, for the page; None where the picture does not grow
            with their number.
    """

    kind: str
    subject: str | None
    svg: Markup
    rows: Rows
    short: Callable[[int], Markup] | None = None

    @property
    def name(self) -> str:
        """Of its files, without the ending."""
        plain = {"prisma": "prisma", "effect-direction": "effect_direction"}.get(
            self.kind, self.kind
        )
        return f"{plain}-{self.subject}" if self.subject else plain

    def on_page(self, limit: int) -> Markup:
        """The picture of at most so many studies."""
        if self.short and len(self.rows) - 1 > limit:
            return self.short(limit)
        return self.svg


def pictures(snapshot: Snapshot, findings: Sequence[Finding]) -> tuple[Picture, ...]:
    """All pictures of a version."""
    return tuple(
        _pictures(
            snapshot, findings, figures.by_risk_of_bias(snapshot.studies, snapshot.review.tools)
        )
    )


def name_of(finding: Finding) -> str:
    """What a finding's pictures and their files are named by: its outcome, with its comparison
    where it has a name.
    """
    if finding.comparison == weigh.MAIN:
        return finding.outcome
    return f"{finding.comparison}-{finding.outcome}"


def is_pooled(finding: Finding) -> bool:
    """Whether several studies of it make one estimate, so that it has a forest plot."""
    return finding.estimate is not None and finding.estimate.studies > 1


def _pictures(
    snapshot: Snapshot, found: Sequence[Finding], studies: Sequence[Study]
) -> Iterator[Picture]:
    flow = [("box", "number", "unit"), *flow_diagram.rows(snapshot.flow, snapshot.review.base)]
    yield Picture("prisma", None, flow_diagram.svg(snapshot.flow, snapshot.review.base), flow)
    drawn = figures.effect_direction(found, studies)
    few = partial(_few_directions, found, studies)
    yield Picture("effect-direction", None, drawn, _directions(found), few)
    yield from _tables(snapshot.review.title, found)
    forms = [study.extraction for study in studies if study.extraction]
    judged = [_judged(form, snapshot.review.tools) for form in forms if _is_judged(form)]
    if judged:
        yield Picture(
            "risk-of-bias", None, _grid(judged), bias_grid.rows(judged), lambda n: _grid(judged[:n])
        )
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    for finding in found:
        if finding.estimate is not None and finding.estimate.studies > 1:
            yield from _sizes(snapshot, finding, finding.estimate, forms)
            yield from _published(snapshot, finding, finding.estimate)


def _tables(review: str, found: Sequence[Finding]) -> Iterator[Picture]:
    """The summary of findings of each comparison, for slides."""
    for table in findings_table.findings_tables(found):
        mine = [finding for finding in found if finding.comparison == table.comparison]
        rows = [findings_table.COLUMNS, *findings_table.data(mine)]
        drawn = findings_table.svg(table.comparison, table, review)
        yield Picture("summary-of-findings", table.comparison, drawn, rows)


def _sizes(
    snapshot: Snapshot, finding: Finding, estimate: Estimate, forms: Sequence[Extraction]
) -> Iterator[Picture]:
    """Pictures of a finding that is pooled."""
    key, label = name_of(finding), finding.outcome_label
    shown = forest.parts_of(finding)
    parts = [(part.label, part.value, part.low, part.high, part.weight) for part in shown]
    biases = [
        (bias_grid.in_english(part.risk_of_bias), bias_grid.domains_of(part)) for part in shown
    ]
    rows = [(*part, *bias) for part, bias in zip(parts, biases, strict=True)]
    last = ("Pooled", estimate.value, estimate.low, estimate.high, 100, None, None)
    head = (
        "study",
        "effect",
        "ci_low",
        "ci_high",
        "weight_percent",
        "risk_of_bias",
        "risk_of_bias_by_domain",
    )
    few = partial(forest.svg, key, label, finding)
    yield Picture("forest", key, few(), [head, *rows, last], few)

    steps = _steps(snapshot, finding, forms)
    if len(steps) > 1:
        drawn = cumulative.svg(key, label, steps, estimate.null)
        yield Picture("cumulative", key, drawn, cumulative.rows(steps))
    if len(parts) >= FEW:
        dots = [
            Part(label, value or 0, low or 0, high or 0) for label, value, low, high, _ in parts
        ]
        points = partial(funnel.svg, key, label, dots, estimate.value, estimate.null)
        yield Picture(
            "funnel",
            key,
            points(),
            funnel.rows(dots, estimate.value, estimate.null),
            lambda _: points(named=False),
        )
    yield from _bubbles(snapshot, finding, estimate, forms)


def _bubbles(
    snapshot: Snapshot, finding: Finding, estimate: Estimate, forms: Sequence[Extraction]
) -> Iterator[Picture]:
    """A bubble plot for each meta-regression on a number."""
    by_study = {form.study: form for form in forms}
    for moderation in finding.moderators:
        moderator = next(one for one in snapshot.review.moderators if one.id == moderation.id)
        regression = moderation.regression
        if regression is None or regression.intercept is None:
            continue
        points = [
            _bubble(part, moderators.value_of(moderator, by_study[part.study], part.months))
            for part in finding.counted
            if part.measure == estimate.measure and part.study in by_study
        ]
        placed = [point for point in points if point is not None]
        if moderation.unit:
            label = f"{moderation.label} ({moderation.unit})"
        else:
            label = moderation.label
        fitted = Fitted(label, regression.intercept, regression.slopes[0].value)
        key = f"{name_of(finding)}-{moderation.id}"
        drawn = bubbles.svg(key, finding.outcome_label, placed, fitted, estimate.null)
        yield Picture("bubbles", key, drawn, bubbles.rows(placed))


def _bubble(part: StudyEffect, at: str | float | None) -> Bubble | None:
    """A study in the plot; None where it has no value or no size with an interval."""
    if isinstance(at, str) or at is None:
        return None
    if part.value is None or part.low is None or part.high is None:
        return None
    return Bubble(part.label, float(at), part.value, part.low, part.high, part.weight)


def _steps(snapshot: Snapshot, finding: Finding, forms: Sequence[Extraction]) -> list[Step]:
    """The estimate after each year that brought a study, oldest first.

    Studies without a year come last.
    """
    comparison = next(
        c for c in weigh.comparisons_of(snapshot.review) if c.id == finding.comparison
    )
    outcome = next(o for o in snapshot.review.outcomes if o.id == finding.outcome)
    steps: list[Step] = []
    for year in sorted({form.year or LATEST_YEAR for form in forms}):
        until = [form for form in forms if (form.year or LATEST_YEAR) <= year]
        then = weigh.finding(snapshot.review, comparison, outcome, until).estimate
        if then is None or (steps and then.studies <= steps[-1].k):
            continue
        words = "no year" if year == LATEST_YEAR else str(year)
        steps.append(Step(words, then.value, then.low, then.high, then.studies))
    return steps


def _published(snapshot: Snapshot, finding: Finding, estimate: Estimate) -> Iterator[Picture]:
    """The estimate as each version published it, this one last.

    Each with its own state, not today's.
    """
    points = []
    for old in snapshot.history:
        shown, then = _then(old, finding.id)
        value, low, high = then or (None, None, None)
        points.append(Version(old.number, day(old.date) or "", value, low, high, shown))
    if not points:
        return
    now, number = day(snapshot.moment) or "", snapshot.history[-1].number + 1
    points.append(Version(number, now, estimate.value, estimate.low, estimate.high, state(finding)))
    key = name_of(finding)
    drawn = over_time.svg(key, finding.outcome_label, points, estimate.null)
    yield Picture("over-time", key, drawn, over_time.rows(points))


def _then(old: Published, finding: str) -> tuple[str, tuple[float, float, float] | None]:
    """The state that an earlier version published, and (value, low, high).

    None where it gave no estimate.
    """
    rows = old.content.findings or ()
    row = next((row for row in rows if row.id == finding), None)
    if row is None:
        return "told by other rules", None
    then = row.estimate
    if then is None:
        return row.state_display, None
    return row.state_display, (then.value, then.low, then.high)


def _directions(found: Sequence[Finding]) -> Rows:
    """The content of the effect direction plot."""
    head = ("study", "comparison", "outcome", "direction", "participants")
    rows = [
        (
            part.label,
            finding.comparison_label,
            finding.outcome_label,
            figures.direction(finding, part),
            part.people,
        )
        for finding in found
        for part in finding.studies
    ]
    return [head, *rows]


def _few_directions(found: Sequence[Finding], studies: Sequence[Study], limit: int) -> Markup:
    return figures.effect_direction(found, studies[:limit])


def _grid(judged: Sequence[Judged]) -> Markup:
    return bias_grid.svg("all", "each study", judged)


def _is_judged(form: Extraction) -> bool:
    return bool(form.appraisal or form.risk_of_bias)


def _judged(form: Extraction, own: Sequence[Tool]) -> Judged:
    domains = tuple((one.domain, one.judgement) for one in form.appraisal)
    name = form.risk_of_bias_tool or "tool not named"
    return Judged(
        form.label, name, domains, form.risk_of_bias, appraisal.tool_of(form.risk_of_bias_tool, own)
    )
