"""Scopus, by its Search API (https://api.elsevier.com/content/search/scopus), with the key of
whoever subscribes.

The query is Scopus' advanced search. Days are those on which Scopus loaded a document
(ORIG-LOAD-DATE); the filter `window` names another field of days. Filters are sent as parameters
(date, subj, sort …); `view` is COMPLETE (abstracts, all authors) or STANDARD, `paging` is cursor or
start. A key without a subscription may neither see COMPLETE nor use cursors: the search then goes on
with STANDARD and start, which has first authors only, no abstracts, and 5,000 documents at most.

Keys: LIVEREVIEW_SCOPUS_KEY, and LIVEREVIEW_SCOPUS_INSTTOKEN where the institution has a token.
Facts from https://dev.elsevier.com/documentation/ScopusSearchAPI.wadl and sc_search_tips.html.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "scopus"
TITLE = "Scopus"
URL = "https://api.elsevier.com/content/search/scopus"
REACH = 5_000  # by places; cursors have no end, but nobody knows beforehand which a key may use
SIZES = {"COMPLETE": 25, "STANDARD": 200}
NO_SUBSCRIPTION = (
    "asked without abstracts and for first authors only: the key may not see Scopus' complete view"
)
_OWN = ("window", "view", "paging")
_TYPES = {
    "ar": "journal-article",
    "ip": "journal-article",
    "re": "journal-article",
    "dp": "journal-article",
    "sh": "journal-article",
    "cp": "conference-paper",
    "ab": "conference-abstract",
    "ch": "book-chapter",
    "bk": "book",
    "ed": "editorial",
    "le": "letter",
    "no": "note",
    "er": "erratum",
    "rp": "report",
    "tb": "journal-article",
}
_RETRACTED = "tb"  # Scopus' code for what was retracted


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page, by Scopus' own cursor or by the place of its first document."""
    view = query.filter("view") or "COMPLETE"
    parts = [f"({text})"] if (text := answers.search_text(query, _OWN, TITLE)) else []
    if window.start is not None:
        field = query.filter("window") or "ORIG-LOAD-DATE"
        before, after = window.start - timedelta(days=1), window.end + timedelta(days=1)
        parts += [f"{field} AFT {_compact(before)}", f"{field} BEF {_compact(after)}"]
    params = [("query", " AND ".join(parts)), ("view", view)]
    params += [(field, value) for field, value in query.filters if field not in _OWN]
    params.append(("count", str(SIZES.get(view, 25))))
    place, _, own = (cursor or "0").partition(" ")
    by_place = query.filter("paging") == "start" or (cursor is not None and not own)
    params.append(("start", place) if by_place else ("cursor", own or "*"))
    return Request(URL, tuple(params), (("Accept", "application/json"),), secrets=SECRETS)


def _compact(moment: datetime) -> str:
    return answers.day(moment).replace("-", "")


def parse(body: bytes, cursor: str | None) -> Page:
    """The documents of a page; an empty one holds an entry that says so."""
    data = answers.read_json(body, NAME, TITLE)
    found = mapping(mapping(data).get("search-results"))
    if not found:
        raise (
            _error(data)
            or answers.refusal(data, NAME, TITLE)
            or answers.foreign(data, NAME, TITLE, "search-results")
        )
    items = [item for item in sequence(found.get("entry")) if "error" not in mapping(item)]
    records, rejects = answers.read_items(items, _record, "entry")
    total = answers.whole(found.get("opensearch:totalResults"))
    return Page(records, _following(found, len(items), total, cursor), rejects, total)


def _following(
    found: dict[str, Any], count: int, total: int | None, cursor: str | None
) -> str | None:
    """The next place, or Scopus' next cursor with the number of documents that were read by then.

    Scopus sends a next cursor with the last page too, so the number tells the end.
    """
    own = string(mapping(found.get("cursor")).get("@next"))
    if own is None:
        start = answers.whole(found.get("opensearch:startIndex")) or _read_by(cursor)
        place = answers.next_place(start, count, total, NAME, TITLE, REACH)
        return str(place) if place else None
    place = answers.next_place(_read_by(cursor), count, total, NAME, TITLE)
    return f"{place} {own}" if place else None


def _read_by(cursor: str | None) -> int:
    """How many documents the pages before held: our cursor begins with it."""
    return int((cursor or "0").partition(" ")[0])


