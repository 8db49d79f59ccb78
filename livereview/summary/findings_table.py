"""The summary of findings as Cochrane's table has it, one for each comparison.

Assumed and corresponding risk with its interval, relative effect, people and studies, certainty with
footnotes, and what it means in words (Cochrane Handbook 14.1). Also as a picture for slides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal

from markupsafe import Markup

from livereview.evidence import wording, wording_checks
from livereview.evidence.finding import Estimate, Finding
from livereview.evidence.per_thousand import people, risks_shown
from livereview.messages import mark, say
from livereview.summary import drawing, glance, words
from livereview.summary.drawing import BOLD, LABEL, QUIET, RULE

Cell = str | int | float | None
COLUMNS = (
    "comparison",
    "outcome",
    "state",
    "side",
    "good",
    "follow_up_months_from",
    "follow_up_months_to",
    "risk_without_per_1000",
    "risk_with_per_1000",
    "risk_with_low",
    "risk_with_high",
    "risk_source",
    "measure",
    "effect",
    "ci_low",
    "ci_high",
    "prediction_low",
    "prediction_high",
    "important_difference",
    "people",
    "studies_without_people",
    "studies",
    "certainty",
    "certainty_reasons",
    "what_it_means",
)
"""Of the table as data, one row a finding."""

COUNTS = ("people", "studies_without_people", "studies")
FIGURES = (
    "follow_up_months_from",
    "follow_up_months_to",
    "risk_without_per_1000",
    "risk_with_per_1000",
    "risk_with_low",
    "risk_with_high",
    "prediction_low",
    "prediction_high",
    "important_difference",
)
KINDS: Mapping[str, Literal["integer", "number"]] = {
    **dict.fromkeys(COUNTS, "integer"),
    **dict.fromkeys(FIGURES, "number"),
}
"""Of the columns that are no text and that no other table has."""

PICTURE_COLUMNS = ((0, 190), (200, 220), (430, 230), (670, 110), (790, 100))
"""(left, room) in units: outcome, what it means, size, evidence, certainty."""
WIDTH = 900
LINE_HEIGHT, PADDING = 16, 14
MOST_LINES = 6
DOT = Markup('<circle cx="{x}" cy="{y}" r="4" fill="{fill}" stroke="currentColor"/>')


@dataclass(frozen=True, slots=True)
class Row:
    """One outcome.

    without, with_it   people in every 1,000; empty where nothing can be said per 1,000
    size               the size in words, where nothing can
    notes              letters of its footnotes
    otherwise          how the answer would read under another choice
    """

    finding: Finding
    tone: str
    state: str
    meaning: str
    follow_up: str
    without: str
    with_it: str
    with_range: str
    relative: str
    size: str
    evidence: str
    dots: int
    certainty: str
    notes: tuple[str, ...]
    otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingsTable:
    """One comparison: its rows, and its footnotes as (letter, text)."""

    comparison: str
    label: str
    rows: tuple[Row, ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def per_thousand(self) -> bool:
        """Whether any row can be told in people of 1,000."""
        return any(row.without for row in self.rows)


def findings_tables(findings: Sequence[Finding]) -> tuple[FindingsTable, ...]:
    """A table for each comparison, in the protocol's order."""
    labels = {finding.comparison: finding.comparison_label for finding in findings}
    return tuple(
        _table(id, label, [finding for finding in findings if finding.comparison == id])
        for id, label in labels.items()
    )


def _table(id: str, label: str, findings: Sequence[Finding]) -> FindingsTable:
    texts = {finding.id: _notes(finding) for finding in findings}
    listed = list(dict.fromkeys(text for some in texts.values() for text in some))
    letters = {text: letter(place) for place, text in enumerate(listed)}
    rows = tuple(
        _row(finding, tuple(letters[text] for text in texts[finding.id])) for finding in findings
    )
    return FindingsTable(id, label, rows, tuple((letters[text], text) for text in listed))


def letter(place: int) -> str:
    """ "a", "b" … "z", "aa", "ab" …: of a footnote by its place from 0."""
    more, last = divmod(place, len(ascii_lowercase))
    return (letter(more - 1) if more else "") + ascii_lowercase[last]


def _notes(finding: Finding) -> list[str]:
    """What a reader should know of a row beside its figures."""
    estimate = finding.estimate
    told: list[str] = []
    if finding.certainty:
        told += finding.certainty.reasons
    elif finding.studies:
        told.append(say(mark("Certainty is not rated: {why}."), why=finding.certainty_reason))
    if estimate and estimate.absolute and estimate.absolute.risk is not None:
        told.append(
            say(
                mark("The number without it comes from: {source}."),
                source=estimate.absolute.risk_source,
            )
        )
    told += [
        wording.stands(finding),
        wording_checks.small_studies(finding) or "",
        wording_checks.missing_evidence(finding) or "",
    ]
    return [_sentence(text) for text in told if text]


def _sentence(text: str) -> str:
    """With a capital and a full stop."""
    end = "" if text.endswith((".", "?", "!")) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


def _row(finding: Finding, notes: tuple[str, ...]) -> Row:
    estimate = finding.estimate
    absolute = estimate.absolute if estimate else None
    told_as_risks = absolute is not None and absolute.risk is not None
    return Row(
        finding=finding,
        tone=glance.tone(finding),
        state=words.state(finding),
        meaning=wording.headline(finding),
        follow_up=glance.follow_up(finding),
        **_risks(estimate),
        relative=wording.interval(estimate) if estimate else "",
        size="" if told_as_risks else wording.size(finding),
        evidence=wording.evidence(finding),
        dots=glance.dots(finding.certainty),
        certainty=glance.certainty_in_words(finding),
        notes=notes,
        otherwise=tuple(wording.otherwise(finding)),
    )


