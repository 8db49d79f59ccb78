"""The page on whether a review retires: the signs, the proposal, everybody's vote, and the lead's
close.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.evidence.retirement import VERDICTS
from livereview.web import acts, guard, pages
from livereview.web.guard import Room

FormId = Annotated[str, Depends(guard.form_id)]


def page(room: guard.Here) -> Response:
    """The page as it is now."""
    return _show(room)


def _show(
    room: Room, status: int = 200, problem: str = "", typed: dict[str, str] | None = None
) -> Response:
    """The page, with what was typed in a form that was refused."""
    store, now = room.desk.store, room.desk.clock()
    told = ops.retirement.monitor(store, review=room.review.id, now=now, person=room.me)
    kept = {"reason": "", "not_asked": "", "no_resources": "", "note": "", **(typed or {})}
    return pages.show(
        "retirement.html", room, status, told=told, verdicts=VERDICTS, problem=problem, typed=kept
    )


def propose(
    room: guard.Here,
    form: FormId,
    kind: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    not_asked: Annotated[str, Form()] = "",
    no_resources: Annotated[str, Form()] = "",
) -> Response:
    """Move that the review retires or comes back."""
    typed = {"reason": reason, "not_asked": not_asked, "no_resources": no_resources}
    asked: dict[str, Any] = {**_asked(room, form), **typed}
    try:
        ops.retirement.propose(room.desk.store, kind=kind, **asked)
    except Refused as refusal:
        return _show(room, 422, refusal.message, typed)
    return _back(room)


def vote(
    room: guard.Here,
    form: FormId,
    proposal: Annotated[str, Form()],
    verdict: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Vote on the proposal that was on the page, or change one's vote."""
    try:
        ops.retirement.vote(
            room.desk.store,
            verdict=verdict,
            proposal=proposal,
            note=note or None,
            **_asked(room, form),
        )
    except Refused as refusal:
        return _show(room, 422, refusal.message, {"note": note})
    return _back(room)


def close(room: guard.Here, proposal: Annotated[str, Form()]) -> Response:
    """Say what ending the vote does; the page after that ends and counts it."""
    try:
        acts.preview(room, "close_vote", {"proposal": proposal})
    except Refused as refusal:
        return _show(room, 422, refusal.message)
    return acts.confirm(room, "close_vote", {"proposal": proposal})


def _asked(room: Room, form: str) -> dict[str, Any]:
    return {"id": form, "review": room.review.id, "by": room.me, "now": room.desk.clock()}


def _back(room: Room) -> Response:
    return RedirectResponse(f"/r/{room.review.id}/retirement", 303)
