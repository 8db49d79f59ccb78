"""Views of the table of records that people keep, for themselves or for the team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view that is kept; `query` is what stands after the ? of its address."""

    id: str
    name: str
    query: str
    team: bool
    author: str


def of(con: Connection, review: str, person: str) -> list[SavedView]:
    """The team's views and a person's own, by name."""
    rows = con.execute(
        """SELECT view, name, query, team, author FROM current_view
        WHERE review = ? AND (team OR author = ?) ORDER BY lower(name), view""",
        [review, person],
    ).fetchall()
    return [SavedView(*row) for row in rows]


def write(
    con: Connection, id: str, review: str, view: SavedView, kept: bool, now: datetime
) -> None:
    """Keep a view, change it, or keep it no more; the same id again changes nothing."""
    con.execute(
        """INSERT INTO saved_view (id, review, view, name, query, team, kept, author, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
        [id, review, view.id, view.name, view.query, view.team, kept, view.author, now],
    )
