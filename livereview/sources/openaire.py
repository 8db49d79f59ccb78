"""OpenAIRE Graph (https://api.openaire.eu/graph/v3/research-products): lists by cursor.

It can't select by the day it learnt of something, only by publication date: a window reaches 90
days further back. Filters are sent as parameters (type, countryCode …; default type=publication). A
token raises the limit from 60 requests an hour; the setting holds it as it is sent, "Bearer …".
Versions 1 and 2, the dumps' spelling and the legacy search (`openaire_legacy`) are read as well.
Facts from https://graph.openaire.eu/docs/apis/graph-api/.
"""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi, clean_issn, clean_pmcid, clean_pmid, clean_year
from livereview.sources import answers, openaire_legacy
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "openaire"
TITLE = "OpenAIRE"
URL = "https://api.openaire.eu/graph/v3/research-products"
LATE = timedelta(days=90)
_TYPES = (  # in the order in which it is looked for among the kinds of a product's instances
    (r"thesis|dissertation", "thesis"),
    (r"pre-?print|working paper", "preprint"),
    (r"report|deliverable", "report"),
    (r"chapter", "book-chapter"),
    (r"conference|presentation|poster", "conference-paper"),
    (r"article|journal|review|data paper", "journal-article"),
    (r"book|monograph", "book"),
    (r"data ?set", "dataset"),
    (r"clinical trial", "trial"),
)


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
    """The products of a page, a single one or a bare list.

    The last page has no next cursor or no products.
    """
    data = openaire_legacy.read(body, NAME, TITLE)
    header = mapping(mapping(data).get("header"))
    total = answers.whole(header.get("numFound"))
    listed = bool(header) and "results" in data
    held = data["results"] if listed else data
    if listed and held is None and total == 0:
        items = []
    elif isinstance(held, list):
        items = held
    else:
        items = [held]
    sound = any(map(_is_product, items)) if items else listed
    if not sound or (listed and items and not isinstance(held, list)):
        raise answers.refusal(data, NAME, TITLE) or _other_kind(data, items)
    records, rejects = answers.read_items(items, _record, "results")
    following = string(header.get("nextCursor")) if items else None
    # as Solr: it repeats at the end
    return Page(records, following if following != cursor else None, rejects, total)


def _is_product(item: object) -> bool:
    return any(key in mapping(item) for key in ("mainTitle", "maintitle", "instances", "instance"))


def _other_kind(data: Any, items: list[Any]) -> Exception:
    known = set().union(*(mapping(item).keys() for item in items))
    if known & {"legalName", "officialName", "acronym", "familyName"} and "header" in data:
        return SourceBroken(
            f"OpenAIRE sent other things than research products: ask {URL}", source=NAME
        )
    return answers.foreign(data, NAME, TITLE, "header and results")


def _get(item: dict[str, Any], key: str) -> Any:
    """A field by its name of today, or as version 1 ("author") and the dumps ("maintitle") have it."""
    older = (key, key.lower(), key.removesuffix("s"), key.lower().removesuffix("s"))
    return next((item[one] for one in older if item.get(one) is not None), None)


def _record(item: dict[str, Any]) -> Record | str:
    key = plain(string(item.get("id")), 200)
    if key is None:
        return "no OpenAIRE id"
    doi, published = (
        clean_doi(_pids(item).get("doi")),
        answers.iso_date(_get(item, "publicationDate")),
    )
    title = plain(
        ": ".join(filter(None, (string(_get(item, "mainTitle")), string(_get(item, "subTitle")))))
    )
    language = string(mapping(item.get("language")).get("code"))
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=names(_author(mapping(one)) for one in _by_rank(sequence(_get(item, "authors")))),
        year=clean_year(published),
        # what is known by its year alone has this
        published=published.removesuffix("-01-01") if published else None,
        doi=doi,
        pmid=clean_pmid(_pids(item).get("pmid")),
        pmcid=clean_pmcid(_pids(item).get("pmc")),
        url=f"https://doi.org/{doi}" if doi else _address(item),
        abstract=abstract(first(_get(item, "descriptions"))),
        language=None if language in ("und", "UNKNOWN") else plain(language, 20),
        type=_type(item),
        retraction="retracted" if answers.marked_retracted(title) else None,
        related=(),
        **_host(mapping(item.get("container"))),
    )


def _instances(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [mapping(one) for one in sequence(_get(item, "instances"))]


def _address(item: dict[str, Any]) -> str | None:
    told = (
        link(html.unescape(str(url)))
        for one in _instances(item)
        for url in sequence(_get(one, "urls"))
    )
    return next(filter(None, told), None)


def _pids(item: dict[str, Any]) -> dict[str, str]:
    """The first id of each scheme: of the product itself, else of one of its instances."""
    told = [mapping(one) for one in sequence(_get(item, "pids"))]
    for instance in _instances(item):
        told += [mapping(one) for one in sequence(_get(instance, "pids"))]
        told += [mapping(one) for one in sequence(_get(instance, "alternateIdentifiers"))]
    found = [
        ((string(one.get("scheme")) or "").lower(), string(one.get("value")) or "") for one in told
    ]
    return dict(reversed(found))


def _by_rank(people: list[Any]) -> list[Any]:
    return sorted(people, key=lambda one: answers.whole(mapping(one).get("rank")) or 0)


def _author(one: dict[str, Any]) -> str | None:
    """The name in full if it has a comma.

    Its parts, which OpenAIRE guesses, only where it has none.
    """
    full, family, given = (
        string(_get(one, "fullName")),
        string(one.get("surname")),
        string(one.get("name")),
    )
    if family and given and "," not in (full or ""):
        return name(family, given)
    return name(full or family or given)


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
    for kind in (string(one.get("type")) or "" for one in _instances(item)):
        for pattern, word in _TYPES:
            if re.search(pattern, kind, re.IGNORECASE):
                return word
    whole = string(item.get("type"))
    return whole if whole in ("dataset", "software") else None


SECRETS = (("header:Authorization", "LIVEREVIEW_OPENAIRE_TOKEN"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=60.0, secrets=("LIVEREVIEW_OPENAIRE_TOKEN",))
