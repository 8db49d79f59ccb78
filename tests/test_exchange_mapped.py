"""Other people's extraction sheets go in by a map: a published review's own, and small ones with
every mistake.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from livereview import review_toml
from livereview.errors import Refused
from livereview.evidence import checked, checks, orientation, upgrade
from livereview.evidence.forms import Extraction, Result
from livereview.exchange import mapped, sheets

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "youth-homelessness"
YOUTH = ROOT.parent / "shared" / "data" / "youth_homelessness"
REVIEW = review_toml.parse((EXAMPLE / "review.toml").read_text(encoding="utf-8"))


@pytest.mark.skipif(not YOUTH.exists(), reason="the published review's sheets are not here")
def test_a_published_review_s_own_sheets_become_five_whole_forms() -> None:
    found = mapped.read(
        (EXAMPLE / "sheets.toml").read_text(encoding="utf-8"),
        lambda name, sheet: sheets.grid((YOUTH / name).read_bytes(), name, sheet),
        "sheets.toml",
    )
    assert found.problems == ()
    forms = {study: checks.from_json(form, REVIEW, study) for study, form in found.forms.items()}
    assert sorted(forms) == [
        "gilmer-2016",
        "kozloff-2016",
        "raithel-2015",
        "slesnick-2023",
        "thulien-2022",
    ]
    text = (YOUTH / "effect_size_results.csv").read_text(encoding="utf-8-sig")
    published = list(csv.DictReader(text.splitlines()))
    counted = Counter(row["study_id"].replace("_", "-") for row in published)
    assert {study: len(form.results) for study, form in forms.items()} == dict(counted) and sum(
        counted.values()
    ) == 99
    assert {study: form.risk_of_bias for study, form in forms.items()} == {
        "gilmer-2016": "serious", "kozloff-2016": "some_concerns", "raithel-2015": "serious",
        "slesnick-2023": "some_concerns", "thulien-2022": "some_concerns",
    }  # fmt: skip
    judged = {one.domain: one.judgement for one in forms["gilmer-2016"].appraisal}
    assert (judged["confounding"], judged["selection"], len(judged)) == ("serious", "moderate", 7)
    assert len(forms["kozloff-2016"].appraisal) == 5
    findings = [finding for form in forms.values() for finding in form.findings]
    assert {finding.polarity for finding in findings} == {"barrier", "enabler"} and len(
        findings
    ) > 20
    assert not any("[@" in finding.text for finding in findings)
    assert forms["kozloff-2016"].year == 2016 and forms["kozloff-2016"].funding
    assert all(
        result.months == float(row["outcome_timing"]) for result, row in paired(forms, published)
    )


def paired(
    forms: dict[str, Extraction], published: list[dict[str, str]]
) -> list[tuple[Result, dict[str, str]]]:
    """Each result of the forms with the row of the sheet that it came from."""
    results = {study: list(form.results) for study, form in forms.items()}
    return [(results[row["study_id"].replace("_", "-")].pop(0), row) for row in published]


@pytest.mark.skipif(not YOUTH.exists(), reason="the published review's sheets are not here")
def test_the_sheets_own_directions_tell_which_way_each_scale_runs() -> None:
    found = mapped.read(
        (EXAMPLE / "sheets.toml").read_text(encoding="utf-8"),
        lambda name, sheet: sheets.grid((YOUTH / name).read_bytes(), name, sheet),
        "sheets.toml",
    )
    forms = {study: checks.from_json(form, REVIEW, study) for study, form in found.forms.items()}
    text = (YOUTH / "effect_size_results.csv").read_text(encoding="utf-8-sig")
    pairs = paired(forms, list(csv.DictReader(text.splitlines())))
    assert len(pairs) == 99
    outcomes = {outcome.id: outcome for outcome in REVIEW.outcomes}
    reversed_ = [result for result, _ in pairs if result.higher_is_better is False]
    assert len(reversed_) == 37
    for result, row in pairs:
        expected = {
            "Favours intervention": "favours_intervention",
            "Favours comparison": "favours_comparison",
        }
        oriented = orientation.orient(outcomes[result.outcome], result)
        derived = orientation.direction_of(outcomes[result.outcome], oriented)
        assert derived == expected.get(row["direction_of_effect"], "unclear"), row
        runs = {"Positive": True, "Negative": False}[row["favourable_direction"]]
        assert result.higher_is_better == (runs if row["direction_of_effect"] != "NA" else None), (
            row
        )
    asked = {study: upgrade.questions(form, REVIEW) for study, form in forms.items()}
    assert [(study, len(questions)) for study, questions in asked.items() if questions] == [
        ("kozloff-2016", 1)
    ]

    findings = {finding.id: finding for finding in checked.findings(REVIEW, forms.values())}
    costs = [(result, row) for result, row in pairs if "cost" in row["outcome_construct"]]
    assert len(costs) == 4 and all(result.kind == "cost" for result, _ in costs)
    health = findings["housing-or-usual/health"]
    assert "gilmer-2016" not in {study.study for study in health.studies}
    unused = [row.measured for row in health.not_used if row.study == "gilmer-2016"]
    assert len(unused) == 4, "costs are listed with why they count for nothing"
    housing = findings["housing-or-usual/stable-housing"]
    assert (housing.state, housing.side, housing.good) == ("effect", "more", True)
    trial = next(study for study in housing.studies if study.study == "kozloff-2016")
    assert trial.value is not None and trial.value > 0.4 and trial.clear, (
        "Housing First is not hidden"
    )


MAP = """
blank = ["NR"]
[studies.smith-2019]
label = "Smith 2019"
reports = ["10.1000/a"]
[[tables]]
kind = "result"
file = "r.csv"
study = "id"
keep = { column = "use", values = ["yes"] }
[tables.fields]
outcome = { column = "what", values = { Homes = "stable-housing" } }
construct = { columns = ["scale", "version"], join = " " }
timing = { column = "months", suffix = " months" }
effect = "es"
measure = { value = "SMD" }
"""
SHEET = """id,use,what,scale,version,months,es
Smith_2019,yes,Homes,Days,2,6,0.25
Smith_2019,no,Homes,Days,2,12,9
Doe,yes,Homes,Days,,NR,
"""


def read(text: str = MAP, sheet: str = SHEET) -> mapped.Mapped:
    return mapped.read(
        text, lambda name, which: sheets.grid(sheet.encode(), name, which), "map.toml"
    )


def test_fields_are_joined_renamed_counted_and_left_out() -> None:
    found = read()
    assert found.forms["smith-2019"]["results"] == [
        {
            "outcome": "stable-housing",
            "construct": "Days 2",
            "timing": "6 months",
            "effect": 0.25,
            "measure": "SMD",
        }
    ]
    assert found.problems == (("r.csv, row 4", "study 'doe' is not in [studies]"),)


@pytest.mark.parametrize(
    ("effect", "says", "given"),
    [
        ("0.2", "Favours intervention", {"effect": 0.2, "higher_is_better": True}),
        ("-0.2", "Favours intervention", {"effect": -0.2, "higher_is_better": False}),
        ("0.2", "Favours comparison", {"effect": 0.2, "higher_is_better": False}),
        ("-0.2", "Favours comparison", {"effect": -0.2, "higher_is_better": True}),
        ("0", "Favours comparison", {"effect": 0, "direction": "unclear"}),
        ("0.2", "NA", {"effect": 0.2, "direction": "unclear"}),
        ("0.2", "", {"effect": 0.2, "direction": "unclear"}),
        ("", "Favours comparison", {"direction": "favours_comparison"}),
    ],
)
def test_a_direction_of_the_sheet_tells_which_way_its_scale_runs(
    effect: str, says: str, given: dict[str, object]
) -> None:
    text = """
