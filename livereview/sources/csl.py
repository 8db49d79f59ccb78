"""CSL-JSON, as Zotero, doi.org and citation processors write it: a list of items, one item, or
{"items": […]}.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from livereview.errors import Retry, SourceBroken
from livereview.records import (
    Record,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, tagged
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Source
from livereview.sources.text import abstract, link, name, names, plain

NAME = "csl"
TITLE = "CSL-JSON"
# Beside a title, one of these tells an item from any other JSON.
_OWN_FIELDS = frozenset({"type", "id", "DOI", "issued", "container-title"})
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
    """Every item as a record or a reject.

    SourceBroken for a file that is empty, cut off or something else.
    """
    lines = tagged.read_lines(body)
    if not re.match(r"\s*[\[{]", text := "\n".join(lines)):
        raise tagged.foreign(lines, "this is not CSL-JSON", NAME)
    try:
        data = answers.read_json(_as_list(lines, text).encode(), NAME, TITLE)
    except Retry as error:  # a file does not get whole by asking for it again
        raise SourceBroken(f"{error}: {tagged.BROKEN_OFF}", source=NAME) from None
    held = mapping(data).get("items", data)
    items = held if isinstance(held, list) else [held]
    if not any(_is_item(mapping(item)) for item in items) and items:
        raise answers.foreign(data, NAME, TITLE, "items with a type and a title")
    records, rejects = answers.read_items(items, _record, "items")
    return Page(tagged.distinct(list(records)), rejects=rejects, total=len(items))


def _as_list(lines: list[str], text: str) -> str:
    """The text as one JSON value, where each line holds an item of its own."""
    items = [line.strip() for line in lines if line.strip()]
    if len(items) < 2 or not all(item[0] == "{" and item[-1] == "}" for item in items):
        return text
    return f"[{','.join(items)}]"


def _is_item(item: dict[str, Any]) -> bool:
    return "title" in item and not _OWN_FIELDS.isdisjoint(item)


def _record(item: dict[str, Any]) -> Record | str:
    title, doi = plain(first(item.get("title"))), _doi(item)
    if title is None and doi is None:
        return "neither title nor DOI"
    published = _date(item.get("issued")) or _date(item.get("published"))
    return Record(
        source=NAME,
        source_key=doi or _digest(item),
        title=title,
        authors=_authors(item),
        year=clean_year(published) or clean_year(_told(item.get("issued"))),
        published=published,
        container_title=plain(first(item.get("container-title"))),
        volume=plain(string(item.get("volume")), 100),
        issue=plain(string(item.get("issue")), 100),
        pages=re.sub(r"(?:(?<!\s)\s++)?[-‐-―]+\s*", "-", plain(string(item.get("page")), 100) or "")
        or None,
        doi=doi,
        pmid=clean_pmid(_noted(item, "PMID")),
        pmcid=clean_pmcid(_noted(item, "PMCID")),
        issn=clean_issn(" ".join(map(str, sequence(item.get("ISSN"))))),
        isbn=clean_isbn("; ".join(map(str, sequence(item.get("ISBN"))))),
        url=link(string(item.get("URL"))) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(string(item.get("abstract"))),
        language=plain(string(item.get("language")), 20),
        type=_type(string(item.get("type"))),
    )


def _doi(item: dict[str, Any]) -> str | None:
    """The DOI of its field, else of its address, else of the lines that Zotero keeps in the note."""
    note = re.search(r"^DOI: (.*)", string(item.get("note")) or "", re.MULTILINE)
    places = (item.get("DOI"), item.get("doi"), item.get("URL"), note and note.group(1))
    return next(filter(None, (clean_doi(string(place)) for place in places)), None)


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    """The authors; whoever else made it where there are none."""
    kinds = ("author", "editor", "container-author", "collection-editor", "director")
    found = (names(_author(mapping(one)) for one in sequence(item.get(kind))) for kind in kinds)
    return next(filter(None, found), ())


def _noted(item: dict[str, Any], key: str) -> str | None:
    """A field, or the line "PMID: 1" in the note, where Zotero keeps what CSL had no field for."""
    line = re.search(rf"^{key}: *(\S+)", string(item.get("note")) or "", re.MULTILINE)
    return string(item.get(key)) or (line.group(1) if line else None)


def _digest(item: dict[str, Any]) -> str:
    """A key from what the item says, as its id is only its file's."""
    said = {
        key: value for key, value in item.items() if key not in ("id", "citation-key", "accessed")
    }
    return (
        "text:"
        + hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8", "replace")).hexdigest()[
            :20
        ]
    )


def _author(one: dict[str, Any]) -> str | None:
    particle = string(one.get("non-dropping-particle"))
    family = " ".join(filter(None, (particle, string(one.get("family")))))
    given = " ".join(filter(None, (string(one.get("given")), string(one.get("dropping-particle")))))
    given = ", ".join(filter(None, (given, string(one.get("suffix")))))
    if family:
        return name(family, given or None)
    return name(string(one.get("literal")) or string(one.get("name")))


def _date(value: object) -> str | None:
    parts = sequence(mapping(value).get("date-parts"))
    if parts and not isinstance(parts[0], list):  # [2019, 5] for [[2019, 5]]
        parts = [parts]
    told = answers.iso(*sequence(parts[0] if parts else None))
    return told or answers.iso_date(_told(value))


def _told(value: object) -> str | None:
    """A date in words: {"raw": "April 2013"}, {"literal": …}, or a bare text."""
    known = mapping(value)
    return string(known.get("raw")) or string(known.get("literal")) or string(value)


def _type(word: str | None) -> str | None:
    return _TYPES.get(word, word) if word else None


SOURCE = Source(NAME, TITLE, parse)
