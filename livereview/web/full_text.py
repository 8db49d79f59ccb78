"""Full texts in the screening room: adding one to a report, and reading it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, File, Form, HTTPException, UploadFile
from fastapi.responses import FileResponse, RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.store import full_texts
from livereview.web import guard, screen


def add(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    file: Annotated[UploadFile, File()],
    back: Annotated[str, Form()] = "",
) -> Response:
    """Keep the PDF with the record's report and go back to it, or to the list of those to be
    retrieved.
    """
    here = f"/r/{room.review.id}/screen/full_text?record={record}"
    if back == "list":
        here = f"/r/{room.review.id}/retrieval?done={record}"
    elif back == "record":
        here = f"/r/{room.review.id}/records/{record}#files"
    with room.desk.store.read() as con:
        guard.recorded(con, room, record)
    try:
        attached = ops.full_text.attach(
            room.desk.store,
            room.desk.settings.full_texts,
            id=f"{room.me}-{form}",
            review=room.review.id,
            record=record,
            name=file.filename or "",
            body=file.file.read(ops.full_text.LARGEST + 1),
            author=room.me,
            now=room.desk.clock(),
        )
    except Refused as refusal:
        return screen.not_added(room, record, refusal.message)
    ops.quotes.look_up(
        room.desk.store,
        room.desk.settings.full_texts,
        review=room.review.id,
        now=room.desk.clock(),
    )
    # also where no quote waits for it: pages say what may run in it
    ops.page_texts.text_of(room.desk.settings.full_texts, attached["sha256"])
    return RedirectResponse(here, 303)


def read(room: guard.Here, sha256: str) -> Response:
    """The PDF, as a download: a file that somebody uploaded is never shown as a page of ours."""
    with room.desk.store.read() as con:
        name = full_texts.named(con, room.review.id, sha256)
    if name is None:
        raise HTTPException(404, "There is no such full text in this review.")
    target = ops.full_text.path(room.desk.settings.full_texts, sha256)
    if not target.exists():
        raise HTTPException(
            404,
            "This file is gone from the server's folder full-texts; ask the lead for the backup.",
        )
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(target, media_type="application/pdf", filename=name, headers=headers)
