"""What a token may do at the door for programs, `/api/ops/NAME`.

The owner's own secret does everything. Each command says what it needs (`livereview.commands`); one
that says nothing is the owner's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from livereview import rights
from livereview.commands import COMMANDS, Begin, Command, LoseNight
from livereview.commands.base import check_text
from livereview.errors import Refused
from livereview.ops.protocols import parsed
from livereview.rights import Act, Kind, Principal, WhyNot
from livereview.store import searches
from livereview.store.open import Connection
from livereview.surveillance.clock import TOLERANCE

ACTS: Mapping[str, Act] = {
    command.operation: command.needs for command in COMMANDS if not command.needs.owner_only
}
"""What whoever asks for an operation must be allowed."""


def why_not(
    con: Connection, principal: Principal, name: str, arguments: Mapping[str, Any]
) -> WhyNot | None:
    """Why this principal may not run the operation with these arguments; None: it may.

    Whatever review the arguments lead to must be within its reach: by name, by a search that has
    begun, or by the protocol that is to be registered.
    """
    act = ACTS.get(name, rights.OWN)
    reviews = _reviews(con, name, arguments)
    if not reviews and principal.reviews is not None and not act.owner_only:
        return WhyNot.NOT_THERE
    for review in reviews or [None]:
        problem = rights.why_not(principal, act, review)
        if problem is not None:
            return problem
    return None


def _reviews(con: Connection, name: str, arguments: Mapping[str, Any]) -> list[str | None]:
    """Every review that the arguments lead to."""
    reviews: list[str | None] = []
    if arguments.get("review") is not None:
        reviews.append(str(arguments["review"]))
    if "search" in arguments:
        reviews += _of_search(con, arguments["search"])
    if name == "register" and isinstance(arguments.get("text"), str):
        try:
            reviews.append(parsed(arguments["text"]).id)
        except Refused:
            return reviews  # whoever may register is told what is wrong with it
    return reviews


def _of_search(con: Connection, search: Any) -> list[str | None]:
    if not isinstance(search, str):
        return [""]  # no review has this name, so what is limited to some reaches nothing
    check_text("search", search)
    begun = searches.of(con, search)
    return [begun.review] if begun else []


def check_clock(principal: Principal, command: Command[Any], wall: datetime) -> None:
    """Raise Refused where a token says a time that can't be now.

    What it wrote would stand in the ledger for years to come, and stop the nights of others. The
    owner's own secret may say any time, which replays need.
    """
    if principal.kind == Kind.OWNER:
        return
    if command.now is not None:
        _near("now", abs(command.now - wall), command.now, wall)
    if isinstance(command, Begin | LoseNight) and command.due is not None:
        _near("due", command.due - wall, command.due, wall)


def _near(name: str, away: timedelta, stated: datetime, wall: datetime) -> None:
    if away > TOLERANCE:
        raise Refused(
            f"{name}: this token says {stated.isoformat()}, and it is {wall:%Y-%m-%d %H:%M} UTC"
            f" here; set the clock of the machine that it runs on. Other times (--now) are for the"
            f" owner's own secret"
        )
