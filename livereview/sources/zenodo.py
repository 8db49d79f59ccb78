"""Zenodo records (https://zenodo.org/api/records): lists by page and single records, in the old and the new shape.

The query is Elasticsearch's syntax. Days are those of `created`; the filter `window` names another (updated). Other
filters are sent as parameters (type=publication, communities=…). A search hands out 10,000 records, 25 a page.
Facts from https://developers.zenodo.org.
"""

from __future__ import annotations

import re
from typing import Any

from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "zenodo"
TITLE = "Zenodo"
URL = "https://zenodo.org/api/records"
REACH = 10_000
SIZE = 25  # more is refused without a key
_OWN = ("window",)
_TYPES = {
    "article": "journal-article",
    "publication-article": "journal-article",
    "preprint": "preprint",
    "publication-preprint": "preprint",
    "workingpaper": "preprint",
    "report": "report",
    "publication-report": "report",
    "thesis": "thesis",
    "publication-thesis": "thesis",
    "book": "book",
    "publication-book": "book",
    "section": "book-chapter",
    "conferencepaper": "conference-paper",
    "publication-conferencepaper": "conference-paper",
    "poster": "conference-paper",
    "presentation": "conference-paper",
    "publication-blogpost": "web-page",
    "dataset": "dataset",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page; the cursor is its number."""
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    if window.start is not None:
        days = f"[{answers.day(window.start)} TO {answers.day(window.end)}]"
        parts.append(f"{query.filter('window') or 'created'}:{days}")
    own = tuple((key, value) for key, value in query.filters if key not in _OWN)
    paging = (("size", str(SIZE)), ("page", cursor or "1"), ("sort", "oldest"))
    return Request(URL, (("q", " AND ".join(parts)), *own, *paging), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The records of a page, a single one or a bare list. A page that links to no next one is the last."""
    data = answers.read_json(body, NAME, TITLE)
    hits = mapping(mapping(data).get("hits"))
    items = hits.get("hits") if hits else data if isinstance(data, list) else [data]
    if not isinstance(items, list) or (not hits and not any(mapping(item).get("metadata") for item in items)):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "hits, or a record with metadata"
        )
    records, rejects = answers.read_items(items, _record, "hits")
    more = hits and items and mapping(mapping(data).get("links")).get("next")
    total = hits.get("total")
    count = answers.whole(mapping(total).get("value") if isinstance(total, dict) else total)
    return Page(records, str(int(cursor or 1) + 1) if more else None, rejects, count)


def _record(item: dict[str, Any]) -> Record | str:
    data, key = mapping(item.get("metadata")), plain(string(item.get("id")), 100)
    pid = mapping(mapping(item.get("pids")).get("doi")).get("identifier")
    doi = clean_doi(string(item.get("doi")) or string(data.get("doi")) or string(pid))
    if key is None:
        return "no Zenodo id"
    published = _date(string(data.get("publication_date")) or string(item.get("created")))
    journal, meeting = mapping(data.get("journal")), mapping(data.get("imprint"))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(string(data.get("title")) or string(item.get("title"))),
        authors=names(_author(mapping(one)) for one in sequence(data.get("creators"))),
        year=clean_year(published),
        published=published,
        container_title=plain(string(journal.get("title")) or string(meeting.get("publisher"))),
        volume=plain(string(journal.get("volume")), 100),
        issue=plain(string(journal.get("issue")), 100),
        pages=plain(string(journal.get("pages")), 100),
        doi=doi,
        issn=clean_issn(string(journal.get("issn"))),
        isbn=clean_isbn(string(meeting.get("isbn"))),
        url=link(_address(mapping(item.get("links")))) or link(f"https://zenodo.org/records/{key}"),
        abstract=abstract(string(data.get("description"))),
        language=plain(_language(data), 20),
        type=_type(mapping(data.get("resource_type"))),
    )


def _author(one: dict[str, Any]) -> str | None:
    person = mapping(one.get("person_or_org")) or one
    family, given = string(person.get("family_name")), string(person.get("given_name"))
    return name(family, given) if family else name(string(person.get("name")))


def _address(links: dict[str, Any]) -> str | None:
    return string(links.get("self_html")) or string(links.get("html"))


def _language(data: dict[str, Any]) -> str | None:
    listed = next((string(mapping(one).get("id")) for one in sequence(data.get("languages"))), None)
    return string(data.get("language")) or listed


def _date(text: str | None) -> str | None:
    return answers.iso_date(re.split(r"[/ ]", text)[0]) if text else None  # "2020/2021" is a span


def _type(kind: dict[str, Any]) -> str | None:
    word = string(kind.get("subtype")) or string(kind.get("id")) or string(kind.get("type"))
    return _TYPES.get(word, word.removeprefix("publication-")) if word else None


SECRETS = (("access_token", "LIVEREVIEW_ZENODO_TOKEN"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=1.0, reach=REACH, secrets=("LIVEREVIEW_ZENODO_TOKEN",))
