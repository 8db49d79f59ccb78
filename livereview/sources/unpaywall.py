"""Unpaywall (https://api.unpaywall.org/v2/…): looks up one DOI and tells where it can be read
without paying.

The query is a DOI; `url` of the record is the best open copy, its landing page at the publisher
where there is none. It wants a real mail address (LIVEREVIEW_MAILTO). Facts from
https://unpaywall.org/products/api.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from livereview.errors import Refused
from livereview.records import Record, clean_doi, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import link, name, names, plain

NAME = "unpaywall"
TITLE = "Unpaywall"
URL = "https://api.unpaywall.org/v2/"
_TYPES = {
    "posted-content": "preprint",
    "proceedings-article": "conference-paper",
    "dissertation": "thesis",
    "monograph": "book",
    "edited-book": "book",
    "reference-book": "book",
    "book-section": "book-chapter",
    "book-part": "book-chapter",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The one DOI that the query holds."""
    doi = clean_doi(query.text)
    if doi is None or len(set(filter(None, map(clean_doi, query.text.split())))) > 1:
        raise Refused(f"Unpaywall is asked for one DOI at a time, not for {query.text[:100]!r}")
    return Request(URL + quote(doi, safe="/"), secrets=SECRETS)


def parse(body: bytes, cursor: str | None) -> Page:
    """A DOI's answer, the results of a title search, a bare list, or a snapshot with one answer a
    line.
    """
    data = _read(body)
    if isinstance(mapping(data).get("results"), list):
        found = mapping(data).get("results")
    else:
        found = data
    items = [
        mapping(item).get("response", item)
        for item in (found if isinstance(found, list) else [found])
    ]
    none_found = found == [] and "elapsed_seconds" in mapping(data)
    if not none_found and not any(
        mapping(item).get("doi") and "genre" in mapping(item) for item in items
    ):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "a DOI with its genre"
        )
    records, rejects = answers.read_items(items, _record, "results")
    return Page(records, None, rejects, len(items))


def _read(body: bytes) -> Any:
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(b"}") and all(line.startswith(b"{") for line in lines):
        return [answers.read_json(line, NAME, TITLE) for line in lines]
    return answers.read_json(body, NAME, TITLE)


def _record(item: dict[str, Any]) -> Record | str:
    doi = clean_doi(string(item.get("doi")))
    if doi is None:
        return "no DOI"
    published = answers.iso_date(item.get("published_date")) or answers.iso(item.get("year"))
    best, genre = mapping(item.get("best_oa_location")), plain(string(item.get("genre")), 50)
    title = plain(string(item.get("title")))
    return Record(
        source=NAME,
        source_key=doi,
        title=title,
        authors=names(_author(mapping(one)) for one in sequence(item.get("z_authors"))),
        year=clean_year(string(item.get("year"))) or clean_year(published),
        published=published,
        container_title=plain(string(item.get("journal_name"))),
        doi=doi,
        issn=clean_issn((string(item.get("journal_issns")) or "").replace(",", " ")),
        url=link(string(best.get("url"))) or link(f"https://doi.org/{doi}"),
        type=_TYPES.get(genre or "", genre),
        retraction="retracted" if answers.marked_retracted(title) else None,
    )


def _author(one: dict[str, Any]) -> str | None:
    told = name(string(one.get("family")), string(one.get("given")))
    return told or name(string(one.get("raw_author_name")) or string(one.get("name")))


SECRETS = (("email", "LIVEREVIEW_MAILTO"),)
SOURCE = Source(
    NAME, TITLE, parse, request, interval=0.1, days=False, secrets=("LIVEREVIEW_MAILTO",)
)
