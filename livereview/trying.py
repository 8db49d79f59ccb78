"""Asks a source what a query would find, once, in a process of its own: the owner never fetches.

    python -m livereview.trying < asked.json > found.json

Nothing is stored. What a source or a reader does wrong is part of the answer.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from livereview import sources
from livereview.errors import LivereviewError
from livereview.fetch import Fetcher, paging
from livereview.records import Record
from livereview.settings import read
from livereview.sources.protocol import Page, Query, Window

SHOWN = 10  # hits with their titles
MOST_READ = 200  # hits that are compared with what the review has: a first page has as many
MOST_PAGES = 3  # some sources send numbers first and the works afterwards
LONGEST = 60  # seconds of all of it
MEMORY = 2_000_000_000  # bytes of address space: what a hostile answer may take


@dataclass(frozen=True, slots=True)
class Asked:
    """What is tried: a search of a protocol, without what tells when it runs.

    Attributes:
        start: ISO day before which it does not look; None: since ever.
        via: Address of a local server that answers in the source's place; None: the source does.
    """

    source: str
    query: str
    filters: tuple[tuple[str, str], ...]
    url: str | None
    start: str | None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that the query finds, by what it is known in a review."""

    record_id: str
    title: str | None
    authors: tuple[str, ...]
    year: int | None
    container_title: str | None
    doi: str | None
    pmid: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What came.

    Attributes:
        total: As the source says; None where it does not, and not all was read.
        hits: Those that were read, at most MOST_READ.
        whole: Whether these are all.
        warnings: The source's words on what it did not run as asked; and of what was rejected.
        problem: Why nothing came.
    """

    total: int | None = None
    hits: tuple[Hit, ...] = ()
    whole: bool = False
    warnings: tuple[str, ...] = ()
    problem: str | None = None


def attempt(asked: Asked, secrets: Mapping[str, str], now: datetime) -> Found:
    """Ask the source; what goes wrong is `problem`."""
    try:
        source = sources.find(asked.source)
        if asked.start:
            start = datetime.fromisoformat(asked.start).replace(tzinfo=UTC)
        else:
            start = None
        query, window = Query(asked.query, asked.filters, asked.url), Window(start, now)
        read_page, pages = paging.here(source), list[Page]()

        def reader(body: bytes, query: Query, cursor: str | None) -> Page:
            pages.append(read_page(body, query, cursor))
            return pages[-1]

        note = None
        with Fetcher(secrets=secrets, via=asked.via) as fetcher:
            for answer in paging.pages(fetcher, source, query, window, reader=reader):
                note = answer.note
                if _enough(pages):
                    break
        return _found(pages, note)
    except LivereviewError as error:
        return Found(problem=str(error))


def _enough(pages: list[Page]) -> bool:
    return len(pages) >= MOST_PAGES or sum(len(page.records) for page in pages) >= SHOWN


def _found(pages: list[Page], note: str | None) -> Found:
    records = {record.record_id: record for page in pages for record in page.records}
    hits = tuple(_hit(record) for record in list(records.values())[:MOST_READ])
    whole = pages[-1].next_cursor is None and len(hits) == len(records)
    totals = [page.total for page in pages if page.total is not None]
    rejected = sum(len(page.rejects) for page in pages)
    warnings = [warning for page in pages for warning in page.warnings]
    if note:
        warnings.append(note)
    if rejected:
        warnings.append(f"{rejected} of what came could not be read as records")
    counted = len(hits) if whole else None
    total = totals[0] if totals else counted
    return Found(total, hits, whole, tuple(dict.fromkeys(warnings)))


def _hit(record: Record) -> Hit:
    return Hit(
        record.record_id,
        record.title,
        record.authors,
        record.year,
        record.container_title,
        record.doi,
        record.pmid,
        record.url,
    )


def to_json(asked: Asked) -> str:
    """As the process reads it."""
    return json.dumps(asdict(asked))


def from_json(text: str) -> Found:
    """What the process wrote; raises ValueError for anything else."""
    data: dict[str, Any] = json.loads(text)
    hits = tuple(Hit(**{**hit, "authors": tuple(hit["authors"])}) for hit in data.pop("hits"))
    return replace(Found(**data), hits=hits, warnings=tuple(data["warnings"]))


def main() -> None:
    """Read what is asked, ask it, write what came."""
    signal.alarm(LONGEST)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    given = json.loads(sys.stdin.read())
    asked = Asked(**{**given, "filters": tuple((name, value) for name, value in given["filters"])})
    found = attempt(asked, read(os.environ).secrets, datetime.now(UTC))
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
