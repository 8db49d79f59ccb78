"""Fetching open copies of full texts that a review seeks, from where its look-ups say they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from livereview import fetch
from livereview.client import Client
from livereview.commands import FindWantedCopies, TakeOpenCopy
from livereview.errors import LivereviewError
from livereview.sources.open_copies import OpenCopy
from livereview.sources.protocol import Page, Request, Source

MOST_TRIED = 3  # copies of one report: the published version, and two more where that can't be had
MOST_FETCHED = 200  # files in one run; the next night goes on


def _never(_body: bytes, _cursor: str | None) -> Page:
    """Nobody reads a PDF as records."""
    return Page()


SOURCE = Source("open copy", "The open copy", _never, interval=2.0)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a run brought: files kept, and tries that failed."""

    kept: int = 0
    failed: int = 0


def fetch_copies(
    client: Client, fetcher: fetch.Fetcher, review: str, told: Iterable[OpenCopy], now: datetime
) -> Fetched:
    """Fetch a copy of each report that wants one, from the places that were told, best first.

    A place that was tried in the last three months is left out. What can't be had is kept with the
    reason, and never fails the run.
    """
    answer = client.run(FindWantedCopies(review=review, now=now))
    tried = frozenset(answer.tried)
    by_doi: dict[str, list[OpenCopy]] = {}
    for copy in told:
        if copy.url not in tried:
            by_doi.setdefault(copy.doi, []).append(copy)
    kept = failed = 0
    for wanted in answer.reports:
        places: dict[str, OpenCopy] = {}
        for doi in wanted.dois:
            for copy in by_doi.get(doi, ()):
                places.setdefault(copy.url, copy)
        for copy in list(places.values())[:MOST_TRIED]:
            if kept + failed >= MOST_FETCHED:
                return Fetched(kept, failed)
            if _take(client, fetcher, review, wanted.record, copy, now):
                kept += 1
                break
            failed += 1
    return Fetched(kept, failed)


def _take(
    client: Client,
    fetcher: fetch.Fetcher,
    review: str,
    record: str,
    copy: OpenCopy,
    now: datetime,
) -> bool:
    """Whether the file is kept with its report now."""
    body: bytes | None = None
    problem: str | None = None
    try:
        body = fetcher.get(Request(copy.url), SOURCE).body
    except LivereviewError as error:
        problem = error.message
    name = f"{review}\0{record}\0{copy.url}\0{now.isoformat()}"
    sent = TakeOpenCopy(
        id=sha256(name.encode()).hexdigest(),
        review=review,
        record=record,
        url=copy.url,
        origin=copy.origin,
        licence=copy.licence,
        version=copy.version,
        body=body,
        problem=problem,
        now=now,
    )
    return client.run(sent).sha256 is not None
