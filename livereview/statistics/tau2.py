"""Variance between studies: the estimators and the Q-profile interval, for any set of moderators.

`Studies` holds what every weighted model here works on. The likelihoods can have several maxima and
flat stretches, so
nothing iterates from a start value: every change of sign of the score is bracketed and polished,
and the highest wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri

from livereview.errors import Refused

Array = NDArray[np.float64]
Number = float | int | None
METHODS = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
TESTS = ("z", "knha", "adhoc")
LARGEST = 1e30  # beyond it, squares of weights leave the range of numbers
WIDEST = 1e10  # ratio of variances beyond which a model with moderators has no digits left
# a residual below NOISE times the largest effect is rounding
NOISE = 8 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Studies:
    """k effects with their sampling variances and a design of p columns.

    Attributes:
        y, v: Shape (k,).
        q: Shape (k, p), an orthonormal basis of the design: residuals do not depend on which basis.
    """

    y: Array
    v: Array
    q: Array

    @property
    def k(self) -> int:
        return int(self.q.shape[0])

    @property
    def df(self) -> int:
        """k - p"""
        return int(self.q.shape[0] - self.q.shape[1])


@dataclass(frozen=True, slots=True)
class Weighted:
    """Weighted least squares at one or several values t of tau².

    All arrays have t as their first axis.

    Attributes:
        w: Weights 1 / (v + t), shape (t, k).
        r: Residuals, (t, k).
        free: 1 - leverage, (t, k).
        h: The weighted design made orthonormal, (t, k, p).
        a: The inverse of q'Wq, (t, p, p).
        c: Coefficients on q, (t, p).
    """

    w: Array
    r: Array
    free: Array
    h: Array
    a: Array
    c: Array

    @property
    def rss(self) -> Array:
        """Weighted residual sum of squares: Cochran's Q at each t."""
        return np.asarray((self.w * self.r**2).sum(axis=1))

    @property
    def trace(self) -> Array:
        """tr P at each t, for P = W - W q a q' W."""
        return np.asarray((self.w * self.free).sum(axis=1))


def check(method: str, test: str, level: float) -> None:
    """Refuse a method, test or level that does not exist."""
    if method not in METHODS:
        raise Refused(f"method {method!r} must be one of {', '.join(METHODS)}")
    if test not in TESTS:
        raise Refused(f"test {test!r} must be one of {', '.join(TESTS)}")
    if not 0 < level < 1:
        raise Refused(f"level {level!r} must lie between 0 and 1, such as 0.95")


def usable(
    yi: Sequence[Number], vi: Sequence[Number], *more: Sequence[Number]
) -> tuple[tuple[int, ...], tuple[tuple[int, str], ...]]:
    """Positions of the studies that have all their numbers, and (position, reason) of the others."""
    if any(len(column) != len(yi) for column in (vi, *more)):
        raise Refused(
            f"{len(yi)} effects need as many variances and moderators: {[len(c) for c in (vi, *more)]}"
        )
    left = tuple(
        (i, why) for i, row in enumerate(zip(yi, vi, *more, strict=True)) if (why := _why_not(row))
    )
    out = {i for i, _ in left}
    return tuple(i for i in range(len(yi)) if i not in out), left


def _why_not(row: tuple[Number, ...]) -> str | None:
    """Why a study can't be used; Refused if its numbers are impossible."""
    if any(x is None or x != x for x in row):
        return "a number is missing"
    if any(abs(x) > LARGEST for x in row if x is not None):
        raise Refused(f"{row} holds a number beyond {LARGEST:g}: check the units")
    variance = row[1] or 0
    if variance < 0:
        raise Refused(
            f"{row}: a sampling variance can't be negative; is it a standard error or a log?"
        )
    if variance >= 1 / LARGEST:
        return None
    return "its sampling variance is zero"


def studies(y: Array, v: Array, x: Array) -> tuple[Studies, Array]:
    """The studies on an orthonormal basis, and the matrix that leads back: coefficients on x = back
    @ those on q.
    """
    q, r = np.linalg.qr(x)
    return Studies(y, v, q), np.linalg.inv(r)


