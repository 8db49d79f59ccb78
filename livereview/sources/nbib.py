"""PubMed's tagged format, .nbib (once called MEDLINE), as PubMed, ERIC and reference managers
export it.

A tag of up to four letters, a hyphen, a value that goes on in indented lines; a blank line between
records (https://pubmed.ncbi.nlm.nih.gov/help/#pubmed-format). Most records begin at PMID; ERIC's
have none, and PMC's have others before it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from livereview.records import (
    Record,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, relations
from livereview.sources.people import person
from livereview.sources.protocol import Page, Source
from livereview.sources.pubmed_xml import medline_date
from livereview.sources.tagged import (
    BROKEN_OFF,
    Entry,
    foreign,
    read_lines,
    read_page,
    split_at_blanks,
)
from livereview.sources.text import abstract, link, names, plain, safe

NAME = "nbib"
TITLE = "PubMed .nbib files"
_TAG = re.compile(r"([A-Z]{2,5}) {0,2}-(?:(?<=\A.{4}-)|(?= |$)) ?(.*)")
_LOWER_TAG = re.compile(r"([a-z]{2,4})( {0,2}-)(?:(?<=\A.{4}-)|(?= |$))")
_TITLES = ("TI", "TT", "BTI", "CTI")
_MARKS = {"PMID", "OWN", "STAT", "JID", "FAU"}
_TYPES = {  # the first that is there decides
    "retraction of publication": "retraction-notice",
    "retraction notice": "retraction-notice",
    "published erratum": "erratum",
    "expression of concern": "expression-of-concern",
    "preprint": "preprint",
    "dataset": "dataset",
    "letter": "letter",
    "editorial": "editorial",
    "news": "news",
    "book chapter": "book-chapter",
    "dissertations/theses": "thesis",
    "books": "book",
    "journal article": "journal-article",
    "technical report": "report",
    "reports": "report",
    "speeches/meeting papers": "conference-paper",
    "review": "journal-article",
    "systematic review": "journal-article",
    "case reports": "journal-article",
    "randomized controlled trial": "journal-article",
}
_NOTICES = ("retraction-notice", "erratum", "expression-of-concern")
_AFTERMATH = {"RIN": "retracted", "PRIN": "retracted", "ECI": "expression-of-concern"}
# "… in": tags of the notice that happened to this article
_AFTERMATH |= {"EIN": "corrected", "CRI": "corrected"}
_ERIC_SOURCE = re.compile(r"v(\S+)(?: n(\S+))?(?: Article \S+)?(?: pp?(\S+))?")


def parse(body: bytes, cursor: str | None) -> Page:
    """Every entry as a record or a reject.

    SourceBroken for a file without the tags that only this format has.
    """
    lines = read_lines(body)
    entries = split_at_blanks(_in_capitals(lines), _TAG, "PMID", _TITLES)
    tags = {tag for entry in entries for tag, _ in entry.values}
    if "TY" in tags or not tags & _MARKS:
        raise foreign(lines, "this is not a .nbib file: no line starts with PMID", NAME)
    page = read_page(entries, _record)
    if _broken_off(entries):
        return replace(page, warnings=(BROKEN_OFF,))
    return page


def _in_capitals(lines: list[str]) -> list[str]:
    """The lines of a file that writes "pmid- 1" with its tags in capitals."""
    if not any(re.match(r"pmid ?- ?\d", line) for line in lines):
        return lines
    return [_LOWER_TAG.sub(lambda tag: tag.group().upper(), line, count=1) for line in lines]


def _broken_off(entries: list[Entry]) -> bool:
    """Whether only the last entry lacks the citation with which PubMed ends each."""
    ended = [entry.first("SO") is not None for entry in entries]
    return len(ended) > 1 and all(ended[:-1]) and not ended[-1]


def _record(entry: Entry) -> Record | str:
    pmid, doi, eric = clean_pmid(_line(entry, "PMID")), _doi(entry), _eric(entry)
    title = _title(entry)
    key = pmid or eric or doi
    if title is None and key is None:
        return "no title and no id"
    published, kind = _published(entry), _type(entry)
    return Record(
        source=NAME,
        source_key=key or "",
        title=title,
        authors=_authors(entry),
        year=clean_year(published),
        published=published,
        doi=doi,
        pmid=pmid,
        pmcid=clean_pmcid(_line(entry, "PMC")),
        url=_url(entry, pmid),
        abstract=next((found for one in entry.all("AB", "OAB") if (found := abstract(one))), None),
        language=plain(entry.first("LA"), 20),
        type=kind,
        retraction=None if kind in _NOTICES else _retraction(entry, title),
        related=relations.tagged(_ties(entry)),
        **_place(entry, title, kind),
    )


def _ties(entry: Entry) -> dict[str, list[str]]:
    """The lines that tie the article to others, by their tags."""
    return {tag: list(entry.all(tag)) for tag in (*relations.MEDLINE_TAGS, "SI")}


def _line(entry: Entry, tag: str) -> str | None:
    """The first line of an id: a broken line below it is no part of it."""
    return (entry.first(tag) or "").partition("\n")[0] or None


def _eric(entry: Entry) -> str | None:
    """ERIC's number: its records have no PMID."""
    found = next((one for one in entry.all("OID") if re.fullmatch(r"E[JD]\d{5,}", one)), None)
    return safe(found, 20) if found else None


