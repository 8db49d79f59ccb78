"""The first screen: one card for each main outcome, what it costs, and how current all of it is.

A card says a finding's state, size, certainty and how much evidence it rests on, all of it from the
Finding and the table of words; what is drawn beside a figure is the same figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livereview.evidence import wording
from livereview.evidence.finding import Certainty, Estimate, Finding
from livereview.evidence.per_thousand import both_in_words, risks_shown
from livereview.messages import mark, say
from livereview.summary import bars, words
from livereview.summary.bars import Bar, Strip
from livereview.summary.model import Summary
from livereview.summary.model.studies import ReportedCost

CARDS = 3
"""Cards of findings that a first screen has at least, where there is so much evidence."""

SAYING = ("effect", "little_or_no_difference", "disagree")
"""States that always have a card: they are what a reader may act on, or must not miss."""

DOTS = 100
"""Dots of a pictograph: one stands for ten of 1,000 people."""
ROW = 25  # dots in a row
PER_DOT = 10  # people

LEVELS = {"high": 4, "moderate": 3, "low": 2, "very_low": 1}
MOST_CERTAIN = 4

TONES: Mapping[str, str] = {
    "little_or_no_difference": "level",
    "disagree": "mixed",
    "too_little": "lacking",
    "no_studies": "lacking",
    "not_yet_assessed": "lacking",
    "not_asked": "lacking",
}
"""By state; an effect's tone is whether it is good for people."""

REMAINDER: Mapping[str, str] = {
    "too_little": mark("Too little evidence:"),
    "no_studies": mark("No studies:"),
    "not_yet_assessed": mark("Not yet assessed:"),
}


@dataclass(frozen=True, slots=True)
class Pictograph:
    """Of 100 dots, each ten people, how many have the event; as paths of an SVG.

    both       with and without the intervention
    difference the dots that the intervention adds or takes away
    rest       neither
    """

    both: str
    difference: str
    rest: str
    more: bool
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """One finding at a glance.

    comparison   its label where the review has several, else empty
    figure       a difference per 1,000 people, large; empty where there is none
    figure_range its interval
    size         the sentence on its size, where there is no figure
    sides        what lies to the left and to the right of no difference
    dots         how many of four are filled; 0: not rated
    certainty    in words
    evidence     studies and people
    when         months after the start, in words; empty: not reported
    changed      what changed in this version; empty: nothing
    weighing     whether new evidence is being weighed
    cost         what one fewer, or more, costs; empty: it can't be said
    """

    finding: Finding
    comparison: str
    tone: str
    state: str
    figure: str
    figure_range: str
    size: str
    pictograph: Pictograph | None
    strip: Strip | None
    bar: Bar | None
    sides: tuple[str, str]
    dots: int
    certainty: str
    evidence: str
    when: str
    changed: str
    weighing: bool
    cost: str


@dataclass(frozen=True, slots=True)
class CostCard:
    """What it costs: the protocol's bands with the one that holds, and a sentence.

    figure   the only cost that is reported, where there is no band; empty: there is none, or several
    """

    band: str | None
    figure: str
    place: int
    bands: tuple[str, ...]
    text: str
    studies: int


@dataclass(frozen=True, slots=True)
class Remainder:
    """Outcomes without a card, by why: "Too little evidence: health, education"."""

    state: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Glance:
    """The first screen below the answer."""

    cards: tuple[Card, ...]
    cost: CostCard | None
    remainder: tuple[tuple[str, tuple[Remainder, ...]], ...]


def glance(summary: Summary, findings: Sequence[Finding]) -> Glance:
    """The first screen of a version.

    Args:
        summary: its summary.json, for costs and for what changed.
        findings: as the version shows them.
    """
    main = main_outcomes(findings)
    several = len({finding.comparison for finding in findings}) > 1
    changes = {change.finding: change.display for change in summary.changed.findings}
    prices = {row.finding: row.display for row in summary.costs.per_outcome}
    cards = tuple(
        _card(
            finding,
            several=several,
            changed=changes.get(finding.id, ""),
            cost=prices.get(finding.id, ""),
        )
        for finding in main
    )
    shown = {finding.id for finding in main}
    others = [finding for finding in findings if finding.id not in shown]
    return Glance(cards, _cost(summary), _remainder(others, several))


def main_outcomes(findings: Sequence[Finding]) -> list[Finding]:
    """Findings that have a card, bad news first.

    All that say something; then, until there are CARDS, those with too little evidence in the
    protocol's order. Outcomes that nobody has measured have a card where there is none else.
    """
    saying = [finding for finding in findings if finding.state in SAYING]
    little = [finding for finding in findings if finding.state == "too_little"]
    room = max(0, CARDS - len(saying))
    cards = [*wording.in_order(saying), *little[:room]]
    if cards:
        return cards
    return [finding for finding in findings if finding.state != "not_asked"][:CARDS]


def tone(finding: Finding) -> str:
    """By which colour and sign a card is marked; words always say the same."""
    if finding.state != "effect":
        return TONES[finding.state]
    if finding.kind in words.OTHER_EFFECTS or finding.good is None:
        return "level"
    return "good" if finding.good else "bad"


def dots(certainty: Certainty | None) -> int:
    """How many of four dots are filled; 0 where nobody rated it."""
    return LEVELS[certainty.level] if certainty else 0


