"""OpenAIRE Graph (https://api.openaire.eu/graph/v3/research-products): lists by cursor.

It can't select by the day it learnt of something, only by publication date: a window reaches 90 days further back.
Filters are sent as parameters (type, countryCode …; default type=publication). A key (LIVEREVIEW_OPENAIRE_TOKEN) raises
the limit from 60 requests an hour. Facts from https://graph.openaire.eu/docs/apis/graph-api/.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from livereview.records import Record, clean_doi, clean_issn, clean_pmcid, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "openaire"
TITLE = "OpenAIRE"
URL = "https://api.openaire.eu/graph/v3/research-products"
LATE = timedelta(days=90)
_TYPES = {
    "article": "journal-article",
    "preprint": "preprint",
    "thesis": "thesis",
    "doctoral thesis": "thesis",
    "master thesis": "thesis",
    "bachelor thesis": "thesis",
    "report": "report",
    "book": "book",
    "part of book or chapter of book": "book-chapter",
    "conference object": "conference-paper",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page by OpenAIRE's own cursor."""
    text = answers.search_text(query, (), TITLE)
    params = [("search", text)] if text else []
    params += [*query.filters, *([] if query.filter("type") else [("type", "publication")])]
    if window.start is not None:
        params.append(("fromPublicationDate", answers.day(window.start - LATE)))
    params += [("pageSize", "100"), ("cursor", cursor or "*")]
    return Request(URL, tuple(params), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The products of a page, a single one or a bare list; the last page has no next cursor or no products."""
    data = answers.read_json(body, NAME, TITLE)
    header = mapping(mapping(data).get("header"))
    listed = isinstance(data, dict) and isinstance(data.get("results"), list)
    items = data["results"] if listed else data if isinstance(data, list) else [data]
    if (listed and not header) or (not listed and not any("mainTitle" in mapping(item) for item in items)):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(data, NAME, TITLE, "header and results")
    records, rejects = answers.read_items(items, _record, "results")
    following = string(header.get("nextCursor")) if items else None
    return Page(records, following, rejects, answers.whole(header.get("numFound")))


def _record(item: dict[str, Any]) -> Record | str:
    key = plain(string(item.get("id")), 200)
    if key is None:
        return "no OpenAIRE id"
    ids = {string(mapping(one).get("scheme")): string(mapping(one).get("value")) for one in reversed(_pids(item))}
    doi, published = clean_doi(ids.get("doi")), answers.iso_date(item.get("publicationDate"))
    links = [address for one in sequence(item.get("instances")) for address in sequence(mapping(one).get("urls"))]
    return Record(
        source=NAME,
        source_key=key,
        title=plain(": ".join(filter(None, (string(item.get("mainTitle")), string(item.get("subTitle")))))),
        authors=names(_author(mapping(one)) for one in sequence(item.get("authors"))),
        year=clean_year(published),
        published=published,
        doi=doi,
        pmid=clean_pmid(ids.get("pmid")),
        pmcid=clean_pmcid(ids.get("pmc")),
        url=link(f"https://doi.org/{doi}" if doi else first(links)),
        abstract=abstract(first(item.get("descriptions"))),
        language=plain(string(mapping(item.get("language")).get("code")), 20),
        type=_type(item),
        **_host(mapping(item.get("container"))),
    )


def _pids(item: dict[str, Any]) -> list[Any]:
    return [*sequence(item.get("pids")), *sequence(item.get("pid"))]


def _author(one: dict[str, Any]) -> str | None:
    return name(string(one.get("fullName"))) or name(string(one.get("surname")), string(one.get("name")))


def _host(place: dict[str, Any]) -> dict[str, str | None]:
    start, end = string(place.get("sp")), string(place.get("ep"))
    issns = (place.get(key) for key in ("issnPrinted", "issnOnline", "issnLinking"))
    return {
        "container_title": plain(string(place.get("name"))),
        "volume": plain(string(place.get("vol")), 100),
        "issue": plain(string(place.get("iss")), 100),
        "pages": plain(f"{start}-{end}" if start and end and start != end else start or end, 100),
        "issn": clean_issn(" ".join(str(issn) for issn in issns if issn)),
    }


def _type(item: dict[str, Any]) -> str | None:
    kinds = [(string(mapping(one).get("type")) or "").lower() for one in sequence(item.get("instances"))]
    known = next((_TYPES[kind] for kind in kinds if kind in _TYPES), None)
    whole = string(item.get("type"))
    return known or (whole if whole in ("dataset", "software") else None)


SECRETS = (("header:Authorization", "LIVEREVIEW_OPENAIRE_TOKEN"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=60.0, secrets=("LIVEREVIEW_OPENAIRE_TOKEN",))
