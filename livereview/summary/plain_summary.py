"""The plain-language summary: what a reader needs to know in at most 300 words.

Its headings are those of Cochrane's plain language summaries (Methodological Expectations of
Cochrane Intervention Reviews, PLEACS). Sentences that are worked out from the evidence stand apart
from the team's own, and the team's come after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from livereview.evidence import wording
from livereview.evidence.finding import Finding
from livereview.messages import many, mark, say
from livereview.summary.glance import SAYING
from livereview.summary.model import Statement, Summary
from livereview.summary.model.status import Debt

MOST_WORDS = 300
"""Of the whole; Cochrane asks for 400 to 850, which takes a reader more than a minute."""

NAMED_FINDINGS = 3
"""Findings whose size and certainty are told; the table below has all of them."""

NEEDS = ("practice", "policy", "families")
"""Slots of the team's statements on what the evidence means."""

FOR_WHOM = {
    "practice": mark("For practice"),
    "policy": mark("For policy"),
    "families": mark("For families"),
}


@dataclass(frozen=True, slots=True)
class TeamStatement:
    """A sentence of the team.

    prefix     whom it is for; empty where the heading says it
    outdated   that evidence has moved on since they wrote it; empty: it has not
    confidence how well it stands by GRADE-CERQual; empty: not rated
    """

    id: str
    text: str
    prefix: str = ""
    outdated: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What stands under one heading.

    computed   worked out from the evidence
    team       written by the team
    """

    id: str
    heading: str
    computed: tuple[str, ...]
    team: tuple[TeamStatement, ...] = ()

    @property
    def words(self) -> int:
        """How long it is, its heading included."""
        texts = [self.heading, *self.computed, *(one.text for one in self.team)]
        return sum(len(text.split()) for text in texts)


@dataclass(frozen=True, slots=True)
class PlainSummary:
    """All parts, and the ids of the team's statements that they hold."""

    parts: tuple[Part, ...]

    @property
    def words(self) -> int:
        """How long it is."""
        return sum(part.words for part in self.parts)

    @property
    def used(self) -> frozenset[str]:
        """Ids of the statements that need not be told again below it."""
        return frozenset(one.id for part in self.parts for one in part.team)


def plain_summary(summary: Summary, findings: Sequence[Finding]) -> PlainSummary:
    """The summary of a version, with as many of the team's statements as there is room for.

    Args:
        summary: its summary.json, for the protocol's words, statements and searches.
        findings: as the version shows them.
    """
    parts = [
        Part("key", say(mark("Key messages")), _key_messages(summary)),
        Part("looked-at", say(mark("What was looked at")), _looked_at(summary)),
        Part("found", say(mark("What was found")), _found(summary, findings)),
        Part("sure", say(mark("How sure we are")), _how_sure(findings)),
        Part("means", say(mark("What this means for practice, policy and families")), ()),
        Part("current", say(mark("How up to date this is")), _how_current(summary)),
    ]
    slots = {
        "key": ("answer",),
        "found": ("effect",),
        "sure": ("limits", "caveats"),
        "means": NEEDS,
    }
    room = MOST_WORDS - sum(part.words for part in parts)
    filled: dict[str, tuple[TeamStatement, ...]] = {}
    for part in ("key", "means", "sure", "found"):  # by how much a reader needs them
        filled[part], room = _with_room(_statements(summary, slots[part]), room)
    return PlainSummary(tuple(_complete(part, filled) for part in parts))


def _complete(part: Part, filled: Mapping[str, tuple[TeamStatement, ...]]) -> Part:
    team = filled.get(part.id, ())
    computed = part.computed
    if part.id == "means" and not team:
        computed = (say(mark("The review team has not written this yet.")),)
    return Part(part.id, part.heading, computed, team)


def _statements(summary: Summary, slots: Sequence[str]) -> list[TeamStatement]:
    """The team's statements of these slots, in this order."""
    made: list[TeamStatement] = []
    for slot in slots:
        prefix = say(FOR_WHOM[slot]) if slot in FOR_WHOM else ""
        for row in summary.statements:
            if row.under == slot:
                made.append(_statement(row, prefix))
    return made


def _statement(row: Statement, prefix: str) -> TeamStatement:
    confidence = row.confidence.display if row.confidence else ""
    outdated = row.outdated_display or ""
    return TeamStatement(row.id, row.text, prefix, outdated, confidence)


