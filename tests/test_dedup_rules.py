"""The table of rules: each has a name, a reason and a pair for which it decides."""

from __future__ import annotations

import json
import re

import pytest

from livereview.dedup.match import judge
from livereview.dedup.rules import Rule, every_rule
from tests.test_dedup_match import CASES, DATA, pair

EXAMPLES = json.loads((DATA / "rules.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["rule"])
def test_a_rule_decides_its_example_either_way_round(example: dict[str, dict[str, object]]) -> None:
    a, b = pair(example)
    assert judge(a, b).name == judge(b, a).name == example["rule"]


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
