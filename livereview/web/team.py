"""The lead's page of people: accounts, who did how much, and decisions that changed criteria may turn."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.ops import calibration
from livereview.store import accounts, decisions, records, shares, voters
from livereview.web import guard, pages
from livereview.web.guard import Room

LISTED = 50  # decisions shown of each older version; the button asks about all


def page(room: guard.Here) -> Response:
    """The page as it is now."""
    return _show(room)


def _show(room: Room, status: int = 200, *, secret: tuple[str, str] | None = None, problem: str = "") -> Response:
    review = room.review.id
    with room.desk.store.read() as con:
        eyes = voters.eyes(con, review, room.me)
        older = ops.team.older_criteria(con, review, eyes)
        shown = [one.record_id for _, _, made in older for one in made[:LISTED]]
        values: dict[str, Any] = {
            "accounts": [one for one in accounts.names(con) if one.enters(review)],
            "work": decisions.counts_by_person(con, review, eyes),
            "older": older,
            "again": calibration.results(con, review),
            "agreements": ops.team.agreements(con, review),
            "shares": shares.of(con, room.review),
            "loads": shares.loads(con, room.review, eyes),
            "screens": eyes is not None,
            "abstaining": voters.abstaining(con, review),
            "titles": {key: one.title for key, one in records.current(con, shown).items()},
        }
    values["voters"] = [one for one in values["accounts"] if one.role in shares.VOTERS and one.enters(review)]
    values |= {"secret": secret, "problem": problem, "roles": accounts.ROLES, "listed": LISTED}
    return pages.show("team.html", room, status, **values)


def change(
    room: guard.Here,
    name: Annotated[str, Form()],
    act: Annotated[str, Form()],
    role: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    reach: Annotated[str, Form()] = "",
) -> Response:
    """Open an account or give one a new secret, which is shown this once; or close one."""
    try:
        if act == "close":
            if name == room.me:
                raise Refused("this is your own account; another lead must close it")
            ops.team.close_account(room.desk.store, name=name, now=room.desk.clock(), by=room.visit.principal)
            return RedirectResponse(f"/r/{room.review.id}/team", 303)
        secret = secrets.token_urlsafe(24)
        asked: dict[str, Any] = {"name": name.strip(), "role": role, "secret": secret, "email": email.strip() or None}
        asked["reviews"] = {"here": (room.review.id,), "every": ()}.get(reach)
        ops.team.add_account(room.desk.store, now=room.desk.clock(), by=room.visit.principal, **asked)
    except Refused as refusal:
        return _show(room, 422, problem=refusal.message)
    return _show(room, secret=(name.strip(), secret))


def screening(room: guard.Here, form: Annotated[str, Depends(guard.form_id)], act: Annotated[str, Form()]) -> Response:
    """I do not screen in this review, and may see all votes; or I do again."""
    if act not in ("abstain", "return"):
        return _show(room, 422, problem="act must be one of abstain, return")
    ops.team.screens(
        room.desk.store,
        id=f"{room.me}-{form}",
        review=room.review.id,
        account=room.me,
        screens=act == "return",
        now=room.desk.clock(),
    )
    return RedirectResponse(f"/r/{room.review.id}/team#screening", 303)


def again(room: guard.Here, version: Annotated[str, Form()], stage: Annotated[str, Form()]) -> Response:
    """Ask again about every listed decision of a stage that was made under this version of the criteria."""
    with room.desk.store.read() as con:
        older = {name: made for name, _, made in ops.team.older_criteria(con, room.review.id)}
    chosen = [one.record_id for one in older.get(version, []) if one.stage == stage]
    ops.team.ask_again(
        room.desk.store,
        review=room.review.id,
        records=chosen,
        stage=stage,
        version=version,
        by=room.me,
        now=room.desk.clock(),
    )
    return RedirectResponse(f"/r/{room.review.id}/team", 303)


def calibrate(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    number: Annotated[int, Form()] = 10,
    people: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Ask some settled reports again, hidden in the queues of the people ticked, or of all reviewers."""
    asked: dict[str, Any] = {"id": form, "review": room.review.id, "by": room.me, "now": room.desk.clock()}
    try:
        calibration.ask(room.desk.store, number=number, reviewers=people or (), **asked)
    except Refused as refusal:
        return _show(room, 422, problem=refusal.message)
    return RedirectResponse(f"/r/{room.review.id}/team#calibration", 303)
