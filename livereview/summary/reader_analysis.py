"""The reader's own analysis: what its page needs to pool the studies of a finding in a browser.

The page works from a file, without a server: the studies' effects stand in it as JSON, and one
script, `pooling.mjs` with `analysis.mjs`, does what `livereview/statistics` does. It begins with the
review's own choices, so that it first shows the review's figures.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from livereview import messages
from livereview.evidence import measures, moderators, sizes
from livereview.evidence.finding import Estimate, Finding, StudyEffect
from livereview.evidence.forms import Extraction
from livereview.evidence.measures import EffectMeasure
from livereview.evidence.orientation import Z
from livereview.messages import mark, say
from livereview.review import Methods, Moderator, Review
from livereview.summary import bars, words
from livereview.summary.snapshot import Snapshot

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("pooling.mjs", "analysis.mjs")
"""The page's one script, put together so that it needs no second file."""

BY_COUNTS = {"Mantel-Haenszel": "MH", "Peto": "PETO"}
"""Models that the page offers for tables of events, by the name that an estimate gives."""

TABLES = ("OR", "RR", "RD")
"""Measures of events among people, which the page pools from counts."""

LEVELS = mark(
    "The review counts several results of a study by a model of three levels. Here each study "
    "counts once, by the result that the protocol prefers, so the figures differ."
)
RATES = mark(
    "The review pools these studies from events by time, which this page does not do, so the "
    "figures differ."
)

FEWEST = 2
"""Studies with a size in one measure below which there is nothing to pool."""

MODELS = {
    "EE": mark("One common effect"),
    "REML": mark("Random effects, restricted maximum likelihood (REML)"),
    "DL": mark("Random effects, DerSimonian and Laird"),
    "PM": mark("Random effects, Paule and Mandel"),
    "ML": mark("Random effects, maximum likelihood"),
    "EB": mark("Random effects, empirical Bayes"),
    "HE": mark("Random effects, Hedges"),
    "HS": mark("Random effects, Hunter and Schmidt"),
    "SJ": mark("Random effects, Sidik and Jonkman"),
    "MH": mark("Mantel and Haenszel, from the counts of events"),
    "PETO": mark("Peto, from the counts of events"),
}
TESTS = {
    "z": mark("By the normal distribution (z)"),
    "knha": mark("Knapp and Hartung (t)"),
    "adhoc": mark("Knapp and Hartung, never narrower than z"),
}
PREDICTIONS = {
    "riley": mark("t with k − 2"),
    "k-1": mark("t with k − 1"),
    "matched": mark("As the interval of the mean"),
}
WORDS = {
    "yours": mark("Your analysis: {measure} {size}, from {k} of {n} studies."),
    "one": mark("Your analysis: one study alone, {measure} {size}."),
    "none": mark("Your analysis: no study is chosen, so there is nothing to show."),
    "impossible": mark("Your analysis: these studies can't be pooled by this model."),
    "same": mark("The review’s own figure is the same."),
    "differs": mark("The review’s own figure: {size}."),
    "spread": mark("I² {i2}%, tau² {tau2}, Q {q} (p {p})."),
    "common": mark("I² {i2}%, Q {q} (p {p})."),
    "prediction": mark("A new study may lie between {low} and {high}."),
    "groups": mark("Difference between the groups: Q {q} with {df} degrees of freedom, p {p}."),
    "few": mark("Fewer than five studies: how far studies differ can hardly be told from them."),
    "unasked": mark("The review does not average these studies; it says why in its answer."),
    "all": mark("All chosen studies"),
    "new": mark("Where a new study may lie"),
    "unknown": mark("not known"),
    "people": mark("{n} people"),
    "to": mark("{low} to {high}"),
    "sizeless": mark("no size of its own: only its counts can be pooled"),
    "weight": mark("Weight"),
    "bias": mark("Risk of bias"),
}
"""What the script says, its placeholders filled there."""


@cache
def script() -> str:
    """The page's script: one ES module."""
    text = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    assert "</" not in text.lower().replace("</sup", "")  # it would end the script element
    return text


