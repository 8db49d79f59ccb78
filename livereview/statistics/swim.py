"""Synthesis without meta-analysis: votes by direction of effect, and combined p values.

Only directions are counted, never significance: Cochrane Handbook, ch. 12; SWiM, BMJ
2020;368:l6890.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isfinite, log, sqrt

import numpy as np
from scipy.special import bdtr, betaincinv, chdtrc, ndtri

from livereview.errors import Refused

EXACT = 1000  # studies up to which the sign test counts in whole numbers


@dataclass(frozen=True, slots=True)
class SignTest:
    """x of n effects favour the intervention: exact two-sided p, Clopper-Pearson and Wilson
    intervals of the share.

    All None with `reason` where no study has a direction.
    """

    x: int
    n: int
    p: float | None = None
    cp_lb: float | None = None
    cp_ub: float | None = None
    wilson_lb: float | None = None
    wilson_ub: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Combined:
    """One-sided p values combined by Fisher (chi² with df, p_comb) and by Stouffer (z).

    None with `reason`.
    """

    chi2: float | None
    df: int
    p_comb: float | None
    stouffer_z: float | None
    reason: str | None = None


def sign_test(x: int, n: int, *, level: float = 0.95) -> SignTest:
    """The sign test of x favourable directions among n.

    Leave out studies whose direction is not known.
    """
    if not 0 <= x <= n or x != int(x) or n != int(n):
        raise Refused(f"{x!r} of {n!r}: give whole numbers with 0 <= x <= n")
    if not 0 < level < 1:
        raise Refused(f"level {level!r} must lie between 0 and 1, such as 0.95")
    if n == 0:
        return SignTest(x, n, reason="no study has a direction of effect")
    tail = (1 - level) / 2
    low = float(betaincinv(x, n - x + 1, tail)) if x else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0
    return SignTest(x, n, _two_sided(x, n), low, high, *_wilson(x, n, float(ndtri(1 - tail))))


def combine(p: Sequence[float | None]) -> Combined:
    """Combine one-sided p values of the same direction; missing ones are left out.

    Fisher 1932; Stouffer 1949.
    """
    known = [x for x in p if x is not None and x == x]
    if any(not 0 <= x <= 1 for x in known):
        raise Refused("p values lie between 0 and 1")
    if not known:
        return Combined(None, 0, None, None, "no p value is known")
    df, values = 2 * len(known), np.array(known)
    if not values.all():
        return Combined(None, df, 0.0, None, "a p value of 0: give more digits")
    chi2 = -2 * sum(log(x) for x in known)
    if values.max() < 1:
        z = float(-ndtri(values).sum()) / sqrt(len(known))
    else:
        z = float("-inf")
    reason = None if isfinite(z) else "a p value of 1 has no finite z"
    return Combined(chi2, df, float(chdtrc(df, chi2)), z if isfinite(z) else None, reason)


def _two_sided(x: int, n: int) -> float:
    """Twice the smaller tail of the binomial with one half, which for one half is the exact test."""
    few = min(x, n - x)
    tail = (
        sum(comb(n, i) for i in range(few + 1)) / 2**n if n <= EXACT else float(bdtr(few, n, 0.5))
    )
    return min(1.0, 2 * tail)


def _wilson(x: int, n: int, z: float) -> tuple[float, float]:
    """Wilson's score interval, without continuity correction. J Am Stat Assoc 1927;22:209-12."""
    share = x / n
    centre, half = share + z**2 / (2 * n), z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return (low if x else 0.0), (high if x < n else 1.0)
