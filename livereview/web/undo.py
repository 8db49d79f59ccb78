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
from livereview.web.guard import ReviewContext
from livereview.web.mine import SHOWN, my_vote, my_word, report_of


def undo(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    stage: Annotated[str, Form()],
    role: Annotated[str, Form()] = "vote",
) -> Response:
    """Take back my decision on this report and show the report again; sent twice it counts once.

    Where the team has settled the report by it, nothing is taken back: the next page says what a
    lead can do.
    """
    id = f"{context.me}-{form}"
    with context.shared.turns[context.me]:
        with context.shared.store.read() as con:
            guard.recorded(con, context, record)
            word = my_word(con, context, record, stage, role) or my_vote(
                con, context, record, stage, role
            )
            known = calibration.known(con, id)
            report = report_of(con, record)
        if word and not known:
            record = word["record_id"]
            if role == "vote":  # before it waits for somebody again, so that it comes back to me
                place = context.review.id, stage
                context.shared.leases.give(place, context.me, report, context.shared.clock())
            try:
                _take_back(context, id, record, stage, role, "item" in word)
            except TeamsOutcome:
                return acts.confirm(
                    context, "take_back_word", {"record": record, "stage": stage, "role": role}
                )
    return RedirectResponse(_back(context, record, stage, role), 303)


def _take_back(
    context: ReviewContext, id: str, record: str, stage: str, role: str, again: bool
) -> None:
    asked: dict[str, Any] = {
        "id": id,
        "review": context.review.id,
        "record": record,
        "stage": stage,
    }
    asked |= {"reviewer": context.me, "verdict": "withdrawn", "now": context.shared.clock()}
    if again:
        hidden.answer(context.shared.store, **asked)
    else:
        ops.screen.decide(context.shared.store, role=role, settled_stays=True, **asked)


def _back(context: ReviewContext, record: str, stage: str, role: str) -> str:
    here = f"/r/{context.review.id}"
    if role == "vote" and context.may(rights.SCREEN):
        return f"{here}/screen/{stage}?record={record}&undone={record}"
    if role == "adjudication" and guard.may_adjudicate(context):
        return f"{here}/conflicts"
    return f"{here}/history"


def history(context: guard.InReview) -> Response:
    """My own decisions in force, newest first."""
    with context.shared.store.read() as con:
        rows = mine.history(con, context)
        requests = acts.my_requests(con, context)
        titles = {
            key: record.title
            for key, record in records.current(con, {row["record_id"] for row in rows}).items()
        }
    reasons = {reason.id: reason.label for reason in context.review.reasons}
    return pages.show(
        "history.html",
        context,
        rows=rows,
        titles=titles,
        reasons=reasons,
        limit=SHOWN,
        requests=requests,
    )
