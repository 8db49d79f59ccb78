"""Pictures that need no colour and hold any text."""

from dataclasses import replace

from defusedxml import ElementTree

from livereview.evidence import checked
from livereview.summary import figures
from tests.snapshots import CARE, WELL, result, review, snapshot, study

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg):
    return ElementTree.fromstring(str(svg))


def texts(svg):
    return [node.text for node in drawn(svg).iter(f"{SVG}text")]


def findings(forms, *outcomes):
    return checked.findings(review(outcomes=outcomes), forms)


def test_the_plot_orders_studies_by_risk_of_bias():
    forms = [
        study("a", result(), risk_of_bias="high"),
        study("b", result("care", "unclear"), risk_of_bias="low"),
        study("c", result("care", "no_difference"), year=2024),
        study("d", result("well", "favours_comparison"), year=2025),
    ]
    ordered = figures.by_risk_of_bias(snapshot(*forms).studies)
    assert [one.study_id for one in ordered] == ["b", "a", "d", "c"]
    svg = figures.effect_direction(findings(forms, CARE, WELL), ordered)
    assert "risk of bias: not judged" in texts(svg)
    assert "4 studies in rows" in drawn(svg)[1].text


def test_pictures_hold_hostile_labels_as_text():
    form = study("a", result("care"), label="<script>&\x00\u202e")
    svg = figures.effect_direction(
        findings([form], replace(CARE, label="</text><a>")), snapshot(form).studies
    )
    assert "</text><a>" in texts(svg)
    assert "<script>&" in texts(svg)
