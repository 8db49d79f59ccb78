"""From stored pages to records and reports.

A page's bytes are stored when they come. What they hold is taken in some pages at a time: matching
and the tables that follow from it cost hardly more for a thousand records than for two hundred.
Nothing is lost between the two, and nobody sees a page before it is taken in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

from livereview import parsing
from livereview.errors import LivereviewError
from livereview.ops import feed_items, tasks
from livereview.ops.settle import Prepared, match, prepare, refresh
from livereview.records import Record
from livereview.sources.protocol import Page, Query
from livereview.sources.text import reject
from livereview.store import records, searches
from livereview.store.open import Connection, Store
from livereview.store.searches import WaitingPage

# records of a search that wait at most: the writer, and so everybody's decisions, wait for as many
ENOUGH = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored page, and what it holds."""

    stored: WaitingPage
    page: Page


class PagesInMemory:
    """Pages that were read when they came, until they are taken in, by search and sha256.

    It only saves reading them again: who starts anew finds the bytes in the store.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: dict[str, dict[str, Page]] = {}

    def keep(self, search: str, sha256: str, page: Page) -> None:
        with self._lock:
            self._pages.setdefault(search, {})[sha256] = page

    def take(self, search: str) -> dict[str, Page]:
        """The pages of a search, which are then forgotten."""
        with self._lock:
            return self._pages.pop(search, {})


_in_memory: WeakKeyDictionary[Store, PagesInMemory] = WeakKeyDictionary()


def in_memory(store: Store) -> PagesInMemory:
    """The pages of this store that were read by this process and wait."""
    return _in_memory.setdefault(store, PagesInMemory())


def read_page(
    source: str, body: bytes, cursor: str | None, asked: Query
) -> tuple[Page, str | None]:
    """What a page holds, read where it can stop nobody.

    Or an empty page and what is wrong with it.
    """
    try:
        return parsing.read_page(parsing.ParsePage(source, body, cursor, asked)), None
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


def is_due(con: Connection, search: str, more: bool) -> bool:
    """Whether what waits of a search is to be taken in now.

    Args:
        more: Whether further pages are expected, with which the ones that are here can wait.
    """
    begun = searches.of(con, search)
    can_wait = more and begun is not None and begun.source not in feed_items.FEEDS
    return not can_wait or sum(page.found for page in searches.waiting(con, search)) >= ENOUGH


def take_in(store: Store, search: str) -> None:
    """Take in every page of a search that waits; none twice, and all of them or, on any error,
    none.
    """
    with store.read() as con:
        begun = searches.of(con, search)
        stored = searches.waiting(con, search)
        asked = searches.asked(con, search)
    if begun is None or not stored:
        return
    review, kind = begun.review, begun.kind
    pages = _pages(store, search, begun.source, asked, stored)
    prepared = prepare(_latest(pages).values())
    now = stored[-1].made

    def job(con: Connection) -> None:
        still = {page.sha256 for page in searches.waiting(con, search)}
        due = [each for each in pages if each.stored.sha256 in still]
        if not due:
            return
        changed, fresh = _append(con, search, due)
        _add_hits(con, review, search, kind, due)
        news = changed | fresh
        to_match: Prepared = {key: prepared[key] for key in prepared if key in news}
        moved = match(con, to_match, changed, now) if to_match else []
        ids = list(_latest(due))
        refresh(con, {*ids, *moved})
        tasks.raise_for(con, review, kind, ids, now)

    store.write(job, bulk=True)


def _pages(
    store: Store, search: str, source: str, asked: Query, stored: Sequence[WaitingPage]
) -> list[Waiting]:
    """What these pages hold; the bytes of those that another process read are read again."""
    kept = in_memory(store).take(search)
    pages = []
    for each in stored:
        page = kept.get(each.sha256)
        if page is None:
            with store.read() as con:
                body = searches.body(con, each.sha256)
            page, _ = read_page(source, body or b"", each.cursor, asked)
        with store.read() as con:
            pages.append(Waiting(each, feed_items.with_known_keys(con, source, page)))
    return pages


def _latest(pages: Iterable[Waiting]) -> dict[str, Record]:
    """The records of these pages by their id; of two with one id the later."""
    return {record.record_id: record for each in pages for record in each.page.records}


def _append(
    con: Connection, search: str, pages: Sequence[Waiting]
) -> tuple[frozenset[str], frozenset[str]]:
    """Store the new versions that these pages bring.

    Returns:
        The records that were known before and have changed, and those that are new.
    """
    known = records.known(con, _latest(pages))
    before = frozenset(known)
    moved: set[str] = set()
    for each in pages:
        news = records.sort_news(each.page.records, known)
        brought = (*news.fresh, *news.changed)
        known = records.append(con, brought, each.stored.sha256, each.stored.made, known)
        searches.save_taken(con, search, each.stored, len(news.fresh), len(news.changed))
        moved |= {record.record_id for record in brought}
    return frozenset(moved & before), frozenset(moved - before)


def _add_hits(
    con: Connection, review: str, search: str, kind: str, pages: Sequence[Waiting]
) -> None:
    for each in pages:
        records.add_hits(con, review, search, _times(kind, each.page), each.stored.made)


def _times(kind: str, page: Page) -> Mapping[str, int]:
    """How often a search returned each record.

    A file's repeats are duplicates; those of a source's paging are not; and
    looking a known report up again is no search.
    """
    times = Counter(record.record_id for record in page.records)
    if kind == "import":
        return times
    return dict.fromkeys(times, 0 if kind == "lookup" else 1)
