"""Decisions of people on records and on pairs of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.ops import calibration as hidden
from livereview.ops import retrieval as retrieving
from livereview.ops.file_words import FileWords as FileWords
from livereview.ops.file_words import Word as Word
from livereview.ops.file_words import told_before
from livereview.ops.pairs import explain as explain
from livereview.ops.pairs import find_record as find_record
from livereview.ops.pairs import judge as judge
from livereview.ops.pairs import resolve as resolve
from livereview.ops.protocols import protocol
from livereview.ops.refusals import Arrived as Arrived
from livereview.ops.refusals import Outdated as Outdated
from livereview.ops.refusals import Stale as Stale
from livereview.ops.retrieval import moved
from livereview.ops.retrieval import told as _told
from livereview.ops.teams_outcome import TeamsOutcome as TeamsOutcome
from livereview.ops.teams_outcome import leave_to_the_team
from livereview.ops.typed import typed
from livereview.review import Review
from livereview.screening.criteria import fingerprint
from livereview.screening.decisions import check
from livereview.screening.states import (
    NOBODY_ASKED,
    Ballot,
    Sought,
    has_answered,
    is_vote,
    state_of,
)
from livereview.store import calibration, decisions, queues, ranks, records, retrieval, standings
from livereview.store.calibration import Answer
from livereview.store.decisions import Decision
from livereview.store.open import Connection, Store
from livereview.store.retrieval import Step
from livereview.store.standings import Standing


@dataclass(frozen=True, slots=True)
class Shown:
    """What was on the screen when a person decided: a decision cites it, and counts only while it
    is in force.

    Attributes:
        criteria: Their `screening.criteria.fingerprint`.
        rank: The report's place in the ranking of `model`; None: it had none.
    """

    criteria: str
    criteria_version: str
    record_version: int
    rank: int | None = None
    model: str | None = None


@typed
def decide(
    store: Store,
    *,
    id: str,
    review: str,
    record: str,
    stage: str,
    reviewer: str,
    verdict: str,
    now: datetime,
    role: str = "vote",
    reason: str | None = None,
    note: str | None = None,
    tags: Sequence[str] = (),
    record_version: int | None = None,
    rank: int | None = None,
    model: str | None = None,
    waiting: bool = False,
    shown: Shown | None = None,
    instead: str | None = None,
    file: FileWords | None = None,
    settled_stays: bool = False,
) -> dict[str, Any]:
    """Write one decision and say where the report stands after it.

    The same id again changes nothing.

    In the answer, `known`: the id was there before, or the file's word; `stands`: what it said is
    in force. Raises Refused, changing nothing, when a rule of `screening.decisions` forbids it.

    Args:
        record: The record that was on the screen, by its id, in `record_version` (None: the current
            one).
        verdict: `include`, `exclude`, `maybe`, or `withdrawn` to take back one's own last word on this
            report; not_retrieved is no decision: it puts the report on the list of those to be
            retrieved, with `note` as what was tried.
        waiting: As the screening room asks: only what waits for this person is decided (else Stale
            is raised), the same id with other words raises Arrived, and a report that they are
            asked about again gets an answer: it is no vote.
        shown: What was on the screen: it is stored, and Outdated raised where it is not in force
            (None: what is in force).
        instead: The id of this person's decision in force that this one takes the place of; it then
            need not wait.
        file: The decision is from a file, and known if what it says was said last.
        settled_stays: Raise TeamsOutcome where a person would undo alone what the team has settled.
    """

    if shown:
        record_version, rank, model = shown.record_version, shown.rank, shown.model
    asked = Decision(
        id=id,
        review=review,
        record_id=record,
        record_version=record_version or 0,
        stage=stage,
        reviewer=reviewer,
        role=role,
        verdict=verdict,
        reason=reason or None,
        note=note or None,
        tags=tuple(tags),
        criteria_version=shown.criteria_version if shown else "",
        rank=rank,
        model=model,
    )
    how = How(waiting, shown, instead, file, settled_stays)
    return store.write(lambda con: decide_in(con, asked, how, now), quick=True)


@dataclass(frozen=True, slots=True)
class How:
    """The terms of a decision, as in `decide`."""

    waiting: bool = False
    shown: Shown | None = None
    instead: str | None = None
    file: FileWords | None = None
    settled_stays: bool = False


def decide_in(con: Connection, asked: Decision, how: How, now: datetime) -> dict[str, Any]:
    """As `decide`, within a transaction."""
    rules = protocol(con, asked.review)
    report = _report(con, asked.review, asked.record_id)
    if how.waiting:
        _says_the_same(con, asked, report)
    if how.waiting and asked.role == "vote":
        item = calibration.item_of(con, asked.review, asked.reviewer, report, asked.stage)
        if item:
            return _answer(con, rules, asked, item, how, now)
    before = standings.of(con, asked.review, report)
    if before is None:
        raise Refused(f"{asked.record_id} is not in review {asked.review}")
    sought = retrieval.on_report(con, asked.review, report)
    given = decisions.on_report(con, asked.review, report)
    mine = [one for one in given if _whose(one) == (asked.stage, asked.reviewer, asked.role)]
    if (how.settled_stays or how.instead) and mine:
        leave_to_the_team(rules, asked, before, given, sought, now)
    if asked.verdict == "not_retrieved":
        return _cannot_get(con, rules, asked, before, sought, how, now)
    if any(one["id"] == asked.id for one in mine):
        return _told(before, known=True, stands=True)
    if (
        how.file
        and not decisions.known(con, asked.id)
        and told_before(con, asked, report, rules, how.file)
    ):
        return _told(before, known=True, stands=True)
    can_not_get = asked.stage == retrieval.STAGE and asked.reviewer in sought.people
    if asked.verdict == "withdrawn" and retrieval.known(con, asked.id):
        return _told(before, known=True, stands=True)
    if asked.verdict == "withdrawn" and not mine and can_not_get:
        return _can_get(con, rules, asked, before, now)
    if how.instead:
        _takes_the_place(con, rules, asked, how.instead, before, mine)
    elif how.waiting:
        _still_waits(con, rules, asked, before, given, sought)
    if how.shown:
        _as_shown(con, rules, asked, how.shown)
    _check(rules, asked, before, [one for one in given if not how.instead or one not in mine])
    word = _dated(con, asked, report, rules)
    if not _write(con, word, report, [one["record_id"] for one in mine], now):
        return _told(before, known=True, stands=False)
    if can_not_get and is_vote(word.role, word.verdict):  # who decides has it
        retrieval.append(con, _step(asked, "taken_back", f"{asked.id}/had"), now)
    ballots = [_ballot(one) for one in given if one not in mine]
    if word.verdict != "withdrawn":
        last = max((ballot.seq for ballot in ballots), default=0) + 1
        ballots.append(Ballot(word.stage, word.reviewer, word.role, word.verdict, last))
    return _told(moved(con, rules, before, ballots, now), known=False, stands=True)


def _cannot_get(
    con: Connection,
    rules: Review,
    asked: Decision,
    before: Standing,
    sought: Sought,
    how: How,
    now: datetime,
) -> dict[str, Any]:
    """Put the report on the list of those to be retrieved: this person can't get it, and has not
    voted.
    """
    if retrieval.known(con, asked.id):
        request = retrieval.of_person(con, asked.review, before.report_id, asked.reviewer)
        return _told(before, known=True, stands=request is not None and request["id"] == asked.id)
    given = decisions.on_report(con, asked.review, before.report_id)
    mine = [vote for vote in given if _whose(vote) == (asked.stage, asked.reviewer, asked.role)]
    if how.instead:
        _takes_the_place(con, rules, asked, how.instead, before, mine)
    elif how.waiting:
        _still_waits(con, rules, asked, before, given, sought)
    _check(rules, asked, before, [vote for vote in given if not how.instead or vote not in mine])
    if mine and not how.instead:
        raise Refused(
            "you have decided on this report, so you had it; take your decision back first"
        )
    if asked.reviewer in sought.people and not how.instead:
        return _told(before, known=True, stands=True)
    if mine:
        back = replace(
            asked,
            id=f"{asked.id}/instead",
            verdict="withdrawn",
            note=None,
            tags=(),
            criteria_version="",
        )
        word = _dated(con, replace(back, record_id=mine[0]["record_id"]), before.report_id, rules)
        _write(con, word, before.report_id, [vote["record_id"] for vote in mine], now)
    after = retrieving.write(con, rules, before, _step(asked, "asked", asked.id), now)
    return _told(after, known=False, stands=True)


def _words(
    con: Connection, asked: Decision, before: Standing, mine: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What stands of this person on a report: their decisions, and that they can't get it."""
    request = retrieval.of_person(con, asked.review, before.report_id, asked.reviewer)
    if request and asked.stage == retrieval.STAGE:
        return [*mine, request]
    return list(mine)


