"""The sections of an extraction form with what each still needs, and the reports that it is about.

What is missing is what the form's own check would refuse, so the list and the check can't differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livereview.errors import Refused
from livereview.evidence import checks
from livereview.review import Review
from livereview.store import evidence, full_texts, records
from livereview.store.full_texts import FullText
from livereview.store.open import Connection
from livereview.web import form_mistakes
from livereview.web.extraction_form import Part
from livereview.web.guard import ReviewContext

MOST_TO_DO = 4  # things to do that the list names; it counts the others


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form, and what it still needs before it can be saved.

    Attributes:
        part: Its boxes.
        to_do: The labels of what is missing or wrong, each once.
    """

    part: Part
    to_do: tuple[str, ...]

    @property
    def words(self) -> str:
        """How it stands: complete, empty, or what is to do."""
        if not self.to_do:
            return "complete" if self.part.started else "empty"
        named = ", ".join(self.to_do[:MOST_TO_DO])
        more = len(self.to_do) - MOST_TO_DO
        if more > 0:
            return f"to do: {named} and {more} more"
        return f"to do: {named}"

    @property
    def state(self) -> str:
        """ "complete", "empty" or "to do"."""
        if self.to_do:
            return "to do"
        return "complete" if self.part.started else "empty"


def sections(
    review: Review, parts: Sequence[Part], filled: Mapping[str, Any]
) -> tuple[Section, ...]:
    """The parts of a form, each with what its check would refuse now."""
    to_do: dict[str, list[str]] = {part.key: [] for part in parts}
    for mistake in _mistakes(review, filled):
        to_do[mistake.part].append(_short(mistake))
    return tuple(Section(part, tuple(dict.fromkeys(to_do[part.key]))) for part in parts)


def _mistakes(review: Review, filled: Mapping[str, Any]) -> tuple[form_mistakes.Mistake, ...]:
    try:
        checks.from_json(dict(filled), review, "The form")
    except Refused as refusal:
        return form_mistakes.mistakes(refusal.message)
    return ()


def _short(mistake: form_mistakes.Mistake) -> str:
    """What a mistake is about; its words where it is about no field."""
    label = mistake.label or mistake.words
    heading, comma, field = label.partition(", ")
    if mistake.row and comma:
        return f"{field} ({heading.rpartition(' ')[2]})"
    return label


def opened(
    sections: Sequence[Section], mistakes: Sequence[form_mistakes.Mistake], *, again: bool
) -> frozenset[str]:
    """Which sections stand open: those with a mistake; of a form that comes back, all that were
    begun; else the first with something to do.
    """
    if mistakes:
        return frozenset(mistake.part for mistake in mistakes)
    begun = [section for section in sections if section.part.started]
    if again and begun:
        return frozenset(section.part.key for section in begun)
    waiting = [section for section in sections if section.to_do]
    first = waiting[0] if waiting else sections[0]
    return frozenset({first.part.key})


@dataclass(frozen=True, slots=True)
class Source:
    """A report that a form is about: what tells it from others, and its files that are used."""

    record: str
    title: str
    authors: str
    year: int | None
    files: tuple[FullText, ...]


def sources(con: Connection, context: ReviewContext, study: str, report: str) -> list[Source]:
    """The reports of a study, or the one that a new study begins with."""
    review = context.review.id
    ids = evidence.reports_of(con, review).get(study, [])
    if not ids and report:
        ids = [report]
    found = records.reports(con, review, ids)
    files = full_texts.of_each(con, review, ids)
    listed = []
    for id in ids:
        if not found.get(id):
            continue
        record, _ = records.merged(found[id])
        listed.append(
            Source(
                id,
                record.title or "Untitled report",
                "; ".join(record.authors),
                record.year,
                tuple(file for file in files[id] if file.is_used),
            )
        )
    return listed
