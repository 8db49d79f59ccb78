"""The recheck: included and queued reports are looked up again for retractions, corrections and
missing abstracts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import uuid4

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from livereview import fetch, parsing, replay, settings, sources
from livereview.client import Client
from livereview.commands import BeginLookup, FindDue, Finish, Ingest, MarkChecked
from livereview.endings import Ending, NightReport, ending_of
from livereview.errors import LivereviewError, SourceBroken
from livereview.fetch import paging
from livereview.fetch.paging import Shared
from livereview.sources import retractionwatch
from livereview.sources.open_copies import OpenCopy, told_by
from livereview.sources.protocol import Query, Window
from livereview.surveillance.lookups import NEEDS, SOURCES, Known, queries

from . import lanes, owner, progress, second_opinions, sharing
from .open_copies import fetch_copies
from .surveil import (
    LONGEST_SEARCH,
    LONGEST_TASK,
    SECONDS_DIGITS,
    forget,
    publish,
    tell,
    verdict,
)

Keep = Callable[[fetch.Answer], None]


@flow(name="recheck", flow_run_name="recheck-{review}", validate_parameters=False)
def recheck(
    review: str,
    home: str | None = None,
    now: str | None = None,
    record: str | None = None,
    via: str | None = None,
    night: str = "",
) -> State[NightReport]:
    """Ask each source about the reports that are due, and fetch open copies of full texts that are
    sought, from where the answers say they are.

    The run fails, after all is done, if a source did not answer.

    `now`, `record` and `via` are as in `flows.surveil`; `night` as in `flows.dispatch.search_one`.
    """
    chosen = settings.read(os.environ, Path(home) if home else None)
    moment = datetime.fromisoformat(now) if now else datetime.now(UTC)
    shared = sharing.of_night(chosen, night) if night else None
    keep = replay.Recorder(Path(record), chosen.reserve).keep if record else forget
    with owner.session(chosen) as client, lanes.fetcher(chosen, via) as fetcher:
        endings = []
        copies: list[OpenCopy] = []
        asked = [
            source for source in SOURCES if source not in NEEDS or NEEDS[source] in chosen.secrets
        ]
        with progress.bar(len(asked), "sources") as watch:
            for source in asked:
                counted = _reading(watch(source, keep), copies)
                reports = due_at(client, review, source, moment)
                if reports:
                    endings.append(
                        ask(client, fetcher, review, source, reports, moment, counted, shared)
                    )
                    tell(get_run_logger(), endings[-1])
        if copies and via is None:  # a recording has no full texts
            fetched = fetch_copies(client, fetcher, review, copies, moment)
            get_run_logger().info(
                "open copies: %d kept, %d tried in vain", fetched.kept, fetched.failed
            )
        published = publish(client, review, moment)
        if via is None:  # last: nobody waits for it
            second_opinions.ask(client, chosen, review, moment, get_run_logger())
    return verdict(NightReport(review, endings, published))


def due_at(client: Client, review: str, source: str, now: datetime) -> list[Known]:
    """The reports that a source is to be asked about."""
    due = client.run(FindDue(review=review, source=source, now=now))
    return [Known(report.record, report.doi, report.pmid) for report in due.reports]


def _reading(keep: Keep, copies: list[OpenCopy]) -> Keep:
    """`keep`, and the open copies that an answer tells of are added to `copies`."""

    def keep_and_read(answer: fetch.Answer) -> None:
        keep(answer)
        copies.extend(told_by(answer.source, answer.body))

    return keep_and_read


def look_up(
    client: Client,
    fetcher: fetch.Fetcher,
    review: str,
    source: str,
    reports: Sequence[Known],
    now: datetime,
    keep: Keep,
    shared: Shared | None = None,
) -> Ending:
    """Ask a source about these reports.

    Those of a batch count as checked once all of its answer is taken in.
    """
    search, error, started = uuid4().hex, None, monotonic()
    client.run(
        BeginLookup(
            review=review,
            source=source,
            search=search,
            now=now,
            runner=owner.runner(),
            run=owner.flow_run_id(),
        )
    )
    try:
        with fetcher.limited(LONGEST_SEARCH), owner.at_work(client, search):
            for query, records in queries(source, reports):
                for body, answer in _answers(fetcher, source, query, reports, now, shared):
                    keep(answer)
                    client.run(
                        Ingest(
                            search=search,
                            now=now,
                            body=body,
                            cursor=answer.cursor,
                            url=answer.url,
                            status=answer.status,
                        )
                    )
                client.run(
                    MarkChecked(review=review, source=source, records=list(records), now=now)
                )
    except LivereviewError as problem:
        error = str(problem)
    except Exception as bug:
        reason = f"a bug: {type(bug).__name__}: {bug}"
        client.run(Finish(search=search, now=now, error=reason))
        raise
    took = monotonic() - started
    ended = now + timedelta(seconds=int(took))
    finished = client.run(
        Finish(search=search, now=ended, error=error, seconds=round(took, SECONDS_DIGITS))
    )
    return ending_of(f"look-up: {source}", source, error, finished)


ask = task(
    task_run_name="look up at {source}",
    tags=["livereview", "look-up"],
    timeout_seconds=LONGEST_TASK,
    persist_result=False,
    cache_policy=NO_CACHE,
)(look_up)


def _answers(
    fetcher: fetch.Fetcher,
    source: str,
    query: Query,
    reports: Sequence[Known],
    now: datetime,
    shared: Shared | None,
) -> Iterator[tuple[bytes, fetch.Answer]]:
    """The answers with the bytes to take in.

    A single work that a source does not have (404) is an answer too.
    """
    try:
        for answer in paging.pages(
            fetcher,
            sources.find(source),
            query,
            Window(None, now),
            reader=parsing.reader(source),
            shared=shared,
        ):
            yield _wanted(source, answer.body, reports), answer
    except SourceBroken as problem:
        if problem.status != 404 or query.filter("work") is None:
            raise


def _wanted(source: str, body: bytes, reports: Sequence[Known]) -> bytes:
    """Retraction Watch sends all it knows; only what is about these reports is kept."""
    if source != retractionwatch.NAME:
        return body
    return retractionwatch.only(
        body, {r.doi for r in reports if r.doi}, {r.pmid for r in reports if r.pmid}
    )
