"""When reading may stop: a test for the backlog, a threshold for the nightly stream, simple rules
to compare with.

Nothing here stops anything. Every answer is worked out again from all labels and today's number of
records, so that an old one never outlives new arrivals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, nan

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, hypergeom

from livereview.errors import Refused

ASSUMES = (
    "That the order never does worse than chance among what is left, that labels are right, and that N counts every"
    " record there is to read."
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the test says after `read` of `total` records with `found` relevant.

    Attributes:
        p: Probability of so few finds at the end of the reading, had the recall target been missed.
        may_stop: P < 1 - confidence.
        most: As many relevant records as there may be in all, at that confidence.
        low: Found / most: the lower bound of recall; nan as long as nothing was found.
    """

    read: int
    found: int
    total: int
    target: float
    confidence: float
    p: float
    may_stop: bool
    most: int
    low: float


def p_value(labels: Sequence[int], total: int, target: float = 0.95) -> float:
    """Probability, under the hypothesis that recall is below `target`, of finding as little as was
    found lately.

    labels: 1 relevant, 0 not, in the order read; total: all records, read or not. With r relevant
    among n read, each window of the last i records, holding c_i relevant, is taken for a random
    sample of the N - (n - i) records that were unread before it; missing the target means at least
    K_i = floor(r / target + 1 - (r - c_i)) relevant in these:

        p = min over i of P(X <= c_i),  X ~ Hypergeometric(N - (n - i), K_i, i)

    Callaghan and Mueller-Hansen, Syst Rev 2020;9:273, doi:10.1186/s13643-020-01521-4. Where K_i is
    more than there are records the hypothesis is impossible and that window's probability is 0
    (their program answers nan).
    """
    _checked(labels, total, target)
    return _p(np.asarray(labels, dtype=np.int64), total, floor(sum(labels) / target + 1))


def _checked(labels: Sequence[int], total: int, share: float) -> None:
    if len(labels) > total:
        raise Refused(
            f"{len(labels):,} labels for {total:,} records; count every record, read and unread"
        )
    if not 0 < share <= 1:
        raise Refused(f"a recall target lies above 0 and up to 1, such as 0.95; {share:g} does not")


def _p(labels: NDArray[np.int64], total: int, most: int) -> float:
    """The p-value of the hypothesis that there are at least `most` relevant records in all.

    Of the windows with the same c_i only the longest counts: its sample is a larger share of what
    was unread, and its probability the smaller. So one window for each relevant record, and one of
    everything read, are enough.
    """
    n, found = len(labels), int(labels.sum())
    if n == 0:
        return 1.0
    starts = np.concatenate(([0], np.flatnonzero(labels) + 1))
    size, inside = n - starts, found - np.arange(found + 1)
    size, inside = size[size > 0], inside[: np.count_nonzero(size > 0)]
    population, relevant = total - n + size, most - found + inside
    p = np.where(
        relevant > population,
        0.0,
        hypergeom.cdf(inside, population, np.minimum(relevant, population), size),
    )
    return float(p.min())


def backlog(
    labels: Sequence[int], total: int, target: float = 0.95, confidence: float = 0.95
) -> Backlog:
    """What the test says of the whole queue as it is today.

    Raises:
        Refused: for labels or shares that can't be.
    """
    _checked(labels, total, target)
    _checked(labels, total, confidence)
    p = p_value(labels, total, target)
    most = _most(np.asarray(labels, dtype=np.int64), total, 1 - confidence)
    found = int(sum(labels))
    return Backlog(
        len(labels),
        found,
        total,
        target,
        confidence,
        p,
        p < 1 - confidence,
        most,
        found / most if most else nan,
    )


def _most(labels: NDArray[np.int64], total: int, alpha: float) -> int:
    """The largest number of relevant records that the test does not reject.

    P falls as the number grows.
    """
    low, high = int(labels.sum()), int(labels.sum()) + total - len(labels)
    while low < high:
        middle = (low + high + 1) // 2
        if _p(labels, total, middle) >= alpha:
            low, high = (middle, high)
        else:
            low, high = (low, middle - 1)
    return low


