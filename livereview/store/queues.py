"""The order in which a reviewer meets what waits for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livereview.review import Review
from livereview.screening.order import PLAIN, Order, order
from livereview.screening.shares import SLOTS, slot
from livereview.screening.states import NO_VOTE
from livereview.store import calibration, shares, stopping, voters
from livereview.store.kept import Kept
from livereview.store.open import Connection
from livereview.store.rows import kept_rows, one_row
from livereview.store.waiting import First, Stamp, Standing, WaitingList


@dataclass(frozen=True, slots=True)
class Candidate:
    """A report that may be shown to a reviewer.

    `again`: they are asked about it again, so that its votes are no matter.

    Attributes:
        unleased: It is shown whoever else has it: in a small team that would tell of votes
            (`screening.order`).
    """

    report_id: str
    votes: int
    again: bool = False
    unleased: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What waits for a reviewer at a stage.

    Attributes:
        reports: The first of it, in its order.
        wanted: Those of the reports that were asked for by name which wait.
        waiting: How many wait in all.
        done: How many they have decided at this stage.
    """

    reports: tuple[Candidate, ...]
    wanted: tuple[Candidate, ...]
    waiting: int
    done: int

    @property
    def first(self) -> str | None:
        """The report at the very head, if there is one."""
        return self.reports[0].report_id if self.reports else None


# `place` orders in one number, so that the first are found without sorting all. From the highest
# bit down: half-screened ones first, in a crowd only (`screening.order`), where a re-ranked list
# would leave records with a single vote for long; then those drawn for an audit; then ranked ones,
# by rank (26 bits) and as found (33 bits); then the others, as found. Who is not among a record's
# first readers meets it a few places later. Nobody is asked about what they have answered
# (`screening.states.has_answered`). Where people have shares, each meets their own.
_MINE = """latest AS (SELECT record_id, arg_max(verdict, seq) AS verdict, max(seq) AS seq FROM decision
        WHERE review = $review AND reviewer = $reviewer AND stage = $stage AND role = 'vote' GROUP BY record_id),
    mine AS (SELECT coalesce(p.report_id, l.record_id) AS report_id
        FROM latest l LEFT JOIN report p ON p.record_id = l.record_id {reopened}
        WHERE l.verdict NOT IN (SELECT unnest($no_vote::VARCHAR[])) AND l.seq > {since} {asked})"""
_WAITING = """waiting AS (SELECT s.report_id, s.votes,
            {half_first}::BIGINT * 1152921504606846976
            + CASE WHEN {drawn} THEN s.seq
                WHEN r.place IS NOT NULL THEN least(r.place + {later}, 67108863)::BIGINT * 8589934592 + s.seq
                ELSE 576460752303423488 + (s.seq + {later}) * 67108864 + s.seq % 67108864 END AS place
        FROM screening_state s LEFT JOIN rank r ON r.review = s.review AND r.report_id = s.report_id {joins}
        WHERE s.review = $review AND s.stage = $stage AND s.state IN ('open', 'half') {only}
            AND NOT EXISTS (SELECT 1 FROM mine WHERE mine.report_id = s.report_id))"""
_REOPENED = """LEFT JOIN reopened o ON o.review = $review AND o.stage = $stage
    AND o.report_id = coalesce(p.report_id, l.record_id)"""
_ASKED = """UNION SELECT report_id FROM retrieval_request
    WHERE review = $review AND author = $reviewer AND $stage = 'full_text'"""
