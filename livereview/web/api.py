"""The door for flows and command lines: use cases by name, for the owner's own secret and for
tokens that may.
"""

from __future__ import annotations

import json
import logging
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response

from livereview import ops
from livereview.commands import BY_OPERATION
from livereview.commands.wire import decode, encode_answer
from livereview.door_version import DOOR_HEADER, DOOR_VERSION, OTHER_DOOR, other_door
from livereview.errors import DiskFull, Refused, Retry, SourceBroken
from livereview.rights import Principal, WhyNot
from livereview.web import guard, pages

log = logging.getLogger(__name__)


async def raw(request: Request) -> bytes:
    """The body, read under the limit of its route."""
    return await request.body()


def run(request: Request, name: str, body: Annotated[bytes, Depends(raw)]) -> Response:
    """The answer of `livereview.ops.run`, or {"error": …}: 422 tells the caller, 503 says try
    again, 500 is a bug.

    403 and 404: a token that may not do this, or not there. 426: the caller speaks another version
    of this door.
    """
    shared = guard.shared(request)
    spoken = request.headers.get(DOOR_HEADER, str(DOOR_VERSION))
    if spoken != str(DOOR_VERSION):
        return JSONResponse({"error": other_door(spoken)}, OTHER_DOOR)
    try:
        arguments = _arguments(body)
        if refusal := _refusal(shared, request.state.principal, name, arguments):
            return refusal
        if name not in BY_OPERATION:
            raise Refused(f"unknown operation {name!r}; choose one of {', '.join(BY_OPERATION)}")
        command = decode(BY_OPERATION[name], arguments)
        ops.door.check_clock(request.state.principal, command, shared.clock())
        answer = ops.run(shared.store, shared.settings.site, command)
        return JSONResponse(encode_answer(answer))
    except (Refused, SourceBroken) as error:
        return JSONResponse({"error": str(error)}, 422)
    except DiskFull as error:
        return JSONResponse({"error": str(error)}, pages.INSUFFICIENT_STORAGE)
    except Retry as error:
        return JSONResponse({"error": str(error)}, 503)
    except Exception as error:  # the caller must hear of it too; the log has the place
        log.exception("operation %s failed", name)
        return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 500)


def _refusal(
    shared: guard.AppState, principal: Principal, name: str, arguments: dict[str, Any]
) -> Response | None:
    """The answer to a token that may not run this operation with these arguments; None: it may."""
    with shared.store.read() as con:
        problem = ops.door.why_not(con, principal, name, arguments)
    if problem is None:
        return None
    if problem == WhyNot.NOT_THERE:
        reach = ", ".join(sorted(principal.reviews or ()))
        return JSONResponse(
            {"error": f"{name}: this token opens {reach or 'nothing'} only, and no other"}, 404
        )
    if problem == WhyNot.OWNER:
        return JSONResponse({"error": f"{name}: only the owner's own token does this"}, 403)
    needs = ops.door.ACTS[name].scope
    return JSONResponse({"error": f"{name}: this needs a lead's token with the scope {needs}"}, 403)


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise Refused("the body is nested too deeply") from None
    if not isinstance(arguments, dict):
        raise Refused("the body must be a JSON object of arguments")
    return arguments
