"""Where each report stands, kept in a table of its own and brought up to date by everything that
can move it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from livereview.screening.states import NOBODY_ASKED, Ballot, Sought, place
from livereview.store import waiting
from livereview.store.rows import execute_told, kept_rows, one_row, tell
from livereview.store.waiting import Derived, Moved

if TYPE_CHECKING:
    from livereview.store.open import Connection

# DuckDB refuses the later of two transactions that update a row, but lets one delete what another
# has updated, and the update is lost without a word; and an update that changes nothing counts as
# none. So whoever derives or moves a row changes it first: a decision and a night, a merge or a new
# protocol then never pass each other unseen.
_TOUCH = "UPDATE screening_state SET votes = -1 - votes"

FEW = 50  # so many ids go into a query one by one: it then reads only their rows


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a report stands: at `stage`, with `votes`, `state` open, half, conflict, included,
    excluded or not_retrieved.
    """

    report_id: str
    stage: str
    votes: int
    state: str


def of(con: Connection, review: str, report_id: str) -> Standing | None:
    """Where this report stands in the review; None if the review never found it."""
    row = one_row(
        con,
        "SELECT report_id, stage, votes, state FROM screening_state WHERE review = ? AND report_id = ?",
        [review, report_id],
    )
    return Standing(*row) if row else None


def of_each(con: Connection, review: str, report_ids: Iterable[str]) -> dict[str, Standing]:
    """Where each of these reports stands in the review, by report; without those it never found."""
    where, values = chosen(set(report_ids))
    rows = con.execute(
        f"""SELECT report_id, stage, votes, state FROM screening_state
        WHERE review = ? AND report_id {where}""",  # noqa: S608
        [review, *values],
    ).fetchall()
    return {row[0]: Standing(*row) for row in rows}


def all_of(con: Connection, review: str) -> list[Standing]:
    """Where each report of the review stands, as they were found."""
    rows = con.execute(
        "SELECT report_id, stage, votes, state FROM screening_state WHERE review = ? ORDER BY seq, report_id",
        [review],
    ).fetchall()
    return [Standing(*row) for row in rows]


def page(
    con: Connection,
    review: str,
    after: int,
    limit: int,
    stage: str | None = None,
    states: Sequence[str] | None = None,
) -> list[tuple[int, Standing]]:
    """Where some reports of the review stand, as they were found, each with its place in the list.

    Args:
        after: The place after which they are taken; 0: from the start.
        limit: How many at most.
        stage: Only those at this stage; None: at any.
        states: Only those in one of these states; None: in any.
    """
    rows = con.execute(
        """SELECT seq, report_id, stage, votes, state FROM screening_state
        WHERE review = $review AND seq > $after
            AND ($stage IS NULL OR stage = $stage)
            AND ($states IS NULL OR list_contains($states, state))
        ORDER BY seq LIMIT $limit""",
        {
            "review": review,
            "after": after,
            "limit": limit,
            "stage": stage,
            "states": list(states) if states is not None else None,
        },
    ).fetchall()
    return [(seq, Standing(*row)) for seq, *row in rows]


def members(con: Connection, report_ids: Collection[str]) -> list[str]:
    """The records of these reports; a record that was never settled is its own report."""
    where, values = chosen(report_ids)
    rows = kept_rows(con, f"SELECT record_id FROM report WHERE report_id {where}", values)  # noqa: S608
    return list({*report_ids, *(row[0] for row in rows)})


def refresh(con: Connection, record_ids: Iterable[str]) -> None:
    """Derive again where the reports of these records stand, in every review.

    Where records change their report, `record_ids` must hold all records of the reports that they
    leave: a report has the id of one of them.
    """
    ids = set(record_ids)
    if ids:
        where, values = chosen(ids)
        rows = con.execute(
            f"SELECT DISTINCT report_id FROM report WHERE record_id {where}",  # noqa: S608
            values,
        ).fetchall()
        ids.update(members(con, ids | {row[0] for row in rows}))
        where, values = chosen(ids)
        execute_told(con, f"{_TOUCH} WHERE report_id {where}", values)
        execute_told(con, f"DELETE FROM screening_state WHERE report_id {where}", values)  # noqa: S608
        _derive(con, ids)


