"""A watched web page, for grey literature without a feed: each link that it shows is a record, its
words the title.

`url` is the page. Filters: `select`, a CSS selector of the links (default: those in its main part,
without menus, share buttons and the like), `keep`, a pattern that a link's address or title must
match, and `title`, a selector of the title inside what surrounds a link (default: the link's own
words, and the heading beside one that says "read more"). The page's bytes are kept like any
answer's; links that are gone the next time are told by the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from cssselect import SelectorError
from lxml import etree, html
from lxml.cssselect import CSSSelector

from livereview.errors import Refused, Retry, SourceBroken
from livereview.records import Record, clean_doi
from livereview.sources import answers
from livereview.sources.markup import refuse_crowded
from livereview.sources.protocol import Page, Query, Reject, Request, Source, Window
from livereview.sources.text import link, plain, reject

NAME = "page"
TITLE = "Watched page"
PLACES = (
    "main a[href]",
    "article a[href]",
    "[role=main] a[href]",
    "#content a[href]",
    "body a[href]",
)
_OWN = ("select", "keep", "title")
_ROBOT = (
    r"^\W*just a moment|attention required|captcha|are you a (?:robot|human)|checking your browser"
)
_ASKED = re.compile(_ROBOT, re.IGNORECASE)
_SHELL = re.compile(
    rf"{_ROBOT}|enable javascript|turn on javascript|cf_chl_|incapsula|challenge-platform",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"^\W*(?:error\W*)?(?:429|50[0234])\b|too many requests|service (?:temporarily )?unavailable|bad gateway"
    r"|gateway time-?out|internal server error|(?:under|down for) maintenance",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"^\W*(?:error\W*)?4(?:0[0-8]|1\d|51)\b|^\W*(?:page not found|access denied|forbidden)\b"
    r"|^\W*(?:oops\W+|sorry\W+)?(?:that|the|this) page (?:you|can.t|cannot|could not|does ?n.t)\b",
    re.IGNORECASE,
)
_FEED = re.compile(r"(?>\s|<\?[^>]*+>|<!--.*?-->)*+<(?:rss|feed|rdf:RDF)\b", re.DOTALL)
_TRACKING = re.compile(r"(?:utm_\w+|fbclid|gclid|mc_[ce]id|_ga|_gl|msclkid|igshid)(?:=|$)")
_FILE = re.compile(r"\.(?:pdf|docx?|odt)$", re.IGNORECASE)
# what publishers put after a DOI
_VIEW = re.compile(r"/(?:full|abstract|e?pdf|html|references|information)(?=$|[?])")
_SHARED = re.compile(
    r"https?://(?:www\.)?(?:facebook\.com/(?:share|dialog)|(?:twitter|x|bsky)\.(?:com|app)/(?:intent|share)|wa\.me/"
    r"|linkedin\.com/(?:share|sharing)|pinterest\.\w+/pin/create|api\.whatsapp\.com|t\.me/share|reddit\.com/submit)"
)
_FURNITURE = re.compile(
    r"breadcrumb|pagination|page-numbers|post-navigation|nav-links|share-|sharedaddy|addtoany|skip-?link|cookie"
    r"|social-(?:links|share|media|icons)",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"^(?:(?:read|find out|learn|see) more(?: about|:)|continue reading:?)\s+(?=\w)", re.IGNORECASE
)
_WINDOW = re.compile(r"(?:(?<!\W)\W++)?opens? in (?:a )?new (?:tab|window)\W*$", re.IGNORECASE)
_IDLE = re.compile(  # words of a link that say nothing of what it leads to
    r"\W*(?:(?:read|find out|learn|see|show|view)(?: the| full| more)*|continue reading|more|more information|details"
    r"|(?:click )?here|open|link|website|(?:download|view|read|full|the|summary|report|article|pdf|word|document|file)"
    r"(?:[\s(,]+(?:download|here|now|the|full|report|article|pdf|word|document|file|summary|text))*)"
    r"(?:\W*(?:pdf|docx?)?\W*[\d.,]+\s*(?:kb|mb|pages?))*\W*",
    re.IGNORECASE,
)
_BLOCKS = ("div", "p", "li", "ul", "span", "time", "small", "br", "td")
_HEADINGS = " | ".join(f".//h{level}" for level in range(1, 7))


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The page. Refused without an address and for filters that can't work."""
    if not query.url:
        raise Refused("a watched page needs its address: give the search a url")
    if unknown := sorted({key for key, _ in query.filters} - set(_OWN)):
        raise Refused(
            f"a watched page has no filter {', '.join(unknown)}; choose of {', '.join(_OWN)}"
        )
    _pattern(query), _selector(query, "select"), _selector(query, "title")
    return Request(query.url)


def parse(body: bytes, cursor: str | None) -> Page:
    """The links of a page saved by hand, by the default selectors, with the address that the page
    gives itself.
    """
    return read(body, Query())


