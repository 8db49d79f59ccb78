"""Answers that several searches of a night ask for: asked for once, taken in by each as its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from flows import jobs, sharing
from flows.surveil import Options, run_search
from livereview.backups.target import Folder
from livereview.commands import ReadLedger, Register
from livereview.errors import Refused, SourceBroken
from livereview.fetch import Answer, address, paging
from livereview.fetch.paging import pages
from livereview.ops import nights
from livereview.review import Search
from livereview.settings import Settings
from livereview.shared_answers import NightAnswers
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.store.open import Store
from tests.conftest import NOW, OpenStore
from tests.test_jobs import FakeBoard, carried_out

T = TypeVar("T")
DAY = datetime(2026, 3, 2, tzinfo=UTC)
WINDOW = Window(DAY - timedelta(days=7), DAY)
ITEM = "<item><title>Paper {0}</title><link>https://j.example/{0}</link><guid>{0}</guid></item>"
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>J</title>
<link>https://j.example/</link><description>d</description>{}</channel></rss>"""


@dataclass
class FakeFetcher:
    """Answers each address with its body, and writes down what was asked."""

    bodies: dict[str, bytes]
    asked: list[str] = field(default_factory=list)

    def once(
        self, request: Request, source: Source, *, cursor: str | None = None, number: int = 1
    ) -> Answer:
        url = address(request)
        self.asked.append(url)
        body = self.bodies[url]
        headers = (("etag", "x"),)
        return Answer(source.name, url, request.form, 200, headers, body, cursor, number, 0.5)

    def patiently(self, attempt: Callable[[], T]) -> T:
        return attempt()

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        yield


def numbered(warning: str = "", broken: bool = False) -> Source:
    """A source of three pages, whatever is searched for; the last may have a fault."""

    def request(query: Query, window: Window, cursor: str | None) -> Request:
        return Request("https://api.example/all", (("page", cursor or "1"),))

    def parse(body: bytes, cursor: str | None) -> Page:
        last = cursor == "3"
        if last and broken:
            raise SourceBroken("not what was asked for")
        after = None if last else str(int(cursor or "1") + 1)
        return Page(next_cursor=after, warnings=(warning,) if warning and last else ())

    return Source("numbered", "Numbered", parse, request)


BODIES = {f"https://api.example/all?page={page}": f"page {page}".encode() for page in (1, 2, 3)}


def asked_for(
    fetcher: FakeFetcher, night: NightAnswers | None, source: Source, query: str = "x"
) -> list[Answer]:
    found = pages(fetcher, source, Query(query), WINDOW, shared=night)  # type: ignore[arg-type]
    return list(found)


@pytest.fixture
def night(tmp_path: Path) -> NightAnswers:
    return NightAnswers(Folder(tmp_path / "answers"), "2026-03-02T02:00 one", DAY)


def test_the_second_search_is_given_the_pages_of_the_first_and_told_so(night: NightAnswers) -> None:
    fetcher = FakeFetcher(BODIES)
    first = asked_for(fetcher, night, numbered())
    second = asked_for(fetcher, night, numbered(), query="another review's words")
    assert len(fetcher.asked) == 3
    assert [replace(answer, note=None) for answer in second] == first
    assert all("asked once for several searches" in (answer.note or "") for answer in second)


def test_another_night_asks_anew(night: NightAnswers) -> None:
    fetcher = FakeFetcher(BODIES)
    asked_for(fetcher, night, numbered())
    asked_for(fetcher, replace(night, name="2026-03-02T02:00 two"), numbered())
    assert len(fetcher.asked) == 6


def test_what_broke_off_is_given_to_nobody(night: NightAnswers) -> None:
    fetcher = FakeFetcher(BODIES)
    with pytest.raises(SourceBroken):
        asked_for(fetcher, night, numbered(broken=True))
    assert len(asked_for(fetcher, night, numbered())) == 3 and len(fetcher.asked) == 6


def test_what_came_with_a_warning_is_given_to_nobody(night: NightAnswers) -> None:
    fetcher = FakeFetcher(BODIES)
    asked_for(fetcher, night, numbered(warning="a word was left out"))
    asked_for(fetcher, night, numbered())
    assert len(fetcher.asked) == 6


def test_a_search_that_its_caller_left_is_given_to_nobody(night: NightAnswers) -> None:
    fetcher = FakeFetcher(BODIES)
    going = pages(fetcher, numbered(), Query("x"), WINDOW, shared=night)  # type: ignore[arg-type]
    next(going)
    going.close()  # type: ignore[attr-defined]
    asked_for(fetcher, night, numbered())
    assert len(fetcher.asked) == 4


