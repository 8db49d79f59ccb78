"""From a publisher's bytes to records and reports: begin a search, take in its pages, end it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from livereview import parsing, review_toml, sources
from livereview.errors import Refused
from livereview.ops import acts_on_imports, nights, protocol_drafts, taking_in
from livereview.ops.protocols import parsed, protocol
from livereview.review import Search
from livereview.sources import citations
from livereview.sources import columns as table_columns
from livereview.sources.protocol import Query
from livereview.store import evidence, imports, ledger, records, retirement, searches, versions
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
    wish = _Wish(review, name, search, now, due, runner, clock_is_right, store.opened)

    def job(con: Connection) -> dict[str, Any]:
        planned = _planned(con, wish)
        if planned.left_out is not None:
            return {"search": None, "why": planned.left_out}
        for dead in searches.interrupted(con, review, name):
            if dead != search:
                _end(con, dead, nights.INTERRUPTED, None, now)
        seeds, query = _seeds(con, review, planned.what)
        what = replace(planned.what, query=query)
        searches.begin(con, search, review, what, planned.run, now)
        nights.lease(con, search, runner, run)
        start = planned.run.start.isoformat() if planned.run.start else None
        return {
            "search": search,
            "kind": planned.run.kind,
            "start": start,
            "end": now.isoformat(),
            "seeds": seeds,
        }

    with store.read() as con:
        is_left_out = _planned(con, wish).left_out is not None
        interrupted = [] if is_left_out else searches.interrupted(con, review, name)
    for each in interrupted:
        if each != search:
            taking_in.take_in(store, each)
    return store.write(job)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A search that somebody wants to begin; as in `begin`.

    Attributes:
        slot: When it was due; None: somebody wants it now.
        opened: When the owner opened the store.
    """

    review: str
    name: str
    search: str
    now: datetime
    slot: datetime | None
    runner: Mapping[str, Any] | None
    clock_is_right: bool
    opened: datetime


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a search does when it begins.

    Attributes:
        left_out: Why it is not run at all; None: it is.
    """

    what: Search
    run: Run
    left_out: str | None = None


def _planned(con: Connection, wish: _Wish) -> _Plan:
    """What the search does; raises Refused as `begin` does."""
    what = protocol(con, wish.review).search(wish.name)
    if what is None:
        raise Refused(
            f"review {wish.review} has no search {wish.name!r}; see [[searches]] in its review.toml"
        )
    nights.check_clock(con, wish.review, wish.now, wish.clock_is_right)
    is_free(con, wish.search, wish.review, wish.name)
    success = searches.last_success(con, wish.review, wish.name, wish.now)
    complete = searches.last_complete(con, wish.review, wish.name, wish.now)
    run = next_run(what, success, complete, wish.now)
    if wish.slot is not None and success is not None and success >= wish.slot:
        why = f"it has run through at {success:%Y-%m-%d %H:%M} UTC, since it was due at {wish.slot:%H:%M}"
        return _Plan(what, run, f"{wish.name}: {why}")
    busy = nights.at_work_on(con, wish.review, wish.name, wish.runner, wish.opened)
    if busy is not None and busy.search != wish.search:
        if wish.slot is None:
            raise Refused(nights.runs_already(busy))
        return _Plan(what, run, nights.runs_already(busy))
    nights.check_window(wish.name, run)
    return _Plan(what, run)


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
    if without:
        note = f" ({without} included reports have no OpenAlex id yet and are not chased)"
    else:
        note = ""
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
    if what.start:
        since = datetime.fromisoformat(what.start).replace(tzinfo=UTC)
    else:
        since = None
    if not source.archive:
        return Run("search", since, now)
    old = last_complete is None or (
        what.sweep_days and now - last_complete >= timedelta(days=what.sweep_days)
    )
    if last_success is None or not source.days or old:
        return Run("sweep", since, now)
    return Run("search", last_success - timedelta(days=what.overlap_days), now)


AGAIN = "whoever brought it again"  # imports have no author of their own

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
    more: bool = False,
) -> dict[str, Any]:
    """Store one page of a search, exactly as the publisher sent it, and take it in.

    The same bytes again give the first answer again; others are refused once the search has ended.
    Bytes that can't be read are kept too, with the problem: the answer then has "problem" and no
    records.

    Args:
        more: Whether further pages are expected. What this one holds may then wait for them, at
            the latest until the search ends, and counts as neither new nor changed so long.
    """
    store.reserve.require("pages of searches wait", INGEST_SHARE)
    with store.read() as con:
        begun = searches.of(con, search)
        if begun is None:
            raise Refused(f"unknown search {search!r}; begin it first")
        asked = searches.asked(con, search)
    page, problem = taking_in.read_page(begun.source, body, cursor, asked)
    sha256 = hashlib.sha256(body).hexdigest()
    facts = PageFacts(
        cursor, url, status, problem, page.warnings, filled(page.records), quota, note
    )

    def job(con: Connection) -> bool:
        """Whether the page is new."""
        if searches.page_counts(con, search, sha256):
            return False
        if ended := searches.ended(con, search):
            raise Refused(
                f"the search {search!r} has ended ({ended[0]}), so it takes no more pages; begin another"
            )
        counts = Counts(found=len(page.records), rejected=len(page.rejects))
        searches.save_page(con, search, body, counts, facts, now)
        searches.save_rejects(con, search, sha256, page.rejects, now)
        return True

    if store.write(job, bulk=True):
        taking_in.in_memory(store).keep(search, sha256, page)
    with store.read() as con:
        is_due = taking_in.is_due(con, search, more)
    if is_due:
        taking_in.take_in(store, search)
    with store.read() as con:
        given = searches.page_counts(con, search, sha256) or Counts()
    return {**asdict(given), "problem": problem, "notes": list(page.notes)}


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

    def job(con: Connection) -> dict[str, Any] | None:
        begun = searches.of(con, search)
        if begun is None:
            raise Refused(f"unknown search {search!r}; begin it first")
        if searches.waiting(con, search):
            return None  # a page came meanwhile
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

    while True:
        taking_in.take_in(store, search)
        answer = store.write(job)
        if answer is not None:
            return answer


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

    The same file, read as the same kind and by the same columns, again changes nothing, unless it
    was taken back: then it counts again.

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
        brought = imports.of(con, review, search)
        if brought is not None and brought.taken_back_by is not None:
            acts_on_imports.count_again(con, uuid4().hex, review, brought, AGAIN, now)
        searches.begin(con, search, review, what, Run("import", None, now), now)
        return known

    known = store.write(start)
    taken = ingest(store, search=search, body=body, now=now)
    ended = finish(store, search=search, now=now)
    return {**ended, "known": known, "notes": taken["notes"]}
