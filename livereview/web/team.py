"""The lead's page of people: accounts, who did how much, and decisions that changed criteria may turn."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.store import accounts, decisions, records
from livereview.web import guard, pages
from livereview.web.guard import Room

LISTED = 50  # decisions shown of each older version; the button asks about all


def page(room: guard.Here) -> Response:
    """The page as it is now."""
    return _show(room)


def _show(room: Room, status: int = 200, *, secret: tuple[str, str] | None = None, problem: str = "") -> Response:
    review = room.review.id
    with room.desk.store.read() as con:
        older = ops.team.older_criteria(con, review)
        shown = [one.record_id for _, _, made in older for one in made[:LISTED]]
        values = {
            "accounts": accounts.names(con),
            "work": decisions.counts_by_person(con, review),
            "older": older,
            "agreements": ops.team.agreements(con, review),
            "titles": {key: one.title for key, one in records.current(con, shown).items()},
        }
    values |= {"secret": secret, "problem": problem, "roles": accounts.ROLES, "listed": LISTED}
    return pages.show("team.html", room, status, **values)


def change(
    room: guard.Here,
    name: Annotated[str, Form()],
    act: Annotated[str, Form()],
    role: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
) -> Response:
    """Open an account or give one a new secret, which is shown this once; or close one."""
    try:
        if act == "close":
            if name == room.me:
                raise Refused("this is your own account; another lead must close it")
            ops.team.close_account(room.desk.store, name=name, now=room.desk.clock())
            return RedirectResponse(f"/r/{room.review.id}/team", 303)
        secret = secrets.token_urlsafe(24)
        asked: dict[str, Any] = {"name": name.strip(), "role": role, "secret": secret, "email": email.strip() or None}
        ops.team.add_account(room.desk.store, now=room.desk.clock(), **asked)
    except Refused as refusal:
        return _show(room, 422, problem=refusal.message)
    return _show(room, secret=(name.strip(), secret))


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
