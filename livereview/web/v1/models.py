"""What the HTTP API takes and gives: the same models check a request and describe it.

A request is frozen and has nothing that it does not say; an answer may grow new fields, which
callers must ignore.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from livereview.commands import evidence, screening
from livereview.commands.fields import DecisionVerdict, Name, PairVerdict, Sentences, Stage
from livereview.links import LinkKind

Item = TypeVar("Item")


class Request(BaseModel):
    """A body that was sent: what it has beside these fields is refused, as it may be a misspelling."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Answer(BaseModel):
    """A body that is sent back."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Problem(Answer):
    """Why a request failed, as RFC 9457 says it."""

    type: str = "about:blank"
    """What kind of problem it is; about:blank: what the status says."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened, with the value, the valid choices and the next step."""
    errors: list[dict[str, Any]] = []
    """Each field that is wrong: where (`pointer`) and why (`detail`)."""


class Page(Answer, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    """What it holds, in the order of the list."""
    next: str | None = None
    """The address of the next part, also sent as a Link header; null: this was the last."""


class Me(Answer):
    """What signed in, and what it may do."""

    account: str
    role: str
    kind: str
    """`session` or `token`."""
    scopes: list[str]
    """What a token of yours may be used for: read, screen, extract, manage, flows."""
    reviews: list[str] | None
    """The only reviews that it reaches; null: every one."""


class ReviewRow(Answer):
    """A review that you may enter."""

    id: str
    title: str
    status: str
    """`active` or `retired`."""
    version: int | None
    """The newest published version; null: nothing is public."""
    published: datetime | None
    """When that version was made."""


class Choice(Answer):
    """Something that has an id and a name."""

    id: str
    label: str


class Review(ReviewRow):
    """What a review asks, and how it is screened."""

    question: str
    stages: list[Stage]
    votes: int
    """How many independent votes a report needs."""
    reasons: list[Choice]
    """Why a report may be excluded."""
    outcomes: list[Choice]
    comparisons: list[Choice]
    protocol: str
    """The text of review.toml in force."""


class Record(Answer):
    """A report as its fullest record describes it; what no source says is null."""

    record: str
    """Its id, which decisions name."""
    report: str
    """The report that it belongs to: all records of one publication share it."""
    source: str
    title: str | None
    authors: list[str]
    year: int | None
    published: str | None
    """An ISO date as exact as the source is."""
    container_title: str | None
    """The journal, series or site."""
    volume: str | None
    issue: str | None
    pages: str | None
    doi: str | None
    pmid: str | None
    url: str | None
    abstract: str | None
    language: str | None
    type: str | None
    retraction: str | None
    """`retracted`, `expression-of-concern` or `corrected`, where the source says so."""


class Vote(Answer):
    """A decision in force."""

    stage: Stage
    reviewer: str
    role: str
    """`vote`, or `adjudication` of a conflict."""
    verdict: str
    reason: str | None
    note: str | None
    tags: list[str]
    criteria_version: str | None
    made: datetime


class Report(Record):
    """A report with where it stands."""

    stage: Stage
    state: str
    """open, half, conflict, included, excluded or not_retrieved. Who still votes sees `open` for
    `half`, and nobody else's votes on it."""
    decisions: list[Vote]
    """The decisions in force that you may see."""


class Queue(Answer):
    """What waits for you at a stage."""

    stage: Stage
    waiting: int
    """Reports that wait for you in all."""
    done: int
    """Reports that you have decided here."""
    report: Record | None
    """The next one, which is yours for ten minutes (an hour at full text); null: none waits."""


class Decision(Request):
    """Your decision on a report."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "record": "r0123456789abcdef0123",
                "stage": "title_abstract",
                "verdict": "exclude",
                "reason": "no-comparison",
                "note": "Describes one team, without a comparison.",
                "tags": ["kinship"],
            }
        }
    )

    record: Name
    """The id of the record that you read."""
    stage: Stage
    verdict: DecisionVerdict
    """`not_retrieved`: you can't get the full text; `withdrawn`: take your decision back."""
    reason: Name | None = None
    """The id of one of the review's reasons; an exclusion at full text needs one."""
    note: Annotated[str, Field(max_length=4_000)] | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=20)] = []


class Decided(screening.Decided):
    """What became of a decision."""

    model_config = ConfigDict(extra="ignore")

    id: str
    """The event; the same Idempotency-Key gives the same one."""


