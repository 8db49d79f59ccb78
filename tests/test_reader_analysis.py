"""The reader's own analysis: the browser's figures are the core's, and the page says whose they are."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import pytest

from livereview.evidence import checks
from livereview.evidence.forms import Extraction
from livereview.review import Methods, Moderator, Review
from livereview.statistics.pooling import pool, subgroups
from livereview.statistics.rare import MEASURES, tables
from livereview.statistics.tau2 import METHODS, TESTS
from livereview.summary import data, reader_analysis, site
from livereview.summary.snapshot import Snapshot
from tests import evidence
from tests.snapshots import snapshot
from tests.test_browser import CHROMIUM, FLAGS
from tests.test_statistics_pooling import BCG, CASES, LOG_RR, LOG_RR_V, case, close

chromium_needed = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; Debian's package `chromium` brings one"
)
golden = pytest.mark.skipif(not CASES, reason="the golden cases are not beside the project")
TOLERANCE = 1e-8
SHOWN = (
    *("k", "b", "se", "pval", "ci_lb", "ci_ub", "tau2", "I2", "H2", "QE", "QEp"),
    *("pi_lb", "pi_ub", "weights"),
)
"""What the script works out of a model."""

COUNTED = ("b", "se", "pval", "ci_lb", "ci_ub", "QE", "QEp", "I2")
CALL = "(calls) => calls.map(([name, ...values]) => window.core[name](...values))"
EXPORTS = "\nwindow.core = { pool, poolTables, between };"
AGE = Moderator("age", "Age", "category", "small children differ", True, ("young", "old"))

Core = Callable[[list[Any]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def core(browser: Any) -> Core:
    """The script's statistics: a list of [function, argument …] is answered in its order."""
    page = browser.new_page()
    page.set_content("<title>core</title>")
    text = (reader_analysis.TEMPLATES / "pooling.mjs").read_text("utf-8")
    page.add_script_tag(type="module", content=text + EXPORTS)
    page.wait_for_function("window.core")
    return lambda calls: page.evaluate(CALL, calls)


def differing(
    name: str, made: Any, wanted: Any, names: tuple[str, ...], scale: float = 1.0
) -> list[str]:
    """The figures that are not the same to 1e-8; `scale` says how small a variance counts as zero."""
    faults: list[str] = []
    for key in names:
        want = wanted.get(key) if isinstance(wanted, dict) else getattr(wanted, key)
        if isinstance(wanted, dict) and key not in wanted:
            continue
        if key != "weights" and isinstance(want, list):
            want = want[0]
        small = {"tau2": scale, "I2": 100.0}.get(key, 1.0)
        if not close(made.get(key), want, TOLERANCE, small):
            faults.append(f"{name}: {key} is {made.get(key)}, not {want}")
    return faults


