"""A watched web page, for grey literature without a feed: each link that it shows is a record, its text the title.

`url` is the page. Filters: `select`, a CSS selector of the links (default: those in its main part), and `keep`, a
pattern that a link's address or text must match. The page's bytes are kept like any answer's; links that are gone the
next time are told by the ledger.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from cssselect import SelectorError
from lxml import etree, html

from livereview.errors import Refused, Retry, SourceBroken
from livereview.records import Record, clean_doi
from livereview.sources.protocol import Page, Query, Reject, Request, Source, Window
from livereview.sources.text import link, plain, reject

NAME = "page"
TITLE = "Watched page"
PLACES = ("main a[href]", "article a[href]", "[role=main] a[href]", "#content a[href]", "body a[href]")
_CHALLENGE = re.compile(
    r"just a moment|attention required|captcha|enable javascript|are you a robot|checking your browser", re.IGNORECASE
)
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|_ga")
_FILE = re.compile(r"\.(?:pdf|docx?|odt)$", re.I)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The page."""
    if not query.url:
        raise Refused("a watched page needs its address: give the search a url")
    _pattern(query)
    return Request(query.url)


def parse(body: bytes, cursor: str | None) -> Page:
    """The links of a page saved by hand, by the default selectors, with the address that the page gives itself."""
    return read(body, Query())


def read(body: bytes, query: Query) -> Page:
    """The links of the page, each once. SourceBroken where there is none, Retry for a robot check in its place."""
    root = _root(body)
    found = _links(root, query)
    base, pattern = query.url or _own_address(root), _pattern(query)
    records: dict[str, Record] = {}
    rejects: list[Reject] = []
    for number, element in enumerate(found):
        made = _record(element, base, pattern)
        if isinstance(made, Record):
            records.setdefault(made.source_key, made)
        elif made:
            rejects.append(reject(made, f"link[{number}]", etree.tostring(element, encoding="unicode")))
    return Page(tuple(records.values()), rejects=tuple(rejects), total=len(records) + len(rejects))


def _pattern(query: Query) -> re.Pattern[str]:
    try:
        return re.compile(query.filter("keep") or "", re.I)
    except re.error as error:
        raise Refused(f"the filter keep is no pattern: {error}") from None


def _root(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").strip()
    if not text:
        raise Retry("the page is empty; the same call may work later", source=NAME)
    if "<" not in text or (text[:5] == "<?xml" and "<html" not in text[:2_000]):
        raise SourceBroken(f"this is no web page: {plain(text[:200], 200)!r}", source=NAME)
    root = html.document_fromstring(body, parser=html.HTMLParser(encoding=_encoding(body), huge_tree=False))
    heading = " ".join(filter(None, (root.findtext(".//title"), root.findtext(".//h1"))))
    if _CHALLENGE.search(heading) or (len(text) < 5_000 and _CHALLENGE.search(text)):
        raise Retry(f"the page asks whether we are a robot ({plain(heading, 100)!r})", source=NAME)
    return root


def _encoding(body: bytes) -> str:
    said = re.search(rb"charset=[\"']?([\w-]{3,20})", body[:2_000], re.I)
    try:
        return said.group(1).decode() if said and b"a".decode(said.group(1).decode()) else "utf-8"
    except LookupError:
        return "utf-8"


def _links(root: Any, query: Query) -> list[Any]:
    chosen = query.filter("select")
    try:
        found: list[Any] = next(
            (links for place in ([chosen] if chosen else PLACES) if (links := root.cssselect(place))), []
        )
    except SelectorError as error:
        raise Refused(f"the filter select is no CSS selector: {error}") from None
    links = [one for element in found for one in ([element] if element.get("href") else element.cssselect("a[href]"))]
    if not links:
        raise SourceBroken(f"no link matches {chosen or 'the usual places'}: has the page changed?", source=NAME)
    return links


def _own_address(root: Any) -> str | None:
    for path in ("//base/@href", "//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content"):
        if said := root.xpath(path):
            return str(said[0])
    return None


def _record(element: Any, base: str | None, pattern: re.Pattern[str]) -> Record | str | None:
    """The link as a record; None for one that is not wanted, a reason for one that can't be followed."""
    target, title = (element.get("href") or "").strip(), _words(element)
    if target.startswith(("#", "mailto:", "tel:", "javascript:")) or not target:
        return None
    address = link(_bare(urljoin(base or "", target)))
    if address is None:
        return (
            "a relative link, and the page does not tell its own address" if "://" not in target else "no web address"
        )
    if not title or not pattern.search(f"{address} {title}"):
        return None
    kind = "report" if _FILE.search(urlsplit(address).path) else "web-page"
    return Record(NAME, address, title=title, url=address, doi=clean_doi(address), type=kind)


def _words(element: Any) -> str | None:
    """The link's own words; for one that only says "read more" or shows a picture, those that stand for it."""
    said = plain(element.text_content()) or plain(element.get("aria-label")) or plain(element.get("title"))
    return said or next((plain(text) for text in element.xpath(".//img/@alt") if plain(text)), None)


def _bare(address: str) -> str:
    """The address without fragment and tracking."""
    parts = urlsplit(address)
    query = urlencode([pair for pair in parse_qsl(parts.query, True) if not _TRACKING.fullmatch(pair[0])])
    return parts._replace(query=query, fragment="").geturl()


SOURCE: Source = Source(NAME, TITLE, parse, request, interval=5.0, days=False, archive=False, read=read)
