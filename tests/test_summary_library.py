"""The library: search, what changed in all reviews, their feed, a calendar and a map of the site."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import feedparser
import lxml.etree
import pytest

from livereview.summary import calendar_file, front, library, past, site
from livereview.summary.calendar_file import Recurrence
from livereview.summary.front import Entry
from livereview.summary.library import Shelved
from tests import evidence
from tests.snapshots import published, result, review, snapshot, study
from tests.test_browser import CHROMIUM, FLAGS

ROOT = "https://reviews.example.org/site/"
HOSTILE = "</script><script>alert(1)</script>"


def shelf() -> list[Entry]:
    """Two reviews: one with two versions and an address, one without."""
    first = site.build(snapshot(study("a", result())), 1, "first")
    asked = review(id="mentors", title="Mentoring", site_url=f"{ROOT}mentors", living=monthly())
    later = snapshot(
        study("a", result()),
        study("café", result(), country="Norway"),
        review=asked,
        history=(published(first),),
    )
    other = replace(evidence.review(), title=HOSTILE)
    return [
        Entry("mentors", site.build(later, 2, "an extraction").summary),
        Entry("other", site.build(snapshot(review=other), 1, "first").summary),
    ]


def monthly() -> Any:
    return replace(review().living, search_schedule="0 3 1,15 * *")


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return front.files(shelf())


def test_everything_published_is_in_the_index_by_name(files: Mapping[str, bytes]) -> None:
    rows = json.loads(files["search.json"])
    kinds = {kind: [row["title"] for row in rows if row["kind"] == kind] for kind in library.KINDS}
    assert "Mentoring" in kinds["review"]
    assert len(kinds["study"]) == 2 and kinds["finding"]
    assert all(titles == sorted(titles, key=str.casefold) for titles in kinds.values())
    page = files["search.html"].decode()
    assert page.count("<li data-kind=") == len(rows)
    assert HOSTILE not in page
    norway = next(row for row in rows if "Norway" in row["text"])
    assert norway["address"].startswith("mentors/latest/study-")


def test_the_search_page_allows_its_own_script_only(files: Mapping[str, bytes]) -> None:
    page = files["search.html"].decode()
    assert page.count("<script") == 1
    assert library.policy() in page[:1024]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_reader_searches_and_shares_the_search(
    files: Mapping[str, bytes], tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    (tmp_path / "search.html").write_bytes(files["search.html"])
    (tmp_path / "changes.html").write_bytes(files["changes.html"])
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto((tmp_path / "search.html").as_uri())
        shown = page.locator("#found li:not([hidden])")
        everything = shown.count()
        page.get_by_label("Words, all of which must be there").fill("NORWAY cafe")
        assert shown.count() == 1
        assert page.locator("#told").inner_text() == f"Shown: 1 of {everything}."
        again = browser.new_page()
        again.goto(page.url)
        assert again.locator("#found li:not([hidden])").count() == 1
        page.get_by_label("What").select_option("review")
        assert shown.count() == 0
        page.get_by_label("Words, all of which must be there").fill("")
        assert shown.count() == 2
        assert Axe().run(page).response["violations"] == []
        page.goto((tmp_path / "changes.html").as_uri())
        assert Axe().run(page).response["violations"] == []
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto((tmp_path / "search.html").as_uri())
        assert plain.locator("#found li:visible").count() == everything
        assert not plain.locator("#form").is_visible()
        browser.close()


def test_one_feed_holds_every_version_of_every_review(files: Mapping[str, bytes]) -> None:
    atom = feedparser.parse(files["changes.atom"])
    assert not atom.bozo
    ids = [entry.id for entry in atom.entries]
    assert len(ids) == len(set(ids)) == 3
    assert "Mentoring: Version 2" in " ".join(entry.title for entry in atom.entries)
    links = {entry.link for entry in atom.entries}
    assert f"{ROOT}mentors/v/2/" in links and f"{ROOT}mentors/v/1/" in links
    items = json.loads(files["changes.json"])["items"]
    assert [item["id"] for item in items] == ids
    own = {link.rel: link.href for link in atom.feed.links}
    assert own["self"] == f"{ROOT}changes.atom"


def test_ids_are_those_of_the_reviews_own_feeds() -> None:
    first = snapshot(study("a", result()), review=review(site_url=f"{ROOT}mentors"))
    build = site.build(first, 1, "first")
    own = feedparser.parse(build.files["changes.atom"])
    everything = feedparser.parse(front.files([Entry("r", build.summary)])["changes.atom"])
    assert [entry.id for entry in everything.entries] == [entry.id for entry in own.entries]


def test_changed_conclusions_stand_out_on_the_page_of_changes(files: Mapping[str, bytes]) -> None:
    page = files["changes.html"].decode()
    assert page.count("<time") == 3 and HOSTILE not in page
    assert page.index("mentors/v/2/") < page.index("mentors/v/1/")


def test_the_map_of_the_site_has_whole_addresses_only(files: Mapping[str, bytes]) -> None:
    tree = lxml.etree.fromstring(files["sitemap.xml"])
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    found = [place.text for place in tree.findall("s:url/s:loc", names)]
    assert f"{ROOT}mentors/latest/" in found and f"{ROOT}search.html" in found
    assert all(address and address.startswith(ROOT) for address in found)
    assert len(found) == len(set(found))
    assert f"Sitemap: {ROOT}sitemap.xml" in files["robots.txt"].decode()


def test_without_an_address_no_map_is_made() -> None:
    build = site.build(snapshot(study("a", result())), 1, "first")
    made = front.files([Entry("r", build.summary)])
    assert "sitemap.xml" not in made and b"Sitemap" not in made["robots.txt"]
    assert set(made) <= set(front.FILES)


def test_an_empty_library_says_so() -> None:
    made = front.files([])
    assert "No review has been published yet." in made["search.html"].decode()
    assert "changes.atom" not in made and "calendar.ics" not in made


def test_the_root_is_that_of_all_reviews_or_none() -> None:
    summary = past.read(site.build(snapshot(study("a", result())), 1, "first").summary)

    def shelved(name: str, address: str | None) -> Shelved:
        told = summary.review.model_copy(update={"site_url": address})
        return Shelved(name, summary.model_copy(update={"review": told}))

    here, there = shelved("a", f"{ROOT}a"), shelved("b", "https://elsewhere.example/b")
    assert library.root_of([here, shelved("c", None)]) == ROOT
    assert library.root_of([here, there]) is None
    assert library.root_of([shelved("a", f"{ROOT}renamed/")]) is None


# The calendar


@pytest.mark.parametrize(
    ("cron", "rule", "first"),
    [
        ("0 3 1,15 * *", "FREQ=MONTHLY;BYMONTHDAY=1,15", date(2026, 3, 15)),
        ("30 2 * * 1", "FREQ=WEEKLY;BYDAY=MO", date(2026, 3, 9)),
        ("30 2 * * mon,7", "FREQ=WEEKLY;BYDAY=SU,MO", date(2026, 3, 8)),
        ("0 0 31 * *", "FREQ=MONTHLY;BYMONTHDAY=31", date(2026, 3, 31)),
    ],
)
def test_a_schedule_recurs_as_cron_says(cron: str, rule: str, first: date) -> None:
    found = calendar_file.recurrence(cron)
    assert found is not None and found.rule == rule
    assert found.first(date(2026, 3, 3)) == first


@pytest.mark.parametrize(
    "cron",
    ["0 3 * * *", "0 3 1 * 1", "0 3 */2 * *", "0 3 1 6 *", "0 3 32 * *", "@daily", "0 3 0 * *"],
)
def test_what_a_calendar_would_have_to_guess_is_left_out(cron: str) -> None:
    assert calendar_file.recurrence(cron) is None


def test_the_calendar_is_one_that_programs_read(files: Mapping[str, bytes]) -> None:
    text = files["calendar.ics"].decode()
    lines = text.split("\r\n")
    assert all(len(line.encode()) <= calendar_file.LINE for line in lines)
    unfolded = text.replace("\r\n ", "")
    assert unfolded.count("BEGIN:VEVENT") == unfolded.count("END:VEVENT") == 1
    assert "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15" in unfolded
    assert f"URL:{ROOT}mentors/latest/" in unfolded
    assert re.search(r"UID:mentors-searches@reviews\.example\.org", unfolded)


def test_letters_are_whole_and_signs_are_escaped_in_a_calendar() -> None:
    when = Recurrence(week_days=(1,))
    title = "Ætt, búa; ø\\" * 20
    event = calendar_file.Event("u", title, "x\nBEGIN:VEVENT", None, "2026-03-03T02:00:00Z", when)
    text = calendar_file.calendar([event]).decode()
    assert "Ætt\\, búa\\; ø\\\\" in text.replace("\r\n ", "")
    assert text.count("BEGIN:VEVENT") == 2 and "\nBEGIN:VEVENT\r\n" in text
    assert len([line for line in text.split("\r\n") if line == "BEGIN:VEVENT"]) == 1
