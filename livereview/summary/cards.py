"""Cards: a picture of a review's answer, or of one finding, for posts that link to it.

Where a link is shared, a site shows this picture beside its title (OpenGraph). It is read without
the page, so it says what the page says first: the question, the answer, how sure, how current.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from livereview.messages import mark, say
from livereview.summary import drawing, glance
from livereview.summary.drawing import LABEL
from livereview.summary.model import Summary
from livereview.summary.model.findings import PublishedFinding

WIDTH, HEIGHT = 600, 315
"""Units; the PNG is twice as large, the size that sites ask for."""

SAYING = ("effect", "little_or_no_difference", "disagree", "too_little")
"""States of a finding that studies stand behind; of the others there is nothing to share."""

LEFT, ROOM = 32, 600
"""Where texts begin, and how wide they may be by `drawing.span`, which is on the wide side."""

TOP, GAP, LOWEST = 44, 10, 282
"""Baseline of the first line, what stands between two texts, and where they must end."""

SMALL, TEXT = 12, 17  # letters
LARGE, SMALLER = (24, 20, 17, 15), (18, 16, 14, 13)
"""Letters that are tried one after the other, until a text has room."""

TITLE_LINES = 2
LEADING = 1.3
SMALL_STYLE = Markup(' font-size="12"')
ON_THE_PAGE = mark("The answer is longer than a card: it stands on the page.")
BAND = Markup('<path d="M0 0H600V10H0Z" fill="#0d5b66"/>')
DOT = Markup(
    '<circle cx="{x}" cy="{y}" r="6" stroke="currentColor" stroke-width="1.5" fill="{fill}"/>'
)


LEVELS = {
    "high": mark("high"),
    "moderate": mark("moderate"),
    "low": mark("low"),
    "very_low": mark("very low"),
}


def of_review(summary: Summary, brief: Sequence[tuple[str, str]]) -> Markup:
    """The card of a review: its question and its answer.

    Args:
        brief: the answer of each comparison with its label, as the page begins with it.
    """
    answers = [text for _, text in brief]
    if len(brief) > 1:
        answers = [f"{label}: {text}" for label, text in brief]
    return _card(
        "review",
        title=summary.review.title,
        large=summary.review.question.text,
        text=" ".join(answers),
        dots=None,
        below=_below(summary, ""),
    )


def of_finding(summary: Summary, finding: PublishedFinding, name: str) -> Markup:
    """The card of one finding: what it means, how large it is, how sure the team is.

    Args:
        name: of the finding's pictures, used in its elements' ids.
    """
    level = finding.certainty.level if finding.certainty else None
    certainty = say(mark("certainty not rated"))
    if level is not None:
        certainty = say(mark("certainty: {level}"), level=say(LEVELS[level]))
    return _card(
        name,
        title=f"{finding.outcome_label}. {summary.review.title}",
        large=finding.headline,
        text=finding.size_display,
        dots=glance.LEVELS[level] if level else None,
        below=_below(summary, certainty),
    )


def _below(summary: Summary, certainty: str) -> str:
    """The small print: how sure, which version, how current."""
    version, status = summary.version, summary.status
    parts = [
        certainty,
        say(mark("version {number}, {date}"), number=version.number, date=version.date_display),
    ]
    if status.state == "retired":
        parts.append(say(mark("retired: no longer updated")))
    elif status.searched_to:
        parts.append(say(mark("searches complete to {date}"), date=status.searched_to_display))
    return " · ".join(part for part in parts if part)


def _card(id: str, *, title: str, large: str, text: str, dots: int | None, below: str) -> Markup:
    """A card. What is said is said whole or not at all: half an answer may be another answer."""
    parts: list[Markup] = [BAND]
    y = _block(parts, TOP, drawing.lines(title, ROOM, TITLE_LINES, TEXT), TEXT, quiet=True)
    for size, lines in _fitted(large, text, y):
        y = _block(parts, y + GAP, lines, size)
    left = LEFT
    if dots is not None:
        parts += [_dot(n, dots) for n in range(glance.MOST_CERTAIN)]
        left += 18 * glance.MOST_CERTAIN + 4
    line = drawing.cut(below, ROOM - (left - LEFT), SMALL)
    parts.append(LABEL.format(x=left, y=HEIGHT - 22, more=SMALL_STYLE, text=line))
    drawn = drawing.frame("card", id, title, below, WIDTH, HEIGHT, parts)
    return Markup(str(drawn).replace("<svg ", '<svg color="#1a2126" ', 1))  # noqa: S704 - our own


def _fitted(large: str, text: str, y: float) -> list[tuple[int, list[str]]]:
    """Both texts in the largest letters in which they have room from `y` on, the first before the
    second; where neither is so short, the second is not said.
    """
    for below in (text, say(ON_THE_PAGE)):
        for size in LARGE:
            for smaller in SMALLER:
                lines, more = _lines(large, size), _lines(below, smaller) if text else []
                high = len(lines) * size * LEADING + GAP + len(more) * smaller * LEADING
                if y + GAP + high <= LOWEST:
                    return [(size, lines), (smaller, more)]
    return [(SMALLER[-1], drawing.lines(say(ON_THE_PAGE), ROOM, 1, SMALLER[-1]))]


def _lines(text: str, size: int) -> list[str]:
    return drawing.lines(text, ROOM, len(text) + 1, size)


def _block(
    parts: list[Markup], y: float, lines: Sequence[str], size: int, quiet: bool = False
) -> float:
    """Put lines of text from `y` on; where the next may stand."""
    style = Markup(' font-size="{size}"{more}').format(
        size=size, more=Markup(' opacity="0.75"') if quiet else Markup(' font-weight="600"')
    )
    for line in lines:
        parts.append(LABEL.format(x=LEFT, y=f"{y:.0f}", more=style, text=line))
        y += size * LEADING
    return y


def _dot(place: int, filled: int) -> Markup:
    fill = "currentColor" if place < filled else "none"
    return DOT.format(x=LEFT + 6 + 18 * place, y=HEIGHT - 26, fill=fill)
