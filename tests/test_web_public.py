from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest
from anyio import fail_after, run, to_thread
from fastapi import FastAPI

from livereview.settings import Settings
from livereview.summary import reader_analysis
from livereview.web import public, security_headers
from livereview.web.public import STATIC
from livereview.web.security_headers import A_DAY, PIECE, PUBLIC
from tests.conftest import TestClient


@pytest.fixture
def site(settings: Settings) -> Path:
    """A published folder whose `latest` is a link, beside a database that is nobody's business."""
    build = settings.site / "small-review" / "builds" / "b1"
    build.mkdir(parents=True)
    (settings.site / "index.html").write_text("<title>All</title>")
    (build / "index.html").write_text("<title>One</title>")
    for name in ("summary.json", "studies.csv", "changes.atom", ".hidden"):
        (build / name).write_text("{}")
    (settings.site / "small-review" / "latest").symlink_to("builds/b1")
    (settings.site / "out").symlink_to(settings.home)
    (settings.site / "b2.new").mkdir()
    (settings.site / "b2.new" / "index.html").write_text("half")
    (settings.home / "secret.txt").write_text("secret")
    return settings.site


def test_the_published_folder_is_there_for_anybody(app: FastAPI, site: Path) -> None:
    http = TestClient(app)
    assert http.get("/site").text == "<title>All</title>" and http.get("/site").url.path == "/site/"
    page = http.get("/site/small-review/latest")
    assert (page.url.path, page.text) == ("/site/small-review/latest/", "<title>One</title>")
    kept = PUBLIC | {"Cache-Control": "public, max-age=300, must-revalidate"}
    assert {
        name: page.headers.get(name) for name in PUBLIC
    } == kept and "set-cookie" not in page.headers
    kinds = {
        name: http.get(f"/site/small-review/latest/{name}").headers["content-type"]
        for name in _files(site)
    }
    assert kinds == {
        "changes.atom": "application/atom+xml",
        "index.html": "text/html; charset=utf-8",
        "studies.csv": "text/csv; charset=utf-8",
        "summary.json": "application/json",
    }


def test_a_numbered_version_keeps_for_ever_and_only_the_embed_may_stand_in_a_frame(
    app: FastAPI, site: Path
) -> None:
    http, folder = TestClient(app), site / "small-review" / "v" / "1"
    folder.mkdir(parents=True)
    for name in ("index.html", "embed.html"):
        (folder / name).write_text("<title>x</title>", encoding="utf-8")
    page, frame = (
        http.get(f"/site/small-review/v/1/{name}") for name in ("index.html", "embed.html")
    )
    assert page.headers["cache-control"] == frame.headers["cache-control"] == A_DAY
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    gone = http.get("/site/small-review/v/9/embed.html")
    assert gone.status_code == 404 and gone.headers["cache-control"] == "no-cache"
    assert "frame-ancestors 'none'" in gone.headers["content-security-policy"]


def test_slow_readers_of_one_file_share_its_bytes_until_the_last_has_them(site: Path) -> None:
    page = site / "small-review" / "latest" / "summary.json"
    first, second = public._read(page), public._read(page)
    assert first is second
    page.write_text('{"new": 1}')
    assert public._read(page).body == b'{"new": 1}' and first.body == b"{}"
    del first, second
    assert not public._being_sent


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_an_answer_goes_out_in_pieces(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    parts = list(security_headers.pieces({"type": "http.response.body", "body": body[:size]}))
    assert b"".join(part["body"] for part in parts) == body[:size]
    assert all(len(part["body"]) <= PIECE for part in parts)
    assert [part.get("more_body", False) for part in parts] == [True] * (len(parts) - 1) + [False]


def _files(site: Path) -> list[str]:
    folder = site / "small-review" / "latest"
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_what_has_not_changed_is_not_sent_again(app: FastAPI, site: Path) -> None:
    http, address = TestClient(app), "/site/small-review/latest/summary.json"
    tag = http.get(address).headers["etag"]
    again = http.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    (site / "small-review" / "latest" / "summary.json").write_text('{"new": 1}')
    assert http.get(address, headers={"If-None-Match": tag}).status_code == 200
    assert http.head(address).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "out/secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "small-review/latest/.hidden",
        "b2.new/index.html",
        "%00",
        "x" * 300,
        "nothing",
        "small-review/builds/",
        "index.html/x",
        "/etc/passwd",
    ],
)
def test_nothing_else_is(app: FastAPI, site: Path, path: str) -> None:
    answer = TestClient(app).get(f"/site/{path}")
    assert (
        answer.status_code == 404
        and "secret" not in answer.text
        and "<h1>Not here</h1>" in answer.text
    )


