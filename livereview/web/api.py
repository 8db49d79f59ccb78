"""The door for flows and command lines: every use case by its name, for who holds the owner's token."""

from __future__ import annotations

import json
import logging
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response

from livereview import ops
from livereview.errors import DiskFull, Refused, Retry, SourceBroken
from livereview.web import guard, pages

log = logging.getLogger(__name__)


async def raw(request: Request) -> bytes:
    """The body, read under the limit of `shield`."""
    return await request.body()


def run(request: Request, name: str, body: Annotated[bytes, Depends(raw)]) -> Response:
    """The answer of `livereview.ops.run`, or {"error": …}: 422 tells the caller, 503 says try again, 500 is a bug."""
    desk = guard.desk(request)
    try:
        return JSONResponse(ops.run(desk.store, desk.settings.site, name, _arguments(body)))
    except (Refused, SourceBroken) as error:
        return JSONResponse({"error": str(error)}, 422)
    except DiskFull as error:
        return JSONResponse({"error": str(error)}, pages.INSUFFICIENT_STORAGE)
    except Retry as error:
        return JSONResponse({"error": str(error)}, 503)
    except Exception as error:  # the caller must hear of it too; the log has the place
        log.exception("operation %s failed", name)
        return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 500)


def _arguments(body: bytes) -> ops.Answer:
    try:
        arguments = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused(f"the body is not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise Refused("the body must be a JSON object of arguments")
    return arguments
