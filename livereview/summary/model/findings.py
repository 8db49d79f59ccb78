"""Findings and claims as they are published: the figures, and what is said of them."""

from __future__ import annotations

from pydantic import Field

from livereview.evidence.finding import Finding
from livereview.summary.model.base import Model, Number, empty


class Figure(Model):
    """A number behind a sentence."""

    name: str = Field(description="What it counts or measures.")
    value: Number | None = Field(description="Null: `reason` says why.")
    unit: str = Field(description="Of what.")
    of: Number | None = Field(description="What it is out of.")
    reason: str | None = Field(description="Why there is no value.")


class Claim(Model):
    """A sentence or more that the public reads, and what it rests on."""

    id: str = Field(pattern="^(answer|finding:.+|emmie:.+)$", description="Permanent.")
    text: str = Field(min_length=1, description="The words.")
    rule: str = Field(description="Id of the rule by which it was made.")
    version: str = Field(description="Of that rule.")
    studies: tuple[str, ...] = Field(description="Ids of the studies that it rests on.")
    figures: tuple[Figure, ...] = Field(description="The numbers in it, or behind it.")


class Answer(Model):
    """The answer of one comparison."""

    comparison: str = Field(description="Its label.")
    text: str = Field(description="The answer.")


class GroupRow(Model):
    """One group of a moderator, as a row of a table."""

    group: str = Field(description="The value.")
    studies: int = Field(description="Counted studies in it.")
    people: int | None = Field(description="Null: not reported.")
    people_display: str = Field(description="The same in words.")
    estimate_display: str | None = Field(description="Its effect with its interval.")
    absolute_display: str | None = Field(description="Out of 1,000 people.")


class ModeratorWords(Model):
    """What is said of one moderator of a finding."""

    moderator: str = Field(description="Its id.")
    label: str = Field(description="Its name.")
    text: str = Field(min_length=1, description="What is found, and how far it can be believed.")
    groups: tuple[GroupRow, ...] = Field(description="Empty: it is a number.")


class PublishedFinding(Finding):
    """A finding with what is said of it, for pages and for sites that print it."""

    claim: str = Field(pattern="^finding:.+$", description="Id of the claim that says it.")
    state_display: str = Field(description="The state in words.")
    headline: str = Field(
        min_length=1, description="What it means, without a figure: what a signature is for."
    )
    size_display: str = Field(
        description="How large, with its interval; empty where nothing can be said."
    )
    evidence_display: str = Field(description="How many studies and people.")
    certainty_display: str = Field(description="How sure the team is, and why.")
    wording: str = Field(min_length=1, description="All of it, to print.")
    estimate_display: str | None = Field(description="The estimate with its interval.")
    absolute_display: str | None = Field(description="Out of 1,000 people, without and with it.")
    quality: int | None = Field(
        ge=0,
        le=4,
        description="Of the evidence, by the rule effect-quality; null: quality_reason says why.",
    )
    quality_reason: str = Field(
        min_length=1, description="Where the quality comes from, or why there is none."
    )
    weighing_display: str | None = Field(
        description="That new evidence is being weighed; null: nothing is."
    )
    stands_display: str | None = Field(
        default=None,
        exclude_if=empty,
        description="The checks that leave the answer as it is; not there without any.",
    )
    otherwise_display: tuple[str, ...] = Field(
        default=(),
        exclude_if=empty,
        description="How the answer would read by the checks that change it; not there without any.",
    )
    small_studies_display: str | None = Field(
        default=None,
        exclude_if=empty,
        description="Whether small studies show other results than large ones; not there where that "
        "is not asked.",
    )
    missing_evidence_display: str | None = Field(
        default=None,
        exclude_if=empty,
        description="The team's judgement of the risk that results are missing; not there without one.",
    )
    moderators_display: tuple[ModeratorWords, ...] = Field(
        default=(),
        exclude_if=empty,
        description="For whom, where and how much; not there where no moderator is named.",
    )
