"""Standardised mean differences, and the means and standard deviations behind them, from what a
report prints instead.

A report seldom gives both means with their standard deviations: it gives standard errors,
intervals, medians, a t, an F or a p. Every result says in plain sentences how it came about and by
whose formula, so that it can be checked.

Handbook = Cochrane Handbook for Systematic Reviews of Interventions, version 6; Borenstein =
Borenstein and others, Introduction to Meta-Analysis, 2009. Group 1 is the intervention: an effect
above zero means that its mean is higher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from inspect import signature
from math import fsum, inf, isfinite, log, sqrt
from numbers import Real
from typing import ParamSpec, TypeVar

from scipy.special import ndtri, stdtrit

from livereview.errors import Refused
from livereview.statistics.effects import MEASURES, TWO_BY_TWO, TWO_MEANS, escalc
from livereview.statistics.effects_counts import Impossible
from livereview.statistics.effects_means import LOGISTIC, hedges_g, mean_change, small_sample

P = ParamSpec("P")
T = TypeVar("T")
WAN = "Wan and others 2014, doi:10.1186/1471-2288-14-135"
LUO = "Luo and others 2018, doi:10.1177/0962280216669183"
SHI = "Shi and others 2023, doi:10.1177/09622802231172043"


@dataclass(frozen=True, slots=True)
class Converted:
    """An effect on its scale of analysis (log for OR, RR, HR, IRR and ROM), its variance, and how
    it was derived.
    """

    measure: str
    yi: float
    vi: float
    how: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("yi", "vi"):
            object.__setattr__(self, name, number(f"{name} of {self.measure}", getattr(self, name)))
        if self.vi <= 0:
            raise Refused(
                f"{self.measure}: a variance of {self.vi:g} is none; check the figures for a slip"
            )


@dataclass(frozen=True, slots=True)
class Group:
    """One group's mean, standard deviation and number of people (a fraction where it is an
    effective number).
    """

    mean: float
    sd: float
    n: float
    how: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("mean", "sd", "n"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        if self.sd < 0:
            raise Refused(f"a standard deviation can't be below zero; it was {self.sd:g}")
        people(self.n)


def number(name: str, value: object) -> float:
    """`value` as a float; Refused where it isn't a finite number.

    True and "3.1" are no numbers here.
    """
    try:
        if (
            isinstance(value, Real)
            and not isinstance(value, bool)
            and isfinite(found := float(value))
        ):
            return found
    except OverflowError:
        raise Refused(
            f"{name} must be a finite number; it was a whole number too large to reckon with"
        ) from None
    raise Refused(f"{name} must be a finite number; it was {value!r:.80}")


def careful(function: Callable[P, T]) -> Callable[P, T]:
    """`function` with all its numbers checked first, and with arithmetic that can't be done told as
    Refused.
    """
    form = signature(function)
    floats = {
        name: str(one.annotation)
        for name, one in form.parameters.items()
        if str(one.annotation)[:5] == "float"
    }

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        given = form.bind(*args, **kwargs)
        for name in floats.keys() & given.arguments.keys():
            if given.arguments[name] is not None or floats[name] == "float":
                given.arguments[name] = number(name, given.arguments[name])
        try:
            return function(*given.args, **given.kwargs)
        except (ArithmeticError, ValueError, Impossible) as problem:
            told = ", ".join(f"{name} = {value!r:.80}" for name, value in given.arguments.items())
            raise Refused(
                f"not estimable from {told} ({problem}); check the figures against the report"
            ) from None

    return checked


def people(*sizes: float) -> None:
    if min(sizes) < 2:
        raise Refused(
            f"a group has fewer than two people ({min(sizes):g}); give the number analysed in each group"
        )


def positive(**given: float) -> None:
    for name, value in given.items():
        if value <= 0:
            raise Refused(f"{name} must be above zero; it was {value:g}")


def critical(tail: float, df: float | None) -> float:
    """The value that z, or t with df degrees of freedom, passes with probability `tail`.

    Precise in far tails.
    """
    found = float(-ndtri(tail) if df is None else -stdtrit(df, tail))
    if not isfinite(found) or found <= 0:
        raise Refused(
            f"p must be an exact two-sided value above 0 and below 1, and df above 0; p was {2 * tail:g}"
        )
    return found


def level_tail(level: float) -> float:
    if not 0.5 <= level < 1:
        raise Refused(
            f"level must be a share from 0.5 to below 1, as 0.95 for a 95% interval; it was {level:g}"
        )
    return (1 - level) / 2


@careful
def group_from_se(mean: float, se: float, n: float) -> Group:
    """SD = SE·√n; Handbook 6.5.2.2."""
    positive(se=se)
    people(n)
    return Group(
        mean,
        se * sqrt(n),
        n,
        (f"SD {se * sqrt(n):.5g} = standard error {se:g}·√{n:g} (Handbook 6.5.2.2).",),
    )


@careful
def group_from_interval(
    mean: float, low: float, high: float, n: float, level: float = 0.95
) -> Group:
    """From the confidence interval of one mean, taken as one of t with n - 1 degrees of freedom.

    Handbook 6.5.2.2.
    """
    people(n)
    if not low < mean < high:
        raise Refused(f"the mean {mean:g} must lie inside its interval {low:g} to {high:g}")
    if abs((low + high) / 2 - mean) > 0.1 * (high - low):
        raise Refused(
            f"the interval {low:g} to {high:g} is not symmetric about {mean:g}: are these medians, or logs?"
        )
    t = critical(level_tail(level), n - 1)
    sd = (high - low) / (2 * t) * sqrt(n)
    told = f"SD {sd:.5g} = √{n:g}·({high:g} - {low:g})/(2·{t:.4f}), t with {n - 1:g} df (Handbook 6.5.2.2)."
    return Group(mean, sd, n, (told,))


@careful
def group_from_median(
    n: float,
    median: float,
    q1: float | None = None,
    q3: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> Group:
    """Mean (Luo 2018) and SD (Wan 2014) from the median with the quartiles, the range (`least`,
    `most`), or both.

    They hold for data near normal: where Shi's test finds the figures skewed, `how` cautions. At
    least five people.
    """
    spreads = _spreads(n, median, (q1, q3), (least, most))
    mean, sd = _luo(n, median, spreads), _wan(n, spreads)
    named = " and ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in spreads.items())
    how = f"Mean {mean:.5g} ({LUO}) and SD {sd:.5g} ({WAN}) estimated from median {median:g}, {named}, {n:g} people."
    caution = (
        "Caution: the figures are skewed by the test of "
        + SHI
        + "; mean and SD may describe them badly."
    )
    return Group(mean, sd, n, (how, caution) if _skewed(n, median, spreads) else (how,))


Spreads = dict[str, tuple[float, float]]


def _spreads(
    n: float, median: float, quartiles: tuple[float | None, ...], ends: tuple[float | None, ...]
) -> Spreads:
    found: Spreads = {}
    for name, (low, high) in (("quartiles", quartiles), ("range", ends)):
        if low is not None and high is not None:
            found[name] = low, high
            if not low <= median <= high or low == high:
                raise Refused(
                    f"the median {median:g} must lie inside the {name}, {low:g} to {high:g}, of some width"
                )
        elif low is not None or high is not None:
            raise Refused(f"the {name} must be given by both ends")
    if not found:
        raise Refused(
            "a median needs both quartiles (q1, q3), both ends of the range (least, most), or all four"
        )
    (q1, q3), (least, most) = (
        found.get("quartiles", (median, median)),
        found.get("range", (-inf, inf)),
    )
    if not least <= q1 <= q3 <= most:
        raise Refused("the quartiles must lie inside the range; check which is which")
    if n < 5:
        raise Refused(f"medians are turned into means for five people or more; there were {n:g}")
    return found


def _luo(n: float, median: float, spreads: Spreads) -> float:
    """Luo's weights of the middle of the range and of the quartiles against the median."""
    middle = {name: (low + high) / 2 for name, (low, high) in spreads.items()}
    if len(middle) == 2:
        ends, quarters = 2.2 / (2.2 + float(n**0.75)), 0.7 - 0.72 / float(n**0.55)
        return (
            ends * middle["range"] + quarters * middle["quartiles"] + (1 - ends - quarters) * median
        )
    weight = 4 / (4 + float(n**0.75)) if "range" in middle else 0.7 + 0.39 / n
    return weight * next(iter(middle.values())) + (1 - weight) * median


