"""Records, their versions, and the hits that say which review's search found them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from livereview.records import Record, fingerprint, from_json, to_json
from livereview.store import standings
from livereview.store.open import Connection
from livereview.store.rows import Row, any_row, kept_rows

# What one record of a report may lend another; not what tells two editions apart.
FILLED = ("abstract", "doi", "pmid", "pmcid", "url", "language", "year", "container_title")
ALIKE = 0.8  # likeness of two titles (Jaro-Winkler) below which naming one would only mislead
RETRACTIONS = ("retracted", "expression-of-concern", "corrected")  # the gravest first


@dataclass(frozen=True, slots=True)
class Known:
    """The latest stored version of a record: its number, and the fingerprint of what it says."""

    version: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class News:
    """What a page's records are to the store: first seen, changed since, or the same.

    Each record_id once.
    """

    fresh: tuple[Record, ...]
    changed: tuple[Record, ...]
    same: tuple[Record, ...]


def known(con: Connection, record_ids: Iterable[str]) -> dict[str, Known]:
    """What is stored of these records; those never seen are left out."""
    where, values = standings.chosen(set(record_ids))
    rows = con.execute(
        f"""SELECT record_id, max(version), arg_max(fingerprint, version) FROM record
        WHERE record_id {where} GROUP BY record_id""",  # noqa: S608
        values,
    ).fetchall()
    return {key: Known(version, seen) for key, version, seen in rows}


def sort_news(records: Sequence[Record], known: Mapping[str, Known]) -> News:
    """Compare the records with what is known.

    Of two records with one id in a page the later one counts.
    """
    latest = {record.record_id: record for record in records}
    seen = {key: record for key, record in latest.items() if key in known}
    changed = {
        key: record for key, record in seen.items() if fingerprint(record) != known[key].fingerprint
    }
    return News(
        fresh=tuple(record for key, record in latest.items() if key not in seen),
        changed=tuple(changed.values()),
        same=tuple(record for key, record in seen.items() if key not in changed),
    )


def append(
    con: Connection,
    records: Sequence[Record],
    sha256: str,
    now: datetime,
    before: Mapping[str, Known] | None = None,
) -> dict[str, Known]:
    """A new version of each record, numbered after the last that is known; what is known then.

    Args:
        before: What is known of these records and perhaps of others; None: it is looked up.
    """
    if before is None:
        before = known(con, [record.record_id for record in records])
    if not records:
        return dict(before)
    added = {record.record_id: _next(record, before) for record in records}
    rows = [_row(record, added[record.record_id]) for record in records]
    con.execute(
        """INSERT INTO record (
            record_id, version, fingerprint, source, source_key, title, doi, pmid, data, sha256, made
        )
        SELECT unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::VARCHAR[]),
            unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
            unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?, ?""",
        [*(list(column) for column in zip(*rows, strict=True)), sha256, now],
    )
    return {**before, **added}


def _next(record: Record, known: Mapping[str, Known]) -> Known:
    before = known.get(record.record_id)
    return Known(before.version + 1 if before else 1, fingerprint(record))


def _row(record: Record, made: Known) -> tuple[str | int | None, ...]:
    return (
        record.record_id,
        made.version,
        made.fingerprint,
        record.source,
        record.source_key,
        record.title,
        record.doi,
        record.pmid,
        json.dumps(to_json(record), ensure_ascii=False),
    )


def add_hits(
    con: Connection, review: str, search: str, times: Mapping[str, int], now: datetime
) -> None:
    """Write that this search of this review returned these records, so many times each in this
    page.

    Where their reports stand is then to be derived again.
    """
    con.execute(
        """INSERT INTO hit (review, record_id, search, times, made)
        SELECT ?, unnest(?::VARCHAR[]), ?, unnest(?::INTEGER[]), ? ON CONFLICT (review, record_id, search) DO NOTHING""",
        [review, list(times), search, list(times.values()), now],
    )


def current(con: Connection, record_ids: Iterable[str]) -> dict[str, Record]:
    """The latest version of each of these records."""
    ids = list(record_ids)
    if not ids:
        return {}
    rows = _versions(con, ids)
    latest = {key: data for key, _, data in sorted(rows, key=lambda row: row[1])}
    return {key: from_json(json.loads(data)) for key, data in latest.items()}


def _versions(con: Connection, record_ids: Sequence[str]) -> list[Row]:
    """(record, version, data) of every version of these records."""
    where, values = standings.chosen(record_ids)
    return kept_rows(
        con,
        f"SELECT record_id, version, data FROM record WHERE record_id {where}",  # noqa: S608
        values,
    )


def ids(con: Connection) -> list[str]:
    """Every record's id."""
    return [
        row[0]
        for row in con.execute(
            "SELECT DISTINCT record_id FROM record ORDER BY record_id"
        ).fetchall()
    ]


