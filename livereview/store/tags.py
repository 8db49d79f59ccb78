"""Tags of a review: shared by its team, renamed and coloured by anybody who takes part.

What somebody wrote as a tag beside a decision is theirs until it may be seen; it then has the name
and the colour of the review's tag that was ever called so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.store import standings
from livereview.store.open import Connection

COLOURS = ("grey", "blue", "green", "amber", "red", "purple")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as it is called now; `id` is None for a word that is no tag of the review."""

    name: str
    colour: str = "grey"
    id: str | None = None


def of(con: Connection, review: str) -> list[Tag]:
    """The review's tags, by name."""
    rows = con.execute(
        "SELECT name, colour, tag FROM current_tag WHERE review = ? ORDER BY lower(name), tag",
        [review],
    ).fetchall()
    return [Tag(*row) for row in rows]


def called(con: Connection, review: str) -> dict[str, Tag]:
    """The tag that each name means, in lower case: what tags are called and were called before."""
    rows = con.execute(
        """SELECT lower(a.name), c.name, c.colour, c.tag FROM tag a
        JOIN current_tag c ON c.review = a.review AND c.tag = a.tag WHERE a.review = ? ORDER BY a.seq""",
        [review],
    ).fetchall()
    return {name: Tag(*row) for name, *row in rows}


def on_reports(con: Connection, review: str, reports: Sequence[str]) -> dict[str, list[Tag]]:
    """The review's tags on these reports."""
    where, values = standings.chosen(reports)
    rows = con.execute(
        f"""SELECT g.report_id, t.name, t.colour, t.tag FROM current_tagging g
        JOIN current_tag t ON t.review = g.review AND t.tag = g.tag
        WHERE g.review = ? AND g.report_id {where} ORDER BY lower(t.name)""",  # noqa: S608
        [review, *values],
    ).fetchall()
    found: dict[str, list[Tag]] = {}
    for report, *tag in rows:
        found.setdefault(report, []).append(Tag(*tag))
    return found


def counts(con: Connection, review: str) -> dict[str, int]:
    """How many reports have each of the review's tags."""
    rows = con.execute(
        """SELECT g.tag, count(*) FROM current_tagging g
        JOIN screening_state s ON s.review = g.review AND s.report_id = g.report_id
        WHERE g.review = ? GROUP BY g.tag""",
        [review],
    ).fetchall()
    return dict(rows)


def write(con: Connection, id: str, review: str, tag: Tag, author: str, now: datetime) -> None:
    """Make a tag, or give it another name or colour; the same id again changes nothing."""
    con.execute(
        """INSERT INTO tag (id, review, tag, name, colour, author, made) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, tag.id, tag.name, tag.colour, author, now],
    )


def put(
    con: Connection,
    id: str,
    review: str,
    records: Sequence[str],
    tag: str,
    puts: bool,
    author: str,
    now: datetime,
) -> None:
    """Put a tag on the reports of these records, or take it off; each is an event of its own."""
    con.execute(
        """INSERT INTO tagging (id, review, record_id, tag, puts, author, made)
        SELECT ? || '/' || record, ?, record, ?, ?, ?, ? FROM (SELECT unnest(?::VARCHAR[]) AS record)
        ON CONFLICT (id) DO NOTHING""",
        [id, review, tag, puts, author, now, list(records)],
    )
