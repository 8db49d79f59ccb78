"""The forest plot as a picture: each study's effect, the pooled one, and where a new one may lie.

It draws the rows of `bars.forest`, so that the picture and the page's table can't differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from livereview.evidence.appraisal import in_words
from livereview.evidence.finding import Estimate, Finding, StudyEffect
from livereview.messages import many, mark, say
from livereview.summary import bars, drawing
from livereview.summary.bars import Bar, Forest, Row, Total, Without
from livereview.summary.drawing import BOLD, END, LABEL, LINE, MIDDLE, QUIET, RULE
from livereview.summary.words import count, size

NAMES, PEOPLE, PLOT, FIGURES, WEIGHT, BIAS = 200, 60, 340, 160, 60, 130
"""Widths of the columns, in units."""
WIDTH = NAMES + PEOPLE + PLOT + FIGURES + WEIGHT + BIAS
LEFT = NAMES + PEOPLE + 16
"""Where the plot begins."""
WIDE = PLOT - 32
FIGURES_END = NAMES + PEOPLE + PLOT + FIGURES - 8
WEIGHT_END = FIGURES_END + WEIGHT
BIAS_LEFT = WEIGHT_END + 14
BESIDE = 60
"""How far the words at the ends of the axis may stand out of the plot, in units."""
ROW, TOP, AXIS = 28, 34, 62
"""Heights of a row, of the heads, and of the axis with what stands below it."""

_NOTHING = Markup("<g/>")
"""In the plot of a study that has nothing to draw, and still has texts beside it."""

_BOX = Markup('<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"/>')
_DIAMOND = Markup('<path d="M{low:.1f} {y}L{at:.1f} {up}L{high:.1f} {y}L{at:.1f} {down}Z"/>')
_NULL = Markup(
    '<path d="M{x:.1f} {top}V{bottom}" stroke="currentColor" stroke-dasharray="3 3" fill="none"/>'
)
_ZONE = Markup(
    '<rect x="{x:.1f}" y="{top}" width="{wide:.1f}" height="{high}" fill="currentColor" '
    'opacity="0.08"/>'
)
_NEXT = Markup(
    '<path d="M{left:.1f} {y}H{right:.1f}" stroke="currentColor" stroke-width="1.4" '
    'stroke-dasharray="2 3" fill="none"/>'
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the picture: its texts, and what is drawn in its plot."""

    name: str
    people: str
    figures: str
    weight: str
    bias: str
    drawn: Markup
    bold: bool = False


def svg(id: str, title: str, finding: Finding, limit: int | None = None) -> Markup:
    """One row a study, largest weight first; then the pooled effect, its prediction and groups.

    Args:
        id: of the picture, used in its elements' ids.
        title: what it shows.
        finding: has an estimate of several studies.
        limit: draws the studies of largest weight only, and says how many it leaves out.
    """
    shown = parts_of(finding)
    forest = bars.forest(finding, shown)
    lines = _lines(forest, limit)
    bottom = TOP + ROW * len(lines)
    parts = [*_heads(forest.estimate), *_ground(forest, bottom)]
    for place, line in enumerate(lines):
        parts += _drawn(line, TOP + ROW * place)
    parts += _axis(forest, bottom)
    desc = say(
        mark("{studies} studies and their pooled {measure}. {below}"),
        studies=len(shown),
        measure=drawing.plain(forest.estimate.measure),
        below=say(drawing.BELOW),
    )
    full = say(mark("Forest plot: {outcome}"), outcome=title)
    return drawing.frame("f", id, full, desc, WIDTH, bottom + AXIS, parts)


def estimate_of(finding: Finding) -> Estimate:
    """The pooled effect that the picture shows."""
    assert finding.estimate is not None
    return finding.estimate


def parts_of(finding: Finding) -> list[StudyEffect]:
    """The studies that the picture shows: those with an interval in the estimate's measure."""
    estimate = estimate_of(finding)
    return [
        study
        for study in finding.counted
        if study.measure == estimate.measure and study.low is not None and study.high is not None
    ]


def _lines(forest: Forest, limit: int | None) -> list[Line]:
    """All rows from top to bottom; their places are set later."""
    lines = [_study(row) for row in forest.rows[:limit]]
    left = len(forest.rows) - len(lines)
    if left:
        text = many("and {n:,} study of less weight", "and {n:,} studies of less weight", left)
        lines.append(Line(text, "", "", "", "", Markup("")))
    lines += [_without_size(row) for row in forest.without]
    lines.append(_total(forest.total, say(mark("All studies")), bold=True))
    if forest.prediction is not None:
        lines.append(_prediction(forest.estimate, forest.prediction))
    for group in forest.groups:
        lines += [_total(total, f"{group.label}: {total.label}") for total in group.totals]
    return lines


def _x(per_cent: float) -> float:
    return LEFT + WIDE * per_cent / bars.STRIP


def _study(row: Row) -> Line:
    study, bar = row.study, row.bar
    assert study.value is not None and study.low is not None and study.high is not None
    line = LINE.format(d=f"M{_x(bar.left):.1f} 0H{_x(bar.left + bar.width):.1f}", wide=1.4)
    box = _BOX.format(x=_x(bar.at) - bar.side / 2, y=-bar.side / 2, side=bar.side)
    return Line(
        name=study.label,
        people="–" if study.people is None else count(study.people),
        figures=_rough(study) + _figures(study.value, study.low, study.high),
        weight="–" if study.weight is None else f"{study.weight:.0f}%",
        bias=_bias(row),
        drawn=line + _beyond(bar) + box,
    )


