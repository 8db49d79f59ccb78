"""A person's own words on records: what stands, what was taken back, and in which order.

Nothing of anybody else.
"""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException

from livereview.store import calibration, decisions, records, retrieval, voters
from livereview.store.open import Connection
from livereview.web.guard import ReviewContext

SHOWN = 200  # of one's own decisions, the newest


def report_of(con: Connection, record: str) -> str:
    """The report a record belongs to."""
    return records.report_of(con, [record]).get(record, record)


def title_of(con: Connection, record: str) -> str:
    """What a record is called on the page."""
    current = records.current(con, [record]).get(record)
    return (current and current.title) or "Untitled record"


def asked_again(
    con: Connection, context: ReviewContext, record: str, stage: str
) -> tuple[str, dict[str, Any] | None] | None:
    """The hidden item that this record is to me, with my answer in force."""
    return calibration.item_of(con, context.review.id, context.me, report_of(con, record), stage)


def must_screen(con: Connection, context: ReviewContext) -> None:
    """403 for a lead who said that they do not screen in this review.

    Nobody else can say so, and they are not asked about: this is looked at for each record.
    """
    if context.user.role == "reviewer":
        return
    if voters.eyes(con, context.review.id, context.me) is None:
        raise HTTPException(
            403, "You said that you do not screen in this review; the page Team takes that back."
        )


def my_word(
    con: Connection, context: ReviewContext, record: str, stage: str, role: str = "vote"
) -> dict[str, Any] | None:
    """My own decision in force on the report of this record.

    Where I am asked about it again, that answer alone.
    """
    if role == "vote" and (again := asked_again(con, context, record, stage)):
        return again[1]
    return my_vote(con, context, record, stage, role)


def my_vote(
    con: Connection, context: ReviewContext, record: str, stage: str, role: str = "vote"
) -> dict[str, Any] | None:
    """As `my_word`, but without what I answered when I was asked again: my decision, or that I
    can't get the report.
    """
    report = report_of(con, record)
    votes = decisions.on_report(con, context.review.id, report, stage)
    mine = [vote for vote in votes if (vote["reviewer"], vote["role"]) == (context.me, role)]
    if mine:
        return mine[-1]
    if role == "vote" and stage == retrieval.STAGE:
        return retrieval.of_person(con, context.review.id, report, context.me)
    return None


def last_word(
    con: Connection, context: ReviewContext, record: str, stage: str
) -> tuple[str | None, str | None, list[str]] | None:
    """(reason, note, tags) of my last word, in force or taken back."""
    if again := asked_again(con, context, record, stage):
        return calibration.last_answer(con, again[0])
    return decisions.last_word(con, context.review.id, record, stage, context.me)


def history(con: Connection, context: ReviewContext) -> list[dict[str, Any]]:
    """My last word on each report: what I answered when I was asked again stands for the vote it
    may have repeated.
    """
    again = calibration.history(con, context.review.id, context.me, SHOWN)
    answered = {(row["report_id"], row["stage"]) for row in again}
    votes = decisions.history(con, context.review.id, context.me, SHOWN)
    votes += retrieval.history(con, context.review.id, context.me, SHOWN)
    others = [
        row
        for row in votes
        if row["role"] != "vote" or (row["report_id"], row["stage"]) not in answered
    ]
    return sorted(again + others, key=lambda row: row["made"], reverse=True)[:SHOWN]


def latest_vote(con: Connection, context: ReviewContext, stage: str) -> dict[str, Any] | None:
    """My newest vote in force at this stage."""
    votes = (
        row for row in history(con, context) if row["role"] == "vote" and row["stage"] == stage
    )
    return next(votes, None)


def settlement(
    con: Connection, context: ReviewContext, record: str, stage: str
) -> dict[str, Any] | None:
    """How a third person has settled the report of this record, if one has.

    For those who may settle.
    """
    votes = decisions.on_report(con, context.review.id, report_of(con, record), stage)
    return next((vote for vote in reversed(votes) if vote["role"] == "adjudication"), None)