def every(con: Connection) -> dict[str, Record]:
    """The latest version of every record."""
    rows = con.execute("SELECT record_id, data FROM current_record ORDER BY record_id").fetchall()
    return {key: from_json(json.loads(data)) for key, data in rows}


def version(con: Connection, record_id: str) -> int | None:
    """The number of its latest version; None where there is no such record.

    Who asks has mostly just read the record: then that answer is kept.
    """
    rows = _versions(con, [record_id])
    return max((row[1] for row in rows), default=None)


def versions(con: Connection, record_ids: Sequence[str]) -> dict[str, int]:
    """The number of the latest version of each of these records."""
    latest: dict[str, int] = {}
    for record_id, number, *_ in _versions(con, record_ids):
        latest[record_id] = max(number, latest.get(record_id, number))
    return latest


def in_review(con: Connection, review: str, record_id: str) -> bool:
    """Whether the review has this record. Asked with each decision, so what was taken back is looked
    at only where anything was.
    """
    were_taken_back = kept_rows(con, "SELECT 1 FROM import_back WHERE review = ? LIMIT 1", [review])
    if not were_taken_back:
        return bool(
            kept_rows(
                con,
                "SELECT 1 FROM hit WHERE review = ? AND record_id = ? LIMIT 1",
                [review, record_id],
            )
        )
    return any_row(
        con,
        "SELECT 1 FROM standing_hit WHERE review = ? AND record_id = ? LIMIT 1",
        [review, record_id],
    )


def of_review(con: Connection, review: str, record_ids: Sequence[str]) -> list[str]:
    """Those of these records that the review found, in the order given."""
    rows = con.execute(
        """SELECT DISTINCT record_id FROM standing_hit
        WHERE review = ? AND record_id IN (SELECT unnest(?::VARCHAR[]))""",
        [review, list(record_ids)],
    ).fetchall()
    there = {row[0] for row in rows}
    return [record for record in record_ids if record in there]


def find(
    con: Connection, review: str, doi: str | None, pmid: str | None, title: str | None
) -> list[str]:
    """Records of the review with this DOI, PMID or title (letters and digits compared), oldest
    first.
    """
    rows = con.execute(
        """SELECT r.record_id FROM current_record r JOIN review_record v ON v.record_id = r.record_id AND v.review = ?
        WHERE r.doi = ? OR r.pmid = ? OR (? <> '' AND regexp_replace(lower(r.title), '[^\\p{L}\\p{N}]', '', 'g') = ?)
        ORDER BY v.seq""",
        [review, doi, pmid, letters(title), letters(title)],
    ).fetchall()
    return [row[0] for row in rows]


def nearest(con: Connection, review: str, title: str) -> tuple[str, str] | None:
    """The id and title of the record of a review whose title is most like this one.

    None where none is at all like it.
    """
    rows = con.execute(
        """SELECT r.record_id, r.title, jaro_winkler_similarity(lower(r.title), ?) AS likeness
        FROM current_record r JOIN review_record v ON v.record_id = r.record_id AND v.review = ?
        WHERE r.title IS NOT NULL ORDER BY likeness DESC, r.record_id LIMIT 1""",
        [title.lower(), review],
    ).fetchall()
    if not rows or rows[0][2] < ALIKE:
        return None
    return rows[0][0], rows[0][1]


def titled(con: Connection, source: str, titles: Iterable[str]) -> list[Record]:
    """The latest versions of a source's records with one of these titles, letters and digits
    compared, oldest first.
    """
    wanted = sorted({key for title in titles if (key := letters(title))})
    rows = con.execute(
        """SELECT data FROM current_record WHERE source = ?
        AND regexp_replace(lower(title), '[^\\p{L}\\p{N}]', '', 'g') IN (SELECT unnest(?::VARCHAR[])) ORDER BY seq""",
        [source, wanted],
    ).fetchall()
    return [from_json(json.loads(data)) for (data,) in rows]


