"""Appraisals, costs, codes and reported figures of a form: checked like everything else."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.evidence import checks, forms, sheets
from livereview.evidence.forms import Cost, Extraction, Judgement
from livereview.review import Code
from tests.snapshots import review

RULES = review(codes=(Code("staffing", "Staffing"),))


def read(**fields: Any) -> Extraction:
    plain = {"study": "smith-2019", "label": "Smith 2019", "reports": ["10.1000/a"]}
    return checks.from_json({**plain, **fields}, RULES, "form.json")


def wrong(**fields: Any) -> str:
    with pytest.raises(Refused) as told:
        read(**fields)
    return told.value.message


def test_an_appraisal_names_its_tool_and_knows_its_domains() -> None:
    low = {"domain": "randomisation", "judgement": "low", "support": "a computer drew lots"}
    form = read(risk_of_bias_tool="RoB 2 (22 August 2019)", appraisal=[low])
    assert form.appraisal == (Judgement("randomisation", "low", "a computer drew lots"),)
    assert "must name the tool of the appraisal" in wrong(appraisal=[low])
    assert "RoB 2 has no domain 'luck'; its domains: randomisation, deviations" in wrong(
        risk_of_bias_tool="RoB 2", appraisal=[{**low, "domain": "luck"}]
    )
    assert "ROBINS-I has no judgement 'high'; it knows low, moderate" in wrong(
        risk_of_bias_tool="ROBINS-I", appraisal=[{"domain": "missing", "judgement": "high"}]
    )
    assert "randomisation is judged twice" in wrong(risk_of_bias_tool="RoB 2", appraisal=[low, low])
    assert read(
        risk_of_bias_tool="our own, 1", appraisal=[{"domain": "any", "judgement": "so"}]
    ).appraisal


def test_costs_and_codes() -> None:
    cost = {
        "item": "training",
        "amount": 1200.5,
        "currency": "GBP",
        "price_year": 2018,
        "perspective": "council",
    }
    assert read(costs=[cost]).costs == (Cost("training", 1200.5, "GBP", 2018, "council"),)
    assert "a currency's three letters" in wrong(costs=[{**cost, "currency": "£"}])
    finding = {
        "dimension": "implementation",
        "text": "Staff left.",
        "polarity": "barrier",
        "code": "staffing",
    }
    assert read(findings=[finding]).findings[0].code == "staffing"
    assert "code: must be one of staffing, not 'x'" in wrong(findings=[{**finding, "code": "x"}])


def test_an_effect_is_worked_out_from_the_figures_as_reported() -> None:
    cells = {"ai": 12, "bi": 88, "ci": 24, "di": 76}
    form = read(results=[{**RESULT, "measure": "OR", "reported": cells}])
    (found,) = form.results
    odds, spread = (
        (12 * 76) / (88 * 24),
        1.959963984540054 * sqrt(1 / 12 + 1 / 88 + 1 / 24 + 1 / 76),
    )
    assert found.effect == pytest.approx(odds) and found.ci_high == pytest.approx(
        exp(log(odds) + spread)
    )
    assert "ai = 12, bi = 88, ci = 24, di = 76" in str(found.derivation)
    assert checks.from_json(forms.to_json(form), RULES, "again") == form


RESULT = {"outcome": "well", "construct": "a scale", "higher_is_better": True}


def test_figures_that_give_no_effect_are_refused_with_what_is_missing() -> None:
    assert "has no figure mean; the figures are ai, bi" in wrong(
        results=[{**RESULT, "reported": {"mean": 3}}]
    )
    lacking = wrong(
        results=[
            {**RESULT, "measure": "SMD", "reported": {"m1i": 1, "sd1i": 1, "m2i": 0, "sd2i": 1}}
        ]
    )
    assert "m1i sd1i n1i m2i sd2i n2i" in lacking.replace(",", "")
    assert "PR needs xi, ni; missing: ni" in wrong(
        results=[{**RESULT, "measure": "PR", "reported": {"xi": 1}}]
    )
    assert "needs a measure that can be worked out" in wrong(
        results=[{**RESULT, "reported": {"m1i": 1}}]
    )
    kept = read(
        results=[{**RESULT, "measure": "SMD", "effect": 0.3, "reported": {"m1i": 1}}]
    ).results[0]
    assert (kept.effect, kept.derivation) == (0.3, None), "what was reported as an effect stands"


def test_a_t_value_or_an_interval_gives_an_effect_and_clusters_widen_it() -> None:
    def effect(measure: str, **reported: float) -> Any:
        return read(results=[{**RESULT, "measure": measure, "reported": reported}]).results[0]

    smd = effect("SMD", t=2.0, n1i=50, n2i=50)
    assert smd.effect == pytest.approx(0.4, abs=0.01) and smd.ci_low < smd.effect < smd.ci_high
    ratio = effect("RR", estimate=0.75, low=0.6, high=0.94)
    assert (ratio.effect, ratio.ci_low) == (pytest.approx(0.75), pytest.approx(0.6, abs=0.01))
    wider = effect("SMD", t=2.0, n1i=50, n2i=50, icc=0.05, cluster_size=21)
    assert (wider.ci_high - wider.effect) == pytest.approx((smd.ci_high - smd.effect) * sqrt(2))
    assert "icc needs cluster_size" in wrong(
        results=[
            {**RESULT, "measure": "SMD", "reported": {"t": 2, "n1i": 50, "n2i": 50, "icc": 0.1}}
        ]
    )


def test_forms_of_the_first_version_are_still_read() -> None:
    assert read(form_version="1").form_version == "1"


def test_a_sheet_holds_judgements_costs_and_figures_too() -> None:
    head = "kind,study,label,reports,risk_of_bias_tool,domain,judgement,item,amount,currency,"
    text = """outcome,construct,higher_is_better,measure,ai,bi,ci,di
study,s-1,S 1,10.1000/a,RoB 2,,,,,,,,,,,,,
judgement,s-1,,,,missing,low,,,,,,,,,,,
cost,s-1,,,,,,training,10,EUR,,,,,,,,
result,s-1,,,,,,,,,well,scale,yes,RR,5,95,10,90
"""
    (form,) = sheets.from_csv(head + text, RULES, "sheet.csv")
    assert (len(form.appraisal), len(form.costs)) == (1, 1) and form.results[
        0
    ].effect == pytest.approx(0.5)
