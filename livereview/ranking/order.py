"""The order of the queue, and when it is time to learn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from livereview.ranking.features import Array

GROWTH = 0.01  # of the labels: with so many more irrelevant ones a fit is due; waiting longer costs order (bench)


def order(ids: Sequence[str], scores: Array) -> tuple[str, ...]:
    """Record ids, the highest score first; equal scores by id, so that the same scores always give the same order."""
    by_id = np.argsort(np.array(ids, dtype=str), kind="stable")
    return tuple(ids[i] for i in by_id[np.argsort(-scores[by_id], kind="stable")])


def due(labels: int, labels_then: int, found: bool, growth: float = GROWTH) -> bool:
    """Whether to fit again: a relevant record was found, or the labels grew by one and by `growth` since the last fit.

    A relevant record tells much, one more irrelevant among hundreds nearly nothing. growth 0 fits after every record.
    """
    return labels > labels_then and (found or labels - labels_then >= growth * labels_then)


def second_look(ids: Sequence[str], scores: Array, labels: Sequence[int], number: int = 20) -> tuple[str, ...]:
    """Records whose label the model doubts most, by scores of models that did not see it (`model.out_of_fold`).

    First those furthest on the wrong side: an irrelevant one that outranks half of the relevant, and the reverse. It
    asks for a look and changes no label.
    """
    y = np.asarray(labels) == 1
    if y.all() or not y.any():
        return ()
    above, below = np.median(scores[y]), np.median(scores[~y])
    wrong = np.where(y, below - scores, scores - above)
    return order(ids, wrong)[: min(number, int((wrong > 0).sum()))]
