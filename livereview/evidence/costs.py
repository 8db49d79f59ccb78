"""What it costs, in one currency of one year: amounts as reported, converted by the protocol's own
table.

No factor is built in: exchange rates and price indices differ by source and date, so `[costs]` in
review.toml gives each with the source of the table. What the table does not hold stays as reported
and says so. Costs are money and nothing else: they never enter a finding on how people fare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from livereview.evidence import measures
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Cost, Extraction, Result
from livereview.messages import figures, many, mark, say
from livereview.review import Costs, Outcome, Review

MONEY = "MD"
"""The measure whose figures are amounts; ratios and standardised differences have no currency."""


@dataclass(frozen=True, slots=True)
class Converted:
    """One cost of one study.

    Attributes:
        amount: In the review's currency and year; None where it can't be converted, and `reason`
            says why.
    """

    study: str
    label: str
    cost: Cost
    amount: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PerUnit:
    """What it costs per unit of the protocol, over studies; each study counts once.

    Attributes:
        band: The protocol's, of the middle study; None: above them all, or none are set.
    """

    studies: tuple[str, ...]
    low: float
    middle: float
    high: float
    band: str | None


def unit(costs: Costs) -> str:
    """The review's money: "GBP of 2025"."""
    return say(mark("{currency} of {year}"), currency=costs.currency, year=str(costs.year))


def in_words(costs: Costs, amount: float) -> str:
    """ "GBP 1,200"; small amounts with their pence."""
    digits = f"{abs(amount):,.0f}" if abs(amount) >= 100 else f"{abs(amount):,.2f}"
    sign = "−" if amount < 0 else ""
    return f"{costs.currency} {sign}{figures(digits)}"


def factor(costs: Costs, currency: str, year: int) -> float | None:
    """By what an amount is multiplied; None where the protocol's table does not say."""
    if (currency, year) == (costs.currency, costs.year):
        return 1.0
    return next(
        (row.factor for row in costs.factors if (row.currency, row.year) == (currency, year)), None
    )


def not_convertible(costs: Costs | None, currency: str | None, year: int | None) -> str | None:
    """Why an amount can't be converted; None where it can."""
    if costs is None:
        return say(mark("the protocol has no table to convert it"))
    if currency is None or year is None:
        return say(mark("the currency or the year of its prices is not reported"))
    if factor(costs, currency, year) is None:
        return say(
            mark("the protocol's table has no factor for {currency} of {year}"),
            currency=currency,
            year=str(year),
        )
    return None


def converted(review: Review, forms: Iterable[Extraction]) -> tuple[Converted, ...]:
    """Every cost that studies report, study by study."""
    return tuple(_convert(review.costs, form, cost) for form in forms for cost in form.costs)


def _convert(costs: Costs | None, form: Extraction, cost: Cost) -> Converted:
    reason = not_convertible(costs, cost.currency, cost.price_year)
    if reason is not None or costs is None or cost.price_year is None:
        return Converted(form.study, form.label, cost, None, reason)
    by = factor(costs, cost.currency, cost.price_year)
    amount = None if by is None else cost.amount * by
    return Converted(form.study, form.label, cost, amount, None)


def per_unit(costs: Costs | None, rows: Sequence[Converted]) -> PerUnit | None:
    """What it costs per unit, of the studies that give one amount for it; None where none does."""
    if costs is None or costs.per is None:
        return None
    amounts = {
        study: amount
        for study in _studies(rows)
        if (amount := _of_study(costs, rows, study)) is not None
    }
    if not amounts:
        return None
    values = list(amounts.values())
    middle = median(values)
    return PerUnit(tuple(amounts), min(values), middle, max(values), band(costs, middle))


def _studies(rows: Iterable[Converted]) -> list[str]:
    return sorted({row.study for row in rows})


def _of_study(costs: Costs, rows: Sequence[Converted], study: str) -> float | None:
    """The one amount per unit that stands for a study: its only one, or the one that it calls the
    total.
    """
    mine = [
        row
        for row in rows
        if row.study == study and _is_per_unit(costs, row) and row.amount is not None
    ]
    totals = [row for row in mine if row.cost.total]
    whole = totals or mine
    return whole[0].amount if len(whole) == 1 else None


def _is_per_unit(costs: Costs, row: Converted) -> bool:
    return costs.per is not None and (row.cost.per or "").casefold() == costs.per.casefold()


def unclear(costs: Costs | None, rows: Sequence[Converted]) -> tuple[str, ...]:
    """Ids of the studies that give several amounts per unit and do not say which of them is the
    whole.
    """
    if costs is None:
        return ()
    known = [row for row in rows if _is_per_unit(costs, row) and row.amount is not None]
    return tuple(study for study in _studies(known) if _of_study(costs, known, study) is None)


