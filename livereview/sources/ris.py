"""RIS as databases and reference managers really export it, read by a tokenizer that loses no
entry.

The format (https://en.wikipedia.org/wiki/RIS_(file_format)) has a line per value: a tag of two
characters, two spaces, a hyphen. Real files number their entries, put links between them, forget
the last ER, wrap long values and mix encodings. An entry begins at TY and ends at ER, at the next
TY or with the file, so records and rejects together are as many as the TY lines; RIS lines with a
title or an author but no TY above them are one reject more. A file without any TY line may be in
one of the dialects of `ris_dialects`: Ovid, RefWorks, EndNote, ProQuest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from livereview.records import (
    Record,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, ris_dialects
from livereview.sources.people import lines_of_names, person
from livereview.sources.protocol import Page, Source
from livereview.sources.tagged import MONTHS, Entry, foreign, joined, read_lines, read_page
from livereview.sources.text import abstract, link, names, plain, safe

NAME = "ris"
TITLE = "RIS"
_START = re.compile(r"[\s\ufeff]*(?:\d+\.\s+)?TY(?:[ \t]+-|-(?=[ \t]|$))[ \t]*(.*)")
_WIDE = re.compile(r"([A-Z][A-Z0-9]{1,3})(?: {2}| ?\t)[ \t]*-[ \t]?(.*)")  # as the format wants it
# one space or none: only where TY has it so too
_NARROW = re.compile(r"([A-Z][A-Z0-9])[ \t]*-(?:[ \t](.*)|$)")
_LOWER_START = re.compile(r"\s*ty {1,2}-(?: |$)")
_LOWER_TAG = re.compile(r"^\s*[a-z][a-z0-9] {1,2}-(?= |$)")
_TYPESET_TAG = re.compile(r"^\s*([A-Z][A-Z0-9])[ \u00a0\u2002-\u200a]{1,3}[-‐-―−](?:[^\S\n]|$)")
_COUNTER = re.compile(r"\s*\d{1,7}\.\s*")
_EARLY = ("C6",)  # Web of Science's date of early access, of an article in no issue yet
_BOOKS = ("BOOK", "EBOOK", "EDBOOK", "SER", "WHOLE BOOK")
_TYPES = {
    "JOUR": "journal-article",
    "EJOUR": "journal-article",
    "ABST": "journal-article",
    "INPR": "journal-article",
    "JFULL": "journal-article",
    "SCHOLARLY JOURNALS": "journal-article",
    "JOURNAL ARTICLE": "journal-article",
    "JOURNAL": "journal-article",
    "JOURNAL, ELECTRONIC": "journal-article",
    "ELECTRONIC ARTICLE": "journal-article",
    "ABSTRACT": "journal-article",
    "ARTICLE": "journal-article",
    "BOOK": "book",
    "BOOK, WHOLE": "book",
    "BOOK, EDITED": "book",
    "EDITED BOOK": "book",
    "ELECTRONIC BOOK": "book",
    "MONOGRAPH": "book",
    "BOOKS": "book",
    "EBOOK": "book",
    "EDBOOK": "book",
    "CHAP": "book-chapter",
    "ECHAP": "book-chapter",
    "BOOK, SECTION": "book-chapter",
    "BOOK SECTION": "book-chapter",
    "ELECTRONIC BOOK SECTION": "book-chapter",
    "BOOK CHAPTER": "book-chapter",
    "CONF": "conference-paper",
    "CPAPER": "conference-paper",
    "CONFERENCE PAPER": "conference-paper",
    "CONFERENCE PROCEEDING": "conference-paper",
    "CONFERENCE PROCEEDINGS": "conference-paper",
    "CONFERENCE PAPERS & PROCEEDINGS": "conference-paper",
    "RPRT": "report",
    "REPORTS": "report",
    "REPORT": "report",
    "GOVDOC": "report",
    "GOVERNMENT DOCUMENT": "report",
    "WORKING PAPER": "report",
    "THES": "thesis",
    "DISSERTATIONS & THESES": "thesis",
    "THESIS": "thesis",
    "DISSERTATION": "thesis",
    "DISSERTATION/THESIS": "thesis",
    "DISSERTATION/THESIS, UNPUBLISHED": "thesis",
    "DATA": "dataset",
    "DATASET": "dataset",
    "DATA SET": "dataset",
    "ELEC": "web-page",
    "WEB PAGE": "web-page",
    "ELECTRONIC SOURCE": "web-page",
    "BLOG": "web-page",
    "ICOMM": "web-page",
    "MGZN": "magazine-article",
    "MAGAZINE ARTICLE": "magazine-article",
    "MAGAZINES": "magazine-article",
    "NEWS": "newspaper-article",
    "NEWSPAPER ARTICLE": "newspaper-article",
    "NEWSPAPERS": "newspaper-article",
    "UNPB": "manuscript",
    "UNPUBLISHED MATERIAL": "manuscript",
    "UNPUBLISHED WORK": "manuscript",
    "PAT": "patent",
    "GEN": None,
    "GENERIC": None,
    "OTHER": None,
    "UNDEFINED": None,
    "": None,
}
# Ids that name their database: Web of Science, RePEc, Scopus, Dimensions, CENTRAL, ERIC, PsycINFO
# and The Lens.
_KNOWN_ID = re.compile(
    r"(?:WOS|MEDLINE|BIOSIS|CCC|KJD|SCIELO|RSCI|RePEc):\S+|2-s2\.0-\d+|pub\.\d{6,}|CN-\d{6,}|E[JD]\d{5,}"
    r"|\d{4}-\d{5}-\d{3}|\d{3}-\d{3}-\d{3}-\d{3}-\d{2}[\dX]"
)
# what a host adds to a database's name: "Ovid MEDLINE(R) <1946 to 1979>", "Embase Preprint"
_EDITIONS = re.compile(
    r"<[^>\n]{0,300}>|\(r\)|\bovid\b|\b(?:daily|weekly) updates?\b|\bpreprint\b"
    r"|\band epub.*|\bin-process.*|\bepub ahead.*"
)


def parse(body: bytes, cursor: str | None) -> Page:
    """Every entry as a record or a reject, of RIS or of one of its dialects.

    SourceBroken for any other file.
    """
    lines = _in_capitals(read_lines(body))
    if not any(_START.fullmatch(line) for line in lines):
        lines = _with_plain_signs(lines)
    lines = _without_margin(lines)
    started = [match for line in lines if (match := _START.fullmatch(line))]
    if started:
        wide = any(re.search(r"TY(?: {2,}|\t)", match.group()) for match in started)
        return read_page(_entries(lines, _WIDE if wide else _NARROW), _inside, len(started))
    if entries := ris_dialects.entries(lines):
        return read_page(entries, _record)
    raise foreign(lines, "this is not a RIS file: no line starts with TY", NAME)


def _with_plain_signs(lines: list[str]) -> list[str]:
    """The lines of a file whose tags a word processor or a web page gave wide blanks and dashes."""
    if not any(line.lstrip().startswith("TY") and _TYPESET_TAG.match(line) for line in lines):
        return lines
    return [_TYPESET_TAG.sub(r"\1  - ", line, count=1) for line in lines]


def _without_margin(lines: list[str]) -> list[str]:
    """The lines of a file that was pasted with blanks before every line, without those."""
    margins = [len(line) - len(line.lstrip()) for line in lines if _START.fullmatch(line)]
    margin = min(margins, default=0)
    if not margin:
        return lines
    return [line[margin:] if not line[:margin].strip() else line for line in lines]


def _in_capitals(lines: list[str]) -> list[str]:
    """The lines of a file that writes "ty  - JOUR" with its tags in capitals."""
    if not any(_LOWER_START.match(line) for line in lines):
        return lines
    return [_LOWER_TAG.sub(lambda tag: tag.group().upper(), line, count=1) for line in lines]


def _entries(lines: list[str], tagged: re.Pattern[str]) -> Iterator[Entry]:
    """The entries of a file, and each stretch of RIS lines outside any that holds a title or an
    author.

    Lines between an ER and the next TY belong to the entry of that TY, unless both have a title.
    """
    entry, inside = Entry(1), False
    for number, line in enumerate(lines, start=1):
        start, match = _START.fullmatch(line), tagged.fullmatch(line)
        closed = bool(match and match.group(1) == "ER")
        if closed or (start and inside):
            yield from _whole(entry, inside)
            entry, inside = Entry(number), bool(start)
        if start and not entry.values:
            entry = Entry(number)
        inside = inside or bool(start)
        if start:
            entry.values.append(("TY", [start.group(1)]))
        elif match and match.group(1) != "ER":
            entry.values.append((match.group(1), [match.group(2) or ""]))
        elif inside and not match and entry.values[-1][0] != "TY" and not _COUNTER.fullmatch(line):
            entry.values[-1][1].append(line)
        if entry.values:
            entry.raw.append(line)
    yield from _whole(entry, inside)


def _whole(entry: Entry, inside: bool) -> Iterator[Entry]:
    """The entry, if it says anything; two where its TY stands between two titles."""
    tags = [tag for tag, _ in entry.values]
    place = tags.index("TY") if "TY" in tags else 0
    before = Entry(entry.number, entry.values[:place], entry.raw)
    after = Entry(entry.number, entry.values[place:], entry.raw)
    if before.first("TI", "T1") and after.first("TI", "T1"):
        yield before
        yield after
    elif inside or entry.all("TI", "T1", "AU", "A1"):
        yield entry


def _inside(entry: Entry) -> Record | str:
    if all(tag != "TY" for tag, _ in entry.values):
        return "RIS lines outside any entry: no TY line stands above them"
    return _record(entry)


def _record(entry: Entry) -> Record | str:
    kind = (entry.first("TY") or "").upper()
    title = plain(entry.first("T1", "TI", "CT", *(("BT", "T2") if kind in _BOOKS else ()), "ST"))
    doi, own, published = _doi(entry), _own_id(entry), _published(entry)
    if title is None and doi is None and own is None:
        return "no title and no id"
    return Record(
        source=NAME,
        source_key=own or doi or "",
        title=title,
        authors=_authors(entry),
        year=clean_year(published),
        published=published,
        doi=doi,
        url=_url(entry),
        abstract=max((abstract(one) or "" for one in entry.all("AB", "N2")), key=len, default="")
        or None,
        language=plain(entry.first("LA"), 50),
        type=_type(entry, kind),
        retraction=_retraction(entry, title),
        related=(),
        **_place(entry, title),
    )


def _url(entry: Entry) -> str | None:
    parts = (part.strip(";,") for text in entry.all("UR", "L2", "LK") for part in text.split())
    return next((found for part in parts if (found := link(part))), None)


def _place(entry: Entry, title: str | None) -> dict[str, str | None]:
    """Where an item stands, and its numbers there."""
    numbers = " ; ".join(entry.all("SN", "BN"))
    return {
        "container_title": _container(entry, title),
        "volume": plain(entry.first("VL"), 100),
        "issue": plain(entry.first("IS"), 100),
        "pages": _pages(entry),
        "pmid": _pmid(entry),
        "pmcid": next(
            (found for one in entry.all("PMCID", "U2", "C2", "L2") if (found := clean_pmcid(one))),
            None,
        ),
        "issn": clean_issn(numbers),
        "isbn": clean_isbn(numbers),
    }


def _database(entry: Entry) -> str | None:
    """The database of an entry, as a word: "Ovid MEDLINE(R) <1946 to 1979>" is "medline"."""
    named = _EDITIONS.sub(" ", (entry.first("DB", "DP") or "").lower())
    return re.sub(r"[^a-z0-9]+", "-", named).strip("-") or None


def _own_id(entry: Entry) -> str | None:
    """The id of an item, with its database before it unless the id names it: one number in two
    databases is two items.

    A bare number or word without a database is a person's own label, which others use for other
    items: it is no id.
    """
    database = _database(entry)
    for text in entry.all("AN", "UT", "ID", "UR"):
        if (
            match := _KNOWN_ID.search(text)
            if text.startswith("http")
            else _KNOWN_ID.fullmatch(text)
        ):
            return safe(match.group(), 200)
        if "/docview/" in text and (number := re.search(r"/docview/(?:[a-z_]+/)?(\d+)", text)):
            return f"proquest:{number.group(1)}"
    noted = re.search(r"Accession Number: ([\w.-]+);?", " ".join(entry.all("N1")))
    labels = [re.split(r"[;\s]", text)[0] for text in entry.all("AN", "UT", "ID")]
    for label in [*labels, noted.group(1).rstrip(".") if noted else ""]:
        if database and len(label) >= 4 and re.search(r"\d", label):
            return safe(f"{database}:{label}", 200)
    pmid = clean_pmid(entry.first("PMID"))
    return f"medline:{pmid}" if pmid else None


def _doi(entry: Entry) -> str | None:
    """From its own field, else from the others in which databases put it.

    Of addresses without their parameters.
    """
    noted = [
        one
        for text in entry.all("N1")
        for one in re.findall(r"\bdoi\b[:\s]*(\S+)", text, re.IGNORECASE)
    ]
    links = [
        re.split(r"[?#]", one)[0] for text in entry.all("UR", "L2", "L1") for one in text.split()
    ]
    for text in (*entry.all("DO", "DI", "M3", "L3"), *noted, *links):
        if doi := clean_doi(text[:2_000]):
            return doi
    return None


def _pmid(entry: Entry) -> str | None:
    """The PMID tag, Zotero's "123[pmid]", an address at PubMed, or the id where the database is
    MEDLINE or PubMed.
    """
    database = _database(entry) or ""
    labelled = [one for one in entry.all("U1", "C2") if "[pmid]" in one.lower()]
    links = [
        one
        for one in entry.all("UR")
        if re.search(r"pubmed\.ncbi|ncbi\.nlm\.nih\.gov/(?:m/)?pubmed/\d", one)
    ]
    ids = entry.all("ID", "AN") if database.startswith(("medline", "pubmed")) else []
    if database == "scopus":
        scopus = [one for one in entry.all("C2") if one.isdigit()]
    else:
        scopus = []
    # CENTRAL's "PUBMED 21314900", and the field in which Embase has the number of MEDLINE
    central = [one for one in entry.all("C3") if one.upper().startswith("PUBMED ")]
    if _in_embase(entry):
        embase = [one for one in entry.all("C5") if one.isdigit()]
    else:
        embase = []
    own = [*entry.all("PMID"), *labelled, *links, *[one for one in ids if one.isdigit()]]
    found = (clean_pmid(one) for one in (*own, *scopus, *central, *embase))
    return next(filter(None, found), None)


def _in_embase(entry: Entry) -> bool:
    databases = " ".join(entry.all("DB", "DP")).lower()
    return "embase" in databases or "medline" in databases


def _authors(entry: Entry) -> tuple[str, ...]:
    """Authors in the file's order, as A1 and AU mix; of a book without any, its editors."""
    written = [joined(lines) for tag, lines in entry.values if tag in ("A1", "AU")]
    people = [one for text in written or entry.all("ED", "A2") for one in lines_of_names(text)]
    return names(plain(person(one), 200) for one in people)