def read(body: bytes, query: Query) -> Page:
    """The links of the page, each once.

    SourceBroken where there is none, Retry for a robot check in its place.
    """
    root = _root(body)
    base, pattern = _base(root, query.url), _pattern(query)
    best: dict[str, tuple[int, str | None, Any]] = {}
    rejects: list[Reject] = []
    for number, element in enumerate(_links(root, query)):
        address = _address(element, base)
        if address is None:
            rejects.append(reject(_astray(element), f"link[{number}]", _markup(element)))
        elif address:
            found = (*_title(element, _selector(query, "title")), element)
            best[address] = min(best.get(address, found), found, key=lambda one: one[0])
    records = [_record(address, title) for address, (_, title, _) in best.items() if title]
    rejects += [
        reject("a link without words", address, _markup(one))
        for address, (_, title, one) in best.items()
        if not title
    ]
    records = [one for one in records if pattern.search(f"{one.url} {one.title}")]
    return Page(tuple(records), rejects=tuple(rejects), total=len(records) + len(rejects))


def _pattern(query: Query) -> re.Pattern[str]:
    try:
        return re.compile(query.filter("keep") or "", re.IGNORECASE)
    except re.error as error:
        raise Refused(f"the filter keep is no pattern: {error}") from None


def _selector(query: Query, key: str) -> Any:
    if not (said := query.filter(key)):
        return None
    try:
        return CSSSelector(said, translator="html")
    except (SelectorError, etree.XPathError) as error:
        raise Refused(f"the filter {key} is no CSS selector: {error}") from None


def _root(body: bytes) -> Any:
    """The page as a tree, after what is none, what is cut off and what only says no was told apart."""
    text = _text(body)
    if not text:
        raise Retry("the page is empty; the same call may work later", source=NAME)
    if _FEED.match(text):
        raise SourceBroken(
            'this is no web page but a feed: use source = "feed" for it', source=NAME
        )
    if len(text) < 1_000 and "<" not in text and answers.busy(text):
        raise Retry(f"the page's server is busy or down ({plain(text, 100)!r})", source=NAME)
    if "<" not in text or text[0] in "{[%" or (text[:5] == "<?xml" and "<html" not in text[:2_000]):
        raise SourceBroken(f"this is no web page: {plain(text[:200], 200)!r}", source=NAME)
    refuse_crowded(body, NAME)
    try:
        root = html.document_fromstring(
            text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=False)
        )
    except (etree.LxmlError, ValueError) as error:
        raise SourceBroken(f"this is no web page: {error}"[:200], source=NAME) from None
    _check(root, text)
    return root


def _text(body: bytes) -> str:
    """The page in the encoding that it says, without what no page holds."""
    said = re.search(
        rb"<meta[^>]{0,200}charset=[\"']?([\w-]{3,20})|^<\?xml[^>]*encoding=[\"']([\w-]{3,20})",
        body[:4_000],
        re.I,
    )
    for encoding in ("utf-8", (said.group(1) or said.group(2)).decode() if said else "cp1252"):
        try:
            return (
                re.sub(r"[\x00-\x08\x0b\x0e-\x1f]", "", body.decode(encoding))
                .strip()
                .lstrip("\ufeff")
            )
        except (LookupError, UnicodeError):
            continue
    return (
        re.sub(r"[\x00-\x08\x0b\x0e-\x1f]", "", body.decode("utf-8", "replace"))
        .strip()
        .lstrip("\ufeff")
    )


def _check(root: Any, text: str) -> None:
    """Retry for a page that is cut off, busy or asks for a person.

    SourceBroken for one that is not there.
    """
    heads = [plain(root.findtext(path) or "") or "" for path in (".//title", ".//h1")]
    said = " - ".join(filter(None, heads))[:100]
    few = sum(1 for one in root.iter("a") if one.get("href") and not _is_furniture(one)) < 3
    bare = few and len(_words(root) or "") < 1_000
    if any(_ASKED.search(head) for head in heads) or (bare and _SHELL.search(text)):
        raise Retry(
            f"the page asks whether we are a robot or for JavaScript ({said!r})", source=NAME
        )
    if any(_BUSY.search(head) for head in heads):
        raise Retry(f"the page's server is busy or down ({said!r})", source=NAME)
    if any(_GONE.search(head) for head in heads):
        raise SourceBroken(
            f"the page is not there any more, or not for us ({said!r}): check its address",
            source=NAME,
        )
    if re.search(r"<html\b", text, re.I) and not re.search(r"</(?:html|body)\s*>", text, re.I):
        raise Retry(f"the page is truncated after {len(text)} characters", source=NAME)


def _links(root: Any, query: Query) -> list[Any]:
    chosen = _selector(query, "select")
    if chosen is not None:
        found = [
            one
            for element in chosen(root)
            for one in ([element] if element.get("href") else element.iter("a"))
        ]
        links = [one for one in found if one.get("href")]
    else:
        links = next(
            filter(None, ([a for a in root.cssselect(p) if not _is_furniture(a)] for p in PLACES)),
            [],
        )
    if not links:
        place = query.filter("select") or "the usual places"
        raise SourceBroken(f"no link matches {place}: has the page changed?", source=NAME)
    return list(dict.fromkeys(links))


