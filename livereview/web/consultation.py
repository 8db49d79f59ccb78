"""Comments on a published version: the form for readers and panel members, and the lead's page that
moderates them.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from livereview.errors import Refused
from livereview.ops import consultation
from livereview.ops.protocols import protocol
from livereview.review import Review
from livereview.store import searches, versions
from livereview.store.accounts import digest
from livereview.store.consultation import Consultation, Invitation
from livereview.web import guard, pages
from livereview.web.guard import ReviewContext
from livereview.web.handover import Handed
from livereview.web.suggest import EACH

FORM = "comment"
# comments by one link in an hour: people who are asked comment sentence by sentence
EACH_OF_PANEL = 30
TYPED = (
    "version",
    "until",
    "readers",
    "note",
    "name",
    "address",
    "comment",
    "reason",
    "text",
    "changed",
    "changed_in",
)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody comments: the review, what is open to them (None: nothing) and a panel
    member's invitation.
    """

    review: Review
    open: Consultation | None
    claims: dict[str, str]
    guest: Invitation | None
    token: str | None


# Readers and the panel


def page(request: Request, review: str) -> Response:
    """The empty form, or that nothing is open for comment."""
    return _form(_seat(request, review, None))


def panel_page(request: Request, review: str, token: str) -> Response:
    """The form of a panel member; 404 for a link that is nobody's."""
    return _form(_seat(request, review, token))


def send(
    request: Request,
    review: str,
    form: Annotated[str, Form()] = "",
    about: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    named: Annotated[str, Form()] = "",
    website: Annotated[str, Form()] = "",
) -> Response:
    """Take a reader's comment down.

    `website` is a field that people do not see: who fills it in is no person.
    """
    given = {"form": form, "about": about, "text": text, "name": name, "named": named}
    if website:
        return _form(_seat(request, review, None), done=True)
    return _take(request, _seat(request, review, None), given)


def panel_send(
    request: Request,
    review: str,
    token: str,
    form: Annotated[str, Form()] = "",
    about: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    named: Annotated[str, Form()] = "",
) -> Response:
    """Take a panel member's comment down."""
    given = {"form": form, "about": about, "text": text, "name": name, "named": named}
    return _take(request, _seat(request, review, token), given)


def _seat(request: Request, review: str, token: str | None) -> Seat:
    shared = guard.shared(request)
    with shared.store.read() as con:
        if (
            not re.fullmatch(r"[a-z0-9-]{1,64}", review)
            or searches.protocol_text(con, review) is None
        ):
            raise HTTPException(404, "There is no review of this name here.")
        try:
            if token is not None:
                guest = consultation.invited(con, review, token)
            else:
                guest = None
        except Refused as refusal:
            raise HTTPException(
                404, f"There is no page at this address: {refusal.message}."
            ) from None
        found = consultation.now_open(con, review, shared.clock())
        theirs = found and (found.version == guest.version if guest else found.readers)
        if found and theirs:
            claims = consultation.claims_of(con, review, found.version)
        else:
            claims = {}
        return Seat(protocol(con, review), found if theirs else None, claims, guest, token)


def _take(request: Request, seat: Seat, given: dict[str, str]) -> Response:
    """Whatever is refused, the text goes back into the form, and does not count: they are still
    writing.
    """
    shared = guard.shared(request)
    now = shared.clock()
    if wait := _wait(request, seat, now):
        answer = _form(
            seat, "You have sent several comments already. Please come back in an hour.", 429, given
        )
        answer.headers["Retry-After"] = str(wait)
        return answer
    try:
        if re.fullmatch(r"[0-9a-f]{32}", given["form"]):
            id = given["form"]
        else:
            id = pages.new_id()
        said: dict[str, Any] = {**given, "named": bool(given["named"]), "token": seat.token}
        del said["form"]
        consultation.comment(shared.store, id=id, review=seat.review.id, now=now, **said)
    except Refused as refusal:
        _give_back(request, seat, now)
        return _form(seat, refusal.message, 422, given)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"commented": seat.review.id}, 201)
    return _form(seat, done=True)


def _wait(request: Request, seat: Seat, now: datetime) -> int:
    """Count one more of this panel link, or of this reader's network; 0, or seconds until more is
    taken.
    """
    senders = guard.shared(request).senders
    if seat.token is not None:
        return senders.hour.take(f"panel {digest(seat.token)}", now, EACH_OF_PANEL)
    return senders.take(FORM, guard.address_of(request), now, EACH)


def _give_back(request: Request, seat: Seat, now: datetime) -> None:
    senders = guard.shared(request).senders
    if seat.token is not None:
        senders.hour.give_back(f"panel {digest(seat.token)}", now)
    else:
        senders.give_back(FORM, guard.address_of(request), now)


def _form(
    seat: Seat,
    problem: str = "",
    status: int = 200,
    given: dict[str, str] | None = None,
    done: bool = False,
) -> Response:
    name = seat.guest.name if seat.guest else ""
    given = given or {"about": "", "text": "", "name": name, "named": ""}
    return pages.render(
        "comment.html", None, status, seat=seat, problem=problem, given=given, done=done
    )


# The lead


INVITED_ALREADY = (
    "This person was invited already, and the link shown once. Invite again for another."
)


