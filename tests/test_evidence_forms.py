"""Reading extraction forms: everything that is wrong is told at once, with its place and the valid
choices.
"""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import review_toml
from livereview.cells import csv_text
from livereview.errors import Refused
from livereview.evidence import checks, forms, sheets
from livereview.evidence.forms import EmmieFinding, Extraction, Result
from tests.snapshots import review

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "youth_homelessness" / "effect_size_results.csv"
FORM = {
    "study": "smith-2019",
    "label": "Smith 2019",
    "reports": ["10.1000/a"],
    "year": 2019,
    "participants": 120,
    "results": [
        {"outcome": "well", "construct": "a scale", "measure": "SMD", "effect": 0.2, "ci_low": -0.1, "ci_high": 0.5,
         "n": 110, "higher_is_better": True},
    ],
    "findings": [{"dimension": "implementation", "text": "Staff turned over.", "polarity": "barrier", "quality": 2}],
}  # fmt: skip


def read(**changes):
    return checks.from_json({**FORM, **changes}, review(), "form.json")


def problems(**changes):
    with pytest.raises(Refused) as refused:
        read(**changes)
    return str(refused.value)


def with_result(**changes):
    return {"results": [{**FORM["results"][0], **changes}]}


def test_a_good_form_is_read_and_written_back_the_same():
    form = read()
    assert form.results == (
        Result("well", "a scale", None, "SMD", 0.2, -0.1, 0.5, 110, higher_is_better=True),
    )
    assert form.findings == (
        EmmieFinding("implementation", "Staff turned over.", quality=2, polarity="barrier"),
    )
    assert form.reports == ("10.1000/a",)
    assert checks.from_json(json.dumps(forms.to_json(form)), review(), "again") == form


