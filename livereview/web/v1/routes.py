"""The addresses of the HTTP API, and the document that describes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from fastapi import Depends
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from livereview import rights
from livereview.rights import Act
from livereview.web import bodies
from livereview.web.v1 import doing, models, reading
from livereview.web.v1.manners import PROBLEM, ROOT, ApiRoute, token_only

FILE_OF_RECORDS = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the API with the act that it is: who may do it is `rights`' to say.

    Attributes:
        answer: The model of what comes back.
        tag: The part of the document where it is described.
        largest: Bytes of a body that are received, and only once whoever asks was let in.
        creates: It writes an event: 201, or 200 where that was written before.
        extra: What the document says beside what follows from the function.
    """

    method: str
    path: str
    function: Callable[..., Any]
    answer: Any
    act: Act
    tag: str
    largest: int = bodies.FORM
    creates: bool = False
    extra: dict[str, Any] | None = None


REVIEW = "/reviews/{review}"
Page = models.Page
ENDPOINTS = (
    Endpoint("GET", "/me", reading.me, models.Me, rights.USE_SESSION, "You"),
    Endpoint(
        "GET", "/reviews", reading.reviews, Page[models.ReviewRow], rights.USE_SESSION, "Reviews"
    ),
    Endpoint("GET", REVIEW, reading.review, models.Review, rights.SEE_AS_MEMBER, "Reviews"),
    Endpoint(
        "GET", f"{REVIEW}/status", reading.status, dict[str, Any], rights.SEE_AS_LEAD, "Reviews"
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/attempts",
        reading.attempts,
        Page[models.Attempt],
        rights.SEE_AS_LEAD,
        "Searches",
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/imports",
        doing.import_records,
        models.Imported,
        rights.MANAGE,
        "Searches",
        largest=bodies.FILE,
        creates=True,
        extra=FILE_OF_RECORDS,
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/reports",
        reading.reports,
        Page[models.Report],
        rights.SEE_AS_LEAD,
        "Screening",
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/reports/{{record}}",
        reading.report,
        models.Record,
        rights.SEE_AS_MEMBER,
        "Screening",
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/queue/{{stage}}",
        reading.queue,
        models.Queue,
        rights.SCREEN,
        "Screening",
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/decisions",
        doing.decide,
        models.Decided,
        rights.SCREEN,
        "Screening",
        creates=True,
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/conflicts",
        reading.conflicts,
        Page[models.Conflict],
        rights.SEE_CONFLICTS,
        "Screening",
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/conflicts",
        doing.settle_conflict,
        models.Decided,
        rights.SETTLE_CONFLICTS,
        "Screening",
        creates=True,
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/duplicates",
        reading.duplicates,
        Page[models.Pair],
        rights.SEE_AS_MEMBER,
        "Screening",
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/duplicates",
        doing.judge,
        models.Done,
        rights.TAKE_PART,
        "Screening",
        creates=True,
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/studies",
        reading.studies,
        Page[models.Study],
        rights.SEE_AS_VOTER,
        "Evidence",
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/studies/{{study}}",
        reading.study,
        models.StudyForm,
        rights.SEE_AS_VOTER,
        "Evidence",
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/extractions",
        doing.extract,
        models.Extracted,
        rights.EXTRACT,
        "Evidence",
        largest=bodies.LONG_FORM,
        creates=True,
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/ratings",
        doing.rate,
        models.Rated,
        rights.EXTRACT,
        "Evidence",
        creates=True,
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/versions",
        reading.published,
        Page[models.Version],
        rights.SEE_AS_MEMBER,
        "Summary",
    ),
    Endpoint(
        "GET",
        f"{REVIEW}/summary",
        reading.findings,
        dict[str, Any],
        rights.SEE_AS_MEMBER,
        "Summary",
    ),
    Endpoint("GET", f"{REVIEW}/held", reading.held, models.Held, rights.SEE_AS_LEAD, "Summary"),
    Endpoint(
        "POST",
        f"{REVIEW}/signatures",
        doing.sign,
        models.Done,
        rights.MANAGE,
        "Summary",
        creates=True,
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/opening",
        doing.open_review,
        models.Done,
        rights.MANAGE,
        "Summary",
        creates=True,
    ),
    Endpoint(
        "GET", f"{REVIEW}/tasks", reading.tasks, Page[models.Task], rights.SEE_AS_LEAD, "Lead"
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/tasks/{{task}}",
        doing.settle_task,
        models.Done,
        rights.MANAGE,
        "Lead",
    ),
    Endpoint(
        "GET", f"{REVIEW}/acts", reading.acts, Page[dict[str, Any]], rights.SEE_AS_LEAD, "Lead"
    ),
    Endpoint(
        "POST", f"{REVIEW}/acts/preview", doing.preview_act, models.Effect, rights.MANAGE, "Lead"
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/acts",
        doing.carry_out,
        models.Effect,
        rights.MANAGE,
        "Lead",
        creates=True,
    ),
    Endpoint(
        "POST",
        f"{REVIEW}/acts/{{act}}/undo",
        doing.take_act_back,
        models.Done,
        rights.MANAGE,
        "Lead",
    ),
)
TAGS = (
    ("You", "What your token may do."),
    ("Reviews", "The reviews that you may enter."),
    ("Searches", "What was searched, and files of records."),
    ("Screening", "Reports, your queue, decisions, conflicts, duplicates."),
    ("Evidence", "Studies, extractions, ratings."),
    ("Summary", "What is published, and what waits for a name."),
    ("Lead", "Tasks, and acts that undo the work of others."),
)
ABOUT = """Everything that the screening room does, for programs.

Send a token: `Authorization: Bearer …`; `livereview token NAME --for PROGRAM --scope read` makes
one. A token does what its scopes say, never more than its account.

Errors are problems (RFC 9457) whose `detail` says what happened and the next step. Lists come in
parts: follow `next`, or the Link header. Answers that can be asked for again carry an ETag. What
writes takes an `Idempotency-Key`: the same key again writes nothing, so a request that got no
answer can be sent again."""

