"""Conversions of what reports print: worked examples by hand, round trips, laws over many studies,
hostile input.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, isfinite, log, nan, pi, sqrt
from statistics import NormalDist, fmean, stdev
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from livereview.errors import Refused
from livereview.statistics import conversions_means as means
from livereview.statistics.conversions import (
    KEYS,
    ROUTES,
    absolute,
    convert,
    correlation,
    design_effect,
    effective_size,
    from_interval,
    from_p,
    from_se,
    from_statistic,
    groups_swapped,
    higher_is_better,
    inflated,
)
from livereview.statistics.conversions_means import (
    Converted,
    Group,
    combined,
    compare,
    group_from_median,
)
from livereview.statistics.effects import escalc

Z95 = 1.959963984540054


def numbers(found: Converted) -> tuple[float, float]:
    return found.yi, found.vi


def close(*values: float, rel: float = 1e-9) -> Any:
    return pytest.approx(values, rel=rel, abs=1e-12)


# --- estimates with an interval, a standard error, a statistic or a p ---


def test_a_ratio_with_its_interval_is_analysed_as_a_log() -> None:
    found = from_interval("RR", 0.75, 0.60, 0.94)
    assert numbers(found) == close(-0.28768207, ((log(0.94) - log(0.60)) / 3.919928) ** 2, rel=1e-6)
    assert any("log scale" in line and "1.9600" in line for line in found.how)


@pytest.mark.parametrize(("level", "width"), [(0.90, 3.28971), (0.95, 3.91993), (0.99, 5.15166)])
def test_the_divisors_are_those_of_the_handbook(level: float, width: float) -> None:
    """Handbook 6.5.2.2: 3.29, 3.92 and 5.15 for intervals of 90, 95 and 99%."""
    assert numbers(from_interval("MD", 2.0, 1.0, 3.0, level)) == close(
        2.0, (2 / width) ** 2, rel=1e-5
    )


def test_the_handbooks_p_of_a_difference_in_means() -> None:
    """Handbook 6.5.2.3: MD 3.8, p = 0.008, 25 and 22 people give t = 2.78 and a standard error of
    1.37.
    """
    found = from_p("MD", 3.8, 0.008, 45)
    assert (found.yi, round(sqrt(found.vi), 2)) == (3.8, 1.37)
    assert any("t = 2.77" in line for line in found.how)
    assert numbers(convert({"estimate": 3.8, "p": 0.008, "n1i": 25, "n2i": 22}, "MD")) == numbers(
        found
    )


def test_a_negative_estimate_has_the_same_variance() -> None:
    assert numbers(from_p("MD", -3.8, 0.008, 45)) == close(-3.8, from_p("MD", 3.8, 0.008, 45).vi)
    assert from_p("OR", 0.5, 0.03).vi == pytest.approx(from_p("OR", 2.0, 0.03).vi)


def test_a_p_by_z() -> None:
    """p = 0.05 belongs to z = 1.96, so SE(ln 2) = 0.6931/1.96 = 0.35365."""
    assert sqrt(from_p("OR", 2.0, 0.05).vi) == pytest.approx(0.35365, rel=1e-4)


@given(
    st.sampled_from(["OR", "RR", "HR", "IRR", "ROM", "MD", "SMD"]),
    st.floats(-1.5, 1.5),
    st.floats(0.05, 0.8),
    st.sampled_from([0.9, 0.95, 0.99]),
    st.one_of(st.none(), st.integers(5, 200)),
)
def test_an_interval_gives_back_the_error_that_it_was_made_of(
    measure: str, y: float, se: float, level: float, df: int | None
) -> None:
    half = se * float(
        stats.norm.ppf((1 + level) / 2) if df is None else stats.t.ppf((1 + level) / 2, df)
    )
    shown = exp if measure in ("OR", "RR", "HR", "IRR", "ROM") else float
    found = from_interval(measure, shown(y), shown(y - half), shown(y + half), level, df)
    assert numbers(found) == close(y, se**2, rel=1e-6)


@given(st.floats(-1.5, 1.5), st.floats(0.05, 0.8))
def test_an_interval_rounded_to_two_places_is_not_refused(y: float, se: float) -> None:
    estimate, low, high = (round(exp(y + shift * se), 2) for shift in (0, -Z95, Z95))
    assume(low > 0)
    assert from_interval("OR", estimate, low, high).yi == pytest.approx(log(estimate))


@given(st.floats(0.1, 2), st.floats(0.1, 1))
def test_interval_error_statistic_and_p_agree(y: float, se: float) -> None:
    wanted = numbers(from_se("MD", y, se))
    assume(y / se < 30)
    assert numbers(from_statistic("MD", y, y / se)) == close(*wanted)
    assert numbers(from_p("MD", y, float(2 * stats.norm.sf(y / se)))) == close(*wanted, rel=1e-6)


@pytest.mark.parametrize(
    ("measure", "estimate", "low", "high"),
    [("RR", 2.0, 1.0, 3.0), ("MD", 2.0, 1.0, 4.0), ("OR", 1.5, 1.4, 9.2), ("SMD", 0.2, 0.1, 0.9)],
)
def test_a_grossly_lopsided_interval_is_refused_with_what_to_check(
    measure: str, estimate: float, low: float, high: float
) -> None:
    with pytest.raises(Refused, match=r"far from symmetric on the (log|plain) scale; check"):
        from_interval(measure, estimate, low, high)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: from_interval("RR", -0.3, -0.5, -0.1), "is it a log"),
        (lambda: from_interval("RR", 0.02, 0.0, 0.1), "rounded to 0"),
        (lambda: from_interval("MD", 2, 3, 1), "inside its interval"),
        (lambda: from_interval("MD", 5, 1, 3), "inside its interval"),
        (lambda: from_interval("MD", 2, 2, 2), "inside its interval"),
        (lambda: from_interval("MD", 2, 1, 3, level=95), "0.95 for a 95%"),
        (lambda: from_interval("RD", 12, 5, 19), "per cent as a share"),
        (lambda: from_interval("XYZ", 2, 1, 3), "choose one of OR, RR"),
        (lambda: from_se("MD", 2, 0), "se must be above zero"),
        (lambda: from_p("MD", 2, 0), "p must be an exact"),
        (lambda: from_p("MD", 2, 1), "p must be an exact"),
        (lambda: from_p("MD", 2, 0.05, -3), "df above 0"),
        (lambda: from_p("OR", 1, 0.9), "off no effect"),
        (lambda: from_statistic("MD", 2, -2), "on the same side"),
    ],
)
def test_what_no_report_can_mean_is_refused(call: Callable[[], Converted], told: str) -> None:
    with pytest.raises(Refused, match=told):
        call()


# --- groups: means and standard deviations ---


def test_sd_from_the_standard_error_of_a_mean() -> None:
    assert means.group_from_se(32.1, 1.6, 25).sd == 8.0  # 1.6·√25


def test_sd_from_the_interval_of_a_mean_of_25_people() -> None:
    """Handbook 6.5.2.2: the divisor of 25 people's 95% interval is 2·2.0639 = 4.128."""
    assert means.group_from_interval(32.1, 30.0, 34.2, 25).sd == pytest.approx(
        5 * 4.2 / 4.128, rel=1e-4
    )


