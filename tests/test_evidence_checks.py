"""An answer is worked out again in other ways.

What readers are told of that is what the rule itself comes to.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.evidence import (
    certainty,
    checked,
    grade,
    sensitivity,
    weigh,
    wording,
    wording_checks,
)
from livereview.evidence.certainty import Reason
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Extraction, Result
from livereview.review import Methods
from livereview.summary import finding_words, model
from livereview.summary.model import protocol
from tests.evidence import CARE, SOS, WELLBEING, around, finding, rated, review, smd, study


def by_check(some: Finding) -> dict[str, tuple[str, ...]]:
    return {
        one.check: tuple(answer.state for answer in one.other_answers) for one in some.sensitivity
    }


ALIKE = [study(name, around(0.6, 0.2)) for name in "abcde"]


def test_an_answer_that_no_check_changes_says_so_in_one_quiet_line() -> None:
    some = finding(CARE, *ALIKE, study("f", around(0.55, 0.2), risk_of_bias="high"))
    assert by_check(some) == dict.fromkeys(
        ("risk_of_bias", "leave_one_out", "model", "estimator", "test"), ()
    )
    assert wording.otherwise(some) == []
    assert wording.stands(some) == (
        "The answer is the same without the study at high risk of bias, without each study in turn, with one common "
        "effect, with another estimator of the differences between studies (DL) and with another test (z)."
    )


def test_an_answer_that_hangs_on_studies_at_high_risk_of_bias_says_how_it_would_read() -> None:
    weak = [study(name, around(0.9, 0.5)) for name in "abc"]
    strong = [study(name, around(0.6, 0.1), risk_of_bias="high") for name in "de"]
    some = finding(CARE, *weak, *strong)
    assert some.state == "effect"
    line = wording.otherwise(some)[0]
    start = "Without the 2 studies at high risk of bias (D 2020 and E 2020) the answer would read: “There is too little"
    assert line.startswith(start)
    assert line in wording.words(some).text, "a loud line stands wherever the answer is printed"


def test_an_answer_from_nothing_but_studies_at_high_risk_would_be_none() -> None:
    some = finding(CARE, *[replace(form, risk_of_bias="serious") for form in ALIKE[:3]])
    assert by_check(some)["risk_of_bias"] == ("too_little",)


def test_the_study_that_an_answer_hangs_on_is_named() -> None:
    small = [study(name, around(0.9, 0.5)) for name in "abc"]
    some = finding(CARE, *small, study("large", around(0.6, 0.1)), methods=Methods(estimator="EE"))
    told = next(line for line in wording.otherwise(some) if "Large" in line)
    assert told.startswith(
        "Without Large 2020 the answer would read: “There is too little evidence"
    )


def test_checks_that_come_to_the_same_are_told_in_one_sentence_with_the_first_names() -> None:
    forms = [study(f"s{n:02}", smd(0.1 * n - 0.3, 0.3), risk_of_bias="high") for n in range(12)]
    (line,) = wording.otherwise(finding(WELLBEING, *forms))
    assert line.startswith("The answer would read “There is too little evidence on wellbeing.")
    assert "without the 12 studies at high risk of bias (S00 2020, S01 2020," in line
    assert "and 7 others) or without any one of" in line


def test_a_check_is_never_read_as_surer_than_the_answer() -> None:
    weak = [study(name, around(0.95, 0.3)) for name in "abc"]
    strong = study("d", around(0.4, 0.2), risk_of_bias="high")
    plain = finding(WELLBEING, *[study(n, smd(0.3, 0.4)) for n in "ab"], study("c", smd(0.0, 0.5)))
    unsure = rated(plain, "very_low")
    assert all("So far" not in line for line in wording.otherwise(unsure))
    assert finding(CARE, *weak, strong).sensitivity


def test_a_check_of_too_little_evidence_claims_nothing() -> None:
    some = finding(
        WELLBEING, study("a", smd(-0.1, 0.2)), study("b", smd(-0.1, 0.3)), study("c", smd(0.6, 0.3))
    )
    assert some.state == "too_little"
    assert any(one.other_answers for one in some.sensitivity)
    assert "children feel" not in " ".join(wording.otherwise(some))
    assert wording.words(some).caution == ""


def test_the_protocol_says_which_checks_are_made() -> None:
    none = finding(CARE, *ALIKE, methods=Methods(sensitivity=()))
    assert none.sensitivity == ()
    some = finding(CARE, *ALIKE, methods=Methods(sensitivity=("leave-one-out",)))
    assert list(by_check(some)) == ["leave_one_out"]


def test_one_study_and_two_are_not_checked_beyond_their_bias() -> None:
    assert finding(CARE, ALIKE[0]).sensitivity == ()
    assert finding(CARE, *ALIKE[:2]).sensitivity == ()
    assert list(by_check(finding(CARE, ALIKE[0], replace(ALIKE[1], risk_of_bias="high")))) == [
        "risk_of_bias"
    ]


def test_what_is_not_pooled_publishes_what_it_published_before() -> None:
    some = finding(CARE, ALIKE[0])
    plain = weigh.finding(review(CARE), SOS, CARE, [ALIKE[0]])
    assert some == plain
    assert {"sensitivity", "small_studies"}.isdisjoint(some.model_dump(mode="json"))
    checks = {"stands_display", "otherwise_display", "small_studies_display"}
    assert checks.isdisjoint(model.plain(finding_words.published(some)))
    usual, none = (
        model.plain(protocol.public(review(CARE, methods=methods)).methods)
        for methods in (Methods(), Methods(sensitivity=()))
    )
    assert "sensitivity" not in usual
    assert none["sensitivity"] == []


SIZES = st.lists(
    st.tuples(
        st.floats(0.3, 2.0),
        st.floats(0.05, 1.0),
        st.sampled_from([None, "low", "some_concerns", "high", "critical"]),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=30, deadline=None)
@drawn(SIZES, st.sampled_from(["REML", "DL", "EE"]), st.sampled_from(["z", "adhoc"]))
def test_every_check_agrees_with_the_finding_made_anew(
    sizes: list[tuple[float, float, str | None]], estimator: str, test: str
) -> None:
    forms = [
        study(f"s{n}", around(e, w), risk_of_bias=risk) for n, (e, w, risk) in enumerate(sizes)
    ]
    methods = Methods(estimator=estimator, test=test)
    protocol = review(CARE, methods=methods)
    some = checked.findings(protocol, forms)[0]
    for check in some.sensitivity:
        differing = {answer.without: answer for answer in check.other_answers}
        for left, other_methods in _otherwise(check.check, forms, methods):
            kept = [form for form in forms if form.label not in left]
            anew = weigh.finding(replace(protocol, methods=other_methods), SOS, CARE, kept)
            nothing_left = ("too_little", None, False)
            meaning = anew.meaning if anew.counted else nothing_left
            assert (left in differing) == (meaning != some.meaning)
            if left in differing and anew.counted:
                answer = differing[left]
                assert (answer.state, answer.side, answer.size) == (
                    anew.state,
                    anew.side,
                    anew.size,
                )
                assert answer.value == (anew.estimate.value if anew.estimate else None)
    quiet = [check.label for check in some.sensitivity if not check.other_answers]
    assert all(label in wording.stands(some) for label in quiet)
    loud = " ".join(wording.otherwise(some))
    assert not any(label in loud for label in quiet)


def _otherwise(
    check: str, forms: list[Extraction], methods: Methods
) -> list[tuple[tuple[str, ...], Methods]]:
    counted = [form for form in forms if form.risk_of_bias != "critical"]
    if check == "risk_of_bias":
        return [(tuple(form.label for form in counted if form.risk_of_bias == "high"), methods)]
    if check == "leave_one_out":
        return [((form.label,), methods) for form in counted]
    if check == "model":
        return [((), replace(methods, estimator="REML" if methods.estimator == "EE" else "EE"))]
    if check == "estimator":
        return [((), replace(methods, estimator="REML" if methods.estimator == "DL" else "DL"))]
    return [((), replace(methods, test="adhoc" if methods.test == "z" else "z"))]


# Small studies

LEANING = [
    study(f"s{n}", smd(0.1 + 0.9 * half, half))
    for n, half in enumerate(np.linspace(0.1, 0.9, 12).tolist())
]
SCATTER = (0.03, -0.05, 0.02, 0.06, -0.04, 0.01, -0.03, 0.05, -0.02, 0.04, -0.06, 0.02)


def test_small_studies_that_show_more_are_told_from_ten_studies_on() -> None:
    some = finding(WELLBEING, *LEANING)
    assert some.small_studies is not None
    assert (some.small_studies.test, some.small_studies.studies, some.small_studies.differ) == (
        "Egger",
        12,
        True,
    )
    assert "results may be missing" in wording_checks.small_studies(some)
    assert finding(WELLBEING, *LEANING[:9]).small_studies is None


def test_the_z_of_eggers_test_is_that_of_a_weighted_line_by_other_arithmetic() -> None:
    halves = np.linspace(0.1, 0.9, 12)
    values = 0.3 + np.array(SCATTER)
    forms = [
        study(f"s{n}", smd(v, h))
        for n, (v, h) in enumerate(zip(values.tolist(), halves.tolist(), strict=True))
    ]
    some = finding(WELLBEING, *forms).small_studies
    assert some is not None
    errors = halves / 1.959963984540054
    weights = 1 / errors**2  # the scatter is so small that no variance between studies is left
    mean_x = (weights @ errors) / weights.sum()
    slope = (weights * (errors - mean_x)) @ values / (weights @ (errors - mean_x) ** 2)
    error = 1 / sqrt(float(weights @ (errors - mean_x) ** 2))
    assert some.statistic == pytest.approx(slope / error, rel=1e-6)
    assert not some.differ


def test_odds_ratios_with_counts_are_asked_by_peters() -> None:
    forms = [study(f"s{n}", _counted(10 + 3 * n, 15 + 4 * n, 100 + 9 * n)) for n in range(11)]
    some = finding(replace(CARE, measure="OR"), *forms).small_studies
    assert some is not None
    assert (some.test, some.df, some.caution) == ("Peters", 9, None)


def _counted(events: int, control_events: int, people: int) -> Result:
    a, b, c, d = events, people - events, control_events, people - control_events
    effect, error = log(a * d / (b * c)), sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return Result(
        "care",
        "entry to care",
        measure="OR",
        effect=exp(effect),
        ci_low=exp(effect - 1.96 * error),
        ci_high=exp(effect + 1.96 * error),
        n=2 * people,
        reported={"ai": a, "bi": b, "ci": c, "di": d},
    )


def test_a_rating_that_is_silent_on_missing_results_is_asked_about_small_studies() -> None:
    some = finding(WELLBEING, *LEANING)
    tools = dict.fromkeys([form.study for form in LEANING], "RoB 2")
    down = (Reason("inconsistency", "x", -1),)
    asked = {one.domain for one in grade.warnings(some, "high", down, tools)}
    assert "publication_bias" in asked
    answered = (*down, Reason("publication_bias", "small studies show more", -1))
    assert "publication_bias" not in {
        one.domain for one in grade.warnings(some, "high", answered, tools)
    }


def test_a_check_leaves_the_finding_as_it_is() -> None:
    plain = weigh.finding(review(CARE), SOS, CARE, ALIKE)
    some = finding(CARE, *ALIKE)
    assert some.model_copy(update={"sensitivity": (), "small_studies": None}) == plain
    assert sensitivity.LEFT_OUT_FROM == 3


# Missing evidence


def judgement(level: str, some: Finding) -> Finding:
    given = {
        "kind": "missing_evidence",
        "finding": some.id,
        "level": level,
        "why": "Two protocols without results.",
    }
    rating = certainty.from_json(given, review(WELLBEING), [some.id])
    return grade.judged(some, grade.made_of_missing(rating, some))


def publication_bias(some: Finding, *reasons: Reason) -> list[str]:
    asked = grade.warnings(some, "high", reasons, dict.fromkeys(("a", "b", "c"), "RoB 2"))
    return [one.ask for one in asked if one.domain == "publication_bias"]


def test_a_judgement_of_missing_evidence_stands_beside_the_finding_and_must_fit_its_rating() -> (
    None
):
    plain = finding(WELLBEING, *[study(name, smd(0.4, 0.2)) for name in "abc"])
    down = Reason("publication_bias", "registered trials are unpublished", -1)
    high = judgement("high", plain)
    assert (
        wording_checks.missing_evidence(high)
        == "Risk that results are missing: high (Two protocols without results)."
    )
    assert publication_bias(high) == [
        "the risk that results are missing was judged high (Two protocols without results.); why not down?"
    ]
    assert publication_bias(high, down) == []
    assert publication_bias(judgement("low", plain), down) == [
        "the risk that results are missing was judged low; why down?"
    ]
    assert publication_bias(judgement("some_concerns", plain)) == []
    assert publication_bias(plain, down) == []


def test_a_judgement_of_missing_evidence_stays_in_sight_when_studies_come() -> None:
    plain = finding(WELLBEING, study("a", smd(0.4, 0.2)))
    given = {"kind": "missing_evidence", "finding": plain.id, "level": "high", "why": "x"}
    rating = grade.made_of_missing(certainty.from_json(given, review(WELLBEING), [plain.id]), plain)
    more = finding(WELLBEING, study("a", smd(0.4, 0.2)), study("b", smd(0.4, 0.2)))
    (later,) = grade.all_rated((more,), (rating,))
    assert later.missing_evidence is not None
    assert not later.missing_evidence.current
    assert "as judged before the studies changed: high" in wording_checks.missing_evidence(later)
    assert certainty.known(certainty.to_json(rating)) == rating


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"level": "moderate", "why": "x"},
            "level must be one of low, some_concerns, high; it was 'moderate'",
        ),
        ({"level": "low"}, "each reason needs a domain and, in words, why"),
        (
            {"level": "low", "why": "x", "finding": "no/thing"},
            "finding must be one of sos/wellbeing",
        ),
    ],
)
def test_a_judgement_of_missing_evidence_needs_a_level_and_words(
    given: dict[str, str], problem: str
) -> None:
    whole = {"kind": "missing_evidence", "finding": "sos/wellbeing"} | given
    with pytest.raises(Refused) as refused:
        certainty.from_json(whole, review(WELLBEING), ["sos/wellbeing"])
    assert problem in str(refused.value)
