"""Consultation on a published version: open it for comment, invite, take comments, moderate,
respond, publish.

Nothing that was said is public before the lead publishes it, and then what was known at that moment
is: a later comment or response waits for the next publication. A comment refused afterwards leaves
the latest page at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import escape

from livereview.commands.service import Mail
from livereview.errors import Refused
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.review import Review
from livereview.sources.text import safe
from livereview.store import consultation, versions
from livereview.store.consultation import Act, Comment, Consultation, Invitation, Response
from livereview.store.open import Connection, Store

LONGEST = {
    "comment": 5_000,
    "response": 5_000,
    "text on what changed": 2_000,
    "note": 1_000,
    "reason": 500,
    "name": 120,
    "address": 254,
}
A_DAY = 100  # comments of each panel member in a day
# comments of readers in a day: each waits for the lead; one network sends twenty at most
READERS_A_DAY = 2_000
MOST_INVITED = 200
LONGEST_OPEN = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Standing:
    """A consultation with all that belongs to it.

    Attributes:
        open: Comments are taken now.
        claims: The sentences of its version by id, which comments
            may be about.
        waiting: Readers' comments that nobody has accepted or refused.
    """

    consultation: Consultation
    open: bool
    claims: dict[str, str]
    invitations: tuple[Invitation, ...]
    comments: tuple[Comment, ...]
    responses: dict[str, list[Response]]

    @property
    def waiting(self) -> int:
        return sum(one.panel is None and one.accepted is None for one in self.comments)


@typed
def open_version(
    store: Store,
    *,
    id: str,
    review: str,
    version: int,
    until: str,
    by: str,
    now: datetime,
    readers: bool = True,
    note: str = "",
) -> dict[str, Any]:
    """Open a published version for comment up to and with the day `until`.

    Done again it changes day, readers and note.

    Args:
        until: An ISO day in the review's time zone, such as 2026-04-30.
        readers: Everybody may comment, not only who is invited.

    Raises:
        Refused: for a version that is not published, a day that won't do, and while another version
            is open.
    """
    words = _text(note, "note", needed=False)

    def job(con: Connection) -> dict[str, Any]:
        known = protocol(con, review)
        if consultation.summary(con, review, version) is None:
            raise Refused(f"version {version} is not published, so nobody can comment on it")
        last = _day(until, known, now)
        other = _now_open(con, known, now)
        if other and other.version != version:
            raise Refused(f"version {other.version} is open for comment; close it first")
        done = Act(id, version, "open", by, now, last, readers, words or None)
        return _act(con, review, done, f"version {version} was opened for comment")

    return store.write(job)


@typed
def close(
    store: Store, *, id: str, review: str, version: int, by: str, now: datetime
) -> dict[str, Any]:
    """Take no more comments on a version.

    Raises:
        Refused: where it was never opened or is closed already.
    """

    def job(con: Connection) -> dict[str, Any]:
        if not consultation.known_act(con, id) and _of(con, review, version).closed:
            raise Refused(f"the consultation on version {version} is closed already")
        return _act(
            con,
            review,
            Act(id, version, "close", by, now),
            f"the consultation on version {version} ended",
        )

    return store.write(job)


@typed
def publish(
    store: Store, *, id: str, review: str, version: int, by: str, now: datetime
) -> dict[str, Any]:
    """Publish the comments on a version that are accepted, and the responses to them, as they are
    now.

    Raises Refused while it is open, and while a reader's comment waits to be accepted or refused.
    """

    def job(con: Connection) -> dict[str, Any]:
        if not consultation.known_act(con, id):
            one = next(
                (one for one in state(con, review, now) if one.consultation.version == version),
                None,
            )
            if one is None:
                raise Refused(f"version {version} was never opened for comment")
            if one.open:
                raise Refused(f"version {version} is still open for comment; close it first")
            if one.waiting:
                many = "comment waits" if one.waiting == 1 else "comments wait"
                raise Refused(f"{one.waiting} {many}: accept or refuse each before you publish")
        cause = f"the consultation on version {version} was published"
        return _act(con, review, Act(id, version, "publish", by, now), cause)

    return store.write(job)


def _act(con: Connection, review: str, done: Act, cause: str) -> dict[str, Any]:
    new = consultation.act(con, review, done)
    if new:
        versions.ask(con, review, cause, done.made)
    return {"version": done.version, "act": done.act, "known": not new}


@typed
def invite(
    store: Store,
    *,
    id: str,
    review: str,
    name: str,
    token: str,
    by: str,
    now: datetime,
    address: str = "",
) -> dict[str, Any]:
    """Invite a panel member to the version that is open: `token` is what their link holds, and is
    not kept.

    Raises:
        Refused: where no version is open. `known`: this invitation was written before, and its link
            is another.
    """
    if len(token) < 30:
        raise Refused("a token is long and random; let livereview make one")
    who, where = _line(name, "name"), _line(address, "address", needed=False)
    if not who:
        raise Refused("give the name of the person to invite")

    def job(con: Connection) -> dict[str, Any]:
        found = _now_open(con, protocol(con, review), now)
        if found is None:
            raise Refused("open a version for comment first, then invite")
        if len(consultation.invitations(con, review)) >= MOST_INVITED:
            raise Refused(
                f"{MOST_INVITED} people are invited already; open the version to all readers instead"
            )
        one = Invitation(id, found.version, who, where or None, by, now)
        new = consultation.invite(con, review, one, token)
        return {"version": found.version, "name": who, "until": found.until, "known": not new}

    return store.write(job)


@typed
def comment(
    store: Store,
    *,
    id: str,
    review: str,
    text: str,
    now: datetime,
    about: str = "",
    name: str = "",
    named: bool = False,
    token: str | None = None,
) -> dict[str, Any]:
    """Take a comment down: a panel member's with the token of their link, a reader's without one.

    Refused, in words for the person, for what is not taken; whoever calls gives the text back to
    them.

    Args:
        about: The id of a claim of that version, "": the version as a whole. The same form again
            changes nothing. Raises.
    """
    words, who = _text(text, "comment"), _line(name, "name", needed=False)

    def job(con: Connection) -> dict[str, Any]:
        guest = invited(con, review, token) if token is not None else None
        if old := next((one for one in consultation.comments(con, review) if one.id == id), None):
            if old.text != words:
                raise Refused(
                    "This form was sent before with another text. Send it again to add this one too."
                )
            return {"version": old.version, "known": True}
        here = _taking(con, review, guest, now)
        if about and about not in claims_of(con, review, here.version):
            raise Refused(
                "The sentence that you chose is not in this version. Choose another, or the whole version."
            )
        most = A_DAY if guest else READERS_A_DAY
        if (
            consultation.count_since(
                con, review, guest.id if guest else None, now - timedelta(days=1)
            )
            >= most
        ):
            raise Refused("There were many comments today. Please come back tomorrow.")
        role = guest.name if guest else None
        said = Comment(
            id, here.version, about or None, words, who or None, named, role, None, None, None, now
        )
        consultation.comment(con, review, said, guest.id if guest else None)
        return {"version": here.version, "known": False}

    return store.write(job)


def _taking(con: Connection, review: str, guest: Invitation | None, now: datetime) -> Consultation:
    """The consultation that this person may comment on now.

    Raises Refused, in words for them, where there is none.
    """
    known = protocol(con, review)
    found = _now_open(con, known, now)
    if guest and (found is None or found.version != guest.version):
        raise Refused(
            f"The consultation on version {guest.version} is closed, so your comment was not taken."
        )
    if found is None or (guest is None and not found.readers):
        raise Refused(
            "No version of this review is open for comment now, so your comment was not taken."
        )
    return found


@typed
def moderate(
    store: Store,
    *,
    id: str,
    review: str,
    comment: str,
    accepted: bool,
    by: str,
    now: datetime,
    reason: str = "",
) -> dict[str, Any]:
    """Accept a comment for publication or refuse it, which needs a reason; the last word counts.

    Refused after it was published, it leaves the latest page at the next build; numbered versions
    stay as they are.
    """
    words = _text(reason, "reason", needed=not accepted)

    def job(con: Connection) -> dict[str, Any]:
        said = _comment(con, review, comment)
        stands = said.accepted
        if stands is None and said.panel is not None:
            stands = True
        if stands is accepted and (said.reason or "") == words:
            return {"comment": comment, "accepted": accepted, "known": True}
        new = consultation.moderate(con, id, comment, accepted, words or None, by, now)
        if new and not accepted and _of(con, review, said.version).published:
            versions.ask(con, review, "a published comment was refused", now)
        return {"comment": comment, "accepted": accepted, "known": not new}

    return store.write(job)


@typed
def respond(
    store: Store,
    *,
    id: str,
    review: str,
    comment: str,
    text: str,
    changed: str,
    by: str,
    now: datetime,
    changed_in: int | None = None,
) -> dict[str, Any]:
    """Answer a comment. changed: what changed in version `changed_in` or, without a version, why
    nothing did.

    Raises:
        Refused: for a comment that is not accepted, and for a version that can't have changed by
            it.
    """
    words, what = _text(text, "response"), _text(changed, "text on what changed")

    def job(con: Connection) -> dict[str, Any]:
        said = _comment(con, review, comment)
        if said.shown is None:
            raise Refused("accept this comment before you respond to it")
        following = consultation.newest(con, review) + 1
        if changed_in is not None and not said.version < changed_in <= following:
            raise Refused(
                f"what changed is in a version after {said.version} and at most in the next one, {following}; "
                "leave the version empty if nothing changed"
            )
        new = consultation.respond(con, Response(id, comment, words, what, changed_in, by, now))
        return {"comment": comment, "known": not new}

    return store.write(job)


def mail_link(
    *,
    name: str,
    address: str,
    link: str,
    title: str,
    until: date,
    server: str,
    sender: str,
    now: datetime,
) -> str | None:
    """Mail a panel member their link; None, or why it was not sent."""
    from livereview.notices.post import mail

    subject = f"Please comment on: {title}"
    lines = (
        f"Hello {name},",
        f"the team of the review “{title}” asks for your comments on its published version, until {until}.",
        f"Your own link, which needs no account: {link}",
        "Please don't pass it on: who opens it comments in your place.",
    )
    html = "".join(f"<p>{escape(line)}</p>" for line in lines)
    text = "\n\n".join(lines) + "\n"
    message = Mail(name=name, email=address, subject=subject, text=text, html=html)
    return mail([message], server, sender, now)[0][1]


def state(con: Connection, review: str, now: datetime) -> list[Standing]:
    """Every consultation of a review with what belongs to it, on the newest version first."""
    known = protocol(con, review)
    people, said = consultation.invitations(con, review), consultation.comments(con, review)
    answers = consultation.responses(con, review)
    return [
        Standing(
            consultation=one,
            open=_takes(one, known, now),
            claims=claims_of(con, review, one.version),
            invitations=tuple(person for person in people if person.version == one.version),
            comments=tuple(comment for comment in said if comment.version == one.version),
            responses=answers,
        )
        for one in consultation.all_of(con, review)
    ]


def now_open(con: Connection, review: str, now: datetime) -> Consultation | None:
    """The consultation that takes comments now: at most one, and perhaps from its panel only."""
    return _now_open(con, protocol(con, review), now)


def invited(con: Connection, review: str, token: str) -> Invitation:
    """Whose link holds this token; raises Refused where it is nobody's."""
    found = consultation.by_token(con, review, token)
    if found is None:
        raise Refused("this link is not good; ask the review's team for another")
    return found


