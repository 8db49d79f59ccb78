"""Where each report stands, kept in a table of its own and brought up to date by everything that can move it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from livereview.screening.states import Ballot, place, state_of

if TYPE_CHECKING:
    from livereview.store.open import Connection

FEW = 50  # so many ids go into a query one by one: it then reads only their rows


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a report stands: at `stage`, with `votes`, `state` open, half, conflict, included, excluded or not_retrieved."""

    report_id: str
    stage: str
    votes: int
    state: str


def of(con: Connection, review: str, report_id: str) -> Standing | None:
    """Where this report stands in the review; None if the review never found it."""
    row = con.execute(
        "SELECT report_id, stage, votes, state FROM screening_state WHERE review = ? AND report_id = ?",
        [review, report_id],
    ).fetchone()
    return Standing(*row) if row else None


def all_of(con: Connection, review: str) -> list[Standing]:
    """Where each report of the review stands, as they were found."""
    rows = con.execute(
        "SELECT report_id, stage, votes, state FROM screening_state WHERE review = ? ORDER BY seq, report_id", [review]
    ).fetchall()
    return [Standing(*row) for row in rows]


def state_at(con: Connection, review: str, report_id: str, stage: str) -> str:
    """The state of a report at one stage, whether or not it has left it."""
    ballots = _ballots(con, members(con, [report_id])).get((review, report_id), [])
    return state_of([one for one in ballots if one.stage == stage], _rules(con)[review][1])


def members(con: Connection, report_ids: Collection[str]) -> list[str]:
    """The records of these reports; a record that was never settled is its own report."""
    where, values = chosen(report_ids)
    rows = con.execute(f"SELECT record_id FROM report WHERE report_id {where}", values).fetchall()  # noqa: S608
    return list({*report_ids, *(row[0] for row in rows)})


def refresh(con: Connection, record_ids: Iterable[str]) -> None:
    """Derive again where the reports of these records stand, in every review.

    Where records change their report, `record_ids` must hold all records of the reports that they leave: a report has the
    id of one of them.
    """
    ids = set(record_ids)
    if ids:
        where, values = chosen(ids)
        rows = con.execute(f"SELECT DISTINCT report_id FROM report WHERE record_id {where}", values).fetchall()  # noqa: S608
        ids.update(members(con, ids | {row[0] for row in rows}))
        where, values = chosen(ids)
        con.execute(f"DELETE FROM screening_state WHERE report_id {where}", values)  # noqa: S608
        _derive(con, ids)


def fill(con: Connection) -> None:
    """Derive everything if nothing is there yet: in a database that is older than the table."""
    empty = con.execute("SELECT EXISTS (SELECT 1 FROM hit) AND NOT EXISTS (SELECT 1 FROM screening_state)").fetchone()
    if empty and empty[0]:
        refresh_all(con)


def refresh_all(con: Connection) -> None:
    """Derive everything again: after a change of the protocol, or of the rules."""
    con.execute("DELETE FROM screening_state")
    _derive(con, None)


def _derive(con: Connection, ids: Collection[str] | None) -> None:
    where, values = chosen(ids)
    found = con.execute(
        f"""SELECT h.review, coalesce(p.report_id, h.record_id), min(h.seq) FROM hit h
        LEFT JOIN report p ON p.record_id = h.record_id WHERE h.times > 0 AND h.record_id {where} GROUP BY ALL""",  # noqa: S608
        values,
    ).fetchall()
    if not found:
        return
    rules, ballots = _rules(con), _ballots(con, ids)
    rows = []
    for review, report_id, seq in found:
        stages, needed = rules[review]
        stands = place(ballots.get((review, report_id), ()), stages, needed)
        rows.append((review, report_id, stands.stage, stands.votes, stands.state, seq))
    con.execute(
        """INSERT INTO screening_state SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
            unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::BIGINT[])""",
        [list(column) for column in zip(*rows, strict=True)],
    )


def _rules(con: Connection) -> dict[str, tuple[list[str], int]]:
    rows = con.execute("SELECT review, stages, votes FROM current_protocol").fetchall()
    return {review: (stages, votes) for review, stages, votes in rows}


def _ballots(con: Connection, ids: Collection[str] | None) -> dict[tuple[str, str], list[Ballot]]:
    """The decisions in force on these records, by review and report."""
    where, values = chosen(ids)
    rows = con.execute(
        f"SELECT review, report_id, stage, reviewer, role, verdict, seq FROM current_decision WHERE record_id {where}",  # noqa: S608
        values,
    ).fetchall()
    found: dict[tuple[str, str], list[Ballot]] = {}
    for review, report_id, *ballot in rows:
        found.setdefault((review, report_id), []).append(Ballot(*ballot))
    return found


def chosen(ids: Collection[str] | None) -> tuple[str, list[object]]:
    """(condition with placeholders only, its values) for a column of ids; every row where `ids` is None.

    DuckDB reads only the rows of ids that stand in the query one by one; of a list it reads the whole column.
    """
    if ids is None:
        return "IS NOT NULL", []
    if len(ids) <= FEW:
        return f"IN ({', '.join('?' * len(ids))})", list(ids)
    return "IN (SELECT unnest(?::VARCHAR[]))", [list(ids)]
