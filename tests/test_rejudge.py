"""After a change of the rules: shown before anything moves, done when a person says so."""

from __future__ import annotations

from pathlib import Path

from livereview import ops
from livereview.commands import Rebuild
from livereview.ops import rejudge, settle
from livereview.store import matches
from livereview.store.matches import Match
from livereview.store.open import Store
from tests.conftest import NOW, article, found
from tests.test_ops import decide, rows

RULES_BEFORE = "5"


def by_older_rules(store: Store, left: str, right: str, verdict: str) -> None:
    """Let older rules have said this of the pair, and the reports follow from it."""
    left, right = sorted((left, right))
    match = Match(f"{left}{verdict}", left, right, verdict, "rule", "old", RULES_BEFORE, {})

    def job(con):  # type: ignore[no-untyped-def]
        matches.append(con, [match], NOW)
        settle.regroup(con, [left, right])

    store.write(job)


def reports(store: Store) -> set[frozenset[str]]:
    grouped = rows(store, "SELECT list(record_id) FROM report GROUP BY report_id")
    return {frozenset(row[0]) for row in grouped}


def test_what_older_rules_joined_or_parted_moves_when_a_person_says_so(reviewed: Store) -> None:
    series = "Home visits in rural areas"
    plain = {"doi": None, "volume": "4", "issue": "2"}
    one, two, twin, other = found(
        reviewed,
        article(1, title=f"{series}: type I", pages="1-9", **plain),
        article(2, title=f"{series}: type II", pages="10-19", **plain),
        article(3, title="Foster carers of many children: a survey", **plain),
        article(4, title="Foster carers of many children: a survey", **plain),
    )
    by_older_rules(reviewed, one, two, "same")
    by_older_rules(reviewed, twin, other, "different")
    decide(reviewed, one, "ada", "exclude")
    before = {frozenset((one, two)), frozenset((twin,)), frozenset((other,))}
    assert reports(reviewed) == before

    verdicts = rows(reviewed, "SELECT count(*) FROM match")
    looked = ops.run(reviewed, Path(), Rebuild())
    assert (looked.done, looked.changed) == (False, 2)
    assert reports(reviewed) == before
    assert rows(reviewed, "SELECT count(*) FROM match") == verdicts
    join, part = looked.moves
    assert (join.kind, part.kind) == ("join", "part")
    assert sorted(part.reports) == sorted([[one], [two]])
    assert part.titles[two] == f"{series}: type II"
    assert [(d["reviewer"], d["verdict"], d["record"]) for d in part.decisions] == [
        ("ada", "exclude", one)
    ]
    assert join.decisions == []

    done = ops.run(reviewed, Path(), Rebuild(yes=True))
    assert (done.done, done.records) == (True, 4)
    assert reports(reviewed) == {frozenset((one,)), frozenset((two,)), frozenset((twin, other))}
    newest = "SELECT rules_version FROM match ORDER BY seq DESC LIMIT 2"
    assert rows(reviewed, newest) == [(rejudge.RULES_VERSION,)] * 2

    verdicts = rows(reviewed, "SELECT count(*) FROM match")
    again = ops.run(reviewed, Path(), Rebuild())
    assert (again.done, again.changed, again.moves) == (True, 0, [])
    assert rows(reviewed, "SELECT count(*) FROM match") == verdicts


def test_a_persons_word_is_not_moved_by_new_rules(reviewed: Store) -> None:
    plain = {"doi": None, "title": "Foster carers of many children: a survey"}
    one, two = sorted(found(reviewed, article(1, **plain), article(2, **plain)))
    apart = Match("m", one, two, "different", "ada", "person", "-", {})

    def job(con):  # type: ignore[no-untyped-def]
        matches.append(con, [apart], NOW)
        settle.regroup(con, [one, two])

    reviewed.write(job)
    answer = ops.run(reviewed, Path(), Rebuild())
    assert (answer.done, answer.moves) == (True, [])
    assert reports(reviewed) == {frozenset((one,)), frozenset((two,))}


def test_moves_name_what_joins_and_what_parts() -> None:
    before = {"a": "a", "b": "a", "c": "c", "d": "d"}
    after = {"a": "a", "b": "b", "c": "b", "d": "d"}
    assert rejudge.moves(before, after) == (
        rejudge.Move("join", (("b",), ("c",))),
        rejudge.Move("part", (("a",), ("b",))),
    )
    assert rejudge.moves(before, before) == ()
