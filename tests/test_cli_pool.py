"""livereview pool: a case in, JSON out.

Golden cases give their own answers back, bad input a clear word.
"""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from livereview.cli import pool as command
from tests.test_statistics_pooling import BCG, CASES, THREE_LEVEL, close, golden

NOT_ANSWERS = {"description", "escalc", "raw", "generator", "warnings", "influence_REML_z"}
# metafor's figures that are not figures: the noise of 0/0, and a fit that did not converge
NOISE = {("edge_identical", "egger_classic_lm"), ("nielweise2007_or_zero", "cumul_REML_z")}
TABLES = dict(zip(("ai", "bi", "ci", "di"), map(list, BCG), strict=True))


def run(*words: object, code: int = 0) -> Any:
    done = CliRunner().invoke(command.app, ["pool", *map(str, words)])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code == 0 else done.stderr


def written(folder: Path, data: Any, name: str = "case.json") -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def compare(found: Any, wanted: Any, where: str, tolerance: float, scale: float) -> None:
    """Every key of the golden case is in the answer, with its value."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            assert key in found, f"{where}.{key} is missing"
            compare(found[key], value, f"{where}.{key}", tolerance, scale)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for i, value in enumerate(wanted):
            compare(found[i], value, f"{where}[{i}]", tolerance, scale)
    else:
        small = scale if "tau2" in where or "sigma2" in where else 100.0 if "I2" in where else 1.0
        assert close(found, wanted, tolerance, small), f"{where}: {found} instead of {wanted}"


@golden
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_key_of_every_golden_case_comes_out(path: Path) -> None:
    wanted = json.loads(path.read_text(encoding="utf-8"))
    found = run(path, "--all")
    scale = max(wanted.get("vi") or [1.0])
    for key in wanted.keys() - NOT_ANSWERS:
        if (path.stem, key) in NOISE:
            assert key in found
            continue
        three_level = key in ("multilevel_REML", "robust_CR1", "robust_CR2_clubSandwich")
        loose = 1e-7 if (path.stem, key) == ("edge_tiny_scale", "tau2_ci_qprofile") else 1e-8
        compare(found.get(key, {}), wanted[key], key, THREE_LEVEL if three_level else loose, scale)


@golden
def test_answers_in_the_file_are_not_read(tmp_path: Path) -> None:
    data = json.loads(
        next(path for path in CASES if path.stem == "bcg_rr").read_text(encoding="utf-8")
    )
    lies = {**data, "yi": [0.0] * 13, "vi": [1.0] * 13, "models": {}, "metareg": {"moderators": {}}}
    assert run(written(tmp_path, lies), "--test", "z")["yi"] == pytest.approx(data["yi"])


def test_tables_of_counts_are_pooled_and_diagnosed(tmp_path: Path) -> None:
    found = run(written(tmp_path, {"id": "bcg", "measure": "RR", "raw": TABLES}))
    assert list(found["models"]) == ["REML/adhoc"]
    model = found["models"]["REML/adhoc"]
    assert model["b"] == [pytest.approx(-0.7145, abs=5e-5)]
    assert (model["pi_method"], model["pi_df"]) == ("t(12)", 12)
    assert found["mantel_haenszel_peto"]["RR"]["b"] == pytest.approx(-0.4537, abs=5e-5)
    assert {"peters", "harbord", "influence_REML_z", "leave1out_REML_z"} <= set(found)
    assert found["not_estimable"] == []


def test_all_gives_every_method_with_every_test(tmp_path: Path) -> None:
    models = run(written(tmp_path, {"yi": [0.1, 0.4, -0.2], "vi": [0.02, 0.05, 0.04]}), "--all")[
        "models"
    ]
    assert len(models) == 25
    assert "EE/z" in models and "PM/knha" in models


def test_moderators_groups_and_clusters_are_answered(tmp_path: Path) -> None:
    case = {
        "yi": [0.1, 0.4, -0.2, 0.3],
        "vi": [0.02, 0.05, 0.04, 0.03],
        "cluster": ["a", "a", "b", "c"],
        "group": ["x", "x", "y", "y"],
        "moderators": {"year": [1990, 2000, None, 2010]},
    }
    found = run(written(tmp_path, case), "--method", "DL", "--test", "z")
    assert found["metareg"]["models"]["DL/z"]["k"] == 3
    assert found["subgroup"]["levels"] == ["x", "y"]
    assert found["robust_CR1"]["df"] == 2 and found["multilevel_REML"]["m"] == 3
    assert found["cautions"][0]["what"] == "models"


def test_what_cannot_be_had_is_null_with_a_reason(tmp_path: Path) -> None:
    found = run(written(tmp_path, {"yi": [0.3, None], "vi": [0.04, 0.1]}))
    reasons = {entry["what"]: entry["reason"] for entry in found["not_estimable"]}
    assert found["left_out"] == [{"study": 2, "reason": "a number is missing"}]
    assert found["egger_classic_lm"]["stat"] is None and "egger_classic_lm" in reasons
    assert (
        found["models"]["REML/adhoc"]["se_tau2"] is None and "models.REML/adhoc.se_tau2" in reasons
    )
    empty = run(written(tmp_path, {"yi": [], "vi": []}), "--all")
    assert empty["models"]["PM/z"]["b"] == [None]


def test_votes_and_p_values_need_no_effects(tmp_path: Path) -> None:
    found = run(written(tmp_path, {"cases": [{"x": 7, "n": 8}], "fisher": [{"p": [0.5, 0.5]}]}))
    assert found["cases"][0]["p"] == 0.0703125
    assert found["fisher"][0]["df"] == 4


def test_a_sheet_of_effects(tmp_path: Path) -> None:
    sheet = written(
        tmp_path, "study,yi,vi,group,note\nA,0.1,0.02,x,hello\nB,0.9,0.03,y,\n", "effects.csv"
    )
    found = run(sheet, "--method", "DL", "--test", "z")
    assert found["models"]["DL/z"]["tau2"] == pytest.approx(0.295)
    assert found["subgroup"]["levels"] == ["x", "y"]


def test_a_sheet_of_ratios_with_their_limits(tmp_path: Path) -> None:
    rows = "Study;Estimate;CI_lower;CI_upper;year\nA;0.5;0.25;1.0;1990\nB;2;1.9;4;1991\n"
    found = run(written(tmp_path, rows, "ratios.csv"), "--ratio", "--moderator", "year")
    assert found["yi"] == pytest.approx([log(0.5), log(2)])
    assert found["vi"][0] == pytest.approx((log(4) / (2 * 1.959963984540054)) ** 2)
    assert found["notes"] == [
        "row 2: the estimate is not midway between its limits; is it a ratio or rounded?"
    ]
    assert found["metareg"]["moderators"]["year"] == [1990, 1991]


def test_a_sheet_of_counts(tmp_path: Path) -> None:
    rows = [
        "study,author,ai,bi,ci,di",
        *(f"{i},Doe,{a},{b},{c},{d}" for i, (a, b, c, d) in enumerate(zip(*BCG, strict=True))),
    ]
    found = run(written(tmp_path, "\n".join(rows), "counts.csv"), "--measure", "rr", "--test", "z")
    assert found["models"]["REML/z"]["tau2"] == pytest.approx(0.3132, abs=5e-5)
    assert "mantel_haenszel_peto" in found


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "is not JSON"),
        ("a.json", "[1]", "one JSON object"),
        ("a.json", "{}", '"measure" with "raw"'),
        ("a.json", '{"yi": [1]}', "no effects"),
        ("a.json", '{"yi": [1], "vi": [1, 2]}', "yi has 1 entries and vi 2"),
        ("a.json", '{"yi": ["x"], "vi": [1]}', "'x' is not a number"),
        ("a.json", '{"yi": 3, "vi": [1]}', "must be a list"),
        ("a.json", '{"yi": [1], "vi": [-1]}', "negative"),
        ("a.json", '{"yi": [1], "vi": [1], "cluster": ["a", "b"]}', "one label for each"),
        ("a.json", '{"yi": [1], "vi": [1], "moderators": {"year": []}}', "moderator year"),
        ("a.json", '{"yi": [1], "vi": [1], "raw": [1]}', "raw must be an object"),
        ("a.json", '{"measure": "QQ", "raw": {"ai": [1], "bi": [1]}}', "QQ"),
        (
            "a.json",
            '{"measure": "OR", "raw": {"ai": [1], "bi": [1, 2], "ci": [1], "di": [1]}}',
            "differ in length",
        ),
        ("a.json", '{"cases": [{"x": 3}]}', "favourable"),
        ("a.json", '{"cases": [{"x": 3, "n": 2}]}', "0 <= x <= n"),
        ("a.json", '{"fisher": [3]}', "one-sided"),
        ("a.csv", "study,yi\nA,1\n", "a sheet"),
        ("a.csv", "study,yi,vi\n", "no rows"),
        ("a.csv", "study,yi,vi\nA,1,2,3\n", "line 2: more cells"),
        ("a.csv", "study,estimate,ci_lower,ci_upper\nA,1,2,3\n", "does not lie between"),
    ],
)
def test_bad_input_is_refused_with_the_next_step(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    assert said in run(written(tmp_path, text, name), code=2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--method", "FE"), "EE, DL, HE"),
        (("--test", "t"), "z, knha, adhoc"),
        (("--level", "95"), "between 0 and 1"),
        (("--prediction", "no"), "matched, riley"),
    ],
)
def test_unknown_options_name_the_choices(
    tmp_path: Path, options: tuple[str, str], said: str
) -> None:
    case = written(tmp_path, {"yi": [0.1, 0.2], "vi": [0.1, 0.1]})
    assert said in run(case, *options, code=2)


def test_files_that_cannot_be_read_and_ratios_that_are_none(tmp_path: Path) -> None:
    assert "can't be read" in run(tmp_path / "none.json", code=2)
    (tmp_path / "a.csv").write_bytes(b"study,yi,vi\n\xff,1,1\n")
    assert "UTF-8" in run(tmp_path / "a.csv", code=2)
    sheet = written(tmp_path, "study,estimate,ci_lower,ci_upper\nA,-0.1,-0.2,0.3\n", "b.csv")
    assert "is not a ratio" in run(sheet, "--ratio", code=2)
    assert "no column dose" in run(sheet, "--moderator", "dose", code=2)
