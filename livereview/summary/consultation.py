"""Consultations as they are published: what was said of a version, what the team answered and what
changed.

They are no part of a version's content: a consultation on version 3 appears when the lead publishes
it, on the latest page and in the versions that follow, and names the version that it is about.
Names stand here only where people agreed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from livereview.review import Review
from livereview.summary import words

PAGE, DATA = "consultation-{}.html", "consultations.json"
ROLES = {"panel": "a panel member", "reader": "a reader"}
HERE = "../"  # from latest/ to the review's folder


@dataclass(frozen=True, slots=True)
class Answer:
    """The team's response. changed: what changed in version `changed_in` or, where that is None,
    why nothing did.
    """

    text: str
    changed: str
    changed_in: int | None
    date: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A comment. about: a claim's id with its text, None: the version as a whole.

    Name: None where it is not told.
    """

    about: str | None
    about_text: str | None
    text: str
    role: str  # panel, reader
    name: str | None
    date: datetime
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Consulted:
    """A published consultation. panel: how many were invited.

    Refused: comments that the lead did not accept.
    """

    version: int
    opened: datetime
    until: date
    readers: bool
    note: str | None
    published: datetime
    panel: int
    said: tuple[Said, ...]
    refused: int


@dataclass(frozen=True, slots=True)
class Call:
    """A version that readers may comment on now, up to and with the day `until`."""

    version: int
    until: date


@dataclass(frozen=True, slots=True)
class Consultations:
    """All that the public may know of a review's consultations; `published` has the newest version
    first.
    """

    published: tuple[Consulted, ...] = ()
    call: Call | None = None


def call(found: Consultations, review: Review, home: str) -> dict[str, Any] | None:
    """What the latest page says while a version is open for comment: version, until, address.

    The address is that of the form for suggestions with another last part, as that is the one
    address of the owner that the protocol has; None where it has none. A numbered version says
    nothing: it stays when the consultation is over.
    """
    ending = f"/suggest/{review.id}"
    address = (review.suggestions or "").rstrip("/")
    if found.call is None or home != HERE or not address.endswith(ending):
        return None
    there = f"{address.removesuffix(ending)}/comment/{review.id}"
    return {"version": found.call.version, "until": _day(found.call.until), "address": there}


def listed(found: Consultations) -> list[dict[str, Any]]:
    """The published ones for the page: version, file, number of comments, date."""
    return [
        {
            "version": one.version,
            "page": PAGE.format(one.version),
            "comments": len(one.said),
            "published": words.day(one.published),
        }
        for one in found.published
    ]


def to_json(found: Consultations, versions: Sequence[int]) -> list[dict[str, Any]]:
    """consultations.json. versions: the numbers that exist, as what changed may only come with the
    next one.
    """
    return [_consulted(one, versions) for one in found.published]


def _consulted(one: Consulted, versions: Sequence[int]) -> dict[str, Any]:
    return {
        "version": one.version,
        "page": PAGE.format(one.version),
        "opened": words.iso(one.opened),
        "opened_display": words.day(one.opened),
        "until": one.until.isoformat(),
        "until_display": _day(one.until),
        "published": words.iso(one.published),
        "published_display": words.day(one.published),
        "note": one.note,
        "open_to_readers": one.readers,
        "panel_invited": one.panel,
        "not_accepted": one.refused,
        "comments": [_said(said, versions) for said in one.said],
    }


def _said(one: Said, versions: Sequence[int]) -> dict[str, Any]:
    return {
        "about": one.about,
        "about_text": one.about_text,
        "text": one.text,
        "by": one.name or ROLES[one.role],
        "role": one.role,
        "date": words.iso(one.date),
        "date_display": words.day(one.date),
        "responses": [_answer(answer, versions) for answer in one.answers],
    }


def _answer(one: Answer, versions: Sequence[int]) -> dict[str, Any]:
    return {
        "text": one.text,
        "changed": one.changed,
        "changed_in": one.changed_in,
        "changed_in_exists": one.changed_in in versions,
        "date": words.iso(one.date),
        "date_display": words.day(one.date),
    }


def _day(day: date) -> str:
    return f"{day.day} {words.MONTHS[day.month - 1]} {day.year}"
