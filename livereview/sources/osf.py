"""OSF (https://api.osf.io/v2/preprints/): preprints of SocArXiv, PsyArXiv and others, and projects and registrations.

There is no keyword search: a search reads every preprint of its days, and the protocol's query is not applied. Most
reviews do better with openalex or europepmc. The filter `provider` chooses the server (default socarxiv). Days are
those of `date_modified`; the filter `window` names another (date_created). Facts from https://developer.osf.io.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "osf"
TITLE = "OSF"
URL = "https://api.osf.io/v2/preprints/"
_OWN = ("window", "provider")
_KINDS = {"preprints": "preprint", "registrations": "registration", "nodes": "project"}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page of a hundred with their contributors; the cursor is its number."""
    params = [("filter[provider]", query.filter("provider") or "socarxiv")]
    params += [(f"filter[{key}]", value) for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        day = query.filter("window") or "date_modified"
        params += [(f"filter[{day}][gte]", answers.day(window.start)), (f"filter[{day}][lte]", answers.day(window.end))]
    params += [("embed", "contributors"), ("page[size]", "100"), ("page", cursor or "1")]
    return Request(URL, tuple(params), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The preprints, projects or registrations of a page, or a single one. A page without a next link is the last."""
    data = answers.read_json(body, NAME, TITLE)
    held = mapping(data).get("data")
    items = held if isinstance(held, list) else [held]
    if held is None or not (items == [] or any(mapping(item).get("attributes") for item in items)):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(data, NAME, TITLE, "data with attributes")
    kinds = {string(mapping(item).get("type")) for item in items}
    if items and not kinds & _KINDS.keys():
        raise SourceBroken(f"OSF sent {', '.join(sorted(filter(None, kinds)))}, not preprints: ask {URL}", source=NAME)
    records, rejects = answers.read_items(items, _record, "data")
    links = mapping(mapping(data).get("links"))
    total = mapping(links.get("meta")).get("total", mapping(mapping(data).get("meta")).get("total"))
    return Page(records, _next(string(links.get("next"))) if items else None, rejects, answers.whole(total))


def _next(address: str | None) -> str | None:
    return next(iter(parse_qs(urlsplit(address or "").query).get("page", [])), None)


def _record(item: dict[str, Any]) -> Record | str:
    said, key = mapping(item.get("attributes")), plain(string(item.get("id")), 50)
    if key is None:
        return "no OSF id"
    links = mapping(item.get("links"))
    doi = clean_doi(string(links.get("preprint_doi"))) or clean_doi(string(said.get("doi")))
    published = answers.iso_date(said.get("date_published") or said.get("date_created"))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(string(said.get("title"))),
        authors=names(_people(item)),
        year=clean_year(published),
        published=published,
        container_title=plain(_provider(item)),
        doi=doi,
        url=link(string(links.get("html"))) or f"https://osf.io/{key}",
        abstract=abstract(string(said.get("description"))),
        type=_KINDS.get(string(item.get("type")) or ""),
        retraction="retracted" if said.get("date_withdrawn") or said.get("withdrawn") is True else None,
    )


def _people(item: dict[str, Any]) -> list[str | None]:
    """The contributors who are authors, where they came embedded."""
    held = mapping(mapping(item.get("embeds")).get("contributors")).get("data")
    found = []
    for one in sequence(held):
        if mapping(mapping(one).get("attributes")).get("bibliographic") is not False:
            user = mapping(mapping(mapping(mapping(one).get("embeds")).get("users")).get("data")).get("attributes")
            told = mapping(user)
            family = string(told.get("family_name"))
            found.append(
                name(family, string(told.get("given_name"))) if family else name(string(told.get("full_name")))
            )
    return found


def _provider(item: dict[str, Any]) -> str | None:
    related = mapping(mapping(mapping(item.get("relationships")).get("provider")).get("links")).get("related")
    href = string(mapping(related).get("href"))
    return (href or "").rstrip("/").rpartition("/")[2] or None


SECRETS = (("header:Authorization", "LIVEREVIEW_OSF_TOKEN"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=2.0, secrets=("LIVEREVIEW_OSF_TOKEN",))
