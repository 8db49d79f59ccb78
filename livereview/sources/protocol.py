"""What a source is: two pure functions, and the values that pass through them.

A source does no I/O.

`request(query, window, cursor)` says what to ask for; `parse(body, cursor)` reads the answer. The
cursor is an opaque string that only the source itself writes and reads (None for the first page):
all that it must remember between pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from livereview.errors import LivereviewError
from livereview.records import Record


@dataclass(frozen=True, slots=True)
class Query:
    """One search of a protocol: the text exactly as the source gets it, and its filters as (name,
    value) pairs.

    `url` is the address of a feed or page, for the sources that read one.
    """

    text: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    url: str | None = None

    def filter(self, name: str) -> str | None:
        return dict(self.filters).get(name)


@dataclass(frozen=True, slots=True)
class Window:
    """The span a search covers: from `start` (None: since ever) to `end`, aware UTC times, both
    days included.
    """

    start: datetime | None
    end: datetime


JSON_TEXT = ""  # the name under which `Request.posted` has a JSON text: no field of a form has it


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    `secrets` are (parameter or header name, name of the setting that holds its value) pairs;
    fetch fills them in last and leaves them out of every log, error and recording. A secret whose
    name starts with "header:" becomes a header; the setting may be unset, and the parameter is then
    left out.
    """

    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] | None = None  # a POST of this form, where set
    secrets: tuple[tuple[str, str], ...] = ()
    json: str | None = None  # a POST of this JSON text, where set

    @property
    def posted(self) -> tuple[tuple[str, str], ...] | None:
        """What a POST sends, for recordings and comparisons: a JSON text has no name in it."""
        if self.json is None:
            return self.form
        return ((JSON_TEXT, self.json),)


@dataclass(frozen=True, slots=True)
class Reject:
    """A piece of an answer that could not become a record: why, where in the body, and its first
    2,000 characters.
    """

    reason: str
    where: str
    raw: str


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer held.

    `next_cursor` None means the end; `total` is what the source says it has, if it says.

    `warnings` are the source's own words on a search it did not run as asked (a phrase dropped, a
    field unknown): the search then counts as partial. `notes` are for whoever brought the bytes,
    such as which encoding was guessed: all was read.
    """

    records: tuple[Record, ...] = ()
    next_cursor: str | None = None
    rejects: tuple[Reject, ...] = ()
    total: int | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A source by name.

    Attributes:
        request: (query, window, cursor) -> Request; None for files that a person brings.
        parse: (body, cursor) -> Page; raises SourceBroken for what is not this source's, Retry for
            its "come back later".
        interval: Least seconds between two requests to its host.
        days: False where the source can't select by date: each search reads everything and ingest
            sorts out the new.
        reach: The most records that one search hands out; a window with more is searched in halves.
            None: all.
        archive: False where old items fall out, as from a feed: then no search is ever a complete
            one.
        read: (body, query) -> Page, in place of parse where what an answer holds depends on what
            was asked.
        fallback: (query, window, refusal) -> the query and window to ask instead and a note to
            keep, or None; for a source whose kind of window not everybody may use.
    """

    name: str
    title: str
    parse: Callable[[bytes, str | None], Page]
    request: Callable[[Query, Window, str | None], Request] | None = None
    interval: float = 1.0
    days: bool = True
    secrets: tuple[str, ...] = field(default=())
    reach: int | None = None
    archive: bool = True
    read: Callable[[bytes, Query], Page] | None = None
    fallback: (
        Callable[[Query, Window, LivereviewError], tuple[Query, Window, str] | None] | None
    ) = None
