"""Ten findings from real data, worked out again by hand from raw counts and means, by formulas of
other kinds.

Nothing here uses the service's statistics: the variance between studies is found by searching the
restricted likelihood, quantiles of t by integrating its density, absolute effects by odds. The data
are metafor's examples and the youth homelessness review's.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, gamma, log, pi, sqrt
from pathlib import Path
from statistics import median

import pytest

from livereview.evidence import checked, checks, grade, upgrade
from livereview.evidence.finding import Estimate, Finding
from livereview.evidence.forms import Extraction
from livereview.review import Outcome
from livereview.review_toml import load
from tests.evidence import CARE, WELLBEING, finding, review

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("synthesis", "youth_homelessness")
FOLDERS = [folder / "shared" / "data" for folder in ROOT.parents]
DATA = next(
    (data for data in FOLDERS if all((data / part).is_dir() for part in PARTS)), ROOT / "no data"
)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the reference data are not here")

Z = 1.959963984540054
Row = tuple[float, float, float, float]
"""Events and others in the intervention group, then in the comparison group."""


def near(value: float, tolerance: float = 1e-6) -> object:
    return pytest.approx(value, rel=tolerance, abs=1e-9)


# Raw data as forms


def raw(name: str) -> dict[str, list[float]]:
    content = json.loads((DATA / "synthesis" / f"{name}.json").read_text("utf-8"))["raw"]
    return {key: [float(value) for value in values] for key, values in content.items()}


def tables(name: str, some: slice = slice(None)) -> list[Row]:
    known = raw(name)
    return list(zip(*(known[key] for key in ("ai", "bi", "ci", "di")), strict=True))[some]  # type: ignore[arg-type]


def of_counts(outcome: Outcome, rows: Sequence[Row]) -> list[Extraction]:
    return [
        _form(outcome, number, {"ai": a, "n1i": a + b, "ci": c, "n2i": c + d}, int(a + b + c + d))
        for number, (a, b, c, d) in enumerate(rows)
    ]


def of_means(outcome: Outcome, name: str) -> list[Extraction]:
    known = raw(name)
    return [
        _form(outcome, number, dict(zip(known, row, strict=True)), int(row[2] + row[5]))
        for number, row in enumerate(zip(*known.values(), strict=True))
    ]


def _form(outcome: Outcome, number: int, reported: dict[str, float], people: int) -> Extraction:
    result = {
        "outcome": outcome.id,
        "comparison": "sos",
        "construct": "events",
        "measure": "RD" if outcome.measure.startswith("risk") else outcome.measure,
        "reported": reported,
        "n": people,
        "higher_is_better": outcome.better == "higher",
    }
    data = {
        "study": f"s{number:02}",
        "label": f"S{number}",
        "reports": [f"10.5555/{number}"],
        "results": [result],
    }
    return checks.from_json({**data, "form_version": "3"}, review(outcome), "form")


# Other formulas


def t_quantile(df: int) -> float:
    """The 97.5% point of t: its density is integrated by Simpson's rule, and the point is bisected."""
    scale = gamma((df + 1) / 2) / (sqrt(df * pi) * gamma(df / 2))

    def area(end: float) -> float:
        steps = 2000
        points = [
            scale * (1 + (end * n / steps) ** 2 / df) ** (-(df + 1) / 2) for n in range(steps + 1)
        ]
        return (
            end
            / steps
            / 3
            * (points[0] + points[-1] + 4 * sum(points[1:-1:2]) + 2 * sum(points[2:-1:2]))
        )

    low, high = 0.0, 50.0
    while high - low > 1e-11:
        middle = (low + high) / 2
        low, high = (middle, high) if area(middle) < 0.475 else (low, middle)
    return low


@dataclass(frozen=True)
class ByHand:
    """A mean effect on the scale of analysis, with its ends, and what it was made from."""

    mean: float
    low: float
    high: float
    error: float
    tau2: float = 0.0


def common(effects: Sequence[float], variances: Sequence[float]) -> ByHand:
    total = sum(1 / variance for variance in variances)
    mean = sum(y / v for y, v in zip(effects, variances, strict=True)) / total
    error = 1 / sqrt(total)
    return ByHand(mean, mean - Z * error, mean + Z * error, error)