_DRAWN = "LEFT JOIN drawn d ON d.review = s.review AND d.report_id = s.report_id"
# The same rules for all reviews of a person at once, counted only. What is asked of each comes as a
# table.
_COUNTS = """
    WITH ask AS (SELECT unnest($reviews::VARCHAR[]) AS review, unnest($stages::VARCHAR[]) AS stage,
        unnest($open_to::BLOB[]) AS open_to, unnest($stopped::BOOLEAN[]) AS stopped,
        unnest($core::VARCHAR[][]) AS core, unnest($needed::INTEGER[]) AS needed),
    latest AS (SELECT review, stage, record_id, arg_max(verdict, seq) AS verdict, max(seq) AS seq FROM decision
        WHERE reviewer = $reviewer AND role = 'vote' GROUP BY review, stage, record_id),
    mine AS (SELECT l.review, l.stage, coalesce(p.report_id, l.record_id) AS report_id
        FROM latest l LEFT JOIN report p ON p.record_id = l.record_id
        LEFT JOIN reopened o ON o.review = l.review AND o.stage = l.stage
            AND o.report_id = coalesce(p.report_id, l.record_id)
        WHERE l.verdict NOT IN (SELECT unnest($no_vote::VARCHAR[])) AND l.seq > coalesce(o.seq, 0)
        UNION SELECT review, 'full_text', report_id FROM retrieval_request WHERE author = $reviewer),
    answered AS (SELECT review, stage, count(DISTINCT report_id) AS done FROM mine GROUP BY review, stage),
    seen AS (SELECT DISTINCT d.review, d.stage, coalesce(p.report_id, d.record_id) AS report_id
        FROM decision d JOIN current_abstention a ON a.review = d.review AND a.account = $reviewer
        LEFT JOIN report p ON p.record_id = d.record_id
        LEFT JOIN reopened o ON o.review = d.review AND o.stage = d.stage
            AND o.report_id = coalesce(p.report_id, d.record_id)
        WHERE NOT a.abstains AND d.reviewer <> $reviewer AND d.seq < a.seq AND coalesce(o.seq, 0) < a.seq),
    read_by_core AS (SELECT DISTINCT d.review, d.stage, d.report_id FROM current_decision d
        JOIN ask a ON a.review = d.review AND a.stage = d.stage
        WHERE d.role = 'vote' AND list_contains(a.core, d.reviewer)),
    waiting AS (SELECT s.review, s.stage, count(*) AS waiting
        FROM ask a JOIN screening_state s ON s.review = a.review AND s.stage = a.stage
        LEFT JOIN drawn d ON d.review = s.review AND d.report_id = s.report_id
        LEFT JOIN mine m ON m.review = s.review AND m.stage = s.stage AND m.report_id = s.report_id
        LEFT JOIN seen b ON b.review = s.review AND b.stage = s.stage AND b.report_id = s.report_id
        LEFT JOIN read_by_core c ON c.review = s.review AND c.stage = s.stage AND c.report_id = s.report_id
        WHERE s.state IN ('open', 'half') AND m.report_id IS NULL AND b.report_id IS NULL
            AND (NOT a.stopped OR s.votes > 0 OR d.report_id IS NOT NULL)
            AND in_share(a.open_to, s.report_id)
            AND (len(a.core) = 0 OR s.votes < a.needed - 1 OR c.report_id IS NOT NULL)
        GROUP BY s.review, s.stage)
    SELECT a.review, a.stage, coalesce(y.done, 0), coalesce(w.waiting, 0) FROM ask a
    LEFT JOIN answered y ON y.review = a.review AND y.stage = a.stage
    LEFT JOIN waiting w ON w.review = a.review AND w.stage = a.stage
"""
_ONE = "{'report': report_id, 'votes': votes}"


@dataclass(frozen=True, slots=True)
class _Queue:
    """`WITH …, waiting (report_id, place)` for one reviewer at one stage, and the values it asks
    for.

    Attributes:
        crowd: Whether leases count, as in `screening.order`.
    """

    sql: str
    values: dict[str, object]
    crowd: bool


def head(
    con: Connection,
    review: Review,
    reviewer: str,
    stage: str,
    *,
    most: int = 1,
    wanted: Sequence[str] = (),
) -> Head:
    """The first `most` reports of a reviewer's queue at a stage, and those of `wanted` that wait
    for them too.

    Settled reports that are asked again stand among the others and count as they do: nothing here
    tells them apart.
    """
    limits = _limits(con, review, reviewer, stage)
    events = _events(con, review.id)
    first = _first_of_crowd(con, review, reviewer, stage, limits, events, most, wanted)
    if first is not None:
        reports, asked = _of_crowd(first.reports), _of_crowd(first.wanted)
        head = Head(reports, asked, first.waiting, first.answered)
    else:
        head = _asked_head(con, review, reviewer, stage, limits, events, most, wanted)
    if "calibration" not in events:
        return head

    hidden = calibration.coming(con, review.id, reviewer, stage, head.waiting)
    reports, asked = head.reports, head.wanted
    if hidden.report_id:
        reports = (Candidate(hidden.report_id, 0, again=True), *reports)[:most]
    asked += _asked_again(con, review.id, reviewer, stage, wanted)
    return Head(reports, asked, head.waiting + hidden.left, head.done + hidden.answered)