def test_null_and_an_absent_key_both_mean_not_reported():
    words = {
        "outcome": "well",
        "construct": "a scale",
        "direction": "favours_intervention",
        "n": 110,
    }
    nothing = {
        "effect": None,
        "ci_low": None,
        "ci_high": None,
        "measure": None,
        "higher_is_better": None,
    }
    assert read(country=None, results=[{**words, **nothing}]) == read(results=[words])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"study": "Smith 2019"}, "study: must be small letters, digits and single hyphens"),
        ({"label": "  "}, "label: must be given"),
        ({"reports": []}, "reports: must list at least one report"),
        ({"reports": ["a", "a"]}, "reports: names the same report twice"),
        ({"year": 1066}, "year: must be a whole number from 1900 to 2100"),
        ({"participants": 0}, "participants: must be a whole number from 1"),
        ({"participants": True}, "participants: must be a number"),
        ({"area": "magic"}, "area: must be one of mentoring, not 'magic'"),
        ({"risk_of_bias": "fine"}, "risk_of_bias: must be one of low, some_concerns, moderate, high, serious"),
        ({"form_version": "9"}, "form_version: must be one of 1"),
        ({"colour": "red"}, "colour: unknown; the keys are study, label"),
        ({"caution": "a\x00b"}, "caution: holds a control character"),
        ({"results": {}}, "results: must be a list"),
        ({"results": ["x"]}, "results[0]: must be an object"),
        (with_result(outcome="income"), "results[0].outcome: must be one of care, well, not 'income'"),
        (with_result(direction="good"), "results[0].direction: must be one of favours_intervention,"),
        (with_result(ci_low=0.3), "results[0]: must be ci_low <= effect <= ci_high, not 0.3 <= 0.2 <= 0.5"),
        (with_result(ci_low=None), "results[0]: give both ci_low and ci_high"),
        (with_result(effect=float("nan")), "results[0].effect: must be a finite number"),
        (with_result(effect="0.2"), "results[0].effect: must be a number, not '0.2'"),
        (with_result(measure=None), "results[0].measure: must be given where there is an effect"),
        (with_result(measure="a ruler"), "results[0].measure: must be one of SMD, MD, ROM, COR, OR, RR, HR, IRR, RD"),
        (with_result(higher_is_better=None), "results[0].higher_is_better: must be given with SMD"),
        (with_result(higher_is_better="yes"), "results[0].higher_is_better: must be true or false, not 'yes'"),
        (with_result(direction="favours_comparison"),
         "results[0].direction: favours_comparison contradicts SMD 0.2, which says favours_intervention"),
        (with_result(direction="no_difference"), "results[0].direction: no_difference contradicts SMD 0.2"),
        ({"results": [{"outcome": "well", "construct": "x"}]}, "results[0].direction: must be given where no size is"),
        (with_result(time=12), "results[0].time: give both time and time_unit, or neither"),
        (with_result(time=12, time_unit="moons"), "results[0].time_unit: must be one of days, weeks, months, years"),
        (with_result(clustered=True), "results[0].analysed: must be given with clustered = true"),
        (with_result(clustered=True, analysed="individuals"), "needs icc and cluster_size"),
        (with_result(kind="luck"), "results[0].kind: must be one of benefit, harm, service_use, cost"),
        (with_result(comparison="x"), "results[0].comparison: must be one of none (the protocol has no comparisons)"),
        (with_result(n=-3), "results[0].n: must be a whole number from 1"),
        (with_result(n=1.5), "results[0].n: must be a whole number from 1"),
        ({"findings": [{"dimension": "luck", "text": "x"}]}, "findings[0].dimension: must be one of effect, mechanism"),
        ({"findings": [{"dimension": "effect", "text": "x", "quality": 5}]}, "findings[0].quality: must be a whole"),
        ({"findings": [{"dimension": "effect"}]}, "findings[0].text: must be given"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_the_valid_choices(changes, told):
    assert told in problems(**changes)


def test_all_mistakes_are_told_at_once():
    text = problems(year="soon", **with_result(outcome="x", direction="y"))
    assert "form.json was not taken, 3 problems to put right:" in text
    assert text.count("\n- ") == 3


def test_what_is_no_form_at_all_is_refused():
    for data in ("{", "[]", 3, None, "[" * 100_000):
        with pytest.raises(Refused):
            checks.from_json(data, review(), "form.json")


def test_json_text_with_nan_in_it_is_refused():
    text = json.dumps({**FORM, **with_result(effect=float("nan"))})
    with pytest.raises(Refused, match="finite"):
        checks.from_json(text, review(), "form.json")


HEADER = (
    "kind,study,label,reports,year,outcome,construct,direction,measure,effect,ci_low,ci_high,n,"
    "dimension,text,polarity,higher_is_better"
)
SHEET = f"""{HEADER}
,smith-2019,Smith 2019,10.1000/a | pmid:7,2019,well,a scale,,SMD,0.2,-0.1,0.5,110,,,,yes
result,smith-2019,,,,care,"entries, all",unclear,,,,,,,,,
finding,smith-2019,,,,,,,,,,,,implementation,Staff turned over.,barrier,
study,jones-2021,Jones 2021,10.1000/b,2021,,,,,,,,,,,,
"""


def sheet(text):
    return sheets.from_csv(text, review(), "sheet.csv")


def sheet_problems(text):
    with pytest.raises(Refused) as refused:
        sheet(text)
    return str(refused.value)


def test_a_sheet_has_one_row_a_result_or_finding():
    smith, jones = sheet("\ufeff" + SHEET)
    assert smith.reports == ("10.1000/a", "pmid:7")
    assert [one.construct for one in smith.results] == ["a scale", "entries, all"]
    assert smith.results[0].ci_low == -0.1
    assert smith.findings == (
        EmmieFinding("implementation", "Staff turned over.", polarity="barrier"),
    )
    assert (jones.study, jones.results, jones.year) == ("jones-2021", (), 2021)


def test_a_sheet_tells_the_row_of_each_mistake_and_takes_nothing():
    text = sheet_problems(SHEET.replace("unclear", "good").replace("0.5,110", "nan,many"))
    assert "row 2.ci_high: must be a finite number" in text
    assert "row 2.n: must be a number, not 'many'" in text
    assert "row 3.direction: must be one of" in text


def test_rows_of_a_study_that_disagree_are_told():
    text = sheet_problems(SHEET.replace("result,smith-2019,,,,", "result,smith-2019,,,1999,"))
    assert "row 3, year: 1999 differs from 2019 in an earlier row" in text


def test_a_column_of_the_wrong_kind_of_row_is_told():
    text = sheet_problems(SHEET.replace("2021,,,", "2021,well,,"))
    assert "row 5, outcome: has no place in a row of kind study" in text


def test_sheets_that_are_none_are_refused_with_what_would_be_right():
    assert "must name each column once" in sheet_problems("study;label\nx;y\n")
    assert "must name each column once" in sheet_problems("")
    assert "no rows below the header" in sheet_problems("study,label\n")
    assert "has 3 cells under 2 columns" in sheet_problems("study,label\na,b,c\n")
    assert "can't be read as CSV" in sheet_problems('study,label\n"a,b\n')
    assert "needs a study" in sheet_problems("study,label\n,b\n")


NAMES = st.from_regex(r"[a-z]{1,9}(-[0-9]{4})?", fullmatch=True)
TEXT = st.text("abc |,;'\"\u00e9=+-", min_size=1, max_size=20).map(
    lambda text: " ".join(text.split()) or "x"
)
COUNT = st.integers(1, 10**6)


@given(
    NAMES, TEXT,
    st.lists(st.one_of(
        st.builds(Result, st.sampled_from(["care", "well"]), TEXT, st.sampled_from(forms.DIRECTIONS), n=COUNT),
        st.builds(Result, st.sampled_from(["care", "well"]), TEXT, measure=st.sampled_from(["SMD", "g", "OR"]),
                  effect=st.floats(0.01, 100), higher_is_better=st.booleans(), n=COUNT)), max_size=4),
)  # fmt: skip
def test_any_valid_form_survives_json_and_a_sheet(name, label, results):
    form = Extraction(name, label, ("10.1000/a",), results=tuple(results))
    assert checks.from_json(json.dumps(forms.to_json(form)), review(), "x") == form
    header = (
        *("kind", "study", "label", "reports", "outcome", "construct", "direction", "measure"),
        *("effect", "n", "higher_is_better"),
    )
    typed = [("study", name, label, "10.1000/a", *[""] * 7)]
    for one in results:
        told = (one.outcome, one.construct, one.direction, one.measure, one.effect, one.n)
        typed.append(("result", name, "", "", *told, one.higher_is_better))
    assert sheet(csv_text(header, typed)) == (form,)
    columns, rows = sheets.to_rows([forms.to_json(form)])
    written = csv_text(columns, ([row.get(column) for column in columns] for row in rows))
    assert sheet(written) == (form,)


def without_clashing(form):
    """The form without figures as reported that have the name of another column."""
    kept = sheets.COLUMNS["result"]
    results = []
    for result in form.results:
        figures = {name: x for name, x in (result.reported or {}).items() if name in kept}
        figures = {name: x for name, x in figures.items() if not hasattr(result, name)}
        results.append(replace(result, reported=figures or None, derivation=None))
    return replace(form, results=tuple(results))


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("examples/*/extractions/*.json")), ids=lambda path: path.stem
)
def test_the_extractions_of_the_examples_are_valid(path):
    protocol = review_toml.parse((path.parents[1] / "review.toml").read_text(encoding="utf-8"))
    form = checks.from_json(path.read_text(encoding="utf-8"), protocol, path.name)
    assert form.results or form.findings
    assert checks.from_json(forms.to_json(form), protocol, "again") == form
    columns, rows = sheets.to_rows([forms.to_json(form)])
    text = csv_text(columns, ([row.get(column) for column in columns] for row in rows))
    (back,) = sheets.from_csv(text, protocol, "sheet")
    assert without_clashing(back) == without_clashing(form)


