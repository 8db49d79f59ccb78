"""CORE (https://api.core.ac.uk/v3/search/works/): lists by offset, single works, and version 2.

The query is Lucene-like. Days are those of `createdDate`; the filter `window` names another
(updatedDate). Other filters are added as name:"value". A search hands out 10,000 works. A key
(LIVEREVIEW_CORE_KEY) is needed in practice. Facts from https://api.core.ac.uk/docs/v3.
"""

from __future__ import annotations

from typing import Any

from livereview.records import Record, clean_doi, clean_issn, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "core"
TITLE = "CORE"
URL = "https://api.core.ac.uk/v3/search/works/"  # without the last slash it redirects
REACH = 10_000
SIZE = 100
_OWN = ("window",)
_SIGNS = {
    "oai",
    "oaiIds",
    "repositories",
    "repositoryDocument",
    "dataProviders",
    "fulltextIdentifier",
    "yearPublished",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page; the cursor is the place of its first work."""
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    parts += [f'{key}:"{value}"' for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        day = query.filter("window") or "createdDate"
        parts.append(f"({day}>={answers.day(window.start)} AND {day}<={answers.day(window.end)})")
    params = (("q", " AND ".join(parts)), ("limit", str(SIZE)), ("offset", cursor or "0"))
    return Request(URL, params, secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The works of a page, a single one, a bare list, or the searches of version 2's batches."""
    data = answers.read_json(body, NAME, TITLE)
    items, total = _works(data)
    records, rejects = answers.read_items(items, _record, "results")
    if "results" not in mapping(data):
        return Page(records, rejects=rejects, total=total)
    start = answers.whole(data.get("offset")) or int(cursor or 0)
    following = answers.next_place(start, len(items), total, NAME, TITLE, REACH)
    return Page(records, str(following) if following else None, rejects, total)


def _works(data: Any) -> tuple[list[Any], int | None]:
    """The works in any of its answers, and how many it says there are."""
    if isinstance(data, list) and data and all("data" in mapping(one) for one in data):
        found = [_works(one) for one in data]
        return [work for works, _ in found for work in works], sum(total or 0 for _, total in found)
    known = mapping(data)
    held = known.get("results", known.get("data", data))
    listed = isinstance(held, list) and ("totalHits" in known or isinstance(data, list))
    items = [_unwrapped(item) for item in (held if isinstance(held, list) else [held])]
    if not any(_is_work(mapping(item)) for item in items) and not (listed and not items):
        if known.get("status") == "Not found":
            return [], 0
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "results with works"
        )
    return items, answers.whole(known.get("totalHits"))


def _unwrapped(item: Any) -> Any:
    return mapping(item).get("_source") or mapping(item).get("metadata") or item


def _is_work(item: dict[str, Any]) -> bool:
    """Many interfaces have things with an id and a title.

    Only CORE's have a number and one of its own fields.
    """
    return (string(item.get("id")) or "").isdigit() and not _SIGNS.isdisjoint(item)


def _record(work: dict[str, Any]) -> Record | str:
    key, doi = plain(string(work.get("id")), 50), clean_doi(string(work.get("doi")))
    if key is None:
        return "no CORE id"
    published = answers.iso_date(work.get("publishedDate") or work.get("datePublished"))
    journal = mapping(next(iter(sequence(work.get("journals"))), None))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(string(work.get("title"))),
        authors=names(_author(one) for one in sequence(work.get("authors"))),
        year=clean_year(string(work.get("yearPublished")) or string(work.get("year")))
        or clean_year(published),
        published=published,
        container_title=plain(string(journal.get("title"))),
        doi=doi,
        pmid=clean_pmid(string(work.get("pubmedId"))),
        issn=clean_issn(" ".join(map(str, sequence(journal.get("identifiers"))))),
        url=link(string(work.get("downloadUrl")) or first(work.get("urls")))
        or f"https://core.ac.uk/works/{key}",
        abstract=abstract(string(work.get("abstract")) or string(work.get("description"))),
        language=plain(string(mapping(work.get("language")).get("code")), 20),
        type=_type(work),
    )


def _author(one: object) -> str | None:
    return name(string(mapping(one).get("name")) or string(one))


def _type(work: dict[str, Any]) -> str | None:
    word = (string(work.get("documentType")) or "").lower()
    return {"thesis": "thesis", "presentation": "conference-paper"}.get(word)


SECRETS = (("apiKey", "LIVEREVIEW_CORE_KEY"),)
SOURCE = Source(
    NAME, TITLE, parse, request, interval=6.0, reach=REACH, secrets=("LIVEREVIEW_CORE_KEY",)
)