def one_mean(y: Array, v: Array) -> Studies:
    """Studies that share one mean: the design of an ordinary meta-analysis."""
    if len(y):
        return Studies(y, v, np.full((len(y), 1), 1 / sqrt(len(y))))
    return Studies(y, v, np.empty((0, 1)))


def weigh(s: Studies, t: Array | float) -> Weighted:
    """Weighted least squares with weights 1 / (v + t) for each t.

    A design of one column is constant.

    Through an orthonormal basis, not the normal equations: weights may be far apart.
    """
    w = 1 / (s.v + np.atleast_1d(t)[:, None])
    root = np.sqrt(w)
    if s.q.shape[1] == 1:
        total = (w.sum(axis=1) * s.q[0, 0] ** 2)[:, None, None]
        h, back, free = (
            root[:, :, None] * s.q[0, 0] / np.sqrt(total),
            1 / np.sqrt(total),
            _others(w) / w.sum(axis=1)[:, None],
        )
    else:
        h, r = np.linalg.qr(root[:, :, None] * s.q)
        back, free = np.linalg.inv(r), np.maximum(0.0, 1 - (h**2).sum(axis=2))
    c = np.einsum("gij,gkj,gk->gi", back, h, root * s.y)
    rest = s.y - c @ s.q.T
    rest[np.abs(rest) <= NOISE * np.abs(s.y).max()] = 0.0
    return Weighted(w, rest, free, h, back @ np.swapaxes(back, 1, 2), c)


def typical(s: Studies) -> float:
    """The typical sampling variance of Higgins and Thompson: (k - p) / tr P, at tau² = 0.

    Stat Med 2002;21:1539-58.
    """
    return s.df / float(weigh(s, 0.0).trace[0])


def log_likelihood(s: Studies, at: Weighted, restricted: bool) -> Array:
    """The log-likelihood, or the restricted one with its |X'X| term, at each t of `at`."""
    normal = -np.log(2 * np.pi) * (s.df if restricted else s.k) + np.log(at.w).sum(axis=1) - at.rss
    return np.asarray((normal + (np.linalg.slogdet(at.a)[1] if restricted else 0.0)) / 2)


def estimate(s: Studies, method: str) -> tuple[float, float | None]:
    """tau² and its standard error; (0, None) for EE or when no degree of freedom is left.

    Formulas: Viechtbauer 2005, J Educ Behav Stat 30:261-93 (HE, HS, ML, REML, DL); Sidik and
    Jonkman 2005, J R Stat Soc C 54:367-84 (SJ, from the variance of the effects); Morris 1983 and
    Paule and Mandel 1982 (EB, PM: one solution).
    """
    if method == "EE" or s.df <= 0:
        return 0.0, None
    if method in ("ML", "REML"):
        return _likeliest(s, method == "REML")
    return {"DL": _dl, "HE": _he, "HS": _hs, "SJ": _sj, "EB": _pm, "PM": _pm}[method](s)


def q_profile(s: Studies, level: float) -> tuple[float, float]:
    """The Q-profile interval of tau²; (0, 0) where Q is too small even at 0.

    Viechtbauer, Stat Med 2007;26:37-52.
    """
    tail = (1 - level) / 2
    low, high = (_solve_q(s, float(chdtri(s.df, p))) for p in (tail, 1 - tail))
    return low, high


def _others(x: Array) -> Array:
    """For each entry of the last axis the sum of the others: no difference, so no digit is lost to
    one large entry.
    """
    none = np.zeros_like(x[..., :1])
    before = np.concatenate([none, np.cumsum(x[..., :-1], axis=-1)], axis=-1)
    after = np.concatenate([np.cumsum(x[..., :0:-1], axis=-1)[..., ::-1], none], axis=-1)
    return np.asarray(before + after)


def _squared(at: Weighted, m: Array) -> float:
    """tr(MPMP) for M = diag(m) and P at the first t: a sum of squares, by rows of P, so that no
    digit is lost.
    """
    w, root, free = at.w[0], np.sqrt(at.w[0]), at.free[0]
    if at.h.shape[2] == 1:
        pair = m * w**2
        return (
            float(((m * w * free) ** 2).sum()) + float(pair @ _others(pair)) / float(w.sum()) ** 2
        )
    total = float(((m * w * free) ** 2).sum())
    for i in range(len(w)):
        row = root * root[i] * (at.h[0] @ at.h[0, i])
        row[i] = 0.0
        total += float(m[i] * (m @ row**2))
    return total


