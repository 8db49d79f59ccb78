"""Europe PMC's search (https://europepmc.org/RestfulWebService): JSON in core, lite and idlist, XML
in those and DC.

Filters with a meaning of their own: `window` (the date field, default FIRST_IDATE, when a record
was first indexed), `pageSize`, `sort` and `synonym`. All others are added to the query as
NAME:value, so ("SRC", "MED OR PPR") works.
"""

from __future__ import annotations

import re
from typing import Any

from livereview.errors import LivereviewError, Retry, SourceBroken
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
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.europepmc_xml import read_xml
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain, safe

NAME = "europepmc"
TITLE = "Europe PMC"
URL = "https://www.ebi.ac.uk/europepmc/webservices/rest/search"
_PARAMS = ("pageSize", "sort", "synonym")
_OWN = ("window", *_PARAMS)
_TYPES = {
    "retraction of publication": "retraction-notice",
    "retraction": "retraction-notice",
    "published erratum": "erratum",
    "correction": "erratum",
    "expression of concern": "expression-of-concern",
    "preprint": "preprint",
    "thesis": "thesis",
    "thesis/dissertation": "thesis",
    "dissertation": "thesis",
    "patent": "patent",
    "dataset": "dataset",
    "book chapter": "book-chapter",
    "chapter": "book-chapter",
    "book": "book",
    "monograph": "book",
    "report": "report",
    "technical report": "report",
    "letter": "letter",
    "editorial": "editorial",
    "news": "news",
}
_ARTICLES = (
    "journal article",
    "research-article",
    "review",
    "review-article",
    "systematic review",
    "case-report",
)
_NOTICES = ("retraction-notice", "erratum", "expression-of-concern")


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page of a search.

    The query stands in brackets, so that its last OR does not swallow the dates.
    """
    text = answers.search_text(query, _OWN, TITLE)
    own = [(key, query.filter(key) or ("100" if key == "pageSize" else "")) for key in _PARAMS]
    parts = [f"({text})"] if text else []
    parts += [f"({key}:{_value(value)})" for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        field = query.filter("window") or "FIRST_IDATE"
        parts.append(f"({field}:[{answers.day(window.start)} TO {answers.day(window.end)}])")
    params = [
        ("query", " AND ".join(parts)),
        ("resultType", "core"),
        ("format", "json"),
        ("cursorMark", cursor or "*"),
    ]
    return Request(URL, tuple((key, value) for key, value in params + own if value))


def _value(value: str) -> str:
    if " " in value and value[0] not in '(["':
        return f"({value})"
    return value


def parse(body: bytes, cursor: str | None) -> Page:
    """The results of a search, a single article or a bare list of results.

    hitCount can exceed what is delivered, so a page is the last one if it is empty or its next mark
    is missing or the one that was sent.
    """
    xml = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    data = read_xml(body, NAME, TITLE) if xml else answers.read_json(body, NAME, TITLE)
    if isinstance(data, dict) and "errCode" in data:
        raise _error(data)
    results = _results(data)
    records, rejects = answers.read_items(results, _record, "result")
    mark = string(mapping(data).get("nextCursorMark"))
    following = mark if results and mark != (cursor or "*") else None
    return Page(records, following, rejects, answers.whole(mapping(data).get("hitCount")))


def _error(data: dict[str, Any]) -> LivereviewError:
    said = f"{string(data.get('errMsg')) or 'no message'} (errCode {data['errCode']})"[:300]
    if answers.busy(said) or answers.whole(data["errCode"]) in (429, 500, 502, 503, 504):
        return Retry(f"Europe PMC can't answer now: {said}", source=NAME)
    return SourceBroken(f"Europe PMC refused the search: {said}", source=NAME)


def _results(data: Any) -> list[Any]:
    if isinstance(data, dict) and {"hitCount", "resultList", "nextCursorMark"} & data.keys():
        one = data.get("result")  # the answer for a single article has no list
        results: Any = [one]
        if not isinstance(one, dict):
            results = mapping(data.get("resultList")).get("result")
        if not isinstance(results, list):
            raise _no_list(data)
        return results
    items = data if isinstance(data, list) else [mapping(data).get("result", data)]
    if not any(_key(mapping(item)) for item in items):
        raise answers.foreign(data, NAME, TITLE, "hitCount and resultList")
    return items


def _no_list(data: dict[str, Any]) -> SourceBroken:
    other = next((key for key in data if key.endswith("List") and key != "resultList"), None)
    if other:
        return SourceBroken(f"Europe PMC sent {other}, not publications: ask {URL}", source=NAME)
    return SourceBroken(
        'Europe PMC\'s "resultList" is missing: has its interface changed?', source=NAME
    )


def _key(item: dict[str, Any]) -> str | None:
    """Source and id, "MED/123": Europe PMC's ids are unique within their source only."""
    own, source = string(item.get("id")), string(item.get("source"))
    if not own and (pmid := clean_pmid(string(item.get("pmid")))):
        own, source = pmid, "MED"
    if own and source and re.fullmatch(r"[A-Z]{2,5}", source):
        return safe(f"{source}/{own}", 200)
    return None


