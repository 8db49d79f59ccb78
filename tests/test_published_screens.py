"""The published page in a real Chromium: desktop, phone, dark and print.

Nothing sticks out, all of it can be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import published_states
from tests.test_browser import CHROMIUM, FLAGS
from tests.test_published_validity import NEWER

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; Debian's package `chromium` brings one"
)
LOOKS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "print": {"viewport": {"width": 794, "height": 1123}},  # A4 at 96 dots an inch
}
PAGES = (
    "pooled/latest/index.html",
    "realist/latest/index.html",
    "pooled/latest/studies.html",
    "pooled/latest/analysis.html",
    "realist/latest/methods.html",
    "pooled/latest/study-s3.html",
    "hostile/latest/index.html",
    "retired/latest/trace.html",
    "index.html",
)
# Elements with words that stand out of the page at the right, unless they stand in a box that
# scrolls.
OUTSIDE = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
  const boxed = (one) => one && (scrolls(one) || boxed(one.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().right > wide + 1)
    .filter((one) => !one.closest("svg, .skip, .hidden") && !boxed(one))
    .map((one) => one.outerHTML.slice(0, 120));
}"""
# Boxes that hide a part of their words, which no scrolling shows.
CLIPPED = """() => [...document.querySelectorAll("body *")]
  .filter((one) => !one.closest("svg, .skip, .hidden") && one.checkVisibility() && one.clientWidth > 1)
  .filter((one) => getComputedStyle(one).overflowX === "hidden" || getComputedStyle(one).overflowX === "clip")
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
  .map((one) => one.outerHTML.slice(0, 120))"""
PICTURES = """() => [...document.querySelectorAll("svg")].filter((one) => one.checkVisibility()).map((one) => {
  const box = one.getBoundingClientRect();
  return [one.getAttribute("aria-labelledby"), box.width, box.height];
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    published_states.publish(made)
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def opened(chromium: Any, look: str, path: Path) -> Any:
    """The page as it looks there; a request to anything but files fails."""
    page = chromium.new_context(**LOOKS[look]).new_page()
    page.set_default_timeout(20_000)
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    if look == "print":
        page.emulate_media(media="print")
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_sticks_out_is_cut_off_or_too_pale(
    folder: Path, chromium: Any, tmp_path: Path, look: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for name in PAGES:
        page = opened(chromium, look, folder / name)
        assert page.evaluate(OUTSIDE) == [], name
        assert page.evaluate(CLIPPED) == [], name
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), name
        bad = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in bad] == [], (
            json.dumps(bad, indent=1)
        )
        shot = tmp_path / f"{look}.png"
        page.screenshot(path=shot, full_page=True)
        assert shot.read_bytes().startswith(b"\x89PNG") and shot.stat().st_size > 10_000
        assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
        page.context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_the_pictures_can_be_seen(folder: Path, chromium: Any, look: str) -> None:
    drawn = []
    for name in ("index", "studies", "methods"):
        page = opened(chromium, look, folder / f"pooled/latest/{name}.html")
        page.evaluate(
            "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
        )
        drawn += page.evaluate(PICTURES)
        page.context.close()
    assert len(drawn) >= 5 and all(width > 200 and height > 50 for _, width, height in drawn), drawn


def test_dark_is_dark_and_print_is_black_on_white(folder: Path, chromium: Any) -> None:
    light = {}
    for look in LOOKS:
        page = opened(chromium, look, folder / "pooled/latest/index.html")
        colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        light[look] = sum(int(part) for part in colour.strip("rgba()").split(",")[:3]) / 3
        if look == "print":
            assert page.evaluate(
                "() => [...document.querySelectorAll('nav')].every((one) => !one.checkVisibility())"
            )
        page.context.close()
    assert light["dark"] < 60 and light["desktop"] > 200 and light["phone"] > 200


def test_paper_has_a_title_page_and_hides_nothing_that_is_folded(
    folder: Path, chromium: Any
) -> None:
    page = opened(chromium, "print", folder / "pooled/latest/index.html")
    assert page.locator(".title").is_visible()
    assert "Version 2" in page.locator(".title").inner_text()
    folded = """() => [...document.querySelectorAll("details:not([open])")].map((one) =>
      [...one.children].slice(1).reduce((sum, part) => sum + part.getBoundingClientRect().height, 0))"""
    heights = page.evaluate(folded)
    assert heights and all(height > 10 for height in heights), heights
    page.context.close()


def test_chromium_knows_the_properties_that_the_validator_is_too_old_for(chromium: Any) -> None:
    page = chromium.new_page()
    assert (
        page.evaluate(
            "names => names.filter((name) => !CSS.supports(name, 'inherit'))", sorted(NEWER)
        )
        == []
    )
    page.close()


@pytest.mark.parametrize("width", [390, 1100])
def test_a_long_label_without_spaces_does_not_widen_the_page(
    folder: Path, chromium: Any, width: int
) -> None:
    words = (folder / "pooled/latest/index.html").read_text(encoding="utf-8")
    page = chromium.new_context(viewport={"width": width, "height": 900}).new_page()
    page.set_content(words)
    changed = page.evaluate(
        """() => [...document.querySelectorAll("th, td, caption, h1, h2, h3, li, dd")]
          .filter((cell) => !cell.matches(".n, .state"))  // figures and our own few words
          .map((cell) => cell.append("Outcome".repeat(43))).length"""
    )

    assert changed > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OUTSIDE) == []
