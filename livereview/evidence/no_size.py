"""Figures of two groups that give no size of a difference, and why.

A study in which nobody had the event, or in which nobody was left in a group, was still done and
still reported. It is taken in, kept and shown. What its figures can't give is never made up, not by
half an event either: how far such a study counts is for the way in which studies are pooled
(Handbook 10.4.4; `weigh.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from livereview.evidence import counts, measures
from livereview.messages import mark

NoSize = Literal["no_events", "only_events", "too_few_people", "no_spread", "no_person_time"]

REASONS: Mapping[NoSize, str] = {
    "no_events": mark("nobody had the event in either group"),
    "only_events": mark("everybody had the event in both groups"),
    "too_few_people": mark("a group had too few people to compare"),
    "no_spread": mark("the standard deviation was 0, so the difference can't be told from chance"),
    "no_person_time": mark("a group was followed for no time at all"),
}
"""Why a study gives no size, as a clause."""

CELLS: Mapping[NoSize, str] = {
    "no_events": mark("no events"),
    "only_events": mark("only events"),
    "too_few_people": mark("too few people"),
    "no_spread": mark("no spread"),
    "no_person_time": mark("no time followed"),
}
"""The same for a cell of a table, where others have their size."""

TURNED: Mapping[NoSize, NoSize] = {"no_events": "only_events", "only_events": "no_events"}
"""What it is of the opposite event."""

SIDES_OF_NOTHING = ("favours_intervention", "favours_comparison")
"""Directions that contradict figures by which both groups fared the same."""

OF_PEOPLE = ("OR", "RR", "RD")
"""Measures of how many people had an event."""

OF_TIME = ("IRR", "IRD")
"""Measures of how often something happened in the time that people were followed."""

OF_MEANS = ("SMD", "MD", "ROM")
"""Measures of the difference between two means."""

DIFFERENCES = ("RD", "IRD")
"""Measures in which no event in either group is a difference of 0 and not nothing: their counts can
still be pooled."""

LEAST_FOR_A_SPREAD = 2
"""One person has no standard deviation."""

_SPREADS = (("sd1i", "sd2i"), ("se1i", "se2i"))


def of(measure: str | None, reported: Mapping[str, float] | None) -> NoSize | None:
    """Why these figures give no size in this measure; None where they do, or where they lack."""
    unit = measures.read(measure)
    if unit is None or not reported:
        return None
    if unit.measure.id in OF_PEOPLE:
        return _of_people(counts.table_from(reported))
    if unit.measure.id in OF_TIME:
        return _of_time(counts.rates_from(reported))
    if unit.measure.id in OF_MEANS:
        return _of_means(reported)
    return None


def _of_people(table: counts.Table | None) -> NoSize | None:
    if table is None:
        return None
    if table.lacks_a_group:
        return "too_few_people"
    if table.without_events:
        return "no_events"
    return "only_events" if table.only_events else None


def _of_time(rates: counts.Rates | None) -> NoSize | None:
    if rates is None:
        return None
    if rates.lacks_time:
        return "no_person_time"
    return "no_events" if rates.without_events else None


def _of_means(reported: Mapping[str, float]) -> NoSize | None:
    sizes = [reported[name] for name in ("n1i", "n2i") if name in reported]
    if any(0 <= size < LEAST_FOR_A_SPREAD for size in sizes):
        return "too_few_people"
    if reported.get("sd_pooled") == 0:
        return "no_spread"
    for first, second in _SPREADS:
        if reported.get(first) == 0 and reported.get(second) == 0:
            return "no_spread"
    return None
