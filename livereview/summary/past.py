"""What a build reads of the summary.json of an earlier version, whatever rules made it.

Published bytes are kept for ever, and each version has the keys of its day. Only what is read stands
here; what later versions added has a default, and everything else is left alone.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

from livereview import messages
from livereview.evidence.finding import Finding
from livereview.summary.model.status import Retirement


class Past(BaseModel):
    """Frozen data of an earlier version; keys that nobody reads are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True)


class PastArea(Past):
    """An area of the map."""

    id: str
    label: str
    asked: bool = True


class PastOutcome(Past):
    """An outcome of the protocol."""

    id: str
    label: str


class PastLiving(Past):
    """How the review was kept alive."""

    timezone: str
    status: str = "living"
    retirement: str = ""


class PastProtocol(Past):
    """The protocol's public words."""

    id: str
    title: str
    authors: tuple[str, ...]
    licence: str
    living: PastLiving
    taxonomy: tuple[PastArea, ...] = ()
    outcomes: tuple[PastOutcome, ...] = ()
    site_url: str | None = None


class PastVersion(Past):
    """The version's own entry."""

    number: int
    date: str
    date_display: str | None
    change: str
    change_display: str
    trigger: str
    conclusion_changed: bool


class PastWithdrawn(Past):
    """That a version was withdrawn, and why."""

    date_display: str | None = None
    reason: str = ""


class PastEntry(Past):
    """A version in the list of all."""

    number: int
    date: str
    date_display: str | None = None
    change: str
    change_display: str
    trigger: str
    withdrawn: PastWithdrawn | None = None


class PastStatus(Past):
    """The stamp."""

    retirement: Retirement | None = None
    search_schedule: str = ""
    search_schedule_display: str = ""


class PastClaim(Past):
    """A sentence that was public."""

    id: str
    text: str


class PastEstimate(Past):
    """A size that was public."""

    value: float
    low: float
    high: float


class PastWeighing(Past):
    """That new evidence was being weighed."""


class PastFinding(Past):
    """A finding as it was public."""

    id: str
    comparison_label: str
    outcome: str
    outcome_label: str
    state: str
    state_display: str
    headline: str
    estimate: PastEstimate | None = None
    weighing: PastWeighing | None = None


class PastChange(Past):
    """How one finding changed."""

    label: str
    display: str
    text: str


class PastChanged(Past):
    """What was new."""

    studies_added: tuple[str, ...] = ()
    findings: tuple[PastChange, ...] = ()


class PastFlow(Past):
    """Where reports had gone."""

    included: int


class PastResult(Past):
    """A result of a study."""

    outcome: str


class PastMapEntry(Past):
    """What a study or report was about."""

    kind: str
    areas: tuple[str, ...]
    outcomes: tuple[str, ...]
    certainty: dict[str, str] = Field(default_factory=dict)


class PastStudy(Past):
    """A study that was in the review."""

    id: str
    label: str = ""
    design: str | None = None
    country: str | None = None
    population: str | None = None
    risk_of_bias_display: str = ""
    area: str | None = None
    results: tuple[PastResult, ...] = ()


class PastSummary(Past):
    """An earlier version's summary.json."""

    language: str = messages.ENGLISH
    review: PastProtocol
    version: PastVersion
    as_of: str
    as_of_display: str | None = None
    status: PastStatus
    answer: PastClaim
    caveat: str
    claims: tuple[PastClaim, ...] = ()
    findings: tuple[PastFinding, ...] | None = Field(
        default=None, description="None: made by rules that told outcomes and no findings."
    )
    changed: PastChanged = PastChanged()
    flow: PastFlow
    studies: tuple[PastStudy, ...]
    map: tuple[PastMapEntry, ...] | None = Field(
        default=None, description="None: nothing was on it, or it was made before there was one."
    )
    versions: tuple[PastEntry, ...] = ()


def read(text: str) -> PastSummary:
    """The parts of a stored summary.json that builds read."""
    return PastSummary.model_validate_json(text)


def findings(text: str) -> tuple[Finding, ...] | None:
    """The findings of a stored summary.json with their figures.

    None where it was made by rules that told no findings.
    """
    rows = json.loads(text).get("findings")
    if rows is None:
        return None
    fields = Finding.model_fields
    figures = [{key: row[key] for key in fields if key in row} for row in rows]
    return tuple(Finding.model_validate(row) for row in figures)
