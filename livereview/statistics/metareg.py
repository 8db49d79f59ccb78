"""Meta-regression; `fit` is also the model behind every pooled estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, sqrt
from typing import Any

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from livereview.statistics.tau2 import (
    LARGEST,
    WIDEST,
    Array,
    Number,
    Studies,
    Weighted,
    check,
    estimate,
    log_likelihood,
    studies,
    typical,
    usable,
    weigh,
)

COEFFICIENTS = ("b", "se", "stat", "pval", "ci_lb", "ci_ub")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What every fitted model says, under metafor's names.

    Attributes:
        k: Studies used.
        tau2: Variance between them, with its standard error.
        I2, H2: Per cent, and ratio (from Q for EE, from tau2 and the typical sampling variance
            otherwise).
        QE, QEp: Heterogeneity left.
        QM, QMp, QMdf: Test of the coefficients (F instead of chi² unless the test is z).
        dfs: Degrees of freedom of t, None where z serves.
        R2: Per cent of tau2 explained.
        left_out: (position, reason) of each study not used.
        not_estimable: (name, reason) of each None.
        cautions: What to know before a number is published.
    """

    method: str
    test: str
    level: float
    k: int
    tau2: float | None = None
    se_tau2: float | None = None
    I2: float | None = None
    H2: float | None = None
    QE: float | None = None
    QEp: float | None = None
    QM: float | None = None
    QMp: float | None = None
    QMdf: tuple[int | None, int | None] = (None, None)
    dfs: int | None = None
    R2: float | None = None
    logLik: float | None = None  # noqa: N815 - metafor's name
    AIC: float | None = None
    BIC: float | None = None
    left_out: tuple[tuple[int, str], ...] = ()
    not_estimable: tuple[tuple[str, str], ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression(Model):
    """A model with one entry per coefficient, in the order of `names`; the intercept is first."""

    names: tuple[str, ...]
    b: tuple[float | None, ...] = ()
    se: tuple[float | None, ...] = ()
    stat: tuple[float | None, ...] = ()
    pval: tuple[float | None, ...] = ()
    ci_lb: tuple[float | None, ...] = ()
    ci_ub: tuple[float | None, ...] = ()


def regress(
    yi: Sequence[Number],
    vi: Sequence[Number],
    moderators: Mapping[str, Sequence[Number]],
    *,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
) -> Regression:
    """Regress effects on moderators; a study without all its numbers is left out and named."""
    check(method, test, level)
    kept, left = usable(yi, vi, *moderators.values())
    columns = [
        np.array([column[i] for i in kept], dtype=float)
        for column in (yi, vi, *moderators.values())
    ]
    x = np.column_stack([np.ones(len(kept)), *columns[2:]])
    x[np.abs(x) < 1 / LARGEST] = 0.0
    found = fit(columns[0], columns[1], x, ("intercept", *moderators), method, test, level)
    return replace(found, left_out=left)


def fit(
    y: Array, v: Array, x: Array, names: tuple[str, ...], method: str, test: str, level: float
) -> Regression:
    """The weighted model of y (k,) with variances v (k,) on design x (k, p), whose first column is
    the intercept.

    Knapp-Hartung: the variance times RSS / (k - p), t with k - p; "adhoc" never lets that factor
    below 1. Knapp and Hartung, Stat Med 2003;22:2693-710. With no degree of freedom left it is a z
    test.
    """
    k, p = x.shape
    common: dict[str, Any] = {
        "method": method,
        "test": test,
        "level": level,
        "k": k,
        "names": names,
    }
    if why := _unfit(x, v):
        return Regression(
            **common, **dict.fromkeys(COEFFICIENTS, (None,) * p), not_estimable=(("b", why),)
        )
    s, back = studies(y, v, x)
    tau2, se_tau2 = estimate(s, method)
    at = weigh(s, tau2)
    df = s.df if test != "z" and k > p else None
    factor = 1.0 if df is None else _factor(float(at.rss[0]) / df, test)
    b, vb = back @ at.c[0], back @ at.a[0] @ back.T * factor
    fields, lost = _clean(
        _coefficients(b, np.sqrt(np.diag(vb)), df, level)
        | _heterogeneity(s, tau2, method)
        | _joint(b, vb, df)
        | _likelihood(s, at, method)
        | {"R2": _explained(s, tau2, method) if p > 1 else None}
    )
    missing = (*lost, *_no_error(method, se_tau2))
    return Regression(**common, **fields, tau2=tau2, se_tau2=se_tau2, dfs=df, not_estimable=missing)


def _unfit(x: Array, v: Array) -> str | None:
    k, p = x.shape
    if k == 0:
        return "no study has both an effect and a variance"
    if k < p:
        return f"{k} studies can't tell {p} coefficients apart"
    if p > 1 and v.max() > WIDEST * v.min():
        return f"the largest sampling variance is more than {WIDEST:g} times the smallest"
    scaled = x / np.maximum(np.abs(x).max(axis=0), 1e-300)
    return "the moderators can't be told apart: one repeats another or never varies" if (
        np.linalg.matrix_rank(scaled) < p
    ) else None  # fmt: skip


def _factor(mean_square: float, test: str) -> float:
    return max(1.0, mean_square) if test == "adhoc" else mean_square


def quantile(level: float, df: float | None) -> float:
    """The two-sided critical value of t with df degrees of freedom, of the normal for None."""
    upper = (1 + level) / 2
    return float(ndtri(upper) if df is None else stdtrit(df, upper))


def two_sided(stat: Array, df: float | None) -> Array:
    """Two-sided p of z or t statistics."""
    return np.asarray(2 * (ndtr(-np.abs(stat)) if df is None else stdtr(df, -np.abs(stat))))


def _coefficients(b: Array, se: Array, df: int | None, level: float) -> dict[str, Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = b / se
    pval = two_sided(stat, df)
    half = quantile(level, df) * se
    return {"b": b, "se": se, "stat": stat, "pval": pval, "ci_lb": b - half, "ci_ub": b + half}


def _heterogeneity(s: Studies, tau2: float, method: str) -> dict[str, Any]:
    if s.df == 0:
        return {"QE": 0.0, "QEp": 1.0, "I2": 0.0, "H2": 1.0}
    q = float(weigh(s, 0.0).rss[0])
    if method == "EE":
        i2, h2 = (max(0.0, 100 * (q - s.df) / q) if q > 0 else 0.0), q / s.df
    else:
        i2, h2 = inconsistency(s, tau2)
    return {"QE": q, "QEp": float(chdtrc(s.df, q)), "I2": i2, "H2": h2}


def inconsistency(s: Studies, tau2: float) -> tuple[float, float]:
    """I² in per cent and H², from tau² and the typical sampling variance."""
    ratio = tau2 / typical(s)
    return 100 * ratio / (1 + ratio), 1 + ratio


def _joint(b: Array, vb: Array, df: int | None) -> dict[str, Any]:
    """The test of all coefficients but the intercept, or of the intercept where there is no other."""
    tested = slice(1, None) if len(b) > 1 else slice(0, None)
    m = len(b[tested])
    block = vb[tested, tested]
    if not np.diag(block).all():
        return {"QM": np.inf, "QMp": np.nan, "QMdf": (m, df)}
    q = float(b[tested] @ np.linalg.solve(block, b[tested]))
    p = chdtrc(m, q) if df is None else fdtrc(m, df, q / m)
    return {"QM": q if df is None else q / m, "QMp": float(p), "QMdf": (m, df)}


def _likelihood(s: Studies, at: Weighted, method: str) -> dict[str, Any]:
    """Log-likelihood (restricted for REML) and the criteria that follow from it."""
    restricted = method == "REML"
    ll = float(log_likelihood(s, at, restricted)[0])
    parameters = s.k - s.df + (method != "EE")
    n = s.df if restricted else s.k
    bic = -2 * ll + parameters * np.log(n) if n else np.nan
    return {"logLik": ll, "AIC": -2 * ll + 2 * parameters, "BIC": float(bic)}


def _explained(s: Studies, tau2: float, method: str) -> float:
    """Per cent of tau² that the moderators explain.

    For EE the adjusted R² of weighted least squares.
    """
    mean = Studies(s.y, s.v, np.full((s.k, 1), 1 / sqrt(s.k)))
    if method == "EE":
        total, rest = (
            weigh(mean, 0.0).rss[0] / mean.df,
            weigh(s, 0.0).rss[0] / s.df if s.df else np.nan,
        )
    else:
        total, rest = estimate(mean, method)[0], tau2
    if total > 0:
        return max(0.0, 100 * float(1 - rest / total))
    return np.nan


def _clean(numbers: dict[str, Any]) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """Plain floats and tuples; what is not finite becomes None, and is named with the reason."""
    fields = {name: _plain(value) for name, value in numbers.items()}
    lost = tuple(
        (name, "division by zero: no spread to measure it with")
        for name, value in fields.items()
        if numbers[name] is not None
        and name != "QMdf"
        and (value is None or (isinstance(value, tuple) and None in value))
    )
    return fields, lost


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return tuple(_plain(x) for x in value.tolist())
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _no_error(method: str, se_tau2: float | None) -> tuple[tuple[str, str], ...]:
    """Why tau² has no standard error, where it has none."""
    if method == "EE":
        return (("se_tau2", "an equal-effects model takes tau² to be 0"),)
    if se_tau2 is None:
        return (("se_tau2", "no degree of freedom is left"),)
    return ()
