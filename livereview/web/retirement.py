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
from livereview.web.guard import ReviewContext

FormId = Annotated[str, Depends(guard.form_id)]


def page(context: guard.InReview) -> Response:
    """The page as it is now."""
    return _show(context)


def _show(
    context: ReviewContext,
    status: int = 200,
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    """The page, with what was typed in a form that was refused."""
    store, now = context.shared.store, context.shared.clock()
    told = ops.retirement.monitor(store, review=context.review.id, now=now, person=context.me)
    kept = {"reason": "", "not_asked": "", "no_resources": "", "note": "", **(typed or {})}
    return pages.show(
        "retirement.html",
        context,
        status,
        told=told,
        verdicts=VERDICTS,
        problem=problem,
        typed=kept,
    )


def propose(
    context: guard.InReview,
    form: FormId,
    kind: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    not_asked: Annotated[str, Form()] = "",
    no_resources: Annotated[str, Form()] = "",
) -> Response:
    """Move that the review retires or comes back."""
    typed = {"reason": reason, "not_asked": not_asked, "no_resources": no_resources}
    asked: dict[str, Any] = {**_asked(context, form), **typed}
    try:
        ops.retirement.propose(context.shared.store, kind=kind, **asked)
    except Refused as refusal:
        return _show(context, 422, refusal.message, typed)
    return _back(context)


def vote(
    context: guard.InReview,
    form: FormId,
    proposal: Annotated[str, Form()],
    verdict: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Vote on the proposal that was on the page, or change one's vote."""
    try:
        ops.retirement.vote(
            context.shared.store,
            verdict=verdict,
            proposal=proposal,
            note=note or None,
            **_asked(context, form),
        )
    except Refused as refusal:
        return _show(context, 422, refusal.message, {"note": note})
    return _back(context)


def close(context: guard.InReview, proposal: Annotated[str, Form()]) -> Response:
    """Say what ending the vote does; the page after that ends and counts it."""
    try:
        acts.preview(context, "close_vote", {"proposal": proposal})
    except Refused as refusal:
        return _show(context, 422, refusal.message)
    return acts.confirm(context, "close_vote", {"proposal": proposal})


def _asked(context: ReviewContext, form: str) -> dict[str, Any]:
    return {
        "id": form,
        "review": context.review.id,
        "by": context.me,
        "now": context.shared.clock(),
    }


def _back(context: ReviewContext) -> Response:
    return RedirectResponse(f"/r/{context.review.id}/retirement", 303)
