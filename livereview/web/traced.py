"""Each request gets a number: its answer says it, and each line of the log that it causes.

The access log names the template of an address, never the address: that of a panel's link is a
secret, and that of a record tells what somebody read.
"""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livereview import logs
from livereview.web.metrics import METHODS, OTHER, route_of

log = logging.getLogger("livereview.access")

HEADER = "X-Request-ID"
OF_RUN = "Livereview-Run"
RUN_FORM = re.compile(r"[A-Za-z0-9-]{8,64}")  # a program says it; more could fill the log
PLACE = "livereview.request"  # where a request's scope has its number


class Traced:
    """ASGI middleware around all others, but for the page of an unforeseen error."""

    def __init__(self, app: ASGIApp, access_log: bool = False):
        self.app, self._access_log = app, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = secrets.token_hex(8)
        scope[PLACE] = number
        # each request is a task of its own, with a context of its own: nothing is to be undone
        logs.REQUEST.set(number)
        logs.RUN.set(_run_of(scope))
        started = time.monotonic()
        status, size = 500, 0

        async def noting(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = number
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            if self._access_log:
                _write(scope, status, size, time.monotonic() - started)


def request_of(scope: Scope) -> str:
    """The number of a request."""
    number: str = scope.get(PLACE, "none")
    return number


def _run_of(scope: Scope) -> str | None:
    """The run that a program says it belongs to."""
    given = Headers(scope=scope).get(OF_RUN, "")
    return given if RUN_FORM.fullmatch(given) else None


def _write(scope: Scope, status: int, size: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else OTHER
    fields = {
        "method": method,
        "route": route_of(scope),
        "status": status,
        "bytes": size,
        "ms": round(seconds * 1_000),
    }
    words = "%(method)s %(route)s %(status)d, %(bytes)d bytes in %(ms)d ms"
    log.info(words, fields, extra={"fields": fields})
