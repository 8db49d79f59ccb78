"""Asking settled reports again, hidden among the others: the lead draws them, reviewers answer,
nothing is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

from livereview.errors import Refused
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.review import STAGES, Review
from livereview.screening.calibration import Told, draw, told
from livereview.screening.decisions import check
from livereview.store import accounts, calibration, records
from livereview.store.calibration import Answer, Item, Settled
from livereview.store.open import Connection, Store
from livereview.store.shares import VOTERS

STAGE = STAGES[0]  # full texts are too long to be read again for this
MOST = 100  # items of one reviewer in one draw


@typed
def ask(
    store: Store,
    *,
    id: str,
    review: str,
    by: str,
    now: datetime,
    number: int = 10,
    reviewers: Sequence[str] = (),
) -> dict[str, Any]:
    """Ask each of these reviewers (none named: every account of that role) so many settled reports
    again.

    Drawn at random for each of them, from those on which two people agree and which they were not
    asked again before. How many each got; the same id again draws nothing more. Raises Refused
    where there is nothing to draw from.
    """

    def job(con: Connection) -> dict[str, Any]:
        if done := calibration.drawn(con, id):
            return {"asked": done, "known": True}
        pool = _pool(con, review, number)
        items = {
            name: _items(con, id, review, name, number, pool)
            for name in _people(con, review, reviewers)
        }
        if not any(items.values()):
            raise Refused("they have been asked about every report on which two people agree")
        for some in items.values():
            calibration.add(con, id, review, STAGE, some, by, now)
        return {"asked": {name: len(some) for name, some in items.items()}, "known": False}

    return store.write(job)


def _pool(con: Connection, review: str, number: int) -> list[Settled]:
    if not 1 <= number <= MOST:
        raise Refused(f"ask 1 to {MOST} reports at a time; it was {number}")
    if STAGE not in protocol(con, review).screening.stages:
        raise Refused(f"reports are asked again at {STAGE} only, which this review does not have")
    pool = calibration.pool(con, review, STAGE)
    if not pool:
        raise Refused(
            "there is no report yet on which two people agree; come back when some are settled"
        )
    return pool


def _people(con: Connection, review: str, reviewers: Sequence[str]) -> list[str]:
    voters = {
        one.name: one.role
        for one in accounts.names(con)
        if one.role in VOTERS and one.enters(review)
    }
    if unknown := sorted(set(reviewers) - voters.keys()):
        raise Refused(
            f"{', '.join(unknown)} can't be asked; choose among {', '.join(voters) or 'nobody yet'}"
        )
    chosen = sorted(set(reviewers)) or [name for name, role in voters.items() if role == "reviewer"]
    if not chosen:
        raise Refused("there is no reviewer with an open account; open one first")
    return chosen


def _items(
    con: Connection, round: str, review: str, name: str, number: int, pool: Sequence[Settled]
) -> list[Item]:
    """The draw of one reviewer; its seed follows from the round and the name."""
    before, seed = (
        calibration.asked_before(con, review, name, STAGE),
        crc32(f"{round}/{name}".encode()),
    )
    fresh = {one.report_id: one for one in pool if one.report_id not in before}
    chosen = draw(((one.report_id, one.verdict) for one in fresh.values()), number, seed)
    return [
        Item(
            f"{round}/{name}/{place}",
            name,
            report,
            fresh[report].verdict,
            name in fresh[report].voters,
            place,
            seed,
        )
        for place, report in enumerate(chosen)
    ]


@typed
def answer(
    store: Store,
    *,
    id: str,
    review: str,
    record: str,
    stage: str,
    reviewer: str,
    verdict: str,
    now: datetime,
    reason: str | None = None,
    note: str | None = None,
    tags: Sequence[str] = (),
) -> dict[str, Any]:
    """Write what a reviewer says of a report that they are asked again; `withdrawn` takes it back.

    It moves nothing: no standing, no count, no version. The same id again changes nothing
    (`known`). Raises Refused for what a vote would be refused for, and where this report is not
    asked again.
    """

    def job(con: Connection) -> dict[str, Any]:
        rules = protocol(con, review)
        report = records.report_of(con, [record]).get(record, record)
        found = calibration.item_of(con, review, reviewer, report, stage)
        if found is None or (
            verdict == "withdrawn" and found[1] is None and not calibration.known(con, id)
        ):
            raise Refused(f"{record} does not wait for {reviewer} at {stage}")
        given = Answer(
            id,
            found[0],
            record,
            verdict,
            reason or None,
            note or None,
            tuple(tags),
            rules.criteria_version,
        )
        return {"known": not write(con, rules, stage, reviewer, given, now)}

    return store.write(job, quick=True)


def write(
    con: Connection, rules: Review, stage: str, reviewer: str, given: Answer, now: datetime
) -> bool:
    """Write the answer to an item of this reviewer; False if this very one is known.

    Raises:
        Refused: as for a vote.
    """
    _check(rules, stage, given.verdict, given.reason, reviewer)
    return calibration.answer(con, given, now)


def _check(rules: Review, stage: str, verdict: str, reason: str | None, reviewer: str) -> None:
    """Refuse what would be refused of a vote, were this report open.

    Whose votes a pair needs does not matter here.
    """
    check(
        rules,
        stage=stage,
        verdict=verdict,
        role="vote",
        reason=reason,
        reviewer=reviewer,
        reached=stage,
        state="open",
        voters=rules.screening.core,
        adjudicated=False,
    )


def results(con: Connection, review: str) -> list[Told]:
    """How each reviewer's answers compare with what was decided; for leads only."""
    return told(calibration.asked(con, review))
