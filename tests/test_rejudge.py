"""After a change of the rules: shown before anything moves, done when a person says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livereview import ops
from livereview.commands import Rebuild
from livereview.errors import Refused
from livereview.ops import rejudge, settle
from livereview.store import matches
from livereview.store.matches import Match
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_ops import decide, rows

RULES_BEFORE = "5"


def by_older_rules(store: Store, left: str, right: str, verdict: str) -> None:
    """Let older rules have said this of the pair, and the reports follow from it."""
    left, right = sorted((left, right))
    match = Match(f"{left}{verdict}", left, right, verdict, "rule", "old", RULES_BEFORE, {})

    def job(con):  # type: ignore[no-untyped-def]
        matches.append(con, [match], NOW)
        settle.refresh(con, settle.regroup(con, [left, right]))

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


def test_a_lead_of_the_whole_server_judges_again_in_the_browser_and_takes_it_back(
    reviewed: Store, browser: Callable[..., Browser]
) -> None:
    titles = ("Home visits: type I", "Home visits: type II")
    one, two = found(
        reviewed, *(article(n, title=title, doi=None) for n, title in enumerate(titles))
    )
    by_older_rules(reviewed, one, two, "same")
    joined = {frozenset((one, two))}
    lena = browser("lena", "lead")
    assert "act?kind=judge_again" in lena.get(f"/r/{REVIEW}/duplicates")
    page = lena.get(f"/r/{REVIEW}/act?kind=judge_again")
    assert "Reports that join: 0. Reports that part: 1." in page
    assert "This report becomes several: “Home visits: type I”; “Home visits: type II”." in page
    assert reports(reviewed) == joined

    lena.press("Yes, do this", reason="the rules read numerals now")
    assert "Judge all pairs of records again" in lena.page.text
    assert reports(reviewed) == {frozenset((one,)), frozenset((two,))}
    again = lena.get(f"/r/{REVIEW}/act?kind=judge_again")
    assert "There is nothing to judge again: of all 1 pairs" in again
    assert "Yes, do this" not in again
    lena.get(f"/r/{REVIEW}/acts")
    lena.press("Take it back")
    assert reports(reviewed) == joined


def test_what_the_rules_have_said_since_is_not_taken_back(reviewed: Store) -> None:
    titles = ("Home visits: type I", "Home visits: type II")
    one, two = found(
        reviewed, *(article(n, title=title, doi=None) for n, title in enumerate(titles))
    )
    by_older_rules(reviewed, one, two, "same")
    asked = {"review": REVIEW, "author": "lena", "now": NOW}
    done = ops.acts.carry_out(reviewed, id="a1", kind="judge_again", given={}, **asked)
    by_older_rules(reviewed, one, two, "linked")
    with pytest.raises(Refused, match="judged again since"):
        ops.acts.take_back(reviewed, id="b1", act=done["act"], **asked)


def test_who_is_no_lead_of_the_whole_server_may_not(
    reviewed: Store, browser: Callable[..., Browser]
) -> None:
    ada = browser("ada")
    assert "judge_again" not in ada.get(f"/r/{REVIEW}/duplicates")
    ada.get(f"/r/{REVIEW}/act?kind=judge_again")
    assert ada.page.status_code == 403


def test_all_that_is_stored_is_judged_once_for_a_look_and_once_for_the_act(
    reviewed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = found(reviewed, article(1, doi=None), article(2, doi=None))
    by_older_rules(reviewed, one, two, "linked")
    looks: list[int] = []
    judged = rejudge.rejudged
    monkeypatch.setattr(rejudge, "rejudged", lambda con: (looks.append(1), judged(con))[1])
    asked = {"kind": "judge_again", "review": REVIEW, "given": {}, "now": NOW}
    told = ops.acts.preview(reviewed, **asked)
    assert len(looks) == 1
    ops.acts.carry_out(reviewed, id="a1", author="lena", shown=told["shown"], **asked)
    assert len(looks) == 2
