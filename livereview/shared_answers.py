"""Answers that several searches of a night ask for, asked for once.

A night has many searches that ask a source the same: everything of its days, where the source has
no keyword search; one feed that five reviews read; the whole list of retractions. The first that
runs through leaves its pages in a place that all workers reach; the others are given them, each
with a note that says so, and take them in as if they had asked. What broke off, or came with a
warning, is given to nobody.

The place holds, by day, an index for each search and the pages by what they are (SHA-256), so the
same page is there once. Nothing of it is needed after its night.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from livereview.backups.target import Target
from livereview.errors import LivereviewError, Retry
from livereview.fetch import Answer, address
from livereview.sources.protocol import Request, Source

log = logging.getLogger(__name__)

FORMAT = 1
KEPT_DAYS = 2  # a night may begin before midnight and end on the next day


@dataclass(frozen=True, slots=True)
class NightAnswers:
    """The shared answers of one night; a `fetch.paging.Shared`.

    Where the place can't be read the source is asked instead. A page that turns out to be damaged
    ends its search; the next try asks the source, as the answers are then shared no more.

    Attributes:
        place: Where they are.
        name: Which night: only searches of the same one share.
        day: When it began.
    """

    place: Target
    name: str
    day: datetime

    def held(self, source: Source, first: Request) -> Iterator[Answer] | None:
        """As `Shared`."""
        name = self._index(source, first)
        try:
            index = json.loads(self.place.read(name)) if self._is_there(name) else None
        except (LivereviewError, ValueError) as error:
            log.warning("shared answers can't be read, so %s is asked: %s", source.name, error)
            return None
        if index is None or index["format"] != FORMAT:
            return None
        log.info("%s: %d pages of %s are shared", source.name, len(index["pages"]), index["asked"])
        return self._pages(name, index)

    def _is_there(self, name: str) -> bool:
        return self.place.size(name) is not None

    def _pages(self, name: str, index: dict[str, Any]) -> Iterator[Answer]:
        asked = datetime.fromisoformat(index["asked"])
        words = f"asked once for several searches of this night, at {asked:%H:%M} UTC"
        for page in index["pages"]:
            try:
                body = self._body(page.pop("sha256"))
            except LivereviewError:
                self.place.remove(name)
                raise
            answer = Answer(**_tuples(page), body=body)
            yield replace(answer, note="; ".join(filter(None, (answer.note, words))))

    def _body(self, sha256: str) -> bytes:
        """A page, unpacked; Retry where it is not what it was."""
        try:
            body = zlib.decompress(self.place.read(self._page(sha256)))
        except zlib.error as error:
            raise Retry(f"a shared page is damaged: {error}") from None
        if hashlib.sha256(body).hexdigest() != sha256:
            raise Retry("a shared page is not what it was")
        return body

    def keep(self, source: Source, first: Request) -> Kept:
        """As `Shared`."""
        return Kept(self, self._index(source, first), datetime.now(UTC), [])

    def _index(self, source: Source, first: Request) -> str:
        asked = json.dumps([self.name, source.name, address(first), first.posted, first.headers])
        return f"{self.day:%Y-%m-%d}/{hashlib.sha256(asked.encode()).hexdigest()}.json"

    def _page(self, sha256: str) -> str:
        return f"{self.day:%Y-%m-%d}/pages/{sha256}.z"

    def clean(self) -> None:
        """Remove what is older than two days."""
        oldest = (self.day - timedelta(days=KEPT_DAYS)).strftime("%Y-%m-%d")
        try:
            for name in self.place.names(""):
                if name.partition("/")[0] < oldest:
                    self.place.remove(name)
        except LivereviewError as error:
            log.warning("old shared answers could not be removed: %s", error)


@dataclass(slots=True)
class Kept:
    """The pages of a search that goes on; a `fetch.paging.Keeping`."""

    night: NightAnswers
    index: str
    asked: datetime
    pages: list[dict[str, Any]] | None

    def add(self, answer: Answer) -> None:
        """As `Keeping`."""
        if self.pages is None:
            return
        facts = {name: value for name, value in asdict(answer).items() if name != "body"}
        sha256 = hashlib.sha256(answer.body).hexdigest()
        try:
            self.night.place.write(self.night._page(sha256), zlib.compress(answer.body))
        except LivereviewError as error:
            log.warning("the answers of this search are not shared: %s", error)
            self.pages = None
            return
        self.pages.append({**facts, "sha256": sha256})

    def done(self) -> None:
        """As `Keeping`."""
        if self.pages is None:
            return
        index = {"format": FORMAT, "asked": self.asked.isoformat(), "pages": self.pages}
        try:
            self.night.place.write(self.index, json.dumps(index, ensure_ascii=False).encode())
        except LivereviewError as error:
            log.warning("the answers of this search are not shared: %s", error)


def _tuples(page: dict[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that an answer has."""
    form = page["form"]
    return {
        **page,
        "form": None if form is None else tuple((name, value) for name, value in form),
        "headers": tuple((name, value) for name, value in page["headers"]),
    }