@cache
def policy() -> str:
    """The page's Content-Security-Policy: this script may run, and nothing may be loaded."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def choices(snapshot: Snapshot, findings: Sequence[Finding]) -> tuple[dict[str, Any], ...]:
    """What can be pooled, a finding each, as the script reads it; plain JSON.

    A finding is there where two studies have a size with an interval in one measure.
    """
    forms = {
        study.extraction.study: study.extraction for study in snapshot.studies if study.extraction
    }
    made = (_choice(snapshot.review, finding, forms) for finding in findings)
    return tuple(choice for choice in made if choice is not None)


def script_data(choices: Sequence[Mapping[str, Any]], language: str) -> dict[str, Any]:
    """What the script reads: what can be pooled, its words, and in which language figures are."""
    told = {name: messages.translated(text) for name, text in WORDS.items()}
    return {"choices": choices, "words": told, "language": language}


def plain(
    choices: Sequence[Mapping[str, Any]], findings: Sequence[Finding]
) -> tuple[dict[str, Any], ...]:
    """The same for who runs no scripts: each choice with its studies as the finding has them."""
    by_id = {finding.id: finding for finding in findings}
    made: list[dict[str, Any]] = []
    for choice in choices:
        shown = {study["id"] for study in choice["studies"] if study["y"] is not None}
        studies = [study for study in by_id[choice["id"]].studies if study.study in shown]
        made.append({**choice, "studies": studies})
    return tuple(made)


def _choice(
    review: Review, finding: Finding, forms: Mapping[str, Extraction]
) -> dict[str, Any] | None:
    name = _measure(finding)
    if name is None:
        return None
    measure = measures.MEASURES[name]
    shown = [study for study in finding.studies if _is_shown(study, name)]
    asked = _groups(review, finding)
    by_counts = name in TABLES and sum(one.counts is not None for one in shown) >= FEWEST
    if finding.estimate and finding.estimate.studies > 1:
        pooled = finding.estimate
    else:
        pooled = None
    left, right = bars.ends(finding) if finding.estimate else bars.sides(finding)
    return {
        "id": finding.id,
        "label": finding.outcome_label,
        "comparison": finding.comparison_label,
        "measure": name,
        "measure_label": _capital(say(measure.label)),
        "ratio": measure.ratio,
        "per": max(one.per for one in shown),
        "ends": [left, right],
        "better": say(words.BETTER[finding.better]),
        "review": _review_figure(pooled, by_counts),
        "start": _start(review.methods, pooled, shown, by_counts),
        "studies": [_study(measure, one, asked, forms.get(one.study)) for one in shown],
        "groups": [{"id": one.id, "label": one.label} for one in asked],
        "by_counts": by_counts,
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _measure(finding: Finding) -> str | None:
    """The measure that is pooled, else the one that most studies have; None below two studies."""
    if finding.estimate is not None and finding.estimate.studies > 1:
        return finding.estimate.measure
    sized = [study.measure for study in finding.counted if _is_sized(study, study.measure)]
    ordered = Counter(name for name in sized if name is not None).most_common(1)
    if not ordered or ordered[0][1] < FEWEST:
        return None
    return ordered[0][0]


def _is_sized(study: StudyEffect, measure: str | None) -> bool:
    """Whether it has an effect of its own with an interval in this measure."""
    has_interval = study.value is not None and study.low is not None and study.high is not None
    if not has_interval or study.half_event:
        return False
    return study.measure == measure and study.measure in measures.MEASURES


def _is_shown(study: StudyEffect, measure: str) -> bool:
    """Whether it may take part: by its effect, or by its counts alone."""
    return _is_sized(study, measure) or (study.counts is not None and measure in TABLES)


def _groups(review: Review, finding: Finding) -> list[Moderator]:
    """The protocol's moderators that part this outcome's studies into groups."""
    return [
        one
        for one in review.moderators
        if one.kind == "category" and (not one.outcomes or finding.outcome in one.outcomes)
    ]


def _review_figure(pooled: Estimate | None, by_counts: bool) -> dict[str, Any] | None:
    """What the review itself says, to compare with; None where it does not average.

    `otherwise` says how it pools where that is not offered here.
    """
    if pooled is None:
        return None
    otherwise = None
    if pooled.model == sizes.THREE_LEVELS:
        otherwise = say(LEVELS)
    elif pooled.model in BY_COUNTS and not by_counts:
        otherwise = say(RATES)
    return {
        "value": pooled.value,
        "low": pooled.low,
        "high": pooled.high,
        "otherwise": otherwise,
    }


def _start(
    methods: Methods, pooled: Estimate | None, shown: Sequence[StudyEffect], by_counts: bool
) -> dict[str, str]:
    """The choices with which the page begins: those behind the review's figure, else its protocol's."""
    counted = sum(one.counted for one in shown)
    test = "z" if counted < methods.few else methods.test
    model = methods.estimator
    if pooled is not None:
        model = pooled.estimator or "EE"
        if by_counts:
            model = BY_COUNTS.get(pooled.model, model)
    if model in ("EE", *BY_COUNTS.values()):
        test = "z"
    return {"model": model, "test": test, "prediction": methods.prediction}


def _study(
    measure: EffectMeasure,
    study: StudyEffect,
    asked: Sequence[Moderator],
    form: Extraction | None,
) -> dict[str, Any]:
    """A study by its effect on the scale of analysis, with the variance that its interval has.

    Both are None where it has no size of its own, and only its counts take part.
    """
    effect, variance = None, None
    if _is_sized(study, measure.id):
        effect, variance = _analysed(measure, study)
    counts = study.counts
    return {
        "id": study.study,
        "label": study.label,
        "people": study.people,
        "y": effect,
        "v": variance,
        "counts": None if counts is None else list(counts.model_dump().values()),
        "counted": study.counted,
        "high_risk": study.high_risk,
        "bias": words.judgement(study.risk_of_bias),
        "groups": {one.id: _value(one, form, study.months) for one in asked},
    }


def _analysed(measure: EffectMeasure, study: StudyEffect) -> tuple[float, float]:
    assert study.value is not None and study.low is not None and study.high is not None
    low, high = measure.analysed(study.low / study.per), measure.analysed(study.high / study.per)
    return measure.analysed(study.value / study.per), ((high - low) / (2 * Z)) ** 2


def _value(moderator: Moderator, form: Extraction | None, months: float | None) -> str | None:
    """The group of a study; None where nobody noted it."""
    if form is None:
        return None
    value = moderators.value_of(moderator, form, months)
    return None if value is None else str(value)
