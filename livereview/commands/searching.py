"""Commands of the nights: searches, look-ups, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from livereview import rights
from livereview.commands.base import Answer, Bytes, Command, Nothing, Time
from livereview.timetable import TimedReview

# Protocols


class Registered(Answer):
    """The protocol that is in force now."""

    review: str
    hash: str
    """sha256 of its text."""


class Register(Command[Registered]):
    """Put a protocol in force; the same text again changes nothing."""

    operation = "register"
    # a protocol names adjudicators, votes and criteria: no night needs that
    needs = rights.MANAGE

    text: str
    """The whole review.toml."""


class InForce(Answer):
    """The protocol in force of a review."""

    text: str
    status: str
    """living, paused or retired: what the text says, unless a vote has changed it."""
    author: str | None
    """Who put it in force by name; null: it came from a file."""


class ReadProtocol(Command[InForce]):
    """The protocol in force, and the status that holds."""

    operation = "protocol"
    needs = rights.RUN_FLOWS

    review: str


# Searches


class Begun(Answer):
    """A search that has begun, and what it is to ask for."""

    search: str | None
    """null: it has not begun, as it was run for this slot, or is in other hands."""
    why: str | None = None
    """Why it has not begun; null: it has."""
    kind: str | None = None
    """`search` for a window, `sweep` for everything; null: it has not begun."""
    start: Time | None = None
    """Where its window begins; null: as far back as the source goes."""
    end: Time | None = None
    """Where its window ends; null: it has not begun."""
    seeds: Sequence[str] | None = None
    """The OpenAlex ids that citations are chased from; null: it asks the protocol's query."""


class Begin(Command[Begun]):
    """Start a search of the protocol under an id that the client made."""

    operation = "begin"
    needs = rights.RUN_FLOWS

    review: str
    name: str
    """The name of the search in review.toml."""
    search: str
    """The id of this run of it; the same again is the same run."""
    runner: Mapping[str, Any] | None = None
    """The process that runs it: `livereview.processes.Process` as data."""
    run: str | None = None
    """Its Prefect flow run."""
    clock_is_right: bool = False
    """Believe `now` although several earlier nights carry later times."""
    due: Time | None = None
    """The slot that it is run for; null: somebody wants it now."""


class Ingested(Answer):
    """What a page brought, in records."""

    found: int
    fresh: int
    changed: int
    rejected: int
    problem: str | None = None
    """Why it could not be read; it is kept all the same, and has no records then."""
    notes: Sequence[str] = ()


class Ingest(Command[Ingested]):
    """Take in one page of a search, exactly as the publisher sent it."""

    operation = "ingest"
    needs = rights.RUN_FLOWS

    search: str
    body: Bytes
    cursor: str | None = None
    """What asked for this page; null: it is the first."""
    url: str | None = None
    """Where it came from, without secrets."""
    status: int | None = None
    """The HTTP status it came with."""
    quota: float | None = None
    """The share of the source's allowance left after it, 0 to 1."""
    note: str | None = None
    more: bool = False
    """Further pages are expected, for which what this one holds may wait: at the latest until the
    search ends. So long it counts as neither new nor changed."""


class Finished(Answer):
    """How a search ended, in records."""

    outcome: str
    """ok, ok-zero, partial or failed."""
    found: int
    fresh: int
    changed: int
    rejected: int


class Finish(Command[Finished]):
    """End a search; again, it gives the first answer."""

    operation = "finish"
    needs = rights.RUN_FLOWS

    search: str
    error: str | None = None
    """Why it broke off; null: it ran through."""
    seconds: float | None = None


class Imported(Finished):
    """What a file brought."""

    known: bool
    """The same file had been taken in before, and nothing was written."""
    notes: Sequence[str] = ()


class ImportFile(Command[Imported]):
    """Take in a file that a person exported elsewhere, as a search of its own."""

    operation = "import_file"

    review: str
    source: str
    """The format, such as ris."""
    name: str
    """The file's name, which the ledger shows."""
    body: Bytes
    grey: bool = False
    """It is no database: PRISMA counts its records as from other methods."""
    columns: Mapping[str, str] | None = None
    """Of a table whose headings say too little: the heading that holds each field."""


class Renew(Command[Nothing]):
    """Say that the process of a search lives."""

    operation = "renew"
    needs = rights.RUN_FLOWS

    search: str


# Look-ups


