"""Costs: converted by the protocol's table only, in bands that it sets, never a finding on how
people fare.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from livereview import review_toml
from livereview.errors import Refused
from livereview.evidence import checked, checks, costs, sheets, upgrade, wording
from livereview.evidence.forms import Cost, EmmieFinding, Extraction
from livereview.review import (
    Configuration,
    CostBand,
    Costs,
    Outcome,
    PriceFactor,
    Review,
    Statement,
)
from livereview.summary import site, words
from tests.snapshots import CARE, WELL, result, review, snapshot, study

MONEY = Costs(
    currency="GBP",
    year=2025,
    source="A price index and exchange rates of 1 October 2025",
    per="family",
    factors=(PriceFactor("USD", 2019, 0.9), PriceFactor("GBP", 2020, 1.25)),
    bands=(CostBand("low", 500), CostBand("moderate", 2000), CostBand("high")),
)
PRICE = Outcome("price", "Total cost", "lower", "MD", pool=True, kind="cost")
RULES = review(outcomes=(CARE, WELL, PRICE), costs=MONEY)


def paid(
    amount: float = 400, currency: str = "GBP", year: int | None = 2020, **fields: Any
) -> Cost:
    return Cost("the programme", amount, currency, year, **{"per": "family", **fields})


def priced(
    name: str, effect: float, currency: str | None, year: int | None, **fields: Any
) -> Extraction:
    told = result(
        "price", construct="Cost of services", measure="MD", effect=effect, ci_low=effect - 100,
        ci_high=effect + 100, currency=currency, price_year=year, n=50,
    )  # fmt: skip
    return study(name, told, **fields)


@pytest.mark.parametrize(
    ("cost", "amount", "reason"),
    [
        (paid(400, "GBP", 2025), 400, None),
        (paid(400, "GBP", 2020), 500, None),
        (paid(400, "USD", 2019), 360, None),
        (paid(400, "USD", 2020), None, "the protocol's table has no factor for USD of 2020"),
        (paid(400, "EUR", 2019), None, "the protocol's table has no factor for EUR of 2019"),
        (paid(400, "GBP", None), None, "the currency or the year of its prices is not reported"),
    ],
)
def test_an_amount_is_converted_by_the_protocols_table_and_by_nothing_else(
    cost: Cost, amount: float | None, reason: str | None
) -> None:
    (row,) = costs.converted(RULES, [study("a", costs=(cost,))])
    assert (row.amount, row.reason) == (pytest.approx(amount) if amount else None, reason)


def test_without_a_table_nothing_is_converted() -> None:
    (row,) = costs.converted(review(), [study("a", costs=(paid(),))])
    assert (row.amount, row.reason) == (None, "the protocol has no table to convert it")
    assert costs.per_unit(None, (row,)) is None


def per_unit(*forms: Extraction) -> costs.PerUnit | None:
    return costs.per_unit(MONEY, costs.converted(RULES, forms))


def test_each_study_counts_once_per_unit_and_the_middle_one_has_the_band() -> None:
    told = per_unit(
        study("a", costs=(paid(400, "GBP", 2025),)),
        study("b", costs=(paid(600, "GBP", 2025), paid(300, "GBP", 2025, per=None))),
        study("c", costs=(paid(8000, "GBP", 2025, total=True), paid(100, "GBP", 2025))),
        study("d", costs=(paid(1, "GBP", 2025), paid(2, "GBP", 2025))),
        study("e", costs=(paid(5, "EUR", 2025),)),
    )
    assert told == costs.PerUnit(("a", "b", "c"), 400, 600, 8000, "moderate")
    assert costs.sentence(MONEY, told) == (
        "3 studies give GBP 400 to GBP 8,000 per family, in prices of 2025; the middle one GBP 600. "
        "Cost band: moderate."
    )
    one = per_unit(study("a", costs=(paid(12.5, "GBP", 2025),)))
    assert one is not None
    assert (
        costs.sentence(MONEY, one)
        == "1 study gives GBP 12.50 per family, in prices of 2025. Cost band: low."
    )
    assert per_unit(study("a")) is None


@pytest.mark.parametrize(
    ("amount", "label"), [(499.99, "low"), (500, "moderate"), (1999, "moderate"), (2000, "high")]
)
def test_a_band_ends_below_its_threshold(amount: float, label: str) -> None:
    assert costs.band(MONEY, amount) == label
    assert costs.band(replace(MONEY, bands=MONEY.bands[:1]), 500) is None


# Results in money


def test_results_in_money_are_pooled_in_the_reviews_own() -> None:
    """-300 of GBP 2020 are -375 of 2025, with an interval that is as much wider; -400 of USD 2019
    are -360.
    """
    forms = (priced("a", -300, "GBP", 2020), priced("b", -400, "USD", 2019))
    (_, _, finding) = checked.findings(RULES, forms)
    values = {one.study: (one.value, one.low, one.high) for one in finding.studies}
    assert values["a"] == pytest.approx((-375, -500, -250))
    assert values["b"] == pytest.approx((-360, -450, -270))
    weights = [1 / 125**2, 1 / 90**2]
    mean = (-375 * weights[0] - 360 * weights[1]) / sum(weights)
    assert finding.estimate is not None and finding.estimate.value == pytest.approx(mean)
    assert (finding.kind, finding.unit, finding.side) == ("cost", "GBP of 2025", "fewer")


@pytest.mark.parametrize(
    ("currency", "year", "reason"),
    [
        ("EUR", 2020, "the protocol's table has no factor for EUR of 2020"),
        (None, None, "the currency or the year of its prices is not reported"),
    ],
)
def test_money_that_can_not_be_converted_waits_for_an_answer(
    currency: str | None, year: int | None, reason: str
) -> None:
    (_, _, finding) = checked.findings(RULES, [priced("a", -300, currency, year)])
    assert [(one.reason, one.asks) for one in finding.not_used] == [(reason, True)]
    assert finding.state == "too_little" and finding.estimate is None
    assert upgrade.questions(priced("a", -300, currency, year), RULES) == ((0, reason),)


def test_without_a_table_only_one_money_is_compared() -> None:
    bare = replace(RULES, costs=None)
    (_, _, same) = checked.findings(
        bare, [priced("a", -300, "GBP", 2020), priced("b", -400, "GBP", 2020)]
    )
    assert same.estimate is not None and same.estimate.studies == 2
    (_, _, mixed) = checked.findings(
        bare, [priced("a", -300, "GBP", 2020), priced("b", -400, "USD", 2019)]
    )
    assert mixed.estimate is None and len(mixed.not_used) == 2


def test_costs_never_count_as_health() -> None:
    cheaper = (priced("a", -300, "GBP", 2025), priced("b", -400, "GBP", 2025))
    (care, well, price) = checked.findings(RULES, cheaper)
    assert (care.state, well.state, price.state) == ("no_studies", "no_studies", "effect")
    assert words.state(price) == "Lower costs"
    assert "costs are lower (total cost)" in wording.headline(price)
    assert "better" not in wording.headline(price)
    assert wording.evidence_lacks((care, well, price)), (
        "that it is cheap says nothing of whether it works"
    )


# The form and the protocol


def test_a_form_and_a_sheet_take_costs_per_unit() -> None:
    row = {"item": "training", "amount": 10, "currency": "GBP", "per": "family", "total": True}
    plain = {"study": "a", "label": "A", "reports": ["10.1/a"]}
    assert checks.from_json({**plain, "costs": [row]}, RULES, "form").costs[0].total
    head = "kind,study,label,reports,item,amount,currency,price_year,per,total"
    text = f"{head}\ncost,a,A,10.1/a,training,10,GBP,2020,family,yes\n"
    (form,) = sheets.from_csv(text, RULES, "sheet")
    assert form.costs == (Cost("training", 10, "GBP", 2020, None, "family", True),)


def problem(old: str, new: str) -> str:
    text = review_toml.template()
    assert old in text
    with pytest.raises(Refused) as refused:
        review_toml.parse(text.replace(old, new, 1))
    return refused.value.message


def test_the_protocols_table_is_read_and_its_mistakes_have_a_line() -> None:
    rules = review_toml.parse(review_toml.template()).costs
    assert rules is not None and rules.factors == (PriceFactor("USD", 2019, 0.95),)
    assert rules.bands == (CostBand("low", 500), CostBand("high"))
    assert 'must be the three letters of a currency, e.g. "GBP"' in problem(
        'currency = "USD"', 'currency = "$"'
    )
    own = problem('currency = "USD"\nyear = 2019', 'currency = "GBP"\nyear = 2025')
    assert "costs.factors[1]: GBP of 2025 is the review's own, which needs no factor" in own
    assert "costs.bands[1].below: is missing: only the last band has no upper end" in problem(
        "below = 500\n", ""
    )
    rising = problem('label = "high"\n', 'label = "high"\nbelow = 400\n')
    assert "costs.bands[2].below: must be more than 500" in rising
    assert "costs.per: is missing: bands are per unit" in problem(
        'per = "family"  ', '# per = "family"  '
    )
    assert "factor: must be a number above 0" in problem("factor = 0.95", "factor = -1")


# What is said of them


def built(rules: Review, *forms: Extraction) -> tuple[dict[str, Any], str]:
    build = site.build(snapshot(*forms, review=rules), 1, "x")
    summary = json.loads(build.summary)
    jsonschema.validate(summary, json.loads(build.files["summary.schema.json"]))
    return summary, build.files["index.html"].decode()


def test_the_page_shows_amounts_as_reported_and_converted_with_the_source() -> None:
    forms = (study("a", costs=(paid(400, "GBP", 2020),)), study("b", costs=(paid(9, "EUR", 2020),)))
    summary, page = built(RULES, *forms)
    assert [row["converted"] for row in summary["costs"]["rows"]] == [500, None]
    assert summary["costs"]["per_unit"]["band"] == "moderate"
    assert "GBP 500" in page and MONEY.source in page
    assert "has no factor for EUR of 2020" in page
    assert "1 study gives GBP 500 per family, in prices of 2025. Cost band: moderate." in page
    plain, page = built(review(), *forms)
    assert plain["costs"]["protocol"] is None and "Not converted" in page
    none, page = built(review())
    assert none["costs"]["rows"] == [] and "Costs as studies report them" not in page


def tile(dimension: str, rules: Review, *forms: Extraction) -> str:
    summary, _ = built(rules, *forms)
    (told,) = [one for one in summary["emmie"] if one["dimension"] == dimension]
    return str(told["text"])


DENIALS = ("None of", "does not report", "No study has been included")


@pytest.mark.parametrize(
    ("dimension", "rules", "form"),
    [
        ("economics", review(), study("a", costs=(paid(),))),
        ("economics", RULES, priced("a", -300, "GBP", 2025)),
        (
            "economics",
            review(statements=(Statement("s", "economics", "It cost £9.", ("a",)),)),
            study("a"),
        ),
        ("moderators", review(), study("a", result(subgroup="girls"))),
        (
            "moderators",
            review(statements=(Statement("s", "moderators", "Girls.", ("a",)),)),
            study("a", result()),
        ),
        (
            "mechanism",
            review(configurations=(Configuration("c", "x", "y", "z", "e", supports=("a",)),)),
            study("a"),
        ),
        (
            "implementation",
            review(),
            study("a", findings=(EmmieFinding("implementation", "Staff left."),)),
        ),
    ],
)
def test_no_computed_sentence_denies_what_stands_beside_it(
    dimension: str, rules: Review, form: Extraction
) -> None:
    """The pairs that once contradicted each other on one screen: costs, moderators, counts."""
    for others in ((), (study("y"), study("z"))):
        text = tile(dimension, rules, form, *others)
        assert not any(denial in text for denial in DENIALS), text


@pytest.mark.parametrize("forms", [(), (study("a"),), (study("a"), study("b"))])
def test_where_no_study_reports_on_it_the_teams_words_are_said_to_rest_on_other_sources(
    forms: Any,
) -> None:
    says = Statement("s", "implementation", "Of 38 publications some tell of budgets that shrank.")
    text = tile("implementation", review(statements=(says,)), *forms)
    assert text.endswith("What the team says of it rests on other sources.")
    assert "other sources" not in tile("implementation", review(), *forms)


# What an outcome costs

CHILD = replace(MONEY, per="child", outcomes=("care",))
FEWER = result("care", measure="RD per 1,000", effect=-40, ci_low=-60, ci_high=-20, n=900)
BY_CHILD = replace(RULES, costs=CHILD)


def _per_child(amount: float, name: str = "a", **fields: Any) -> Extraction:
    return study(name, costs=(paid(amount, "GBP", 2025, per="child", total=True),), **fields)


def test_a_shown_effect_and_a_cost_per_unit_give_a_cost_per_outcome_with_its_range() -> None:
    effect = study("b", FEWER)
    forms = (_per_child(400), _per_child(600, "c"), effect)
    summary, page = built(BY_CHILD, *forms)
    (row,) = summary["costs"]["per_outcome"]
    assert (row["finding"], row["more"], row["band"]) == ("main/care", False, "moderate")
    # the middle cost over 40 in 1,000; the lowest over 60, the highest over 20
    assert row["value"] == pytest.approx(500 / 0.04)
    assert row["low"] == pytest.approx(400 / 0.06)
    assert row["high"] == pytest.approx(600 / 0.02)
    assert row["display"] == (
        "Children entering care: one fewer comes to about GBP 12,000 (GBP 6,700 to GBP 30,000: from the lowest "
        "cost and the largest effect to the highest cost and the smallest effect), in prices of 2025. What is "
        "saved elsewhere is not taken off."
    )
    assert (
        page.count("one fewer comes to about GBP 12,000") == 2
    )  # beside the finding, and with the costs
    table = site.build(snapshot(*forms, review=BY_CHILD), 1, "x").files["costs_per_outcome.csv"]
    assert b"main/care,Children entering care,GBP of 2025,fewer,12500" in table


@pytest.mark.parametrize(
    ("rules", "effect"),
    [
        (replace(RULES, costs=replace(CHILD, outcomes=())), FEWER),  # not asked for
        (BY_CHILD, replace(FEWER, effect=40, ci_low=20, ci_high=60)),  # harm
        (BY_CHILD, replace(FEWER, ci_low=-90, ci_high=10)),  # too little to say
        (BY_CHILD, replace(FEWER, effect=-2, ci_low=-4, ci_high=-1)),  # little or no difference
        (BY_CHILD, result("care")),  # words only
    ],
    ids=["not asked for", "harm", "too little", "no difference", "words"],
)
def test_where_no_good_effect_is_shown_no_outcome_has_a_price(rules: Review, effect: Any) -> None:
    summary, page = built(rules, _per_child(400), study("b", effect))
    assert "per_outcome" not in summary["costs"]
    assert "comes to about" not in page


def test_the_outcomes_with_a_price_are_those_of_the_review_and_need_a_unit() -> None:
    named = problem('per = "family"  ', 'per = "family"\noutcomes = ["nothing"]  ')
    assert 'costs.outcomes: "nothing" is no outcome of this review' in named
