"""Around every response and request: headers, and no posts from other sites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livereview.door_version import DOOR_HEADER, DOOR_PATH, DOOR_VERSION
from livereview.web import pages

PRIVATE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# The published pages carry their style with them and are there for other sites to read.
PUBLIC = {
    **PRIVATE,
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Link",
    "Cache-Control": "no-cache",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since, Accept",
    "Access-Control-Max-Age": "86400",
}
"""What a page of another site may send for a published file: a question with the ETag that it has."""
# PDF.js works in a process of the browser that has the policy of this file, not of the page.
VIEWER = {
    **PUBLIC,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
}
# of a numbered version: it never changes, but may be withdrawn
A_DAY = "public, max-age=86400, must-revalidate"
SHORTLY = "public, max-age=300, must-revalidate"  # of `latest`, and of what may be taken back
# bytes of an answer that are given to a connection at once: it keeps what is not sent yet
PIECE = 65_536
# Published pages in which a reader does something need a script; it lies beside them.
WITH_SCRIPT = ("/map.html",)
SCRIPTED = PUBLIC["Content-Security-Policy"].replace(
    "default-src 'none'; ", "default-src 'none'; script-src 'self'; "
)
FRAMED = PUBLIC["Content-Security-Policy"].replace("frame-ancestors 'none'", "frame-ancestors *")


class SecurityHeaders:
    """ASGI middleware; the outermost but for the page of an unforeseen error."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif asks_to_read(scope):
            answer = Response(status_code=204, headers=PREFLIGHT)
            await answer(scope, receive, with_headers(send, scope))
        elif scope["method"] not in ("GET", "HEAD") and foreign(Headers(scope=scope)):
            message = "This form came from another site, so nothing was done."
            await pages.error(403, message)(scope, receive, with_headers(send, scope))
        else:
            await self.app(scope, receive, with_headers(send, scope))


def asks_to_read(scope: Scope) -> bool:
    """Whether a browser asks beforehand if a page of another site may read a published file (a CORS
    preflight of the Fetch standard).
    """
    wanted = Headers(scope=scope).get("access-control-request-method")
    published = str(scope["path"]).startswith("/site/")
    return scope["method"] == "OPTIONS" and published and wanted in ("GET", "HEAD")


def foreign(headers: Headers) -> bool:
    """Whether a page of another site sends this.

    `Origin: null` is what browsers say under our no-referrer policy.
    """
    origin = headers.get("origin", "null")
    try:
        elsewhere = origin != "null" and urlsplit(origin).netloc != headers.get("host", "")
    except ValueError:  # no address at all, such as http://[
        return True
    return elsewhere or headers.get("sec-fetch-site") in ("cross-site", "same-site")


def with_headers(send: Send, scope: Scope) -> Send:
    """Put the headers of the path on the response, and send its body piece by piece.

    A connection copies what its client does not read yet. So a hundred slow readers of a large
    answer would take a hundred times its size; and as only a connection that takes nothing for a
    minute is ended, a whole answer given at once would end the slow who read on.
    """

    async def dress(message: Message) -> None:
        if message["type"] == "http.response.body":
            for piece in pieces(message):
                await send(piece)
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] in (200, 304, 410):
                publish(headers, scope["path"], message["status"] == 410)
            set_headers(headers, scope["path"], scope["scheme"])
        await send(message)

    return dress


def pieces(message: Message) -> Iterator[Message]:
    """A body message as messages of at most PIECE bytes.

    The last says whether more comes, as the message did.
    """
    body = message.get("body", b"")
    last = max(0, len(body) - 1) // PIECE * PIECE
    for start in range(0, last, PIECE):
        yield {**message, "body": body[start : start + PIECE], "more_body": True}
    yield {**message, "body": body[last:]}


def publish(headers: MutableHeaders, path: str, gone: bool = False) -> None:
    """What only published files have: how long they keep, and which of them may stand in another
    site's frame.

    Args:
        gone: The answer is that a version was withdrawn.
    """
    if re.match(r"/site/[a-z0-9-]+/v/\d+/", path):
        headers.setdefault("Cache-Control", SHORTLY if gone else A_DAY)
    elif re.match(r"/site/[a-z0-9-]+/latest/", path):
        headers.setdefault("Cache-Control", SHORTLY)
    if re.match(r"/site/.*/(embed|finding-[^/]+)\.html$", path):
        headers.setdefault("Content-Security-Policy", FRAMED)
    if path.startswith("/site/") and path.endswith(WITH_SCRIPT):
        headers.setdefault("Content-Security-Policy", SCRIPTED)


def set_headers(headers: MutableHeaders, path: str, scheme: str) -> None:
    """Headers that a response does not have yet."""
    for name, value in _for(path).items():
        headers.setdefault(name, value)
    if path.startswith(DOOR_PATH):
        headers.setdefault(DOOR_HEADER, str(DOOR_VERSION))
    if scheme == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def _for(path: str) -> dict[str, str]:
    """The headers of what is at this path."""
    if path.startswith("/static/pdfjs/"):
        return VIEWER
    if path.startswith(("/site", "/static/")):
        return PUBLIC
    return PRIVATE