def _risks(estimate: Estimate | None) -> dict[str, str]:
    """The cells of both risks; empty where nobody knows how many have the event without it."""
    shown = risks_shown(estimate) if estimate else None
    if shown is None or shown.without is None:
        return {"without": "", "with_it": "", "with_range": ""}
    assert shown.with_it is not None
    assert shown.with_low is not None and shown.with_high is not None
    return {
        "without": people(shown.without),
        "with_it": people(shown.with_it),
        "with_range": words.between(people(shown.with_low), people(shown.with_high)),
    }


def data(findings: Iterable[Finding]) -> list[tuple[Cell, ...]]:
    """Rows in the order of COLUMNS, unrounded; None is unknown."""
    return [_data(finding) for finding in findings]


def _data(finding: Finding) -> tuple[Cell, ...]:
    values: Mapping[str, Cell] = {
        "comparison": finding.comparison_label,
        "outcome": finding.outcome_label,
        "state": finding.state,
        "side": finding.side,
        "good": _yes_or_no(finding.good),
        "important_difference": finding.important,
        "people": finding.people,
        "studies_without_people": finding.people_unknown,
        "studies": len(finding.counted),
        "certainty": finding.certainty.level if finding.certainty else None,
        "certainty_reasons": "; ".join(finding.certainty.reasons) if finding.certainty else None,
        "what_it_means": wording.headline(finding),
        **_months(finding),
        **_sizes(finding),
    }
    return tuple(values.get(column) for column in COLUMNS)


def _yes_or_no(answer: bool | None) -> str | None:
    if answer is None:
        return None
    return "yes" if answer else "no"


def _months(finding: Finding) -> dict[str, Cell]:
    months = [study.months for study in finding.counted if study.months is not None]
    if not months:
        return {}
    return {"follow_up_months_from": min(months), "follow_up_months_to": max(months)}


def _sizes(finding: Finding) -> dict[str, Cell]:
    estimate = finding.estimate
    if estimate is None:
        return {}
    told: dict[str, Cell] = {
        "measure": estimate.measure,
        "effect": estimate.value,
        "ci_low": estimate.low,
        "ci_high": estimate.high,
        "prediction_low": estimate.prediction_low,
        "prediction_high": estimate.prediction_high,
    }
    absolute = estimate.absolute
    if absolute is not None:
        told["risk_source"] = absolute.risk_source
    if absolute is not None and absolute.risk is not None:
        told |= {
            "risk_without_per_1000": absolute.risk,
            "risk_with_per_1000": absolute.with_it,
            "risk_with_low": absolute.risk + absolute.low,
            "risk_with_high": absolute.risk + absolute.high,
        }
    return told


# The same as a picture


def svg(id: str, table: FindingsTable, review: str) -> Markup:
    """The table as a picture for a slide: a row an outcome, in words and figures.

    Args:
        id: of the picture, used in its elements' ids.
        table: what it shows.
        review: the review's title, which stands below it wherever the picture goes.
    """
    heads = (
        say(mark("Outcome")),
        say(mark("What the evidence says")),
        say(mark("How large")),
        say(mark("Studies and people")),
        say(mark("Certainty")),
    )
    parts: list[Markup] = []
    for (left, room), head in zip(PICTURE_COLUMNS, heads, strict=True):
        parts += _block(left, room, head, 14, BOLD)
    y = 14 + 2 * LINE_HEIGHT
    for row in table.rows:
        parts.append(RULE.format(y=y, width=WIDTH))
        drawn, height = _drawn(row, y + PADDING + 4)
        parts += drawn
        y += height + PADDING
    parts.append(RULE.format(y=y, width=WIDTH))
    source = say(mark("From the living review “{title}”"), title=review)
    parts.append(LABEL.format(x=0, y=y + 20, more=QUIET, text=drawing.cut(source, WIDTH, 11)))
    desc = say(mark("The same as the table on the page, without its footnotes."))
    title = say(mark("Summary of findings: {comparison}"), comparison=table.label)
    return drawing.frame("summary-of-findings", id, title, desc, WIDTH, y + 26, parts)


def _drawn(row: Row, y: int) -> tuple[list[Markup], int]:
    """One outcome's texts, and how high they stand."""
    size = row.size or row.relative
    if row.without:
        size = say(
            mark("{without} in every 1,000 without it, {with_it} with it ({range}). {relative}."),
            without=row.without,
            with_it=row.with_it,
            range=row.with_range,
            relative=row.relative,
        )
    evidence = wording.studies_and_people(row.finding)
    texts = (
        row.finding.outcome_label,
        row.state,
        size or "–",
        evidence,
        row.certainty,
    )
    styles = (BOLD, BOLD, "", "", "")
    parts: list[Markup] = []
    most = 1
    for (left, room), text, style in zip(PICTURE_COLUMNS, texts, styles, strict=True):
        block = _block(left, room, text, y, style)
        parts += block
        most = max(most, len(block))
    if row.dots:
        left = PICTURE_COLUMNS[-1][0]
        parts += [_dot(left, y + LINE_HEIGHT - 2, n, row.dots) for n in range(glance.MOST_CERTAIN)]
        most = max(most, 2)
    return parts, most * LINE_HEIGHT + PADDING


def _dot(left: int, y: int, place: int, filled: int) -> Markup:
    return DOT.format(
        x=left + 5 + 13 * place, y=y, fill="currentColor" if place < filled else "none"
    )


def _block(left: int, room: int, text: str, y: int, style: str) -> list[Markup]:
    return [
        LABEL.format(x=left, y=y + LINE_HEIGHT * n, more=style or QUIET, text=line)
        for n, line in enumerate(drawing.lines(text, room, MOST_LINES))
    ]