def _wan(n: float, spreads: Spreads) -> float:
    """Wan's spread by the range, by the quartiles, or the mean of the two."""
    tails = {"range": 0.625 / (n + 0.25), "quartiles": (0.25 * n + 0.375) / (n + 0.25)}
    found = [
        (high - low) / (2 * critical(tails[name], None)) for name, (low, high) in spreads.items()
    ]
    return fsum(found) / len(found)


def _skewed(n: float, median: float, spreads: Spreads) -> bool:
    """The three tests of Shi at 5%, for range, quartiles and both."""
    lean = {
        name: abs(low + high - 2 * median) / (high - low) for name, (low, high) in spreads.items()
    }
    if len(lean) == 2:
        return (
            max(2.65 * log(0.6 * n) / sqrt(n) * lean["range"], lean["quartiles"])
            >= 3 / sqrt(n) - 40 / n**3
        )
    if "range" in lean:
        return lean["range"] >= 1 / log(n + 9) + 2.5 / (n + 1)
    return lean["quartiles"] >= 2.65 / sqrt(n) - 6 / n**2


@careful
def combined(*groups: Group) -> Group:
    """Two or more groups as if they were one.

    Handbook 6.5.2.10, which for more than two applies it in turn.
    """
    if len(groups) < 2:
        raise Refused(f"combining needs two groups or more; there were {len(groups)}")
    n = fsum(group.n for group in groups)
    mean = fsum(group.n * group.mean for group in groups) / n
    squares = fsum(
        (group.n - 1) * group.sd**2 + group.n * (group.mean - mean) ** 2 for group in groups
    )
    sd = sqrt(squares / (n - 1))
    told = f"{len(groups)} groups made one: mean {mean:.5g}, SD {sd:.5g}, {n:g} people (Handbook 6.5.2.10)."
    return Group(mean, sd, n, (*(line for group in groups for line in group.how), told))


