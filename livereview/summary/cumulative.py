"""The cumulative plot: the pooled effect after each step, so that a reader sees when the answer
settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from livereview.messages import many, say
from livereview.summary.drawing import (
    BELOW,
    BOLD,
    BOX,
    DOTTED,
    END,
    GOES_ON,
    LABEL,
    Axis,
    axis,
    beyond,
    cut,
    frame,
    interval,
    near,
    note,
    plain,
    scale_line,
    sentence,
    sound,
    span,
    told,
)
from livereview.summary.words import number, size

ROW, NAMES, PLOT, COUNT, TOP = 28, 200, 300, 70, 46  # units
HEADER = ("Up to", "Studies", "Estimate", "95% interval, low", "95% interval, high")


@dataclass(frozen=True, slots=True)
class Step:
    """The pooled effect after one more study or year, on the outcome's own scale; `k` studies so
    far.
    """

    label: str
    value: float
    ci_low: float
    ci_high: float
    k: int


def rows(steps: Sequence[Step]) -> list[tuple[str, ...]]:
    """The picture as a table, header first: one row a step, in order."""
    body = [
        (plain(s.label), f"{s.k:,}", size(s.value), size(s.ci_low), size(s.ci_high)) for s in steps
    ]
    return [HEADER, *body]


def svg(id: str, title: str, steps: Sequence[Step], null: float) -> Markup:
    """One row a step, in order; the last, in bold, is the estimate of today.

    Ratios stand by their logs (null 1).

    Raises:
        Refused: for an estimate outside its interval and a ratio that is not above zero.
    """
    heading = say("Cumulative plot: {title}", title=title)
    if not steps:
        return sentence("cumulative", id, heading, say("No study gives an estimate yet."))
    for step in steps:
        sound(step.label, step.value, step.ci_low, step.ci_high, null)
    one = axis(
        near(((s.value, s.ci_low, s.ci_high) for s in steps), null), null, NAMES + 12, PLOT - 24
    )
    bottom = TOP + ROW * len(steps)
    width = NAMES + PLOT + COUNT + _figures(steps)
    parts = [
        *_head(width),
        *(_row(one, s, TOP + ROW * n, width, s is steps[-1]) for n, s in enumerate(steps)),
    ]
    parts += [
        DOTTED.format(d=f"M{one.at(null):.1f} {TOP - 18}V{bottom - 8}"),
        *scale_line(one, bottom),
    ]
    small, height = note(_key(one, steps, null), bottom + 44, width)
    return frame("cumulative", id, heading, _description(steps), width, height, [*parts, *small])


def _figures(steps: Sequence[Step]) -> int:
    """Room for the figures at the right, in units."""
    return max(190, 14 + int(max(span(told(s.value, s.ci_low, s.ci_high)) for s in steps) * 1.08))


def _head(width: int) -> list[Markup]:
    return [
        LABEL.format(x=0, y=16, more=BOLD, text=say("Up to")),
        LABEL.format(x=NAMES + PLOT + COUNT - 10, y=16, more=END + BOLD, text=say("Studies")),
        LABEL.format(x=width, y=16, more=END + BOLD, text=say("Estimate (95% interval)")),
    ]


def _row(one: Axis, step: Step, y: int, width: int, last: bool) -> Markup:
    more = BOLD if last else Markup("")
    figures = told(step.value, step.ci_low, step.ci_high)
    return Markup("").join(
        [
            LABEL.format(
                x=0, y=y + 4, more=more, text=cut(step.label, NAMES - (18 if last else 6))
            ),
            interval(one, step.ci_low, step.ci_high, y),
            BOX.format(x=one.at(step.value), y=y),
            LABEL.format(x=NAMES + PLOT + COUNT - 10, y=y + 4, more=END + more, text=f"{step.k:,}"),
            LABEL.format(x=width, y=y + 4, more=END + more, text=figures),
        ]
    )


def _key(one: Axis, steps: Sequence[Step], null: float) -> str:
    words = say(
        "Squares: the estimate from all studies so far, with its 95% interval. "
        "Dotted line: no difference ({null}).",
        null=number(null),
    )
    far = any(beyond(one, step.ci_low, step.ci_high) for step in steps)
    if far:
        return f"{words} {say(GOES_ON)}"
    return words


def _description(steps: Sequence[Step]) -> str:
    last = steps[-1]
    figures = told(last.value, last.ci_low, last.ci_high)
    count = many("One step", "{n} steps", len(steps))
    after = many(
        "after the last, {label}, {n:,} study gives {figures}.",
        "after the last, {label}, {n:,} studies give {figures}.",
        last.k,
        label=plain(last.label),
        figures=figures,
    )
    return f"{count}; {after} {say(BELOW)}"
