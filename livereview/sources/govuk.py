"""GOV.UK's search (https://www.gov.uk/api/search.json): what the UK government publishes.

The query is what the site's search box takes: words, and phrases in double quotes. Days are those
of `public_timestamp`, the last change that readers are told of. Filters are sent as the interface's
own (`organisations`, `content_purpose_supergroup`, `content_store_document_type` …, without its
"filter_"). It refuses what it doesn't know with status 422. A search hands out 10,000 documents.

Facts from https://docs.publishing.service.gov.uk/repos/search-api/using-the-search-api.html.
"""

from __future__ import annotations

from typing import Any

from livereview.records import Record, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, link, name, names, plain

NAME = "govuk"
TITLE = "GOV.UK"
URL = "https://www.gov.uk/api/search.json"
SITE = "https://www.gov.uk"
REACH = 10_000
SIZE = 500
_FIELDS = (
    *("title", "description", "link", "content_id", "public_timestamp", "organisations"),
    *("content_store_document_type", "is_withdrawn"),
)
# The site's kinds of documents that report or plan something; all others are pages of the site.
_REPORTS = frozenset(
    (
        "aaib_report", "case_study", "closed_consultation", "consultation_outcome",
        "corporate_report", "foi_release", "guidance", "html_publication", "impact_assessment",
        "independent_report", "international_treaty", "national_statistics",
        "official_statistics", "open_consultation", "policy_paper", "publication", "research",
        "research_for_development_output", "statistics", "statutory_guidance", "transparency",
    )
)  # fmt: skip


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page, from the oldest change on; the cursor is the place of its first document."""
    text = answers.search_text(query, (), TITLE)
    params = [("q", text)] if text else []
    params += [(f"filter_{field}", value) for field, value in query.filters]
    if window.start is not None:
        days = f"from:{answers.day(window.start)},to:{answers.day(window.end)}"
        params.append(("filter_public_timestamp", days))
    params += [("fields", field) for field in _FIELDS]
    params += [("order", "public_timestamp"), ("count", str(SIZE)), ("start", cursor or "0")]
    return Request(URL, tuple(params))


def parse(body: bytes, cursor: str | None) -> Page:
    """The documents of a page."""
    data = answers.read_json(body, NAME, TITLE)
    items = mapping(data).get("results")
    if not isinstance(items, list) or not _is_ours(data, items):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "results with links, total and start"
        )
    records, rejects = answers.read_items(items, _record, "results")
    start, total = (
        answers.whole(data.get("start")) or int(cursor or 0),
        answers.whole(data.get("total")),
    )
    following = answers.next_place(start, len(items), total, NAME, TITLE, REACH)
    return Page(records, str(following) if following else None, rejects, total)


def _is_ours(data: dict[str, Any], items: list[Any]) -> bool:
    linked = not items or any("link" in mapping(item) for item in items)
    return linked and "start" in data and ("aggregates" in data or "suggested_queries" in data)


def _record(item: dict[str, Any]) -> Record | str:
    path = string(item.get("link"))
    address = link(f"{SITE}{path}" if path and path.startswith("/") else path)
    key = string(item.get("content_id")) or path
    if key is None or address is None:
        return "no address"
    bodies = [mapping(body) for body in sequence(item.get("organisations"))]
    changed = answers.iso_date(item.get("public_timestamp"))
    kind = string(item.get("content_store_document_type")) or ""
    return Record(
        source=NAME,
        source_key=key[:500],
        title=plain(string(item.get("title"))),
        authors=names(name(string(body.get("title"))) for body in bodies),
        year=clean_year(changed),
        published=changed,
        container_title=TITLE,
        url=address,
        abstract=abstract(string(item.get("description"))),
        language="en",
        type="report" if kind in _REPORTS else "web-page",
        retraction="retracted" if item.get("is_withdrawn") is True else None,
    )


SOURCE = Source(NAME, TITLE, parse, request, interval=1.0, reach=REACH)