def test_sd_of_a_change_from_a_borrowed_correlation() -> None:
    """SDs 2.38 and 2.21, correlation 0.68, ten people: √(5.6644 + 4.8841 - 7.1535) = 1.8426, so SE
    0.583.
    """
    found = means.change(Group(6.5, 2.21, 10), Group(7.0, 2.38, 10), 0.68)
    assert (found.mean, found.n) == (0.5, 10)
    assert found.sd == pytest.approx(1.84255, rel=1e-4)
    assert round(found.sd / sqrt(10), 3) == 0.583
    with pytest.raises(Refused, match="same people"):
        means.change(Group(6.5, 2.21, 10), Group(7.0, 2.38, 9), 0.68)
    with pytest.raises(Refused, match="between -1 and 1"):
        means.change(Group(6.5, 2.21, 10), Group(7.0, 2.38, 10), 1.2)


def test_combining_two_groups_is_the_handbooks_formula() -> None:
    """Handbook 6.5.2.10, its last term N1·N2/(N1+N2)·(M1² + M2² - 2·M1·M2): √((171 + 464 +
    12·9)/49) = 3.894.
    """
    (m1, s1, n1), (m2, s2, n2) = (12.0, 3.0, 20), (15.0, 4.0, 30)
    sd = sqrt((19 * 9 + 29 * 16 + 20 * 30 / 50 * (m1**2 + m2**2 - 2 * m1 * m2)) / 49)
    found = combined(Group(m1, s1, n1), Group(m2, s2, n2))
    assert (found.mean, found.sd, found.n) == close(13.8, sd, 50)
    assert sd == pytest.approx(3.89401, rel=1e-5)


