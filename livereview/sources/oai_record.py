"""A record out of Dublin Core's fifteen elements, in which every repository puts something else in
the same place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmcid, clean_year
from livereview.sources import answers
from livereview.sources.oai_formats import Fields
from livereview.sources.text import abstract, link, name, names, plain

_TYPES = (  # the first that one of its types matches, from the rare to the common
    (
        r"thes[ie]s|dissertation|\bphd\b|doctoral|thèse|tesis|\btese\b|lisans|doktora|c_46ec|c_db06|c_bdcc",
        "thesis",
    ),
    (r"pre-?print|working ?paper|c_816b|c_8042", "preprint"),
    (r"conference|proceeding|c_5794|c_c94f", "conference-paper"),
    (r"book ?(?:part|section|chapter|item)|chapter|c_3248", "book-chapter"),
    (r"review|case report", "journal-article"),
    (r"data ?set|\bdata$|^survey$|c_ddb1", "dataset"),
    # EPrints calls its reports and working papers monographs
    (r"report|^monograph$|c_93fc|c_18", "report"),
    (r"\bbook|c_2f33", "book"),
    (r"article|journal|artículo|artigo|c_6501|c_2df8", "journal-article"),
)
_COLLECTION = r"dissertations?|theses"  # what many call the place where they keep them
_AUDIENCE = re.compile(
    r"^\W{0,9}(?:(?:inter)?national audience|audience (?:inter)?nationale)\W*", re.IGNORECASE
)
_DIGITS_ONLY = r"(?:[ep]?-?issn\W*+)?[\dXx –-]+|https?:\S+"
_NUMBERS = re.compile(
    r"(?<![\s,;:])[\s,]*[;:,]\s*(?=vol|no\b|nr\b|n[°º.]|issue|bd\b|pp?\b\.?|\(?\d)", re.IGNORECASE
)
_VOLUME = re.compile(
    r"\bvol(?:ume)?\b\.?:?\s*(\w+)|^\W*(?![12]\d{3}\b)(\d+)\b(?!\s*[-–])", re.IGNORECASE
)
_ISSUE = re.compile(
    r"\b(?:no|nr|issue)\b\.?:?\s*(\w+)|\b\d+\s*\((?![12]\d{3}\))(\w+)\)", re.IGNORECASE
)
_PAGES = re.compile(r"(?:\bpp?\.?\s*|[;:]\s*)(\w?\d+\s*[-–]\s*\w?\d+)", re.IGNORECASE)
# What follows a name: Open Journal Systems' affiliation, OSTI's address, the years of birth and
# death of libraries
_AFTER_NAME = re.compile(
    r" ?(?:;.*|\bEmail:.*|\[[^\]]*\]|\(ORCID.*|,? ?\(?\b\d{4} ?- ?(?:\d{4})?\)?\.?)$", re.IGNORECASE
)
# characters; patterns must not run away
_LIMITS = {"abstract": 80_000, "description": 80_000, "creator": 20_000}
_UNIT = re.compile(
    r"universi|department|institut|school|college|hospital|faculty|centre|center", re.IGNORECASE
)


def record(source: str, key: str, fields: Fields) -> Record | str:
    """The record of these fields, or why there is none.

    The repository's own key is its key, else its identifier.
    """
    fields = {
        field: [text[: _LIMITS.get(field, 1_000)] for text in texts]
        for field, texts in fields.items()
    }
    title = _title(fields)
    key = key or plain(_first(fields, "ostiid", "doi", "identifier", "url"), 500) or ""
    if not key or not title:
        return "no identifier" if not key else "no title"
    published, kind = _published(fields), _type(fields)
    doi = _doi(fields, kind)
    return Record(
        source,
        key,
        title=title,
        authors=names(name(text) for text in _authors(fields)),
        year=clean_year(published),
        published=published,
        doi=doi,
        url=_url(fields) or link(f"https://doi.org/{doi}" if doi else ""),
        abstract=_abstract(fields),
        language=next(
            (
                text
                for one in fields.get("language", ())
                if (text := plain(one)) and len(text) <= 20
            ),
            None,
        ),
        type=kind,
        retraction="retracted" if answers.marked_retracted(title) else None,
        related=(),
        **_numbers(fields, key),
        **_place(fields),
    )


def _numbers(fields: Fields, key: str) -> dict[str, str | None]:
    return {
        "pmid": _pmid(fields),
        "pmcid": _pmcid(fields, key),
        "issn": next(filter(None, map(clean_issn, _issns(fields))), None),
        "isbn": next(filter(None, map(clean_isbn, _isbns(fields))), None),
    }


def _first(fields: Fields, *tags: str) -> str | None:
    return next((text for tag in tags for text in fields.get(tag, ())), None)


def _title(fields: Fields) -> str | None:
    main, more = plain(_first(fields, "title")), plain(_first(fields, "subtitle"))
    main = (
        re.sub(r"(?:(?<!\s)\s++)?[/:;=]$", "", main) if main else None
    )  # MARC ends each part with the mark before the next
    return (
        ": ".join(part for part in (main, re.sub(r"(?:(?<!\s)\s++)?/$", "", more or "")) if part)
        or None
    )


def _ids(fields: Fields) -> list[str]:
    """What may name this very item.

    A relation only where it says that it is one more name of it.
    """
    same = [text for text in fields.get("relation", ()) if "altIdentifier" in text]
    return [
        text for tag in ("doi", "identifier", "url", "link") for text in fields.get(tag, ())
    ] + same


def _doi(fields: Fields, kind: str | None) -> str | None:
    """Its DOI.

    One in a relation counts if it is the only one and no thesis or data set is related to an
    article.
    """
    if found := _dois([*_ids(fields), *fields.get("source", ())]):
        return found[0]
    related = _dois(fields.get("relation", ()))
    if len(set(related)) == 1 and kind not in ("thesis", "dataset"):
        return related[0]
    return None


def _dois(texts: Iterable[str]) -> list[str]:
    return [doi for text in texts if (doi := clean_doi(re.sub(r"<(10\.[^<>\s]+)>", r"\1", text)))]


def _pmid(fields: Fields) -> str | None:
    """From an identifier or a link to PubMed; bepress puts that link into a relation."""
    said = " ".join(
        [*(f"pmid:{text}" for text in fields.get("pmid", ())), *_ids(fields), *_linked(fields)]
    )
    found = re.search(
        r"(?:pubmed(?:\.ncbi\.nlm\.nih\.gov)?/|list_uids=|\bpmid[:/\s]*)0*(\d{1,9})\b",
        said,
        re.IGNORECASE,
    )
    return found.group(1) if found else None


def _linked(fields: Fields) -> Iterator[str]:
    return (text for text in fields.get("relation", ()) if "list_uids=" in text)


def _pmcid(fields: Fields, key: str) -> str | None:
    """From what names it, or from PubMed Central's own key, which is the number of its id."""
    told = (
        _first(fields, "pmcid") or (re.findall(r"pubmedcentral\.nih\.gov:(\d+)$", key) or [""])[0]
    )
    return clean_pmcid(" ".join([f"PMC{told}" if told[:1].isdigit() else told, *_ids(fields)]))


