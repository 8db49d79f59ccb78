"""What the public may know of a review's consultations, for its Snapshot: from events alone, so it
can be remade.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from livereview.ops.consultation import Standing, state
from livereview.store.consultation import Comment, Response
from livereview.store.open import Connection
from livereview.summary.consultation import Answer, Call, Consultations, Consulted, Said


def consulted(con: Connection, review: str, moment: datetime) -> Consultations:
    """The published consultations, and the one that readers may take part in at `moment`.

    A published one holds what was accepted and answered by its last publication, and not refused
    since.
    """
    known = state(con, review, moment)
    called = next(
        (one.consultation for one in known if one.open and one.consultation.readers), None
    )
    return Consultations(
        tuple(_published(known)), Call(called.version, called.until) if called else None
    )


def _published(known: Iterable[Standing]) -> Iterable[Consulted]:
    for one in known:
        what = one.consultation
        if what.published is None or what.published_seq is None:
            continue
        shown = [
            said
            for said in one.comments
            if said.shown is not None and said.shown <= what.published_seq
        ]
        yield Consulted(
            version=what.version,
            opened=what.opened,
            until=what.until,
            readers=what.readers,
            note=what.note,
            published=what.published,
            panel=len(one.invitations),
            said=tuple(_said(said, one, what.published_seq) for said in shown),
            refused=sum(said.accepted is False for said in one.comments),
        )


def _said(said: Comment, one: Standing, upto: int) -> Said:
    """The comment without what is not public: a name that the person keeps back goes no further
    than here.
    """
    return Said(
        about=said.about,
        about_text=one.claims.get(said.about) if said.about else None,
        text=said.text,
        role="reader" if said.panel is None else "panel",
        name=said.name if said.named else None,
        date=said.made,
        answers=tuple(
            _answer(answer) for answer in one.responses.get(said.id, ()) if answer.seq <= upto
        ),
    )


def _answer(one: Response) -> Answer:
    return Answer(one.text, one.changed, one.changed_in, one.made)