def test_a_place_that_can_not_be_used_costs_no_search(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file where a folder should be")
    night = NightAnswers(Folder(tmp_path / "answers"), "2026-03-02T02:00 one", DAY)
    fetcher = FakeFetcher(BODIES)
    assert len(asked_for(fetcher, night, numbered())) == 3
    night.clean()


def test_a_page_that_was_damaged_is_never_taken_in_and_the_next_try_asks(
    night: NightAnswers,
) -> None:
    fetcher = FakeFetcher(BODIES)
    asked_for(fetcher, night, numbered())
    assert isinstance(night.place, Folder)
    page = next(night.place.root.rglob("*.z"))
    page.write_bytes(page.read_bytes()[:-3])
    with pytest.raises(paging.LivereviewError, match="shared page"):
        asked_for(fetcher, night, numbered())
    asked = len(fetcher.asked)
    assert len(asked_for(fetcher, night, numbered())) == asked
    assert len(fetcher.asked) == 2 * asked


def test_answers_are_kept_for_two_days(night: NightAnswers) -> None:
    asked_for(FakeFetcher(BODIES), night, numbered())
    for days, left in ((0, 4), (2, 4), (3, 0)):
        replace(night, day=DAY + timedelta(days=days)).clean()
        assert len(night.place.names("")) == left


def test_a_search_without_an_overlap_asks_by_itself(night: NightAnswers) -> None:
    plan = Search("a", "feed", "A journal", url="https://j.example/rss", overlap_days=0)
    assert sharing.for_search(night, plan) is None
    assert sharing.for_search(night, replace(plan, overlap_days=1)) is night


def test_a_night_is_known_by_the_name_that_its_dispatcher_gave(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, secrets={})
    name = sharing.name_of(DAY, "a-run")
    night = sharing.of_night(chosen, name)
    assert (night.name, f"{night.day:%Y-%m-%d}") == (name, "2026-03-02")
    assert night.place.words == str(tmp_path / "answers")
    with pytest.raises(Refused, match="left empty"):
        sharing.of_night(chosen, "tonight")


def test_each_review_has_a_search_of_its_own_in_its_ledger(
    reviewed: Store, protocol: str, night: NightAnswers, settings: Settings
) -> None:
    """Pages, counts and a note of when the source was asked, though it was asked once."""
    head, _, rest = protocol.partition("[[searches]]")
    feed = """[[searches]]
name = "journal"
source = "feed"
platform = "A journal"
url = "https://j.example/rss"
usual_zero = true
"""
    text = head + feed + rest[rest.index("\n[screening]") :]

    client = OpenStore(reviewed, settings.site)
    names = ("small-review", "another-review")
    for name in names:
        client.run(Register(text=text.replace("small-review", name), now=NOW))
    fetcher = FakeFetcher(
        {"https://j.example/rss": FEED.format(ITEM.format(1) + ITEM.format(2)).encode()}
    )
    plan = Search("journal", "feed", "A journal", url="https://j.example/rss")
    for name in names:
        ending = run_search(
            client,
            fetcher,
            name,
            plan,
            NOW,
            Options(shared=night),
        )
        assert (ending.outcome, ending.found) == ("ok", 2)
    assert len(fetcher.asked) == 1
    for name in names:
        attempts = client.run(ReadLedger(review=name)).attempts
        (search,) = [each for each in attempts if each.name == "journal"]
        assert (search.found, search.pages, search.outcome) == (2, 1, "ok")
    noted = [
        any("asked once for several" in note for note in each.notes)
        for name in names
        for each in client.run(ReadLedger(review=name)).attempts
        if each.name == "journal"
    ]
    assert noted == [False, True]


# Which searches ask the same


def test_searches_that_ask_the_same_are_known_whatever_they_are_called() -> None:
    days = Search("a", "biorxiv", "bioRxiv", query="mentoring")
    assert nights.asks("one", days) == nights.asks("two", replace(days, name="b", query="care"))
    words = Search("a", "openalex", "OpenAlex", query="mentoring")
    assert nights.asks("one", words) == nights.asks("two", replace(words, name="b"))
    assert nights.asks("one", words) != nights.asks("one", replace(words, query="care"))
    chased = Search("a", "citations", "Citations")
    assert nights.asks("one", chased) != nights.asks("two", chased)


def test_one_of_those_that_ask_the_same_goes_first_and_the_others_follow() -> None:
    todo = [jobs.Job(jobs.SEARCH, name, "days", "osf", asks="the same") for name in ("a", "b", "c")]
    order: list[tuple[str, int]] = []

    def fate(job: jobs.Job, number: int) -> str:
        order.append((job.review, number))
        return "FAILED" if job.review == "a" and number == 1 else "COMPLETED"

    courses, _ = carried_out(FakeBoard(fate), todo)
    assert all(course.ran_through for course in courses)
    assert order[:2] == [("a", 1), ("b", 1)] and set(order[2:]) == {("c", 1), ("a", 2)}