def _container(entry: Entry, title: str | None) -> str | None:
    """The journal or the book around a chapter.

    CENTRAL puts a whole citation into JA: only its name counts.
    """
    found = plain(entry.first("JF", "JO", *(() if _central(entry) else ("T2",)), "BT", "JA", "J2"))
    name = re.sub(r"\.\s+[\d(].*$|\.\s*\d{4};.*$", "", found) if found else None
    return name if name not in (title, "Undefined") else None


def _central(entry: Entry) -> bool:
    return "cochrane" in (_database(entry) or "")


def _pages(entry: Entry) -> str | None:
    first, last = plain(entry.first("SP"), 100), plain(entry.first("EP"), 100)
    first = re.sub(r"^pp?\.?\s+", "", first) if first else None
    if first and re.match(
        r"No\b", first
    ):  # PsycINFO's "No Pagination Specified", cut into first and last word
        return None
    whole = next((one for one in entry.all("U1") if re.fullmatch(r"\w+-\w+", one)), None)
    if first and last and first != last and not re.search(r"\d\s*[-–]\s*\w", first):
        return f"{first}-{last}"
    if whole and (first is None or whole.startswith(f"{first}-")):
        return plain(whole, 100)
    return first or last or plain(entry.first("C7"), 100)


def _type(entry: Entry, kind: str) -> str | None:
    said = " ".join(entry.all("PT", "M3")).lower()
    if "retraction of publication" in said:
        return "retraction-notice"
    if re.search(r"\bpreprint\b", said):
        return "preprint"
    if kind in _TYPES:
        return _TYPES[kind]
    return plain(kind.lower(), 50)


