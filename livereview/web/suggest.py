"""The public form "suggest a study": for readers who know of one that the review has not got."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from livereview.errors import Refused
from livereview.ops import surveil, tips
from livereview.review import Review
from livereview.store import searches
from livereview.web import guard, pages

EACH = 5  # suggestions from one address in WITHIN
WITHIN = timedelta(hours=1)


def page(request: Request, review: str) -> Response:
    """The empty form."""
    return _form(_review(request, review))


def send(
    request: Request,
    review: str,
    form: Annotated[str, Form()] = "",
    title: Annotated[str, Form()] = "",
    link: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    website: Annotated[str, Form()] = "",
) -> Response:
    """Take a suggestion down. `website` is a field that people do not see: who fills it in is no person."""
    desk, found = guard.desk(request), _review(request, review)
    given = {"title": title, "link": link, "note": note}
    if website:
        return _form(found, done="Thank you.")
    if problem := _too_many(request, desk.clock()):
        return _form(found, problem, 429, given)
    try:
        known = form if re.fullmatch(r"[0-9a-f]{32}", form) else pages.new_id()
        tips.suggest(desk.store, review=review, id=known, now=desk.clock(), **given)
    except Refused as refusal:
        return _form(found, refusal.message, 422, given)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"suggested": title}, 201)
    return _form(found, done=f"Thank you. The review's team will look at “{title.strip()}”.")


def _review(request: Request, review: str) -> Review:
    with guard.desk(request).store.read() as con:
        if not re.fullmatch(r"[a-z0-9-]{1,64}", review) or searches.protocol_text(con, review) is None:
            raise HTTPException(404, "There is no review of this name here.")
        return surveil.protocol(con, review)


def _too_many(request: Request, now: datetime) -> str | None:
    sent: dict[str, list[datetime]] = guard.desk(request).suggested
    address = request.client.host if request.client else ""
    for key in [key for key, times in sent.items() if now - times[-1] >= WITHIN]:
        del sent[key]
    times = [time for time in sent.get(address, []) if now - time < WITHIN]
    if len(times) >= EACH:
        return "You have sent several suggestions already. Please come back in an hour."
    sent[address] = [*times, now]
    return None


def _form(
    review: Review,
    problem: str | None = None,
    status: int = 200,
    given: dict[str, str] | None = None,
    done: str | None = None,
) -> Response:
    given = given or {"title": "", "link": "", "note": ""}
    return pages.render("suggest.html", None, status, review=review, problem=problem, given=given, done=done)