def lead_page(context: guard.InReview, request: Request, again: str = "") -> Response:
    """The consultations of a review: what is open, who is invited, what was said, what waits.

    The link of somebody who was just invited is shown this once. `again`: the invitation had been
    sent before.
    """
    handed = None
    if request.method == "GET":
        handed = context.shared.handover.take(
            context.user.secret, _desk_page(context), context.shared.clock()
        )
    if handed is None:
        return _show(context, problem=INVITED_ALREADY if again else "")
    link = {
        "name": handed.name,
        "url": handed.secret,
        "mailed": handed.mailed,
        "problem": handed.problem,
    }
    return _show(context, link=link)


def _desk_page(context: ReviewContext) -> str:
    return f"/r/{context.review.id}/consultation"


def _show(
    context: ReviewContext, status: int = 200, *, given: dict[str, Any] | None = None, **more: Any
) -> Response:
    """The page, with what was typed into a form that was refused."""
    review, now = context.review.id, context.shared.clock()
    with context.shared.store.read() as con:
        values = {
            "standings": consultation.state(con, review, now),
            "newest": max((one.number for one in versions.all_of(con, review)), default=0),
            "soon": (now + timedelta(days=28)).date(),
        }
    settings = context.shared.settings
    values["given"] = {**dict.fromkeys(TYPED, ""), **(given or {})}
    values["mails"] = bool(settings.smtp and settings.sender and settings.url)
    return pages.show(
        "consultation.html", context, status, **values, **{"problem": "", "link": None, **more}
    )


def change(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    act: Annotated[str, Form()],
    version: Annotated[int, Form()],
    until: Annotated[str, Form()] = "",
    readers: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Open a version for comment, close it, or publish what was said."""
    asked: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "version": version,
        "by": context.me,
    }
    asked["now"] = context.shared.clock()
    try:
        if act == "open":
            consultation.open_version(
                context.shared.store, until=until, readers=bool(readers), note=note, **asked
            )
        elif act == "close":
            consultation.close(context.shared.store, **asked)
        elif act == "publish":
            consultation.publish(context.shared.store, **asked)
        else:
            raise HTTPException(422, "act must be one of open, close, publish")
    except Refused as refusal:
        given = {"version": version, "until": until, "readers": readers, "note": note}
        return _show(context, 422, problem=refusal.message, given=given)
    return RedirectResponse(f"/r/{context.review.id}/consultation", 303)


def invite(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    name: Annotated[str, Form()] = "",
    address: Annotated[str, Form()] = "",
    act: Annotated[str, Form()] = "show",
) -> Response:
    """Invite a panel member.

    The next page shows their link, once, and it is mailed where the lead asks for that.
    """
    token, now = secrets.token_urlsafe(32), context.shared.clock()
    asked: dict[str, Any] = {
        "review": context.review.id,
        "name": name,
        "address": address,
        "by": context.me,
        "now": now,
    }
    try:
        if act == "mail" and not address.strip():
            raise Refused("give an address to mail the link to")
        told = consultation.invite(context.shared.store, id=form, token=token, **asked)
    except Refused as refusal:
        return _show(
            context, 422, problem=refusal.message, given={"name": name, "address": address}
        )
    if told["known"]:
        return RedirectResponse(f"{_desk_page(context)}?again=1", 303)
    base = context.shared.settings.address
    url = f"{base}/comment/{context.review.id}/{token}"
    problem, mailed = None, None
    if act == "mail":
        problem = _mail(context, told, address.strip(), url, now)
        mailed = address.strip() if problem is None else None
    handed = Handed(told["name"], url, mailed, problem)
    context.shared.handover.leave(context.user.secret, _desk_page(context), handed, now)
    return RedirectResponse(_desk_page(context), 303)


def _mail(
    context: ReviewContext, told: dict[str, Any], address: str, url: str, now: datetime
) -> str | None:
    settings = context.shared.settings
    if not (settings.smtp and settings.sender and settings.url):
        return "set LIVEREVIEW_SMTP, LIVEREVIEW_MAIL_FROM and LIVEREVIEW_URL to send mail"
    return consultation.mail_link(
        name=told["name"],
        address=address,
        link=url,
        title=context.review.title,
        until=told["until"],
        server=settings.smtp,
        sender=settings.sender,
        now=now,
    )


def settle(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    comment: Annotated[str, Form()],
    act: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    changed: Annotated[str, Form()] = "",
    changed_in: Annotated[str, Form()] = "",
) -> Response:
    """Accept a comment, refuse it, or respond to it."""
    asked: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "comment": comment,
        "by": context.me,
    }
    asked["now"] = context.shared.clock()
    try:
        if act in ("accept", "refuse"):
            consultation.moderate(
                context.shared.store, accepted=act == "accept", reason=reason, **asked
            )
        elif act == "respond":
            number = _number(changed_in)
            consultation.respond(
                context.shared.store, text=text, changed=changed, changed_in=number, **asked
            )
        else:
            raise HTTPException(422, "act must be one of accept, refuse, respond")
    except Refused as refusal:
        given = {
            "comment": comment,
            "reason": reason,
            "text": text,
            "changed": changed,
            "changed_in": changed_in,
        }
        return _show(context, 422, problem=refusal.message, given=given)
    return RedirectResponse(f"/r/{context.review.id}/consultation#c-{comment}", 303)


def _number(text: str) -> int | None:
    if text.strip() and not re.fullmatch(r"\s*[0-9]{1,6}\s*", text):
        raise Refused(f"{text!r} is no version; give its number, or nothing if nothing changed")
    return int(text) if text.strip() else None
