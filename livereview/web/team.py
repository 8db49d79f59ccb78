"""The lead's page of people: accounts, who did how much, and decisions that changed criteria may
turn.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.ops import calibration
from livereview.store import accounts, decisions, records, shares, voters
from livereview.store import acts as log
from livereview.store.accounts import Account
from livereview.store.open import Connection
from livereview.web import acts, guard, pages
from livereview.web.guard import ReviewContext

LISTED = 50  # decisions shown of each older version; the button asks about all


def page(context: guard.InReview, name: str = "") -> Response:
    """The page as it is now; `name` fills the form with an account as it is, or was when it was
    last open.
    """
    return _show(context, name=name)


def _show(
    context: ReviewContext, status: int = 200, *, name: str = "", problem: str = ""
) -> Response:
    review = context.review.id
    with context.shared.store.read() as con:
        eyes = voters.eyes(con, review, context.me)
        older = ops.team.older_criteria(con, review, eyes)
        shown = [one.record_id for _, _, made in older for one in made[:LISTED]]
        values: dict[str, Any] = {
            "accounts": [one for one in accounts.names(con) if one.enters(review)],
            "closed": [
                one for one in accounts.closed(con) if context.user.principal.covers(one.reach)
            ],
            "filled": _filled(con, context, name),
            "work": decisions.counts_by_person(con, review, eyes),
            "older": older,
            "again": calibration.results(con, review),
            "agreements": ops.team.agreements(con, review),
            "shares": shares.of(con, context.review),
            "loads": shares.loads(con, context.review, eyes),
            "screens": eyes is not None,
            "abstaining": voters.abstaining(con, review),
            "titles": {key: one.title for key, one in records.current(con, shown).items()},
        }
    values["voters"] = [
        one for one in values["accounts"] if one.role in shares.VOTERS and one.enters(review)
    ]
    settings = context.shared.settings
    values["mails"] = bool(settings.smtp and settings.sender and settings.url)
    values |= {"problem": problem, "roles": accounts.ROLES, "listed": LISTED}
    return pages.show("team.html", context, status, **values)


def _filled(con: Connection, context: ReviewContext, name: str) -> Account | None:
    """The account that the form is about, if this person may know of it."""
    account = accounts.when_last_open(con, name) if name else None
    if account is None or not (
        account.enters(context.review.id) or context.user.principal.covers(account.reach)
    ):
        return None
    return account


def change(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    name: Annotated[str, Form()],
    act: Annotated[str, Form()],
    role: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    reach: Annotated[str, Form()] = "",
    mail: Annotated[str, Form()] = "",
) -> Response:
    """Open an account; the next page shows the link that takes it up.

    What changes one is told first and then confirmed.
    """
    if act not in ("open", "close"):
        raise HTTPException(422, "act must be one of open, close")
    kind = "close_account" if act == "close" else "open_account"
    reviews = {"here": context.review.id, "every": "*"}.get(reach, "")
    given = {"name": name.strip(), "role": role, "reviews": reviews, "email": email.strip()}
    given = {field: value for field, value in given.items() if value and field in acts.FIELDS[kind]}
    try:
        if act == "open" and _is_new(context, form, name.strip()):
            return acts.carry_out(context, form, kind, given, shown=None, mail=bool(mail))
        acts.preview(context, kind, given)
    except Refused as refusal:
        return _show(context, 422, problem=refusal.message)
    return acts.confirm(context, kind, given)


def _is_new(context: ReviewContext, form: str, name: str) -> bool:
    """Whether nobody ever had this name, or it is this very form that gave it."""
    with context.shared.store.read() as con:
        return accounts.last_of(con, name) is None or log.known(con, f"{context.me}-{form}")


def screening(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    act: Annotated[str, Form()],
) -> Response:
    """I do not screen in this review, and may see all votes; or I do again."""
    if act not in ("abstain", "return"):
        return _show(context, 422, problem="act must be one of abstain, return")
    ops.team.screens(
        context.shared.store,
        id=f"{context.me}-{form}",
        review=context.review.id,
        account=context.me,
        screens=act == "return",
        now=context.shared.clock(),
    )
    return RedirectResponse(f"/r/{context.review.id}/team#screening", 303)


def again(
    context: guard.InReview, version: Annotated[str, Form()], stage: Annotated[str, Form()]
) -> Response:
    """Say what it does to ask again about all decisions of a stage under this version of the
    criteria.
    """
    return acts.confirm(context, "decide_again", {"version": version, "stage": stage})


def calibrate(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    number: Annotated[int, Form()] = 10,
    people: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Ask some settled reports again, hidden in the queues of the people ticked, or of all
    reviewers.
    """
    asked: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "by": context.me,
        "now": context.shared.clock(),
    }
    try:
        calibration.ask(context.shared.store, number=number, reviewers=people or (), **asked)
    except Refused as refusal:
        return _show(context, 422, problem=refusal.message)
    return RedirectResponse(f"/r/{context.review.id}/team#calibration", 303)
