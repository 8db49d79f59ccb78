"""A person's own words on records: what stands, what was taken back, and in which order.

Nothing of anybody else.
"""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException

from livereview.store import calibration, decisions, records, retrieval, voters
from livereview.store.open import Connection
from livereview.web.guard import Room

SHOWN = 200  # of one's own decisions, the newest


def report_of(con: Connection, record: str) -> str:
    """The report a record belongs to."""
    return records.report_of(con, [record]).get(record, record)


def title_of(con: Connection, record: str) -> str:
    """What a record is called on the page."""
    current = records.current(con, [record]).get(record)
    return (current and current.title) or "Untitled record"


def asked_again(
    con: Connection, room: Room, record: str, stage: str
) -> tuple[str, dict[str, Any] | None] | None:
    """The hidden item that this record is to me, with my answer in force."""
    return calibration.item_of(con, room.review.id, room.me, report_of(con, record), stage)


def must_screen(con: Connection, room: Room) -> None:
    """403 for a lead who said that they do not screen in this review."""
    if voters.eyes(con, room.review.id, room.me) is None:
        raise HTTPException(
            403, "You said that you do not screen in this review; the page Team takes that back."
        )


def my_word(
    con: Connection, room: Room, record: str, stage: str, role: str = "vote"
) -> dict[str, Any] | None:
    """My own decision in force on the report of this record.

    Where I am asked about it again, that answer alone.
    """
    if role == "vote" and (again := asked_again(con, room, record, stage)):
        return again[1]
    return my_vote(con, room, record, stage, role)


def my_vote(
    con: Connection, room: Room, record: str, stage: str, role: str = "vote"
) -> dict[str, Any] | None:
    """As `my_word`, but without what I answered when I was asked again: my decision, or that I
    can't get the report.
    """
    report = report_of(con, record)
    votes = decisions.on_report(con, room.review.id, report, stage)
    mine = [vote for vote in votes if (vote["reviewer"], vote["role"]) == (room.me, role)]
    if mine:
        return mine[-1]
    if role == "vote" and stage == retrieval.STAGE:
        return retrieval.of_person(con, room.review.id, report, room.me)
    return None


def last_word(
    con: Connection, room: Room, record: str, stage: str
) -> tuple[str | None, str | None, list[str]] | None:
    """(reason, note, tags) of my last word, in force or taken back."""
    if again := asked_again(con, room, record, stage):
        return calibration.last_answer(con, again[0])
    return decisions.last_word(con, room.review.id, record, stage, room.me)


def history(con: Connection, room: Room) -> list[dict[str, Any]]:
    """My last word on each report: what I answered when I was asked again stands for the vote it
    may have repeated.
    """
    again = calibration.history(con, room.review.id, room.me, SHOWN)
    answered = {(row["report_id"], row["stage"]) for row in again}
    votes = decisions.history(con, room.review.id, room.me, SHOWN)
    votes += retrieval.history(con, room.review.id, room.me, SHOWN)
    others = [
        row
        for row in votes
        if row["role"] != "vote" or (row["report_id"], row["stage"]) not in answered
    ]
    return sorted(again + others, key=lambda row: row["made"], reverse=True)[:SHOWN]


def latest_vote(con: Connection, room: Room, stage: str) -> dict[str, Any] | None:
    """My newest vote in force at this stage."""
    votes = (row for row in history(con, room) if row["role"] == "vote" and row["stage"] == stage)
    return next(votes, None)


def settlement(con: Connection, room: Room, record: str, stage: str) -> dict[str, Any] | None:
    """How a third person has settled the report of this record, if one has.

    For those who may settle.
    """
    votes = decisions.on_report(con, room.review.id, report_of(con, record), stage)
    return next((vote for vote in reversed(votes) if vote["role"] == "adjudication"), None)
