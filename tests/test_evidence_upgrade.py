"""Old forms are read by today's rules: either they say what they always said, or they wait for a
person's answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from livereview import ops
from livereview.evidence import checked, orientation, upgrade
from livereview.evidence.forms import FORM_VERSION, Result
from livereview.ops import evidence, publish
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.evidence import CARE, WELLBEING, review, study
from tests.test_ops import form, include
from tests.test_ops_sign_off import page

DIRECTIONS = ("favours_intervention", "favours_comparison", "no_difference", "unclear", None)
OLD = [
    (outcome, measure, effect, direction)
    for (outcome, measure, effects), direction in product(
        (
            (WELLBEING, "SMD", (-0.5, 0.5)),
            (replace(WELLBEING, better="lower"), "SMD", (-0.5, 0.5)),
            (CARE, "RR", (0.5, 2.0)),
            (replace(CARE, better="higher"), "OR", (0.5, 2.0)),
        ),
        DIRECTIONS,
    )
    for effect in effects
]


@pytest.mark.parametrize(("outcome", "measure", "effect", "direction"), OLD)
def test_an_old_result_says_what_it_said_or_waits_with_its_reason(
    outcome: Any, measure: str, effect: float, direction: str | None
) -> None:
    ends = {"ci_low": effect - 0.1, "ci_high": effect + 0.1}
    result = Result(outcome.id, "entry", direction, measure=measure, effect=effect, n=100, **ends)
    rules = review(outcome)
    old = replace(study("a", result), form_version="1")
    new = upgrade.upgraded(old, rules)
    assert new.form_version == FORM_VERSION
    assert upgrade.upgraded(new, rules) is new, "what is up to date is left alone"
    (known,) = checked.findings(rules, [new])
    (asked,) = upgrade.questions(new, rules) or [None]
    if asked is None:
        oriented = orientation.orient(outcome, new.results[0])
        derived = orientation.direction_of(outcome, oriented)
        if direction in ("favours_intervention", "favours_comparison"):
            assert derived == direction, "no typed direction is turned around"
        assert [one.study for one in known.studies] == ["a"]
    else:
        assert known.studies == ()
        assert [(one.study, one.reason, one.asks) for one in known.not_used] == [
            ("a", asked[1], True)
        ]
        assert known.state == "too_little", (
            "a study measured it: it is no gap, and no answer either"
        )


def test_a_scale_without_a_clear_direction_is_never_oriented_by_guess() -> None:
    asked = [
        case for case in OLD if case[1] == "SMD" and case[3] in ("no_difference", "unclear", None)
    ]
    for outcome, measure, effect, direction in asked:
        result = Result(outcome.id, "a scale", direction, measure=measure, effect=effect)
        rules = review(outcome)
        new = upgrade.upgraded(replace(study("a", result), form_version="1"), rules)
        assert new.results[0].higher_is_better is None
        assert upgrade.questions(new, rules)


@pytest.mark.parametrize(
    ("timing", "told"),
    [
        ("12 months", (12, "months")),
        ("at 2.5 years", (2.5, "years")),
        ("6 and 12 months", None),
        ("after the programme", None),
        ("week 6", None),
    ],
)
def test_a_time_in_words_is_a_number_only_where_it_is_one(
    timing: str, told: tuple[float, str] | None
) -> None:
    old = replace(
        study("a", Result("care", "entry", "favours_intervention", timing=timing)), form_version="2"
    )
    (result,) = upgrade.upgraded(old, review(CARE)).results
    assert (result.time, result.time_unit) == (told or (None, None))
    assert result.timing == timing, "the words stay"


def test_what_only_a_person_can_tell_is_asked_until_it_is_answered(
    reviewed: Store, tmp_path: Path, browser: Callable[..., Browser]
) -> None:
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    old = {"outcome": "attendance", "construct": "days missed", "measure": "SMD", "n": 40}
    old |= {"effect": -0.5, "ci_low": -0.7, "ci_high": -0.3, "direction": "favours_intervention"}
    data = form(results=[old], form_version="1")
    told = evidence.extract(reviewed, id="old", review=REVIEW, data=data, extractor="ada", now=NOW)
    assert "result 1: " in told["questions"][0], "whoever extracts is asked at once"
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    (known,) = page(tmp_path)["findings"]
    assert (known["state"], known["studies"], known["not_used"][0]["asks"]) == (
        "too_little",
        [],
        True,
    )
    assert known["not_used"][0]["reason"] in (
        tmp_path / REVIEW / "latest" / "studies.html"
    ).read_text("utf-8")

    (asked,) = ops.status.status(reviewed, now=NOW, review=REVIEW)["reviews"][0]["questions"]
    assert (asked["study"], asked["place"], asked["construct"]) == ("doe-2020", 0, "days missed")
    assert "days missed" in browser("lena", "lead").get(f"/r/{REVIEW}")

    answered = {**old, "higher_is_better": False, "direction": None}
    data = form(results=[answered], form_version="3")
    assert not evidence.extract(
        reviewed, id="new", review=REVIEW, data=data, extractor="ada", now=NOW
    )["questions"]
    assert ops.status.status(reviewed, now=NOW, review=REVIEW)["reviews"][0]["questions"] == []
    done = publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    assert done["held"]["change"] == "new_finding", (
        "the answer changes what is said, so it waits for a name"
    )
