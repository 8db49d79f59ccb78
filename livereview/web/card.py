"""A report as a reviewer sees it: its fullest record, safe links, and the words the review wants
marked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, urlsplit

from livereview.records import Record, clean_doi
from livereview.review import Highlights
from livereview.screening.abstracts import paragraphs
from livereview.store import records
from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `kind` is "include", "exclude" or None."""

    text: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph of an abstract; `label` is "" where it has none."""

    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown of a report.

    Attributes:
        record: The one that a decision will cite, with the fields it lacks from others of the same
            report.
        origin: The source of each such field.
        open_copy: Where it can be read without paying, as Unpaywall says.
    """

    record_id: str
    record: Record
    title: tuple[Piece, ...]
    abstract: tuple[Part, ...]
    link: str | None
    open_copy: str | None
    lang: str | None
    sources: tuple[str, ...]
    origin: Mapping[str, str]


def of(con: Connection, review: str, report: str, highlights: Highlights) -> Card:
    """The card of a report of this review."""
    members = records.reports(con, review, [report])[report]
    record, origin = records.merged(members)
    return Card(
        record.record_id,
        record,
        pieces(record.title or "Untitled record", highlights),
        _parts(record.abstract or "", highlights),
        link(record),
        open_copy(members),
        record.language
        if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", record.language or "")
        else None,
        tuple(sorted({member.source for member in members})),
        origin,
    )


def _parts(abstract: str, highlights: Highlights) -> tuple[Part, ...]:
    return tuple(
        Part(paragraph.label, pieces(paragraph.text, highlights))
        for paragraph in paragraphs(abstract)
    )


def open_copy(members: Sequence[Record]) -> str | None:
    """Where a report can be read without paying, as Unpaywall says."""
    links = [link(replace(record, doi=None)) for record in members if record.source == "unpaywall"]
    return next((address for address in links if address), None)


def link(record: Record) -> str | None:
    """Where the publication is: by its DOI, else by an http(s) address with a host and no user in
    it.
    """
    if record.doi and clean_doi(record.doi) == record.doi:
        return "https://doi.org/" + quote(record.doi, safe="/()")
    address = record.url or ""
    if re.search(r"[\x00-\x20\x7f\\]", address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme in ("http", "https") and "." in parts.netloc and "@" not in parts.netloc:
        return address
    return None


def pieces(text: str, highlights: Highlights) -> tuple[Piece, ...]:
    """`text` cut where a highlight term begins or ends; joined together it is `text` again.

    A term matches whole words, in any case and with an English plural; a * at its end stands for
    any ending.
    """
    pattern = _pattern(highlights)
    if pattern is None:
        return (Piece(text),) if text else ()
    found, end = [], 0
    for match in pattern.finditer(text):
        found += [Piece(text[end : match.start()]), Piece(match.group(), match.lastgroup)]
        end = match.end()
    return tuple(piece for piece in [*found, Piece(text[end:])] if piece.text)


@lru_cache(maxsize=64)
def _pattern(highlights: Highlights) -> re.Pattern[str] | None:
    parts = [
        f"(?P<{kind}>{_any(terms)})"
        for kind, given in (("include", highlights.include), ("exclude", highlights.exclude))
        if (terms := [term.strip() for term in given if term.strip(" *")])
    ]
    if parts:
        return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)
    return None


def _any(terms: Sequence[str]) -> str:
    """Longest first, or a short term would hide the phrase that it begins."""
    return "|".join(_term(term) for term in sorted(terms, key=len, reverse=True))


def _term(term: str) -> str:
    words = r"\s+".join(re.escape(word) for word in term.rstrip("*").split())
    return words + (r"\w*" if term.endswith("*") else "(?:e?s)?")
