"""A night again without the network: answers kept as they came, and a local server that gives them
in the same order.

A recording is a folder: `index.json`, which says what was asked and what came, and a file for each
body, unpacked. It holds no secret, as no answer does (see `fetch.Answer`). The same answers always
make the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from livereview.disk import Reserve
from livereview.errors import Refused
from livereview.fetch import Answer
from livereview.sources.protocol import JSON_TEXT

log = logging.getLogger(__name__)

INDEX = "index.json"
FORMAT = 1
ENDINGS = (("json", "json"), ("html", "html"), ("xml", "xml"), ("rss", "xml"), ("text/", "txt"))
Pairs = tuple[tuple[str, str], ...]
Asked = tuple[str, str, Pairs | None]


def canonical(method: str, url: str, form: Pairs | None) -> Asked:
    """A request such that two which ask the same are equal: the order of query and form does not
    matter.
    """
    parts = urlsplit(url)
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return (
        method,
        parts._replace(path=parts.path or "/", query=query, fragment="").geturl(),
        form and tuple(sorted(form)),
    )


class Recorder:
    """Keeps answers in a folder, after those that are there already."""

    def __init__(self, folder: Path, reserve: int = 0):
        self._folder = folder
        self._reserve = Reserve(folder, reserve)
        self._stopped = False
        self._entries: list[dict[str, Any]] = _index(folder) if (folder / INDEX).exists() else []

    def keep(self, answer: Answer) -> None:
        """Write the body, then the index, each in one go: a kill between them leaves the recording
        as it was.

        A disk that is nearly full ends the recording with a warning: the night itself goes on.
        """
        if self._stopped:
            return
        if words := self._reserve.short():
            self._stopped = True
            log.warning("nothing more of this night is recorded in %s: %s", self._folder, words)
            return
        method, url, form = canonical(
            "GET" if answer.form is None else "POST", answer.url, answer.form
        )
        digest = hashlib.sha256(answer.body).hexdigest()
        name = f"{len(self._entries) + 1:03d}-{_word(answer.source)}-{digest[:8]}.{_ending(answer)}"
        entry = {
            "method": method,
            "url": url,
            "form": form,
            "source": answer.source,
            "status": answer.status,
            "headers": dict(answer.headers),
            "file": name,
            "sha256": digest,
        }
        self._entries.append(entry)
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(self._folder / name, answer.body)
        index = {"format": FORMAT, "answers": self._entries}
        _write(
            self._folder / INDEX, json.dumps(index, ensure_ascii=False, indent=1).encode() + b"\n"
        )


def _ending(answer: Answer) -> str:
    kind = answer.header("content-type") or ""
    return next((ending for word, ending in ENDINGS if word in kind), "bin")


def _word(source: str) -> str:
    """The source's name as part of a file name; a third party's is "package.module:Attribute"."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._") else "_" for c in source)[:60]


def _write(path: Path, body: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(body)
    beside.replace(path)


@dataclass(frozen=True, slots=True)
class _Kept:
    status: int
    headers: Pairs
    body: bytes


def _index(folder: Path) -> list[dict[str, Any]]:
    """The entries of a recording's index; raises Refused for a folder that has none."""
    try:
        index = json.loads((folder / INDEX).read_bytes())
        if index["format"] != FORMAT:
            raise Refused(
                f"{folder} is a recording of format {index['format']}; this version reads {FORMAT}"
            )
        return list(index["answers"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"{folder} is no recording ({type(error).__name__} at {INDEX}); make one with surveil --record"
        ) from None


def _load(folder: Path) -> dict[Asked, list[_Kept]]:
    """What was recorded, by what was asked, in the order of recording."""
    found: dict[Asked, list[_Kept]] = {}
    for entry in _index(folder):
        form = (
            None if entry["form"] is None else tuple((name, value) for name, value in entry["form"])
        )
        kept = _Kept(entry["status"], tuple(sorted(entry["headers"].items())), _body(folder, entry))
        found.setdefault(canonical(entry["method"], entry["url"], form), []).append(kept)
    return found


def _body(folder: Path, entry: dict[str, Any]) -> bytes:
    path = folder / Path(entry["file"]).name
    if (
        not path.is_file()
        or hashlib.sha256(body := path.read_bytes()).hexdigest() != entry["sha256"]
    ):
        raise Refused(
            f"the recording is damaged: {path} is missing or not what index.json says; record it again"
        )
    return body


class ReplayServer:
    """Serves a recording on this machine while it is open, at `base`; `fetch.Fetcher(via=base)`
    asks it.

    The same request is answered in recorded order, its last answer again and again. One that was
    never recorded gets 404 with the nearest that was. Raises Refused for a folder that is no
    recording or was damaged.
    """

    def __init__(self, folder: Path):
        self._kept = _load(folder)
        self._served: dict[Asked, int] = {}
        self._lock = threading.Lock()
        self._server: ThreadingTCPServer | None = None

    def __enter__(self) -> ReplayServer:
        self._server = ThreadingTCPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    @property
    def base(self) -> str:
        """The address to ask; known while the server is open."""
        if self._server is None:
            raise Refused("the replay server is not open; use it as a context manager")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, asked: Asked) -> _Kept:
        """What comes next for this request."""
        with self._lock:
            kept = self._kept.get(asked)
            if kept is None:
                return self._unknown(asked)
            turn = self._served.get(asked, 0)
            self._served[asked] = turn + 1
        return kept[min(turn, len(kept) - 1)]

    def _unknown(self, asked: Asked) -> _Kept:
        nearest = get_close_matches(_shown(asked), map(_shown, self._kept), n=1, cutoff=0.0)
        words = {
            "error": f"not in this recording: {_shown(asked)}",
            "nearest": nearest[0] if nearest else None,
        }
        return _Kept(
            404,
            (("content-type", "application/json"),),
            json.dumps(words, ensure_ascii=False).encode(),
        )


def _shown(asked: Asked) -> str:
    method, url, form = asked
    return f"{method} {url}" + (f" with {urlencode(form)}" if form else "")


class _Handler(BaseHTTPRequestHandler):
    """Reads /https/host/path?query as https://host/path?query."""

    def __init__(self, replay: ReplayServer, *connection: Any):
        self._replay = replay
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get_content_type() == "application/json":
            self._answer(((JSON_TEXT, body.decode()),))
        else:
            self._answer(tuple(parse_qsl(body.decode(), keep_blank_values=True)))

    def _answer(self, form: Pairs | None) -> None:
        url = self.path.removeprefix("/").replace("/", "://", 1)
        kept = self._replay.answer(canonical(self.command, url, form))
        self.send_response(kept.status)
        for name, value in (*kept.headers, ("content-length", str(len(kept.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(kept.body)

    def log_message(self, format: str, *values: Any) -> None:
        """Say nothing: fetch logs each request."""
