"""What people extract from a study, as data: checked when it comes in, the same for a form, a JSON and a CSV file."""

from __future__ import annotations

from dataclasses import dataclass

FORM_VERSION = "1"
DIRECTIONS = ("favours_intervention", "favours_comparison", "no_difference", "unclear")
QUALITY = ("very_low", "low", "moderate", "high")


@dataclass(frozen=True, slots=True)
class Result:
    """One outcome result as reported.

    outcome     id of an outcome in review.toml
    direction   one of DIRECTIONS, judged against the outcome's `better`
    effect      point estimate in `measure` with its 95% interval, where reported; None where not
    n           people analysed; `timing` in words, e.g. "18 months"
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


@dataclass(frozen=True, slots=True)
class Finding:
    """What a study says on one EMMIE dimension, with its quality kept apart (EMMIE-E and EMMIE-Q).

    `dimension` is one of review.EMMIE; `quality` 0-4 or None; `polarity` "barrier", "enabler" or None.
    """

    dimension: str
    text: str
    quote: str | None = None
    page: str | None = None
    quality: int | None = None
    polarity: str | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """One person's extraction of one study.

    study       permanent id within the review, e.g. "slesnick-2015"
    reports     how to find its reports: DOIs, PMIDs ("pmid:1"), record ids, or titles
    risk_of_bias  overall judgement: "low", "some_concerns", "high", "serious", "critical" or None
    caution     why readers should be careful with this study, in one sentence
    """

    study: str
    label: str
    reports: tuple[str, ...]
    year: int | None = None
    design: str | None = None
    country: str | None = None
    population: str | None = None
    intervention: str | None = None
    comparator: str | None = None
    area: str | None = None
    participants: int | None = None
    risk_of_bias: str | None = None
    risk_of_bias_tool: str | None = None
    caution: str | None = None
    results: tuple[Result, ...] = ()
    findings: tuple[Finding, ...] = ()
    form_version: str = FORM_VERSION