LIST = st.lists(st.floats(-50, 50), min_size=2, max_size=12)


@given(st.lists(LIST, min_size=2, max_size=4))
def test_combined_groups_have_the_mean_and_sd_of_all_their_people(
    people: list[list[float]],
) -> None:
    groups = [Group(fmean(one), stdev(one), len(one)) for one in people]
    everyone = [value for one in people for value in one]
    found = combined(*groups)
    assert found.n == len(everyone)
    assert (found.mean, found.sd) == pytest.approx(
        (fmean(everyone), stdev(everyone)), rel=1e-6, abs=1e-6
    )


def test_medians_by_range_quartiles_and_both() -> None:
    """n = 30: Φ⁻¹(29.625/30.25) = 2.04028, Φ⁻¹(22.375/30.25) = 0.64233; 30^0.75 = 12.8186, 30^0.55
    = 6.49257.
    """
    assert (NormalDist().inv_cdf(29.625 / 30.25), NormalDist().inv_cdf(22.375 / 30.25)) == close(
        2.04028, 0.64233, rel=1e-5
    )
    both = group_from_median(30, 4, 3, 6, 1, 10)
    ends, quarters = 2.2 / 15.0186, 0.7 - 0.72 / 6.49257
    assert both.mean == pytest.approx(
        ends * 5.5 + quarters * 4.5 + (1 - ends - quarters) * 4, rel=1e-4
    )
    assert both.sd == pytest.approx((9 / 4.08056 + 3 / 1.28465) / 2, rel=1e-4)
    by_range = group_from_median(30, 4, least=1, most=10)
    # what R's metaBLUE 1.0.0 prints for this example
    assert by_range.sd == pytest.approx(2.205578, rel=1e-6)
    assert by_range.mean == pytest.approx(4 + 4 / 16.8186 * 1.5, rel=1e-4)
    quartiles = group_from_median(30, 4, 3, 6)
    assert quartiles.mean == pytest.approx((0.7 + 0.013) * 4.5 + (0.3 - 0.013) * 4, rel=1e-9)
    assert quartiles.sd == pytest.approx(3 / 1.28465, rel=1e-4)
    assert (
        "10.1186/1471-2288-14-135" in quartiles.how[0]
        and "10.1177/0962280216669183" in quartiles.how[0]
    )


@given(st.floats(-100, 100), st.floats(0.5, 20), st.integers(5, 2000))
def test_medians_of_normal_people_give_their_mean_and_sd(mean: float, sd: float, n: int) -> None:
    """Where the order statistics stand where Blom expects them, the estimates are exact, and
    nothing is skewed.
    """
    low, high = (
        float(stats.norm.ppf((n * share - 0.125 * k) / (n + 0.25)))
        for share, k in ((0.75, 1), (1, 3))
    )
    found = group_from_median(
        n, mean, mean - low * sd, mean + low * sd, mean - high * sd, mean + high * sd
    )
    assert (found.mean, found.sd) == pytest.approx((mean, sd), rel=1e-6, abs=1e-6)
    assert not any("Caution" in line for line in found.how)


@pytest.mark.parametrize("spread", [{"q1": 8, "q3": 30}, {"least": 7, "most": 100}])
def test_skewed_figures_come_with_a_caution(spread: dict[str, float]) -> None:
    assert "skewed" in group_from_median(60, 10, **spread).how[1]
    assert "skewed" in group_from_median(60, 10, 8, 30, 7, 100).how[1]


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"n": 30, "median": 4}, "needs both quartiles"),
        ({"n": 30, "median": 4, "q1": 3}, "both ends"),
        ({"n": 30, "median": 4, "q1": 5, "q3": 6}, "inside the quartiles"),
        ({"n": 30, "median": 4, "q1": 4, "q3": 4}, "some width"),
        ({"n": 30, "median": 4, "q1": 1, "q3": 6, "least": 3, "most": 10}, "inside the range"),
        ({"n": 4, "median": 4, "q1": 3, "q3": 6}, "five people"),
        ({"n": 30, "median": nan, "q1": 3, "q3": 6}, "finite number"),
    ],
)
def test_medians_that_say_too_little_or_too_much(figures: dict[str, float], told: str) -> None:
    with pytest.raises(Refused, match=told):
        group_from_median(**figures)


