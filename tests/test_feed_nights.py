"""Three weeks of a feed whose keys change each night: nobody screens an item twice."""

from __future__ import annotations

from datetime import timedelta

from livereview.ops import feed_items, surveil
from livereview.records import Record
from livereview.sources.protocol import Page
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW

ITEM = """<item><title>{title}</title><link>{link}</link><guid isPermaLink="false">{guid}</guid>
<pubDate>{day}</pubDate><description>{title}, for people who plan services.</description></item>"""
FIRST, SECOND = "Home visiting in the counties: what works", "Editorial"
DAY = "Tue, 03 Nov 2026 09:00:00 GMT"


def _night(number: int) -> bytes:
    """The feed of a night: new GUIDs, another scheme, tracking, and a new domain in the third week."""
    site = "https://www.example.org" if number < 14 else "https://new.example.net/moved"
    if number % 2:
        site = site.replace("https:", "http:")
    items = [
        ITEM.format(
            title=FIRST, link=f"{site}/r/1?utm_source=n{number}", guid=f"g{number}", day=DAY
        ),
        ITEM.format(title=SECOND, link="https://www.example.org/e/1/", guid=f"e{number}", day=DAY),
        ITEM.format(title=SECOND, link="https://www.example.org/e/2", guid=f"f{number}", day=DAY),
    ]
    head = "<rss version='2.0'><channel><title>News</title><link>https://www.example.org/</link>"
    return f"{head}{''.join(items)}</channel></rss>".encode()


def test_items_that_come_each_night_with_other_keys_are_the_same_records(reviewed: Store) -> None:
    for number in range(21):
        answer = surveil.import_file(
            reviewed,
            review=REVIEW,
            source="feed",
            name=f"night {number}",
            body=_night(number),
            now=NOW + timedelta(days=number),
        )
        assert answer["fresh"] == (3 if number == 0 else 0), number
    with reviewed.read() as con:
        count = "SELECT count(DISTINCT record_id) FROM review_record"
        assert con.execute(count).fetchall() == [(3,)]
        # the newest address stands, as a new version of the same record
        newest = "SELECT count(*) FROM current_record WHERE data LIKE '%new.example.net%'"
        assert con.execute(newest).fetchall() == [(1,)]


def test_an_item_without_a_date_that_comes_with_another_guid_waits_once(reviewed: Store) -> None:
    head = "<rss version='2.0'><channel><title>News</title><link>https://www.example.org/</link>"
    item = f"<item><title>{FIRST}</title><link>https://www.example.org/r/1</link><guid"
    for number, fresh in enumerate((1, 0)):
        guid = f' isPermaLink="false">https://www.example.org/?p=1&amp;rev={number}</guid>'
        body = f"{head}{item}{guid}<description>For planners.</description></item></channel></rss>"
        answer = surveil.import_file(
            reviewed,
            review=REVIEW,
            source="feed",
            name=f"night {number}",
            body=body.encode(),
            now=NOW + timedelta(days=number),
        )
        assert answer["fresh"] == fresh
    with reviewed.read() as con:
        count = "SELECT count(DISTINCT record_id) FROM review_record"
        assert con.execute(count).fetchall() == [(1,)]


def test_items_of_one_page_and_of_other_days_stay_apart(reviewed: Store) -> None:
    def item(key: str, **fields: object) -> Record:
        plain: dict[str, object] = {"title": FIRST, "published": "2026-11-03"}
        return Record("feed", key, **{**plain, **fields})  # type: ignore[arg-type]

    surveil.import_file(
        reviewed, review=REVIEW, source="feed", name="f.xml", body=_night(0), now=NOW
    )
    others = (
        item("x1", published="2026-11-10", url="https://other.example/a"),
        item("x2", doi="10.1000/abc.1"),
        item("x3", url="https://other.example/b"),
        item("x4", url="https://other.example/c"),
        item("x5", title="Home visiting in the cities: what works"),
    )
    with reviewed.read() as con:
        page = feed_items.with_known_keys(con, "feed", Page(others))
        same = feed_items.with_known_keys(con, "openalex", Page(others))
    # only one of those that could be the item takes its key
    assert [record.source_key for record in page.records] == ["x1", "g0", "x3", "x4", "x5"]
    assert same.records == others
