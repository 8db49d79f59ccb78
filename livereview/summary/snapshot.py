"""Everything a published summary is made from, at one moment.

The same Snapshot always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from livereview.evidence.certainty import Rating
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction
from livereview.evidence.map_codes import MapCodes
from livereview.evidence.places import State
from livereview.evidence.retirement import Count, Trigger
from livereview.records import Record
from livereview.review import Review
from livereview.summary import past
from livereview.summary.consultation import Consultations
from livereview.summary.past import PastSummary
from livereview.surveillance.recall import Recall


@dataclass(frozen=True, slots=True)
class SearchFact:
    """What a search did so far: its last attempt and its last success, and the records it brought
    in all.

    Attributes:
        query, filters: As last run, or as planned where it never ran.
        first_at, runs: Since when, how often complete.
        silent: It found nothing, and by its own history that is suspicious.
    """

    name: str
    source: str
    platform: str
    query: str
    last_at: datetime | None
    last_outcome: str | None  # ok, ok-zero, partial, failed; None: never run
    last_error: str | None
    last_success: datetime | None
    found: int
    grey: bool
    filters: tuple[tuple[str, str], ...] = ()
    first_at: datetime | None = None
    runs: int = 0
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """PRISMA 2020 boxes, which balance.

    - identified = duplicates + screened + awaiting_screening + not_screened
    - screened = excluded + sought + in_screening
    - sought = not_retrieved + assessed + awaiting_full_text
    - assessed = sum of excluded_full_text + included
    - included = reports in studies + awaiting_extraction

    Attributes:
        in_screening: Some votes are in and none is final; conflicts too.
        not_screened: Left unread by a signed stop.
        excluded_full_text: (reason label, n), most frequent first.
    """

    identified_databases: int
    identified_other: int
    duplicates: int
    screened: int
    awaiting_screening: int
    in_screening: int
    excluded: int
    sought: int
    not_retrieved: int
    awaiting_full_text: int
    assessed: int
    excluded_full_text: tuple[tuple[str, int], ...]
    included: int
    awaiting_extraction: int
    studies: int
    doubtful_pairs: int = 0
    not_screened: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """The lead ended the reading of titles and abstracts; `told` is what the test said then, as
    (name, value).
    """

    date: datetime
    told: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Retired:
    """A vote that retired the review: `triggers` are the signs as they were when it was proposed."""

    date: datetime
    reason: str
    votes: Count
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A lead withdrew a published version, or (`withdraws` false) took that back."""

    version: int
    withdraws: bool
    reason: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A publication: a cluster of records; `record` is the fullest of them, `sources` those that
    found it.
    """

    report_id: str
    record: Record
    sources: tuple[str, ...]
    reason: str | None = None  # label of the exclusion reason, for excluded ones


@dataclass(frozen=True, slots=True)
class Origin:
    """A record, by which search it was first found, and the sha256 of the bytes that held it."""

    source: str
    key: str
    search: str
    query: str
    sha256: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision in force, by a role."""

    stage: str
    role: str
    verdict: str
    criteria: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Traced:
    """Where a report came from, and why it is in."""

    origins: tuple[Origin, ...] = ()
    decisions: tuple[Decided, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """A study with its reports and the extraction in force (None: still to be extracted).

    Attributes:
        problem: Why its extraction can't be used: it is left out and told, and spares the others.
    """

    study_id: str
    label: str
    reports: tuple[Report, ...]
    extraction: Extraction | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote, whether it stands in a full text that the team holds, and on which page of it.

    Attributes:
        state: One of `evidence.places.State`.
        sha256: Of the file that has it, or that was looked in.
    """

    quote: str
    state: State
    page: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class CodedReport:
    """A report that somebody coded for the map, and how far its screening is.

    Attributes:
        study: Id of the study that it belongs to; None: of none yet.
        state: "included", "excluded", "being_assessed" (its full text is sought or read), or
            "screening" (its title and abstract are not decided yet).
    """

    report: Report
    codes: MapCodes
    state: str
    study: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody's name under changes that waited: their hash, and the number of the event."""

    content_hash: str
    author: str
    seq: int


@dataclass(frozen=True)
class Published:
    """What a version before this one said: enough to tell what changed."""

    number: int
    date: datetime
    content_hash: str
    change: str
    trigger: str
    signed_by: str | None
    summary: str  # its summary.json as text
    upto: int = 0  # number of the last event that it could know of

    @cached_property
    def content(self) -> PastSummary:
        """What is read of its summary.json, once however many ask."""
        return past.read(self.summary)

    @cached_property
    def findings(self) -> tuple[Finding, ...] | None:
        """Its findings with their figures; None where older rules told none."""
        return past.findings(self.summary)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Input of `summary.site.build`.

    `moment` is the time of the last event it holds, not of the build.
    """

    review: Review
    moment: datetime
    searches: tuple[SearchFact, ...]
    flow: Flow
    studies: tuple[Study, ...]
    awaiting: tuple[Report, ...]  # included reports not yet in a study
    excluded: tuple[Report, ...]  # at full text, with reason
    history: tuple[Published, ...]  # oldest first
    # the last of each outcome and statement, whether or not they still hold
    ratings: tuple[Rating, ...] = ()
    # by report, of the reports in studies
    traced: Mapping[str, Traced] = field(default_factory=dict)
    # by study: form, people, when
    # by study: the quotes of the form in force
    quoted: Mapping[str, tuple[Quoted, ...]] = field(default_factory=dict)
    extracted: Mapping[str, tuple[str, int, datetime]] = field(default_factory=dict)
    # by step, when the oldest of what waits there was found
    waiting_since: tuple[tuple[str, datetime], ...] = ()
    stop: Stop | None = None  # of the reading, as long as it holds
    recall: Recall | None = None  # what the searches found of the included reports
    retirement: Retired | None = None  # the vote, where one has retired the review
    # no part of a version's content
    consultations: Consultations = field(default_factory=Consultations)
    withdrawals: tuple[Withdrawal, ...] = ()  # oldest first; no part of a version's content either
    signatures: tuple[Signature, ...] = ()  # oldest first
    # since when each statement stands as it does
    written: Mapping[str, datetime] = field(default_factory=dict)
    # since when each outcome and comparison is asked about
    asked: Mapping[str, datetime] = field(default_factory=dict)
    coded: tuple[CodedReport, ...] = ()  # for the map, by report