@chromium_needed
@golden
def test_the_browser_pools_every_reference_case_as_metafor_does(core: Core) -> None:
    calls, wanted = [], []
    for path in CASES:
        content = case(path)
        for name, want in content.get("models", {}).items():
            method, test = name.split("/")
            scale = sorted(content["vi"])[len(content["vi"]) // 2]
            calls.append(["pool", content["yi"], content["vi"], method, test])
            wanted.append((f"{path.stem} {name}", want, SHOWN, scale))
        for measure, want in content.get("mantel_haenszel_peto", {}).items():
            columns = [content["raw"][name] for name in ("ai", "bi", "ci", "di")]
            rows = [list(row) for row in zip(*columns, strict=True)]
            calls.append(["poolTables", measure, rows])
            wanted.append((f"{path.stem} {measure}", want, COUNTED, 1.0))
    assert len(calls) > 800
    faults = [
        fault
        for made, (name, want, names, scale) in zip(core(calls), wanted, strict=True)
        for fault in differing(name, made, want, names, scale)
    ]
    assert faults == []


@chromium_needed
@golden
def test_the_browser_parts_groups_as_metafor_does(core: Core) -> None:
    tried = 0
    for path in CASES:
        content = case(path)
        wanted = content.get("subgroup")
        if not wanted:
            continue
        tried += 1
        calls = []
        for level in wanted["levels"]:
            rows = [i for i, group in enumerate(wanted["group"]) if group == level]
            columns = ([content[name][i] for i in rows] for name in ("yi", "vi"))
            calls.append(["pool", *columns, "REML", "z"])
        made = core(calls)
        for level, model in zip(wanted["levels"], made, strict=True):
            want = wanted["separate_tau2_REML"][level]
            assert differing(f"{path.stem} {level}", model, want, SHOWN) == []
        (test,) = core([["between", [[model["b"], model["se"]] for model in made]]])
        want = [wanted["Q_between_separate"], wanted["Q_between_p"]]
        assert close([test["q"], test["p"]], want, TOLERANCE)
    assert tried


def sets() -> Iterator[tuple[str, list[float], list[float]]]:
    """Effects of our own: a textbook's, one study, two, and such as chance makes them."""
    yield "textbook", list(LOG_RR), list(LOG_RR_V)
    yield "one", [0.4], [0.02]
    yield "two", [0.1, 0.9], [0.02, 0.03]
    yield "equal", [0.3, 0.3, 0.3], [0.1, 0.2, 0.3]
    chance = random.Random(20)
    for k in (3, 7, 60):
        spread = chance.uniform(0.01, 1)
        variances = [chance.uniform(0.005, 0.5) for _ in range(k)]
        yield f"chance {k}", [chance.gauss(0.2, (v + spread) ** 0.5) for v in variances], variances


@chromium_needed
def test_the_browser_pools_as_the_core_does(core: Core) -> None:
    calls, wanted = [], []
    for name, y, v in sets():
        for method in METHODS:
            for test in TESTS:
                for prediction in reader_analysis.PREDICTIONS:
                    calls.append(["pool", y, v, method, test, prediction])
                    model = pool(y, v, method=method, test=test, prediction=prediction)
                    wanted.append((f"{name} {method} {test} {prediction}", model, SHOWN))
    rows = [list(map(float, row)) for row in zip(*BCG, strict=True)]
    rare = [
        [0.0, 20.0, 3.0, 18.0],
        [0.0, 9.0, 0.0, 8.0],
        [1.0, 30.0, 4.0, 27.0],
        [2.0, 5.0, 0.0, 7.0],
    ]
    for measure in MEASURES:
        for counts in (rows, rare):
            calls.append(["poolTables", measure, counts])
            columns = list(zip(*counts, strict=True))
            wanted.append((f"{measure} {len(counts)}", tables(measure, *columns), COUNTED))
    faults = [
        fault
        for made, (name, want, names) in zip(core(calls), wanted, strict=True)
        for fault in differing(name, made, want, names)
    ]
    assert faults == []


def test_models_and_tests_offered_are_those_of_the_core() -> None:
    counted = set(reader_analysis.BY_COUNTS.values())
    assert set(reader_analysis.MODELS) - counted == set(METHODS)
    assert set(reader_analysis.TESTS) == set(TESTS)


# The page


def forms() -> tuple[Extraction, ...]:
    """Seven studies of wellbeing in two groups, three of them of children entering care too."""
    made = []
    for number, effect in enumerate((0.5, 0.6, 0.9, 1.1, 0.2, 0.7, 3.0)):
        half = 0.3 + number / 20
        sized = {
            "measure": "SMD",
            "effect": effect,
            "ci_low": effect - half,
            "ci_high": effect + half,
        }
        results = [{"outcome": "wellbeing", "construct": "it", "higher_is_better": True, **sized}]
        if number < 3:
            counts = {"ai": 3 + number, "bi": 40, "ci": 9, "di": 30 + number}
            more = {"outcome": "care", "construct": "entry", "measure": "RR", "reported": counts}
            results.append({**more, "higher_is_better": False})
        form = {
            "study": "abcdefg"[number],
            "label": f"{'ABCDEFG'[number]} 2020",
            "reports": [f"10.5555/{number}"],
            "results": results,
            "characteristics": {"age": "young" if number < 3 else "old"},
            "risk_of_bias_tool": "ROBINS-I",
            "risk_of_bias": {4: "serious", 6: "critical"}.get(number, "low"),
        }
        made.append(checks.from_json(form, asked(), "a form"))
    return tuple(made)


def asked() -> Review:
    return evidence.review(moderators=(AGE,), methods=Methods(estimator="DL"))


def world() -> Snapshot:
    return snapshot(*forms(), review=asked())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a version."""
    folder = tmp_path_factory.mktemp("version")
    for name, content in site.build(world(), 1, "first").files.items():
        (folder / name).write_bytes(content)
    return folder


def test_the_page_begins_with_the_reviews_own_choices() -> None:
    snap = world()
    findings = data.weigh(snap).findings
    care, wellbeing = reader_analysis.choices(snap, findings)
    assert (care["id"], wellbeing["id"]) == ("sos/care", "sos/wellbeing")
    assert wellbeing["start"] == {"model": "DL", "test": "adhoc", "prediction": "riley"}
    assert care["start"]["test"] == "z"  # three studies are fewer than the protocol's five
    assert [one["counted"] for one in wellbeing["studies"]].count(False) == 1
    assert all(one["counts"] is not None for one in care["studies"])
    for choice, finding in zip((care, wellbeing), findings, strict=True):
        used = [one for one in choice["studies"] if one["counted"]]
        start = choice["start"]
        model = pool(
            [one["y"] for one in used],
            [one["v"] for one in used],
            method=start["model"],
            test=start["test"],
        )
        assert finding.estimate is not None and model.b is not None
        null = finding.estimate.null
        expected = finding.estimate.value
        assert (exp(model.b) if null else model.b) == pytest.approx(expected, rel=1e-9)


def test_a_study_without_events_in_a_group_takes_part_by_its_counts_only() -> None:
    """No half event is made up: it has no size here, and the review's own model is begun with."""
    forms = [counted("a", 3, 9), counted("b", 0, 6), counted("c", 4, 8)]
    snap = snapshot(*forms, review=evidence.review())
    findings = data.weigh(snap).findings
    choice = reader_analysis.choices(snap, findings)[0]
    estimate = findings[0].estimate
    assert estimate is not None and estimate.model == "Mantel-Haenszel"
    assert choice["start"]["model"] == "MH"
    assert [one["y"] is None for one in choice["studies"]] == [False, True, False]
    assert all(one["counts"] for one in choice["studies"])
    made = tables("RR", *zip(*(one["counts"] for one in choice["studies"]), strict=True))
    assert made.b is not None and exp(made.b) == pytest.approx(estimate.value, rel=1e-9)


def counted(name: str, events: int, others: int) -> Extraction:
    """A study of children entering care by its counts, 40 children in each group."""
    reported = {"ai": events, "n1i": 40, "ci": others, "n2i": 40}
    result = {"outcome": "care", "construct": "entry", "measure": "RR", "reported": reported}
    form = {
        "study": name,
        "label": name,
        "reports": [f"10.5555/{name}"],
        "results": [{**result, "higher_is_better": False}],
    }
    return checks.from_json(form, evidence.review(), "a form")


def test_what_cannot_be_pooled_is_not_offered() -> None:
    one = snapshot(evidence.study("a", evidence.smd(0.5, 0.2)), review=evidence.review())
    assert reader_analysis.choices(one, data.weigh(one).findings) == ()
    page = site.build(one, 1, "first").files["analysis.html"].decode()
    assert "Nothing can be pooled yet" in page


def test_the_policy_allows_the_pages_own_script_and_nothing_else(built: Path) -> None:
    page = (built / "analysis.html").read_text("utf-8")
    (script,) = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in page[:1024]
    assert "script-src" not in (built / "index.html").read_text("utf-8")


@chromium_needed
def test_a_reader_leaves_studies_out_chooses_and_shares(built: Path, browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": 390, "height": 844})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    address = (built / "analysis.html").as_uri()
    page.goto(f"{address}#finding=sos/wellbeing&model=nonsense&without=nobody")
    said = page.locator("#result").inner_text
    assert "The review’s own figure is the same." not in said()  # all seven, the biased one too
    page.get_by_role("button", name="As the review does").click()
    assert "from 6 of 7 studies. The review’s own figure is the same." in said()
    assert page.locator("#rows tr.out").count() == 1

    page.get_by_role("button", name="Leave out high risk of bias").click()
    assert "from 5 of 7 studies" in said() and "The review’s own figure:" in said()
    page.get_by_label("A 2020").press("Space")
    assert "from 4 of 7 studies" in said()
    assert page.evaluate("document.activeElement.id") == "with-a"  # keys go on where they were
    page.get_by_label("Model").select_option("REML")
    page.get_by_label("In groups by").select_option("age")
    assert "Difference between the groups: Q" in page.locator("#further").inner_text()
    assert page.locator("#rows tr.group").count() == 2
    narrow = "() => document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(narrow)
    assert Axe().run(page).response["violations"] == []

    again = browser.new_page()
    again.goto(page.url)
    assert again.locator("#result").inner_text() == said()
    assert again.get_by_label("In groups by").input_value() == "age"
    again.get_by_label("Outcome").select_option("sos/care")
    assert "RR" in again.locator("#result").inner_text()
    again.get_by_label("Model").select_option("MH")
    kept = pool_of(forms())
    assert f"{kept:.2f}" in again.locator("#result").inner_text()
    assert problems == []
    page.close()
    again.close()


def pool_of(some: tuple[Extraction, ...]) -> float:
    """The Mantel-Haenszel risk ratio of entering care."""
    rows = [dict(result.reported) for form in some for result in form.results if result.reported]
    cells = [[row[name] for row in rows] for name in ("ai", "bi", "ci", "di")]
    made = tables("RR", *cells)
    assert made.b is not None
    return exp(made.b)


@chromium_needed
def test_without_scripts_it_says_so_and_shows_the_studies(built: Path, browser: Any) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto((built / "analysis.html").as_uri())
    text = page.locator("main").inner_text()
    assert "this page needs scripts" in text and "not the review’s" in text
    assert "0.50 (0.20 to 0.80)" in text
    assert not page.locator("#own").is_visible()
    plain.close()


def test_groups_are_pooled_as_the_core_pools_them() -> None:
    """The script pools each group by itself, as `subgroups` does with separate variances."""
    y, v, group = list(LOG_RR), list(LOG_RR_V), ["a", "b"] * 6 + ["a"]
    separate = dict(subgroups(y, v, group, method="DL").separate)
    own = pool(y[::2], v[::2], method="DL")
    assert separate["a"].b == own.b
    assert replace(separate["a"], left_out=()) == own
