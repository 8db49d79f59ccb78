"""A publisher's server on this machine that does what a script says, faults included.

    with World() as world:
        world.script("/works", reply(b"busy", 503), packed(b"{}"))

Each request to a path gets its next reply, the last one again and again; a path without a script
gets 404.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from itertools import repeat
from random import Random
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from livereview.errors import SourceBroken
from livereview.fetch import Fetcher
from livereview.sources.answers import read_json
from livereview.sources.protocol import Page, Query, Request, Source, Window

# the bytes to send, status line included; then the connection is closed
Reply = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    body: str = ""


def head(status: int = 200, **headers: Any) -> bytes:
    """A status line and headers; `retry_after=3` is written Retry-After: 3."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Said so", "connection: close", *lines, "", ""]).encode(
        "latin-1"
    )


def reply(body: bytes | str = b"", status: int = 200, **headers: Any) -> Reply:
    """A sound answer."""
    data = body.encode() if isinstance(body, str) else body
    return lambda: [head(status, **{"content_length": len(data), **headers}) + data]


def as_json(value: Any, status: int = 200, **headers: Any) -> Reply:
    return reply(json.dumps(value), status, **{"content_type": "application/json", **headers})


def redirect(to: str, status: int = 302) -> Reply:
    return reply(b"elsewhere", status, location=to)


def packed(body: bytes, **headers: Any) -> Reply:
    """The body in gzip."""
    return reply(gzip.compress(body), content_encoding="gzip", **headers)


def cut_gzip(body: bytes) -> Reply:
    """A gzip stream that stops half way though the connection ends in order."""
    whole = gzip.compress(body)
    return lambda: [head(content_encoding="gzip") + whole[: len(whole) // 2]]


def dropped(body: bytes) -> Reply:
    """A connection that breaks half way through the body."""
    return lambda: [head(content_length=len(body)) + body[: len(body) // 2]]


def chunked(body: bytes, size: int = 7, whole: bool = True, **headers: Any) -> Reply:
    """The body in chunks; not `whole`: without the last chunk, which says that it was all."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    sent = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts] + [b"0\r\n\r\n"] * whole
    return lambda: [head(transfer_encoding="chunked", **headers), *sent]


def bomb(size: int) -> Reply:
    """Zeros that gzip makes a thousandth of."""
    return packed(bytes(size))


def endless() -> Reply:
    """A body that never ends."""

    def stream() -> Iterator[bytes]:
        yield head()
        yield from repeat(bytes(1_000))

    return stream


def hang_up() -> Reply:
    """No answer at all."""
    return lambda: []


class World:
    """The server while it is open: at `base`, which is `endpoint`; `seen` are the requests so far."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.always = reply(b"no script for this path", 404)  # for every path without a script
        self._scripts: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingTCPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self.endpoint: tuple[str, int] = ("127.0.0.1", self._server.server_address[1])
        self.base = f"http://127.0.0.1:{self.endpoint[1]}"

    def __enter__(self) -> World:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def script(self, path: str, *replies: Reply) -> str:
        """What the path answers from now on; its address."""
        self._scripts[path] = list(replies)
        return self.base + path

    def next(self, request: Seen) -> Reply:
        with self._lock:
            self.seen.append(request)
            script = self._scripts.get(request.path, [self.always])
            return script.pop(0) if len(script) > 1 else script[0]


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, world: World, *connection: Any):
        self._world = world
        super().__init__(*connection)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        form = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        fields = dict(parse_qsl(form))
        query = dict(parse_qsl(parts.query))
        seen = Seen(self.command, parts.path, query, headers, fields, form)
        try:
            for piece in self._world.next(seen)():
                self.wfile.write(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client had enough
        self.close_connection = True

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *values: Any) -> None:
        """Say nothing."""


class Time:
    """A clock that moves only when somebody sleeps, and by `pace` each time it is read."""

    def __init__(self, pace: float = 0.0) -> None:
        self.now, self.pace, self.slept = 1_000.0, pace, list[float]()

    def clock(self) -> float:
        self.now += self.pace
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


# What tests of fetching start from


def read(body: bytes, cursor: str | None) -> Page:
    """What the toy source makes of {"items": […], "next": …}."""
    data = read_json(body, "toy", "Toy")
    if "next" not in data:
        raise SourceBroken("this is not Toy's answer", source="toy")
    return Page(next_cursor=data["next"])


TOY = Source("toy", "Toy", read, interval=3.0)


def making(world: World, time: Time, **settings: Any) -> Fetcher:
    """A fetcher that may ask the world, on that time; `settings` as in Fetcher."""
    chosen: dict[str, Any] = {
        "secrets": {},
        "permitted": {world.endpoint},
        "clock": time.clock,
        "sleep": time.sleep,
        "rng": Random(7),
        "timeouts": (2.0, 2.0),
    }
    return Fetcher(**{**chosen, **settings})


def searched(world: World, *replies: Reply) -> Source:
    """The toy source at a scripted path; its cursor is a parameter of the address."""
    url = world.script("/search", *replies)

    def request(query: Query, window: Window, cursor: str | None) -> Request:
        return Request(url, (("q", query.text), ("cursor", cursor or "*")))

    return Source("toy", "Toy", read, request, interval=3.0)


def page(following: str | None, *items: str) -> Reply:
    return as_json({"items": items, "next": following})
