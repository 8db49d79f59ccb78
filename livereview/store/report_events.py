"""Everything that happened to one report in a review, as it was written down, and the versions of
its records.

Decisions are told by whom they may be told to: who calls says which.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from livereview.records import Record, from_json
from livereview.store import standings
from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Version:
    """What one source said of the publication from this moment on."""

    record_id: str
    number: int
    record: Record
    made: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: found, changed, pair, decision, taken_back, reopened, full_text, retrieval, study,
        tagged, untagged, task or settled.
        author: Who did it; None: a rule or a search.
        about: What it is about, by its kind: the search, the verdict, the file, the tag …
        detail: More of it: the source, the reason, the cause.
    """

    made: datetime
    seq: int
    kind: str
    author: str | None
    about: str
    detail: str | None = None


def versions(con: Connection, record_ids: Collection[str]) -> dict[str, list[Version]]:
    """The versions of these records, oldest first, by record."""
    where, values = standings.chosen(record_ids)
    rows = con.execute(
        f"""SELECT record_id, version, data, made FROM record
        WHERE record_id {where} ORDER BY record_id, version""",  # noqa: S608
        values,
    ).fetchall()
    found: dict[str, list[Version]] = {}
    for record_id, number, data, made in rows:
        version = Version(record_id, number, from_json(json.loads(data)), made)
        found.setdefault(record_id, []).append(version)
    return found


_EVENTS = """
    SELECT min(h.made), min(h.seq), 'found', NULL, s.name, s.source FROM standing_hit h JOIN search s USING (search)
        WHERE h.review = $review AND h.times > 0 AND h.record_id IN (SELECT unnest($records::VARCHAR[]))
        GROUP BY h.record_id, s.name, s.source
    UNION ALL SELECT made, seq, 'changed', NULL, version::VARCHAR, source FROM record
        WHERE version > 1 AND record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT made, seq, 'pair', author, verdict,
            CASE WHEN list_contains($records::VARCHAR[], left_id) THEN right_id ELSE left_id END FROM match
        WHERE author <> 'rule' AND (left_id IN (SELECT unnest($records::VARCHAR[]))
            OR right_id IN (SELECT unnest($records::VARCHAR[])))
    UNION ALL SELECT made, seq, 'reopened', author, stage, cause FROM reopening
        WHERE review = $review AND record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT made, seq, 'full_text', author, name, sha256 FROM full_text
        WHERE review = $review AND record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT DISTINCT w.made, w.seq, 'file_' || w.state, w.author, f.name, w.reason FROM full_text_word w
        JOIN full_text f ON f.review = w.review AND f.sha256 = w.sha256
        WHERE f.review = $review AND f.record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT made, seq, 'retrieval', author, act, coalesce(link, note) FROM retrieval
        WHERE review = $review AND record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT made, seq, 'study', author, study, NULL FROM study
        WHERE review = $review AND record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT g.made, g.seq, CASE WHEN g.puts THEN 'tagged' ELSE 'untagged' END, g.author, t.name, NULL FROM tagging g
        JOIN current_tag t ON t.review = g.review AND t.tag = g.tag
        WHERE g.review = $review AND g.record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT made, seq, 'task', NULL, kind, NULL FROM task
        WHERE review = $review AND record_id IN (SELECT unnest($records::VARCHAR[]))
    UNION ALL SELECT e.made, e.seq, 'settled', e.author, t.kind, e.outcome FROM task_end e JOIN task t ON t.id = e.task
        WHERE t.review = $review AND t.record_id IN (SELECT unnest($records::VARCHAR[]))"""


def events(con: Connection, review: str, record_ids: Collection[str]) -> list[Event]:
    """What happened to the report that these records are, apart from decisions; newest first."""
    rows = con.execute(_EVENTS, {"review": review, "records": list(record_ids)}).fetchall()
    return sorted((Event(*row) for row in rows), key=lambda event: event.seq, reverse=True)


def decisions(con: Connection, review: str, record_ids: Collection[str]) -> list[dict[str, object]]:
    """Every decision on the report that these records are, in force or not, newest first."""
    where, values = standings.chosen(record_ids)
    rows = con.execute(
        f"""SELECT id, stage, reviewer, role, verdict, reason, note, made, seq FROM decision
        WHERE review = ? AND record_id {where} ORDER BY seq DESC""",  # noqa: S608
        [review, *values],
    ).fetchall()
    names = ("id", "stage", "reviewer", "role", "verdict", "reason", "note", "made", "seq")
    return [dict(zip(names, row, strict=True)) for row in rows]


def doubted(con: Connection, review: str, record_ids: Collection[str]) -> int:
    """How many doubtful pairs of these records wait for a person."""
    rows = con.execute(
        """SELECT count(*) FROM doubtful WHERE review = $review
        AND (list_contains($records::VARCHAR[], left_id) OR list_contains($records::VARCHAR[], right_id))""",
        {"review": review, "records": list(record_ids)},
    ).fetchall()
    return int(rows[0][0])
