"""A row of a table as a record: what its cells say, whichever tool wrote them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from livereview import registrations
from livereview.links import LinkKind
from livereview.records import (
    Record,
    Related,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, people, tagged
from livereview.sources.text import abstract, link, name, names, plain

NAME = "csv"
Row = Mapping[str, str]  # texts by the fields of columns.HEADINGS, none of them empty

# What RIS, BibTeX and Web of Science write for a type, in lower case: the whole of a cell.
_CODES = {
    "jour": "journal-article",
    "ejour": "journal-article",
    "jfull": "journal-article",
    "j": "journal-article",
    "chap": "book-chapter",
    "echap": "book-chapter",
    "incollection": "book-chapter",
    "inbook": "book-chapter",
    "b": "book",
    "ebook": "book",
    "edbook": "book",
    "thes": "thesis",
    "rprt": "report",
    "govdoc": "report",
    "conf": "conference-paper",
    "cpaper": "conference-paper",
    "mgzn": "magazine-article",
    "news": "newspaper-article",
    "elec": "web-page",
    "web page": "web-page",
    "unpb": "manuscript",
    "pat": "patent",
    "p": "patent",
    "data": "dataset",
}
# A word of a type, and the type that it makes; the first that is there decides.
_TYPES = (
    ("conference", "conference-paper"),
    ("proceeding", "conference-paper"),
    ("newspaper", "newspaper-article"),
    ("magazine", "magazine-article"),
    ("encyclopedia", "book-chapter"),
    ("book review", "book-review"),
    ("section", "book-chapter"),
    ("journal", "journal-article"),
    ("article", "journal-article"),
    ("review", "journal-article"),
    ("survey", "journal-article"),
    ("editorial", "editorial"),
    ("erratum", "erratum"),
    ("webpage", "web-page"),
    ("chapter", "book-chapter"),
    ("book", "book"),
    ("thesis", "thesis"),
    ("dissertation", "thesis"),
    ("report", "report"),
    ("preprint", "preprint"),
)


def record(row: Row) -> Record | str:
    """The record that a row tells of; a reason where it tells of none."""
    extra = row.get("extra", "")
    doi = clean_doi(row.get("doi")) or clean_doi(row.get("url")) or _labelled_doi(extra)
    title = plain(row.get("title"))
    if not title and not doi:
        return "neither title nor DOI"
    citation = _citation(row.get("container_title", ""))
    registration = registrations.own(row.get("registration"))
    day = row.get("date")
    year = (
        clean_year(row.get("year"))
        or clean_year(day)
        or clean_year(date(day or ""))
        or clean_year(citation.year)
    )
    return Record(
        source=NAME,
        source_key=doi or registration or _digest(row),
        title=title,
        authors=_authors(row, registration),
        year=year,
        published=_published(row, year),
        container_title=plain(citation.journal),
        volume=plain(row.get("volume") or citation.volume, 100),
        issue=plain(row.get("issue") or citation.issue, 100),
        pages=plain(_pages(row) or citation.pages, 100),
        doi=doi,
        pmid=clean_pmid(row.get("pmid")) or _labelled_pmid(extra),
        pmcid=clean_pmcid(row.get("pmcid")) or clean_pmcid(extra),
        issn=clean_issn(row.get("issn")),
        isbn=clean_isbn(row.get("isbn")),
        url=_url(row.get("url", "")) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(row.get("abstract")),
        language=plain(row.get("language"), 20),
        type="trial" if registration else _type(row.get("type", "")) or _policy(row),
        registration=registration,
        related=_registered_twice(row, registration),
    )


def _authors(row: Row, registration: str | None) -> tuple[str, ...]:
    """The authors; of a register's entry, which has none, its sponsor."""
    authors = names(name(author) for author in people.cut(row.get("authors", "")))
    if authors or registration is None:
        return authors
    return names([name(plain(row.get("sponsor"), 200))])


def _registered_twice(row: Row, registration: str | None) -> tuple[Related, ...]:
    """The numbers that a register's entry has in other registers."""
    if registration is None:
        return ()
    numbers = registrations.in_field(row.get("other_registrations")) - {registration}
    return tuple(
        Related(LinkKind.REGISTERED_TWICE, f"trial:{number}") for number in sorted(numbers)
    )


def _policy(row: Row) -> str | None:
    """Overton has policy documents only, and many words for their kinds."""
    return "report" if row.get("policy") else None


def _digest(row: Row) -> str:
    """A key from what the row says: the ids of these files are only theirs."""
    fields = {**row, "year": row.get("year") or row.get("date", "")}
    parts = [
        f"{field}={fields.get(field, '')}"
        for field in ("title", "authors", "year", "container_title", "key")
    ]
    text = "\0".join(parts)
    return "text:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]


# --- what Zotero keeps for want of a field: "PMID: 123", a line each
# --------------------------------------------------------------------------------------------------

