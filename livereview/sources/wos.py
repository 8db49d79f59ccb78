"""Web of Science as people export it: tagged text (.txt, .isi, .ciw) and the tab-delimited
"savedrecs.txt".

Two-letter tags; a value goes on in lines indented by three; a record goes from PT to ER, and the
file ends with EF (https://images.webofknowledge.com/images/help/WOS/hs_wos_fieldtags.html). The
table has the same tags, or their names in full, as the head of its columns, and is often in UTF-16.
Records of MEDLINE, CABI, Inspec … come in it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.people import lines_of_names, person
from livereview.sources.protocol import Page, Source
from livereview.sources.tagged import (
    BROKEN_OFF,
    MONTHS,
    Entry,
    foreign,
    read_lines,
    read_page,
    split,
)
from livereview.sources.text import TITLE_LIMIT, abstract, names, plain, safe

NAME = "wos"
TITLE = "Web of Science files"
_TAG = re.compile(r"([A-Z][A-Z0-9])(?: (.*)|$)")
_KNOWN_TAG = re.compile(  # of a file that lost its indentation: "US families …" is no tag there
    r"(PT|A[BEFRNU]|B[AEFNPS]|C[ALRTY123]|D[AEIT2]|E[AFIMRPY]|F[NPUX]|G[AP]|HC|HO|HP|I[DS]|J[9I]|LA|MA|NR|O[AIR]|P[ADGIMNSUY2]"
    r"|R[IP]|S[CEINOPU]|T[CI]|U[12T]|V[LR]|WC|WE|Z[ABRS89]|MC|CC|PC|PL|DG|BD)(?: (.*)|$)"
)
_HEADS = {
    **{
        "publication type": "PT",
        "authors": "AU",
        "book authors": "BA",
        "book editors": "BE",
        "group authors": "CA",
    },
    **{
        "author full names": "AF",
        "article title": "TI",
        "source title": "SO",
        "language": "LA",
        "abstract": "AB",
    },
    **{
        "document type": "DT",
        "issn": "SN",
        "eissn": "EI",
        "isbn": "BN",
        "publication date": "PD",
        "volume": "VL",
    },
    **{
        "publication year": "PY",
        "issue": "IS",
        "start page": "BP",
        "end page": "EP",
        "article number": "AR",
    },
    **{
        "doi": "DI",
        "book doi": "D2",
        "early access date": "EA",
        "pubmed id": "PM",
        "ut (unique wos id)": "UT",
    },
    **{"ut (unique id)": "UT", "conference title": "CT"},
}
_TYPES = (  # a word of DT, and the type it makes; the first that is there decides
    ("retraction", "retraction-notice"),
    ("expression of concern", "expression-of-concern"),
    ("correction", "erratum"),
    ("book review", "book-review"),
    ("book chapter", "book-chapter"),
    ("book", "book"),
    ("dissertation", "thesis"),
    ("thesis", "thesis"),
    ("proceedings paper", "conference-paper"),
    ("conference paper", "conference-paper"),
    ("meeting", "conference-abstract"),
    ("preprint", "preprint"),
    ("data set", "dataset"),
    ("editorial", "editorial"),
    ("letter", "letter"),
    ("news", "news"),
    ("patent", "patent"),
    ("article", "journal-article"),
    ("review", "journal-article"),
    ("journal paper", "journal-article"),
    ("data paper", "journal-article"),
    ("abstract only", "journal-article"),
)
_PUBLISHED_AS = {
    "J": "journal-article",
    "B": "book",
    "C": "conference-paper",
    "S": "book-chapter",
    "P": "patent",
}
_NOTICES = ("retraction-notice", "erratum", "expression-of-concern")


def parse(body: bytes, cursor: str | None) -> Page:
    """Every record from its PT on, or every row.

    SourceBroken without either, a warning for a file that breaks off.
    """
    lines = read_lines(body)
    head = next((line for line in lines if line.strip()), "")
    columns = _columns(head)
    if {"PT", "UT"} & set(columns) and {"TI", "AU"} & set(columns):
        return read_page(_rows(lines, lines.index(head), columns), _record)
    if head.startswith("FN ") and not any(line.startswith("PT ") for line in lines):
        return Page(total=0)
    if not any(re.match(r"PT [A-Z](?:\s|$)", line) for line in lines):
        raise foreign(lines, "this is not a Web of Science file: no line starts with PT", NAME)
    indented = any(re.match(r" {2,}\S", line) for line in lines)
    entries = split(lines, _TAG if indented else _KNOWN_TAG, _opens)
    entries = [entry for entry in entries if _says_something(entry)]
    page = read_page(entries, _record)
    if _ended(entries[-1]):
        return page
    return replace(page, warnings=(BROKEN_OFF,))


def _opens(tag: str, before: Entry, blank: bool) -> bool:
    """A record begins behind ER, whichever its first tag is, or at another PT."""
    tags = {name for name, _ in before.values}
    if tag in ("EF", "ER"):
        return False
    return not tags or "ER" in tags or (tag == "PT" and "PT" in tags)


def _says_something(entry: Entry) -> bool:
    """Whether it is an entry, and not the head or the end of a file, of which merged files have
    several.
    """
    return any(tag in ("PT", "TI", "AU", "UT") for tag, _ in entry.values)


def _ended(last: Entry) -> bool:
    return any(tag in ("ER", "EF") for tag, _ in last.values)


def _columns(head: str) -> list[str]:
    """The tags of a table's columns, by their tags or their names in full.

    Whatever else is there stays as it is.
    """
    cells = [cell.strip().strip('"') for cell in head.split("\t")]
    if len(cells) > 3:
        return [_HEADS.get(cell.lower(), cell) for cell in cells]
    return []


def _rows(lines: list[str], head: int, columns: list[str]) -> Iterator[Entry]:
    """Each row as an entry.

    Its cells aren't quoted, but for those that a spreadsheet has saved again.
    """
    for number, line in enumerate(lines[head + 1 :], start=head + 2):
        if line.strip():
            cells = (_cell(cell.strip()) for cell in line.split("\t"))
            entry = Entry(
                number, [(tag, [cell]) for tag, cell in zip(columns, cells, strict=False)], [line]
            )
            entry.add("MISFIT", next(filter(None, cells), None))
            yield entry


def _cell(text: str) -> str:
    quoted = re.fullmatch(r'"((?:[^"]|"")*)"', text)
    return quoted.group(1).replace('""', '"') if quoted else text


def _record(entry: Entry) -> Record | str:
    if entry.first("MISFIT"):
        return "the row has more cells than the head of the table: is there a tab within a cell?"
    own, title = _own_id(entry), _text(entry, "TI")
    published, kind = _published(entry), _type(entry, title)
    doi = _doi(entry, kind)
    if title is None and own is None and doi is None:
        return "no title and no id"
    return Record(
        source=NAME,
        source_key=own or doi or "",
        title=title,
        authors=_authors(entry),
        year=clean_year(published),
        published=published,
        doi=doi,
        pmid=clean_pmid(entry.first("PM") or (own if own and own.startswith("MEDLINE:") else None)),
        abstract=abstract(entry.first("AB")),
        language=plain(entry.first("LA"), 50),
        type=kind,
        retraction=None if kind in _NOTICES else _retraction(entry, title),
        related=(),
        **_place(entry, title),
    )


def _text(entry: Entry, tag: str) -> str | None:
    return plain(entry.first(tag), TITLE_LIMIT)


def _own_id(entry: Entry) -> str | None:
    """The accession number with its database; "ISI:" became "WOS:" before the same number."""
    found = re.fullmatch(r"[A-Z]{2,12}:\S+", entry.first("UT") or "")
    if found:
        return safe(re.sub(r"^ISI:", "WOS:", found.group()), 100)
    return None


def _doi(entry: Entry, kind: str | None) -> str | None:
    """Its own, or a whole book's: of a chapter that one would make it a duplicate of the book."""
    return clean_doi(entry.first("DI")) or (
        clean_doi(entry.first("D2")) if kind == "book" else None
    )


