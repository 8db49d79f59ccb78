"""DataCite (https://api.datacite.org/dois): lists by cursor, single DOIs, and DataCite's JSON or XML saved by hand.

The query is Elasticsearch's syntax (titles.title:"…"). Days are those of `updated`; the filter `window` names another
(created, registered). Other filters are sent as parameters (resource-type-id=text …).
Facts from https://support.datacite.org/docs/api.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.datacite_xml import read_xml
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "datacite"
TITLE = "DataCite"
URL = "https://api.datacite.org/dois"
_OWN = ("window",)
_TYPES = {
    "JournalArticle": "journal-article",
    "Preprint": "preprint",
    "Report": "report",
    "Dissertation": "thesis",
    "Book": "book",
    "BookChapter": "book-chapter",
    "ConferencePaper": "conference-paper",
    "Dataset": "dataset",
    "Software": "software",
}
_CITEPROC = {"article-journal": "journal-article", "report": "report", "thesis": "thesis", "book": "book"}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page by DataCite's cursor; numbered pages would go on for ever after 10,000."""
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    if window.start is not None:
        days = f"[{answers.day(window.start)} TO {answers.day(window.end)}]"
        parts.append(f"{query.filter('window') or 'updated'}:{days}")
    own = tuple((key, value) for key, value in query.filters if key not in _OWN)
    return Request(URL, (("query", " AND ".join(parts)), *own, ("page[cursor]", cursor or "1"), ("page[size]", "200")))


def parse(body: bytes, cursor: str | None) -> Page:
    """The DOIs of a page, a single one, or bare DataCite JSON. A page that links to no next one is the last."""
    xml = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<resource" in body[:2_000]
    data = read_xml(body, NAME, TITLE) if xml else answers.read_json(body, NAME, TITLE)
    held = mapping(data).get("data", data)
    items = [mapping(item).get("attributes", item) for item in (held if isinstance(held, list) else [held])]
    listed = isinstance(mapping(data).get("data"), list)
    if not any(_is_doi(mapping(item)) for item in items) and not (listed and not items):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(data, NAME, TITLE, "data with DOIs")
    records, rejects = answers.read_items(items, _record, "data")
    following = _next(string(mapping(mapping(data).get("links")).get("next"))) if listed and items else None
    return Page(records, following, rejects, answers.whole(mapping(mapping(data).get("meta")).get("total")))


def _is_doi(item: dict[str, Any]) -> bool:
    return bool(string(item.get("doi")) or string(item.get("id"))) and "titles" in item and "creators" in item


def _next(address: str | None) -> str | None:
    return next(iter(parse_qs(urlsplit(address or "").query).get("page[cursor]", [])), None)


def _record(item: dict[str, Any]) -> Record | str:
    doi = clean_doi(string(item.get("doi")) or string(item.get("id")))
    if doi is None:
        return "no DOI"
    published = _published(item)
    place = mapping(item.get("container"))
    start, end = string(place.get("firstPage")), string(place.get("lastPage"))
    number = string(place.get("identifier")) or ""
    return Record(
        source=NAME,
        source_key=doi,
        title=_title(sequence(item.get("titles"))),
        authors=names(_author(mapping(one)) for one in sequence(item.get("creators"))),
        year=clean_year(string(item.get("publicationYear"))) or clean_year(published),
        published=published,
        container_title=plain(string(place.get("title"))),
        volume=plain(string(place.get("volume")), 100),
        issue=plain(string(place.get("issue")), 100),
        pages=plain(f"{start}-{end}" if start and end and start != end else start or end, 100),
        doi=doi,
        issn=clean_issn(number) if place.get("identifierType") == "ISSN" else None,
        isbn=clean_isbn(number) if place.get("identifierType") == "ISBN" else None,
        url=link(string(item.get("url"))) or f"https://doi.org/{doi}",
        abstract=_described(sequence(item.get("descriptions"))),
        language=plain(string(item.get("language")), 20),
        type=_type(mapping(item.get("types"))),
    )


def _title(titles: list[Any]) -> str | None:
    """The title proper, and the subtitle after a colon."""
    known = [mapping(one) for one in titles]
    main = next((string(one.get("title")) for one in known if not one.get("titleType")), None)
    main = main or next((string(one.get("title")) for one in known), None)
    sub = next((string(one.get("title")) for one in known if one.get("titleType") == "Subtitle"), None)
    return plain(": ".join(filter(None, (main, sub))))


def _author(one: dict[str, Any]) -> str | None:
    family = string(one.get("familyName"))
    return name(family, string(one.get("givenName"))) if family else name(string(one.get("name")))


def _published(item: dict[str, Any]) -> str | None:
    """The day it was issued, else the year of publication."""
    told = [mapping(one) for one in sequence(item.get("dates"))]
    dates = {string(one.get("dateType")): string(one.get("date")) for one in told}
    issued = answers.iso_date(re.split("/", dates.get("Issued") or "")[0])
    return issued or answers.iso(item.get("publicationYear"))


def _described(descriptions: list[Any]) -> str | None:
    known = [mapping(one) for one in descriptions]
    texts = (string(one.get("description")) for one in known if one.get("descriptionType") == "Abstract")
    return abstract(next(texts, None))


def _type(types: dict[str, Any]) -> str | None:
    general, own = string(types.get("resourceTypeGeneral")) or "", string(types.get("resourceType")) or ""
    cited = _CITEPROC.get(string(types.get("citeproc")) or "")
    return _TYPES.get(general) or _TYPES.get(own.replace(" ", "").title()) or cited


SOURCE = Source(NAME, TITLE, parse, request, interval=0.2)
