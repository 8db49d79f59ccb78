"""With `site_url` in the protocol every address that is read elsewhere is whole; without one they
are relative.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import feedparser
import pytest

from livereview.notices import events
from livereview.summary import addresses, site
from livereview.summary.site import Build
from tests.snapshots import published, result, review, snapshot, study

SITE = "https://reviews.example.org/site/small-review"
LATEST, PINNED = "../", "../../"


def build(home: str = LATEST, url: str | None = SITE, **more: Any) -> Build:
    shot = snapshot(study("a", result()), review=review(site_url=url), **more)
    return site.build(shot, 1, "x", home=home)


@pytest.mark.parametrize(("home", "folder"), [(LATEST, "latest/"), (PINNED, "v/1/")])
def test_every_address_that_is_read_elsewhere_is_whole(home: str, folder: str) -> None:
    files = build(home).files
    atom = feedparser.parse(files["changes.atom"])
    assert not atom.bozo
    links = {link.rel: link.href for link in atom.feed.links}
    assert links == {"self": f"{SITE}/{folder}changes.atom", "alternate": f"{SITE}/latest/"}
    assert atom.entries[0].link == f"{SITE}/v/1/"
    feed = json.loads(files["changes.json"])
    assert (feed["feed_url"], feed["home_page_url"]) == (
        f"{SITE}/{folder}changes.json",
        f"{SITE}/latest/",
    )
    assert feed["items"][0]["url"] == f"{SITE}/v/1/"
    frame = json.loads(files["oembed.json"])
    assert f'src="{SITE}/{folder}embed.html"' in frame["html"]

    page = files["index.html"].decode()
    assert f'<link rel="canonical" href="{SITE}/{folder}">' in page
    assert f'<meta property="og:url" content="{SITE}/{folder}">' in page
    assert f'<a href="{SITE}/v/1/">{SITE}/v/1/</a>' in page, "whoever cites it names the version"
    linked = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])  # type: ignore[index]
    article, dataset = linked["@graph"]
    assert (article["url"], article["identifier"]) == (f"{SITE}/{folder}", f"{SITE}/v/1/")
    assert article["image"] == [f"{SITE}/{folder}card.png"]
    assert dataset["url"] == f"{SITE}/{folder}data.html"


def test_without_an_address_they_are_relative_and_nothing_is_made_up() -> None:
    files = build(url=None).files
    assert b'rel="self"' not in files["changes.atom"]
    assert b"feed_url" not in files["changes.json"]
    assert 'src=\\"embed.html' in files["oembed.json"].decode()
    page = files["index.html"].decode()
    assert "canonical" not in page and "og:" not in page
    assert "site_url" not in files["summary.json"].decode()


def test_ids_hold_the_domain_and_those_that_were_published_never_change() -> None:
    before = build(url=None)
    assert b"tag:livereview,2026:small-review/v/1" in before.files["changes.atom"]
    moved = snapshot(
        study("a", result()),
        study("b", result()),
        review=review(site_url=SITE),
        history=(published(before),),
    )
    feed = feedparser.parse(site.build(moved, 2, "more").files["changes.atom"])
    assert [entry.id for entry in feed.entries] == [
        "tag:reviews.example.org,2026:small-review/v/2",
        "tag:livereview,2026:small-review/v/1",
    ]


def test_where_it_stands_is_nothing_that_the_review_says() -> None:
    assert build().content_hash == build(url=None).content_hash


@pytest.mark.parametrize("given", [SITE, f"{SITE}/", f"{SITE}//"])
def test_an_address_ends_with_one_slash(given: str) -> None:
    assert addresses.site(given) == f"{SITE}/"


def test_webhooks_are_told_where_page_and_data_are() -> None:
    event = events.published(json.loads(build().summary))
    assert (event["url"], event["data"]) == (f"{SITE}/v/1/", f"{SITE}/v/1/summary.json")
    assert "url" not in events.published(json.loads(build(url=None).summary))


def test_every_kind_of_place_has_its_folder() -> None:
    there = addresses.place(review(site_url=SITE), LATEST, 3)
    assert (there.pinned, there.folder, there.version) == (
        False,
        f"{SITE}/latest/",
        f"{SITE}/v/3/",
    )
    nowhere = replace(there, site=None)
    assert (nowhere.review, nowhere.folder, nowhere.version) == (LATEST, "", "")
