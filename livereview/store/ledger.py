"""The ledger of every search that was ever started, and the publications that complete runs must
return.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from livereview.store.open import Connection
from livereview.store.rows import by_review
from livereview.surveillance.health import Attempt

KEPT = 400  # attempts of each search, the newest, that its health is judged by


def attempts(con: Connection, review: str) -> dict[str, list[Attempt]]:
    """The last attempts of each search of a review, oldest first.

    Searches in the order of their first run.
    """
    return attempts_of(con, [review])[review]


def attempts_of(con: Connection, reviews: Sequence[str]) -> dict[str, dict[str, list[Attempt]]]:
    """`attempts` of each of these reviews."""
    result = con.execute(
        """WITH told AS (
            SELECT search, count(*) AS pages, sum(bytes)::BIGINT AS bytes, list(filled) AS filled, max(made) AS last_page,
                arg_max(quota, seq) FILTER (WHERE quota IS NOT NULL) AS quota,
                list_sort(list_distinct(list(note) FILTER (WHERE note IS NOT NULL))) AS notes
            FROM page GROUP BY search
        ), missed AS (SELECT search, list(publication ORDER BY publication) AS missing FROM canary WHERE NOT found GROUP BY search)
        SELECT a.review, a.name, a.source, coalesce(a.kind, 'search') AS kind, a.outcome, a.made AS started, a.window_start, a.window_end,
            a.query, a.filters, a.error, a.finished, a.found, a.fresh, a.changed, a.rejected, coalesce(t.pages, 0) AS pages,
            coalesce(t.bytes, 0) AS bytes, a.seconds, t.filled, t.quota, t.notes, m.missing, t.last_page
        FROM attempt a LEFT JOIN told t USING (search) LEFT JOIN missed m USING (search)
        ANTI JOIN taken_back b ON b.search = a.search
        WHERE a.review IN (SELECT unnest($reviews::VARCHAR[]))
        QUALIFY row_number() OVER (PARTITION BY a.review, a.name ORDER BY a.seq DESC) <= $kept ORDER BY a.seq""",
        {"reviews": list(reviews), "kept": KEPT},
    )
    columns = [column[0] for column in result.description]
    ledgers: dict[str, dict[str, list[Attempt]]] = {review: {} for review in reviews}
    for row in result.fetchall():
        named = dict(zip(columns, row, strict=True))
        of_review = ledgers[named.pop("review")]
        attempt = _attempt(named)
        of_review.setdefault(attempt.name, []).append(attempt)
    return ledgers


def _attempt(row: dict[str, Any]) -> Attempt:
    counted: Counter[str] = Counter()
    for page in row.pop("filled") or ():
        counted.update(json.loads(page or "{}"))
    notes, missing = (tuple(row.pop(name) or ()) for name in ("notes", "missing"))
    filters = tuple((name, value) for name, value in json.loads(row.pop("filters") or "[]"))
    return Attempt(**row, filters=filters, filled=dict(counted), notes=notes, missing=missing)


def learned(con: Connection, review: str, name: str, search: str) -> dict[str, bool]:
    """The included reports that searches of this name found before: by DOI, else title, and whether
    `search` did too.
    """
    rows = con.execute(
        """SELECT coalesce(min(c.doi), min(c.title), v.report_id), bool_or(h.search = ?)
        FROM included i JOIN review_record v ON v.review = i.review AND v.report_id = i.report_id
        JOIN standing_hit h ON h.review = v.review AND h.record_id = v.record_id
        JOIN search s ON s.search = h.search AND s.name = ?
        JOIN current_record c ON c.record_id = v.record_id
        WHERE i.review = ? GROUP BY v.report_id""",
        [search, name, review],
    ).fetchall()
    return dict(rows)


def returned(con: Connection, search: str, dois: tuple[str, ...]) -> dict[str, bool]:
    """Which of these DOIs a record that `search` returned has, or another record of its report."""
    rows = con.execute(
        """SELECT DISTINCT c.doi FROM standing_hit h
        LEFT JOIN report p ON p.record_id = h.record_id
        LEFT JOIN report o ON o.report_id = p.report_id
        JOIN current_record c ON c.record_id = coalesce(o.record_id, h.record_id)
        WHERE h.search = ? AND c.doi IN (SELECT unnest(?::VARCHAR[]))""",
        [search, list(dois)],
    ).fetchall()
    got = {row[0] for row in rows}
    return {doi: doi in got for doi in dois}


def save_canaries(
    con: Connection, search: str, canaries: Mapping[str, bool], now: datetime
) -> None:
    if canaries:
        con.execute(
            """INSERT INTO canary (search, publication, found, made)
            SELECT ?, unnest(?::VARCHAR[]), unnest(?::BOOLEAN[]), ?""",
            [search, list(canaries), list(canaries.values()), now],
        )


def found_by(con: Connection, review: str) -> list[frozenset[str]]:
    """For each included report, the names of the searches that found it."""
    return found_by_of(con, [review])[review]


def found_by_of(con: Connection, reviews: Sequence[str]) -> dict[str, list[frozenset[str]]]:
    """`found_by` of each of these reviews."""
    rows = by_review(
        con,
        """SELECT i.review, list(DISTINCT s.name) FROM included i
        JOIN review_record v ON v.review = i.review AND v.report_id = i.report_id
        JOIN standing_hit h ON h.review = v.review AND h.record_id = v.record_id JOIN search s ON s.search = h.search
        WHERE i.review IN (SELECT unnest($reviews::VARCHAR[])) AND h.times > 0 GROUP BY i.review, i.report_id""",
        reviews,
    )
    return {review: [frozenset(names) for (names,) in found] for review, found in rows.items()}
