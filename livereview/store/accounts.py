"""Who may sign in. Secrets are random and long, so a plain sha256 of them is what is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from livereview.store.open import Connection
from livereview.store.rows import any_row, kept_rows, one_row

SESSIONS_EACH = 200  # of an account at a time: more than anybody has browsers
BEGINS = "lr_"  # what every token begins with, so that a leaked one is known for what it is
ROLES = ("lead", "reviewer", "adjudicator", "reader")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in; `reviews` names those that they may enter, none: every one.

    `version` is the row that this was read from: each change of an account is a row of its own.
    """

    name: str
    role: str
    email: str | None = None
    reviews: tuple[str, ...] = ()
    version: int = field(default=0, compare=False)

    @property
    def reach(self) -> frozenset[str] | None:
        """The reviews that it may enter; None: every one."""
        return frozenset(self.reviews) if self.reviews else None

    def enters(self, review: str) -> bool:
        return not self.reviews or review in self.reviews


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def append(
    con: Connection,
    account: Account,
    secret_hash: str,
    active: bool,
    now: datetime,
    author: str | None = None,
) -> None:
    """Add a row for a name: a new secret, role or reach.

    The latest row counts; an inactive one shuts the door.

    Sessions and tokens belong to the row that they were made under, so all that there were end for
    good: they stay dead when the account is opened again. An address that is not given keeps the
    one that is known.
    """
    con.execute("DELETE FROM session WHERE name = ? OR ends < ?", [account.name, now])
    con.execute(
        """INSERT INTO account (name, role, secret_hash, active, made, email, reviews, author)
        SELECT $name, $role, $secret, $active, $now,
            coalesce($email, (SELECT arg_max(email, seq) FROM account WHERE name = $name)), $reviews, $author""",
        {
            "name": account.name,
            "role": account.role,
            "secret": secret_hash,
            "active": active,
            "now": now,
            "email": account.email,
            "reviews": list(account.reviews),
            "author": author,
        },
    )


def by_secret(con: Connection, secret: str) -> Account | None:
    """The account this sign-in secret opens."""
    row = one_row(con, f"{_OPEN} AND secret_hash = ?", [digest(secret)])
    return _account(row) if row else None


@dataclass(frozen=True, slots=True)
class Given:
    """That a secret was made by somebody else, who has seen it."""

    by: str
    made: datetime


def given(con: Connection, account: Account, operator: str) -> Given | None:
    """Who else knows the secret that opens this account.

    None: nobody but its owner, and `operator`, who made it.
    """
    row = one_row(
        con,
        """SELECT author, made FROM account WHERE name = $name AND secret_hash =
        (SELECT secret_hash FROM account WHERE name = $name AND seq = $version) ORDER BY seq LIMIT 1""",
        {"name": account.name, "version": account.version},
    )
    if row is None or row[0] in (None, account.name, operator):
        return None
    return Given(*row)


def replaced(con: Connection, secret: str) -> Given | None:
    """Who made this secret worthless by giving its open account another, and when; that may be the
    account's owner.

    None where that is not so.
    """
    row = one_row(
        con,
        """SELECT later.author, later.made FROM account was JOIN account later ON later.name = was.name
        WHERE was.secret_hash = ? AND later.seq > was.seq AND later.active AND later.secret_hash <> was.secret_hash
        AND later.author IS NOT NULL ORDER BY was.seq DESC, later.seq LIMIT 1""",
        [digest(secret)],
    )
    return Given(*row) if row else None


@dataclass(frozen=True, slots=True)
class NewSecret:
    """That an account was given another secret.

    Attributes:
        name: The account's.
        by: Whoever gave it; the same name: its owner, or who had their secret or link.
        former_email: The account's address until then, where it was given another one with the
            secret.
        seq: The number of the event.
    """

    name: str
    by: str
    made: datetime
    former_email: str | None
    seq: int


def new_secrets(con: Connection, now: datetime) -> dict[str, list[NewSecret]]:
    """Every time that an account which had a secret was given another, by the account, oldest
    first.
    """
    rows = con.execute(
        """SELECT name, author, made, nullif(email_before, email), seq FROM (
            SELECT name, author, made, seq, email, secret_hash,
                lag(secret_hash) OVER (PARTITION BY name ORDER BY seq) AS secret_before,
                lag(email) OVER (PARTITION BY name ORDER BY seq) AS email_before
            FROM account WHERE active
        ) WHERE secret_before <> secret_hash AND made <= ? ORDER BY seq""",
        [now],
    ).fetchall()
    changes: dict[str, list[NewSecret]] = {}
    for name, author, made, former_email, seq in rows:
        change = NewSecret(name, author or "whoever runs this server", made, former_email, seq)
        changes.setdefault(name, []).append(change)
    return changes


def start_session(
    con: Connection, secret: str, account: Account, ends: datetime, now: datetime
) -> None:
    """Begin a session of an account as it was read.

    It counts for nothing if the account has changed since.

    Those that have ended are forgotten, and the oldest make way where an account has very many: a
    program that signs in at each request fills nothing.
    """
    con.execute(
        """DELETE FROM session WHERE ends < $now OR (name = $name AND secret_hash NOT IN
            (SELECT secret_hash FROM session WHERE name = $name ORDER BY made DESC, secret_hash LIMIT $kept))""",
        {"now": now, "name": account.name, "kept": SESSIONS_EACH - 1},
    )
    con.execute(
        "INSERT INTO session (secret_hash, name, ends, made, account_seq) VALUES (?, ?, ?, ?, ?)",
        [digest(secret), account.name, ends, now, account.version],
    )


def end_session(con: Connection, secret: str) -> None:
    con.execute("DELETE FROM session WHERE secret_hash = ?", [digest(secret)])