def _title(entry: Entry) -> str | None:
    """The English title, or the original one where the English is "[Not Available].".

    Of a book the book's.
    """
    title = plain(entry.first("TI"))
    if title is None or re.fullmatch(r"\W*+(?:not available\W*+)?", title, re.IGNORECASE):
        return plain(entry.first("TT", "BTI", "CTI")) or title
    return title


def _doi(entry: Entry) -> str | None:
    """From the ids that say that they are one, else from the citation."""
    ids = [
        one
        for one in entry.all("LID", "AID")
        if re.search(r"\[doi\]$|\bdoi\b|^10\.\d", one, re.IGNORECASE)
    ]
    cited = re.findall(r"\bdoi:\s+(\S+)", " ".join(entry.all("SO")))
    return next(
        (doi for one in [*ids, *cited] if (doi := clean_doi(one.removesuffix("[doi]").strip()))),
        None,
    )


def _authors(entry: Entry) -> tuple[str, ...]:
    """Full names and groups in the order of the file.

    Short names where there are no full ones; else the editors.
    """
    for tags in (("FAU", "CN"), ("AU", "CN"), ("FED",), ("ED",)):
        found = [" ".join(" ".join(lines).split()) for tag, lines in entry.values if tag in tags]
        if any(tag == tags[0] for tag, _ in entry.values) or (found and "CN" in tags):
            return names(
                plain(person(one), 200) for one in found if one.lower() not in ("et al.", "et al")
            )
    return ()


def _published(entry: Entry) -> str | None:
    """The date of the issue, else of the electronic publication."""
    compact = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", _line(entry, "DEP") or "")
    return medline_date(entry.first("DP")) or (answers.iso(*compact.groups()) if compact else None)


def _url(entry: Entry, pmid: str | None) -> str | None:
    if pmid:
        return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
    return next((found for one in entry.all("LID", "AID") if (found := link(one))), None)


def _type(entry: Entry) -> str | None:
    words = [one.lower() for one in entry.all("PT")]
    stems = [
        *words,
        *(one.partition(" - ")[0] for one in words),
        *(one.removesuffix("s") for one in words),
    ]
    known = next((kind for word, kind in _TYPES.items() if word in stems), None)
    return known or (
        "book-chapter"
        if entry.first("BTI") and entry.first("TI")
        else plain(next(iter(words), None), 50)
    )


def _retraction(entry: Entry, title: str | None) -> str | None:
    """The most severe thing that happened to this article."""
    states = {_AFTERMATH[tag] for tag, _ in entry.values if tag in _AFTERMATH}
    if any(
        one.lower() == "retracted publication" for one in entry.all("PT")
    ) or answers.marked_retracted(title):
        return "retracted"
    return next((state for state in answers.RETRACTIONS if state in states), None)


def _place(entry: Entry, title: str | None, kind: str | None) -> dict[str, str | None]:
    """The journal or the book around a chapter; ERIC has the publisher there of what is in none."""
    journal = None if kind in ("book", "thesis", "report") else entry.first("JT", "TA")
    container, numbers = (
        plain(entry.first("BTI") or journal),
        " ; ".join(entry.all("IS", "ISSN", "ISBN")),
    )
    eric = _ERIC_SOURCE.match(entry.first("SO") or "") if _eric(entry) else None
    volume, issue, pages = eric.groups() if eric else (None, None, None)
    return {
        "container_title": container if container != title else None,
        "volume": plain(entry.first("VI") or volume, 100),
        "issue": plain(entry.first("IP") or issue, 100),
        "pages": plain(entry.first("PG") or _article_number(entry) or pages, 100),
        "issn": clean_issn(numbers),
        "isbn": clean_isbn(numbers),
    }


def _article_number(entry: Entry) -> str | None:
    """What stands in for pages in journals without: the publisher's id, if the citation names it."""
    cited = " ".join(" ".join(entry.all("SO")).split())
    found = (one.removesuffix("[pii]").strip() for one in entry.all("LID") if one.endswith("[pii]"))
    return next((one for one in found if f":{one}." in cited), None)


SOURCE = Source(NAME, TITLE, parse)
