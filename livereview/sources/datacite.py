"""DataCite (https://api.datacite.org/dois): lists by cursor, single DOIs, and DataCite's JSON or
XML saved by hand.

The query is Elasticsearch's syntax (titles.title:"…"). Days are those of `updated`; the filter
`window` names another (created, registered). Other filters are sent as parameters
(resource-type-id=text …). A harvest of oai.datacite.org and the lists of the first API (/works) are
read as well. Facts from https://support.datacite.org/docs/api.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi, clean_year
from livereview.sources import answers, datacite_xml, relations
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.datacite_fields import (
    author,
    description,
    kind,
    modern,
    place,
    published,
    title,
    withdrawn,
)
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import link, names, plain

NAME = "datacite"
TITLE = "DataCite"
URL = "https://api.datacite.org/dois"
HARVEST = "https://oai.datacite.org/oai"
_OWN = ("window",)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page by DataCite's cursor; numbered pages would go on for ever after 10,000."""
    if cursor and cursor.startswith("oai:"):
        return Request(HARVEST, (("verb", "ListRecords"), ("resumptionToken", cursor[4:])))
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    if window.start is not None:
        days = f"[{answers.day(window.start)} TO {answers.day(window.end)}]"
        parts.append(f"{query.filter('window') or 'updated'}:{days}")
    asked = (("query", " AND ".join(parts)),) if parts else ()
    own = tuple((key, value) for key, value in query.filters if key not in _OWN)
    return Request(URL, (*asked, *own, ("page[cursor]", cursor or "1"), ("page[size]", "200")))


def parse(body: bytes, cursor: str | None) -> Page:
    """The DOIs of a page, a single one, or bare DataCite JSON. A page that links to no next one is
    the last.
    """
    form = datacite_xml.kind(body)
    if form == "OAI-PMH":
        return datacite_xml.read_harvest(body, (cursor or "").removeprefix("oai:") or None, NAME)
    data = (
        datacite_xml.read_xml(body, NAME, TITLE) if form else answers.read_json(body, NAME, TITLE)
    )
    held = mapping(data).get("data", data)
    listed = isinstance(mapping(data).get("data"), list)
    items = [
        mapping(item).get("attributes", item)
        for item in (held if isinstance(held, list) else [held])
    ]
    if not any(_is_doi(mapping(item)) for item in items) and not (
        listed and not items and "meta" in data
    ):
        raise answers.refusal(data, NAME, TITLE) or _other_kind(data, sequence(held))
    records, rejects = answers.read_items(items, _record, "data")
    following = (
        _next(string(mapping(mapping(data).get("links")).get("next"))) if listed and items else None
    )
    total = answers.whole(mapping(mapping(data).get("meta")).get("total"))
    return Page(records, following, rejects, total)


def _is_doi(item: dict[str, Any]) -> bool:
    known = string(item.get("doi")) or string(item.get("id"))
    return bool(known) and any(key in item for key in ("titles", "creators", "resource-type-id"))


def _other_kind(data: Any, held: list[Any]) -> Exception:
    kinds = sorted({kind for item in held if (kind := string(mapping(item).get("type")))})
    if kinds and kinds != ["dois"]:
        return SourceBroken(
            f"DataCite sent {', '.join(kinds)[:100]}, not DOIs: ask {URL}", source=NAME
        )
    return answers.foreign(data, NAME, TITLE, "data with DOIs")


def _next(address: str | None) -> str | None:
    return next(iter(parse_qs(urlsplit(address or "").query).get("page[cursor]", [])), None)


def _record(item: dict[str, Any]) -> Record | str:
    item = modern(item) if "titles" not in item and "title" in item else item
    doi = clean_doi(string(item.get("doi")) or string(item.get("id")))
    if doi is None:
        return "no DOI"
    day, own, form = published(item), title(item), kind(mapping(item.get("types")))
    return Record(
        source=NAME,
        source_key=doi,
        title=own,
        authors=names(author(mapping(one)) for one in sequence(item.get("creators"))),
        year=clean_year(day),
        published=day,
        doi=doi,
        url=link(string(item.get("url"))) or f"https://doi.org/{doi}",
        abstract=description(item),
        language=plain(string(item.get("language")), 20),
        type=form,
        retraction="retracted" if withdrawn(item) or answers.marked_retracted(own) else None,
        related=relations.datacite(item, doi, form),
        **place(item),
    )


SOURCE = Source(NAME, TITLE, parse, request, interval=0.2)
