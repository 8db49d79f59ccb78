"""How much a pooled effect hangs on single studies: left out one by one, added one by one, and
their influence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import chdtr

from livereview.statistics.pooling import Pooled, arrays, pooled
from livereview.statistics.tau2 import Array, Number, check

Column = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One pooled result per study used, in the order given; Q and Qp are the test of heterogeneity.

    A None has its reason in `not_estimable`: (row, name, reason).
    """

    b: Column = ()
    se: Column = ()
    ci_lb: Column = ()
    ci_ub: Column = ()
    pval: Column = ()
    Q: Column = ()
    Qp: Column = ()
    tau2: Column = ()
    I2: Column = ()
    H2: Column = ()
    not_estimable: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Influence:
    """What changes when a study is left out, one entry per study used.

    All empty with `reason` below three studies.

    Attributes:
        rstudent: Deleted residual over its standard error.
        dffits, dfbs: Change of the mean in standard errors: of the study's fitted value, of the
            mean.
        cook_d, cov_r: Squared change over the variance of the mean; ratio of variances of the mean.
        tau2_del, QE_del: Without the study.
        hat, weight, infl: Weight of 1, of 100; whether it stands out by the rules of thumb of
            Viechtbauer and Cheung, Res Synth Methods 2010;1:112-25, the source of all of these.
    """

    rstudent: Column = ()
    dffits: Column = ()
    cook_d: Column = ()
    cov_r: Column = ()
    tau2_del: Column = ()
    QE_del: Column = ()
    hat: Column = ()
    weight: Column = ()
    dfbs: Column = ()
    infl: tuple[bool, ...] = ()
    reason: str | None = None


def leave_one_out(
    yi: Sequence[Number],
    vi: Sequence[Number],
    *,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
) -> Series:
    """The pooled effect without each study in turn; empty below two studies."""
    check(method, test, level)
    y, v, _ = arrays(yi, vi)
    chosen = (np.arange(len(y)) != i for i in range(len(y)) if len(y) > 1)
    return _series(pooled(y[rows], v[rows], method, test, level) for rows in chosen)


def cumulative(
    yi: Sequence[Number],
    vi: Sequence[Number],
    *,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
) -> Series:
    """The pooled effect of the first study, of the first two, and so on, in the order given (by
    time, as a rule).
    """
    check(method, test, level)
    y, v, _ = arrays(yi, vi)
    return _series(pooled(y[:n], v[:n], method, test, level) for n in range(1, len(y) + 1))


def influence(
    yi: Sequence[Number], vi: Sequence[Number], *, method: str = "REML", level: float = 0.95
) -> Influence:
    """Deletion diagnostics of each study for a z-tested model."""
    check(method, "z", level)
    y, v, _ = arrays(yi, vi)
    k = len(y)
    if k < 3:
        return Influence(reason="needs three studies")
    whole = pooled(y, v, method, "z", level)
    without = [
        pooled(y[np.arange(k) != i], v[np.arange(k) != i], method, "z", level) for i in range(k)
    ]
    return _compare(y, v, whole, without)


def _series(results: Iterable[Pooled]) -> Series:
    rows = tuple(results)

    def column(read: Callable[[Pooled], float | None]) -> Column:
        return tuple(read(row) for row in rows)

    names = {"b", "se", "ci_lb", "ci_ub", "pval", "tau2", "I2", "H2"}
    missing = tuple(
        (i, name, why)
        for i, row in enumerate(rows)
        for name, why in row.not_estimable
        if name in names
    )
    return Series(
        column(lambda r: r.b), column(lambda r: r.se), column(lambda r: r.ci_lb), column(lambda r: r.ci_ub),
        column(lambda r: r.pval), column(lambda r: r.QE), column(lambda r: r.QEp), column(lambda r: r.tau2),
        column(lambda r: r.I2), column(lambda r: r.H2), missing,
    )  # fmt: skip


def _compare(y: Array, v: Array, whole: Pooled, without: Sequence[Pooled]) -> Influence:
    b, se, tau2 = (
        np.array([getattr(m, name) for m in without], dtype=float) for name in ("b", "se", "tau2")
    )
    mean, error = float(whole.b or 0), float(whole.se or 0)
    shift = mean - b
    hat = np.array(whole.weights) / 100
    spread = np.array([1 / sqrt(float((1 / (v + t)).sum())) for t in tau2])
    dffits, cook, dfbs = shift / np.sqrt(hat * (tau2 + v)), (shift / error) ** 2, shift / spread
    k = len(y)
    stands_out = (
        (np.abs(dffits) > 3 * sqrt(1 / (k - 1)))
        | (chdtr(1, cook) > 0.5)
        | (hat > 3 / k)
        | (np.abs(dfbs) > 1)
    )
    return Influence(
        rstudent=_column((y - b) / np.sqrt(v + tau2 + se**2)),
        dffits=_column(dffits),
        cook_d=_column(cook),
        cov_r=_column((se / error) ** 2),
        tau2_del=_column(tau2),
        QE_del=tuple(m.QE for m in without),
        hat=_column(hat),
        weight=whole.weights,
        dfbs=_column(dfbs),
        infl=tuple(bool(x) for x in stands_out),
    )


def _column(values: Array) -> Column:
    return tuple(float(x) for x in values)
