"""The public sentences and the classes of change between versions."""

import json
import re
from pathlib import Path

import pytest

from livereview import review_toml
from livereview.evidence import checks
from livereview.evidence.claims import CAVEAT, CHANGES, change_class, claims, to_json
from livereview.evidence.forms import Finding
from livereview.evidence.synthesis import synthesise
from tests.snapshots import result, review, study

ROOT = Path(__file__).resolve().parents[1]
FOR, AGAINST = "favours_intervention", "favours_comparison"


def made(*studies, protocol=None):
    protocol = protocol or review()
    found = [synthesise(outcome, studies) for outcome in protocol.outcomes]
    return claims(protocol, found, studies)


def said(*studies, protocol=None):
    return {claim.id: claim.text for claim in made(*studies, protocol=protocol)}


def example(name):
    folder = ROOT / "examples" / name
    protocol = review_toml.parse((folder / "review.toml").read_text(encoding="utf-8"))
    paths = sorted((folder / "extractions").glob("*.json"))
    read = [checks.from_json(path.read_text(encoding="utf-8"), protocol, path.name) for path in paths]
    return made(*read, protocol=protocol)


def changed(before, after):
    """The change from one set of studies to another, as it is after a way through JSON."""
    previous = json.loads(json.dumps([to_json(claim) for claim in made(*before)]))
    return change_class(previous, made(*after))


def test_an_outcome_without_studies_is_a_gap_and_not_a_finding():
    text = said()["outcome:care"]
    assert text == "No study in this review has measured children entering care yet. This is a gap in the evidence."
    assert said()["answer"] == (
        "No study here has measured whether it works. The review has 2 outcomes. "
        "For 2, there are no studies (children entering care, wellbeing)."
    )


def test_one_study_is_told_with_what_it_found_and_its_caution():
    one = study("a", result("care", n=1200), year=2009, caution="Read it with considerable caution.")
    assert said(one)["outcome:care"] == (
        "One study (2009, 1,200 people) found a lower rate of children entering care than the comparison. "
        "One study alone is too little evidence to go on. Read it with considerable caution."
    )
    worse = study("a", result("well", AGAINST), year=None, label="Smith")
    assert said(worse)["outcome:well"].startswith(
        "One study (Smith, number of people not reported) found worse results for wellbeing"
    )


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        ("no_difference", "reported no difference in wellbeing"),
        ("unclear", "found results for wellbeing that have no clear direction"),
    ],
)
def test_one_study_without_a_direction_is_told_as_such(direction, words):
    assert words in said(study("a", result("well", direction)))["outcome:well"]


def test_a_majority_is_told_with_its_denominators_and_its_limits():
    text = said(study("a", result(n=80)), study("b", result(n=1000)), study("c", result("well", AGAINST, n=20)))[
        "outcome:well"
    ]
    assert text.startswith(
        "2 of 3 studies found better results for wellbeing than the comparison; 1,080 of 1,100 people"
    )
    assert "it does not say how large the difference is, nor how sure we can be" in text


def test_small_and_mixed_evidence_have_sentences_of_their_own():
    near = result(measure="SMD", effect=0.01, ci_low=-0.1, ci_high=0.12, n=40)
    assert "suggest no important difference" in said(study("a", near), study("b", near))["outcome:well"]
    text = said(study("a", result(n=5)), study("b", result("well", AGAINST, n=5)))["outcome:well"]
    assert text.endswith("Of 2 studies: 1 favoured the intervention, 1 favoured the comparison.")
    vague = [study(name, result("well", "unclear", n=5)) for name in "ab"]
    assert "They hold too little to say which way the effect goes" in said(*vague)["outcome:well"]


def test_claims_carry_rule_studies_and_figures_with_unit_and_denominator():
    claim = made(study("a", result(n=80)), study("b", result("well", AGAINST)))[2]
    assert (claim.id, claim.rule, claim.studies) == ("outcome:well", "direction-of-effect", ("a", "b"))
    figures = {figure.name: figure for figure in claim.figures}
    assert (figures[FOR].value, figures[FOR].of, figures[FOR].unit) == (1, 2, "studies")
    assert (figures["participants"].value, figures["participants"].reason) == (80, "not reported by 1 of 2 studies")
    nothing = {figure.name: figure for figure in made()[2].figures}
    assert (nothing["sign_test_p"].value, nothing["sign_test_p"].reason) == (None, "no study has a direction")
    for claim in made(study("a", result())):
        assert all(figure.value is not None or figure.reason for figure in claim.figures), claim.id


