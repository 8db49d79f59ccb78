"""ERIC, the US Department of Education's index (https://api.ies.ed.gov/eric/): Solr's own answers,
no key.

It has no index date: each search reads everything that matches (`days` is False) and ingest sorts
out the new. The query is Solr's syntax (title:"…" AND subject:"Foster Care"). Filters: each is
added as name:"value"; `rows` is the size of a page. Facts from https://eric.ed.gov/?api.
"""

from __future__ import annotations

import re
from typing import Any

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "eric"
TITLE = "ERIC"
URL = "https://api.ies.ed.gov/eric/"
FIELDS = (
    "id,title,author,description,subject,publicationdateyear,publicationtype,source,publisher,issn,isbn,url,language"
    ",peerreviewed,identifiersother"
)
_OWN = ("rows",)
_ID = re.compile(r"E[JD]\d+")  # articles and documents
_TYPES = (
    ("journal articles", "journal-article"),
    ("dissertations", "thesis"),
    ("books", "book"),
    ("speeches", "conference-paper"),
    ("reports", "report"),
    ("numerical", "dataset"),
)


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page by its first record; the cursor is that number."""
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    parts += [f'{key}:"{value}"' for key, value in query.filters if key not in _OWN]
    rows = query.filter("rows") or "200"
    params = (
        ("search", " AND ".join(parts)),
        ("format", "json"),
        ("rows", rows),
        ("start", cursor or "0"),
    )
    return Request(URL, (*params, ("fields", FIELDS)))


def parse(body: bytes, cursor: str | None) -> Page:
    """The records of Solr's response, of a bare list or a single one."""
    data = answers.read_json(body, NAME, TITLE)
    response = mapping(mapping(data).get("response"))
    docs: Any
    if response:
        docs = response.get("docs")
    elif isinstance(data, list):
        docs = data
    else:
        docs = [data]
    if response and not isinstance(docs, list):
        raise SourceBroken(
            'ERIC\'s list "docs" is missing: has its interface changed?', source=NAME
        )
    if (docs or not response) and not any(
        _ID.fullmatch(string(mapping(doc).get("id")) or "") for doc in docs
    ):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "response with docs"
        )
    records, rejects = answers.read_items(docs, _record, "docs")
    if not response:
        return Page(records, rejects=rejects)
    start, total = (answers.whole(response.get(key)) for key in ("start", "numFound"))
    following = answers.next_place(start or int(cursor or 0), len(docs), total, NAME, TITLE)
    return Page(records, str(following) if following else None, rejects, total)


def _record(doc: dict[str, Any]) -> Record | str:
    key = plain(string(doc.get("id")), 50)
    if key is None:
        return "no ERIC id"
    year = clean_year(string(doc.get("publicationdateyear")))
    kinds = " ".join(map(str, sequence(doc.get("publicationtype")))).lower()
    numbers = " ".join(map(str, (*sequence(doc.get("issn")), *sequence(doc.get("isbn")))))
    address = first(doc.get("url"))
    return Record(
        source=NAME,
        source_key=key,
        title=plain(first(doc.get("title"))),
        authors=names(name(string(one)) for one in sequence(doc.get("author"))),
        year=year,
        published=str(year) if year else None,
        container_title=plain(first(doc.get("source")) or _publisher(doc, kinds)),
        doi=clean_doi(address),
        issn=clean_issn(numbers.replace("EISSN-", " ").replace("ISSN-", " ")),
        isbn=clean_isbn(numbers.replace("ISBN-", " ")) if "isbn" in numbers.lower() else None,
        url=link(address) or link(f"https://eric.ed.gov/?id={key}"),
        abstract=abstract(first(doc.get("description"))),
        language=plain(first(doc.get("language")), 20),
        type=next((kind for word, kind in _TYPES if word in kinds), None),
    )


def _publisher(doc: dict[str, Any], kinds: str) -> str | None:
    """For articles the journal is the first sentence of the publisher; its address follows."""
    if "journal" in kinds:
        return (first(doc.get("publisher")) or "").partition(". ")[0] or None
    return None


SOURCE = Source(NAME, TITLE, parse, request, interval=1.0, days=False)
