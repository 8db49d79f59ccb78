"""The lead's pages: what is wrong first, then what waits.

Every search that ever ran; tasks settled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import Depends, Form, HTTPException
from fastapi.responses import JSONResponse, RedirectResponse, Response

from livereview import ops
from livereview.store import acts as log
from livereview.store import evidence, matches, records, searches, withdrawals
from livereview.web import acts, guard, pages

REJECTS = 20
HELD_TIPS = "held tips"  # what the button for all of them sends as its task
SHOWN = 200  # attempts on the ledger's page; its JSON has all

ALARMS_SHOWN = 3  # of one cause at once; the others are opened when asked for


@dataclass(frozen=True, slots=True)
class Cause:
    """How a group of alarms is headed, and its one next step: words and where they lead."""

    heading: str
    step: str
    link: str


CAUSES = {
    "service": Cause("The service", "Tell whoever runs this server", ""),
    "published": Cause("The published pages", "See what is published", "#version"),
    "notices": Cause("Retractions and corrections", "Settle them", "#tasks"),
    "searches": Cause("Searches", "See what each run said", "/ledger"),
    "nights": Cause("Nights that did not begin", "See when each search last ran", "/ledger"),
    "look-ups": Cause("Look-ups of included reports", "See the look-ups that ran", "/ledger"),
    "retrieval": Cause("Reports to be retrieved", "Open the list", "/retrieval"),
    "build": Cause("The last build", "See what is published", "#version"),
    "forms": Cause("Extraction forms", "Open Evidence", "/evidence"),
    "signature": Cause("Waiting for a name", "Read and sign", "#sign"),
}
"""By the causes of `ops.status`; a link begins at the overview of the review."""


def page(room: guard.Here) -> Response:
    """Alarms, tasks, searches, the flow of records, the last rejects."""
    review = room.review.id
    desk = room.desk
    answer = ops.status.status(
        desk.store, now=desk.clock(), review=review, folder=desk.settings.site
    )
    status = answer["reviews"][0]
    service = {"cause": "service", "lines": answer["service"]}
    groups = [service, *status["alarm_groups"]] if answer["service"] else status["alarm_groups"]
    with room.desk.store.read() as con:
        values = {
            "rejects": searches.rejects(con, review, REJECTS),
            "to_extract": len(evidence.to_extract(con, review)),
            "doubtful": matches.doubtful_count(con, review),
            "withdrawn": withdrawals.in_force(con, review),
            "reading": ops.ranking.reading(con, review),
            "comments": sum(
                one.waiting
                for one in ops.consultation.state(con, review=review, now=room.desk.clock())
            ),
            "requests": log.open_requests(con, review),
            "first": None if status["opened"] else ops.impact.first(con, room.review.id),
            "form": uuid4().hex,
            "alarm_groups": groups,
            "causes": CAUSES,
            "alarms_shown": ALARMS_SHOWN,
        }
    return pages.show("lead.html", room, status=200, now=status, **values)


def curve(room: guard.Here, kind: Literal["svg", "png"]) -> Response:
    """The recall curve so far, as a picture."""
    with room.desk.store.read() as con:
        drawn = ops.ranking.curve(con, room.review.id, kind == "png")
    if drawn is None:
        raise HTTPException(404, "There is no curve before the first relevant report.")
    return Response(drawn, media_type="image/png" if kind == "png" else "image/svg+xml")


def why(room: guard.Here, record: str) -> Response:
    """Why a report ranks where it does."""
    with room.desk.store.read() as con:
        guard.recorded(con, room, record)
        known = records.current(con, [record])[record]
    told = ops.ranking.why(
        room.desk.store, review=room.review.id, record=record, now=room.desk.clock()
    )
    return pages.show("why.html", room, told=told, record=known)


def again(room: guard.Here, record: Annotated[str, Form()]) -> Response:
    """Say what it does to ask once more about a decision that the model doubts.

    Both votes stay in the books.
    """
    with room.desk.store.read() as con:
        guard.recorded(con, room, record)
    return acts.confirm(room, "look_again", {"record": record})


def reading(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    act: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
    number: Annotated[int, Form()] = 0,
) -> Response:
    """Stop the reading, read on, or draw an audit of what is unread."""
    asked: dict[str, Any] = {
        "id": form,
        "review": room.review.id,
        "by": room.me,
        "now": room.desk.clock(),
    }
    if act == "stop":
        # refused here where the test asks for a reason
        acts.preview(room, "stop_reading", {}, note or " ")
        return acts.confirm(room, "stop_reading", {}, note)
    if act == "read_on":
        ops.stopping.read_on(room.desk.store, **asked)
    elif act == "draw":
        ops.stopping.draw(room.desk.store, number=number, **asked)
    else:
        raise HTTPException(422, "act must be one of stop, read_on, draw")
    return RedirectResponse(f"/r/{room.review.id}#reading", 303)


def sign_off(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    content_hash: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Sign the changed conclusion that was on the page."""
    asked: dict[str, Any] = {
        "id": form,
        "review": room.review.id,
        "by": room.me,
        "now": room.desk.clock(),
    }
    ops.publish.sign(room.desk.store, content_hash=content_hash, note=note or None, **asked)
    return RedirectResponse(f"/r/{room.review.id}#version", 303)


