"""Decisions of people on records and on pairs of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from livereview import records as identifiers
from livereview.dedup.explain import explain as explained
from livereview.errors import Refused
from livereview.exchange.repeats import told_before
from livereview.ops import calibration as hidden
from livereview.ops.settle import regroup
from livereview.ops.surveil import protocol
from livereview.review import Review
from livereview.screening.criteria import fingerprint
from livereview.screening.decisions import check
from livereview.screening.states import Ballot, place, state_of
from livereview.store import calibration, decisions, matches, ranks, records, standings, versions
from livereview.store.calibration import Answer
from livereview.store.decisions import Decision
from livereview.store.open import Connection, Store
from livereview.store.standings import Standing

SETTLED = {"included": "included", "excluded": "excluded", "not_retrieved": "not retrieved"}


@dataclass(frozen=True, slots=True)
class Word:
    """What a decision says: it is the same decision again where all of this is the same."""

    verdict: str
    reason: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileWords:
    """All that a file says by one person on one record, in its order, and the place of the one that is meant."""

    words: tuple[Word, ...]
    place: int


class Stale(Refused):
    """The report does not wait for this person any more; `mine`: because they have decided it themselves."""

    def __init__(self, message: str, *, mine: bool = False, **place: str | None):
        super().__init__(message, **place)
        self.mine = mine


class Arrived(Stale):
    """A form of this id had arrived before and said something else: `said` is what, as `decisions.by_id` gives it."""

    def __init__(self, message: str, *, said: Mapping[str, Any] | None = None, **place: str | None):
        super().__init__(message, mine=True, **place)
        self.said = dict(said or {})


class Outdated(Refused):
    """What was on the screen is no longer in force; `what` is "criteria" or "record"."""

    def __init__(self, message: str, *, what: str = "", **place: str | None):
        super().__init__(message, **place)
        self.what = what


@dataclass(frozen=True, slots=True)
class Shown:
    """What was on the screen when a person decided: a decision cites it, and counts only while it is in force.

    criteria   their `screening.criteria.fingerprint`
    rank       the report's place in the ranking of `model`; None: it had none
    """

    criteria: str
    criteria_version: str
    record_version: int
    rank: int | None = None
    model: str | None = None


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
) -> dict[str, Any]:
    """Write one decision and say where the report stands after it; the same id again changes nothing.

    record   the record that was on the screen, by its id, in `record_version` (None: the current one)
    verdict  include, exclude, maybe, not_retrieved, or withdrawn to take back one's own last word on this report
    waiting  as the screening room asks: only what waits for this person is decided (else Stale is raised), the same id
             with other words raises Arrived, and a report that they are asked about again gets an answer: it is no vote
    shown    what was on the screen: it is stored, and Outdated raised where it is not in force (None: what is in force)
    instead  the id of this person's decision in force that this one takes the place of; it then need not wait

    file     the decision is from a file, and known if what it says was said last

    In the answer, `known`: the id was there before, or the file's word; `stands`: what it said is in force.
    Raises Refused, changing nothing, when a rule of `screening.decisions` forbids it.
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
    how = How(waiting, shown, instead, file)
    return store.write(lambda con: _decide(con, asked, how, now), quick=True)


@dataclass(frozen=True, slots=True)
class How:
    """The terms of a decision, as in `decide`."""

    waiting: bool = False
    shown: Shown | None = None
    instead: str | None = None
    file: FileWords | None = None


def _decide(con: Connection, asked: Decision, how: How, now: datetime) -> dict[str, Any]:
    rules = protocol(con, asked.review)
    report = _report(con, asked.review, asked.record_id)
    if how.waiting:
        _says_the_same(con, asked)
    if how.waiting and asked.role == "vote":
        item = calibration.item_of(con, asked.review, asked.reviewer, report, asked.stage)
        if item:
            return _answer(con, rules, asked, item, how, now)
    before = standings.of(con, asked.review, report)
    if before is None:
        raise Refused(f"{asked.record_id} is not in review {asked.review}")
    given = decisions.on_report(con, asked.review, report)
    mine = [one for one in given if _whose(one) == (asked.stage, asked.reviewer, asked.role)]
    if any(one["id"] == asked.id for one in mine):
        return _told(before, known=True, stands=True)
    if how.file and not decisions.known(con, asked.id) and _told_before(con, asked, report, rules, how.file):
        return _told(before, known=True, stands=True)
    if how.instead:
        _takes_the_place(how.instead, mine)
    elif how.waiting:
        _still_waits(asked, before, mine)
    if how.shown:
        _as_shown(con, rules, asked, how.shown)
    _check(rules, asked, before, [one for one in given if not how.instead or one not in mine])
    word = _dated(con, asked, report, rules)
    if not _write(con, word, [one["record_id"] for one in mine], now):
        return _told(before, known=True, stands=False)
    after = _moved(con, rules, before, [one for one in given if one not in mine], word)
    if _final(rules, before) != _final(rules, after):
        versions.ask(con, asked.review, f"a report was {SETTLED.get(after.state, 'taken up again')}", now)
    return _told(after, known=False, stands=True)


