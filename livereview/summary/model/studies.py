"""Reports and studies as they are published: what was extracted, without notes for colleagues."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from livereview.summary.model.base import Count, Model, Number, empty


class Report(Model):
    """A publication."""

    id: str = Field(description="Permanent in this review.")
    title: str | None = Field(description="Null: not known.")
    authors: tuple[str, ...] = Field(description="As its source gave them.")
    year: int | None = Field(description="Of publication; null: not known.")
    published_in: str | None = Field(description="Journal, book or site.")
    doi: str | None = Field(description="Without an address before it.")
    link: str | None = Field(description="Address where it is read.")
    retraction: str | None = Field(description="Notice of its publisher; null: none is known.")


class ExcludedReport(Report):
    """A report that was read in full and excluded."""

    reason: str | None = Field(description="Why, by the protocol's reasons.")


class Result(Model):
    """One result as the study reports it."""

    outcome: str = Field(description="Id of the outcome.")
    measured: str = Field(
        validation_alias="construct",
        serialization_alias="construct",
        description="What was measured.",
    )
    direction: str | None = Field(
        description="What it favours, read from its effect; typed only without a number."
    )
    direction_display: str = Field(description="The same in words.")
    direction_as_words: bool = Field(description="Whether the report gives no number for it.")
    display: str = Field(description="The effect with its interval, in words.")
    measure: str | None = Field(description="Short name: RR, SMD …")
    effect: Number | None = Field(description="Point estimate as reported, on its own scale.")
    ci_low: Number | None = Field(description="Lower end of its 95% interval.")
    ci_high: Number | None = Field(description="Upper end of its 95% interval.")
    n: Number | None = Field(description="People analysed; null: not reported.")
    timing: str | None = Field(description="When it was measured, in the report's words.")
    reported: dict[str, Number] | None = Field(
        description="The figures that the report prints, by name (ai, n1i, m1i, sd1i …)."
    )
    derivation: str | None = Field(description="How the effect was worked out; null: it is given.")
    comparison: str | None = Field(description="Id of the comparison; null: the only one.")
    instrument: str | None = Field(description="The scale, test or register.")
    higher_is_better: bool | None = Field(
        description="Whether more on its own scale is good for people; null: not said."
    )
    subgroup: str | None = Field(description="The part of the people that it is about; null: all.")
    arm: str | None = Field(description="Id of the intervention's group within the study.")
    control_arm: str | None = Field(description="Id of the comparison's group within the study.")
    time: Number | None = Field(description="When it was measured, in `time_unit`.")
    time_unit: str | None = Field(description="days, weeks, months or years")
    kind: str | None = Field(description="benefit, harm, service_use or cost; null: the outcome's.")
    primary: bool = Field(description="Whether the report names it as its primary outcome.")
    adjusted: bool | None = Field(description="Whether it allows for differences at the start.")
    clustered: bool | None = Field(description="Whether people were allocated in groups.")
    analysed: str | None = Field(description="individuals or clusters")
    currency: str | None = Field(description="Of a result about money.")
    price_year: int | None = Field(description="Of its prices.")
    subgroup_is: dict[str, str | Number] | None = Field(
        default=None,
        exclude_if=empty,
        description="The subgroup by the protocol's moderators; not there without one.",
    )
    source_quote: str | None = Field(
        default=None,
        exclude_if=empty,
        description="The report's words that hold the figures; not there without any.",
    )
    worked_out: str | None = Field(
        default=None,
        exclude_if=empty,
        description="How figures were worked out from that quote; not there where they stand in it.",
    )


class StudySays(Model):
    """What a study says on how, for whom and at what cost it works."""

    dimension: str = Field(description="The question of EMMIE.")
    text: str = Field(description="In the team's words.")
    quote: str | None = Field(description="In the report's words.")
    page: str | None = Field(description="Where in the report.")
    quality: Number | None = Field(description="EMMIE-Q, 0 to 4; null: not judged.")
    polarity: str | None = Field(description="barrier or enabler; null: neither.")
    code: str | None = Field(description="Id of the protocol's code.")


class DomainOfStudy(Model):
    """One domain of a study's appraisal, with why."""

    domain: str = Field(description="Its id in the tool.")
    label: str = Field(description="What it is about.")
    judgement: str = Field(description="In the words of the tool.")
    judgement_display: str = Field(description="The same as people read it.")
    support: str | None = Field(description="Why.")


class Cost(Model):
    """A cost as reported."""

    item: str = Field(description="What the money is for.")
    amount: Number = Field(description="In `currency` of `price_year`.")
    currency: str = Field(description="By its three letters (ISO 4217).")
    price_year: int | None = Field(description="Null: not reported.")
    perspective: str | None = Field(description="Who pays.")
    per: str | None = Field(description="For what; null: all of it.")
    total: bool = Field(description="Whether it is the whole cost per that unit.")


class WaitingStudy(Model):
    """An included study that nobody has extracted yet."""

    id: str = Field(description="Permanent in this review.")
    label: str = Field(description="Its name.")
    extracted: Literal[False] = Field(description="It is not.")
    reports: tuple[Report, ...] = Field(description="Its publications.")


class ExtractedStudy(Model):
    """A study as it was extracted."""

    id: str = Field(description="Permanent in this review.")
    label: str = Field(description="Its name.")
    extracted: Literal[True] = Field(description="It is.")
    reports: tuple[Report, ...] = Field(description="Its publications.")
    year: int | None = Field(description="Of the main report.")
    design: str | None = Field(description="Of the study.")
    country: str | None = Field(description="Where.")
    setting: str | None = Field(description="In which kind of place.")
    sample: str | None = Field(description="How people came to be in it.")
    population: str | None = Field(description="Who took part.")
    intervention: str | None = Field(description="What was tried.")
    comparator: str | None = Field(description="What it was compared with.")
    area: str | None = Field(description="Id of the area of the review's map.")
    participants: Count | None = Field(description="People who joined; null: not reported.")
    sites: Count | None = Field(description="How many places it covers.")
    risk_of_bias: str | None = Field(
        description="Overall judgement, in the words of its tool; null: not judged."
    )
    risk_of_bias_tool: str | None = Field(description="The tool of that judgement.")
    risk_of_bias_display: str = Field(description="The judgement as people read it.")
    caution: str | None = Field(description="Why readers should be careful with it.")
    funding: str | None = Field(description="Who paid for it.")
    conflicts: str | None = Field(description="Conflicts of interest.")
    overlaps: tuple[str, ...] = Field(description="Ids of studies about the same people.")
    results: tuple[Result, ...] = Field(description="As reported.")
    findings: tuple[StudySays, ...] = Field(description="On how, for whom and at what cost.")
    appraisal: tuple[DomainOfStudy, ...] = Field(description="Empty: only the whole was judged.")
    costs: tuple[Cost, ...] = Field(description="As reported.")
    form_version: str = Field(description="Of the form.")
    characteristics: dict[str, str | Number] | None = Field(
        default=None,
        exclude_if=empty,
        description="By the protocol's moderators; not there without any.",
    )


Study = Annotated[WaitingStudy | ExtractedStudy, Field(discriminator="extracted")]


class ReportedCost(Cost):
    """A cost with its study, and in the review's money."""

    study: str = Field(description="The study's id.")
    label: str = Field(description="The study's name.")
    converted: Number | None = Field(description="Unrounded; null: `reason` says why.")
    converted_display: str | None = Field(description="In words, or why there is none.")
    reason: str | None = Field(description="Why it is not converted.")