class DueReport(Answer):
    """A report that a source is to be asked about."""

    record: str
    doi: str | None
    pmid: str | None


class DueReports(Answer):
    """The reports that are due, included ones first."""

    reports: Sequence[DueReport]


class FindDue(Command[DueReports]):
    """The reports that a source is to be asked about now."""

    operation = "due"
    needs = rights.RUN_FLOWS

    review: str
    source: str


class LookupBegun(Answer):
    """A look-up that has begun."""

    search: str


class BeginLookup(Command[LookupBegun]):
    """Start a look-up of known reports at a source; its fields are as in `Begin`."""

    operation = "begin_lookup"
    needs = rights.RUN_FLOWS

    review: str
    source: str
    search: str
    runner: Mapping[str, Any] | None = None
    run: str | None = None


class Checked(Answer):
    """How many reports were marked."""

    checked: int


class MarkChecked(Command[Checked]):
    """Write that a source was asked about the reports of these records, and answered."""

    operation = "checked"
    needs = rights.RUN_FLOWS

    review: str
    source: str
    records: Sequence[str]


# Open copies of full texts


class WantedCopy(Answer):
    """A report whose full text is sought and not there."""

    record: str
    dois: tuple[str, ...]
    """Of all records of the report: a preprint and its article may have been taken for one."""


class WantedCopies(Answer):
    """The reports of a review that want an open copy."""

    reports: tuple[WantedCopy, ...]
    tried: tuple[str, ...]
    """Addresses that were tried lately."""


class FindWantedCopies(Command[WantedCopies]):
    """The reports whose full text is sought and not there."""

    operation = "open_copies_wanted"
    needs = rights.RUN_FLOWS

    review: str


class TakenCopy(Answer):
    """What became of an open copy."""

    sha256: str | None
    """The file that is kept; null: it could not be had."""
    problem: str | None
    """Why it could not be had; null: it is kept."""
    known: bool
    """This very try was known."""


class TakeOpenCopy(Command[TakenCopy]):
    """Keep an open copy with its report, or why it could not be had."""

    operation = "take_open_copy"
    needs = rights.RUN_FLOWS

    id: str
    review: str
    record: str
    url: str
    origin: str
    """The source that told of it."""
    licence: str | None = None
    version: str | None = None
    body: Bytes | None = None
    """The file; null: `problem` says why there is none."""
    problem: str | None = None


# Nights


class Schedule(Answer):
    """What the schedule serves."""

    reviews: tuple[TimedReview, ...]


class ReadSchedule(Command[Schedule]):
    """Each review with its cron lines, searches, time zone and the status that holds."""

    operation = "schedule"
    needs = rights.RUN_FLOWS_FOR_ALL


class CheckMayBegin(Command[Nothing]):
    """Be refused where a night at this time would be, before anything starts."""

    operation = "may_begin"
    needs = rights.RUN_FLOWS

    review: str
    clock_is_right: bool = False


class Ended(Answer):
    """The names of the searches that were ended."""

    ended: Sequence[str]


class EndRun(Command[Ended]):
    """End every search that a Prefect flow run had in hand, as it was cancelled or crashed."""

    operation = "end_run"
    # a run is named, and whatever it had in hand ends
    needs = rights.RUN_FLOWS_FOR_ALL

    run: str
    reason: str


class Noted(Answer):
    """The id of what was written down."""

    id: str


class LoseNight(Command[Noted]):
    """Write down that searches did not begin, and why; the same again changes nothing."""

    operation = "lose_night"
    needs = rights.RUN_FLOWS

    review: str
    what: str
    """The name of the search, or the cron line."""
    reason: str
    due: Time | None = None
    """When it was due, or happened; null: now."""
    id: str | None = None


class NoteNight(Command[Nothing]):
    """Write down what happened in a night although nothing failed."""

    operation = "note_night"
    needs = rights.RUN_FLOWS

    id: str
    review: str
    what: str
    note: str


class NoteSignOfLife(Command[Nothing]):
    """Say that the schedule lives; the owner's clock counts."""

    operation = "sign_of_life"
    needs = rights.RUN_FLOWS_FOR_ALL

    words: str
    """What it says of itself."""
    ok: bool = True
    id: str = ""
    """Tells it from any other schedule."""
    where: str = ""
    """Its process and machine, in words."""
    reviews: Sequence[str] = ()
    """Those that it serves; none: all."""
    every: float = 60.0
    """Seconds until its next sign."""