def _with_room(
    statements: Iterable[TeamStatement], room: int
) -> tuple[tuple[TeamStatement, ...], int]:
    """Those that fit, in their order and none skipped; and the words that are left."""
    kept: list[TeamStatement] = []
    for statement in statements:
        needed = len(statement.text.split())
        if needed > room:
            break
        kept.append(statement)
        room -= needed
    return tuple(kept), room


def _key_messages(summary: Summary) -> tuple[str, ...]:
    answers = summary.answers
    several = len(answers) > 1
    told = [
        say(mark("{comparison}: {answer}"), comparison=row.comparison, answer=row.text)
        if several
        else row.text
        for row in answers
    ]
    return tuple([*told, summary.caveat] if summary.caveat else told)


def _looked_at(summary: Summary) -> tuple[str, ...]:
    question = summary.review.question
    told = [
        say(mark("People: {text}."), text=_bare(question.population)),
        say(mark("What was tried: {text}."), text=_bare(question.intervention)),
        say(mark("Compared with: {text}."), text=_bare(question.comparator)),
    ]
    return tuple(told)


def _bare(text: str) -> str:
    return text.strip().rstrip(".")


def _found(summary: Summary, findings: Sequence[Finding]) -> tuple[str, ...]:
    told = [_studies(summary)]
    saying = [finding for finding in wording.in_order(findings) if finding.state in SAYING]
    for finding in saying[:NAMED_FINDINGS]:
        size = wording.size(finding)
        if size:
            told.append(say(mark("{outcome}: {size}"), outcome=finding.outcome_label, size=size))
    left = len(saying) - NAMED_FINDINGS
    if left > 0:
        told.append(
            many(
                "{n} more finding is in the table below.",
                "{n} more findings are in the table below.",
                left,
            )
        )
    return tuple(told)


def _studies(summary: Summary) -> str:
    studies = summary.studies
    if not studies:
        return say(mark("No study has been included yet."))
    return many(
        "The review includes {n:,} study so far.",
        "The review includes {n:,} studies so far.",
        len(studies),
    )


def _how_sure(findings: Sequence[Finding]) -> tuple[str, ...]:
    """How sure the team is of what is shown, reasons left to the table."""
    ordered = wording.in_order(findings)
    saying = [finding for finding in ordered if finding.state in SAYING]
    rated = [finding for finding in ordered if finding.certainty is not None]
    saying = saying or rated
    if not saying:
        return (say(mark("There is nothing yet that we could be sure or unsure of.")),)
    told = [
        say(
            mark("{outcome}: our certainty is {level}."),
            outcome=finding.outcome_label,
            level=say(wording.LEVEL_WORDS[finding.certainty.level]),
        )
        for finding in saying
        if finding.certainty is not None
    ][:NAMED_FINDINGS]
    unrated = sum(finding.certainty is None for finding in saying)
    if unrated:
        told.append(
            many(
                "The team has not rated yet how sure we can be of one finding: read it with care.",
                "The team has not rated yet how sure we can be of {n} findings: read them with care.",
                unrated,
            )
        )
    return tuple(told)


def _how_current(summary: Summary) -> tuple[str, ...]:
    status, debt = summary.status, summary.debt
    if status.state == "retired":
        return (
            say(
                mark("Searched up to {date}; the review is no longer updated."),
                date=status.searched_to_display,
            ),
        )
    waiting = waiting_reports(debt)
    expiry = status.stale_after_display
    until = say(mark("This is not to be relied on after {date} without a new search."), date=expiry)
    when = status.search_schedule_display
    reach = say(
        mark("Searched up to {date}; searches run {when}."),
        date=status.searched_to_display,
        when=when,
    )
    if status.searched_to is None:
        reach = say(
            mark("Not every search has been completed yet; searches run {when}."), when=when
        )
    return (
        reach,
        many(
            "{n:,} publication that was found has not been assessed yet.",
            "{n:,} publications that were found have not been assessed yet.",
            waiting,
        )
        if waiting
        else say(mark("All that was found has been assessed.")),
        *([until] if expiry else []),
    )


def waiting_reports(debt: Debt) -> int:
    """Records and reports that somebody still has to screen, read or extract."""
    unscreened = debt.awaiting_screening + debt.in_screening
    return unscreened + debt.awaiting_full_text + debt.awaiting_extraction
