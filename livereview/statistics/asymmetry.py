"""Small-study effects and missing studies: Egger, Peters, Harbord, Begg, trim-and-fill and the
fail-safe number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from livereview.errors import Refused
from livereview.statistics.metareg import fit, two_sided
from livereview.statistics.pooling import arrays, pooled
from livereview.statistics.tau2 import Array, Number, check, one_mean, weigh

FEW = 10  # studies below which these tests say little: Sterne and others, BMJ 2011;343:d4002
CAUTION = f"with fewer than {FEW} studies a test of asymmetry says little"
FLAT = "the effects or their standard errors do not vary"


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """A test of funnel-plot asymmetry: all None with `reason`.

    Attributes:
        stat: z, or t with df.
        limit_est, limit_lb, limit_ub: The effect as the standard error goes to 0, where it is
            given.
    """

    stat: float | None = None
    pval: float | None = None
    df: int | None = None
    limit_est: float | None = None
    limit_lb: float | None = None
    limit_ub: float | None = None
    reason: str | None = None
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rank:
    """Kendall's tau between effects and variances, with its p; None with `reason`."""

    tau: float | None
    pval: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """Trim-and-fill: k0 studies taken to be missing on `side`, the pooled effect with mirror images
    in their place.
    """

    k0: int | None = None
    side: str | None = None
    b: float | None = None
    se: float | None = None
    tau2: float | None = None
    ci_lb: float | None = None
    ci_ub: float | None = None
    filled_yi: tuple[float, ...] = ()
    reason: str | None = None


def egger_mixed(
    yi: Sequence[Number], vi: Sequence[Number], *, method: str = "REML", level: float = 0.95
) -> Asymmetry:
    """Egger's test as a meta-regression on the standard error with residual heterogeneity: z.

    Sterne and Egger, in Rothstein, Sutton and Borenstein 2005, ch. 6.
    """
    check(method, "z", level)
    y, v, _ = arrays(yi, vi)
    if why := _too_flat(y, v):
        return Asymmetry(reason=why)
    model = fit(
        y, v, np.column_stack([np.ones(len(y)), np.sqrt(v)]), ("limit", "sei"), method, "z", level
    )
    if not model.stat:
        return Asymmetry(reason=FLAT)
    return Asymmetry(
        model.stat[1],
        model.pval[1],
        None,
        model.b[0],
        model.ci_lb[0],
        model.ci_ub[0],
        cautions=_cautions(y),
    )


def egger_classic(yi: Sequence[Number], vi: Sequence[Number]) -> Asymmetry:
    """Egger's test as published: weighted regression on the standard error, t with k - 2.

    BMJ 1997;315:629-34.
    """
    y, v, _ = arrays(yi, vi)
    if why := _too_flat(y, v) or ("all effects are the same" if np.ptp(y) == 0 else None):
        return Asymmetry(reason=why)
    return _regression(np.sqrt(v), y, 1 / v)


def peters(
    ai: Sequence[Number], bi: Sequence[Number], ci: Sequence[Number], di: Sequence[Number]
) -> Asymmetry:
    """Peters' test for log odds ratios: regression on 1 / N, weights from the margins.

    JAMA 2006;295:676-80.

    A study with an empty cell has 1/2 added to its four cells, for the odds ratio alone.
    """
    a, b, c, d = _tables(ai, bi, ci, di)
    events, others = a + c, b + d
    kept = (events > 0) & (others > 0)
    a, b, c, d = (x[kept] for x in (a, b, c, d))
    n = a + b + c + d
    empty = np.where((a == 0) | (b == 0) | (c == 0) | (d == 0), 0.5, 0.0)
    y = np.log((a + empty) * (d + empty)) - np.log((b + empty) * (c + empty))
    return _checked_regression(1 / n, y, 1 / (1 / events[kept] + 1 / others[kept]))


def harbord(
    ai: Sequence[Number], bi: Sequence[Number], ci: Sequence[Number], di: Sequence[Number]
) -> Asymmetry:
    """Harbord's test for odds ratios: the efficient score over its variance.

    Stat Med 2006;25:3443-57.
    """
    a, b, c, d = _tables(ai, bi, ci, di)
    n = a + b + c + d
    score = a - (a + b) * (a + c) / n
    v = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))
    kept = v > 0
    return _checked_regression(1 / np.sqrt(v[kept]), score[kept] / v[kept], v[kept])


