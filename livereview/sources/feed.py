"""Feeds: RSS 0.9x, 1.0 and 2.0 and Atom (read by feedparser), and JSON Feed
(https://www.jsonfeed.org/version/1.1/).

feedparser gets bytes in a file object and nothing else: a text or a path it would open by itself.
It is lenient, so a feed that is not well-formed is read as far as it goes, and the page warns where
entries were lost.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import feedparser

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.identifiers import TRACKING
from livereview.records import Record, clean_doi, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.markup import refuse_crowded
from livereview.sources.protocol import Page, Query, Reject, Request, Source, Window
from livereview.sources.text import abstract, link, names, plain, reject, safe

NAME = "feed"
CUT_OFF = "the feed is cut off in this entry"
TITLE = "a feed"
_ACCEPT = "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, application/xml;q=0.9"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SAID = re.compile(  # dates in the text of ScienceDirect's entries
    r"Publication date:\s*+(?:Available online\s*+)?(?:(\d{1,2})\s++)?(?:\w{1,20}[-–])?([A-Z][a-z]{1,20})?\s*+(\d{4})"
)
_TEASER = re.compile(
    r"Early ?View|Ahead of Print|Publication date:|\bvol(?:ume|\.) \d|, Page ", re.IGNORECASE
)
_AROUND = re.compile(  # what feeds write around a journal's name
    r"^(?:ScienceDirect Publication|Wiley|tandf): "
    r"|[:,]? (?:Table of Contents|Advance Access|(?:Current|Latest) Issue)(?: RSS)?$| \(no repeats\)$"
)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The feed itself: it has one page and knows no dates."""
    if not query.url:
        raise Refused("a search of a feed needs its address: give url in review.toml")
    return Request(query.url, headers=(("Accept", _ACCEPT),))


def read(body: bytes, query: Query) -> Page:
    """The page of a feed whose address is known: relative links of a feed without a site are
    relative to it.
    """
    return _read(body, query.url)


def parse(body: bytes, cursor: str | None) -> Page:
    """Every entry as a record or a reject.

    Of several entries with one key the first is the record, as feeds list the newest first; the
    others are rejects.
    """
    return _read(body, None)


def _read(body: bytes, address: str | None) -> Page:
    start = body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    if not start:
        raise SourceBroken("the feed is empty: no bytes came", source=NAME)
    if start[:1] in b"{[":
        entries, head = _from_json(body)
        site = link(head.get("home_page_url")) or link(head.get("feed_url")) or link(address)
        placed = [_with_link(one, site) if isinstance(one, dict) else one for one in entries]
        return _page(placed, head, ())
    if b"<!ENTITY" in body.replace(b"\x00", b"").upper():
        raise SourceBroken(
            "this feed declares entities, which no feed needs and an attack may hide in",
            source=NAME,
        )
    refuse_crowded(body, NAME)
    found = _parsed(body)
    if not found.get("version") and not found["entries"]:
        raise _foreign(body)
    head = dict(found["feed"])
    base = _base(head, address)
    entries = [_with_link(dict(entry), base) for entry in found["entries"]]
    warnings = _warnings(found, body)
    if warnings and entries and not _ended(body):  # half an entry may have no id, or half of one
        entries[-1] = {CUT_OFF: True}
    return _page(entries, head, warnings)


def _base(head: dict[str, Any], address: str | None) -> str | None:
    """What relative links of a feed are relative to: the site that it names, else its own address."""
    named = link(urljoin(address or "", string(head.get("link")) or ""))
    return named or link(address)