def _says_the_same(con: Connection, asked: Decision) -> None:
    """Raise Arrived where this id was written before with other words: then those stand, or were taken back."""
    before = decisions.by_id(con, asked.id) or calibration.by_id(con, asked.id)
    if before is None:
        return
    words = asked.verdict, asked.reason, asked.note, asked.tags
    if words != (before["verdict"], before["reason"], before["note"], tuple(before["tags"] or ())):
        raise Arrived(f"your {before['verdict']} had arrived before, and stands", said=before)


def _takes_the_place(instead: str, mine: Sequence[dict[str, Any]]) -> None:
    """Raise Stale unless the decision of this id is this person's word in force."""
    if instead not in {word["id"] for word in mine}:
        raise Stale("the decision that was to be changed does not stand any more", mine=bool(mine))


def _as_shown(con: Connection, rules: Review, asked: Decision, shown: Shown) -> None:
    """Raise Outdated unless the criteria and the record are those that were on the screen."""
    if shown.criteria != fingerprint(rules):
        raise Outdated("the criteria have changed since", what="criteria")
    if shown.record_version != (records.version(con, asked.record_id) or 1):
        raise Outdated("the record has changed since", what="record")


def _told_before(con: Connection, asked: Decision, report: str, rules: Review, file: FileWords) -> bool:
    """Whether this person's last words on this report are what the file says, under the same criteria."""
    given = decisions.said(con, asked.review, report, asked.stage, asked.reviewer, asked.role)
    history = [(Word(one.verdict, one.reason, one.note, one.tags), one.criteria_version) for one in given]
    return told_before(history, [(word, rules.criteria_version) for word in file.words], file.place)


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
        _takes_the_place(how.instead, [before] if before else [])
    elif before and before["id"] != asked.id:
        raise Stale("you have answered already", mine=True)
    if how.shown and before is None:
        _as_shown(con, rules, asked, how.shown)
    version = asked.criteria_version or rules.criteria_version
    said = asked.verdict, asked.reason, asked.note, asked.tags, version
    fresh = hidden.write(con, rules, asked.stage, asked.reviewer, Answer(asked.id, id, asked.record_id, *said), now)
    return {"known": not fresh, "stands": fresh or before is not None}


def _whose(given: dict[str, Any]) -> tuple[str, str, str]:
    return given["stage"], given["reviewer"], given["role"]


def _told(standing: Standing, *, known: bool, stands: bool) -> dict[str, Any]:
    found = {"report": standing.report_id, "stage": standing.stage, "state": standing.state, "votes": standing.votes}
    return {**found, "known": known, "stands": stands}


def _still_waits(asked: Decision, before: Standing, mine: Sequence[dict[str, Any]]) -> None:
    if mine:
        raise Stale("you have decided this record already", mine=True)
    if asked.role == "adjudication":
        if before.stage != asked.stage or before.state != "conflict":
            raise Stale("this conflict is settled")
        return
    if before.stage != asked.stage or before.state not in ("open", "half"):
        raise Stale("this record takes no votes at this stage any more")


def _dated(con: Connection, asked: Decision, report: str, rules: Review) -> Decision:
    """With the versions of the record, the criteria and the ranking: those on the screen, else those in force."""
    if asked.criteria_version:
        return asked
    shown = asked.record_version or records.version(con, asked.record_id) or 1
    word = replace(asked, record_version=shown, criteria_version=rules.criteria_version)
    if word.rank is None and (ranked := ranks.place(con, asked.review, report)):
        return replace(word, rank=ranked[0], model=ranked[1])
    return word