def restricted(effects: Sequence[float], variances: Sequence[float]) -> Callable[[float], float]:
    """The restricted log-likelihood of the variance between studies, but for a constant."""

    def likelihood(tau2: float) -> float:
        inside = [variance + tau2 for variance in variances]
        total = sum(1 / v for v in inside)
        mean = sum(y / v for y, v in zip(effects, inside, strict=True)) / total
        squares = sum((y - mean) ** 2 / v for y, v in zip(effects, inside, strict=True))
        return -0.5 * (sum(map(log, inside)) + log(total) + squares)

    return likelihood


def random(effects: Sequence[float], variances: Sequence[float]) -> ByHand:
    """REML by golden section.

    Below five studies z, else Knapp and Hartung's, never narrower than z.
    """
    likelihood, ratio = restricted(effects, variances), (sqrt(5) - 1) / 2
    low, high = 0.0, 10 * max((y - z) ** 2 for y in effects for z in effects) + max(variances)
    while high - low > 1e-13 * max(1.0, high):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if likelihood(left) >= likelihood(right) else (left, high)
    tau2 = 0.0 if likelihood(0.0) >= likelihood(low) else (low + high) / 2
    plain = common(effects, [variance + tau2 for variance in variances])
    k, error, quantile = len(effects), plain.error, Z
    if k >= 5:
        spread = sum(
            (y - plain.mean) ** 2 / (v + tau2) for y, v in zip(effects, variances, strict=True)
        ) / (k - 1)
        error, quantile = error * sqrt(max(1.0, spread)), t_quantile(k - 1)
    return ByHand(
        plain.mean, plain.mean - quantile * error, plain.mean + quantile * error, error, tau2
    )


def typical_i2(tau2: float, variances: Sequence[float]) -> float:
    """Higgins and Thompson 2002: the share of tau² in it and the typical variance."""
    weights = [1 / variance for variance in variances]
    typical = (len(weights) - 1) * sum(weights) / (sum(weights) ** 2 - sum(w**2 for w in weights))
    return 100 * tau2 / (tau2 + typical)


def log_ratios(rows: Sequence[Row], odds: bool) -> tuple[list[float], list[float]]:
    if odds:
        return [log(a * d / (b * c)) for a, b, c, d in rows], [
            1 / a + 1 / b + 1 / c + 1 / d for a, b, c, d in rows
        ]
    effects = [log(a) - log(a + b) - log(c) + log(c + d) for a, b, c, d in rows]
    return effects, [1 / a - 1 / (a + b) + 1 / c - 1 / (c + d) for a, b, c, d in rows]


