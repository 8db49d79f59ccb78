"""OSF (https://api.osf.io/v2/preprints/): preprints of SocArXiv, PsyArXiv and others, registrations
and projects.

Preprints have no keyword search: a search reads every one of its days, and the protocol's query is
not applied. Most reviews do better with openalex or europepmc. The filter `provider` chooses the
server (default socarxiv) and `kind` what is read (preprints, registrations, nodes); registrations
and nodes can be narrowed with the filters title, description and tags. Days are those of
`date_modified`; the filter `window` names another (date_created). OSF embeds the first ten
contributors only. A token is sent as it stands in its setting, "Bearer …". Facts from
https://developer.osf.io.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from livereview.errors import Refused, SourceBroken
from livereview.links import LinkKind
from livereview.records import Record, clean_doi, clean_year
from livereview.sources import answers, relations
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "osf"
TITLE = "OSF"
URL = "https://api.osf.io/v2/"
_OWN = ("window", "provider", "kind")
_KINDS = {"preprints": "preprint", "registrations": "registration", "nodes": "project"}
_SERVERS = {
    "osf": "OSF Preprints",
    "socarxiv": "SocArXiv",
    "psyarxiv": "PsyArXiv",
    "edarxiv": "EdArXiv",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page of a hundred with their contributors; the cursor is its number."""
    kind = query.filter("kind") or "preprints"
    if kind not in _KINDS:
        raise Refused(f"OSF has no {kind!r} to search; choose the kind of {', '.join(_KINDS)}")
    provider = query.filter("provider") or ("socarxiv" if kind == "preprints" else None)
    params = [("filter[provider]", provider)] if provider else []
    params += [(f"filter[{key}]", value) for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        day = f"filter[{query.filter('window') or 'date_modified'}]"
        # OSF takes a day for its first moment: "lte" would leave out the last
        after = window.end + timedelta(days=1)
        params += [(f"{day}[gte]", answers.day(window.start)), (f"{day}[lt]", answers.day(after))]
    params += [("embed", "contributors"), ("page[size]", "100"), ("page", cursor or "1")]
    return Request(f"{URL}{kind}/", tuple(params), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The preprints, projects or registrations of a page, or a single one.

    A page without a next link is the last.
    """
    data = answers.read_json(body, NAME, TITLE)
    if isinstance(mapping(data).get("results"), list) and "typeAliases" in data:
        return _search_page(data)
    held = data if isinstance(data, list) else mapping(data).get("data")
    items = held if isinstance(held, list) else [held]
    empty = held == [] and "links" in data
    if held is None or not (empty or any(mapping(item).get("attributes") for item in items)):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "data with attributes"
        )
    kinds = {string(mapping(item).get("type")) for item in items}
    if items and not kinds & _KINDS.keys():
        sent = ", ".join(sorted(filter(None, kinds))) or "items without a type"
        raise SourceBroken(
            f"OSF sent {sent[:100]}, not preprints: ask {URL}preprints/", source=NAME
        )
    records, rejects = answers.read_items(items, _record, "data")
    links = mapping(mapping(data).get("links"))
    total = mapping(links.get("meta")).get("total", mapping(mapping(data).get("meta")).get("total"))
    return Page(
        records,
        _next(string(links.get("next")), cursor) if items else None,
        rejects,
        answers.whole(total),
    )


def _next(address: str | None, cursor: str | None) -> str | None:
    number = answers.whole(
        next(iter(parse_qs(urlsplit(address or "").query).get("page", [])), None)
    )
    if number and number > (answers.whole(cursor) or 1):
        return str(number)
    return None


def _record(item: dict[str, Any]) -> Record | str:
    said, kind = mapping(item.get("attributes")), string(item.get("type")) or "nothing"
    key = _key(string(item.get("id")))
    if key is None:
        return "no OSF id"
    if kind not in _KINDS or not said:
        if said:
            return f"not a preprint, registration or project but {kind}"
        return "no attributes"
    links, title = mapping(item.get("links")), plain(string(said.get("title")))
    published = _published(said)
    doi = _doi(string(links.get("preprint_doi")), string(said.get("doi")))
    if kind == "preprints":
        became = relations.to_doi(LinkKind.PREPRINT, said.get("doi"))
    else:
        became = None
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=names(_people(item)),
        year=clean_year(published),
        published=published,
        container_title=_server(item) if kind == "preprints" else None,
        doi=doi,
        url=link(string(links.get("html"))) or f"https://osf.io/{key}",
        abstract=abstract(string(said.get("description"))),
        type="registration" if said.get("registration") is True else _KINDS[kind],
        retraction="retracted" if _withdrawn(said) or answers.marked_retracted(title) else None,
        related=relations.several([became], doi),
    )


def _published(said: dict[str, Any]) -> str | None:
    days = (
        answers.iso_date(said.get(name))
        for name in ("date_published", "date_registered", "date_created")
    )
    return next(filter(None, days), None)


def _withdrawn(said: dict[str, Any]) -> bool:
    return bool(string(said.get("date_withdrawn"))) or said.get("withdrawn") is True


def _key(text: str | None) -> str | None:
    """The id that all versions share: "hqb2p" of "hqb2p_v2"."""
    return re.sub(r"_v\d+$", "", plain(text, 50) or "") or None


def _doi(own: str | None, other: str | None) -> str | None:
    """The preprint's DOI.

    The attribute of that name is the DOI of the article it became, unless it is OSF's.
    """
    return clean_doi(own) or (clean_doi(other) if "osf.io/" in (other or "").lower() else None)


def _people(item: dict[str, Any]) -> list[str | None]:
    """The contributors who are authors, in their order, where they came embedded."""
    embeds = mapping(item.get("embeds"))
    held = mapping(embeds.get("bibliographic_contributors")) or mapping(embeds.get("contributors"))
    people = [mapping(one) for one in sequence(held.get("data"))]
    told = [
        (mapping(one.get("attributes")), mapping(mapping(one.get("embeds")).get("users")))
        for one in people
    ]
    return [_person(said, user) for said, user in told if said.get("bibliographic") is not False]


def _person(said: dict[str, Any], user: dict[str, Any]) -> str | None:
    """A user, or somebody who was only named: their name stands in the contributor or in the error
    about the user.
    """
    known = mapping(mapping(user.get("data")).get("attributes"))
    family = string(known.get("family_name"))
    if family:
        given = " ".join(
            filter(None, (string(known.get("given_name")), string(known.get("middle_names"))))
        )
        return name(family, given)
    missing = mapping(mapping(next(iter(sequence(user.get("errors"))), None)).get("meta"))
    named = (said.get("unregistered_contributor"), known.get("full_name"), missing.get("full_name"))
    return name(next(filter(None, map(string, named)), None))


def _server(item: dict[str, Any]) -> str | None:
    """The preprint server's name, or OSF's word for it."""
    provider = mapping(mapping(item.get("relationships")).get("provider"))
    href = string(mapping(mapping(provider.get("links")).get("related")).get("href")) or ""
    word = string(mapping(provider.get("data")).get("id")) or href.rstrip("/").rpartition("/")[2]
    return plain(_SERVERS.get(word, word))


def _search_page(data: dict[str, Any]) -> Page:
    """An answer of OSF's first search (/api/v1/search/): projects and registrations, not a word on
    a next page.
    """
    records, rejects = answers.read_items(data["results"], _found, "results")
    return Page(records, None, rejects, answers.whole(mapping(data.get("counts")).get("total")))


def _found(item: dict[str, Any]) -> Record | str:
    key = _key((string(item.get("url")) or "").strip("/"))
    if key is None:
        return "no OSF id"
    published = _published(item)
    return Record(
        source=NAME,
        source_key=key,
        title=plain(string(item.get("title"))),
        authors=names(
            name(string(mapping(one).get("fullname"))) for one in sequence(item.get("contributors"))
        ),
        year=clean_year(published),
        published=published,
        url=f"https://osf.io/{key}",
        abstract=abstract(string(item.get("description"))),
        type="registration" if item.get("is_registration") is True else "project",
        retraction="retracted" if item.get("is_retracted") is True else None,
    )


SECRETS = (("header:Authorization", "LIVEREVIEW_OSF_TOKEN"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=36.0, secrets=("LIVEREVIEW_OSF_TOKEN",))
