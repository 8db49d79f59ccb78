"""Pooled effects: every golden case of metafor's, textbook figures, and laws that hold for any
studies.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from math import isfinite, log, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.statistics.dependent import multilevel, robust
from livereview.statistics.metareg import regress
from livereview.statistics.pooling import Pooled, pool, subgroups, tau2_interval
from livereview.statistics.rare import tables
from livereview.statistics.tau2 import METHODS, TESTS

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "data" / "synthesis"
CASES = sorted(GOLDEN.glob("*.json"))
golden = pytest.mark.skipif(not CASES, reason="the golden cases are not beside the project")
ITERATIVE, THREE_LEVEL = 1e-8, 1e-5
CLOSED = {"EE": 1e-12, "DL": 1e-12, "HE": 1e-12, "HS": 1e-12, "SJ": 1e-12}

# BCG vaccine and tuberculosis, 13 trials: Colditz and others, JAMA 1994;271:698-702
VACCINATED = (4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27)
WELL = (119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886)
OTHERS = (11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29)
OTHERS_WELL = (128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825)
BCG = (VACCINATED, WELL, OTHERS, OTHERS_WELL)
LOG_RR = [log(a / (a + b) / (c / (c + d))) for a, b, c, d in zip(*BCG, strict=True)]
LOG_RR_V = [1 / a - 1 / (a + b) + 1 / c - 1 / (c + d) for a, b, c, d in zip(*BCG, strict=True)]
LATITUDE = (44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33)


def close(found: Any, wanted: Any, tolerance: float, scale: float = 1.0) -> bool:
    """Equal up to a relative tolerance.

    Below it, `scale` says how small a number counts as zero.
    """
    if wanted is None or found is None or isinstance(wanted, str):
        return bool(found == wanted)
    if isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(
            close(a, b, tolerance, scale) for a, b in zip(found, wanted, strict=True)
        )
    return abs(found - wanted) <= tolerance * max(abs(wanted), 1e-3 * scale)


def assert_as(found: Any, wanted: dict[str, Any], tolerance: float, scale: float = 1.0) -> None:
    for name, value in wanted.items():
        mine = getattr(found, name)
        if isinstance(value, list) and not isinstance(mine, tuple):
            value = value[0]
        small = {"tau2": scale, "sigma2": scale, "I2": 100.0}.get(name, 1.0)
        assert close(mine, value, tolerance, small), f"{name}: {mine} instead of {value}"


def case(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@golden
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_models_are_as_metafors(path: Path) -> None:
    data = case(path)
    for name, wanted in data.get("models", {}).items():
        method, test = name.split("/")
        scale = sorted(data["vi"])[len(data["vi"]) // 2]
        assert_as(
            pool(data["yi"], data["vi"], method=method, test=test),
            wanted,
            CLOSED.get(method, ITERATIVE),
            scale,
        )


@golden
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_q_profiles_are_as_metafors(path: Path) -> None:
    data = case(path)
    if wanted := data.get("tau2_ci_qprofile"):
        # metafor's own search stops within about 2e-8 of effects as small as 1e-4
        tolerance = 1e-7 if path.stem == "edge_tiny_scale" else ITERATIVE
        assert_as(tau2_interval(data["yi"], data["vi"]), wanted, tolerance, max(data["vi"]))


@golden
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_regressions_and_subgroups_are_as_metafors(path: Path) -> None:
    data = case(path)
    for name, wanted in data.get("metareg", {}).get("models", {}).items():
        method, test = name.split("/")
        found = regress(
            data["yi"], data["vi"], data["metareg"]["moderators"], method=method, test=test
        )
        assert_as(found, wanted, ITERATIVE)
    if wanted := data.get("subgroup"):
        groups = subgroups(data["yi"], data["vi"], wanted["group"])
        assert list(groups.levels) == wanted["levels"]
        assert_as(groups.common, wanted["common_tau2_mixed_REML"], ITERATIVE)
        for level, model in groups.separate:
            assert_as(model, wanted["separate_tau2_REML"][level], ITERATIVE)
        assert close(
            [groups.q, groups.q_p], [wanted["Q_between_separate"], wanted["Q_between_p"]], ITERATIVE
        )


@golden
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_tables_are_as_metafors(path: Path) -> None:
    data = case(path)
    for measure, wanted in data.get("mantel_haenszel_peto", {}).items():
        assert_as(
            tables(measure, *(data["raw"][name] for name in ("ai", "bi", "ci", "di"))),
            wanted,
            1e-12,
        )


@golden
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_dependent_effects_are_as_metafors_and_clubsandwichs(path: Path) -> None:
    data = case(path)
    if "multilevel_REML" not in data:
        return
    effects = tuple(data["raw"][name] for name in ("yi", "vi", "cluster"))
    assert_as(multilevel(*effects), data["multilevel_REML"], THREE_LEVEL)
    assert_as(robust(*effects), data["robust_CR1"], THREE_LEVEL)
    assert_as(robust(*effects, working="independent"), data["robust_CR1_on_rma_REML"], 1e-10)
    assert_as(robust(*effects, kind="CR2"), data["robust_CR2_clubSandwich"], THREE_LEVEL)


def test_two_studies_by_hand() -> None:
    ee, dl = (pool([0.1, 0.9], [0.02, 0.03], method=method) for method in ("EE", "DL"))
    assert (ee.b, ee.se, ee.QE) == pytest.approx((0.42, sqrt(0.012), 12.8), rel=1e-14)
    assert (dl.tau2, dl.b, dl.I2) == pytest.approx((0.295, 0.49375, 92.1875), rel=1e-14)
    assert dl.weights == pytest.approx((50.78125, 49.21875), rel=1e-14)


def test_bcg_as_in_textbooks() -> None:
    """Figures printed in Viechtbauer, J Stat Softw 2010;36(3)."""
    found = pool(LOG_RR, LOG_RR_V, method="REML", test="z")
    assert (found.b, found.se, found.tau2) == pytest.approx((-0.7145, 0.1798, 0.3132), abs=5e-5)
    assert pytest.approx((152.2330, 92.22), abs=5e-3) == (found.QE, found.I2)
    moderated = regress(LOG_RR, LOG_RR_V, {"latitude": LATITUDE}, method="REML")
    assert moderated.b == pytest.approx((0.2515, -0.0291), abs=5e-5)
    assert moderated.tau2 == pytest.approx(0.0764, abs=1e-4)  # printed after a looser search


def test_one_table_is_its_own_odds_ratio() -> None:
    found = tables("OR", [10], [90], [20], [80])
    assert found.b == pytest.approx(log(10 * 80 / (90 * 20)))
    assert found.se == pytest.approx(sqrt(1 / 10 + 1 / 90 + 1 / 20 + 1 / 80))
    assert tables("RD", [10], [90], [20], [80]).b == pytest.approx(-0.1)


def test_prediction_intervals_are_named() -> None:
    by_t = pool(LOG_RR, LOG_RR_V, test="z", prediction="riley")
    assert (by_t.pi_method, by_t.pi_df) == ("t(11)", 11)
    assert by_t.pi_lb == pytest.approx(-2.008, abs=1e-3)
    assert pool(LOG_RR, LOG_RR_V, test="z").pi_method == "normal"
    assert pool(LOG_RR, LOG_RR_V, test="knha").pi_df == 12
    assert dict(pool([0.1, 0.2], [0.1, 0.1], prediction="riley").not_estimable)["pi_lb"].startswith(
        "2 studies"
    )
    assert pool([0.1, 0.2], [0.1, 0.1]).cautions


def test_adhoc_is_never_narrower_than_z() -> None:
    data = [0.21, 0.25, 0.19, 0.3, 0.22, 0.27], [0.05, 0.04, 0.06, 0.08, 0.03, 0.07]
    z, knha, adhoc = (pool(*data, test=test).se for test in ("z", "knha", "adhoc"))
    assert knha is not None and z is not None and knha < z
    assert adhoc == z


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("test", TESTS)
def test_no_study_and_one_study_have_defined_answers(method: str, test: str) -> None:
    nothing = pool([], [], method=method, test=test)
    assert (nothing.k, nothing.b) == (0, None)
    assert "no study" in dict(nothing.not_estimable)["b"]
    one = pool([0.3], [0.04], method=method, test=test)
    assert (one.b, one.tau2, one.I2, one.dfs) == (pytest.approx(0.3), 0, 0, None)


@pytest.mark.parametrize("method", METHODS)
def test_identical_effects_have_no_heterogeneity_and_no_knapp_hartung(method: str) -> None:
    found = pool([0.25] * 5, [0.01, 0.02, 0.03, 0.04, 0.05], method=method, test="knha")
    assert (found.tau2, found.QE, found.QEp, found.se, found.stat) == (0, 0, 1, 0, None)
    assert "no spread" in dict(found.not_estimable)["stat"]


def test_studies_without_numbers_are_left_out_and_named() -> None:
    found = pool([0.1, None, 0.3, float("nan"), 0.2], [0.1, 0.1, 0.2, 0.1, 0.0])
    assert found.k == 2
    assert [place for place, _ in found.left_out] == [1, 3, 4]
    assert "zero" in dict(found.left_out)[4]


@pytest.mark.parametrize(
    ("yi", "vi", "said"),
    [
        ([0.1], [0.1, 0.2], "as many"),
        ([0.1, 0.2], [0.1, -0.2], "negative"),
        ([0.1, float("inf")], [0.1, 0.2], "units"),
    ],
)
def test_impossible_numbers_are_refused(yi: list[float], vi: list[float], said: str) -> None:
    with pytest.raises(Refused, match=said):
        pool(yi, vi)


@pytest.mark.parametrize(
    "wrong", [{"method": "FE"}, {"test": "t"}, {"level": 95}, {"prediction": "t"}]
)
def test_unknown_choices_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"must be one of|between 0 and 1"):
        pool([0.1], [0.1], **wrong)


def test_collinear_moderators_are_not_estimable() -> None:
    found = regress(LOG_RR, LOG_RR_V, {"a": LATITUDE, "b": [2 * x for x in LATITUDE]})
    assert found.b == (None, None, None)
    assert "told apart" in dict(found.not_estimable)["b"]
    assert regress([0.1, 0.2], [0.1, 0.1], {"a": [1, 2], "b": [3, 9]}).b == (None, None, None)


def test_subgroups_of_one_and_of_none() -> None:
    found = subgroups([0.1, 0.5, 0.3], [0.1, 0.1, 0.1], ["a", "b", None])
    assert [model.k for _, model in found.separate] == [1, 1]
    assert found.q == pytest.approx(0.4**2 / 0.2)
    alone = subgroups([0.1, 0.5], [0.1, 0.1], ["a", "a"])
    assert alone.q is None and alone.reason


def test_tables_that_say_nothing_are_dropped() -> None:
    found = tables("OR", [0, 5, 4], [20, 15, 0], [0, 8, 4], [20, 12, 0])
    assert (found.k, found.dropped) == (1, (0, 2))
    assert tables("OR", [0], [9], [0], [9]).reason
    assert tables("OR", [0], [9], [3], [9]).reason
    assert tables("PETO", [0], [9], [3], [9]).b is not None
    with pytest.raises(Refused, match="counts"):
        tables("OR", [-1], [9], [3], [9])


def test_clusters_that_can_t_tell_say_so() -> None:
    assert multilevel([0.1, 0.2], [0.1, 0.1], ["a", "a"]).reason
    assert multilevel([0.1, 0.2], [0.1, 0.1], ["a", "b"]).reason
    assert robust([0.1, 0.2], [0.1, 0.1], ["a", "a"]).reason
    assert robust([0.2, 0.2, 0.2], [0.1, 0.1, 0.2], ["a", "b", "b"]).reason
    same = multilevel([0.2, 0.2, 0.2], [0.1, 0.1, 0.2], ["a", "b", "b"])
    assert same.b == pytest.approx(0.2) and same.sigma2 == (0, 0)


def test_cr1_with_one_effect_a_cluster_is_the_plain_sandwich() -> None:
    y, v = [0.1, 0.4, -0.2, 0.3], [0.04, 0.05, 0.04, 0.02]
    found = robust(y, v, "abcd", working="independent")
    mean = pool(y, v)
    assert mean.b is not None and mean.tau2 is not None
    w = [1 / (x + mean.tau2) for x in v]
    square = sum((a * (x - mean.b)) ** 2 for a, x in zip(w, y, strict=True)) / sum(w) ** 2
    assert found.se == pytest.approx(sqrt(square * 4 / 3))
    assert found.df == 3


effect = st.floats(-5, 5, allow_subnormal=False)
variance = st.floats(1e-4, 10)
several = st.lists(st.tuples(effect, variance), min_size=2, max_size=12)
methods = st.sampled_from(METHODS)
tests = st.sampled_from(TESTS)


def unzip(studies: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [y for y, _ in studies], [v for _, v in studies]


@settings(max_examples=60)
@given(several, methods, tests, st.randoms())
def test_order_of_studies_is_irrelevant(studies: Any, method: str, test: str, chance: Any) -> None:
    mixed = list(studies)
    chance.shuffle(mixed)
    one, two = (pool(*unzip(x), method=method, test=test) for x in (studies, mixed))
    assert one.b == pytest.approx(two.b, rel=1e-6, abs=1e-6)
    assert one.tau2 == pytest.approx(two.tau2, rel=1e-6, abs=1e-6)


@settings(max_examples=60)
@given(several)
def test_a_study_in_two_halves_pools_the_same(studies: Any) -> None:
    (y, v), *rest = studies
    whole, halves = (
        pool(*unzip(x), method="EE") for x in (studies, [(y, 2 * v), (y, 2 * v), *rest])
    )
    assert (whole.b, whole.se) == pytest.approx((halves.b, halves.se), rel=1e-9, abs=1e-9)
    assert pytest.approx(halves.QE, rel=1e-9, abs=1e-9) == whole.QE


@settings(max_examples=60)
@given(several, methods, tests, st.sampled_from([1e-4, 0.01, 32.0, 1e6]))
def test_a_change_of_units_changes_nothing_else(
    studies: Any, method: str, test: str, unit: float
) -> None:
    y, v = unzip(studies)
    one = pool(y, v, method=method, test=test)
    two = pool([unit * x for x in y], [unit**2 * x for x in v], method=method, test=test)
    assert two.b == pytest.approx(one.b * unit, rel=1e-6, abs=1e-6 * unit)  # type: ignore[operator]
    assert two.tau2 == pytest.approx(one.tau2 * unit**2, rel=1e-6, abs=1e-6 * unit**2)  # type: ignore[operator]
    assert pytest.approx(one.I2, rel=1e-6, abs=1e-6) == two.I2


number = st.one_of(st.none(), st.just(float("nan")), st.floats(-1e30, 1e30))
above = st.one_of(st.none(), st.floats(0, 1e30))


@settings(max_examples=200)
@given(st.lists(st.tuples(number, above), max_size=6), methods, tests)
def test_answers_are_finite_or_none_with_a_reason(studies: Any, method: str, test: str) -> None:
    y, v = unzip(studies)
    for found in (
        pool(y, v, method=method, test=test),
        regress(y, v, {"x": y}, method=method, test=test),
    ):
        named = {name for name, _ in found.not_estimable}
        for name, value in asdict(found).items():
            values = value if isinstance(value, tuple) else (value,)
            assert all(isfinite(x) for x in values if isinstance(x, float))
            if value is None and found.b not in (None, (None, None)):
                assert name in named | {"dfs", "R2", "pi_df", "pi_method"}
    assert found.b or named


def test_a_pooled_effect_carries_every_name_of_the_golden_cases() -> None:
    wanted = "k b se stat pval ci_lb ci_ub tau2 se_tau2 I2 H2 QE QEp QM QMp QMdf dfs logLik AIC BIC pi_lb pi_ub weights"
    assert set(re.findall(r"\w+", wanted)) <= {field.name for field in fields(Pooled)}
