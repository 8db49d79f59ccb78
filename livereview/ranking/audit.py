"""A random look at records that the ranking put last: how many may have been missed.

An interval, never more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from livereview.errors import Refused


@dataclass(frozen=True, slots=True)
class Draw:
    """A record drawn for the audit and the probability with which it was drawn that night.

    Both are kept.
    """

    record_id: str
    probability: float


@dataclass(frozen=True, slots=True)
class Stratum:
    """Records left unread by the ranking that had the same probability to be drawn, over all nights
    together.

    Attributes:
        probability: As given by `together`.
        unread: Their number before the audit.
        audited, relevant: Drawn and judged, and judged relevant.
    """

    probability: float
    unread: int
    audited: int
    relevant: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Relevant records among those left unread, the audit's own finds included.

    Attributes:
        estimate: Horvitz and Thompson's: the sum of 1 / probability over the relevant ones drawn.
        low, high: Each a one-sided bound at `confidence`.
    """

    estimate: float
    low: int
    high: int
    confidence: float


@dataclass(frozen=True, slots=True)
class RecallInterval:
    """Of what was found before the audit, as a share of all there may be; each bound one-sided."""

    estimate: float
    low: float
    high: float


def draw(unread: Sequence[str], number: int, seed: int) -> tuple[Draw, ...]:
    """A simple random sample, the same for the same ids and seed, in order of id.

    All of them if there are no more.
    """
    if number < 1:
        raise Refused("an audit draws at least one record")
    ids = sorted(set(unread))
    size = min(number, len(ids))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(ids))[:size])
    return tuple(Draw(ids[i], size / len(ids)) for i in chosen)


def together(probabilities: Sequence[float]) -> float:
    """The probability to be drawn on one night at least, from those of each night the record lay
    unread.
    """
    return 1 - prod(1 - p for p in probabilities)


def missed(strata: Sequence[Stratum], confidence: float = 0.95) -> Missed:
    """How many relevant records lie unread; raises Refused for counts that can't be.

    high: the largest number that leaves a chance of more than 1 - confidence to find as few as were
    found, placed where the audit was least likely to see them (exact for one stratum:
    hypergeometric). low: the smallest that leaves such a chance to find as many, placed where it
    was most likely to see them. Estimate: Horvitz and Thompson, J Am Stat Assoc 1952;47:663-85,
    doi:10.1080/01621459.1952.10483446.
    """
    for s in strata:
        if not (0 <= s.relevant <= s.audited <= s.unread and 0 < s.probability <= 1):
            raise Refused(
                "an audit has relevant <= audited <= unread records, drawn with a probability above 0 up to 1"
            )
    found, room = sum(s.relevant for s in strata), sum(s.unread - s.audited for s in strata)
    alpha = 1 - confidence
    high = _last(
        found,
        found + room,
        lambda m: _chance(strata, _hidden(strata, m - found))[: found + 1].sum() > alpha,
    )
    low = high - _last(
        0,
        high - found,
        lambda d: _chance(strata, _seen(strata, high - d - found))[found:].sum() > alpha,
    )
    return Missed(sum(s.relevant / s.probability for s in strata), low, high, confidence)


def _hidden(strata: Sequence[Stratum], more: int) -> list[int]:
    """Relevant records of each stratum: those seen, and `more` where one more changes the chance of
    finds least.
    """
    room = [np.arange(s.unread - s.audited) for s in strata]
    marginal = [
        1 - s.audited / (s.unread - s.relevant - j) for s, j in zip(strata, room, strict=True)
    ]
    owner = np.repeat(np.arange(len(strata)), [len(one) for one in marginal])
    chosen = owner[np.argsort(-np.concatenate([*marginal, np.zeros(0)]), kind="stable")[:more]]
    return [s.relevant + int((chosen == i).sum()) for i, s in enumerate(strata)]


def _seen(strata: Sequence[Stratum], more: int) -> list[int]:
    """The same with `more` filling the strata that were looked at most."""
    placed = [s.relevant for s in strata]
    for i in sorted(
        range(len(strata)), key=lambda i: -strata[i].audited / max(strata[i].unread, 1)
    ):
        extra = min(more, strata[i].unread - strata[i].audited)
        placed[i], more = placed[i] + extra, more - extra
    return placed


def _chance(strata: Sequence[Stratum], relevant: Sequence[int]) -> NDArray[np.float64]:
    """Probabilities of 0, 1, 2, ... finds in all strata together, with so many relevant records in
    each.
    """
    chance = np.ones(1)
    for s, m in zip(strata, relevant, strict=True):
        chance = np.convolve(
            chance, hypergeom.pmf(np.arange(s.audited + 1), s.unread, m, s.audited)
        )
    return chance


def _last(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The last number from low to high for which `holds`, which is true of low and once false stays
    false.
    """
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def recall(found: int, missed: Missed) -> RecallInterval:
    """The share that reading by rank had found before the audit.

    Raises:
        Refused: if nothing was found at all.
    """
    if found < 1:
        raise Refused("recall needs a relevant record found by screening")
    return RecallInterval(
        *(found / (found + m) for m in (missed.estimate, missed.high, missed.low))
    )