def _record(item: dict[str, Any]) -> Record | str:
    key = _key(item)
    if key is None:
        return "no id and source"
    source, _, own = key.partition("/")
    title, published, kind = plain(string(item.get("title"))), _published(item), _type(item, source)
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=_authors(item),
        year=clean_year(string(item.get("pubYear"))) or clean_year(published),
        published=published,
        doi=clean_doi(string(item.get("doi"))),
        pmid=clean_pmid(string(item.get("pmid"))) or (clean_pmid(own) if source == "MED" else None),
        pmcid=clean_pmcid(string(item.get("pmcid")))
        or (clean_pmcid(own) if source == "PMC" else None),
        url=link(f"https://europepmc.org/article/{source}/{own}"),
        abstract=abstract(string(item.get("abstractText"))),
        language=plain(string(item.get("language")), 20),
        type=kind,
        retraction=None if kind in _NOTICES else _retraction(item, title),
        related=relations.europepmc(item, clean_doi(string(item.get("doi")))),
        **_host(item),
    )


def _host(item: dict[str, Any]) -> dict[str, str | None]:
    """The journal, the book a chapter is in or the server of a preprint (filed as its publisher),
    and where in it.
    """
    issue, book = mapping(item.get("journalInfo")), mapping(item.get("bookOrReportDetails"))
    journal = mapping(issue.get("journal"))
    found = (
        string(journal.get("title"))
        or string(item.get("journalTitle"))
        or string(book.get("comprisingTitle"))
    )
    server = string(book.get("publisher")) if item.get("source") == "PPR" else None
    return {
        "container_title": plain(found or server),
        "volume": plain(string(issue.get("volume")) or string(item.get("journalVolume")), 100),
        "issue": plain(string(issue.get("issue")) or string(item.get("issue")), 100),
        "pages": plain(string(item.get("pageInfo")), 100),
        "issn": clean_issn(
            " ".join(map(str, (journal.get("issn"), journal.get("essn"), item.get("journalIssn"))))
        ),
        "isbn": clean_isbn("; ".join(map(str, (book.get("isbn13"), book.get("isbn10"))))),
    }


def _published(item: dict[str, Any]) -> str | None:
    """The first publication date.

    A print date is padded to a day; `dateOfPublication` ("2025 Dec") is not.
    """
    date = answers.iso_date(item.get("firstPublicationDate")) or answers.iso_date(
        item.get("pubYear")
    )
    issue = mapping(item.get("journalInfo"))
    stated = (string(issue.get("dateOfPublication")) or "").split()
    if (
        date
        and stated
        and date == issue.get("printPublicationDate") != item.get("electronicPublicationDate")
    ):
        return date[: {1: 4, 2: 7}.get(len(stated), 10)]
    return date.removesuffix("-01-01") if date else None


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    people = [mapping(one) for one in sequence(mapping(item.get("authorList")).get("author"))]
    if people:
        return names(_person(one) for one in people)
    parts = (string(item.get("authorString")) or "").rstrip(".").split(", ")
    return names(plain(_split(part), 200) for part in parts)


def _person(author: dict[str, Any]) -> str | None:
    known = name(
        string(author.get("lastName")),
        string(author.get("firstName")) or string(author.get("initials")),
    )
    return known or plain(
        string(author.get("collectiveName")) or _split(string(author.get("fullName")) or ""), 200
    )


def _split(author: str) -> str:
    """ "Haas-Kogan DA" as "Haas-Kogan, DA".

    Anything that is not a name and initials stays as it is.
    """
    return re.sub(r"^(\S[^,]*[^\s,]) ([A-Z]{1,3})$", r"\1, \2", author)


def _words(item: dict[str, Any]) -> set[str]:
    """The publication types in lower case: a list in core, one string with semicolons in lite and
    DC.
    """
    types = sequence(mapping(item.get("pubTypeList")).get("pubType")) + sequence(
        item.get("pubType")
    )
    return {word.strip().lower() for part in types for word in (string(part) or "").split(";")} - {
        ""
    }


def _type(item: dict[str, Any], source: str) -> str | None:
    words = _words(item)
    known = next((kind for word, kind in _TYPES.items() if word in words), None)
    if known or source in ("PPR", "PAT"):
        return known or {"PPR": "preprint", "PAT": "patent"}[source]
    if words.intersection(_ARTICLES):
        return "journal-article"
    return min(words, default=None)


def _retraction(item: dict[str, Any], title: str | None) -> str | None:
    """What happened to this item: only notices *in* which it was retracted or corrected, not those
    it is itself.
    """
    links = sequence(mapping(item.get("commentCorrectionList")).get("commentCorrection"))
    types = " ".join(string(mapping(one).get("type")) or "" for one in links).lower()
    if (
        "retracted publication" in _words(item)
        or "retraction in" in types
        or answers.marked_retracted(title)
    ):
        return "retracted"
    if "expression of concern in" in types:
        return "expression-of-concern"
    if re.search(r"erratum in|corrected and republished in", types):
        return "corrected"
    return None


SOURCE = Source(NAME, TITLE, parse, request, interval=0.2)