def _error(data: Any) -> LivereviewError | None:
    """What "service-error" or "error-response" says: Retry where a quota is used up."""
    told = mapping(mapping(data).get("service-error")).get("status") or mapping(data).get(
        "error-response"
    )
    code = string(mapping(told).get("statusCode")) or string(mapping(told).get("error-code"))
    text = string(mapping(told).get("statusText")) or string(mapping(told).get("error-message"))
    if code is None and text is None:
        return None
    words = f"{text or 'no message'} ({code or 'no code'})"[:300]
    if "QUOTA" in (code or "") or "RATE" in (code or "") or answers.busy(words):
        return Retry(f"Scopus has no more requests for this key now: {words}", source=NAME)
    return SourceBroken(f"Scopus refused: {words}; check LIVEREVIEW_SCOPUS_KEY", source=NAME)


def _record(entry: dict[str, Any]) -> Record | str:
    doi = clean_doi(string(entry.get("prism:doi")))
    number = (string(entry.get("dc:identifier")) or "").removeprefix("SCOPUS_ID:")
    key = string(entry.get("eid")) or (f"2-s2.0-{number}" if number.isdigit() else None)
    if key is None:
        return "no EID"
    title = plain(string(entry.get("dc:title")))
    published = answers.iso_date(entry.get("prism:coverDate"))
    kind = (string(entry.get("subtype")) or "").lower()
    isbns = "; ".join(_texts(entry.get("prism:isbn"))).strip("[]")
    retracted = kind == _RETRACTED or answers.marked_retracted(title)
    return Record(
        source=NAME,
        source_key=key[:100],
        title=title,
        authors=_authors(entry),
        year=clean_year(published),
        published=published,
        container_title=plain(string(entry.get("prism:publicationName"))),
        volume=plain(string(entry.get("prism:volume")), 100),
        issue=plain(string(entry.get("prism:issueIdentifier")), 100),
        pages=plain(
            string(entry.get("prism:pageRange")) or string(entry.get("article-number")), 100
        ),
        doi=doi,
        pmid=clean_pmid(string(entry.get("pubmed-id"))),
        issn=_issn(entry),
        isbn=clean_isbn(isbns),
        url=_page_of(entry) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(string(entry.get("dc:description"))),
        type=_TYPES.get(kind) or plain((string(entry.get("subtypeDescription")) or "").lower()),
        retraction="retracted" if retracted else None,
    )


def _authors(entry: dict[str, Any]) -> tuple[str, ...]:
    """All authors where the view has them, else the first."""
    people = [mapping(one) for one in sequence(entry.get("author"))]
    listed = names(
        name(
            string(person.get("surname")) or string(person.get("authname")),
            string(person.get("given-name")) or string(person.get("initials")),
        )
        for person in people
    )
    return listed or names([name(string(entry.get("dc:creator")))])


def _texts(value: Any) -> list[str]:
    """The texts of a value that is one, or a list of {"$": text}."""
    texts = [string(mapping(part).get("$")) or string(part) for part in sequence(value)]
    return [text for text in texts if text]


def _issn(entry: dict[str, Any]) -> str | None:
    """Scopus writes an ISSN without its hyphen."""
    for field in ("prism:issn", "prism:eIssn"):
        for text in _texts(entry.get(field)):
            bare = text.replace("-", "").strip()
            if issn := clean_issn(f"{bare[:4]}-{bare[4:8]}"):
                return issn
    return None


def _page_of(entry: dict[str, Any]) -> str | None:
    links = [mapping(one) for one in sequence(entry.get("link"))]
    shown = next((one for one in links if one.get("@ref") == "scopus"), {})
    return link(string(shown.get("@href")))


def fallback(
    query: Query, window: Window, problem: LivereviewError
) -> tuple[Query, Window, str] | None:
    """The smaller view by places, for a key without a subscription."""
    refused = getattr(problem, "status", None) in (401, 403)
    if not refused or query.filter("view") == "STANDARD":
        return None
    kept = tuple(pair for pair in query.filters if pair[0] not in ("view", "paging"))
    smaller = Query(query.text, (*kept, ("view", "STANDARD"), ("paging", "start")), query.url)
    return smaller, window, NO_SUBSCRIPTION


SECRETS = (
    ("header:X-ELS-APIKey", "LIVEREVIEW_SCOPUS_KEY"),
    ("header:X-ELS-Insttoken", "LIVEREVIEW_SCOPUS_INSTTOKEN"),
)
SOURCE = Source(
    NAME,
    TITLE,
    parse,
    request,
    fallback=fallback,
    interval=0.5,
    reach=REACH,
    secrets=("LIVEREVIEW_SCOPUS_KEY", "LIVEREVIEW_SCOPUS_INSTTOKEN"),
)
