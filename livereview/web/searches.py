"""The lead's page of searches: what each brought and when it runs next; one is run now, watched and
stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview.errors import Refused
from livereview.ops.search_list import SearchState, search_list
from livereview.sources import SOURCES
from livereview.web import guard, pages
from livereview.web.acts import FormId
from livereview.web.guard import ReviewContext
from livereview.web.runs import LOOK_UPS, HandRun

TALLEST = 28.0  # units of the highest bar
LOWEST = 2.0  # of a run that found nothing, which must be seen too
WIDTH = 4  # units of a bar with the space behind it


@dataclass(frozen=True, slots=True)
class Bar:
    """One run of a search in the row of the last nights."""

    x: int
    height: float
    outcome: str


@dataclass(frozen=True, slots=True)
class Row:
    """A search as the page shows it.

    Attributes:
        source: What its source is called.
        bars: Its runs of the last nights, oldest first.
        run: The run that a lead started, if one runs or ended lately.
    """

    state: SearchState
    source: str
    bars: tuple[Bar, ...]
    run: HandRun | None

    @property
    def by_hand(self) -> bool:
        """Whether it runs, and was started from the room."""
        return self.run is not None and self.run.running

    @property
    def runs(self) -> bool:
        """Whether it runs or is about to."""
        return self.by_hand or self.state.runs


def page(context: guard.InReview, done: str = "") -> Response:
    """All searches of the protocol, and the files that were brought."""
    return _show(context, done=done)


def _show(
    context: ReviewContext, status: int = 200, *, done: str = "", problem: str = ""
) -> Response:
    now = context.shared.clock()
    with context.shared.store.read() as con:
        listed = search_list(con, context.review, now)
    runs = context.shared.runs.of(context.review.id, now)
    rows = [_row(state, runs.get(state.search.name)) for state in listed.states]
    return pages.show(
        "searches.html",
        context,
        status,
        rows=rows,
        listed=listed,
        running=any(row.runs for row in rows) or any(run.running for run in runs.values()),
        look_ups=runs.get(LOOK_UPS),
        look_ups_name=LOOK_UPS,
        done=done,
        problem=problem,
        width=WIDTH,
        tallest=TALLEST,
    )


def _row(state: SearchState, run: HandRun | None) -> Row:
    """A search with its runs as bars: as high as each found beside the most that one found."""
    source = state.search.source
    most = max((attempt.found for attempt in state.recent), default=0) or 1
    bars = []
    for number, attempt in enumerate(state.recent):
        height = max(LOWEST, TALLEST * (attempt.found / most) ** 0.5)
        bars.append(Bar(number * WIDTH, round(height, 1), attempt.outcome))
    title = SOURCES[source].title if source in SOURCES else source
    return Row(state, title, tuple(bars), run)


def act(
    context: guard.InReview, form: FormId, act: Annotated[str, Form()], name: Annotated[str, Form()]
) -> Response:
    """Run a search now, or stop one that a lead started."""
    if context.review.search(name) is None and name != LOOK_UPS:
        raise HTTPException(404, "There is no such search in this review.")
    now, shared = context.shared.clock(), context.shared
    try:
        if act == "run":
            _may_run(context, name)
            shared.runs.begin(shared.settings.home, context.review.id, name, context.me, now)
        elif act == "stop":
            shared.runs.stop(context.review.id, name, context.me, now)
        else:
            raise HTTPException(422, "act must be one of run, stop")
    except Refused as refusal:
        return _show(context, 409, problem=f"{refusal.message}.")
    place = "look-ups" if name == LOOK_UPS else name
    return RedirectResponse(f"/r/{context.review.id}/searches?done={act}#{place}", 303)


def _may_run(context: ReviewContext, name: str) -> None:
    """Raise Refused where the search runs already, as beginning it again would end that run."""
    with context.shared.store.read() as con:
        listed = search_list(con, context.review, context.shared.clock())
    if any(state.runs for state in listed.states if state.search.name == name):
        raise Refused(f"{name} runs at this moment; wait until it has ended")
    if listed.rules.living.status == "retired":
        raise Refused("this review is retired, so nothing is searched")