def _with_link(entry: dict[str, Any], base: str | None) -> dict[str, Any]:
    """The entry with the whole address of its page: never that of a picture or a recording."""
    pages = [mapping(one) for one in sequence(entry.get("links"))]
    alternate = (string(one.get("href")) for one in pages if one.get("rel") == "alternate")
    attached = {string(one.get("href")) for one in pages if one.get("rel") == "enclosure"}
    plain_link = string(entry.get("link"))
    chosen = next(filter(None, alternate), None)
    if chosen is None and plain_link not in attached:
        chosen = plain_link
    if chosen is None:
        return {key: value for key, value in entry.items() if key != "link"}
    own_base = string(mapping(entry.get("title_detail")).get("base"))
    try:
        return entry | {"link": urljoin(link(own_base) or base or "", chosen)}
    except ValueError:  # no address
        return entry


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        return dict(
            feedparser.parse(BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
        )
    except (
        ValueError,
        LookupError,
        AssertionError,
        AttributeError,
        TypeError,
        RecursionError,
    ) as error:
        raise SourceBroken(
            f"this feed can't be read: {type(error).__name__}: {error}"[:300], source=NAME
        ) from None


def _foreign(body: bytes) -> LivereviewError:
    """What came instead of a feed.

    An HTML page is most often a challenge to browsers or a new address.
    """
    text = body.decode("utf-8", "replace").strip()
    error = answers.not_an_answer(text, NAME, TITLE)
    if isinstance(error, Retry):
        return error
    if "an HTML page" not in error.message:
        return SourceBroken(error.message.replace(", not JSON", ", not a feed"), source=NAME)
    said = error.message.partition("(")[2].rstrip(")")
    return SourceBroken(
        f"this is an HTML page, not a feed: {said}; check the address in a browser", source=NAME
    )


def _warnings(found: dict[str, Any], body: bytes) -> tuple[str, ...]:
    """A warning where a feed that is not well-formed seems to have lost entries."""
    error = found.get("bozo_exception")
    if not found.get("bozo") or "SAX" not in type(error).__name__:
        return ()
    tags = re.findall(rb"<(?:\w+:)?(?:item|entry)[\s>]", body)
    if _ended(body) and len(tags) <= len(found["entries"]):
        return ()
    return (
        f"the feed is damaged or cut off, {len(found['entries'])} of {len(tags)} entries were found: {error}"[
            :300
        ],
    )


def _ended(body: bytes) -> bool:
    return bool(re.search(rb"</(?:\w+:)?(?:rss|feed|RDF|channel)\s*>", body[-300:], re.IGNORECASE))


# --- JSON Feed: its items as the entries that feedparser makes
# -------------------------------------------------------


def _from_json(body: bytes) -> tuple[list[Any], dict[str, Any]]:
    data = answers.read_json(body, NAME, TITLE)
    feed = mapping(data)
    items = feed.get("items", feed.get("posts"))
    if isinstance(items, list) and (
        "jsonfeed.org" in str(feed.get("version")) or "feed_url" in feed
    ):
        return [_entry(item) if isinstance(item, dict) else item for item in items], feed
    if (
        feed.get("title")
        and (feed.keys() & {"content_html", "content_text"})
        and (feed.keys() & {"url", "id", "guid"})
    ):
        return [_entry(feed)], mapping(feed.get("blog"))  # a single item
    raise answers.foreign(data, NAME, TITLE, "a JSON Feed with version and items")


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    people = sequence(item.get("authors")) or sequence(item.get("author"))
    bodies = (item.get("content_text"), item.get("content_html"))
    return {
        "id": string(item.get("id")) or string(item.get("guid")),
        "link": string(item.get("url")) or string(item.get("external_url")),
        "title": string(item.get("title")),
        "summary": string(item.get("summary")),
        "content": [{"value": text} for one in bodies if (text := string(one))],
        "authors": [{"name": _person(mapping(one))} for one in people],
        "published": _moment(item.get("date_published", item.get("published_at"))),
        "updated": _moment(item.get("date_modified", item.get("updated_at"))),
        "prism_doi": string(item.get("doi")),
        "kind": "web-page",  # blogs use JSON Feed, with DOIs or without
        "language": string(item.get("language")),
    }


def _person(author: dict[str, Any]) -> str | None:
    family, given = string(author.get("family")), string(author.get("given"))
    if family and given:
        return f"{family}, {given}"
    return string(author.get("name")) or family


def _moment(value: object) -> str | None:
    """An ISO time, or the day of a Unix time."""
    seconds = answers.whole(value)
    if seconds is None or seconds < 10_000 or seconds > 10**11:
        return string(value)
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


# --- entries
# ---------------------------------------------------------------------------------------------------------


def _page(entries: list[Any], head: dict[str, Any], warnings: tuple[str, ...]) -> Page:
    shared, journal = _shared_ids(entries), _journal(entries, head)
    records: dict[str, Record] = {}
    rejects: list[Reject] = []
    for number, entry in enumerate(entries):
        made: Record | str = f"not an object but {type(entry).__name__}"
        if isinstance(entry, dict) and CUT_OFF in entry:
            made = CUT_OFF
        elif isinstance(entry, dict):
            made = _record(
                {**entry, "language": entry.get("language") or head.get("language")},
                journal,
                shared,
            )
        if isinstance(made, Record) and made.source_key in records:
            made = f"same id as an earlier entry: {made.source_key}"
        if isinstance(made, Record):
            records[made.source_key] = made
        else:
            raw = json.dumps(entry, default=str, ensure_ascii=False).encode("utf-8", "replace")
            rejects.append(reject(made, f"entry[{number}]", raw))
    return Page(tuple(records.values()), None, tuple(rejects), len(entries), warnings)


def _shared_ids(entries: list[Any]) -> frozenset[str]:
    """Ids that entries with different links have in common, such as the site's address: they
    identify nothing.
    """
    links: dict[str, set[str]] = {}
    for entry in entries:
        if isinstance(entry, dict) and (own := string(entry.get("id"))):
            links.setdefault(own, set()).add(_address(entry) or "")
    return frozenset(own for own, found in links.items() if len(found) > 1)


def _record(entry: dict[str, Any], journal: str | None, shared: frozenset[str]) -> Record | str:
    title, doi, text = plain(entry.get("title")), _doi(entry), _text(entry)
    own = safe(string(entry.get("id")) or "", 500)
    key = (own if own not in shared else None) or doi or _address(entry) or _hash(title or text)
    if key is None:
        return "an entry without id, DOI, link and text"
    journal = _name(plain(entry.get("prism_publicationname"))) or journal
    published = _published(entry, text)
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=_authors(entry, text),
        year=clean_year(published),
        published=published,
        container_title=journal,
        doi=doi,
        url=link(entry.get("link")),
        abstract=_abstract(text),
        language=plain(entry.get("language"), 20),
        type=entry.get("kind") or ("journal-article" if journal else "web-page"),
        retraction="retracted" if answers.marked_retracted(title) else None,
        related=(),
        **_place(entry, text),
    )


