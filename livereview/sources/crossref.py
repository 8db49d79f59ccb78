"""Crossref works (https://api.crossref.org/works): lists by cursor, single works, and lists saved
by hand.

Filters with a meaning of their own: `window` (from-index-date by default; from-created-date,
from-pub-date …), `field` (the parameter that takes the query, default query.bibliographic), `work`
(one DOI), `rows`, `sort`, `order`, `select`, and any query.* parameter. All others are sent as API
filters. Facts from https://www.crossref.org/documentation/retrieve-metadata/rest-api/.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_year
from livereview.sources import answers, relations
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import TITLE_LIMIT, abstract, link, name, names, plain, safe

NAME = "crossref"
TITLE = "Crossref"
URL = "https://api.crossref.org/works"
_PARAMS = ("rows", "sort", "order", "select")
_OWN = ("window", "field", *_PARAMS)
_TYPES = {
    "article-journal": "journal-article",
    "proceedings-article": "conference-paper",
    "dissertation": "thesis",
    "monograph": "book",
    "edited-book": "book",
    "reference-book": "book",
    "book-section": "book-chapter",
    "book-part": "book-chapter",
    "book-track": "book-chapter",
    "report-component": "report",
}
_NOTICES = {
    "retracted": "retraction-notice",
    "expression-of-concern": "expression-of-concern",
    "corrected": "erratum",
}


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page of a search.

    The query is a bag of words to Crossref: no Boolean operator, no phrase.

    The filter `work` asks for the one work with this DOI instead, whatever characters are in it.
    """
    if work := query.filter("work"):
        return Request(f"{URL}/{quote(work, safe='')}", secrets=SECRETS)
    text = answers.search_text(query, _OWN, TITLE)
    queries = [(key, value) for key, value in query.filters if key.startswith("query")]
    if text:
        queries.insert(0, (query.filter("field") or "query.bibliographic", text))
    filters = answers.api_filters(query, (*_OWN, *(key for key, _ in queries)), TITLE) + _dates(
        query, window
    )
    params = [*queries, ("filter", ",".join(filters)), ("cursor", _step(cursor)[1])]
    params += [(key, query.filter(key) or ("200" if key == "rows" else "")) for key in _PARAMS]
    return Request(URL, tuple((key, value) for key, value in params if value), secrets=SECRETS)


def _dates(query: Query, window: Window) -> list[str]:
    kind = (query.filter("window") or "from-index-date").removeprefix("from-")
    if window.start is None:
        return []
    return [f"from-{kind}:{answers.day(window.start)}", f"until-{kind}:{answers.day(window.end)}"]


def _step(cursor: str | None) -> tuple[int, str]:
    """The number of a page and Crossref's own cursor, which is often the same on every page and so
    needs the number.
    """
    number, _, own = (cursor or "1 *").partition(" ")
    return int(number), own


def parse(body: bytes, cursor: str | None) -> Page:
    """The works in a list, a single work or a bare list of works.

    Crossref sends a next-cursor with every page, so an empty page is the end (its total drifts and
    can't tell).
    """
    data = answers.read_json(body, NAME, TITLE)
    message = _message(data)
    works = _works(message, data)
    records, rejects = answers.read_items(works, _record, "items")
    own = string(mapping(message).get("next-cursor"))
    following = f"{_step(cursor)[0] + 1} {own}" if own and works else None
    return Page(records, following, rejects, answers.whole(mapping(message).get("total-results")))


def _message(data: Any) -> Any:
    """What is inside Crossref's envelope, or the data itself where it has none.

    An error in it is raised.
    """
    if not isinstance(data, dict) or not {"message-type", "message"} & data.keys():
        return data
    kind = string(data.get("message-type"))
    if data.get("status") not in ("ok", None) or kind in (
        "exception",
        "validation-failure",
        "resource-failure",
    ):
        raise _error(data)
    if kind not in ("work", "work-list", None):
        raise SourceBroken(
            f"Crossref sent an answer of type {kind!r}, not works: ask {URL}", source=NAME
        )
    if kind == "work-list" and not isinstance(mapping(data.get("message")).get("items"), list):
        raise SourceBroken(
            'Crossref\'s list "items" is missing: has its interface changed?', source=NAME
        )
    return data.get("message")


def _error(data: dict[str, Any]) -> LivereviewError:
    parts = [mapping(part) for part in sequence(data.get("message"))]
    said = "; ".join(
        string(part.get("message")) or string(part.get("type")) or "no message" for part in parts
    )[:300]
    if data.get("message-type") == "exception" or answers.busy(said):
        return Retry(f"Crossref failed on its side: {said}", source=NAME)
    if any(part.get("type") == "cursor-invalid" for part in parts):
        return Retry(
            "Crossref's cursor has expired (they live five minutes): search again from the start",
            source=NAME,
        )
    return SourceBroken(
        f"Crossref refused the search: {said or data.get('message-type')}", source=NAME
    )


