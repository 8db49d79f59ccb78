"""Protocols on which leads work and which are not in force.

Every question but `on_review` names the person: a draft is read and written by whom it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import one_row


@dataclass(frozen=True, slots=True)
class ProtocolDraft:
    """A text of a review.toml that is being written.

    Attributes:
        review: Whose protocol it will change; "" for a review that is being made.
        version: How often it was saved.
        basis: Hash of the protocol in force when it was begun; "" for none.
    """

    id: str
    review: str
    person: str
    version: int
    basis: str
    text: str
    saved: datetime


_COLUMNS = "id, review, person, version, basis, text, saved"


def write(con: Connection, draft: ProtocolDraft) -> None:
    """Keep a draft, in the place of what was kept under its id."""
    con.execute(
        """INSERT INTO protocol_draft (id, review, person, version, basis, text, saved)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET
            version = excluded.version, basis = excluded.basis, text = excluded.text,
            saved = excluded.saved""",
        [
            draft.id,
            draft.review,
            draft.person,
            draft.version,
            draft.basis,
            draft.text,
            draft.saved,
        ],
    )


def remove(con: Connection, id: str, person: str) -> None:
    """Keep a person's draft no more."""
    con.execute("DELETE FROM protocol_draft WHERE id = ? AND person = ?", [id, person])


def of(con: Connection, id: str, person: str) -> ProtocolDraft | None:
    """A person's draft; None where it is gone, or somebody else's."""
    row = one_row(
        con,
        f"SELECT {_COLUMNS} FROM protocol_draft WHERE id = ? AND person = ?",  # noqa: S608
        [id, person],
    )
    return ProtocolDraft(*row) if row else None


def of_person(con: Connection, person: str) -> list[ProtocolDraft]:
    """All drafts of a person, last saved first."""
    rows = con.execute(
        f"""SELECT {_COLUMNS} FROM protocol_draft WHERE person = ?
        ORDER BY saved DESC, id""",  # noqa: S608
        [person],
    ).fetchall()
    return [ProtocolDraft(*row) for row in rows]


def on_review(con: Connection, review: str) -> list[ProtocolDraft]:
    """The drafts that will change a review's protocol, last saved first."""
    rows = con.execute(
        f"""SELECT {_COLUMNS} FROM protocol_draft WHERE review = ?
        ORDER BY saved DESC, id""",  # noqa: S608
        [review],
    ).fetchall()
    return [ProtocolDraft(*row) for row in rows]
