"""Figures as a report prints them, and the effect that they give."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from math import exp, sqrt
from typing import Any

from livereview.errors import Refused
from livereview.statistics.conversions import KEYS, RATIOS, ROUTES, convert, inflated
from livereview.statistics.conversions_means import Converted
from livereview.statistics.effects import MEASURES, escalc

# of an analysis that did not allow for its clusters
CLUSTERED = ("icc", "cluster_size", "cluster_cv")
FIGURES = tuple(
    dict.fromkeys(
        [*KEYS, *chain.from_iterable(one.columns for one in MEASURES.values()), *CLUSTERED]
    )
)
Z = 1.959963984540054  # of a two-sided 95% interval


def complete(measure: str | None, reported: Mapping[str, float]) -> dict[str, Any]:
    """effect, ci_low, ci_high and derivation from reported figures.

    With `icc` and `cluster_size` (people in a cluster on average; `cluster_cv`: their spread over
    their mean) the variance is inflated by the design effect.

    Raises:
        ValueError: where they don't give one.
    """
    if measure is None or (measure not in ROUTES and measure not in MEASURES):
        known = ", ".join(dict.fromkeys([*ROUTES, *MEASURES]))
        raise ValueError(f"needs a measure that can be worked out: {known}")
    plain = {key: value for key, value in reported.items() if key not in CLUSTERED}
    try:
        if measure in ROUTES:
            found = convert(plain, measure)
        else:
            found = _by_measure(measure, plain)
        if "icc" in reported:
            size, cv = reported.get("cluster_size"), reported.get("cluster_cv", 0.0)
            if size is None:
                raise ValueError("icc needs cluster_size, the people in a cluster on average")
            found = inflated(found, size, reported["icc"], cv)
    except Refused as refusal:
        raise ValueError(refusal.message) from None
    spread = Z * sqrt(found.vi)
    ends = {"effect": found.yi, "ci_low": found.yi - spread, "ci_high": found.yi + spread}
    shown = {key: exp(end) for key, end in ends.items()} if measure in RATIOS else ends
    return {**shown, "derivation": " ".join(f"{step.rstrip('.')}." for step in found.how)}


def _by_measure(measure: str, reported: Mapping[str, float]) -> Converted:
    """An effect of a measure that no conversion leads to, from its own columns."""
    columns = MEASURES[measure].columns
    if missing := [name for name in columns if name not in reported]:
        raise Refused(f"{measure} needs {', '.join(columns)}; missing: {', '.join(missing)}")
    found = escalc(measure, {name: [reported[name]] for name in columns})
    value, variance = found.yi[0], found.vi[0]
    if value is None or variance is None:
        raise Refused(found.notes[0] or "the figures give no effect")
    return Converted(
        measure, value, variance, (f"{MEASURES[measure].label} from {', '.join(columns)}",)
    )
