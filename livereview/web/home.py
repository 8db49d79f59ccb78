"""The start: every review of this server and what waits for the person in each."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi.responses import Response

from livereview.ops import retrieval, surveil
from livereview.review import Review
from livereview.store import decisions, matches, queues, retirement, searches, versions, voters
from livereview.store.open import Connection
from livereview.web import guard, pages
from livereview.web.guard import Room, Visit


@dataclass(frozen=True, slots=True)
class Row:
    """One review for one person: (stage, done, waiting) each, and what else waits; None: not this person's work.

    ballot  a vote on retiring the review waits for this person
    """

    review: Review
    stages: tuple[tuple[str, int, int], ...]
    conflicts: int | None
    doubtful: int | None
    sought: int | None
    version: int | None
    ballot: bool = False


def page(visit: guard.Visitor) -> Response:
    """Reviews and what waits."""
    with visit.desk.store.read() as con:
        rows = [
            _row(con, visit, surveil.protocol(con, review))
            for review in searches.review_ids(con)
            if visit.enters(review)
        ]
    return pages.render("home.html", visit, rows=rows)


def _row(con: Connection, visit: Visit, review: Review) -> Row:
    role, published = visit.role, versions.all_of(con, review.id)
    votes = voters.eyes(con, review.id, visit.name) is not None
    progress = queues.progress(con, review, visit.name) if votes else {}
    settles = guard.may_adjudicate(Room(visit, review))
    return Row(
        review,
        tuple((stage, *progress[stage]) for stage in progress),
        len(decisions.conflicts(con, review.id)) if settles else None,
        matches.doubtful_count(con, review.id) if role != "reader" else None,
        retrieval.waiting(con, review).sought if role != "reader" else None,
        published[-1].number if published else None,
        retirement.waits_for(con, review.id, visit.name),
    )
