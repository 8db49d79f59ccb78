"""The whole queue ranked once: from texts and labels to an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isinf
from typing import Any

import numpy as np

from livereview.ranking.calibrated import probabilities_left
from livereview.ranking.doubts import Held, held_out, second_look
from livereview.ranking.explain import Explanation, explanation
from livereview.ranking.features import Features, Text, build
from livereview.ranking.model import Label, fit, scores
from livereview.ranking.order import order
from livereview.ranking.stopping import threshold

TARGETS = (0.9, 0.95, 0.99)  # recall of the nightly stream that a lead may ask the price of
ENOUGH = 10  # relevant reports before a cut is worth telling
STEP, STEPS = 100, 30  # of the queue's head: the expectation is kept after each so many reports
Raw = tuple[str, str, str]  # report, title, abstract


@dataclass(frozen=True, slots=True)
class Ranked:
    """Reports from the first to the last to read, with their scores.

    By a model over features of these versions.

    Attributes:
        told: Plain data for the lead, by models that did not see the label: `stream`, the cut of
            each of TARGETS; `doubts`, the settled reports to look at a second time; `expected`,
            as `expectation` answers.
    """

    reports: tuple[str, ...]
    scores: tuple[float, ...]
    model: str
    features: str
    told: dict[str, Any]


def rank(
    texts: Sequence[Raw],
    labels: Sequence[Label],
    protocol: str,
    seed: int = 0,
    known: Features | None = None,
) -> Ranked:
    """Every report in order; the same arguments give the same order.

    Without labels the protocol's words decide.

    Args:
        known: What `prepare` made of the very same texts and protocol, so that words are read once
            and not at each ranking.
    """
    features = known or prepare(texts, protocol)
    model = fit(features, labels, seed)
    found = scores(model, features)
    by_report = dict(zip(features.ids, found.tolist(), strict=True))
    placed = order(features.ids, found)
    held = _held(features, labels, seed)
    settled = {report for report, _ in labels}
    unread = [by_report[report] for report in placed if report not in settled]
    told = {
        "stream": stream(held),
        "doubts": [asdict(doubt) for doubt in second_look(held)] if held else [],
        "expected": expectation(held, unread),
    }
    return Ranked(
        placed, tuple(by_report[one] for one in placed), model.version, features.version, told
    )


def prepare(texts: Sequence[Raw], protocol: str) -> Features:
    """What the model sees of the texts: the slow part, which needs no label."""
    return build([Text(*text) for text in texts], protocol)


def why(
    texts: Sequence[Raw], labels: Sequence[Label], protocol: str, report: str, seed: int = 0
) -> Explanation:
    """Why a report ranks where it does, by the model that these labels give."""
    every = [Text(*text) for text in texts]
    features = build(every, protocol)
    return explanation(
        fit(features, labels, seed),
        features,
        next(text for text in every if text.record_id == report),
    )


def _held(features: Features, labels: Sequence[Label], seed: int) -> tuple[Held, ...]:
    """Out-of-fold scores of all settled reports; nothing before ENOUGH of each kind."""
    went_on = sum(went for _, went in labels)
    if min(went_on, len(labels) - went_on) >= ENOUGH:
        return held_out(features, labels, seed)
    return ()


def expectation(held: Sequence[Held], unread: Sequence[float]) -> dict[str, Any] | None:
    """How many relevant reports the model expects among the unread; None before ENOUGH of each.

    Plain data: `read` and `found` at that time, `left` expected, and `ahead`, how many of these
    among the first `step`, 2 `step`, ... of the queue.

    Args:
        unread: Scores of the unread, the highest first.
    """
    if not held:
        return None
    scores = np.array([report.score for report in held])
    verdicts = [int(report.verdict) for report in held]
    left = np.cumsum(probabilities_left(scores, verdicts, np.array(unread)))
    ends = range(STEP, min(len(unread), STEP * STEPS) + 1, STEP)
    return {
        "read": len(held),
        "found": sum(verdicts),
        "left": float(left[-1]) if len(left) else 0.0,
        "step": STEP,
        "ahead": [float(left[end - 1]) for end in ends],
    }


def stream(held: Sequence[Held]) -> list[dict[str, Any]]:
    """What reading only reports above a score would cost and find, for each of TARGETS, by
    cross-validation.

    Plain data of `stopping.Threshold`, with a score of None where everything must be read.
    """
    if not held:
        return []
    scored, folds = np.array([one.score for one in held]), [one.fold for one in held]
    cuts = [
        threshold(scored, [int(one.verdict) for one in held], folds, target) for target in TARGETS
    ]
    return [
        {**asdict(cut), "score": None if isinf(cut.score) else cut.score, "recall": cut.recall}
        for cut in cuts
    ]
