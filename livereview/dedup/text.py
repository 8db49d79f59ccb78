"""A record made ready for comparison: every field in a form in which two sources' ways of writing it are equal."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from livereview.records import Record

TITLE_LIMIT = 1_000
_TAGS = re.compile(r"<[^<>]{1,60}>")
_REFS = re.compile(
    r"\[(?:review|see comment|comment|erratum|\d+ refs?|\d+ references?|letter|abstract)[^\]]*\]", re.IGNORECASE
)
_WORDS = re.compile(r"[^\W_]+")
_PARTS = re.compile(
    r"\b(?:part|pt|volume|vol|chapter|book|section|wave|phase|study|number|no|series|episode)\s*\.?\s*"
    r"([0-9]{1,3}|[ivx]{1,5}|one|two|three|four|five|six)\b",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    r"""^\W*(?:
    (?P<correction>(?:publisher'?s?\ |author\ )?correction|corrections|erratum|errata|corrigend\w+)\b(?=\W|$)
    |(?P<retraction>retraction(?:\ note|\ notice)?|withdrawal|withdrawn|retracted(?:\ article|\ paper)?)\b
        \s*(?=[:\-.]|of\b|to\b)
    |(?P<reply>comments?\s+(?:on|to)\b|commentary(?:\s+on\b|\s*:)|re\s*:|letter\ to\ the\ editor
        |(?:authors?'?s?\s+)?(?:reply|response|rejoinder)\b(?=\s*(?:to\b|:|by\b|$)))
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_CORRECTS = re.compile(r"\bcorrection to\b", re.IGNORECASE)
_SERIAL = re.compile(
    r"""^(?:the\ )?(?:guest\ )?(?:
    editor\w*|book\ reviews?|introduction(?:\ to\ (?:the|this)\ .*)?|preface|foreword|contents|table\ of\ contents
    |in\ this\ issue|index|announcements?|news|letters?(?:\ to\ the\ editor)?|editorial\ board|masthead
    |front\ matter|back\ matter|reviewers?|call\ for\ papers|abstracts?|obituary|corrections?|erratum
    |comments?|reply|response|remarks\ from\ .*
    |.*\beditors?\ ?s?\ (?:comments?|notes?|introduction|remarks|preface|page)(?:\ research\ article)?
    )$""",
    re.VERBOSE,
)
_MONTHS = {
    month: number
    for number, month in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ROMAN = {
    "i": "1",
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
    "ix": "9",
    "x": "10",
}
_WORDS_FOR = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"}
_TRIAL = re.compile(r"\b(?:NCT\d{8}|ISRCTN\d{8}|ACTRN\d{14}|EUCTR\S{10,20}|ChiCTR\S{6,20})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Features:
    """What `match` compares. Empty text and tuples mean unknown.

    title    words of the title without markup, marks and case; `short` the part before a subtitle
    names    family names in order;  pages  (first, last) digits kept, "" where unknown
    part     "2" for Part II, a second volume, a third wave …;  notice  correction, retraction, reply or ""
    serial   a title that every issue of a journal has ("Editorial")
    """

    title: str
    short: str
    names: tuple[str, ...]
    year: int | None
    journal: str
    issn: str
    volume: str
    issue: str
    pages: tuple[str, str]
    doi: str
    pmid: str
    pmcid: str
    isbn: str
    abstract: str
    trial: str
    part: tuple[str, ...]
    notice: str
    serial: bool
    kind: str


def features(record: Record) -> Features:
    """The record, ready for comparison."""
    raw = (record.title or "")[:TITLE_LIMIT]
    title = words(raw)
    return Features(
        title=title,
        short=words(re.split(r"[:.?!–—]\s", raw.lstrip("["), maxsplit=1)[0]),
        names=tuple(family(name) for name in people(record.authors) if family(name)),
        year=record.year,
        journal=words(record.container_title or ""),
        issn=record.issn or "",
        volume=number(record.volume),
        issue=number(record.issue),
        pages=pages(record.pages),
        doi=bare_doi(record.doi),
        pmid=record.pmid or "",
        pmcid=record.pmcid or "",
        isbn=record.isbn or "",
        abstract=words((record.abstract or "")[:600]),
        trial=" ".join(sorted({t.upper() for t in _TRIAL.findall(f"{raw} {record.abstract or ''}"[:5_000])})),
        part=tuple(sorted((_ROMAN | _WORDS_FOR).get(p.lower(), p) for p in _PARTS.findall(raw))),
        notice=notice(raw),
        serial=bool(_SERIAL.match(title)) or len(title) < 8,
        kind=record.type or "",
    )


def words(text: str) -> str:
    """Letters and digits only, lower case, without marks, one space between words; non-Latin letters stay."""
    text = _REFS.sub(" ", _TAGS.sub(" ", text))
    folded = unicodedata.normalize("NFKD", text).casefold().replace("'", "").replace("’", "")
    return " ".join(_WORDS.findall("".join(c for c in folded if not unicodedata.combining(c))))


def people(authors: tuple[str, ...]) -> list[str]:
    """One name each, whatever separates them."""
    if len(authors) == 1:
        return [part for part in re.split(r"\s*(?:;|\n|\band\b|&)\s*", authors[0]) if part.strip()]
    return list(authors)


def family(name: str) -> str:
    """The family name in "Family, Given", "Family GG", "Given Family", "Family I.I." or "G. Family"."""
    if "," in name:
        return words(name.split(",")[0]).replace(" ", "")
    parts = re.sub(r"\b(?:[A-Z]\.[\s-]?)+(?=\s|$|[A-Z])", " ", name).split()
    plain = [p for p in parts if not re.fullmatch(r"(?:[A-Z]{1,3}|[A-Z]\.?)", p)] or parts
    if len(plain) == len(parts) and len(plain) > 1 and parts == name.split():
        plain = plain[-1:]  # no initials anywhere: given names come first
    return words(" ".join(plain)).replace(" ", "")


def number(text: str | None) -> str:
    """A volume or issue without words and leading zeros: "Vol. 07" is "7"."""
    found = re.findall(r"\d+", text or "")
    return found[0].lstrip("0") or "0" if found else words(text or "")


def pages(text: str | None) -> tuple[str, str]:
    """(first, last), with "288-97" expanded and "01-Jun", which a spreadsheet made of 1-6, undone."""
    value = (text or "").strip().lower()
    if damaged := re.fullmatch(r"(\d{1,2})-([a-z]{3})", value):
        return (str(int(damaged[1])), str(_MONTHS[damaged[2]])) if damaged[2] in _MONTHS else ("", "")
    found = re.findall(r"[a-z]{0,3}\d+", value)
    if not found:
        return ("", "")
    first = found[0]
    last = found[1] if len(found) > 1 else ""
    if last and last.isdigit() and first.isdigit() and len(last) < len(first):
        last = first[: len(first) - len(last)] + last
    return (first.lstrip("0") or "0", last.lstrip("0"))


def bare_doi(doi: str | None) -> str:
    """A DOI without what only marks a version or a piece of the same work."""
    return re.sub(r"(?:/v\d+|v\d+|\.v\d+)$", "", (doi or "").lower()) if doi and doi.startswith("10.") else ""


def notice(title: str) -> str:
    """correction, retraction or reply, where the title says that the item is one; else ""."""
    match = _NOTICE.match(title)
    if match:
        return match.lastgroup or ""
    return "correction" if _CORRECTS.search(title) else ""
