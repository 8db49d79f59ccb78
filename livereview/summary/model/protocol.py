"""The public part of a protocol, as it stands under `review` in summary.json.

What a review.toml holds and this does not is private: highlights, canaries, webhooks, the names of
adjudicators and of those who share the reports out, and the file's own text with its comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field

from livereview import messages
from livereview.review import Methods as ReviewMethods
from livereview.review import Review
from livereview.summary.model.base import LivingState, Model, Number, empty


def _english(language: object) -> bool:
    return language == messages.ENGLISH


def _no_own_rules(rules: object) -> bool:
    return rules == Dedup()


def _usual_checks(checks: object) -> bool:
    return checks == ReviewMethods().sensitivity


class Question(Model):
    """The review's question in PICO-C, as its authors wrote it."""

    text: str = Field(description="The question as a sentence.")
    population: str = Field(description="Whom it is about.")
    intervention: str = Field(description="What is tried.")
    comparator: str = Field(description="What it is compared with.")
    outcomes: str = Field(description="What may change for people.")
    context: str = Field(description="Where.")


class Criterion(Model):
    """One criterion by which reports are included or excluded."""

    id: str = Field(description="Permanent within the review.")
    kind: str = Field(description="include or exclude")
    text: str = Field(description="The criterion in words.")


class Reason(Model):
    """A reason for which reports may be excluded after reading in full."""

    id: str = Field(description="Permanent within the review.")
    label: str = Field(description="The reason in words.")
    retired: bool = Field(description="True: kept for old decisions, not to be chosen any more.")


class PlannedSearch(Model):
    """One search of one source, as the protocol plans it."""

    name: str = Field(description="Unique within the review.")
    source: str = Field(description="Name of the source in livereview, or of a class of its own.")
    platform: str = Field(description="As PRISMA-S asks for: “OpenAlex API”.")
    query: str = Field(description="The string as sent; empty where an address is read.")
    url: str | None = Field(description="Address of a feed or page; null: a query is sent.")
    filters: tuple[tuple[str, str], ...] = Field(description="Pairs of a name and a value.")
    schedule: str | None = Field(description="Cron; null: the review's own.")
    overlap_days: int = Field(description="How far each window reaches back before the last one.")
    sweep_days: int = Field(description="Days after which it goes back to its start; 0: never.")
    start: str | None = Field(description="Day before which it does not look; null: since ever.")
    grey: bool = Field(description="Whether it searches grey literature.")
    usual_zero: bool = Field(description="Whether an empty answer is normal.")


class Screening(Model):
    """How many people decide, in which stages."""

    votes: int = Field(description="Independent reviewers a stage.")
    stages: tuple[str, ...] = Field(description="In order: title_abstract, full_text.")


class Outcome(Model):
    """An outcome that the review asks about."""

    id: str = Field(description="Permanent within the review.")
    label: str = Field(description="Its name.")
    better: Literal["lower", "higher"] = Field(description="Which of the two is good for people.")
    measure: str | None = Field(description="In which findings are told; null: none was agreed.")
    important: Number | None = Field(
        description="Smallest important difference: per 1,000 for events, else in the measure."
    )
    pool: bool = Field(description="Whether sizes may be averaged over studies.")
    more: str | None = Field(
        description="What more of it means, as a clause; null: from the label."
    )
    fewer: str | None = Field(description="What less of it means, as a clause.")
    kind: str = Field(description="benefit, harm, service_use or cost")
    unit: str | None = Field(description="Unit of a mean difference.")
    risk: Number | None = Field(description="Of 1,000 people without it, how many have the event.")
    risk_source: str | None = Field(description="Where that number comes from.")
    constructs: tuple[str, ...] = Field(
        description="Which of a study's constructs or instruments stands for it, preferred first."
    )
    follow_up: tuple[str, ...] = Field(
        description="Ids of the bands of time from which a result is taken, preferred first."
    )


class Living(Model):
    """How the review is kept alive, as PRISMA-LSR asks (item L1)."""

    timezone: str = Field(description="In which days are told.")
    search_schedule: str = Field(description="Cron of searches without their own.")
    screening: str = Field(description="When screening follows, in words.")
    extraction: str = Field(description="When extraction follows, in words.")
    synthesis: str = Field(description="When synthesis follows, in words.")
    publication: str = Field(description="When publication follows, in words.")
    trigger: str = Field(description="What makes a new version.")
    retirement: str = Field(description="When it stops being living, or “none”.")
    stale_days: int = Field(description="Days after the last whole search until the page warns.")
    status: LivingState = Field(description="As the protocol says.")
    sign_off: bool = Field(description="Whether a changed conclusion waits for a lead's name.")
    sign_off_days: int = Field(description="Days within which the team promises to sign.")


class Comparison(Model):
    """What is compared with what."""

    id: str = Field(description="Permanent within the review.")
    label: str = Field(description="Its name.")
    intervention: str = Field(description="As it stands inside a sentence.")
    comparator: str = Field(description="As it stands inside a sentence.")
    outcomes: tuple[str, ...] = Field(description="Ids of those it asks about; empty: all.")


