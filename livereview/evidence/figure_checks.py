"""Whether what a form says twice of one result agrees: people, counts, effect, interval, p.

A report gives most things more than once, and a form may hold them all. Where two of them can't both
be right, one was mistyped, or stands in the wrong box: a percentage among counts, a standard
deviation as standard error, a logarithm as ratio. Nobody but a person can say which, so the form is
refused and both are named.

Rounding is allowed for: a figure that is printed as 0.12 may be anything from 0.115 to 0.125.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log
from statistics import NormalDist

from livereview.evidence import measures, own_figures
from livereview.evidence.forms import Result
from livereview.evidence.measures import MeasureUnit
from livereview.evidence.orientation import Z
from livereview.messages import mark, say

ARMS = (("ai", "bi", "n1i"), ("ci", "di", "n2i"))
"""Of each group: with the event, without it, and both together."""

WHOLE = ("ai", "bi", "ci", "di", "n1i", "n2i", "ni", "xi")
"""Figures that count people."""

PRINTED = {"effect": "estimate", "ci_low": "low", "ci_high": "high"}
"""The same figures in the form's own boxes and among those that the report prints."""

SIGNIFICANT = 0.05
NEAR = 0.5
"""Standard errors by which p and interval may differ where they lie on two sides of 0.05: a t-test of
a small study, or an exact test, moves them by less."""

FAR = 1.0
"""Standard errors by which they may differ at all."""

BOUND = 0.001
"""A p so small is mostly a bound (“p < 0.001”), which is no more than the least that z can be."""

SPREAD = 1.25
"""By what a standard error may differ from the interval's: t in place of z, with six degrees of freedom
or more, widens it by less; a 99% interval, or a standard deviation, does not fit."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two figures that can't both be right.

    Attributes:
        field: The box of the form to look at first.
        text: Both of them, as a clause.
        next_step: What to do.
    """

    field: str
    text: str
    next_step: str


Found = Iterator[Contradiction]


def contradictions(result: Result, participants: int | None = None) -> tuple[Contradiction, ...]:
    """Every pair of figures of a result that can't both be right.

    Args:
        participants: People who joined the study, where the form says so.
    """
    return tuple(problem for check in CHECKS for problem in check(result, participants))


def _mend() -> str:
    return say(mark("mend one of them"))


# People


def _whole_numbers(result: Result, _: int | None) -> Found:
    """Counts of people are whole; those of clusters may be brought down to what they are worth."""
    figures = result.reported or {}
    if result.clustered:
        return
    for name in WHOLE:
        value = figures.get(name)
        if value is None or float(value).is_integer():
            continue
        yield Contradiction(
            "reported",
            say(mark("{name} = {value:g} is no whole number of people"), name=name, value=value),
            say(
                mark(
                    "give how many people, not a percentage; or say clustered = true where counts were "
                    "brought down to what a clustered study is worth"
                )
            ),
        )


def _arms(result: Result, _: int | None) -> Found:
    """Nobody is counted who is not in the group."""
    figures = result.reported or {}
    for with_event, without_event, all_of_them in ARMS:
        size = figures.get(all_of_them)
        if size is None:
            continue
        for name in (with_event, without_event):
            yield from _more_than_all(figures, name, all_of_them)
        yield from _not_the_sum(figures, (with_event, without_event), all_of_them)


def _more_than_all(figures: Mapping[str, float], name: str, size: str) -> Found:
    if figures.get(name, 0) <= figures[size]:
        return
    yield Contradiction(
        "reported",
        say(
            mark("{name} = {value:g} contradicts {size} = {all:g}: more than all of the group"),
            name=name,
            value=figures[name],
            size=size,
            all=figures[size],
        ),
        say(mark("give how many people, not a percentage, or mend one of them")),
    )


def _not_the_sum(figures: Mapping[str, float], parts: tuple[str, str], size: str) -> Found:
    if any(name not in figures for name in parts):
        return
    total = sum(figures[name] for name in parts)
    if total == figures[size]:
        return
    yield Contradiction(
        "reported",
        say(
            mark("{first} + {second} = {total:g} contradicts {size} = {all:g}"),
            first=parts[0],
            second=parts[1],
            total=total,
            size=size,
            all=figures[size],
        ),
        _mend(),
    )


def _people(result: Result, _: int | None) -> Found:
    """People analysed are those of both groups together."""
    of_groups = own_figures.of_groups(result.reported or {})
    if result.n is None or of_groups is None:
        return
    names, total = of_groups
    worth_less = bool(result.clustered) and total < result.n
    if total == result.n or worth_less:
        return
    yield Contradiction(
        "n",
        say(
            mark("n = {n} contradicts {names} = {total:g} among its own figures"),
            n=result.n,
            names=" + ".join(names),
            total=total,
        ),
        _mend(),
    )


def _not_more_than_joined(result: Result, participants: int | None) -> Found:
    """Nobody is analysed who did not join, unless a note says who else is counted."""
    people = result.people
    if participants is None or people is None or result.note:
        return
    if people <= participants:
        return
    yield Contradiction(
        "n",
        say(
            mark("{n} people analysed contradicts participants = {all}"),
            n=people,
            all=participants,
        ),
        say(
            mark("mend one of them, or say in note whom n counts (children, where families joined)")
        ),
    )


