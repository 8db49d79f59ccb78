"""Effects from counts: two-by-two tables, proportions and rates.

Each function gives (effect, variance).
"""

from __future__ import annotations

from math import asin, log, pi, sqrt

Effect = tuple[float, float]
# standard deviations of a logistic distribution in one; Hasselblad and Hedges 1995
LOGISTIC = sqrt(3) / pi
NORMAL = 1 / 1.65  # Cox and Snell 1989


class Impossible(Exception):
    """What a study reports can't be so, or allows no effect."""


def _table(*cells: float) -> None:
    if any(cell < 0 for cell in cells):
        raise Impossible("a count is negative")


def odds_ratio(a: float, b: float, c: float, d: float) -> Effect:
    """Log odds ratio; Woolf's variance."""
    _table(a, b, c, d)
    return log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def risk_ratio(a: float, b: float, c: float, d: float) -> Effect:
    """Log risk ratio."""
    _table(a, b, c, d)
    n1, n2 = a + b, c + d
    return log(a / n1 / (c / n2)), 1 / a - 1 / n1 + 1 / c - 1 / n2


def risk_difference(a: float, b: float, c: float, d: float) -> Effect:
    _table(a, b, c, d)
    n1, n2 = a + b, c + d
    p1, p2 = a / n1, c / n2
    return p1 - p2, p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2


def peto(a: float, b: float, c: float, d: float) -> Effect:
    """Log odds ratio from observed less expected events over their hypergeometric variance.

    Yusuf 1985.
    """
    _table(a, b, c, d)
    n1, n2, n = a + b, c + d, a + b + c + d
    expected = (a + c) * n1 / n
    spread = (a + c) * (b + d) * (n1 / n) * (n2 / n) / (n - 1)
    if spread == 0:
        raise Impossible("no events, or only events, in both groups")
    return (a - expected) / spread, 1 / spread


def or_to_d_logistic(a: float, b: float, c: float, d: float) -> Effect:
    y, v = odds_ratio(a, b, c, d)
    return y * LOGISTIC, v * LOGISTIC**2


def or_to_d_normal(a: float, b: float, c: float, d: float) -> Effect:
    y, v = odds_ratio(a, b, c, d)
    return y * NORMAL, v * NORMAL**2


def phi(a: float, b: float, c: float, d: float) -> Effect:
    """Phi; variance after Yule 1912, for one multinomial sample."""
    _table(a, b, c, d)
    n = a + b + c + d
    row1, row2, column1, column2 = (a + b) / n, (c + d) / n, (a + c) / n, (b + d) / n
    spread = row1 * row2 * column1 * column2
    y = (a * d - b * c) / n**2 / sqrt(spread)
    by_rows, by_columns = (
        (row1 - row2) ** 2 / (row1 * row2),
        (column1 - column2) ** 2 / (column1 * column2),
    )
    skew = y * (1 + y**2 / 2) * (row1 - row2) * (column1 - column2) / sqrt(spread)
    return y, (1 - y**2 + skew - 0.75 * y**2 * (by_rows + by_columns)) / n


def _rates(x1: float, t1: float, x2: float, t2: float) -> None:
    _table(x1, x2)
    if t1 <= 0 or t2 <= 0:
        raise Impossible("a person-time is not above zero")


def rate_ratio(x1: float, t1: float, x2: float, t2: float) -> Effect:
    """Log ratio of x1 events in t1 person-time to x2 in t2."""
    _rates(x1, t1, x2, t2)
    return log(x1 / t1 / (x2 / t2)), 1 / x1 + 1 / x2


def rate_difference(x1: float, t1: float, x2: float, t2: float) -> Effect:
    _rates(x1, t1, x2, t2)
    return x1 / t1 - x2 / t2, x1 / t1**2 + x2 / t2**2


def _part(x: float, n: float) -> None:
    if not 0 <= x <= n or n <= 0:
        raise Impossible("a count is negative, or larger than its number")


def proportion(x: float, n: float) -> Effect:
    _part(x, n)
    return x / n, x / n * (1 - x / n) / n


def log_proportion(x: float, n: float) -> Effect:
    _part(x, n)
    return log(x / n), 1 / x - 1 / n


def log_odds(x: float, n: float) -> Effect:
    _part(x, n)
    return log(x / (n - x)), 1 / x + 1 / (n - x)


def arcsine(x: float, n: float) -> Effect:
    _part(x, n)
    return asin(sqrt(x / n)), 1 / (4 * n)


def freeman_tukey(x: float, n: float) -> Effect:
    """The double arcsine of Freeman and Tukey 1950, halved as Miller 1978 has it."""
    _part(x, n)
    return (asin(sqrt(x / (n + 1))) + asin(sqrt((x + 1) / (n + 1)))) / 2, 1 / (4 * n + 2)
