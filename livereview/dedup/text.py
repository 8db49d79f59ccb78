"""A record made ready for comparison: every field in a form in which two sources' ways of writing
it are equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from livereview.dedup import titles
from livereview.dedup.people import family, full_words, people
from livereview.dedup.words import listed, unmarked, words
from livereview.records import Record

TITLE_LIMIT = 1_000
ABSTRACT_LIMIT = 400
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TRIAL = re.compile(
    r"\b(?:NCT\d{8}|ISRCTN\d{8}|ACTRN\d{14}|(?:DRKS|CTRI|PACTR|IRCT|JPRN|UMIN)[-/\w]{6,20}|[Cc]hiCTR[-\w]{6,20})\b"
)
_REGISTERS = ("NCT", "ISRCTN", "ACTRN", "DRKS", "CTRI", "PACTR", "IRCT", "JPRN", "UMIN", "hiCTR")
# "/v2", ".v1", "_v3" and arXiv's "1234.5678v2"
_VERSION = re.compile(r"(?:[/._]v\d{1,2}|(?<=\d)v\d{1,2})$")
_PREPRINT_DOI = re.compile(
    r"10\.(?:1101/(?:20\d\d|\d{6})|21203/|2139/ssrn|48550/|31234/|31235/|31219/|35542/|20944/preprints|26434/|7287/peerj\.preprints)"
)
_PREPRINT_PLACE = re.compile(
    r"\b(?:(?:med|bio|chem|psy|soc|ed|eco|law|af|engr)r?a?rxiv|ssrn|research square|preprints?|osf)\b"
)
_MEETING_PAGE = re.compile(r"(?:pp?\.?\s*)?(?:[SAP]\d+|\d+[AS])(?:-(?:[SAP]\d+|\d+[AS]))?")
_CONFERENCE_TYPES = frozenset(
    {"conference-abstract", "meeting-abstract", "conference abstract", "meeting abstract"}
)
_BRACKETS = re.compile(r"[(\[][^)\]]{0,300}[)\]]")
_DIGITS = re.compile(r"\d+")
_DAMAGED = re.compile(r"(\d{1,2})-([a-z]{3})")
_PLACED = re.compile(r"\bn\d+\W+pp?\s?(\d\S*)")  # "v45 n2 p249 Apr 2005"
_PAGE = re.compile(r"[a-z]{0,3}\d+")
_SMALL = listed("the of and for in on de des et la le der die und fur y")


@dataclass(frozen=True, slots=True)
class Features:
    """What `match` compares.

    Empty text and tuples mean unknown.

    Attributes:
        title: Words of the title without markup, marks and case; `short` the part before a
            subtitle.
        names: Family names in order, `given` every full word of the names.
        journal: Words of the journal without bracketed additions and small words.
        pages: (first, last) as digits, with a letter where there is one; "" where unknown.
        part: "2" for Part II, a second volume, a third wave ….
        notice: Correction, retraction, reply or "".
        serial: A title that every issue of a journal has ("Editorial").
        meeting: Printed as a meeting abstract.
        column: The editor's column, with a subject or without.
        preprint: It says itself that it is one.
        trial: Registrations named in title or abstract.
    """

    title: str
    short: str
    names: tuple[str, ...]
    given: frozenset[str]
    year: int | None
    journal: str
    issn: str
    volume: str
    issue: str
    pages: tuple[str, str]
    doi: str
    pmid: str
    pmcid: str
    abstract: str
    trial: frozenset[str]
    part: tuple[str, ...]
    notice: str
    serial: bool
    column: bool
    meeting: bool
    preprint: bool


def features(record: Record) -> Features:
    """The record, ready for comparison."""
    raw = titles.cleaned((record.title or "")[:TITLE_LIMIT])
    authors = people(record.authors)
    place = unmarked(record.container_title or "").lower()
    doi = bare_doi(record.doi)
    title, main = words(raw), titles.before_subtitle(raw)
    return Features(
        title=title, short=title if main == raw else words(main), part=titles.parts(raw), notice=titles.notice(raw),
        serial=titles.serial(title), column=titles.column(title), names=tuple(filter(None, map(family, authors))),
        given=full_words(authors), year=record.year, journal=journal(place), issn=record.issn or "",
        volume=number(record.volume), issue=number(record.issue), pages=pages(record.pages),
        doi=doi, pmid=record.pmid or "", pmcid=record.pmcid or "",
        abstract=words(unmarked((record.abstract or "")[: ABSTRACT_LIMIT + 100]))[:ABSTRACT_LIMIT],
        trial=trials(f"{raw} {record.url} {place} {(record.abstract or '')[:5_000]}"),
        meeting=_meeting(record), preprint=_preprint(record.type, doi, place),
    )  # fmt: skip


@lru_cache(4_096)
def journal(place: str) -> str:
    """Words of a journal's name: "BMJ (Clinical research ed.)" and "The BMJ" are "bmj".

    A parallel title is dropped.
    """
    main = _BRACKETS.sub(" ", place).split(" = ")[0]
    found = words(main if main.strip() else place).split()
    return " ".join([word for word in found if word not in _SMALL] or found)


def number(text: str | None) -> str:
    """A volume or issue without words and leading zeros: "Vol. 07" is "7"; "1)", cut from "12(1)",
    is unknown.
    """
    value = (text or "").strip()
    if value.isdecimal():
        return value.lstrip("0") or "0"
    if value.count(")") > value.count("("):
        return ""
    found = _DIGITS.findall(value)
    return found[0].lstrip("0") or "0" if found else words(value)


def pages(text: str | None) -> tuple[str, str]:
    """(first, last), with "288-97" expanded and "01-Jun", which a spreadsheet made of 1-6, undone."""
    value = (text or "").strip().lower()
    if damaged := _DAMAGED.fullmatch(value):
        return (
            (str(int(damaged[1])), str(_MONTHS.index(damaged[2])))
            if damaged[2] in _MONTHS
            else ("", "")
        )
    if "p" in value and (placed := _PLACED.search(value)):
        value = placed[1]
    found = _PAGE.findall(value.replace(",", ";").partition(";")[0] or value)
    if not found or value.startswith("suppl"):  # "Suppl-29" was "S17-29" once
        return ("", "")
    first, last = found[0], found[1] if len(found) > 1 else ""
    if last.isdigit() and first.isdigit() and len(last) < len(first):
        last = first[: len(first) - len(last)] + last
    return (first.lstrip("0") or "0", last.lstrip("0"))


def trials(text: str) -> frozenset[str]:
    """The trial registrations named in a text."""
    if not any(map(text.__contains__, _REGISTERS)):
        return frozenset()
    return frozenset(map(str.upper, _TRIAL.findall(text)))


def bare_doi(doi: str | None) -> str:
    """A DOI in lower case without percent signs and without what only marks a version of the same
    work.
    """
    if not doi:
        return ""
    value = unquote(doi).lower()
    return _VERSION.sub("", value) if value.startswith("10.") else ""


def _meeting(record: Record) -> bool:
    """One or two pages with a letter ("A129", "S528-S529", "811A"), as journals print the abstracts
    of a meeting.
    """
    if record.type in _CONFERENCE_TYPES:
        return True
    if not _MEETING_PAGE.fullmatch((record.pages or "").strip()):
        return False
    first, last = pages(record.pages)
    return not last or int(re.sub(r"\D", "", last)) - int(re.sub(r"\D", "", first)) in (0, 1)


def _preprint(kind: str | None, doi: str, place: str) -> bool:
    """A preprint server's DOI alone is not enough where a journal or meeting is named: some hand
    theirs out there.
    """
    return kind == "preprint" or bool(
        _PREPRINT_PLACE.search(place) or (not place and _PREPRINT_DOI.match(doi))
    )
