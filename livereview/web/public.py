"""The published folder and the style sheet, as files that anybody may read."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from livereview.web import guard

STATIC = Path(__file__).parent / "static"
TYPES = {".atom": "application/atom+xml", ".css": "text/css", ".csv": "text/csv", ".json": "application/json"}


def health() -> Response:
    """That the owner answers."""
    return JSONResponse({"ok": True})


def door() -> Response:
    """To the front page of the published folder."""
    return RedirectResponse("/site/", 307)


def site(request: Request, path: str) -> Response:
    """A published file, or the index.html of a folder."""
    home = guard.desk(request).settings.site.resolve()
    target = inside(home, path)
    folder = target.is_dir()
    if folder and not request.url.path.endswith("/"):
        return RedirectResponse(f"{request.url.path}/", 307)
    return _file(request, target / "index.html" if folder else target)


def static(request: Request, name: str) -> Response:
    """The app's own style."""
    return _file(request, inside(STATIC, name))


def inside(home: Path, path: str) -> Path:
    """Where `path` leads, links followed, if that is in `home`; hidden and half-written files are not there."""
    parts = [part for part in path.split("/") if part]
    hidden = any(part.startswith(".") or part.endswith(".new") or len(part) > 200 for part in parts)
    target = home if hidden or "\0" in path else home.joinpath(*parts).resolve()
    if (target == home and parts) or not target.is_relative_to(home):
        raise HTTPException(404, "Nothing is published here.")
    return target


def _file(request: Request, target: Path) -> Response:
    try:
        content = target.read_bytes()
    except (OSError, ValueError):
        raise HTTPException(404, "Nothing is published here.") from None
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    kind = TYPES.get(target.suffix) or mimetypes.guess_type(target.name)[0] or "application/octet-stream"
    return Response(content, media_type=kind, headers={"ETag": tag})
