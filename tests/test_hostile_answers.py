"""Hostile answers of every kind, to a search and to a webhook: each ends, with words.

None passes for a whole one.
"""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count, repeat
from pathlib import Path
from typing import Any

import pytest
import requests

from flows.surveil import run_search
from livereview import review_toml
from livereview.client import Local
from livereview.commands import NoteDelivery, Register
from livereview.commands.base import Nothing
from livereview.commands.service import DueWebhook, DueWebhooks
from livereview.endings import Ending
from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.fetch import Fetcher, OutOfTime
from livereview.fetch.address import SPECIAL_V4, SPECIAL_V6, Guarded, is_public
from livereview.fetch.paging import pages
from livereview.notices.post import deliver
from livereview.notices.send import guarded, smtp, webhook
from livereview.settings import Settings
from livereview.sources.protocol import Query, Request, Source, Window
from livereview.web.provider import Provider
from livereview.wire import REPLY_LINES, time_limit
from tests.test_notices import mail
from tests.world import Time, World, as_json, making, read, reply, searched

PATIENCE = 60  # seconds after which a test says that something never ends; none of them needs two
DEADLINE = 0.6
GAP = 0.05  # between two bytes of a server that drips: far less than any time limit for one read
BODY = b'{"items": [], "next": null}'
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOY = Source("toy", "Toy", read, interval=0.0)
OK = b"HTTP/1.1 200 OK\r\n"
LAST_CHUNK = b"1b\r\n" + BODY + b"\r\n0\r\n"
GZIP = "Content-Encoding: gzip"
BOMB = gzip.compress(bytes(9_000_000))
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

Send = Callable[[threading.Event], Iterable[bytes]]


def at_once(*pieces: bytes) -> Send:
    return lambda over: pieces


def dripping(start: bytes, piece: bytes) -> Send:
    """The start, and then a piece again and again with a pause that no timeout for one read minds."""

    def send(over: threading.Event) -> Iterator[bytes]:
        yield start
        while not over.wait(GAP):
            yield piece

    return send


def flooding(start: bytes, piece: bytes) -> Send:
    """The start, and then a piece again and again as fast as the client reads."""

    def send(over: threading.Event) -> Iterator[bytes]:
        yield start
        for again in repeat(piece):
            if over.is_set():
                return
            yield again

    return send


def stated(length: str, body: bytes = BODY, status: str = "200 OK") -> Send:
    return at_once(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode() + body)


def honest(status: str, *headers: str, body: bytes = BODY) -> Send:
    lines = "".join(f"{header}\r\n" for header in headers)
    return at_once(
        f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body
    )


@dataclass(frozen=True)
class Kind:
    """A hostile answer, what a search says of it, and how a webhook takes it."""

    name: str
    send: Send
    words: str
    hook: str = "retry"


