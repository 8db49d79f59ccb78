"""DOAJ articles (https://doaj.org/api/v4/search/articles/…): lists by page, single articles.

The query is Lucene's syntax and travels in the path. Days are those of `last_updated`; the filter
`window` names another (created_date). Other filters are added as name:"value"; `pageSize` is the
size of a page. A search hands out 1,000 articles. Facts from https://doaj.org/api/v4/docs.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi, clean_issn, clean_year
from livereview.sources import answers
from livereview.sources.answers import first, mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "doaj"
TITLE = "DOAJ"
URL = "https://doaj.org/api/v4/search/articles/"
REACH = 1_000
SIZE = 100
_OWN = ("window", "pageSize")


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page; the cursor is its number."""
    text = answers.search_text(query, _OWN, TITLE)
    parts = [f"({text})"] if text else []
    parts += [f'{key}:"{value}"' for key, value in query.filters if key not in _OWN]
    if window.start is not None:
        days = f"{answers.day(window.start)}T00:00:00Z TO {answers.day(window.end)}T23:59:59Z"
        parts.append(f"{query.filter('window') or 'last_updated'}:[{days}]")
    params = (
        ("page", cursor or "1"),
        ("pageSize", query.filter("pageSize") or str(SIZE)),
        ("sort", "created_date:asc"),
    )
    return Request(URL + quote(" AND ".join(parts), safe=""), params)


def parse(body: bytes, cursor: str | None) -> Page:
    """The articles of a page, a single one or a bare list.

    The last page is short or reaches the total.
    """
    data = answers.read_json(body, NAME, TITLE)
    if isinstance(data, dict) and "results" in data:
        found = mapping(data).get("results")
    else:
        found = data
    items = found if isinstance(found, list) else [found]
    if any("pissn" in mapping(mapping(item).get("bibjson")) for item in items):
        raise SourceBroken(f"DOAJ sent journals, not articles: ask {URL}", source=NAME)
    listed = isinstance(data, dict) and isinstance(data.get("results"), list)
    articles = any(mapping(item).get("bibjson") for item in items)
    if not articles and not (listed and not items and "page" in data):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "results with bibjson"
        )
    records, rejects = answers.read_items(items, _record, "results")
    if not listed:
        return Page(records, rejects=rejects)
    total, number = (
        answers.whole(data.get("total")),
        answers.whole(data.get("page")) or int(cursor or 1),
    )
    size = answers.whole(data.get("pageSize")) or SIZE
    more = answers.next_place(
        (number - 1) * size, min(len(items), 1) * size, total, NAME, TITLE, REACH
    )
    return Page(records, str(number + 1) if more else None, rejects, total)


def _record(item: dict[str, Any]) -> Record | str:
    bib = mapping(item.get("bibjson"))
    ids = {
        string(mapping(one).get("type")): string(mapping(one).get("id"))
        for one in sequence(bib.get("identifier"))
    }
    doi, key = clean_doi(ids.get("doi") or ids.get("DOI")), plain(string(item.get("id")), 100)
    if not (key or doi):
        return "neither id nor DOI"
    journal = mapping(bib.get("journal"))
    published = answers.iso(string(bib.get("year")), string(bib.get("month")))
    start, end = string(bib.get("start_page")), string(bib.get("end_page"))
    issns = [ids.get("pissn"), ids.get("eissn"), *map(string, sequence(journal.get("issns")))]
    address = next((string(mapping(one).get("url")) for one in sequence(bib.get("link"))), None)
    return Record(
        source=NAME,
        source_key=key or f"doi:{doi}",
        title=plain(string(bib.get("title"))),
        authors=names(
            name(string(mapping(one).get("name"))) for one in sequence(bib.get("author"))
        ),
        year=clean_year(string(bib.get("year"))),
        published=published,
        container_title=plain(string(journal.get("title"))),
        volume=plain(string(journal.get("volume")), 100),
        issue=plain(string(journal.get("number")), 100),
        pages=plain(f"{start}-{end}" if start and end and start != end else start or end, 100),
        doi=doi,
        issn=clean_issn(" ".join(filter(None, issns))),
        url=link(address) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(string(bib.get("abstract"))),
        language=plain(first(journal.get("language")), 20),
        type="journal-article",
    )


SOURCE = Source(NAME, TITLE, parse, request, interval=0.5, reach=REACH)
