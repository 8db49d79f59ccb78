"""Pooling counts without effects of single studies: Mantel-Haenszel and Peto, for rare events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from scipy.special import chdtrc, ndtr

from livereview.errors import Refused
from livereview.statistics.metareg import quantile
from livereview.statistics.tau2 import Array, Number

Column = Sequence[Number]
MEASURES = ("OR", "RR", "RD", "PETO")
RATE_MEASURES = ("IRR", "IRD")


@dataclass(frozen=True, slots=True)
class Tables:
    """A pooled odds ratio or risk ratio (log), or risk difference, of k tables; None with `reason`.

    Attributes:
        QE, QEp, I2: Heterogeneity of the tables that have events in some and not in all.
        dropped: Positions not used.
    """

    measure: str
    k: int
    b: float | None = None
    se: float | None = None
    pval: float | None = None
    ci_lb: float | None = None
    ci_ub: float | None = None
    QE: float | None = None
    QEp: float | None = None
    I2: float | None = None
    dropped: tuple[int, ...] = ()
    reason: str | None = None


def tables(
    measure: str, ai: Column, bi: Column, ci: Column, di: Column, *, level: float = 0.95
) -> Tables:
    """Pool tables: ai events and bi others in the first arm, ci and di in the second.

    OR, RR and RD by Mantel-Haenszel on the counts as they are, PETO by Peto's one-step method.
    Tables with no event, or nothing but events, in both arms say nothing of a ratio and are not
    used; a risk difference of 0 is one, so RD uses them, but not in its Q, as metafor does.
    Variances: Robins, Breslow and Greenland, Biometrics 1986;42:311-23 (OR); Greenland and Robins,
    Biometrics 1985;41:55-68 (RR); Sato, Greenland and Robins, Biometrics 1989;45:1323-4 (RD). Yusuf
    and others, Prog Cardiovasc Dis 1985;27:335-71 (Peto).
    """
    if measure not in MEASURES:
        raise Refused(f"measure {measure!r} must be one of {', '.join(MEASURES)}")
    cells, dropped = _counts((ai, bi, ci, di), measure)
    k = len(cells)
    if not k:
        return Tables(
            measure, 0, dropped=dropped, reason="no table has a difference in events to tell"
        )
    found = _METHODS[measure](*cells.T)
    if found is None:
        return Tables(
            measure, k, dropped=dropped, reason="an arm has no event, or nothing else, in any table"
        )
    b, se = found[0], sqrt(found[1])
    half = quantile(level, None) * se
    p = float(2 * ndtr(-abs(b) / se))
    return Tables(
        measure, k, b, se, p, b - half, b + half, *_heterogeneity(measure, cells, b), dropped
    )


def rates(measure: str, x1i: Column, t1i: Column, x2i: Column, t2i: Column) -> Tables:
    """Pool events by time, by Mantel-Haenszel: x1i in t1i of the first arm, x2i in t2i of the second.

    Where nothing happened in either arm a table says nothing of a ratio (IRR, log) and is not used;
    a difference of 0 (IRD) is one. Heterogeneity is not told. Variances: Greenland and Robins,
    Biometrics 1985;41:55-68, as metafor's rma.mh has them.
    """
    if measure not in RATE_MEASURES:
        raise Refused(f"measure {measure!r} must be one of {', '.join(RATE_MEASURES)}")
    rows = list(zip(x1i, t1i, x2i, t2i, strict=True))
    used = [_usable_rate(row, measure) for row in rows]
    dropped = tuple(place for place, use in enumerate(used) if not use)
    cells = np.array([row for row, use in zip(rows, used, strict=True) if use], dtype=float)
    if not len(cells):
        return Tables(measure, 0, dropped=dropped, reason="no table has a difference to tell")
    found = _RATES[measure](*cells.T)
    if found is None:
        return Tables(
            measure, len(cells), dropped=dropped, reason="an arm has no event in any table"
        )
    b, se = found[0], sqrt(found[1])
    half = quantile(0.95, None) * se
    p = float(2 * ndtr(-abs(b) / se))
    return Tables(measure, len(cells), b, se, p, b - half, b + half, dropped=dropped)


def _usable_rate(row: Column, measure: str) -> bool:
    if any(value is None or value != value for value in row):
        return False
    x1, t1, x2, t2 = (float(value or 0) for value in row)
    watched = t1 > 0 and t2 > 0
    return watched and (measure == "IRD" or x1 + x2 > 0)


def _irr(x1: Array, t1: Array, x2: Array, t2: Array) -> tuple[float, float] | None:
    t = t1 + t2
    first, second = float((x1 * t2 / t).sum()), float((x2 * t1 / t).sum())
    if not first or not second:
        return None
    spread = float(((x1 + x2) * t1 * t2 / t**2).sum())
    return log(first / second), spread / (first * second)


def _ird(x1: Array, t1: Array, x2: Array, t2: Array) -> tuple[float, float] | None:
    t = t1 + t2
    weight = float((t1 * t2 / t).sum())
    difference = float(((x1 * t2 - x2 * t1) / t).sum()) / weight
    variance = float(((x1 * t2**2 + x2 * t1**2) / t**2).sum()) / weight**2
    return (difference, variance) if variance > 0 else None


_RATES: dict[str, Callable[[Array, Array, Array, Array], tuple[float, float] | None]] = {
    "IRR": _irr,
    "IRD": _ird,
}


def _counts(columns: Sequence[Column], measure: str) -> tuple[Array, tuple[int, ...]]:
    """The tables that the measure can use, (k, 4), and the positions of the others."""
    if len({len(column) for column in columns}) > 1:
        raise Refused("ai, bi, ci and di need the same number of studies")
    rows = list(zip(*columns, strict=True))
    if any(x is not None and (x < 0 or abs(x) == float("inf")) for row in rows for x in row):
        raise Refused("counts must be numbers from 0 up; leave a missing one empty")
    used = [_usable(row, measure) for row in rows]
    dropped = tuple(i for i, use in enumerate(used) if not use)
    return np.array([row for row, use in zip(rows, used, strict=True) if use], dtype=float).reshape(
        -1, 4
    ), dropped


def _usable(row: Column, measure: str) -> bool:
    if any(x is None or x != x for x in row):
        return False
    a, b, c, d = (float(x or 0) for x in row)
    return a + b > 0 and c + d > 0 and (measure == "RD" or (a + c > 0 and b + d > 0))


def _or(a: Array, b: Array, c: Array, d: Array) -> tuple[float, float] | None:
    n = a + b + c + d
    p, q, r, s = (a + d) / n, (b + c) / n, a * d / n, b * c / n
    if not r.sum() or not s.sum():
        return None
    rr, ss = float(r.sum()), float(s.sum())
    cross = float((p * s + q * r).sum()) / (rr * ss)
    return log(rr / ss), (float((p * r).sum()) / rr**2 + cross + float((q * s).sum()) / ss**2) / 2


def _rr(a: Array, b: Array, c: Array, d: Array) -> tuple[float, float] | None:
    n1, n2 = a + b, c + d
    n = n1 + n2
    r, s = float((a * n2 / n).sum()), float((c * n1 / n).sum())
    if not r or not s:
        return None
    variance = float(((n1 * n2 * (a + c) - a * c * n) / n**2).sum()) / (r * s)
    return (log(r / s), variance) if variance > 0 else None


def _rd(a: Array, b: Array, c: Array, d: Array) -> tuple[float, float] | None:
    n1, n2 = a + b, c + d
    n = n1 + n2
    weight = float((n1 * n2 / n).sum())
    rd = float(((a * n2 - c * n1) / n).sum()) / weight
    p = (c * (n1 / n) ** 2 - a * (n2 / n) ** 2 + n1 * n2 / n * (n2 - n1) / n / 2).sum()
    q = ((a * (n2 - c) / n + c * (n1 - a) / n) / 2).sum()
    variance = (rd * float(p) + float(q)) / weight**2
    return (rd, variance) if variance > 0 else None


def _peto(a: Array, b: Array, c: Array, d: Array) -> tuple[float, float] | None:
    difference, v = _peto_parts(a, b, c, d)
    return float(difference.sum() / v.sum()), float(1 / v.sum())


def _peto_parts(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array]:
    """Observed minus expected events of the first arm, and the hypergeometric variance."""
    n = a + b + c + d
    return a - (a + c) * (a + b) / n, (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))


_METHODS: dict[str, Callable[[Array, Array, Array, Array], tuple[float, float] | None]] = {
    "OR": _or,
    "RR": _rr,
    "RD": _rd,
    "PETO": _peto,
}


def _heterogeneity(
    measure: str, cells: Array, b: float
) -> tuple[float | None, float | None, float | None]:
    """Q of the tables' own effects about the pooled one; 1/2 is added to tables with an empty cell,
    but in Peto's.
    """
    cells = cells[(cells[:, 0] + cells[:, 2] > 0) & (cells[:, 1] + cells[:, 3] > 0)]
    if measure == "PETO":
        difference, v = _peto_parts(*cells.T)
        y = difference / v
    else:
        y, v = _effects(measure, cells + np.where((cells == 0).any(axis=1), 0.5, 0.0)[:, None])
        v = 1 / v
    q, df = float((v * (y - b) ** 2).sum()), len(y) - 1
    if df < 1:
        return 0.0, 1.0, 0.0
    return q, float(chdtrc(df, q)), max(0.0, 100 * (q - df) / q) if q > 0 else 0.0


def _effects(measure: str, cells: Array) -> tuple[Array, Array]:
    a, b, c, d = cells.T
    n1, n2 = a + b, c + d
    if measure == "OR":
        return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d
    if measure == "RR":
        return np.log(a / n1 * n2 / c), 1 / a - 1 / n1 + 1 / c - 1 / n2
    return a / n1 - c / n2, a * b / n1**3 + c * d / n2**3