LATE = f"not complete after {DEADLINE:g} s"
BROKEN = "did not come through"
KINDS = (
    # Never ending, a byte now and then: no time limit for one read notices
    Kind("100 Continue now and then", dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), f"{LATE}|interim"),
    Kind("100 Continue as a flood", flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "interim"),
    Kind("103 Early Hints as a flood", flooding(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"), "interim"),
    Kind("102 Processing now and then", dripping(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), f"{LATE}|interim"),
    Kind("a dripping status line", dripping(b"HTTP/1.1 200 ", b"O"), LATE),
    Kind("a dripping reason in the first byte", dripping(b"", b"H"), LATE),
    Kind("a dripping header", dripping(OK + b"X-Slow: ", b"a"), LATE),
    Kind("headers that drip line by line", dripping(OK, b"X: y\r\n"), f"{LATE}|{BROKEN}"),
    Kind("a dripping interim header", dripping(b"HTTP/1.1 100 Continue\r\nX-Slow: ", b"a"), LATE),
    Kind("a dripping body with a length", dripping(OK + b"Content-Length: 1000000\r\n\r\n", b"a"), LATE, "ok"),
    Kind("a dripping body without one", dripping(OK + b"\r\n" + BODY, b" "), LATE, "ok"),
    Kind("a dripping error", dripping(b"HTTP/1.1 500 No\r\n\r\n", b"e"), "answered 500", "retry"),
    Kind("a dripping redirect body", dripping(b"HTTP/1.1 302 No\r\nLocation: /stay\r\n\r\n", b"e"), ""),
    Kind("a dripping chunk size", dripping(CHUNKED, b"0"), LATE, "ok"),
    Kind("a dripping chunk extension", dripping(CHUNKED + b"5;x=", b"a"), LATE, "ok"),
    Kind("a dripping chunk", dripping(CHUNKED + b"ffff\r\n", b"a"), LATE, "ok"),
    Kind("dripping trailers", dripping(CHUNKED + LAST_CHUNK, b"X: y\r\n"), f"{LATE}|trailers", "ok"),
    Kind("a dripping trailer", dripping(CHUNKED + LAST_CHUNK + b"X: ", b"y"), LATE, "ok"),
    Kind("trailers as a flood", flooding(CHUNKED + LAST_CHUNK, b"X: y\r\n"), "trailers", "ok"),
    Kind("headers that break off", at_once(OK + b"Content-Type: text/html\r\n"), "breaks off"),
    Kind("a header that breaks off", at_once(OK + b"Content-Le"), "breaks off"),
    Kind("a status line that breaks off", at_once(b"HTTP/1.1 200"), "breaks off"),
    Kind("silence", dripping(b"", b""), f"{LATE}|{BROKEN}"),
    Kind("silence after the headers", dripping(OK + b"Content-Length: 27\r\n\r\n", b""), f"{LATE}|{BROKEN}", "ok"),
    # Too much
    Kind("a body as a flood", flooding(OK + b"\r\n", b"a" * 1_000), "larger than", "ok"),
    Kind("chunks as a flood", flooding(CHUNKED, b"3e8\r\n" + b"a" * 1_000 + b"\r\n"), "larger than", "ok"),
    Kind("a gzip bomb", honest("200 OK", GZIP, body=BOMB), "larger", "ok"),
    Kind(
        "gzip members without end",
        flooding(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"")),
        f"{LATE}|{BROKEN}|larger",
        "ok",
    ),
    Kind("an error without end", flooding(b"HTTP/1.1 500 No\r\n\r\n", b"e" * 1_000), "answered 500"),
    Kind("a header of 10 MB", at_once(OK + b"X: " + b"a" * 10_000_000 + b"\r\n\r\n"), BROKEN),
    Kind("10,000 headers", at_once(OK + b"X: y\r\n" * 10_000 + b"\r\n"), BROKEN),
    Kind("a chunk of 2^48", at_once(CHUNKED + b"1000000000000\r\n" + BODY), f"{BROKEN}|larger", "ok"),
    # No whole answer
    Kind("a length too large", stated("1000"), BROKEN, "ok"),
    Kind("a huge length", stated("9" * 30), f"{BROKEN}|larger", "ok"),
    Kind("a length too small", stated("5"), "longer than the length it states", "ok"),
    Kind("a negative length", stated("-5"), "the length it states is no number"),
    Kind("a length that is no number", stated("abc"), "the length it states is no number"),
    Kind("a length with a sign", stated("+27"), "the length it states is no number"),
    Kind("a length in hexadecimal", stated("0x1b"), "the length it states is no number"),
    Kind("another transfer coding", at_once(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + BODY), "nobody asked"),
    Kind("a transfer coding misspelt", at_once(OK + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY), "nobody asked"),
    Kind("chunked in two lines", at_once(CHUNKED[:-2] + b"Transfer-Encoding: x\r\n\r\n" + LAST_CHUNK), "nobody asked"),
    Kind("two lengths in one line", stated("5, 27"), "two different lengths"),
    Kind("two lengths in two lines", stated("5\r\nContent-Length: 27"), "two different lengths"),
    Kind("a number and a word", stated("27\r\nContent-Length: abc"), "two different lengths"),
    Kind("a chunk size that is no number", at_once(CHUNKED + b"xyz\r\n" + BODY), BROKEN, "ok"),
    Kind("a negative chunk size", at_once(CHUNKED + b"-5\r\n" + BODY + b"\r\n0\r\n\r\n"), f"{BROKEN}|larger", "ok"),
    Kind("chunks without the last", at_once(CHUNKED + b"1b\r\n" + BODY + b"\r\n"), BROKEN, "ok"),
    Kind("gzip that is cut", honest("200 OK", GZIP, body=gzip.compress(BODY)[:-9]), "gzip", "ok"),
    Kind("201", honest("201 Created"), "answered 201, which is no whole answer", "ok"),
    Kind("202", honest("202 Accepted"), "answered 202, which promises", "ok"),
    Kind("203", honest("203 Changed"), "answered 203, so something", "ok"),
    Kind("206", honest("206 Part", "Content-Range: bytes 0-26/27"), "answered 206, a part", "ok"),
    Kind("226", honest("226 IM Used"), "answered 226", "ok"),
    Kind("299", honest("299 Own"), "answered 299", "ok"),
    Kind("204", at_once(b"HTTP/1.1 204 Empty\r\n\r\n"), "empty answer", "ok"),
    Kind("an empty 200", honest("200 OK", body=b""), "empty answer", "ok"),
    # No HTTP, or another
    Kind("hanging up", at_once(), BROKEN),
    Kind("HTTP/0.9", at_once(BODY), BROKEN),
    Kind("garbage", at_once(bytes(range(256)) * 40), BROKEN),
    Kind("HTTP/7", at_once(b"HTTP/7.0 200 OK\r\nContent-Length: 27\r\n\r\n" + BODY), BROKEN),
    Kind("101", at_once(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + BODY), "answered 101"),
    Kind("999", honest("999 No"), "answered 999"),
    Kind("status 99", honest("99 No"), BROKEN),
    Kind("Retry-After of 31 years", honest("503 No", "Retry-After: 999999999"), "come back in 999,999,999 s"),
    Kind("brotli", honest("200 OK", "Content-Encoding: br"), "packed as 'br'", "ok"),
)  # fmt: skip


