"""How current a review is, what waits in it, and how many records and reports went where."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from livereview.summary.model.base import Count, LivingState, Model, Moment, Number

SearchOutcome = Annotated[
    str, Field(json_schema_extra={"enum": ["ok", "ok-zero", "partial", "failed"]})
]


class Sign(Model):
    """One sign that a living review may be retired, as it was when the vote began."""

    id: str = Field(description="Of the sign.")
    met: bool | None = Field(description="Null: it could not be judged.")
    told: str = Field(description="The sign with its numbers, as a sentence.")


class VoteCount(Model):
    """How a vote went, in numbers and never names."""

    yes: Count = Field(description="For retiring.")
    no: Count = Field(description="Against it.")
    abstain: Count = Field(description="Neither.")
    voters: Count = Field(description="Who could vote.")


class Retirement(Model):
    """The vote by which a review left living mode."""

    since: Moment = Field(description="When it was retired.")
    since_display: str | None = Field(description="The day in words.")
    reason: str = Field(description="Why, in the team's words.")
    votes: VoteCount = Field(description="How the vote went.")
    votes_display: str = Field(description="The same in words.")
    signs: tuple[Sign, ...] = Field(description="What the vote rested on.")
    revival: str = Field(description="What would bring it back.")


class RunSearch(Model):
    """A search as it was run."""

    name: str = Field(description="Unique within the review.")
    source: str = Field(description="Name of the source.")
    platform: str = Field(description="As PRISMA-S asks for.")
    query: str = Field(description="Exactly as sent.")
    filters: dict[str, tuple[str, ...]] = Field(description="Values by name.")
    grey: bool = Field(description="Whether it searches grey literature.")
    records: Count = Field(description="What it brought in all.")
    last_attempt: Moment | None = Field(description="Null: it never ran.")
    last_outcome: SearchOutcome | None = Field(
        description="Of the last attempt; null: it never ran."
    )
    last_outcome_display: str = Field(description="The same in words.")
    last_success: Moment | None = Field(description="Null: it never succeeded.")
    last_success_display: str = Field(description="The day in words.")
    alert: str | None = Field(description="What is wrong with it, in words; null: nothing.")


class Status(Model):
    """The stamp of a living review: status.json is this part alone."""

    state: LivingState = Field(description="Whether it is kept alive.")
    retirement: Retirement | None = Field(description="Null: no vote has retired it.")
    as_of: Moment = Field(description="The last event that this build knows of.")
    searched_to: Moment | None = Field(description="Up to when every regular search succeeded.")
    searched_to_display: str = Field(description="The day in words.")
    searched_to_reason: str | None = Field(description="Why there is no such day.")
    stale: bool = Field(description="Whether the searches are behind the protocol's promise.")
    stale_after: Moment | None = Field(description="When they will be.")
    stale_after_display: str | None = Field(description="The day in words.")
    stale_days: int = Field(ge=1, description="Days after the last whole search.")
    search_schedule: str = Field(description="Cron.")
    search_schedule_display: str = Field(description="The same in words.")
    searches: tuple[RunSearch, ...] = Field(description="Each search as it was run.")


class ExcludedFor(Model):
    """How many reports were excluded for one reason."""

    reason: str = Field(description="In words.")
    reports: Count = Field(description="How many.")


class FlowCounts(Model):
    """The boxes of PRISMA 2020's flow diagram, which balance: prisma.json is this part alone."""

    identified_databases: int = Field(description="Records from databases and registers.")
    identified_other: int = Field(description="Records by other methods: grey literature.")
    duplicates: int = Field(description="Records taken off as duplicates before screening.")
    screened: int = Field(description="Records that somebody has begun to screen.")
    awaiting_screening: int = Field(description="Records that wait to be screened.")
    in_screening: int = Field(description="Records on which votes are in and none is final.")
    excluded: int = Field(description="Records excluded on title and abstract, by people.")
    excluded_by_automation: int = Field(description="Always 0: no machine excludes.")
    sought: int = Field(description="Reports whose full text was sought.")
    not_retrieved: int = Field(description="Reports whose full text could not be had.")
    awaiting_full_text: int = Field(description="Reports that wait to be read in full.")
    assessed: int = Field(description="Reports that were read in full.")
    excluded_full_text: tuple[ExcludedFor, ...] = Field(description="Most frequent first.")
    included: int = Field(description="Reports that are included.")
    awaiting_extraction: int = Field(description="Included reports that wait to be extracted.")
    studies: int = Field(description="Studies that the reports make.")
    doubtful_pairs: int = Field(description="Pairs of records that may be duplicates.")
    not_screened: int = Field(description="Records left unread by a signed stop.")


class Debt(Model):
    """How much waits for a person at each step."""

    awaiting_screening: Count = Field(description="Records that wait to be screened.")
    in_screening: Count = Field(description="Records on which no decision is final.")
    awaiting_full_text: Count = Field(description="Reports that wait to be read in full.")
    awaiting_extraction: Count = Field(description="Included reports that wait to be extracted.")
    doubtful_pairs: Count = Field(description="Pairs of records that may be duplicates.")
    awaiting_signature: Count = Field(description="Findings that wait for a lead's name.")


class Since(Model):
    """When the oldest of what waits at a step was found, or began to wait."""

    date: Moment = Field(description="The moment.")
    date_display: str | None = Field(description="The day in words.")


class Stop(Model):
    """The lead's end of the reading of titles and abstracts, with what the test said that day.

    What else a rule for stopping said stands beside it as it was kept.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Any]

    date: Moment = Field(description="When it was signed.")
    date_display: str | None = Field(description="The day in words.")
    by: str = Field(description="By which role.")
    read: Count = Field(description="Reports that were read.")
    found: Count = Field(description="Those of them that went on.")
    total: Count = Field(description="Reports in all.")
    target: Number = Field(description="Share of the relevant ones that is wanted.")
    may_stop: bool = Field(description="Whether the test supports it.")
    low: Number | None = Field(description="Share that is found at least; null: nothing says so.")
    assumes: str = Field(description="What the test assumes.")
    display: str = Field(description="All of it in words.")
