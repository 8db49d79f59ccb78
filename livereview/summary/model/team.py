"""The team's own words, and what studies say on how, for whom and at what cost it works."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from livereview.review import EMMIE
from livereview.summary.model.base import Model, Moment, Number
from livereview.summary.model.protocol import ProtocolConfiguration, ProtocolStatement
from livereview.summary.model.studies import StudySays

Polarity = Annotated[str, Field(json_schema_extra={"enum": ["barrier", "enabler"]})]


class Confidence(Model):
    """What GRADE-CERQual says of a finding in words."""

    level: str = Field(description="high, moderate, low or very_low")
    display: str = Field(description="The same with its reasons.")


class Statement(ProtocolStatement):
    """A sentence of the team, with how well it stands and whether evidence has moved on since."""

    confidence: Confidence | None = Field(description="Null: not rated for these studies.")
    standing_display: str | None = Field(description="Of an explanation, in words.")
    supports_display: str = Field(description="Names of the studies for it.")
    against_display: str = Field(description="Names of the studies against it.")
    read: Moment | None = Field(description="When the team last read it.")
    read_display: str | None = Field(description="The day in words.")
    outdated_display: str | None = Field(
        description="That the evidence has moved on since; null: it has not."
    )


class Configuration(ProtocolConfiguration):
    """A context, a mechanism and an outcome, with whether evidence has moved on since."""

    supports_display: str = Field(description="Names of the studies for it.")
    against_display: str = Field(description="Names of the studies against it.")
    read: Moment | None = Field(description="When the team last read it.")
    read_display: str | None = Field(description="The day in words.")
    outdated_display: str | None = Field(
        description="That the evidence has moved on since; null: it has not."
    )


class QuotedSays(StudySays):
    """The same with its study."""

    study: str = Field(description="The study's id.")
    label: str = Field(description="The study's name.")


class CodedFinding(Model):
    """What several studies say, under one of the protocol's codes."""

    id: str = Field(description="Permanent: dimension/code, with /barrier or /enabler.")
    code: str = Field(description="Id of the code.")
    label: str = Field(description="Its name.")
    polarity: Polarity | None = Field(description="Null: neither.")
    studies: tuple[str, ...] = Field(min_length=1, description="Ids of those that say it.")
    of: int = Field(ge=1, description="All studies that were extracted.")
    sites: tuple[int | None, ...] = Field(
        description="How many places each of these studies covers; null: it does not say."
    )
    display: str = Field(description="How many say it, in words.")
    confidence: Confidence | None = Field(
        description="GRADE-CERQual; null: not rated for these studies."
    )
    findings: tuple[QuotedSays, ...] = Field(description="Their words.")


class Dimension(Model):
    """One question of EMMIE: what is found, and how good that evidence is."""

    dimension: str = Field(description="Which question.", json_schema_extra={"enum": list(EMMIE)})
    question: str = Field(description="The question in words.")
    claim: str = Field(description="Id of the claim that answers it.")
    text: str = Field(description="The answer.")
    quality: Number | None = Field(ge=0, le=4, description="EMMIE-Q; null: quality_reason.")
    quality_of: Number | None = Field(description="The best that there could be.")
    quality_reason: str | None = Field(description="Why there is no quality.")
    quality_display: str = Field(
        min_length=1, description="How good this evidence is, in words, and by what."
    )
    statements: tuple[Statement, ...] = Field(description="The team's own words on it.")
    codes: tuple[CodedFinding, ...] = Field(
        description="What studies say, grouped by the protocol's codes, most reported first."
    )
    findings: tuple[QuotedSays, ...] = Field(description="All that studies say on it.")