class Hostile:
    """A server that answers every request, or every connection (`talks_first`), with the same
    bytes.
    """

    def __init__(self, send: Send, talks_first: bool = False, tls: ssl.SSLContext | None = None):
        self.asked = 0
        self._send = send
        self._talks_first = talks_first
        self._tls = tls
        self._over = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])

    def __enter__(self) -> Hostile:
        self._listener = threading.Thread(target=self._welcome, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        with socket.create_connection(("127.0.0.1", self.port), 5):  # wakes who waits in accept
            pass
        self._listener.join(PATIENCE)  # or it would ask a door that is closed already
        self._door.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/a"

    def _welcome(self) -> None:
        while not self._over.is_set():
            client, _ = self._door.accept()
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(client, server_side=True) if self._tls else client as talk:
                request = b""
                while not self._talks_first and b"\r\n\r\n" not in request:
                    piece = talk.recv(65_536)
                    if not piece:
                        return
                    request += piece
                self.asked += 1
                for piece in self._send(self._over):
                    talk.sendall(piece)
        except OSError:
            pass  # the client had enough


def in_time(action: Callable[[], Any]) -> Any:
    """What the action gives or raises; a failure where it never ends."""
    outcome: list[tuple[Any, BaseException | None]] = []

    def act() -> None:
        try:
            outcome.append((action(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert outcome, f"it has not ended after {PATIENCE} s"
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def hurried(*permitted: int, **settings: Any) -> Fetcher:
    """A fetcher with little patience, that may ask these ports of this machine."""
    chosen: dict[str, Any] = {
        "secrets": {},
        "permitted": {("127.0.0.1", port) for port in permitted},
        "timeouts": (0.4, 0.4),
        "deadline": DEADLINE,
        "limits": {"toy": 100_000},
        "sleep": lambda seconds: None,
    }
    return Fetcher(**{**chosen, **settings})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_search_ends_and_says_why(kind: Kind) -> None:
    with (
        Hostile(kind.send) as server,
        hurried(server.port) as fetcher,
        pytest.raises(LivereviewError, match=f"(?s){kind.words}") as told,
    ):
        in_time(lambda: fetcher.once(Request(server.url), TOY))
    assert told.value.source == "toy"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_webhook_ends_and_says_why(kind: Kind) -> None:
    with Hostile(kind.send) as server, guarded(permitted={("127.0.0.1", server.port)}) as session:
        delivery = in_time(
            lambda: webhook(server.url, b"{}", b"secret", session, NOW, {}, DEADLINE)
        )
    assert delivery.outcome == kind.hook
    assert (delivery.error is None) == (kind.hook == "ok")


@pytest.mark.parametrize(
    "answer", [stated("abc"), stated("5"), honest("206 Part"), honest("203 Changed")]
)
def test_what_is_no_whole_answer_is_asked_for_again(answer: Send) -> None:
    tries = iter([answer, answer, honest("200 OK")])
    with Hostile(lambda over: next(tries)(over)) as server, hurried(server.port) as fetcher:
        assert in_time(lambda: fetcher.get(Request(server.url), TOY)).body == BODY
        assert server.asked == 3


def test_what_stays_no_whole_answer_breaks_the_source() -> None:
    words = "206, a part of an answer, which nobody asked for"
    with (
        Hostile(honest("206 Part")) as server,
        hurried(server.port) as fetcher,
        pytest.raises(SourceBroken, match=words) as told,
    ):
        in_time(lambda: fetcher.get(Request(server.url), TOY))
    assert (server.asked, told.value.status) == (5, 206)


@pytest.mark.parametrize(
    "answer",
    [stated("27, 27"), stated("27\r\nContent-Length: 27"), stated("027"), stated("27", BODY + b"\r\n"),
     at_once(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", OK + b"\r\n" + BODY),
     at_once(CHUNKED + b"1b;name=value\r\n" + BODY + b"\r\n0\r\nX-Sum: 1\r\n\r\n"),
     at_once(OK + b"Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n1b\r\n" + BODY + b"\r\n0\r\n\r\n")],
    ids=["one length twice", "in two lines", "a leading nought", "a line's end too much", "hints before it",
         "extension and trailer", "chunks with a length"],
)  # fmt: skip
def test_what_is_odd_but_whole_is_read(answer: Send) -> None:
    with Hostile(answer) as server, hurried(server.port) as fetcher:
        assert in_time(lambda: fetcher.once(Request(server.url), TOY)).body == BODY


def test_redirects_share_one_deadline() -> None:
    """Three slow steps, each within the deadline, are together beyond it."""

    def step(over: threading.Event) -> Iterator[bytes]:
        over.wait(DEADLINE / 2)
        yield b"HTTP/1.1 302 Go on\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"

    with Hostile(step) as server, hurried(server.port) as fetcher:
        with pytest.raises(Retry, match=LATE):
            in_time(lambda: fetcher.once(Request(server.url), TOY))
        assert server.asked < 4


def test_a_connection_that_is_used_again_is_watched_too() -> None:
    """The second answer on one connection drips."""

    class Twice(Hostile):
        def _answer(self, client: socket.socket) -> None:
            with client:
                client.recv(65_536)
                client.sendall(OK + b"Content-Length: 27\r\n\r\n" + BODY)
                client.recv(65_536)
                self.asked += 1
                try:
                    client.sendall(OK + b"X-Slow: ")
                    while not self._over.wait(GAP):
                        client.sendall(b"a")
                except OSError:
                    pass  # the client had enough

    with Twice(at_once()) as server, hurried(server.port) as fetcher:
        assert in_time(lambda: fetcher.once(Request(server.url), TOY)).body == BODY
        with pytest.raises(Retry, match=LATE):
            in_time(lambda: fetcher.once(Request(server.url), TOY))
        assert server.asked == 1


# TLS


@pytest.mark.parametrize(
    "send",
    [
        dripping(b"", b""),
        dripping(b"\x16\x03\x03\x40\x00", b"\x00"),
        flooding(b"", b"\x00" * 100),
        at_once(OK),
    ],
    ids=["silence", "a dripping handshake", "noughts", "plain HTTP"],
)
def test_a_handshake_ends(send: Send) -> None:
    with (
        Hostile(send, talks_first=True) as server,
        hurried(server.port) as fetcher,
        pytest.raises(Retry),
    ):
        in_time(lambda: fetcher.once(Request(f"https://127.0.0.1:{server.port}/"), TOY))


def test_headers_that_drip_through_tls_end_too(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the test's certificate, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=good.test"
    extra = [
        "-addext",
        "subjectAltName=DNS:good.test",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Hostile(dripping(OK + b"X-Slow: ", b"a"), tls=context) as server:
        guard = Guarded(lambda host, _: ["127.0.0.1"], [("127.0.0.1", server.port)])
        request = requests.Request("GET", f"https://good.test:{server.port}/").prepare()

        def ask() -> None:
            with time_limit(DEADLINE) as watchdog, pytest.raises(requests.ConnectionError):
                guard.send(request, verify=str(certificate), timeout=2)
            assert watchdog.expired

        in_time(ask)
        guard.close()


# Mail


@pytest.mark.parametrize("start", [b"", b"220 "], ids=["from the first byte", "after the code"])
def test_a_mail_server_that_drips_is_left(start: bytes) -> None:
    with (
        Hostile(dripping(start, b"2"), talks_first=True) as server,
        pytest.raises(Retry, match=r"took more than 0\.6 s"),
    ):
        in_time(lambda: smtp(mail(), f"smtp://127.0.0.1:{server.port}", 0.4, DEADLINE))


def test_a_mail_server_that_never_ends_a_reply_fills_no_memory() -> None:
    def talk(over: threading.Event) -> Iterator[bytes]:
        while not over.is_set():
            yield b"220-hello\r\n" * REPLY_LINES

    with (
        Hostile(talk, talks_first=True) as server,
        pytest.raises(Retry, match="hung up"),
    ):
        in_time(lambda: smtp(mail(), f"smtp://127.0.0.1:{server.port}", 2, 5))


# Sign-in through a provider


@pytest.mark.parametrize(
    "send",
    [dripping(OK + b"X-Slow: ", b"a"), dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
     dripping(OK + b"Content-Length: 999\r\n\r\n", b" "), dripping(CHUNKED + b"5;x=", b"a"), stated("abc", b"{}")],
    ids=["header", "100 Continue", "body", "chunk extension", "length that is no number"],
)  # fmt: skip
def test_a_provider_that_drips_does_not_hold_a_sign_in(send: Send) -> None:
    with Hostile(send) as server, pytest.raises(Retry, match="does not answer"):
        in_time(lambda: Provider(timeout=0.3)._ask("GET", server.url, {}))


# Nobody waits for the one who hangs


def test_one_receiver_who_hangs_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "__defaults__", (DEADLINE,))
    fine = world.script("/hook", reply(b""))
    noted: list[NoteDelivery] = []

    class Owner:
        def run(self, command: Any, /) -> Any:
            if isinstance(command, NoteDelivery):
                noted.append(command)
                return Nothing()
            urls = [hanging.url, hanging.url, hanging.url, fine]
            about = {"review": "r", "about": None, "attempt": 1, "event": "e", "body": "{}"}
            due = [DueWebhook(version=n, url=url, **about) for n, url in enumerate(urls)]
            return DueWebhooks(due=due)

    with (
        Hostile(dripping(OK + b"X-Slow: ", b"a")) as hanging,
        guarded(permitted={("127.0.0.1", hanging.port), world.endpoint}) as session,
    ):
        done = in_time(lambda: deliver(Owner(), "secret", NOW, session))
    assert done == [(hanging.url, "retry", "no answer within 0.6 s"), (fine, "ok", None)]
    assert [delivery.version for delivery in noted] == [0, 3], "what hangs is asked once a round"


def test_pages_without_end_end_with_the_search(world: World) -> None:
    """Each page comes in time and has another cursor; a second passes at each look at the clock."""
    numbers = count()
    world.always = lambda: as_json({"items": [], "next": f"page {next(numbers)}"})()
    source = replace(searched(world), interval=0.0)
    world.script("/search", world.always)
    with (
        making(world, Time(pace=1.0)) as fetcher,
        pytest.raises(OutOfTime, match="stopped after 200 s"),
        fetcher.limited(200.0),
    ):
        for _ in pages(fetcher, source, Query("x"), Window(None, NOW)):
            assert next(numbers) < 1_000
    assert world.seen


def test_a_pause_beyond_the_end_of_a_search_is_not_slept(world: World) -> None:
    time = Time()
    url = world.script("/a", reply("later", 503, retry_after=100))
    with making(world, time) as fetcher:
        with pytest.raises(OutOfTime, match="stopped after 50 s"), fetcher.limited(50.0):
            fetcher.get(Request(url), TOY)
        assert time.slept == []
        with pytest.raises(Retry, match="answered 503"):
            fetcher.get(Request(url), TOY)  # outside it, nothing is limited


TWO_SEARCHES = """
[[searches]]
name = "slow"
source = "page"
platform = "A page that never ends"
url = "http://slow.example.org/"

[[searches]]
name = "fine"
source = "page"
platform = "A page"
url = "http://fine.example.org/"
"""


@pytest.fixture
def world() -> Iterator[World]:
    with World() as opened:
        yield opened


def with_two_searches(protocol: str) -> str:
    """The small review with a search whose site never ends, and one whose site is fine."""
    before, _, after = protocol.partition("[[searches]]")
    return before + TWO_SEARCHES + after[after.index("[screening]") :]


def slow_and_fine(world: World) -> None:
    """Let the world answer in both sites' place."""

    def header() -> Iterator[bytes]:
        yield OK + b"X-Slow: "
        pause = threading.Event()
        while not pause.wait(GAP):
            yield b"a"

    world.script("/http/slow.example.org/", header)
    links = "<a href='/a'>A trial of mentoring</a> <a href='/b'>Another trial of mentoring</a>"
    world.script(
        "/http/fine.example.org/",
        reply(f"<html><body>{links}</body></html>", content_type="text/html"),
    )


def test_a_search_that_never_ends_leaves_the_night_to_the_others(
    settings: Settings, protocol: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.surveil.LONGEST_SEARCH", 1.5)
    slow_and_fine(world)
    two_searches = with_two_searches(protocol)
    client = Local(settings)
    client.run(Register(text=two_searches, now=NOW))
    plans = review_toml.parse(two_searches).searches

    def night() -> list[Ending]:
        with Fetcher(secrets={}, via=world.base) as fetcher:
            return [run_search(client, fetcher, "small-review", plan, NOW) for plan in plans]

    slow, fine = in_time(night)
    client.close()
    assert (slow.name, slow.outcome) == ("slow", "failed")
    assert "stopped after 1.5 s, the longest it may take" in (slow.error or "")
    assert (fine.name, fine.outcome, fine.found) == ("fine", "ok", 2)


# Where no request may go, whatever release of Python says


@pytest.mark.parametrize("block", [*SPECIAL_V4, *SPECIAL_V6], ids=str)
def test_no_address_of_a_special_network_is_public(block: Any) -> None:
    for address in (block[0], block[block.num_addresses // 2], block[-1]):
        assert not is_public(str(address))
        if block.version == 4:
            assert not is_public(f"::ffff:{address}")
            assert not is_public(f"2600:1::5efe:{address}"), "ISATAP carries it"


@pytest.mark.parametrize(
    "address",
    ["168.63.129.16", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.0.0.192", "192.88.99.1", "100.100.100.200",
     "169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "::ffff:0:8.8.8.8",
     "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:20::1", "2002:808:808::1", "::8.8.8.8", "100::1", "100:0:0:1::1",
     "5f00::1", "3fff::1", "fec0::1", "fc00::1", "fe80::1%1", "ff0e::1", "::", "::1", "4000::1", "2001:db8::1"],
)  # fmt: skip
def test_neighbours_of_known_traps_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0",
     "192.88.98.255", "192.88.100.0", "198.17.255.255", "198.20.0.0", "168.63.129.15", "168.63.129.17",
     "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2606:2800:220:1::1", "2a00::1", "::ffff:8.8.8.8",
     "2600:1::5efe:8.8.8.8"],
)  # fmt: skip
def test_their_honest_neighbours_are(address: str) -> None:
    assert is_public(address)