def _doi(entry: dict[str, Any]) -> str | None:
    """From the fields made for it, else from the id or the link without its parameters."""
    for field in ("prism_doi", "dc_identifier", "id", "link"):
        value = (string(entry.get(field)) or "")[:2_000]
        path = re.split(r"[?#]", value)[0] if "://" in value else value
        # OUP adds its own number
        path = re.sub(r"(/doi/(?:abs/|full/|pdf/)?10\.\d+/[^/]+/[^/]+)/\d+$", r"\1", path)
        if doi := clean_doi(path):
            return doi
    return None


def _address(entry: dict[str, Any]) -> str | None:
    """The link without what only says where a reader came from."""
    address = link(entry.get("link"))
    if address is None:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    kept = [
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if not TRACKING.fullmatch(pair[0])
    ]
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, urlencode(kept), ""))


def _hash(words: str | None) -> str | None:
    if words:
        return "text:" + hashlib.sha256(words.casefold().encode()).hexdigest()[:20]
    return None


def _text(entry: dict[str, Any]) -> str | None:
    """The longest of what an entry says of itself: publishers put the abstract now here, now there."""
    parts = [mapping(one).get("value") for one in sequence(entry.get("content"))]
    found = [
        plain(one, 20_000) or ""
        for one in (*parts, entry.get("summary"), entry.get("dc_description"))
    ]
    return max(found, key=len) or None


