"""A record: what one source says of one publication, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from livereview.identifiers import (
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)

__all__ = [
    "FIELDS",
    "FINGERPRINT_VERSION",
    "Record",
    "clean_doi",
    "clean_isbn",
    "clean_issn",
    "clean_pmcid",
    "clean_pmid",
    "clean_year",
    "fingerprint",
    "from_json",
    "record_id",
    "to_json",
]

FINGERPRINT_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Record:
    """One item as one source describes it; unknown is None, never an empty string.

    Attributes:
        source, source_key: Who says so, and that source's own permanent key for the item.
        authors: "Family, Given" where the source tells them apart, in the source's order.
        published: ISO date as exact as the source is: "2021", "2021-03" or "2021-03-07".
        doi: Lower case, without a resolver: "10.1000/xyz"; pmid digits; pmcid "PMC123".
        issn, isbn: The first valid one, "1234-567X"; ISBN digits only.
        type: "journal-article", "preprint", "report", "book", "book-chapter", "thesis",
            "conference-paper", "dataset", "trial", "web-page" … or the source's own word in lower
            case.
        retraction: None, "retracted", "expression-of-concern" or "corrected": what the source says
            of this item.
    """

    source: str
    source_key: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    year: int | None = None
    published: str | None = None
    container_title: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    issn: str | None = None
    isbn: str | None = None
    url: str | None = None
    abstract: str | None = None
    language: str | None = None
    type: str | None = None
    retraction: str | None = None

    @property
    def record_id(self) -> str:
        return record_id(self.source, self.source_key)


FIELDS = tuple(field.name for field in fields(Record))


def record_id(source: str, source_key: str) -> str:
    """The permanent id of one source's item: the same on every machine and in every replay."""
    return "r" + hashlib.sha256(f"{source}\0{source_key}".encode()).hexdigest()[:20]


def fingerprint(record: Record) -> str:
    """A hash of all that the source says.

    It changes if and only if a field does (or FINGERPRINT_VERSION).
    """
    body = json.dumps(to_json(record), sort_keys=True, ensure_ascii=False)
    return FINGERPRINT_VERSION + hashlib.sha256(body.encode()).hexdigest()[:20]


def to_json(record: Record) -> dict[str, Any]:
    """The record as plain JSON data, keys in the order of the dataclass."""
    return {
        name: list(value) if isinstance(value := getattr(record, name), tuple) else value
        for name in FIELDS
    }


def from_json(data: dict[str, Any]) -> Record:
    """The inverse of `to_json`; unknown keys are refused by the dataclass."""
    return Record(**{**data, "authors": tuple(data.get("authors") or ())})
