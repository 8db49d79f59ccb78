"""Since when the team's own words stand in the protocol as they do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from livereview.ops.protocols import parsed
from livereview.review import Configuration, Review, Statement
from livereview.store import searches
from livereview.store.open import Connection
from livereview.summary import statements


def written(con: Connection, review: Review) -> dict[str, datetime]:
    """Since when each of the team's entries stands as it does, by the versions of the protocol."""
    since: dict[str, tuple[Statement | Configuration, datetime]] = {}
    for text, made in searches.protocols(con, [review.id])[review.id]:
        for entry in _entries(parsed(text)):
            bare = replace(entry, checked=None, review_by=None)
            name = statements.key(entry)
            if name not in since or since[name][0] != bare:
                since[name] = (bare, made)
    names = [statements.key(entry) for entry in _entries(review)]
    return {name: since[name][1] for name in names if name in since}


def _entries(review: Review) -> list[Statement | Configuration]:
    return [*review.statements, *review.configurations]