def open_review(room: guard.Here, form: Annotated[str, Depends(guard.form_id)]) -> Response:
    """Let the review be public from now on, in the lead's name."""
    asked: dict[str, Any] = {
        "id": form,
        "review": room.review.id,
        "by": room.me,
        "now": room.desk.clock(),
    }
    ops.publish.open_review(room.desk.store, **asked)
    return RedirectResponse(f"/r/{room.review.id}#version", 303)


def withdraw(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    version: Annotated[int, Form()],
    act: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say what a withdrawal does, or let a withdrawn version stand again."""
    if act == "withdraw":
        given = {"version": str(version)}
        acts.preview(room, "withdraw", given, reason)
        return acts.confirm(room, "withdraw", given, reason)
    if act != "take_back":
        raise HTTPException(422, "act must be one of withdraw, take_back")
    asked: dict[str, Any] = {
        "id": form,
        "review": room.review.id,
        "by": room.me,
        "now": room.desk.clock(),
    }
    with room.desk.store.read() as con:
        holds = withdrawals.in_force(con, room.review.id).get(version)
        logged = holds is not None and log.known(con, holds.id)
    if holds is not None and logged and reason.strip():
        asked |= {"by": room.visit.principal, "author": room.me, "reason": reason}
        ops.acts.take_back(room.desk.store, act=holds.id, folder=room.desk.settings.site, **asked)
    else:
        site = room.desk.settings.site
        ops.withdraw.take_back(
            room.desk.store, version=version, reason=reason, folder=site, **asked
        )
    return RedirectResponse(f"/r/{room.review.id}#version", 303)


def ledger(room: guard.Here) -> Response:
    """Every attempt of every search, newest first."""
    told = ops.status.ledger_of(room.desk.store, review=room.review.id, now=room.desk.clock())[
        "attempts"
    ]
    return pages.show("ledger.html", room, attempts=told[:SHOWN], all=len(told))


def ledger_json(room: guard.Here) -> Response:
    """The whole ledger, as `livereview ledger --json` prints it."""
    return JSONResponse(
        ops.run(room.desk.store, room.desk.settings.site, "ledger", {"review": room.review.id})
    )


def settle(
    room: guard.Here,
    task: Annotated[str, Form()],
    outcome: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Close a task with the outcome whose button was pressed.

    Or decline all suggestions that are held back.
    """
    if task == HELD_TIPS and outcome == "declined":
        ops.tips.decline_held(
            room.desk.store, review=room.review.id, by=room.me, now=room.desk.clock()
        )
        return RedirectResponse(f"/r/{room.review.id}#tasks", 303)
    close = ops.tips.settle_tip if task.startswith("tip:") else ops.tasks.settle_task
    close(
        room.desk.store,
        review=room.review.id,
        task=task,
        outcome=outcome,
        by=room.me,
        note=note or None,
        now=room.desk.clock(),
    )
    return RedirectResponse(f"/r/{room.review.id}#tasks", 303)
