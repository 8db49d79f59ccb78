"""arXiv (https://export.arxiv.org/api/query): Atom, page by page.

The query is arXiv's own (all:"…" AND abs:…). Days are those of `submittedDate`; the filter `window`
names another (lastUpdatedDate). It asks for one request in three seconds and hands out 30,000
entries of a search. Facts from https://info.arxiv.org/help/api/user-manual.html.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.links import LinkKind
from livereview.records import Record, clean_doi, clean_year
from livereview.sources import answers, relations
from livereview.sources.markup import refuse_crowded
from livereview.sources.protocol import Page, Query, Reject, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain, reject

NAME = "arxiv"
TITLE = "arXiv"
URL = "https://export.arxiv.org/api/query"
REACH = 30_000
SIZE = 100
_OWN = ("window",)
_ATOM, _OWN_NS = "{http://www.w3.org/2005/Atom}", "{http://arxiv.org/schemas/atom}"
_SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# said of the paper itself: "Withdrawn from ICML, accepted at KDD" is no retraction
_WITHDRAWN = re.compile(
    r"withdrawn(?! from| and re)|(?:this )?(?:\w+ )?(?:paper|article|manuscript|submission|preprint|work|report)"
    r" (?:has been|is|was) (?:\w+ )?withdrawn(?! from| and re)",
    re.IGNORECASE,
)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page; the cursor is the place of its first entry."""
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    parts += [f"{key}:{value}" for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        first, last = (
            answers.day(moment).replace("-", "") for moment in (window.start, window.end)
        )
        parts.append(f"{query.filter('window') or 'submittedDate'}:[{first}0000 TO {last}2359]")
    order = (("sortBy", "submittedDate"), ("sortOrder", "ascending"))
    paging = (("start", cursor or "0"), ("max_results", str(SIZE)))
    return Request(URL, (("search_query", " AND ".join(parts)), *paging, *order))


def parse(body: bytes, cursor: str | None) -> Page:
    """The entries of a page.

    An empty page before the end is one of arXiv's hiccups, so it is asked for again.
    """
    root = _root(body)
    entries = root.findall(f"{_ATOM}entry")
    _check(entries)
    total, place = (
        answers.whole(root.findtext(f"{_SEARCH}{tag}")) for tag in ("totalResults", "startIndex")
    )
    start = (answers.whole(cursor) or 0) if place is None else place
    if not entries and ((total or 0) > start or (cursor and not total)):
        raise Retry("arXiv sent an empty page before the end of the search", source=NAME)
    reached = start + len(entries)
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, entry in enumerate(entries):
        made = _record(entry)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"entry[{number}]", "".join(entry.itertext())))
    return Page(
        tuple(records),
        str(reached) if entries and reached < (total or 0) else None,
        tuple(rejects),
        total,
    )


def _check(entries: list[Element]) -> None:
    """Raises what an error entry says, and SourceBroken for a feed of which no entry is arXiv's."""
    for entry in entries:
        if "/api/errors" in (entry.findtext(f"{_ATOM}id") or ""):
            said = plain(entry.findtext(f"{_ATOM}summary"), 200)
            if answers.busy(said):
                raise Retry(f"arXiv can't answer now: {said}", source=NAME)
            raise SourceBroken(f"arXiv refused the search: {said}", source=NAME)
    if entries and not any(map(_key, entries)):
        raise SourceBroken(
            "this is not arXiv's answer: a feed of something else; read it as a feed", source=NAME
        )


def _root(body: bytes) -> Element:
    refuse_crowded(body, NAME)
    try:
        root: Element = fromstring(_CONTROL.sub(b"", body).strip())
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise _damaged(body, error) from None
    if root.tag != f"{_ATOM}feed":
        raise answers.not_an_answer(body.decode("utf-8", "replace").strip(), NAME, TITLE)
    if root.find(f"{_SEARCH}totalResults") is None and root.find(f"{_ATOM}entry") is None:
        raise SourceBroken(
            "this is not arXiv's answer: a feed without entries and their number", source=NAME
        )
    return root


def _damaged(body: bytes, error: Exception) -> LivereviewError:
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return Retry("arXiv sent an empty answer; the same call may work later", source=NAME)
    # cut in the declaration
    begun = "<feed" in text[:500] or re.fullmatch(r"<\?xml[^>]*(?:>\s*)?", text)
    if begun and "</feed>" not in text and not isinstance(error, DefusedXmlException):
        return Retry(f"arXiv's answer is truncated after {len(text)} characters", source=NAME)
    if isinstance(error, DefusedXmlException):
        return SourceBroken(
            "this answer declares entities, which none of arXiv's does", source=NAME
        )
    return answers.not_an_answer(text, NAME, TITLE)


def _record(entry: Element) -> Record | str:
    key = _key(entry)
    if key is None:
        return "no arXiv id"
    published = answers.iso_date(entry.findtext(f"{_ATOM}published"))
    journal = plain(entry.findtext(f"{_OWN_NS}journal_ref"))
    own = clean_doi(f"10.48550/arxiv.{key}")
    became = relations.to_doi(LinkKind.PREPRINT, entry.findtext(f"{_OWN_NS}doi"))
    people = (one.findtext(f"{_ATOM}name") for one in entry.findall(f"{_ATOM}author"))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(entry.findtext(f"{_ATOM}title")),
        authors=names(name(one) for one in people),
        year=clean_year(published),
        published=published,
        container_title=journal or TITLE,
        doi=own,
        url=link(f"https://arxiv.org/abs/{key}"),
        abstract=abstract(entry.findtext(f"{_ATOM}summary")),
        type="preprint",
        related=relations.several([became], own),
        retraction="retracted" if _withdrawn(entry) else None,
    )


def _key(entry: Element) -> str | None:
    """arXiv's id without the version: "2605.00001", "hep-th/9901001"."""
    match = re.search(
        r"arxiv\.org/abs/(\S+?)(?:v\d+)?$", (entry.findtext(f"{_ATOM}id") or "").strip()
    )
    return match.group(1) if match else None


def _withdrawn(entry: Element) -> bool:
    """Whether the comment or the summary begins with the paper's withdrawal."""
    said = (entry.findtext(tag) or "" for tag in (f"{_OWN_NS}comment", f"{_ATOM}summary"))
    return any(_WITHDRAWN.match(" ".join(one.split())) for one in said)


SOURCE = Source(NAME, TITLE, parse, request, interval=3.0, reach=REACH)