def _can_get(
    con: Connection, rules: Review, asked: Decision, before: Standing, now: datetime
) -> dict[str, Any]:
    """Take back that this person can't get the report."""
    after = retrieving.write(con, rules, before, _step(asked, "taken_back", asked.id), now)
    return _told(after, known=False, stands=True)


def _step(asked: Decision, act: str, id: str) -> Step:
    return Step(id, asked.review, asked.record_id, act, asked.reviewer, asked.note, asked.tags)


def _says_the_same(con: Connection, asked: Decision, report: str) -> None:
    """Raise Arrived where this id was written before with other words: then those stand, or were
    taken back.

    Raises:
        Refused: where it was written of another report, or at another stage.
    """
    before = (
        decisions.by_id(con, asked.id)
        or calibration.by_id(con, asked.id)
        or retrieval.by_id(con, asked.id)
    )
    if before is None:
        return
    earlier = before["record_id"]
    if (
        before["stage"] != asked.stage
        or records.report_of(con, [earlier]).get(earlier, earlier) != report
    ):
        raise Refused(
            "this form was used for another record before, so nothing was saved; please decide again"
        )
    words = asked.verdict, asked.reason, asked.note, asked.tags
    if words != (before["verdict"], before["reason"], before["note"], tuple(before["tags"] or ())):
        raise Arrived(f"your {before['verdict']} had arrived before, and stands", said=before)