def begg(yi: Sequence[Number], vi: Sequence[Number]) -> Rank:
    """Begg and Mazumdar's rank correlation of standardised effects and variances.

    Biometrics 1994;50:1088-101.

    Exact p without ties, else normal with the variance corrected for ties, as R's cor.test does.
    """
    y, v, _ = arrays(yi, vi)
    if len(y) < 3:
        return Rank(None, None, "needs three studies")
    at = weigh(one_mean(y, v), 0.0)
    own = v - 1 / at.w.sum()
    if np.any(own <= 0):
        return Rank(None, None, "one study has all the weight")
    return _kendall(at.r[0] / np.sqrt(own), v)


def trim_and_fill(
    yi: Sequence[Number],
    vi: Sequence[Number],
    *,
    method: str = "DL",
    estimator: str = "L0",
    level: float = 0.95,
) -> Filled:
    """Trim-and-fill with the estimators L0 or R0. Duval and Tweedie, J Am Stat Assoc 2000;95:89-98.

    Missing are studies on the side from which Egger's slope points away: left for a positive slope,
    else right.
    """
    check(method, "z", level)
    if estimator not in ("L0", "R0"):
        raise Refused(f"estimator {estimator!r} must be L0 or R0")
    y, v, _ = arrays(yi, vi)
    if len(y) < 3:
        return Filled(reason="needs three studies")
    side = _side(y, v, method)
    sign = -1.0 if side == "right" else 1.0
    order = np.argsort(sign * y, kind="stable")
    y, v = sign * y[order], v[order]
    found = _missing(y, v, method, estimator)
    if found is None:
        return Filled(side=side, reason="the number of missing studies does not settle")
    k0, centre = found
    mirrored = 2 * centre - y[len(y) - k0 :]
    done = pooled(sign * np.append(y, mirrored), np.append(v, v[len(v) - k0 :]), method, "z", level)
    filled = tuple((sign * mirrored).tolist())
    return Filled(k0, side, done.b, done.se, done.tau2, done.ci_lb, done.ci_ub, filled)


def fail_safe(yi: Sequence[Number], vi: Sequence[Number], *, alpha: float = 0.05) -> int:
    """Rosenthal's number of null studies that bring the combined one-sided p to alpha.

    Psychol Bull 1979;86:638-41.
    """
    if not 0 < alpha < 0.5:
        raise Refused(f"alpha {alpha!r} must lie between 0 and 0.5")
    y, v, _ = arrays(yi, vi)
    if not len(y):
        return 0
    z = float((y / np.sqrt(v)).sum())
    return max(0, ceil((z / float(ndtri(1 - alpha))) ** 2 - len(y)))


def _cautions(y: Array) -> tuple[str, ...]:
    return (CAUTION,) if len(y) < FEW else ()


def _too_flat(y: Array, v: Array) -> str | None:
    if len(y) < 3:
        return "needs three studies"
    if np.ptp(v) <= 1e-12 * v.max():
        return "all standard errors are the same"
    return None


def _tables(*cells: Sequence[Number]) -> tuple[Array, Array, Array, Array]:
    rows = [row for row in zip(*cells, strict=True) if all(x is not None and x == x for x in row)]
    if any(x < 0 for row in rows for x in row if x is not None):
        raise Refused("counts can't be negative")
    a, b, c, d = np.array(rows, dtype=float).reshape(-1, 4).T
    some = (a + b > 0) & (c + d > 0) & (a + b + c + d > 1)
    return a[some], b[some], c[some], d[some]


def _checked_regression(x: Array, y: Array, w: Array) -> Asymmetry:
    if len(y) < 3:
        return Asymmetry(reason="needs three studies with events in some and not in all")
    if np.ptp(x) <= 1e-12 * np.abs(x).max() or np.ptp(y) == 0:
        return Asymmetry(reason=FLAT)
    return _regression(x, y, w)


