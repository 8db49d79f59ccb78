"""The forest plot: each study's effect, the pooled one, and where a new study's effect may lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

from markupsafe import Markup

from livereview.evidence.finding import Estimate, Finding, StudyEffect
from livereview.summary import bias_grid
from livereview.summary.drawing import cut
from livereview.summary.words import size, tidy

ROW, NAMES, PLOT, FIGURES, BIAS, TOP = 30, 210, 380, 210, 120, 34  # units
_FRAME = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="f-{id}-t f-{id}-d" '
    'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
    '<title id="f-{id}-t">Forest plot: {title}</title><desc id="f-{id}-d">{desc}</desc>{parts}</svg>'
)
_LABEL = Markup('<text x="{x}" y="{y}"{more}>{text}</text>')
_QUIET = Markup(' font-size="11"')
_MIDDLE, _END = Markup(' text-anchor="middle"'), Markup(' text-anchor="end"')
_LINE = Markup('<path d="M{x1:.1f} {y}H{x2:.1f}" stroke="currentColor" stroke-width="{wide}"/>')
_BOX = Markup('<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"/>')
_DIAMOND = Markup('<path d="M{low:.1f} {y}L{at:.1f} {up}L{high:.1f} {y}L{at:.1f} {down}Z"/>')
_NULL = Markup(
    '<path d="M{x:.1f} {top}V{bottom}" stroke="currentColor" stroke-dasharray="3 3" fill="none"/>'
)


def svg(id: str, title: str, finding: Finding, limit: int | None = None) -> Markup:
    """One row a study, largest weight first.

    The diamond is the pooled effect, the thin line its prediction.

    Args:
        limit: Draws the studies of largest weight only, and says how many it leaves out.
    """
    found, shown = estimate_of(finding), parts_of(finding)
    place = _scale(found, shown)
    rows = sorted(shown, key=lambda part: (-(part.weight or 0), part.study))[:limit]
    left = len(shown) - len(rows)
    parts = [_study(place, part, TOP + ROW * n) for n, part in enumerate(rows)]
    bottom = TOP + ROW * len(rows)
    parts += [_pooled(place, found, bottom + 8), *_axis(place, found, shown, bottom + 44)]
    parts.append(_NULL.format(x=place(found.null), top=TOP - 18, bottom=bottom + 30))
    parts.append(
        _LABEL.format(x=NAMES + PLOT + FIGURES + 16, y=14, more=_QUIET, text="Risk of bias")
    )
    width = NAMES + PLOT + FIGURES + BIAS
    if left:
        parts.append(
            _LABEL.format(x=0, y=bottom + 26, more="", text=f"and {left:,} studies of less weight")
        )
    desc = f"{len(shown)} studies and their pooled {tidy(found.measure)}. The table below has the same content."
    return _FRAME.format(
        id=id,
        width=width,
        height=bottom + 66,
        title=tidy(title),
        desc=desc,
        parts=Markup("").join(parts),
    )


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


def _ends(parts: Sequence[StudyEffect]) -> list[float]:
    return [end for part in parts for end in (part.low, part.high) if end is not None]


def _scale(found: Estimate, parts: Sequence[StudyEffect]) -> Callable[[float], float]:
    """Where a value stands; ratios by their logs."""
    bend = log if found.null == 1 else float
    ends = [found.null, found.low, found.high]
    ends += [end for end in (found.prediction_low, found.prediction_high) if end is not None]
    ends += _ends(parts)
    low, high = bend(min(ends)), bend(max(ends))
    return lambda value: NAMES + 12 + (PLOT - 24) * (bend(value) - low) / ((high - low) or 1)


def _study(place: Callable[[float], float], one: StudyEffect, y: int) -> Markup:
    assert one.value is not None and one.low is not None and one.high is not None
    side, at = 5 + 11 * ((one.weight or 0) / 100) ** 0.5, place(one.value)
    share = "" if one.weight is None else f"  {one.weight:.0f}%"
    told = f"{_figures(one.value, one.low, one.high)}{share}"
    bias = bias_grid.in_english(one.risk_of_bias)
    return Markup("").join(
        [
            _LABEL.format(x=0, y=y + 4, more="", text=tidy(one.label)[:30]),
            _LINE.format(x1=place(one.low), x2=place(one.high), y=y, wide=1.4),
            _BOX.format(x=at - side / 2, y=y - side / 2, side=side),
            _LABEL.format(x=NAMES + PLOT + FIGURES, y=y + 4, more=_END, text=told),
            _LABEL.format(
                x=NAMES + PLOT + FIGURES + 16, y=y + 4, more=_QUIET, text=cut(bias, BIAS - 18, 11)
            ),
        ]
    )


def _pooled(place: Callable[[float], float], found: Estimate, y: int) -> Markup:
    parts = [_LABEL.format(x=0, y=y + 4, more=Markup(' font-weight="600"'), text="Pooled")]
    if found.prediction_low is not None and found.prediction_high is not None:
        parts.append(
            _LINE.format(
                x1=place(found.prediction_low), x2=place(found.prediction_high), y=y, wide=0.8
            )
        )
    parts.append(
        _DIAMOND.format(
            low=place(found.low),
            high=place(found.high),
            at=place(found.value),
            y=y,
            up=y - 8,
            down=y + 8,
        )
    )
    told = _figures(found.value, found.low, found.high)
    parts.append(_LABEL.format(x=NAMES + PLOT + FIGURES, y=y + 4, more=_END, text=told))
    return Markup("").join(parts)


def _figures(value: float, low: float, high: float) -> str:
    return f"{size(value)} ({size(low)} to {size(high)})"


def _axis(
    place: Callable[[float], float], found: Estimate, parts: Sequence[StudyEffect], y: int
) -> list[Markup]:
    ends = sorted({found.null, *_ends(parts)})
    shown = [ends[0], found.null, ends[-1]]
    line = _LINE.format(x1=NAMES + 12, x2=NAMES + PLOT - 12, y=y - 12, wide=0.8)
    marks = [
        _LABEL.format(x=f"{place(x):.0f}", y=y + 4, more=_MIDDLE, text=size(x))
        for x in dict.fromkeys(shown)
    ]
    return [line, *marks]