class FollowUp(Model):
    """A band of time after the start."""

    id: str = Field(description="Permanent within the review.")
    label: str = Field(description="Its name.")
    start: Number = Field(description="First month of the band.")
    end: Number | None = Field(description="First month after it; null: no end.")


class Methods(Model):
    """How the review pools, as its protocol promised."""

    estimator: str = Field(description="Of the variance between studies; EE: one common effect.")
    test: str = Field(description="Of the mean and its interval: z, knha or adhoc.")
    few: int = Field(description="Below so many studies the interval is that of z.")
    prediction: str = Field(description="Quantile of the prediction interval.")
    rare: str = Field(description="Where an arm has no event: mantel-haenszel, peto or none.")
    dependent: str = Field(description="Several results of one study: choose one, or all.")
    sensitivity: tuple[str, ...] = Field(
        exclude_if=_usual_checks,
        description="How each answer is worked out again; not there where it is the usual three.",
        default=ReviewMethods().sensitivity,
    )


class Moderator(Model):
    """What may make an effect larger or smaller."""

    id: str = Field(description="Permanent within the review.")
    label: str = Field(description="Its name.")
    kind: Literal["category", "number"] = Field(description="Groups, or a number.")
    reason: str = Field(description="Why it should matter.")
    in_advance: bool = Field(description="Whether it was named before results were known.")
    values: tuple[str, ...] = Field(description="Of a category, in the order of the page.")
    unit: str | None = Field(description="Of a number.")
    reads: str | None = Field(description="Which part of the forms it reads; null: its own field.")
    better_for: str | None = Field(
        description="Where it was expected to work better; null: nothing was."
    )
    outcomes: tuple[str, ...] = Field(description="Ids of those it is asked for; empty: all.")


class Area(Model):
    """An area of the review's map."""

    id: str = Field(description="Permanent within the review.")
    label: str = Field(description="Its name.")
    asked: bool = Field(description="False: studies are sorted into it, and it is no gap.")


class Code(Model):
    """A code for what studies say on how, for whom and at what cost."""

    id: str = Field(description="Permanent within the review.")
    label: str = Field(description="Its name.")


class OwnTool(Model):
    """A tool of appraisal that the protocol describes."""

    id: str = Field(description="Permanent within the review.")
    name: str = Field(description="As forms name it.")
    source: str = Field(description="Where it is described.")
    judgements: tuple[str, ...] = Field(description="Of a domain, best first.")
    domains: tuple[tuple[str, str], ...] = Field(description="Pairs of an id and what it is about.")
    overall: tuple[str, ...] = Field(description="Of a whole study, best first; empty: none.")
    high: tuple[str, ...] = Field(description="Those that count as high risk of bias.")
    apart: tuple[str, ...] = Field(description="Those at which a study is shown and not counted.")


class ProtocolStatement(Model):
    """A sentence of the review team, as the protocol has it."""

    id: str = Field(description="Permanent within the review.")
    under: str = Field(description="The place of the page where it stands.")
    text: str = Field(description="The team's words.")
    studies: tuple[str, ...] = Field(description="Ids of the studies that it rests on.")
    findings: tuple[str, ...] = Field(description="Ids of the findings that it rests on.")
    standing: str | None = Field(description="Of a rival explanation; null: not weighed.")
    supports: tuple[str, ...] = Field(description="Ids of the studies for it.")
    against: tuple[str, ...] = Field(description="Ids of the studies against it.")
    checked: str | None = Field(description="Day on which the team last read it.")
    review_by: str | None = Field(description="Day by which it is to be read again.")


class ProtocolConfiguration(Model):
    """A context, a mechanism and an outcome, as the protocol has them."""

    id: str = Field(description="Permanent within the review.")
    context: str = Field(description="In this context …")
    mechanism: str = Field(description="… this mechanism …")
    outcome: str = Field(description="… is thought to bring about this.")
    evidence: str = Field(description="What it rests on, in the team's words.")
    for_whom: str | None = Field(description="Whom it is about; null: nobody in particular.")
    supports: tuple[str, ...] = Field(description="Ids of the studies for it.")
    against: tuple[str, ...] = Field(description="Ids of the studies against it.")
    checked: str | None = Field(description="Day on which the team last read it.")
    review_by: str | None = Field(description="Day by which it is to be read again.")


class PriceFactor(Model):
    """By what an amount in this currency and year is multiplied."""

    currency: str = Field(description="By its three letters (ISO 4217).")
    year: int = Field(description="Of the prices.")
    factor: Number = Field(description="The amount times this stands in the review's money.")


class CostBand(Model):
    """A band of costs per unit."""

    label: str = Field(description="Its name.")
    below: Number | None = Field(description="Amounts below this; null: all the rest.")


