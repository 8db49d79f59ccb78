"""What each published version said, one under the other: the estimate where there was one, the
state in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from livereview.messages import many, say
from livereview.summary.drawing import (
    BELOW,
    DOTTED,
    END,
    GOES_ON,
    LABEL,
    MIDDLE,
    QUIET,
    RULE,
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

ROW, NAMES, PLOT, TOP = 44, 240, 300, 28  # units
HEADER = ("Version", "Date", "State", "Estimate", "95% interval, low", "95% interval, high")
_DOT = Markup('<circle cx="{x:.1f}" cy="{y}" r="4.5"/>')
_PATH = Markup('<path d="{d}" stroke="currentColor" stroke-opacity="0.45" fill="none"/>')


@dataclass(frozen=True, slots=True)
class Version:
    """What one version said of an outcome; `date` and `state` in words.

    No estimate: value, low and high are None.
    """

    number: int
    date: str
    value: float | None
    low: float | None
    high: float | None
    state: str


def rows(versions: Sequence[Version]) -> list[tuple[str, ...]]:
    """The picture as a table, header first: one row a version, in order.

    Unknown figures are empty.
    """
    return [HEADER, *((str(v.number), plain(v.date), plain(v.state), *_sized(v)) for v in versions)]


def _sized(one: Version) -> tuple[str, str, str]:
    if one.value is None:
        return "", "", ""
    return (
        size(one.value),
        "" if one.low is None or one.high is None else size(one.low),
        "" if one.low is None or one.high is None else size(one.high),
    )


def svg(id: str, title: str, versions: Sequence[Version], null: float | None = None) -> Markup:
    """One row a version, in order: its estimate with the interval, or its state in words where
    there is none.

    Args:
        null: Where "no difference" lies: 1 draws ratios by their logs, None draws no such line.

    Raises:
        Refused: for an estimate outside its interval and a ratio that is not above zero.
    """
    heading = say("Version by version: {title}", title=title)
    if not versions:
        return sentence("over-time", id, heading, say("No version has been published yet."))
    points = [_point(one, null) for one in versions]
    if any(points):
        scale = axis(near([one for one in points if one], null), null, NAMES + 12, PLOT - 24)
    else:
        scale = None
    width = NAMES + PLOT + max(180, 14 + int(max(span(_figures(one)) for one in versions)))
    bottom = TOP + ROW * len(versions)
    parts = [_row(one, TOP + ROW * n, width) for n, one in enumerate(versions)]
    if scale:
        parts += _estimates(scale, points, null, bottom)
    small, height = note(_key(scale, points, null), bottom + (38 if scale else 6), width)
    return frame("over-time", id, heading, _description(versions), width, height, [*parts, *small])


Point = tuple[float, float, float]  # the estimate, and its interval's ends


def _point(one: Version, null: float | None) -> Point | None:
    if one.value is None:
        return None
    low, high = (
        (one.value, one.value) if one.low is None or one.high is None else (one.low, one.high)
    )
    sound(f"version {one.number}", one.value, low, high, null)
    return one.value, low, high


def _figures(one: Version) -> str:
    if one.value is None:
        return say("no estimate")
    if one.low is None or one.high is None:
        return say("{value} (no interval)", value=size(one.value))
    return told(one.value, one.low, one.high)


def _row(one: Version, y: int, width: int) -> Markup:
    name = cut(say("Version {number}, {date}", number=one.number, date=one.date), NAMES - 6)
    parts = [
        RULE.format(y=y + ROW // 2, width=width),
        LABEL.format(x=0, y=y if one.value is not None else y + 4, more="", text=name),
        LABEL.format(x=width, y=y + 4, more=END, text=_figures(one)),
    ]
    if one.value is not None:
        parts.append(LABEL.format(x=0, y=y + 15, more=QUIET, text=cut(one.state, NAMES - 6, 11)))
    else:
        parts.append(
            LABEL.format(x=NAMES + PLOT // 2, y=y + 4, more=MIDDLE, text=cut(one.state, PLOT - 20))
        )
    return Markup("").join(parts)


def _estimates(
    scale: Axis, points: Sequence[Point | None], null: float | None, bottom: int
) -> list[Markup]:
    """Points and intervals, thin lines between neighbours, the line of no difference and the axis."""
    places = [(scale.at(one[0]), TOP + ROW * n) if one else None for n, one in enumerate(points)]
    links = [f"M{a[0]:.1f} {a[1]}L{b[0]:.1f} {b[1]}" for a, b in pairwise(places) if a and b]
    parts = [_PATH.format(d="".join(links))] if links else []
    for one, place in zip(points, places, strict=True):
        if one and place:
            parts += [
                interval(scale, one[1], one[2], place[1]),
                _DOT.format(x=place[0], y=place[1]),
            ]
    if null is not None:
        spans = (f"M{scale.at(null):.1f} {place[1] - ROW // 2}v{ROW}" for place in places if place)
        parts.append(DOTTED.format(d="".join(spans)))  # not through the words of the other rows
    return [*parts, *scale_line(scale, bottom - 6)]


def _key(scale: Axis | None, points: Sequence[Point | None], null: float | None) -> str:
    if scale is None:
        return say("Words in the middle: what the version said, as it gave no estimate.")
    words = [say("Dots: the estimate that the version gave, with its 95% interval.")]
    if None in points:
        words.append(say("Words in the middle: what a version without an estimate said."))
    if null is not None:
        words.append(say("Dotted line: no difference ({null}).", null=number(null)))
    if any(beyond(scale, one[1], one[2]) for one in points if one):
        words.append(say(GOES_ON))
    return " ".join(words)


def _description(versions: Sequence[Version]) -> str:
    last = versions[-1]
    count = many("One version", "{n} versions", len(versions))
    newest = say(
        "the newest is version {number} of {date}: {state}, {figures}.",
        number=last.number,
        date=plain(last.date),
        state=plain(last.state),
        figures=_figures(last),
    )
    return f"{count}; {newest} {say(BELOW)}"
