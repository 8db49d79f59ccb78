"""Where the quotes of a form stand: what is shown of each, from the files of its study.

A quote that one file of the study holds is in its place; a supplement need not hold it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from livereview.evidence import quotes

FINDER = 2  # the version of the rule of quotes.py: what an older one looked up is looked up again
AROUND = 80  # characters of the text before and after a quote

State = Literal["in its place", "not in the file", "no file yet", "not looked up"]
QUOTE_FIELDS = {"findings": "quote", "results": "source_quote"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking for a quote in a file; `page` is None where it was not found.

    Attributes:
        start, stop: Characters of the file's text.
        boxes: JSON of [[page, left, bottom, right, top], …], in points.
        reason: Why it was not found, in words for who typed it.
    """

    quote: str
    sha256: str
    page: int | None
    start: int | None = None
    stop: int | None = None
    boxes: str | None = None
    before: str | None = None
    after: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a quote: its state, and the place or the reason."""

    quote: str
    state: State
    looked: Looked | None = None

    @property
    def words(self) -> str:
        """The state for people."""
        if self.state == "in its place":
            assert self.looked
            return f"Found on page {self.looked.page} of the file"
        if self.state == "not in the file":
            assert self.looked
            return f"Not found in the file: {self.looked.reason}"
        if self.state == "no file yet":
            return "Not looked up: the study has no full text yet"
        return "Not looked up yet"

    @property
    def caution(self) -> str | None:
        """What readers of a quote that was found should know of the text directly around it."""
        if self.state != "in its place" or self.looked is None:
            return None
        place = quotes.beside(self.looked.before or "", self.quote, self.looked.after or "")
        if place is None:
            return None
        if place.negation:
            return f"the word “{place.negation}” stands directly before it in the file"
        if place.cuts_word:
            return "it begins or ends inside a word of the file"
        return None


def quotes_in(form: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """(list, number of the row, quote) of each quote of a form as plain data."""
    for key, field in QUOTE_FIELDS.items():
        for number, row in enumerate(_rows(form.get(key))):
            quote = row.get(field)
            if isinstance(quote, str) and quote.strip():
                yield key, number, quote


def _rows(items: Any) -> list[Mapping[str, Any]]:
    if not isinstance(items, list | tuple):
        return []
    return [item if isinstance(item, Mapping) else {} for item in items]


def standing(
    quote: str, files: Sequence[str], looked_up: Mapping[tuple[str, str], Looked]
) -> Standing:
    """How it stands with a quote in these files (sha256 each, oldest first).

    The latest file that holds it has the place; else the latest file says why it was not found.
    """
    if not files:
        return Standing(quote, "no file yet")
    tried = [looked_up[quote, sha256] for sha256 in files if (quote, sha256) in looked_up]
    found = [looked for looked in tried if looked.page is not None]
    if found:
        return Standing(quote, "in its place", found[-1])
    if len(tried) < len(files):
        return Standing(quote, "not looked up")
    return Standing(quote, "not in the file", tried[-1])
