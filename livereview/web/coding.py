"""Coding one report for the evidence and gap map, on the report's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview.errors import Refused
from livereview.evidence.map_codes import DESIGNS, KINDS, MapCodes
from livereview.ops import coding
from livereview.review import Review
from livereview.store.open import Connection
from livereview.web import guard, mine
from livereview.web.guard import ReviewContext


@dataclass(frozen=True, slots=True)
class MapCard:
    """What the page shows of a report's codes.

    Attributes:
        codes: Those that hold; empty ones where there are none.
        author: Who gave them; empty: nobody has.
        choices: Of the boxes, by field: label by id.
        kinds, designs: Of the lists.
    """

    codes: MapCodes
    author: str
    choices: dict[str, tuple[str, dict[str, str]]]
    kinds: dict[str, str]
    designs: dict[str, str]


def card(con: Connection, review: Review, report: str) -> MapCard:
    """The codes of a report, with what may be chosen."""
    history = coding.history_of(con, review, report)
    author, codes = history[-1] if history else ("", MapCodes())
    return MapCard(codes, author, _choices(review), dict(KINDS), dict(DESIGNS))


def _choices(review: Review) -> dict[str, tuple[str, dict[str, str]]]:
    """The fields that have boxes, with their names; an only comparison is nothing to choose."""
    offered = {
        "areas": ("Areas", {area.id: area.label for area in review.taxonomy}),
        "outcomes": ("Outcomes that it looks at", {row.id: row.label for row in review.outcomes}),
    }
    if len(review.comparisons) > 1:
        compared = {comparison.id: comparison.label for comparison in review.comparisons}
        offered["comparisons"] = ("Comparisons", compared)
    return {field: choice for field, choice in offered.items() if choice[1]}


def save(
    context: guard.InReview,
    record: str,
    form: Annotated[str, Depends(guard.form_id)],
    act: Annotated[str, Form()] = "keep",
    kind: Annotated[str, Form()] = "study",
    areas: Annotated[list[str] | None, Form()] = None,
    outcomes: Annotated[list[str] | None, Form()] = None,
    comparisons: Annotated[list[str] | None, Form()] = None,
    design: Annotated[str, Form()] = "",
    countries: Annotated[str, Form()] = "",
    populations: Annotated[str, Form()] = "",
) -> Response:
    """Keep the codes of the report, or take the last change of them back."""
    if act not in ("keep", "back"):
        raise HTTPException(422, "act must be one of keep, back")
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
        report = mine.report_of(con, record)
    if act == "back":
        _take_back(context, form, report)
    else:
        codes = {
            "kind": kind,
            "areas": areas or [],
            "outcomes": outcomes or [],
            "comparisons": comparisons or [],
            "design": design or None,
            "countries": countries.split(";"),
            "populations": populations.split(";"),
        }
        coding.code(
            context.shared.store,
            id=f"{context.me}-{form}",
            review=context.review.id,
            record=report,
            codes=codes,
            by=context.me,
            now=context.shared.clock(),
        )
    return RedirectResponse(f"/r/{context.review.id}/records/{report}#map", 303)


def _take_back(context: ReviewContext, form: str, report: str) -> None:
    try:
        coding.take_back(
            context.shared.store,
            id=f"{context.me}-{form}",
            review=context.review.id,
            record=report,
            by=context.me,
            now=context.shared.clock(),
        )
    except Refused as refusal:
        raise HTTPException(409, refusal.message) from None