def _spread(at: Weighted, m: Array) -> float:
    """Standard deviation of the quadratic form y'Py when the variances are m."""
    return sqrt(2 * _squared(at, m))


def _dl(s: Studies) -> tuple[float, float]:
    at = weigh(s, 0.0)
    scale = float(at.trace[0])
    tau2 = max(0.0, (float(at.rss[0]) - s.df) / scale)
    return tau2, _spread(at, s.v + tau2) / scale


def _he(s: Studies) -> tuple[float, float]:
    at = weigh(Studies(s.y, np.ones(s.k), s.q), 0.0)
    tau2 = max(0.0, (float(at.rss[0]) - float(at.free[0] @ s.v)) / s.df)
    return tau2, _spread(at, s.v + tau2) / s.df


def _hs(s: Studies) -> tuple[float, float]:
    at = weigh(s, 0.0)
    scale = float(at.w.sum())
    tau2 = max(0.0, (float(at.rss[0]) - s.k) / scale)
    return tau2, _spread(at, s.v + tau2) / scale


def _sj(s: Studies) -> tuple[float, float]:
    centred = s.y - s.y.mean()
    first = float(centred @ centred) / s.k
    if first <= (NOISE * float(np.abs(s.y).max())) ** 2:
        return 0.0, 0.0
    at = weigh(s, first)
    tau2 = first * float(at.rss[0]) / s.df
    return tau2, first * _spread(at, s.v + tau2) / s.df


def _pm(s: Studies) -> tuple[float, float]:
    tau2 = _solve_q(s, float(s.df))
    at = weigh(s, tau2)
    return tau2, _spread(at, s.v + tau2) * s.k / (s.df * float(at.w.sum()))


def _solve_q(s: Studies, target: float) -> float:
    """The tau² at which Q(tau²), which only falls, equals the target; 0 if it starts below."""

    def excess(t: float) -> float:
        return float(weigh(s, t).rss[0]) - target

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(s.v.min())
    while excess(high) > 0:
        low, high = high, high * 4
    return _root(excess, low, high)


def _root(f: Callable[[float], float], low: float, high: float) -> float:
    """The root between low and high, to the last digits: the tolerance is relative, for effects of
    any size.
    """
    found: Any = brentq(f, low, high, xtol=1e-300, rtol=4 * np.finfo(np.float64).eps, maxiter=2000)
    return float(found)


def _likeliest(s: Studies, restricted: bool) -> tuple[float, float]:
    """The tau² >= 0 of the highest (restricted) likelihood, by every root of its score, and zero."""

    def score(t: Array | float) -> Array:
        at = weigh(s, t)
        expected = at.trace if restricted else at.w.sum(axis=1)
        return np.asarray(((at.w * at.r) ** 2).sum(axis=1) - expected)

    grid = _grid(s)
    slope = score(grid)
    falls = np.nonzero((slope[:-1] > 0) & (slope[1:] <= 0))[0]
    roots = [_root(lambda t: float(score(t)[0]), float(grid[i]), float(grid[i + 1])) for i in falls]
    candidates = np.array([0.0, *roots])
    tau2 = float(candidates[np.argmax(log_likelihood(s, weigh(s, candidates), restricted))])
    at = weigh(s, tau2)
    information = _squared(at, np.ones(s.k)) if restricted else float((at.w**2).sum())
    return tau2, sqrt(2 / information)


def _grid(s: Studies) -> Array:
    """Zero, then some ten points a decade, up to where the score can only be negative."""
    spread = float(np.ptp(s.y))
    low, high = float(s.v.min()) * 1e-6, 100 * s.k * spread**2
    if high <= low or not isfinite(high):
        return np.array([0.0, max(low, high)])
    points = int(np.clip(10 * log(high / low) / log(10), 20, 300))
    return np.concatenate(
        [[0.0], np.exp(np.linspace(log(low), log(high), points)), [high * exp(1)]]
    )