def test_groups_say_which_group_they_are() -> None:
    found = compare("MD", means.group_from_se(5, 0.4, 25), means.group_from_se(4, 0.5, 36))
    assert numbers(found) == close(1.0, 0.4**2 + 0.5**2)
    assert [line[:8] for line in found.how[:2]] == ["Group 1:", "Group 2:"]
    with pytest.raises(Refused, match="not one of two means; choose one of MD, SMD"):
        compare("OR", Group(1, 1, 10), Group(2, 1, 10))


@pytest.mark.parametrize(
    ("mean", "sd", "n"),
    [(nan, 1, 9), (1, inf, 9), (1, -1, 9), (1, 1, 1), (True, 1, 9), ("1", 1, 9)],
)
def test_a_group_is_one(mean: Any, sd: Any, n: Any) -> None:
    with pytest.raises(Refused):
        Group(mean, sd, n)


# --- standardised mean differences ---

GROUPS = st.builds(Group, st.floats(-20, 20), st.floats(0.5, 9), st.integers(3, 300))


@given(GROUPS, GROUPS)
def test_t_f_p_and_difference_give_the_smd_of_the_means_behind_them(one: Group, two: Group) -> None:
    wanted = numbers(compare("SMD", one, two))
    t, p = stats.ttest_ind_from_stats(one.mean, one.sd, one.n, two.mean, two.sd, two.n)
    sign = 1 if t >= 0 else -1
    assert numbers(means.smd_from_t(t, one.n, two.n)) == close(*wanted)
    assert numbers(means.smd_from_f(t**2, one.n, two.n, sign)) == close(*wanted, rel=1e-6)
    if t:
        difference = one.mean - two.mean
        assert numbers(
            means.smd_from_difference(difference, difference / t, one.n, two.n)
        ) == close(*wanted)
    if 1e-300 < p < 0.999:
        assert numbers(means.smd_from_p(p, one.n, two.n, sign)) == close(*wanted, rel=1e-5)


def test_an_smd_by_hand() -> None:
    """t = 2.5, 20 and 20: d = 2.5·√0.1 = 0.79057.

    J of 38 df = 0.98012 or so (1 - 3/151 = 0.98013).
    """
    found = means.smd_from_t(2.5, 20, 20)
    assert found.yi == pytest.approx(0.790569 * (1 - 3 / 151), rel=1e-4)
    assert found.vi == pytest.approx(0.1 + found.yi**2 / 80, rel=1e-12)


@given(
    st.lists(st.floats(-9, 9), min_size=3, max_size=20),
    st.lists(st.floats(-9, 9), min_size=3, max_size=20),
)
def test_a_regression_coefficient_gives_the_smd_of_the_people_behind_it(
    one: list[float], two: list[float]
) -> None:
    first, second = (Group(fmean(x), stdev(x), len(x)) for x in (one, two))
    assume(first.sd > 0.1 and second.sd > 0.1)
    b, wanted = first.mean - second.mean, compare("SMD", first, second)
    pooled = sqrt(
        ((first.n - 1) * first.sd**2 + (second.n - 1) * second.sd**2) / (first.n + second.n - 2)
    )
    total = stdev([*one, *two])
    assert numbers(means.smd_from_regression(b, total, first.n, second.n)) == close(
        *numbers(wanted), rel=1e-6
    )
    within = means.smd_from_regression(b, pooled, first.n, second.n, within=True)
    assert numbers(within) == close(*numbers(wanted), rel=1e-6)
    plain_se = pooled * sqrt(1 / first.n + 1 / second.n)
    adjusted = means.smd_from_regression(b, pooled, first.n, second.n, plain_se, within=True)
    assert numbers(adjusted) == close(*numbers(wanted), rel=1e-6)