def letters(title: str | None) -> str:
    """A title's letters and digits in small letters, by which two ways of writing it are equal."""
    return "".join(c for c in (title or "").lower() if c.isalnum())


def reports(con: Connection, review: str, report_ids: Iterable[str]) -> dict[str, list[Record]]:
    """The records of each of these reports that the review found, oldest first."""
    where, values = standings.chosen(standings.members(con, list(report_ids)))
    rows = kept_rows(
        con,
        f"SELECT record_id, seq FROM standing_hit WHERE review = ? AND record_id {where}",  # noqa: S608
        [review, *values],
    )
    first = {key: (seq, key) for key, seq in sorted(rows, key=lambda row: row[1], reverse=True)}
    known, report = current(con, first), report_of(con, first)
    found: dict[str, list[Record]] = {}
    for key in sorted(first, key=first.__getitem__):
        found.setdefault(report.get(key, key), []).append(known[key])
    return found


def merged(records: Sequence[Record]) -> tuple[Record, dict[str, str]]:
    """What is known of a report: its fullest record with the fields it lacks from the others, and
    the gravest state of retraction any of them tells; with it, which source each such field is
    from.
    """
    base = fullest(records)
    others = sorted(
        (record for record in records if record is not base),
        key=lambda r: (r.abstract is None, r.source),
    )
    taken: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for name in FILLED:
        if getattr(base, name) is None and (
            giver := next((r for r in others if getattr(r, name)), None)
        ):
            taken[name], origin[name] = getattr(giver, name), giver.source
    states = {record.retraction: record.source for record in (*others, base)}
    worst = next((state for state in RETRACTIONS if state in states), None)
    if worst and worst != base.retraction:
        taken["retraction"], origin["retraction"] = worst, states[worst]
    return replace(base, **taken), origin


def fullest(records: Sequence[Record]) -> Record:
    """The record of a report to show: most fields known, an abstract first.

    The oldest among equals.
    """
    return max(
        records,
        key=lambda r: (r.abstract is not None, sum(1 for value in to_json(r).values() if value)),
    )


def report_of(con: Connection, record_ids: Iterable[str]) -> Mapping[str, str]:
    """The report each record belongs to, where it was joined with others or belongs to its own."""
    where, values = standings.chosen(list(record_ids))
    rows = kept_rows(
        con,
        f"SELECT record_id, report_id FROM report WHERE record_id {where}",  # noqa: S608
        values,
    )
    return dict(rows)


def report_of_each(con: Connection, record_ids: Iterable[str]) -> dict[str, str]:
    """The report of each of these records, in their order; a record alone is its own report."""
    ids = list(record_ids)
    joined = report_of(con, ids)
    return {record: joined.get(record, record) for record in ids}


def of_one_report_each(con: Connection, record_ids: Iterable[str]) -> dict[str, str]:
    """One record for each report that these belong to, by report: the last of its records."""
    return {report: record for record, report in report_of_each(con, record_ids).items()}


def openalex_ids(con: Connection, review: str) -> tuple[list[str], int]:
    """The OpenAlex ids of the included reports, in the order they were found, and how many reports
    have none.
    """
    rows = con.execute(
        """SELECT min(c.source_key) FILTER (WHERE c.source = 'openalex') FROM included i
        JOIN review_record v ON v.review = i.review AND v.report_id = i.report_id
        JOIN current_record c ON c.record_id = v.record_id WHERE i.review = ? GROUP BY i.report_id ORDER BY min(v.seq)""",
        [review],
    ).fetchall()
    return [key for (key,) in rows if key], sum(1 for (key,) in rows if not key)


def reviews_of(con: Connection, record_ids: Iterable[str]) -> list[str]:
    """The reviews that found any of these records."""
    rows = con.execute(
        "SELECT DISTINCT review FROM standing_hit WHERE record_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY review",
        [list(record_ids)],
    ).fetchall()
    return [row[0] for row in rows]