def claims_of(con: Connection, review: str, version: int) -> dict[str, str]:
    """The sentences of a published version that a comment may be about: text by claim id."""
    text = consultation.summary(con, review, version)
    if text:
        return {one["id"]: one["text"] for one in json.loads(text)["claims"]}
    return {}


def _now_open(con: Connection, review: Review, now: datetime) -> Consultation | None:
    return next(
        (one for one in consultation.all_of(con, review.id) if _takes(one, review, now)), None
    )


def _takes(one: Consultation, review: Review, now: datetime) -> bool:
    return one.closed is None and _today(review, now) <= one.until


def _today(review: Review, now: datetime) -> date:
    return now.astimezone(ZoneInfo(review.living.timezone)).date()


def _day(text: str, review: Review, now: datetime) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise Refused(f"{text!r} is no day such as 2026-04-30") from None
    if not _today(review, now) <= day <= _today(review, now) + LONGEST_OPEN:
        raise Refused(f"{day} is not a day between today and a year from now")
    return day


def _of(con: Connection, review: str, version: int) -> Consultation:
    found = next((one for one in consultation.all_of(con, review) if one.version == version), None)
    if found is None:
        raise Refused(f"version {version} was never opened for comment")
    return found


def _comment(con: Connection, review: str, id: str) -> Comment:
    found = next((one for one in consultation.comments(con, review) if one.id == id), None)
    if found is None:
        raise Refused("there is no such comment in this review; reload the page")
    return found


def _text(text: str, what: str, needed: bool = True) -> str:
    """The text as it was typed, without characters that can't be seen.

    Nothing is cut or taken for markup.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(plain) > LONGEST[what]:
        raise Refused(
            f"The {what} is longer than {LONGEST[what]:,} characters (it has {len(plain):,}). Please shorten it, or "
            "send it in parts."
        )
    words = "\n".join(safe(line, LONGEST[what]) or "" for line in plain.split("\n")).strip()
    if needed and len(words) < 2:
        raise Refused(f"Please write the {what}.")
    return words


def _line(text: str, what: str, needed: bool = True) -> str:
    return " ".join(_text(text, what, needed).split())