def _asked_head(
    con: Connection,
    review: Review,
    reviewer: str,
    stage: str,
    limits: _Limits,
    events: set[str],
    most: int,
    wanted: Sequence[str],
) -> Head:
    """The head as the database gives it, without what is asked again."""
    queue = _queue(con, review, reviewer, stage, limits, events)
    row = one_row(
        con,
        f"""{queue.sql} SELECT arg_min({_ONE}, place, $most), count(*), (SELECT count(DISTINCT report_id) FROM mine),
            list({_ONE}) FILTER (WHERE list_contains($wanted::VARCHAR[], report_id))
        FROM waiting""",  # noqa: S608
        queue.values | {"most": most, "wanted": list(wanted)},
    )
    first, waiting, done, named = row or (None, 0, 0, None)
    reports, asked = _candidates(first, queue.crowd), _candidates(named, queue.crowd)
    return Head(reports, asked, waiting, done)


def _first_of_crowd(
    con: Connection,
    review: Review,
    reviewer: str,
    stage: str,
    limits: _Limits,
    events: set[str],
    most: int,
    wanted: Sequence[str],
) -> First | None:
    """The head by the lists in memory (`waiting`), where everybody's queue is the same but for what
    they have answered; None where it is not, or where there are no lists.
    """
    kept: Kept | None = getattr(con, "kept", None)
    if kept is None or not _is_plain(con, review, reviewer, stage, limits, events):
        return None
    stamps = kept.stamp("rank"), kept.stamp("report", "reopened")
    return kept.lists.head(
        (review.id, stage, reviewer),
        most,
        wanted,
        stamps,
        lambda: _waiting_list(con, review.id, stamps[0]),
        lambda: _answered(con, review.id, reviewer, stage, events),
    )


def _is_plain(
    con: Connection,
    review: Review,
    reviewer: str,
    stage: str,
    limits: _Limits,
    events: set[str],
) -> bool:
    """Whether the queue is that of a crowd of which everybody may vote on everything."""
    order = limits.order
    is_dealt = limits.open_to is not None or bool(order.turns) or bool(limits.closed)
    if not order.crowd or is_dealt or "draw" in events:
        return False
    core = review.screening.core
    if core and reviewer not in core:
        return False
    if "retrieval" in events and stage == "full_text":
        return False
    return not ("stopping" in events and stopping.holds(con, review.id, stage))


def _waiting_list(con: Connection, review: str, stamp: Stamp) -> WaitingList:
    rows = con.execute(
        """SELECT s.report_id, s.stage, s.votes, s.state, s.seq, r.place FROM screening_state s
        LEFT JOIN rank r ON r.review = s.review AND r.report_id = s.report_id
        WHERE s.review = ?""",
        [review],
    ).fetchall()
    standings = [(row[0], Standing(*row[1:5])) for row in rows]
    ranks = {row[0]: row[5] for row in rows if row[5] is not None}
    return WaitingList(standings, ranks, stamp)


def _answered(
    con: Connection, review: str, reviewer: str, stage: str, events: set[str]
) -> set[str]:
    """The reports that a person has voted on at a stage."""
    parts = {"reopened": "", "since": "0", "asked": ""}
    if "reopening" in events:
        parts |= {"reopened": _REOPENED, "since": "coalesce(o.seq, 0)"}
    mine = _MINE.format_map(parts)
    rows = con.execute(
        f"WITH {mine} SELECT DISTINCT report_id FROM mine",  # noqa: S608
        {"review": review, "reviewer": reviewer, "stage": stage, "no_vote": list(NO_VOTE)},
    ).fetchall()
    return {row[0] for row in rows}


def _of_crowd(rows: Sequence[tuple[str, int]]) -> tuple[Candidate, ...]:
    return tuple(Candidate(report_id, votes) for report_id, votes in rows)


def _candidates(rows: Sequence[Mapping[str, Any]] | None, crowd: bool) -> tuple[Candidate, ...]:
    return tuple(Candidate(row["report"], row["votes"], unleased=not crowd) for row in rows or ())


def _asked_again(
    con: Connection, review: str, reviewer: str, stage: str, wanted: Sequence[str]
) -> tuple[Candidate, ...]:
    """Those of the reports that the reviewer is asked about again and has not answered."""
    items = {report: calibration.item_of(con, review, reviewer, report, stage) for report in wanted}
    unanswered = [report for report, item in items.items() if item and item[1] is None]
    return tuple(Candidate(report, 0, again=True) for report in unanswered)