# Effect and interval


def _effect(result: Result, _: int | None) -> Found:
    """The effect against the counts or means of both groups."""
    problem = own_figures.contradiction(result)
    if problem is None:
        return
    yield Contradiction(
        "effect",
        problem,
        say(
            mark(
                "mend one of them, or give adjusted = true where the effect allows for differences "
                "at the start"
            )
        ),
    )


def _printed(result: Result, _: int | None) -> Found:
    """The effect and its interval against the same ones among the printed figures."""
    unit = measures.read(result.measure)
    figures = result.reported or {}
    for field, name in PRINTED.items():
        typed, printed = getattr(result, field), figures.get(name)
        if typed is None or printed is None or unit is None or result.derivation is not None:
            continue
        if _same(typed, printed):
            continue
        as_log = unit.measure.ratio and printed > 0 and _same(typed, log(printed))
        text = mark("{field} = {typed:g} contradicts {name} = {printed:g} among its own figures")
        step = (
            mark("give the ratio itself, not its logarithm") if as_log else mark("mend one of them")
        )
        yield Contradiction(
            field,
            say(text, field=field, typed=typed, name=name, printed=printed),
            say(step),
        )


def _standard_error(result: Result, _: int | None) -> Found:
    """The interval against the standard error that is printed beside it."""
    unit = measures.read(result.measure)
    se = (result.reported or {}).get("se")
    implied = _implied_error(result, unit)
    if se is None or implied is None or unit is None or result.derivation is not None:
        return
    room = _half_a_digit(se)
    least, most = max(se - room, 0) / SPREAD, (se + room) * SPREAD
    if least <= implied <= most:
        return
    text = mark(
        "its interval ({low:g} to {high:g}) contradicts se = {se:g} among its own figures: the interval "
        "says {implied:.3g}"
    )
    yield Contradiction(
        "ci_low",
        say(text, low=result.ci_low, high=result.ci_high, se=se, implied=implied),
        say(
            mark(
                "give the standard error (of the logarithm for a ratio), not a standard deviation, and "
                "a 95% interval"
            )
        ),
    )


def _p_value(result: Result, _: int | None) -> Found:
    """The interval against p or a test statistic that is printed beside it."""
    unit = measures.read(result.measure)
    figures = result.reported or {}
    implied = _implied_error(result, unit)
    if implied is None or unit is None or result.effect is None or result.derivation is not None:
        return
    z = abs(unit.measure.analysed(result.effect / unit.per)) / implied
    for name in ("p", "z", "t"):
        printed = figures.get(name)
        if printed is None or not _differ(name, printed, z):
            continue
        text = mark(
            "{name} = {printed:g} contradicts its effect of {effect:g} ({low:g} to {high:g}), which has "
            "p = {p:.2g}"
        )
        yield Contradiction(
            "effect",
            say(
                text,
                name=name,
                printed=printed,
                effect=result.effect,
                low=result.ci_low,
                high=result.ci_high,
                p=_two_sided(z),
            ),
            say(
                mark("mend one of them, or leave out {name} where it is of another test"), name=name
            ),
        )


def _differ(name: str, printed: float, z: float) -> bool:
    """Whether a printed p, z or t is of another effect than one so many standard errors from none."""
    if name != "p":
        return abs(abs(printed) - z) > FAR and not _both_clear(abs(printed), z)
    of_p = _z_of(min(max(printed, BOUND), 1.0))
    if printed <= BOUND and z >= of_p:
        return False
    sides_differ = (printed < SIGNIFICANT) != (z > Z)
    return abs(of_p - z) > (NEAR if sides_differ else FAR) and not _both_clear(of_p, z)


def _both_clear(first: float, second: float) -> bool:
    """Whether both are so far from none that a rounded figure says little of how far."""
    return min(first, second) > _z_of(BOUND)


def _z_of(p: float) -> float:
    return NormalDist().inv_cdf(1 - p / 2)


def _two_sided(z: float) -> float:
    return 2 * NormalDist().cdf(-z)


def _implied_error(result: Result, unit: MeasureUnit | None) -> float | None:
    """The standard error on the scale of analysis that a 95% interval says; None where it can't."""
    if unit is None or result.ci_low is None or result.ci_high is None:
        return None
    try:
        low = unit.measure.analysed(result.ci_low / unit.per)
        high = unit.measure.analysed(result.ci_high / unit.per)
    except ValueError:
        return None
    return (high - low) / (2 * Z) if low < high else None


def _same(first: float, second: float) -> bool:
    """Whether two figures may be one, printed with more digits or with fewer."""
    room = max(_half_a_digit(first), _half_a_digit(second))
    return abs(first - second) <= room * 1.0001


def _half_a_digit(value: float) -> float:
    """Half of the last digit that is printed: 0.005 of 0.12."""
    exponent = int(Decimal(repr(float(value))).as_tuple().exponent)
    return 0.5 * 10.0 ** min(exponent, 0)


CHECKS: tuple[Callable[[Result, int | None], Found], ...] = (
    _whole_numbers,
    _arms,
    _people,
    _not_more_than_joined,
    _effect,
    _printed,
    _standard_error,
    _p_value,
)
"""In the order in which they are told."""
