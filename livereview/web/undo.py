"""Taking back: one's own decisions only, as a new event; the old one stays in the books."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops, rights
from livereview.ops import calibration as hidden
from livereview.ops.teams_outcome import TeamsOutcome
from livereview.store import calibration, records
from livereview.web import acts, guard, mine, pages
from livereview.web.guard import Room
from livereview.web.mine import SHOWN, my_vote, my_word, report_of


def undo(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    stage: Annotated[str, Form()],
    role: Annotated[str, Form()] = "vote",
) -> Response:
    """Take back my decision on this report and show the report again; sent twice it counts once.

    Where the team has settled the report by it, nothing is taken back: the next page says what a
    lead can do.
    """
    id = f"{room.me}-{form}"
    with room.desk.turns[room.me]:
        with room.desk.store.read() as con:
            guard.recorded(con, room, record)
            word = my_word(con, room, record, stage, role) or my_vote(
                con, room, record, stage, role
            )
            known = calibration.known(con, id)
            report = report_of(con, record)
        if word and not known:
            record = word["record_id"]
            if role == "vote":  # before it waits for somebody again, so that it comes back to me
                place = room.review.id, stage
                room.desk.leases.give(place, room.me, report, room.desk.clock())
            try:
                _take_back(room, id, record, stage, role, "item" in word)
            except TeamsOutcome:
                return acts.confirm(
                    room, "take_back_word", {"record": record, "stage": stage, "role": role}
                )
    return RedirectResponse(_back(room, record, stage, role), 303)


def _take_back(room: Room, id: str, record: str, stage: str, role: str, again: bool) -> None:
    asked: dict[str, Any] = {"id": id, "review": room.review.id, "record": record, "stage": stage}
    asked |= {"reviewer": room.me, "verdict": "withdrawn", "now": room.desk.clock()}
    if again:
        hidden.answer(room.desk.store, **asked)
    else:
        ops.screen.decide(room.desk.store, role=role, settled_stays=True, **asked)


def _back(room: Room, record: str, stage: str, role: str) -> str:
    here = f"/r/{room.review.id}"
    if role == "vote" and room.may(rights.SCREEN):
        return f"{here}/screen/{stage}?record={record}&undone={record}"
    return (
        f"{here}/conflicts"
        if role == "adjudication" and guard.may_adjudicate(room)
        else f"{here}/history"
    )


def history(room: guard.Here) -> Response:
    """My own decisions in force, newest first."""
    with room.desk.store.read() as con:
        rows = mine.history(con, room)
        requests = acts.my_requests(con, room)
        titles = {
            key: record.title
            for key, record in records.current(con, {row["record_id"] for row in rows}).items()
        }
    reasons = {reason.id: reason.label for reason in room.review.reasons}
    return pages.show(
        "history.html",
        room,
        rows=rows,
        titles=titles,
        reasons=reasons,
        limit=SHOWN,
        requests=requests,
    )