def certainty_in_words(finding: Finding) -> str:
    """ "moderate", or that nobody has rated it."""
    if finding.certainty is None:
        return say(mark("not rated yet")) if finding.studies else "–"
    return say(words.LEVELS[finding.certainty.level])


def follow_up(finding: Finding) -> str:
    """When it was measured: "12 months", "6 to 24 months"; empty where no study says."""
    months = sorted({study.months for study in finding.counted if study.months is not None})
    if not months:
        return ""
    first, last = words.number(months[0]), words.number(months[-1])
    if first == last:
        return say(mark("{n} months"), n=first)
    return say(mark("{first} to {last} months"), first=first, last=last)


def _card(finding: Finding, *, several: bool, changed: str, cost: str) -> Card:
    estimate = finding.estimate
    risks = risks_shown(estimate) if estimate else None
    figure, figure_range, size = "", "", ""
    dots_of_people: Pictograph | None = None
    strip: Strip | None = None
    bar: Bar | None = None
    if estimate is not None and risks is not None and finding.state in SAYING:
        figure = risks.in_words
        figure_range = words.between(risks.low_in_words, risks.high_in_words)
        dots_of_people = pictograph(estimate)
    else:
        size = wording.size(finding)
        single = bars.single(finding)
        if single:
            strip, bar = single
    return Card(
        finding=finding,
        comparison=finding.comparison_label if several else "",
        tone=tone(finding),
        state=words.state(finding),
        figure=figure,
        figure_range=figure_range,
        size=size,
        pictograph=dots_of_people,
        strip=strip,
        bar=bar,
        sides=bars.sides(finding),
        dots=dots(finding.certainty),
        certainty=certainty_in_words(finding),
        evidence=wording.studies_and_people(finding),
        when=follow_up(finding),
        changed=changed,
        weighing=finding.weighing is not None,
        cost=cost,
    )


def pictograph(estimate: Estimate) -> Pictograph | None:
    """The two risks as dots; it never shows more than the text beside it says.

    The dots between them are those of the difference: as many as the reader is told. None where
    nobody knows how many have the event without it.
    """
    shown = risks_shown(estimate)
    text = both_in_words(estimate)
    if shown is None or shown.without is None or text is None:
        return None
    without = _to_dots(shown.without)
    with_it = min(DOTS, max(0, without + _to_dots(shown.difference)))
    both, either = min(without, with_it), max(without, with_it)
    return Pictograph(
        both=_path(0, both),
        difference=_path(both, either),
        rest=_path(either, DOTS),
        more=with_it > without,
        text=text,
    )


def _to_dots(per_thousand: float) -> int:
    return round(per_thousand / PER_DOT)


def _path(first: int, end: int) -> str:
    """Dots from `first` on, as points of a line with round ends."""
    return "".join(f"M{4 * (n % ROW) + 2} {4 * (n // ROW) + 2}h0" for n in range(first, end))


def _cost(summary: Summary) -> CostCard | None:
    """What it costs; None where the review does not ask."""
    costs = summary.costs
    if not costs.rows and not summary.review.emmie:
        return None
    studies = len({row.study for row in costs.rows})
    if costs.protocol:
        bands = tuple(band.label for band in costs.protocol.bands)
    else:
        bands = ()
    band = costs.per_unit.band if costs.per_unit else None
    only = _only_cost(summary)
    return CostCard(
        band=band,
        figure=_amount(only) if only else "",
        place=bands.index(band) + 1 if band in bands else 0,
        bands=bands,
        text=_of_one_cost(only) if only else costs.display or _no_one_cost(studies),
        studies=studies,
    )


def _only_cost(summary: Summary) -> ReportedCost | None:
    """The one cost that is reported, where it is per unit and nothing was worked out from it.

    A grant or a whole budget says nothing of what it costs to help one person.
    """
    rows = summary.costs.rows
    if len(rows) != 1 or summary.costs.per_unit is not None or rows[0].per is None:
        return None
    return rows[0]


def _amount(cost: ReportedCost) -> str:
    """ "USD 13,337 per young person"."""
    amount = f"{cost.currency} {words.number(cost.amount)}"
    return say(mark("{amount} per {unit}"), amount=amount, unit=cost.per)


def _of_one_cost(cost: ReportedCost) -> str:
    """What an only cost is for, and whose figure it is."""
    return say(
        mark("{what}, as {study} reports it; no other study gives a cost."),
        what=cost.item,
        study=cost.label,
    )


def _no_one_cost(studies: int) -> str:
    if not studies:
        return say(mark("No study in this review reports what it costs."))
    return say(mark("Studies report costs, but not in a form that gives one figure."))


def _remainder(
    findings: Sequence[Finding], several: bool
) -> tuple[tuple[str, tuple[Remainder, ...]], ...]:
    """By comparison (no label where there is but one) the outcomes that have no card."""
    made: list[tuple[str, tuple[Remainder, ...]]] = []
    for label in dict.fromkeys(finding.comparison_label for finding in findings):
        mine = [finding for finding in findings if finding.comparison_label == label]
        rows = [
            Remainder(say(heading), _labels(mine, state))
            for state, heading in REMAINDER.items()
            if _labels(mine, state)
        ]
        if rows:
            made.append((label if several else "", tuple(rows)))
    return tuple(made)


def _labels(findings: Sequence[Finding], state: str) -> tuple[str, ...]:
    return tuple(finding.outcome_label for finding in findings if finding.state == state)
