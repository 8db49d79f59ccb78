"""Several effects from one study: the three-level model, and standard errors robust to any
dependence in a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import log, pi, sqrt
from typing import Any

import numpy as np
from scipy.optimize import minimize

from livereview.errors import Refused
from livereview.statistics.metareg import quantile, two_sided
from livereview.statistics.tau2 import NOISE, Array, Number, estimate, one_mean, usable

ONE = "needs two clusters"
STEPS = 60


@dataclass(frozen=True, slots=True)
class Multilevel:
    """The mean of effects nested in clusters, by restricted likelihood; all None with `reason`.

    The test is z's.

    Attributes:
        m: Clusters.
        sigma2: Variances between clusters, and between effects within one.
        weights: Per cent, one per cluster, in the order in which they are first named.
    """

    k: int
    m: int
    b: float | None = None
    se: float | None = None
    stat: float | None = None
    pval: float | None = None
    ci_lb: float | None = None
    ci_ub: float | None = None
    sigma2: tuple[float | None, float | None] = (None, None)
    QE: float | None = None
    logLik: float | None = None  # noqa: N815 - metafor's name
    reason: str | None = None
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Robust:
    """A mean with a cluster-robust standard error, t with df.

    All None with `reason`. tau2 of the working model.
    """

    k: int
    m: int
    b: float | None = None
    se: float | None = None
    stat: float | None = None
    pval: float | None = None
    ci_lb: float | None = None
    ci_ub: float | None = None
    df: float | None = None
    tau2: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """k effects, their variances, and the number 0..m-1 of the cluster of each."""

    y: Array
    v: Array
    cluster: Any
    m: int


def multilevel(
    yi: Sequence[Number], vi: Sequence[Number], cluster: Sequence[Hashable], *, level: float = 0.95
) -> Multilevel:
    """Effects within clusters within all: the three-level model of Konstantopoulos, Res Synth
    Methods 2011;2:61-76.
    """
    n = _nested(yi, vi, cluster, level)
    if why := _flat(n):
        return Multilevel(len(n.y), n.m, reason=why)
    return _fitted(n, *_components(n), level)


def multilevel_and_robust(
    yi: Sequence[Number], vi: Sequence[Number], cluster: Sequence[Hashable], *, level: float = 0.95
) -> tuple[Multilevel, Robust]:
    """`multilevel`, and `robust` by CR2 with it as the working model: its variances are sought
    once.
    """
    n = _nested(yi, vi, cluster, level)
    if why := _flat(n):
        return Multilevel(len(n.y), n.m, reason=why), Robust(len(n.y), n.m, reason=why)
    s1, s2 = _components(n)
    return _fitted(n, s1, s2, level), _tested(n, _cr2(n, s1, s2), None, level)


def _flat(n: Nested) -> str | None:
    """Why there is nothing for the third level to tell apart."""
    if n.m < 2:
        return ONE
    if len(n.y) <= n.m:
        return "no cluster has two effects: pool them as independent"
    return None


def _fitted(n: Nested, s1: float, s2: float, level: float) -> Multilevel:
    """The model at its two variances."""
    b, se, ll = _at(n, s1, s2)
    half, fixed = quantile(level, None) * se, _at(n, 0.0, 0.0)[0]
    stat = b / se
    shares = _sums(n, _solver(n, s1, s2)(np.ones(len(n.y))))
    return Multilevel(
        len(n.y), n.m, b, se, stat, float(two_sided(np.array(stat), None)), b - half, b + half, (s1, s2),
        float(((n.y - fixed) ** 2 / n.v).sum()), ll, weights=tuple((100 * shares / shares.sum()).tolist()),
    )  # fmt: skip


def robust(
    yi: Sequence[Number],
    vi: Sequence[Number],
    cluster: Sequence[Hashable],
    *,
    working: str = "multilevel",
    kind: str = "CR1",
    level: float = 0.95,
) -> Robust:
    """The mean of a working model with a standard error that survives that model being wrong.

    Args:
        working: "multilevel", or "independent": tau² by REML as if effects were independent.
        kind: "CR1": the sandwich times m / (m - 1), t with m - 1 (Hedges, Tipton and Johnson, Res
            Synth Methods 2010;1:39-65). "CR2": bias-reduced, with Satterthwaite's df (Tipton,
            Psychol Methods 2015;20:375-93; Pustejovsky and Tipton, J Bus Econ Stat
            2018;36:672-83).
    """
    if working not in ("multilevel", "independent"):
        raise Refused(f"working model {working!r} must be multilevel or independent")
    if kind not in ("CR1", "CR2"):
        raise Refused(f"kind {kind!r} must be CR1 or CR2")
    n = _nested(yi, vi, cluster, level)
    if n.m < 2:
        return Robust(len(n.y), n.m, reason=ONE)
    nested = working == "multilevel" and len(n.y) > n.m
    if nested:
        s1, s2 = _components(n)
    else:
        s1, s2 = (0.0, estimate(one_mean(n.y, n.v), "REML")[0])
    return _tested(n, (_cr1 if kind == "CR1" else _cr2)(n, s1, s2), None if nested else s2, level)


def _tested(
    n: Nested, found: tuple[float, float, float], tau2: float | None, level: float
) -> Robust:
    """With its t test and interval."""
    b, se, df = found
    if se <= NOISE * float(np.abs(n.y).max()):
        return Robust(
            len(n.y),
            n.m,
            b,
            tau2=tau2,
            reason="the clusters do not differ: no spread to measure it with",
        )
    half, stat = quantile(level, df) * se, b / se
    return Robust(
        len(n.y),
        n.m,
        b,
        se,
        stat,
        float(two_sided(np.array(stat), df)),
        b - half,
        b + half,
        df,
        tau2,
    )


def _nested(
    yi: Sequence[Number], vi: Sequence[Number], cluster: Sequence[Hashable], level: float
) -> Nested:
    if len(cluster) != len(yi):
        raise Refused(f"{len(yi)} effects need as many clusters: {len(cluster)}")
    if not 0 < level < 1:
        raise Refused(f"level {level!r} must lie between 0 and 1, such as 0.95")
    kept = [i for i in usable(yi, vi)[0] if cluster[i] is not None]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(cluster[i] for i in kept))}
    y, v = (np.array([column[i] for i in kept], dtype=float) for column in (yi, vi))
    return Nested(y, v, np.array([numbers[cluster[i]] for i in kept], dtype=int), len(numbers))


def _sums(n: Nested, x: Array) -> Array:
    return np.asarray(np.bincount(n.cluster, x, n.m), dtype=float)


def _solver(n: Nested, s1: float, s2: float) -> Callable[[Array], Array]:
    """x -> M⁻¹ x for M = diag(v + s2) + s1 within clusters, by Sherman and Morrison.

    As deviations from the clusters' means and the means: the plain form subtracts nearly equal
    numbers if s1 is large.
    """
    d = 1 / (n.v + s2)
    total = _sums(n, d)

    def solve(x: Array) -> Array:
        mean = _sums(n, d * x) / total
        return np.asarray(d * (x - mean[n.cluster]) + d * (mean / (1 + s1 * total))[n.cluster])

    return solve


def _at(n: Nested, s1: float, s2: float) -> tuple[float, float, float]:
    """Mean, standard error and restricted log-likelihood at given variances."""
    solve, k = _solver(n, s1, s2), len(n.y)
    w = solve(np.ones(k))
    total = float(w.sum())
    b = float(w @ n.y) / total
    r = n.y - b
    d = 1 / (n.v + s2)
    determinant = float(-np.log(d).sum() + np.log1p(s1 * _sums(n, d)).sum())
    ll = -((k - 1) * log(2 * pi) - log(k) + determinant + log(total) + float(r @ solve(r))) / 2
    return b, 1 / sqrt(total), ll


def _components(n: Nested) -> tuple[float, float]:
    """The two variances of the highest restricted likelihood: the best of a grid of starts, then
    Fisher scoring.
    """
    spread = max(float(np.var(n.y)), 1e-300)
    fractions = (0.0, 0.03, 0.3, 1.0)
    starts = sorted(
        ((a, b) for a in fractions for b in fractions),
        key=lambda s: -_at(n, s[0] * spread, s[1] * spread)[2],
    )
    found = [_climb(n, np.array(start), spread) for start in starts[:3]]
    best = max(found, key=lambda s: _at(n, s[0], s[1])[2])
    return _polish(n, best)


def _climb(n: Nested, start: Array, spread: float) -> tuple[float, float]:
    def loss(s: Array) -> tuple[float, Array]:
        s1, s2 = float(s[0]) * spread, float(s[1]) * spread
        return -_at(n, s1, s2)[2], -_score(n, s1, s2)[0] * spread

    done: Any = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2,
                         options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500})  # fmt: skip
    return float(done.x[0]) * spread, float(done.x[1]) * spread


def _score(n: Nested, s1: float, s2: float) -> tuple[Array, Array]:
    """Score and expected information of (s1, s2) for the restricted likelihood, by sums over
    clusters.

    With P = M⁻¹ - M⁻¹11'M⁻¹ / 1'M⁻¹1 and G the clusters' blocks of ones, or the identity: (y'PGPy -
    tr PG) / 2 and tr(PGPH) / 2. d is the diagonal part of M⁻¹, c what each cluster takes off, w =
    M⁻¹1, t its sums.
    """
    solve, d = _solver(n, s1, s2), 1 / (n.v + s2)
    c = s1 / (1 + s1 * _sums(n, d))
    w = solve(np.ones(len(n.y)))
    t, square, total = _sums(n, w), _sums(n, w**2), float(w.sum())
    py = solve(n.y - float(w @ n.y) / total)
    d2 = _sums(n, d**2)
    trace = float(d.sum() - (c * d2).sum() - square.sum() / total)
    trace_g = float(t.sum() - (t**2).sum() / total)
    squared = (
        float((d2 - 2 * c * _sums(n, d**3) + (c * d2) ** 2).sum()) - 2 * float(w @ solve(w)) / total
    )
    both = squared + (float(square.sum()) / total) ** 2
    cross = float(
        square.sum() - 2 * (t * square).sum() / total + square.sum() * (t**2).sum() / total**2
    )
    both_g = float((t**2).sum() - 2 * (t**3).sum() / total + ((t**2).sum() / total) ** 2)
    score = np.array([float((_sums(n, py) ** 2).sum()) - trace_g, float(py @ py) - trace]) / 2
    return score, np.array([[both_g, cross], [cross, both]]) / 2


def _polish(n: Nested, start: tuple[float, float]) -> tuple[float, float]:
    """Fisher scoring on the components that are not held at 0, until the steps vanish."""
    s = np.array(start)
    for _ in range(STEPS):
        score, information = _score(n, float(s[0]), float(s[1]))
        free = (s > 0) | (score > 0)
        if not free.any():
            break
        step = np.zeros(2)
        step[free] = np.linalg.lstsq(information[np.ix_(free, free)], score[free], rcond=None)[0]
        new = np.maximum(0.0, s + step)
        if _at(n, float(new[0]), float(new[1]))[2] < _at(n, float(s[0]), float(s[1]))[2] - 1e-12:
            break
        moved, s = np.abs(new - s).max(), new
        if moved <= 1e-14 * s.max():
            break
    return float(s[0]), float(s[1])


def _cr1(n: Nested, s1: float, s2: float) -> tuple[float, float, float]:
    w = _solver(n, s1, s2)(np.ones(len(n.y)))
    b = float(w @ n.y) / float(w.sum())
    # M⁻¹ is block-diagonal, so a cluster's share of 1'M⁻¹r is the sum of w r over it
    parts = _sums(n, w * (n.y - b)) / w.sum()
    return b, sqrt(float(parts @ parts) * n.m / (n.m - 1)), float(n.m - 1)


def _cr2(n: Nested, s1: float, s2: float) -> tuple[float, float, float]:
    """The bias-reduced sandwich with the working variances as target."""
    w = _solver(n, s1, s2)(np.ones(len(n.y)))
    total = float(w.sum())
    b = float(w @ n.y) / total
    whole = np.zeros((n.m, len(n.y)))
    for j in range(n.m):
        rows = np.nonzero(n.cluster == j)[0]
        whole[j, rows] = _adjust(np.diag(n.v[rows] + s2) + s1, total) @ w[rows] / total
    parts = whole @ (n.y - b)
    centred = whole - np.outer(whole.sum(axis=1), w) / total
    sums = np.array([_sums(n, row) for row in centred])
    cross = (centred * (n.v + s2)) @ centred.T + s1 * sums @ sums.T
    return b, sqrt(float(parts @ parts)), float(np.trace(cross) ** 2 / (cross**2).sum())


def _adjust(m: Array, total: float) -> Array:
    """A' for one cluster: D' B^(-1/2) D with D the Cholesky root of its working variance M = D'D."""
    d = np.linalg.cholesky(m).T
    inner = d @ (m - 1 / total) @ d.T
    values, vectors = np.linalg.eigh(inner)
    keep = values > 1e-12 * values.max()
    root = (vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T
    return np.asarray(d.T @ root @ d)