def _authors(entry: Entry) -> tuple[str, ...]:
    """Full names where they are as many as the short ones, and groups.

    Of a book without any, its editors.
    """
    short, full = _people(entry, "AU"), _people(entry, "AF")
    found = (full if len(full) >= len(short) else short) + _people(entry, "CA")
    return names(found or _people(entry, "BF") or _people(entry, "BA") or _people(entry, "BE"))


def _people(entry: Entry, tag: str) -> list[str | None]:
    """One name a line, or split at semicolons; addresses in brackets go."""
    written = (
        re.sub(r"(?<!\s)\s*+\([^()@]{0,200}@[^()]{0,200}\)", "", one[:1_000])
        for one in lines_of_names(entry.first(tag) or "")
    )
    return [plain(person(one), 200) for one in written if one.strip()]


def _published(entry: Entry) -> str | None:
    """The year of PY with month and day of PD, where they are certain.

    The date of early access for want of a year.
    """
    year = clean_year(entry.first("PY")) or clean_year(entry.first("PD"))
    said = (entry.first("PD") if year else entry.first("EA")) or ""
    year = year or clean_year(said)
    if numbered := re.fullmatch(r"(\d\d) [12]\d{3}", said):
        return answers.iso(year, numbered.group(1))
    months = [
        MONTHS.index(one) + 1
        for one in re.findall(r"\b([a-z]{3})[a-z]*\b", said.lower())
        if one in MONTHS
    ]
    days = re.findall(r"(?<!\d)\d{1,2}(?!\d)", said)
    return answers.iso(
        year,
        *(months if len(months) == 1 else ()),
        *(days if len(months) == len(days) == 1 else ()),
    )


