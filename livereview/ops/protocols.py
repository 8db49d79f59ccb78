"""The protocols in force, parsed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from livereview import review_toml
from livereview.errors import Refused
from livereview.review import Review
from livereview.store import retirement, searches
from livereview.store.open import Connection

# parsed protocols that are kept: a server of five hundred reviews asks for all of them at each look
KEPT = 2_048


@lru_cache(maxsize=KEPT)
def parsed(text: str) -> Review:
    """The protocol in this text, which was accepted before."""
    return review_toml.parse(text, accepted=True)


def protocol(con: Connection, review: str) -> Review:
    """The protocol in force.

    Raises:
        Refused: This database does not know the review.
    """
    text = searches.protocol_text(con, review)
    if text is None:
        known = ", ".join(searches.review_ids(con)) or "none yet"
        raise Refused(
            f"unknown review {review!r}; this database has: {known}. Give its review.toml with --protocol"
        )
    return parsed(text)


def protocols(con: Connection) -> list[Review]:
    """The protocol in force of every review, by the reviews' ids."""
    return [parsed(text) for text in searches.protocols_in_force(con).values()]


def with_statuses(con: Connection, reviews: Sequence[Review]) -> list[Review]:
    """These protocols with the status that holds: a carried vote's, unless the protocol changed
    after it.
    """
    votes = retirement.decided(con, [review.id for review in reviews])
    return [retirement.with_status(review, votes) for review in reviews]