def _takes_the_place(
    con: Connection,
    rules: Review,
    asked: Decision,
    instead: str,
    before: Standing,
    mine: Sequence[dict[str, Any]],
) -> None:
    """Raise Stale unless the decision of the id `instead` is this person's word in force.

    Raises:
        Refused: for a vote that they could have compared with others' since they cast it.
    """
    _is_in_force(instead, _words(con, asked, before, mine))
    if asked.role == "vote" and not queues.may_change(
        con, rules, asked.reviewer, asked.stage, before.report_id
    ):
        raise Refused(
            "you could see the votes on this record while you did not screen, so yours stays as it was; you may take it"
            " back, and somebody else will be asked"
        )


def _is_in_force(instead: str, words: Sequence[dict[str, Any]]) -> None:
    if instead not in {word["id"] for word in words}:
        raise Stale("the decision that was to be changed does not stand any more", mine=bool(words))


def _as_shown(con: Connection, rules: Review, asked: Decision, shown: Shown) -> None:
    """Raise Outdated unless the criteria and the record are those that were on the screen."""
    if shown.criteria != fingerprint(rules):
        raise Outdated("the criteria have changed since", what="criteria")
    if shown.record_version != (records.version(con, asked.record_id) or 1):
        raise Outdated("the record has changed since", what="record")


def _answer(
    con: Connection,
    rules: Review,
    asked: Decision,
    item: tuple[str, dict[str, Any] | None],
    how: How,
    now: datetime,
) -> dict[str, Any]:
    """What is said of a report that is asked again."""
    id, before = item
    if how.instead:
        _is_in_force(how.instead, [before] if before else [])
    elif before and before["id"] != asked.id:
        raise Stale("you have answered already", mine=True)
    if how.shown and before is None:
        _as_shown(con, rules, asked, how.shown)
    version = asked.criteria_version or rules.criteria_version
    said = asked.verdict, asked.reason, asked.note, asked.tags, version
    fresh = hidden.write(
        con, rules, asked.stage, asked.reviewer, Answer(asked.id, id, asked.record_id, *said), now
    )
    return {"known": not fresh, "stands": fresh or before is not None}


