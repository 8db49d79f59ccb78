"""How the HTTP API answers, in one place: problems, pages of a list, tags of bodies, repeated
requests.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Header, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from livereview.rights import Kind, Principal
from livereview.web import guard
from livereview.web.guard import RequestUser, ReviewContext
from livereview.web.v1.models import Page

ROOT = "/api/v1"
PROBLEM = "application/problem+json"
MOST = 200  # items of a list in one answer
USUAL = 50
MOST_DIGITS = 9  # of a place in a list: no list here is longer
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


def here(request: Request, review: ReviewId) -> ReviewContext:
    """The review of the address, and who was let into it."""
    return guard.context(request)


InReview = Annotated[ReviewContext, Depends(here)]


def token_only(request: Request) -> None:
    """Refuse to change anything for a session.

    A browser sends its session with requests that another site made; a token is sent on purpose.
    """
    if guard.user(request).principal.kind != Kind.TOKEN:
        raise HTTPException(
            403,
            "Send a token (Authorization: Bearer …): a session may only read here. "
            "Make one with livereview token.",
        )


def event_id(request: Request, user: RequestUser, key: str | None) -> str:
    """The id of what a request writes: with the same key by the same account it is the same."""
    if key is None:
        return uuid.uuid4().hex
    said = "\0".join((user.name, request.method, guard.path_of(request), key))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ListPart:
    """The part of a list that a request asks for."""

    request: Request
    response: Response
    after: str
    limit: int

    @property
    def start(self) -> int:
        """The place after which it begins, in a list that is counted; 0 at its start.

        Raises:
            HTTPException: 422, for what is no place of such a list.
        """
        if not self.after:
            return 0
        found = _decoded(self.after)
        if found is None:
            raise HTTPException(
                422, f"after: {self.after!r} is no place in this list; take it from `next`"
            )
        return found

    def of(self, items: Sequence[Item]) -> Page[Item]:
        """This part of a list that is at hand as a whole."""
        end = self.start + self.limit
        return self.page(items[self.start : end], end if end < len(items) else None)

    def page(self, items: Sequence[Item], goes_on: int | None) -> Page[Item]:
        """These items as this part; `goes_on`: the place of the last, None where the list ends."""
        if goes_on is None:
            return Page[Item](items=list(items))
        query = parse_qsl(self.request.url.query)
        kept = [(name, value) for name, value in query if name != "after"]
        kept.append(("after", _encoded(goes_on)))
        address = f"{guard.path_of(self.request)}?{urlencode(kept)}"
        self.response.headers["Link"] = f'<{address}>; rel="next"'
        return Page[Item](items=list(items), next=address)


def _encoded(place: int) -> str:
    """A place as an address carries it: nobody should count on what it is made of."""
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _decoded(after: str) -> int | None:
    """The place that `_encoded` was given; None for anything else."""
    padded = after + "=" * (-len(after) % 4)
    try:
        digits = base64.b64decode(padded, b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    is_place = digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS
    return int(digits) if is_place else None


def list_part(
    request: Request, response: Response, after: After = "", limit: Limit = USUAL
) -> ListPart:
    """What of a list is asked for."""
    return ListPart(request, response, after, limit)


Part = Annotated[ListPart, Depends(list_part)]


@dataclass(frozen=True, slots=True)
class Write:
    """One request that writes: where, by whom, when, and under which id.

    Attributes:
        event: The id of what is written; with the same Idempotency-Key it is the same.
    """

    context: ReviewContext
    principal: Principal
    event: str
    now: datetime
    response: Response

    def answered(self, *, known: bool) -> None:
        """Answer 201, or 200 where it had been written before."""
        self.response.status_code = HTTPStatus.OK if known else HTTPStatus.CREATED

    @property
    def named(self) -> str:
        """The id of an event that is this person's own, as forms name theirs."""
        return f"{self.context.me}-{self.event}"

    @property
    def signed(self) -> dict[str, Any]:
        """What every use case takes that writes in a person's name."""
        return {"id": self.event, "review": self.context.review.id, "now": self.now}


def write(request: Request, response: Response, review: ReviewId, key: Key = None) -> Write:
    """The write that is asked for."""
    context = guard.context(request)
    id = event_id(request, context.user, key)
    return Write(context, context.user.principal, id, context.shared.clock(), response)


Writing = Annotated[Write, Depends(write)]


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
