"""CSL-JSON, as Zotero, doi.org and citation processors write it: a list of items, one item, or {"items": […]}."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmcid, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Source
from livereview.sources.text import abstract, link, name, names, plain

NAME = "csl"
TITLE = "CSL-JSON"
_TYPES = {
    "article-journal": "journal-article",
    "article-magazine": "magazine-article",
    "article-newspaper": "newspaper-article",
    "article": "preprint",
    "paper-conference": "conference-paper",
    "speech": "conference-paper",
    "chapter": "book-chapter",
    "entry-encyclopedia": "book-chapter",
    "webpage": "web-page",
    "post": "web-page",
    "post-weblog": "web-page",
    "document": None,
}


def parse(body: bytes, cursor: str | None) -> Page:
    """Every item as a record or a reject."""
    data = answers.read_json(body, NAME, TITLE)
    held = mapping(data).get("items", data)
    items = held if isinstance(held, list) else [held]
    if not any(_is_item(mapping(item)) for item in items) and items:
        raise answers.foreign(data, NAME, TITLE, "items with a type and a title")
    records, rejects = answers.read_items(items, _record, "items")
    return Page(records, rejects=rejects, total=len(items))


def _is_item(item: dict[str, Any]) -> bool:
    return "title" in item and ("type" in item or "id" in item or "DOI" in item)


def _record(item: dict[str, Any]) -> Record | str:
    title, doi = plain(first(item.get("title"))), clean_doi(string(item.get("DOI")) or string(item.get("doi")))
    if title is None and doi is None:
        return "neither title nor DOI"
    published = _date(item.get("issued")) or _date(item.get("published"))
    return Record(
        source=NAME,
        source_key=doi or _digest(item),
        title=title,
        authors=names(_author(mapping(one)) for one in sequence(item.get("author"))),
        year=clean_year(published),
        published=published,
        container_title=plain(first(item.get("container-title"))),
        volume=plain(string(item.get("volume")), 100),
        issue=plain(string(item.get("issue")), 100),
        pages=plain(string(item.get("page")), 100),
        doi=doi,
        pmid=clean_pmid(string(item.get("PMID"))),
        pmcid=clean_pmcid(string(item.get("PMCID"))),
        issn=clean_issn(" ".join(map(str, sequence(item.get("ISSN"))))),
        isbn=clean_isbn("; ".join(map(str, sequence(item.get("ISBN"))))),
        url=link(string(item.get("URL"))) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(string(item.get("abstract"))),
        language=plain(string(item.get("language")), 20),
        type=_type(string(item.get("type"))),
    )


def _digest(item: dict[str, Any]) -> str:
    """A key from what the item says, as its id is only its file's."""
    said = {key: value for key, value in item.items() if key not in ("id", "citation-key", "accessed")}
    return "text:" + hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:20]


def _author(one: dict[str, Any]) -> str | None:
    particle = string(one.get("non-dropping-particle"))
    family = " ".join(filter(None, (particle, string(one.get("family")))))
    return (
        name(family, string(one.get("given")))
        if family
        else name(string(one.get("literal")) or string(one.get("name")))
    )


def _date(value: object) -> str | None:
    parts = sequence(mapping(value).get("date-parts"))
    told = answers.iso(*sequence(parts[0] if parts else None))
    return told or answers.iso_date(mapping(value).get("raw") or mapping(value).get("literal"))


def _type(word: str | None) -> str | None:
    return _TYPES.get(word, word) if word else None


SOURCE = Source(NAME, TITLE, parse)
