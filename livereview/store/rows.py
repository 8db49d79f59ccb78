"""One row of an answer, read so that nothing stays open.

DuckDB keeps an answer that was not read to its end, and with it the moment in time that the answer
was given at. On a
connection that lives as long as its process that stops every later checkpoint: the write-ahead log
then grows until the process ends. So nobody calls `fetchone()`; a test of the layers sees to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from livereview.store.waiting import Event
    from livereview.store.writer import Connection

Row = tuple[Any, ...]
T = TypeVar("T")


def one_row(con: Connection, question: str, values: object = None) -> Row | None:
    """The first row of the answer, or None where there is none; the answer is read to its end.

    All rows of the answer are fetched, so a question that may have many needs a LIMIT.
    """
    rows = con.execute(question, values).fetchall()
    return rows[0] if rows else None


def read_as(
    con: Connection, kind: Callable[..., T], question: str, values: object = None
) -> list[T]:
    """The rows of the answer, each as a `kind`: a dataclass with a field for each column, by name."""
    answer = con.execute(question, values)
    names = [column[0] for column in answer.description]
    return [kind(**dict(zip(names, row, strict=True))) for row in answer.fetchall()]


def by_review(
    con: Connection, question: str, reviews: Sequence[str], **values: object
) -> dict[str, list[Row]]:
    """The rows of each review, by one question for all of them.

    Args:
        con: A connection.
        question: SQL that asks for `$reviews`, a list, and whose first column is the review.
        reviews: The reviews to ask about.
        **values: What else the question asks for.

    Returns:
        For every review that was asked about its rows without the first column, in the order of the
        answer; an empty list where there are none.
    """
    rows = con.execute(question, {"reviews": list(reviews), **values}).fetchall()
    return _grouped(rows, reviews)


def kept_by_review(
    con: Connection, question: str, reviews: Sequence[str], **values: object
) -> dict[str, list[Row]]:
    """As `by_review`, by memory where nothing was written since that could change it."""
    return _grouped(kept_rows(con, question, {"reviews": list(reviews), **values}), reviews)


def _grouped(rows: Sequence[Row], reviews: Sequence[str]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {review: [] for review in reviews}
    for review, *row in rows:
        grouped[review].append(tuple(row))
    return grouped


def kept_rows(con: Connection, question: str, values: object = None) -> list[Row]:
    """The rows of the answer, by memory where no table that it reads was written since (`kept`).

    For what is asked again and again and seldom changes. Nobody may change what is in the rows.
    """
    answers = getattr(con, "answers", None)
    if answers is None:
        return con.execute(question, values).fetchall()
    rows: list[Row] = answers.rows(question, values)
    return rows


def execute_told(con: Connection, statement: str, values: object = None) -> Connection:
    """As `con.execute`, for a write of which `tell` says what it does (`waiting`)."""
    execute = getattr(con, "execute_told", con.execute)
    answer: Connection = execute(statement, values)
    return answer


def tell(con: Connection, event: Event) -> None:
    """Say what the transaction does to where reports stand, or to votes.

    It is passed on once it is committed. Outside of a writer's transaction nobody listens.
    """
    listener = getattr(con, "tell", None)
    if listener is not None:
        listener(event)


def any_row(con: Connection, question: str, values: object = None) -> bool:
    """Whether the answer has a row."""
    return one_row(con, question, values) is not None
