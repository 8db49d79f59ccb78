"""The table of rules: each has a name, a reason and a pair for which it decides."""

from __future__ import annotations

import json
import re

import pytest

from livereview.dedup import counts
from livereview.dedup.match import block_keys, judge
from livereview.dedup.nothing import known_text
from livereview.dedup.rules import Rule, every_rule
from livereview.dedup.text import address
from tests.test_dedup_match import CASES, DATA, pair

EXAMPLES = json.loads((DATA / "rules.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["rule"])
def test_a_rule_decides_its_example_either_way_round(example: dict[str, dict[str, object]]) -> None:
    a, b = pair(example)
    assert judge(a, b).name == judge(b, a).name == example["rule"]


HEADINGS = (
    "News in brief",
    "President's message",
    "Journal club",
    "Clinical pearls",
    "Issue information",
    "Correspondence",
    "Book review column",
    "Forum",
)


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_column_in_two_issues_is_never_joined_silently(heading: str) -> None:
    place = {"container_title": "J Care", "authors": ["Doe, J"], "year": 2019, "volume": "4"}
    first = {"title": heading, **place, "issue": "1", "pages": "1"}
    for pages in ("1", "1-2", "3"):
        a, b = pair({"a": first, "b": {**first, "issue": "2", "pages": pages}})
        assert judge(a, b).verdict != "same", pages
    a, b = pair({"a": first, "b": {**first, "title": heading.upper()}})
    assert judge(a, b).verdict == "same", "one page of one issue"


def test_every_rule_decides_some_pair_made_by_hand() -> None:
    deciding = {judge(*pair(case)).name for case in (*CASES, *EXAMPLES)}
    assert {rule.name for rule in every_rule()} - deciding == set()


@pytest.mark.parametrize("rule", every_rule(), ids=lambda rule: rule.name)
def test_a_rule_can_be_cited_and_has_a_reason(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert rule.verdict in ("same", "linked", "doubtful", "different")
    assert rule.why.endswith(".")


def test_no_two_rules_share_a_name() -> None:
    rules = every_rule()
    assert len({rule.name for rule in rules}) == len(rules)


KINDS = json.loads((DATA / "kinds.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", KINDS["notmerged"], ids=lambda case: case["name"])
def test_two_of_a_series_and_two_that_nothing_ties_are_never_joined_silently(
    case: dict[str, dict[str, object]],
) -> None:
    a, b = pair(case)
    assert judge(a, b).verdict != "same", judge(a, b)
    assert judge(a, b) == judge(b, a)


MARKS = (
    "DDRE-07. ", "P-123: ", "OP0045 ", "#1234A ", "Abstract 1234: ", "PO-054 ", "S12-3 ", "1234P ",
    "MON-LB017 ", "Paper 12: ", "O3.2 ", "P2.05-12 ",
)  # fmt: skip
PAPER = "Home visiting for families with young children in rural areas"


@pytest.mark.parametrize("mark", MARKS)
def test_an_abstract_with_its_number_in_the_programme_is_not_merged_with_the_paper(
    mark: str,
) -> None:
    people = ["Doe, J", "Roe, R"]
    abstract = {"title": mark + PAPER, "year": 2019, "authors": people}
    paper = {"title": PAPER, "year": 2019, "authors": people, "container_title": "Journal of Care"}
    here = pair({"a": {**abstract, "container_title": "Journal of Care"}, "b": paper})
    assert judge(*here).verdict == judge(*here[::-1]).verdict == "doubtful"
    paged = pair({
        "a": {**abstract, "container_title": "Journal of Care", "volume": "11", "pages": "7"},
        "b": {**paper, "volume": "12", "pages": "20-31"},
    })  # fmt: skip
    assert judge(*paged).kind == "conference-abstract"
    correction = {**paper, "title": f"Author Correction: {PAPER}", "volume": "12"}
    assert judge(*pair({"a": abstract, "b": correction})).verdict == "different"
    assert judge(*pair({"a": paper, "b": correction})).kind == "correction"


def test_a_number_that_belongs_to_the_subject_stays_with_its_notice() -> None:
    title = f"COVID-19 and {PAPER.lower()}"
    found = judge(*pair({"a": {"title": title}, "b": {"title": f"Correction to: {title}"}}))
    assert found.kind == "correction"


@pytest.mark.parametrize("case", KINDS["same"], ids=lambda case: case["name"])
def test_one_report_under_two_names_or_addresses_is_joined(
    case: dict[str, dict[str, object]],
) -> None:
    a, b = pair(case)
    assert judge(a, b).verdict == judge(b, a).verdict == "same", judge(a, b)
    assert set(block_keys(a)) & set(block_keys(b))


@pytest.mark.parametrize(
    ("word", "value"),
    [("2", "2"), ("02", "2"), ("ii", "2"), ("second", "2"), ("2nd", "2"), ("zweite", "2"), ("b", "b"),
     ("a", None), ("autumn", "fall"), ("care", None), ("il", "2")],
)  # fmt: skip
def test_a_word_of_a_title_counts_or_does_not(word: str, value: str | None) -> None:
    assert counts.value(word) == value


@pytest.mark.parametrize(
    ("url", "expected"),
    [("https://www.X.org/a/?utm_source=b&id=2#c", "x.org/a?id=2"), ("http://x.org:80/a%20b", "x.org/a b"),
     ("https://x.org/", ""), (None, ""), ("no address", ""), ("https://u:p@x.org/a", "x.org/a")],
)  # fmt: skip
def test_an_address_is_what_stays_from_visit_to_visit(url: str | None, expected: str) -> None:
    assert address(url) == expected


@pytest.mark.parametrize(
    "text", ["NA", "n/a", "nan", "None", "[No title available]", ".", "Anonymous", "et al.", None]
)
def test_a_word_that_says_nothing_is_nothing(text: str | None) -> None:
    assert known_text(text) == ""
    assert known_text("Nones and others in care") == "Nones and others in care"
