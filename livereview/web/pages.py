"""From a template to a page. Everything is escaped, always; no text is ever marked as safe."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from livereview.evidence.places import Looked
from livereview.links import WORDS
from livereview.web import reader

if TYPE_CHECKING:
    from livereview.web.guard import RequestUser, ReviewContext

STAGES = {"title_abstract": "Title and abstract", "full_text": "Full text"}
VERDICTS = {
    "include": "Included",
    "exclude": "Excluded",
    "maybe": "Maybe",
    "not_retrieved": "Can’t get it",
    "same": "Same report",
    "linked": "Linked",
    "different": "Different",
}
TITLES = {
    400: "That did not work",
    401: "Please sign in again",
    403: "Not for you",
    404: "Not here",
    405: "Not this way",
    409: "Nothing was changed",
    413: "Too large",
    422: "That can't be done",
    429: "Too many tries",
    500: "Something broke here",
    503: "Try again soon",
    507: "The disk is full",
}


INSUFFICIENT_STORAGE = 507
DISK_FULL = (
    "The server's disk is full, so nothing was saved. Tell whoever runs this server to make room; then send it again, "
    "nothing needs a restart."
)


def when(moment: datetime | None) -> str:
    """A moment for people: 2026-03-07 14:05 UTC."""
    if moment:
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return "never"


def number(value: float) -> str:
    """12,345"""
    return f"{value:,.0f}"


def effort(hours: float) -> str:
    """12 hours, 2.5 hours, 6 minutes"""
    if hours >= 10:
        return f"{number(hours)} hours"
    minutes = round(hours * 60)
    if minutes >= 90:
        return f"{hours:.1f} hours"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def p_value(p: float) -> str:
    """= 0.042; < 0.001"""
    return f"= {p:.3f}" if p >= 0.001 else "< 0.001"


def place(looked: Looked) -> str:
    """Where a quote was found, as JSON for the script that goes there."""
    return json.dumps(asdict(reader.mark("", looked)))


def new_id() -> str:
    """An id for a form, so that the same form sent twice is one event."""
    return uuid.uuid4().hex


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        when=when, number=number, effort=effort, p_value=p_value, place=place
    )
    environment.globals.update(stages=STAGES, verdicts=VERDICTS, form_id=new_id, link_kinds=WORDS)
    return environment


_templates = _environment()


def render(
    template: str, user: RequestUser | None, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page for this person, or for nobody who signed in."""
    values.setdefault("context", None)
    return HTMLResponse(_templates.get_template(template).render(user=user, **values), status)


def show(template: str, context: ReviewContext, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of a review."""
    return render(template, context.user, status, context=context, **values)


def error(
    status: int, message: str, link: tuple[str, str] = ("/", "Back to the start")
) -> HTMLResponse:
    """A page that says what went wrong and where to go on: `link` is (address, words)."""
    title = TITLES.get(status, "That did not work")
    return render("error.html", None, status, title=title, message=message, link=link)


def disk_full(address: str, fields: Sequence[tuple[str, str]]) -> HTMLResponse:
    """That there is no room, with all that was typed in a form which sends it to the same address
    again.
    """
    values = {
        "title": TITLES[INSUFFICIENT_STORAGE],
        "message": DISK_FULL,
        "address": address,
        "fields": fields,
    }
    return render("disk_full.html", None, INSUFFICIENT_STORAGE, **values)