def _works(message: Any, data: Any) -> list[Any]:
    items = message if isinstance(message, list) else mapping(message).get("items")
    works = items if isinstance(items, list) else [message]
    listed = isinstance(data, dict) and data.get("message-type") == "work-list"
    if not listed and not any(_is_work(mapping(work), message is not data) for work in works):
        raise answers.foreign(data, NAME, TITLE, "message with items, or a work with a DOI")
    return works


def _is_work(work: dict[str, Any], enveloped: bool) -> bool:
    """Whether a DOI makes it a work.

    Outside Crossref's envelope, where others say DOI too, its lists must show it.
    """
    return bool(string(work.get("DOI"))) and (
        enveloped or isinstance(work.get("title"), list) or "indexed" in work
    )


def _record(work: dict[str, Any]) -> Record | str:
    raw = string(work.get("DOI"))
    doi = clean_doi(raw)
    key = doi or safe((raw or "").lower(), 500)
    if key is None:
        return "no DOI"
    title, published = _title(work), _published(work)
    notice = _worst(work.get("update-to"))
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=names(_author(one) for one in sequence(work.get("author"))),
        year=clean_year(published),
        published=published,
        doi=doi,
        url=_url(work, doi),
        abstract=abstract(_once(string(work.get("abstract")))),
        language=plain(string(work.get("language")), 20),
        type=_NOTICES[notice] if notice else _type(work),
        retraction=None if notice else _retraction(work, title),
        related=relations.crossref(work, doi),
        **_host(work),
    )


def _host(work: dict[str, Any]) -> dict[str, str | None]:
    """The journal or book a work is in, and where in it."""
    return {
        "container_title": plain(_once(first(work.get("container-title")))),
        "volume": plain(string(work.get("volume")), 100),
        "issue": plain(string(work.get("issue")), 100),
        "pages": plain(string(work.get("page")) or string(work.get("article-number")), 100),
        "issn": clean_issn(" ".join(map(str, sequence(work.get("ISSN"))))),
        "isbn": clean_isbn("; ".join(map(str, sequence(work.get("ISBN"))))),
    }


def _once(text: str | None) -> str | None:
    """Text that publishers escaped twice ("&amp;amp;"), escaped once."""
    return re.sub(r"&amp;(?=(?:#?\w{2,8});)", "&", text) if text else None


def _title(work: dict[str, Any]) -> str | None:
    """The first title, and the subtitle unless it is a part of it."""
    title, subtitle = (
        plain(_once(first(work.get("title")))),
        plain(_once(first(work.get("subtitle")))),
    )
    if not title or not subtitle or subtitle.casefold() in title.casefold():
        return title
    return safe(f"{title}{'' if title[-1] in '?!:.' else ':'} {subtitle}", TITLE_LIMIT)


def _author(author: object) -> str | None:
    person = mapping(author)
    family, given = string(person.get("family")), string(person.get("given"))
    known = name(family, given, string(person.get("suffix")) if family else None)
    return known or name(
        string(person.get("name")) or string(person.get("literal")) or string(author)
    )


def _published(work: dict[str, Any]) -> str | None:
    """The earliest date Crossref knows, `published` or `issued`; [[null]] means that it knows none."""
    kinds = ("published", "issued", "published-online", "published-print", "posted")
    return next((date for kind in kinds if (date := _date(mapping(work.get(kind))))), None)


def _date(value: dict[str, Any]) -> str | None:
    parts = sequence(value.get("date-parts"))
    return answers.iso(*sequence(parts[0] if parts else None))


def _url(work: dict[str, Any], doi: str | None) -> str | None:
    landing = mapping(mapping(work.get("resource")).get("primary")).get("URL")
    doi_link = f"https://doi.org/{doi}" if doi else None
    return link(string(landing)) or link(string(work.get("URL"))) or link(doi_link)


def _type(work: dict[str, Any]) -> str | None:
    word = (plain(string(work.get("type")), 100) or "").lower()
    if word == "posted-content":
        subtype = (plain(string(work.get("subtype")), 100) or "preprint").lower().replace("_", "-")
        word = {"working-paper": "preprint", "other": "posted-content"}.get(subtype, subtype)
    return _TYPES.get(word, word) or None


def _retraction(work: dict[str, Any], title: str | None) -> str | None:
    if answers.marked_retracted(title):
        return "retracted"
    return _worst(work.get("updated-by"))


def _worst(updates: object) -> str | None:
    """The most severe of all updates: corrections are often listed before the retraction."""
    found = {_severity(mapping(update)) for update in sequence(updates)}
    return next((state for state in answers.RETRACTIONS if state in found), None)


def _severity(update: dict[str, Any]) -> str | None:
    """What an update does to a work.

    None for a new version or edition, and for words that say nothing of the kind.
    """
    words = (string(update.get("type")) or string(update.get("label")) or "").lower()
    if re.search(r"retract|withdraw|remov", words):
        return "retracted"
    if "concern" in words:
        return "expression-of-concern"
    if re.search(r"correct|corrig|errat|addend|clarif", words):
        return "corrected"
    return None


SECRETS = (("mailto", "LIVEREVIEW_MAILTO"),)
SOURCE = Source(NAME, TITLE, parse, request, interval=1.0, secrets=("LIVEREVIEW_MAILTO",))
