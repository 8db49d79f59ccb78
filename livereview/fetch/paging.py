"""A whole search: page after page, in parts where the source hands out only so much of one window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from livereview.errors import LivereviewError, Refused, SourceBroken
from livereview.fetch import Answer, Fetcher
from livereview.records import Record
from livereview.sources.protocol import Page, Query, Request, Source, Window

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)  # what "since ever" is halved from


@dataclass(slots=True)
class _Pages:
    """How many pages were asked for, how many may be, and how one is read."""

    limit: int
    read: Reader
    number: int = 0
    warned: bool = False  # the source said of a page that it did not run the search as asked

    def next(self, source: Source) -> None:
        if self.number >= self.limit:
            raise SourceBroken(
                f"the search did not end after {self.limit:,} pages; narrow it", source=source.name
            )
        self.number += 1


Reader = Callable[[bytes, Query, str | None], Page]


class Keeping(Protocol):
    """The answers of one search, on their way to others that ask the same."""

    def add(self, answer: Answer) -> None:
        """Keep the next page."""
        ...

    def done(self) -> None:
        """The search ran through: from now on others are given its pages."""
        ...


class Shared(Protocol):
    """Whole searches that were asked once and are given to all that ask the same."""

    def held(self, source: Source, first: Request) -> Iterator[Answer] | None:
        """The pages of the search that begins with this request; None: nobody asked it yet."""
        ...

    def keep(self, source: Source, first: Request) -> Keeping:
        """Begin to keep a search."""
        ...


def here(source: Source) -> Reader:
    """Read pages in this process, for whoever stops nobody else by it."""

    def read(body: bytes, query: Query, cursor: str | None) -> Page:
        if source.read:
            return source.read(body, query)
        return source.parse(body, cursor)

    return read


def pages(
    fetcher: Fetcher,
    source: Source,
    query: Query,
    window: Window,
    max_pages: int = 10_000,
    reader: Reader | None = None,
    shared: Shared | None = None,
) -> Iterator[Answer]:
    """Every page of a search, each yielded before the next is asked for, so that the caller can
    store it first.

    A window with more hits than the source hands out (`Source.reach`) is searched in halves, down
    to single days, never cut. Where the source refuses the protocol's kind of window, its
    `Source.fallback` is asked instead and the answers carry a note. A page that can't be read is
    yielded like any other, and the error (SourceBroken, or Retry where asking five times brought
    nothing better) is raised when the caller asks for the next: the bytes are the evidence. Raises
    SourceBroken for a cursor that repeats, records that come twice in a row and a search that does
    not end; it never ends one early.

    `reader` reads a page for its cursor (None: the source's own parser, in this process). `shared`
    has the pages of searches that ran through for others, without a warning; they are given in
    place of new ones where they are those of the same request.
    """
    if source.request is None:
        raise Refused(f"{source.title} can't be searched; import a file instead")
    count = _Pages(max_pages, reader or here(source))
    if shared is None:
        yield from _asked(fetcher, source, query, window, count)
        return
    first = source.request(query, window, None)
    held = shared.held(source, first)
    if held is not None:
        yield from held
        return
    keeping = shared.keep(source, first)
    for answer in _asked(fetcher, source, query, window, count):
        keeping.add(answer)
        yield answer
    if not count.warned:
        keeping.done()


def _asked(
    fetcher: Fetcher, source: Source, query: Query, window: Window, count: _Pages
) -> Iterator[Answer]:
    """The pages as the source sends them, by its fallback where it refuses the kind of window."""
    came = False
    try:
        for answer in _span(fetcher, source, query, window, count):
            came = came or count.number > 1
            yield answer
    except SourceBroken as problem:
        if came or source.fallback is None:
            other = None
        else:
            other = source.fallback(query, window, problem)
        if other is None:
            raise
        asked, span, note = other
        for answer in _span(fetcher, source, asked, span, count):
            yield replace(answer, note=note)


def _span(
    fetcher: Fetcher, source: Source, query: Query, window: Window, count: _Pages
) -> Iterator[Answer]:
    """The pages of one window, or of its halves."""
    assert source.request is not None
    cursor, seen, short = None, set[str](), False
    before: tuple[Record, ...] = ()
    while True:
        count.next(source)
        answer, page = _page(
            fetcher, source, query, source.request(query, window, cursor), cursor, count
        )
        yield answer
        if isinstance(page, LivereviewError):
            raise page
        if page.records and page.records == before:
            raise SourceBroken(
                f"page {count.number} has the records of the page before it once more",
                source=source.name,
            )
        before = page.records
        if cursor is None and source.reach and (page.total or 0) > source.reach:
            if halves := _halves(window) if source.days else ():
                for half in halves:
                    yield from _span(fetcher, source, query, half, count)
                return
            short = True
        cursor = page.next_cursor
        if cursor is None:
            break
        if cursor in seen:
            raise SourceBroken(
                f"the cursor repeats after page {count.number}: {cursor[:100]!r}",
                source=source.name,
            )
        seen.add(cursor)
    if short:
        raise SourceBroken(
            f"{source.title} has more than the {source.reach:,} records it hands out at once, and the window can't be"
            " made smaller; narrow the search",
            source=source.name,
        )


def _halves(window: Window) -> tuple[Window, ...]:
    """The window's first and second half in whole days; nothing for a single day."""
    start = window.start or BEGINNING
    days = (window.end.date() - start.date()).days
    if days < 1:
        return ()
    last = datetime.combine(start.date() + timedelta(days=(days - 1) // 2), time(23, 59, 59), UTC)
    return Window(start, last), Window(last + timedelta(seconds=1), window.end)


def _page(
    fetcher: Fetcher,
    source: Source,
    query: Query,
    request: Request,
    cursor: str | None,
    count: _Pages,
) -> tuple[Answer, Page | LivereviewError]:
    """An answer with what it holds or why it can't be read.

    Raises what kept the answer from coming at all.
    """
    came: list[Answer] = []

    def attempt() -> Page:
        came.clear()
        came.append(fetcher.once(request, source, cursor=cursor, number=count.number))
        return count.read(came[0].body, query, cursor)

    page: Page | LivereviewError
    try:
        page = fetcher.patiently(attempt)
        count.warned = count.warned or bool(page.warnings)
    except LivereviewError as problem:
        if not came:
            raise
        page = problem
    return came[0], page