def test_an_adjusted_coefficient_takes_its_own_error() -> None:
    found = means.smd_from_regression(2.0, 5.0, 50, 50, 0.6, within=True)
    assert found.vi == pytest.approx(0.6**2 / 25 + found.yi**2 / 200, rel=1e-12)
    with pytest.raises(Refused, match="too large for an SD"):
        means.smd_from_regression(10, 2, 20, 20)


def test_an_odds_ratio_and_an_smd_are_each_other() -> None:
    """Handbook 10.6: SMD = √3/π·ln(OR); an odds ratio of 3 is 0.6057."""
    odds = from_interval("OR", 3.0, 1.5, 6.0)
    found = means.odds_ratio_as_smd(odds)
    assert numbers(found) == close(log(3) * sqrt(3) / pi, odds.vi * 3 / pi**2)
    assert found.yi == pytest.approx(0.60570, rel=1e-4)
    back = means.smd_as_odds_ratio(found)
    assert back.measure == "OR"
    assert numbers(back) == close(*numbers(odds))
    assert len(back.how) == len(odds.how) + 2
    with pytest.raises(Refused, match="from SMD; it was given OR"):
        means.smd_as_odds_ratio(odds)


@given(st.floats(-0.95, 0.95), st.integers(5, 500), st.integers(5, 500))
def test_a_correlation_and_an_smd_are_each_other(r: float, n1: int, n2: int) -> None:
    found = correlation(r, n1 + n2)
    there = means.correlation_as_smd(found, n1, n2)
    assert numbers(means.smd_as_correlation(there, n1, n2)) == close(*numbers(found), rel=1e-7)


def test_a_correlation_by_hand() -> None:
    """Borenstein's example: r = 0.50 with variance 0.0058 is d = 1.1547 with variance 0.0550."""
    found = means.correlation_as_smd(Converted("COR", 0.50, 0.0058, ()))
    assert numbers(found) == close(1.1547, 0.0550, rel=1e-3)


def test_an_smd_of_counts_is_the_odds_ratio_rescaled() -> None:
    odds = convert({"ai": 10, "bi": 20, "ci": 5, "di": 25}, "OR")
    assert numbers(odds) == close(log(2.5), 0.1 + 0.05 + 0.2 + 0.04)
    found = means.smd_from_counts(10, 20, 5, 25)
    assert found.measure == "SMD"
    assert numbers(found) == close(*numbers(means.odds_ratio_as_smd(odds)))


# --- direction, clusters, absolute effects ---


def test_turning_the_sign() -> None:
    smd = means.smd_from_t(2.5, 20, 20)
    for turn in (groups_swapped, higher_is_better):
        assert numbers(turn(smd)) == (-smd.yi, smd.vi)
        assert numbers(turn(turn(smd))) == numbers(smd)
        assert turn(smd).how[:-1] == smd.how and "sign" in turn(smd).how[-1]


def test_the_risk_ratio_of_the_good_event_is_no_inverse() -> None:
    bad = convert({"ai": 10, "bi": 20, "ci": 5, "di": 25}, "RR")
    good = convert({"ai": 20, "bi": 10, "ci": 25, "di": 5}, "RR")
    assert good.yi != pytest.approx(-bad.yi)
    with pytest.raises(Refused, match="count the good event"):
        higher_is_better(bad)
    odds, turned = (
        {"ai": 10, "bi": 20, "ci": 5, "di": 25},
        {"ai": 20, "bi": 10, "ci": 25, "di": 5},
    )
    assert numbers(higher_is_better(convert(odds, "OR"))) == close(*numbers(convert(turned, "OR")))
    assert numbers(higher_is_better(convert(odds, "RD"))) == close(*numbers(convert(turned, "RD")))


def test_clusters() -> None:
    """20 a cluster with ICC 0.02: 1 + 19·0.02 = 1.38.

    Sizes varying by 0.65: 1 + (1.4225·20 - 1)·0.02 = 1.549.
    """
    assert design_effect(20, 0.02) == pytest.approx(1.38)
    assert design_effect(20, 0.02, 0.65) == pytest.approx(1.549)
    assert effective_size(138, 20, 0.02) == pytest.approx(100)
    plain = from_interval("OR", 2.0, 1.0, 4.0)
    found = inflated(plain, 20, 0.02)
    assert numbers(found) == close(plain.yi, 1.38 * plain.vi)
    assert "1.38" in found.how[-1] and found.how[:-1] == plain.how
    assert design_effect(1, 0.4) == 1
    for size, icc, cv in ((20, 2, 0), (0.5, 0.1, 0), (20, 0.1, -1), (20, -0.1, 0)):
        with pytest.raises(Refused, match="a cluster needs"):
            design_effect(size, icc, cv)


