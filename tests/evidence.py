"""What tests of findings start from: two outcomes, results on them, studies that hold these, and
one review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log
from typing import Any

from livereview import review_toml
from livereview.evidence import checked, grade
from livereview.evidence.certainty import LEVELS, Rating, Reason
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction, Result
from livereview.review import Comparison, Outcome, Review

SOS = Comparison("sos", "Signs of Safety, or usual practice", "Signs of Safety", "usual practice")
CARE = Outcome(
    "care",
    "Children entering care",
    "lower",
    "RR",
    5,
    True,
    more="more children enter care",
    fewer="fewer children enter care",
    risk=60,
    risk_source="national statistics",
)
WELLBEING = Outcome(
    "wellbeing",
    "Wellbeing",
    "higher",
    "SMD",
    0.2,
    True,
    more="children feel better",
    fewer="children feel worse",
)


def review(*outcomes: Outcome, comparisons: Sequence[Comparison] = (SOS,), **more: Any) -> Review:
    """A review of these outcomes, by default one of Signs of Safety."""
    plain = review_toml.parse(review_toml.template())
    return replace(
        plain,
        outcomes=outcomes or (CARE, WELLBEING),
        comparisons=tuple(comparisons),
        follow_up=(),
        **more,
    )


def study(name: str, *results: Result, **more: Any) -> Extraction:
    """A study of this name with these results."""
    plain: dict[str, Any] = {
        "label": f"{name.title()} 2020",
        "reports": (f"10.5555/{name}",),
        "year": 2020,
    }
    return Extraction(study=name, results=results, **{**plain, **more})


def smd(effect: float, half: float, good: bool | None = True, **more: Any) -> Result:
    """A standardised mean difference on wellbeing; `half` is half of its interval's width."""
    plain: dict[str, Any] = {"outcome": "wellbeing", "construct": "wellbeing", "n": 200}
    figures = {
        "measure": "SMD",
        "effect": effect,
        "ci_low": effect - half,
        "ci_high": effect + half,
    }
    return Result(higher_is_better=good, **{**plain, **figures, **more})


def ratio(effect: float, low: float, high: float, **more: Any) -> Result:
    """A risk ratio of entering care, or another ratio by `measure`."""
    plain: dict[str, Any] = {
        "outcome": "care",
        "construct": "entry to care",
        "n": 1000,
        "measure": "RR",
    }
    return Result(**{**plain, "effect": effect, "ci_low": low, "ci_high": high, **more})


def around(effect: float, spread: float, **more: Any) -> Result:
    """A risk ratio whose interval is `spread` wide to both sides on the log scale."""
    return ratio(effect, exp(log(effect) - spread), exp(log(effect) + spread), **more)


def finding(outcome: Outcome, *forms: Extraction, waiting: int = 0, **more: Any) -> Finding:
    """The finding of one outcome, by a review of Signs of Safety."""
    return checked.findings(review(outcome, **more), forms, waiting)[0]


def rated(found: Finding, level: str, *reasons: Reason) -> Finding:
    """The finding with a rating that was made from its numbers."""
    assert level in LEVELS
    rating = Rating("grade", found.id, level, reasons, (), "high", grade.numbers_of(found))
    return grade.rated(found, rating)
