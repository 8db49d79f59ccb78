"""Whether an effect that a person typed agrees with the counts or means typed beside it.

An effect with its groups the wrong way round, or its ratio upside down, is the commonest slip of
extraction, and turns what a study found into its opposite. Where a form holds both the effect and
what it was made from, the two are compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from livereview.evidence import measures
from livereview.evidence.forms import Result
from livereview.evidence.measures import MeasureUnit
from livereview.evidence.reported import complete
from livereview.messages import mark, say

COUNTS = (("ai", "ci", "n1i", "n2i"), ("ai", "bi", "ci", "di"))
MEANS = (("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"),)
FROM_GROUPS = {
    **dict.fromkeys(("OR", "RR", "RD"), COUNTS),
    **dict.fromkeys(("SMD", "MD", "ROM"), MEANS),
}
"""The figures of both groups that give each measure and its side."""

GROUPS = (("n1i", "n2i"), ("ai", "bi", "ci", "di"))
"""The figures that add up to the people of both groups, the plainest first."""

_ADJUSTED = re.compile(r"\b(?:a(?:or|rr|hr|irr)|adjusted)\b", re.IGNORECASE)


def contradiction(result: Result) -> str | None:
    """How the effect of a result contradicts its own figures, as a clause; None where it does not.

    It does where the figures give an effect outside the interval that was typed, or without an
    interval one on the other side of no difference. An effect that allows for differences at the
    start may lie elsewhere than the plain one, and is not judged.
    """
    compared = _compared(result)
    if compared is None or _agree(result, *compared):
        return None
    return _in_words(result, *compared)


def opposite(result: Result) -> str | None:
    """As `contradiction`, where the figures also say the opposite: the side can't be told.

    Forms from before this was asked are read by it, so that a slip of size keeps no study out.
    """
    compared = _compared(result)
    if compared is None or _agree(result, *compared) or _one_side(result, *compared):
        return None
    return _in_words(result, *compared)


def of_groups(reported: Mapping[str, float]) -> tuple[tuple[str, ...], float] | None:
    """The people of both groups together, and the figures that add up to them; None where they lack."""
    for names in GROUPS:
        if all(name in reported for name in names):
            return names, sum(reported[name] for name in names)
    return None


def is_adjusted(result: Result) -> bool:
    """Whether the report's own effect allows for differences at the start, by what the form says or
    by what the measure is called.
    """
    if result.adjusted is not None:
        return result.adjusted
    return _ADJUSTED.search(result.measure or "") is not None


def _compared(result: Result) -> tuple[MeasureUnit, float] | None:
    """The measure and what the figures give in it; None where nothing is to be compared."""
    unit = measures.read(result.measure)
    worked_out_here = result.derivation is not None
    if unit is None or result.effect is None or worked_out_here or is_adjusted(result):
        return None
    plain = _plain_effect(unit.measure.id, result.reported or {})
    return None if plain is None else (unit, plain * unit.per)


def _in_words(result: Result, unit: MeasureUnit, plain: float) -> str:
    text = mark("its {measure} of {effect:.3g} contradicts its own figures, which give {plain:.3g}")
    return say(text, measure=unit.measure.id, effect=result.effect, plain=plain)


def _plain_effect(measure: str, reported: Mapping[str, float]) -> float | None:
    """What the figures of both groups give in this measure; None where they lack or give none."""
    for names in FROM_GROUPS.get(measure, ()):
        if all(name in reported for name in names):
            figures = {name: reported[name] for name in names}
            try:
                return float(complete(measure, figures)["effect"])
            except ValueError:
                return None
    return None


def _agree(result: Result, unit: MeasureUnit, plain: float) -> bool:
    if result.ci_low is not None and result.ci_high is not None:
        return result.ci_low <= plain <= result.ci_high
    return _one_side(result, unit, plain)


def _one_side(result: Result, unit: MeasureUnit, plain: float) -> bool:
    """Whether both lie on one side of no difference, or either exactly on it."""
    assert result.effect is not None
    null = unit.measure.null
    return (result.effect - null) * (plain - null) >= 0
