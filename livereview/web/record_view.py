"""A view of the table of records, as its address has it: whatever was chosen can be shared and kept.

What an address brings that is no choice here is left out without a word, so old addresses go on
working.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from livereview.screening.find import LONGEST, parse
from livereview.store.finding import FACETS, SORTS, Question

SIZES = (25, 50, 100, 200)
SIZE = 50
DENSITIES = ("roomy", "dense")
LAST_PAGE = 100_000
MOST_CHOSEN = 20  # values of one facet
LONGEST_VALUE = 200

COLUMNS = {
    "authors": "Authors",
    "journal": "Journal",
    "year": "Year",
    "state": "State",
    "decision": "Decisions",
    "tags": "Tags",
    "sources": "Sources",
    "searches": "Searches",
    "type": "Type",
    "language": "Language",
    "doi": "DOI",
    "pdf": "PDF",
    "found": "Found",
}
USUAL_COLUMNS = ("authors", "year", "state", "decision", "tags")

SORT_WORDS = {
    "found": "First found first",
    "newest": "Newly found first",
    "title": "Title",
    "author": "First author",
    "year": "Newest year first",
    "oldest": "Oldest year first",
    "rank": "Rank",
}
assert SORT_WORDS.keys() == SORTS.keys()


@dataclass(frozen=True, slots=True)
class View:
    """What was chosen; `page` counts from 1."""

    text: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "found"
    page: int = 1
    size: int = SIZE
    columns: tuple[str, ...] = USUAL_COLUMNS
    density: str = DENSITIES[0]

    @property
    def question(self) -> Question:
        """What is asked of the store for the page that is shown."""
        start = (self.page - 1) * self.size
        return Question(parse(self.text), self.chosen, self.sort, start, self.size)

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(parse(self.text) or self.chosen)

    def has(self, facet: str, value: str) -> bool:
        """Whether this value of the facet was chosen."""
        return value in self.chosen.get(facet, ())

    def toggled(self, facet: str, value: str) -> View:
        """With this value of the facet if it was not chosen, else without it; from page 1."""
        some = self.chosen.get(facet, ())
        if value in some:
            new = tuple(one for one in some if one != value)
        else:
            new = (*some, value)
        chosen = {**self.chosen, facet: new}
        return replace(self, chosen={key: some for key, some in chosen.items() if some}, page=1)

    def without(self, facet: str) -> View:
        """Without any value of the facet."""
        kept = {key: some for key, some in self.chosen.items() if key != facet}
        return replace(self, chosen=kept, page=1)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What an address of it has after the ?, in an order that depends on the view alone."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [(key, value) for key in FACETS for value in self.chosen.get(key, ())]
        plain = View()
        if self.sort != plain.sort:
            pairs.append(("sort", self.sort))
        if self.size != plain.size:
            pairs.append(("size", str(self.size)))
        if self.columns != plain.columns:
            pairs.append(("columns", ",".join(self.columns)))
        if self.density != plain.density:
            pairs.append(("density", self.density))
        if self.page != plain.page:
            pairs.append(("page", str(self.page)))
        return pairs

    @property
    def query(self) -> str:
        """`pairs` as an address has them."""
        return urlencode(self.pairs)


def read(pairs: Sequence[tuple[str, str]]) -> View:
    """The view of an address."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    last = {name: values[-1] for name, values in given.items()}
    # a form sends each column by itself, an address has all of them in one
    columns = [name for value in given.get("columns", ()) for name in value.split(",")]
    size = _number(last.get("size", ""), SIZE)
    return View(
        text=" ".join(last.get("q", "").split())[:LONGEST],
        chosen={key: _values(given[key]) for key in FACETS if key in given and _values(given[key])},
        sort=last["sort"] if last.get("sort") in SORTS else "found",
        page=max(1, min(_number(last.get("page", ""), 1), LAST_PAGE)),
        size=size if size in SIZES else SIZE,
        columns=tuple(name for name in COLUMNS if name in columns) if columns else USUAL_COLUMNS,
        density=last["density"] if last.get("density") in DENSITIES else DENSITIES[0],
    )


def _values(given: Sequence[str]) -> tuple[str, ...]:
    short = dict.fromkeys(value for value in given if len(value) <= LONGEST_VALUE)
    return tuple(short)[:MOST_CHOSEN]


def _number(text: str, otherwise: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    return otherwise
