"""A record: what one source says of one publication, the identifiers in it and its fingerprint."""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import dataclass, fields
from typing import Any

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


_DOI = re.compile(r"10\.\d{4,9}(?:\.\d{1,9}){0,9}/\S+")
_DOI_ENDS = re.compile(r"[\"{}]|<(?!\d+:)|>(?!\d)")
_PMCID = re.compile(r"PMC(\d+)", re.IGNORECASE)
_ISSN = re.compile(r"(?<![\dX])(\d{4})[-‐–]?(\d{3}[\dXx])(?![\dX])")
_ISBN = re.compile(r"(?<!\d)(?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx](?!\d)")
_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")


def clean_doi(text: object) -> str | None:
    """The first DOI in `text`, lower case and without resolver or trailing punctuation.

    None if there is none.

    A closing bracket is kept where it has its opening one, and <1661::AID-SIM968> of old Wiley DOIs
    too: both are real.
    """
    match = _DOI.search(
        html.unescape(str(text or "")[:2_000].replace("%2F", "/").replace("%2f", "/"))
    )
    if not match:
        return None
    doi = _DOI_ENDS.split(match.group())[0]
    while doi[-1] in ".,;:'*/" or (doi[-1] in ")]" and not _balanced(doi)):
        doi = doi[:-1]
    return doi.lower() or None


def _balanced(doi: str) -> bool:
    return doi.count("(") >= doi.count(")") and doi.count("[") >= doi.count("]")


def clean_pmid(text: object) -> str | None:
    """Digits of a PubMed id, from a number, "PMID: 1" or an address.

    None for 0 and for anything else.
    """
    match = re.search(r"(?:^|\D)(\d{1,9})\D*$", str(text or "").strip())
    return match.group(1).lstrip("0") or None if match else None


def clean_pmcid(text: object) -> str | None:
    """ "PMC" and digits, or None."""
    match = _PMCID.search(str(text or ""))
    return f"PMC{match.group(1)}" if match else None


def clean_issn(text: object) -> str | None:
    """The first ISSN in `text` whose check digit is right, as 1234-567X."""
    for match in _ISSN.finditer(str(text or "")):
        digits = (match.group(1) + match.group(2)).upper()
        total = sum(
            weight * (10 if d == "X" else int(d))
            for weight, d in zip(range(8, 0, -1), digits, strict=True)
        )
        if total % 11 == 0:
            return f"{digits[:4]}-{digits[4:]}"
    return None


def clean_isbn(text: object) -> str | None:
    """The first ISBN-13 or ISBN-10 in `text` whose check digit is right, digits only."""
    for match in _ISBN.finditer(str(text or "")):
        digits = re.sub(r"[- ]", "", match.group()).upper()
        if _isbn_ok(digits):
            return digits
    return None


def _isbn_ok(digits: str) -> bool:
    if len(digits) == 13 and digits.isdigit():
        return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0
    if len(digits) == 10:
        return sum((10 - i) * (10 if d == "X" else int(d)) for i, d in enumerate(digits)) % 11 == 0
    return False


def clean_year(text: object) -> int | None:
    """The first four-digit year between 1000 and 2999 in `text`."""
    match = _YEAR.search(str(text or ""))
    return int(match.group(1)) if match else None
