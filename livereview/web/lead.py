"""The lead's page: what is wrong first, then what waits."""

from __future__ import annotations

from fastapi.responses import Response

from livereview import ops
from livereview.store import evidence, matches, searches
from livereview.web import guard, pages

REJECTS = 20


def page(room: guard.Here) -> Response:
    """Alarms, searches, the flow of records, the last rejects."""
    review = room.review.id
    status = ops.status.status(room.desk.store, now=room.desk.clock(), review=review)["reviews"][0]
    with room.desk.store.read() as con:
        values = {
            "rejects": searches.rejects(con, review, REJECTS),
            "to_extract": len(evidence.to_extract(con, review)),
            "doubtful": matches.doubtful_count(con, review),
        }
    return pages.show("lead.html", room, status=200, now=status, **values)
