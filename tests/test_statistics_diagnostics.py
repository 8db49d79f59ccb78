"""Diagnostics of a pooled effect, and synthesis without one: golden cases, hand-made figures, laws."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import comb, isfinite, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.statistics.asymmetry import (
    begg,
    egger_classic,
    egger_mixed,
    fail_safe,
    harbord,
    peters,
    trim_and_fill,
)
from livereview.statistics.dependent import multilevel, robust
from livereview.statistics.diagnostics import cumulative, influence, leave_one_out
from livereview.statistics.pooling import pool, subgroups, tau2_interval
from livereview.statistics.rare import tables
from livereview.statistics.swim import combine, sign_test
from tests.test_statistics_pooling import BCG, CASES, ITERATIVE, LOG_RR, LOG_RR_V, assert_as, golden

WITH_EFFECTS = [path for path in CASES if "yi" in json.loads(path.read_text(encoding="utf-8"))]
NAMED = {
    "egger_mixed_sei": egger_mixed,
    "egger_classic_lm": egger_classic,
    "begg_rank": begg,
    "trimfill_DL_L0": lambda y, v: trim_and_fill(y, v, estimator="L0"),
    "trimfill_DL_R0": lambda y, v: trim_and_fill(y, v, estimator="R0"),
    "leave1out_REML_z": leave_one_out,
    "leave1out_REML_knha": lambda y, v: leave_one_out(y, v, test="knha"),
    "cumul_REML_z": cumulative,
    "cumul_DL_z": lambda y, v: cumulative(y, v, method="DL"),
}
# metafor's figures that are not figures: the noise of 0/0, and a fit that did not converge (its
# nulls are skipped)
NOISE = {("edge_identical", "egger_classic_lm")}
UNCONVERGED = {("nielweise2007_or_zero", "cumul_REML_z")}


@golden
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("path", WITH_EFFECTS, ids=lambda path: path.stem)
def test_diagnostics_are_as_metafors(path: Path, name: str) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    if name not in data:
        return
    found = NAMED[name](data["yi"], data["vi"])
    if (path.stem, name) in NOISE:
        assert found.stat is None and found.reason
        return
    wanted = data[name]
    if (path.stem, name) in UNCONVERGED:
        for column, values in wanted.items():
            kept = [i for i, value in enumerate(values) if value is not None]
            mine = [getattr(found, column)[i] for i in kept]
            assert mine == pytest.approx([values[i] for i in kept], rel=ITERATIVE, abs=1e-11)
        return
    assert_as(found, wanted, ITERATIVE, sorted(data["vi"])[len(data["vi"]) // 2])


@golden
@pytest.mark.parametrize("path", WITH_EFFECTS, ids=lambda path: path.stem)
def test_fail_safe_numbers_are_as_metafors(path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert fail_safe(data["yi"], data["vi"]) == data.get(
        "fsn_rosenthal", fail_safe(data["yi"], data["vi"])
    )


@golden
def test_votes_and_combined_p_values_are_as_rs() -> None:
    data = json.loads(
        next(path for path in CASES if path.stem == "swim_sign_test").read_text(encoding="utf-8")
    )
    for wanted in data["cases"]:
        assert_as(sign_test(wanted["x"], wanted["n"]), wanted, 1e-12)
    for wanted in data["fisher"]:
        assert_as(combine(wanted["p"]), {k: v for k, v in wanted.items() if k != "p"}, 1e-12)


def test_seven_of_eight_by_hand() -> None:
    found = sign_test(7, 8)
    assert found.p == pytest.approx(2 * (comb(8, 7) + 1) / 2**8)
    assert sign_test(0, 5).cp_ub == pytest.approx(1 - 0.025 ** (1 / 5))
    assert sign_test(6, 12).p == 1
    assert sign_test(0, 0).reason
    with pytest.raises(Refused, match="x <= n"):
        sign_test(3, 2)


def test_p_values_combined_by_hand() -> None:
    found = combine([0.5, 0.5, None])
    assert (found.chi2, found.df, found.stouffer_z) == (pytest.approx(4 * log(2)), 4, 0)
    assert found.p_comb == pytest.approx(0.25 * (1 + 2 * log(2)))
    assert combine([0.0, 0.5]).reason and combine([1.0, 0.5]).stouffer_z is None
    assert combine([]).reason
    with pytest.raises(Refused, match="between 0 and 1"):
        combine([1.5])


def test_influence_of_the_first_bcg_trial_as_printed_by_metafor() -> None:
    found = influence(LOG_RR, LOG_RR_V)
    first = [
        getattr(found, n)[0]
        for n in ("rstudent", "dffits", "cook_d", "cov_r", "tau2_del", "QE_del", "hat", "dfbs")
    ]
    assert first == pytest.approx(
        [-0.2181, -0.0407, 0.0017, 1.1164, 0.3362, 151.5826, 0.0506, -0.0403], abs=5e-5
    )
    assert sum(h for h in found.hat if h) == pytest.approx(1)
    assert not any(found.infl)
    assert influence([0.1, 0.2], [0.1, 0.1]).reason


def test_one_study_far_off_stands_out() -> None:
    assert influence([0.1, 0.12, 0.09, 0.11, 3.0], [0.01] * 5).infl == (
        False,
        False,
        False,
        False,
        True,
    )


def test_series_are_pooled_effects_of_parts() -> None:
    without = leave_one_out(LOG_RR, LOG_RR_V, test="knha")
    assert without.b[0] == pool(LOG_RR[1:], LOG_RR_V[1:], test="knha").b
    growing = cumulative(LOG_RR, LOG_RR_V)
    assert growing.b[-1] == pool(LOG_RR, LOG_RR_V).b
    assert growing.b[0] == pytest.approx(LOG_RR[0]) and growing.Q[0] == 0
    assert leave_one_out([0.1], [0.1]).b == ()


def weighted_line(x: Any, y: Any, w: Any) -> float:
    """t of the slope, by numpy's least squares."""
    x, y, root = np.asarray(x), np.asarray(y), np.sqrt(w)
    design = np.column_stack([root, root * x])
    b, rss, _, _ = np.linalg.lstsq(design, root * y, rcond=None)
    return float(b[1] / sqrt(rss[0] / (len(y) - 2) * np.linalg.inv(design.T @ design)[1, 1]))


