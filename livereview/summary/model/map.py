"""The evidence and gap map as it is published: what each study or report is about."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from livereview.evidence.map_codes import DESIGNS, KINDS
from livereview.summary.model.base import Model

STATES = ("included", "being_assessed", "listed")
"""Of what stands on a map: in the review; its full text is being read; or only listed, as an
ongoing study or another review is that this one does not count."""

Level = Annotated[str, Field(json_schema_extra={"enum": ["high", "moderate", "low", "very_low"]})]
"""Certainty by GRADE."""


class MapEntry(Model):
    """A study, or a report that belongs to none, and what it is about."""

    id: str = Field(description="Of the study or the report: permanent in this review.")
    label: str = Field(description="Its name.")
    kind: str = Field(
        description="A study with results, one that is under way, or a review of studies.",
        json_schema_extra={"enum": list(KINDS)},
    )
    state: str = Field(
        description="How far it is; `listed`: it is no part of this review's evidence.",
        json_schema_extra={"enum": list(STATES)},
    )
    year: int | None = Field(description="Of publication; null: not known.")
    areas: tuple[str, ...] = Field(description="Ids of areas; it may be about several.")
    outcomes: tuple[str, ...] = Field(description="Ids of outcomes that it looks at.")
    comparisons: tuple[str, ...] = Field(description="Ids of comparisons.")
    design: str | None = Field(
        description="Group of designs; null: not coded.",
        json_schema_extra={"enum": [*DESIGNS, None]},
    )
    countries: tuple[str, ...] = Field(description="Where, in words.")
    populations: tuple[str, ...] = Field(description="Who it is about, in words.")
    risk_of_bias: str | None = Field(description="Overall judgement; null: not judged.")
    certainty: dict[str, Level] = Field(
        description="By outcome, how sure the findings are that this study counts for; the lowest "
        "where there are several."
    )
    link: str | None = Field(description="Its page here, else where it is read; null: neither.")