def has_session(con: Connection, name: str, now: datetime) -> bool:
    """Whether this person is signed in anywhere."""
    return any_row(con, "SELECT 1 FROM session WHERE name = ? AND ends > ? LIMIT 1", [name, now])


def by_session(con: Connection, secret: str, now: datetime) -> Account | None:
    """Whose session this is, while it lasts and the account is as it was when the session began."""
    rows = kept_rows(
        con,
        """SELECT a.name, a.role, a.email, a.reviews, a.seq, a.active, s.account_seq, s.ends
        FROM session s JOIN account a ON a.name = s.name WHERE s.secret_hash = ?""",
        [digest(secret)],
    )
    lasting = [row for row in rows if row[-1] > now]
    if not lasting:
        return None
    *values, active, begun_under, _ = max(lasting, key=lambda row: row[4])
    account = _account(tuple(values))
    if active and account.version == begun_under:
        return account
    return None


def names(con: Connection) -> list[Account]:
    """The open accounts by name."""
    return [_account(row) for row in con.execute(f"{_OPEN} ORDER BY name").fetchall()]


def by_email(con: Connection, email: str) -> list[Account]:
    """The open accounts with this mail address, in capitals or not.

    Letters beyond ASCII must be the very same.

    Folding those would make two addresses one: the Kelvin sign becomes k.
    """
    folded = email.casefold()
    return [
        one
        for one in names(con)
        if one.email == email
        or (one.email and (one.email + email).isascii() and one.email.casefold() == folded)
    ]


def last_of(con: Connection, name: str) -> Account | None:
    """The account of this name as it is or last was, open or shut; None if there never was one."""
    row = one_row(
        con,
        "SELECT name, role, email, reviews, seq FROM account WHERE name = ? ORDER BY seq DESC LIMIT 1",
        [name],
    )
    return _account(row) if row else None


def when_last_open(con: Connection, name: str) -> Account | None:
    """The account of this name as it was when it was last open; None if there never was one."""
    row = one_row(
        con,
        """SELECT name, role, email, reviews, seq FROM account WHERE name = ? AND active
        ORDER BY seq DESC LIMIT 1""",
        [name],
    )
    return _account(row) if row else None


def closed(con: Connection) -> list[Account]:
    """The accounts that are closed, as they were when they were last open, by name."""
    rows = con.execute(
        """SELECT name FROM account a WHERE NOT active AND seq = (SELECT max(seq) FROM account b WHERE b.name = a.name)
        ORDER BY name"""
    ).fetchall()
    return [account for (name,) in rows if (account := when_last_open(con, name))]


def at(con: Connection, name: str, version: int) -> Account:
    """The account as it was at this version."""
    rows = con.execute(
        "SELECT name, role, email, reviews, seq FROM account WHERE name = ? AND seq = ?",
        [name, version],
    ).fetchall()
    return _account(rows[0])


def bring_back(con: Connection, name: str, version: int, author: str, now: datetime) -> None:
    """Let an account be again what it was at this version: role, reach, and the secret that opened
    it.

    Sessions and tokens stay dead.
    """
    rows = con.execute(
        "SELECT name, role, email, reviews, seq, secret_hash, active FROM account WHERE name = ? AND seq = ?",
        [name, version],
    ).fetchall()
    *values, secret_hash, active = rows[0]
    append(con, _account(tuple(values)), secret_hash, active, now, author)


def sessions_of(con: Connection, name: str, now: datetime) -> int:
    """How many sessions of an account have not ended."""
    row = one_row(
        con,
        """SELECT count(*) FROM session WHERE name = ? AND ends > ?
        AND account_seq = (SELECT max(seq) FROM account WHERE name = ?)""",
        [name, now, name],
    )
    return int(row[0]) if row else 0


def open_one(con: Connection, name: str) -> Account | None:
    """The account of this name, if it is open."""
    row = one_row(con, f"{_OPEN} AND name = ?", [name])
    return _account(row) if row else None


_OPEN = """SELECT name, role, email, reviews, seq FROM account a
    WHERE active AND seq = (SELECT max(seq) FROM account b WHERE b.name = a.name)"""


def _account(row: tuple[Any, ...]) -> Account:
    name, role, email, reviews, version = row
    return Account(name, role, email, tuple(reviews or ()), version)


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


# A token made before the last change of its account is dead, whether or not the account is open
# again.
_LIVE = """SELECT t.id, t.account, t.label, t.scopes, t.review, t.made FROM token t
    WHERE active AND seq = (SELECT max(seq) FROM token u WHERE u.id = t.id)
    AND seq > (SELECT max(seq) FROM account a WHERE a.name = t.account)"""


def tokens(con: Connection) -> list[Token]:
    """The tokens that are good, oldest first."""
    return [_token(row) for row in con.execute(f"{_LIVE} ORDER BY seq").fetchall()]


def tokens_of(con: Connection, name: str) -> list[Token]:
    """The good tokens of an account."""
    return [
        _token(row)
        for row in con.execute(f"{_LIVE} AND t.account = ? ORDER BY seq", [name]).fetchall()
    ]


def by_token(con: Connection, secret: str) -> tuple[Account, Token] | None:
    """Whose token this is, while it is good and the account is open and as it was when the token
    was made.
    """
    row = one_row(con, f"{_LIVE} AND secret_hash = ?", [digest(secret)])
    if row is None:
        return None
    token = _token(row)
    account = open_one(con, token.account)
    return (account, token) if account else None


def _token(row: tuple[Any, ...]) -> Token:
    id, account, label, scopes, review, made = row
    return Token(id, account, label, tuple(scopes), review, made)
