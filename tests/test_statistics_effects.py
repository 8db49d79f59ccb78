"""Effect sizes: the golden results of metafor 5.1, worked examples of our own, and laws."""

from __future__ import annotations

import json
from math import isfinite, log, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.statistics.effects import COUNTS, MEASURES, TWO_BY_TWO, TWO_MEANS, escalc

CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "synthesis"
GOLDEN = sorted(CASES.glob("*.json")) if CASES.is_dir() else []


@pytest.mark.skipif(
    not GOLDEN, reason="the shared reference results of metafor are not on this machine"
)
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_effects_are_those_of_metafor(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    raw = {name: column for name, column in case.get("raw", {}).items() if name != "cluster"}
    if case.get("measure", "GEN") == "GEN":
        pytest.skip("this case gives effects, not what they come from")
    found = escalc(case["measure"], raw, **options(case.get("escalc") or ""))
    for ours, theirs in ((found.yi, case["yi"]), (found.vi, case["vi"])):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-14)


def options(text: str) -> dict[str, Any]:
    return {
        **({"to": "all"} if "to='all'" in text else {}),
        **({"vtype": "UB"} if "UB" in text else {}),
    }


def one(
    measure: str, columns: tuple[str, ...], *values: float | None, **more: Any
) -> tuple[Any, Any, Any]:
    found = escalc(
        measure, {name: [value] for name, value in zip(columns, values, strict=True)}, **more
    )
    return found.yi[0], found.vi[0], found.notes[0]


@pytest.mark.parametrize(
    ("measure", "values", "effect", "variance"),
    [
        ("OR", (10, 20, 5, 25), log(2.5), 1 / 10 + 1 / 20 + 1 / 5 + 1 / 25),
        ("RR", (10, 20, 5, 25), log(2), 1 / 10 - 1 / 30 + 1 / 5 - 1 / 30),
        ("RD", (10, 20, 5, 25), 10 / 30 - 5 / 30, (1 / 3 * 2 / 3 + 1 / 6 * 5 / 6) / 30),
        (
            "OR",
            (0, 20, 5, 25),
            log(0.5 * 25.5 / (20.5 * 5.5)),
            1 / 0.5 + 1 / 20.5 + 1 / 5.5 + 1 / 25.5,
        ),
        ("PETO", (10, 20, 5, 25), 2.5 / (15 * 45 * 900 / 3600 / 59), 59 * 3600 / (15 * 45 * 900)),
        ("PHI", (10, 20, 20, 10), -1 / 3, (1 - 1 / 9) / 60),
    ],
)
def test_tables_by_hand(
    measure: str, values: tuple[float, ...], effect: float, variance: float
) -> None:
    assert one(measure, TWO_BY_TWO, *values)[:2] == pytest.approx((effect, variance), rel=1e-12)


def test_means_by_hand() -> None:
    """Borenstein 2009, table 4.1: means 103 and 100, SDs 5.5 and 4.5, 50 in each group."""
    values = (103, 5.5, 50, 100, 4.5, 50)
    assert one("MD", TWO_MEANS, *values)[:2] == pytest.approx((3.0, (5.5**2 + 4.5**2) / 50))
    g, v, _ = one("SMD", TWO_MEANS, *values)
    assert g == pytest.approx(0.5924, abs=2e-4) and v == pytest.approx(0.0411, abs=8e-4)
    assert one("SMDH", TWO_MEANS, *values)[0] == pytest.approx(g)


def test_group_sizes_serve_for_the_second_count() -> None:
    sizes = {"ai": [10.0], "n1i": [30.0], "ci": [5.0], "n2i": [30.0]}
    counts = {"ai": [10.0], "bi": [20.0], "ci": [5.0], "di": [25.0]}
    assert escalc("OR", sizes) == escalc("OR", counts)
    assert escalc("PR", {"xi": [3.0], "mi": [7.0]}) == escalc("PR", {"xi": [3.0], "ni": [10.0]})


@pytest.mark.parametrize(
    ("to", "corrected"),
    [
        ("only0", (True, False)),
        ("all", (True, True)),
        ("if0all", (True, True)),
        ("none", (False, False)),
    ],
)
def test_where_a_half_is_added(to: str, corrected: tuple[bool, bool]) -> None:
    table = {"ai": [0.0, 10.0], "bi": [20.0, 20.0], "ci": [5.0, 5.0], "di": [25.0, 25.0]}
    found = escalc("OR", table, to=to)
    plain = log(10 * 25 / (20 * 5))
    assert (found.yi[0] is not None) == corrected[0]
    assert (found.yi[1] != pytest.approx(plain)) == corrected[1]
    if to == "none":
        assert "a zero" in str(found.notes[0])


def test_a_table_without_any_contrast_is_dropped_on_request_and_said_so() -> None:
    assert one("OR", TWO_BY_TWO, 0, 20, 0, 25)[0] is not None
    y, v, note = one("OR", TWO_BY_TWO, 0, 20, 0, 25, drop00=True)
    assert (y, v) == (None, None) and "no events, or only events, in both groups" in note