def _without_size(row: Without) -> Line:
    return Line(
        name=row.study.label,
        people="–" if row.study.people is None else count(row.study.people),
        figures=row.instead,
        weight="–",
        bias=_bias(row),
        drawn=_NOTHING,
    )


def _rough(study: StudyEffect) -> str:
    """The sign before a size that could only be worked out by half an event added."""
    return "≈ " if study.half_event else ""


def _bias(row: Row | Without) -> str:
    """The overall judgement, and the signs of its domains in the tool's order."""
    overall = in_words(row.study.risk_of_bias)
    return " ".join([overall, *(light.sign for light in row.lights)])


def _beyond(bar: Bar) -> Markup:
    """Arrows where an interval goes on beyond the plot."""
    left, right = _x(bar.left), _x(bar.left + bar.width)
    before = f"M{left + 5:.1f} -4l-5 4l5 4" if bar.before else ""
    after = f"M{right - 5:.1f} -4l5 4l-5 4" if bar.after else ""
    if before or after:
        return LINE.format(d=before + after, wide=1.4)
    return Markup("")


def _total(total: Total, label: str, bold: bool = False) -> Line:
    bar, estimate = total.bar, total.estimate
    diamond = _DIAMOND.format(
        low=_x(bar.left), high=_x(bar.left + bar.width), at=_x(bar.at), y=0, up=-8, down=8
    )
    studies = many("{n} study", "{n} studies", total.studies)
    return Line(
        name=f"{label} ({studies})",
        people="",
        figures=_figures(estimate.value, estimate.low, estimate.high),
        weight="100%" if bold else "",
        bias="",
        drawn=diamond,
        bold=bold,
    )


def _prediction(estimate: Estimate, bar: Bar) -> Line:
    assert estimate.prediction_low is not None and estimate.prediction_high is not None
    drawn = _NEXT.format(left=_x(bar.left), right=_x(bar.left + bar.width), y=0)
    return Line(
        name=say(mark("95% prediction interval")),
        people="",
        figures=say(
            "{low} to {high}",
            low=size(estimate.prediction_low),
            high=size(estimate.prediction_high),
        ),
        weight="",
        bias="",
        drawn=drawn + _beyond(bar),
    )


def _figures(value: float, low: float, high: float) -> str:
    return say("{value} ({low} to {high})", value=size(value), low=size(low), high=size(high))


def _heads(estimate: Estimate) -> list[Markup]:
    """The columns' names."""
    measure = say(mark("{measure} (95% interval)"), measure=drawing.plain(estimate.measure))
    heads = (
        (0, BOLD, say(mark("Study"))),
        (NAMES + PEOPLE, BOLD + END, say(mark("People"))),
        (FIGURES_END, BOLD + END, measure),
        (WEIGHT_END, BOLD + END, say(mark("Weight"))),
        (BIAS_LEFT, BOLD, say(mark("Risk of bias"))),
    )
    return [LABEL.format(x=x, y=12, more=more, text=text) for x, more, text in heads]


def _ground(forest: Forest, bottom: int) -> list[Markup]:
    """What lies behind the rows: no important difference, no difference, a rule."""
    top = TOP - ROW // 2
    parts = [RULE.format(y=top - 2, width=WIDTH)]
    zone = forest.strip.important
    if zone is not None:
        left, wide = _x(zone[0]), WIDE * zone[1] / bars.STRIP
        parts.append(_ZONE.format(x=left, top=top, wide=wide, high=bottom - top - ROW // 2 + 6))
    parts.append(_NULL.format(x=_x(forest.strip.null), top=top, bottom=bottom - ROW // 2 + 6))
    return parts


def _drawn(line: Line, y: int) -> list[Markup]:
    style = BOLD if line.bold else Markup("")
    texts = (
        (0, style, drawing.cut(line.name, NAMES + (0 if line.people else PEOPLE))),
        (NAMES + PEOPLE, END, line.people),
        (FIGURES_END, style + END, line.figures),
        (WEIGHT_END, END, line.weight),
        (BIAS_LEFT, QUIET, drawing.cut(line.bias, BIAS - 18, 11)),
    )
    moved = Markup('<g transform="translate(0 {y})">{drawn}</g>').format(y=y, drawn=line.drawn)
    labels = [LABEL.format(x=x, y=y + 4, more=more, text=text) for x, more, text in texts if text]
    return [moved, *labels] if line.drawn else labels


def _axis(forest: Forest, bottom: int) -> list[Markup]:
    """The measure's scale, and whom each end favours."""
    y = bottom - ROW // 2 + 6
    ticks = "".join(f"M{_x(tick.at):.1f} {y}v5" for tick in forest.strip.ticks)
    parts = [LINE.format(d=f"M{LEFT} {y}h{WIDE}{ticks}", wide=0.8)]
    parts += [
        LABEL.format(x=_x(tick.at), y=y + 18, more=MIDDLE, text=tick.text)
        for tick in forest.strip.ticks
    ]
    left, right = bars.ends(forest.finding)
    half = WIDE // 2 + BESIDE - 6
    texts = (
        (LEFT - BESIDE, QUIET, drawing.cut(f"← {left}", half, 11)),
        (LEFT + WIDE + BESIDE, QUIET + END, drawing.cut(f"{right} →", half, 11)),
        (LEFT + WIDE / 2, QUIET + MIDDLE, drawing.plain(forest.estimate.measure_label)),
    )
    rows = (y + 36, y + 36, y + 50)
    return parts + [
        LABEL.format(x=x, y=row, more=more, text=text)
        for (x, more, text), row in zip(texts, rows, strict=True)
    ]
