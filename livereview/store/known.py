"""Which of these publications a review has already, whatever source they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a record is recognised: its own id, or that of its publication."""

    record_id: str
    doi: str | None
    pmid: str | None


def records_of(con: Connection, review: str, wanted: Sequence[Identity]) -> dict[str, str]:
    """The record of the review that is the same publication, by the id that was asked for."""
    rows = con.execute(
        """WITH wanted AS (
            SELECT unnest($ids::VARCHAR[]) AS id, unnest($dois::VARCHAR[]) AS doi,
                unnest($pmids::VARCHAR[]) AS pmid
        ), own AS (
            SELECT c.record_id, c.doi, c.pmid FROM review_record r
            JOIN current_record c USING (record_id) WHERE r.review = $review
        )
        SELECT id, min(record_id) FROM (
            SELECT w.id, o.record_id FROM wanted w JOIN own o ON o.record_id = w.id
            UNION ALL SELECT w.id, o.record_id FROM wanted w JOIN own o ON o.doi = w.doi
            UNION ALL SELECT w.id, o.record_id FROM wanted w JOIN own o ON o.pmid = w.pmid
        ) GROUP BY id""",
        {
            "review": review,
            "ids": [identity.record_id for identity in wanted],
            "dois": [identity.doi for identity in wanted],
            "pmids": [identity.pmid for identity in wanted],
        },
    ).fetchall()
    return dict(rows)


def included_without(
    con: Connection, review: str, seen: Sequence[str], most: int
) -> tuple[int, int, list[tuple[str, str]]]:
    """(included reports, how many of them have none of the records `seen`, the first of these).

    Each of the first `most` as (record, title).
    """
    rows = con.execute(
        """SELECT i.report_id, min(c.record_id), min(c.title), bool_or(v.record_id IN
            (SELECT unnest($seen::VARCHAR[]))) AS found
        FROM included i JOIN review_record v ON v.review = i.review AND v.report_id = i.report_id
        JOIN current_record c ON c.record_id = v.record_id WHERE i.review = $review
        GROUP BY i.report_id ORDER BY 3, 1""",
        {"review": review, "seen": list(seen)},
    ).fetchall()
    missed = [(record, title or "Untitled report") for _, record, title, found in rows if not found]
    return len(rows), len(missed), missed[:most]
