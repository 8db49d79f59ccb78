"""A record made ready for comparison: every field in a form in which two sources' ways of writing
it are equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from livereview import registrations
from livereview.dedup import counts, titles
from livereview.dedup.nothing import known_text
from livereview.dedup.people import family, full_words, is_body, people
from livereview.dedup.words import listed, unmarked, words
from livereview.links import LinkKind
from livereview.records import Record, Related

TITLE_LIMIT = 1_000
ABSTRACT_LIMIT = 400
MOST_TRIALS = 2  # that a report names of its own; one that names more reviews or lists trials
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
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
# What a record says of its form, where a work of one form is never the same report as one of another.
_FORMS = {
    "thesis": "thesis",
    "dissertation": "thesis",
    "phdthesis": "thesis",
    "mastersthesis": "thesis",
    "trial": "trial",
    "journal-article": "text",
    "article": "text",
    "conference-paper": "text",
    "inproceedings": "text",
    "book": "text",
    "book-chapter": "text",
    "report": "text",
}
_BRACKETS = re.compile(r"[(\[][^)\]]{0,300}[)\]]")
_DIGITS = re.compile(r"\d+")
_DAMAGED = re.compile(r"(\d{1,2})-([a-z]{3})")
_PLACED = re.compile(r"\bn\d+\W+pp?\s?(\d\S*)")  # "v45 n2 p249 Apr 2005"
_PAGE = re.compile(r"[a-z]{0,3}\d+")
_TRACKING = re.compile(r"utm_|fbclid|gclid|mc_|ref$|source$|session|sid$", re.IGNORECASE)
_TORN_NUMBER = re.compile(r"\d+\.\d+")  # "19.70": a year torn apart, or a volume and its issue
_SMALL = listed("the of and for in on de des et la le der die und fur y")


@dataclass(frozen=True, slots=True)
class Features:
    """What `match` compares.

    Empty text and tuples mean unknown.

    Attributes:
        title: Words of the title without markup, marks and case; `short` the part before a
            subtitle.
        names: Family names in order, `given` every full word of the names.
        bodies: Authors that are no persons, and the place, as plain letters.
        journal: Words of the journal without bracketed additions and small words.
        volume: Digits, or a word where it has none ("jul"), which contradicts nothing.
        pages: (first, last) as digits, with a letter where there is one; "" where unknown.
        address: The web address without what differs from visit to visit.
        part: "2" for Part II, a second volume, a third wave ….
        notice: Correction, retraction, reply, protocol, summary, reprint or "".
        serial: A title that every issue of a journal has ("Editorial").
        column: The editor's column, with a subject or without.
        recurring: A heading that comes again and again ("Book review column").
        meeting: Printed as a meeting abstract.
        preprint: It says itself that it is one.
        form: "thesis", "trial" (a register's entry), "text" or, where it is not known, "".
        trial: Registrations named in title, place, address or abstract.
        numbered: A preprint by Europe PMC, which has a number for it that others name.
        registration: The number of the register's entry that the record is; "" for all others.
        also: The numbers that the register says the trial has elsewhere.
        ids: By which others may name the record, as in `Related.id`.
        related: What its source says it is to others, by their ids.
    """

    title: str
    short: str
    names: tuple[str, ...]
    given: frozenset[str]
    bodies: frozenset[str]
    year: int | None
    journal: str
    issn: str
    volume: str
    issue: str
    pages: tuple[str, str]
    doi: str
    pmid: str
    pmcid: str
    address: str
    abstract: str
    form: str
    trial: frozenset[str]
    part: tuple[str, ...]
    notice: str
    serial: bool
    column: bool
    recurring: bool
    meeting: bool
    preprint: bool
    numbered: bool = False
    registration: str = ""
    also: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    related: tuple[Related, ...] = ()


def features(record: Record) -> Features:
    """The record, ready for comparison."""
    raw = titles.cleaned(known_text(record.title)[:TITLE_LIMIT])
    authors = people(record.authors)
    families = list(map(family, authors))
    if "" in families:
        authors = [name for name, known in zip(authors, families, strict=True) if known]
    place = unmarked(known_text(record.container_title)).lower()
    doi = bare_doi(record.doi)
    title, main = words(raw), titles.before_subtitle(raw)
    abstract = known_text(record.abstract)
    registration = own_registration(record)
    named = registrations.in_text(f"{raw} {record.url} {place} {abstract[:5_000]}")
    related = tuple(_comparable(other) for other in record.related)
    return Features(
        title=title,
        short=title if main == raw else words(main),
        names=tuple(filter(None, families)),
        given=full_words(authors),
        bodies=bodies(authors, place),
        year=record.year,
        journal=journal(place),
        issn=record.issn or "",
        volume=number(known_text(record.volume)),
        issue=number(known_text(record.issue)),
        pages=pages(known_text(record.pages)),
        doi=doi,
        pmid=record.pmid or "",
        pmcid=record.pmcid or "",
        address=address(record.url),
        abstract=words(unmarked(abstract[: ABSTRACT_LIMIT + 100]))[:ABSTRACT_LIMIT],
        form=_FORMS.get(record.type or "", ""),
        trial=named | {registration} if registration else named,
        part=titles.parts(raw),
        notice=titles.notice(raw),
        serial=titles.serial(title),
        column=titles.column(title),
        recurring=titles.recurring(title),
        meeting=_meeting(record),
        preprint=_preprint(record.type, doi, place),
        numbered=_numbered(record),
        registration=registration,
        also=_registered_elsewhere(related),
        ids=frozenset(_ids(record, doi, registration)),
        related=related,
    )


def own_registration(record: Record) -> str:
    """The number of the register's entry that a record is, "" where it is none.

    Databases of trials' reports hand out entries of registers as articles in "journals" whose names
    are the entry's address.
    """
    if record.registration:
        return record.registration
    place = record.container_title or ""
    if "//" in place:
        return registrations.own(place) or ""
    if record.type == "trial":
        return registrations.own(record.source_key) or registrations.own(record.url) or ""
    return ""


def _registered_elsewhere(related: Sequence[Related]) -> frozenset[str]:
    twice = [other.id for other in related if other.kind == LinkKind.REGISTERED_TWICE]
    return frozenset(name.removeprefix("trial:") for name in twice)


def _comparable(other: Related) -> Related:
    """With its DOI in the form in which DOIs are compared."""
    scheme, _, value = other.id.partition(":")
    if scheme == "doi":
        return Related(other.kind, f"doi:{bare_doi(value)}")
    return other


def _numbered(record: Record) -> bool:
    return record.source == "europepmc" and record.source_key.startswith("PPR/")


def _ids(record: Record, doi: str, registration: str) -> Iterator[str]:
    if doi:
        yield f"doi:{doi}"
    if record.pmid:
        yield f"pmid:{record.pmid}"
    if record.pmcid:
        yield f"pmcid:{record.pmcid}"
    if registration:
        yield f"trial:{registration}"
    if _numbered(record):
        yield f"epmc:{record.source_key.removeprefix('PPR/')}"


def bodies(authors: Sequence[str], place: str) -> frozenset[str]:
    """The bodies that wrote or published a report, as plain letters: the authors that are no
    persons, and the place.
    """
    named = [family(name) for name in authors if is_body(name)]
    named.append(_letters(place))
    return frozenset(filter(None, named))


@lru_cache(4_096)
def _letters(place: str) -> str:
    return words(place).replace(" ", "")


def address(url: str | None) -> str:
    """A web address without scheme, "www.", port, tracking parameters, fragment and last slash; ""
    for a site's front page, which says nothing of a report, and for a resolver's.
    """
    if not url or "//" not in url:
        return ""
    parts = urlsplit(url.strip().split()[0])
    host = (parts.netloc.lower().rpartition("@")[2].partition(":")[0]).removeprefix("www.")
    path = unquote(parts.path).rstrip("/")
    query = [(name, value) for name, value in parse_qsl(parts.query) if not _TRACKING.match(name)]
    if not path and not query:
        return ""
    return f"{host}{path}?{urlencode(sorted(query))}".rstrip("?")


@lru_cache(4_096)
def journal(place: str) -> str:
    """Words of a journal's name: "BMJ (Clinical research ed.)" and "The BMJ" are "bmj".

    A parallel title is dropped.
    """
    main = _BRACKETS.sub(" ", place).split(" = ")[0]
    found = words(main if main.strip() else place).split()
    return " ".join([word for word in found if word not in _SMALL] or found)


def number(text: str | None) -> str:
    """A volume or issue without words and leading zeros: "Vol. 07" is "7", "XII" is "12"; "1)", cut
    from "12(1)", is unknown.

    A word ("Jul") and a torn number ("19.70") stay as they are, with a blank in the latter:
    they agree with themselves and, being no numbers, contradict nothing.
    """
    value = (text or "").strip()
    if value.isdecimal():
        return value.lstrip("0") or "0"
    if value.count(")") > value.count("("):
        return ""
    if _TORN_NUMBER.fullmatch(value):
        return words(value)
    if roman := counts.roman(words(value).removeprefix("vol ")):
        return roman
    found = _DIGITS.findall(value)
    return found[0].lstrip("0") or "0" if found else words(value)


def pages(text: str | None) -> tuple[str, str]:
    """(first, last), with "288-97" expanded and "01-Jun", which a spreadsheet made of 1-6, undone."""
    value = (text or "").strip().lower()
    if damaged := _DAMAGED.fullmatch(value):
        if damaged[2] in _MONTHS:
            return (str(int(damaged[1])), str(_MONTHS.index(damaged[2])))
        return ("", "")
    if "p" in value and (placed := _PLACED.search(value)):
        value = placed[1]
    found = _PAGE.findall(value.replace(",", ";").partition(";")[0] or value)
    if not found or value.startswith("suppl"):  # "Suppl-29" was "S17-29" once
        return ("", "")
    first, last = found[0], found[1] if len(found) > 1 else ""
    if last.isdigit() and first.isdigit() and len(last) < len(first):
        last = first[: len(first) - len(last)] + last
    return (first.lstrip("0") or "0", last.lstrip("0"))


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
