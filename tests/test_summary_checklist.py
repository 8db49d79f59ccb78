"""The checklist says what the data hold, and of the rest that it is missing and how to tell it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import review_toml
from livereview.evidence import claims, grade
from livereview.evidence.certainty import Rating, Reason
from livereview.review import Statement
from livereview.summary import flow_diagram
from livereview.summary.checklist import Item, flow_balances, items
from livereview.summary.model import Summary
from livereview.summary.model.status import FlowCounts
from livereview.summary.site import build, draft
from tests import published_states
from tests.snapshots import MOMENT, fact, flow, published, report, result, review, snapshot, study

FORMS = (
    study("doe-2020", result(measure="SMD", effect=0.3, ci_low=0.1, ci_high=0.5, n=40), result("care", "unclear"),
          design="trial", country="UK", risk_of_bias="low", risk_of_bias_tool="RoB 2"),
    study("roe-2021", result(measure="SMD", effect=0.1, ci_low=-0.1, ci_high=0.3, derivation="from means and SDs"),
          risk_of_bias="high", risk_of_bias_tool="ROBINS-I"),
)  # fmt: skip


def summary(*forms: Any, **changes: Any) -> Summary:
    return draft(snapshot(*(forms or FORMS), **changes), 1, "the first search").summary


def found(given_one: Summary, standard: str = "PRISMA 2020") -> dict[str, Item]:
    return {item.id: item for item in items(given_one) if item.standard == standard}


def told(**statements: str) -> tuple[Statement, ...]:
    return tuple(
        Statement(name.replace("_", "-"), "explanations", text) for name, text in statements.items()
    )


def test_each_item_is_reported_with_a_value_or_missing_with_what_to_add() -> None:
    for given_one in (
        summary(),
        summary(study("x")),
        draft(snapshot(), 1, "a search").summary,
    ):
        listed = items(given_one)
        assert len({(item.standard, item.id) for item in listed}) == len(listed) == 69
        for item in listed:
            assert item.asks
            if item.state == "reported":
                assert item.value and item.value.strip() == item.value and item.why is None, item
            else:
                assert (item.state, item.value) == ("missing", None) and item.why, item
                assert re.match(r"add|let|fill in|extract|judge|the flow", item.why), item


def test_the_protocol_is_reported_in_its_own_words() -> None:
    one = found(summary())
    assert one["4"].value is not None and one["4"].value.startswith(
        "text: Does mentoring help children in care?; popul"
    )
    assert one["5"].value == (
        "Criteria version 2026-01. Include: Children under 18 in foster or residential care "
        "Exclude: No comparison group"
    )
    assert one["8"].value == (
        "By title and abstract, then by full text: 2 reviewers decide, unseen by each other, on each report. "
        "Nothing is excluded by automation."
    )
    assert one["9"].value == "One person extracts each study"
    assert (
        one["12"].value
        == "Children entering care: risk difference per 1,000 children; Wellbeing: SMD"
    )
    two = found(summary(review=review(extractors=2)))
    assert two["9"].value is not None and two["9"].value.startswith("2 people")


def test_every_search_is_reported_in_full_with_its_date_filters_and_limits() -> None:
    protocol = review()
    first, second = protocol.searches
    protocol = replace(
        protocol,
        searches=(replace(first, start="2020-01-01"), replace(second, url="https://a.org/feed")),
    )
    facts = (
        fact("openalex", filters=(("type", "article"), ("type", "report"))),
        replace(fact("crossref"), source="feed", query="", last_success=None, platform="A feed"),
    )
    given_one = summary(review=protocol, searches=facts)
    one, s = found(given_one), found(given_one, "PRISMA-S")
    assert one["6"].value == "openalex API: last complete 3 March 2026; A feed: last complete never"
    assert (
        one["7"].value
        == s["8"].value
        == "openalex: mentoring AND care\ncrossref: https://a.org/feed"
    )
    assert s["10"].value == "openalex: type = article or report; crossref: none"
    assert s["9"].value == "openalex: nothing before 2020-01-01"
    assert (s["1"].value, s["3"].value, s["4"].value, s["5"].value) == (
        "openalex API",
        "None",
        "A feed",
        "None",
    )
    assert s["15"].value == "records 22"


def test_studies_results_and_syntheses_are_reported() -> None:
    one = found(summary(excluded=(report("e", reason="Wrong population"),)))
    assert one["11"].value == "ROBINS-I; RoB 2"
    assert one["17"].value == "Doe-2020: trial | UK\nRoe-2021: nothing is extracted of them"
    assert one["18"].value == "Doe-2020: low\nRoe-2021: high"
    assert (
        one["19"].value is not None and "well, favours the intervention, SMD 0.3" in one["19"].value
    )
    assert (
        one["13.a"].value == "Children entering care: 1 with a result\nWellbeing: 2 with a result"
    )
    assert one["13.b"].value is not None
    assert (
        one["13.b"].value.startswith("1 of 3 results are worked out")
        and "from means and SDs (1)" in one["13.b"].value
    )
    assert (
        one["13.d"].value is not None
        and f"finding, version {claims.VERSION}: " in one["13.d"].value
    )
    assert (
        one["16.b"].value == "reports 1, each in exclusions.csv with its reason; Wrong population 1"
    )
    assert one["20.b"].value is not None and "not pooled" in one["20.b"].value
    assert one["20.c"].state == "missing"


def test_pooled_results_bring_their_heterogeneity() -> None:
    outcomes = tuple(replace(one, pool=one.id == "well") for one in review().outcomes)
    one = found(summary(review=review(outcomes=outcomes)))
    told = one["20.b"].value
    assert told is not None
    assert re.search(r"Wellbeing: SMD 0\.\d\d, 95% interval .*, common effect, k = 2", told)
    assert one["20.c"].state == "missing", "two studies do not tell how studies differ"


def test_moderators_and_checks_of_the_answers_report_their_items() -> None:
    one = found(draft(published_states.pooled()[1], 1, "a search").summary)
    assert one["13.e"].value is not None and one["13.e"].value.startswith(
        "By Age (named in advance); Number of sessions"
    )
    assert one["13.f"].value is not None and "without each study in turn" in one["13.f"].value
    assert (
        one["20.c"].value is not None
        and "Wellbeing, Age: No clear difference was seen" in one["20.c"].value
    )
    assert one["20.d"].value is not None and "Wellbeing: The answer would read" in one["20.d"].value


def test_work_that_waits_is_named_study_by_study() -> None:
    bare = snapshot(study("doe-2020", result()), study("roe-2021", result(), risk_of_bias="low"))
    waiting = replace(bare, studies=(replace(bare.studies[0], extraction=None), bare.studies[1]))
    one = found(draft(waiting, 1, "a search").summary)
    assert one["17"].why == one["19"].why == "extract 1 of 2 studies: Doe-2020"
    assert one["18"].why == "judge 1 of 2 studies: Doe-2020"
    assert one["11"].state == "missing"


def test_certainty_is_reported_once_every_outcome_with_studies_is_rated() -> None:
    reasons = (Reason("imprecision", "few people", step=-1),)
    numbers = {finding.id: grade.numbers_of(finding) for finding in summary().findings}
    well = Rating("grade", "main/well", "moderate", reasons, (), "high", numbers["main/well"])
    assert (
        found(summary(ratings=(well,)))["22"].why
        == "let a lead rate the certainty of Children entering care"
    )
    care = Rating("grade", "main/care", "high", (), (), "high", numbers["main/care"])
    rated = found(summary(ratings=(well, care)))["22"]
    assert (
        rated.value
        == "Children entering care: high\nWellbeing: moderate; imprecision (−1): few people"
    )


def test_the_living_mode_is_reported() -> None:
    one = found(summary(), "PRISMA-LSR")
    assert one["title"].why == "let the title in review.toml hold the word “living”"
    titled = found(
        summary(review=review(title="Mentoring: a living systematic review")), "PRISMA-LSR"
    )["title"]
    assert titled.value == "Mentoring: a living systematic review (version 1, 3 March 2026)"
    assert (
        one["status"].value
        == "living; searches complete to: 3 March 2026; out of date from 17 April 2026"
    )
    assert one["L1.searches"].value == "every day at 02:00 (Europe/London)"
    assert one["L1.steps"].value is not None and "extraction: monthly" in one["L1.steps"].value
    assert one["L1.retirement"].value == "retirement: none"
    assert one["L2"].value == "This is the first version" and one["L4.authors"].value == "A. Lead"


def test_a_later_version_reports_its_changes_and_asks_for_those_of_the_methods() -> None:
    first = published(build(snapshot(FORMS[0]), 1, "the first search"))
    later = snapshot(*FORMS, history=(first,), moment=MOMENT + timedelta(days=1))
    one = found(draft(later, 2, "extraction of Roe 2021").summary, "PRISMA-LSR")
    assert one["L3.trigger"].value == "extraction of Roe 2021"
    assert one["L3.results"].value is not None and one["L3.results"].value.endswith(
        "added: roe-2021; removed: none"
    )
    assert (
        one["L2"].state == "missing"
        and one["L2"].why is not None
        and "changes-to-methods" in one["L2"].why
    )


def test_what_to_add_is_an_answer_once_it_is_added() -> None:
    """Each advice is followed to the letter, as text of a review.toml that is read again."""
    missing = [item for item in items(summary()) if item.why and "with id =" in item.why]
    assert {"24.a", "25", "26", "L4.roles", "14"} <= {item.id for item in missing}
    names = [
        match.group(1)
        for item in missing
        if (match := re.search(r'id = "([a-z-]+)"', item.why or ""))
    ]
    assert len(names) == len(missing)
    blocks = "".join(
        f'\n[[statements]]\nid = "{name}"\nunder = "explanations"\ntext = "About {name}."\n'
        for name in dict.fromkeys(names)
    )
    parsed = review_toml.parse(f"{review().text}{blocks}")
    answered = {
        (item.standard, item.id): item
        for item in items(summary(review=review(statements=parsed.statements)))
    }
    for item, name in zip(missing, names, strict=True):
        assert answered[item.standard, item.id].value == f"About {name}."
    assert answered["PRISMA 2020", "23.a"].state == "missing"


def test_a_second_statement_is_joined_and_another_name_is_not() -> None:
    said = told(funding="A fund.", funding_2="Another.", funding_bodies="No answer.")
    one = found(summary(review=review(statements=said)))
    assert one["25"].value == "A fund. Another." and one["23.a"].value == "No answer."


def test_hostile_words_lose_their_control_signs_only() -> None:
    one = found(summary(review=review(statements=told(funding="A\u202e <b>fund</b>\x07 \ud800"))))
    assert one["25"].value == "A <b>fund</b>"


def test_an_empty_answer_is_missing() -> None:
    given_one = summary()
    version = given_one.version.model_copy(update={"trigger": " \u202e"})
    given_one = given_one.model_copy(update={"version": version})
    assert found(given_one, "PRISMA-LSR")["L3.trigger"].why is not None


# The flow
# -------------------------------------------------------------------------------------------------------------


def boxes(**changes: Any) -> FlowCounts:
    plain = flow_diagram.published(flow(2, (("Wrong population", 3),)))
    return plain.model_copy(update=changes)


def test_a_flow_that_balances_is_not_faulted() -> None:
    assert flow_balances(boxes()) == []
    assert flow_balances(summary().flow) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"duplicates": 8}, "identified databases + identified other is 25, but duplicates + screened + awaiting"
                            " screening + not screened is 26"),
        ({"in_screening": 0}, "screened is 16, but excluded + excluded by automation + sought + in screening is 15"),
        ({"not_retrieved": 3}, "sought is 9, but not retrieved + assessed + awaiting full text is 11"),
        ({"excluded_full_text": ()}, "assessed is 5, but excluded at full text + included is 2"),
        ({"awaiting_extraction": 3}, "included is 2, but awaiting extraction is 3"),
    ],
)  # fmt: skip
def test_each_sum_that_does_not_add_up_is_told(change: dict[str, Any], words: str) -> None:
    assert flow_balances(boxes(**change)) == [words]
    broken = summary().model_copy(update={"flow": boxes(**change)})
    assert found(broken)["16.a"].why == f"the flow does not add up: {words}"


def test_a_count_below_zero_is_told() -> None:
    assert flow_balances(boxes(doubtful_pairs=-1)) == ["doubtful pairs is -1, below zero"]


COUNTED = (
    "duplicates",
    "screened",
    "excluded",
    "sought",
    "assessed",
    "included",
    "not_retrieved",
    "in_screening",
)


@given(box=st.sampled_from(COUNTED), more=st.integers(1, 50))
def test_one_wrong_box_never_passes(box: str, more: int) -> None:
    right = boxes()
    assert flow_balances(boxes(**{box: getattr(right, box) + more}))
