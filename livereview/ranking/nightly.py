"""The whole queue ranked once: from texts and labels to an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isinf
from typing import Any

from livereview.ranking.features import Features, Text, build
from livereview.ranking.model import Label, fit, out_of_fold, scores
from livereview.ranking.order import order
from livereview.ranking.stopping import threshold

TARGETS = (0.9, 0.95, 0.99)  # recall of the nightly stream that a lead may ask the price of
ENOUGH = 10  # relevant reports before a cut is worth telling
Raw = tuple[str, str, str]  # report, title, abstract


@dataclass(frozen=True, slots=True)
class Ranked:
    """Reports from the first to the last to read, with their scores; by a model over features of these versions.

    told   plain data for the lead: `stream`, the cut of each of TARGETS
    """

    reports: tuple[str, ...]
    scores: tuple[float, ...]
    model: str
    features: str
    told: dict[str, Any]


def rank(texts: Sequence[Raw], labels: Sequence[Label], protocol: str, seed: int = 0) -> Ranked:
    """Every report in order; the same arguments give the same order. Without labels the protocol's words decide."""
    features = build([Text(*text) for text in texts], protocol)
    model = fit(features, labels, seed)
    found = scores(model, features)
    by_report = dict(zip(features.ids, found.tolist(), strict=True))
    placed = order(features.ids, found)
    told = {"stream": stream(features, labels, seed)}
    return Ranked(placed, tuple(by_report[one] for one in placed), model.version, features.version, told)


def stream(features: Features, labels: Sequence[Label], seed: int) -> list[dict[str, Any]]:
    """What reading only reports above a score would cost and find, for each of TARGETS, by cross-validation.

    Plain data of `stopping.Threshold`, with a score of None where everything must be read; nothing below ENOUGH.
    """
    if min(sum(went_on for _, went_on in labels), sum(not went_on for _, went_on in labels)) < ENOUGH:
        return []
    _, found, truth, fold = out_of_fold(features, labels, seed)
    cuts = [threshold(found, truth.tolist(), fold.tolist(), target) for target in TARGETS]
    return [{**asdict(cut), "score": None if isinf(cut.score) else cut.score, "recall": cut.recall} for cut in cuts]
