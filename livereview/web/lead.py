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
from livereview.commands import ReadLedger
from livereview.commands.wire import encode_answer
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
    "ranking": Cause("What the ranking does not know", "Draw a random share", "#reading"),
    "assistant": Cause("The second opinion", "See what came back", "/assistant"),
    "build": Cause("The last build", "See what is published", "#version"),
    "forms": Cause("Extraction forms", "Open Evidence", "/evidence"),
    "signature": Cause("Waiting for a name", "Read and sign", "#sign"),
}
"""By the causes of `ops.status`; a link begins at the overview of the review."""


def page(context: guard.InReview) -> Response:
    """Alarms, tasks, searches, the flow of records, the last rejects."""
    review = context.review.id
    shared = context.shared
    answer = ops.status.status(
        shared.store, now=shared.clock(), review=review, folder=shared.settings.site
    )
    status = answer["reviews"][0]
    service = {"cause": "service", "lines": answer["service"]}
    if answer["service"]:
        groups = [service, *status["alarm_groups"]]
    else:
        groups = status["alarm_groups"]
    with context.shared.store.read() as con:
        values = {
            "rejects": searches.rejects(con, review, REJECTS),
            "to_extract": len(evidence.to_extract(con, review)),
            "doubtful": matches.doubtful_count(con, review),
            "withdrawn": withdrawals.in_force(con, review),
            "reading": ops.ranking.reading(con, review),
            "comments": sum(
                one.waiting
                for one in ops.consultation.state(con, review=review, now=context.shared.clock())
            ),
            "requests": log.open_requests(con, review),
            "first": None if status["opened"] else ops.impact.first(con, context.review.id),
            "form": uuid4().hex,
            "alarm_groups": groups,
            "causes": CAUSES,
            "alarms_shown": ALARMS_SHOWN,
        }
    return pages.show("lead.html", context, status=200, now=status, **values)


def curve(context: guard.InReview, kind: Literal["svg", "png"]) -> Response:
    """The recall curve so far, as a picture."""
    with context.shared.store.read() as con:
        drawn = ops.ranking.curve(con, context.review.id, kind == "png")
    if drawn is None:
        raise HTTPException(404, "There is no curve before the first relevant report.")
    return Response(drawn, media_type="image/png" if kind == "png" else "image/svg+xml")


def why(context: guard.InReview, record: str) -> Response:
    """Why a report ranks where it does."""
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
        known = records.current(con, [record])[record]
    told = ops.ranking.why(
        context.shared.store, review=context.review.id, record=record, now=context.shared.clock()
    )
    return pages.show("why.html", context, told=told, record=known)


def again(context: guard.InReview, record: Annotated[str, Form()]) -> Response:
    """Say what it does to ask once more about a decision that the model doubts.

    Both votes stay in the books.
    """
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
    return acts.confirm(context, "look_again", {"record": record})


def reading(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    act: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
    number: Annotated[int, Form()] = 0,
) -> Response:
    """Stop the reading, read on, or draw an audit of what is unread."""
    asked: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "by": context.me,
        "now": context.shared.clock(),
    }
    if act == "stop":
        # refused here where the test asks for a reason
        acts.preview(context, "stop_reading", {}, note or " ")
        return acts.confirm(context, "stop_reading", {}, note)
    if act == "read_on":
        ops.stopping.read_on(context.shared.store, **asked)
    elif act == "draw":
        ops.stopping.draw(context.shared.store, number=number, **asked)
    else:
        raise HTTPException(422, "act must be one of stop, read_on, draw")
    return RedirectResponse(f"/r/{context.review.id}#reading", 303)


def sign_off(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    content_hash: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Sign the changed conclusion that was on the page."""
    asked: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "by": context.me,
        "now": context.shared.clock(),
    }
    ops.publish.sign(context.shared.store, content_hash=content_hash, note=note or None, **asked)
    return RedirectResponse(f"/r/{context.review.id}#version", 303)


def open_review(context: guard.InReview, form: Annotated[str, Depends(guard.form_id)]) -> Response:
    """Let the review be public from now on, in the lead's name."""
    asked: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "by": context.me,
        "now": context.shared.clock(),
    }
    ops.publish.open_review(context.shared.store, **asked)
    return RedirectResponse(f"/r/{context.review.id}#version", 303)


def withdraw(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    version: Annotated[int, Form()],
    act: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say what a withdrawal does, or let a withdrawn version stand again."""
    if act == "withdraw":
        given = {"version": str(version)}
        acts.preview(context, "withdraw", given, reason)
        return acts.confirm(context, "withdraw", given, reason)
    if act != "take_back":
        raise HTTPException(422, "act must be one of withdraw, take_back")
    asked: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "by": context.me,
        "now": context.shared.clock(),
    }
    with context.shared.store.read() as con:
        holds = withdrawals.in_force(con, context.review.id).get(version)
        logged = holds is not None and log.known(con, holds.id)
    if holds is not None and logged and reason.strip():
        asked |= {"by": context.user.principal, "author": context.me, "reason": reason}
        ops.acts.take_back(
            context.shared.store, act=holds.id, folder=context.shared.settings.site, **asked
        )
    else:
        site = context.shared.settings.site
        ops.withdraw.take_back(
            context.shared.store, version=version, reason=reason, folder=site, **asked
        )
    return RedirectResponse(f"/r/{context.review.id}#version", 303)


def ledger(context: guard.InReview) -> Response:
    """Every attempt of every search, newest first."""
    told = ops.status.ledger_of(
        context.shared.store, review=context.review.id, now=context.shared.clock()
    )["attempts"]
    return pages.show("ledger.html", context, attempts=told[:SHOWN], all=len(told))


def ledger_json(context: guard.InReview) -> Response:
    """The whole ledger, as `livereview ledger --json` prints it."""
    shared = context.shared
    ledger = ops.run(shared.store, shared.settings.site, ReadLedger(review=context.review.id))
    return JSONResponse(encode_answer(ledger))


def settle(
    context: guard.InReview,
    task: Annotated[str, Form()],
    outcome: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Close a task with the outcome whose button was pressed.

    Or decline all suggestions that are held back.
    """
    if task == HELD_TIPS and outcome == "declined":
        ops.tips.decline_held(
            context.shared.store,
            review=context.review.id,
            by=context.me,
            now=context.shared.clock(),
        )
        return RedirectResponse(f"/r/{context.review.id}#tasks", 303)
    close = ops.tips.settle_tip if task.startswith("tip:") else ops.tasks.settle_task
    close(
        context.shared.store,
        review=context.review.id,
        task=task,
        outcome=outcome,
        by=context.me,
        note=note or None,
        now=context.shared.clock(),
    )
    return RedirectResponse(f"/r/{context.review.id}#tasks", 303)
