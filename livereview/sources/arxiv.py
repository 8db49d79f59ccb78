"""arXiv (https://export.arxiv.org/api/query): Atom, page by page.

The query is arXiv's own (all:"…" AND abs:…). Days are those of `submittedDate`; the filter `window` names another
(lastUpdatedDate). It asks for one request in three seconds and hands out 30,000 entries of a search.
Facts from https://info.arxiv.org/help/api/user-manual.html.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_year
from livereview.sources import answers
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


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page; the cursor is the place of its first entry."""
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    parts += [f"{key}:{value}" for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        first, last = (answers.day(moment).replace("-", "") for moment in (window.start, window.end))
        parts.append(f"{query.filter('window') or 'submittedDate'}:[{first}0000 TO {last}2359]")
    order = (("sortBy", "submittedDate"), ("sortOrder", "ascending"))
    paging = (("start", cursor or "0"), ("max_results", str(SIZE)))
    return Request(URL, (("search_query", " AND ".join(parts)), *paging, *order))


def parse(body: bytes, cursor: str | None) -> Page:
    """The entries of a page. An empty page before the end is one of arXiv's hiccups, so it is asked for again."""
    root = _root(body)
    entries = root.findall(f"{_ATOM}entry")
    for entry in entries:
        if "/api/errors" in (entry.findtext(f"{_ATOM}id") or ""):
            raise SourceBroken(
                f"arXiv refused the search: {plain(entry.findtext(f'{_ATOM}summary'), 200)}", source=NAME
            )
    total, start = (answers.whole(root.findtext(f"{_SEARCH}{tag}")) for tag in ("totalResults", "startIndex"))
    reached = (start or 0) + len(entries)
    if not entries and (total or 0) > (start or 0):
        raise Retry("arXiv sent an empty page before the end of the search", source=NAME)
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, entry in enumerate(entries):
        made = _record(entry)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"entry[{number}]", "".join(entry.itertext())))
    return Page(tuple(records), str(reached) if entries and reached < (total or 0) else None, tuple(rejects), total)


def _root(body: bytes) -> Element:
    try:
        root: Element = fromstring(_CONTROL.sub(b"", body).strip())
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise _damaged(body, error) from None
    if root.tag != f"{_ATOM}feed" or (
        root.find(f"{_SEARCH}totalResults") is None and root.find(f"{_ATOM}entry") is None
    ):
        raise SourceBroken(f"this is not arXiv's answer: XML of the kind <{root.tag.rpartition('}')[2]}>", source=NAME)
    return root


def _damaged(body: bytes, error: Exception) -> LivereviewError:
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return Retry("arXiv sent an empty answer; the same call may work later", source=NAME)
    if "<feed" in text[:500] and "</feed>" not in text and not isinstance(error, DefusedXmlException):
        return Retry(f"arXiv's answer is truncated after {len(text)} characters", source=NAME)
    if isinstance(error, DefusedXmlException):
        return SourceBroken("this answer declares entities, which none of arXiv's does", source=NAME)
    return answers.not_an_answer(text, NAME, TITLE)


def _record(entry: Element) -> Record | str:
    address = entry.findtext(f"{_ATOM}id") or ""
    match = re.search(r"abs/(.+?)(?:v\d+)?$", address)
    if match is None:
        return "no arXiv id"
    key = match.group(1)
    published = answers.iso_date(entry.findtext(f"{_ATOM}published"))
    journal = plain(entry.findtext(f"{_OWN_NS}journal_ref"))
    withdrawn = "withdrawn" in (entry.findtext(f"{_OWN_NS}comment") or "").lower()
    people = (one.findtext(f"{_ATOM}name") for one in entry.findall(f"{_ATOM}author"))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(entry.findtext(f"{_ATOM}title")),
        authors=names(name(one) for one in people),
        year=clean_year(published),
        published=published,
        container_title=journal or TITLE,
        doi=clean_doi(entry.findtext(f"{_OWN_NS}doi")) or clean_doi(f"10.48550/arxiv.{key}"),
        url=link(f"https://arxiv.org/abs/{key}"),
        abstract=abstract(entry.findtext(f"{_ATOM}summary")),
        type="preprint",
        retraction="retracted" if withdrawn else None,
    )


SOURCE = Source(NAME, TITLE, parse, request, interval=3.0, reach=REACH)
