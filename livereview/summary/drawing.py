"""What pictures of numbers are drawn with: the frame, labels cut to their room, the axis and
intervals on it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, exp, floor, isfinite, log, log10
from statistics import median_low
from textwrap import wrap
from unicodedata import east_asian_width

from markupsafe import Markup

from livereview.errors import Refused
from livereview.messages import mark, say
from livereview.summary.words import number, size, tidy

# an interval wider than this many typical ones ends in an arrow, so that the others can be read
FAR = 3
BELOW = mark("The table below has the same content.")
GOES_ON = mark("Arrow: the interval goes on beyond the plot.")
LABEL = Markup('<text x="{x:.0f}" y="{y}"{more}>{text}</text>')
MIDDLE, END, BOLD = (
    Markup(' text-anchor="middle"'),
    Markup(' text-anchor="end"'),
    Markup(' font-weight="600"'),
)
QUIET = Markup(' font-size="11" opacity="0.8"')
RULE = Markup('<path d="M0 {y}H{width}" stroke="currentColor" stroke-opacity="0.25" fill="none"/>')
LINE = Markup('<path d="{d}" stroke="currentColor" stroke-width="{wide}" fill="none"/>')
DOTTED = Markup(
    '<path d="{d}" stroke="currentColor" stroke-width="1.4" stroke-dasharray="1 4" fill="none"/>'
)
_FRAME = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{kind}-{id}-t {kind}-{id}-d" '
    'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
    '<title id="{kind}-{id}-t">{title}</title><desc id="{kind}-{id}-d">{desc}</desc>{parts}</svg>'
)
BOX = Markup('<path d="M{x:.1f} {y}m-4 -4h8v8h-8z"/>')
# units around a picture that is a file of its own; the size of its title's letters
MARGIN, HEADING = 20, 17
_ROOT = re.compile(
    # the first viewBox is the only one that is tried
    r'(<svg (?:(?!viewBox)[^>])*)viewBox="0 0 (\d+) (\d+)"'
    r"([^>]*>)(<title[^>]*>([^<]*)</title>.*)</svg>",
    re.DOTALL,
)
_ALONE = Markup(
    '{before}viewBox="-{margin} -{top} {wide} {tall}" width="{wide}" height="{tall}" color="#1c2430"{after}{inner}'
    "<style>svg{{background:#fff;max-width:100%;height:auto}}"
    "@media screen and (prefers-color-scheme:dark){{svg{{background:#14181d;color:#e6e9ed}}}}</style>{title}</svg>"
)
_TITLE = Markup('<text x="0" y="{y}" font-size="{size}" font-weight="600">{text}</text>')


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` over `wide` units from `left`.

    Ratios (low and high too) stand by their logs.
    """

    left: float
    wide: float
    low: float
    high: float
    ratio: bool

    def at(self, value: float) -> float:
        """Where a value on its own scale stands, in units."""
        return self.left + self.wide * ((log(value) if self.ratio else value) - self.low) / (
            self.high - self.low
        )

    def inside(self, value: float) -> float:
        """The same, but never beyond the ends."""
        return min(max(self.at(value), self.left), self.left + self.wide)

    def ticks(self) -> list[float]:
        """Two to six round values.

        On a ratio scale 1, 2 and 5 of each power of ten, on a long one powers alone.
        """
        if not self.ratio:
            return _even(self.low, self.high)
        whole = range(floor(self.low / log(10)), ceil(self.high / log(10)) + 1)
        fine = [
            value
            for n in whole
            for value in (10.0**n, 2 * 10.0**n, 5 * 10.0**n)
            if self._holds(value)
        ]
        if len(fine) < 3:
            return _even(exp(self.low), exp(self.high))
        if len(fine) <= 6:
            return fine
        apart = ceil(len(whole) / 6)
        return [10.0**n for n in whole if n % apart == 0 and self._holds(10.0**n)]

    def _holds(self, value: float) -> bool:
        return self.low <= log(value) <= self.high


