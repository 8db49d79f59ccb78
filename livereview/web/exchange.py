"""The lead's page for files of other tools: decisions in, records and decisions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import uuid4

from fastapi import File, Form, HTTPException, UploadFile
from fastapi.responses import Response

from livereview import ops, parsing
from livereview.errors import LivereviewError
from livereview.exchange import decisions, repeats
from livereview.store import voters
from livereview.web import guard, pages
from livereview.web.guard import ReviewContext

LISTED = 200  # refused rows shown


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file's rows; `refused`: (row, why)."""

    name: str
    kind: str
    written: int
    known: int
    undecided: int
    refused: list[tuple[int, str]]


def page(context: guard.InReview) -> Response:
    """Records and decisions in, and both out."""
    return show(context)


def show(context: ReviewContext, status: int = 200, *, problem: str = "") -> Response:
    """The page, with what went wrong."""
    return pages.show("exchange.html", context, status, report=None, problem=problem, listed=LISTED)


def take(
    context: guard.InReview,
    file: Annotated[UploadFile, File()],
    stage: Annotated[str, Form()] = "",
    reviewer: Annotated[str, Form()] = "",
    settled: Annotated[str, Form()] = "",
) -> Response:
    """Write every row that can be; the others are named with their reason.

    The same file again changes nothing,
    unless something else was said since.
    """
    body, name = file.file.read(), (file.filename or "file")[:200]
    try:
        sheet = parsing.read_decisions(parsing.ReadTable(body, name))
        rows = [
            replace(
                row,
                stage=row.stage or stage or None,
                reviewer=row.reviewer or reviewer.strip() or None,
            )
            for row in sheet.rows
        ]
        report = _take(context, sheet, rows, name, change_settled=settled == "change")
    except LivereviewError as problem:
        return show(context, 422, problem=problem.message)
    return pages.show("exchange.html", context, report=report, problem="", listed=LISTED)


def _take(
    context: ReviewContext,
    sheet: decisions.Sheet,
    rows: Sequence[decisions.Row],
    name: str,
    *,
    change_settled: bool,
) -> Report:
    written, known, refused = 0, 0, list(sheet.problems)
    for row, asked in repeats.in_order(rows):
        try:
            done = ops.exchange.take_decision(
                context.shared.store,
                id=uuid4().hex,
                review=context.review.id,
                now=context.shared.clock(),
                change_settled=change_settled,
                **asked,
            )
        except LivereviewError as problem:
            refused.append((row.number, problem.message))
        else:
            written, known = written + (not done["known"]), known + done["known"]
    return Report(name, sheet.kind, written, known, sheet.undecided, sorted(refused))


def export(context: guard.InReview, kind: str) -> Response:
    """Records and decisions, or what was extracted from studies, as a download."""
    if kind in ops.exchange.STUDY_FORMATS:
        with context.shared.store.read() as con:
            body = ops.exchange.export_studies(con, context.review.id, kind, context.shared.clock())
        media = ops.exchange.STUDY_FORMATS[kind]
        return _download(f"{context.review.id}-{kind}", media, body)
    if kind not in ops.exchange.FORMATS:
        choices = ", ".join([*ops.exchange.FORMATS, *ops.exchange.STUDY_FORMATS])
        raise HTTPException(404, f"There is no export of this kind; choose {choices}.")
    with context.shared.store.read() as con:
        eyes = voters.eyes(con, context.review.id, context.me)
        body = ops.exchange.export(con, context.review.id, kind, context.shared.clock(), eyes)
    name = f"{context.review.id}-decisions.{kind}"
    return _download(name, ops.exchange.FORMATS[kind], body)


def _download(name: str, media: str, body: bytes) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=media, headers=headers)
