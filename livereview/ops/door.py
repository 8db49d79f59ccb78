"""What a token may do at the door for programs, `/api/ops/NAME`.

The owner's own secret does everything.

An operation that has no row here is the owner's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from livereview import rights
from livereview.errors import Refused
from livereview.ops import arguments as plain
from livereview.ops.protocols import parsed
from livereview.rights import Act, Kind, Principal, WhyNot
from livereview.store import searches
from livereview.store.open import Connection
from livereview.surveillance.clock import TOLERANCE

ACTS: dict[str, Act] = {
    # a protocol names adjudicators, votes and criteria: no night needs that
    "register": rights.MANAGE,
    "protocol": rights.RUN_FLOWS,
    "begin": rights.RUN_FLOWS,
    "ingest": rights.RUN_FLOWS,
    "finish": rights.RUN_FLOWS,
    "renew": rights.RUN_FLOWS,
    "note_digests": rights.RUN_FLOWS_FOR_ALL,
    "may_begin": rights.RUN_FLOWS,
    "lose_night": rights.RUN_FLOWS,
    "note_night": rights.RUN_FLOWS,
    "end_run": rights.RUN_FLOWS_FOR_ALL,  # a run is named, and whatever it had in hand ends
    "schedule": rights.RUN_FLOWS_FOR_ALL,
    "sign_of_life": rights.RUN_FLOWS_FOR_ALL,
    "readiness": rights.RUN_FLOWS_FOR_ALL,
    "due": rights.RUN_FLOWS,
    "begin_lookup": rights.RUN_FLOWS,
    "checked": rights.RUN_FLOWS,
    "publish": rights.RUN_FLOWS,
    "settle_outbox": rights.RUN_FLOWS_FOR_ALL,
    "status": rights.RUN_FLOWS,
    "ledger": rights.RUN_FLOWS,
    "digests": rights.RUN_FLOWS_FOR_ALL,  # they hold everybody's mail address
    "due_webhooks": rights.RUN_FLOWS_FOR_ALL,
    "note_delivery": rights.RUN_FLOWS,
}


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
    begun = searches.of(con, plain.value("search", search))
    return [begun[0]] if begun else []


def check_clock(principal: Principal, arguments: Mapping[str, Any], wall: datetime) -> None:
    """Raise Refused where a token says a time that can't be now.

    What it wrote would stand in the ledger for years to come, and stop the nights of others. The
    owner's own secret may say any time, which replays need.
    """
    if principal.kind == Kind.OWNER:
        return
    if arguments.get("now"):
        _near("now", abs(plain.time("now", arguments["now"]) - wall), arguments["now"], wall)
    if arguments.get("due"):
        _near("due", plain.time("due", arguments["due"]) - wall, arguments["due"], wall)


def _near(name: str, away: timedelta, said: Any, wall: datetime) -> None:
    if away > TOLERANCE:
        raise Refused(
            f"{name}: this token says {said}, and it is {wall:%Y-%m-%d %H:%M} UTC here; set the clock of the machine"
            f" that it runs on. Other times (--now) are for the owner's own secret"
        )