def _even(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, two to six of them."""
    raw = (high - low) / 5
    power = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    return [n * step for n in range(ceil(low / step), floor(high / step) + 1)]


def axis(values: Iterable[float], null: float | None, left: float, wide: float) -> Axis:
    """An axis that holds the values and the null; by logs where the null is 1.

    Values are checked by `sound`.
    """
    bend = log if null == 1 else float
    bent = [bend(value) for value in (*values, *(() if null is None else (null,)))] or [0.0]
    low, high = min(bent), max(bent)
    room = (high - low) * 0.04 or max(abs(low) * 0.5, 0.5)
    return Axis(left, wide, low - room, high + room, null == 1)


def near(points: Iterable[tuple[float, float, float]], null: float | None) -> list[float]:
    """The values that an axis should hold: all estimates, and the ends of all intervals but the
    very wide ones.
    """
    bend = log if null == 1 else float
    sized = [(bend(high) - bend(low), one) for one in points for _, low, high in [one]]
    most = FAR * median_low([wide for wide, _ in sized if wide > 0] or [0.0])
    return [value for wide, one in sized for value in (one if wide <= most else one[:1])]


def sound(where: str, value: float, low: float, high: float, null: float | None) -> None:
    """Raises Refused unless the estimate lies in its interval, and above zero where it is a ratio."""
    if not all(map(isfinite, (value, low, high))) or not low <= value <= high:
        raise Refused(
            f"{where}: an estimate must lie within its interval; it was {value} ({low} to {high})"
        )
    if null == 1 and low <= 0:
        raise Refused(f"{where}: a ratio must be above 0; it was {value} ({low} to {high})")


def frame(
    kind: str, id: str, title: str, desc: str, width: int, height: int, parts: Iterable[Markup]
) -> Markup:
    """The whole picture.

    Raises:
        Refused: for an id that would break the reference from the picture to its title.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", id):
        raise Refused(
            f"a picture's id has only letters, digits, hyphens, dots and underscores; it was {id!r}"
        )
    inner = Markup("").join(parts)
    return _FRAME.format(
        kind=kind, id=id, title=plain(title), desc=desc, width=width, height=height, parts=inner
    )


def alone(svg: Markup) -> Markup:
    """A picture as a file of its own, where no page tells what it shows and in which colours.

    It gets its title as text, a margin, a size (it shrinks on narrow screens), and ink and paper
    for light and for dark screens, in the page's colours; on paper it is dark on white. Raises
    ValueError for what no picture here looks like.
    """
    found = _ROOT.fullmatch(svg)
    if found is None:
        raise ValueError(f"not a picture of this program: {svg[:80]!r}")
    width, height = int(found[2]), int(found[3])
    # pieces of Markup are Markup
    before, after, inner, title = (svg[slice(*found.span(n))] for n in (1, 4, 5, 6))
    told = lines(title.unescape(), width, 2, HEADING)
    top = MARGIN + 12 + 24 * len(told)
    heading = [
        _TITLE.format(y=MARGIN + 16 + 24 * n - top, size=HEADING, text=line)
        for n, line in enumerate(told)
    ]
    return _ALONE.format(
        before=before,
        margin=MARGIN,
        top=top,
        wide=width + 2 * MARGIN,
        tall=height + top + MARGIN,
        after=after,
        inner=inner,
        title=Markup("").join(heading),
    )


def sentence(kind: str, id: str, title: str, words: str) -> Markup:
    """A picture of nothing yet: one sentence, which is its description too."""
    return frame(kind, id, title, words, 640, 40, [LABEL.format(x=0, y=24, more="", text=words)])


def plain(text: str) -> str:
    """The text on one line, without what would break XML or turn the direction of writing."""
    return " ".join(tidy(text).split())


def span(text: str, font: int = 13) -> float:
    """About how wide a text is, in units; on the wide side, as fonts differ."""
    return font * sum(map(_em, text))


def _em(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 1.0
    if letter in "mwMW%@…":
        return 1.0
    if letter in "fijlrt .,:;'|!()[]":
        return 0.4
    return 0.73 if letter.isupper() else 0.63


def cut(text: str, room: float, font: int = 13) -> str:
    """The text on one line, cut with … where it is wider than `room` units."""
    clean = plain(text)
    widths = list(accumulate(font * _em(letter) for letter in clean))
    if not clean or widths[-1] <= room:
        return clean
    return f"{clean[: bisect(widths, room - font)].rstrip()}…"


def lines(text: str, room: float, most: int, font: int = 13) -> list[str]:
    """The text on at most `most` lines of `room` units, the last cut with …; at least one line."""
    clean = cut(text, room * most, font)
    letters = max(4, int(room * len(clean) / (span(clean, font) or 1)))
    return wrap(clean, letters, max_lines=most, placeholder="…") or [""]


def note(words: str, y: int, width: int) -> tuple[list[Markup], int]:
    """What the shapes mean, in small print from `y` on; and where the next line would stand."""
    told = wrap(words, int(width / 6.7))
    return [
        LABEL.format(x=0, y=y + 15 * n, more=QUIET, text=line) for n, line in enumerate(told)
    ], y + 15 * len(told)


def scale_line(one: Axis, y: int) -> list[Markup]:
    """The axis: a line at `y` with marks and figures under it."""
    at = one.ticks()
    marks = "".join(f"M{one.at(tick):.1f} {y}v5" for tick in at)
    told = [LABEL.format(x=one.at(tick), y=y + 18, more=MIDDLE, text=number(tick)) for tick in at]
    return [LINE.format(d=f"M{one.left:.1f} {y}h{one.wide:.1f}{marks}", wide=0.8), *told]


def interval(one: Axis, low: float, high: float, y: int) -> Markup:
    """A line from low to high; it ends in an arrow where it goes on beyond the plot."""
    left, right = one.inside(low), one.inside(high)
    before = f"M{left + 5:.1f} {y - 4}l-5 4l5 4" if beyond(one, low, low) else ""
    after = f"M{right - 5:.1f} {y - 4}l5 4l-5 4" if beyond(one, high, high) else ""
    return LINE.format(d=f"M{left:.1f} {y}H{right:.1f}{before}{after}", wide=1.4)


def beyond(one: Axis, low: float, high: float) -> bool:
    """Whether an interval goes on beyond the plot."""
    return one.at(low) < one.left - 0.05 or one.at(high) > one.left + one.wide + 0.05


def told(value: float, low: float, high: float) -> str:
    """An estimate with its interval, as the page says it."""
    return say("{value} ({low} to {high})", value=size(value), low=size(low), high=size(high))