_TOKEN = HTTPBearer(auto_error=False, scheme_name="token", description="A token of livereview.")
_PROBLEM = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_CONFLICT = "It would have been right a moment before."
_FAILURES = {
    "401": "There is no token, or it is not good any more.",
    "403": "The token may not do this.",
    "404": "It is not there, or not for this token.",
    "422": "It can't be done as asked.",
    "default": "What else went wrong: 413, 429, 503 …",
}


@lru_cache(maxsize=1)
def routes() -> tuple[ApiRoute, ...]:
    """The routes of ENDPOINTS, and the one of their description."""
    described = ApiRoute(
        f"{ROOT}/openapi.json", openapi, methods=["GET", "HEAD"], include_in_schema=False
    )
    described.act = rights.OPEN_TO_ALL
    return (*(_route(endpoint, with_head=True) for endpoint in ENDPOINTS), described)


def _route(endpoint: Endpoint, *, with_head: bool) -> ApiRoute:
    function = endpoint.function
    reads = endpoint.method == "GET"
    route = ApiRoute(
        ROOT + endpoint.path,
        function,
        methods=["GET", "HEAD"] if reads and with_head else [endpoint.method],
        response_model=endpoint.answer,
        status_code=201 if endpoint.creates else 200,
        responses=_responses(endpoint),
        response_description="It was done." if endpoint.creates else "The answer.",
        tags=[endpoint.tag],
        operation_id=function.__name__,
        summary=(function.__doc__ or "").strip().partition("\n")[0],
        dependencies=[Depends(_TOKEN)] if reads else [Depends(_TOKEN), Depends(token_only)],
        openapi_extra=endpoint.extra,
    )
    route.act = endpoint.act
    route.largest = endpoint.largest
    return route


def _responses(endpoint: Endpoint) -> dict[int | str, dict[str, Any]]:
    """The answers that an address may give beside the one that it is for."""
    failures = dict(_FAILURES)
    if endpoint.method == "POST":
        failures["409"] = _CONFLICT
    found: dict[int | str, dict[str, Any]] = {}
    if endpoint.creates:
        found["200"] = {"model": endpoint.answer, "description": "It had been done before."}
    if endpoint.method == "GET":
        found["304"] = {"description": "It is as the ETag that was sent says."}
    for status, words in sorted(failures.items()):
        found[status] = {"description": words, "content": _PROBLEM}
    return found


def openapi() -> JSONResponse:
    """The description of the API, as OpenAPI."""
    return JSONResponse(description())


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    document = get_openapi(
        title="livereview",
        version=version("livereview"),
        summary="The HTTP API of a living systematic review.",
        description=ABOUT,
        routes=[_route(endpoint, with_head=False) for endpoint in ENDPOINTS],
        tags=[{"name": name, "description": words} for name, words in TAGS],
        license_info={"name": "Apache-2.0"},
    )
    schemas = document["components"]["schemas"]
    schemas["Problem"] = models.Problem.model_json_schema()
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    return document
