from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from livereview.store import matches
from livereview.store.matches import Match
from livereview.store.open import Store
from livereview.web.pages import effort, number, p_value, when
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_web_home import failed
from tests.test_web_screen import vote

People = Callable[..., Browser]
EMPTY = {"meta", "link", "input", "br", "hr", "img"}


class Outline(HTMLParser):
    """What a screen reader needs of a page: headings in order, labels, names of fields.

    Tags must close in order.
    """

    def __init__(self, page: str):
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: set[str] = set()
        self.lang = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.lang = has.get("lang", "") if tag == "html" else self.lang
        self.ids += [has["id"]] if "id" in has else []
        if tag == "label":
            self.labels.add(has["for"])
        elif tag in ("textarea", "select") or (tag == "input" and has.get("type") != "hidden"):
            self.fields.add(has["id"])
        elif tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag == "form":
            assert "form" not in self.open
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("filled", [True, False])
def test_every_page_has_one_title_labels_and_closed_tags(
    reviewed: Store, browser: People, filled: bool
) -> None:
    if filled:
        one, two, three, _ = found(reviewed, *(article(n) for n in range(4)))
        vote(reviewed, one, "lena", "include")
        vote(reviewed, two, "ada", "include")
        vote(reviewed, two, "bea", "exclude")
        left, right = sorted((one, three))
        doubt = Match("m", left, right, "doubtful", "rule", "close", "1", {"score": 0.5})
        reviewed.write(lambda con: matches.append(con, [doubt], NOW))
        failed(reviewed, "s2", "an error")
    lena, base = browser("lena", "lead"), f"/r/{REVIEW}"
    rooms = (
        "",
        "/screen/title_abstract",
        "/screen/full_text",
        "/conflicts",
        "/duplicates",
        "/history",
        "/nowhere",
    )
    for path in ("/", *(base + room for room in rooms)):
        page = Outline(lena.get(path))
        assert page.open == [] and page.lang == "en-GB", path
        assert page.headings.count(1) == 1, path
        assert page.fields == page.labels and len(page.ids) == len(set(page.ids)), path
    lena.get("/")
    lena.press("Sign out")
    page = Outline(lena.page.text)
    assert page.fields == page.labels == {"secret"} and page.headings == [1]


def test_times_and_numbers_are_written_for_people() -> None:
    assert (when(NOW), when(None), number(12345.0)) == ("2026-03-02 09:00 UTC", "never", "12,345")
    efforts = [effort(hours) for hours in (0, 0.016, 0.5, 1.5, 12.4)]
    assert efforts == ["0 minutes", "1 minute", "30 minutes", "1.5 hours", "12 hours"]
    assert (p_value(0.0421), p_value(0.0001)) == ("= 0.042", "< 0.001")
