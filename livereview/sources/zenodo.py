"""Zenodo (https://zenodo.org/api/records) and other InvenioRDM repositories: lists by page, and
single records, in the shape Zenodo sends and in InvenioRDM's own (person_or_org, custom_fields).

The query is Elasticsearch's syntax. Days are those of `created`; the filter `window` names another
(updated). Other filters are sent as parameters (type=publication, communities=…). A search hands
out 10,000 records, 25 a page without a token; each version of a deposit is a record of its own.
Facts from https://developers.zenodo.org.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "zenodo"
TITLE = "Zenodo"
URL = "https://zenodo.org/api/records"
REACH = 10_000
SIZE = 25  # more is refused without a token
_OWN = ("window",)
_TYPES = {  # by the last part of "publication-article" or "textDocument-journalArticle"
    "article": "journal-article",
    "journalarticle": "journal-article",
    "datapaper": "journal-article",
    "workingpaper": "preprint",
    "technicalnote": "report",
    "deliverable": "report",
    "milestone": "report",
    "dissertation": "thesis",
    "section": "book-chapter",
    "bookchapter": "book-chapter",
    "booksection": "book-chapter",
    "conferencepaper": "conference-paper",
    "poster": "conference-paper",
    "presentation": "conference-paper",
    "blogpost": "web-page",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page, oldest first so that new deposits don't move the pages.

    The cursor is its number.
    """
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    if window.start is not None:
        days = f"[{answers.day(window.start)} TO {answers.day(window.end)}]"
        parts.append(f"{query.filter('window') or 'created'}:{days}")
    asked = (("q", " AND ".join(parts)),) if parts else ()
    own = tuple((key, value) for key, value in query.filters if key not in _OWN)
    paging = (("size", str(SIZE)), ("page", cursor or "1"), ("sort", "oldest"))
    return Request(URL, (*asked, *own, *paging), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The records of a page, a single one or a bare list.

    A page that links to no next one is the last.
    """
    data = answers.read_json(body, NAME, TITLE)
    hits = mapping(mapping(data).get("hits"))
    if hits:
        items = hits.get("hits")
    elif isinstance(data, list):
        items = data
    else:
        items = [data]
    if not isinstance(items, list) or not (hits or any(map(_is_record, items))):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "hits, or a record with metadata"
        )
    records, rejects = answers.read_items(items, _record, "hits")
    total = hits.get("total")
    count = answers.whole(mapping(total).get("value") if isinstance(total, dict) else total)
    return Page(records, _next(mapping(data), cursor) if items else None, rejects, count)


def _is_record(item: Any) -> bool:
    """Many interfaces have things with metadata, but not with an id beside them."""
    held = mapping(item)
    return bool(held.get("metadata")) and string(held.get("id")) is not None


def _next(data: dict[str, Any], cursor: str | None) -> str | None:
    """The number in the link to the next page.

    None where there is no link or it does not lead on.
    """
    address = string(mapping(data.get("links")).get("next")) or ""
    number = answers.whole(next(iter(parse_qs(urlsplit(address).query).get("page", [])), None))
    if number and number > (answers.whole(cursor) or 1):
        return str(number)
    return None


def _record(item: dict[str, Any]) -> Record | str:
    data, key = mapping(item.get("metadata")), plain(string(item.get("id")), 100)
    if key is None:
        return "no Zenodo id"
    if not data:
        return "no metadata"
    pid = mapping(mapping(item.get("pids")).get("doi")).get("identifier")
    published = _date(string(data.get("publication_date")) or string(item.get("created")))
    title = plain(string(data.get("title")) or string(item.get("title")))
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=names(_author(mapping(one)) for one in sequence(data.get("creators"))),
        year=clean_year(published),
        published=published,
        doi=clean_doi(string(item.get("doi")) or string(data.get("doi")) or string(pid)),
        url=link(_address(mapping(item.get("links")))) or link(f"https://zenodo.org/records/{key}"),
        abstract=abstract(string(data.get("description"))),
        language=plain(_language(data), 20),
        type=_type(mapping(data.get("resource_type"))),
        retraction="retracted" if _withdrawn(item) or answers.marked_retracted(title) else None,
        related=(),
        **_host(item, data),
    )


def _author(one: dict[str, Any]) -> str | None:
    person = mapping(one.get("person_or_org")) or one
    family, given = string(person.get("family_name")), string(person.get("given_name"))
    if family:
        return name(family, given)
    return name(string(person.get("name")))


def _host(item: dict[str, Any], data: dict[str, Any]) -> dict[str, str | None]:
    """The journal, book or meeting it came out in; InvenioRDM keeps them in custom fields."""
    own = mapping(item.get("custom_fields"))
    journal = mapping(data.get("journal")) or mapping(own.get("journal:journal"))
    imprint = mapping(data.get("imprint")) or mapping(own.get("imprint:imprint"))
    book = mapping(data.get("part_of")) or imprint
    meeting = mapping(data.get("meeting")) or mapping(own.get("meeting:meeting"))
    told = [string(place.get("title")) for place in (journal, book, meeting)]
    return {
        "container_title": plain(next(filter(None, told), None)),
        "volume": plain(string(journal.get("volume")), 100),
        "issue": plain(string(journal.get("issue")), 100),
        "pages": plain(
            string(journal.get("pages")) or (string(book.get("pages")) if told[1] else None), 100
        ),
        "issn": clean_issn(string(journal.get("issn"))),
        "isbn": clean_isbn(string(imprint.get("isbn"))),
    }


def _withdrawn(item: dict[str, Any]) -> bool:
    reason = mapping(mapping(item.get("tombstone")).get("removal_reason"))
    return string(reason.get("id")) == "retracted"


def _address(links: dict[str, Any]) -> str | None:
    return string(links.get("self_html")) or string(links.get("html"))


def _language(data: dict[str, Any]) -> str | None:
    listed = next((string(mapping(one).get("id")) for one in sequence(data.get("languages"))), None)
    return string(data.get("language")) or listed


def _date(text: str | None) -> str | None:
    return answers.iso_date(re.split(r"[/ ]", text)[0]) if text else None  # "2020/2021" is a span


def _type(kind: dict[str, Any]) -> str | None:
    word = string(kind.get("subtype")) or string(kind.get("id")) or string(kind.get("type"))
    last = (word or "").rpartition("-")[2].lower()
    return _TYPES.get(last, last) or None


SECRETS = (("access_token", "LIVEREVIEW_ZENODO_TOKEN"),)
SOURCE = Source(
    NAME, TITLE, parse, request, interval=1.0, reach=REACH, secrets=("LIVEREVIEW_ZENODO_TOKEN",)
)
