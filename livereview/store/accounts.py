"""Who may sign in. Secrets are random and long, so a plain sha256 of them is what is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview.store.open import Connection
from livereview.store.rows import one_row

SCOPES = ("read", "write")
BEGINS = "lr_"  # what every token begins with, so that a leaked one is known for what it is
ROLES = ("lead", "reviewer", "adjudicator", "reader")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in; `reviews` names those that they may enter, none: every one."""

    name: str
    role: str
    email: str | None = None
    reviews: tuple[str, ...] = ()

    def enters(self, review: str) -> bool:
        return not self.reviews or review in self.reviews

    def covers(self, other: Account) -> bool:
        """Whether this account may enter all that the other may."""
        return not self.reviews or (bool(other.reviews) and set(other.reviews) <= set(self.reviews))


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def append(con: Connection, account: Account, secret_hash: str, active: bool, now: datetime) -> None:
    """A new secret, role or reach for a name; the latest row counts, an inactive one shuts the door. Old sessions end.

    An address that is not given keeps the one that is known.
    """
    con.execute("DELETE FROM session WHERE name = ? OR ends < ?", [account.name, now])
    con.execute(
        """INSERT INTO account (name, role, secret_hash, active, made, email, reviews)
        SELECT $name, $role, $secret, $active, $now,
            coalesce($email, (SELECT arg_max(email, seq) FROM account WHERE name = $name)), $reviews""",
        {
            "name": account.name,
            "role": account.role,
            "secret": secret_hash,
            "active": active,
            "now": now,
            "email": account.email,
            "reviews": list(account.reviews),
        },
    )


def by_secret(con: Connection, secret: str) -> Account | None:
    """The account this sign-in secret opens."""
    row = one_row(con, f"{_OPEN} AND secret_hash = ?", [digest(secret)])
    return _account(row) if row else None


def start_session(con: Connection, secret: str, name: str, ends: datetime, now: datetime) -> None:
    con.execute("INSERT INTO session VALUES (?, ?, ?, ?)", [digest(secret), name, ends, now])


def end_session(con: Connection, secret: str) -> None:
    con.execute("DELETE FROM session WHERE secret_hash = ?", [digest(secret)])


def by_session(con: Connection, secret: str, now: datetime) -> Account | None:
    """Whose session this is, while it lasts and the account is open."""
    rows = con.execute(
        """SELECT seq, name, role, email, reviews, active FROM account
        WHERE name = (SELECT name FROM session WHERE secret_hash = ? AND ends > ?)""",
        [digest(secret), now],
    ).fetchall()
    _, *known, active = max(rows, default=(0, False), key=lambda row: row[0])
    return _account(tuple(known)) if active else None


def names(con: Connection) -> list[Account]:
    """The open accounts by name."""
    return [_account(row) for row in con.execute(f"{_OPEN} ORDER BY name").fetchall()]


def by_email(con: Connection, email: str) -> list[Account]:
    """The open accounts with this mail address, in capitals or not; letters beyond ASCII must be the very same.

    Folding those would make two addresses one: the Kelvin sign becomes k.
    """
    folded = email.casefold()
    return [
        one
        for one in names(con)
        if one.email == email or (one.email and (one.email + email).isascii() and one.email.casefold() == folded)
    ]


def last_of(con: Connection, name: str) -> Account | None:
    """The account of this name as it is or last was, open or shut; None if there never was one."""
    row = one_row(
        con, "SELECT name, role, email, reviews FROM account WHERE name = ? ORDER BY seq DESC LIMIT 1", [name]
    )
    return _account(row) if row else None


_OPEN = """SELECT name, role, email, reviews FROM account a
    WHERE active AND seq = (SELECT max(seq) FROM account b WHERE b.name = a.name)"""


def _account(row: tuple[Any, ...]) -> Account:
    name, role, email, reviews = row
    return Account(name, role, email, tuple(reviews or ()))


@dataclass(frozen=True, slots=True)
class Token:
    """A program's key: it acts as `account`, within `scopes`, in `review` (None: in all)."""

    id: str
    account: str
    label: str
    scopes: tuple[str, ...]
    review: str | None
    made: datetime


def add_token(con: Connection, token: Token, secret_hash: str, author: str) -> None:
    con.execute(
        """INSERT INTO token (id, account, secret_hash, label, scopes, review, active, author, made)
        VALUES (?, ?, ?, ?, ?, ?, true, ?, ?)""",
        [
            token.id,
            token.account,
            secret_hash,
            token.label,
            list(token.scopes),
            token.review,
            author,
            token.made,
        ],
    )


def revoke_token(con: Connection, id: str, author: str, now: datetime) -> bool:
    """End a token; False if there is none of this id, or it has ended."""
    rows = con.execute(
        """INSERT INTO token (id, account, secret_hash, label, scopes, review, active, author, made)
        SELECT id, account, secret_hash, label, scopes, review, false, ?, ? FROM token t WHERE id = ? AND active
            AND seq = (SELECT max(seq) FROM token u WHERE u.id = t.id) RETURNING id""",
        [author, now, id],
    ).fetchall()
    return bool(rows)


_LIVE = """SELECT t.id, t.account, t.label, t.scopes, t.review, t.made FROM token t
    WHERE active AND seq = (SELECT max(seq) FROM token u WHERE u.id = t.id)"""


def tokens(con: Connection) -> list[Token]:
    """The tokens that are good, oldest first."""
    return [_token(row) for row in con.execute(f"{_LIVE} ORDER BY seq").fetchall()]


def by_token(con: Connection, secret: str) -> tuple[Account, Token] | None:
    """Whose token this is, while it and the account are good."""
    row = one_row(con, f"{_LIVE} AND secret_hash = ?", [digest(secret)])
    token = _token(row) if row else None
    account = next((one for one in names(con) if token and one.name == token.account), None)
    return (account, token) if account and token else None


def _token(row: tuple[Any, ...]) -> Token:
    id, account, label, scopes, review, made = row
    return Token(id, account, label, tuple(scopes), review, made)