def _retraction(entry: Entry, title: str | None) -> str | None:
    said = "retracted publication" in " ".join(entry.all("PT", "M3")).lower()
    if said or answers.marked_retracted(title):
        return "retracted"
    return None


def _published(entry: Entry) -> str | None:
    """The date: the year of PY, DA or Y1, as exact as the first of DA, Y1 and PY which agrees with
    it.

    DA comes first as ProQuest's Y1 pads "Jul 1992" to a day; Web of Science writes only the month
    into DA.
    """
    dated = entry.all("PY", "DA", "Y1", "YR") or entry.all(*_EARLY)
    year = next((found for one in dated if (found := clean_year(_date(one)))), None)
    for text in entry.all("DA", "Y1", "PY") or entry.all(*_EARLY):
        date = _date(text if clean_year(text) else f"{year} {text}")
        if date and clean_year(date) == year and (len(date) > 4 or re.search(r"[A-Za-z]", text)):
            return date
    return f"{year:04}" if year else None


def _date(text: str) -> str | None:
    """ISO from "2022/09//", "20170812", "May 2004" or "1 May 2004".

    Of "Jul 1992 - Sep 1992" only the year is sure.
    """
    if compact := re.search(r"(?<!\d)([12]\d{3})([01]\d)([0-3]\d)(?!\d)", text):
        return answers.iso(*compact.groups())
    if ordered := re.search(
        r"(?<!\d)([12]\d{3})(?:[/-](\d{1,2})(?!\d))?(?:[/-](\d{1,2})(?!\d))?", text
    ):
        found = re.findall(r"\b([a-z]{3})[a-z]*\b", text.lower())
        months = [MONTHS.index(one) + 1 for one in found if one in MONTHS]
        if ordered.group(2) or len(set(months)) != 1:
            return answers.iso(*ordered.groups())
        days = re.findall(r"(?<!\d)\d{1,2}(?!\d)", text)
        return answers.iso(ordered.group(1), months[0], *(days if len(days) == 1 else ()))
    return None


SOURCE = Source(NAME, "RIS files", parse)
