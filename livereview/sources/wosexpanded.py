"""Web of Science by its Expanded API (https://wos-api.clarivate.com/api/wos), with the key of
whoever subscribes: whole records with abstracts.

The query is Web of Science's advanced search. Days are those on which a record was loaded
(loadTimeSpan); the filter `window` names another span (modifiedTimeSpan, publishTimeSpan). The
filter `databaseId` names another database than the Core Collection (WOK: all). Other filters are
sent as parameters (edition, lang …). A search hands out 100,000 records.

Key: LIVEREVIEW_WOS_EXPANDED_KEY. Facts from https://developer.clarivate.com/apis/wos.
"""

from __future__ import annotations

from typing import Any

from livereview.errors import Refused
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain
from livereview.sources.wosstarter import kind_of, month, retraction_of

NAME = "wosexpanded"
TITLE = "Web of Science (Expanded API)"
URL = "https://wos-api.clarivate.com/api/wos"
REACH = 100_000
SIZE = 100
_OWN = ("window", "databaseId")


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page; the cursor is the number of its first record, from 1."""
    text = answers.search_text(query, _OWN, TITLE)
    if not text:
        raise Refused(f"a search of {TITLE} needs a query: give one in review.toml")
    params = [("databaseId", query.filter("databaseId") or "WOS"), ("usrQuery", text)]
    params += [(field, value) for field, value in query.filters if field not in _OWN]
    if window.start is not None:
        span = f"{answers.day(window.start)}+{answers.day(window.end)}"
        params.append((query.filter("window") or "loadTimeSpan", span))
    params += [("count", str(SIZE)), ("firstRecord", cursor or "1"), ("optionView", "FR")]
    return Request(URL, tuple(params), (("Accept", "application/json"),), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The records of a page; where there are none, Web of Science sends "" in place of a list."""
    data = answers.read_json(body, NAME, TITLE)
    result = mapping(mapping(data).get("QueryResult"))
    inside = mapping(mapping(mapping(data).get("Data")).get("Records"))
    if "RecordsFound" not in result:
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "QueryResult with RecordsFound, and Data"
        )
    items = sequence(mapping(inside.get("records")).get("REC"))
    records, rejects = answers.read_items(items, _record, "REC")
    total, start = answers.whole(result.get("RecordsFound")), int(cursor or 1)
    place = answers.next_place(start - 1, len(items), total, NAME, TITLE, REACH)
    return Page(records, str(place + 1) if place else None, rejects, total)


def _record(item: dict[str, Any]) -> Record | str:
    key = string(item.get("UID"))
    if key is None:
        return "no accession number"
    static = mapping(item.get("static_data"))
    summary, full = mapping(static.get("summary")), mapping(static.get("fullrecord_metadata"))
    where = mapping(summary.get("pub_info"))
    ids = _ids(item)
    title = plain(_title(summary, "item"))
    doi = clean_doi(ids.get("doi") or ids.get("xref_doi"))
    kinds = " ".join(_texts(mapping(summary.get("doctypes")).get("doctype")))
    year = clean_year(string(where.get("pubyear")))
    return Record(
        source=NAME,
        source_key=key[:100],
        title=title,
        authors=_authors(summary),
        year=year,
        published=_published(where, year),
        container_title=plain(_title(summary, "source")),
        volume=plain(string(where.get("vol")), 100),
        issue=plain(string(where.get("issue")), 100),
        pages=plain(_pages(where) or ids.get("art_no", "").removeprefix("ARTN "), 100),
        doi=doi,
        pmid=clean_pmid((ids.get("pmid") or "").removeprefix("MEDLINE:")),
        issn=clean_issn(f"{ids.get('issn', '')} {ids.get('eissn', '')}"),
        isbn=clean_isbn(ids.get("isbn") or ids.get("eisbn")),
        url=link(f"https://doi.org/{doi}" if doi else None)
        or link(f"https://www.webofscience.com/wos/woscc/full-record/{key}"),
        abstract=abstract(_abstract(full)),
        language=plain(_language(full), 20),
        type=kind_of(kinds),
        retraction=retraction_of(kinds, title),
    )


def _texts(value: Any) -> list[str]:
    """The texts of a value that is one, {"content": text}, or a list of them."""
    texts = [string(mapping(part).get("content")) or string(part) for part in sequence(value)]
    return [text for text in texts if text]


def _title(summary: dict[str, Any], kind: str) -> str | None:
    titles = sequence(mapping(summary.get("titles")).get("title"))
    parts = [mapping(title) for title in titles if mapping(title).get("type") == kind]
    return string(parts[0].get("content")) if parts else None


def _authors(summary: dict[str, Any]) -> tuple[str, ...]:
    people = [mapping(one) for one in sequence(mapping(summary.get("names")).get("name"))]
    authors = [person for person in people if person.get("role") in ("author", "book", "corp")]
    return names(
        name(string(person.get("last_name")), string(person.get("first_name")))
        or name(string(person.get("display_name")) or string(person.get("full_name")))
        for person in authors
    )


def _published(where: dict[str, Any], year: int | None) -> str | None:
    """The day of sorting is made up where only a month is told: it is read to the month."""
    sorted_by = answers.iso_date(where.get("sortdate"))
    told = month(string(where.get("pubmonth")))
    if sorted_by and clean_year(sorted_by) == year and told:
        return sorted_by[:7]
    return answers.iso(year, told)


def _pages(where: dict[str, Any]) -> str | None:
    page = mapping(where.get("page"))
    begin, end = string(page.get("begin")), string(page.get("end"))
    both = f"{begin}-{end}" if begin and end and begin != end else begin
    return string(page.get("content")) or both


def _ids(item: dict[str, Any]) -> dict[str, str]:
    """The first identifier of each type."""
    related = mapping(mapping(item.get("dynamic_data")).get("cluster_related"))
    found: dict[str, str] = {}
    for one in sequence(mapping(related.get("identifiers")).get("identifier")):
        kind, value = string(mapping(one).get("type")), string(mapping(one).get("value"))
        if kind and value:
            found.setdefault(kind, value)
    return found


def _abstract(full: dict[str, Any]) -> str | None:
    held = mapping(mapping(full.get("abstracts")).get("abstract"))
    paragraphs = _texts(mapping(held.get("abstract_text")).get("p"))
    return "\n".join(paragraphs) or None


def _language(full: dict[str, Any]) -> str | None:
    texts = _texts(mapping(full.get("languages")).get("language"))
    return texts[0] if texts else None


SECRETS = (("header:X-ApiKey", "LIVEREVIEW_WOS_EXPANDED_KEY"),)
SOURCE = Source(
    NAME,
    TITLE,
    parse,
    request,
    interval=0.5,
    reach=REACH,
    secrets=("LIVEREVIEW_WOS_EXPANDED_KEY",),
)
