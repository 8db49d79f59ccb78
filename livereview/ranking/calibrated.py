"""A rule for stopping that is calibrated on finished reviews, beside the test that guarantees.

The hypergeometric test of `ranking.stopping` holds however good or bad the order is, and pays for
that with reading. This rule asks the model how many relevant records it expects among the unread.
How far such an expectation can be trusted is not assumed: it is measured on reviews that were read
to the end. So its promise is about reviews like those, and no guarantee.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from sklearn.linear_model import LogisticRegression

from livereview.ranking.features import Array
from livereview.ranking.stopping import first_stop, lowest

TARGET = 0.95  # recall
# Below so many relevant records recall .95 leaves none to miss, and a logistic curve through their
# scores is guesswork: the test alone decides.
FEWEST_RELEVANT = 20
# Of the test where it stands in for the expectation. It errs on the safe side: on the 150 rankings
# of CLEF 2017 a confidence of .8 keeps recall in 96% of them, of .7 in 91%.
TEST_CONFIDENCE = 0.8
# Of the smallest ratio that was too large: from one look to the next the ratio falls by about a
# tenth, and other deals of the folds move it as much again.
MARGIN = 0.85
REVIEWS_NEEDED = 9  # finished reviews of an installation: so many promise 9 in 10
UNPENALISED = 1e6  # inverse penalty of the logistic curve

# The smallest ratio of expected to found while less than TARGET was found, over seeds 1 to 3 of
# each development set with FEWEST_RELEVANT (`python -m tests.bench.stopping`).
DEVELOPMENT: dict[str, float] = {
    "cohen_ACEInhibitors": 0.293,
    "kitchenham_2010": 0.620,
    "kwok_2020_virus": 0.308,
    "nagtegaal_2019": 0.557,
    "synergy_Smid_2020": 0.932,
    "vive_adult_child_ratio_qualitative": 0.393,
    "vive_deployment": 0.580,
    "vive_friends": 0.683,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What the model expected at one moment of the reading.

    Attributes:
        read, found: Records read, and the relevant among them.
        expected: Relevant records among the unread, by `expected_left`.
    """

    read: int
    found: int
    expected: float

    @property
    def ratio(self) -> float:
        """Expected by found; infinite before the first find."""
        return self.expected / self.found if self.found else inf


@dataclass(frozen=True, slots=True)
class Limit:
    """How small the ratio of expected to found must be, and on what that rests.

    Attributes:
        ratio: Reading may stop at this ratio or below.
        reviews: Finished reviews it was learned from, in all of which it keeps recall.
        own: Whether they are the installation's own.
    """

    ratio: float
    reviews: int
    own: bool = False

    @property
    def promise(self) -> float:
        """The probability, over reviews like these, that the next one keeps recall too.

        With the smallest of n exchangeable ratios as the limit it is n / (n + 1): a split-conformal
        bound (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, ch. 2).
        """
        return self.reviews / (self.reviews + 1)

    @property
    def least(self) -> float:
        """What that record of n out of n still allows: Clopper and Pearson's lower bound at 95%."""
        return lowest(self.reviews, self.reviews)


def expected_left(scores: Array, relevant: Sequence[int], unread: Array) -> float:
    """How many of the unread records the model expects to be relevant.

    Args:
        scores: Of the read records, each by a model that did not see its label.
        relevant: Their labels, 1 or 0, of both kinds.
        unread: Scores of the rest, by the model of all labels.
    """
    return float(probabilities_left(scores, relevant, unread).sum())


def probabilities_left(scores: Array, relevant: Sequence[int], unread: Array) -> Array:
    """The probability that each unread record is relevant, arguments as for `expected_left`.

    By a logistic curve through out-of-fold scores, with targets drawn in from 0 and 1 so that a
    clean cut does not promise certainty (Platt, in Smola and others, Advances in Large Margin
    Classifiers, 1999, 61-74). The read records are those that ranked highest, so the curve is
    extended below them and expects too many. That is why its sum, by what was found, is compared
    with finished reviews and not with the target itself.
    """
    if not len(unread):
        return np.zeros(0)
    y = np.asarray(relevant, dtype=np.int64)
    positives = int(y.sum())
    negatives = len(y) - positives
    targets = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    column = np.asarray(scores, dtype=np.float64)[:, None]
    curve = LogisticRegression(C=UNPENALISED)
    curve.fit(
        np.concatenate([column, column]),
        np.concatenate([np.ones(len(y)), np.zeros(len(y))]),
        np.concatenate([targets, 1 - targets]),
    )
    found: Array = curve.predict_proba(np.asarray(unread, dtype=np.float64)[:, None])[:, 1]
    return found


def smallest_too_large(looks: Sequence[Look], relevant: int, target: float = TARGET) -> float:
    """The smallest ratio at which a finished review had found less than the target.

    A limit below it would not have stopped that review too early; infinite where no look with
    FEWEST_RELEVANT found was too early.

    Args:
        relevant: Relevant records of the whole review.
    """
    early = [
        look.ratio
        for look in looks
        if look.found >= FEWEST_RELEVANT and look.found < target * relevant - 1e-9
    ]
    return min(early, default=inf)


def limit_of(ratios: Sequence[float], own: bool = False) -> Limit:
    """The limit that the `smallest_too_large` of these finished reviews allow."""
    return Limit(MARGIN * min(ratios), len(ratios), own)


SHIPPED = limit_of(tuple(DEVELOPMENT.values()))


def learned(ratios: Sequence[float]) -> Limit:
    """The installation's own limit from REVIEWS_NEEDED finished reviews on, SHIPPED before that.

    Args:
        ratios: The `smallest_too_large` of each.
    """
    if len(ratios) < REVIEWS_NEEDED or min(ratios) == inf:
        return SHIPPED
    return limit_of(ratios, own=True)


def may_stop(look: Look, limit: Limit = SHIPPED) -> bool:
    """Whether the expectation is small enough; never below FEWEST_RELEVANT found."""
    return look.found >= FEWEST_RELEVANT and look.ratio <= limit.ratio


def calibrated_stop(
    labels: Sequence[int],
    scores: Sequence[float | None] | None = None,
    limit: Limit = SHIPPED,
) -> int:
    """How many records are read until the calibrated rule stops.

    That is where the test at TEST_CONFIDENCE supports it, or, from FEWEST_RELEVANT relevant on,
    where the expectation does, whichever comes first. Without expectations only the test speaks:
    that is the rule for rankings of strangers.

    Args:
        labels: Of all records, 1 relevant, 0 not, in the order read. None behind the stop is used.
        scores: As `simulate.Expectations.scores` writes them: for each record, what was expected to
            be left just before it was read, None where no look was taken, and always for the first.
            A list that begins with a number holds scores of another kind and is not used.
    """
    by_test = first_stop(labels, TARGET, TEST_CONFIDENCE)
    if not scores or scores[0] is not None:
        return by_test
    found = 0
    for read in range(by_test):
        expected = scores[read]
        if expected is not None and may_stop(Look(read, found, expected), limit):
            return read
        found += labels[read]
    return by_test
