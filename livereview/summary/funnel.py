"""The funnel plot: whether small studies tell another story than large ones, as they do when some
were not published.

Pseudo 95% limits and the standard error as the vertical axis: Sterne and Egger, J Clin Epidemiol
2001;54:1046-55. Not
below ten studies: Sterne and others, BMJ 2011;343:d4002, and Cochrane Handbook 13.3.5.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log

from markupsafe import Markup

from livereview.errors import Refused
from livereview.evidence.orientation import Z
from livereview.messages import say
from livereview.summary.drawing import (
    BELOW,
    DOTTED,
    END,
    LABEL,
    LINE,
    MIDDLE,
    QUIET,
    Axis,
    axis,
    frame,
    note,
    plain,
    scale_line,
    sound,
    told,
)
from livereview.summary.words import number, size


@dataclass(frozen=True, slots=True)
class Part:
    """One study's effect with its 95% interval, on the outcome's own scale."""

    label: str
    effect: float
    ci_low: float
    ci_high: float


FEW = 10
WIDTH, LEFT, RIGHT, TOP, TALL = 640, 66, 16, 20, 320  # units
HEADER = (
    "Study",
    "Effect",
    "95% interval, low",
    "95% interval, high",
    "Standard error",
    "Within the limits",
)
_DOT = Markup(
    '<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill-opacity="0.55" stroke="currentColor">{title}</circle>'
)
_DOTS = Markup(
    '<path d="{d}" stroke="currentColor" stroke-width="7" stroke-linecap="round" stroke-opacity="0.55"/>'
)
_TITLE = Markup("<title>{text}</title>")
_DASHED = Markup('<path d="{d}" stroke="currentColor" stroke-dasharray="6 4" fill="none"/>')


def rows(parts: Sequence[Part], centre: float, null: float) -> list[tuple[str, ...]]:
    """The picture as a table, header first, most precise study first.

    Raises:
        Refused: as `svg` does.
    """
    body = []
    for part, error in _precise_first(parts, centre, null):
        figures = (size(part.effect), size(part.ci_low), size(part.ci_high), _error(error))
        body.append(
            (plain(part.label), *figures, "yes" if _within(part, error, centre, null) else "no")
        )
    return [HEADER, *body]


def svg(
    id: str, title: str, parts: Sequence[Part], centre: float, null: float, *, named: bool = True
) -> Markup:
    """A point a study, its standard error downwards, and where 95% would lie around `centre` if all
    had one effect.

    Raises Refused below ten studies, and for an effect without a usable interval.

    Args:
        centre: The pooled effect on the outcome's own scale; ratios (null 1) stand by their logs,
            and so do their errors.
        named: Each point tells its study; without names hundreds of points are one small path.
    """
    studies = _precise_first(parts, centre, null)
    worst = studies[-1][1]
    down = Axis(TOP, TALL - 12, 0.0, worst, False)
    feet = [_moved(centre, side * Z * worst, null) for side in (-1, 1)]
    across = axis(
        [centre, *feet, *(part.effect for part, _ in studies)], null, LEFT, WIDTH - LEFT - RIGHT
    )
    bottom = TOP + TALL
    if named:
        points = [_study(across, down, *one) for one in studies]
    else:
        points = [_points(across, down, studies)]
    drawn = [*_limits(across, down, centre, feet, bottom, null), *points]
    drawn += [*_errors(down), *scale_line(across, bottom)]
    small, height = note(_key(centre, null), bottom + 46, WIDTH)
    desc = _description(studies, centre, null)
    return frame(
        "funnel",
        id,
        say("Funnel plot: {title}", title=title),
        desc,
        WIDTH,
        height,
        [*drawn, *small],
    )


def _precise_first(parts: Sequence[Part], centre: float, null: float) -> list[tuple[Part, float]]:
    """Each study with its standard error.

    Raises:
        Refused: where a funnel would mislead or can't be drawn.
    """
    if len(parts) < FEW:
        raise Refused(
            f"a funnel plot needs at least {FEW} studies to tell anything; there are {len(parts)}"
        )
    if not isfinite(centre) or (null == 1 and centre <= 0):
        raise Refused(
            f"the centre of a funnel is the pooled effect, above 0 for a ratio; it was {centre}"
        )
    found = [(part, _standard_error(part, null)) for part in parts]
    return sorted(found, key=lambda one: (one[1], one[0].label))


def _standard_error(part: Part, null: float) -> float:
    """From the reported 95% interval (Cochrane Handbook 6.5.2.2 and 6.3.1), of the log for ratios."""
    sound(part.label, part.effect, part.ci_low, part.ci_high, null)
    if part.ci_low == part.ci_high:
        raise Refused(f"{part.label}: an interval without width gives no standard error")
    return (_bent(part.ci_high, null) - _bent(part.ci_low, null)) / (2 * Z)


def _bent(value: float, null: float) -> float:
    return log(value) if null == 1 else value


def _moved(value: float, by: float, null: float) -> float:
    return value * exp(by) if null == 1 else value + by


def _within(part: Part, error: float, centre: float, null: float) -> bool:
    return abs(_bent(part.effect, null) - _bent(centre, null)) <= Z * error


def _limits(
    across: Axis, down: Axis, centre: float, feet: Sequence[float], bottom: int, null: float
) -> tuple[Markup, ...]:
    """The centre, the two limits that meet at its top, and no difference."""
    top, foot = f"{across.at(centre):.1f} {TOP}", f"{down.at(down.high):.1f}"
    return (
        LINE.format(d=f"M{top}V{bottom}", wide=1),
        _DASHED.format(d="".join(f"M{top}L{across.at(one):.1f} {foot}" for one in feet)),
        DOTTED.format(d=f"M{across.at(null):.1f} {TOP}V{bottom}"),
    )


def _study(across: Axis, down: Axis, part: Part, error: float) -> Markup:
    title = _TITLE.format(text=f"{plain(part.label)}: {_figures(part, error)}")
    return _DOT.format(x=across.at(part.effect), y=down.at(error), title=title)


def _points(across: Axis, down: Axis, studies: Sequence[tuple[Part, float]]) -> Markup:
    return _DOTS.format(
        d="".join(f"M{across.at(p.effect):.0f} {down.at(error):.0f}h0" for p, error in studies)
    )


def _figures(part: Part, error: float) -> str:
    return say(
        "{figures}, standard error {error}",
        figures=told(part.effect, part.ci_low, part.ci_high),
        error=_error(error),
    )


def _error(value: float) -> str:
    return number(float(f"{value:.3g}"))


def _errors(down: Axis) -> list[Markup]:
    """The axis of standard errors, 0 at the top."""
    told = [
        LABEL.format(x=LEFT - 9, y=f"{down.at(tick) + 4:.0f}", more=END, text=number(tick))
        for tick in down.ticks()
    ]
    marks = "".join(f"M{LEFT} {down.at(tick):.1f}h-5" for tick in down.ticks())
    middle = TOP + TALL // 2
    turned = Markup(' transform="rotate(-90 12 {y})"').format(y=middle)
    name = LABEL.format(x=12, y=middle, more=MIDDLE + QUIET + turned, text=say("standard error"))
    return [LINE.format(d=f"M{LEFT} {TOP}V{TOP + TALL}{marks}", wide=0.8), *told, name]


def _key(centre: float, null: float) -> str:
    return say(
        "Points: studies, the more precise the higher. Solid line: the pooled effect ({centre}). Dashed lines: "
        "where 95% of studies would lie if all had that effect. Dotted line: no difference ({null}). "
        "Studies missing on one side may not have been published, but there are other reasons too.",
        centre=size(centre),
        null=number(null),
    )


def _description(studies: Sequence[tuple[Part, float]], centre: float, null: float) -> str:
    inside = sum(_within(part, error, centre, null) for part, error in studies)
    low, high = _error(studies[0][1]), _error(studies[-1][1])
    told = say(
        "{n} studies around a pooled effect of {centre}, with standard errors from {low} to {high}; "
        "{inside} lie within the pseudo 95% limits.",
        n=len(studies),
        centre=size(centre),
        low=low,
        high=high,
        inside=inside,
    )
    return f"{told} {say(BELOW)}"