def test_effective_numbers_and_inflated_variance_of_counts_agree() -> None:
    raw = {"ai": 30, "n1i": 100, "ci": 45, "n2i": 100}
    shrunk = {key: effective_size(value, 25, 0.03) for key, value in raw.items()}
    assert numbers(convert(shrunk, "OR")) == close(*numbers(inflated(convert(raw, "OR"), 25, 0.03)))


def test_per_thousand_by_hand() -> None:
    """RR 0.75 (0.60 to 0.9375) of 200 in 1,000: 150, 120 and 187.5, 50 fewer (80 to 12.5), 20
    needed (12.5 to 80).
    """
    found = absolute(from_interval("RR", 0.75, 0.60, 0.9375), 0.2)
    assert (found.difference, found.low, found.high) == close(-50, -80, -12.5)
    assert (found.needed, found.needed_low, found.needed_high) == close(20, 12.5, 80)
    odds = absolute(from_interval("OR", 0.5, 0.25, 1.0), 0.2)
    # odds 0.25 become 0.125, a risk of 0.1111
    assert odds.difference == pytest.approx(1000 * (0.1 / 0.9 - 0.2))
    hazard = absolute(from_interval("HR", 2.0, 1.0, 4.0), 0.1)
    assert hazard.difference == pytest.approx(1000 * (1 - 0.81 - 0.1))


def test_no_number_needed_has_an_interval_through_no_effect() -> None:
    found = absolute(from_interval("RR", 0.9, 0.6, 1.35), 0.2)
    assert found.needed == pytest.approx(50)
    assert (found.needed_low, found.needed_high) == (None, None)
    assert absolute(from_se("OR", 1.0, 0.2), 0.2).needed is None


def test_a_risk_stays_a_risk() -> None:
    found = absolute(from_se("RR", 1.5, 0.3), 0.5)
    assert found.high == pytest.approx(500) and "cut at a risk of 1" in found.how[-1]
    with pytest.raises(Refused, match="above 1; use a lower risk"):
        absolute(from_se("RR", 3.0, 0.3), 0.5)
    with pytest.raises(Refused, match=r"0\.12 for 12%"):
        absolute(from_se("RR", 0.9, 0.3), 12)
    with pytest.raises(Refused, match="comes from OR, RR, HR"):
        absolute(from_se("SMD", 0.9, 0.3), 0.2)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_an_odds_ratio_gives_back_the_risk_it_was_made_of(comparator: float, risk: float) -> None:
    ratio = risk / (1 - risk) / (comparator / (1 - comparator))
    assert absolute(from_se("OR", ratio, 0.1), comparator).difference == pytest.approx(
        1000 * (risk - comparator), abs=1e-6
    )


# --- the single entry ---

REPORT: dict[str, float] = {
    "m1i": 12.0, "sd1i": 4.0, "n1i": 30, "m2i": 10.0, "sd2i": 5.0, "n2i": 32, "sd_pooled": 4.545,
    "se1i": 0.7303, "se2i": 0.8839, "low1i": 10.5064, "high1i": 13.4936, "low2i": 8.1973, "high2i": 11.8027,
    "estimate": 2.0, "low": -0.293, "high": 4.293, "se": 1.15, "z": 1.7391, "t": 1.7317, "f": 2.9988, "p": 0.0885,
    "direction": 1, "md": 2.0, "md_low": -0.31, "md_high": 4.31, "md_se": 1.155, "b": 2.0, "sd": 4.62,
    "r": 0.2182, "n": 62, "med1i": 12.0, "q11i": 9.43, "q31i": 14.57, "min1i": 3.84, "max1i": 20.16,
    "med2i": 10.0, "q12i": 6.79, "q32i": 13.21, "min2i": -0.3, "max2i": 20.3,
}  # fmt: skip


