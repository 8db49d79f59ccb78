"""Taking back: one's own decisions only, as a new event; the old one stays in the books."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.store import decisions, records
from livereview.web import guard, pages
from livereview.web.guard import Room
from livereview.web.screen import my_word

SHOWN = 200


def undo(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    stage: Annotated[str, Form()],
    role: Annotated[str, Form()] = "vote",
) -> Response:
    """Take back my decision on this report and show the report again; sent twice it counts once."""
    with room.desk.turns[room.me]:
        with room.desk.store.read() as con:
            guard.recorded(con, room, record)
            word = my_word(con, room, record, stage, role)
        if word:
            record = word["record_id"]
            ops.screen.decide(
                room.desk.store,
                id=f"{room.me}-{form}",
                review=room.review.id,
                record=record,
                stage=stage,
                reviewer=room.me,
                role=role,
                verdict="withdrawn",
                now=room.desk.clock(),
            )
    return RedirectResponse(_back(room, record, stage, role), 303)


def _back(room: Room, record: str, stage: str, role: str) -> str:
    here = f"/r/{room.review.id}"
    if role == "vote" and room.visit.account.role in ("lead", "reviewer"):
        return f"{here}/screen/{stage}?record={record}&undone={record}"
    return f"{here}/conflicts" if role == "adjudication" and guard.may_adjudicate(room) else f"{here}/history"


def history(room: guard.Here) -> Response:
    """My own decisions in force, newest first."""
    with room.desk.store.read() as con:
        rows = decisions.history(con, room.review.id, room.me, SHOWN)
        titles = {key: record.title for key, record in records.current(con, {row["record_id"] for row in rows}).items()}
    reasons = {reason.id: reason.label for reason in room.review.reasons}
    return pages.show("history.html", room, rows=rows, titles=titles, reasons=reasons, limit=SHOWN)
