"""Which full texts were added to which reports. The files are `ops.full_text`'s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import one_row

KINDS = {
    "article": "Article",
    "supplement": "Supplement",
    "correction": "Correction",
    "translation": "Translation",
    "other": "Other",
}
STATES = ("used", "replaced", "removed")


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said of a file: one of KINDS, one of STATES, and what replaces it or why it is
    removed.
    """

    kind: str
    state: str
    replaced_by: str | None
    reason: str | None
    author: str
    made: datetime


@dataclass(frozen=True, slots=True)
class FullText:
    """One file of a report: `name` as it was called where it came from, `size` in bytes.

    Attributes:
        word: The last that was said of it; None: nothing.
    """

    sha256: str
    name: str
    size: int
    author: str
    made: datetime
    word: Word | None = None

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.word.kind if self.word else "article"

    @property
    def is_used(self) -> bool:
        """Whether it is read and quoted: neither replaced nor removed."""
        return self.word is None or self.word.state == "used"


def append(con: Connection, id: str, review: str, record: str, file: FullText) -> None:
    """Add it; the same id again changes nothing."""
    con.execute(
        """INSERT INTO full_text (id, review, record_id, sha256, name, size, author, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, record, file.sha256, file.name, file.size, file.author, file.made],
    )


def append_word(con: Connection, id: str, review: str, sha256: str, word: Word) -> bool:
    """Write what was said of a file; whether it is new."""
    written = con.execute(
        """INSERT INTO full_text_word
        (id, review, sha256, kind, state, replaced_by, reason, author, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            *(id, review, sha256, word.kind, word.state, word.replaced_by, word.reason),
            *(word.author, word.made),
        ],
    ).fetchall()
    return bool(written)


def of(con: Connection, review: str, report_id: str) -> list[FullText]:
    """The files of a report, each once, oldest first."""
    return of_each(con, review, [report_id])[report_id]


def of_each(con: Connection, review: str, report_ids: Sequence[str]) -> dict[str, list[FullText]]:
    """The files of each of these reports, each once, oldest first."""
    rows = con.execute(
        """WITH asked AS (SELECT DISTINCT unnest(?::VARCHAR[]) AS report_id),
        members AS (
            SELECT report_id, report_id AS record_id FROM asked
            UNION SELECT report_id, p.record_id FROM asked JOIN report p USING (report_id)
        )
        SELECT m.report_id, f.sha256, arg_min(f.name, f.seq), any_value(f.size),
            arg_min(f.author, f.seq), min(f.made)
        FROM full_text f JOIN members m USING (record_id)
        WHERE f.review = ? GROUP BY m.report_id, f.sha256 ORDER BY min(f.seq)""",
        [list(report_ids), review],
    ).fetchall()
    words = _words(con, review, [row[1] for row in rows])
    files: dict[str, list[FullText]] = {report: [] for report in report_ids}
    for report, *facts in rows:
        file = FullText(*facts)
        files[report].append(replace(file, word=words.get(file.sha256)))
    return files


def _words(con: Connection, review: str, files: Sequence[str]) -> dict[str, Word]:
    """The last word on each of these files that has one."""
    rows = con.execute(
        """SELECT sha256, kind, state, replaced_by, reason, author, made FROM current_full_text_word
        WHERE review = ? AND sha256 IN (SELECT unnest(?::VARCHAR[]))""",
        [review, list(files)],
    ).fetchall()
    return {sha256: Word(*facts) for sha256, *facts in rows}


def one(con: Connection, review: str, sha256: str) -> FullText | None:
    """This file as it first came to the review; None if the review has no such file."""
    row = one_row(
        con,
        """SELECT sha256, name, size, author, made FROM full_text
        WHERE review = ? AND sha256 = ? ORDER BY seq LIMIT 1""",
        [review, sha256],
    )
    return FullText(*row) if row else None


def report_of(con: Connection, review: str, sha256: str) -> str:
    """The report that a file of this review was last added to; "" if the review has no such file."""
    row = one_row(
        con,
        """SELECT coalesce(p.report_id, f.record_id) FROM full_text f
        LEFT JOIN report p ON p.record_id = f.record_id
        WHERE f.review = ? AND f.sha256 = ? ORDER BY f.seq DESC LIMIT 1""",
        [review, sha256],
    )
    return str(row[0]) if row else ""