def test_tests_of_asymmetry_against_plain_least_squares() -> None:
    a, b, c, d = (np.array(x, dtype=float) for x in BCG)
    n = a + b + c + d
    events, others = a + c, b + d
    line = weighted_line(1 / n, np.log(a * d / b / c), 1 / (1 / events + 1 / others))
    assert peters(*BCG).stat == pytest.approx(line)
    v = (a + b) * (c + d) * events * others / n**2 / (n - 1)
    z = a - (a + b) * events / n
    assert harbord(*BCG).stat == pytest.approx(weighted_line(1 / np.sqrt(v), z / v, v))
    classic = egger_classic(LOG_RR, LOG_RR_V)
    assert classic.stat == pytest.approx(
        weighted_line(np.sqrt(LOG_RR_V), LOG_RR, 1 / np.array(LOG_RR_V))
    )
    assert egger_mixed(LOG_RR, LOG_RR_V).stat == pytest.approx(-0.8033, abs=5e-5)
    assert begg(LOG_RR, LOG_RR_V).tau == pytest.approx(2 / 78, abs=5e-4)


def test_trim_and_fill_leaves_a_symmetric_funnel_alone_and_mirrors_a_lopsided_one() -> None:
    y, v = [-0.2, -0.1, 0.0, 0.1, 0.2], [0.1, 0.05, 0.01, 0.05, 0.1]
    assert trim_and_fill(y, v).k0 == 0
    lopsided = trim_and_fill(
        [0.0, 0.05, -0.04, 0.5, 0.8, 0.9], [0.01, 0.011, 0.012, 0.05, 0.09, 0.12]
    )
    assert lopsided.k0 and lopsided.side == "left" and len(lopsided.filled_yi) == lopsided.k0
    flipped = trim_and_fill(
        [0.0, -0.05, 0.04, -0.5, -0.8, -0.9], [0.01, 0.011, 0.012, 0.05, 0.09, 0.12]
    )
    assert flipped.side == "right" and flipped.b == pytest.approx(-(lopsided.b or 0))


def test_too_few_studies_and_flat_ones_are_named() -> None:
    for test in (egger_mixed, egger_classic, begg, trim_and_fill):
        assert "needs three studies" in (test([0.1, 0.2], [0.1, 0.2]).reason or "")
    assert "same" in (egger_mixed([0.1, 0.2, 0.3], [0.1] * 3).reason or "")
    assert begg([0.2, 0.2, 0.2], [0.1, 0.2, 0.3]).reason
    assert peters([1, 2], [3, 4], [1, 2], [3, 4]).reason
    assert harbord([0, 0, 0], [3, 4, 5], [0, 0, 0], [3, 4, 9]).reason
    assert fail_safe([], []) == 0
    assert egger_classic([0.1, 0.3, 0.2], [0.1, 0.2, 0.4]).cautions


@pytest.mark.parametrize(
    "call", [lambda: trim_and_fill([], [], estimator="Q0"), lambda: fail_safe([], [], alpha=1)]
)
def test_unknown_choices_are_refused(call: Any) -> None:
    with pytest.raises(Refused):
        call()


def finite(found: Any) -> bool:
    def sound(value: Any) -> bool:
        if isinstance(value, dict):
            return all(sound(x) for x in value.values())
        if isinstance(value, list | tuple):
            return all(sound(x) for x in value)
        return not isinstance(value, float) or isfinite(value)

    return sound(asdict(found)) if not isinstance(found, int) else True


ordinary = st.tuples(
    st.one_of(st.none(), st.floats(-10, 10), st.sampled_from([0.0, 0.25])),
    st.sampled_from([1e-6, 0.01, 0.02, 0.5, 30.0]),
)


@settings(max_examples=60)
@given(st.lists(ordinary, max_size=8), st.lists(st.sampled_from("abc"), min_size=8, max_size=8))
def test_no_diagnostic_ever_answers_with_a_nan(studies: Any, labels: Any) -> None:
    y, v = [a for a, _ in studies], [b for _, b in studies]
    labels = labels[: len(y)]
    for test in (*NAMED.values(), fail_safe, influence, tau2_interval):
        assert finite(test(y, v)), test
    assert finite(subgroups(y, v, labels)) and finite(multilevel(y, v, labels))
    for kind in ("CR1", "CR2"):
        assert finite(robust(y, v, labels, kind=kind))


count = st.one_of(st.none(), st.integers(0, 4), st.integers(0, 5000))


@settings(max_examples=100)
@given(
    st.lists(st.tuples(count, count, count, count), max_size=6),
    st.sampled_from(["OR", "RR", "RD", "PETO"]),
)
def test_no_table_ever_answers_with_a_nan(rows: Any, measure: str) -> None:
    columns = [[row[i] for row in rows] for i in range(4)]
    found = tables(measure, *columns)
    assert finite(found) and finite(peters(*columns)) and finite(harbord(*columns))
    assert (found.b is None) == bool(found.reason)
