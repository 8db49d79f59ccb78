"""Where requests may go, and what is never told: addresses, certificates, keys in errors, logs and
answers.
"""

from __future__ import annotations

import json
import logging
import pickle
import shutil
import ssl
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from livereview import fetch
from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.fetch import Fetcher
from livereview.fetch.address import Guarded, is_public, look_up
from livereview.sources.protocol import Request
from tests.world import TOY, Time, World, dropped, hang_up, making, packed, redirect, reply

KEY = "k3y-which&nobody=sees"
BODY = b'{"items": ["a", "b"], "next": null}' * 20


@pytest.fixture
def world() -> Iterator[World]:
    with World() as opened:
        yield opened


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def fetcher(world: World, time: Time) -> Iterator[Fetcher]:
    with making(world, time) as made:
        yield made


# Where requests may go


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://[::1]/", "http://0/",
     "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data", "http://100.64.0.1/", "http://10.0.0.1/",
     "http://127。0。0。1/", "http://１２７.0.0.1/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
     "http://[::127.0.0.1]/", "http://[fec0::1]/", "http://[fe80::1]/", "http://224.0.0.1/", "http://[ff0e::1]/",
     "http://255.255.255.255/", "https://user@93.184.216.34/", "http://user:secret@93.184.216.34/",
     "http://93.184.216.34:22/", "https://93.184.216.34:8443/", "ftp://93.184.216.34/", "file:///etc/passwd",
     "gopher://93.184.216.34/", "//93.184.216.34/", "http:///", "http://[::1", "", "http://93.184.216.34:99999/",
     "http://a..b/", "http://127.0.0.1:80\\@example.com/", "http://localhost/"],
)  # fmt: skip
def test_no_request_leaves_for_a_place_that_is_not_public(url: str, time: Time) -> None:
    with (
        Fetcher(secrets={}, clock=time.clock, sleep=time.sleep) as fetcher,
        pytest.raises(SourceBroken) as told,
    ):
        fetcher.get(Request(url), TOY)
    assert "secret" not in str(told.value) and "user" not in (told.value.url or "")
    assert time.slept == []


@pytest.mark.parametrize(
    ("address", "public"),
    [("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("::ffff:93.184.216.34", True),
     ("::ffff:10.0.0.1", False), ("192.168.1.1", False), ("2001:db8::1", False), ("fc00::1", False),
     ("0.0.0.0", False)],
)  # fmt: skip
def test_public_means_one_machine_of_the_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_name_with_one_private_address_is_refused_whole(time: Time) -> None:
    guard = Guarded(lambda host, port: ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(SourceBroken, match=r"two\.test leads to 10\.0\.0\.1"):
        guard.checked("https://two.test/")


def test_the_connection_goes_to_the_address_that_was_checked(world: World, time: Time) -> None:
    turns = iter([["127.0.0.1"], ["127.0.0.2"]])  # the second look-up is the attacker's
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(turns)

    world.script("/a", reply(BODY))
    url = f"http://rebind.test:{world.endpoint[1]}/a"
    with making(world, time, resolve=rebinding) as fetcher:
        assert fetcher.get(Request(url), TOY).body == BODY
        assert asked == ["rebind.test"], (
            "looked up once, by the check; the connection looks nothing up"
        )
        assert world.seen[0].headers["host"] == f"rebind.test:{world.endpoint[1]}"
        with pytest.raises(SourceBroken, match=r"127\.0\.0\.2"):
            fetcher.get(Request(url), TOY)


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long")])
def test_a_name_that_leads_nowhere_is_told(time: Time, error: Exception) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise error

    with (
        Fetcher(secrets={}, resolve=fail, sleep=time.sleep, clock=time.clock) as fetcher,
        pytest.raises(LivereviewError, match=r"nowhere\.test") as told,
    ):
        fetcher.get(Request("https://nowhere.test/"), TOY)
    assert isinstance(told.value, Retry) == isinstance(error, OSError)


def test_the_system_looks_names_up_with_ipv4_first() -> None:
    assert look_up("127.0.0.1", 80) == ["127.0.0.1"]
    assert look_up("localhost", 80)[0] == "127.0.0.1"


def test_the_environment_s_proxies_are_not_used(
    world: World, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetcher.get(Request(world.script("/a", reply(BODY))), TOY).body == BODY


class Secure(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.headers["host"]).encode())

    def log_message(self, format: str, *values: Any) -> None:
        pass


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path, list[str | None]]]:
    """A TLS server for the name good.test: its port, its certificate, and the names that clients
    asked for.
    """
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
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _, name, __: names.append(name)
    server = HTTPServer(("127.0.0.1", 0), Secure)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that refuses the certificate
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port, certificate, names
    server.shutdown()
    server.server_close()


