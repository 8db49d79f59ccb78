"""index.json as typed data: all published reviews of a server."""

from __future__ import annotations

from pydantic import Field

from livereview.summary.model.base import Count, Model, Moment
from livereview.summary.model.status import Retirement


class ListedFinding(Model):
    """What a review says of one outcome of one comparison."""

    comparison: str = Field(description="What is compared with what.")
    outcome: str = Field(description="The outcome's name.")
    state: str | None = Field(description="What can be said at all, in words.")
    headline: str | None = Field(description="The first sentence.")


class MapCell(Model):
    """Studies about one area and one outcome."""

    area: str = Field(description="Id of the area.")
    outcome: str = Field(description="Id of the outcome.")
    studies: Count = Field(description="How many there are; not what they say.")
    certainty: str | None = Field(description="How sure it is; null: not rated, or not the same.")


class WithdrawnVersion(Model):
    """A version that was withdrawn, and why."""

    version: int = Field(ge=1, description="Its number.")
    date: Moment = Field(description="When it was withdrawn.")
    date_display: str | None = Field(description="The day in words.")
    reason: str = Field(description="Why.")


class ListedReview(Model):
    """A review by its newest version; where that was withdrawn nothing that it said is told."""

    review: str = Field(description="Id of the review, which is its folder.")
    title: str = Field(description="Its title.")
    state: str = Field(description="living, paused or retired")
    answer: str = Field(description="Its short answer, or that the version was withdrawn.")
    caveat: str | None = Field(description="What to keep in mind of it.")
    version: int = Field(ge=1, description="Number of the newest version.")
    date: str = Field(description="When that was made.")
    date_display: str | None = Field(description="The day in words.")
    change: str | None = Field(description="The most serious change of it; null: it is withdrawn.")
    change_display: str = Field(description="The same in words.")
    studies: Count | None = Field(description="Included studies; null: it is withdrawn.")
    as_of: str | None = Field(description="Up to when the evidence is known.")
    as_of_display: str | None = Field(description="The day in words.")
    retirement: str | None = Field(description="When it is to be retired, by its protocol.")
    retired: Retirement | None = Field(description="Null: it is not retired.")
    states: tuple[ListedFinding, ...] = Field(description="What it says, finding by finding.")
    areas: dict[str, str] = Field(description="Names of its areas, by id.")
    outcomes: dict[str, str] = Field(description="Names of its outcomes, by id.")
    asked: tuple[str, ...] = Field(description="Ids of the areas that it asks about.")
    known: dict[str, str] = Field(description="What is known of each outcome, by its id.")
    map: tuple[MapCell, ...] = Field(description="Where there are studies.")
    withdrawn: tuple[WithdrawnVersion, ...] = Field(description="Its withdrawn versions.")
    page: str = Field(description="Address of its page, from this file.")
    data: str = Field(description="Address of its summary.json or tombstone.json, from this file.")


class FrontPage(Model):
    """All published reviews, by title."""

    schema_version: str = Field(description="Of this file.")
    reviews: tuple[ListedReview, ...] = Field(description="By title.")
