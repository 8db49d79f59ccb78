"""All reports of a review in one table: found by words, narrowed by facets, each choice in the
address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from livereview import rights
from livereview.review import Review
from livereview.store import calibration, finding, saved_views, tags, voters
from livereview.store.finding import Answer, Eyes
from livereview.store.open import Connection
from livereview.web import guard, pages, record_view
from livereview.web.guard import ReviewContext
from livereview.web.record_view import View

SHOWN = 10  # values of a facet that stand there at once
MOST_SHOWN = 60  # and all that can be opened; the others are reached by the search field

STATES = {
    "open": "Open",
    "half": "Half-screened",
    "conflict": "Conflict",
    "included": "Included",
    "excluded": "Excluded",
    "not_retrieved": "Not retrieved",
}
YES_NO = {"yes": "Yes", "no": "No"}
RETRACTIONS = {
    "retracted": "Retracted",
    "expression-of-concern": "Expression of concern",
    "corrected": "Corrected",
    "": "Nothing of that kind",
}
RELATIONS = {
    "merged": "Several records",
    "linked": "Linked to another report",
    "doubtful": "A doubtful pair waits",
}
FACET_WORDS = {
    "stage": "Stage",
    "state": "State",
    "awaits": "Half-screened, can be finished by",
    "mine": "My decision",
    "vote": "Decision",
    "by": "Decided by",
    "reason": "Reason",
    "tag": "Tag",
    "source": "Source",
    "search": "Search",
    "year": "Year",
    "type": "Type",
    "language": "Language",
    "pdf": "Has a PDF",
    "abstract": "Has an abstract",
    "retraction": "Retraction",
    "study": "Study",
    "relation": "Relation",
}
OPEN_AT_FIRST = ("stage", "state", "mine", "tag")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet: how many reports have it, and the address that chooses it or lets it
    go.
    """

    words: str
    count: int
    chosen: bool
    query: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet as it is shown; `more` are values that are opened when asked for."""

    key: str
    words: str
    values: tuple[Value, ...]
    more: tuple[Value, ...]
    open: bool


def page(context: guard.InReview, request: Request) -> Response:
    """The view of the address."""
    view = record_view.read(request.query_params.multi_items())
    with context.shared.store.read() as con:
        eyes = eyes_of(con, context)
        view = allowed(view, eyes, context)
        answer = finding.ask(con, context.review.id, view.question, eyes)
        if view.page > 1 and not answer.reports:
            view = replace(view, page=1)
            answer = finding.ask(con, context.review.id, view.question, eyes)
        rows = finding.rows(con, context.review.id, answer.reports, eyes)
        kept = saved_views.of(con, context.review.id, context.me)
        names = tags.of(con, context.review.id)
    values: dict[str, Any] = {
        "view": view,
        "total": answer.total,
        "rows": rows,
        "facets": facets(answer, view, context.review, eyes),
        "chips": chips(view, context.review),
        "pages": -(-answer.total // view.size),
        "states": STATES,
        "columns": columns_of(view),
        "all_columns": record_view.COLUMNS,
        "others": others,
        "turned": turned,
        "sorts": _sorts(context),
        "sizes": record_view.SIZES,
        "kept": kept,
        "tags": names,
        "told": told(request.query_params),
        "takes_part": context.may(rights.TAKE_PART),
        "manages": context.may(rights.MANAGE),
        "reasons": {reason.id: reason.label for reason in context.review.reasons},
    }
    return pages.show("records.html", context, **values)


def eyes_of(con: Connection, context: ReviewContext) -> Eyes:
    """How much of others' decisions this visitor may see."""
    voting = voters.names(con, context.review.id)
    everything = context.user.role == "lead" and context.me not in voting
    if everything:
        again = {}
    else:
        again = calibration.unanswered(con, context.review.id, context.me)
    own_only = context.user.role == "reviewer"
    return Eyes(context.me, everything, own_only, again, tuple(sorted(voting)))