def _moved(
    con: Connection, rules: Review, before: Standing, others: Sequence[dict[str, Any]], word: Decision
) -> Standing:
    """Where the report stands with the others' decisions and this new one, kept."""
    ballots = [_ballot(one) for one in others]
    if word.verdict != "withdrawn":
        last = max((one.seq for one in ballots), default=0) + 1
        ballots.append(Ballot(word.stage, word.reviewer, word.role, word.verdict, last))
    found = place(ballots, rules.screening.stages, rules.screening.votes)
    after = Standing(before.report_id, found.stage, found.votes, found.state)
    standings.keep(con, word.review, after)
    return after


def _ballot(given: dict[str, Any]) -> Ballot:
    return Ballot(given["stage"], given["reviewer"], given["role"], given["verdict"], given["seq"])


def _check(rules: Review, asked: Decision, before: Standing, given: Sequence[dict[str, Any]]) -> None:
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
        raise Refused(f"record {record} is not in review {review}; `livereview status` lists reviews")
    return records.report_of(con, [record]).get(record, record)


def _write(con: Connection, word: Decision, mine: Sequence[str], now: datetime) -> bool:
    """Append the decision; a person's older word on another record of the same report is taken back by it.

    False, changing nothing, where its id was written before. Raises Refused for taking back what is not there.
    """
    if word.verdict == "withdrawn" and not mine:
        if decisions.known(con, word.id):
            return False
        raise Refused("there is nothing of yours to take back on this record")
    if (word.verdict != "withdrawn" or word.record_id in mine) and not decisions.append(con, word, now):
        return False
    for record in mine:
        if record != word.record_id:
            back = replace(
                word, id=f"{word.id}/{record}", record_id=record, verdict="withdrawn", reason=None, note=None
            )
            decisions.append(con, back, now)
    return True


def _final(review: Review, standing: Standing) -> str | None:
    """What the public summary sees of a standing: nothing before the last stage has an answer."""
    last = standing.stage == review.screening.stages[-1]
    return standing.state if last and standing.state in ("included", "excluded", "not_retrieved") else None


def find_record(store: Store, *, review: str, reference: str, now: datetime) -> dict[str, Any]:
    """The record that a person means by a record id, a DOI, "pmid:123" or a title.

    Several records of one report are one answer; several reports are refused, naming them.
    """
    with store.read() as con:
        return {"record": resolve(con, review, reference)}


def resolve(con: Connection, review: str, reference: str) -> str:
    """As `find_record`; the oldest record of the report is the answer."""
    reference = reference.strip()
    if records.in_review(con, review, reference):
        return reference
    doi = identifiers.clean_doi(reference)
    pmid = identifiers.clean_pmid(reference) if reference.lower().startswith("pmid") else None
    found = records.find(con, review, doi, pmid, None if doi or pmid else reference)
    reports = {records.report_of(con, [record]).get(record, record): record for record in reversed(found)}
    if not reports:
        raise Refused(
            f"no record of review {review} is {reference!r}; give a record id, a DOI, pmid:… or the exact title"
        )
    if len(reports) > 1:
        raise Refused(
            f"{reference!r} fits {len(reports)} reports ({', '.join(sorted(reports.values()))}); give a record id"
        )
    return next(iter(reports.values()))


def explain(store: Store, *, left: str, right: str, now: datetime) -> dict[str, Any]:
    """What the rules say of two records and why, in words; raises Refused for a record that is not known."""
    with store.read() as con:
        known = records.current(con, [left, right])
        if missing := [record for record in (left, right) if record not in known]:
            raise Refused(f"no record {', '.join(missing)}; a record's id stands beside it on the duplicates page")
        return {"text": explained(known[left], known[right])}


def judge(store: Store, *, id: str, left: str, right: str, verdict: str, person: str, now: datetime) -> dict[str, Any]:
    """A person's word on a pair of records: same, linked, different, or withdrawn. Reports follow at once."""
    if verdict not in ("same", "linked", "different", "withdrawn"):
        raise Refused(f"verdict must be one of same, linked, different, withdrawn; it was {verdict!r}")
    if left == right:
        raise Refused("a pair needs two different records")
    left, right = sorted((left, right))

    def job(con: Connection) -> dict[str, Any]:
        if len(records.current(con, [left, right])) < 2:
            raise Refused(f"unknown record among {left}, {right}")
        matches.append(con, [matches.Match(id, left, right, verdict, person, "person", "-", {})], now)
        regroup(con, [left, right])
        for review in records.reviews_of(con, [left, right]):
            versions.ask(con, review, "a person judged whether two records are one report", now)
        return {"reports": dict(records.report_of(con, [left, right]))}

    return store.write(job)
