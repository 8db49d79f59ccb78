"""The nightly run: search every source of a review, take in what came, publish what changed.

Searches run one after another, in the protocol's order: a night is bound by the sources' own
limits, and a replay of the same answers then gives the same reports in the same order. One source's
failure never stops the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from livereview import fetch, parsing, replay, review_toml, settings, sources
from livereview.client import Client
from livereview.commands import (
    Begin,
    Finish,
    Ingest,
    LoseNight,
    Publish,
    ReadProtocol,
    Register,
)
from livereview.commands.publishing import Published
from livereview.endings import ALREADY_RUN, Ending, NightReport, ending_of
from livereview.errors import LivereviewError, Refused
from livereview.fetch import paging
from livereview.fetch.paging import Shared
from livereview.review import Review, Search
from livereview.sources import citations
from livereview.sources.protocol import Query, Window

from . import lanes, owner, progress

# seconds; 10,000 pages come in less from every source here, and others wait for their turn
LONGEST_SEARCH = 4 * 3600.0
LONGEST_TASK = LONGEST_SEARCH + 1800  # the last net, should that limit not bite
SECONDS_DIGITS = 3  # of how long a search took


def forget(answer: fetch.Answer) -> None:
    """Keep no recording."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a search is run.

    Attributes:
        keep: What is done with each answer, such as to record it.
        clock_is_right: Somebody says that `now` is right, though the last event is later.
        replayed: `now` is no present time. Time then stands still, so that a slow machine publishes
            the same bytes.
        shared: Answers that other searches of the night asked for.
        due: The slot that it is run for, for which it then runs once; None: somebody wants it now.
    """

    keep: Callable[[fetch.Answer], None] = forget
    clock_is_right: bool = False
    replayed: bool = False
    shared: Shared | None = None
    due: datetime | None = None


AS_USUAL = Options()


def run_search(
    client: Client,
    fetcher: fetch.Fetcher,
    review: str,
    plan: Search,
    now: datetime,
    options: Options = AS_USUAL,
) -> Ending:
    """Run one search to its end and say how it ended.

    What the source does wrong is part of the answer, never raised.

    A bug is raised, after the search was ended as failed; so is the owner's refusal to begin (a
    wrong clock).
    """
    source = sources.find(plan.source)
    begun = client.run(
        Begin(
            review=review,
            name=plan.name,
            search=uuid4().hex,
            now=now,
            runner=owner.runner(),
            run=owner.flow_run_id(),
            clock_is_right=options.clock_is_right,
            due=options.due,
        )
    )
    if begun.search is None or begun.end is None:
        return Ending(plan.name, plan.source, begun.why, ALREADY_RUN)
    search, error, started = begun.search, None, monotonic()
    window = Window(begun.start, begun.end)
    try:
        with fetcher.limited(LONGEST_SEARCH), owner.at_work(client, search):
            for query in queries(plan, begun.seeds):
                for answer in paging.pages(
                    fetcher,
                    source,
                    query,
                    window,
                    reader=parsing.reader(plan.source),
                    shared=options.shared,
                ):
                    options.keep(answer)
                    client.run(page_of(search, answer, now, more=True))
    except LivereviewError as problem:
        error = str(problem)
    except Exception as bug:
        reason = f"a bug: {type(bug).__name__}: {bug}"
        client.run(Finish(search=search, now=now, error=reason))
        raise
    # Ctrl-C, a cancelled run, a time limit: ended now, if the owner still answers
    except BaseException as stop:
        with suppress(Exception):
            client.run(Finish(search=search, now=now, error=f"stopped: {type(stop).__name__}"))
        raise
    took = monotonic() - started
    ended = now if options.replayed else now + timedelta(seconds=int(took))
    finished = client.run(
        Finish(search=search, now=ended, error=error, seconds=round(took, SECONDS_DIGITS))
    )
    return ending_of(plan.name, plan.source, error, finished)


def page_of(search: str, answer: fetch.Answer, now: datetime, *, more: bool = False) -> Ingest:
    """An answer of a source as the owner takes it in; `more` as in `Ingest`."""
    return Ingest(
        search=search,
        now=now,
        body=answer.body,
        cursor=answer.cursor,
        url=answer.url,
        status=answer.status,
        quota=answer.quota,
        note=answer.note,
        more=more,
    )


def queries(plan: Search, seeds: Sequence[str] | None) -> Iterator[Query]:
    """What a search asks: the protocol's query or, where it chases citations, one for each batch of
    works.
    """
    if seeds is None:
        yield Query(plan.query, plan.filters, plan.url)
    else:
        yield from citations.chase(seeds)


@flow(name="surveil", flow_run_name="surveil-{review}", validate_parameters=False)
def surveil(
    review: str,
    protocol: str | None = None,
    home: str | None = None,
    only: Sequence[str] | None = None,
    now: str | None = None,
    record: str | None = None,
    via: str | None = None,
    clock_is_right: bool = False,
) -> State[NightReport]:
    """Search, ingest and publish for one review.

    The run fails, after all is done, if any search did not run through.

    Args:
        protocol: Path of a review.toml to put in force first; None keeps the one the database has.
        only: Names of searches; None: all.
        now: ISO time to take as the present, for replays.
        record: A folder to keep every answer in.
        via: Address of a local server that answers in the publishers' place.
        clock_is_right: Believe the clock although earlier nights carry later times.
    """
    chosen = settings.read(os.environ, Path(home) if home else None)
    moment = datetime.fromisoformat(now) if now else datetime.now(UTC)
    keep = replay.Recorder(Path(record), chosen.reserve).keep if record else forget
    with (
        owner.session(chosen, new=protocol is not None) as client,
        lanes.fetcher(chosen, via) as fetcher,
    ):
        if protocol:
            client.run(Register(text=Path(protocol).read_text(encoding="utf-8"), now=moment))
        in_force = client.run(ReadProtocol(review=review))
        plans = chosen_searches(review_toml.parse(in_force.text, accepted=True), only)
        if in_force.status == "retired":
            return retired(review, publish(client, review, moment))
        with progress.bar(len(plans), "searches") as watch:
            endings = [
                search(
                    client,
                    fetcher,
                    review,
                    plan,
                    moment if now else datetime.now(UTC),
                    Options(watch(plan.name, keep), clock_is_right, replayed=now is not None),
                )
                for plan in plans
            ]
        published = publish(client, review, moment)
    return verdict(NightReport(review, endings, published))


def retired(review: str, published: Published) -> State[NightReport]:
    """A night without searches, which is as it should be: nothing failed."""
    how = f"livereview retire --review {review} --revive WHY --by NAME"
    note = f"{review} is retired: nothing was searched. To move that it comes back: {how}"
    get_run_logger().info("%s", note)
    return Completed(message=note, data=NightReport(review, published=published, note=note))


def chosen_searches(review: Review, only: Sequence[str] | None) -> tuple[Search, ...]:
    """The searches of these names, in the protocol's order.

    Raises:
        Refused: for a name it does not have.
    """
    known = [search.name for search in review.searches]
    if unknown := set(only or ()) - set(known):
        raise Refused(
            f"review {review.id} has no search {', '.join(sorted(unknown))}; it has {', '.join(known)}"
        )
    return tuple(search for search in review.searches if only is None or search.name in only)


@task(
    task_run_name="search {plan.name}",
    tags=["livereview", "search"],
    timeout_seconds=LONGEST_TASK,
    persist_result=False,
    cache_policy=NO_CACHE,
)
def search(
    client: Client,
    fetcher: fetch.Fetcher,
    review: str,
    plan: Search,
    now: datetime,
    options: Options = AS_USUAL,
) -> Ending:
    """One search as a task, its ending in the run's log."""
    ending = ended_search(client, fetcher, review, plan, now, options)
    tell(get_run_logger(), ending)
    return ending


