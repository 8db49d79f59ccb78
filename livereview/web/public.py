"""The published folder and the style sheet, as files that anybody may read."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from weakref import WeakValueDictionary

from anyio import to_thread
from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from livereview.web import guard, pages, security_headers

# (review, which build, file) of a path in the site
BUILD = re.compile(r"([a-z0-9-]+)/(latest|v/\d+)/(.*)", re.DOTALL)
STATIC = Path(__file__).parent / "static"
TYPES = {
    ".atom": "application/atom+xml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".parquet": "application/vnd.apache.parquet",
}


HEAD_OF_A_PAGE = 1024
"""Bytes of a page that nobody but its template writes: what people wrote begins with its title."""

OWN_SCRIPT = re.compile(
    rb'<meta http-equiv="Content-Security-Policy" content="[^"<]*'
    rb"script-src ('sha256-[A-Za-z0-9+/]{43}=')"
)
"""A page that has a script of its own names it in its policy, which holds on any server."""


async def health() -> Response:
    """That the owner lives, without a turn among the threads. Whether it can work, `ready` says."""
    return JSONResponse({"ok": True})


def ready(request: Request) -> Response:
    """Whether the owner can work: each check by its name; 503 where one is not ok.

    The words are in `status`.
    """
    answer = request.app.state.readiness.ask()
    return JSONResponse(answer, 200 if answer["ready"] else 503)


def door() -> Response:
    """To the front page of the published folder."""
    return RedirectResponse("/site/", 307)


async def site(request: Request, path: str) -> Response:
    """A published file, or the index.html of a folder. Of a withdrawn version: 410 and why.

    On threads of its own: those of the pages may all wait for the writer.
    """
    return await _of_files(request, functools.partial(_site, request, path))


async def static(request: Request, name: str) -> Response:
    """The app's own style; on the threads of files too."""
    return await _of_files(request, lambda: _file(request, inside(STATIC, name)))


async def _of_files(request: Request, answer: Callable[[], Response]) -> Response:
    return await to_thread.run_sync(answer, limiter=guard.shared(request).files)


def _site(request: Request, path: str) -> Response:
    settings = guard.shared(request).settings
    target = inside(settings.site.resolve(), path)
    folder = target.is_dir()
    if folder and (target / "latest").exists() and not (target / "index.html").exists():
        return RedirectResponse(f"{quote(guard.path_of(request)).rstrip('/')}/latest/", 307)
    if folder and not guard.path_of(request).endswith("/"):
        return RedirectResponse(f"{quote(guard.path_of(request))}/", 307)
    target = target / "index.html" if folder else target
    place = BUILD.fullmatch(path)
    if place and (gone := _gone(settings.site, place, target)):
        return gone
    try:
        answer = _file(request, target)
    except (
        HTTPException
    ):  # `latest` may have moved on after it was followed, and the old build be gone
        again = inside(settings.site.resolve(), path)
        answer = _file(request, again / "index.html" if folder else again)
    if place and target.name == "index.html" and settings.address:
        answer.headers["Link"] = _oembed(settings.address, place)
    return answer


def _gone(site: Path, place: re.Match[str], target: Path) -> Response | None:
    """The tombstone where a version stood; None where it stands.

    In `latest` there are files beside it that go on.
    """
    review, build, name = place.groups()
    grave = site / review / build
    if not (grave / "tombstone.json").is_file() or (build == "latest" and target.is_file()):
        return None
    if "/" in name:  # the page's own links would lead nowhere from there
        return pages.error(
            410,
            "This version was withdrawn.",
            (f"/site/{review}/{build}/", "Why, and what to read"),
        )
    if name == "embed.html":
        kept = name
    elif name.endswith(".json"):
        kept = "tombstone.json"
    else:
        kept = "index.html"
    kind = "application/json" if kept.endswith(".json") else "text/html"
    return Response((grave / kept).read_bytes(), 410, media_type=kind)


def _oembed(base: str, place: re.Match[str]) -> str:
    """Tell where a page's oEmbed is.

    In the page itself it can't stand, for that is the same wherever it is served.
    """
    review, build, _ = place.groups()
    page = quote(f"{base}/site/{review}/{build}/", safe="")
    return f'<{base}/oembed?url={page}>; rel="alternate"; type="application/json+oembed"'


def inside(home: Path, path: str) -> Path:
    """Where `path` leads, links followed, if that is in `home`.

    Hidden and half-written files are not there.
    """
    parts = [part for part in path.split("/") if part]
    hidden = any(part.startswith(".") or part.endswith(".new") or len(part) > 200 for part in parts)
    target = home if hidden or "\0" in path else home.joinpath(*parts).resolve()
    if (target == home and parts) or not target.is_relative_to(home):
        raise HTTPException(404, "Nothing is published here.")
    return target


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Content:
    """What a file holds, with the tag of just these bytes."""

    body: bytes
    tag: str


class WholeFile(Response):
    """A whole file; as long as it is being sent, others who ask for it are sent the same bytes."""

    def __init__(self, content: Content, kind: str):
        super().__init__(content.body, media_type=kind, headers={"ETag": content.tag})
        self.content = content


_being_sent: WeakValueDictionary[tuple[int, ...], Content] = WeakValueDictionary()


def _read(target: Path) -> Content:
    """The file's content, read once for all who are being sent it: slow readers of a large file
    share its memory.
    """
    with target.open("rb") as file:
        facts = os.fstat(file.fileno())
        key = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
        known = _being_sent.get(key)
        if known is not None:
            return known
        body = file.read()
    content = Content(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    _being_sent[key] = content
    return content


def _file(request: Request, target: Path) -> Response:
    try:
        content = _read(target)
    except (OSError, ValueError):
        raise HTTPException(404, "Nothing is published here.") from None
    own = _own_policy(content.body) if target.suffix == ".html" else {}
    if content.tag in request.headers.get("if-none-match", ""):
        # a browser takes these headers for those that it has
        return Response(status_code=304, headers={"ETag": content.tag, **own})
    kind = (
        TYPES.get(target.suffix)
        or mimetypes.guess_type(target.name)[0]
        or "application/octet-stream"
    )
    answer = WholeFile(content, kind)
    answer.headers.update(own)
    return answer


def _own_policy(page: bytes) -> dict[str, str]:
    """The policy of a published page that names one script by its hash; empty for all others."""
    named = OWN_SCRIPT.search(page[:HEAD_OF_A_PAGE])
    if named is None:
        return {}
    allowed = f"default-src 'none'; script-src {named[1].decode()};"
    policy = security_headers.PUBLIC["Content-Security-Policy"]
    return {"Content-Security-Policy": policy.replace("default-src 'none';", allowed)}
