"""From a publisher's bytes to records and reports: begin a search, take in its pages, end it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from livereview import parsing, review_toml, sources
from livereview.errors import LivereviewError, Refused
from livereview.ops import feed_items, nights, protocol_drafts, tasks
from livereview.ops.protocols import parsed, protocol
from livereview.ops.settle import prepare, settle
from livereview.review import Search
from livereview.sources import citations
from livereview.sources import columns as table_columns
from livereview.sources.protocol import Page, Query
from livereview.sources.text import reject
from livereview.store import evidence, ledger, records, retirement, searches, versions
from livereview.store.open import Connection, Store
from livereview.store.searches import Counts, PageFacts, Run
from livereview.surveillance.health import RAN_THROUGH, filled


def register(store: Store, *, text: str, now: datetime) -> dict[str, Any]:
    """Put a protocol in force; the same text again changes nothing."""
    with store.read() as con:
        in_force = {searches.protocol_text(con, review) for review in searches.review_ids(con)}
    review = parsed(text) if text in in_force else review_toml.parse(text)

    def job(con: Connection) -> None:
        if searches.protocol_text(con, review.id) != text:
            review_toml.check_cited(review, evidence.reports_of(con, review.id))
            searches.save_protocol(con, review, now)
            versions.ask(con, review.id, "the protocol changed", now)

    store.write(job)
    return {"review": review.id, "hash": review.hash}


def text_of(store: Store, *, review: str, now: datetime) -> dict[str, Any]:
    """The review.toml in force, as text, the review's status, which a vote may have changed since,
    and who put that text in force by name (None: it came from a file).
    """
    with store.read() as con:
        rules = protocol(con, review)
        return {
            "text": rules.text,
            "status": retirement.effective(con, rules).living.status,
            "author": protocol_drafts.history(con, review)[0].author,
        }


def begin(
    store: Store,
    *,
    review: str,
    name: str,
    search: str,
    now: datetime,
    runner: Mapping[str, Any] | None = None,
    run: str | None = None,
    clock_is_right: bool = False,
    due: datetime | None = None,
) -> dict[str, Any]:
    """Start a search of the protocol under a client-made id and give the window to ask for.

    The window starts `overlap_days` before the end of the last one that ran through, so nights that
    failed or never ran are caught up and late arrivals are seen. Every `sweep_days` it starts at
    the beginning again: what was backdated is found, and what the search must return is looked for.
    Searches of this name whose process died are ended as failed first.

    A search that is due at a slot runs once for it: where one has run through since, or is in other
    hands now, as where two schedules serve one review, "search" is None and "why" says so.

    Raises Refused, before anything is written, for a clock that is behind, for a window that ends
    before it starts, and for a search that is in other hands while nobody waits for a slot.

    Args:
        runner: The process that runs it (`processes.Process` as data).
        run: Its Prefect flow run.
        clock_is_right: Believe `now` although several earlier nights carry later times.
        due: The slot that it is run for; None: somebody wants it now.
    """

    def job(con: Connection) -> dict[str, Any]:
        what = protocol(con, review).search(name)
        if what is None:
            raise Refused(
                f"review {review} has no search {name!r}; see [[searches]] in its review.toml"
            )
        nights.check_clock(con, review, now, clock_is_right)
        is_free(con, search, review, name)
        success, complete = (
            read(con, review, name, now) for read in (searches.last_success, searches.last_complete)
        )
        if due is not None and success is not None and success >= due:
            why = f"it has run through at {success:%Y-%m-%d %H:%M} UTC, since it was due at {due:%H:%M}"
            return {"search": None, "why": f"{name}: {why}"}
        busy = nights.at_work_on(con, review, name, runner, store.opened)
        if busy is not None and busy.search != search:
            if due is None:
                raise Refused(nights.runs_already(busy))
            return {"search": None, "why": nights.runs_already(busy)}
        run_now = next_run(what, success, complete, now)
        nights.check_window(name, run_now)
        for dead in searches.interrupted(con, review, name):
            if dead != search:
                _end(con, dead, nights.INTERRUPTED, None, now)
        seeds, query = _seeds(con, review, what)
        searches.begin(con, search, review, replace(what, query=query), run_now, now)
        nights.lease(con, search, runner, run)
        start = run_now.start.isoformat() if run_now.start else None
        return {
            "search": search,
            "kind": run_now.kind,
            "start": start,
            "end": now.isoformat(),
            "seeds": seeds,
        }

    return store.write(job)


def is_free(con: Connection, search: str, review: str, name: str) -> None:
    """Raise Refused where this id is that of another search: who is let in by one of them must not
    reach the other.
    """
    begun = searches.of(con, search)
    if begun is not None and (begun.review, begun.name) != (review, name):
        raise Refused(f"the id {search!r} is taken by another search; make a new one")


def _seeds(con: Connection, review: str, what: Search) -> tuple[list[str] | None, str]:
    """For citation chasing the works to start from, and the query as it goes into the ledger."""
    if what.source != citations.NAME:
        return None, what.query
    seeds, without = records.openalex_ids(con, review)
    note = (
        f" ({without} included reports have no OpenAlex id yet and are not chased)"
        if without
        else ""
    )
    return seeds, f"cites, cited_by: {' '.join(seeds) or 'nothing is included yet'}{note}"


def next_run(
    what: Search, last_success: datetime | None, last_complete: datetime | None, now: datetime
) -> Run:
    """What a search does next: a window from its last success less the overlap, or a sweep from the
    protocol's start.

    A source that can't select by date sweeps each time; one that lets old items fall out never
    does.
    """
    source = sources.find(what.source)
    since = datetime.fromisoformat(what.start).replace(tzinfo=UTC) if what.start else None
    if not source.archive:
        return Run("search", since, now)
    old = last_complete is None or (
        what.sweep_days and now - last_complete >= timedelta(days=what.sweep_days)
    )
    if last_success is None or not source.days or old:
        return Run("sweep", since, now)
    return Run("search", last_success - timedelta(days=what.overlap_days), now)


# of the disk's reserve: what a search brings can be asked again, what people decide can't
INGEST_SHARE = 0.5


def ingest(
    store: Store,
    *,
    search: str,
    body: bytes,
    now: datetime,
    cursor: str | None = None,
    url: str | None = None,
    status: int | None = None,
    quota: float | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """Take in one page of a search, exactly as the publisher sent it: all of it or, on any error,
    nothing.

    The same bytes again give the first answer again; others are refused once the search has ended.
    Bytes that can't be read are kept too, with the problem: the answer then has "problem" and no
    records.
    """
    store.reserve.require("pages of searches wait", INGEST_SHARE)
    with store.read() as con:
        begun = searches.of(con, search)
        if begun is None:
            raise Refused(f"unknown search {search!r}; begin it first")
        asked = searches.asked(con, search)
    review, kind = begun.review, begun.kind
    page, problem = _parse(begun.source, body, cursor, asked)
    with store.read() as con:
        page = feed_items.with_known_keys(con, begun.source, page)
    prepared = prepare(page.records)
    facts = PageFacts(
        cursor, url, status, problem, page.warnings, filled(page.records), quota, note
    )

    def job(con: Connection) -> Counts:
        sha256 = hashlib.sha256(body).hexdigest()
        if before := searches.page_counts(con, search, sha256):
            return before
        if ended := searches.ended(con, search):
            raise Refused(
                f"the search {search!r} has ended ({ended[0]}), so it takes no more pages; begin another"
            )
        news = records.sort_news(con, page.records)
        counts = Counts(len(page.records), len(news.fresh), len(news.changed), len(page.rejects))
        searches.save_page(con, search, body, counts, facts, now)
        searches.save_rejects(con, search, sha256, page.rejects, now)
        records.append(con, (*news.fresh, *news.changed), sha256, now)
        settle(con, (*news.fresh, *news.changed), now, prepared)
        records.add_hits(con, review, search, _times(kind, page), now)
        tasks.raise_for(con, review, kind, [record.record_id for record in page.records], now)
        return counts

    counts = asdict(store.write(job, bulk=True))
    return {**counts, "problem": problem, "notes": list(page.notes)}


def _times(kind: str, page: Page) -> Mapping[str, int]:
    """How often a search returned each record.

    A file's repeats are duplicates; those of a source's paging are not; and
    looking a known report up again is no search.
    """
    times = Counter(record.record_id for record in page.records)
    return times if kind == "import" else dict.fromkeys(times, 0 if kind == "lookup" else 1)


def _parse(name: str, body: bytes, cursor: str | None, asked: Query) -> tuple[Page, str | None]:
    """What a page holds, read where it can stop nobody.

    Or an empty page and what is wrong with it.
    """
    try:
        return parsing.read_page(parsing.ParsePage(name, body, cursor, asked)), None
    except parsing.ParseExceeded as exceeded:
        return unreadable(body, exceeded), exceeded.message
    except LivereviewError as error:
        return Page(), str(error)


def unreadable(body: bytes, exceeded: parsing.ParseExceeded) -> Page:
    """A page that could not be read within its limits: one reject, and a warning that its search
    did not run through.

    The bytes are kept beside it like those of any page.
    """
    return Page(
        rejects=(reject(exceeded.message, "the whole page", body),), warnings=(exceeded.message,)
    )


def finish(
    store: Store,
    *,
    search: str,
    now: datetime,
    error: str | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """End a search as exactly one of ok, ok-zero, partial or failed.

    Ending it again gives the first answer.

    - failed: it broke before any record came
    - partial: it broke later, or the source did not run it as asked
    - ok-zero: it ran through and found nothing
    - ok: it ran through
    """

    def job(con: Connection) -> dict[str, Any]:
        begun = searches.of(con, search)
        if begun is None:
            raise Refused(f"unknown search {search!r}; begin it first")
        outcome, counts = searches.ended(con, search) or _end(con, search, error, seconds, now)
        if outcome in RAN_THROUGH and begun.kind == "sweep":
            canaries = _canaries(con, search, begun.review, begun.name)
            ledger.save_canaries(con, search, canaries, now)
        # what a page no longer links to may have been withdrawn
        if outcome == "ok" and begun.source == "page":
            missing = dict.fromkeys(searches.previous(con, search), False)
            ledger.save_canaries(con, search, missing, now)
        if counts.fresh or counts.changed or outcome not in RAN_THROUGH:
            versions.ask(con, begun.review, _cause(begun.name, outcome, counts), now)
        return {"outcome": outcome, **asdict(counts)}

    return store.write(job)


def _canaries(con: Connection, search: str, review: str, name: str) -> dict[str, bool]:
    """What a complete run had to return, and whether it did: included reports that this search
    found before and, where it searches a database without a start, the protocol's canaries.
    """
    rules = protocol(con, review)
    what = rules.search(name)
    expected = rules.canaries if what and not what.grey and not what.start else ()
    return {**ledger.learned(con, review, name, search), **ledger.returned(con, search, expected)}


def _cause(name: str, outcome: str, counts: Counts) -> str:
    """Why a search asks for a rebuild, in words for the public page."""
    if outcome not in RAN_THROUGH:
        return f"the search {name} did not run through"
    return f"the search {name} found {counts.fresh} new and {counts.changed} changed records"


def _end(
    con: Connection, search: str, error: str | None, seconds: float | None, now: datetime
) -> tuple[str, Counts]:
    counts, warnings = searches.totals(con, search)
    news = [warning for warning in dict.fromkeys(warnings) if warning not in (error or "")]
    reason = "; ".join([*([error] if error else []), *news]) or None
    if reason:
        outcome = "partial" if counts.found else "failed"
    else:
        outcome = "ok" if counts.found else "ok-zero"
    searches.end(con, search, outcome, reason, counts, seconds, now)
    return outcome, counts


def _readable(source: str, body: bytes, asked: Query | None) -> None:
    """Nothing for a file that this source reads, or that exceeds the limits of reading, which is
    kept as a reject.
    """
    with suppress(parsing.ParseExceeded):
        parsing.read_page(parsing.ParsePage(source, body, query=asked))


def _filters(source: str, named: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The columns that a person named as filters of a search, in one order."""
    if named and source != table_columns.TABLES:
        raise Refused(f"columns are named for tables (csv), and this is {source}")
    return tuple(sorted(table_columns.as_filters(table_columns.checked(named))))