@careful
def change(first: Group, last: Group, r: float) -> Group:
    """One group's change, last less first.

    R: correlation of the two measurements, to be varied where it is borrowed.

    Handbook 6.5.2.8.
    """
    if first.n != last.n:
        raise Refused(
            f"a change is of the same people; there were {first.n:g} first and {last.n:g} last"
        )
    mean, variance = mean_change(last.mean, first.mean, last.sd, first.sd, first.n, r)
    sd = sqrt(variance * first.n)
    told = f"SD of the change {sd:.5g} from SDs {first.sd:g} and {last.sd:g} with correlation {r:g} (Handbook 6.5.2.8)."
    return Group(mean, sd, first.n, (*first.how, *last.how, told))


def raw(measure: str, columns: tuple[str, ...], *values: float) -> Converted:
    """One study's effect from its raw figures, by `effects.escalc`.

    Tables without any contrast are Refused.
    """
    row = {name: number(name, value) for name, value in zip(columns, values, strict=True)}
    found = escalc(
        measure, {name: [value] for name, value in row.items()}, drop00=measure not in ("RD", "IRD")
    )
    yi, vi, note = found.yi[0], found.vi[0], found.notes[0]
    told = ", ".join(f"{name} = {value:g}" for name, value in row.items())
    if yi is None or vi is None:
        raise Refused(f"{measure} from {told}: {note}")
    if MEASURES[measure].corrected and 0 in values:
        added = ["0.5 was added to each count, since one was zero."]
    else:
        added = []
    return Converted(
        measure,
        yi,
        vi,
        (f"{MEASURES[measure].label} from {told} (formula of metafor's escalc).", *added),
    )