def test_the_style_is_served_and_no_other_file_of_the_app(app: FastAPI) -> None:
    http = TestClient(app)
    assert http.get("/static/style.css").headers["content-type"] == "text/css; charset=utf-8"
    assert http.get("/static/..%2fapp.py").status_code == 404


def test_health_says_that_it_answers_and_nothing_more(app: FastAPI) -> None:
    assert TestClient(app).get("/healthz").json() == {"ok": True}
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert TestClient(app).get(path).status_code == 404


def test_the_script_that_we_did_not_write_is_the_published_one() -> None:
    """htmx 2.0.11, dist/htmx.min.js of the package htmx.org.

    Its licence (0BSD) stands beside it.
    """
    sha256 = hashlib.sha256((STATIC / "htmx-2.0.11.min.js").read_bytes()).hexdigest()
    assert sha256 == "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
    assert "Permission to use, copy, modify" in (STATIC / "htmx-LICENSE.txt").read_text(
        encoding="utf-8"
    )


def test_a_page_of_another_site_may_ask_for_a_file_with_the_etag_that_it_has(
    app: FastAPI, site: Path
) -> None:
    http, there = TestClient(app), "https://other.example.org"
    address = "/site/small-review/latest/summary.json"
    asked = {"Origin": there, "Sec-Fetch-Site": "cross-site"}
    wanted = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    leave = http.options(address, headers=asked | wanted)
    assert leave.status_code == 204
    assert leave.headers["access-control-allow-origin"] == "*"
    assert "If-None-Match" in leave.headers["access-control-allow-headers"]
    first = http.get(address, headers=asked)
    assert "ETag" in first.headers["access-control-expose-headers"]
    again = http.get(address, headers=asked | {"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "method"),
    [("/site/small-review/latest/summary.json", "POST"), ("/sign-in", "GET"), ("/r/x/lead", "GET")],
)
def test_no_other_site_gets_leave_for_more_than_reading_what_is_published(
    app: FastAPI, site: Path, path: str, method: str
) -> None:
    asked = {"Origin": "https://other.example.org", "Access-Control-Request-Method": method}
    refused = TestClient(app).options(path, headers=asked)
    assert refused.status_code == 403
    assert "access-control-allow-methods" not in refused.headers


def test_the_folder_of_a_review_leads_to_its_newest_version(app: FastAPI, site: Path) -> None:
    http = TestClient(app)
    for address in ("/site/small-review", "/site/small-review/"):
        page = http.get(address)
        assert (page.url.path, page.text) == ("/site/small-review/latest/", "<title>One</title>")


def test_a_published_file_waits_for_no_page(app: FastAPI, site: Path) -> None:
    """All the threads of pages wait, as they do for the writer in a storm of decisions."""

    async def ask() -> httpx.Response:
        pages = to_thread.current_default_thread_limiter()
        for number in range(int(pages.total_tokens)):
            await pages.acquire_on_behalf_of(f"page {number}")
        door = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=door, base_url="http://here") as http:
            with fail_after(60):
                return await http.get("/site/small-review/latest/")

    assert run(ask).text == "<title>One</title>"


def test_a_page_with_a_script_of_its_own_is_sent_the_policy_that_it_names(
    app: FastAPI, site: Path
) -> None:
    folder = site / "small-review" / "latest"
    own = f"script-src {reader_analysis.policy().split('script-src ')[1].split(';')[0]};"
    head = f'<head><meta http-equiv="Content-Security-Policy" content="{reader_analysis.policy()}">'
    (folder / "analysis.html").write_text(head)
    late = "<title>" + "x" * public.HEAD_OF_A_PAGE + "</title>" + head
    (folder / "late.html").write_text(late)
    with TestClient(app) as client:
        first = client.get("/site/small-review/latest/analysis.html")
        again = client.get(
            "/site/small-review/latest/analysis.html",
            headers={"If-None-Match": first.headers["etag"]},
        )
        others = [client.get(f"/site/small-review/latest/{name}") for name in ("", "late.html")]
    assert again.status_code == 304
    for answer in (first, again):
        assert own in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    for answer in others:  # what people wrote can't name a script
        assert "script-src" not in answer.headers["content-security-policy"]