def _regression(x: Array, y: Array, w: Array) -> Asymmetry:
    """Weighted least squares of y on x: the slope's t and p, and the intercept."""
    design = np.column_stack([np.ones(len(x)), x])
    q, r = np.linalg.qr(design * np.sqrt(w)[:, None])
    c = q.T @ (y * np.sqrt(w))
    b, back = np.linalg.solve(r, c), np.linalg.inv(r)
    df = len(y) - 2
    rest = np.sqrt(w) * (y - design @ b)
    se = sqrt(float(rest @ rest) / df * float(back[1] @ back[1]))
    if se <= 1e-13 * abs(b[1]) or se == 0:
        return Asymmetry(reason="the studies lie on a line: no residual to test against")
    stat = float(b[1]) / se
    return Asymmetry(
        stat, float(two_sided(np.array(stat), df)), df, float(b[0]), cautions=_cautions(y)
    )


def _side(y: Array, v: Array, method: str) -> str:
    slope = fit(
        y, v, np.column_stack([np.ones(len(y)), np.sqrt(v)]), ("b", "sei"), method, "z", 0.95
    ).b[1]
    return "right" if slope is not None and slope < 0 else "left"


def _missing(y: Array, v: Array, method: str, estimator: str) -> tuple[int, float] | None:
    """How many studies are missing on the left of sorted effects, and the centre of the trimmed
    ones.
    """
    k, k0, last, centre = len(y), 0, -1, 0.0
    for _ in range(100):
        if k0 == last:
            return k0, centre
        last = k0
        if k - k0 < 1:
            return None
        centre = float(pooled(y[: k - k0], v[: k - k0], method, "z", 0.95).b or 0.0)
        k0 = _ranked(y - centre, estimator)
        if k0 < 0:
            return None
    return None


def _ranked(away: Array, estimator: str) -> int:
    """R0 or L0 from signed ranks of the distances; -1 where R0 has nothing on the left to rank."""
    k = len(away)
    rank = np.empty(k)
    rank[np.argsort(np.abs(away), kind="stable")] = np.arange(1, k + 1)
    if estimator == "L0":
        return max(0, round((4 * float(rank[away > 0].sum()) - k * (k + 1)) / (2 * k - 1)))
    left = rank[away < 0]
    return max(0, k - int(left.max()) - 1) if len(left) else -1


def _kendall(x: Array, y: Array) -> Rank:
    """Kendall's tau-b of two columns of length n, two-sided."""
    n = len(x)
    sx, sy = (np.sign(z[:, None] - z[None, :]) for z in (x, y))
    score, used_x, used_y = (float((s * t).sum()) / 2 for s, t in ((sx, sy), (sx, sx), (sy, sy)))
    if used_x == 0 or used_y == 0:
        return Rank(None, None, FLAT)
    tau = score / sqrt(used_x * used_y)
    pairs = n * (n - 1) / 2
    if used_x == used_y == pairs:
        return Rank(tau, _kendall_exact(n, round((pairs + score) / 2)))
    return Rank(tau, float(2 * ndtr(-abs(score) / sqrt(_kendall_variance(n, x, y)))))


def _kendall_exact(n: int, concordant: int) -> float:
    """Two-sided p of that many concordant pairs among all orders of n, from the distribution of
    inversions.
    """
    share = np.ones(1)
    for i in range(2, n + 1):
        share = np.convolve(share, np.full(i, 1 / i))
    low, high = float(share[: concordant + 1].sum()), float(share[concordant:].sum())
    return min(1.0, 2 * min(low, high))


def _kendall_variance(n: int, x: Array, y: Array) -> float:
    """Variance of the score under no association, corrected for ties.

    Kendall 1970, Rank Correlation Methods, ch. 4.
    """
    t, u = (np.unique(z, return_counts=True)[1].astype(float) for z in (x, y))

    def total(z: Array, f: Any) -> float:
        return float(f(z).sum())

    three = n * (n - 1) * (2 * n + 5) - sum(
        total(z, lambda z: z * (z - 1) * (2 * z + 5)) for z in (t, u)
    )
    two = total(t, lambda z: z * (z - 1)) * total(u, lambda z: z * (z - 1)) / (2 * n * (n - 1))
    one = total(t, lambda z: z * (z - 1) * (z - 2)) * total(u, lambda z: z * (z - 1) * (z - 2))
    return three / 18 + two + (one / (9 * n * (n - 1) * (n - 2)) if n > 2 else 0.0)
