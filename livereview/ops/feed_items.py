"""Items of a feed that come again under another key: the same record, and not a new one.

Sites change their GUIDs with each edit, move from http to https or to another domain, and hang new
tracking parameters on their links. An item that a feed showed before keeps its record, so that
nobody screens it twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from livereview.identifiers import same_address
from livereview.records import Record
from livereview.sources.protocol import Page
from livereview.store import records
from livereview.store.open import Connection

FEEDS = ("feed",)  # sources whose keys are the site's, and no register's
# words of a title that two items of one day at two addresses don't share by chance
LEAST_WORDS = 4


def with_known_keys(con: Connection, source: str, page: Page) -> Page:
    """The page with each item under the key that it had when it came before.

    An item is one that came before if its title is the same and it stands at the same address, or,
    where the title has LEAST_WORDS words, was published on the same day. Two items of one page stay
    two, and an item whose DOI or whose only match is uncertain keeps its own key.
    """
    if source not in FEEDS or not page.records:
        return page
    here = {record.source_key for record in page.records}
    before: dict[str, list[Record]] = {}
    for earlier in records.titled(con, source, [record.title or "" for record in page.records]):
        if earlier.source_key not in here:
            before.setdefault(records.letters(earlier.title), []).append(earlier)
    taken: set[str] = set()
    known = []
    for record in page.records:
        same = _same(record, before.get(records.letters(record.title), ()))
        if same is not None and same.source_key not in taken:
            taken.add(same.source_key)
            record = replace(record, source_key=same.source_key)
        known.append(record)
    return replace(page, records=tuple(known))


def _same(record: Record, before: Sequence[Record]) -> Record | None:
    fitting = [earlier for earlier in before if _is_same(record, earlier)]
    return fitting[0] if len(fitting) == 1 else None


def _is_same(record: Record, earlier: Record) -> bool:
    if record.doi and earlier.doi and record.doi != earlier.doi:
        return False
    if record.url and earlier.url and same_address(record.url) == same_address(earlier.url):
        return True
    exact_day = record.published is not None and len(record.published) == len("2026-03-07")
    long_title = len((record.title or "").split()) >= LEAST_WORDS
    return exact_day and long_title and record.published == earlier.published
