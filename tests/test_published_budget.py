"""What a reader with a slow phone, a screen reader or no scripts pays for the first page: little.

The checks are those of page auditors: bytes, requests, headings, texts for pictures, contrast, and
what search engines read.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from livereview.summary import badge, site
from livereview.summary.model import Summary
from tests import evidence
from tests.snapshots import snapshot
from tests.test_browser import CHROMIUM, FLAGS

STUDIES = 20
BYTES, REQUESTS = 30 * 1024, 3
NARROW = 280
"""Pixels of the narrowest frame that a site may give a finding."""

SITE = "https://reviews.example.org/site/mentors"
FRAMED = ("embed.html", "finding-sos-wellbeing.html")
HEADINGS = (
    "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((one) => Number(one.tagName[1]))"
)
NAMELESS = """() => [...document.querySelectorAll("svg[role=img], img")]
  .filter((one) => one.tagName === "IMG" ? !one.alt : !one.querySelector("title")?.textContent)
  .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    forms = [
        evidence.study(
            f"s{n:02}",
            evidence.smd(0.2 + n / 40, 0.25),
            evidence.around(0.8 + n / 100, 0.2),
            country="England",
            design="randomised trial",
            risk_of_bias="low",
            risk_of_bias_tool="RoB 2",
        )
        for n in range(STUDIES)
    ]
    asked = replace(evidence.review(), site_url=SITE)
    folder = tmp_path_factory.mktemp("budget")
    for name, content in site.build(snapshot(*forms, review=asked), 1, "first").files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; Debian's package `chromium` brings one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def test_the_first_page_is_light_with_twenty_studies(built: Path) -> None:
    assert len(gzip.compress((built / "index.html").read_bytes(), 6)) <= BYTES


def test_search_engines_and_phones_are_told_what_they_ask(built: Path) -> None:
    page = (built / "index.html").read_text("utf-8")
    assert re.search(r'<html lang="[a-z-]+', page, re.IGNORECASE)
    described = re.search(r'<meta name="description" content="([^"]+)"', page)
    assert described is not None and len(described[1]) > 50
    assert f'<link rel="canonical" href="{SITE}/latest/">' in page
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert re.search(r"<title>[^<]{10,}</title>", page)


def test_it_needs_no_script_few_requests_and_no_other_site(built: Path, chromium: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    plain = chromium.new_context(java_script_enabled=False).new_page()
    asked: list[str] = []
    plain.on("request", lambda request: asked.append(request.url))
    plain.goto((built / "index.html").as_uri())
    loaded = [url for url in asked if not url.startswith("data:")]
    assert 1 <= len(loaded) <= REQUESTS
    assert all(url.startswith("file:") for url in loaded)
    without = plain.locator("main").inner_text()
    plain.context.close()

    page = chromium.new_page()
    page.goto((built / "index.html").as_uri())
    assert page.locator("main").inner_text() == without
    levels = page.evaluate(HEADINGS)
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.evaluate(NAMELESS) == []
    assert Axe().run(page).response["violations"] == []
    page.close()


@pytest.mark.parametrize("name", FRAMED)
def test_a_frame_of_280_pixels_shows_all_of_it(built: Path, chromium: Any, name: str) -> None:
    page = chromium.new_page(viewport={"width": NARROW, "height": 500})
    page.goto((built / name).as_uri())
    assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW
    assert "ersion 1" in page.locator("main").inner_text()
    page.close()


# The badge


def summary(**changes: Any) -> Summary:
    drafted = site.draft(snapshot(review=evidence.review()), 1, "first").summary
    return drafted.model_copy(update={"status": drafted.status.model_copy(update=changes)})


TOLD = {
    "current": ({"stale": False, "searched_to_display": "3 March 2026"}, "current to 3 March 2026"),
    "behind": ({"stale": True, "searched_to_display": "3 March 2026"}, "behind: current to 3"),
    "paused": ({"state": "paused", "stale": True}, "paused: not being updated"),
    "retired": ({"state": "retired"}, "retired: no longer updated"),
    "never": ({"searched_to": None}, "searches not complete yet"),
}


@pytest.mark.parametrize("state", TOLD)
def test_the_badge_says_in_words_how_current_a_review_is(state: str) -> None:
    changes, words = TOLD[state]
    told = summary(**{"searched_to": "2026-03-03T00:00:00Z", "state": "living", **changes})
    drawn = str(badge.svg(told))
    assert f'<title id="t">living review: {words}' in drawn and drawn.count("<text") == 2
    assert "NaN" not in drawn