def band(costs: Costs, amount: float) -> str | None:
    """The label of the protocol's band in which an amount lies."""
    for row in costs.bands:
        if row.below is None or amount < row.below:
            return row.label
    return None


@dataclass(frozen=True, slots=True)
class PerOutcome:
    """What one person fewer, or more, with an outcome costs.

    Attributes:
        finding: Its id.
        value: The middle cost per unit over the effect per unit.
        low: The lowest cost over the largest effect that the interval holds.
        high: The highest cost over the smallest one.
        band: Of the cost per unit, not of this one.
    """

    finding: str
    outcome: str
    more: bool
    value: float
    low: float
    high: float
    band: str | None


def per_outcome(
    costs: Costs | None, per_unit: PerUnit | None, findings: Iterable[Finding]
) -> tuple[PerOutcome, ...]:
    """What an outcome costs, where a finding shows a good effect of known size on the unit that is
    paid for.

    The protocol names these outcomes: a cost per family and an effect per child give none. Where the
    effect is not shown there is no cost per outcome, however cheap it is.
    """
    if costs is None or per_unit is None:
        return ()
    asked = [finding for finding in findings if finding.outcome in costs.outcomes]
    rows = [_per_outcome(per_unit, finding) for finding in asked]
    return tuple(row for row in rows if row is not None)


def _per_outcome(per_unit: PerUnit, finding: Finding) -> PerOutcome | None:
    absolute = finding.estimate.absolute if finding.estimate else None
    is_shown = finding.state == "effect" and finding.good is True
    if absolute is None or not is_shown:
        return None
    value, low, high = (
        abs(end) / absolute.per for end in (absolute.value, absolute.low, absolute.high)
    )
    least, most = min(low, high), max(low, high)
    if least == 0:
        return None
    return PerOutcome(
        finding=finding.id,
        outcome=finding.outcome_label,
        more=absolute.value > 0,
        value=per_unit.middle / value,
        low=per_unit.low / most,
        high=per_unit.high / least,
        band=per_unit.band,
    )


def per_outcome_in_words(costs: Costs, row: PerOutcome) -> str:
    """ "Children entering care: one fewer comes to about GBP 31,000 (GBP 18,000 to GBP 90,000) …"."""
    text = mark(
        "{outcome}: one fewer comes to about {value} ({low} to {high}: from the lowest cost and the largest "
        "effect to the highest cost and the smallest effect), in prices of {year}. What is saved elsewhere is "
        "not taken off."
    )
    if row.more:
        text = mark(
            "{outcome}: one more comes to about {value} ({low} to {high}: from the lowest cost and the largest "
            "effect to the highest cost and the smallest effect), in prices of {year}. What is saved elsewhere "
            "is not taken off."
        )
    value, low, high = (
        in_words(costs, _two_digits(amount)) for amount in (row.value, row.low, row.high)
    )
    return say(text, outcome=row.outcome, value=value, low=low, high=high, year=str(costs.year))


def _two_digits(amount: float) -> float:
    """To two digits: a quotient of two estimates is known no better."""
    return float(f"{amount:.2g}")


def sentence(costs: Costs, told: PerUnit) -> str:
    """ "One study gives GBP 1,200 of 2025 per family (cost band: moderate)"."""
    money = {"low": in_words(costs, told.low), "high": in_words(costs, told.high)}
    middle = in_words(costs, told.middle)
    text = many(
        "{n} study gives {middle} per {per}, in prices of {year}.",
        "{n} studies give {low} to {high} per {per}, in prices of {year}; the middle one {middle}.",
        len(told.studies),
        **money,
        middle=middle,
        per=costs.per,
        year=str(costs.year),
    )
    if told.band is None:
        return text
    band_told = say(mark("Cost band: {band}."), band=told.band)
    return f"{text} {band_told}"


# Results


def is_money(outcome: Outcome, result: Result) -> bool:
    """Whether a result's figures are amounts of money."""
    if (result.kind or outcome.kind) != "cost":
        return False
    measure = measures.read(result.measure)
    return measure is not None and measure.measure.id == MONEY


def result_factor(review: Review, outcome: Outcome, result: Result) -> float:
    """By what a result's figures are multiplied: 1 for all that is no money, or has no table."""
    if review.costs is None or not is_money(outcome, result):
        return 1.0
    if result.currency is None or result.price_year is None:
        return 1.0
    return factor(review.costs, result.currency, result.price_year) or 1.0


def why_not_comparable(review: Review, outcome: Outcome, result: Result) -> str | None:
    """Why a result in money can't stand beside others; None where it can, or is no money."""
    if review.costs is None or not is_money(outcome, result):
        return None
    return not_convertible(review.costs, result.currency, result.price_year)
