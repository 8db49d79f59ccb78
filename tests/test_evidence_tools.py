"""Tools of appraisal: one list for form, sheet, page and data.

A protocol adds its own; each judgement publishes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from livereview import review_toml
from livereview.errors import Refused
from livereview.evidence import appraisal, checked, checks, grade, sheets
from livereview.evidence.appraisal import TOOLS
from livereview.evidence.forms import Extraction, Judgement
from livereview.ops.snapshot import read_form
from livereview.review import Tool
from livereview.summary import bias_grid, site
from livereview.web import extraction_form
from tests.snapshots import result, review, snapshot, study

OWN = Tool(
    id="ours",
    name="Our checklist",
    source="This review's protocol",
    judgements=("good", "fair", "poor", "useless"),
    domains=(("sampling", "how people were chosen"), ("measures", "how things were measured")),
    overall=("good", "fair", "poor", "useless"),
    high=("poor",),
    apart=("useless",),
)
RULES = review(tools=(OWN,))


def sized(name: str, low: float = 0.1, **fields: Any) -> Extraction:
    return study(
        name, result(n=90, measure="SMD", effect=low + 0.2, ci_low=low, ci_high=low + 0.4), **fields
    )


def read(**fields: Any) -> Extraction:
    plain = {"study": "smith-2019", "label": "Smith 2019", "reports": ["10.1000/a"]}
    return checks.from_json({**plain, **fields}, RULES, "form.json")


@pytest.mark.parametrize("tool", [*TOOLS.values(), OWN], ids=lambda tool: tool.id)
def test_each_tool_is_whole_and_takes_each_of_its_judgements(tool: Tool) -> None:
    domains = [domain for domain, _ in tool.domains]
    assert len(set(domains)) == len(domains) > 0
    assert tool.source and all(label for _, label in tool.domains)
    assert set(tool.high) | set(tool.apart) <= set(tool.overall)
    assert (
        appraisal.tool_of(f"{tool.name} (2019)", (OWN,))
        is tool
        is appraisal.tool_of(tool.id, (OWN,))
    )
    for judgement in tool.judgements:
        rows = [{"domain": domain, "judgement": judgement} for domain in domains]
        assert len(read(risk_of_bias_tool=tool.name, appraisal=rows).appraisal) == len(domains)
    for overall in tool.overall:
        assert read(risk_of_bias_tool=tool.name, risk_of_bias=overall).risk_of_bias == overall


def test_form_sheet_and_web_offer_the_same_list() -> None:
    for tool in (*TOOLS.values(), OWN):
        filled = {"risk_of_bias_tool": tool.name}
        boxes = {
            box.name: [value for value, _ in box.choices]
            for part in extraction_form.parts(RULES, filled)
            for row in part.rows
            for box in row
        }
        assert boxes["appraisal-0-domain"] == [domain for domain, _ in tool.domains]
        assert boxes["appraisal-0-judgement"] == list(tool.judgements)
        assert boxes["risk_of_bias"] == list(tool.overall)
    text = (
        "kind,study,label,reports,risk_of_bias_tool,domain,judgement\n"
        "judgement,a,A,10.1/a,Our checklist,sampling,{}\n"
    )
    assert sheets.from_csv(text.format("poor"), RULES, "sheet")[0].appraisal == (
        Judgement("sampling", "poor"),
    )
    with pytest.raises(
        Refused, match="Our checklist has no judgement 'low'; it knows good, fair, poor, useless"
    ):
        sheets.from_csv(text.format("low"), RULES, "sheet")


def test_a_choice_that_is_not_offered_any_more_stays_in_the_form() -> None:
    filled = {"risk_of_bias_tool": "RoB 2", "risk_of_bias": "moderate"}
    (study_part, *_) = extraction_form.parts(RULES, filled)
    (box,) = [box for box in study_part.rows[0] if box.name == "risk_of_bias"]
    assert ("moderate", "moderate") in box.choices
    free = {"risk_of_bias_tool": "MMAT", "appraisal": [{"domain": "luck", "judgement": "so_so"}]}
    rows = [row for part in extraction_form.parts(RULES, free) for row in part.rows]
    offered = {box.name: box.choices for row in rows for box in row}
    assert ("so_so", "so so") in offered["appraisal-0-judgement"]
    assert read(**filled).risk_of_bias == "moderate", "old forms hold it"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"risk_of_bias_tool": "Our checklist", "risk_of_bias": "low"},
            "must be one of good, fair, poor, useless",
        ),
        (
            {"risk_of_bias_tool": "EMMIE-Q", "risk_of_bias": "low"},
            "EMMIE-Q gives no overall judgement; leave it out",
        ),
        ({"risk_of_bias": "fine"}, "must be one of low, some_concerns, moderate, high"),
    ],
)
def test_an_overall_judgement_of_no_such_tool_is_refused(
    fields: dict[str, str], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        read(**fields)


def test_a_form_that_was_taken_before_its_tool_was_listed_stays_on_the_page() -> None:
    rows = [{"domain": "luck", "judgement": "so_so"}]
    data = {
        "study": "a",
        "label": "A",
        "reports": ["10.1/a"],
        "risk_of_bias_tool": "MMAT 2018",
        "appraisal": rows,
    }
    with pytest.raises(Refused, match="MMAT has no domain 'luck'"):
        checks.from_json(data, RULES, "form")
    (form, problem) = read_form(RULES, "a", json.dumps(data))
    assert form is not None and problem is None
    build = site.build(
        snapshot(form, study("b", risk_of_bias_tool="MMAT", risk_of_bias="low")), 1, "x"
    )
    assert "so so" in build.files["risk-of-bias.csv"].decode()


def test_what_a_judgement_is_worth() -> None:
    def worth(overall: str | None, tool: str = "Our checklist") -> tuple[bool, bool, float]:
        told = appraisal.appraised(study("a", risk_of_bias=overall, risk_of_bias_tool=tool), (OWN,))
        return told.high, told.apart, told.rank

    assert [worth(word)[:2] for word in OWN.overall] == [
        (False, False),
        (False, False),
        (True, False),
        (True, True),
    ]
    assert worth("very_high", "ROBINS-E")[:2] == (True, False)
    assert worth("critical", "ROBINS-I")[:2] == (True, True)
    ranks = [worth(word)[2] for word in (*OWN.overall, None)]
    assert ranks == sorted(ranks) and len(set(ranks)) == len(ranks)
    assert worth("good")[2] == worth("low", "RoB 2")[2]


def test_a_protocols_own_judgements_weigh_in_findings() -> None:
    named = {"risk_of_bias_tool": "Our checklist 1.0"}
    forms = [sized("a", risk_of_bias="useless", **named), sized("b", risk_of_bias="poor", **named)]
    finding = checked.findings(RULES, forms)[1]
    assert [(one.study, one.counted, one.high_risk) for one in finding.studies] == [
        ("a", False, True),
        ("b", True, True),
    ]
    asked = {one.domain for one in grade.warnings(finding, "low", (), dict.fromkeys("ab"))}
    assert "risk_of_bias" in asked


def test_a_study_judged_as_a_whole_publishes_beside_one_judged_by_domain_and_both_stand_by_their_effects() -> (
    None
):
    domains = (Judgement("randomisation", "low"), Judgement("missing", "high"))
    whole = sized("a", risk_of_bias="some_concerns", risk_of_bias_tool="RoB 2")
    parts = sized("b", 0.2, risk_of_bias="high", risk_of_bias_tool="RoB 2", appraisal=domains)
    (care, well) = review().outcomes
    pooled = review(outcomes=(care, replace(well, pool=True)))
    build = site.build(snapshot(whole, parts, sized("c"), review=pooled), 1, "x")
    first = build.files["index.html"].decode()
    assert "missing outcome data: high." in first, "said beside the sign in the forest plot"
    page = build.files["studies.html"].decode()
    assert "high (<bdi>RoB 2</bdi>)" in page and "some concerns (<bdi>RoB 2</bdi>)" in page
    assert "missing outcome data: high" in page and "not judged" in page
    table = build.files["forest-well.csv"].decode()
    assert "randomisation: low; missing: high" in table and "some concerns" in table
    assert "Risk of bias</text>" in build.files["forest-well.svg"].decode()
    summary = json.loads(build.summary)
    jsonschema.validate(summary, json.loads(build.files["summary.schema.json"]))
    (tool,) = summary["tools"]
    assert (tool["id"], tool["high"]) == ("rob-2", ["high"])
    rows = {row["study"]: row for row in summary["findings"][1]["studies"]}
    assert rows["b"]["domains"][1] == {
        "domain": "missing",
        "label": "missing outcome data",
        "judgement": "high",
    }


@pytest.mark.parametrize("tool", [*TOOLS.values(), OWN], ids=lambda tool: tool.id)
def test_each_judgement_of_each_tool_publishes(tool: Tool) -> None:
    """Overall judgements in turn beside domains in turn, with one study that gives no domain."""
    forms = [
        study(
            "whole",
            result(),
            risk_of_bias_tool=tool.name,
            risk_of_bias=next(iter(tool.overall), None),
        )
    ]
    for n, judgement in enumerate(tool.judgements):
        rows = tuple(Judgement(domain, judgement) for domain, _ in tool.domains)
        overall = tool.overall[n % len(tool.overall)] if tool.overall else None
        forms.append(
            study(
                f"s{n}", result(), risk_of_bias_tool=tool.name, risk_of_bias=overall, appraisal=rows
            )
        )
    build = site.build(snapshot(*forms, review=RULES), 1, "x")
    jsonschema.validate(json.loads(build.summary), json.loads(build.files["summary.schema.json"]))
    grid = build.files["risk-of-bias.csv"].decode()
    assert all(bias_grid.in_english(word) in grid for word in tool.judgements)


def test_a_tool_of_the_protocol_is_read_and_its_mistakes_have_a_line() -> None:
    text = review_toml.template()
    (tool,) = review_toml.parse(text).tools
    assert (tool.id, tool.domains[0]) == ("our-checklist", ("sampling", "how people were chosen"))
    plain = text.replace('overall = ["good", "fair", "poor"] ', "")
    assert review_toml.parse(plain).tools[0].overall == ("good", "fair", "poor")
    line = next(n for n, row in enumerate(text.split("\n"), 1) if row.startswith("high ="))
    with pytest.raises(
        Refused, match=rf'line {line}: tools\[1\].high: "bad" is no overall judgement of this tool'
    ):
        review_toml.parse(text.replace('high = ["poor"]  ', 'high = ["bad"]  '))
    with pytest.raises(Refused, match="say which judgements count as high risk of bias"):
        review_toml.parse(text.replace('high = ["poor"]  ', "high = []  "))
    with pytest.raises(Refused, match=r'"Sampling!" must be 1 to 64 of small letters'):
        review_toml.parse(text.replace("\nsampling = ", '\n"Sampling!" = '))
