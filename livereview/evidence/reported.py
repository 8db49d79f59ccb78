"""Figures as a report prints them, and the effect that they give."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from math import exp, sqrt
from typing import Any

from livereview.errors import Refused
from livereview.statistics.effects import MEASURES, escalc

RATIOS = ("OR", "RR", "IRR", "ROM")  # worked out as logarithms, published as ratios
FIGURES = tuple(dict.fromkeys(chain.from_iterable(measure.columns for measure in MEASURES.values())))
Z = 1.959963984540054  # of a two-sided 95% interval


def complete(measure: str | None, reported: Mapping[str, float]) -> dict[str, Any]:
    """effect, ci_low, ci_high and derivation from reported figures; raises ValueError where they don't give one."""
    if measure is None or measure not in MEASURES:
        raise ValueError(f"needs a measure that can be worked out: {', '.join(MEASURES)}")
    columns = MEASURES[measure].columns
    if missing := [name for name in columns if name not in reported]:
        raise ValueError(f"{measure} needs {', '.join(columns)}; missing: {', '.join(missing)}")
    try:
        found = escalc(measure, {name: [reported[name]] for name in columns})
    except Refused as refusal:
        raise ValueError(refusal.message) from None
    value, variance = found.yi[0], found.vi[0]
    if value is None or variance is None:
        raise ValueError(found.notes[0] or "the figures give no effect")
    ends = {"effect": value, "ci_low": value - Z * sqrt(variance), "ci_high": value + Z * sqrt(variance)}
    shown = {key: exp(end) for key, end in ends.items()} if measure in RATIOS else ends
    said = f"{MEASURES[measure].label} worked out from {', '.join(columns)} as reported"
    return {**shown, "derivation": said}