class Conflict(Answer):
    """A report on which reviewers differ."""

    report: Record
    stage: Stage
    votes: list[Vote]


class Settlement(Request):
    """How a third person settles a conflict."""

    record: Name
    stage: Stage
    verdict: Literal["include", "exclude"]
    reason: Name | None = None
    note: Annotated[str, Field(max_length=4_000)] | None = None


class Pair(Answer):
    """Two records that the rules could neither join nor tell apart."""

    left: Record
    right: Record


class Judgement(Request):
    """What a pair is."""

    left: Name
    right: Name
    verdict: PairVerdict
    """`linked`: two reports of one work, such as a preprint and its article."""
    link: LinkKind | None = None
    """What two linked records are to each other."""


class Judged(Answer):
    """What became of a judgement on a pair."""

    known: bool
    """It had arrived before, and nothing was written."""


class Study(Answer):
    """A study and its included reports."""

    study: str
    reports: list[str]
    extracted: bool
    """An extraction of it is in force."""


class StudyForm(Study):
    """A study with its extraction in force."""

    form: dict[str, Any] | None
    """The form as it was typed; null: none is in force."""


class Extraction(Request):
    """A study's form; docs/reference describes its fields."""

    form: dict[str, Any]
    """With `study`, `label`, `reports`, `arms`, `results`, `findings` …"""
    role: Literal["single", "consensus"] = "single"


class Extracted(evidence.Extracted):
    """What became of a form."""

    model_config = ConfigDict(extra="ignore")


class Rating(Request):
    """How sure a finding is."""

    rating: dict[str, Any]
    """GRADE: finding, start, reasons, answers; CERQual and missing evidence: with `kind`."""


class Rated(Answer):
    """A rating as it was written."""

    rating: dict[str, Any]
    known: bool
    """It had arrived before, and nothing was written."""


class Version(Answer):
    """A published version of the summary."""

    number: int
    change: str
    cause: str
    signed_by: str | None
    made: datetime
    withdrawn: bool
    content_hash: str
    """The same evidence gives the same hash."""
    address: str
    """Where its files are."""


class Held(Answer):
    """What of the newest evidence waits for a name before it is public."""

    content_hash: str
    """Send it with your signature: it is refused where the evidence has changed since."""
    change: str
    cause: str
    since: str
    reasons: list[dict[str, Any]]


class Signature(Request):
    """Your name under a changed conclusion."""

    content_hash: Name
    """Of what you have read."""
    note: Sentences | None = None


class Opening(Request):
    """That the review may be public from now on."""

    note: Sentences | None = None


class Done(Answer):
    """That something was done."""

    known: bool
    """It had been done before, and nothing was written."""


class Task(Answer):
    """Something that a lead must look at."""

    id: str
    kind: str
    made: datetime | None = None
    data: dict[str, Any]
    """What it is about, and its outcomes."""


class TaskOutcome(Request):
    """How a task ends."""

    outcome: Name
    note: Sentences | None = None


class Attempt(Answer):
    """One run of one search, as the ledger has it."""

    name: str
    source: str
    kind: str
    outcome: str | None
    started: datetime
    detail: dict[str, Any]
    """Window, counts, bytes, seconds, quota, notes and error."""


class Imported(Answer):
    """What a file brought."""

    outcome: str
    """ok, ok-zero, partial or failed."""
    counts: dict[str, int]
    """found, fresh, changed, rejected."""
    known: bool
    """The same file had been taken in before."""


class Act(Request):
    """Something that may undo the work of others."""

    kind: Name
    """Such as withdraw, regroup, judge, look_again, decide_again, close_account."""
    given: dict[str, Annotated[str, Field(max_length=1_000)]]
    """What it is about, such as {"version": "3"}."""
    reason: Annotated[str, Field(max_length=500)] = ""


class ConfirmedAct(Act):
    """An act whose effect you have read."""

    shown: Name
    """Of its preview: where it would do something else by now, nothing is done."""


class Reason(Request):
    """Why something is taken back."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Effect(Answer):
    """What an act does, or would do."""

    act: str | None = None
    """Its id in the log; null: it is a preview."""
    title: str | None = None
    lines: list[str]
    """In sentences."""
    undoes_work: bool
    shown: str
    """Send it with the act."""
