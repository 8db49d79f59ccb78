"""tombstone.json as typed data: what is left of a version that was withdrawn."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from livereview.summary.model.base import Model, Moment

SCHEMA_VERSION = "1.0.0"


class ReadInstead(Model):
    """The version to read instead."""

    version: int = Field(ge=1, description="Its number.")
    address: str = Field(description="Where it is, from this file.")


class Tombstone(Model):
    """That a version was withdrawn, when, by whom and why, and what to read instead."""

    schema_version: str = Field(description="Of this file.")
    withdrawn: Literal[True] = Field(description="Always true.")
    review: str = Field(description="Id of the review.")
    title: str = Field(description="Its title.")
    version: int = Field(ge=1, description="Number of the withdrawn version.")
    published: str = Field(description="When that was published.")
    published_display: str | None = Field(description="The day in words.")
    date: Moment | None = Field(description="When it was withdrawn.")
    date_display: str | None = Field(description="The day in words.")
    by: str = Field(description="A role, never a name.")
    reason: str = Field(description="Why.")
    superseded_by: int | None = Field(
        description="The newest version after it that stands; null: none does."
    )
    read_instead: ReadInstead | None = Field(
        description="The newest version that stands, older ones too; null: none does."
    )
    newest: bool = Field(description="Whether no version came after it.")
    summary_sha256: str = Field(
        pattern="^[0-9a-f]{64}$",
        description="Of the summary.json that stood there: who kept a copy can tell that it is this.",
    )
