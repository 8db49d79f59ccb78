"""The team's own words: where each stands, and whether the evidence has moved on since they were
written.

A statement rests on what it names (studies, findings) and on what its place speaks of: the answer,
the effect and the explanations on every study; a question of EMMIE on the studies that report on
it. A configuration (context, mechanism, outcome) rests on the studies for and against it. When one
of these came, changed or left after the words were last read, or their day of review has passed,
the page says "written before …" and the lead has it on a list to read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from livereview.evidence import coded
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.messages import many, mark, say
from livereview.review import EMMIE, Configuration, Review, Statement
from livereview.summary import words
from livereview.summary.snapshot import Published, Snapshot

ON_EVERYTHING = ("answer", "effect", "explanations")
"""Places that speak of all the evidence."""

STANDING_WORDS = {
    "plausible": mark("plausible"),
    "less_plausible": mark("less plausible"),
    "ruled_out": mark("ruled out"),
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What the team's words stand on, at one moment.

    Attributes:
        studies: By id, with the label that readers see.
        forms: Their extractions.
        extracted: By study, when its extraction in force was made.
        written: By `key`, since when each entry stands as it does.
        before: (day, ids of the studies) of each published version, oldest first.
    """

    review: Review
    moment: datetime
    studies: Mapping[str, str]
    forms: tuple[Extraction, ...]
    extracted: Mapping[str, datetime]
    written: Mapping[str, datetime]
    before: tuple[tuple[datetime, frozenset[str]], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Marked:
    """A statement with the day it was last read, and why it may be out of date; None: it is not."""

    statement: Statement
    read: datetime | None
    outdated: str | None

    @property
    def key(self) -> str:
        """Its id among all of the team's words."""
        return key(self.statement)

    @property
    def text(self) -> str:
        """Its words, for a task."""
        return self.statement.text

    @property
    def is_weighed(self) -> bool:
        """Whether it has a standing among rival explanations."""
        return self.statement.standing is not None


@dataclass(frozen=True, slots=True)
class MarkedConfiguration:
    """A configuration with the same."""

    configuration: Configuration
    read: datetime | None
    outdated: str | None

    @property
    def key(self) -> str:
        """Its id among all of the team's words."""
        return key(self.configuration)

    @property
    def text(self) -> str:
        """Its words, for a task."""
        configuration = self.configuration
        return f"{configuration.context}: {configuration.mechanism}. {configuration.outcome}"

    @property
    def is_weighed(self) -> bool:
        """It has no standing."""
        return False


TeamWords = Marked | MarkedConfiguration
"""An entry of either kind, as tasks ask of it."""


def key(entry: Statement | Configuration) -> str:
    """The id of an entry among all of the team's words."""
    if isinstance(entry, Statement):
        return entry.id
    return f"configuration:{entry.id}"


def ground(snapshot: Snapshot) -> Ground:
    """What the words of a version stand on."""
    published = [(old.date, _studies_of(old)) for old in snapshot.history]
    return Ground(
        review=snapshot.review,
        moment=snapshot.moment,
        studies={study.study_id: study.label for study in snapshot.studies},
        forms=tuple(study.extraction for study in snapshot.studies if study.extraction),
        extracted={study: made for study, (_, _, made) in snapshot.extracted.items()},
        written=snapshot.written,
        before=tuple(published),
    )


def _studies_of(version: Published) -> frozenset[str]:
    """Ids of the studies that a version holds."""
    return frozenset(study.id for study in version.content.studies)


def marked(ground: Ground, findings: Iterable[Finding]) -> tuple[Marked, ...]:
    """Every statement of a review, in the protocol's order."""
    known = {finding.id: finding for finding in findings}
    rows = []
    for statement in ground.review.statements:
        cited = {*statement.studies, *statement.supports, *statement.against}
        rests_on = cited | _of_findings(statement, known) | _of_place(ground, statement.under)
        everything = statement.under in ON_EVERYTHING
        rows.append(Marked(statement, *_mark(ground, statement, cited, rests_on, everything)))
    return tuple(rows)


def marked_configurations(ground: Ground) -> tuple[MarkedConfiguration, ...]:
    """Every configuration of a review, in the protocol's order."""
    rows = []
    for configuration in ground.review.configurations:
        cited = {*configuration.supports, *configuration.against}
        rows.append(
            MarkedConfiguration(configuration, *_mark(ground, configuration, cited, cited, False))
        )
    return tuple(rows)


def _mark(
    ground: Ground,
    entry: Statement | Configuration,
    cited: Collection[str],
    rests_on: Collection[str],
    everything: bool,
) -> tuple[datetime | None, str | None]:
    """(when it was last read, why it may be out of date).

    Args:
        ground: what there is.
        entry: the team's words.
        cited: ids of the studies that they name.
        rests_on: ids of all studies that they rest on.
        everything: whether a study that left matters although nobody named it.
    """
    read = _last_read(ground, entry)
    if read is None:
        return None, None
    day = words.day(read)
    newer = _newer(ground, rests_on, read)
    left = _left(ground, cited, everything, read)
    if newer or left:
        return read, _moved_on(newer, left, day)
    absent = [study for study in cited if study not in ground.studies]
    if absent:
        text = many(
            "Cites {n} study that is not in this review.",
            "Cites {n} studies that are not in this review.",
            len(absent),
        )
        return read, text
    if entry.review_by and words.local(ground.moment).date() > date.fromisoformat(entry.review_by):
        due = words.day(words.end_of(entry.review_by))
        return read, say(
            mark("Was to be read again by {due}; last read on {day}."), due=due, day=day
        )
    return read, None


def _moved_on(newer: int, left: int, day: str | None) -> str:
    """What happened to the evidence after the words were read."""
    if not left:
        return many(
            "Written before {n} study came or changed; last read on {day}.",
            "Written before {n} studies came or changed; last read on {day}.",
            newer,
            day=day,
        )
    if not newer:
        return many(
            "Written before {n} study left the review; last read on {day}.",
            "Written before {n} studies left the review; last read on {day}.",
            left,
            day=day,
        )
    return many(
        "Written before {n} study came, changed or left; last read on {day}.",
        "Written before {n} studies came, changed or left; last read on {day}.",
        newer + left,
        day=day,
    )


def _last_read(ground: Ground, entry: Statement | Configuration) -> datetime | None:
    """When the team last read it: the day it names, or when these words first stood in the
    protocol.
    """
    written = ground.written.get(key(entry))
    if entry.checked is None:
        return written
    checked = words.end_of(entry.checked)
    return max(checked, written) if written else checked


def _of_findings(statement: Statement, findings: Mapping[str, Finding]) -> set[str]:
    """Ids of the studies in the findings that a statement names."""
    named = [findings[name] for name in statement.findings if name in findings]
    return {study.study for finding in named for study in finding.studies}


def _of_place(ground: Ground, under: str) -> set[str]:
    """Ids of the studies that a place of the page speaks of."""
    if under in ON_EVERYTHING:
        return set(ground.studies)
    if under in EMMIE:
        return {form.study for form in ground.forms if coded.reports_on(ground.review, form, under)}
    return set()


def _newer(ground: Ground, studies: Iterable[str], read: datetime) -> int:
    """How many of these studies came or changed after that."""
    moments = [
        ground.extracted[study]
        for study in set(studies) & set(ground.studies)
        if study in ground.extracted
    ]
    return sum(moment > read for moment in moments)


def _left(ground: Ground, cited: Collection[str], everything: bool, read: datetime) -> int:
    """How many of these studies a version held that was public when the words were read, and this
    one does not.
    """
    then: frozenset[str] = frozenset()
    for day, studies in ground.before:
        if day <= read:
            then = studies
    gone = then - set(ground.studies)
    return len(gone if everything else gone & set(cited))


def cited_in_words(ground: Ground, studies: Iterable[str]) -> str:
    """The studies that an entry names, as readers know them.

    One that is not in the review is said to be none.
    """
    labels = []
    for study in studies:
        label = ground.studies.get(study)
        labels.append(label or say(mark("{study} (not in this review)"), study=study))
    return "; ".join(labels)
