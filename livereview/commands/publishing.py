"""Commands of what the public reads: versions, signatures, withdrawals, and how all of it fares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, Field, RootModel

from livereview import rights
from livereview.commands.base import Answer, Command, Time

# Versions


class HeldReason(Answer):
    """Why a finding waits for a name."""

    claim: str
    kind: str = Field(alias="class")
    """Its class of change, in words."""
    why: str
    before: str | None = None
    after: str | None = None


class Held(Answer):
    """What of the newest evidence waits for a name before it is public."""

    content_hash: str
    """What a name is put under."""
    change: str
    cause: str
    since: str
    """ISO time since when the oldest of it waits."""
    reasons: Sequence[HeldReason] = ()
    whole: bool = False
    """The whole page waits; else only the findings that change."""


class Published(Answer):
    """What became of a review's public folder."""

    version: int | None = None
    """The newest version; 0: none yet; null: nothing was to be built."""
    new: bool = False
    """This build made it."""
    change: str = "none"
    folder: str | None = None
    held: Held | None = None
    """What waits for a name; null: nothing."""
    waits: str | None = None
    """What the first version waits for; null: nothing."""
    problem: str | None = None
    """Why the build failed; the last good page stands."""
    mended: Sequence[str] = ()
    """What of the folder was damaged, and is as it was published again."""


class Publish(Command[Published]):
    """Bring the published folder of a review up to date with what the database knows."""

    operation = "publish"
    needs = rights.RUN_FLOWS

    review: str


class Settled(RootModel[dict[str, Published]]):
    """What became of each review that was behind, or damaged."""

    model_config = ConfigDict(frozen=True)

    @property
    def reviews(self) -> dict[str, Published]:
        """By the review's id."""
        return self.root


class SettleOutbox(Command[Settled]):
    """Publish every review that is behind, and mend what is damaged."""

    operation = "settle_outbox"
    needs = rights.RUN_FLOWS_FOR_ALL


class Signed(Held):
    """What a name was put under."""

    known: bool
    """It was signed before, and nothing was written."""


class SignOff(Command[Signed]):
    """Put a name under the changed conclusion that waits; it is published with it."""

    operation = "sign_off"

    id: str
    review: str
    by: str
    content_hash: str | None = None
    """Of what the person saw; null: whatever waits."""
    note: str | None = None


class Opened(Answer):
    """That a review is open to the public."""

    review: str
    known: bool
    """It was open before, and nothing was written."""


class OpenReview(Command[Opened]):
    """Let a review be public from now on; the next build is its first version."""

    operation = "open_review"

    id: str
    review: str
    by: str
    note: str | None = None


class PublishedAsOf(Answer):
    """The version that was public at a time, and where it is now."""

    version: int
    folder: str


class PublishAsOf(Command[PublishedAsOf]):
    """Write the bytes that a review's latest page had at a time."""

    operation = "as_of"

    review: str
    moment: Time


class Withdrawn(Answer):
    """What became of a version."""

    version: int
    withdrawn: bool
    known: bool
    published: Published


class Withdraw(Command[Withdrawn]):
    """Withdraw a published version and bring the folder up to date."""

    operation = "withdraw"

    id: str
    review: str
    version: int
    by: str
    reason: str
    """Public."""


class Reinstate(Command[Withdrawn]):
    """Let a withdrawn version stand again, as it was."""

    operation = "take_back"

    id: str
    review: str
    version: int
    by: str
    reason: str


# How all of it fares


class SearchStatus(Answer):
    """How a search fares."""

    name: str
    source: str
    kind: str
    last_outcome: str | None
    last_error: str | None
    last_at: str
    last_found: int
    last_success: str | None
    usual: float | None
    """How many records a run of it usually finds; null: too few have run."""
    successes: int
    silent_since: str | None
    quota: float | None
    seconds: float | None
    notes: Sequence[str]
    alarms: Sequence[str]


class SignatureDebt(Answer):
    """What waits for a signature, and how long."""

    findings: int
    whole_page: bool
    since: str
    days: int
    promised_days: int


class ToRetrieve(Answer):
    """Full texts that are not there."""

    sought: int
    """Reports that somebody must get."""


class AlarmGroup(Answer):
    """What is wrong for one cause, a sentence each."""

    cause: str
    lines: Sequence[str]


class ReviewStatus(Answer):
    """The state of a review."""

    review: str
    title: str
    state: str
    """living, paused or retired."""
    searches: Sequence[SearchStatus]
    never_run: Sequence[str]
    """Searches that wait for their first run."""
    recall: dict[str, Any]
    tasks: Sequence[dict[str, Any]]
    out_of_reach: int
    """Included reports without DOI and PMID, which can't be looked up again."""
    flow: dict[str, int]
    """The boxes of the PRISMA flow diagram, by name."""
    conflicts: int
    to_retrieve: ToRetrieve
    version: int | None
    published: str | None
    """ISO time of the newest version."""
    change: str | None
    behind: bool
    """A build is due."""
    opened: bool
    questions: Sequence[dict[str, Any]]
    held: Held | None
    awaiting_signature: SignatureDebt | None
    alarms: Sequence[str]
    """What is wrong now, most urgent first."""
    alarm_groups: Sequence[AlarmGroup]


class Status(Answer):
    """The state of reviews, and of the service."""

    reviews: Sequence[ReviewStatus]
    service: Sequence[str]
    """Alarms of the whole service."""


class ReadStatus(Command[Status]):
    """The state of one review, or of all: searches, queue, versions."""

    operation = "status"
    needs = rights.RUN_FLOWS

    review: str | None = None
    """null: all of them."""


class LedgerAttempt(Answer):
    """One run of one search, as the ledger has it; times are ISO."""

    name: str
    source: str
    kind: str
    outcome: str | None
    started: str
    window_start: str | None
    window_end: str
    query: str
    filters: Sequence[Sequence[str]]
    error: str | None
    finished: str | None
    found: int
    fresh: int
    changed: int
    rejected: int
    pages: int
    bytes: int
    seconds: float | None


class Ledger(Answer):
    """Every attempt of every search, newest first."""

    review: str
    attempts: Sequence[LedgerAttempt]


class ReadLedger(Command[Ledger]):
    """Every attempt of every search of a review, newest first."""

    operation = "ledger"
    needs = rights.RUN_FLOWS

    review: str


class ReadinessCheck(Answer):
    """One thing that the service needs, and whether it is there."""

    name: str
    ok: bool
    words: str


class Readiness(Answer):
    """Whether all is well."""

    ready: bool
    checks: Sequence[ReadinessCheck]


class CheckReadiness(Command[Readiness]):
    """Whether all is well, and each check with its words."""

    operation = "readiness"
    needs = rights.RUN_FLOWS_FOR_ALL