def _type(entry: Entry, title: str | None) -> str | None:
    """From the document type; "Article; Book Chapter" is a chapter.

    Without a known one, from the kind of publication:
    in a book whatever has a title of its own is a chapter, though it may be called an article.
    """
    said = (entry.first("DT") or "").lower().replace("retracted publication", "")
    known = next((kind for word, kind in _TYPES if word in said), None)
    form = _PUBLISHED_AS.get((entry.first("PT") or "")[:1])
    if form == "book" and known in ("journal-article", None):
        if _text(entry, "SO") in (title, None):
            return "book"
        return "book-chapter"
    return known or form


def _retraction(entry: Entry, title: str | None) -> str | None:
    said = re.search(
        r"retracted publication|withdrawn publication", (entry.first("DT") or "").lower()
    )
    if said or answers.marked_retracted(title):
        return "retracted"
    return None


def _place(entry: Entry, title: str | None) -> dict[str, str | None]:
    """Where an item stands. The source of a whole book is its own title."""
    container = _text(entry, "SO")
    return {
        "container_title": container if container != title else None,
        "volume": plain(entry.first("VL"), 100),
        "issue": plain(entry.first("IS"), 100),
        "pages": _pages(entry),
        "issn": clean_issn(" ; ".join(entry.all("SN", "EI"))),
        "isbn": clean_isbn(" ; ".join(entry.all("BN"))),
    }


def _pages(entry: Entry) -> str | None:
    """First and last page.

    Else the span as other databases write it; else the number of the article.
    """
    first, last = plain(entry.first("BP"), 50), plain(entry.first("EP"), 50)
    if span := plain(entry.first("PS"), 100):
        return span
    number = plain(re.sub(r"^UNSP\s+", "", entry.first("AR") or ""), 100)
    if first and last and first != last:
        return f"{first}-{last}"
    return first or last or number


SOURCE = Source(NAME, TITLE, parse)