@pytest.mark.skipif(
    not SHARED.exists(), reason="the shared data of the published review are not here"
)
def test_the_effects_of_a_published_review_go_in_as_a_sheet():
    protocol = review_toml.parse(
        (ROOT / "examples/youth-homelessness/review.toml").read_text(encoding="utf-8")
    )
    # fmt: off
    names = {"Social and Emotional Wellbeing": "social-emotional-wellbeing", "Legal and Justice": "legal-justice",
             "Employment and Earnings": "employment-earnings", "Living Skills and Independence": "living-skills"}
    # fmt: on
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            "study",
            "label",
            "reports",
            "outcome",
            "construct",
            "measure",
            "effect",
            "ci_low",
            "ci_high",
            "n",
            "higher_is_better",
            "comparison",
        ]
    )
    for row in csv.DictReader(SHARED.read_text(encoding="utf-8").splitlines()):
        outcome = names.get(row["outcome_domain"], row["outcome_domain"].lower().replace(" ", "-"))
        better = (float(row["es"]) > 0) == (row["direction_of_effect"] == "Favours intervention")
        study = row["study_id"].replace("_", "-")
        numbers = [
            row[key] if row[key] != "NA" else ""
            for key in ("es", "es_ci_low", "es_ci_high", "sample_size")
        ]
        comparison = (
            "support-or-housing"
            if study in ("thulien-2022", "slesnick-2023")
            else "housing-or-usual"
        )
        said = [study, study, study, outcome, row["outcome_construct"], "SMD", *numbers]
        writer.writerow([*said, "yes" if better else "no", comparison])
    found = sheets.from_csv(out.getvalue(), protocol, "effects.csv")
    assert {form.study: len(form.results) for form in found} == {
        "thulien-2022": 9, "gilmer-2016": 4, "kozloff-2016": 69, "slesnick-2023": 11, "raithel-2015": 6,
    }  # fmt: skip
