"""The whole queue ranked once: from texts and labels to an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livereview.ranking.features import Text, build
from livereview.ranking.model import Label, fit, scores
from livereview.ranking.order import order

Raw = tuple[str, str, str]  # report, title, abstract


@dataclass(frozen=True, slots=True)
class Ranked:
    """Reports from the first to the last to read, with their scores; by a model over features of these versions."""

    reports: tuple[str, ...]
    scores: tuple[float, ...]
    model: str
    features: str


def rank(texts: Sequence[Raw], labels: Sequence[Label], protocol: str, seed: int = 0) -> Ranked:
    """Every report in order; the same arguments give the same order. Without labels the protocol's words decide."""
    features = build([Text(*text) for text in texts], protocol)
    model = fit(features, labels, seed)
    found = scores(model, features)
    by_report = dict(zip(features.ids, found.tolist(), strict=True))
    placed = order(features.ids, found)
    return Ranked(placed, tuple(by_report[one] for one in placed), model.version, features.version)
