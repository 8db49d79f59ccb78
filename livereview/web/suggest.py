"""The public form "suggest a study": for readers who know of one that the review has not got."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Form, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from livereview.errors import Refused
from livereview.ops import tips
from livereview.ops.protocols import protocol
from livereview.review import Review
from livereview.store import searches
from livereview.web import guard, pages

EACH = 5  # suggestions from one network in an hour
FORM = "suggest"
LATER = "Please come back in an hour."


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
    """Take a suggestion down.

    `website` is a field that people do not see: who fills it in is no person.
    """
    shared, found = guard.shared(request), _review(request, review)
    given = {"title": title, "link": link, "note": note}
    if website:
        return _form(found, done="Thank you.")
    address, now = guard.address_of(request), shared.clock()
    if wait := shared.senders.take(FORM, address, now, EACH):
        return _later(
            _form(found, "You have sent several suggestions already. " + LATER, 429, given), wait
        )
    noisy = shared.senders.noisy(FORM, address, now)
    try:
        known = form if re.fullmatch(r"[0-9a-f]{32}", form) else pages.new_id()
        tips.suggest(shared.store, review=review, id=known, now=now, noisy=noisy, **given)
    except Refused as refusal:
        return _form(found, refusal.message, 422, given)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"suggested": title}, 201)
    return _form(found, done=f"Thank you. The review's team will look at “{title.strip()}”.")


def _later(answer: Response, seconds: int) -> Response:
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _review(request: Request, review: str) -> Review:
    with guard.shared(request).store.read() as con:
        if (
            not re.fullmatch(r"[a-z0-9-]{1,64}", review)
            or searches.protocol_text(con, review) is None
        ):
            raise HTTPException(404, "There is no review of this name here.")
        return protocol(con, review)


def _form(
    review: Review,
    problem: str | None = None,
    status: int = 200,
    given: dict[str, str] | None = None,
    done: str | None = None,
) -> Response:
    given = given or {"title": "", "link": "", "note": ""}
    return pages.render(
        "suggest.html", None, status, review=review, problem=problem, given=given, done=done
    )
