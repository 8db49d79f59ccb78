"""The oEmbed provider (https://oembed.com, section 2.3): a page's address in, the frame that shows
it out.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from livereview.ops.oembed import embed
from livereview.web import guard
from livereview.web.security_headers import SHORTLY

OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
PLACE = re.compile(r"/site/([a-z0-9-]+)/(latest|v/[1-9]\d{0,8})(?:/[^/]*)?")


def answer(
    request: Request,
    url: str = "",
    format: str = "json",
    maxwidth: str | None = None,
    maxheight: str | None = None,
) -> Response:
    """The frame of a published page of this server; 404 for other addresses, 410 for what was
    withdrawn, 501 for XML.

    Limits are whole pixels, at least 1 (422 otherwise); the frame is no larger.
    """
    if format != "json":
        return _error(501, "this server answers in JSON only: format=json")
    limits = [_pixels(limit) for limit in (maxwidth, maxheight)]
    if not url or 0 in limits:
        return _error(
            422,
            "give the url of a published page; maxwidth and maxheight are whole pixels, such as 400",
        )
    settings = guard.shared(request).settings
    base = settings.address
    if not base:
        return _error(
            404, "this server does not know its own address; its operator sets LIVEREVIEW_URL"
        )
    place = _place(url, base)
    if place is None:
        return _error(
            404,
            f"no page of this server: url must begin with {base}/site/REVIEW/latest/ or /v/NUMBER/",
        )
    review, build = place
    told = embed(
        settings.site,
        review=review,
        build=build,
        base=f"{base}/site",
        maxwidth=limits[0],
        maxheight=limits[1],
    )
    if told is None and (settings.site / review / build / "tombstone.json").is_file():
        return _error(410, "this version was withdrawn")
    if told is None:
        return _error(404, "nothing is published at this address")
    return JSONResponse({**told, "provider_url": base}, headers={**OPEN, "Cache-Control": SHORTLY})


def _place(url: str, base: str) -> tuple[str, str] | None:
    """(review, build) that an address of this server leads to; None for any other address."""
    try:
        asked, own = urlsplit(url), urlsplit(base)
    except ValueError:
        return None
    if asked.scheme not in ("http", "https") or asked.netloc.lower() != own.netloc.lower():
        return None
    path = unquote(asked.path)
    if path.startswith(own.path):
        found = PLACE.fullmatch(path.removeprefix(own.path))
    else:
        found = None
    return (found[1], found[2]) if found else None


def _pixels(text: str | None) -> int | None:
    """None: no limit; 0: that is no limit."""
    if text is None:
        return None
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status, OPEN)