def waiting_for(con: Connection, review: Review, reviewer: str, stage: str) -> list[str]:
    """The whole queue of a reviewer at a stage, in its order; without what is asked again."""
    limits, events = _limits(con, review, reviewer, stage), _events(con, review.id)
    queue = _queue(con, review, reviewer, stage, limits, events)
    rows = con.execute(
        f"{queue.sql} SELECT report_id FROM waiting ORDER BY place",  # noqa: S608
        queue.values,
    ).fetchall()
    return [row[0] for row in rows]


Progress = dict[str, tuple[int, int]]


def progress(con: Connection, review: Review, reviewer: str) -> Progress:
    """(done by this reviewer, waiting for this reviewer) at each stage."""
    return progress_of(con, [review], reviewer)[review.id]


def progress_of(con: Connection, reviews: Sequence[Review], reviewer: str) -> dict[str, Progress]:
    """`progress` in each of these reviews: the same numbers as in the heads of the queues."""
    asks = _asks(con, reviews, reviewer)
    rows = con.execute(
        _COUNTS,
        {
            "reviewer": reviewer,
            "no_vote": list(NO_VOTE),
            "reviews": [ask.review for ask in asks],
            "stages": [ask.stage for ask in asks],
            "open_to": [ask.open_to for ask in asks],
            "stopped": [ask.stopped for ask in asks],
            "core": [list(ask.core) for ask in asks],
            "needed": [ask.needed for ask in asks],
        },
    ).fetchall()
    counted = {(review, stage): (done, waiting) for review, stage, done, waiting in rows}
    numbers: dict[str, Progress] = {review.id: {} for review in reviews}
    again = calibration.asked_again(con, reviewer)
    for ask in asks:
        done, waiting = counted[ask.review, ask.stage]
        if ask.review in again:
            hidden = calibration.coming(con, ask.review, reviewer, ask.stage, waiting)
            done, waiting = done + hidden.answered, waiting + hidden.left
        numbers[ask.review][ask.stage] = (done, waiting)
    return numbers


@dataclass(frozen=True, slots=True)
class _Ask:
    """What a person is asked about at one stage of one review.

    Attributes:
        review: The review's id.
        stage: The stage.
        open_to: The slots of the records that they are asked about, as bits; None: all.
        stopped: Reading has stopped there, so that only what has votes or was drawn waits.
        core: The core reviewers, where this person is none and so may not give a record's last vote
        before one of them.
        needed: How many votes a record takes.
    """

    review: str
    stage: str
    open_to: bytes | None
    stopped: bool
    core: tuple[str, ...]
    needed: int


def _asks(con: Connection, reviews: Sequence[Review], reviewer: str) -> list[_Ask]:
    ids = [review.id for review in reviews]
    voting = voters.names_of(con, ids)
    words = voters.abstentions(con, ids, reviewer)
    stopped = stopping.stopped(con, ids)
    asks = []
    for review in reviews:
        screening = review.screening
        _, open_to = _dealt(review, voting[review.id], reviewer, words.get(review.id))
        core = () if reviewer in screening.core else screening.core
        for stage in screening.stages:
            ends = review.id in stopped and stage == screening.stages[0]
            asks.append(_Ask(review.id, stage, open_to, ends, core, screening.votes))
    return asks