def _whose(given: dict[str, Any]) -> tuple[str, str, str]:
    return given["stage"], given["reviewer"], given["role"]


def _still_waits(
    con: Connection,
    rules: Review,
    asked: Decision,
    before: Standing,
    given: Sequence[dict[str, Any]],
    sought: Sought,
) -> None:
    """Raise Stale unless the report takes this person's word."""
    if asked.role == "adjudication":
        _conflict_waits(asked, before, given)
        return
    here = [_ballot(vote) for vote in given if vote["stage"] == asked.stage]
    asked_for = sought if asked.stage == retrieval.STAGE else NOBODY_ASKED
    if has_answered(asked.reviewer, here, asked_for):
        raise Stale("you have answered already", mine=True)
    if before.stage != asked.stage or before.state not in ("open", "half"):
        raise Stale("this record takes no votes at this stage any more")
    if not queues.is_asked(con, rules, asked.reviewer, asked.stage, before.report_id):
        raise Stale("this record is for others to decide")


def _conflict_waits(asked: Decision, before: Standing, given: Sequence[dict[str, Any]]) -> None:
    if any(_whose(word) == (asked.stage, asked.reviewer, asked.role) for word in given):
        raise Stale("you have decided this record already", mine=True)
    if before.stage != asked.stage or before.state != "conflict":
        raise Stale("this conflict is settled")


def _dated(con: Connection, asked: Decision, report: str, rules: Review) -> Decision:
    """With the versions of the record, the criteria and the ranking: those on the screen, else
    those in force.
    """
    if asked.criteria_version:
        return asked
    shown = asked.record_version or records.version(con, asked.record_id) or 1
    word = replace(asked, record_version=shown, criteria_version=rules.criteria_version)
    if word.rank is None and (ranked := ranks.place(con, asked.review, report)):
        return replace(word, rank=ranked[0], model=ranked[1])
    return word


def _ballot(given: dict[str, Any]) -> Ballot:
    return Ballot(given["stage"], given["reviewer"], given["role"], given["verdict"], given["seq"])


def _check(
    rules: Review, asked: Decision, before: Standing, given: Sequence[dict[str, Any]]
) -> None:
    """Put the decision before the rules of the screening room, with what is in force on its report."""
    votes = [one for one in given if one["stage"] == asked.stage]
    ballots = [_ballot(one) for one in votes]
    check(
        rules,
        stage=asked.stage,
        verdict=asked.verdict,
        role=asked.role,
        reason=asked.reason,
        reviewer=asked.reviewer,
        reached=before.stage,
        state=state_of(ballots, rules.screening.votes),
        voters={vote["reviewer"] for vote in votes if vote["role"] == "vote"},
        adjudicated=any(vote["role"] == "adjudication" for vote in votes),
    )


def _report(con: Connection, review: str, record: str) -> str:
    if not records.in_review(con, review, record):
        raise Refused(
            f"record {record} is not in review {review}; `livereview status` lists reviews"
        )
    return records.report_of(con, [record]).get(record, record)


def _write(
    con: Connection, word: Decision, report: str, mine: Sequence[str], now: datetime
) -> bool:
    """Append the decision, which is on a record of this report.

    A person's older word on another record of the same report is taken back by it.

    False, changing nothing, where its id was written before. Raises Refused for taking back what is
    not there.
    """
    if word.verdict == "withdrawn" and not mine:
        if decisions.known(con, word.id):
            return False
        raise Refused("there is nothing of yours to take back on this record")
    if (word.verdict != "withdrawn" or word.record_id in mine) and not decisions.append(
        con, word, now, report
    ):
        return False
    for record in mine:
        if record != word.record_id:
            back = replace(
                word,
                id=f"{word.id}/{record}",
                record_id=record,
                verdict="withdrawn",
                reason=None,
                note=None,
            )
            decisions.append(con, back, now)
    return True
