"""The order in which a reviewer meets what waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from livereview.review import Review
from livereview.store import calibration, shares, stopping
from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Next:
    """What a reviewer meets next: the report to show, the one after it (None where there is none), how many wait in all,
    whether `report_id` is not the first of them, and how many they have decided at this stage."""

    report_id: str | None
    following: str | None
    waiting: int
    skipped: bool
    done: int = 0


# `place` orders in one number, so that the first are found without sorting all: reports that others have on their screens
# and that then have all their votes come last; half-screened ones first, or a re-ranked list would leave records with a
# single vote for ever; then those drawn for an audit; then by rank (27 bits), then as found (33 bits). "Not retrieved" is
# no vote: once somebody has the report after all, everyone is asked. Where people have shares, each meets their own only.
_WAITING = """
    WITH latest AS (SELECT record_id, arg_max(verdict, seq) AS verdict, max(seq) AS seq FROM decision
        WHERE review = $review AND reviewer = $reviewer AND stage = $stage AND role = 'vote' GROUP BY record_id),
    mine AS (SELECT coalesce(p.report_id, l.record_id) AS report_id, l.verdict <> 'not_retrieved' AS voted
        FROM latest l LEFT JOIN report p ON p.record_id = l.record_id
        LEFT JOIN reopened o ON o.review = $review AND o.stage = $stage AND o.report_id = coalesce(p.report_id, l.record_id)
        WHERE l.verdict <> 'withdrawn' AND l.seq > coalesce(o.seq, 0)),
    held AS (SELECT unnest($held::VARCHAR[]) AS report_id, unnest($times::INTEGER[]) AS times),
    waiting AS (SELECT s.report_id,
            (coalesce(h.times, 0) > 0 AND h.times + s.votes >= $needed)::BIGINT * 2305843009213693952
            + (s.votes = 0)::BIGINT * 1152921504606846976
            + if(d.report_id IS NOT NULL, 0, least(coalesce(r.place, 134217727), 134217727))::BIGINT * 8589934592
            + s.seq AS place
        FROM screening_state s LEFT JOIN held h ON h.report_id = s.report_id
            LEFT JOIN rank r ON r.review = s.review AND r.report_id = s.report_id
            LEFT JOIN drawn d ON d.review = s.review AND d.report_id = s.report_id
        WHERE s.review = $review AND s.stage = $stage AND s.state IN ('open', 'half')
            AND s.report_id NOT IN (SELECT unnest($closed::VARCHAR[])) AND in_share($share::BLOB, s.report_id)
            AND (NOT $stopped OR s.votes > 0 OR d.report_id IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM mine WHERE mine.voted AND mine.report_id = s.report_id))
"""


def next_for(
    con: Connection,
    review: Review,
    reviewer: str,
    stage: str,
    wanted: str = "",
    held: Mapping[str, int] | None = None,
) -> Next:
    """The head of a reviewer's queue at a stage. Where the report `wanted` waits for them too, it is shown instead.

    held   how many others have each report before them

    Settled reports that are asked again stand among the others and count as they do: nothing here tells them apart.
    """
    asked = _asked(con, review, reviewer, stage, held or {})
    row = con.execute(
        f"""{_WAITING} SELECT arg_min(report_id, place, 2), count(*), (SELECT count(DISTINCT report_id) FROM mine)
        FROM waiting""",  # noqa: S608
        asked,
    ).fetchone()
    first, count, done = row or (None, 0, 0)
    shown, after = (*(first or ()), None, None)[:2]
    hidden = calibration.coming(con, review.id, reviewer, stage, count)
    if hidden.report_id:
        shown, after = hidden.report_id, shown
    count, done = count + hidden.left, done + hidden.answered
    if wanted and wanted != shown and (found := _after(con, wanted, asked)):
        return Next(wanted, found[0] or shown, count, True, done)
    return Next(shown, after, count, False, done)


def _after(con: Connection, wanted: str, asked: dict[str, object]) -> tuple[str | None] | None:
    """The report after this one in the queue (None: it is the last); None if it does not wait."""
    return con.execute(
        f"""{_WAITING}, here AS (SELECT place FROM waiting WHERE report_id = $wanted)
        SELECT arg_min(report_id, place) FILTER (WHERE place > (SELECT place FROM here)) FROM waiting
        HAVING (SELECT count(*) FROM here) > 0""",  # noqa: S608
        asked | {"wanted": wanted},
    ).fetchone()


def waiting_for(con: Connection, review: Review, reviewer: str, stage: str) -> list[str]:
    """The whole queue of a reviewer at a stage, in its order; without what is asked again."""
    rows = con.execute(
        f"{_WAITING} SELECT report_id FROM waiting ORDER BY place",  # noqa: S608
        _asked(con, review, reviewer, stage, {}),
    ).fetchall()
    return [row[0] for row in rows]


def progress(con: Connection, review: Review, reviewer: str) -> dict[str, tuple[int, int]]:
    """(done by this reviewer, waiting for this reviewer) at each stage."""
    found = {stage: next_for(con, review, reviewer, stage) for stage in review.screening.stages}
    return {stage: (one.done, one.waiting) for stage, one in found.items()}


def _asked(con: Connection, review: Review, reviewer: str, stage: str, held: Mapping[str, int]) -> dict[str, object]:
    here: dict[str, object] = {"review": review.id, "reviewer": reviewer, "stage": stage}
    here |= {"stopped": stopping.holds(con, review.id, stage), "closed": _closed(con, review, reviewer, stage)}
    here |= {"share": shares.mine(con, review, reviewer)}
    return {**here, "held": list(held), "times": list(held.values()), "needed": review.screening.votes}


def _closed(con: Connection, review: Review, reviewer: str, stage: str) -> list[str]:
    """Reports whose last vote must be a core reviewer's, where this one is none; nothing of it shows whose votes they have."""
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
