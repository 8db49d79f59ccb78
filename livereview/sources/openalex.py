"""OpenAlex works (https://api.openalex.org/works): lists by cursor, single works, and lists saved
by hand.

Filters with a meaning of their own: `window` (the date filter, default from_created_date, which may
need a paid plan: `fallback` then asks by publication date), `field` (default
title_and_abstract.search), `per_page` and `sort`. All others are sent as API filters. Facts from
https://developers.openalex.org, read in 2026.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.records import Record, clean_doi, clean_issn, clean_pmcid, clean_pmid, clean_year
from livereview.sources import answers, relations
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, names, plain

NAME = "openalex"
TITLE = "OpenAlex"
URL = "https://api.openalex.org/works"
_OWN = ("window", "field", "per_page", "sort")
_TYPES = {
    "article": "journal-article",
    "review": "journal-article",
    "dissertation": "thesis",
    "proceedings-article": "conference-paper",
    "book-section": "book-chapter",
    "monograph": "book",
    "retraction": "retraction-notice",
}
_OTHERS = {
    "A": "authors",
    "I": "institutions",
    "S": "journals and other hosts",
    "C": "concepts",
    "T": "topics",
    "F": "funders",
    "P": "publishers",
    "G": "awards",
}
# days between a work's publication and OpenAlex's learning of it that a window by publication must
# span
LATE = 90
_PLAN = re.compile(r"\bplans?\b|premium|^.{,99}from_(?:created|updated)_date")
_NEW_WINDOW = 'if your plan lacks created and updated dates, set window = "from_publication_date" in this search'


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page of a search, newest publication first: a fixed order, as relevance shifts while
    paging.
    """
    params = [
        ("filter", ",".join(_filters(query, window))),
        ("cursor", cursor or "*"),
        ("per_page", query.filter("per_page") or "200"),
        ("sort", query.filter("sort") or "publication_date:desc"),
    ]
    return Request(URL, tuple((name, value) for name, value in params if value), secrets=SECRETS)


def _filters(query: Query, window: Window) -> list[str]:
    text = answers.search_text(query, _OWN, TITLE)
    # a comma begins the next filter and a bar another value, in phrases too; the words are matched
    # without them
    text = " ".join(re.sub(r"[,|]", " ", text).split())
    if text:
        parts = [f"{query.filter('field') or 'title_and_abstract.search'}:{text}"]
    else:
        parts = []
    parts += answers.api_filters(query, _OWN, TITLE)
    if window.start is not None:
        since = query.filter("window") or "from_created_date"
        until = since.replace("from_", "to_", 1)
        parts += [f"{since}:{answers.day(window.start)}", f"{until}:{answers.day(window.end)}"]
    return parts


def fallback(
    query: Query, window: Window, refusal: LivereviewError
) -> tuple[Query, Window, str] | None:
    """Publication dates, `LATE` days further back, where created dates are not for this key and
    nobody chose them.
    """
    chosen = query.filter("window") is not None or window.start is None
    if chosen or refusal.status not in (400, 403, None) or not _PLAN.search(refusal.message):
        return None
    asked = replace(query, filters=(*query.filters, ("window", "from_publication_date")))
    note = f"created dates need a paid plan: searched by publication date, {LATE} days further back"
    assert window.start is not None
    return asked, Window(window.start - timedelta(days=LATE), window.end), note


def parse(body: bytes, cursor: str | None) -> Page:
    """The works in a list, a single work or a bare list of works.

    The last page has no cursor or no works.
    """
    data = answers.read_json(body, NAME, TITLE)
    if isinstance(data, dict) and data.get("error"):
        raise _error(data)
    works, meta = _works(data)
    records, rejects = answers.read_items(works, _record, "results")
    following = string(meta.get("next_cursor")) if works else None
    return Page(records, following, rejects, answers.whole(meta.get("count")))


def _error(data: dict[str, Any]) -> LivereviewError:
    said = f"{string(data.get('error')) or 'error'}: {string(data.get('message')) or 'no message'}"[
        :300
    ]
    if answers.busy(said):
        return Retry(
            f"OpenAlex can't answer now ({said}); a free key in OPENALEX_API_KEY has more budget",
            source=NAME,
        )
    if re.search(r"api key|unauthori[sz]ed", said, re.IGNORECASE):
        return SourceBroken(f"OpenAlex refused the key ({said}): set OPENALEX_API_KEY", source=NAME)
    hint = f": {_NEW_WINDOW}" if _PLAN.search(said) else ""
    return SourceBroken(f"OpenAlex refused the search ({said}){hint}", source=NAME)


def _works(data: Any) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(data, dict) and _is_work(data):
        return [data], {}
    meta = mapping(mapping(data).get("meta"))
    found = data if isinstance(data, list) else mapping(data).get("results")
    if meta and not found and mapping(data).get("group_by"):
        raise SourceBroken(
            "OpenAlex sent counts of groups, not works: leave out group_by", source=NAME
        )
    if meta and not isinstance(found, list):
        raise SourceBroken(
            'OpenAlex\'s list "results" is missing: has its interface changed?', source=NAME
        )
    works = found if isinstance(found, list) else [data]
    if not any(_is_work(work) for work in works):
        _check_kind(works)
        if not meta:
            raise answers.foreign(data, NAME, TITLE, "meta and results, or a work")
    return works, meta


