"""How the HTTP API answers, in one place: problems, pages of a list, tags of bodies, repeated
requests.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Header, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from livereview.rights import Kind
from livereview.web import guard
from livereview.web.guard import Room, Visit
from livereview.web.v1.models import Page

ROOT = "/api/v1"
PROBLEM = "application/problem+json"
MOST = 200  # items of a list in one answer
USUAL = 50
Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many items at most.")]
After = Annotated[
    str, Query(max_length=500, description="Where the list goes on: take it from `next`.")
]
ReviewId = Annotated[str, Path(description="The id of a review.", examples=["signs-of-safety"])]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        description="The same key again gives the same answer and writes nothing.",
    ),
]


def is_api(path: str) -> bool:
    """Whether an address belongs to the API."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def problem(
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error in the API's language."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = list(errors)
    sent = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        sent["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, media_type=PROBLEM, headers=sent)


def invalid(errors: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """The problem of a request that does not fit its description, field by field."""
    named = [{"pointer": _pointer(error["loc"]), "detail": str(error["msg"])} for error in errors]
    words = "; ".join(f"{error['pointer']}: {error['detail']}" for error in named[:5])
    return problem(422, f"The request does not fit its description: {words}", named)


def _pointer(place: Sequence[Any]) -> str:
    """Where a field is: #/tags/0 in the body, else the name of a parameter."""
    where, *inner = place
    path = "/".join(str(part) for part in inner)
    return f"#/{path}" if where == "body" else path


def here(request: Request, review: ReviewId) -> Room:
    """The review of the address, and who was let into it."""
    return guard.room(request)


def changing(request: Request) -> Visit:
    """Who was let in to change something: a token only.

    A browser sends its session with requests that another site made; a token is sent on purpose.
    """
    visit = guard.visit(request)
    if visit.principal.kind != Kind.TOKEN:
        raise HTTPException(
            403,
            "Send a token (Authorization: Bearer …): a session may only read here. "
            "Make one with livereview token.",
        )
    return visit


def event_id(request: Request, visit: Visit, key: str | None) -> str:
    """The id of what a request writes: with the same key by the same account it is the same."""
    if key is None:
        return uuid.uuid4().hex
    said = "\0".join((visit.name, request.method, guard.path_of(request), key))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def cursor(*place: Any) -> str:
    """Where a list goes on, as an address carries it."""
    text = "\0".join(map(str, place))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place(after: str, parts: int) -> tuple[str, ...] | None:
    """What `cursor` was made of; None at the start of a list.

    Raises:
        HTTPException: 422, for what is no cursor of this list.
    """
    if not after:
        return None
    try:
        padded = after + "=" * (-len(after) % 4)
        found = tuple(base64.b64decode(padded, b"-_", validate=True).decode().split("\0"))
    except (binascii.Error, ValueError):
        found = ()
    if len(found) != parts:
        raise HTTPException(422, f"after: {after!r} is no place in this list; take it from `next`")
    return found


def number_at(after: str) -> int:
    """The place of a list that is counted; 0 at its start."""
    found = place(after, 1)
    if found is None:
        return 0
    if not found[0].isascii() or not found[0].isdecimal() or len(found[0]) > 9:
        raise HTTPException(422, f"after: {after!r} is no place in this list; take it from `next`")
    return int(found[0])


def page(
    request: Request, response: Response, items: Sequence[Item], after: str | None
) -> Page[Item]:
    """A part of a list; `after`: where it goes on, None where it ends."""
    if after is None:
        return Page[Item](items=list(items))
    query = [(name, value) for name, value in parse_qsl(request.url.query) if name != "after"]
    address = f"{guard.path_of(request)}?{urlencode([*query, ('after', after)])}"
    response.headers["Link"] = f'<{address}>; rel="next"'
    return Page[Item](items=list(items), next=address)


def sliced(
    request: Request, response: Response, items: Sequence[Item], after: str, limit: int
) -> Page[Item]:
    """A part of a list that is at hand as a whole."""
    start = number_at(after)
    end = start + limit
    return page(request, response, items[start:end], cursor(end) if end < len(items) else None)


class ApiRoute(guard.GuardedRoute):
    """A guarded route whose answers carry a tag, so that what is unchanged is not sent again."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            answer = await handle(request)
            reads = request.method in ("GET", "HEAD")
            if reads and answer.status_code == HTTPStatus.OK and isinstance(answer.body, bytes):
                return _tagged(request, answer)
            return answer

        return tagged


def _tagged(request: Request, answer: Response) -> Response:
    tag = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
    answer.headers["ETag"] = tag
    asked = request.headers.get("if-none-match", "")
    if asked == "*" or tag in (part.strip().removeprefix("W/") for part in asked.split(",")):
        kept = ("etag", "link")
        headers = {name: value for name, value in answer.headers.items() if name in kept}
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return answer
