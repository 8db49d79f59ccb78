"""The team's own statements: where each stands, and whether the evidence has moved on since it was written.

A statement rests on what it names (studies, findings) and on what its place speaks of: the answer, the
effect and the explanations on every study; a question of EMMIE on the studies that report on it. When
one of these came, changed or left after the statement was last read, or its day of review has passed,
the page says "written before …" and the lead has a task.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from livereview.evidence.finding import Finding
from livereview.messages import many, mark, say
from livereview.review import EMMIE, Statement
from livereview.summary import words
from livereview.summary.snapshot import Snapshot, Study

ON_EVERYTHING = ("answer", "effect", "explanations")
"""Places that speak of all the evidence."""

STANDING_WORDS = {
    "plausible": mark("plausible"),
    "less_plausible": mark("less plausible"),
    "ruled_out": mark("ruled out"),
}


@dataclass(frozen=True, slots=True)
class Marked:
    """A statement with the day it was last read, and why it may be out of date; None: it is not."""

    statement: Statement
    read: datetime | None
    outdated: str | None


def marked(snapshot: Snapshot, findings: Iterable[Finding]) -> tuple[Marked, ...]:
    """Every statement of a review, in the protocol's order."""
    known = {finding.id: finding for finding in findings}
    return tuple(_marked(snapshot, known, statement) for statement in snapshot.review.statements)


def _marked(snapshot: Snapshot, findings: dict[str, Finding], statement: Statement) -> Marked:
    read = _last_read(snapshot, statement)
    if read is None:
        return Marked(statement, None, None)
    day = words.day(read)
    newer = _newer(snapshot, _rests_on(snapshot, findings, statement), read)
    if newer:
        text = many(
            "Written before {n} study came or changed; last read on {day}.",
            "Written before {n} studies came or changed; last read on {day}.",
            newer,
            day=day,
        )
        return Marked(statement, read, text)
    if statement.review_by and words.local(snapshot.moment).date() > date.fromisoformat(statement.review_by):
        due = words.day(words.end_of(statement.review_by))
        text = say(mark("Was to be read again by {due}; last read on {day}."), due=due, day=day)
        return Marked(statement, read, text)
    return Marked(statement, read, None)


def _last_read(snapshot: Snapshot, statement: Statement) -> datetime | None:
    """When the team last read it: the day it names, or when these words first stood in the protocol."""
    written = snapshot.written.get(statement.id)
    if statement.checked is None:
        return written
    checked = words.end_of(statement.checked)
    return max(checked, written) if written else checked


def _rests_on(snapshot: Snapshot, findings: dict[str, Finding], statement: Statement) -> set[str]:
    """Ids of the studies that a statement rests on, named or by its place."""
    named = {*statement.studies, *statement.supports, *statement.against}
    for name in statement.findings:
        if name in findings:
            named |= {study.study for study in findings[name].studies}
    if statement.under in ON_EVERYTHING:
        named |= {study.study_id for study in snapshot.studies}
    elif statement.under in EMMIE:
        named |= {study.study_id for study in snapshot.studies if _reports_on(study, statement.under)}
    return named


def _reports_on(study: Study, dimension: str) -> bool:
    form = study.extraction
    if form is None:
        return False
    if dimension == "economics" and form.costs:
        return True
    return any(finding.dimension == dimension for finding in form.findings)


def _newer(snapshot: Snapshot, studies: Iterable[str], read: datetime) -> int:
    """How many of these studies came or changed after that."""
    present = {study.study_id for study in snapshot.studies}
    moments = {study: made for study, (_, _, made) in snapshot.extracted.items()}
    wanted = set(studies)
    changed = {study for study in wanted & present if study in moments and moments[study] > read}
    return len(changed)
