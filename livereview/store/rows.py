"""One row of an answer, read so that nothing stays open.

DuckDB keeps an answer that was not read to its end, and with it the moment in time that the answer was given at. On a
connection that lives as long as its process that stops every later checkpoint: the write-ahead log then grows until the
process ends. So nobody calls `fetchone()`; a test of the layers sees to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livereview.store.writer import Connection

Row = tuple[Any, ...]


def one_row(con: Connection, question: str, values: object = None) -> Row | None:
    """The first row of the answer, or None where there is none; the answer is read to its end.

    All rows of the answer are fetched, so a question that may have many needs a LIMIT.
    """
    rows = con.execute(question, values).fetchall()
    return rows[0] if rows else None


def any_row(con: Connection, question: str, values: object = None) -> bool:
    """Whether the answer has a row."""
    return one_row(con, question, values) is not None
