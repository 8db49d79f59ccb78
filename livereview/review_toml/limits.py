"""How long the texts of a protocol may be and what they may hold: one table for all of its keys.

Titles, labels and reasons stand on the public page, in feeds and in spreadsheets; a key that is not
named here is a line of at most DEFAULT characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livereview import texts
from livereview.review import Question
from livereview.review_toml.lines import Where

LONGEST_FILE = 5_000_000  # characters: the largest protocol that is known has 40,000
DEFAULT = 1_000

_SHOWN = 300  # what stands in a heading or a row of a table
_PARAGRAPH = 5_000
_STRATEGY = 100_000  # a search strategy of Cochrane's has up to 20,000
_PARAGRAPHS = ("text", "context", "mechanism", "outcome", "evidence", "for_whom")
_STEPS = ("screening", "extraction", "synthesis", "publication", "trigger", "retirement")

LONGEST: Mapping[str, int] = {
    "id": 64,
    "name": 64,
    "version": 64,
    "timezone": 64,
    "source": 200,
    "measure": 100,
    "model": 200,
    "apart": 60,
    "sites": 40,
    "title": _SHOWN,
    "label": _SHOWN,
    "platform": _SHOWN,
    "licence": _SHOWN,
    "authors": _SHOWN,
    "url": 2_000,
    "suggestions": 2_000,
    "site_url": 2_000,
    "webhooks": 2_000,
    **dict.fromkeys(_PARAGRAPHS, _PARAGRAPH),
    "query": _STRATEGY,
    "filters": _STRATEGY,
    **dict.fromkeys(Question.__slots__, _PARAGRAPH),
    **dict.fromkeys(_STEPS, _PARAGRAPH),
}
SEVERAL_LINES = frozenset({*_PARAGRAPHS, "query", "filters", *Question.__slots__, *_STEPS})
_INNER_NAMES = frozenset({"filters", "shares", "domains"})  # tables whose own keys are free


def problems(document: Mapping[str, Any]) -> list[tuple[Where, str]]:
    """(where, what is wrong) of every text of the file, its keys included."""
    return list(_walk(document, (), ""))


def _walk(value: Any, where: Where, key: str) -> Iterator[tuple[Where, str]]:
    """The problems in `value`, which stands at `where` under `key`."""
    if isinstance(value, str):
        if what := texts.problem(value, LONGEST.get(key, DEFAULT), key in SEVERAL_LINES):
            yield where, what
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _walk(item, (*where, place), key)
    elif isinstance(value, dict):
        for name, item in value.items():
            if what := texts.problem(name, DEFAULT):
                yield where, f"a key here {what}"
            else:
                inner = key if key in _INNER_NAMES else name
                yield from _walk(item, (*where, name), inner)