def allowed(view: View, eyes: Eyes, context: ReviewContext) -> View:
    """The view without what this visitor does not have: a shared address may name it."""
    shown = finding.facets_of(eyes)
    chosen = {key: values for key, values in view.chosen.items() if key in shown}
    sort = view.sort if view.sort in _sorts(context) else "found"
    return replace(view, chosen=chosen, sort=sort)


def _sorts(context: ReviewContext) -> Mapping[str, str]:
    """Ranks are the lead's page to tell."""
    leads = context.user.role == "lead"
    return {key: words for key, words in record_view.SORT_WORDS.items() if leads or key != "rank"}


def facets(answer: Answer, view: View, review: Review, eyes: Eyes) -> list[Facet]:
    """The facets with something to choose, in the order of FACET_WORDS."""
    shown = []
    for key, words in FACET_WORDS.items():
        if key not in answer.facets:
            continue
        counted = _ordered(key, answer.facets[key])
        counts = dict(counted)
        missing = [(value, 0) for value in view.chosen.get(key, ()) if value not in counts]
        values = [
            Value(
                value_words(key, value, review),
                count,
                view.has(key, value),
                view.toggled(key, value).query,
            )
            for value, count in [*missing, *counted][:MOST_SHOWN]
        ]
        if values:
            first = tuple(value for at, value in enumerate(values) if at < SHOWN or value.chosen)
            more = tuple(value for value in values if value not in first)
            opened = key in OPEN_AT_FIRST or key in view.chosen
            shown.append(Facet(key, words, first, more, opened))
    return shown


def _ordered(key: str, counted: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Years by year, the newest first; states and stages as work goes; others by number."""
    if key == "year":
        return sorted(counted, reverse=True)
    order = {"stage": list(pages.STAGES), "state": list(STATES)}.get(key)
    if order is None:
        return list(counted)
    return sorted(counted, key=lambda row: order.index(row[0]) if row[0] in order else len(order))


def value_words(key: str, value: str, review: Review) -> str:
    """A value of a facet for people."""
    words: Mapping[str, str] = {
        "stage": pages.STAGES,
        "state": STATES,
        "mine": {**pages.VERDICTS, "none": "None yet"},
        "vote": pages.VERDICTS,
        "reason": {reason.id: reason.label for reason in review.reasons},
        "pdf": YES_NO,
        "abstract": YES_NO,
        "retraction": RETRACTIONS,
        "relation": RELATIONS,
    }.get(key, {})
    return words.get(value, value.replace("-", " ") if key == "type" else value) or "Not given"


def chips(view: View, review: Review) -> list[tuple[str, str]]:
    """(words, address without it) of everything that narrows the view."""
    shown = []
    if view.text:
        shown.append((f"“{view.text}”", replace(view, text="", page=1).query))
    for key, values in view.chosen.items():
        for value in values:
            words = f"{FACET_WORDS[key]}: {value_words(key, value, review)}"
            shown.append((words, view.toggled(key, value).query))
    return shown


def told(query: Mapping[str, str]) -> str:
    """What the last act did, in words; "" where there was none."""
    done, refused = (_number(query.get(name, "")) for name in ("done", "refused"))
    reports = "1 report" if done == 1 else f"{done:,} reports"
    words = {
        "none": "Nothing was marked, so nothing was done.",
        "tag": f"The tag is on {reports} now.",
        "untag": f"The tag is off {reports} now.",
        "ask": f"You asked for the full text of {reports}: see the list “To be retrieved”.",
    }.get(query.get("did", ""), "")
    if words and refused:
        words += f" {refused:,} could not be asked for: not at full text, or you had decided."
    return words


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    return 0


def turned(view: View, page: int) -> str:
    """The address of another page of the view."""
    return replace(view, page=page).query


def columns_of(view: View) -> dict[str, str]:
    """The columns that are shown, with their words; authors stand under the title."""
    return {
        key: words
        for key, words in record_view.COLUMNS.items()
        if key in view.columns and key != "authors"
    }


def others(view: View, *names: str) -> list[tuple[str, str]]:
    """What a form of the page must bring along, apart from its own fields."""
    return [(name, value) for name, value in view.pairs if name not in (*names, "page")]