@pytest.mark.parametrize(
    ("measure", "columns", "values", "why"),
    [
        ("OR", TWO_BY_TWO, (-1, 20, 5, 25), "negative"),
        ("OR", TWO_BY_TWO, (None, 20, 5, 25), "missing"),
        ("RD", TWO_BY_TWO, (float("nan"), 20, 5, 25), "missing"),
        ("SMD", TWO_MEANS, (1, 0, 10, 2, 0, 10), "standard deviation"),
        ("MD", TWO_MEANS, (1, 1, 1, 2, 1, 10), "fewer than two"),
        ("ROM", TWO_MEANS, (-1, 1, 10, 2, 1, 10), "different signs"),
        ("PR", COUNTS, (11, 10), "larger than its number"),
        ("ZCOR", ("ri", "ni"), (1.0, 10), "between -1 and 1"),
        ("ZCOR", ("ri", "ni"), (0.5, 3), "fewer than 4"),
        (
            "SMCC",
            ("m1i", "m2i", "sd1i", "sd2i", "ni", "ri"),
            (1, 2, 1, 1, 10, 1.0),
            "standard deviation",
        ),
        ("GEN", ("yi", "vi"), (1, 0), "not above zero"),
        ("IRR", ("x1i", "t1i", "x2i", "t2i"), (3, -10, 4, 10), "person-time"),
    ],
)
def test_what_cant_be_estimated_is_named(
    measure: str, columns: tuple[str, ...], values: Any, why: str
) -> None:
    y, v, note = one(measure, columns, *values)
    assert (y, v) == (None, None) and note.startswith("not estimable: ") and why in note


def test_a_table_that_is_wrong_as_a_whole_is_refused() -> None:
    with pytest.raises(Refused, match="unknown measure 'ODDS'; choose one of GEN, OR"):
        escalc("ODDS", {})
    with pytest.raises(
        Refused, match="OR needs the columns ai bi ci di; bi is missing, there are ai"
    ):
        escalc("OR", {"ai": [1]})
    with pytest.raises(Refused, match="different length"):
        escalc("MD", {"m1i": [1], "sd1i": [1], "n1i": [2], "m2i": [1, 2], "sd2i": [1], "n2i": [3]})
    with pytest.raises(Refused, match="ai has 1 studies and n1i 2"):
        escalc("OR", {"ai": [1], "n1i": [5, 6], "ci": [1], "n2i": [5]})
    with pytest.raises(Refused, match="vtype must be one of LS, UB"):
        escalc("SMD", {}, vtype="XX")
    assert one("PR", COUNTS, 0, 10, to="none")[2] == "not estimable: its variance is not above zero"
    assert "negative" in one("OR", TWO_BY_TWO, -1, 20, 5, 25, to="all", add=2)[2]
    with pytest.raises(Refused, match="`to` must be one of only0"):
        escalc("OR", {}, to="some")


NUMBERS = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-3, 10**6).map(float)
)


@given(st.sampled_from(sorted(MEASURES)), st.lists(st.tuples(*[NUMBERS] * 6), max_size=3))
def test_no_input_gives_nan_or_an_exception(measure: str, rows: list[tuple[Any, ...]]) -> None:
    columns = MEASURES[measure].columns
    found = escalc(measure, {name: [row[n] for row in rows] for n, name in enumerate(columns)})
    for y, v, note in zip(found.yi, found.vi, found.notes, strict=True):
        assert (y is None) == (v is None) == (note is not None)
        assert y is None or (isfinite(y) and isfinite(v))


CELL = st.integers(1, 500).map(float)


@given(CELL, CELL, CELL, CELL)
def test_swapping_the_arms_turns_the_sign(a: float, b: float, c: float, d: float) -> None:
    for measure in ("OR", "RR", "RD", "PETO", "OR2DL", "PHI"):
        y, v, _ = one(measure, TWO_BY_TWO, a, b, c, d)
        back, same, _ = one(measure, TWO_BY_TWO, c, d, a, b)
        assert back == pytest.approx(-y, abs=1e-9) and same == pytest.approx(v)


@given(
    st.floats(0.1, 50),
    st.floats(0.1, 50),
    st.floats(0.5, 9),
    st.floats(0.5, 9),
    st.floats(0.01, 100),
)
def test_a_change_of_unit_scales_the_difference_and_leaves_the_standardised_one(
    m1: float, m2: float, sd1: float, sd2: float, unit: float
) -> None:
    for measure, power in (("MD", 1), ("SMD", 0), ("SMDH", 0), ("ROM", 0)):
        y, v, _ = one(measure, TWO_MEANS, m1, sd1, 20, m2, sd2, 30)
        there, w, _ = one(measure, TWO_MEANS, m1 * unit, sd1 * unit, 20, m2 * unit, sd2 * unit, 30)
        assert there == pytest.approx(y * unit**power, rel=1e-9, abs=1e-9)
        assert sqrt(w) == pytest.approx(sqrt(v) * unit**power, rel=1e-9)