def _queue(
    con: Connection,
    review: Review,
    reviewer: str,
    stage: str,
    limits: _Limits,
    events: set[str],
) -> _Queue:
    """Of what this review needs only: to plan for the parts that most have no use for takes longer
    than to read the rest.
    """
    values: dict[str, object] = {
        "review": review.id,
        "reviewer": reviewer,
        "stage": stage,
        "no_vote": list(NO_VOTE),
    }
    parts = {"reopened": "", "since": "0", "asked": "", "drawn": "false", "joins": "", "only": ""}
    parts |= {
        "half_first": "(s.votes = 0)" if limits.order.crowd else "0",
        "later": _later(limits.order, values),
    }
    if "reopening" in events:
        parts |= {"reopened": _REOPENED, "since": "coalesce(o.seq, 0)"}
    if "retrieval" in events:
        parts |= {"asked": _ASKED}
    if "draw" in events:
        parts |= {"drawn": "d.report_id IS NOT NULL", "joins": _DRAWN}
    if "stopping" in events and stopping.holds(con, review.id, stage):
        parts["only"] += f" AND (s.votes > 0 OR {parts['drawn']})"
    if closed := [*limits.closed, *_closed(con, review, reviewer, stage)]:
        parts["only"] += " AND s.report_id NOT IN (SELECT unnest($closed::VARCHAR[]))"
        values["closed"] = closed
    if limits.open_to is not None:
        parts["only"] += " AND in_share($open_to::BLOB, s.report_id)"
        values["open_to"] = limits.open_to
    sql = f"WITH {_MINE.format_map(parts)}, {_WAITING.format_map(parts)}"
    return _Queue(sql, values, limits.order.crowd)


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a person is asked about, and in which order.

    All of it is the same whatever anybody votes.

    Attributes:
        open_to: The slots of the records that they are asked about, as bits; None: all.
        closed: Reports that they are not asked about.
    """

    order: Order
    open_to: bytes | None
    closed: tuple[str, ...]


def _limits(con: Connection, review: Review, reviewer: str, stage: str) -> _Limits:
    word = voters.abstention(con, review.id, reviewer)
    seen = voters.seen_before(con, review.id, reviewer, stage) if word else []
    mine, open_to = _dealt(review, voters.names(con, review.id), reviewer, word)
    return _Limits(mine, open_to, tuple(seen))


def _dealt(
    review: Review, voting: Collection[str], reviewer: str, word: voters.Abstention | None
) -> tuple[Order, bytes | None]:
    """How a person's queue is ordered, and the slots of the records that they are asked about.

    None: all.
    """
    if word and word.abstains and reviewer not in voting:
        return PLAIN, bytes(SLOTS // 8)
    share = shares.slots_of(review, shares.among(review, voting), reviewer)
    people = voters.people(review, voting)
    mine = order(review.id, people, reviewer, review.screening.votes, share is not None)
    return mine, mine.open_to if share is None else share


def _later(mine: Order, values: dict[str, object]) -> str:
    """By how many places a record comes later than its own, in SQL.

    What that asks for is put into `values`.
    """
    planes = []
    for bit, plane in enumerate(mine.turns):
        planes.append(f"{mine.step << bit} * in_share($turn_{bit}::BLOB, s.report_id)::BIGINT")
        values[f"turn_{bit}"] = plane
    return f"({' + '.join(planes)})" if planes else "0"


def is_asked(con: Connection, review: Review, reviewer: str, stage: str, report_id: str) -> bool:
    """Whether a person is ever asked about this report at a stage.

    Whether it still waits for votes is no matter.
    """
    limits = _limits(con, review, reviewer, stage)
    place = slot(report_id)
    dealt = limits.open_to is None or bool(limits.open_to[place >> 3] >> (7 - place % 8) & 1)
    return dealt and report_id not in limits.closed


def may_change(con: Connection, review: Review, reviewer: str, stage: str, report_id: str) -> bool:
    """Whether a person may still change what they said of this report: not once they could see the
    votes on it.
    """
    word = voters.abstention(con, review.id, reviewer)
    if word is None:
        return True
    screens = reviewer in voters.names(con, review.id)
    return screens and report_id not in voters.seen_before(con, review.id, reviewer, stage)


def _events(con: Connection, review: str) -> set[str]:
    """Which the review has ever had: stopping, a draw for an audit, a reopening, calibration, a
    report not to be had.
    """
    rows = kept_rows(
        con,
        """(SELECT 'stopping' FROM stopping WHERE review = $review LIMIT 1) UNION ALL
        (SELECT 'draw' FROM draw WHERE review = $review LIMIT 1) UNION ALL
        (SELECT 'reopening' FROM reopening WHERE review = $review LIMIT 1) UNION ALL
        (SELECT 'calibration' FROM calibration WHERE review = $review LIMIT 1) UNION ALL
        (SELECT 'retrieval' FROM retrieval WHERE review = $review LIMIT 1)""",
        {"review": review},
    )
    return {row[0] for row in rows}


def _closed(con: Connection, review: Review, reviewer: str, stage: str) -> list[str]:
    """Reports whose last vote must be a core reviewer's, where this one is none.

    Nothing of it shows whose votes they have.
    """
    core = review.screening.core
    if not core or reviewer in core:
        return []
    rows = con.execute(
        """SELECT s.report_id FROM screening_state s
        WHERE s.review = $review AND s.stage = $stage AND s.state IN ('open', 'half') AND s.votes >= $needed - 1
            AND s.report_id NOT IN (SELECT report_id FROM current_decision WHERE review = $review AND stage = $stage
                AND role = 'vote' AND list_contains($core::VARCHAR[], reviewer))""",
        {"review": review.id, "stage": stage, "core": list(core), "needed": review.screening.votes},
    ).fetchall()
    return [row[0] for row in rows]
