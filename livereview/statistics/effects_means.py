"""Effects from means, changes and correlations. Each function gives (effect, variance)."""

from __future__ import annotations

from math import atanh, exp, log, pi, sqrt

from scipy.special import gammaln  # math's is off by 1e-14, which the unbiased variance multiplies

from livereview.statistics.effects_counts import Effect, Impossible

LOGISTIC = pi / sqrt(3)  # the log odds of one standard deviation; Hasselblad and Hedges 1995
NORMAL = 1.65  # Cox and Snell 1989


def small_sample(df: float) -> float:
    """Hedges' exact factor against the bias of a standardised difference.

    J Educ Stat 1981;6:107-28.
    """
    return exp(gammaln(df / 2) - log(sqrt(df / 2)) - gammaln((df - 1) / 2))


def _groups(sd1: float, n1: float, sd2: float, n2: float) -> None:
    if n1 < 2 or n2 < 2:
        raise Impossible("a group has fewer than two people")
    if sd1 < 0 or sd2 < 0 or sd1 == sd2 == 0:
        raise Impossible("a standard deviation is not above zero")


def mean_difference(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    _groups(sd1, n1, sd2, n2)
    return m1 - m2, sd1**2 / n1 + sd2**2 / n2


def _cohen(
    m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float
) -> tuple[float, float]:
    """(the difference in pooled standard deviations, its degrees of freedom)"""
    _groups(sd1, n1, sd2, n2)
    df = n1 + n2 - 2
    return (m1 - m2) / sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / df), df


def hedges_g(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    """Hedges' g with the large-sample variance."""
    d, df = _cohen(m1, sd1, n1, m2, sd2, n2)
    g = small_sample(df) * d
    return g, 1 / n1 + 1 / n2 + g**2 / (2 * (n1 + n2))


def hedges_g_unbiased(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    """Hedges' g with the unbiased variance of Hedges 1983."""
    d, df = _cohen(m1, sd1, n1, m2, sd2, n2)
    factor = small_sample(df)
    g = factor * d
    return g, 1 / n1 + 1 / n2 + (1 - (df - 2) / (df * factor**2)) * g**2


def unequal_variances(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    """The difference over the root of the mean variance.

    Variance of Bonett, Psychol Methods 2008;13:99-109, eq. 8.
    """
    _groups(sd1, n1, sd2, n2)
    spread = (sd1**2 + sd2**2) / 2
    df1, df2 = n1 - 1, n2 - 1
    g = small_sample(df1 + df2) * (m1 - m2) / sqrt(spread)
    v = (
        g**2 * (sd1**4 / df1 + sd2**4 / df2) / (8 * spread**2)
        + (sd1**2 / df1 + sd2**2 / df2) / spread
    )
    return g, v


def ratio_of_means(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    """Log ratio of means, bias-corrected after Lajeunesse, Ecology 2015;96:2056-63, as metafor has
    it since 5.0.
    """
    _groups(sd1, n1, sd2, n2)
    if m1 * m2 <= 0:
        raise Impossible("the means have different signs, or one is zero")
    part1, part2 = sd1**2 / (n1 * m1**2), sd2**2 / (n2 * m2**2)
    return log(m1 / m2) + (part1 - part2) / 2, part1 + part2


def point_biserial(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    """The correlation with group membership, for groups of fixed size.

    Jacobs and Viechtbauer, RSM 2017;8:161-80.
    """
    d, df = _cohen(m1, sd1, n1, m2, sd2, n2)
    h = df / n1 + df / n2
    v = h**2 / (d**2 + h) ** 3 * (1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2)))
    return d / sqrt(d**2 + h), v


def _as_log_odds(d: float, n1: float, n2: float, factor: float) -> Effect:
    return factor * d, factor**2 * (1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2)))


def d_to_or_logistic(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    return _as_log_odds(_cohen(m1, sd1, n1, m2, sd2, n2)[0], n1, n2, LOGISTIC)


def d_to_or_normal(m1: float, sd1: float, n1: float, m2: float, sd2: float, n2: float) -> Effect:
    return _as_log_odds(_cohen(m1, sd1, n1, m2, sd2, n2)[0], n1, n2, NORMAL)


def _change_sd(sd1: float, sd2: float, n: float, r: float) -> float:
    """The standard deviation of the change.

    R: correlation of the first with the second measurement.
    """
    if n < 2:
        raise Impossible("the group has fewer than two people")
    if not -1 <= r <= 1:
        raise Impossible("a correlation is not between -1 and 1")
    if sd1 <= 0 or sd2 <= 0 or (spread := sd1**2 + sd2**2 - 2 * r * sd1 * sd2) <= 0:
        raise Impossible("a standard deviation is not above zero")
    return sqrt(spread)


def mean_change(m1: float, m2: float, sd1: float, sd2: float, n: float, r: float) -> Effect:
    return m1 - m2, _change_sd(sd1, sd2, n, r) ** 2 / n


def change_by_change_sd(m1: float, m2: float, sd1: float, sd2: float, n: float, r: float) -> Effect:
    """Gibbons, Hedeker and Davis 1993."""
    g = small_sample(n - 1) * (m1 - m2) / _change_sd(sd1, sd2, n, r)
    return g, 1 / n + g**2 / (2 * n)


def change_by_raw_sd(m1: float, m2: float, sd1: float, sd2: float, n: float, r: float) -> Effect:
    """Becker 1988."""
    _change_sd(sd1, sd2, n, r)
    g = small_sample(n - 1) * (m1 - m2) / sd1
    return g, 2 * (1 - r) / n + g**2 / (2 * n)


def _correlated(r: float, n: float, least: int) -> None:
    if not -1 < r < 1:
        raise Impossible("a correlation is not between -1 and 1")
    if n < least:
        raise Impossible(f"fewer than {least} people")


def correlation(r: float, n: float) -> Effect:
    _correlated(r, n, 2)
    return r, (1 - r**2) ** 2 / (n - 1)


def fisher_z(r: float, n: float) -> Effect:
    _correlated(r, n, 4)
    return atanh(r), 1 / (n - 3)
