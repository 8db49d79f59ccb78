"""Tables of records: CSV and TSV as Scopus, Covidence, Rayyan, EPPI-Reviewer, Zotero, Embase, IEEE,
Springer, The Lens and ASReview write them, or anybody else with headings that say what they are.

Encoding and separator are found out; a row that is no record is a reject with its line number.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace

from livereview import decoding
from livereview.errors import SourceBroken
from livereview.records import (
    Record,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, people, tagged
from livereview.sources.protocol import Page, Reject, Source
from livereview.sources.text import abstract, link, name, names, plain, reject

NAME = "csv"
TITLE = "Table of records"
LARGEST_FIELD = 10_000_000
# Headings by what they mean, letters and digits in lower case only; the first that is there and
# filled counts.
HEADINGS: dict[str, tuple[str, ...]] = {
    "title": (
        "title",
        "documenttitle",
        "itemtitle",
        "articletitle",
        "primarytitle",
        "ti",
        "originaltitle",
        "displayname",
    ),
    "abstract": (
        "abstract",
        "abstractnote",
        "notesabstract",
        "description",
        "ab",
        "originalabstract",
    ),
    "authors": (
        *(
            "author",
            "authors",
            "authorfullnames",
            "authornames",
            "firstauthors",
            "authorsfullnames",
            "au",
        ),
        "authorshipsauthordisplayname",
    ),
    "year": (
        "year",
        "publicationyear",
        "pubyear",
        "py",
        "yearpublished",
        "publishedyear",
        "datepublished",
        "publicationdate",
        "date",
    ),
    "container_title": (
        *(
            "sourcetitle",
            "journal",
            "publicationtitle",
            "journaltitle",
            "containertitle",
            "secondarytitle",
            "source",
        ),
        *("publication", "parenttitle", "journalbook", "primarylocationsourcedisplayname"),
    ),
    "volume": ("volume", "journalvolume", "vol", "bibliovolume"),
    "issue": ("issue", "number", "issuenumber", "journalissue", "biblioissue"),
    "pages": ("pages", "page", "pagination"),
    "first": ("pagestart", "startpage", "bibliofirstpage"),
    "last": ("pageend", "endpage", "bibliolastpage"),
    "doi": ("doi", "itemdoi", "digitalobjectidentifier"),
    "pmid": ("pmid", "pubmedid", "medlinepmid"),
    "pmcid": ("pmcid",),
    "issn": ("issn", "issns", "eissn", "printissn"),
    "isbn": ("isbn", "isbns"),
    "url": ("url", "link", "urls", "pdflink", "externalurl", "fulltextlink"),
    "language": ("language", "languageoforiginaldocument", "articlelanguage"),
    "key": (
        "recordid",
        "eid",
        "lensid",
        "key",
        "id",
        "covidence",
        "covidencenumber",
        "rayyanid",
        "itemid",
        "ut",
    ),
    "type": (
        "documenttype",
        "itemtype",
        "publicationtype",
        "typeofreference",
        "type",
        "contenttype",
    ),
}
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
Row = dict[str, str]
UNCLOSED = "a quotation mark is opened and not closed before the end of the file"


def parse(body: bytes, cursor: str | None) -> Page:
    """Every row as a record or a reject; SourceBroken for a file without a column of titles."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for line, row in _rows(body):
        made = _record(row) if isinstance(row, dict) else row
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"line {line}", row))
    page = Page(tagged.distinct(records), rejects=tuple(rejects), total=len(records) + len(rejects))
    return (
        replace(page, warnings=(tagged.BROKEN_OFF,))
        if rejects and rejects[-1].reason == UNCLOSED
        else page
    )


def _rows(body: bytes) -> Iterator[tuple[int, Row | str]]:
    """(line, values by meaning) of each row that is not blank.

    A text where the row can't be read.
    """
    csv.field_size_limit(LARGEST_FIELD)
    # "sep=;" is for Excel
    text = re.sub(r"\A[\r\n \ufeff]*(?:\"?sep=.\"?\s*\n)?[\r\n]*", "", decoding.decode(body).text)
    if not text or re.match(rb"PK[\x03-\x08]|\xd0\xcf\x11\xe0|%PDF|\x1f\x8b", body):
        raise _foreign(body)
    if re.match(r"<|@\w+\{|[\[{]\s*[\"{]|TY {1,2}-|PMID- ", text):
        raise tagged.foreign(text[:5_000].splitlines(), "this is no table of records", NAME)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    closed = _closed(text)
    try:
        head = next(reader, [])
        places = _places(head)
        rows = [(reader.line_num, values) for values in reader]
    except csv.Error as error:
        raise SourceBroken(
            f"this is not a table: {error} in line {reader.line_num}", source=NAME
        ) from None
    for number, (line, values) in enumerate(rows, start=1):
        if not closed and number == len(rows):
            yield line, UNCLOSED
        elif any(value.strip() for value in values):
            yield line, _row(values, head, places)


def _foreign(body: bytes) -> SourceBroken:
    if body.startswith(b"\xd0\xcf\x11\xe0"):
        return SourceBroken("this is an old Excel file: save the sheet as CSV", source=NAME)
    lines = body[:5_000].decode("utf-8-sig", "replace").splitlines()
    return tagged.foreign(lines, "this is no table of records", NAME)