def differences(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    effects = [a / (a + b) - c / (c + d) for a, b, c, d in rows]
    return effects, [a * b / (a + b) ** 3 + c * d / (c + d) ** 3 for a, b, c, d in rows]


def agree(estimate: Estimate | None, hand: ByHand, ratio: bool, per: float = 1) -> Estimate:
    assert estimate is not None
    told = (hand.mean, hand.low, hand.high)
    expected = tuple(exp(end) if ratio else per * end for end in told)
    assert (estimate.value, estimate.low, estimate.high) == tuple(
        near(end, 2e-6) for end in expected
    )
    return estimate


def asked(known: Finding) -> set[str]:
    """What a rating without a step would be asked, where every study is a trial judged by RoB 2 and
    starts high.
    """
    tools = {study.study: "RoB 2" for study in known.studies}
    return {mismatch.domain for mismatch in grade.warnings(known, "high", (), tools)}


def expected(per_1000: tuple[float, float, float], people: float, i2: float | None) -> set[str]:
    """The questions that figures made here ask of a rating that starts high and gives no reason.

    per_1000: the difference with its ends, in 1,000 people; 5 of these matter (CARE.important).
    """
    value, low, high = per_1000
    questions = {"high"}
    reaches_trivial = abs(value) >= 5 and min(abs(low), abs(high)) < 5
    if low < 0 < high or reaches_trivial or people < 400:
        questions.add("imprecision")
    if i2 is not None and i2 >= 50:
        questions.add("inconsistency")
    return questions


def starts_high(known: Finding) -> bool:
    """Whether a rating of these trials that started low would be asked why."""
    tools = {study.study: "RoB 2" for study in known.studies}
    return "start" in {mismatch.domain for mismatch in grade.warnings(known, "low", (), tools)}


# Ten findings


@needs_data
def test_1_a_risk_ratio_of_thirteen_trials_with_what_it_means_for_1000_people() -> None:
    rows = tables("bcg_rr")
    outcome = replace(CARE, risk=None, risk_source=None)
    known = finding(outcome, *of_counts(outcome, rows))
    effects, variances = log_ratios(rows, odds=False)
    hand = random(effects, variances)
    estimate = agree(known.estimate, hand, ratio=True)
    assert (estimate.tau2, estimate.i2) == (
        near(hand.tau2, 1e-5),
        near(typical_i2(hand.tau2, variances), 1e-5),
    )
    risk = median(c / (c + d) for _, _, c, d in rows)
    assert estimate.absolute is not None
    assert estimate.absolute.risk == near(1000 * risk)
    with_it = tuple(1000 * risk * (exp(end) - 1) for end in (hand.mean, hand.low, hand.high))
    told = (estimate.absolute.value, estimate.absolute.low, estimate.absolute.high)
    assert told == tuple(near(end, 1e-5) for end in with_it)
    assert known.people == sum(map(sum, rows))
    figures = (with_it[0], with_it[1], with_it[2])
    assert asked(known) == expected(figures, sum(map(sum, rows)), typical_i2(hand.tau2, variances))
    assert starts_high(known)


@needs_data
def test_2_an_odds_ratio_of_the_same_trials_told_by_odds() -> None:
    rows = tables("bcg_or")
    outcome = replace(CARE, measure="OR", risk=50)
    known = finding(outcome, *of_counts(outcome, rows))
    hand = random(*log_ratios(rows, odds=True))
    estimate = agree(known.estimate, hand, ratio=True)
    odds = 50 / 950 * exp(hand.mean)
    assert estimate.absolute is not None
    assert estimate.absolute.value == near(1000 * odds / (1 + odds) - 50, 1e-5)
    quantile = t_quantile(len(rows) - 2)
    spread = quantile * sqrt(hand.tau2 + hand.error**2)
    assert (estimate.prediction_low, estimate.prediction_high) == (
        near(exp(hand.mean - spread), 1e-5),
        near(exp(hand.mean + spread), 1e-5),
    )


@needs_data
def test_3_a_risk_difference_for_1000_people() -> None:
    rows = tables("bcg_rr")
    outcome = replace(CARE, measure="risk difference per 1,000", risk=None, risk_source=None)
    known = finding(outcome, *of_counts(outcome, rows))
    estimate = agree(known.estimate, random(*differences(rows)), ratio=False, per=1000)
    assert estimate.absolute is not None and estimate.absolute.value == near(estimate.value)


@needs_data
def test_4_two_trials_are_one_common_effect() -> None:
    rows = tables("bcg_rr", slice(3, 5))
    known = finding(CARE, *of_counts(CARE, rows))
    hand = common(*log_ratios(rows, odds=False))
    estimate = agree(known.estimate, hand, ratio=True)
    assert estimate.absolute is not None and estimate.absolute.value == near(
        60 * (exp(hand.mean) - 1)
    )
    assert (estimate.i2, estimate.prediction_low) == (None, None)


@needs_data
def test_5_one_trial_tells_its_own() -> None:
    rows = tables("bcg_rr", slice(7, 8))
    known = finding(CARE, *of_counts(CARE, rows))
    hand = common(*log_ratios(rows, odds=False))
    agree(known.estimate, hand, ratio=True)
    assert known.people == sum(rows[0])
    figures = (60 * (exp(hand.mean) - 1), 60 * (exp(hand.low) - 1), 60 * (exp(hand.high) - 1))
    assert asked(known) == expected(figures, sum(rows[0]), None)
    assert starts_high(known)


@needs_data
def test_6_three_trials_have_an_interval_by_z() -> None:
    rows = tables("bcg_rr", slice(0, 3))
    agree(
        finding(CARE, *of_counts(CARE, rows)).estimate,
        random(*log_ratios(rows, odds=False)),
        ratio=True,
    )


@needs_data
def test_7_groups_without_events_are_pooled_by_mantel_and_haenszel() -> None:
    rows = tables("nielweise2007_or_zero")
    outcome = replace(CARE, measure="OR")
    # others have no ratio, and are refused as forms
    with_events = [row for row in rows if row[0] + row[2]]
    known = finding(outcome, *of_counts(outcome, with_events))
    top = [(a * d / (a + b + c + d), (a + d) / (a + b + c + d)) for a, b, c, d in rows]
    bottom = [(b * c / (a + b + c + d), (b + c) / (a + b + c + d)) for a, b, c, d in rows]
    r, s = sum(part for part, _ in top), sum(part for part, _ in bottom)
    variance = sum(p * x for x, p in top) / (2 * r * r) + sum(q * y for y, q in bottom) / (
        2 * s * s
    )
    variance += sum(p * y + q * x for (x, p), (y, q) in zip(top, bottom, strict=True)) / (2 * r * s)
    spread = Z * sqrt(variance)  # Robins, Breslow and Greenland 1986
    agree(
        known.estimate,
        ByHand(log(r / s), log(r / s) - spread, log(r / s) + spread, sqrt(variance)),
        ratio=True,
    )


@needs_data
def test_8_a_mean_difference_in_its_own_units() -> None:
    known = raw("normand1999_md")
    outcome = Outcome("care", "Days in hospital", "lower", "MD", 1, True, unit="days")
    rows = list(
        zip(*(known[key] for key in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")), strict=True)
    )
    effects = [m1 - m2 for m1, _, _, m2, _, _ in rows]
    variances = [sd1**2 / n1 + sd2**2 / n2 for _, sd1, n1, _, sd2, n2 in rows]
    found = finding(outcome, *of_means(outcome, "normand1999_md"))
    agree(found.estimate, random(effects, variances), ratio=False)


@needs_data
def test_9_a_standardised_mean_difference_by_gamma_functions() -> None:
    known = raw("normand1999_smd")
    outcome = replace(WELLBEING, id="care")
    effects, variances = [], []
    for m1, sd1, n1, m2, sd2, n2 in zip(
        *(known[key] for key in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")), strict=True
    ):
        df = n1 + n2 - 2
        pooled = sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / df)
        exact = _correction(df)
        effects.append(exact * (m1 - m2) / pooled)
        variances.append(1 / n1 + 1 / n2 + effects[-1] ** 2 / (2 * (n1 + n2)))
    found = finding(outcome, *of_means(outcome, "normand1999_smd"))
    agree(found.estimate, random(effects, variances), ratio=False)


def _correction(df: float) -> float:
    """Hedges' J by its gamma functions, as a product where they would overflow: J(m + 2) from J(m)."""
    if df > 100:
        return _correction(df - 2) * (df - 2) / (df - 3) * sqrt((df - 2) / df)
    return gamma(df / 2) / (sqrt(df / 2) * gamma((df - 1) / 2))


@needs_data
def test_10_the_youth_reviews_housing_effect_from_the_published_rows() -> None:
    folder = ROOT / "examples" / "youth-homelessness"
    rules = load(folder / "review.toml")
    sheets = [
        json.loads(path.read_text("utf-8"))
        for path in sorted((folder / "extractions").glob("*.json"))
    ]
    forms = [upgrade.upgraded(checks.from_json(sheet, rules, "form"), rules) for sheet in sheets]
    known = next(
        one for one in checked.findings(rules, forms) if one.id == "housing-or-usual/stable-housing"
    )
    with (DATA / "youth_homelessness" / "effect_size_results.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        published = list(csv.DictReader(file))
    effects, variances = [], []
    for study in known.counted:
        rows = [row for row in published if row["study_id"].replace("_", "-") == study.study]
        matches = [row for row in rows if _same(row, study.value, study.people)]
        assert matches, f"{study.label} is not as published"
        low, high = float(matches[0]["es_ci_low"]), float(matches[0]["es_ci_high"])
        assert study.value is not None
        effects.append(study.value)
        variances.append(((high - low) / 2 / Z) ** 2)
    hand = common(effects, variances) if len(effects) == 2 else random(effects, variances)
    estimate = agree(known.estimate, hand, ratio=False)
    assert estimate.low > 0, "the review's clearest finding stands in plain sight"
    assert known.people == sum(study.people or 0 for study in known.counted)


def _same(row: dict[str, str], value: float | None, people: int | None) -> bool:
    return (
        value is not None
        and abs(abs(float(row["es"])) - abs(value)) < 1e-9
        and int(row["sample_size"]) == people
    )


def test_the_quantiles_that_the_others_rest_on_are_those_of_tables() -> None:
    assert [t_quantile(df) for df in (2, 12)] == [
        near(4.302652729911275, 1e-8),
        near(2.178812829663418, 1e-8),
    ]
