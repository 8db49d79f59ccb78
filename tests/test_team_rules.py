"""Rules of deduplication that a team adds for its field in review.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from livereview import review_toml
from livereview.dedup.explain import explain
from livereview.dedup.match import judge
from livereview.dedup.team import DIFFERENCES, NO_TEAM, TeamRules, team_rules
from livereview.dedup.text import features
from livereview.errors import Refused
from livereview.ops import pairs, rejudge, surveil
from livereview.ops.settle import settle
from livereview.records import Record
from livereview.review import NEVER_MERGE
from livereview.store import matches, records
from livereview.store.open import Store
from tests.conftest import NOW
from tests.test_dedup_match import record

TOML = Path(__file__).parent / "data" / "review.toml"
HERE = {
    "year": 2020,
    "container_title": "Journal of Care",
    "volume": "4",
    "issue": "2",
    "pages": "5-19",
}


def verdict(a: Record, b: Record, team: TeamRules = NO_TEAM) -> tuple[str, str]:
    one, two = features(a), features(b)
    assert judge(one, two, team) == judge(two, one, team)
    judgement = judge(one, two, team)
    return judgement.verdict, judgement.name


def test_what_a_protocol_may_name_is_what_the_rules_know() -> None:
    assert tuple(DIFFERENCES) == NEVER_MERGE


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("year", {**HERE, "year": 2021}),
        ("issue", {**HERE, "issue": "3"}),
        ("type", {**HERE, "type": "report", "doi": "10.1000/x"}),
    ],
)
def test_a_difference_that_a_team_names_makes_doubtful_what_would_be_same(
    name: str, other: dict[str, object]
) -> None:
    kind = {"type": "trial", "doi": "10.1000/x"} if name == "type" else {}
    a, b = record("a", **HERE, **kind), record("b", **other)
    assert verdict(a, b)[0] == "same"
    assert verdict(a, b, team_rules([name], [])) == ("doubtful", f"team-never-{name}")
    assert verdict(a, record("c", **HERE, **kind), team_rules([name], []))[0] == "same"


def test_a_team_never_makes_same_or_linked_into_less_where_nothing_differs() -> None:
    every = team_rules(NEVER_MERGE, [])
    assert verdict(record("a", **HERE), record("b", **HERE), every)[0] == "same"
    unknown = record("b", **{**HERE, "year": None, "pages": None})
    assert verdict(record("a", **HERE), unknown, every)[0] == "same", "unknown is no difference"


def test_names_of_one_series_agree_and_others_do_not() -> None:
    a = record("a", year=2020, container_title="Campbell Reviews", volume="4", pages="5-19")
    b = record("b", year=2020, container_title="Norden Library", volume="9", pages="1-30")
    team = team_rules([], ["Campbell Reviews = Norden Library", "Norden Library = Third Name"])
    third = features(record("c", container_title="Third Name"))
    assert team.placed(third).journal == team.placed(features(a)).journal
    assert "are one series (same_series)" in explain(a, b, team)
    assert "same_series" not in explain(a, b)


def put(store: Store, text: str) -> None:
    surveil.register(store, text=text, now=NOW)


def reports(store: Store, ids: list[str]) -> int:
    with store.read() as con:
        return len(set(records.report_of_each(con, ids).values()))


def test_a_changed_protocol_moves_what_is_there_only_when_a_person_says_so(
    reviewed: Store,
) -> None:
    a, b = record("a", **HERE), record("b", **{**HERE, "year": 2021})
    bridge = record("c", **{**HERE, "year": None})

    def night(con: object) -> None:
        for one in (a, b, bridge):
            records.append(con, [one], "0" * 64, NOW)  # type: ignore[arg-type]
            settle(con, [one], NOW)  # type: ignore[arg-type]

    reviewed.write(night)
    ids = [a.record_id, b.record_id, bridge.record_id]
    assert reports(reviewed, ids) == 1
    put(reviewed, TOML.read_text() + '\n[dedup]\nnever_merge = ["year"]\n')
    shown = rejudge.rebuild(reviewed, now=NOW)
    assert not shown["done"] and shown["moves"][0]["kind"] == "part"
    assert reports(reviewed, ids) == 1
    assert rejudge.rebuild(reviewed, now=NOW, yes=True)["done"]
    assert reports(reviewed, ids) == 2, "the record without a year is of one of them, not of both"
    words = pairs.explain(reviewed, left=a.record_id, right=b.record_id, now=NOW)["text"]
    assert "team-never-year" in words and "(never_merge)" in words
    with reviewed.read() as con:
        left, right = sorted(ids[:2])
        assert matches.in_force(con, left, right) == ("doubtful", "rule")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('never_merge = ["journal"]', "unknown difference"),
        ('same_series = ["Campbell Reviews"]', "two or more names"),
        ('same_series = ["A = "]', "two or more names"),
        ("sometimes = true", "sometimes"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_what_would_be_right(table: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        review_toml.parse(TOML.read_text() + f"\n[dedup]\n{table}\n")
