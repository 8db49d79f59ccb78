"""What is typed in a study's form and not saved yet: kept for the person who typed it, by a script
every few seconds or by a button, and shown again to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.ops.drafts import Typed
from livereview.store import drafts, evidence
from livereview.store.drafts import Draft, Subject
from livereview.store.open import Connection
from livereview.web import extraction_form, guard
from livereview.web.guard import ReviewContext

NEW = "new"  # a study that has no id yet
LONGEST_REPORT = 200  # characters of a record's id
NONE = "none"  # instead of the id of a draft: show what was saved


@dataclass(frozen=True, slots=True)
class Difference:
    """A box in which two drafts differ: what stands here, and in the other."""

    label: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another draft of the same form, and where it differs from what is shown."""

    draft: Draft
    link: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form's page says of its drafts.

    Attributes:
        subject: What the form is about, and whose it is.
        draft: The draft that stands in the form; None where what was saved stands there.
        basis: The extraction that the form begins with now; "" for none.
        others: The person's other drafts of this form.
        problem: Why what was typed could not be kept.
    """

    subject: Subject
    draft: Draft | None
    basis: str
    others: tuple[Other, ...] = ()
    problem: str = ""

    @property
    def outdated(self) -> bool:
        """Whether an extraction was saved since the draft was begun."""
        return self.draft is not None and self.draft.basis != self.basis

    @property
    def link_to_saved(self) -> str:
        """The address of the form as it was saved last."""
        return address(self.subject, NONE)


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that came, with what its page knew of drafts."""

    subject: Subject
    typed: Typed


def subject_of(context: ReviewContext, study: str, report: str) -> Subject:
    """What a form is about; only a new study is told apart by its first report."""
    if len(report) > LONGEST_REPORT:
        raise HTTPException(422, "That is no id of a report.")
    return Subject(context.review.id, context.me, study, report if study == NEW else "")


async def sent(
    request: Request,
    context: guard.InReview,
    study: str,
    form: Annotated[str, Depends(guard.form_id)],
    draft: Annotated[str, Form()] = "",
    draft_version: Annotated[int, Form()] = 0,
    draft_basis: Annotated[str, Form()] = "",
    draft_report: Annotated[str, Form()] = "",
) -> Sent:
    """What was typed, by the names of its boxes."""
    fields = {
        name: text
        for name, text in (await request.form()).multi_items()
        if isinstance(text, str) and extraction_form.is_box(name)
    }
    if extraction_form.last_row(fields) >= extraction_form.MOST_ROWS:
        most = extraction_form.MOST_ROWS
        raise HTTPException(422, f"A list of a form has at most {most:,} rows. Nothing was saved.")
    subject = subject_of(context, study, draft_report)
    return Sent(subject, Typed(form, draft, draft_version, draft_basis, fields))


def shown(con: Connection, subject: Subject, asked_for: str = "") -> Shown:
    """The draft that stands in a form: the one asked for, else the one saved last.

    Args:
        con: A connection.
        subject: What the form is about.
        asked_for: The id of a draft, "none" for what was saved, or "".
    """
    known = drafts.of_subject(con, subject)
    chosen = next((draft for draft in known if draft.id == asked_for), None)
    if chosen is None and known and asked_for != NONE:
        chosen = known[0]
    return _shown(con, subject, chosen)


def _shown(con: Connection, subject: Subject, chosen: Draft | None, problem: str = "") -> Shown:
    known = drafts.of_subject(con, subject)
    others = tuple(
        Other(draft, address(subject, draft.id), _differences(chosen, draft))
        for draft in known
        if chosen is None or draft.id != chosen.id
    )
    return Shown(subject, chosen, drafts.basis(con, subject), others, problem)


def _differences(here: Draft | None, there: Draft) -> tuple[Difference, ...]:
    """Where two drafts differ, in the order of the one here; none without one here."""
    if here is None:
        return ()
    names = dict.fromkeys([*here.fields, *there.fields])
    return tuple(
        Difference(
            extraction_form.label_of_box(name),
            here.fields.get(name, ""),
            there.fields.get(name, ""),
        )
        for name in names
        if here.fields.get(name, "").strip() != there.fields.get(name, "").strip()
    )


def keep(context: ReviewContext, sent: Sent, fields: Mapping[str, str]) -> Shown:
    """Keep what was typed, and say how its page goes on.

    Where it can't be kept the page says so, and what was typed stands in it still.
    """
    problem = ""
    draft: Draft | None = None
    try:
        kept = ops.drafts.keep(
            context.shared.store,
            subject=sent.subject,
            typed=replace(sent.typed, fields=fields),
            now=context.shared.clock(),
        )
        draft = kept.draft
    except Refused as refusal:
        problem = refusal.message
    with context.shared.store.read() as con:
        return _shown(con, sent.subject, draft, problem)


def change(
    request: Request,
    context: guard.InReview,
    study: str,
    sent: Annotated[Sent, Depends(sent)],
    act: Annotated[str, Form()] = "keep",
) -> Response:
    """Keep what was typed, or throw a draft away. A script is answered in JSON."""
    if act not in ("keep", "throw away"):
        raise HTTPException(422, "act must be one of keep, throw away")
    with context.shared.store.read() as con:
        _check_there(con, sent.subject)
    if act == "throw away":
        ops.drafts.throw_away(context.shared.store, subject=sent.subject, id=sent.typed.draft)
        return RedirectResponse(address(sent.subject), 303)
    kept = ops.drafts.keep(
        context.shared.store, subject=sent.subject, typed=sent.typed, now=context.shared.clock()
    )
    link = address(sent.subject, kept.draft.id)
    if "application/json" not in request.headers.get("accept", ""):
        return RedirectResponse(link, 303)
    answer: dict[str, Any] = {
        "draft": kept.draft.id,
        "version": kept.draft.version,
        "saved": kept.draft.saved.isoformat(),
        "beside": kept.beside,
        "link": link,
    }
    return JSONResponse(answer)


def _check_there(con: Connection, subject: Subject) -> None:
    """404 for a study that is not there, unless a draft was begun while it was."""
    if subject.study == NEW or subject.study in evidence.reports_of(con, subject.review):
        return
    if not drafts.of_subject(con, subject):
        raise HTTPException(404, "There is no such study in this review.")


def own(con: Connection, context: ReviewContext) -> list[tuple[Draft, str, str]]:
    """Each of one's drafts in this review, last saved first, with what to call it and its link."""
    mine = drafts.of_person(con, context.review.id, context.me)
    return [
        (draft, draft.fields.get("label") or _name(draft), address(draft.subject, draft.id))
        for draft in mine
    ]


def _name(draft: Draft) -> str:
    if draft.subject.study == NEW:
        return "A new study"
    return draft.subject.study


def address(subject: Subject, draft: str = "") -> str:
    """The address of a form, with one of its drafts."""
    asked = {"report": subject.report, "draft": draft}
    query = urlencode({name: value for name, value in asked.items() if value})
    path = f"/r/{subject.review}/evidence/{subject.study}"
    return f"{path}?{query}" if query else path
