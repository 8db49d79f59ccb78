"""The order of the queue, and when it is time to learn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from livereview.ranking.features import Array

# of the labels: with so many more irrelevant ones a fit is due; waiting longer costs order (bench)
GROWTH = 0.01


def order(ids: Sequence[str], scores: Array) -> tuple[str, ...]:
    """Record ids, the highest score first.

    Equal scores by id, so that the same scores always give the same order.
    """
    by_id = np.argsort(np.array(ids, dtype=str), kind="stable")
    return tuple(ids[i] for i in by_id[np.argsort(-scores[by_id], kind="stable")])


def due(labels: int, labels_then: int, found: bool, growth: float = GROWTH) -> bool:
    """Whether to fit again: a relevant record was found, or the labels grew by one and by `growth`
    since the last fit.

    A relevant record tells much, one more irrelevant among hundreds nearly nothing. growth 0 fits
    after every record.
    """
    return labels > labels_then and (found or labels - labels_then >= growth * labels_then)
