"""Consultations: versions opened for comment, who was invited, what was said of them and what the
team answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hmac import compare_digest

from livereview.store.accounts import digest
from livereview.store.open import Connection
from livereview.store.rows import any_row, one_row


@dataclass(frozen=True, slots=True)
class Act:
    """What a lead does with a consultation: "open" (with until and readers), "close" or "publish"."""

    id: str
    version: int
    act: str
    author: str
    made: datetime
    until: date | None = None
    readers: bool | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Consultation:
    """The consultation on one version as it stands.

    Attributes:
        until: The last day on which comments are taken, in the review's time zone.
        readers: Everybody may comment.
        closed: When it was closed by hand; None: it was not.
        published_seq: What has a higher number than this is not public; None: nothing is.
    """

    version: int
    opened: datetime
    until: date
    readers: bool
    note: str | None
    closed: datetime | None
    published: datetime | None
    published_seq: int | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A panel member's link to the consultation on one version; the token itself is not kept."""

    id: str
    version: int
    name: str
    address: str | None
    author: str
    made: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """What one person said of a version.

    Attributes:
        about: A claim's id, None: the version as a whole.
        name: As the person wrote it, public
            only where `named`.
        panel: The name on the invitation, None: a reader.
        accepted, reason: The lead's last word, None: none yet.
        shown: The number of the event since which it may be published, None: it may not.
    """

    id: str
    version: int
    about: str | None
    text: str
    name: str | None
    named: bool
    panel: str | None
    accepted: bool | None
    reason: str | None
    shown: int | None
    made: datetime


@dataclass(frozen=True, slots=True)
class Response:
    """The team's answer. changed: what changed in version `changed_in` or, where that is None, why
    nothing did.
    """

    id: str
    comment: str
    text: str
    changed: str
    changed_in: int | None
    author: str
    made: datetime
    seq: int = 0


def act(con: Connection, review: str, done: Act) -> bool:
    """Write the act; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO consultation (id, review, version, act, until, readers, note, author, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [
            done.id,
            review,
            done.version,
            done.act,
            done.until,
            done.readers,
            done.note,
            done.author,
            done.made,
        ],
    ).fetchall()
    return bool(rows)


def known_act(con: Connection, id: str) -> bool:
    """Whether an act of this id was written."""
    return any_row(con, "SELECT 1 FROM consultation WHERE id = ?", [id])


def all_of(con: Connection, review: str) -> list[Consultation]:
    """The consultations of a review, on the newest version first."""
    rows = con.execute(
        """SELECT version, opened, until, readers, note, closed, published, published_seq FROM consulted
        WHERE review = ? AND opened IS NOT NULL ORDER BY version DESC""",
        [review],
    ).fetchall()
    return [Consultation(*row) for row in rows]


def newest(con: Connection, review: str) -> int:
    """The number of the newest version; 0 before the first."""
    row = one_row(con, "SELECT coalesce(max(number), 0) FROM version WHERE review = ?", [review])
    return int(row[0]) if row else 0


def summary(con: Connection, review: str, version: int) -> str | None:
    """The summary.json of one version, without reading those of the others."""
    row = one_row(
        con, "SELECT summary FROM version WHERE review = ? AND number = ?", [review, version]
    )
    return row[0] if row else None


def invite(con: Connection, review: str, one: Invitation, token: str) -> bool:
    """Keep the invitation with the hash of its token.

    False if it is known already, with another token.
    """
    rows = con.execute(
        """INSERT INTO consultation_invitation (id, review, version, name, address, token_hash, author, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [one.id, review, one.version, one.name, one.address, digest(token), one.author, one.made],
    ).fetchall()
    return bool(rows)


def invitations(con: Connection, review: str) -> list[Invitation]:
    """Everybody who was invited, in order."""
    rows = con.execute(
        """SELECT id, version, name, address, author, made FROM consultation_invitation WHERE review = ?
        ORDER BY seq""",
        [review],
    ).fetchall()
    return [Invitation(*row) for row in rows]


def by_token(con: Connection, review: str, token: str) -> Invitation | None:
    """The invitation that this token belongs to.

    Every hash is compared, in the same time whatever the token is.
    """
    rows = con.execute(
        "SELECT id, token_hash FROM consultation_invitation WHERE review = ? ORDER BY seq", [review]
    ).fetchall()
    given = digest(token)
    right = [id for id, kept in rows if compare_digest(kept, given)]
    return next((one for one in invitations(con, review) if one.id in right), None)


def comment(con: Connection, review: str, said: Comment, invitation: str | None) -> None:
    """Keep a comment."""
    con.execute(
        """INSERT INTO consultation_comment (id, review, version, about, text, name, named, invitation, made)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            said.id,
            review,
            said.version,
            said.about,
            said.text,
            said.name,
            said.named,
            invitation,
            said.made,
        ],
    )


def comments(con: Connection, review: str) -> list[Comment]:
    """Every comment with the last word on it, in the order in which they came."""
    rows = con.execute(
        """SELECT id, version, about, text, name, named, invited, accepted, nullif(reason, ''),
            CASE WHEN accepted THEN accepted_seq WHEN accepted IS NULL AND invitation IS NOT NULL THEN seq END, made
        FROM moderated_comment WHERE review = ? ORDER BY seq""",
        [review],
    ).fetchall()
    return [Comment(*row) for row in rows]


def count_since(con: Connection, review: str, invitation: str | None, since: datetime) -> int:
    """How many comments came since then by this invitation; None: from readers."""
    row = one_row(
        con,
        """SELECT count(*) FROM consultation_comment
        WHERE review = ? AND invitation IS NOT DISTINCT FROM ? AND made >= ?""",
        [review, invitation, since],
    )
    return int(row[0]) if row else 0


def moderate(
    con: Connection,
    id: str,
    comment: str,
    accepted: bool,
    reason: str | None,
    author: str,
    now: datetime,
) -> bool:
    """Note the lead's word on a comment; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO consultation_moderation (id, comment, accepted, reason, author, made) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING id""",
        [id, comment, accepted, reason, author, now],
    ).fetchall()
    return bool(rows)


def respond(con: Connection, one: Response) -> bool:
    """Keep a response; False if this very one is known already."""
    rows = con.execute(
        """INSERT INTO consultation_response (id, comment, text, changed, changed_in, author, made)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [one.id, one.comment, one.text, one.changed, one.changed_in, one.author, one.made],
    ).fetchall()
    return bool(rows)


def responses(con: Connection, review: str) -> dict[str, list[Response]]:
    """The responses to each comment that has some, in order."""
    rows = con.execute(
        """SELECT r.id, r.comment, r.text, r.changed, r.changed_in, r.author, r.made, r.seq FROM consultation_response r
        JOIN consultation_comment c ON c.id = r.comment WHERE c.review = ? ORDER BY r.seq""",
        [review],
    ).fetchall()
    found: dict[str, list[Response]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(Response(*row))
    return found
