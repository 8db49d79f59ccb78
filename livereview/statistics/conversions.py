"""From what a study report prints to an effect and its variance, each result saying how it was
derived.

`convert` picks the route; the functions here and in `conversions_means` are the routes. Handbook =
Cochrane Handbook for Systematic Reviews of Interventions, version 6; Borenstein = Borenstein and
others, Introduction to Meta-Analysis,
2009. Group 1 is the intervention. Ratios go in as printed and come out as logs; a standard error
goes in on the log scale, as it is seldom meant otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from math import exp, log, sqrt

from livereview.errors import Refused
from livereview.statistics import conversions_means as means
from livereview.statistics.conversions_means import (
    Converted,
    Group,
    careful,
    critical,
    level_tail,
    raw,
)
from livereview.statistics.effects import CORRELATION, RATES, TWO_BY_TWO, TWO_MEANS

RATIOS = ("OR", "RR", "HR", "IRR", "ROM")
DIFFERENCES = ("SMD", "MD", "RD", "IRD")
# the share of half the interval's width by which its middle may be off the estimate: then one arm
# is half as long again as the other, which is more than rounding or a t instead of z can do
LOPSIDED = 0.2
LEAST = 1e-9  # a difference per 1,000 that needs more people than there ever will be


@careful
def from_interval(
    measure: str,
    estimate: float,
    low: float,
    high: float,
    level: float = 0.95,
    df: float | None = None,
) -> Converted:
    """From an estimate with its interval, by z, or by t where `df` says so.

    Handbook 6.3.1 and 6.3.2.

    Refused where the interval isn't about symmetric on the measure's scale, beyond what rounding in
    print can do.
    """
    y, bottom, top = (_scaled(measure, value) for value in (estimate, low, high))
    if not bottom < top or not bottom <= y <= top:
        raise Refused(
            f"{measure} {estimate:g} must lie inside its interval {low:g} to {high:g}, given lower end first"
        )
    if _lopsided(measure, estimate, low, high):
        raise Refused(
            f"the interval {low:g} to {high:g} of {measure} {estimate:g} is far from symmetric on the {_scale(measure)}"
            " scale; check the digits, whether these are ratios or logs or differences, whether the interval belongs"
            " to this estimate; if it is an exact or bootstrapped one, leave it out and give the standard error"
        )
    value = critical(level_tail(level), df)
    by = f"{value:.4f} ({'z' if df is None else f't with {df:g} df'}, {100 * level:g}% interval)"
    se = (top - bottom) / (2 * value)
    told = f"SE {se:.5g} = width {top - bottom:.5g} of the interval {low:g} to {high:g} on the {_scale(measure)} scale"
    return Converted(
        measure, y, se**2, (_read(measure, estimate), f"{told} over 2·{by}; Handbook 6.3.")
    )


@careful
def from_se(measure: str, estimate: float, se: float) -> Converted:
    """From an estimate and its standard error: that of the log for a ratio."""
    y = _scaled(measure, estimate)
    means.positive(se=se)
    told = f"Variance = {se:g}², the standard error on the {_scale(measure)} scale."
    return Converted(measure, y, se**2, (_read(measure, estimate), told))


@careful
def from_statistic(measure: str, estimate: float, statistic: float) -> Converted:
    """From an estimate and its z or t against no effect: SE = estimate/statistic.

    Handbook 6.3.2 and 6.5.2.3.
    """
    y = _scaled(measure, estimate)
    if y * statistic <= 0:
        raise Refused(
            f"{measure} {estimate:g} and its statistic {statistic:g} must both be off no effect, on the same side"
        )
    se = y / statistic
    told = f"SE {se:.5g} = {y:.5g}/{statistic:.5g}, estimate over test statistic (Handbook 6.3.2, 6.5.2.3)."
    return Converted(measure, y, se**2, (_read(measure, estimate), told))


@careful
def from_p(measure: str, estimate: float, p: float, df: float | None = None) -> Converted:
    """From an estimate and its exact two-sided p, of z, or of t with `df` degrees of freedom.

    Handbook 6.3.2, 6.5.2.3.

    A bound such as p < 0.05 is no exact p. A p rounded to 0.001 or less makes the variance a rough
    one.
    """
    y, value = _scaled(measure, estimate), critical(p / 2, df)
    found = from_statistic(measure, estimate, value if y >= 0 else -value)
    by = "z" if df is None else f"t with {df:g} df"
    told = f"{by[0]} = {value:.5g} from two-sided p = {p:g} ({by})."
    return replace(found, how=(found.how[0], told, found.how[1]))


def _scale(measure: str) -> str:
    if measure not in RATIOS + DIFFERENCES:
        raise Refused(
            f"unknown measure {measure!r}; choose one of {', '.join(RATIOS + DIFFERENCES)}"
        )
    return "log" if measure in RATIOS else "plain"


def _scaled(measure: str, value: float) -> float:
    if _scale(measure) == "log":
        if value <= 0:
            raise Refused(
                f"{measure}: ratios are above zero, {value:g} is not; is it a log, or a small number rounded to 0?"
            )
        return log(value)
    if measure == "RD" and abs(value) > 1:
        raise Refused(
            f"RD: a risk difference is between -1 and 1, {value:g} is not; give per cent as a share"
        )
    return value


def _read(measure: str, estimate: float) -> str:
    if measure in RATIOS:
        return f"{measure} {estimate:g} as reported; its log {log(estimate):.5g} is analysed."
    return f"{measure} {estimate:g} as reported."


def _lopsided(measure: str, estimate: float, low: float, high: float) -> bool:
    """True if no numbers that round to these are nearly symmetric."""
    scale = log if measure in RATIOS else float
    places = max(
        -int(Decimal(repr(value)).normalize().as_tuple().exponent)
        for value in (estimate, low, high)
    )
    if (
        places <= 0
    ):  # three whole numbers: print has 2.00 for a ratio, 2.0 for others, and the noughts are lost here
        places = 2 if measure in RATIOS else 1
    unit = 0.5 * 10.0**-places

    def off(middle: float, shift: float) -> float:
        return (scale(low + shift) + scale(high + shift)) / 2 - scale(middle)

    room = LOPSIDED * (scale(high) - scale(low)) / 2
    return off(estimate + unit, -unit) > room or off(estimate - unit, unit) < -room


def correlation(r: float, n: float) -> Converted:
    """A correlation with its large-sample variance (1 - r²)²/(n - 1)."""
    return raw("COR", CORRELATION, r, n)


def groups_swapped(found: Converted) -> Converted:
    """The same effect with the groups the other way round, for a report of the comparison against
    the intervention.
    """
    return replace(
        found, yi=-found.yi, how=(*found.how, "The groups were swapped: the sign is turned.")
    )


def higher_is_better(found: Converted) -> Converted:
    """The effect on an outcome of which less is better, turned so that higher is better.

    Handbook 6.5.1.2.

    Refused for ratios other than OR: of these, that of the good event isn't the inverse of that of
    the bad one.
    """
    if found.measure in RATIOS and found.measure != "OR":
        raise Refused(
            f"the {found.measure} of the good event is not 1 over that of the bad one; count the good event instead"
        )
    told = "The sign was turned so that higher is better."
    return replace(found, yi=-found.yi, how=(*found.how, told))


@careful
def design_effect(size: float, icc: float, cv: float = 0.0) -> float:
    """How much clusters inflate a variance: 1 + (m - 1)·ICC; Handbook 23.1.4.

    Args:
        size: Mean people per cluster, m.
        icc: Intracluster correlation, 0 to 1.
        cv: Coefficient of variation of the cluster sizes: 1 + ((1 + cv²)·m - 1)·ICC; Eldridge and
            others 2006, doi:10.1093/ije/dyl129.
    """
    if size < 1 or not 0 <= icc <= 1 or cv < 0:
        raise Refused(
            f"a cluster needs size >= 1, icc from 0 to 1, cv >= 0; there were {size:g}, {icc:g} and {cv:g}"
        )
    return 1 + ((1 + cv**2) * size - 1) * icc


@careful
def effective_size(n: float, size: float, icc: float, cv: float = 0.0) -> float:
    """People, or events, that a clustered group is worth: n over the design effect.

    Handbook 23.1.4.
    """
    if n < 0:
        raise Refused(f"n can't be below zero; it was {n:g}")
    return n / design_effect(size, icc, cv)


@careful
def inflated(found: Converted, size: float, icc: float, cv: float = 0.0) -> Converted:
    """The effect of an analysis that ignored its clusters: variance times design effect.

    Handbook 23.1.5.
    """
    by = design_effect(size, icc, cv)
    sizes = f"{size:g} people per cluster" + (f" (coefficient of variation {cv:g})" if cv else "")
    told = f"Variance times design effect {by:.5g}, {sizes}, ICC {icc:g} (Handbook 23.1.4)."
    return Converted(found.measure, found.yi, found.vi * by, (*found.how, told))


@dataclass(frozen=True, slots=True)
class Absolute:
    """A ratio applied to a risk without the intervention: `difference` people per 1,000 with its
    interval.

    Attributes:
        needed: People to be treated for one event fewer (or more, where `difference` is above
            zero), with its interval; None where there is no difference, the interval's ends None
            where it includes none.
    """

    risk: float
    difference: float
    low: float
    high: float
    needed: float | None
    needed_low: float | None
    needed_high: float | None
    how: tuple[str, ...]


@careful
def absolute(found: Converted, risk: float, level: float = 0.95) -> Absolute:
    """What an OR, RR or HR means where `risk`, a share, is the comparator's; Handbook 15.4.4.

    HR: 1 - (1 - risk)^HR, Altman and Andersen, BMJ 1999;319:1492-5. The risk itself is taken as
    certain. Needed: Altman, BMJ 1998;317:1309-12.
    """
    if found.measure not in _RISKS:
        raise Refused(f"per 1,000 comes from {', '.join(_RISKS)}; it was given {found.measure}")
    if not 0 < risk < 1:
        raise Refused(f"risk must be a share above 0 and below 1, as 0.12 for 12%; it was {risk:g}")
    z = critical(level_tail(level), None) * sqrt(found.vi)
    least, middle, most = (
        _RISKS[found.measure](exp(y), risk) for y in (found.yi - z, found.yi, found.yi + z)
    )
    if middle > 1:
        raise Refused(
            f"an RR of {exp(found.yi):g} times a risk of {risk:g} is above 1; use a lower risk or the OR"
        )
    capped = ("The upper end was cut at a risk of 1.",) if most > 1 else ()
    rows = [1000 * (one - risk) for one in (least, middle, min(most, 1.0))]
    told = f"{rows[1]:.4g} per 1,000 from {found.measure} {exp(found.yi):.4g} and a comparator risk of {risk:g}"
    how = (*found.how, f"{told}, which is taken as certain (Handbook 15.4.4).", *capped)
    return Absolute(risk, rows[1], rows[0], rows[2], *_needed(*rows), how)


_RISKS: Mapping[str, Callable[[float, float], float]] = {
    "OR": lambda ratio, risk: ratio * risk / (1 - risk + ratio * risk),
    "RR": lambda ratio, risk: ratio * risk,
    "HR": lambda ratio, risk: 1 - (1 - risk) ** ratio,
}


def _needed(
    low: float, middle: float, high: float
) -> tuple[float | None, float | None, float | None]:
    if abs(middle) < LEAST:
        return None, None, None
    if low < LEAST and high > -LEAST:
        return 1000 / abs(middle), None, None
    ends = sorted((1000 / abs(low), 1000 / abs(high)))
    return 1000 / abs(middle), ends[0], ends[1]


@dataclass(frozen=True, slots=True)
class Route:
    """A way to an effect: the keys it needs, in the order of the arguments of `work`, and those it
    takes as well.
    """

    keys: tuple[str, ...]
    work: Callable[..., Converted]
    more: tuple[str, ...] = ()


def convert(reported: Mapping[str, object], wanted: str) -> Converted:
    """The measure `wanted` (a key of ROUTES) by the first of its routes whose keys are all reported.

    Raw figures come first, then interval, standard error, t or z, F, p; what leans on a further
    assumption is last: regression coefficients, medians, correlations and, for SMD, odds ratios.
    ROUTES has each order in full. None is absent. What is reported and not used is named in `how`.
    A route that refuses its figures is not passed over.

    - counts: ai bi ci di (or ai n1i ci n2i), with and without event, group 1 then 2; rates x1i t1i
      x2i t2i
    - means: m1i sd1i n1i, for sd1i also se1i or low1i high1i (interval of the mean), or sd_pooled
      for both groups; med1i with q11i q31i and, or, min1i max1i; 2 in place of the 1 after the name
      for the second group
    - effects: estimate in `wanted` (a ratio as printed) with low high, se (of the log for a ratio),
      t, z or p
    - for SMD: t, f, p, md with md_low md_high or md_se, b with sd (of all people) or sd_pooled,
      b_se if adjusted, or r, with n1i n2i; f and p with direction too, 1 if group 1 is higher, else
      -1; r with n; or with or_low or_high
    - more: level of intervals, 0.95 unless given; df of t for interval and p, else z (n1i + n2i - 2
      for MD)

    Raises:
        Refused: with the sets of keys that would do, or with what is wrong with those given.
    """
    given = _given(reported, wanted)
    for route in ROUTES[wanted]:
        if all(key in given for key in route.keys):
            more = {key: given[key] for key in route.more if key in given}
            found = route.work(*(given[key] for key in route.keys), **more)
            left = [key for key in given if key not in route.keys and key not in more]
            if left:
                return replace(
                    found, how=(*found.how, f"Reported too and not used: {', '.join(left)}.")
                )
            return found
    sets = "; or ".join(" ".join(route.keys) for route in ROUTES[wanted])
    raise Refused(
        f"{wanted} needs one of these sets: {sets}. There were {' '.join(given) or 'none'}"
    )


def _given(reported: Mapping[str, object], wanted: str) -> dict[str, float]:
    if wanted not in ROUTES:
        raise Refused(f"can't convert to {wanted!r:.80}; choose one of {', '.join(ROUTES)}")
    if unknown := sorted(str(key) for key in reported if key not in KEYS):
        raise Refused(f"unknown figures {', '.join(unknown)}; the names are {', '.join(KEYS)}")
    return {key: means.number(key, value) for key, value in reported.items() if value is not None}


def _of_totals(measure: str, ai: float, n1i: float, ci: float, n2i: float) -> Converted:
    return raw(measure, TWO_BY_TWO, ai, n1i - ai, ci, n2i - ci)


def _of_rates(measure: str, x1i: float, t1i: float, x2i: float, t2i: float) -> Converted:
    if measure == "IRR" and x1i == x2i == 0:
        raise Refused(
            "IRR: no events in either group say nothing of a ratio; the difference IRD can be had"
        )
    return raw(measure, RATES, x1i, t1i, x2i, t2i)


def _of_groups(
    measure: str, build: Callable[..., Group], *values: float, **more: float
) -> Converted:
    middle = len(values) // 2
    return means.compare(measure, build(*values[:middle], **more), build(*values[middle:], **more))


def _of_pooled(
    measure: str, m1i: float, m2i: float, sd: float, n1i: float, n2i: float
) -> Converted:
    found = means.compare(measure, Group(m1i, sd, n1i), Group(m2i, sd, n2i))
    return replace(found, how=(f"SD {sd:g}, pooled, stands for both groups.", *found.how))


def _by_range(n: float, median: float, least: float, most: float) -> Group:
    return means.group_from_median(n, median, least=least, most=most)


def _of_small(work: Callable[..., Converted], *values: float, **more: float) -> Converted:
    """An MD by t with n1 + n2 - 2 degrees of freedom, the last two values being n1 and n2.

    Handbook 6.5.2.3.
    """
    means.people(*values[-2:])
    return work("MD", *values[:-2], **{"df": sum(values[-2:]) - 2, **more})


def _of_md(md: float, low: float, high: float, n1i: float, n2i: float, **more: float) -> Converted:
    found = _of_small(from_interval, md, low, high, n1i, n2i, **more)
    smd = means.smd_from_difference(md, sqrt(found.vi), n1i, n2i)
    return replace(smd, how=(*found.how, *smd.how))


def _of_r(r: float, n1i: float, n2i: float) -> Converted:
    return means.correlation_as_smd(correlation(r, n1i + n2i), n1i, n2i)


def _of_or(*values: float, **more: float) -> Converted:
    return means.odds_ratio_as_smd(from_interval("OR", *values, **more))


def _twice(*names: str) -> tuple[str, ...]:
    return tuple(name + group + "i" for group in "12" for name in names)


def _means(measure: str) -> tuple[Route, ...]:
    return (
        Route(TWO_MEANS, partial(raw, measure, TWO_MEANS)),
        Route(("m1i", "m2i", "sd_pooled", *SIZES), partial(_of_pooled, measure)),
        Route(_twice("m", "se", "n"), partial(_of_groups, measure, means.group_from_se)),
        Route(
            _twice("m", "low", "high", "n"),
            partial(_of_groups, measure, means.group_from_interval),
            ("level",),
        ),
    )


def _medians(measure: str) -> tuple[Route, ...]:
    return (
        Route(
            _twice("n", "med", "q1", "q3", "min", "max"),
            partial(_of_groups, measure, means.group_from_median),
        ),
        Route(
            _twice("n", "med", "q1", "q3"), partial(_of_groups, measure, means.group_from_median)
        ),
        Route(_twice("n", "med", "min", "max"), partial(_of_groups, measure, _by_range)),
    )


def _printed(measure: str) -> tuple[Route, ...]:
    return (
        Route(INTERVAL, partial(from_interval, measure), ("level", "df")),
        Route(("estimate", "se"), partial(from_se, measure)),
        Route(("estimate", "t"), partial(from_statistic, measure)),
        Route(("estimate", "z"), partial(from_statistic, measure)),
        Route(("estimate", "p"), partial(from_p, measure), ("df",)),
    )


def _counts(measure: str) -> tuple[Route, ...]:
    return Route(TWO_BY_TWO, partial(raw, measure, TWO_BY_TWO)), Route(
        TOTALS, partial(_of_totals, measure)
    )


SIZES, TOTALS, INTERVAL = ("n1i", "n2i"), ("ai", "n1i", "ci", "n2i"), ("estimate", "low", "high")
_SMALL = (
    Route((*INTERVAL, *SIZES), partial(_of_small, from_interval), ("level", "df")),
    *_printed("MD")[:-1],
    Route(("estimate", "p", *SIZES), partial(_of_small, from_p), ("df",)),
    _printed("MD")[-1],
)
_SMD = (
    *_means("SMD"),
    *_printed("SMD")[:2],
    Route(("md", "md_low", "md_high", *SIZES), _of_md, ("level", "df")),
    Route(("md", "md_se", *SIZES), means.smd_from_difference),
    Route(("t", *SIZES), means.smd_from_t),
    Route(("f", *SIZES, "direction"), means.smd_from_f),
    Route(("p", *SIZES, "direction"), means.smd_from_p),
    *_printed("SMD")[2:],
    Route(("b", "sd", *SIZES), means.smd_from_regression, ("b_se",)),
    Route(("b", "sd_pooled", *SIZES), partial(means.smd_from_regression, within=True), ("b_se",)),
    *_medians("SMD"),
    Route(("r", *SIZES), _of_r),
    Route(("r", "n"), lambda r, n: means.correlation_as_smd(correlation(r, n))),
    Route(TWO_BY_TWO, means.smd_from_counts),
    Route(TOTALS, lambda ai, n1i, ci, n2i: means.smd_from_counts(ai, n1i - ai, ci, n2i - ci)),
    Route(("or", "or_low", "or_high"), _of_or, ("level",)),
)
ROUTES: Mapping[str, tuple[Route, ...]] = {
    **{measure: (*_counts(measure), *_printed(measure)) for measure in ("OR", "RR", "RD")},
    **{
        measure: (Route(RATES, partial(_of_rates, measure)), *_printed(measure))
        for measure in ("IRR", "IRD")
    },
    "HR": _printed("HR"),
    "MD": (*_means("MD"), *_SMALL, *_medians("MD")),
    "ROM": (*_means("ROM"), *_printed("ROM"), *_medians("ROM")),
    "SMD": _SMD,
}
KEYS = tuple(
    dict.fromkeys(
        key for way in ROUTES.values() for route in way for key in (*route.keys, *route.more)
    )
)
