"""A PDF beside a record or a form: what the script `reader.mjs` needs to show it, and the text of its
pages for those who run no scripts.

Whoever shows a reader decides which quotes stand in it: it adds none of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from livereview.evidence.places import Looked, Standing, quotes_in
from livereview.pdf_text import PdfText
from livereview.review import Highlights
from livereview.store.full_texts import FullText
from livereview.web.extraction_form import NAMES

# how signs of a PDF's text that no page can hold are shown
_SHOWN = {"\ufffe": "-", "\x02": "-", "\r\n": "\n", "\r": "\n"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A quote in its place, to be shown and gone to.

    Attributes:
        label: What it stands for: "Findings 1".
        boxes: [page, left, bottom, right, top] of each line, in points.
    """

    label: str
    quote: str
    sha256: str
    page: int
    boxes: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Where a reader opens: a page, and the lines on it that are pointed at."""

    page: int
    boxes: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of some files of a review.

    Attributes:
        base: The address of the review.
        files: What can be read in it, the first at first.
        marks: The quotes that are shown in their places.
        terms: The words that the review wants marked, by kind.
        start: Where the first file opens; None: where this browser last had it open.
    """

    base: str
    files: tuple[FullText, ...]
    marks: tuple[Mark, ...] = ()
    terms: Mapping[str, Sequence[str]] | None = None
    start: Start | None = None

    def address(self, file: FullText) -> str:
        """The page on which a file can be read."""
        return f"{self.base}/full-text/{file.sha256}/view"

    @property
    def facts(self) -> str:
        """All of it as JSON, for the script."""
        return json.dumps(
            {
                "files": [self._file(file) for file in self.files],
                "marks": [asdict(mark) for mark in self.marks],
                "terms": dict(self.terms or {}),
                "start": asdict(self.start) if self.start else None,
            }
        )

    def _file(self, file: FullText) -> dict[str, Any]:
        where = f"{self.base}/full-text/{file.sha256}"
        return {
            "sha256": file.sha256,
            "name": file.name,
            "bytes": f"{where}/copy",
            "view": f"{where}/view",
            "find": f"{where}/find",
        }


def terms(highlights: Highlights) -> dict[str, list[str]]:
    """The words that a review wants marked, by kind."""
    return {"include": list(highlights.include), "exclude": list(highlights.exclude)}


def marks(forms: Iterable[Mapping[str, Any]], quoted: Mapping[str, Standing]) -> tuple[Mark, ...]:
    """The quotes of these forms that were found in a file, each once."""
    found: dict[str, Mark] = {}
    for form in forms:
        for key, number, quote in quotes_in(form):
            standing = quoted.get(quote)
            if standing is None or standing.state != "in its place" or quote in found:
                continue
            assert standing.looked
            found[quote] = mark(f"{NAMES[key]} {number + 1}", standing.looked)
    return tuple(found.values())


def mark(label: str, looked: Looked) -> Mark:
    """A quote that was found, as a mark."""
    assert looked.page is not None
    return Mark(label, looked.quote, looked.sha256, looked.page, boxes_of(looked))


def boxes_of(looked: Looked) -> tuple[tuple[float, ...], ...]:
    """[page, left, bottom, right, top] of each line of a quote that was found."""
    return tuple(tuple(box) for box in json.loads(looked.boxes or "[]"))


@dataclass(frozen=True, slots=True)
class PlainPage:
    """A page as text, in three parts: what stands before the part pointed at, that, and the rest."""

    number: int
    pages: int
    before: str
    marked: str = ""
    after: str = ""


def plain_page(text: PdfText, number: int, at: tuple[int, int] | None = None) -> PlainPage | None:
    """A page of a file as text; None where the file has no text or no such page.

    Args:
        number: The page, from 1.
        at: Start and end, in the text of the whole file, of what is pointed at.
    """
    if not 1 <= number <= len(text.pages):
        return None
    words = text.pages[number - 1].text
    first = last = len(words)
    if at is not None:
        begin = text.start_of(number)
        first = min(max(0, at[0] - begin), len(words))
        last = min(max(first, at[1] - begin), len(words))
    parts = (words[:first], words[first:last], words[last:])
    return PlainPage(number, len(text.pages), *map(_shown, parts))


def _shown(words: str) -> str:
    for sign, instead in _SHOWN.items():
        words = words.replace(sign, instead)
    return "".join(sign for sign in words if sign.isprintable() or sign in "\n\t")