def _abstract(text: str | None) -> str | None:
    """No abstract but a line of bibliography is what many journals send."""
    if text is None or (len(text) < 300 and _TEASER.search(text)):
        return None
    return abstract(text)


def _published(entry: dict[str, Any], text: str | None) -> str | None:
    """The date of publication, then of the last update.

    A date in words that nobody can read still gives its year.
    """
    fields = [
        string(entry.get(key))
        for key in ("prism_publicationdate", "prism_coverdate", "published", "updated")
    ]
    for field, key in zip(fields, (None, None, "published_parsed", "updated_parsed"), strict=True):
        moment = entry.get(key) if key else None
        if date := answers.iso_date(field) or (answers.iso(*moment[:3]) if moment else None):
            return date
    if said := _SAID.search(text or ""):
        day, month, year = said.groups()
        name = (month or "")[:3].lower()
        number = _MONTHS.index(name) + 1 if name in _MONTHS else None
        return answers.iso(year, number, day)
    year = next((found for field in fields if (found := clean_year(field))), None)
    return str(year) if year else None


def _authors(entry: dict[str, Any], text: str | None) -> tuple[str, ...]:
    """One name each, from lists written with line ends, semicolons, "and" or commas.

    No addresses of e-mail.
    """
    listed = [string(mapping(one).get("name")) for one in sequence(entry.get("authors"))]
    said = re.search(r"Author\(s\): (.+)$", text or "")
    found = [one for one in listed if one] or [said.group(1) if said else ""]
    return names(plain(part, 200) for one in found for part in _people(one) if "@" not in part)


def _people(names_in_one: str) -> list[str]:
    """A comma parts people where it stands between two full names, else family and given name."""
    people: list[str] = []
    for part in re.split(
        r"(?:(?<!\s)\s++)?[;\n\r]\s*|(?:,|(?<![\s,]))(?<!\s)\s++(?:and|&)\s+", names_in_one
    ):
        pieces = [piece for piece in re.split(r"(?:(?<!\s)\s++)?,\s*", part.strip(" ,")) if piece]
        whole = len(pieces) > 2 or (len(pieces) == 2 and all(" " in piece for piece in pieces))
        people += pieces if whole else [", ".join(pieces)]
    return people


def _journal(entries: list[Any], head: dict[str, Any]) -> str | None:
    """The journal of a feed: its own field, or its title where half the entries have DOIs, or
    ScienceDirect's.
    """
    title = plain(head.get("title"))
    dois = sum(_doi(entry) is not None for entry in entries if isinstance(entry, dict))
    if (title or "").startswith("ScienceDirect Publication") or 0 < len(entries) <= 2 * dois:
        return _name(title)
    return _name(plain(head.get("prism_publicationname")))


def _name(title: str | None) -> str | None:
    return _AROUND.sub("", title).strip() or None if title else None


def _place(entry: dict[str, Any], text: str | None) -> dict[str, str | None]:
    """Where in the journal: PRISM's fields, or the volume in ScienceDirect's text."""
    first, last = (
        plain(entry.get("prism_startingpage"), 50),
        plain(entry.get("prism_endingpage"), 50),
    )
    said = re.search(r"Source: .{1,300}?, Volume (\w+)", text or "")
    return {
        "volume": plain(entry.get("prism_volume"), 100) or (said.group(1) if said else None),
        "issue": plain(entry.get("prism_number"), 100),
        "pages": f"{first}-{last}" if first and last and first != last else first or last,
        "issn": clean_issn(f"{entry.get('prism_issn')} {entry.get('prism_eissn')}"),
    }


SOURCE = Source(
    NAME,
    "Feeds (RSS, Atom, JSON Feed)",
    parse,
    request,
    interval=1.0,
    days=False,
    archive=False,
    read=read,
)
