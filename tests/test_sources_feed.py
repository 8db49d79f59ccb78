"""Feeds: every entry accounted for, whatever the format, and nothing opened, expanded or run on the
way.
"""

from __future__ import annotations

import csv
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import Refused, Retry, SourceBroken
from livereview.sources import feed
from livereview.sources.protocol import Query, Window

CASES = Path(__file__).parent / "data" / "sources" / "feed"
PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
DAY = Window(None, datetime(2026, 3, 8, tzinfo=UTC))
NO_FEEDS = (
    "DaringFireball.html",
    "inessential.html",
    "scrapi_nature",
    "syn_non_feed",
    "rss_empty_document",
)
shared = pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared payloads are not here")


def rss(*items: str) -> bytes:
    inner = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{inner}</channel></rss>'.encode()


def one(item: str) -> feed.Record:
    (record,) = feed.parse(rss(item), None).records
    return record


def test_a_feed_is_asked_for_as_it_is() -> None:
    request = feed.request(Query(url="https://journal.example/feed?type=etoc"), DAY, None)
    assert (request.url, request.params) == ("https://journal.example/feed?type=etoc", ())
    assert feed.SOURCE.days is False


def test_a_feed_without_an_address_is_refused() -> None:
    with pytest.raises(Refused, match="give url"):
        feed.request(Query("words"), DAY, None)


def test_a_body_that_names_a_file_or_an_address_is_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "feed.xml"
    secret.write_bytes(rss("<title>secret</title>"))
    for body in (str(secret).encode(), secret.as_uri().encode(), b"http://127.0.0.1:9/feed"):
        with pytest.raises(SourceBroken):
            feed.parse(body, None)


def test_the_key_is_the_id_then_the_doi_then_the_link_without_tracking_then_the_words() -> None:
    link, doi = (
        "<link>https://A.example/x?af=R&amp;utm_source=y&amp;id=1</link>",
        "<title>10.5555/t</title>",
    )
    assert one(f"<guid>urn:1</guid>{link}").source_key == "urn:1"
    assert (
        one("<link>https://a.example/doi/full/10.5555/x.1?af=R</link>").source_key == "10.5555/x.1"
    )
    assert one(f"{link}{doi}").source_key == "https://a.example/x?id=1"
    assert (
        one("<title>Only a title</title>").source_key
        == one("<title>ONLY a title</title>").source_key
    )
    assert one("<description>Only words</description>").source_key.startswith("text:")


def test_of_entries_with_one_key_the_first_is_kept_and_the_others_are_told() -> None:
    item = "<guid>1</guid><link>https://a.example/1</link><title>{}</title>"
    page = feed.parse(rss(item.format("new"), item.format("old"), item.format("new")), None)
    assert [record.title for record in page.records] == ["new"]
    assert [reject.where for reject in page.rejects] == ["entry[1]", "entry[2]"]


def test_a_feed_that_breaks_off_is_read_as_far_as_it_goes_and_warns() -> None:
    whole = rss("<title>a</title>", "<title>b</title>")
    assert feed.parse(whole, None).warnings == ()
    page = feed.parse(whole[:-30], None)
    assert [record.title for record in page.records] == ["a"] and len(page.rejects) == 1
    assert "cut off" in page.warnings[0]


def test_a_sloppy_feed_without_loss_is_no_partial_search() -> None:
    page = feed.parse((CASES / "bozo.xml").read_bytes(), None)
    assert (len(page.records), page.warnings) == (2, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_declared_encoding_is_read(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><item><title>Größe</title></item>'
    assert (
        feed.parse((text + "</channel></rss>").encode(encoding), None).records[0].title == "Größe"
    )


def test_entities_are_refused_in_utf_16_too() -> None:
    body = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE rss [<!entity a "b">]><rss version="2.0"/>'
    with pytest.raises(SourceBroken, match="entities"):
        feed.parse(body.encode("utf-16"), None)


@pytest.mark.parametrize(
    ("written", "people"),
    [
        ("Ann Brown, Bo Green", ("Ann Brown", "Bo Green")),
        ("Brown, Ann", ("Brown, Ann",)),
        ("Brown, Ann; Green, Bo", ("Brown, Ann", "Green, Bo")),
        ("Ann Brown and Bo Green", ("Ann Brown", "Bo Green")),
        ("Ann Brown, Bo Green, and Cy White", ("Ann Brown", "Bo Green", "Cy White")),
        ("Ann Brown,\n Bo Green", ("Ann Brown", "Bo Green")),
        ("someone@example.org", ()),
    ],
)
def test_authors_in_one_field_are_told_apart(written: str, people: tuple[str, ...]) -> None:
    text = rss(
        f"<title>x</title><creator xmlns='http://purl.org/dc/elements/1.1/'>{written}</creator>"
    )
    assert feed.parse(text, None).records[0].authors == people


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("<pubDate>Fri, 05 Jun 2026 09:00:00 GMT</pubDate>", "2026-06-05"),
        ("<pubDate>2026-06-05</pubDate>", "2026-06-05"),
        ("<pubDate>il 5 giugno 2026</pubDate>", "2026"),
        ("<pubDate>yesterday</pubDate>", None),
        ("<description>Publication date: March–April 2025</description>", "2025-04"),
        ("", None),
    ],
)
def test_a_date_is_as_exact_as_it_can_be_read_and_none_is_invented(
    written: str, iso: str | None
) -> None:
    record = one(f"<title>x</title>{written}")
    assert (record.published, record.year) == (iso, int(iso[:4]) if iso else None)