@pytest.mark.parametrize("wanted", ["MD", "SMD"])
def test_every_route_tells_about_the_same_of_one_study(wanted: str) -> None:
    target = convert(
        {key: REPORT[key] for key in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")}, wanted
    )
    tried = 0
    for route in ROUTES[wanted]:
        standardised_estimate = wanted == "SMD" and "estimate" in route.keys
        if set(route.keys) <= REPORT.keys() and not standardised_estimate:
            found = convert({key: REPORT[key] for key in route.keys}, wanted)
            assert found.yi == pytest.approx(target.yi, rel=0.04), route.keys
            assert found.vi == pytest.approx(target.vi, rel=0.05), route.keys
            tried += 1
    assert tried >= 14


@pytest.mark.parametrize("wanted", list(ROUTES))
def test_each_route_is_taken_where_only_its_keys_are_there(wanted: str) -> None:
    seen = set()
    for route in ROUTES[wanted]:
        given_keys = dict.fromkeys(route.keys, "no number")
        with pytest.raises(Refused, match="must be a finite number"):
            convert(given_keys, wanted)
        assert route.keys not in seen
        seen.add(route.keys)


def test_raw_figures_come_before_interval_error_t_f_and_p() -> None:
    order = [
        ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"),
        ("estimate", "low", "high"),
        ("estimate", "se"),
        ("t", "n1i", "n2i"),
        ("f", "n1i", "n2i", "direction"),
        ("p", "n1i", "n2i", "direction"),
    ]
    keys = [route.keys for route in ROUTES["SMD"]]
    assert [keys.index(one) for one in order] == sorted(keys.index(one) for one in order)
    figures = {"t": 2.0, "f": 9.0, "p": 0.5, "direction": -1, "n1i": 20, "n2i": 20}
    found = convert(figures, "SMD")
    assert numbers(found) == numbers(means.smd_from_t(2.0, 20, 20))
    assert found.how[-1] == "Reported too and not used: f, p, direction."
    assert convert({**figures, "t": None}, "SMD").yi == pytest.approx(
        -means.smd_from_t(3.0, 20, 20).yi
    )


@pytest.mark.parametrize("wanted", ["OR", "RR", "RD"])
def test_counts_are_those_of_escalc_and_totals_will_do(wanted: str) -> None:
    counts = {"ai": 10, "bi": 20, "ci": 5, "di": 25}
    theirs = escalc(wanted, {key: [value] for key, value in counts.items()})
    found = convert(counts, wanted)
    assert numbers(found) == (theirs.yi[0], theirs.vi[0])
    assert numbers(convert({"ai": 10, "n1i": 30, "ci": 5, "n2i": 30}, wanted)) == numbers(found)


def test_a_zero_is_told_and_two_zeros_are_refused() -> None:
    found = convert({"ai": 0, "bi": 20, "ci": 5, "di": 25}, "OR")
    assert numbers(found) == close(
        log(0.5 * 25.5 / (20.5 * 5.5)), 1 / 0.5 + 1 / 20.5 + 1 / 5.5 + 1 / 25.5
    )
    assert "0.5 was added" in found.how[-1]
    for wanted in ("OR", "RR", "SMD"):
        with pytest.raises(Refused, match="no events"):
            convert({"ai": 0, "n1i": 20, "ci": 0, "n2i": 25}, wanted)
    assert convert({"ai": 0, "bi": 20, "ci": 0, "di": 25}, "RD").yi == pytest.approx(0, abs=0.01)
    with pytest.raises(Refused, match="no events in either group"):
        convert({"x1i": 0, "t1i": 20, "x2i": 0, "t2i": 3}, "IRR")


def test_rates_and_a_hazard_ratio() -> None:
    assert numbers(convert({"x1i": 10, "t1i": 100, "x2i": 20, "t2i": 100}, "IRR")) == close(
        log(0.5), 0.15
    )
    assert numbers(convert({"x1i": 10, "t1i": 100, "x2i": 20, "t2i": 100}, "IRD")) == close(
        -0.1, 0.003
    )
    found = convert({"estimate": 0.7, "low": 0.55, "high": 0.89, "p": 0.004}, "HR")
    assert found.measure == "HR" and found.yi == pytest.approx(log(0.7))


def test_a_printed_odds_ratio_serves_for_an_smd() -> None:
    found = convert({"or": 3.0, "or_low": 1.5, "or_high": 6.0}, "SMD")
    assert numbers(found) == close(
        *numbers(means.odds_ratio_as_smd(from_interval("OR", 3.0, 1.5, 6.0)))
    )


def test_a_refused_route_is_not_passed_over() -> None:
    with pytest.raises(Refused, match="far from symmetric"):
        convert({"estimate": 2.0, "low": 1.0, "high": 3.0, "se": 0.2}, "RR")


@pytest.mark.parametrize(
    ("figures", "wanted", "told"),
    [
        (
            {"estimate": 2.0},
            "OR",
            "one of these sets: ai bi ci di; or ai n1i ci n2i; or estimate low high",
        ),
        ({}, "HR", "There were none"),
        ({"estimate": 2.0, "lower": 1.0}, "OR", "unknown figures lower; the names are ai"),
        ({"estimate": 2.0, "se": 1.0}, "d", "choose one of OR, RR"),
        ({"estimate": 2.0, "p": "<0.05"}, "OR", "p must be a finite number"),
        ({"ai": 30, "n1i": 20, "ci": 3, "n2i": 30}, "RR", "a count is negative"),
        ({"p": 0.04, "n1i": 20, "n2i": 20}, "SMD", "p n1i n2i direction"),
        ({"f": 4, "n1i": 20, "n2i": 20, "direction": 0}, "SMD", "direction must be 1"),
        ({"f": -4, "n1i": 20, "n2i": 20, "direction": 1}, "SMD", "F can't be below zero"),
        ({"t": 2, "n1i": 1, "n2i": 20}, "SMD", "fewer than two people"),
        ({"t": 10**400, "n1i": 20, "n2i": 20}, "SMD", "too large"),
        ({"t": 1e200, "n1i": 20, "n2i": 20}, "SMD", "not estimable"),
        ({"r": 1.0, "n": 20}, "SMD", "between -1 and 1"),
        (
            {"m1i": 1, "sd1i": 0, "n1i": 9, "m2i": 2, "sd2i": 0, "n2i": 9},
            "SMD",
            "standard deviation",
        ),
    ],
)
def test_refusals_say_what_would_do(figures: dict[str, Any], wanted: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        convert(figures, wanted)


HOSTILE = st.one_of(
    st.floats(),
    st.floats(-3, 3),
    st.integers(-3, 60),
    st.sampled_from([0, 1, -1, 1e308, -1e308, 5e-324, 1e-160, 10**400, True, None, "2", nan, inf]),
)


@given(st.data())
def test_anything_at_all_gives_a_sound_result_or_a_refusal(data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(list(ROUTES)))
    route = data.draw(st.sampled_from(ROUTES[wanted]))
    extra = data.draw(st.lists(st.sampled_from(KEYS), max_size=2))
    figures = {key: data.draw(HOSTILE, label=key) for key in (*route.keys, *route.more, *extra)}
    try:
        found = convert(figures, wanted)
    except Refused as refusal:
        assert len(refusal.message) < 2000
        return
    assert found.measure == wanted
    assert isfinite(found.yi) and isfinite(found.vi) and found.vi > 0
    assert found.how and all(line.endswith(".") for line in found.how)


@given(st.data())
def test_other_hostile_input_gives_numbers_or_a_refusal(data: st.DataObject) -> None:
    numbers_of: list[Callable[[], Any]] = [
        lambda: absolute(Converted("RR", *draw(2), ()), *draw(2)),
        lambda: absolute(Converted("OR", *draw(2), ()), *draw(1)),
        lambda: inflated(Converted("MD", *draw(2), ()), *draw(3)),
        lambda: combined(Group(*draw(3)), Group(*draw(3))),
        lambda: means.change(Group(*draw(3)), Group(*draw(3)), *draw(1)),
        lambda: means.smd_as_correlation(Converted("SMD", *draw(2), ()), *draw(2)),
    ]

    def draw(count: int) -> list[Any]:
        return [data.draw(HOSTILE) for _ in range(count)]

    try:
        found = data.draw(st.sampled_from(numbers_of))()
    except Refused:
        return
    shown = [getattr(found, name) for name in type(found).__slots__]
    assert all(isfinite(value) for value in shown if isinstance(value, float))
