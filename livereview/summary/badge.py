"""A badge for other sites: whether a review is living, and to which day it is current.

It is a picture of two words and a date, never of an answer: an answer is not to be had without its
certainty and its caveat.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from livereview.messages import mark, say
from livereview.summary import drawing
from livereview.summary.model import Summary

HEIGHT, FONT, PAD = 24, 12, 9  # units
GREEN, AMBER, GREY, DARK = "#1d6b3c", "#8a3b00", "#515c65", "#1a2126"
"""Behind white letters; each has a contrast of at least 6."""

SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t" width="{wide}" height="{high}" '
    'viewBox="0 0 {wide} {high}" font-family="system-ui, sans-serif" font-size="{font}" fill="#fff">'
    '<title id="t">{title}</title><rect width="{wide}" height="{high}" rx="4" fill="{dark}"/>'
    '<path d="M{left} 0H{stop}a4 4 0 0 1 4 4V{low}a4 4 0 0 1-4 4H{left}Z" fill="{colour}"/>'
    '<text x="{pad}" y="16">{first}</text><text x="{second_x}" y="16">{second}</text></svg>'
)


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says, in two parts, and the colour of the second."""

    first: str
    second: str
    colour: str


def badge_of(summary: Summary) -> Badge:
    """What is true of the review: the words say it, the colour only repeats it."""
    status = summary.status
    first = say(mark("living review"))
    if status.state == "retired":
        return Badge(first, say(mark("retired: no longer updated")), GREY)
    if status.state == "paused":
        return Badge(first, say(mark("paused: not being updated")), GREY)
    if not status.searched_to:
        return Badge(first, say(mark("searches not complete yet")), AMBER)
    day = status.searched_to_display
    if status.stale:
        return Badge(first, say(mark("behind: current to {date} only"), date=day), AMBER)
    return Badge(first, say(mark("current to {date}"), date=day), GREEN)


def svg(summary: Summary) -> Markup:
    """The badge as a picture of its own, its words its title too."""
    badge = badge_of(summary)
    left = round(drawing.span(badge.first, FONT)) + 2 * PAD
    wide = left + round(drawing.span(badge.second, FONT)) + 2 * PAD
    return SVG.format(
        wide=wide,
        high=HEIGHT,
        font=FONT,
        title=f"{badge.first}: {badge.second}",
        dark=DARK,
        left=left,
        stop=wide - 4,
        low=HEIGHT - 4,
        colour=badge.colour,
        pad=PAD,
        first=badge.first,
        second_x=left + PAD,
        second=badge.second,
    )
