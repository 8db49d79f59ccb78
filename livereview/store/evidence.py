"""Studies, and what was extracted from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.evidence import certainty
from livereview.evidence.certainty import Rating
from livereview.store.open import Connection
from livereview.store.rows import by_review, read_as


def link(
    con: Connection,
    review: str,
    study: str,
    links: Sequence[tuple[str, str]],
    author: str,
    now: datetime,
) -> None:
    """Put records into a study: (id of the event, record_id) each."""
    if not links:
        return
    con.execute(
        """INSERT INTO study (id, review, study, record_id, author, made)
        SELECT unnest(?::VARCHAR[]), ?, ?, unnest(?::VARCHAR[]), ?, ? ON CONFLICT (id) DO NOTHING""",
        [[key for key, _ in links], review, study, [record for _, record in links], author, now],
    )


def links(con: Connection, review: str, record_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(study, id of the event) that holds for each of these records that was ever put into one; "":
    in none.
    """
    rows = con.execute(
        """SELECT record_id, arg_max(study, seq), arg_max(id, seq) FROM study
        WHERE review = ? AND record_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY record_id ORDER BY record_id""",
        [review, list(record_ids)],
    ).fetchall()
    return {record: (study, id) for record, study, id in rows}


def append(
    con: Connection,
    id: str,
    review: str,
    study: str,
    form_version: str,
    extractor: str,
    data: str,
    now: datetime,
    role: str = "single",
) -> bool:
    """Write an extraction (JSON text), one person's or a consensus.

    False if this very one is known already.
    """
    rows = con.execute(
        """INSERT INTO extraction (id, review, study, form_version, extractor, data, made, role)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [id, review, study, form_version, extractor, data, now, role],
    ).fetchall()
    return bool(rows)


def said(
    con: Connection, review: str, study: str, role: str | None, extractor: str | None
) -> list[tuple[str, str]]:
    """(extractor, JSON text) of each extraction of a study, oldest first.

    None: of every role, of everybody.
    """
    return con.execute(
        """SELECT extractor, data FROM extraction WHERE review = $review AND study = $study
            AND ($role IS NULL OR coalesce(role, 'consensus') = $role)
            AND ($extractor IS NULL OR extractor = $extractor) ORDER BY seq""",
        {"review": review, "study": study, "role": role, "extractor": extractor},
    ).fetchall()


def singles(con: Connection, review: str) -> dict[str, dict[str, str]]:
    """Each person's last extraction of each study, as JSON text, by study and person."""
    rows = con.execute(
        """SELECT study, extractor, arg_max(data, seq) FROM extraction WHERE review = ? AND role = 'single'
        GROUP BY study, extractor ORDER BY study, extractor""",
        [review],
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for study, extractor, data in rows:
        found.setdefault(study, {})[extractor] = data
    return found


@dataclass(frozen=True, slots=True)
class GivenExtraction:
    """That somebody extracted a study.

    Attributes:
        role: single, or consensus of two people.
        form_version: Of the form that was filled in.
    """

    extractor: str
    role: str
    form_version: str
    made: datetime


def history(con: Connection, review: str, study: str) -> list[GivenExtraction]:
    """Each extraction of a study, newest first."""
    return read_as(
        con,
        GivenExtraction,
        """SELECT extractor, coalesce(role, 'consensus') AS role, form_version, made
        FROM extraction WHERE review = ? AND study = ? ORDER BY seq DESC""",
        [review, study],
    )


def extractions(con: Connection, review: str) -> dict[str, str]:
    """The extraction in force of each study, as JSON text."""
    return extractions_of(con, [review])[review]


def extractions_of(con: Connection, reviews: Sequence[str]) -> dict[str, dict[str, str]]:
    """`extractions` of each of these reviews."""
    rows = by_review(
        con,
        """SELECT review, study, data FROM current_extraction
        WHERE review IN (SELECT unnest($reviews::VARCHAR[])) ORDER BY study""",
        reviews,
    )
    return {review: dict(found) for review, found in rows.items()}


def reports_of(con: Connection, review: str) -> dict[str, list[str]]:
    """The included reports of each study."""
    rows = con.execute(
        """SELECT s.study, s.report_id FROM current_study s JOIN included i USING (review, report_id)
        WHERE review = ? ORDER BY s.study, s.report_id""",
        [review],
    ).fetchall()
    found: dict[str, list[str]] = {}
    for study, report in rows:
        found.setdefault(study, []).append(report)
    return found


def to_extract(con: Connection, review: str) -> list[str]:
    """Included reports that belong to no study yet."""
    rows = con.execute(
        "SELECT report_id FROM to_extract WHERE review = ? ORDER BY report_id", [review]
    ).fetchall()
    return [row[0] for row in rows]


def to_extract_counts(con: Connection, reviews: Sequence[str]) -> dict[str, int]:
    """How many included reports belong to no study yet, in each of these reviews."""
    rows = by_review(
        con,
        """SELECT review, count(*) FROM to_extract
        WHERE review IN (SELECT unnest($reviews::VARCHAR[])) GROUP BY review""",
        reviews,
    )
    return {review: found[0][0] if found else 0 for review, found in rows.items()}


def rate(con: Connection, id: str, review: str, rating: Rating, author: str, now: datetime) -> bool:
    """Write a rating; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO rating (id, review, kind, subject, data, author, made) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            id,
            review,
            rating.kind,
            rating.subject,
            rating_text(rating),
            author,
            now,
        ],
    ).fetchall()
    return bool(rows)


def rating_text(rating: Rating) -> str:
    """A rating as it is kept."""
    return json.dumps(certainty.to_json(rating), ensure_ascii=False, sort_keys=True)


def rated(con: Connection, review: str, rating: Rating) -> list[tuple[str, str]]:
    """(author, JSON text) of each rating of the same finding, oldest first."""
    return con.execute(
        "SELECT author, data FROM rating WHERE review = ? AND kind = ? AND subject = ? ORDER BY seq",
        [review, rating.kind, rating.subject],
    ).fetchall()


def ratings(con: Connection, review: str) -> list[Rating]:
    """The last rating of each subject, by kind and subject."""
    rows = con.execute(
        """SELECT arg_max(data, seq) FROM rating WHERE review = ? GROUP BY kind, subject ORDER BY kind, subject""",
        [review],
    ).fetchall()
    return [certainty.known(json.loads(row[0])) for row in rows]