class CostRules(Model):
    """How the review tells costs."""

    currency: str = Field(description="In which all are told.")
    year: int = Field(description="Of the prices in which all are told.")
    source: str = Field(description="Of the table of factors.")
    per: str | None = Field(description="The unit that the bands are for; null: no bands.")
    factors: tuple[PriceFactor, ...] = Field(description="The table.")
    bands: tuple[CostBand, ...] = Field(description="From the lowest on.")
    outcomes: tuple[str, ...] = Field(
        default=(),
        exclude_if=empty,
        description="Ids of outcomes that count the same unit; not there where none is named.",
    )


class BaseReview(Model):
    """The review that this one continues."""

    citation: str = Field(description="As a reader would find it.")
    year: int = Field(description="Of its publication.")
    publications: int = Field(description="Reports that it read.")
    answer: str = Field(description="What it concluded, in this team's words.")
    studies: int | None = Field(description="Studies that it counted; null: it does not say.")
    link: str | None = Field(description="Where it stands.")


class Dedup(Model):
    """What the team adds to the rules of deduplication for its field."""

    never_merge: tuple[str, ...] = Field(
        default=(), description="Where both records know it and it differs, a person decides."
    )
    same_series: tuple[str, ...] = Field(
        default=(), description="Names of one series or publisher, parted by “ = ”."
    )


class LanguageModel(Model):
    """A language model that answers on criteria and decides nothing."""

    model: str = Field(description="As its server calls it.")
    uses: tuple[str, ...] = Field(description="What it is asked for.")
    seen_by: str = Field(description="Who sees its answers, and when.")
    records_per_night: int = Field(description="Questions asked in one night at most.")
    records_in_all: int = Field(description="Questions asked in all at most.")
    floor: float = Field(description="The sensitivity that it is held against.")
    temperature: float = Field(description="As sent.")
    apart: str = Field(description="Tag of the reports that its evaluation leaves out.")


class Protocol(Model):
    """What the review promised to do, without what is private."""

    id: str = Field(description="Of the review, as in its address.")
    title: str = Field(description="Of the review.")
    authors: tuple[str, ...] = Field(description="As the protocol names them.")
    licence: str = Field(description="Of everything that is published.")
    question: Question = Field(description="What is asked.")
    criteria_version: str = Field(description="Version of the criteria.")
    criteria: tuple[Criterion, ...] = Field(description="Who and what is included.")
    reasons: tuple[Reason, ...] = Field(description="For which reports are excluded.")
    searches: tuple[PlannedSearch, ...] = Field(description="Where it searches, and for what.")
    screening: Screening = Field(description="Who decides.")
    outcomes: tuple[Outcome, ...] = Field(description="What may change for people.")
    living: Living = Field(description="How it is kept alive.")
    comparisons: tuple[Comparison, ...] = Field(description="Empty: the one of its question.")
    follow_up: tuple[FollowUp, ...] = Field(description="Bands of time after the start.")
    methods: Methods = Field(description="How it pools.")
    moderators: tuple[Moderator, ...] = Field(
        default=(), exclude_if=empty, description="For whom; not there where none is named."
    )
    taxonomy: tuple[Area, ...] = Field(description="Areas of its map.")
    codes: tuple[Code, ...] = Field(description="For what studies say in words.")
    tools: tuple[OwnTool, ...] = Field(description="Of appraisal, of its own.")
    sites: str = Field(description="What studies are spread over, as the page calls it.")
    emmie: bool = Field(description="Whether it asks how, for whom and at what cost.")
    extractors: int = Field(description="People who extract each study by themselves.")
    dedup: Dedup = Field(
        default=Dedup(),
        exclude_if=_no_own_rules,
        description="Rules of deduplication of its own; not there without any.",
    )
    statements: tuple[ProtocolStatement, ...] = Field(description="The team's own words.")
    configurations: tuple[ProtocolConfiguration, ...] = Field(description="Of a realist review.")
    base: BaseReview | None = Field(description="The review that this one continues; null: none.")
    costs: CostRules | None = Field(description="How costs are told; null: as reported.")
    assistant: LanguageModel | None = Field(
        default=None,
        exclude_if=empty,
        description="Who gives a second opinion that has no vote; not there without one.",
    )
    suggestions: str | None = Field(description="Where readers suggest a study.")
    site_url: str | None = Field(
        default=None, exclude_if=empty, description="Where it is published; not there without one."
    )
    language: str = Field(
        default=messages.ENGLISH,
        exclude_if=_english,
        description="Of the published pages; not there where it is British English.",
    )


PRIVATE = ("text", "hash", "highlights", "canaries", "webhooks")
"""Fields of a Review that are published nowhere."""


def public(review: Review) -> Protocol:
    """The protocol's public words."""
    plain = {key: value for key, value in asdict(review).items() if key not in PRIVATE}
    screening = {"votes": review.screening.votes, "stages": review.screening.stages}
    return Protocol.model_validate({**plain, "screening": screening})


def plain(protocol: Protocol) -> Mapping[str, Any]:
    """The same as JSON has it."""
    return protocol.model_dump(mode="json")
