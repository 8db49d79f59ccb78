"""bioRxiv and medRxiv (https://api.biorxiv.org/details/…): preprints of a span of days, page by
page.

There is no keyword search: a search reads every preprint of its days, so the query of the protocol
is not applied and reviewers see all of them; most reviews do better with europepmc and `SRC:PPR`.
The filter `server` is medrxiv (default) or biorxiv, `category` one of its subject areas. Facts from
https://api.biorxiv.org.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from livereview.errors import Refused, SourceBroken
from livereview.links import LinkKind
from livereview.records import Record, clean_doi, clean_year
from livereview.sources import answers, relations
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, name, names, plain

NAME = "biorxiv"
TITLE = "bioRxiv and medRxiv"
URL = "https://api.biorxiv.org/details"
SERVERS = ("medrxiv", "biorxiv")
BEGINNING = datetime(2013, 11, 1, tzinfo=UTC)  # bioRxiv's first month


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """The preprints from a place on; the cursor is that place."""
    server = query.filter("server") or SERVERS[0]
    if server not in SERVERS:
        raise Refused(f"the filter server must be {' or '.join(SERVERS)}, not {server!r}")
    days = f"{answers.day(window.start or BEGINNING)}/{answers.day(window.end)}"
    category = query.filter("category")
    return Request(
        f"{URL}/{server}/{days}/{cursor or 0}/json", (("category", category),) if category else ()
    )


def parse(body: bytes, cursor: str | None) -> Page:
    """Every version on a page.

    Versions are one record, of which the last one counts, and they come in their order.
    """
    data = answers.read_json(body, NAME, TITLE)
    head = mapping(next(iter(sequence(mapping(data).get("messages"))), None))
    said = (string(head.get("status")) or "ok").lower()
    items = mapping(data).get("collection", [] if said == "no posts found" else None)
    if not items and said not in ("ok", "no posts found"):
        raise answers.refusal({"message": said}, NAME, TITLE) or SourceBroken(
            f"{TITLE} says: {said}", source=NAME
        )
    if not isinstance(items, list):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "messages and collection"
        )
    records, rejects = answers.read_items(items, _record, "collection")
    return Page(records, _next(head, len(items), cursor), rejects, answers.whole(head.get("total")))


def _next(head: dict[str, Any], count: int, cursor: str | None) -> str | None:
    """A page may have 30 or 100 entries, so the next one begins where this one says that it ends.

    A list of days without a total goes on until "no posts found"; a single preprint has no place in
    a list.
    """
    place, total = answers.whole(head.get("cursor")), answers.whole(head.get("total"))
    reached = (answers.whole(cursor) or 0 if place is None else place) + count
    more = reached < total if total is not None else place is not None
    return str(reached) if count and more else None


def _record(item: dict[str, Any]) -> Record | str:
    doi = clean_doi(string(item.get("doi")) or string(item.get("preprint_doi")))
    if doi is None:
        return "no DOI"
    server = string(item.get("server")) or string(item.get("preprint_platform"))
    published = answers.iso_date(item.get("date") or item.get("preprint_date"))
    people = string(item.get("authors")) or string(item.get("preprint_authors")) or ""
    title = plain(string(item.get("title")) or string(item.get("preprint_title")))
    withdrawn = "withdraw" in (string(item.get("type")) or "").lower() or answers.marked_retracted(
        title
    )
    return Record(
        source=NAME,
        source_key=doi,
        title=title,
        authors=names(name(one.strip()) for one in people.split(";")),
        year=clean_year(published),
        published=published,
        container_title=plain(server),
        doi=doi,
        url=f"https://doi.org/{doi}",
        abstract=abstract(string(item.get("abstract")) or string(item.get("preprint_abstract"))),
        type="preprint",
        related=relations.several(
            [
                relations.to_doi(
                    LinkKind.PREPRINT, item.get("published") or item.get("published_doi")
                )
            ],
            doi,
        ),
        retraction="retracted" if withdrawn else None,
    )


SOURCE = Source(NAME, TITLE, parse, request, interval=1.0)
