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
from livereview.links import LinkKind

__all__ = [
    "FIELDS",
    "FINGERPRINT_VERSION",
    "Record",
    "Related",
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


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """Another publication or registration that a source ties to a record.

    Attributes:
        kind: What the two are to each other, whichever of them says so.
        id: "doi:10.1000/xyz", "pmid:123", "pmcid:PMC123" or "trial:NCT01234567".
    """

    kind: LinkKind
    id: str


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
        registration: The number of the entry itself, where it is a trial register's, as
            `registrations` writes it.
        related: What else the source says belongs to it, and how: an article to a preprint, other
            registers' numbers of the trial.
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
    registration: str | None = None
    related: tuple[Related, ...] = ()

    @property
    def record_id(self) -> str:
        return record_id(self.source, self.source_key)


# Fields that came later: left out of the JSON where they are empty, so that what a source said of
# all other records keeps its fingerprint.
_LATER = ("registration", "related")
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
    data: dict[str, Any] = {}
    for name in FIELDS:
        value = getattr(record, name)
        if name in _LATER and not value:
            continue
        data[name] = list(value) if isinstance(value, tuple) else value
    if record.related:
        data["related"] = [{"kind": other.kind.value, "id": other.id} for other in record.related]
    return data


def from_json(data: dict[str, Any]) -> Record:
    """The inverse of `to_json`; unknown keys are refused by the dataclass."""
    related = tuple(
        Related(LinkKind(other["kind"]), other["id"]) for other in data.get("related") or ()
    )
    return Record(**{**data, "authors": tuple(data.get("authors") or ()), "related": related})
