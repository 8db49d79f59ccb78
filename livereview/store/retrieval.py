"""Reports whose full text somebody could not get: who asked for them, and what became of that.

Nothing here looks at votes. A report on which somebody has voted looks like one on which nobody
has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.screening.states import NOBODY_ASKED, Sought
from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.rows import Row, by_review, kept_rows

STAGE = "full_text"  # the only one at which a report must be had


@dataclass(frozen=True, slots=True)
class Step:
    """One act, as in db/0026_retrieval.sql."""

    id: str
    review: str
    record_id: str
    act: str
    author: str
    note: str | None = None
    tags: tuple[str, ...] = ()
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody can't get a report; `note` says what they tried."""

    person: str
    note: str | None
    made: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A report on the list: asked for, or final because a lead (`final_by`) or enough people said
    so.

    Attributes:
        since: When the oldest request that stands was made, or else when the lead made it final.
    """

    report_id: str
    requests: tuple[Request, ...]
    final: bool
    final_by: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """Where a colleague says that a report can be had."""

    address: str
    author: str
    made: datetime


def append(con: Connection, step: Step, now: datetime) -> bool:
    """Write an act; False if this very one is known.

    Whoever writes it keeps what it moved in `standings`.
    """
    rows = con.execute(
        """INSERT INTO retrieval (id, review, record_id, act, author, note, tags, link, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            step.id,
            step.review,
            step.record_id,
            step.act,
            step.author,
            step.note,
            list(step.tags),
            step.link,
            now,
        ],
    ).fetchall()
    return bool(rows)


def known(con: Connection, id: str) -> bool:
    """Whether an act of this id was ever written."""
    return bool(con.execute("SELECT 1 FROM retrieval WHERE id = ?", [id]).fetchall())


def by_id(con: Connection, id: str) -> dict[str, Any] | None:
    """What the request of this id said, in the form of `decisions.by_id`.

    None where there is none.
    """
    if not kept_rows(con, "SELECT 1 FROM retrieval LIMIT 1"):
        return None
    rows = con.execute(
        "SELECT note, tags, record_id FROM retrieval WHERE id = ? AND act = 'asked'", [id]
    ).fetchall()
    if not rows:
        return None
    words = dict(zip(("note", "tags", "record_id"), rows[0], strict=True))
    return {"verdict": "not_retrieved", "reason": None, "stage": STAGE, **words}


def any_of(con: Connection, review: str) -> bool:
    """Whether anybody ever asked for a report of this review."""
    return bool(kept_rows(con, "SELECT 1 FROM retrieval WHERE review = ? LIMIT 1", [review]))


def on_report(con: Connection, review: str, report_id: str) -> Sought:
    """Who can't get this report, and whether a lead made that final."""
    if not any_of(con, review):
        return NOBODY_ASKED
    return standings.sought(con, [report_id]).get((review, report_id), NOBODY_ASKED)


def of_person(con: Connection, review: str, report_id: str, person: str) -> dict[str, Any] | None:
    """A person's request for a report in the form of `decisions.on_report`.

    None where they have none in force.
    """
    rows = con.execute(
        """SELECT id, record_id, note, tags FROM retrieval_request
        WHERE review = ? AND report_id = ? AND author = ?""",
        [review, report_id, person],
    ).fetchall()
    if not rows:
        return None
    names = ("id", "record_id", "note", "tags")
    request = dict(zip(names, rows[0], strict=True))
    return request | {"verdict": "not_retrieved", "reason": None, "stage": STAGE, "role": "vote"}


def history(con: Connection, review: str, person: str, limit: int) -> list[dict[str, Any]]:
    """A person's requests in force, newest first, in the form of `decisions.history`."""
    rows = con.execute(
        """SELECT record_id, report_id, note, tags, made FROM retrieval_request
        WHERE review = ? AND author = ? ORDER BY seq DESC LIMIT ?""",
        [review, person, limit],
    ).fetchall()
    same = {"stage": STAGE, "verdict": "not_retrieved", "reason": None, "role": "vote"}
    names = ("record_id", "report_id", "note", "tags", "made")
    return [same | dict(zip(names, row, strict=True)) for row in rows]


def listing(con: Connection, review: str, needed: int) -> list[Entry]:
    """The reports that somebody can't get and that still stand at full text, oldest first.

    Args:
        needed: How many people make it final (`screening.votes` of review.toml).
    """
    return listings(con, {review: needed})[review]


def listings(con: Connection, needed: Mapping[str, int]) -> dict[str, list[Entry]]:
    """`listing` of each of these reviews, by how many people make it final there."""
    rows = con.execute(
        "SELECT DISTINCT review FROM retrieval WHERE review IN (SELECT unnest(?::VARCHAR[]))",
        [list(needed)],
    ).fetchall()
    lists: dict[str, list[Entry]] = {review: [] for review in needed}
    if not rows:
        return lists
    asked = [row[0] for row in rows]
    requests = by_review(
        con,
        """SELECT r.review, r.report_id, r.author, r.note, r.made FROM retrieval_request r
        JOIN screening_state s ON s.review = r.review AND s.report_id = r.report_id
        WHERE r.review IN (SELECT unnest($reviews::VARCHAR[])) AND s.stage = $stage
            AND s.state IN ('open', 'half', 'not_retrieved')
            AND NOT EXISTS (SELECT 1 FROM current_decision d WHERE d.review = r.review AND d.stage = $stage
                AND d.role = 'vote' AND d.report_id = r.report_id AND d.reviewer = r.author)
        ORDER BY r.seq""",
        asked,
        stage=STAGE,
    )
    final = by_review(
        con,
        """SELECT f.review, f.report_id, f.author, f.made FROM retrieval_final f
        JOIN screening_state s ON s.review = f.review AND s.report_id = f.report_id
        WHERE f.review IN (SELECT unnest($reviews::VARCHAR[])) AND s.stage = $stage
            AND s.state = 'not_retrieved' ORDER BY f.made""",
        asked,
        stage=STAGE,
    )
    for review in asked:
        lists[review] = _entries(requests[review], final[review], needed[review])
    return lists


def _entries(requests: Sequence[Row], final: Sequence[Row], needed: int) -> list[Entry]:
    by_lead = {report: (author, made) for report, author, made in final}
    people: dict[str, list[Request]] = {}
    for report, *request in requests:
        people.setdefault(report, []).append(Request(*request))
    entries = []
    for report in {**people, **by_lead}:
        asked = tuple(people.get(report, ()))
        author, made = by_lead.get(report, (None, None))
        since = asked[0].made if asked else made
        assert since is not None
        entries.append(
            Entry(report, asked, author is not None or len(asked) >= needed, author, since)
        )
    return sorted(entries, key=lambda entry: (entry.since, entry.report_id))


def links(con: Connection, review: str, report_id: str) -> list[Link]:
    """Where colleagues say that a report can be had, oldest first."""
    where, values = standings.chosen(standings.members(con, [report_id]))
    rows = con.execute(
        f"""SELECT link, author, made FROM retrieval
        WHERE review = ? AND link IS NOT NULL AND record_id {where} ORDER BY seq""",  # noqa: S608
        [review, *values],
    ).fetchall()
    return [Link(*row) for row in rows]
