"""Full texts in the screening room: adding one to a report, reading it, and looking for a quote in
it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, File, Form, HTTPException, Query, UploadFile
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response

from livereview import ops, rights
from livereview.errors import Refused
from livereview.evidence import places
from livereview.evidence.places import Looked
from livereview.ops import file_states, safe_copies
from livereview.pdf_text import STATES, PdfText
from livereview.store import full_texts, quote_places, records
from livereview.store.full_texts import FullText
from livereview.store.open import Connection
from livereview.web import guard, pages, reader, screen
from livereview.web.guard import ReviewContext
from livereview.web.reader import Mark, Reader, Start

LONGEST_QUOTE = 5_000  # characters that are looked for at once
NOT_HERE = "There is no such full text in this review."
GONE = "This file is gone from the server's folder full-texts; ask the lead for the backup."
# a browser's own viewer is an object of its page; nothing else may be loaded there
SHOWN_BY_BROWSER = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
_AT = re.compile(r"(\d{1,9})-(\d{1,9})")


def add(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    file: Annotated[UploadFile, File()],
    back: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "article",
    replaces: Annotated[str, Form()] = "",
) -> Response:
    """Keep the PDF with the record's report and go back to it, or to the list of those to be
    retrieved.

    Args:
        kind: What kind of file it is.
        replaces: The sha256 of the file of the report that it takes the place of.
    """
    here = f"/r/{context.review.id}/screen/full_text?record={record}"
    if back == "list":
        here = f"/r/{context.review.id}/retrieval?done={record}"
    elif back == "record":
        here = f"/r/{context.review.id}/records/{record}#files"
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
    try:
        attached = ops.full_text.attach(
            context.shared.store,
            context.shared.settings.full_texts,
            id=f"{context.me}-{form}",
            review=context.review.id,
            record=record,
            name=file.filename or "",
            body=file.file.read(ops.full_text.LARGEST + 1),
            author=context.me,
            now=context.shared.clock(),
        )
        _say_of_new(context, form, attached["sha256"], kind, replaces)
    except Refused as refusal:
        return screen.not_added(context, record, refusal.message)
    _look_up_quotes(context)
    # also where no quote waits for it: pages say what may run in it
    ops.page_texts.text_of(context.shared.settings.full_texts, attached["sha256"])
    return RedirectResponse(here, 303)


def _say_of_new(context: ReviewContext, form: str, sha256: str, kind: str, replaces: str) -> None:
    """What was said of a file while it was added: nothing of most."""
    common: dict[str, Any] = {
        "review": context.review.id,
        "author": context.me,
        "now": context.shared.clock(),
    }
    if kind != "article":
        file_states.say(
            context.shared.store, id=f"{context.me}-{form}-kind", sha256=sha256, kind=kind, **common
        )
    if replaces and replaces != sha256:
        file_states.say(
            context.shared.store,
            id=f"{context.me}-{form}-replaces",
            sha256=replaces,
            state="replaced",
            replaced_by=sha256,
            **common,
        )


def _look_up_quotes(context: ReviewContext) -> None:
    ops.quotes.look_up(
        context.shared.store,
        context.shared.settings.full_texts,
        review=context.review.id,
        now=context.shared.clock(),
    )


def say(
    context: guard.InReview,
    sha256: str,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    kind: Annotated[str, Form()] = "article",
    state: Annotated[str, Form()] = "used",
    replaced_by: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say what kind of file it is, and whether it is used; back to the page of its report."""
    with context.shared.store.read() as con:
        _file(con, context, sha256)
        guard.recorded(con, context, record)
    file_states.say(
        context.shared.store,
        id=f"{context.me}-{form}",
        review=context.review.id,
        sha256=sha256,
        kind=kind,
        state=state,
        replaced_by=replaced_by if state == "replaced" else "",
        reason=reason,
        author=context.me,
        now=context.shared.clock(),
    )
    _look_up_quotes(context)
    return RedirectResponse(f"/r/{context.review.id}/records/{record}#files", 303)


def read(context: guard.InReview, sha256: str) -> Response:
    """The PDF, as a download: a file that somebody uploaded is never shown as a page of ours."""
    with context.shared.store.read() as con:
        file = _file(con, context, sha256)
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(
        _target(context, sha256), media_type="application/pdf", filename=file.name, headers=headers
    )


def _file(con: Connection, context: ReviewContext, sha256: str) -> FullText:
    """A file of this review; anything else is not there."""
    file = full_texts.one(con, context.review.id, sha256)
    if file is None:
        raise HTTPException(404, NOT_HERE)
    return file


