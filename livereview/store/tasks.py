"""What waits for a person beside screening, reports opened again, and when known reports were
looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.rows import by_review, one_row
from livereview.surveillance.clock import TOLERANCE
from livereview.surveillance.lookups import Known


@dataclass(frozen=True, slots=True)
class Task:
    """One thing for a person to settle.

    `kind`: retracted, expression-of-concern, corrected or tip; `data` tells more.
    """

    id: str
    review: str
    record_id: str | None
    kind: str
    data: Mapping[str, Any]
    made: datetime | None = None
    report_id: str | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """A report that a retraction would matter to; `since` is when the review first found it."""

    report_id: str
    included: bool
    since: datetime
    known: Known


def append(con: Connection, tasks: Sequence[Task], now: datetime) -> int:
    """Raise the tasks that are not known yet; how many those are."""
    rows = [
        con.execute(
            """INSERT INTO task (id, review, record_id, kind, data, made) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING RETURNING id""",
            [
                task.id,
                task.review,
                task.record_id,
                task.kind,
                json.dumps(task.data, ensure_ascii=False),
                now,
            ],
        ).fetchall()
        for task in tasks
    ]
    return sum(map(len, rows))


def of(con: Connection, review: str) -> list[Task]:
    """The open tasks of a review, oldest first."""
    return of_each(con, [review])[review]


def of_each(con: Connection, reviews: Sequence[str]) -> dict[str, list[Task]]:
    """The open tasks of each of these reviews, oldest first."""
    rows = by_review(
        con,
        """SELECT review, id, record_id, kind, data, made, report_id FROM open_task
        WHERE review IN (SELECT unnest($reviews::VARCHAR[])) ORDER BY seq""",
        reviews,
    )
    return {review: [_task(review, *row) for row in found] for review, found in rows.items()}


def _task(
    review: str,
    id: str,
    record: str | None,
    kind: str,
    data: str,
    made: datetime,
    report: str | None,
) -> Task:
    return Task(id, review, record, kind, json.loads(data), made, report)


def end(
    con: Connection, task: str, outcome: str, author: str, note: str | None, now: datetime
) -> None:
    con.execute(
        """INSERT INTO task_end (task, outcome, author, note, made) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (task) DO NOTHING""",
        [task, outcome, author, note, now],
    )


def count_since(con: Connection, review: str, kind: str, since: datetime) -> int:
    """How many tasks of this kind were raised since then, settled or not."""
    row = one_row(
        con,
        "SELECT count(*) FROM task WHERE review = ? AND kind = ? AND made >= ?",
        [review, kind, since],
    )
    return int(row[0]) if row else 0


def count_held(con: Connection, review: str, since: datetime) -> int:
    """How many suggestions of readers were held back since then, settled or not."""
    row = one_row(
        con,
        """SELECT count(*) FROM task
        WHERE review = ? AND kind = 'tip' AND made >= ? AND data LIKE '%"held": "yes"%'""",
        [review, since],
    )
    return int(row[0]) if row else 0


def reopen(
    con: Connection,
    id: str,
    review: str,
    record: str,
    stage: str,
    author: str,
    cause: str,
    now: datetime,
) -> None:
    """Let decisions on this record's report at this stage count no more.

    The same id again changes nothing.
    """
    con.execute(
        """INSERT INTO reopening (id, review, record_id, stage, author, cause, made) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, record, stage, author, cause, now],
    )
    standings.refresh(con, [record])


def reopened(con: Connection, review: str, report_id: str, stage: str) -> str | None:
    """Why a report was opened again at this stage, if it was."""
    row = one_row(
        con,
        "SELECT cause FROM reopened WHERE review = ? AND report_id = ? AND stage = ?",
        [review, report_id, stage],
    )
    return str(row[0]) if row else None


def excluded_unread(con: Connection, record_ids: Iterable[str]) -> list[tuple[str, str, str]]:
    """(review, report, record) excluded on title and abstract when there was no abstract, though
    these records bring one.
    """
    rows = con.execute(
        """SELECT DISTINCT d.review, d.report_id, d.record_id, r.data FROM current_decision d
        JOIN record r ON r.record_id = d.record_id AND r.version = d.record_version
        JOIN review_record v ON v.review = d.review AND v.report_id = d.report_id
        WHERE d.stage = 'title_abstract' AND d.verdict = 'exclude' AND v.record_id IN (SELECT unnest(?::VARCHAR[]))""",
        [list(record_ids)],
    ).fetchall()
    return [
        (review, report, record)
        for review, report, record, data in rows
        if not json.loads(data).get("abstract")
    ]