def _issns(fields: Fields) -> list[str]:
    texts = [
        text
        for tag in ("source", "relation", "identifier", "identifierother")
        for text in fields.get(tag, ())
    ]
    return fields.get("issn", []) + [
        text
        for text in texts
        if "issn" in text.lower() or re.fullmatch(r"\s*\d{4}-\d{3}[\dXx]\s*", text)
    ]


def _isbns(fields: Fields) -> list[str]:
    texts = [text for tag in ("identifier", "source", "relation") for text in fields.get(tag, ())]
    return fields.get("isbn", []) + [
        text
        for text in texts
        if "isbn" in text.lower() or re.fullmatch(r"\s*97[89][\d -]{10,14}\s*", text)
    ]


def _authors(fields: Fields) -> list[str]:
    """Its creators; without any, the contributors who are called authors."""
    told = [" ".join(text.split()) for text in fields.get("creator", ())]
    if not told:
        people = [
            text
            for text in fields.get("contributor", ())
            if re.search(r"\(author\)", text, re.IGNORECASE)
        ]
        told = [
            re.sub(r" ?\(author\)", "", " ".join(text.split()), flags=re.IGNORECASE)
            for text in people
        ]
    if len(told) == 1:
        told = _together(told[0])
    return [_AFTER_NAME.sub("", text[:300]) for text in told]


