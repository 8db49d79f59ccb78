"""A finished review read once more in the order the model would have given it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livereview.errors import Refused
from livereview.ranking import model, stopping
from livereview.ranking.features import Features
from livereview.ranking.order import GROWTH, due, order

IN_A_ROW = (50, 100, 200)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a rule would have stopped: records read, and the recall that was reached by then."""

    rule: str
    read: int
    recall: float


def priors(truth: Mapping[str, int], seed: int) -> tuple[str, str]:
    """One relevant and one irrelevant record to begin with, drawn by the seed.

    Raises Refused if there are no such.
    """
    kinds = [sorted(one for one, label in truth.items() if label == kind) for kind in (1, 0)]
    if not all(kinds):
        raise Refused(
            "a replay needs a relevant and an irrelevant record; label at least one of each"
        )
    dice = np.random.default_rng(seed)
    relevant, other = (kind[dice.integers(len(kind))] for kind in kinds)
    return relevant, other


def replay(
    features: Features,
    truth: Mapping[str, int],
    known: Collection[str],
    seed: int = 0,
    parts: Sequence[model.Part] = model.PARTS,
    growth: float = GROWTH,
    tick: Callable[[int], None] = lambda _read: None,
) -> tuple[str, ...]:
    """Every record but the `known` ones, in the order read: rank, read, learn from the true label,
    rank again.

    Learns when `order.due` says so; growth 0: after every record. Once the last relevant record is
    read the rest
    follows as it is ranked then: no measure asks for the order of irrelevant ones. `known` may be
    empty: the protocol begins. `tick` hears how many are read so far.
    """
    row = _rows(features, truth, known)
    labels = [(one, bool(truth[one])) for one in sorted(known)]
    left, read = sorted(truth.keys() - set(known)), list[str]()
    fitted: model.Model | None = None
    while left:
        fitted = model.fit(features, labels, seed, parts, fitted)
        left = list(order(left, model.scores(fitted, features)[[row[one] for one in left]]))
        took = _until_due(left, truth, len(labels), growth)
        labels += [(one, bool(truth[one])) for one in left[:took]]
        read, left = read + left[:took], left[took:]
        tick(len(read))
    return tuple(read)


def _rows(features: Features, truth: Mapping[str, int], known: Collection[str]) -> dict[str, int]:
    row = {one: i for i, one in enumerate(features.ids)}
    if unknown := [one for one in (*known, *truth) if one not in truth or one not in row]:
        raise Refused(
            f"{unknown[0]!r} is no labelled record; name record ids of the file, one a line"
        )
    return row


def _until_due(queue: Sequence[str], truth: Mapping[str, int], labels: int, growth: float) -> int:
    """How many of the queue are read before the next fit; all of it if nothing relevant is left."""
    if not any(truth[one] for one in queue):
        return len(queue)
    for took, one in enumerate(queue, 1):
        if due(labels + took, labels, bool(truth[one]), growth):
            return took
    return len(queue)


def verdicts(
    labels: Sequence[int], target: float = 0.95, confidence: float = 0.95
) -> tuple[Verdict, ...]:
    """What each rule would have said of labels (1 relevant, 0 not) in the order read."""
    rules = {
        f"hypergeometric test, recall {target:g} at {confidence:g}": stopping.first_stop(
            labels, target, confidence
        )
    }
    rules |= {
        f"{number} irrelevant in a row": stopping.irrelevant_in_a_row(labels, number)
        for number in IN_A_ROW
    }
    return tuple(
        Verdict(rule, read, sum(labels[:read]) / sum(labels)) for rule, read in rules.items()
    )
