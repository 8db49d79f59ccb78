"""Files that people brought, and what only they brought."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from livereview.store import standings, unseen
from livereview.store.open import Connection
from livereview.store.rows import one_row, read_as


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was taken in, and perhaps taken back.

    Attributes:
        search: The search that it makes.
        name: What it is called in the ledger: "import: " and the file's name.
        found, fresh, rejected: Records in it, those new to the database, and what was no record.
        taken_back_by: Who took it back; None: it stands.
    """

    search: str
    name: str
    made: datetime
    outcome: str
    found: int
    fresh: int
    rejected: int
    taken_back_by: str | None
    taken_back: datetime | None


def listing(con: Connection, review: str) -> list[Import]:
    """The imports of a review, newest first."""
    question = """SELECT s.search, s.name, s.made, s.outcome, s.found, s.fresh, s.rejected,
            t.author AS taken_back_by, t.made AS taken_back
        FROM attempt s LEFT JOIN taken_back t ON t.search = s.search
        WHERE s.review = ? AND s.kind = 'import' ORDER BY s.seq DESC"""
    return read_as(con, Import, question, [review])


def of(con: Connection, review: str, search: str) -> Import | None:
    """An import of the review; None: it has none of this id."""
    return next((each for each in listing(con, review) if each.search == search), None)


def note(
    con: Connection, id: str, brought: Import, review: str, holds: bool, author: str, now: datetime
) -> None:
    """Write that an import was taken back (holds), or counts again."""
    con.execute(
        """INSERT INTO import_back (id, review, search, holds, author, made)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
        [id, review, brought.search, holds, author, now],
    )


def records(con: Connection, search: str) -> list[str]:
    """The records that it returned, whether it counts or not."""
    rows = con.execute(
        "SELECT record_id FROM hit WHERE search = ? ORDER BY record_id", [search]
    ).fetchall()
    return [row[0] for row in rows]


def only_from(con: Connection, review: str, search: str) -> list[str]:
    """The reports of a review that no other search found, nor another import."""
    rows = con.execute(
        """SELECT coalesce(p.report_id, h.record_id) AS report_id FROM standing_hit h
        LEFT JOIN report p ON p.record_id = h.record_id
        WHERE h.review = ? AND h.times > 0 GROUP BY ALL
        HAVING bool_and(h.search = ?) ORDER BY 1""",
        [review, search],
    ).fetchall()
    return [row[0] for row in rows]


def worked_on(
    con: Connection, review: str, report_ids: Collection[str], eyes: str | None = None
) -> dict[str, int]:
    """What people have done with these reports in this review: how many decisions in force, reports
    in a study, and full texts; only what is more than none.

    Args:
        eyes: Who looks, and votes in the review: only decisions that they may see count.
    """
    members = standings.members(con, report_ids)
    where, values = standings.chosen(members)
    hidden = {vote for vote, _ in unseen.votes(con, review, eyes)} if eyes is not None else set()
    decisions = [
        word
        for word in standings.in_force(con, members)
        if word["review"] == review and word["seq"] not in hidden
    ]
    studies = one_row(
        con,
        f"SELECT count(*) FROM current_study WHERE review = ? AND report_id {where}",  # noqa: S608
        [review, *values],
    )
    files = one_row(
        con,
        f"SELECT count(*) FROM full_text WHERE review = ? AND record_id {where}",  # noqa: S608
        [review, *values],
    )
    counted = {
        "decisions": len(decisions),
        "reports in a study": studies[0] if studies else 0,
        "full texts": files[0] if files else 0,
    }
    return {words: number for words, number in counted.items() if number}
