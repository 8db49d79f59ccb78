"""The end of the reading: a lead's signed act, taken back as easily, and a random look at what was
left unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from livereview.errors import Refused
from livereview.ops import expectations
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.store import ranks, stopping, versions
from livereview.store.open import Connection, Store
from livereview.store.stopping import Eligible, Stop

CONFIDENCE = 0.95


@typed
def stop(
    store: Store, *, id: str, review: str, by: str, now: datetime, note: str | None = None
) -> dict[str, Any]:
    """End the reading of titles and abstracts: what nobody has voted on is left unread, and the
    page says so.

    It holds until a report comes that was not there, the protocol changes or somebody reads on;
    what is half-screened or drawn for an audit is read to the end. Raises Refused when the test
    does not support it and `note` gives no reason. The calibrated rule is kept beside it in the
    books, and is reason enough only in the lead's own words.
    """

    return store.write(lambda con: stop_in(con, id, review, by, now, note))


def stop_in(
    con: Connection, id: str, review: str, by: str, now: datetime, note: str | None = None
) -> dict[str, Any]:
    """As `stop`, within a transaction."""
    said = test(con, review)
    expected = expectations.expected(con, review, protocol(con, review).screening.votes)
    if expected is not None:
        said["calibrated"] = expectations.plain(expected)
    if not said["may_stop"] and not (note or "").strip():
        raise Refused(
            f"the test does not support stopping here ({_why(said)}); read on, or say in a note why you stop"
        )
    return _append(
        con, review, Stop(id, True, by, note or None, said, now), "reading was stopped by a rule"
    )


@typed
def read_on(
    store: Store, *, id: str, review: str, by: str, now: datetime, note: str | None = None
) -> dict[str, Any]:
    """Take the stop back: everything unread waits again. Raises Refused where no stop holds."""

    return store.write(lambda con: read_on_in(con, id, review, by, now, note))


def read_on_in(
    con: Connection, id: str, review: str, by: str, now: datetime, note: str | None = None
) -> dict[str, Any]:
    """As `read_on`, within a transaction."""
    if stopping.in_force(con, review) is None:
        raise Refused("no stop holds here: everything unread is waiting already")
    return _append(con, review, Stop(id, False, by, note or None, {}, now), "reading goes on")


def _append(con: Connection, review: str, act: Stop, cause: str) -> dict[str, Any]:
    new = stopping.append(con, review, act)
    if new:
        versions.ask(con, review, cause, act.made)
    return {"stops": act.stops, "told": act.told, "known": not new}


def _why(said: dict[str, Any]) -> str:
    if said["p"] is None:
        return "nothing has gone on to full text yet"
    return f"p = {said['p']:.3f} that fewer than {said['target']:.0%} are found; {1 - CONFIDENCE:.2f} or less is needed"


def test(con: Connection, review: str) -> dict[str, Any]:
    """What Callaghan and Müller-Hansen's test says of the backlog now, as plain data.

    No p before the first find.
    """
    from livereview.ranking import stopping as rule

    screening = protocol(con, review).screening
    labels = [int(one) for _, one in ranks.labels(con, review, screening.stages[0])]
    if any(labels):
        told = rule.backlog(labels, ranks.reports(con, review), screening.recall_target)
    else:
        told = None
    return {
        "rule": "hypergeometric test of Callaghan and Müller-Hansen (2020)",
        "read": len(labels),
        "found": sum(labels),
        "total": ranks.reports(con, review),
        "target": screening.recall_target,
        "confidence": CONFIDENCE,
        "p": told.p if told else None,
        "may_stop": bool(told and told.may_stop),
        "most": told.most if told else None,
        "low": told.low if told else None,
        "assumes": rule.ASSUMES,
    }


@typed
def draw(
    store: Store, *, id: str, review: str, number: int, by: str, now: datetime
) -> dict[str, Any]:
    """Draw so many of the unread at random.

    They come first in everybody's queue, and the probability is kept.

    The same id again draws nothing more. Raises Refused where nothing is unread.
    """
    from livereview.ranking import audit

    def job(con: Connection) -> dict[str, Any]:
        if known := stopping.drawn(con, id):
            return {"drawn": known, "known": True}
        unread = stopping.unread(con, review)
        if not unread:
            raise Refused("nothing is unread here, so there is nothing to draw from")
        drawn = audit.draw(unread, number, crc32(id.encode()))
        stopping.draw(con, id, review, [(one.record_id, one.probability) for one in drawn], by, now)
        return {"drawn": len(drawn), "unread": len(unread), "known": False}

    return store.write(job)


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audits say of the reports that lay unread when they were drawn.

    Attributes:
        drawn, settled, relevant: Reports drawn; those with all their votes; those of them that went
            on.
        unread: Reports that lay unread at an audit, drawn or not.
        estimate, low, high: Recall of the reading before, each bound one-sided at 95%; None until
            something was found.
        most: Relevant reports there may be among the unread.
    """

    drawn: int
    settled: int
    relevant: int
    unread: int
    most: int | None
    estimate: float | None
    low: float | None
    high: float | None


def audited(con: Connection, review: str) -> Audited | None:
    """What all audits of a review say together; None if there was none.

    An interval, never a certificate.
    """
    stage = protocol(con, review).screening.stages[0]
    pool = stopping.eligible(con, review, stage)
    drawn = [one for one in pool if one.drawn]
    if not drawn:
        return None
    relevant = sum(one.verdict is True for one in drawn)
    settled = sum(one.verdict is not None for one in drawn)
    inside = {one.report_id for one in pool}
    found = sum(
        went_on for report, went_on in ranks.labels(con, review, stage) if report not in inside
    )
    return Audited(len(drawn), settled, relevant, len(pool), *_interval(pool, found))


def _interval(
    pool: list[Eligible], found: int
) -> tuple[int | None, float | None, float | None, float | None]:
    """(most missed, recall: estimate, low, high).

    Drawn but unsettled reports count as not looked at.
    """
    from livereview.ranking import audit

    strata: dict[float, list[Eligible]] = {}
    for one in pool:
        strata.setdefault(audit.together(one.probabilities), []).append(one)
    counted = [
        audit.Stratum(
            probability,
            len(some),
            sum(one.drawn and one.verdict is not None for one in some),
            sum(one.drawn and one.verdict is True for one in some),
        )
        for probability, some in sorted(strata.items())
    ]
    missed = audit.missed(counted)
    if not found:
        return missed.high, None, None, None
    recall = audit.recall(found, missed)
    return missed.high, recall.estimate, recall.low, recall.high
