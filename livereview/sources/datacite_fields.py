"""What DataCite's fields mean for a record: its JSON says one thing in several places, and
depositors fill in any.
"""

from __future__ import annotations

import re
from typing import Any

from livereview.records import clean_isbn, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.text import abstract, name, plain

NOTE = 200  # a description that isn't called an abstract is one only where it is longer than a note
_TYPES = {
    "JournalArticle": "journal-article",
    "DataPaper": "journal-article",
    "Dissertation": "thesis",
    "ConferencePaper": "conference-paper",
    "Poster": "conference-paper",
    "Presentation": "conference-paper",
    "StudyRegistration": "trial",
}
_VAGUE = ("", "Text", "Other", "Collection")
_WORDS = (  # what depositors write beside "Text", in the order in which it is looked for
    (
        r"thesis|dissertation|habilitation|(?:bachelor|master|magister|diplom)\w{0,40}arbeit",
        "thesis",
    ),
    (r"pre-?print|working ?paper", "preprint"),
    (r"chapter|book ?section", "book-chapter"),
    (r"conference|proceedings|poster|presentation", "conference-paper"),
    (r"report", "report"),
    (r"blog", "web-page"),
    (r"article|journal ?paper", "journal-article"),
    (r"\bbook\b|monograph", "book"),
    (r"data ?set", "dataset"),
)
# "GMS Medizin; 15(1-2):Doc10", "DataCite Blog, 2(9), 3-4", "Onkologija, Volume XXII, No. 1, June
# 2018"
_SERIES = re.compile(
    r"(?P<title>.+?)\s?[,;]\s?(?:Vol(?:ume|\.)?\s?)?(?P<volume>\d+)\s?(?:\((?P<issue>[^()]+)\))?"
    r"(?:\s?[,:]\s?(?:pages\s|pp?\.\s?)?(?P<pages>\w+(?:\s?[-–]\s?\w+)?))?$"
)
_PAGE = re.compile(r"[A-Za-z]{0,4}\d[\w.]*|[ivxlc]+")


def modern(item: dict[str, Any]) -> dict[str, Any]:
    """A work of the first API (/works, until 2019) with the names of today's."""
    people = [mapping(one) for one in sequence(item.get("author"))]
    return {
        **item,
        "titles": [{"title": item.get("title")}],
        "creators": [
            {
                "familyName": one.get("family"),
                "givenName": one.get("given"),
                "name": one.get("literal"),
            }
            for one in people
        ],
        "descriptions": [{"description": item.get("description")}],
        "publicationYear": item.get("published"),
        "types": {
            "resourceTypeGeneral": (string(item.get("resource-type-id")) or "")
            .title()
            .replace("-", ""),
            "resourceType": item.get("resource-type-subtype"),
        },
    }


def title(item: dict[str, Any]) -> str | None:
    """The title proper, and the subtitle in its language after a colon."""
    titles = [one for one in map(mapping, sequence(item.get("titles"))) if string(one.get("title"))]
    main = next((one for one in titles if not one.get("titleType")), titles[0] if titles else {})
    subs = [one for one in titles if one.get("titleType") == "Subtitle" and one is not main]
    sub = next(
        (one for one in subs if one.get("lang") == main.get("lang")), subs[0] if subs else {}
    )
    return plain(": ".join(filter(None, (string(main.get("title")), string(sub.get("title"))))))


def author(one: dict[str, Any]) -> str | None:
    """ "Family, Given" of a person, the name of an organisation."""
    family = string(one.get("familyName"))
    if family and one.get("nameType") != "Organizational":
        return name(family, string(one.get("givenName")))
    return name(string(one.get("name")) or family)


def published(item: dict[str, Any]) -> str | None:
    """The day it was issued if that is in the year of publication, else that year: the two often
    disagree.
    """
    year = clean_year(string(item.get("publicationYear")) or string(item.get("publication_year")))
    days = [
        answers.iso_date(re.split("/", day)[0])
        for kind, day in _dates(item)
        if kind == "Issued" and day
    ]
    issued = [day for day in days if day]
    if year is None:
        return issued[0] if issued else None
    return next((day for day in issued if clean_year(day) == year), None) or answers.iso(year)


def withdrawn(item: dict[str, Any]) -> bool:
    """Whether it has a date of withdrawal."""
    return any(kind == "Withdrawn" for kind, _ in _dates(item))