def fill(con: Connection) -> None:
    """Derive everything if nothing is there yet: in a database that is older than the table."""
    empty = one_row(
        con, "SELECT EXISTS (SELECT 1 FROM hit) AND NOT EXISTS (SELECT 1 FROM screening_state)"
    )
    if empty and empty[0]:
        refresh_all(con)


def refresh_all(con: Connection) -> None:
    """Derive everything again: after a change of the protocol, or of the rules."""
    execute_told(con, f"{_TOUCH} WHERE true")
    execute_told(con, "DELETE FROM screening_state")
    _derive(con, None)


def keep(con: Connection, review: str, before: Standing, standing: Standing) -> None:
    """Let this be where a report stands, after a decision on it: nothing else has changed.

    Args:
        con: A connection in a transaction.
        review: The review.
        before: Where it stood, as this transaction sees it.
        standing: Where it stands now.
    """
    if standing == before:  # else the update below changes the row
        place = [review, standing.report_id]
        execute_told(con, f"{_TOUCH} WHERE review = ? AND report_id = ?", place)
    execute_told(
        con,
        "UPDATE screening_state SET stage = ?, votes = ?, state = ? WHERE review = ? AND report_id = ?",
        [standing.stage, standing.votes, standing.state, review, standing.report_id],
    )
    moved = Moved(review, standing.report_id, standing.stage, standing.votes, standing.state)
    tell(con, moved)


def _derive(con: Connection, ids: Collection[str] | None) -> None:
    where, values = chosen(ids)
    found = con.execute(
        f"""SELECT h.review, coalesce(p.report_id, h.record_id), min(h.seq) FROM standing_hit h
        LEFT JOIN report p ON p.record_id = h.record_id WHERE h.times > 0 AND h.record_id {where} GROUP BY ALL""",  # noqa: S608
        values,
    ).fetchall()
    left = None if ids is None else frozenset(ids)
    if not found:
        tell(con, Derived(left, ()))
        return
    rules, ballots, asked = _rules(con), _by_report(con, ids), sought(con, ids)
    rows = []
    for review, report_id, seq in found:
        stages, needed = rules[review]
        key = (review, report_id)
        stands = place(ballots.get(key, ()), stages, needed, asked.get(key, NOBODY_ASKED))
        rows.append((review, report_id, stands.stage, stands.votes, stands.state, seq))
    execute_told(
        con,
        """INSERT INTO screening_state (review, report_id, stage, votes, state, seq)
        SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
            unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::BIGINT[])""",
        [list(column) for column in zip(*rows, strict=True)],
    )
    stand = [
        (review, report_id, waiting.Standing(stage, votes, state, seq))
        for review, report_id, stage, votes, state, seq in rows
    ]
    tell(con, Derived(left, tuple(stand)))


def sought(con: Connection, report_ids: Collection[str] | None) -> dict[tuple[str, str], Sought]:
    """Who can't get these reports (None: all), by (review, report).

    Only those that somebody asked for.
    """
    if not kept_rows(con, "SELECT 1 FROM retrieval LIMIT 1"):
        return {}
    where, values = chosen(report_ids)
    asked = con.execute(
        f"SELECT review, report_id, list(author) FROM retrieval_request WHERE report_id {where} GROUP BY ALL",  # noqa: S608
        values,
    ).fetchall()
    final = con.execute(
        f"SELECT review, report_id FROM retrieval_final WHERE report_id {where}",  # noqa: S608
        values,
    ).fetchall()
    people = {(review, report): frozenset(names) for review, report, names in asked}
    closed = set(final)
    return {
        key: Sought(people.get(key, frozenset()), key in closed) for key in people.keys() | closed
    }


