"""Web of Science by its Starter API (https://api.clarivate.com/apis/wos-starter/v1/documents), with
the key of whoever subscribes.

The query is Web of Science's advanced search with the Starter API's fields (TS, TI, AU, SO, PY, DO,
OG …). Days are those on which a document was changed (modifiedTimeSpan), which all databases at
once (db = WOK) don't have. The filter `db` names another database than the Core Collection; other
filters are sent as parameters. The Starter API has no abstracts.

Key: LIVEREVIEW_WOS_STARTER_KEY. Facts from https://developer.clarivate.com/apis/wos-starter.
"""

from __future__ import annotations

from typing import Any

from livereview.errors import Refused
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.tagged import MONTHS
from livereview.sources.text import link, name, names, plain

NAME = "wosstarter"
TITLE = "Web of Science (Starter API)"
URL = "https://api.clarivate.com/apis/wos-starter/v1/documents"
SIZE = 50
ALL_DATABASES = "WOK"
_OWN = ("db",)
# Web of Science's own words for what a document is; both of its interfaces write them.
_TYPES = (
    ("retracted publication", "journal-article"),
    ("retraction", "retraction-notice"),
    ("correction", "erratum"),
    ("meeting abstract", "conference-abstract"),
    ("proceedings paper", "conference-paper"),
    ("editorial", "editorial"),
    ("letter", "letter"),
    ("book review", "book-review"),
    ("book chapter", "book-chapter"),
    ("book", "book"),
    ("preprint", "preprint"),
    ("article", "journal-article"),
    ("review", "journal-article"),
)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page, the oldest document first; the cursor is its number."""
    database = query.filter("db") or "WOS"
    params = [("q", answers.search_text(query, _OWN, TITLE)), ("db", database)]
    if not params[0][1]:
        raise Refused(f"a search of {TITLE} needs a query: give one in review.toml")
    params += [(field, value) for field, value in query.filters if field not in _OWN]
    if window.start is not None and database != ALL_DATABASES:
        days = f"{answers.day(window.start)} {answers.day(window.end)}"
        params.append(("modifiedTimeSpan", days))
    params += [("limit", str(SIZE)), ("page", cursor or "1"), ("sortField", "LD+A")]
    return Request(URL, tuple(params), (("Accept", "application/json"),), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """The documents of a page, or a single one."""
    data = answers.read_json(body, NAME, TITLE)
    about = mapping(mapping(data).get("metadata"))
    hits = mapping(data).get("hits")
    if not isinstance(hits, list) or "total" not in about:
        if not (string(mapping(data).get("uid")) and mapping(data).get("source")):
            raise answers.refusal(data, NAME, TITLE) or answers.foreign(
                data, NAME, TITLE, "metadata with total, and hits"
            )
        records, rejects = answers.read_items([data], _record, "document")
        return Page(records, None, rejects)
    records, rejects = answers.read_items(hits, _record, "hits")
    total, page = answers.whole(about.get("total")), int(cursor or 1)
    following = answers.next_place((page - 1) * SIZE, len(hits), total, NAME, TITLE)
    return Page(records, str(page + 1) if following else None, rejects, total)


def _record(document: dict[str, Any]) -> Record | str:
    key = string(document.get("uid"))
    if key is None:
        return "no accession number"
    source = mapping(document.get("source"))
    ids = mapping(document.get("identifiers"))
    people = sequence(mapping(document.get("names")).get("authors"))
    pages = mapping(source.get("pages"))
    title = plain(string(document.get("title")))
    doi = clean_doi(string(ids.get("doi")))
    kinds = " ".join(
        str(kind) for field in ("types", "sourceTypes") for kind in sequence(document.get(field))
    )
    issns = [string(ids.get(field)) for field in ("issn", "eissn")]
    year = clean_year(string(source.get("publishYear")))
    return Record(
        source=NAME,
        source_key=key[:100],
        title=title,
        authors=names(name(string(mapping(person).get("displayName"))) for person in people),
        year=year,
        published=answers.iso(year, month(string(source.get("publishMonth")))),
        container_title=plain(string(source.get("sourceTitle"))),
        volume=plain(string(source.get("volume")), 100),
        issue=plain(string(source.get("issue")), 100),
        pages=plain(string(pages.get("range")) or string(source.get("articleNumber")), 100),
        doi=doi,
        pmid=clean_pmid(string(ids.get("pmid"))),
        issn=clean_issn(" ".join(filter(None, issns))),
        isbn=clean_isbn(string(ids.get("isbn"))),
        url=link(string(mapping(document.get("links")).get("record")))
        or link(f"https://doi.org/{doi}" if doi else None),
        type=kind_of(kinds),
        retraction=retraction_of(kinds, title),
    )


def month(text: str | None) -> int | None:
    """The number of a month that Web of Science writes as "MAR" or "MAR 15"; None for "SPR"."""
    word = (text or "").strip().lower()[:3]
    return MONTHS.index(word) + 1 if word in MONTHS else None


def kind_of(words: str) -> str | None:
    """The type that Web of Science's words for a document make."""
    lower = words.lower()
    return next((kind for word, kind in _TYPES if word in lower), None)


def retraction_of(words: str, title: str | None) -> str | None:
    """Whether Web of Science, or the publisher before the title, says that it was retracted."""
    retracted = "retracted publication" in words.lower() or answers.marked_retracted(title)
    return "retracted" if retracted else None


SECRETS = (("header:X-ApiKey", "LIVEREVIEW_WOS_STARTER_KEY"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=1.0, secrets=("LIVEREVIEW_WOS_STARTER_KEY",))
