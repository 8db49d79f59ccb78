"""Keeping what people type in a study's form until they save it.

Nothing that was typed is written over by another tab or device. A save names the draft and the
version that its page last saw. Where the draft has gone on since, on another page, the save is
refused there and what it holds is kept beside, as a draft of its own: the person chooses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.errors import Refused
from livereview.store import drafts
from livereview.store.drafts import Draft, Subject
from livereview.store.open import Connection, Store

# Drafts of one form by one person. More tabs than these are a mistake of a program, which must not
# fill the disk; people throw some away.
MOST_BESIDE = 20


@dataclass(frozen=True, slots=True)
class Typed:
    """What a page sends to be kept.

    Attributes:
        page: The id of the page's form, which no other page has.
        draft: The id of the draft that the page goes on with; "" where it began without one.
        version: The version of that draft that the page last saw; 0 without one.
        basis: The extraction that held when the page was opened; "" for none.
        fields: What stands in each box, by the name of the box.
    """

    page: str
    draft: str
    version: int
    basis: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of it.

    Attributes:
        draft: The draft as it now stands, which the page goes on with.
        beside: Whether it had to be kept beside another draft, or beside the end of its own.
    """

    draft: Draft
    beside: bool


def keep(store: Store, *, subject: Subject, typed: Typed, now: datetime) -> Kept:
    """Keep what was typed; it is on the disk when this answers.

    Raises:
        Refused: this person has too many drafts of this form.
    """

    def job(con: Connection) -> Kept:
        known = drafts.of_subject(con, subject)
        kept = decide(known, subject, typed, now)
        drafts.write(con, kept.draft)
        return kept

    return store.write(job, quick=True)


def decide(known: Sequence[Draft], subject: Subject, typed: Typed, now: datetime) -> Kept:
    """Where what was typed is kept, by the drafts that this person has of this form."""
    fields = {name: text for name, text in typed.fields.items() if text.strip()}
    current = _goes_on(known, typed)
    if current is not None:
        version = current.version + 1
        changed = Draft(current.id, subject, version, typed.page, current.basis, fields, now)
        return Kept(changed, beside=False)
    if len(known) >= MOST_BESIDE:
        raise Refused(
            f"you have {len(known)} drafts of this form, and no more are kept; "
            "throw away those that you don't need, then save again"
        )
    apart = Draft(_free_id(known, typed.page), subject, 1, typed.page, typed.basis, fields, now)
    return Kept(apart, beside=bool(known) or bool(typed.draft))


def _goes_on(known: Sequence[Draft], typed: Typed) -> Draft | None:
    """The draft that a page goes on with; None where it has to be kept apart.

    A page that saved a draft last goes on with it also where the answer to that save was lost, so
    that it names an older version or another draft.
    """
    for draft in known:
        if draft.id == typed.draft and draft.version == typed.version:
            return draft
    for draft in known:
        if draft.page == typed.page:
            return draft
    return None


def _free_id(known: Sequence[Draft], page: str) -> str:
    """An id that none of these drafts has: that of the page, or with a number after it."""
    taken = {draft.id for draft in known}
    id, number = page, 1
    while id in taken:
        number += 1
        id = f"{page}-{number}"
    return id


def end(store: Store, *, subject: Subject, typed: Typed) -> None:
    """Let the draft go whose form was saved for good.

    One that has gone on since on another page stays: what was typed there was not saved.
    """

    def job(con: Connection) -> None:
        for draft in drafts.of_subject(con, subject):
            seen = draft.id == typed.draft and draft.version == typed.version
            if seen or draft.page == typed.page:
                drafts.remove(con, subject, draft.id)

    store.write(job, quick=True)


def throw_away(store: Store, *, subject: Subject, id: str) -> None:
    """Let one of a person's own drafts go; another's stays, whatever id is given."""
    store.write(lambda con: drafts.remove(con, subject, id), quick=True)