[studies.s]
label = "S"
reports = ["x"]
[[tables]]
kind = "result"
file = "r.csv"
study = "id"
orient_by = "direction"
[tables.fields]
effect = "es"
kind = { column = "what", values = { Money = "cost" }, other = "" }
[tables.fields.direction]
column = "says"
values = { "Favours intervention" = "favours_intervention", "Favours comparison" = "favours_comparison" }
"""
    assert read(text, f"id,es,what,says\ns,{effect},Mood,{says}\n").forms["s"]["results"] == [given]
    with_ratio = read(
        text.replace("orient_by", "null = 1\norient_by"), f"id,es,what,says\ns,0.5,Money,{says}\n"
    )
    (ratio,) = with_ratio.forms["s"]["results"]
    known = {"Favours intervention": False, "Favours comparison": True}
    assert ratio.get("higher_is_better") == known.get(says) and ratio["kind"] == "cost"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = ", "is not TOML"),
        ("[studies.a]\nlabel = 'A'", r"must have \[\[tables\]\]"),
        (
            MAP.replace('kind = "result"', 'kind = "effect"'),
            "as kind one of study, result, finding",
        ),
        (MAP.replace("keep =", "keeps ="), "unknown keeps; the keys are kind, file"),
        (
            MAP.replace('effect = "es"', 'effect = "effect"'),
            "no column 'effect'; the columns are id, use, what",
        ),
    ],
)
def test_a_map_with_a_mistake_is_refused_naming_it(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(text)


def test_headings_that_come_again_are_told_apart_and_the_worst_judgement_stays() -> None:
    text = """
[studies.s]
label = "S"
reports = ["x"]
[[tables]]
kind = "judgement"
file = "b.csv"
study = "id"
worst = ["low", "high"]
[tables.wide]
"Judgement" = { domain = "one", judgement = "*", values = { Low = "low", High = "high" } }
"Judgement#2" = { domain = "two", judgement = "*", values = { Low = "low", High = "high" } }
"""
    found = read(text, "id,Judgement,Judgement\ns,Low,High\ns,High,Low\n")
    assert found.forms["s"]["appraisal"] == [
        {"domain": "one", "judgement": "high"},
        {"domain": "two", "judgement": "high"},
    ]


def test_a_cell_s_paragraphs_go_to_the_studies_that_they_cite() -> None:
    text = """
[studies.a]
label = "A"
reports = ["x"]
[studies.b]
label = "B"
reports = ["y"]
[[tables]]
kind = "finding"
file = "b.csv"
split = true
cites = { ann = "a", bob = "b" }
[tables.fields]
dimension = { value = "implementation" }
[tables.wide]
"Inner" = { text = "*" }
"""
    found = read(
        text,
        'what,Inner\nBarriers,"Staff left [@ann2020].\n\nRents rose [@ann2020; @bob2021]."\nEnablers,nobody\n',
    )
    assert [one["text"] for one in found.forms["a"]["findings"]] == ["Staff left.", "Rents rose."]
    assert [one["text"] for one in found.forms["b"]["findings"]] == ["Rents rose."]
    assert found.problems == (("b.csv, row 3", "names no study"),)
