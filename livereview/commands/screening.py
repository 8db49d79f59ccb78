"""Commands of screening: decisions, pairs of records, the order of the queue, and when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livereview.commands.base import Answer, Command
from livereview.commands.fields import DecisionVerdict, Stage

# Decisions


class Decided(Answer):
    """Where a report stands after a decision."""

    known: bool
    """It had arrived before, and nothing was written."""
    stands: bool
    """What it says is in force."""
    stage: Stage
    """Where the report stands now."""
    state: str


class Decide(Command[Decided]):
    """Write one decision on a report; the same id again changes nothing."""

    operation = "decide"

    id: str
    review: str
    record: str
    """The record that was on the screen."""
    stage: Stage
    reviewer: str
    verdict: DecisionVerdict
    """`withdrawn` takes the last one back; `not_retrieved`: the full text can't be had."""
    role: str = "vote"
    """`vote`, or `adjudication` of a conflict."""
    reason: str | None = None
    """The id of one of the review's reasons to exclude."""
    note: str | None = None
    tags: Sequence[str] = ()
    record_version: int | None = None
    """The version of the record that was read; null: the current one."""
    rank: int | None = None
    """Its place in the queue, from 1."""
    model: str | None = None
    """The ranking that gave the place."""


class TakenDecision(Answer):
    """What became of a decision from a file."""

    known: bool
    """The file had said it before, and nothing was written."""


class TakeDecision(Command[TakenDecision]):
    """Write one row of a file of decisions, as `livereview.exchange.decisions` reads it."""

    operation = "take_decision"

    id: str
    review: str
    row: dict[str, Any]
    words: Sequence[dict[str, Any]] | None = None
    """All rows of the file by this person on this record, in its order; null: only this."""
    place: int = 0
    """Which of them this is, from 0."""
    change_settled: bool = False
    """Also where it would undo what a team has settled."""


# Pairs


class Judged(Answer):
    """The report that each of the two records belongs to now."""

    reports: dict[str, str]


class Judge(Command[Judged]):
    """A person's word on a pair of records."""

    operation = "judge"

    id: str
    left: str
    right: str
    verdict: str
    """same, linked, different, or withdrawn."""
    person: str
    link: str = ""
    """What two linked ones are to each other, one of `livereview.links.LinkKind`; "": not said."""


class PairExplained(Answer):
    """What the rules say of two records."""

    text: str


class ExplainPair(Command[PairExplained]):
    """What the rules say of two records and why, in words."""

    operation = "explain"

    left: str
    right: str


class RecordFound(Answer):
    """The record that a person means."""

    record: str


class FindRecord(Command[RecordFound]):
    """The record with an id or a DOI, "pmid:123" or a title."""

    operation = "find_record"

    review: str
    reference: str


class SettledTask(Answer):
    """A task that is closed."""

    task: str
    outcome: str


class SettleTask(Command[SettledTask]):
    """Close a task; one that is closed already stays as it was closed."""

    operation = "settle_task"

    review: str
    task: str
    outcome: str
    by: str
    note: str | None = None


class SettleTip(Command[SettledTask]):
    """Accept a suggested study into the queue, or decline it."""

    operation = "settle_tip"

    review: str
    task: str
    outcome: str
    """accepted or declined."""
    by: str
    note: str | None = None


# The order


class Ranked(Answer):
    """The ranking that orders the queue now."""


class Rerank(Command[Ranked]):
    """Learn from all settled reports and put the whole queue in order."""

    operation = "rerank"

    review: str
    seed: int = 0


class TermShare(Answer):
    """A word, or two in a row, and what it added to the score; below 0 it lowered it."""

    term: str
    contribution: float


class RankExplained(Answer):
    """Why a report stands where it stands."""

    score: float
    terms: Sequence[TermShare]
    """Those that moved it most, strongest first."""
    remainder: float
    """What all else added."""
    place: int | None
    """In the queue, from 1; null: it does not wait."""


class ExplainRank(Command[RankExplained]):
    """The words that moved a report's rank, and how much."""

    operation = "why"

    review: str
    record: str


# When to stop


class Stopped(Answer):
    """Whether reading has stopped, and what was told of it."""

    stops: bool
    told: dict[str, Any]
    """The test's figures; see `livereview.ops.stopping`."""
    known: bool


class StopReading(Command[Stopped]):
    """End the reading of titles and abstracts: what nobody has voted on is left unread."""

    operation = "stop_reading"

    id: str
    review: str
    by: str
    note: str | None = None
    """The reason, which is needed where the test does not support it."""


class ReadOn(Command[Stopped]):
    """Take a stop back: everything unread waits again."""

    operation = "read_on"

    id: str
    review: str
    by: str
    note: str | None = None


class Drawn(Answer):
    """How many unread reports were drawn, of how many."""

    drawn: int
    unread: int = 0
    known: bool


class DrawAudit(Command[Drawn]):
    """Draw so many of the unread at random; they come first in every queue."""

    operation = "draw_audit"

    id: str
    review: str
    number: int
    by: str


# Rules that have changed


class Move(Answer):
    """Reports that would join or part by the rules in force."""

    kind: str
    """`join` or `part`."""
    reports: Sequence[Sequence[str]]
    """The records of each of them."""
    titles: dict[str, str]
    """Of each record."""
    decisions: Sequence[dict[str, Any]]
    """Those on their records."""


class Rejudged(Answer):
    """What the rules in force make of all that is stored."""

    done: bool
    """It is written; else somebody must confirm the moves first."""
    rules_version: int | str
    pairs: int
    changed: int
    """Pairs with another verdict than before."""
    moves: Sequence[Move]
    records: int
    """How many were settled again."""


class Rebuild(Command[Rejudged]):
    """Judge every pair by the rules in force and make the derived tables again."""

    operation = "rebuild"

    yes: bool = False
    """Also where reports would join or part."""
