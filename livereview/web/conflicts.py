"""Where reviewers differ, and a third person settles it with both votes before them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview.errors import Refused
from livereview.ops.screen import Outdated, Stale
from livereview.store import decisions
from livereview.store.open import Connection
from livereview.store.standings import Standing
from livereview.web import as_shown, card, guard, lines, pages
from livereview.web.guard import ReviewContext
from livereview.web.lines import Line
from livereview.web.mine import report_of
from livereview.web.screen import (
    Draft,
    Posted,
    field_of,
    late_line,
    outdated_words,
    posting,
    refusal_words,
    write,
)

ROLE = "adjudication"


def page(
    context: guard.InReview, at: int = 0, done: str = "", stage: str = "", dropped: str = ""
) -> Response:
    """One conflict; `at` counts them."""
    with context.shared.store.read() as con:
        if dropped:
            more = "The reason was left out: it belongs to an exclusion."
        else:
            more = ""
        line = lines.done(con, context, done, stage, ROLE, more=more)
        return _show(con, context, at, Draft(), line)


def _show(
    con: Connection,
    context: ReviewContext,
    at: int,
    draft: Draft,
    line: Line | None = None,
    status: int = 200,
    wanted: str = "",
) -> Response:
    """The conflict on the report `wanted`, if there is one, else the one that is number `at`."""
    found = decisions.conflicts(con, context.review.id)
    places = {standing.report_id: place for place, standing in enumerate(found)}
    at = places.get(wanted, at if 0 <= at < len(found) else 0)
    case = _case(con, context, found[at]) if found else None
    values = {"case": case, "at": at, "count": len(found), "draft": draft, "line": line}
    return pages.show("conflicts.html", context, status, **values)


def _case(con: Connection, context: ReviewContext, standing: Standing) -> dict[str, Any]:
    """The report, the votes on it, and why I may not settle it, if I may not."""
    votes = decisions.on_report(con, context.review.id, standing.report_id, standing.stage)
    named = context.review.screening.adjudicators
    barred = None
    if context.me in {vote["reviewer"] for vote in votes}:
        barred = "You voted on this record, so a third person must settle it."
    elif named and context.me not in named:
        barred = f"review.toml names who settles conflicts: {', '.join(named)}."
    shown = card.of(con, context.review.id, standing.report_id, context.review.highlights)
    return {
        "card": shown,
        "sealed": as_shown.seal(
            as_shown.of(con, context, shown, standing.report_id), context.user.csrf
        ),
        "stage": standing.stage,
        "votes": votes,
        "barred": barred,
        "reasons": {reason.id: reason.label for reason in context.review.reasons},
    }


def settle(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    stage: Annotated[str, Form()],
    verdict: Annotated[str, Form()],
    at: Annotated[int, Form()] = 0,
    reason: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    tags: Annotated[str, Form()] = "",
    shown: Annotated[str, Form()] = "",
    instead: Annotated[str, Form()] = "",
) -> Response:
    """Settle a conflict as a third person; the votes stay as they are.

    What is not done is told above the next one.
    """
    if stage not in context.review.screening.stages:
        raise HTTPException(404, "This review has no such stage.")
    draft = Draft(reason, note.strip(), tags=tags)
    posted = posting(form, record, stage, verdict, draft, shown, instead)
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
    if refused := _write(context, at, posted):
        return refused
    dropped = "&dropped=1" if posted.dropped else ""
    return RedirectResponse(
        f"/r/{context.review.id}/conflicts?at={at}&done={record}&stage={stage}{dropped}", 303
    )


def _write(context: ReviewContext, at: int, posted: Posted) -> Response | None:
    """Write it, or give the page that says why not."""
    draft = posted.draft
    try:
        if posted.verdict not in ("include", "exclude"):
            raise Refused("choose include or exclude")
        answer = write(context, posted, ROLE)
    except Stale as late:
        with context.shared.store.read() as con:
            return _show(
                con, context, at, Draft(), late_line(con, context, posted, late, ROLE), 409
            )
    except Outdated as change:
        with context.shared.store.read() as con:
            problem = outdated_words(con, context, posted, change)
            report = report_of(con, posted.record)
            return _show(con, context, at, replace(draft, problem=problem), None, 409, report)
    except Refused as refusal:
        with context.shared.store.read() as con:
            problem = refusal_words(refusal, context.review)
            mended = replace(draft, problem=problem, field=field_of(refusal))
            return _show(con, context, at, mended, None, 422, report_of(con, posted.record))
    if answer["stands"]:
        return None
    with context.shared.store.read() as con:
        line = lines.used(con, posted.record, posted.stage, posted.draft.note, ROLE)
        return _show(con, context, at, Draft(), line, 409)
