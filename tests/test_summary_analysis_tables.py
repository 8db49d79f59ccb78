"""The tables with which somebody else can do the analysis again, and the page that explains them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from math import log

import pytest

from livereview.evidence.certainty import Rating, Reason
from livereview.evidence.forms import Cost, EmmieFinding, Extraction
from livereview.review import Code, Costs, Methods, Moderator, PriceFactor
from livereview.summary import analysis_tables, data, dictionary, evidence_map, site, tables
from livereview.summary.snapshot import Snapshot
from tests import evidence
from tests.snapshots import snapshot

AGE = Moderator("age", "Age", "category", "small children differ", True, ("young", "old"))
RULES = Costs("GBP", 2025, "table of the treasury", "family", (PriceFactor("EUR", 2020, 1.1),))


def forms() -> tuple[Extraction, ...]:
    """Four studies on one outcome in two groups, one upside down, with a cost and coded words."""
    ages = ("young", "young", "old", "old")
    effects = (0.5, 0.6, 0.9, 1.1)
    plain = [
        evidence.study(
            name,
            evidence.around(effect, 0.2),
            evidence.around(effect, 0.5, n=50),
            characteristics={"age": age},
        )
        for name, effect, age in zip("abcd", effects, ages, strict=True)
    ]
    said = EmmieFinding("implementation", "Staff left.", "“they left”", "7", 2, "barrier", "staff")
    cost = Cost("training", 100, "EUR", 2020, "council", "family", True)
    return (
        replace(plain[0], findings=(said,), costs=(cost, replace(cost, currency="USD"))),
        *plain[1:],
        evidence.study("worst", evidence.around(0.1, 0.2), risk_of_bias="critical"),
    )


@pytest.fixture(scope="module")
def made() -> dict[str, list[dict[str, str]]]:
    """All tables as a spreadsheet reads them."""
    return {table.name: list(csv.DictReader(io.StringIO(table.csv.decode()))) for table in told()}


def snap() -> Snapshot:
    asked = evidence.review(
        evidence.CARE,
        moderators=(AGE,),
        costs=RULES,
        codes=(Code("staff", "Staff turnover"),),
        emmie=True,
        methods=Methods(estimator="DL", test="z"),
    )
    why = Reason("imprecision", "wide", -1)
    ratings = (
        Rating("grade", "sos/care", "moderate", (why,), start="high"),
        Rating("cerqual", "implementation/staff/barrier", "low", (), ("a",)),
    )
    return replace(snapshot(*forms(), review=asked), ratings=ratings)


def told() -> tuple[tables.Table, ...]:
    shot = snap()
    return tables.behind(shot, data.weigh(shot).findings)


def test_effects_are_turned_and_weighted_so_that_the_answer_can_be_pooled_again(
    made: dict[str, list[dict[str, str]]],
) -> None:
    used = [row for row in made["contributions"] if row["used"] == "yes"]
    assert [row["study"] for row in used] == ["a", "b", "c", "d"]
    assert sum(float(row["weight_percent"]) for row in used) == pytest.approx(100)
    mean = sum(float(row["weight_percent"]) * log(float(row["effect"])) for row in used) / 100
    estimate = data.weigh(snap()).findings[0].estimate
    assert estimate is not None
    assert mean == pytest.approx(log(estimate.value))


def test_what_is_not_used_stands_beside_it_with_the_reason(
    made: dict[str, list[dict[str, str]]],
) -> None:
    left = [row for row in made["contributions"] if row["used"] == "no"]
    assert {(row["study"], row["result"]) for row in left} == {
        ("worst", ""),
        *((name, "2") for name in "abcd"),
    }
    assert all(row["how_chosen_or_why_not"] for row in left)


def test_each_group_of_a_moderator_has_its_estimate_and_the_test(
    made: dict[str, list[dict[str, str]]],
) -> None:
    young, old = made["moderators"]
    assert (young["group"], old["group"], young["test"]) == ("young", "old", "interaction")
    assert float(young["effect"]) < float(old["effect"])
    assert float(young["p"]) == float(old["p"]) < 0.1
    assert young["named_in_advance"] == "yes"


def test_costs_codes_and_ratings_have_tables_of_their_own(
    made: dict[str, list[dict[str, str]]],
) -> None:
    first, second = made["costs"]
    assert float(first["converted"]) == pytest.approx(110)
    assert (first["converted_unit"], second["converted"]) == ("GBP of 2025", "")
    assert second["why_not_converted"] == "the protocol's table has no factor for USD of 2020"
    (said,) = made["emmie"]
    assert (said["code_label"], said["polarity"], said["page"]) == (
        "Staff turnover",
        "barrier",
        "7",
    )
    cerqual, grade = made["ratings"]
    assert (cerqual["holds"], cerqual["step"]) == ("yes", "")
    assert (grade["domain"], grade["step"], grade["holds"]) == ("imprecision", "-1", "no")
    (outcome,) = made["outcomes"]
    assert (outcome["assumed_risk_per_1000"], outcome["better"]) == ("60", "lower")


def test_an_outcome_that_the_protocol_asks_no_longer_keeps_its_row() -> None:
    shot = snap()
    findings = data.weigh(shot).findings
    without = replace(shot, review=replace(shot.review, outcomes=(evidence.WELLBEING,)))
    (outcomes,) = (table for table in tables.behind(without, findings) if table.name == "outcomes")
    (row,) = csv.DictReader(io.StringIO(outcomes.csv.decode()))
    assert (row["outcome"], row["measure"], row["better"]) == ("care", "", "lower")


def test_every_column_of_every_table_is_described_and_none_that_is_not_there() -> None:
    shot = snap()
    findings = data.weigh(shot).findings
    on_map = evidence_map.table(())
    written = (*tables.published(shot), tables.findings(findings), *told(), on_map)
    named = {name for table in written for name, _ in table.columns}
    assert named == set(dictionary.COLUMNS)
    assert {table.name for table in written} == set(dictionary.ABOUT)
    pairs = {(table.name, name) for table in written for name, _ in table.columns}
    assert set(dictionary.OF_TABLE) <= pairs
    for name, columns in analysis_tables.ALL.items():
        assert len(set(columns)) == len(columns), name


def test_the_data_page_names_every_column_and_links_every_table() -> None:
    build = site.build(snap(), 1, "x")
    page = build.files["data.html"].decode()
    for name, columns in analysis_tables.ALL.items():
        assert f'href="{name}.csv"' in page
        assert f"{name}.csv" in build.files
        assert all(f"<code>{column}</code>" in page for column in columns)
    assert 'href="data.html"' in build.files["index.html"].decode()
