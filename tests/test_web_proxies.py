"""Behind a proxy and without one: whose word on address and https is taken, and that Host is never
repeated.

The proxy is a real one: it takes connections, says who came, and passes bytes on to a real `serve`.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi import FastAPI

from livereview import settings as all_settings
from livereview.errors import Refused
from livereview.ops import surveil, team
from livereview.settings import Settings
from livereview.store.open import Store, owner
from livereview.web.serve import trust
from tests.conftest import NOW, REVIEW, Browser, TestClient
from tests.test_consultation import opened, published
from tests.test_security_web import addresses, built

__all__ = ["published"]  # a fixture

SERVE = """
import os, sys
from livereview import settings
from livereview.web.serve import serve
serve(settings.read(os.environ), port=0)
"""
SECRET = "a-secret-that-is-long-enough-to-be-safe"


class Proxy(ThreadingHTTPServer):
    """A reverse proxy at an address of this machine; `scheme` is what it says that visitors use."""

    daemon_threads = True

    def __init__(self, target: int, address: str, scheme: str = "https"):
        super().__init__((address, 0), Passing)
        self.target, self.scheme, self.source = target, scheme, address
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Passing(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        size = int(self.headers.get("content-length", 0))
        body = self.rfile.read(size) if size else None
        passed = http.client.HTTPConnection(
            "127.0.0.1", self.server.target, source_address=(self.server.source, 0), timeout=60
        )
        headers = {
            name: value
            for name, value in self.headers.items()
            if not name.lower().startswith("x-forwarded")
        }
        # the address that this visitor has
        said = self.headers.get("X-Visitor", self.client_address[0])
        headers |= {"X-Forwarded-For": said, "X-Forwarded-Proto": self.server.scheme}
        passed.request(self.command, self.path, body, headers)
        answer = passed.getresponse()
        content = answer.read()
        passed.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in (
                "content-length",
                "transfer-encoding",
                "connection",
                "date",
                "server",
            ):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[int]:
    """A `serve` of its own process with one account; its port."""
    settings = Settings(home=home, secrets={}, memory="500MB", threads=1)
    with Store(settings.database, "500MB", 1) as store:
        surveil.register(
            store, text=(Path(__file__).parent / "data" / "review.toml").read_text("utf-8"), now=NOW
        )
        team.add_account(store, name="lena", role="lead", secret=SECRET, now=NOW)
    own = {
        "LIVEREVIEW_HOME": str(home),
        "LIVEREVIEW_MEMORY": "500MB",
        "LIVEREVIEW_THREADS": "1",
        **environment,
    }
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("LIVEREVIEW_")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env={**inherited, **own}, stderr=subprocess.DEVNULL
    )
    try:
        while not ((known := owner(settings.database)) and known.get("url")):
            assert process.poll() is None, "the owner ended"
            time.sleep(0.05)
        yield int(known["url"].rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(60)


def asks(port: int, address: str = "127.0.0.1", **headers: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.update(headers)
    session.headers["X-Base"] = f"http://{address}:{port}"
    return session


def signs_in(session: requests.Session, secret: str) -> requests.Response:
    base = str(session.headers["X-Base"])
    return session.post(
        f"{base}/sign-in", data={"secret": secret}, allow_redirects=False, timeout=60
    )


def test_behind_a_trusted_proxy_cookies_are_secure_and_addresses_are_the_visitors(
    tmp_path: Path,
) -> None:
    with serving(
        tmp_path, LIVEREVIEW_TRUSTED_PROXIES="127.0.0.2/32", LIVEREVIEW_URL="https://x.example"
    ) as port:
        running = Proxy(port, "127.0.0.2")
        proxy = int(running.server_address[1])
        visitor = asks(proxy, "127.0.0.2", **{"X-Visitor": "203.0.113.9"})
        answer = signs_in(visitor, SECRET)
        cookie = answer.headers["set-cookie"]
        assert (
            cookie.startswith("__Host-livereview=")
            and "Secure" in cookie
            and "Domain" not in cookie
        )
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        for number in range(12):  # twelve visitors with one wrong secret each are twelve
            other = asks(proxy, "127.0.0.2", **{"X-Visitor": f"198.51.100.{number}"})
            assert signs_in(other, "wrong").status_code == 401, number
        attacker = [signs_in(visitor, "wrong").status_code for _ in range(12)]
        assert attacker == [401] * 10 + [429] * 2
        assert (
            signs_in(
                asks(proxy, "127.0.0.2", **{"X-Visitor": "198.51.100.77"}), "wrong"
            ).status_code
            == 401
        )
        assert (
            signs_in(asks(proxy, "127.0.0.2", **{"X-Visitor": "203.0.113.9"}), SECRET).status_code
            == 303
        )
        running.shutdown()
        running.server_close()


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8, 127.0.0.2"])
def test_what_somebody_else_says_of_himself_is_not_believed(tmp_path: Path, trusted: str) -> None:
    with serving(tmp_path, LIVEREVIEW_TRUSTED_PROXIES=trusted, FORWARDED_ALLOW_IPS="*") as port:
        codes = []
        for number in range(14):
            lies = {
                "X-Forwarded-For": f"203.0.113.{number}",
                "X-Forwarded-Proto": "https",
                "Forwarded": "for=1.2.3.4",
            }
            codes.append(signs_in(asks(port, **lies), "wrong").status_code)
        assert codes == [401] * 10 + [429] * 4
        answer = signs_in(asks(port, **{"X-Forwarded-Proto": "https"}), SECRET)
        assert answer.status_code == 303 and answer.headers["set-cookie"].startswith("livereview=")
        assert "Secure" not in answer.headers["set-cookie"]
        assert "strict-transport-security" not in answer.headers


def test_proxies_are_named_by_address_or_network_and_never_everybody() -> None:
    read = all_settings.read
    assert read({"LIVEREVIEW_TRUSTED_PROXIES": "127.0.0.1, 172.28.0.0/16 ::1"}).proxies == (
        "127.0.0.1/32",
        "172.28.0.0/16",
        "::1/128",
    )
    for wrong in ("*", "caddy", "172.28.0.1/16", "0.0.0.0/0", "::/0", "10.0.0.0/33"):
        with pytest.raises(Refused, match="LIVEREVIEW_TRUSTED_PROXIES"):
            read({"LIVEREVIEW_TRUSTED_PROXIES": wrong})
    assert trust(()) == {"proxy_headers": False, "forwarded_allow_ips": []}
    assert "::ffff:172.28.0.0/112" in trust(("172.28.0.0/16",))["forwarded_allow_ips"]


# Host

EVIL = (
    "evil.example",
    "evil.example:8080",
    "evil.example/x",
    "user@evil.example",
    "evil.example]",
    "",
)


@pytest.mark.parametrize("url", ["", "https://care.example"])
def test_what_a_request_calls_this_server_is_in_no_answer(
    app: FastAPI, reviewed: Store, settings: Settings, browser: Any, url: str
) -> None:
    built(reviewed, settings)
    object.__setattr__(app.state.shared.settings, "url", url)
    lena: Browser = browser("lena", "lead")
    session = {"Cookie": f"livereview={lena.http.cookies['livereview']}"}
    seen: set[int] = set()
    for headers in (session, {}):
        http = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
        for host in EVIL:
            for path in [
                *addresses(app, "GET"),
                "/r/x/",
                "/healthz/",
                f"/site/{REVIEW}",
                "/nowhere",
                "//evil/",
            ]:
                asked = (
                    f"{path}?url=http://care.example/site/{REVIEW}/latest/"
                    if path == "/oembed"
                    else path
                )
                answer = http.get(asked, headers={**headers, "Host": host})
                assert answer.status_code < 500, (path, host)
                seen.add(answer.status_code)
                assert "evil.example" not in answer.text + str(answer.headers), (path, host)
            for path in addresses(app, "POST", name=("status",)):
                answer = http.post(path, headers={**headers, "Host": host})
                assert answer.status_code < 500, (path, host)
                assert "evil.example" not in answer.text + str(answer.headers), (path, host)
    assert seen >= {200, 303, 307, 404} and "site" in {
        path.split("/")[1] for path in addresses(app, "GET")
    }


def test_a_page_tells_of_its_oembed_only_where_the_operator_named_this_server(
    app: FastAPI, reviewed: Store, settings: Settings
) -> None:
    built(reviewed, settings)
    http = TestClient(app, headers={"Host": "evil.example"})
    assert "link" not in http.get(f"/site/{REVIEW}/latest/").headers
    asked = http.get("/oembed", params={"url": f"http://evil.example/site/{REVIEW}/latest/"})
    assert asked.status_code == 404 and "LIVEREVIEW_URL" in asked.json()["error"]
    object.__setattr__(app.state.shared.settings, "url", "https://care.example/")
    assert "<https://care.example/oembed?" in http.get(f"/site/{REVIEW}/latest/").headers["link"]


@pytest.mark.parametrize("url", ["", "https://care.example/"])
def test_a_panel_link_names_the_server_by_the_setting_or_not_at_all(
    app: FastAPI, published: Store, browser: Any, url: str
) -> None:
    object.__setattr__(app.state.shared.settings, "url", url)
    opened(published, readers=False)
    lena = browser("lena", "lead")
    lena.http.headers["Host"] = "evil.example"
    lena.get(f"/r/{REVIEW}/consultation")
    page = lena.press("Make a link", name="Pat", address="")
    assert f"{url.rstrip('/')}/comment/{REVIEW}/" in page and "evil.example" not in page
    assert ("set LIVEREVIEW_URL" in page) == (not url)


def test_a_slash_too_many_leads_to_the_page_without_a_host(app: FastAPI) -> None:
    http = TestClient(app, follow_redirects=False, headers={"Host": "evil.example"})
    assert http.get("/healthz/").headers["location"] == "/healthz"
    assert http.get("/nowhere/").status_code == http.get("/site/nothing/").status_code == 404
