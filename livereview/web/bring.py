"""Bringing records as files: choose them, see what was read, say which to take in, and see what
became of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import File, Form, HTTPException, UploadFile
from fastapi.responses import RedirectResponse, Response

from livereview import cells, ops
from livereview.errors import Refused
from livereview.ops.brought import Brought
from livereview.packed import Packed
from livereview.web import exchange, guard, pages
from livereview.web.acts import FormId, Sent
from livereview.web.guard import ReviewContext

MAPPED = (  # the fields that most tables have; others keep the headings that are known
    ("title", "Title"),
    ("authors", "Authors"),
    ("year", "Year"),
    ("abstract", "Abstract"),
    ("container_title", "Journal"),
    ("doi", "DOI"),
    ("pmid", "PubMed id"),
    ("url", "Address"),
)


def bring(
    context: guard.InReview, form: FormId, files: Annotated[list[UploadFile], File()]
) -> Response:
    """Look through what was chosen; nothing of it is in the review yet."""
    sent = [
        Packed(_name(file), file.file.read(ops.brought.LARGEST + 1))
        for file in files
        if file.filename
    ]
    try:
        brought = ops.brought.bring(
            context.shared.store,
            context.shared.settings.home,
            id=form,
            review=context.review.id,
            person=context.me,
            files=sent,
            now=context.shared.clock(),
        )
    except Refused as refusal:
        return exchange.show(context, 422, problem=f"{refusal.message}.")
    return RedirectResponse(_address(context, brought.id), 303)


def _name(file: UploadFile) -> str:
    """Without folders and control characters, and not too long for a ledger."""
    base = re.split(r"[\\/]", file.filename or "file")[-1]
    return re.sub(r"[\x00-\x1f\x7f]", " ", base)[:200] or "file"


def _address(context: ReviewContext, id: str) -> str:
    return f"/r/{context.review.id}/bring/{id}"


def _look(context: ReviewContext, id: str) -> Brought:
    """What this lead brought; 404 where it is gone, or somebody else's."""
    try:
        brought = ops.brought.look(context.shared.settings.home, id, context.review.id)
    except Refused as refusal:
        raise HTTPException(404, f"{refusal.message}.") from None
    if brought.person != context.me:
        raise HTTPException(404, f"{brought.person} brought these files, and goes on with them.")
    return brought


def page(context: guard.InReview, id: str) -> Response:
    """What is in the files, or what became of them."""
    return _show(context, _look(context, id))


def _show(
    context: ReviewContext, brought: Brought, status: int = 200, *, problem: str = ""
) -> Response:
    runs = context.shared.takings.runs(brought.id)
    return pages.show(
        "bring.html",
        context,
        status,
        brought=brought,
        address=_address(context, brought.id),
        mapped=MAPPED,
        runs=runs,
        stuck=brought.busy and not runs,
        ready=[file for file in brought.files if file.state in ("ready", "left", "failed")],
        problem=problem,
        rejects_kept=ops.brought.REJECTS,
    )


def rejects(context: guard.InReview, id: str, number: int) -> Response:
    """What of a file is no record, as a table to be mended by."""
    brought = _look(context, id)
    if not 0 <= number < len(brought.files):
        raise HTTPException(404, "There is no such file in this import.")
    body = cells.csv_text(("where", "why", "begins with"), brought.files[number].rejects)
    headers = {"Content-Disposition": 'attachment; filename="rejected.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def act(
    context: guard.InReview, id: str, form: FormId, sent: Sent, act: Annotated[str, Form()]
) -> Response:
    """Name the columns of a table, take files in, go on where that stopped, or give it up."""
    del form
    brought = _look(context, id)
    if context.shared.takings.runs(id):
        return RedirectResponse(_address(context, id), 303)
    home = context.shared.settings.home
    if act == "give up":
        ops.brought.give_up(home, id)
        return RedirectResponse(f"/r/{context.review.id}/files", 303)
    try:
        if act.startswith("columns."):
            return _name_columns(context, brought, act.removeprefix("columns."), sent)
        if act == "take":
            chosen = [number for number in range(len(brought.files)) if sent.get(f"take.{number}")]
            if not chosen:
                raise Refused("tick a file first")
            brought = ops.brought.ask(home, brought, chosen)
        elif act != "go on":
            raise Refused("act must be one of take, go on, give up")
    except Refused as refusal:
        return _show(context, brought, 422, problem=f"{refusal.message}.")
    if act == "go on":
        brought = ops.brought.ask_again(home, brought)
    shared = context.shared
    shared.takings.begin(shared.store, home, shared.clock, brought, grey=bool(sent.get("grey")))
    return RedirectResponse(_address(context, id), 303)


def _name_columns(
    context: ReviewContext, brought: Brought, number: str, sent: Mapping[str, str]
) -> Response:
    if not number.isdecimal():
        raise Refused("there is no such file in this import")
    named = {name: sent.get(f"column.{number}.{name}", "").strip() for name, _ in MAPPED}
    ops.brought.name_columns(
        context.shared.store, context.shared.settings.home, brought, int(number), named
    )
    return RedirectResponse(f"{_address(context, brought.id)}#file-{number}", 303)
