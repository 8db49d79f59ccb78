"""summary.json as typed data: the page, the feeds, the crate and the checklist read it.

Its JSON Schema is made from it (`schema`), so that each property is described where it is defined.
Whatever reads a stored summary.json of an older version reads it by `past.py`.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from livereview.summary.model.base import Model, Moment, Number, empty
from livereview.summary.model.findings import Answer, Claim, PublishedFinding
from livereview.summary.model.map import MapEntry
from livereview.summary.model.protocol import BaseReview, CostRules, Protocol
from livereview.summary.model.status import Debt, FlowCounts, Since, Status, Stop
from livereview.summary.model.studies import (
    ExcludedReport,
    ExtractedStudy,
    Report,
    ReportedCost,
    Study,
)
from livereview.summary.model.team import Configuration, Dimension, Statement
from livereview.summary.model.versions import Changed, Entry, Version

SCHEMA_VERSION = "2.1.0"

__all__ = [
    "SCHEMA_VERSION",
    "Base",
    "Configuration",
    "Costs",
    "Dimension",
    "PerOutcome",
    "PerUnit",
    "Rule",
    "Standard",
    "Statement",
    "Study",
    "Summary",
    "Tool",
    "ToolDomain",
    "plain",
]


class Base(BaseReview):
    """The review that this one continues, with a sentence that says so."""

    display: str = Field(description="The sentence.")


class PerUnit(Model):
    """What it costs per unit, over the studies."""

    studies: tuple[str, ...] = Field(description="Ids; each study counts once.")
    low: Number = Field(description="The least.")
    middle: Number = Field(description="The median.")
    high: Number = Field(description="The most.")
    band: str | None = Field(description="The protocol's band that holds the median.")


class PerOutcome(Model):
    """What one person fewer, or more, with an outcome costs."""

    finding: str = Field(description="Id of the finding whose effect it rests on.")
    outcome: str = Field(description="The outcome's name.")
    more: bool = Field(description="Whether it is one more; false: one fewer.")
    value: Number = Field(description="The middle cost per unit over the effect per unit.")
    low: Number = Field(description="The lowest cost over the largest effect in the interval.")
    high: Number = Field(description="The highest cost over the smallest effect in the interval.")
    band: str | None = Field(description="The protocol's band of the cost per unit.")
    display: str = Field(description="The same in words.")


class Costs(Model):
    """What it costs; never part of a finding on how people fare."""

    protocol: CostRules | None = Field(
        description="Currency, year, source, factors and bands; null: nothing is converted."
    )
    unit: str | None = Field(description="The review's money in words.")
    rows: tuple[ReportedCost, ...] = Field(description="Each cost.")
    per_unit: PerUnit | None = Field(
        description="In the review's currency and year; null: no study gives one."
    )
    per_outcome: tuple[PerOutcome, ...] = Field(
        default=(),
        exclude_if=empty,
        description="For outcomes that the protocol names, where an effect is shown; else not there.",
    )
    display: str = Field(description="All of it in words; empty: nothing can be said.")
    unclear: tuple[str, ...] = Field(
        description="Studies that give several costs per unit and don't say which is the whole."
    )


class ToolDomain(Model):
    """A domain of a tool of appraisal."""

    id: str = Field(description="Its id in the tool.")
    label: str = Field(description="What it is about.")


class Tool(Model):
    """A tool by which studies were appraised."""

    id: str = Field(description="Short name.")
    name: str = Field(description="As forms name it.")
    source: str = Field(description="Where it is described.")
    judgements: tuple[str, ...] = Field(description="Of a domain, best first.")
    domains: tuple[ToolDomain, ...] = Field(description="In the tool's order.")
    overall: tuple[str, ...] = Field(
        description="Of a whole study, best first; empty: the tool gives none."
    )
    high: tuple[str, ...] = Field(
        description="Those that count as high risk of bias when findings are weighed."
    )
    apart: tuple[str, ...] = Field(description="Those at which a study is shown and never decides.")


class Rule(Model):
    """A rule by which sentences are made."""

    id: str = Field(description="Short name.")
    version: str = Field(description="Of the rule.")
    text: str = Field(description="The rule in words.")


class Standard(Model):
    """A method that was used, with the paper that it is from."""

    id: str = Field(description="Short name.")
    what: str = Field(description="What it was used for.")
    citation: str = Field(description="The paper or chapter.")
    doi: str = Field(pattern=r"^10\.\d+/\S+$", description="Its DOI.")
    link: str = Field(description="Its address.", json_schema_extra={"format": "uri"})


class Summary(Model):
    """The public summary of one living review; new keys may come with a minor version."""

    schema_version: str = Field(pattern=r"^2\.\d+\.\d+$", description="Of this schema.")
    language: str = Field(
        pattern="^[a-z]{2,3}(-[A-Za-z]+)*$", description="In which all sentences are told."
    )
    review: Protocol = Field(description="The protocol's public words.")
    version: Version = Field(description="This version.")
    as_of: Moment = Field(description="The last event that this build knows of.")
    as_of_display: str | None = Field(description="The day in words.")
    status: Status = Field(description="How current it is.")
    answer: Claim = Field(description="The answer, of all comparisons together.")
    answers: tuple[Answer, ...] = Field(min_length=1, description="The answer of each comparison.")
    caveat: str = Field(description="What belongs to the answer where evidence lacks; else empty.")
    evidence_lacks: bool = Field(
        description="True where no finding but on costs shows a difference or its absence, so that "
        "the caveat belongs to the answer."
    )
    claims: tuple[Claim, ...] = Field(min_length=1, description="Every sentence that is made.")
    findings: tuple[PublishedFinding, ...] = Field(
        min_length=1, description="One for each outcome of each comparison."
    )
    emmie: tuple[Dimension, ...] = Field(description="Empty: the review asks about effects only.")
    base: Base | None = Field(description="The review that this one continues; null: none.")
    statements: tuple[Statement, ...] = Field(description="The team's own words.")
    configurations: tuple[Configuration, ...] = Field(
        description="Context-mechanism-outcome configurations of a realist review."
    )
    changed: Changed = Field(description="What is new against the version before.")
    versions: tuple[Entry, ...] = Field(min_length=1, description="Newest first, this one too.")
    flow: FlowCounts = Field(description="From records to studies.")
    stop: Stop | None = Field(description="The signed end of reading; null: there is none.")
    debt: Debt = Field(description="How much waits.")
    debt_since: dict[str, Since] = Field(description="By step, since when; only where any waits.")
    studies: tuple[Study, ...] = Field(description="Included studies.")
    awaiting: tuple[Report, ...] = Field(description="Included reports without a study yet.")
    excluded: tuple[ExcludedReport, ...] = Field(description="After reading in full.")
    costs: Costs = Field(description="What it costs.")
    tools: tuple[Tool, ...] = Field(
        description="Tools of appraisal that were used, and the protocol's own."
    )
    rules: tuple[Rule, ...] = Field(description="By which sentences are made.")
    standards: tuple[Standard, ...] = Field(
        description="The methods that were used, each with the paper that it is from."
    )
    map: tuple[MapEntry, ...] = Field(
        default=(),
        exclude_if=empty,
        description="What each study or report is about; not there where nothing is.",
    )

    @property
    def extracted(self) -> tuple[ExtractedStudy, ...]:
        """The studies whose data are there."""
        return tuple(study for study in self.studies if isinstance(study, ExtractedStudy))


def plain(model: Model) -> dict[str, Any]:
    """A part of the summary as JSON has it."""
    return model.model_dump(mode="json")
