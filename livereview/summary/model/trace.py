"""trace.json as typed data: each public sentence followed back to the bytes that it rests on."""

from __future__ import annotations

from pydantic import Field

from livereview.evidence.places import State
from livereview.summary.model.base import Model, Moment

SCHEMA_VERSION = "1.0.0"


class TracedClaim(Model):
    """A sentence, the rule that made it, and the studies that it rests on."""

    text: str = Field(description="The sentence.")
    rule: str = Field(description="The rule that made it.")
    version: str = Field(description="Of that rule.")
    studies: tuple[str, ...] = Field(description="Ids of the studies that it rests on.")


class ExtractionDone(Model):
    """When and how a study was extracted."""

    form: str = Field(description="Version of the form.")
    people: int = Field(ge=1, description="How many people extracted it.")
    date: Moment | None = Field(description="When it was last agreed; null: not known.")
    by: str = Field(description="A role, never a name.")


class PlacedQuote(Model):
    """A quote, and whether it stands in a full text that the team holds.

    The file itself is never published, only what tells it.
    """

    quote: str = Field(description="The report's own words.")
    state: State = Field(description="Whether it was looked for, and seen there.")
    page: int | None = Field(description="Of the full text, from 1 on; null: none.")
    file_sha256: str | None = Field(description="Of the file that was looked in; null: none.")


class TracedDecision(Model):
    """A decision in force on a report."""

    stage: str = Field(description="title_abstract or full_text")
    by: str = Field(description="A role, never a name.")
    verdict: str = Field(description="What was decided.")
    criteria: str = Field(description="Version of the criteria that it was made by.")
    date: Moment | None = Field(description="When; null: not known.")


class TracedRecord(Model):
    """A record of a report, as a search brought it in."""

    source: str = Field(description="Where it is from.")
    key: str = Field(description="Its key there.")
    search: str = Field(description="The search that found it first.")
    query: str = Field(description="That search's query, as run.")
    sha256: str = Field(description="Of the bytes that held it.")
    found: Moment | None = Field(description="When it was found; null: not known.")


class TracedReport(Model):
    """Why a report is in, and where it came from."""

    decisions: tuple[TracedDecision, ...] = Field(description="Those in force.")
    records: tuple[TracedRecord, ...] = Field(description="All of its records.")


class TracedStudy(Model):
    """What is known of where a study's data come from."""

    label: str = Field(description="The study's name.")
    extraction: ExtractionDone | None = Field(description="Null: not extracted yet.")
    quotes: tuple[PlacedQuote, ...] = Field(description="The quotes of its form.")
    reports: dict[str, TracedReport] = Field(description="By the report's id.")


class TracedVersion(Model):
    """The version that is followed back."""

    number: int = Field(ge=1, description="From 1 on.")
    date: Moment = Field(description="When it was made.")
    content_hash: str = Field(description="sha256 of what it says and rests on.")


class Trace(Model):
    """Each claim with its rule and studies, and what each study rests on; people by role only."""

    review: str = Field(description="Id of the review.")
    version: TracedVersion = Field(description="The version of the page.")
    claims: dict[str, TracedClaim] = Field(description="By the claim's id.")
    studies: dict[str, TracedStudy] = Field(description="By the study's id.")