_PMID_LINE = re.compile(r"\bPMID:\s?(\d{1,9})\b")
_DOI_LINE = re.compile(r"\bDOI:\s?(10\.\S{1,300})", re.IGNORECASE)


def _labelled_pmid(extra: str) -> str | None:
    line = _PMID_LINE.search(extra)
    return clean_pmid(line.group(1)) if line else None


def _labelled_doi(extra: str) -> str | None:
    line = _DOI_LINE.search(extra)
    return clean_doi(line.group(1)) if line else None


# --- where it appeared
# --------------------------------------------------------------------------------------------------

# Embase's "Endoscopic Ultrasound (2014) 3:3 (152-160). Date of Publication: 2014"
_EMBASE = re.compile(r" \((\d{4})\) ([^()]{0,60})\(([^()]{1,40})\)")


@dataclass(frozen=True, slots=True)
class _Citation:
    journal: str
    year: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None


def _citation(text: str) -> _Citation:
    """A journal's name by itself, with the place in it where Embase put both into one cell."""
    cited = _EMBASE.search(text[:2_000])
    if cited is None:
        return _Citation(text)
    year, place, pages = cited.groups()
    volume, _, issue = place.strip().partition(":")
    return _Citation(text[: cited.start()], year, volume or None, issue or None, pages)


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
# "1-5" became "05-Jan" or a whole date in a spreadsheet, and nobody knows which it was
_SPREADSHEET_DATE = re.compile(
    rf"\d{{1,2}}[-/. ]{_MONTH}|{_MONTH}[-/. ]\d{{1,4}}|\d{{4}}-\d\d-\d\d(?:[ T][\d:.]{{5,15}})?"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{4}",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\w\s?[-‐-―]\s?\w")


def _pages(row: Row) -> str | None:
    """The range of pages, however many columns it stands in; else the number of the article.

    None for what a spreadsheet made a date of.
    """
    texts = {field: row.get(field) for field in ("pages", "first", "last", "article_number")}
    for field, text in texts.items():
        if text and _SPREADSHEET_DATE.fullmatch(text.strip()):
            texts[field] = None
    whole, first, last = texts["pages"], texts["first"], texts["last"]
    if whole and (_RANGE.search(whole) or not first):
        return whole
    if first and last and first != last and not _RANGE.search(first):
        return f"{first}-{last}"
    return first or whole or last or texts["article_number"]


def _url(text: str) -> str | None:
    """The first address in a cell that may hold several."""
    addresses = re.split(r"(?<=[\s;|,])(?=https?:)", text.strip()[:8_000])
    return link(addresses[0].rstrip(" ;|,\t\n"))


# --- when
# --------------------------------------------------------------------------------------------------

_COMPACT = re.compile(r"([12]\d{3})([01]\d)([0-3]\d)")
_DAY_AND_MONTH = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]([12]\d{3})(?!\d)")
LAST_MONTH = 12


def _published(row: Row, year: int | None) -> str | None:
    """The date of a column of dates where the year agrees with it, and else what the year says."""
    dated = date(row.get("date", ""))
    if dated and clean_year(dated) == year:
        return dated
    in_year = date(row.get("year", ""))
    if in_year and clean_year(in_year) == year:
        return in_year
    return f"{year:04}" if year else None


def date(text: str) -> str | None:
    """A date as ISO, as exact as it is sure: of "4/3/2024" only the year, "14/3/2024" to the day."""
    value = re.sub(r"\.0+$", "", text.strip()[:60])
    if compact := _COMPACT.fullmatch(value):
        return answers.iso(*compact.groups())
    if iso := answers.iso_date(value.replace("/", "-").rstrip("- ")):
        return iso
    if numbers := _DAY_AND_MONTH.match(value):
        return _day_and_month(*numbers.groups())
    year = clean_year(value)
    words = re.findall(r"[a-z]{3,12}", value.lower())
    months = {tagged.MONTHS.index(word[:3]) + 1 for word in words if word[:3] in tagged.MONTHS}
    if year is None or len(months) != 1 or len(words) != 1:
        return f"{year:04}" if year else None
    days = re.findall(r"(?<!\d)\d{1,2}(?!\d)", value)
    return answers.iso(year, months.pop(), *(days if len(days) == 1 else ()))


def _day_and_month(first: str, second: str, year: str) -> str | None:
    """Which of two numbers is the month is sure where the other can be none, or is the same."""
    if int(first) > LAST_MONTH or first == second:
        return answers.iso(year, second, first)
    if int(second) > LAST_MONTH:
        return answers.iso(year, first, second)
    return year


def _type(text: str) -> str | None:
    label = text.strip().lower()
    if label in _CODES:
        return _CODES[label]
    return next((kind for word, kind in _TYPES if word in label), None)
