"""The five questions: the effect's quality comes from ratings, and what studies say is grouped,
counted and rated.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from livereview.errors import Refused
from livereview.evidence import certainty, checked, coded, effect_quality, grade
from livereview.evidence.certainty import Rating, Reason
from livereview.evidence.effect_quality import Quality
from livereview.evidence.finding import Certainty, Finding
from livereview.evidence.forms import Cost, EmmieFinding, Extraction
from livereview.review import Code
from livereview.summary import site
from tests.snapshots import WELL, result, review, snapshot, study

LEFT = EmmieFinding(
    "implementation", "Staff left within a year.", "They just left", "12", None, "barrier", "staff"
)
CODES = (Code("staff", "Staff left"), Code("time", "Time to learn"))


def sized(name: str, **fields: Any) -> Extraction:
    return study(name, result(n=90, measure="SMD", effect=0.4, ci_low=0.3, ci_high=0.5), **fields)


def of(*forms: Extraction, level: str | None = None) -> Finding:
    (_, finding) = checked.findings(review(), forms)
    if level is None:
        return finding
    known: Any = level
    return finding.model_copy(update={"certainty": Certainty(level=known)})


# The effect


@pytest.mark.parametrize(
    ("finding", "value"),
    [
        (of(), None),
        (of(sized("a"), level="very_low"), 1),
        (of(sized("a"), level="low"), 2),
        (of(sized("a"), level="moderate"), 3),
        (of(sized("a", risk_of_bias="high"), level="high"), 4),
        (of(sized("a", risk_of_bias="low")), 2),
        (of(sized("a", risk_of_bias="low"), sized("b", risk_of_bias="serious")), 1),
        (of(sized("a", risk_of_bias="critical")), 0),
        (of(sized("a", risk_of_bias="low"), sized("b")), None),
        (of(sized("a", risk_of_bias="no_information")), None),
    ],
)
def test_the_quality_of_a_finding_follows_the_stated_rule(
    finding: Finding, value: int | None
) -> None:
    told = effect_quality.of_finding(finding)
    assert told.value == value and told.why


def test_no_unrated_finding_stands_above_one_of_low_certainty() -> None:
    best = of(*(sized(f"s{n}", risk_of_bias="low") for n in range(9)))
    told = effect_quality.of_finding(best).value
    assert told == effect_quality.of_finding(of(sized("a"), level="low")).value


def test_the_quality_of_the_effect_is_that_of_its_least_sure_finding_and_costs_are_no_part_of_it() -> (
    None
):
    sure, unsure = of(sized("a"), level="high"), of(sized("a"), level="very_low")
    quality = effect_quality.of_findings((sure, unsure))
    assert quality == Quality(1, "from the rating", 4)
    words = "1 of 4 (from the rating). That is the least sure finding; the surest has 4."
    assert effect_quality.in_words(quality) == f"Quality of this evidence: {words}"
    cost = sure.model_copy(update={"kind": "cost"})
    assert effect_quality.of_findings((cost, unsure)).best == 1
    assert effect_quality.of_findings((cost,)).value is None
    waiting = of(sized("a"))
    assert effect_quality.in_words(effect_quality.of_findings((unsure, waiting))).endswith(
        "1 finding has none yet."
    )


def test_the_page_takes_it_from_the_ratings_and_from_nothing_that_was_typed() -> None:
    typed = EmmieFinding("effect", "It works.", quality=4)
    form = sized("a", risk_of_bias="low", risk_of_bias_tool="RoB 2", findings=(typed,))
    unrated = snapshot(form)
    effect = json.loads(site.build(unrated, 1, "x").summary)["emmie"][0]
    assert effect["quality"] == 2 and "nobody has rated it yet" in effect["quality_display"]
    finding = checked.findings(review(), [form])[1]
    rating = Rating("grade", finding.id, "very_low", (), (), "low", grade.numbers_of(finding))
    build = site.build(replace(unrated, ratings=(rating,)), 1, "x")
    summary = json.loads(build.summary)
    jsonschema.validate(summary, json.loads(build.files["summary.schema.json"]))
    assert summary["emmie"][0]["quality"] == 1 == summary["findings"][1]["quality"]
    assert summary["findings"][0]["quality"] is None
    assert (
        "Quality of this evidence: 1 of 4 (from the rating)." in build.files["index.html"].decode()
    )
    assert any(rule["id"] == "effect-quality" for rule in json.loads(build.summary)["rules"])


# What studies say


def councils(*numbers: int | None) -> coded.CodedFinding:
    forms = [study(f"s{n}", findings=(LEFT, LEFT), sites=sites) for n, sites in enumerate(numbers)]
    (group,) = coded.coded(review(codes=CODES), [*forms, study("other")], "implementation")
    return group


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((2, 2, 2), "councils: 2 each"),
        ((2, 5), "councils: 2 to 5 each"),
        ((3,), "councils: 3"),
        ((2, None), "councils: 2 in each study that says how many"),
        ((None, None), ""),
    ],
)
def test_places_are_told_as_far_as_studies_say_them(
    numbers: tuple[int | None, ...], words: str
) -> None:
    group = councils(*numbers)
    assert coded.sites_in_words(group, "councils") == words
    assert coded.count_in_words(group) == f"{len(numbers)} of {len(numbers) + 1} studies", (
        "two quotes, one study"
    )


def test_a_coded_finding_is_shown_with_count_places_quotes_and_confidence() -> None:
    forms = [study(name, findings=(LEFT,), sites=2) for name in "abc"]
    concern = Reason("adequacy", "three small studies", 0, "moderate")
    rated = Rating(
        "cerqual", "implementation/staff/barrier", "moderate", (concern,), ("a", "b", "c")
    )
    rules = review(codes=CODES, sites="councils")
    build = site.build(snapshot(*forms, study("d"), review=rules, ratings=(rated,)), 1, "x")
    summary, page = json.loads(build.summary), build.files["index.html"].decode()
    jsonschema.validate(summary, json.loads(build.files["summary.schema.json"]))
    (tile,) = [one for one in summary["emmie"] if one["dimension"] == "implementation"]
    (row,) = tile["codes"]
    assert row["display"] == "3 of 4 studies (councils: 2 each)" and row["sites"] == [2, 2, 2]
    assert [one["quote"] for one in row["findings"]] == ["They just left"] * 3
    assert row["confidence"]["level"] == "moderate"
    assert "Most often: staff left (3 of 4 studies)." in tile["text"]
    assert "Staff left</strong>: 3 of 4 studies (councils: 2 each)" in page
    assert page.count("<q>They just left</q>") == 3, "once each: not among the uncoded ones again"
    assert "likely to be a fair picture" in page


def test_a_cerqual_rating_of_a_code_holds_for_the_studies_that_say_it() -> None:
    groups = {"implementation/staff/barrier": ("a", "b")}
    data = {"kind": "cerqual", "code": "implementation/staff/barrier", "level": "low"}
    rating = certainty.from_json(data, review(), (), groups)
    assert (rating.subject, rating.studies) == ("implementation/staff/barrier", ("a", "b"))
    assert certainty.known(certainty.to_json(rating)) == rating
    forms = [study(name, findings=(LEFT,)) for name in "ab"]
    (group,) = coded.coded(review(codes=CODES), forms, "implementation")
    assert coded.confidence(group, [rating]) == rating
    (more,) = coded.coded(
        review(codes=CODES), [*forms, study("c", findings=(LEFT,))], "implementation"
    )
    assert coded.confidence(more, [rating]) is None
    with pytest.raises(
        Refused, match="code must be one of implementation/staff/barrier; it was 'x'"
    ):
        certainty.from_json({**data, "code": "x"}, review(), (), groups)


@pytest.mark.parametrize(
    ("dimension", "form"),
    [
        ("economics", study("a", costs=(Cost("training", 9, "GBP"),))),
        ("economics", study("a", result(kind="cost"))),
        ("economics", study("a", result("price"))),
        ("moderators", study("a", result(subgroup="young women"))),
        ("mechanism", study("a", findings=(EmmieFinding("mechanism", "Trust grows."),))),
    ],
)
def test_no_question_is_told_to_be_unreported_beside_what_reports_on_it(
    dimension: str, form: Extraction
) -> None:
    rules = review(outcomes=(*review().outcomes, replace(WELL, id="price", kind="cost")))
    assert coded.reports_on(rules, form, dimension)
    for n in (0, 2):
        others = [study(f"z{m}") for m in range(n)]
        (tile,) = [
            one
            for one in json.loads(
                site.build(snapshot(form, *others, review=rules), 1, "x").summary
            )["emmie"]
            if one["dimension"] == dimension
        ]
        assert "None of" not in tile["text"] and "does not report" not in tile["text"]
