"""Verdicts worth a second look: where the ranking and the people disagree most.

It changes no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np
from scipy.stats import rankdata

from livereview.errors import Refused
from livereview.ranking.features import Array, Features
from livereview.ranking.model import PARTS, Label, Part, out_of_fold

LIMIT, FOLDS = 20, 5
TINY = 1e-9  # less than any place differs from another: what rounding leaves is no disagreement


@dataclass(frozen=True, slots=True)
class Held:
    """A judged record with a score by a model that did not see its own label.

    Attributes:
        verdict: The people's: relevant or not; of several votes the most, a tie is relevant.
        score: By the model fitted without `fold`; comparable within the fold only.
        quantile: The record's place by score among those of its fold, above 0 and below 1, higher
            is more relevant: (rank - 1/2) / number, equal scores share their mean rank.
    """

    record_id: str
    verdict: bool
    score: float
    quantile: float
    fold: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """A verdict that the ranking would not have given.

    Attributes:
        disagreement: How far the quantile lies on the wrong side of the place where, by the share
            of relevant verdicts, the relevant would begin; above 0, up to that share (irrelevant)
            or up to the rest (relevant).
    """

    record_id: str
    verdict: bool
    score: float
    quantile: float
    disagreement: float


def held_out(
    features: Features,
    labels: Sequence[Label],
    seed: int = 0,
    folds: int = FOLDS,
    parts: Sequence[Part] = PARTS,
) -> tuple[Held, ...]:
    """Every judged record with its out-of-fold score, in order of id, whatever the order of the
    labels.

    k-fold cross-validation: `folds` models, each fitted to the labels of the other folds; the seed
    deals the folds, all votes on a record into one, both kinds evenly. Stone, J R Stat Soc B
    1974;36:111-47. Raises Refused for fewer than two folds, without two records of each kind, and
    for a label of no record.
    """
    if folds < 2:
        raise Refused("cross-validation needs two folds or more, such as 5")
    ids, scores, y, fold = out_of_fold(features, sorted(labels), seed, folds, parts)
    places = np.zeros(len(ids))
    for one in np.unique(fold):
        places[fold == one] = quantiles(scores[fold == one])
    every = zip(ids, y.tolist(), scores.tolist(), places.tolist(), fold.tolist(), strict=True)
    return tuple(
        Held(one, verdict == 1, score, place, k) for one, verdict, score, place, k in every
    )


def quantiles(scores: Array) -> Array:
    """(rank - 1/2) / number, the lowest first; Hazen's plotting position."""
    found: Array = (rankdata(scores) - 0.5) / max(len(scores), 1)
    return found


def second_look(
    held: Sequence[Held], limit: int = LIMIT, by_turns: bool = True
) -> tuple[Doubt, ...]:
    """The verdicts in doubt, at most `limit`, the strongest disagreement first.

    What is not listed is not confirmed: of relevant records called irrelevant about half are listed
    (five finished reviews, one in ten relabelled), and in folds of a few dozen records half a place
    may be chance. The share of relevant verdicts alone sets where the relevant begin; no model has
    a part in it. Equal disagreement goes by score, then by id. Nothing is in doubt among verdicts
    of one kind. Raises Refused for a limit below 1.

    Args:
        by_turns: Irrelevant and relevant verdicts in turn, irrelevant first, until one kind is used
            up. Otherwise one order of disagreement: then, where few records are relevant, the first
            are nearly all relevant verdicts, because an irrelevant one can be off by the share of
            the relevant at most. A wrong relevant verdict is found out by the full text, a study
            lost by a wrong irrelevant one by nobody: hence turns.
    """
    if limit < 1:
        raise Refused("a second look lists at least one record")
    begins = 1 - sum(one.verdict for one in held) / max(len(held), 1)
    found = sorted(
        (doubt for one in held if (doubt := _doubt(one, begins)).disagreement > TINY), key=_first
    )
    if by_turns:
        kinds = ([doubt for doubt in found if doubt.verdict is kind] for kind in (False, True))
        found = [doubt for doubt in chain.from_iterable(zip_longest(*kinds)) if doubt]
    return tuple(found[:limit])


def _doubt(held: Held, begins: float) -> Doubt:
    wrong = begins - held.quantile if held.verdict else held.quantile - begins
    return Doubt(held.record_id, held.verdict, held.score, held.quantile, wrong)


def _first(doubt: Doubt) -> tuple[float, float, str]:
    return -doubt.disagreement, doubt.score if doubt.verdict else -doubt.score, doubt.record_id
