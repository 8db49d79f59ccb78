"""oEmbed: the provider, and the file beside each build."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from livereview.ops import evidence, publish, withdraw
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.summary import oembed
from tests.conftest import NOW, REVIEW, TestClient, article, found
from tests.test_ops import include
from tests.test_ops_as_of import extract

HERE = "http://testserver"
PAGE = f"{HERE}/site/{REVIEW}"


class Frame(HTMLParser):
    """The attributes of the one element of an oEmbed answer."""

    def __init__(self, html: str):
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))


def frame(html: str) -> dict[str, str | None]:
    ((tag, attributes),) = Frame(html).all
    assert tag == "iframe"
    return attributes


@pytest.fixture
def site(reviewed: Store, settings: Settings) -> Path:
    """One version whose outcome is rated."""
    settings.site.mkdir()
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    extract(reviewed, 1, NOW)
    answers = {"imprecision": "One small study; that is why it starts low."}
    rating = {"outcome": "attendance", "start": "low", "reasons": [], "answers": answers}
    evidence.rate(reviewed, id="r", review=REVIEW, data=rating, by="lena", now=NOW)
    publish.publish(reviewed, review=REVIEW, folder=settings.site, now=NOW)
    return settings.site


@pytest.fixture
def http(app: FastAPI, site: Path) -> TestClient:
    desk = app.state.shared
    app.state.shared = replace(desk, settings=replace(desk.settings, url=HERE))
    return TestClient(app)


def ask(http: TestClient, url: str, **more: Any) -> Any:
    return http.get("/oembed", params={"url": url, **more})


def test_a_page_is_answered_with_a_frame_that_can_do_nothing(http: TestClient, site: Path) -> None:
    answer = ask(http, f"{PAGE}/latest/")
    told, summary = (
        answer.json(),
        json.loads((site / REVIEW / "latest" / "summary.json").read_bytes()),
    )
    assert (told["type"], told["version"], told["provider_name"]) == ("rich", "1.0", "livereview")
    assert told["provider_url"] == HERE and told["cache_age"] == 300 and told["pinned"] is False
    assert (told["review_version"], told["certainty"]) == (1, "School attendance: low")
    assert (
        told["caveat"] == summary["caveat"]
        and told["searched_to"] == summary["status"]["searched_to"]
    )
    shown = frame(told["html"])
    assert shown["src"] == f"{PAGE}/latest/embed.html" and shown["title"] == told["title"]
    assert "allow-scripts" not in (shown["sandbox"] or "") and "allow-same-origin" not in (
        shown["sandbox"] or ""
    )
    assert shown["loading"] == "lazy" and http.get(shown["src"]).status_code == 200
    assert (
        answer.headers["access-control-allow-origin"] == "*" and "set-cookie" not in answer.headers
    )
    assert answer.headers["cache-control"] == "public, max-age=300, must-revalidate"


def test_a_numbered_version_stays(http: TestClient) -> None:
    for page in ("v/1/", "v/1", "v/1/index.html", "v/1/?x=1#answer"):
        told = ask(http, f"{PAGE}/{page}").json()
        assert told["pinned"] is True and frame(told["html"])["src"] == f"{PAGE}/v/1/embed.html", (
            page
        )
        assert told["cache_age"] == oembed.PINNED


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({}, (640, 320)),
        ({"maxwidth": 400}, (400, 320)),
        ({"maxwidth": 5000, "maxheight": 100}, (640, 100)),
        ({"maxwidth": 1, "maxheight": 1}, (1, 1)),
    ],
)
def test_the_frame_keeps_within_the_limits(
    http: TestClient, limits: dict[str, int], size: tuple[int, int]
) -> None:
    told = ask(http, f"{PAGE}/latest/", **limits).json()
    shown = frame(told["html"])
    assert (
        (told["width"], told["height"])
        == size
        == (int(shown["width"] or 0), int(shown["height"] or 0))
    )


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ({"url": f"{PAGE}/latest/", "format": "xml"}, 501),
        ({"url": f"{PAGE}/latest/", "maxwidth": "wide"}, 422),
        ({"url": f"{PAGE}/latest/", "maxheight": "0"}, 422),
        ({"url": f"{PAGE}/latest/", "maxwidth": "-3"}, 422),
        ({}, 422),
        ({"url": f"{PAGE}/v/9/"}, 404),
        ({"url": f"{HERE}/site/nowhere/latest/"}, 404),
        ({"url": "https://elsewhere.example/site/small-review/latest/"}, 404),
        ({"url": f"http://testserver@elsewhere.example/site/{REVIEW}/latest/"}, 404),
        ({"url": f"javascript://testserver/site/{REVIEW}/latest/"}, 404),
        ({"url": f"{HERE}/site/../secret/latest/"}, 404),
        ({"url": f"{HERE}/site/%2e%2e/latest/"}, 404),
        ({"url": f"{PAGE}/builds/"}, 404),
        ({"url": f"{HERE}/sign-in"}, 404),
        ({"url": "http://["}, 404),
    ],
)
def test_everything_else_is_refused_in_json(
    http: TestClient, question: dict[str, str], status: int
) -> None:
    answer = http.get("/oembed", params=question)
    assert answer.status_code == status and set(answer.json()) == {"error"}
    assert answer.headers["access-control-allow-origin"] == "*"


def test_what_was_withdrawn_is_gone(http: TestClient, reviewed: Store, site: Path) -> None:
    act: dict[str, Any] = {
        "id": "w",
        "review": REVIEW,
        "version": 1,
        "by": "lena",
        "reason": "Wrong.",
    }
    withdraw.withdraw(reviewed, **act, folder=site, now=NOW)
    for page in ("v/1/", "latest/"):
        assert ask(http, f"{PAGE}/{page}").status_code == 410


def test_pages_say_where_their_oembed_is(http: TestClient) -> None:
    page = http.get(f"/site/{REVIEW}/latest/")
    assert (
        '<link rel="alternate" type="application/json+oembed"' in page.text
        and 'href="oembed.json"' in page.text
    )
    link = page.headers["link"]
    assert link.endswith('; rel="alternate"; type="application/json+oembed"')
    assert http.get(link[1 : link.index(">")]).json()["review"] == REVIEW
    assert "link" not in http.get(f"/site/{REVIEW}/latest/summary.json").headers


def test_behind_a_proxy_the_known_address_counts(app: FastAPI, site: Path) -> None:
    desk = app.state.shared
    app.state.shared = replace(
        desk, settings=replace(desk.settings, url="https://care.example/reviews/")
    )
    http, page = TestClient(app), f"https://care.example/reviews/site/{REVIEW}/latest/"
    assert frame(ask(http, page).json()["html"])["src"] == f"{page}embed.html"
    assert ask(http, f"{PAGE}/latest/").status_code == 404


def test_the_file_of_a_static_host_is_relative_to_itself(site: Path) -> None:
    for build, pinned in (("latest", False), ("v/1", True)):
        folder = site / REVIEW / build
        told = json.loads((folder / "oembed.json").read_bytes())
        src = frame(told["html"])["src"] or ""
        assert told["pinned"] is pinned and (folder / src).is_file()
        assert "oembed.json" in (folder / "SHA256SUMS").read_text(encoding="utf-8")


def test_a_title_cannot_leave_the_frame() -> None:
    told = oembed.sized(
        {"title": '"><script>alert(1)</script>'}, 'https://x.example/"onload="/', None, None
    )
    assert set(frame(told["html"])) == {
        "src",
        "title",
        "width",
        "height",
        "loading",
        "referrerpolicy",
        "sandbox",
    }