def test_emmie_counts_findings_and_keeps_quality_apart():
    told = study("a", findings=(Finding("mechanism", "Trust.", quality=1), Finding("mechanism", "Time.", quality=3)))
    claim = {one.id: one for one in made(told, study("b"))}["emmie:mechanism"]
    assert claim.text == "1 of 2 studies reports on how it may work."
    assert {figure.name: figure.value for figure in claim.figures}["quality"] == 3
    assert said(told, study("b"))["emmie:economics"] == "None of the 2 studies reports on what it costs."
    assert not [one for one in made(protocol=review(emmie=False)) if one.id.startswith("emmie")]


def test_the_founding_review_says_what_it_has_to():
    told = {claim.id: claim for claim in example("signs-of-safety")}
    entering = told["outcome:entering-care"]
    assert entering.text.startswith(
        "One study (2009, number of people not reported) found a lower rate of children entering care"
    )
    assert "considerable caution" in entering.text
    assert entering.state == "insufficient_evidence"
    assert {told[f"outcome:{name}"].state for name in ("re-entering-care", "reunification")} == {"no_studies"}
    assert told["answer"].text.startswith("There is too little evidence to say whether it works.")


@pytest.mark.parametrize("name", ["signs-of-safety", "youth-homelessness"])
def test_no_sentence_calls_missing_evidence_evidence_of_no_effect(name):
    for claim in example(name):
        assert not re.search(r"no effect|ineffective|does not work|no evidence", claim.text), claim.text
    assert CAVEAT == "Lack of evidence is not evidence that it does not work."


@pytest.mark.parametrize("name", ["signs-of-safety", "youth-homelessness"])
def test_the_sentences_can_be_read_at_fourteen(name):
    text = " ".join(claim.text for claim in example(name) if not claim.id.startswith("emmie:effect"))
    assert reading_age(text) <= 14


def reading_age(text):
    """Flesch-Kincaid grade plus five; what stands in brackets or after a colon is a list and counts as sentences."""
    sentences = [part for part in re.split(r"[.:;()]+\s*", text) if part.strip()]
    words = re.findall(r"[A-Za-z']+", text)
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower())))) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59 + 5


A, B = study("a", result(n=100)), study("b", result(n=100))
AGAINST_A, AGAINST_B = (study(name, result("well", AGAINST, n=100)) for name in "ab")


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ([A], [A], "none"),
        ([], [A], "strengthened"),
        ([A], [A, B], "strengthened"),
        ([A, B], [A, AGAINST_B], "weakened"),
        ([A, B], [A], "weakened"),
        ([A, B, study("c", result(n=9))], [A, B], "weakened"),
        ([A, B], [AGAINST_A, AGAINST_B], "reversed"),
        ([A], [AGAINST_A], "reversed"),
        ([A], [], "withdrawn"),
        ([A, B], [A, study("b", result(n=101))], "detail"),
        ([A], [study("a", result(n=100), findings=(Finding("mechanism", "x"),))], "detail"),
    ],
)
def test_a_change_is_classed_by_state_direction_and_studies(before, after, kind):
    assert changed(before, after).kind == kind


def test_the_most_serious_class_names_the_version_and_every_reason_is_kept():
    change = changed([A, study("c", result("care"))], [B, A])
    assert change.kind == "withdrawn"
    reasons = {claim: (kind, why) for claim, kind, why in change.reasons}
    assert reasons["outcome:care"] == ("withdrawn", "no study is left (c)")
    assert reasons["outcome:well"] == ("strengthened", "insufficient evidence before, favours intervention now")
    assert list(CHANGES).index("reversed") < list(CHANGES).index("withdrawn") < list(CHANGES).index("strengthened")


def test_the_first_version_and_a_changed_protocol_have_their_classes():
    assert change_class(None, made(A)).kind == "first"
    before = [to_json(claim) for claim in made(A)]
    assert change_class(before, made(A, protocol=review(emmie=False))).kind == "detail"
    assert change_class(before, made(A, protocol=review(outcomes=review().outcomes[:1]))).kind == "withdrawn"
    assert change_class(before[:1], made(A)).kind == "detail"
