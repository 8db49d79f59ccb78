"""A rating is whole, holds for the studies it was made from, and changes the words as GRADE says."""

from __future__ import annotations

from typing import Any

import pytest

from livereview.errors import Refused
from livereview.evidence import certainty
from livereview.review import Statement
from livereview.summary import data
from tests.snapshots import result, review, snapshot, study

FINDINGS = ["main/care", "main/well"]
RULES = review(statements=(Statement("voice", "mechanism", "Young people felt heard.", ("a",)),))


def rating(**changes: Any) -> certainty.Rating:
    plain = {"kind": "grade", "outcome": "well", "start": "high", "reasons": []}
    return certainty.from_json({**plain, **changes}, RULES, FINDINGS)


def step(domain: str, by: int, why: str = "few people") -> dict[str, Any]:
    return {"domain": domain, "step": by, "why": why}


@pytest.mark.parametrize(
    ("start", "steps", "level"),
    [
        ("high", [], "high"),
        ("high", [("imprecision", -1)], "moderate"),
        ("high", [("imprecision", -2), ("risk_of_bias", -1)], "very_low"),
        ("high", [("imprecision", -2), ("risk_of_bias", -2)], "very_low"),
        ("low", [("large_effect", 1)], "moderate"),
        ("low", [("large_effect", 2), ("dose_response", 1)], "high"),
    ],
)
def test_a_grade_level_is_its_start_and_its_steps(
    start: str, steps: list[tuple[str, int]], level: str
) -> None:
    assert rating(start=start, reasons=[step(*one) for one in steps]).level == level


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "gut"}, "kind is one of grade, cerqual"),
        ({"outcome": "magic"}, "finding must be one of main/care, main/well; it was 'magic'"),
        ({"start": None}, "start must be high"),
        ({"reasons": [step("luck", -1)]}, "domain must be one of risk_of_bias"),
        (
            {"reasons": [step("imprecision", 1)]},
            "imprecision: step must be one of -1, -2, 0; it was 1",
        ),
        ({"reasons": [step("large_effect", -1)]}, "large_effect: step must be one of 1, 2, 0"),
        ({"reasons": [step("imprecision", -1, " ")]}, "in words, why"),
        ({"reasons": [step("imprecision", -1)] * 2}, "named twice"),
        (
            {"kind": "cerqual", "statement": "voice", "level": "some"},
            "level must be one of very_low",
        ),
        ({"kind": "cerqual", "statement": "x", "level": "low"}, "statement must be one of voice"),
    ],
)
def test_a_rating_with_a_mistake_is_refused_naming_it(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        rating(**changes)


def test_a_rating_of_qualitative_findings_is_a_judgement_with_its_concerns() -> None:
    concern = {"domain": "adequacy", "concern": "serious", "why": "three interviews"}
    found = rating(kind="cerqual", statement="voice", level="low", reasons=[concern])
    assert (found.level, found.studies) == ("low", ("a",))
    assert certainty.describe(found) == "Certainty: low (adequacy: three interviews)."
    assert certainty.known(certainty.to_json(found)) == found


def test_a_rated_statement_says_how_well_it_stands_while_it_names_the_same_studies() -> None:
    concern = {"domain": "adequacy", "concern": "serious", "why": "three interviews"}
    found = rating(kind="cerqual", statement="voice", level="low", reasons=[concern])
    two = review(statements=(Statement("voice", "answer", "Heard.", ("a", "b")),))
    for rules, told in ((RULES, True), (two, False)):
        snap = snapshot(*forms(2), review=rules, ratings=(found,))
        evidence = data.weigh(snap)
        edition = data.Edition(1, snap.moment, "a test", None, data.compare(snap, evidence))
        (statement,) = data.summary(snap, evidence, edition).statements
        assert (statement.confidence is not None) == told
        if statement.confidence is not None:
            assert (
                "possibly a fair picture. Certainty: low (adequacy: "
                in statement.confidence.display
            )


def test_a_rating_of_a_statement_holds_for_its_studies_only() -> None:
    found = rating(kind="cerqual", statement="voice", level="low")
    assert certainty.holds(found, ["a"])
    assert not certainty.holds(found, ["a", "b"])
    assert not certainty.holds(None, [])


def test_a_finding_may_be_named_whole_or_by_its_outcome_where_one_has_it() -> None:
    assert rating().subject == "main/well"
    assert rating(outcome="main/care").subject == "main/care"
    twice = ["a/well", "b/well"]
    with pytest.raises(Refused, match="finding must be one of a/well, b/well; it was 'well'"):
        certainty.from_json({"outcome": "well", "start": "high"}, RULES, twice)


def forms(n: int) -> list[Any]:
    return [study(name, result(n=50), participants=50) for name in "abc"[:n]]