def test_the_certificate_is_checked_for_the_name_though_the_address_is_pinned(
    secure: tuple[int, Path, list[str | None]],
) -> None:
    port, certificate, names = secure
    guard = Guarded(lambda host, _: ["127.0.0.1"], [("127.0.0.1", port)])

    def ask(host: str) -> str:
        prepared = requests.Request("GET", f"https://{host}:{port}/").prepare()
        with guard.send(prepared, verify=str(certificate), timeout=2) as response:
            return response.text

    assert ask("good.test") == f"good.test:{port}"
    with pytest.raises(requests.exceptions.SSLError):
        ask("evil.test")
    assert names == ["good.test", "evil.test"]
    guard.close()


# What is never told


def everything_told(error: BaseException) -> str:
    """All that an error and those behind it could put into a log, even where "from None" hides
    them.
    """
    told, at = "", error
    while at is not None:
        told += "".join(traceback.format_exception(at)) + repr(at) + repr(vars(at)) + repr(at.args)
        at = at.__cause__ or at.__context__  # type: ignore[assignment]
    return told + repr(pickle.loads(pickle.dumps(error)))


@pytest.mark.parametrize(
    "place",
    [lambda w: w.script("/a", reply(f"bad key {KEY} or k3y-which%26nobody%3Dsees", 400)),
     lambda w: w.script("/a", reply(KEY, 503)),
     lambda w: w.script("/a", hang_up()), lambda w: w.script("/a", dropped(BODY)), lambda w: w.script("/a", reply(b"")),
     lambda w: w.script("/a", redirect("http://10.0.0.1/?api_key=" + KEY)), lambda w: "http://127.0.0.1:1/",
     lambda w: w.script("/a", redirect("http://[/?api_key=" + KEY)), lambda w: "http://[::1", lambda w: "mailto:x",
     lambda w: "http://k3y:k3y@[::1"],
)  # fmt: skip
@pytest.mark.parametrize(
    "secret", [("api_key", "K"), ("header:x-api-key", "K"), ("header:bad\nname", "K")]
)
def test_no_error_and_no_line_of_the_log_ever_tells_a_key(
    world: World,
    time: Time,
    caplog: pytest.LogCaptureFixture,
    place: Callable[[World], str],
    secret: tuple[str, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    request = Request(place(world), (("q", "care"),), secrets=(secret,))
    allowed = {world.endpoint, ("127.0.0.1", 1)}
    with (
        making(world, time, secrets={"K": KEY}, permitted=allowed) as fetcher,
        pytest.raises(LivereviewError) as told,
    ):
        fetcher.get(request, TOY)
    for text in (everything_told(told.value), caplog.text):
        assert "k3y" not in text


def test_a_key_that_the_source_repeats_is_hidden_in_the_answer(world: World, time: Time) -> None:
    body = json.dumps(
        {"next": f"https://x.test/?api_key={KEY}", "again": "k3y-which%26nobody%3Dsees"}
    )
    with making(world, time, secrets={"K": KEY, "OTHER": None}) as fetcher:
        secrets = (("api_key", "K"), ("other", "OTHER"), ("unknown", "UNKNOWN"))
        answer = fetcher.get(
            Request(world.script("/a", reply(body)), (("q", "1"),), secrets=secrets), TOY
        )
    assert world.seen[0].query == {"q": "1", "api_key": KEY}
    assert "k3y" not in repr(answer) and answer.body.count(b"[hidden]") == 2
    assert answer.url == f"{world.base}/a?q=1"


def test_the_log_has_a_line_for_each_request_without_its_query(
    world: World, fetcher: Fetcher, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fetcher.get(
        Request(world.script("/a", reply(b"", 503), packed(BODY)), (("q", "private words"),)), TOY
    )
    assert caplog.messages == [
        "toy 127.0.0.1/a 503 0 bytes 0 ms",
        f"toy 127.0.0.1/a 200 {len(BODY)} bytes 0 ms",
    ]


def test_an_address_is_shown_as_it_is_sent_but_for_its_secrets() -> None:
    request = Request(
        "https://x.test/a b?z=1#top", (("q", "ü & b"), ("a", "")), secrets=(("api_key", "K"),)
    )
    assert fetch.address(request) == "https://x.test/a%20b?z=1&q=%C3%BC+%26+b&a="


@pytest.mark.parametrize("via", ["https://127.0.0.1:1", "http://example.org", "http://10.0.0.1:80"])
def test_answers_are_taken_from_this_machine_or_from_the_publishers(via: str) -> None:
    with pytest.raises(Refused, match=r"127\.0\.0\.1"):
        Fetcher(secrets={}, via=via)