def _by_report(con: Connection, ids: Collection[str] | None) -> dict[tuple[str, str], list[Ballot]]:
    """The decisions in force on these records, by review and report."""
    decisions = in_force(con, ids)
    if not decisions:
        return {}
    where, values = chosen({one["record_id"] for one in decisions})
    rows = con.execute(
        f"SELECT record_id, report_id FROM report WHERE record_id {where}",  # noqa: S608
        values,
    ).fetchall()
    reports = dict(rows)
    found: dict[str, list[dict[str, Any]]] = {}
    for one in decisions:
        found.setdefault(reports.get(one["record_id"], one["record_id"]), []).append(one)
    return {
        (review, report): some
        for report, all_of in found.items()
        for review, some in _ballots(all_of).items()
    }


def _rules(con: Connection) -> dict[str, tuple[list[str], int]]:
    """(stages, votes) of each review."""
    rows = con.execute(
        "SELECT review, arg_max(stages, seq), arg_max(votes, seq) FROM protocol GROUP BY review"
    ).fetchall()
    return {review: (stages, votes) for review, stages, votes in rows}


def in_force(con: Connection, record_ids: Collection[str] | None) -> list[dict[str, Any]]:
    """The decisions that count on these records (None: on all), oldest first: the last word of each
    reviewer on each record and stage unless taken back, and none from before the stage was opened
    again. As the view current_decision, for those who can't wait for it.
    """
    where, values = chosen(record_ids)
    names = (
        "review",
        "record_id",
        "stage",
        "reviewer",
        "role",
        "id",
        "verdict",
        "reason",
        "note",
        "tags",
        "made",
        "seq",
    )
    rows = con.execute(
        f"SELECT {', '.join(names)} FROM decision WHERE record_id {where} ORDER BY seq",  # noqa: S608
        values,
    ).fetchall()
    last = {row[:5]: row for row in rows}
    opened = _opened(con, record_ids)
    kept = [
        row
        for row in last.values()
        if row[6] != "withdrawn" and row[11] > opened.get((row[0], row[1], row[2]), -1)
    ]
    return [dict(zip(names, row, strict=True)) for row in sorted(kept, key=lambda row: row[11])]


def _opened(con: Connection, record_ids: Collection[str] | None) -> dict[tuple[str, str, str], int]:
    """When the report of each of these records was last opened again at a stage, by (review,
    record, stage).
    """
    if not kept_rows(con, "SELECT 1 FROM reopening LIMIT 1"):
        return {}
    where, values = chosen(record_ids)
    rows = con.execute(
        f"""SELECT o.review, m.record_id, o.stage, max(o.seq) FROM reopening o
        ANTI JOIN cancelled c ON c.event = o.id LEFT JOIN report p ON p.record_id = o.record_id
        JOIN (SELECT d.record_id, coalesce(p.report_id, d.record_id) AS report_id FROM
            (SELECT DISTINCT record_id FROM decision WHERE record_id {where}) d LEFT JOIN report p USING (record_id)) m
            ON m.report_id = coalesce(p.report_id, o.record_id) GROUP BY ALL""",  # noqa: S608
        values,
    ).fetchall()
    return {(review, record, stage): seq for review, record, stage, seq in rows}


def _ballots(decisions: Iterable[dict[str, Any]]) -> dict[str, list[Ballot]]:
    """Decisions on one report by review."""
    found: dict[str, list[Ballot]] = {}
    for one in decisions:
        ballot = Ballot(one["stage"], one["reviewer"], one["role"], one["verdict"], one["seq"])
        found.setdefault(one["review"], []).append(ballot)
    return found


def chosen(ids: Collection[str] | None) -> tuple[str, list[object]]:
    """(condition with placeholders only, its values) for a column of ids.

    Every row where `ids` is None.

    DuckDB reads only the rows of ids that stand in the query one by one; of a list it reads the
    whole column.
    """
    if ids is None:
        return "IS NOT NULL", []
    if len(ids) <= FEW:
        return f"IN ({', '.join('?' * len(ids))})", list(ids)
    return "IN (SELECT unnest(?::VARCHAR[]))", [list(ids)]
