"""Recordings: every answer of a night as fetched, and a local server that gives them again to the same code.

A recording is a folder: the bodies, each in a file of its own, and `index.json`, which says what was asked for each. No
key is ever in it: requests are kept as they are without their secrets.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from livereview.errors import Refused
from livereview.fetch import Answer, shown

INDEX = "index.json"
_ENDINGS = {"json": "json", "xml": "xml", "html": "html"}


class Recorder:
    """Writes each answer into a folder; the same answers in the same order give the same bytes."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._entries: list[dict[str, Any]] = _index(folder) if (folder / INDEX).exists() else []

    def keep(self, answer: Answer) -> None:
        """Write the body, then the index, which is replaced in one step."""
        digest = hashlib.sha256(answer.body).hexdigest()
        name = f"{len(self._entries) + 1:03d}-{answer.source}-{digest[:8]}.{_ending(answer.content_type)}"
        (self._folder / name).write_bytes(answer.body)
        entry = {"request": key(answer), "status": answer.status, "type": answer.content_type, "file": name}
        self._entries.append({**entry, "sha256": digest})
        beside = self._folder / f"{INDEX}.new"
        beside.write_text(json.dumps(self._entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(self._folder / INDEX)


def _ending(content_type: str) -> str:
    return next((ending for word, ending in _ENDINGS.items() if word in content_type), "txt")


def key(answer: Answer) -> str:
    """What was asked for, without secrets: method and address with its parameters sorted."""
    return canonical("GET" if answer.request.form is None else "POST", shown(answer.request))


def canonical(method: str, url: str) -> str:
    """A request in one spelling, so that the order and encoding of its parameters do not matter."""
    parts = urlsplit(url)
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{method} {parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def _index(folder: Path) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{folder} is not a recording: {error}") from None
    return entries


class ReplayServer:
    """Serves a recording on the loopback while used as a context manager; `base` is its address.

    A request recorded several times is answered in the order recorded, the last answer then repeated. One that was not
    recorded gets a 404 that names it and the nearest one that was.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in _index(folder):
            self._answers[entry["request"]].append(entry)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> ReplayServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: str) -> tuple[int, str, bytes]:
        """(status, content type, body) for a request in its canonical spelling."""
        with self._lock:
            waiting = self._answers.get(request, [])
            entry = waiting.pop(0) if len(waiting) > 1 else waiting[0] if waiting else None
        if entry is None:
            near = difflib.get_close_matches(request, self._answers, n=1, cutoff=0.0)
            hint = {"error": f"not in this recording: {request}", "nearest": near[0] if near else None}
            return 404, "application/json", json.dumps(hint).encode()
        return entry["status"], entry["type"], (self._folder / entry["file"]).read_bytes()


def _handler(replay: ReplayServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
            self._reply("")

        def do_POST(self) -> None:  # noqa: N802
            self._reply(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _reply(self, form: str) -> None:
            query = "&".join(part for part in (urlsplit(self.path).query, form) if part)
            url = self.headers.get("X-Replay-Url", "").partition("?")[0] + (f"?{query}" if query else "")
            status, kind, body = replay.answer(canonical(self.command, url))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: the fetcher logs."""

    return Handler
