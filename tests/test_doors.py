"""Nobody outside can freeze or fill the owner: half requests, slow ones, unread answers, floods of
connections.

Each test besieges a real owner in a process of its own, with few descriptors, from this machine
only.
"""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import requests
from fastapi import FastAPI
from starlette.types import Message

from livereview import rights
from livereview.settings import Settings
from livereview.store.open import owner
from livereview.web import bodies
from livereview.web.app import ROUTES, PageRoute
from livereview.web.connections import PER_ADDRESS, Connections, Patience, TimedProtocol, room_for

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
DESCRIPTORS = 256
CROWD = 330
IN_TIME = 60  # seconds after which a test says that something never comes; none of them needs five
HURRY = "headers=1.0, body=1.0, body_rate=1e9, unread=1.0, refused=1.0"
OWNER = """
import sys
from pathlib import Path
from livereview import logs
from livereview.settings import Settings
from livereview.web import connections
from livereview.web.connections import Patience
from livereview.web.serve import serve
logs.start(sys.stderr)
serve(Settings(home=Path(sys.argv[1]), secrets={}, memory="500MB", threads=1), port=0, patience=Patience(PATIENCE))
"""


@dataclass(frozen=True)
class Besieged:
    """An owner in a process of its own."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def place(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    @property
    def descriptors(self) -> list[str]:
        targets = []
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                targets.append(str(entry.readlink()))
        return targets

    @property
    def connections(self) -> int:
        return sum(target.startswith("socket:") for target in self.descriptors)

    @property
    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    @property
    def megabytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) // 1_000

    @property
    def log_lines(self) -> int:
        return len(self.log.read_text().splitlines())

    def lives(self) -> bool:
        """Whether a new visitor is answered; the time limit is for a slow machine."""
        return requests.get(f"{self.url}/healthz", timeout=20).json() == {"ok": True}

    def call(
        self, sent: bytes = b"", address: str = "127.0.0.1", small: bool = False
    ) -> socket.socket:
        """A connection from an address of this machine, with these bytes sent; `small`: it takes
        little at a time.
        """
        connection = socket.socket()
        if small:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        connection.bind((address, 0))
        connection.settimeout(IN_TIME)
        connection.connect(self.place)
        connection.sendall(sent)
        return connection


@contextmanager
def besieged(home: Path, patience: str = "", unaware: bool = False) -> Iterator[Besieged]:
    """An owner with few descriptors, of which it uses fewer at first; `unaware` of how many it
    needs itself.
    """

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, DESCRIPTORS))

    settings = Settings(home=home, secrets={}, memory="500MB", threads=1)
    log = home / "owner.log"
    script = OWNER.replace("PATIENCE", patience)
    if unaware:
        script = script.replace("logs.start", "connections.OWN_DESCRIPTORS = -CROWD\nlogs.start")
        script = script.replace("CROWD", str(CROWD))
    command = [sys.executable, "-c", script, str(home)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, preexec_fn=few)
    try:
        url = until(
            lambda: (owner(settings.database) or {}).get("url"), "the owner's address", process
        )
        yield Besieged(process, str(url), log)
    finally:
        process.terminate()
        assert process.wait(IN_TIME) == 0


def until(look: Callable[[], T], what: str, process: subprocess.Popen[bytes] | None = None) -> T:
    """What `look` gives once it is true."""
    for _ in range(20 * IN_TIME):
        if value := look():
            return value
        assert process is None or process.poll() is None, "the owner died"
        time.sleep(0.05)
    raise AssertionError(f"{what} has not come in {IN_TIME} s")


def ended(connection: socket.socket) -> bytes:
    """All that still comes until the owner ends the connection; fails where it never does."""
    came = b""
    try:
        while piece := connection.recv(65_536):
            came += piece
    except ConnectionError:
        pass
    return came


def test_half_requests_beyond_all_descriptors_leave_room_for_visitors(tmp_path: Path) -> None:
    """The audit's siege: more half headers than descriptors.

    It asked for 20 s and got no answer, and 55 MB of log.
    """
    with besieged(tmp_path) as under_siege:
        assert under_siege.lives()
        before = len(under_siege.descriptors)
        with ExitStack() as stack:
            for number in range(CROWD):
                stack.enter_context(
                    under_siege.call(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ")
                )
                if number % 30 == 0:
                    assert under_siege.lives()
            for _ in range(10):
                assert under_siege.lives()
            assert len(under_siege.descriptors) < DESCRIPTORS
            threads = under_siege.threads
        assert under_siege.log_lines < 20
        until(lambda: len(under_siege.descriptors) <= before + 3, "the descriptors back")
        assert under_siege.lives() and under_siege.threads <= threads


def test_descriptors_that_run_out_all_the_same_are_made_free(tmp_path: Path) -> None:
    """An owner that thinks it has more than it has: accept itself fails, which asyncio logs 64
    times a second.
    """
    with besieged(tmp_path, unaware=True) as under_siege, ExitStack() as stack:
        for number in range(CROWD):
            stack.enter_context(under_siege.call(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: "))
            if number % 30 == 0:
                assert under_siege.lives()
        assert under_siege.lives()
        assert "no descriptor is left" in under_siege.log.read_text()
        assert under_siege.log_lines < 20


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nsecret=",
     b"POST /r/no-such-review/import HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" + b"x" * 100_000],
    ids=["silence", "half forms", "half uploads"],
)  # fmt: skip
def test_other_crowds_leave_room_too(tmp_path: Path, sent: bytes) -> None:
    with besieged(tmp_path) as under_siege, ExitStack() as stack:
        for number in range(CROWD):
            connection = under_siege.call()
            stack.enter_context(connection)
            with suppress(ConnectionError):  # it made way already
                connection.sendall(sent)
            if number % 60 == 0:
                assert under_siege.lives()
        assert under_siege.lives()
        assert len(under_siege.descriptors) < DESCRIPTORS and under_siege.log_lines < 20


def test_uploads_of_strangers_are_refused_before_they_come(tmp_path: Path) -> None:
    """The audit's input: 25 anonymous uploads of 20 MB less their last bytes held 499 MB of the
    owner's disk.
    """
    head = (
        b"POST /r/no-such-review/import HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.ris"\r\n\r\n'
    )
    with besieged(tmp_path) as under_siege, ExitStack() as stack:
        assert under_siege.lives()
        before = under_siege.megabytes
        visitors = [stack.enter_context(under_siege.call(head)) for _ in range(25)]
        for visitor in visitors:
            with suppress(ConnectionError):  # refused already
                for _ in range(8):
                    visitor.sendall(b"x" * 1_000_000)
        assert not [target for target in under_siege.descriptors if "deleted" in target]
        assert under_siege.megabytes - before < 50
        assert under_siege.lives()
        quiet = stack.enter_context(under_siege.call(head))
        assert quiet.recv(12) == b"HTTP/1.1 401", "answered though nearly all is still to come"


@pytest.mark.parametrize(
    "way", [way for way in ROUTES if way.method == "POST"], ids=lambda way: way.path
)
def test_no_route_receives_a_body_before_it_knows_who_asks(app: FastAPI, way: PageRoute) -> None:
    """Open forms take a little of anybody; all else takes nothing from a stranger."""
    path = re.sub(r"\{\w+\}", "small-review", way.path)
    is_open = way.act == rights.OPEN_TO_ALL
    status = answered(app, path, stated=way.largest + 1 if is_open else 10)
    assert status in ({413} if is_open else {401, 403, 404})
    assert way.largest <= bodies.PUBLIC_FORM or not is_open


def answered(app: FastAPI, path: str, stated: int) -> int:
    """The status of the answer to a POST of whose body nothing may be received."""
    statuses: list[int] = []

    async def receive() -> Message:
        raise AssertionError("the body was asked for")

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("192.0.2.1", 1),
        "headers": [(b"host", b"testserver"), (b"content-length", str(stated).encode())],
    }
    asyncio.run(app(scope, receive, send))
    return statuses[0]


FORM = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SLOW = {
    "silence": (b"", b""),
    "half a header": (b"GET /healthz HTTP/1.1\r\nHost: x", b""),
    "a header byte by byte": (b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"a"),
    "header lines, one by one": (b"GET /healthz HTTP/1.1\r\n", b"X-Slow: a\r\n"),
    "half a request line": (b"GET /hea", b""),
    "an empty line now and then": (b"", b"\r\n"),
    "half a body": (FORM + b"Content-Length: 100\r\n\r\nsecret=", b""),
    "a body byte by byte": (FORM + b"Content-Length: 1000\r\n\r\nsecret=", b"a"),
    "half a chunk": (FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", b""),
    "chunks, one by one": (FORM + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "a chunk's extension, byte by byte": (FORM + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "a body that nobody wants": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        b"a",
    ),
    "half of a second request": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal", b""),
    "a second header byte by byte": (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX-Slow: ",
        b"a",
    ),
    "nothing after an answer": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b""),
}


def test_each_part_of_an_exchange_has_its_time(tmp_path: Path) -> None:
    """All slow kinds side by side at an owner in a hurry.

    A whole request beside them is answered.
    """
    with besieged(tmp_path, HURRY) as under_siege, ExitStack() as stack:
        kinds = {
            name: stack.enter_context(under_siege.call(start)) for name, (start, _) in SLOW.items()
        }
        waiting = dict(kinds)
        answers: dict[str, bytes] = dict.fromkeys(kinds, b"")
        for _ in range(20 * IN_TIME):
            for name, connection in list(waiting.items()):
                if _went_on(connection, SLOW[name][1], answers, name):
                    del waiting[name]
            if not waiting:
                break
            time.sleep(0.05)
        assert not waiting, f"still open: {', '.join(waiting)}"
        assert under_siege.lives()
        answered = b"HTTP/1.1 200"
        assert answers["nothing after an answer"].startswith(answered)
        assert answers["half of a second request"].startswith(answered)
        assert answers["half a header"].startswith(b"HTTP/1.1 408")
        assert answers["half a body"].startswith(b"HTTP/1.1 408")


def _went_on(connection: socket.socket, piece: bytes, answers: dict[str, bytes], name: str) -> bool:
    """Send a piece more and read what came; whether the owner has ended the connection."""
    connection.settimeout(0.001)
    try:
        if piece:
            connection.sendall(piece)
        came = connection.recv(65_536)
    except TimeoutError:
        return False
    except OSError:
        return True
    answers[name] += came
    return not came


def test_who_does_not_read_the_answer_is_left(tmp_path: Path) -> None:
    large = tmp_path / "site" / "large.json"
    large.parent.mkdir()
    large.write_bytes(b"x" * 20_000_000)
    request = b"GET /site/large.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with besieged(tmp_path, HURRY) as under_siege, ExitStack() as stack:
        before = under_siege.connections
        for _ in range(5):
            stack.enter_context(under_siege.call(request, small=True))
        until(lambda: under_siege.connections > before, "the connections")
        until(lambda: under_siege.connections <= before, "their end")
        whole = requests.get(f"{under_siege.url}/site/large.json", timeout=IN_TIME)
        assert len(whole.content) == 20_000_000, "who reads gets all of it"


def test_one_address_takes_no_more_than_its_share(tmp_path: Path) -> None:
    """Visitors from elsewhere, here another address of loopback, are not touched."""
    with besieged(tmp_path) as under_siege, ExitStack() as stack:
        share = min(PER_ADDRESS, room_for(DESCRIPTORS) // 2)
        before = under_siege.connections
        for _ in range(3 * share):
            stack.enter_context(under_siege.call(b"GET / HTTP/1.1\r\nX-Half: ", "127.0.0.2"))
        assert under_siege.lives()
        until(lambda: under_siege.connections - before <= share + 1, "no more than its share")


def exchange(connection: socket.socket) -> str:
    """One whole answer to one request, as its head."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    came = b""
    while not came.endswith(b'{"ok":true}'):
        piece = connection.recv(65_536)
        assert piece, f"the connection ended without a word after {came!r}"
        came += piece
    return came.decode().lower()


