"""What people extract from a study, as data: checked when it comes in, the same for a form, a JSON and a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORM_VERSION = "2"  # 1 had no setting, sample, funding, conflicts, appraisal, costs, codes and reported figures
DIRECTIONS = ("favours_intervention", "favours_comparison", "no_difference", "unclear")
RISK_OF_BIAS = ("low", "some_concerns", "moderate", "high", "serious", "critical")


@dataclass(frozen=True, slots=True)
class Result:
    """One outcome result as reported.

    outcome     id of an outcome in review.toml
    direction   one of DIRECTIONS, judged against the outcome's `better`
    effect      point estimate in `measure` with its 95% interval, where reported; None where not
    n           people analysed; `timing` in words, e.g. "18 months"
    reported    the figures as the report prints them, by the names of `statistics` (m1i, sd1i, n1i, t, p ...); where
                there is no effect, it is worked out from them
    derivation  how the effect was worked out from what was reported, in words
    """

    outcome: str
    construct: str
    direction: str
    measure: str | None = None
    effect: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int | None = None
    timing: str | None = None
    note: str | None = None
    reported: Mapping[str, float] | None = None
    derivation: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a study says on one EMMIE dimension, with its quality kept apart (EMMIE-E and EMMIE-Q).

    `dimension` is one of review.EMMIE; `quality` 0-4 or None; `polarity` "barrier", "enabler" or None; `code` the id of
    one of the protocol's codes.
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
    """One domain of an appraisal: `judgement` in the words of the tool (`appraisal.TOOLS`), `support` why."""

    domain: str
    judgement: str
    support: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost as reported: an amount in a currency (ISO 4217) of a year, seen by `perspective`, e.g. "council"."""

    item: str
    amount: float
    currency: str
    price_year: int | None = None
    perspective: str | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """One person's extraction of one study.

    study       permanent id within the review, e.g. "slesnick-2015"
    reports     how to find its reports: DOIs, PMIDs ("pmid:1"), record ids, or titles
    risk_of_bias  overall judgement: "low", "some_concerns", "moderate", "high", "serious", "critical" or None
    risk_of_bias_tool, appraisal  the tool with its version, and its judgement of each domain
    caution     why readers should be careful with this study, in one sentence
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
    risk_of_bias: str | None = None
    risk_of_bias_tool: str | None = None
    caution: str | None = None
    funding: str | None = None
    conflicts: str | None = None
    results: tuple[Result, ...] = ()
    findings: tuple[Finding, ...] = ()
    appraisal: tuple[Judgement, ...] = ()
    costs: tuple[Cost, ...] = ()
    form_version: str = FORM_VERSION


LISTS: Mapping[str, type[Result] | type[Finding] | type[Judgement] | type[Cost]] = {
    "results": Result,
    "findings": Finding,
    "appraisal": Judgement,
    "costs": Cost,
}


def to_json(form: Extraction) -> dict[str, Any]:
    """The form as plain JSON data; `from_json` reads it back the same."""
    lists = {key: [asdict(item) for item in getattr(form, key)] for key in LISTS}
    return {**asdict(form), "reports": list(form.reports), **lists}