def _is_furniture(element: Any) -> bool:
    """Whether the link belongs to a menu, a footer, share buttons or the like, not to what the page
    lists.
    """
    if {"author", "tag", "category", "next", "prev", "home"} & set(
        (element.get("rel") or "").lower().split()
    ):
        return True
    if _SHARED.match(element.get("href") or ""):
        return True
    around = [one for one in (element, *element.iterancestors()) if one.tag not in ("html", "body")]
    if any(
        one.tag in ("nav", "footer", "aside") or _FURNITURE.search(one.get("class") or "")
        for one in around
    ):
        return True
    tags = {one.tag for one in around}
    return "header" in tags and not tags & {"main", "article", "section", "li"}


def _base(root: Any, url: str | None) -> str:
    """What relative links are relative to: the page's <base>, else its address, else the one it
    gives itself.
    """
    if not url:
        paths = ("//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content")
        url = next((str(said) for path in paths for said in root.xpath(path) if link(said)), "")
    return _joined(url, next(iter(root.xpath("//base/@href")), "")) or url


def _joined(base: str, target: str) -> str | None:
    try:
        return urljoin(base, target.strip())
    except ValueError:  # "http://[" and the like
        return None


def _address(element: Any, base: str) -> str | None:
    """Where the link leads, "" for one that leads nowhere new, None for one that can't be followed."""
    target = (element.get("href") or "").strip()
    if (
        not target
        or target[0] == "#"
        or re.match(r"(?!https?:)[a-z][a-z0-9+.-]*:", target, re.IGNORECASE)
    ):
        return ""
    whole = _joined(base, target)
    address = link(_bare(whole)) if whole else None
    own = _bare(base) if base else ""
    return "" if address and address == own else address


def _bare(address: str) -> str:
    """The address without fragment, session and tracking, so that the same page has the same key
    every night.
    """
    try:
        parts = urlsplit(address)
        query = "&".join(pair for pair in parts.query.split("&") if not _TRACKING.match(pair))
        host = re.sub(r":(?:80|443)$", "", parts.netloc.lower())
        path = re.sub(r";jsessionid=[^/]*", "", parts.path, flags=re.IGNORECASE)
        return parts._replace(netloc=host, path=path or "/", query=query, fragment="").geturl()
    except ValueError:
        return ""


def _astray(element: Any) -> str:
    if "://" in element.get("href", "") or element.get("href", "").startswith("//"):
        return "no web address"
    return "a relative link, and the page does not tell its own address"


def _markup(element: Any) -> str:
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def _record(address: str, title: str) -> Record:
    kind = "report" if _FILE.search(urlsplit(address).path) else "web-page"
    return Record(
        NAME, address, title=title, url=address, doi=clean_doi(_VIEW.sub("", address)), type=kind
    )


def _title(element: Any, chosen: Any) -> tuple[int, str | None]:
    """The best words for the link and how good they are: of two links to one page the lower number
    names it.
    """
    said = [
        plain(_ABOUT.sub("", _WINDOW.sub("", text or ""))) for text in _candidates(element, chosen)
    ]
    for rank, words in enumerate(said):
        if words and not _is_idle(words):
            return rank, words
    return len(said), next((words for words in said if words), None)


def _is_idle(words: str) -> bool:
    return len(words) < 80 and _IDLE.fullmatch(words) is not None


def _candidates(element: Any, chosen: Any) -> Iterator[str | None]:
    if chosen is not None:
        around = (
            one
            for one in (element, *element.iterancestors())
            if one.tag not in ("main", "body", "html")
        )
        yield next((_words(hits[0]) for one in around if (hits := chosen(one))), "")
    inner = element.xpath(_HEADINGS)
    yield _words(inner[0]) if inner else _words(element)
    yield _beside(element)
    yield element.get("aria-label")
    yield element.get("title")
    yield next(iter(element.xpath(".//img/@alt")), None)


def _beside(element: Any) -> str | None:
    """The one heading of what surrounds the link, or the first words of its row in a table."""
    for one in element.iterancestors():
        if one.tag in ("main", "body", "html") or len(headings := one.xpath(_HEADINGS)) > 1:
            return None
        if headings:
            return _words(headings[0])
        if one.tag == "tr":
            cells = (
                words
                for cell in one.iter("th", "td")
                if (words := _words(cell)) and not _is_idle(words)
            )
            return next(cells, None)
    return None


def _words(element: Any) -> str | None:
    """The element's words as they are seen: no icon's title, no script, and a space between blocks."""
    texts = element.xpath(".//text()[not(ancestor::svg or ancestor::script or ancestor::style)]")
    apart = any(one.tag in _BLOCKS for one in element.iterdescendants())
    return plain((" " if apart else "").join(texts))


SOURCE: Source = Source(
    NAME, TITLE, parse, request, interval=5.0, days=False, archive=False, read=read
)
