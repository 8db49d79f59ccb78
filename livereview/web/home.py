"""The start: every review of this server and what waits for the person in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import Response

from livereview import rights
from livereview.ops import retrieval
from livereview.ops.protocols import protocols
from livereview.review import Review
from livereview.store import decisions, matches, queues, retirement, versions, voters
from livereview.store.open import Connection
from livereview.web import guard, pages
from livereview.web.guard import RequestUser, ReviewContext


@dataclass(frozen=True, slots=True)
class Row:
    """One review for one person.

    Attributes:
        review: The review.
        stages: (stage, done, waiting) of each stage; nothing for somebody who does not vote.
        conflicts: Reports on which reviewers differ; None: not this person's work.
        doubtful: Pairs that may be duplicates; None: not this person's work.
        sought: Reports to be retrieved; None: not this person's work.
        version: The newest version; None: nothing is public.
        ballot: A vote on retiring the review waits for this person.
    """

    review: Review
    stages: tuple[tuple[str, int, int], ...]
    conflicts: int | None
    doubtful: int | None
    sought: int | None
    version: int | None
    ballot: bool = False


def page(user: guard.Visitor) -> Response:
    """Reviews and what waits."""
    with user.shared.store.read() as con:
        own = [review for review in protocols(con) if user.enters(review.id)]
        rows = _rows(con, user, own)
    return pages.render("home.html", user, rows=rows, makes=user.may(rights.MAKE_REVIEW))


def _rows(con: Connection, user: RequestUser, own: Sequence[Review]) -> list[Row]:
    """A row for each review; the number of questions does not depend on how many there are."""
    ids = [review.id for review in own]
    works = user.role != "reader"
    voting = voters.names_of(con, ids)
    progress = queues.progress_of(
        con, [review for review in own if user.name in voting[review.id]], user.name
    )
    heads = versions.heads(con, ids)
    conflicts = decisions.conflict_counts(con, ids)
    doubtful = matches.doubtful_counts(con, ids) if works else {}
    lists = retrieval.lists(con, own) if works else {}
    if user.role in retirement.WHO:
        ballots = retirement.waits_for(con, ids, user.name)
    else:
        ballots = set()
    rows = []
    for review in own:
        head = heads.get(review.id)
        settles = guard.may_adjudicate(ReviewContext(user, review))
        row = Row(
            review=review,
            stages=tuple(
                (stage, *numbers) for stage, numbers in progress.get(review.id, {}).items()
            ),
            conflicts=conflicts[review.id] if settles else None,
            doubtful=doubtful.get(review.id),
            sought=retrieval.waiting(lists[review.id]).sought if works else None,
            version=head.number if head else None,
            ballot=review.id in ballots,
        )
        rows.append(row)
    return rows