def watched(con: Connection, review: str) -> list[Watched]:
    """The included and queued reports of a review, included ones first."""
    rows = con.execute(
        """SELECT w.report_id, bool_or(w.included), min(v.made), arg_min(c.record_id, v.seq), min(c.doi), min(c.pmid),
            bool_or(json_extract_string(c.data, '$.abstract') IS NOT NULL), bool_or(w.sought)
        FROM watched w JOIN review_record v ON v.review = w.review AND v.report_id = w.report_id
        JOIN current_record c ON c.record_id = v.record_id WHERE w.review = ?
        GROUP BY w.report_id ORDER BY bool_or(w.included) DESC, min(v.seq)""",
        [review],
    ).fetchall()
    return [Watched(report, included, since, Known(*row)) for report, included, since, *row in rows]


@dataclass(frozen=True, slots=True)
class Checked:
    """An included report, and when a source was last asked about it.

    Attributes:
        since: When the review first found it.
        reachable: Whether it has a DOI or PMID, so that a source can be asked about it.
        last: When a source last answered; None: never.
    """

    since: datetime
    reachable: bool
    last: datetime | None


def included(con: Connection, reviews: Sequence[str], now: datetime) -> dict[str, list[Checked]]:
    """The included reports of each of these reviews.

    A look-up whose clock was ahead does not count.
    """
    rows = by_review(
        con,
        """WITH chosen AS (SELECT i.review, i.report_id FROM included i
            WHERE i.review IN (SELECT unnest($reviews::VARCHAR[]))),
        reports AS (SELECT v.review, v.report_id, min(v.made) AS since,
                bool_or(c.doi IS NOT NULL OR c.pmid IS NOT NULL) AS reachable
            FROM chosen JOIN review_record v ON v.review = chosen.review AND v.report_id = chosen.report_id
            JOIN current_record c ON c.record_id = v.record_id GROUP BY v.review, v.report_id),
        checks AS (SELECT c.review, coalesce(p.report_id, c.record_id) AS report_id, max(c.made) AS last
            FROM checked c LEFT JOIN report p ON p.record_id = c.record_id
            WHERE c.review IN (SELECT unnest($reviews::VARCHAR[])) AND c.made <= $latest
            GROUP BY c.review, coalesce(p.report_id, c.record_id))
        SELECT r.review, r.since, r.reachable, k.last FROM reports r
        LEFT JOIN checks k ON k.review = r.review AND k.report_id = r.report_id""",
        reviews,
        latest=now + TOLERANCE,
    )
    return {review: [Checked(*row) for row in found] for review, found in rows.items()}


def is_watched(con: Connection, record_ids: Iterable[str]) -> list[tuple[str, str, bool]]:
    """(review, report, included) of the watched reports that these records belong to."""
    return con.execute(
        """SELECT DISTINCT w.review, w.report_id, w.included FROM watched w
        JOIN review_record v ON v.review = w.review AND v.report_id = w.report_id
        WHERE v.record_id IN (SELECT unnest(?::VARCHAR[]))""",
        [list(record_ids)],
    ).fetchall()


def last_checks(con: Connection, review: str, now: datetime) -> dict[tuple[str, str], datetime]:
    """When each report was last looked up, by (report, source).

    A look-up whose clock was ahead does not count.
    """
    rows = con.execute(
        """SELECT coalesce(p.report_id, c.record_id) AS report_id, c.source, max(c.made)
        FROM checked c LEFT JOIN report p ON p.record_id = c.record_id
        WHERE c.review = ? AND c.made <= ? GROUP BY ALL""",
        [review, now + TOLERANCE],
    ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


def save_checked(
    con: Connection, review: str, source: str, record_ids: Sequence[str], now: datetime
) -> None:
    con.execute(
        "INSERT INTO checked (review, record_id, source, made) SELECT ?, unnest(?::VARCHAR[]), ?, ?",
        [review, list(record_ids), source, now],
    )


def kinds(con: Connection, review: str, report_id: str) -> set[str]:
    """The kinds of task that were ever raised for this report."""
    rows = con.execute(
        """SELECT DISTINCT t.kind FROM task t LEFT JOIN report p ON p.record_id = t.record_id
        WHERE t.review = ? AND coalesce(p.report_id, t.record_id) = ?""",
        [review, report_id],
    ).fetchall()
    return {row[0] for row in rows}
