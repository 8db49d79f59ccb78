"""Effect measures: what reports call them, and the scale on which they are oriented and pooled.

A measure has one name here, whatever a report or a protocol calls it: "g", "Hedges' g" and
"standardised mean difference" are the SMD. Ratios are analysed as logs, so that 0 is always "no
difference" on the scale of analysis.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

from livereview.messages import mark, say


@dataclass(frozen=True, slots=True)
class EffectMeasure:
    """One effect measure.

    Attributes:
        id: Its short name, as in tables: "SMD".
        label: Its name in words.
        ratio: Its null is 1 and it is pooled as a log; else its null is 0.
        counts: It compares how often something happens, so it can be told per 1,000 people.
        scales: It compares values on an instrument, which may run either way.
    """

    id: str
    label: str
    ratio: bool = False
    counts: bool = False
    scales: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def null(self) -> float:
        """The value that means no difference, as reported."""
        return 1.0 if self.ratio else 0.0

    def analysed(self, value: float) -> float:
        """A reported value on the scale of analysis; raises ValueError for a ratio of 0 or less."""
        if not self.ratio:
            return value
        if value <= 0:
            raise ValueError(f"{self.id} must be above 0, it was {value:g}")
        return log(value)

    def reported(self, analysed: float) -> float:
        """A value on the scale of analysis as a report would print it."""
        return exp(analysed) if self.ratio else analysed


MEASURES: Mapping[str, EffectMeasure] = {
    measure.id: measure
    for measure in (
        EffectMeasure(
            "SMD",
            mark("standardised mean difference"),
            scales=True,
            aliases=(
                "standardized mean difference",
                "g",
                "hedges g",
                "hedges s g",
                "d",
                "cohen d",
                "cohens d",
                "cohen s d",
                "effect size",
            ),
        ),
        EffectMeasure(
            "MD",
            mark("mean difference"),
            scales=True,
            aliases=("weighted mean difference", "wmd", "difference in means"),
        ),
        EffectMeasure(
            "ROM", mark("ratio of means"), ratio=True, scales=True, aliases=("response ratio",)
        ),
        EffectMeasure(
            "COR",
            mark("correlation"),
            scales=True,
            aliases=("r", "pearson r", "correlation coefficient"),
        ),
        EffectMeasure(
            "OR",
            mark("odds ratio"),
            ratio=True,
            counts=True,
            aliases=("aor", "adjusted odds ratio"),
        ),
        EffectMeasure(
            "RR",
            mark("risk ratio"),
            ratio=True,
            counts=True,
            aliases=("relative risk", "arr", "adjusted risk ratio"),
        ),
        EffectMeasure(
            "HR",
            mark("hazard ratio"),
            ratio=True,
            counts=True,
            aliases=("ahr", "adjusted hazard ratio"),
        ),
        EffectMeasure(
            "IRR",
            mark("rate ratio"),
            ratio=True,
            counts=True,
            aliases=("incidence rate ratio", "incident rate ratio"),
        ),
        EffectMeasure(
            "RD",
            mark("risk difference"),
            counts=True,
            aliases=("absolute risk difference", "risk reduction", "difference in proportions"),
        ),
        EffectMeasure(
            "IRD", mark("rate difference"), counts=True, aliases=("incidence rate difference",)
        ),
    )
}

PER = re.compile(r"\bper (10{2,6})\b")
"""The "per 1,000" of a difference in risk, after thousands separators are gone."""

_PERCENTAGE_POINTS = ("percentage points", "percentage point", "pp")


@dataclass(frozen=True, slots=True)
class MeasureUnit:
    """A measure with the number of people its values are given for: 1 for a plain share or ratio."""

    measure: EffectMeasure
    per: int = 1

    @property
    def words(self) -> str:
        """As a caption says it: "risk difference per 1,000"."""
        label = say(self.measure.label)
        if self.per == 1:
            return label
        return say(mark("{measure} per {people:,}"), measure=label, people=self.per)


def read(text: str | None) -> MeasureUnit | None:
    """The measure that a report or a protocol means by `text`; None where it is none of these.

    >>> read("Hedges' g").measure.id
    'SMD'
    >>> read("risk difference per 1,000 children").per
    1000
    """
    if not text:
        return None
    plain = _plain(text)
    if plain in _PERCENTAGE_POINTS:
        return MeasureUnit(MEASURES["RD"], 100)

    per = 1
    found = PER.search(plain)
    if found:
        per = int(found[1])
        plain = plain[: found.start()].strip()

    measure = _BY_NAME.get(plain)
    if measure is None:
        return None
    if per > 1 and (measure.ratio or not measure.counts):
        return None
    return MeasureUnit(measure, per)


def _plain(text: str) -> str:
    """Small letters and digits with single spaces between; commas within numbers are dropped."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    joined = re.sub(r"(?<=\d)[,\u2009\u202f ](?=\d{3}\b)", "", folded)
    return " ".join(re.findall(r"[a-z0-9]+", joined))


def _names() -> dict[str, EffectMeasure]:
    names: dict[str, EffectMeasure] = {}
    for measure in MEASURES.values():
        for name in (measure.id, measure.label, *measure.aliases):
            names[_plain(name)] = measure
    return names


_BY_NAME: Mapping[str, EffectMeasure] = _names()