def _check_kind(items: list[Any]) -> None:
    """SourceBroken where the items are OpenAlex's, but not works."""
    for item in items:
        if match := re.search(r"openalex\.org/(\w)(\w+)", string(mapping(item).get("id")) or ""):
            # "types" of .../types/article
            kind = _OTHERS.get(match.group(1), match.group(1) + match.group(2))
            raise SourceBroken(f"OpenAlex sent {kind}, not works: ask {URL}", source=NAME)


def _is_work(item: Any) -> bool:
    return _id(mapping(item)) is not None or (
        _key(mapping(item)) is not None and "open_access" in item
    )


def _id(work: dict[str, Any]) -> str | None:
    text = string(work.get("id")) or string(mapping(work.get("ids")).get("openalex")) or ""
    match = re.search(r"(?:^|openalex\.org/(?:works/)?)(W\d+)$", text, re.IGNORECASE)
    return match.group(1).upper() if match else None


def _key(work: dict[str, Any]) -> str | None:
    """The work's OpenAlex id; its DOI where the id was left out of the answer (select=doi)."""
    doi = None if work.get("id") else clean_doi(string(work.get("doi")))
    return _id(work) or (f"doi:{doi}" if doi else None)


DELETED = "W4285719527"  # "Deleted Work": what is merged into it says nothing of any work


def _record(work: dict[str, Any]) -> Record | str:
    key = _key(work)
    if key is None:
        return "no OpenAlex id of a work"
    if key == DELETED:
        return "OpenAlex's own placeholder for works that it has deleted"
    ids, place = mapping(work.get("ids")), mapping(work.get("primary_location"))
    doi = clean_doi(string(work.get("doi")) or string(ids.get("doi")))
    title = plain(string(work.get("title")) or string(work.get("display_name")))
    published = _published(work)
    return Record(
        source=NAME,
        source_key=key,
        title=title,
        authors=names(_author(mapping(one)) for one in sequence(work.get("authorships"))),
        year=clean_year(string(work.get("publication_year"))) or clean_year(published),
        published=published,
        doi=doi,
        pmid=clean_pmid(string(ids.get("pmid"))),
        pmcid=_pmcid(ids),
        url=link(string(place.get("landing_page_url")))
        or link(f"https://doi.org/{doi}" if doi else work.get("id")),
        abstract=_abstract(work.get("abstract_inverted_index")),
        language=plain(string(work.get("language")), 20),
        type=_type(work),
        retraction=_retraction(work, title),
        related=relations.openalex(work, doi),
        **_host(mapping(place.get("source")), mapping(work.get("biblio"))),
    )


def _host(venue: dict[str, Any], biblio: dict[str, Any]) -> dict[str, str | None]:
    """The journal or book a work is in, and where in it."""
    start, end = (plain(string(biblio.get(name)), 50) for name in ("first_page", "last_page"))
    return {
        "container_title": plain(string(venue.get("display_name"))),
        "volume": plain(string(biblio.get("volume")), 100),
        "issue": plain(string(biblio.get("issue")), 100),
        "pages": f"{start}-{end}" if start and end and start != end else start or end,
        "issn": clean_issn(" ".join(map(str, [venue.get("issn_l"), *sequence(venue.get("issn"))]))),
    }


def _published(work: dict[str, Any]) -> str | None:
    """The publication date.

    OpenAlex writes 1 January where it knows only the year: that day is read as the year.
    """
    date = answers.iso_date(work.get("publication_date")) or answers.iso_date(
        work.get("publication_year")
    )
    return date.removesuffix("-01-01") if date else None


def _author(authorship: dict[str, Any]) -> str | None:
    raw = string(authorship.get("raw_author_name")) or ""
    if re.fullmatch(
        r"[^\d,]+, ?[^\d,]+", raw
    ):  # "Family, Given"; more commas or digits are an affiliation
        return plain(raw, 200)
    return plain(string(mapping(authorship.get("author")).get("display_name")) or raw, 200)


def _pmcid(ids: dict[str, Any]) -> str | None:
    """OpenAlex gives PMC ids as an address whose last part may lack the letters PMC."""
    digits = re.search(r"(?<!\d)(\d++)/?$", string(ids.get("pmcid")) or "")
    return clean_pmcid(f"PMC{digits.group(1)}") if digits else None


def _abstract(index: object) -> str | None:
    """The text of an inverted index {word: [positions]}."""
    words = [
        (at, word)
        for word, places in mapping(index).items()
        for at in sequence(places)
        if isinstance(at, int)
    ]
    return abstract(string(" ".join(word for _, word in sorted(words))))


def _type(work: dict[str, Any]) -> str | None:
    word = (plain(string(work.get("type")), 100) or "").lower()
    return _TYPES.get(word, word) or None


def _retraction(work: dict[str, Any], title: str | None) -> str | None:
    if _type(work) == "retraction-notice":
        return None
    return (
        "retracted" if work.get("is_retracted") is True or answers.marked_retracted(title) else None
    )


SECRETS = (("api_key", "OPENALEX_API_KEY"),)
SOURCE = Source(
    NAME, TITLE, parse, request, fallback=fallback, interval=0.2, secrets=("OPENALEX_API_KEY",)
)
