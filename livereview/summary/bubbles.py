"""The bubble plot of a meta-regression: each study's effect against a number, with the fitted line.

Not below ten studies, as the regression itself: Cochrane Handbook 10.11.4. The area of a bubble is
its study's weight in the pooled effect (Thompson and Higgins, Stat Med 2002;21:1559-73).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from markupsafe import Markup

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

WIDTH, LEFT, RIGHT, TOP, TALL = 640, 66, 16, 20, 320  # units
LARGEST = 16  # radius of the bubble with most weight, in units
SMALLEST = 2.5
HEADER = ("Study", "Value", "Effect", "95% interval, low", "95% interval, high", "Weight, per cent")
_BUBBLE = Markup(
    '<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill-opacity="0.35" stroke="currentColor">'
    "<title>{text}</title></circle>"
)


@dataclass(frozen=True, slots=True)
class Bubble:
    """One study: its value of the moderator, and its effect in the finding's own figures."""

    label: str
    at: float
    effect: float
    low: float
    high: float
    weight: float | None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The line of a meta-regression, in the measure's own figures.

    Attributes:
        label: Of the number.
        intercept: The effect where the number is 0.
        slope: By one unit of the number: a factor for ratios, else a difference.
    """

    label: str
    intercept: float
    slope: float

    def effect(self, at: float, null: float) -> float:
        """The fitted effect at a value of the number."""
        if null == 1:
            return float(self.intercept * self.slope**at)
        return self.intercept + self.slope * at


def rows(bubbles: Sequence[Bubble]) -> list[tuple[object, ...]]:
    """The picture as a table, header first, by the number."""
    ordered = sorted(bubbles, key=lambda bubble: (bubble.at, bubble.label))
    body = [
        (plain(one.label), one.at, one.effect, one.low, one.high, one.weight) for one in ordered
    ]
    return [HEADER, *body]


def svg(id: str, title: str, bubbles: Sequence[Bubble], fitted: Fitted, null: float) -> Markup:
    """The studies as bubbles, the line through them, and no difference.

    Raises:
        Refused: for an effect outside its interval, or a ratio that is not above 0.
    """
    for bubble in bubbles:
        sound(bubble.label, bubble.effect, bubble.low, bubble.high, null)
    least, most = min(one.at for one in bubbles), max(one.at for one in bubbles)
    across = axis([least, most], None, LEFT, WIDTH - LEFT - RIGHT)
    ends = [fitted.effect(at, null) for at in (least, most)]
    up = _upwards([*ends, *(one.effect for one in bubbles)], null)
    line = "L".join(
        f"{across.at(at):.1f} {up.at(end):.1f}" for at, end in zip((least, most), ends, strict=True)
    )
    heaviest = max((one.weight or 0 for one in bubbles), default=0)
    drawn = [
        DOTTED.format(d=f"M{LEFT} {up.at(null):.1f}H{WIDTH - RIGHT}"),
        *(_bubble(across, up, one, heaviest) for one in bubbles),
        LINE.format(d=f"M{line}", wide=1.6),
        *_effects(up),
        *scale_line(across, TOP + TALL),
        LABEL.format(
            x=(LEFT + WIDTH - RIGHT) // 2,
            y=TOP + TALL + 38,
            more=MIDDLE + QUIET,
            text=plain(fitted.label),
        ),
    ]
    small, height = note(_key(null), TOP + TALL + 62, WIDTH)
    desc = _description(bubbles, fitted, ends)
    heading = f"Bubble plot: {title} by {fitted.label}"
    return frame("bubbles", id, heading, desc, WIDTH, height, [*drawn, *small])


def _upwards(values: Sequence[float], null: float) -> Axis:
    """The axis of effects, the largest at the top: its `left` is the foot, its width runs upwards."""
    across = axis(values, null, 0, TALL)
    return Axis(TOP + TALL, -TALL, across.low, across.high, across.ratio)


def _bubble(across: Axis, up: Axis, bubble: Bubble, heaviest: float) -> Markup:
    share = (bubble.weight or 0) / heaviest if heaviest else 0
    figures = told(bubble.effect, bubble.low, bubble.high)
    text = f"{plain(bubble.label)}: {figures} at {number(bubble.at)}"
    radius = max(SMALLEST, LARGEST * sqrt(share))
    return _BUBBLE.format(x=across.at(bubble.at), y=up.at(bubble.effect), r=radius, text=text)


def _effects(up: Axis) -> list[Markup]:
    """The axis of effects at the left."""
    ticks = up.ticks()
    labels = [
        LABEL.format(x=LEFT - 9, y=f"{up.at(tick) + 4:.0f}", more=END, text=number(tick))
        for tick in ticks
    ]
    marks = "".join(f"M{LEFT} {up.at(tick):.1f}h-5" for tick in ticks)
    return [LINE.format(d=f"M{LEFT} {TOP}V{TOP + TALL}{marks}", wide=0.8), *labels]


def _key(null: float) -> str:
    return (
        "Bubbles: studies, the larger the more weight they have. Solid line: the meta-regression. Dotted line: no "
        f"difference ({number(null)}). Studies differ in other ways too, so a slope is no proof of a cause."
    )


def _description(bubbles: Sequence[Bubble], fitted: Fitted, ends: Sequence[float]) -> str:
    least, most = min(one.at for one in bubbles), max(one.at for one in bubbles)
    return (
        f"{len(bubbles)} studies by {fitted.label}; the fitted effect is {size(ends[0])} at {number(least)} and "
        f"{size(ends[1])} at {number(most)}. {BELOW}"
    )