def _target(context: ReviewContext, sha256: str) -> Path:
    target = ops.full_text.path(context.shared.settings.full_texts, sha256)
    if not target.exists():
        raise HTTPException(404, GONE)
    return target


def copy(context: guard.InReview, sha256: str) -> Response:
    """The PDF without what may run in it, which a browser may show; parts of it can be asked for."""
    with context.shared.store.read() as con:
        file = _file(con, context, sha256)
    _target(context, sha256)
    safe = safe_copies.copy_of(context.shared.settings.full_texts, sha256)
    if safe is None:
        raise HTTPException(422, safe_copies.NO_COPY)
    return FileResponse(
        safe,
        media_type="application/pdf",
        filename=file.name,
        content_disposition_type="inline",
        headers={"Content-Security-Policy": SHOWN_BY_BROWSER},
    )


def view(
    context: guard.InReview, sha256: str, page: int = 1, at: str = "", words: str = ""
) -> Response:
    """A page on which the file is read: beside its text, so that it can be read without scripts.

    Args:
        page: Where it opens.
        at: Start and end, in the text of the file, of what is pointed at: "120-240".
        words: Anything: wait for the text of the file where it was not yet taken out.
    """
    span = _span(at)
    with context.shared.store.read() as con:
        file = _file(con, context, sha256)
        report = full_texts.report_of(con, context.review.id, sha256)
        members = records.reports(con, context.review.id, [report]).get(report, [])
        marks = _marks(con, context, sha256)
        if span:
            pointed = quote_places.at(con, context.review.id, sha256, span)
        else:
            pointed = None
    _target(context, sha256)
    text = _text(context, sha256, wait=bool(words))
    shown = Reader(
        base=f"/r/{context.review.id}",
        files=(file,),
        marks=marks,
        terms=reader.terms(context.review.highlights),
        start=_start(text, page, span, pointed) if page > 1 or span else None,
    )
    return pages.show(
        "full_text.html",
        context,
        file=file,
        report=report,
        record=records.merged(members)[0] if members else None,
        reader=shown,
        plain=reader.plain_page(text, page, span) if text else None,
        problem=STATES[text.state] if text else "",
        taken_out=text is not None,
        cautions=ops.page_texts.cautions(context.shared.settings.full_texts, [sha256]),
    )


def _text(context: ReviewContext, sha256: str, *, wait: bool) -> PdfText | None:
    """The text of a file; None where it was not yet taken out, which takes a minute for a book."""
    if wait:
        return ops.page_texts.text_of(context.shared.settings.full_texts, sha256)
    return ops.page_texts.kept_text_of(context.shared.settings.full_texts, sha256)


def _span(at: str) -> tuple[int, int] | None:
    match = _AT.fullmatch(at)
    return (int(match[1]), int(match[2])) if match else None


def _start(
    text: PdfText | None, page: int, span: tuple[int, int] | None, pointed: Looked | None
) -> Start:
    """Where the file opens: what is pointed at is marked, line by line."""
    if pointed is not None:
        return Start(page, reader.boxes_of(pointed))
    if span is None or text is None:
        return Start(page)
    boxes = text.boxes(*span)[: ops.quotes.MOST_BOXES]
    return Start(
        page, tuple((number, box.left, box.bottom, box.right, box.top) for number, box in boxes)
    )


def _marks(con: Connection, context: ReviewContext, sha256: str) -> tuple[Mark, ...]:
    """The quotes in force that stand in this file, for those who see the evidence."""
    if not context.may(rights.SEE_AS_VOTER):
        return ()
    marks = [
        reader.mark(study, standing.looked)
        for study, standings in ops.quotes.in_force(con, context.review.id).items()
        for standing in standings
        if standing.looked and standing.state == "in its place"
    ]
    return tuple(mark for mark in marks if mark.sha256 == sha256)


def find(
    context: guard.InReview, sha256: str, quote: Annotated[str, Query(max_length=LONGEST_QUOTE)]
) -> Response:
    """Whether the file holds this quote, and where: for a form that is being typed."""
    with context.shared.store.read() as con:
        _file(con, context, sha256)
    looked = ops.quotes.look_for(context.shared.settings.full_texts, sha256, quote)
    if looked is None:
        raise HTTPException(404, GONE)
    standing = places.standing(quote, [sha256], {(quote, sha256): looked})
    return JSONResponse(
        {
            "words": standing.words,
            "caution": standing.caution,
            "page": looked.page,
            "boxes": reader.boxes_of(looked),
        }
    )
