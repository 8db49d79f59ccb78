"""The versions of a review, and what changed in this one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from livereview.evidence.finding_changes import KINDS, Kind
from livereview.summary.model.base import Model, Moment

FORMER_KINDS = ("detail", "strengthened", "weakened", "reversed", "withdrawn")
"""Of versions made by the rules before 2.0."""

ChangeKind = Annotated[str, Field(json_schema_extra={"enum": ["first", *KINDS, *FORMER_KINDS]})]
"""How a version differs from the one before. Old versions are listed as they were, never refused."""


class Withdrawn(Model):
    """When and why a version was taken back."""

    date: Moment = Field(description="The moment.")
    date_display: str | None = Field(description="The day in words.")
    reason: str = Field(description="Why.")


class Entry(Model):
    """A version on the list of all."""

    number: int = Field(ge=1, description="From 1 on.")
    date: Moment = Field(description="When it was made.")
    date_display: str | None = Field(description="The day in words.")
    change: ChangeKind = Field(description="The most serious change; `detail` and later are old.")
    change_display: str = Field(description="The same in words.")
    trigger: str = Field(description="What made it.")
    signed_by: str | None = Field(description="Who signed it; null: nobody had to.")
    withdrawn: Withdrawn | None = Field(
        default=None,
        exclude_if=lambda act: act is None,
        description="Not there while it stands.",
    )


class Version(Model):
    """The version itself, and by which rules it was made."""

    number: int = Field(ge=1, description="From 1 on.")
    date: Moment = Field(description="When it was made.")
    date_display: str | None = Field(description="The day in words.")
    change: ChangeKind = Field(description="The most serious change; `detail` and later are old.")
    change_display: str = Field(description="The same in words.")
    trigger: str = Field(description="What made it.")
    signed_by: str | None = Field(description="Who signed it; null: nobody had to.")
    conclusion_changed: bool = Field(description="Whether the evidence says something else now.")
    rules: str = Field(description="By which rules it was made.")
    predecessor: int | None = Field(description="Number of the version before; null: none.")
    content_hash: str = Field(
        pattern="^[0-9a-f]{64}$", description="sha256 of what it says and rests on."
    )


class FindingChange(Model):
    """How one finding changed."""

    finding: str = Field(description="Its id.")
    label: str = Field(description="Its outcome.")
    kind: Kind = Field(description="How.")
    display: str = Field(description="The same in words.")
    text: str = Field(description="Why, in words.")
    before: str | None = Field(description="Its first sentence before; null: there was none.")
    after: str | None = Field(description="Its first sentence now; null: it is gone.")


class Changed(Model):
    """What differs from the version before, finding by finding."""

    kind: ChangeKind = Field(
        validation_alias="class",
        serialization_alias="class",
        description="The most serious change.",
    )
    display: str = Field(description="The same in words.")
    findings: tuple[FindingChange, ...] = Field(description="Those that changed.")
    studies_added: tuple[str, ...] = Field(description="Ids.")
    studies_removed: tuple[str, ...] = Field(description="Ids.")
