"""The pooled size of an effect, for outcomes whose studies the review says may be pooled.

It stands beside the synthesis by direction of effect and replaces nothing: no state and no sentence rests on it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log

from livereview.evidence.forms import Extraction, Result
from livereview.evidence.synthesis import RATIOS
from livereview.messages import mark
from livereview.review import Outcome
from livereview.statistics.pooling import pool

RULE, RULE_VERSION = "random-effects", "1"
RULE_TEXT = mark(
    "Sizes are pooled only for outcomes whose protocol says pool = true, and only results in the outcome's own measure "
    "with a 95% interval. A study gives one result: the one with the most people analysed, the first in alphabetical "
    "order of constructs among equals. Random effects by restricted maximum likelihood; interval after Knapp and "
    "Hartung, never narrower than the usual one; prediction interval with k - 2 degrees of freedom, from three studies "
    "on. Ratios are pooled as logs."
)
METHOD, TEST, PREDICTION = "REML", "adhoc", "riley"
Z = 1.959963984540054  # of the 95% intervals that studies report


@dataclass(frozen=True, slots=True)
class Part:
    """One study's effect on the outcome's own scale, and its share of the pooled one in per cent."""

    study: str
    label: str
    effect: float
    ci_low: float
    ci_high: float
    others: int
    weight: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A pooled effect on the outcome's own scale. tau2 and i2 tell how studies differ; pi is where the effect of a new
    study may lie, None below three studies."""

    measure: str
    null: float
    value: float
    ci_low: float
    ci_high: float
    p: float | None
    pi_low: float | None
    pi_high: float | None
    tau2: float | None
    i2: float | None
    parts: tuple[Part, ...]


def estimate(outcome: Outcome, forms: Iterable[Extraction]) -> tuple[Estimate | None, str | None]:
    """(the pooled effect, None), or (None, why there is none); the order of the forms does not matter."""
    if not outcome.pool or not outcome.measure:
        return None, "results are synthesised by direction of effect, not pooled"
    ratio = outcome.measure.casefold() in RATIOS
    chosen = [
        (form, *one) for form in sorted(forms, key=lambda form: form.study) if (one := _chosen(outcome, form, ratio))
    ]
    if len(chosen) < 2:
        return None, f"fewer than two studies report {outcome.measure} with a 95% interval"
    yi = [_scaled(result.effect, ratio) for _, result, _ in chosen]
    vi = [_variance(result, ratio) for _, result, _ in chosen]
    pooled = pool(yi, vi, method=METHOD, test=TEST, prediction=PREDICTION)
    if pooled.b is None or pooled.ci_lb is None or pooled.ci_ub is None:
        return None, f"not estimable: {dict(pooled.not_estimable).get('b', 'the studies do not allow it')}"
    parts = tuple(
        Part(form.study, form.label, *_reported(result), others, weight)
        for (form, result, others), weight in zip(chosen, pooled.weights, strict=True)
    )
    back = exp if ratio else float
    wide = len(parts) > 2 and pooled.pi_lb is not None and pooled.pi_ub is not None
    return Estimate(
        measure=outcome.measure,
        null=1.0 if ratio else 0.0,
        value=back(pooled.b),
        ci_low=back(pooled.ci_lb),
        ci_high=back(pooled.ci_ub),
        p=pooled.pval,
        pi_low=back(pooled.pi_lb or 0.0) if wide else None,
        pi_high=back(pooled.pi_ub or 0.0) if wide else None,
        tau2=pooled.tau2,
        i2=pooled.I2,
        parts=parts,
    ), None


def cumulate(outcome: Outcome, forms: Iterable[Extraction]) -> tuple[tuple[str, Estimate], ...]:
    """The pooled effect after each year that brought a study, oldest first; studies without a year come last."""
    every = sorted(forms, key=lambda form: form.year or 9999)
    found: list[tuple[str, Estimate]] = []
    for year in dict.fromkeys(form.year for form in every):
        until = [form for form in every if (form.year or 9999) <= (year or 9999)]
        then, _ = estimate(outcome, until)
        if then and (not found or len(then.parts) > len(found[-1][1].parts)):
            found.append((str(year) if year else "no year", then))
    return tuple(found)


def _chosen(outcome: Outcome, form: Extraction, ratio: bool) -> tuple[Result, int] | None:
    """The result that a study gives, and how many others it has for this outcome in this measure."""
    usable = [
        result
        for result in form.results
        if result.outcome == outcome.id
        and (result.measure or "").casefold() == (outcome.measure or "").casefold()
        and _complete(result, ratio)
    ]
    usable.sort(key=lambda result: (-(result.n or 0), result.construct, result.timing or ""))
    return (usable[0], len(usable) - 1) if usable else None


def _complete(result: Result, ratio: bool) -> bool:
    low, high = result.ci_low, result.ci_high
    if result.effect is None or low is None or high is None or not low < high:
        return False
    return not ratio or low > 0


def _scaled(value: float | None, ratio: bool) -> float:
    assert value is not None
    return log(value) if ratio else value


def _variance(result: Result, ratio: bool) -> float:
    """From the reported interval (Cochrane Handbook 6.5.2.2 and 6.3.1)."""
    return ((_scaled(result.ci_high, ratio) - _scaled(result.ci_low, ratio)) / (2 * Z)) ** 2


def _reported(result: Result) -> tuple[float, float, float]:
    assert result.effect is not None and result.ci_low is not None and result.ci_high is not None
    return result.effect, result.ci_low, result.ci_high
