"""What is done to a selection of reports or to a whole view, to tags, and to views that are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview import ops, rights
from livereview.errors import Refused
from livereview.ops import collecting
from livereview.ops.acts_on_reports import MOST_REOPENED
from livereview.store import finding, records, tags
from livereview.store.saved_views import SavedView
from livereview.store.tags import COLOURS
from livereview.web import acts, guard, pages, record_table, record_view
from livereview.web.guard import ReviewContext

AT_ONCE = 500  # reports whose rows are in memory together for an export

FormId = Annotated[str, Depends(guard.form_id)]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an act is about: the view it was chosen in, and the reports."""

    query: str
    reports: list[str] = field(default_factory=list)


def act(
    context: guard.InReview,
    form: FormId,
    act: Annotated[str, Form()],
    record: Annotated[list[str] | None, Form()] = None,
    view: Annotated[str, Form()] = "",
    whole: Annotated[str, Form()] = "",
    tag: Annotated[str, Form()] = "",
    stage: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Do it to the marked reports, or to all of the view; back to the view, which says what was
    done.
    """
    chosen = _chosen(context, record or [], view, bool(whole))
    if not chosen.reports:
        return _back(context, chosen, "none", back=back)
    if act in ("tag", "untag"):
        collecting.put_tag(
            context.shared.store,
            id=f"{context.me}-{form}",
            review=context.review.id,
            reports=chosen.reports,
            name=tag,
            puts=act == "tag",
            author=context.me,
            now=context.shared.clock(),
        )
        return _back(context, chosen, act, len(chosen.reports), back=back)
    if act in ops.exchange.RECORD_FORMATS:
        return _export(context, chosen, act)
    if act == "ask":
        asked = collecting.ask_for_full_texts(
            context.shared.store,
            id=f"{context.me}-{form}",
            review=context.review.id,
            reports=chosen.reports,
            person=context.me,
            note="",
            now=context.shared.clock(),
        )
        return _back(context, chosen, "ask", asked.done, asked.refused, back=back)
    if act == "reopen":
        return _reopen(context, chosen, stage)
    choices = ("tag", "untag", *ops.exchange.RECORD_FORMATS, "ask", "reopen")
    raise HTTPException(422, f"act must be one of {', '.join(choices)}")


def _chosen(context: ReviewContext, marked: list[str], query: str, whole: bool) -> Chosen:
    view = record_view.read(parse_qsl(query))
    with context.shared.store.read() as con:
        if not whole:
            return Chosen(view.query, collecting.in_review(con, context.review.id, marked))
        eyes = record_table.eyes_of(con, context)
        asked = record_table.allowed(view, eyes, context).question
        return Chosen(view.query, list(finding.all_reports(con, context.review.id, asked, eyes)))


def _back(
    context: ReviewContext,
    chosen: Chosen,
    act: str,
    done: int = 0,
    refused: int = 0,
    back: str = "",
) -> Response:
    """To the view, or to the page of the one report that it was about."""
    base = f"/r/{context.review.id}/records"
    if back == "record" and len(chosen.reports) == 1:
        return RedirectResponse(f"{base}/{chosen.reports[0]}#tags", 303)
    told = urlencode({"did": act, "done": done, "refused": refused})
    query = f"{chosen.query}&{told}" if chosen.query else told
    return RedirectResponse(f"{base}?{query}", 303)


def _reopen(context: ReviewContext, chosen: Chosen, stage: str) -> Response:
    """On to the page that says what it would do."""
    if not context.may(rights.MANAGE):
        raise HTTPException(403, "Leads have reports decided again. Ask a lead.")
    if len(chosen.reports) > MOST_REOPENED:
        raise Refused(
            f"have at most {MOST_REOPENED} reports decided again at once; "
            f"these are {len(chosen.reports):,}"
        )
    given = {
        "records": ",".join(chosen.reports),
        "stage": stage or context.review.screening.stages[0],
    }
    acts.preview(context, "reopen_chosen", given)
    return acts.confirm(context, "reopen_chosen", given)


def _export(context: ReviewContext, chosen: Chosen, kind: str) -> Response:
    """The reports as a file, with what this visitor may see of their screening."""
    review = context.review.id
    entries = []
    with context.shared.store.read() as con:
        eyes = record_table.eyes_of(con, context)
        for start in range(0, len(chosen.reports), AT_ONCE):
            some = chosen.reports[start : start + AT_ONCE]
            members = records.reports(con, review, some)
            for row in finding.rows(con, review, some, eyes):
                shown, _ = records.merged(members[row.report_id])
                entries.append((shown, row))
    body = ops.exchange.export_records(context.review, entries, kind)
    headers = {"Content-Disposition": f'attachment; filename="{review}-records.{kind}"'}
    return Response(body, media_type=ops.exchange.RECORD_FORMATS[kind], headers=headers)


# Tags


def tags_page(context: guard.InReview) -> Response:
    """The review's tags, with how many reports have each."""
    return _tags(context)


def _tags(context: ReviewContext, problem: str = "", status: int = 200) -> Response:
    with context.shared.store.read() as con:
        shown = tags.of(con, context.review.id)
        counts = tags.counts(con, context.review.id)
    values = {"tags": shown, "counts": counts, "colours": COLOURS, "problem": problem}
    return pages.show("tags.html", context, status, **values)


def change_tag(
    context: guard.InReview,
    form: FormId,
    tag: Annotated[str, Form()],
    name: Annotated[str, Form()] = "",
    colour: Annotated[str, Form()] = COLOURS[0],
) -> Response:
    """Another name or colour."""
    try:
        collecting.change_tag(
            context.shared.store,
            id=f"{context.me}-{form}",
            review=context.review.id,
            tag=tag,
            name=name,
            colour=colour,
            author=context.me,
            now=context.shared.clock(),
        )
    except Refused as refusal:
        return _tags(context, f"{refusal.message}.", 422)
    return RedirectResponse(f"/r/{context.review.id}/tags", 303)


# Views that are kept


def keep_view(
    context: guard.InReview,
    form: FormId,
    view: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    team: Annotated[str, Form()] = "",
    drop: Annotated[str, Form()] = "",
) -> Response:
    """Keep the view under a name, or keep one no more."""
    id, now = f"{context.me}-{form}", context.shared.clock()
    query = record_view.read(parse_qsl(view)).query
    if drop:
        leads = context.may(rights.MANAGE)
        collecting.drop_view(
            context.shared.store,
            id=id,
            review=context.review.id,
            view=drop,
            person=context.me,
            leads=leads,
            now=now,
        )
    else:
        kept = SavedView("", name, query, bool(team), context.me)
        collecting.save_view(
            context.shared.store, id=id, review=context.review.id, view=kept, now=now
        )
    return RedirectResponse(f"/r/{context.review.id}/records?{query}", 303)