def import_file(
    store: Store,
    *,
    review: str,
    source: str,
    name: str,
    body: bytes,
    now: datetime,
    grey: bool = False,
    columns: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Take in a file that a person exported elsewhere, as a search of its own.

    The same file, read as the same kind and by the same columns, again changes nothing.

    Args:
        columns: Of a table whose headings say too little: the heading that holds each field
            (`sources.columns.MAPPABLE`). They are kept as filters of the search.

    Raises:
        SourceBroken: the file is not of that source's kind at all; nothing is kept.
        Refused: columns are named for what is no table, or for fields that a table has not.
    """
    filters = _filters(source, columns or {})
    _readable(source, body, Query(filters=filters) if filters else None)
    digest = hashlib.sha256(body).hexdigest()
    search = f"import-{review}-{digest[:24]}"
    if filters:
        search = f"{search}-{hashlib.sha256(repr(filters).encode()).hexdigest()[:8]}"
    with store.read() as con:
        before = searches.of(con, search)
    # it was taken for another kind of file: read so, it says something else
    if before and before.source != source:
        search = f"{search}-{source}"
    what = Search(
        name=f"import: {name}",
        source=source,
        platform=f"file {name}",
        query=name,
        filters=filters,
        grey=grey,
    )

    def start(con: Connection) -> bool:
        protocol(con, review)
        known = searches.ended(con, search) is not None
        searches.begin(con, search, review, what, Run("import", None, now), now)
        return known

    known = store.write(start)
    taken = ingest(store, search=search, body=body, now=now)
    ended = finish(store, search=search, now=now)
    return {**ended, "known": known, "notes": taken["notes"]}
