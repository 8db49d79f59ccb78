"""What the lead is told of the language model's second opinion: how good it was, and which reports
it would have kept.
"""

from __future__ import annotations

from fastapi.responses import Response

from livereview import ops
from livereview.web import guard, pages

MOST_DOUBTS = 200  # reports on one page


def page(context: guard.InReview) -> Response:
    """The evaluation, the reports to look at again, and what was spent."""
    with context.shared.store.read() as con:
        overview = ops.opinions.overview(con, context.review.id)
    return pages.show(
        "assistant.html",
        context,
        overview=overview,
        doubts=overview.doubts[:MOST_DOUBTS],
        floors=ops.opinions.FLOORS,
        fewest=ops.opinions.FEWEST,
        server=context.shared.settings.assistant,
        criteria={one.id: one for one in context.review.criteria},
    )
