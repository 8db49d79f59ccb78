"""prisma-s.json as typed data: how the evidence is searched for, by PRISMA-S."""

from __future__ import annotations

from pydantic import Field

from livereview.summary.model.base import Count, Model, Moment

SCHEMA_VERSION = "1.0.0"


class SearchedSource(Model):
    """A source with its strategy as it was run."""

    name: str = Field(description="Name of the search in the protocol.")
    platform: str = Field(description="Through what it is searched.")
    kind: str = Field(description="Database, study registry, online resource, citation searching …")
    strategy: str = Field(description="The query, as run.")
    filters: tuple[tuple[str, str], ...] = Field(description="Each as [name, value].")
    start: str | None = Field(
        validation_alias="from",
        serialization_alias="from",
        description="Nothing before this day; null: no limit.",
    )
    schedule: str | None = Field(description="As a cron line; null: searched once.")
    schedule_display: str = Field(description="The same in words.")
    first_run: Moment | None = Field(description="The first complete run; null: never.")
    first_run_display: str = Field(description="Its day in words.")
    last_run: Moment | None = Field(description="The last attempt; null: never.")
    last_success: Moment | None = Field(description="The last complete run; null: never.")
    last_success_display: str = Field(description="Its day in words.")
    runs: Count = Field(description="Complete runs.")
    records: Count = Field(description="Records that it brought in all.")


class ReportedItem(Model):
    """An item of PRISMA-S with its answer."""

    item: str = Field(description="Its number and subject.")
    answer: str = Field(description="What was done, or that it is not recorded.")


class SourceShare(Model):
    """What one search found of the included reports."""

    source: str = Field(description="Name of the search.")
    found: Count = Field(description="Included reports that it found.")
    alone: Count = Field(description="Of these, those that no other search found.")


class FoundShare(Model):
    """How much of the evidence the searches find, by capture and recapture."""

    included: Count = Field(description="Included reports.")
    sources: tuple[SourceShare, ...] = Field(description="Search by search.")
    estimate: float | None = Field(description="How many there may be; null: not estimated.")
    low: float | None = Field(description="Lower end of its 95% interval.")
    high: float | None = Field(description="Upper end of its 95% interval.")
    reason: str | None = Field(description="Why it is not estimated; null: it is.")
    share: float | None = Field(description="Included reports as a share of the estimate.")
    caveat: str = Field(description="What the estimate can't say.")


class SearchReport(Model):
    """The report that PRISMA-S asks for."""

    standard: str = Field(description="The standard, with its DOI.")
    review: str = Field(description="Id of the review.")
    as_of: Moment | None = Field(description="When it was made.")
    sources: tuple[SearchedSource, ...] = Field(description="Every source that is searched.")
    items: tuple[ReportedItem, ...] = Field(description="The items, in the standard's order.")
    records: Count = Field(description="Records that were found in all.")
    duplicates: Count = Field(description="Records that were duplicates of others.")
    recall: FoundShare | None = Field(description="Null: nothing is included yet.")
