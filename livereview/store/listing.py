"""What the table of records shows of each report and searches in, kept beside the events.

Derived from records, hits and reports alone: nothing of it depends on anybody's decision. Folding
and merging a hundred thousand texts takes seconds, so it is done when a record comes, not when
somebody searches.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from livereview.records import Record, from_json
from livereview.screening.find import padded
from livereview.store import standings
from livereview.store.rows import one_row

if TYPE_CHECKING:
    from livereview.store.open import Connection

AT_ONCE = 2_000  # reports whose texts are in memory together

_INSERT = """
    INSERT INTO listing (
        review, report_id, title, authors, journal, year, type, language, doi, retraction, sources,
        searches, records, has_abstract, found, w_title, w_authors, w_journal, w_ids, w_text,
        abstract_at
    )
    SELECT
        unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[][]),
        unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
        unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[][]), unnest(?::VARCHAR[][]),
        unnest(?::INTEGER[]), unnest(?::BOOLEAN[]), unnest(?::TIMESTAMPTZ[]), unnest(?::VARCHAR[]),
        unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
        unnest(?::INTEGER[])
"""


def refresh(con: Connection, record_ids: Iterable[str]) -> None:
    """Derive again what is shown of the reports of these records, in every review.

    Where records change their report, `record_ids` must hold all records of the reports that they
    leave, as for `standings.refresh`.
    """
    ids = set(record_ids)
    if not ids:
        return
    where, values = standings.chosen(ids)
    rows = con.execute(
        f"SELECT DISTINCT report_id FROM report WHERE record_id {where}",  # noqa: S608
        values,
    ).fetchall()
    ids.update(standings.members(con, ids | {row[0] for row in rows}))
    where, values = standings.chosen(ids)
    con.execute(f"DELETE FROM listing WHERE report_id {where}", values)  # noqa: S608
    _derive(con, ids)


def refresh_all(con: Connection) -> None:
    """Derive everything again."""
    con.execute("DELETE FROM listing")
    reports = con.execute(
        """SELECT DISTINCT coalesce(p.report_id, h.record_id) FROM standing_hit h
        LEFT JOIN report p ON p.record_id = h.record_id"""
    ).fetchall()
    ids = sorted(row[0] for row in reports)
    for start in range(0, len(ids), AT_ONCE):
        _derive(con, standings.members(con, ids[start : start + AT_ONCE]))


def fill(con: Connection) -> None:
    """Derive everything if nothing is there yet: in a database that is older than the table."""
    empty = one_row(con, "SELECT EXISTS (SELECT 1 FROM hit) AND NOT EXISTS (SELECT 1 FROM listing)")
    if empty and empty[0]:
        refresh_all(con)


def _derive(con: Connection, ids: Collection[str]) -> None:
    """Write the rows of the reports to which these records belong; all their records are there."""
    where, values = standings.chosen(ids)
    hits = con.execute(
        f"""SELECT h.review, coalesce(p.report_id, h.record_id), h.record_id, min(h.seq),
            min(h.made) FILTER (WHERE h.times > 0), list(DISTINCT s.name) FILTER (WHERE h.times > 0)
        FROM standing_hit h JOIN search s USING (search) LEFT JOIN report p ON p.record_id = h.record_id
        WHERE h.record_id {where} GROUP BY ALL ORDER BY min(h.seq), h.record_id""",  # noqa: S608
        values,
    ).fetchall()
    texts = _current(con, {record for _, _, record, *_ in hits})
    reports: dict[tuple[str, str], list[tuple[Record, datetime | None, list[str]]]] = {}
    for review, report, record, _, made, searches in hits:
        if record in texts:
            row = (texts[record], made, searches or [])
            reports.setdefault((review, report), []).append(row)
    rows = [row for key, some in reports.items() for row in _row(*key, some)]
    if rows:
        con.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])


def _current(con: Connection, ids: Collection[str]) -> dict[str, Record]:
    if not ids:
        return {}
    where, values = standings.chosen(ids)
    rows = con.execute(
        f"SELECT record_id, arg_max(data, version) FROM record WHERE record_id {where} GROUP BY ALL",  # noqa: S608
        values,
    ).fetchall()
    return {record_id: from_json(json.loads(data)) for record_id, data in rows}


def _row(
    review: str, report: str, some: Sequence[tuple[Record, datetime | None, list[str]]]
) -> Iterator[tuple[Any, ...]]:
    """The row of a report; none where only look-ups know it in this review."""
    from livereview.store.records import merged  # which tells this module what changed

    found = [made for _, made, _ in some if made is not None]
    if not found:
        return
    members = [record for record, _, _ in some]
    shown, _ = merged(members)
    title = _words(record.title for record in members)
    authors = _words("; ".join(record.authors) for record in members)
    journal = _words(record.container_title for record in members)
    identifiers = _identifiers(report, members)
    before = title + authors + journal + identifiers
    yield (
        review,
        report,
        shown.title,
        list(shown.authors),
        shown.container_title,
        shown.year,
        shown.type,
        shown.language,
        shown.doi,
        shown.retraction,
        sorted({record.source for record in members}),
        sorted({name for _, _, searches in some for name in searches}),
        len(members),
        shown.abstract is not None,
        min(found),
        title,
        authors,
        journal,
        identifiers,
        before + padded(shown.abstract),
        len(before) + 1,
    )


def _words(texts: Iterable[str | None]) -> str:
    """All that the records say, each wording once."""
    return "".join(dict.fromkeys(padded(text) for text in texts))


def _identifiers(report: str, members: Sequence[Record]) -> str:
    names = [report]
    for record in members:
        names += [record.record_id, record.source_key]
        given = (record.doi, record.pmid, record.pmcid, record.isbn, record.issn)
        names += [name for name in given if name]
    return _words(names)
