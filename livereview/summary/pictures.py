"""Every picture of a version by its name, each with the same content as rows: for the page, and as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from livereview.evidence import pooling
from livereview.evidence.forms import Extraction
from livereview.evidence.pooling import Estimate
from livereview.evidence.synthesis import Synthesis
from livereview.summary import bias_grid, cumulative, figures, flow_diagram, forest, funnel, over_time
from livereview.summary.bias_grid import Judged
from livereview.summary.cumulative import Step
from livereview.summary.over_time import Version
from livereview.summary.snapshot import Published, Snapshot, Study
from livereview.summary.words import day

FEW = 10  # studies below which a funnel plot misleads (Cochrane Handbook 13.3.5.4)
Rows = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Picture:
    """`kind`: forest, cumulative, funnel, over-time, effect-direction, risk-of-bias, prisma; `rows`: heading first.

    short   draws the first so many studies, for the page; None where the picture does not grow with their number
    """

    kind: str
    subject: str | None
    svg: Markup
    rows: Rows
    short: Callable[[int], Markup] | None = None

    @property
    def name(self) -> str:
        """Of its files, without the ending."""
        plain = {"prisma": "prisma", "effect-direction": "effect_direction"}.get(self.kind, self.kind)
        return f"{plain}-{self.subject}" if self.subject else plain

    def on_page(self, limit: int) -> Markup:
        """The picture of at most so many studies."""
        return self.short(limit) if self.short and len(self.rows) - 1 > limit else self.svg


def pictures(snapshot: Snapshot, found: Sequence[Synthesis], pooled: Mapping[str, Estimate]) -> tuple[Picture, ...]:
    """All pictures of a version."""
    return tuple(_pictures(snapshot, found, pooled, figures.by_risk_of_bias(snapshot.studies)))


def _pictures(
    snapshot: Snapshot, found: Sequence[Synthesis], pooled: Mapping[str, Estimate], studies: Sequence[Study]
) -> Iterator[Picture]:
    flow = [("box", "number", "unit"), *flow_diagram.rows(snapshot.flow)]
    yield Picture("prisma", None, flow_diagram.svg(snapshot.flow), flow)
    drawn = figures.effect_direction(found, studies)
    few = partial(_few_directions, found, studies)
    yield Picture("effect-direction", None, drawn, _directions(found), few)
    judged = [_judged(study.extraction) for study in studies if study.extraction and _is_judged(study.extraction)]
    if judged:
        yield Picture("risk-of-bias", None, _grid(judged), bias_grid.rows(judged), lambda n: _grid(judged[:n]))
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    for one in found:
        if estimate := pooled.get(one.outcome.id):
            yield from _sizes(one, estimate, forms)
            yield from _published(snapshot, one, estimate)


def _sizes(one: Synthesis, estimate: Estimate, forms: Sequence[Extraction]) -> Iterator[Picture]:
    """Pictures of an outcome that is pooled."""
    key, label = one.outcome.id, one.outcome.label
    parts = [(part.label, part.effect, part.ci_low, part.ci_high, part.weight) for part in estimate.parts]
    last = ("Pooled", estimate.value, estimate.ci_low, estimate.ci_high, 100)
    head = ("study", "effect", "ci_low", "ci_high", "weight_percent")
    few = partial(forest.svg, key, label, estimate)
    yield Picture("forest", key, few(), [head, *parts, last], few)
    steps = [
        Step(words, then.value, then.ci_low, then.ci_high, len(then.parts))
        for words, then in pooling.cumulate(one.outcome, forms)
    ]
    if len(steps) > 1:
        drawn = cumulative.svg(key, label, steps, estimate.null)
        yield Picture("cumulative", key, drawn, cumulative.rows(steps))
    if len(estimate.parts) >= FEW:
        points = partial(funnel.svg, key, label, estimate.parts, estimate.value, estimate.null)
        rows = funnel.rows(estimate.parts, estimate.value, estimate.null)
        yield Picture("funnel", key, points(), rows, lambda _: points(named=False))


def _published(snapshot: Snapshot, one: Synthesis, estimate: Estimate) -> Iterator[Picture]:
    """The estimate as each version published it, this one last; nothing before the second version."""
    if not snapshot.history:
        return
    told = [(old.number, old.date, _then(old, one.outcome.id)) for old in snapshot.history]
    points = []
    for number, date, then in told:
        value, low, high = then or (None, None, None)
        points.append(Version(number, day(date) or "", value, low, high, one.state if then else "not pooled"))
    now, number = day(snapshot.moment) or "", len(told) + 1
    points.append(Version(number, now, estimate.value, estimate.ci_low, estimate.ci_high, one.state))
    drawn = over_time.svg(one.outcome.id, one.outcome.label, points, estimate.null)
    yield Picture("over-time", one.outcome.id, drawn, over_time.rows(points))


def _then(old: Published, outcome: str) -> tuple[float, float, float] | None:
    """(value, low, high) that an earlier version published; None where it pooled nothing."""
    found = next((row["estimate"] for row in json.loads(old.summary)["outcomes"] if row["id"] == outcome), None)
    return (found["value"], found["ci_low"], found["ci_high"]) if found else None


def _directions(found: Sequence[Synthesis]) -> Rows:
    """The content of the effect direction plot."""
    head = ("study", "outcome", "direction", "results", "participants")
    rows = [
        (part.label, one.outcome.label, part.direction, part.results, part.participants)
        for one in found
        for part in one.studies
    ]
    return [head, *rows]


def _few_directions(found: Sequence[Synthesis], studies: Sequence[Study], limit: int) -> Markup:
    return figures.effect_direction(found, studies[:limit])


def _grid(judged: Sequence[Judged]) -> Markup:
    return bias_grid.svg("all", "each study", judged)


def _is_judged(form: Extraction) -> bool:
    return bool(form.appraisal or form.risk_of_bias)


def _judged(form: Extraction) -> Judged:
    domains = tuple((one.domain, one.judgement) for one in form.appraisal)
    return Judged(form.label, form.risk_of_bias_tool or "tool not named", domains, form.risk_of_bias)