def test_an_office_behind_one_address_is_never_cut_off_between_two_requests(tmp_path: Path) -> None:
    """More browsers than connections of one address: who is not told to come again can go on where
    they are.
    """
    with besieged(tmp_path, "idle=600") as under_siege, ExitStack() as stack:
        share = min(PER_ADDRESS, room_for(DESCRIPTORS) // 2)
        kept: dict[int, socket.socket] = {}
        for _ in range(3):
            for browser in range(2 * share):
                if browser not in kept:
                    kept[browser] = stack.enter_context(under_siege.call(address="127.0.0.2"))
                if "connection: close" in exchange(kept[browser]):
                    kept.pop(browser).close()
        assert kept, "some are kept"


class Caller(TimedProtocol):
    """As much of a connection as counts for where it is from."""

    def __init__(self, address: str):
        self.client = (address, 1)


@pytest.mark.parametrize(
    ("address", "place"),
    [("203.0.113.5", "203.0.113.5"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::ffff:203.0.113.5", ""),
     ("127.0.0.1", ""), ("10.1.2.3", ""), ("fe80::1%eth0", "fe80::/64"), ("", "")],
)  # fmt: skip
def test_visitors_of_one_network_share_a_place_and_proxies_have_none(
    address: str, place: str
) -> None:
    connections = Connections(
        10, Patience(), ["127.0.0.1", "10.0.0.0/8", "::ffff:203.0.113.0/120", "unix:"]
    )
    assert connections._place(Caller(address)) == place


@pytest.mark.parametrize(
    ("descriptors", "room"), [(64, 16), (256, 96), (1_024, 864), (65_536, 1_000)]
)
def test_the_owner_keeps_descriptors_for_itself(descriptors: int, room: int) -> None:
    assert room_for(descriptors) == room