def ended_search(
    client: Client,
    fetcher: fetch.Fetcher,
    review: str,
    plan: Search,
    now: datetime,
    options: Options = AS_USUAL,
) -> Ending:
    """As `run_search`; one that was not let begin is a failed one, and in the ledger.

    Only this search is lost then: the others of the night go on.
    """
    try:
        return run_search(client, fetcher, review, plan, now, options)
    except Refused as refusal:
        reason = refusal.message
    client.run(LoseNight(review=review, what=plan.name, reason=reason, now=now, id=uuid4().hex))
    return Ending(name=plan.name, source=plan.source, error=reason, outcome="failed")


def tell(log: Any, ending: Ending) -> None:
    """How a search ended, in the run's log."""
    if ending.is_done:
        log.info("%s", sentence(ending))
    else:
        log.error("%s", sentence(ending))


@task(persist_result=False, cache_policy=NO_CACHE)
def publish(client: Client, review: str, now: datetime) -> Published:
    """Bring the published folder up to date, as a task."""
    return client.run(Publish(review=review, now=now))


def sentence(ending: Ending) -> str:
    """How a search ended, in words."""
    brought = (
        f"{ending.found} found, {ending.fresh} new, "
        f"{ending.changed} changed, {ending.rejected} rejected"
    )
    words = f"{ending.name}: {ending.outcome}, {brought}"
    return f"{words} - {ending.error}" if ending.error else words


def verdict(night: NightReport) -> State[NightReport]:
    """The state of a night's run: failed where a search did not run through."""
    broken = [ending for ending in night.searches if not ending.ran_through]
    many = len(night.searches)
    if not broken:
        return Completed(message=f"all {many} searches ran through", data=night)
    words = "; ".join(sentence(ending) for ending in broken)
    return Failed(
        message=f"{len(broken)} of {many} searches did not run through: {words}", data=night
    )