def _dates(item: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    return [
        (string(one.get("dateType")), string(one.get("date")))
        for one in map(mapping, sequence(item.get("dates")))
    ]


def description(item: dict[str, Any]) -> str | None:
    """The abstract, or else a description of another kind that is too long for a note."""
    known = [mapping(one) for one in sequence(item.get("descriptions"))]
    texts = [
        (one.get("descriptionType") or "Abstract", string(one.get("description")) or "")
        for one in known
    ]
    main = next((text for kind, text in texts if kind == "Abstract" and text), None)
    return abstract(
        main or next((text for kind, text in texts if kind == "Other" and _is_prose(text)), None)
    )


def _is_prose(text: str) -> bool:
    # some repositories put their references there, as JSON
    return len(text) >= NOTE and text[0] not in "{["


def kind(types: dict[str, Any]) -> str | None:
    """By the controlled word.

    Where that says no more than "Text", by the depositor's own or by CSL's.
    """
    general, own = (
        string(types.get("resourceTypeGeneral")) or "",
        string(types.get("resourceType")) or "",
    )
    if general in _VAGUE:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", own) or string(types.get("citeproc")) or ""
        known = next(
            (kind for pattern, kind in _WORDS if re.search(pattern, words, re.IGNORECASE)), None
        )
        return known or plain((own or general).lower(), 100)
    return _TYPES.get(general) or re.sub(r"(?<=[a-z])(?=[A-Z])", "-", general).lower()


def place(item: dict[str, Any]) -> dict[str, str | None]:
    """Where it came out: DataCite's own container, else the item it is published in, else the
    series' description.
    """
    container, host = mapping(item.get("container")), _published_in(item)
    series = _series(string(container.get("title")), None if host else _series_text(item))
    told = {key: string(container.get(key)) or string(host.get(key)) for key in ("volume", "issue")}
    numbers = f"{_related(item, 'ISSN')} {_series_text(item) or ''}"
    return {
        "container_title": plain(series.get("title") or title(host)),
        "volume": plain(told["volume"] or series.get("volume"), 100),
        "issue": plain(told["issue"] or series.get("issue"), 100),
        "pages": plain(_pages(container) or _pages(host) or series.get("pages"), 100),
        "issn": clean_issn(numbers),
        "isbn": clean_isbn(_related(item, "ISBN")),
    }


def _published_in(item: dict[str, Any]) -> dict[str, Any]:
    items = [mapping(one) for one in sequence(item.get("relatedItems"))]
    return next((one for one in items if one.get("relationType") == "IsPublishedIn"), {})


def _series_text(item: dict[str, Any]) -> str | None:
    known = [mapping(one) for one in sequence(item.get("descriptions"))]
    return next(
        (
            string(one.get("description"))
            for one in known
            if one.get("descriptionType") == "SeriesInformation"
        ),
        None,
    )


def _series(container: str | None, said: str | None) -> dict[str, str | None]:
    """The container's title without the volume and pages behind it, or the first words of the
    series' description.
    """
    text = container or said
    if found := _SERIES.fullmatch(text or ""):
        return found.groupdict()
    words = container or re.split("[,;]", said or "")[0]
    return {"title": None if re.match(r"(?:Vol|No|Nr|Bd)\w*\W", words) else words}


def _pages(host: dict[str, Any]) -> str | None:
    """First and last page; DataCite puts other words of the series' description there as well."""
    ends = [string(host.get(key)) or "" for key in ("firstPage", "lastPage")]
    start, end = (value if _PAGE.fullmatch(value) else None for value in ends)
    if start and end and start != end:
        return f"{start}-{end}"
    return start


def _related(item: dict[str, Any], kind: str) -> str:
    """The ISSNs or ISBNs of what this is part of."""
    known = [mapping(one) for one in sequence(item.get("relatedIdentifiers"))]
    parts = [
        mapping(one.get("relatedItemIdentifier"))
        for one in map(mapping, sequence(item.get("relatedItems")))
    ]
    mine = [
        string(one.get("relatedIdentifier"))
        for one in known
        if one.get("relatedIdentifierType") == kind
        and one.get("relationType") in ("IsPartOf", "IsPublishedIn")
    ]
    theirs = [
        string(one.get("relatedItemIdentifier"))
        for one in parts
        if one.get("relatedItemIdentifierType") == kind
    ]
    container = mapping(item.get("container"))
    if container.get("identifierType") == kind:
        own = [string(container.get("identifier"))]
    else:
        own = []
    return " ".join(filter(None, (*own, *mine, *theirs)))