@settings(max_examples=60, database=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"<rss version='2.0'><channel>", b"<feed>", b"{", b"<html>"]),
)
def test_any_bytes_are_a_page_or_an_error_of_ours(body: bytes, start: bytes) -> None:
    try:
        page = feed.parse(start + body, None)
    except (SourceBroken, Retry) as error:
        assert error.source == "feed"
    else:
        assert page.total == len(page.records) + len(page.rejects)


# --- recorded payloads
# -----------------------------------------------------------------------------------------------


def _baseline() -> dict[str, int]:
    """How many entries feedparser finds in each file: counted elsewhere, not by this code."""
    with (PAYLOADS / "FEEDPARSER_BASELINE.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["file"].endswith(".json")]
    return {row["file"]: int(row["entries"]) for row in rows if (PAYLOADS / row["file"]).exists()}


@shared
def test_every_entry_of_the_recorded_feeds_is_a_record_or_a_reject() -> None:
    checked = 0
    for name, entries in _baseline().items():
        if name.endswith("429.html") or any(part in name for part in NO_FEEDS):
            with pytest.raises((SourceBroken, Retry)):
                feed.parse((PAYLOADS / name).read_bytes(), None)
            continue
        page = feed.parse((PAYLOADS / name).read_bytes(), None)
        assert len(page.records) + len(page.rejects) == entries == page.total, name
        checked += entries
    assert checked > 500


@shared
@pytest.mark.parametrize(
    ("name", "records", "dois"),
    [
        ("feeds_journal/wiley_AdvMater.xml", 109, 108),
        ("feeds_journal/wiley_AdvSynthCatal.xml", 56, 55),
        ("feeds_journal/relay_ijde-current-issue.xml", 156, 156),
        ("feeds_journal/synthetic_oup_bjsw.xml", 1, 1),
        ("feeds_journal/synthetic_sciencedirect.xml", 2, 0),
        ("feeds_real/nnw_bio.rdf", 30, 30),
        ("feeds_real/nnw_allthis.json", 12, 0),
        ("feeds_real/nnw_inessential.json", 20, 0),
        ("feeds_jsonfeed/cm_test_get_jsonfeed_blog.00.200.json", 50, 50),
        ("govuk/synthetic_research-and-statistics.atom", 2, 0),
    ],
)
def test_a_recorded_feed_keeps_its_records_their_dois_and_its_dates(
    name: str, records: int, dois: int
) -> None:
    page = feed.parse((PAYLOADS / name).read_bytes(), None)
    assert (len(page.records), page.rejects) == (records, ())
    assert sum(record.doi is not None for record in page.records) == dois
    assert all(
        record.year and record.title and record.url
        for record in page.records
        if "inessential" not in name
    )


@shared
def test_no_member_of_the_feed_corpora_is_more_than_a_page_or_an_error_of_ours() -> None:
    pages = 0
    for archive in sorted((PAYLOADS / "feeds_corpus").glob("*.tar.gz")):
        with tarfile.open(archive) as members:
            for member in members:
                file = members.extractfile(member) if member.isfile() else None
                body = file.read() if file else b""
                try:
                    page = feed.parse(body, None)
                except (SourceBroken, Retry) as error:
                    assert len(error.message) > 15, member.name
                else:
                    assert page.total == len(page.records) + len(page.rejects), member.name
                    pages += 1
    assert pages > 3_000