def first_stop(labels: Sequence[int], target: float = 0.95, confidence: float = 0.95) -> int:
    """How many of a finished review's labels would have been read before the test first allowed to
    stop.

    Within a run of irrelevant records p only falls, so the run's end is looked at first and then
    bisected.
    """
    every = np.asarray(labels, dtype=np.int64)
    total, alpha = len(every), 1 - confidence
    found = np.flatnonzero(every)
    for start, end in zip(
        np.concatenate(([0], found + 1)), np.concatenate((found, [total])), strict=True
    ):
        if every[:end].any() and _stops(every[:end], total, target, alpha):
            low, high = int(start), int(end)
            while low < high:
                middle = (low + high) // 2
                if _stops(every[:middle], total, target, alpha):
                    low, high = (low, middle)
                else:
                    low, high = (middle + 1, high)
            return low
    return total


def _stops(read: NDArray[np.int64], total: int, target: float, alpha: float) -> bool:
    return _p(read, total, floor(int(read.sum()) / target + 1)) < alpha


def irrelevant_in_a_row(labels: Sequence[int], number: int) -> int:
    """How many are read until `number` irrelevant ones came in a row: a rule of thumb that promises
    nothing.
    """
    run = 0
    for read, label in enumerate(labels, 1):
        run = 0 if label else run + 1
        if run == number:
            return read
    return len(labels)


@dataclass(frozen=True, slots=True)
class Threshold:
    """What reading only new records that score at least `score` costs and finds, by
    cross-validation.

    Attributes:
        score: -inf: too few relevant records for this target, everything is to be read.
        reading: Share of records at or above the thresholds of their folds.
        found, relevant: Pooled over the folds, each fold judged by a threshold of the others.
        low: Lower bound of the pooled recall, one-sided, exact (Clopper and Pearson).
    """

    target: float
    score: float
    reading: float
    found: int
    relevant: int
    low: float

    @property
    def recall(self) -> float:
        return self.found / self.relevant


def threshold(
    scores: NDArray[np.float64],
    labels: Sequence[int],
    folds: Sequence[int],
    target: float,
    confidence: float = 0.95,
) -> Threshold:
    """The score below which new records may wait, for a recall target, from out-of-fold scores of
    labelled ones.

    Raises Refused without a relevant record. It holds for records like these: one that is new in
    kind is not.
    """
    y, fold = np.asarray(labels) == 1, np.asarray(folds)
    if not y.any():
        raise Refused("a threshold needs relevant records; screen until some are found")
    _checked((), len(y), target)
    above = np.zeros(len(y), dtype=bool)
    for one in np.unique(fold):
        above[fold == one] = scores[fold == one] >= cut(scores[(fold != one) & y], target)
    found, relevant = int((above & y).sum()), int(y.sum())
    return Threshold(
        target,
        cut(scores[y], target),
        float(above.mean()),
        found,
        relevant,
        lowest(found, relevant, confidence),
    )


def cut(relevant: NDArray[np.float64], target: float) -> float:
    """The score that the next relevant record reaches with probability `target`, -inf if too few
    tell.

    The k-th highest of m with k = ceil(target (m + 1)): a split-conformal quantile, exact whatever
    the distribution if the next is like these (Vovk, Gammerman and Shafer, Algorithmic Learning in
    a Random World, 2005, ch. 2).
    """
    k = ceil(target * (len(relevant) + 1) - 1e-9)
    if k > len(relevant):
        return -inf
    return float(np.sort(relevant)[::-1][k - 1])


def lowest(found: int, relevant: int, confidence: float = 0.95) -> float:
    """Clopper and Pearson's one-sided lower bound of a share .

    Biometrika 1934;26:404-13, doi:10.1093/biomet/26.4.404.
    """
    if found:
        return float(beta.ppf(1 - confidence, found, relevant - found + 1))
    return 0.0