def _closed(text: str) -> bool:
    """Whether the last quoted cell ends before the file does."""
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" not in str(error)
    return True


def _row(values: list[str], head: list[str], places: dict[str, list[int]]) -> Row | str:
    """The values by meaning; a reason where there are more or fewer of them than headings."""
    values = _with_headings(values, head)
    width, filled = len(head), len(values)
    if any(value.strip() for value in values[width:]) or any(
        title.strip() for title in head[filled:]
    ):
        return f"the row has {filled} cells under {width} headings"
    said = {
        field: next((values[n].strip() for n in columns if n < filled and values[n].strip()), "")
        for field, columns in places.items()
    }
    return _glued(head, {field: value for field, value in said.items() if value})


def _with_headings(values: list[str], head: list[str]) -> list[str]:
    """A row of Scopus without the cells of second and third funding texts, which it exports without
    a heading.
    """
    surplus = len(values) - len(head)
    funding = [n for n, title in enumerate(head) if title.startswith("Funding Text")]
    if surplus > 0 and funding and head[-1].strip() == "EID" and values[-1].startswith("2-s2.0-"):
        return values[: funding[-1] + 1] + values[funding[-1] + 1 + surplus :]
    return values


def _glued(head: list[str], row: Row) -> Row:
    """Springer's rows with "Jane SmithJohn Doe" cut where a lower-case letter meets a capital,
    where that is safe.
    """
    if {"Item Title", "Item DOI"} <= {title.strip() for title in head} and "authors" in row:
        row = row | {"authors": "; ".join(_unglued(row["authors"]))}
    return row


def _unglued(text: str) -> list[str]:
    """Names of people run together.

    The whole text as one where a part would be no name of two words.

    A prefix such as Mc, Mac, De or Van before a capital is part of a name ("McDonald", "DeVries").
    """
    parts = re.split(r"(?<=[^\W\d_A-Z])(?=[A-Z\u00c0-\u00de])", text)
    names: list[str] = []
    for part in parts:
        if names and _PREFIX.search(names[-1]):
            names[-1] += part
        else:
            names.append(part)
    return names if all(" " in one.strip() for one in names) else [text]


_PREFIX = re.compile(
    r"\b(?:Mc|Mac|De|Di|Da|Del|Della|Du|Des|La|Le|Van|Von|Vander|Fitz|El|Al|O\u2019|O')$"
)


def _separator(text: str) -> str:
    """The sign that is most frequent in the heading, outside quotes."""
    head = re.sub(r'"[^"]*"', "", text.lstrip().split("\n", 1)[0])
    return max(",;\t|", key=head.count)


def _places(head: list[str]) -> dict[str, list[int]]:
    """Which columns hold which field, in the order of HEADINGS."""
    said = [re.sub(r"[^a-z0-9]", "", title.lower()) for title in head]
    found = {
        field: [n for word in words for n, title in enumerate(said) if title == word]
        for field, words in HEADINGS.items()
    }
    if not found["title"]:
        shown = ", ".join(title[:30] for title in head[:12]) or "nothing"
        raise SourceBroken(
            f"this is no table of records: no column is called title; its headings are {shown[:300]}",
            source=NAME,
        )
    return {field: columns for field, columns in found.items() if columns}


def _record(row: Row) -> Record | str:
    title, doi = plain(row.get("title")), clean_doi(row.get("doi")) or clean_doi(row.get("url"))
    if not title and not doi:
        return "neither title nor DOI"
    published = answers.iso_date(row.get("year"))
    first, last = row.get("first"), row.get("last")
    return Record(
        source=NAME,
        source_key=doi or _digest(row),
        title=title,
        authors=names(name(one) for one in people.cut(row.get("authors", ""))),
        year=clean_year(row.get("year")),
        published=published,
        # Embase's citation
        container_title=plain(re.sub(r" \(\d{4}\) .*\(.*", "", row.get("container_title", ""))),
        volume=plain(row.get("volume"), 100),
        issue=plain(row.get("issue"), 100),
        pages=plain(
            row.get("pages")
            or (f"{first}-{last}" if first and last and first != last else first or last),
            100,
        ),
        doi=doi,
        pmid=clean_pmid(row.get("pmid")),
        pmcid=clean_pmcid(row.get("pmcid")),
        issn=clean_issn(row.get("issn")),
        isbn=clean_isbn(row.get("isbn")),
        url=link(row.get("url")) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(
            None if row.get("abstract") == "[No abstract available]" else row.get("abstract")
        ),
        language=plain(row.get("language"), 20),
        type=_type(row.get("type", "")),
    )


def _digest(row: Row) -> str:
    """A key from what the row says: the ids of these files are only theirs."""
    said = "\0".join(
        f"{key}={row.get(key, '')}"
        for key in ("title", "authors", "year", "container_title", "key")
    )
    return "text:" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:20]


def _type(text: str) -> str | None:
    return next((kind for word, kind in _TYPES if word in text.lower()), None)


SOURCE = Source(NAME, TITLE, parse)