def _together(text: str) -> list[str]:
    """The names in one element: "Family, Given; Family, Given" or "Given Family, Given Family,
    Given Family".
    """
    parts = [part.strip() for part in text.split(";")]
    if len(parts) > 1:
        return [part for part in parts if "," in part and not _UNIT.search(part)] or parts[:1]
    parts = text.split(", ")
    if len(parts) > 2 and all(" " in part and not _UNIT.search(part) for part in parts):
        return parts
    return [text]


def _published(fields: Fields) -> str | None:
    """The earliest date it gives: the later ones are those of the repository's own steps."""
    return min(
        (day for text in fields.get("date", ()) if (day := _day(text)) and clean_year(day)),
        default=None,
    )


def _day(text: str) -> str | None:
    """An ISO date, 20260714, or just the year where the order of day and month can't be known."""
    text = text.strip()
    if re.fullmatch(r"[12]\d{7}", text):
        return answers.iso(text[:4], text[4:6], text[6:])
    year = clean_year(text)
    return answers.iso_date(text) or (str(year) if year else None)


def _url(fields: Fields) -> str | None:
    """The first whole address that leads further than to a repository's front door."""
    texts = (
        text.strip()
        for tag in ("url", "link", "identifier", "identifier-citation")
        for text in fields.get(tag, ())
    )
    return next(
        (
            link(text)
            for text in texts
            if re.fullmatch(r"https?://[^/\s]+/[^\s]+", text) and link(text)
        ),
        None,
    )


def _abstract(fields: Fields) -> str | None:
    """The longest description: others are notes on the file, the funder or the audience."""
    told = fields.get("abstract") or fields.get("description") or []
    texts = (_AUDIENCE.sub("", text.strip(" ;\n"), 1) for text in told)
    return abstract(max(texts, key=len, default="")) or None


def _type(fields: Fields) -> str | None:
    said = [
        re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.strip()).lower() for text in fields.get("type", ())
    ]
    known = (kind for pattern, kind in _TYPES if any(re.search(pattern, text) for text in said))
    kept_with = " ".join(fields.get("source", ()))
    return next(
        known,
        "thesis"
        if re.search(_COLLECTION, kept_with, re.IGNORECASE) and not _NUMBERS.search(kept_with)
        else None,
    )


def _place(fields: Fields) -> dict[str, str | None]:
    """Journal, volume, issue and pages: told apart by the format, or out of a citation such as OJS'
    and HAL's.
    """
    pages = "-".join(fields.get("first", [])[:1] + fields.get("last", [])[:1])
    journal, numbers = _citation(fields)
    return {
        "container_title": plain(_first(fields, "container")) or journal,
        "volume": plain(_first(fields, "volume"), 50) or _found(_VOLUME, numbers),
        "issue": plain(_first(fields, "issue"), 50) or _found(_ISSUE, numbers),
        "pages": plain(pages, 50) or _found(_PAGES, numbers),
    }


def _citation(fields: Fields) -> tuple[str | None, str]:
    """The journal, and the numbers behind its name.

    Neither from a citation that begins with the article itself.
    """
    for text in _citations(fields):
        journal, numbers = (*_NUMBERS.split(text, maxsplit=1), "")[:2]
        journal = journal.split(" ; ")[0].strip(" ,;")
        if (plain(_first(fields, "title"), 60) or journal).lower() not in journal.lower():
            return plain(journal), re.sub(r"^\W*[12]\d{3}(?:-\d\d-\d\d)?[,;]\s*", "", numbers)
    return None, ""


def _citations(fields: Fields) -> Iterator[str]:
    """Where it appeared: an ISSN or an address in its place says nothing to people."""
    told = [
        *fields.get("source", ()),
        *(text for text in fields.get("relation", ()) if "Journal Name:" in text),
    ]
    for text in (" ".join(text.split()) for text in told):
        if not re.fullmatch(_DIGITS_ONLY, text, re.IGNORECASE):
            yield re.sub(r"^Journal Name:\s*|Journal (?=Volume|Issue)", "", text)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    if match:
        return next((plain(group, 50) for group in match.groups() if group), None)
    return None