def compare(measure: str, first: Group, second: Group) -> Converted:
    """Group `first` against `second`: any measure of two means, such as MD, SMD or ROM."""
    if measure not in MEASURES or MEASURES[measure].columns != TWO_MEANS:
        named = ", ".join(name for name, one in MEASURES.items() if one.columns == TWO_MEANS)
        raise Refused(f"measure {measure!r} is not one of two means; choose one of {named}")
    found = raw(measure, TWO_MEANS, first.mean, first.sd, first.n, second.mean, second.sd, second.n)
    lines = [
        f"Group {which}: {line}" for which, group in ((1, first), (2, second)) for line in group.how
    ]
    return replace(found, how=(*lines, *found.how))


def _hedges(d: float, n1: float, n2: float, *how: str) -> Converted:
    """Hedges' g of a difference of d pooled standard deviations."""
    people(n1, n2)
    g, v = hedges_g(d, 1, n1, 0, 1, n2)
    told = (
        f"g = {small_sample(n1 + n2 - 2):.5f}·d = {g:.5g}, Hedges' correction; "
        "variance 1/n1 + 1/n2 + g²/(2(n1 + n2))."
    )
    return Converted("SMD", g, v, (*how, told))


@careful
def smd_from_t(t: float, n1: float, n2: float) -> Converted:
    """From the t of an independent two-sample test with one SD for both groups.

    Its sign is the effect's.
    """
    people(n1, n2)
    d = t * sqrt(1 / n1 + 1 / n2)
    return _hedges(
        d,
        n1,
        n2,
        f"d = t·√(1/n1 + 1/n2) = {d:.5g} from t = {t:g}, {n1:g} and {n2:g} people (Handbook 6.5.2.3).",
    )


def _turned(direction: float) -> tuple[float, str]:
    if direction not in (1, -1):
        raise Refused(
            f"direction must be 1 (first group's mean is higher) or -1 (lower); it was {direction:g}"
        )
    return direction, f"the first group's mean being {'higher' if direction == 1 else 'lower'}"


@careful
def smd_from_f(f: float, n1: float, n2: float, direction: float) -> Converted:
    """From a one-way F of two groups (1 df). direction: 1 where the first group's mean is higher,
    -1 where lower.
    """
    if f < 0:
        raise Refused(f"an F can't be below zero; it was {f:g}")
    sign, told = _turned(direction)
    found = smd_from_t(sign * sqrt(f), n1, n2)
    return replace(found, how=(f"t = √F from F = {f:g} with 1 df, {told}.", *found.how))


@careful
def smd_from_p(p: float, n1: float, n2: float, direction: float) -> Converted:
    """From the exact two-sided p of an independent t test. direction: as for `smd_from_f`."""
    people(n1, n2)
    sign, told = _turned(direction)
    t = sign * critical(p / 2, n1 + n2 - 2)
    found = smd_from_t(t, n1, n2)
    how = (
        f"t = {t:.5g} from two-sided p = {p:g} with {n1 + n2 - 2:g} df, {told} (Handbook 6.5.2.3)."
    )
    return replace(found, how=(how, *found.how))


@careful
def smd_from_difference(difference: float, se: float, n1: float, n2: float) -> Converted:
    """From a difference in means and its standard error: t is their quotient."""
    positive(se=se)
    found = smd_from_t(difference / se, n1, n2)
    return replace(
        found, how=(f"t = {difference:g}/{se:g}, difference over its standard error.", *found.how)
    )


