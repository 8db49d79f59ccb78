"""What people extract from a study, as data: checked when it comes in, the same for a form, a JSON
and a CSV file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORM_VERSION = "3"
"""1 had no setting, sample, funding, conflicts, appraisal, costs, codes and reported figures; 2 had no comparison,
arms, instrument, orientation, time as a number, subgroup, kind and clustering, and took directions as typed."""
DIRECTIONS = ("favours_intervention", "favours_comparison", "no_difference", "unclear")
FORM_VERSIONS = ("1", "2", FORM_VERSION)
MONTHS_IN = {"days": 12 / 365.25, "weeks": 7 * 12 / 365.25, "months": 1.0, "years": 12.0}
ANALYSED = ("individuals", "clusters")


@dataclass(frozen=True, slots=True)
class Result:
    """One outcome result as reported.

    subgroup_is what the subgroup is, by the protocol's moderators: {"age": "under 18"}

    Attributes:
        outcome: Id of an outcome in review.toml.
        direction: One of DIRECTIONS, judged against the outcome's `better`: typed only where no
            number is given; else derived from the effect (`orientation.py`).
        effect: Point estimate in `measure` with its 95% interval, where reported; None where not.
        n: People analysed; `timing` in words, e.g. "18 months".
        reported: The figures as the report prints them, by the names of `statistics` (m1i, sd1i,
            n1i, t, p ...); where there is no effect, it is worked out from them.
        derivation: How the effect was worked out from what was reported, in words.
        comparison: Id of one of the protocol's comparisons; None: its only one.
        instrument: The scale, test or register that measured it.
        higher_is_better: Whether more on this scale (or more of this event) is good for people;
            None: not said.
        subgroup: The part of the study's people that it is about: "young women"; None: all of them.
        arm, control_arm: Ids within the study, so that two results that share an arm know of each
            other.
        time, time_unit: When it was measured after the start: 18, "months".
        kind: One of review.OUTCOME_KINDS; None: the outcome's own.
        primary: The report names it as its primary outcome.
        adjusted: Whether the effect allows for differences at the start; None: not said.
        clustered: Whether people were allocated in groups; then `analysed` says whether the
            analysis allowed for it.
        analysed: "individuals" or "clusters".
        currency, price_year: Of a result of kind cost.
        source_quote: The words of the report that hold the figures.
        worked_out: How figures that the quote does not hold were worked out from it, in words.
    """

    outcome: str
    construct: str
    direction: str | None = None
    measure: str | None = None
    effect: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int | None = None
    timing: str | None = None
    note: str | None = None
    reported: Mapping[str, float] | None = None
    derivation: str | None = None
    comparison: str | None = None
    instrument: str | None = None
    higher_is_better: bool | None = None
    subgroup: str | None = None
    arm: str | None = None
    control_arm: str | None = None
    time: float | None = None
    time_unit: str | None = None
    kind: str | None = None
    primary: bool = False
    adjusted: bool | None = None
    clustered: bool | None = None
    analysed: str | None = None
    currency: str | None = None
    price_year: int | None = None
    subgroup_is: Mapping[str, str | float] | None = None
    source_quote: str | None = None
    worked_out: str | None = None

    @property
    def months(self) -> float | None:
        """When it was measured, in months; None where that is not said as a number and a unit.

        To a tenth from one month on: 39 weeks are what trials call nine months, and 365 days are a
        year.
        """
        if self.time is None or self.time_unit is None:
            return None
        months = self.time * MONTHS_IN[self.time_unit]
        return round(months, 1) if months >= 1 else months

    @property
    def people(self) -> int | None:
        """People analysed: as typed, else those of both groups' own figures; None where unknown.

        The whole study's people are no answer: some are lost before they are measured.
        """
        if self.n is not None:
            return self.n
        figures = self.reported or {}
        for names in (("n1i", "n2i"), ("ai", "bi", "ci", "di")):
            if all(name in figures for name in names):
                return round(sum(figures[name] for name in names))
        return None


@dataclass(frozen=True, slots=True)
class EmmieFinding:
    """What a study says on one EMMIE dimension, with its quality kept apart (EMMIE-E and EMMIE-Q).

    `dimension` is one of review.EMMIE; `quality` 0-4 or None; `polarity` "barrier", "enabler" or
    None; `code` the id of one of the protocol's codes.
    """

    dimension: str
    text: str
    quote: str | None = None
    page: str | None = None
    quality: int | None = None
    polarity: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One domain of an appraisal: `judgement` in the words of the tool (`appraisal.TOOLS`),
    `support` why.
    """

    domain: str
    judgement: str
    support: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost as reported: an amount in a currency (ISO 4217) of a year, seen by `perspective`, e.g.

    "council".

    Attributes:
        per: Of what: "family", "child kept out of care"; None: of the whole.
        total: It is the whole cost per that unit, where a study gives its parts too.
    """

    item: str
    amount: float
    currency: str
    price_year: int | None = None
    perspective: str | None = None
    per: str | None = None
    total: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """One person's extraction of one study.

    Attributes:
        study: Permanent id within the review, e.g. "slesnick-2015".
        reports: How to find its reports: DOIs, PMIDs ("pmid:1"), record ids, or titles.
        sites: How many places it covers: councils, schools, teams, as the protocol calls them.
        risk_of_bias: Overall judgement: one of `appraisal.RISK_OF_BIAS`, or of the protocol's own
            tool; None: not judged.
        risk_of_bias_tool, appraisal: The tool with its version, and its judgement of each domain.
        caution: Why readers should be careful with this study, in one sentence.
        overlaps: Ids of other studies about the same people: only one of them counts for a finding.
        characteristics: What the study's people, place or programme are, by the protocol's
            moderators: {"dose": 12.0}.
    """

    study: str
    label: str
    reports: tuple[str, ...]
    year: int | None = None
    design: str | None = None
    country: str | None = None
    setting: str | None = None
    sample: str | None = None
    population: str | None = None
    intervention: str | None = None
    comparator: str | None = None
    area: str | None = None
    participants: int | None = None
    sites: int | None = None
    risk_of_bias: str | None = None
    risk_of_bias_tool: str | None = None
    caution: str | None = None
    funding: str | None = None
    conflicts: str | None = None
    overlaps: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    findings: tuple[EmmieFinding, ...] = ()
    appraisal: tuple[Judgement, ...] = ()
    costs: tuple[Cost, ...] = ()
    form_version: str = FORM_VERSION
    characteristics: Mapping[str, str | float] | None = None


OF_MODERATORS = ("subgroup_is", "characteristics")
LATER = (*OF_MODERATORS, "source_quote", "worked_out")
"""Fields that came later than others of version 3: left out where they are empty, so that old forms stay the same."""

LISTS: Mapping[str, type[Result] | type[EmmieFinding] | type[Judgement] | type[Cost]] = {
    "results": Result,
    "findings": EmmieFinding,
    "appraisal": Judgement,
    "costs": Cost,
}


def plain(item: Extraction | Result | EmmieFinding | Judgement | Cost) -> dict[str, Any]:
    """A form or an item of its lists as plain data, without the later fields that are empty."""
    return {key: value for key, value in asdict(item).items() if key not in LATER or value}


def to_json(form: Extraction) -> dict[str, Any]:
    """The form as plain JSON data; `from_json` reads it back the same."""
    lists = {key: [plain(item) for item in getattr(form, key)] for key in LISTS}
    return {**plain(form), "reports": list(form.reports), **lists}
