"""A finished review read once more in the order the model would have given it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from livereview.errors import Refused
from livereview.ranking import model, stopping
from livereview.ranking.calibrated import Look, calibrated_stop, expected_left
from livereview.ranking.features import Array, Features
from livereview.ranking.order import GROWTH, due, order

IN_A_ROW = (50, 100, 200)
LOOK_GROWTH = 0.05  # of the labels: how often it is asked what is expected to be left
LOOK_FEWEST = 10  # relevant labels before that is asked
DIGITS = 5  # significant, of what is expected
Watch = Callable[[int, Sequence[model.Label], Array], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a rule would have stopped: records read, and the recall that was reached by then."""

    rule: str
    read: int
    recall: float


def priors(truth: Mapping[str, int], seed: int) -> tuple[str, str]:
    """One relevant and one irrelevant record to begin with, drawn by the seed.

    Raises:
        Refused: if there are no such.
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
    watch: Watch | None = None,
) -> tuple[str, ...]:
    """Every record but the `known` ones, in the order read: rank, read, learn from the true label,
    rank again.

    Learns when `order.due` says so; growth 0: after every record. Once the last relevant record is
    read the rest follows as it is ranked then: no measure asks for the order of irrelevant ones.
    `known` may be empty: the protocol begins.

    Args:
        tick: Hears how many are read so far.
        watch: Hears after each fit how many are read, all labels so far, and the scores of the
            unread. With it the learning goes on to the end, as it would where nobody knows that
            the last relevant record is read.
    """
    row = _rows(features, truth, known)
    labels = [(one, bool(truth[one])) for one in sorted(known)]
    left, read = sorted(truth.keys() - set(known)), list[str]()
    fitted: model.Model | None = None
    while left:
        fitted = model.fit(features, labels, seed, parts, fitted)
        scores = model.scores(fitted, features)
        left = list(order(left, scores[[row[one] for one in left]]))
        if watch is not None:
            watch(len(read), labels, scores[[row[one] for one in left]])
        if watch is None and not any(truth[one] for one in left):
            took = len(left)
        else:
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
    """How many of the queue are read before the next fit."""
    for took, one in enumerate(queue, 1):
        if due(labels + took, labels, bool(truth[one]), growth):
            return took
    return len(queue)


@dataclass(slots=True)
class Expectations:
    """Asks during a replay how many relevant records the model expects among the unread.

    Give it to `replay` as `watch`. It asks once LOOK_FEWEST relevant records are labelled and again
    whenever the labels have grown by LOOK_GROWTH: each time five more models are fitted.

    Attributes:
        expected: By number of records read.
    """

    features: Features
    seed: int = 0
    expected: dict[int, float] = field(default_factory=dict)
    _labels_then: int = 0

    def __call__(self, read: int, labels: Sequence[model.Label], unread: Array) -> None:
        relevant = sum(label for _, label in labels)
        grown = len(labels) - self._labels_then >= LOOK_GROWTH * len(labels)
        if not grown or min(relevant, len(labels) - relevant) < LOOK_FEWEST:
            return
        self._labels_then = len(labels)
        _, held, y, _ = model.out_of_fold(self.features, labels, self.seed)
        self.expected[read] = expected_left(held, y.tolist(), unread)

    def scores(self, records: int) -> tuple[float | None, ...]:
        """For each record in the order read, what was expected to be left just before it.

        None where it was not asked.
        """
        rounded = {
            read: float(f"{expected:.{DIGITS}g}") for read, expected in self.expected.items()
        }
        return tuple(rounded.get(read) for read in range(records))

    def looks(self, labels: Sequence[int]) -> tuple[Look, ...]:
        """Each moment it was asked, with what had been found by then.

        Args:
            labels: 1 relevant, 0 not, in the order read.
        """
        return tuple(
            Look(read, sum(labels[:read]), expected)
            for read, expected in sorted(self.expected.items())
        )


def verdicts(
    labels: Sequence[int],
    target: float = 0.95,
    confidence: float = 0.95,
    scores: Sequence[float | None] | None = None,
) -> tuple[Verdict, ...]:
    """What each rule would have said of labels (1 relevant, 0 not) in the order read.

    Args:
        scores: As `Expectations.scores` answers; without them the calibrated rule is left out.
    """
    guarantee = f"hypergeometric test, recall {target:g} at {confidence:g} (the guarantee)"
    rules = {guarantee: stopping.first_stop(labels, target, confidence)}
    if scores is not None:
        rules["calibrated on finished reviews (no guarantee)"] = calibrated_stop(labels, scores)
    rules |= {
        f"{number} irrelevant in a row": stopping.irrelevant_in_a_row(labels, number)
        for number in IN_A_ROW
    }
    return tuple(
        Verdict(rule, read, sum(labels[:read]) / sum(labels)) for rule, read in rules.items()
    )


def line(topic: str, run: str, labels: Sequence[int], scores: Sequence[float | None]) -> str:
    """A replay as one line of JSON, in the form that collections of rankings have.

    Args:
        topic: What was read, such as the name of the sheet.
        run: What ranked it.
        labels: 1 relevant, 0 not, in the order read.
        scores: As `Expectations.scores` answers.
    """
    row = {
        "year": None,
        "run": run,
        "topic": topic,
        "n": len(labels),
        "relevant": sum(labels),
        "labels": "".join(str(label) for label in labels),
        "scores": list(scores),
    }
    return json.dumps(row, allow_nan=False) + "\n"