@careful
def smd_from_regression(
    b: float, sd: float, n1: float, n2: float, b_se: float | None = None, *, within: bool = False
) -> Converted:
    """From the coefficient b of group membership (0 or 1) and the outcome's SD.

    Lipsey and Wilson, Practical Meta-Analysis, 2001, appendix B.

    Args:
        sd: Over all people of both groups, which the difference b itself widens; within=True:
            pooled within groups.
        b_se: Standard error of an adjusted b: the variance then takes (b_se/sd)² in place of 1/n1 +
            1/n2.
    """
    people(n1, n2)
    positive(sd=sd)
    n = n1 + n2
    left = sd**2 if within else (sd**2 * (n - 1) - b**2 * n1 * n2 / n) / (n - 2)
    if left <= 0:
        raise Refused(
            f"b = {b:g} is too large for an SD of {sd:g} over all people; is it the SD within groups?"
        )
    told = f"d = b/SD = {b:g}/{sqrt(left):.5g}, SD within groups (Lipsey and Wilson 2001)."
    found = _hedges(b / sqrt(left), n1, n2, told)
    if b_se is None:
        return found
    positive(b_se=b_se)
    told = f"For the adjusted b the variance takes (SE/SD)² = ({b_se:g}/{sqrt(left):.5g})² in place of 1/n1 + 1/n2."
    return Converted("SMD", found.yi, b_se**2 / left + found.yi**2 / (2 * n), (*found.how, told))


@careful
def smd_from_counts(ai: float, bi: float, ci: float, di: float) -> Converted:
    """From a 2x2 table, by the log odds ratio over π/√3 (Hasselblad and Hedges 1995)."""
    found = raw("OR2DL", TWO_BY_TWO, ai, bi, ci, di)
    return replace(
        found,
        measure="SMD",
        how=(*found.how, "By the log odds ratio·√3/π (Hasselblad and Hedges 1995)."),
    )


def _only(found: Converted, measure: str) -> None:
    if found.measure != measure:
        raise Refused(f"this converts from {measure}; it was given {found.measure}")


def odds_ratio_as_smd(found: Converted) -> Converted:
    """A log odds ratio over π/√3, for an underlying logistic outcome.

    Hasselblad and Hedges 1995, Handbook 10.6.
    """
    _only(found, "OR")
    told = "SMD = log odds ratio·√3/π, variance ·3/π² (Hasselblad and Hedges 1995; Handbook 10.6)."
    return Converted("SMD", found.yi / LOGISTIC, found.vi / LOGISTIC**2, (*found.how, told))


def smd_as_odds_ratio(found: Converted) -> Converted:
    """The inverse of `odds_ratio_as_smd`."""
    _only(found, "SMD")
    told = "Log odds ratio = SMD·π/√3, variance ·π²/3 (Hasselblad and Hedges 1995; Handbook 10.6)."
    return Converted("OR", found.yi * LOGISTIC, found.vi * LOGISTIC**2, (*found.how, told))


def _balance(n1: float, n2: float) -> float:
    people(n1, n2)
    return (n1 + n2) ** 2 / (n1 * n2)


@careful
def correlation_as_smd(found: Converted, n1: float = 2, n2: float = 2) -> Converted:
    """d = r·√a/√(1 - r²), a = (n1 + n2)²/(n1·n2), which is 4 for equal groups.

    Borenstein, equations 7.5 and 7.6.
    """
    _only(found, "COR")
    a, rest = _balance(n1, n2), 1 - found.yi**2
    told = f"d = r·√a/√(1 - r²), variance a·v/(1 - r²)³, a = {a:g} (Borenstein 7.5, 7.6); no small-sample correction."
    return Converted("SMD", found.yi * sqrt(a / rest), a * found.vi / rest**3, (*found.how, told))


@careful
def smd_as_correlation(found: Converted, n1: float = 2, n2: float = 2) -> Converted:
    """r = d/√(d² + a), a = (n1 + n2)²/(n1·n2), which is 4 for equal groups.

    Borenstein, equations 7.7 to 7.9.
    """
    _only(found, "SMD")
    a = _balance(n1, n2)
    told = f"r = d/√(d² + a), variance a²·v/(d² + a)³, a = {a:g} (Borenstein 7.7 to 7.9)."
    whole = found.yi**2 + a
    return Converted("COR", found.yi / sqrt(whole), a**2 * found.vi / whole**3, (*found.how, told))
