"""Who may sign in. Secrets are random and long, so a plain sha256 of them is what is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection

ROLES = ("lead", "reviewer", "adjudicator", "reader")


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    role: str


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def append(con: Connection, name: str, role: str, secret_hash: str, active: bool, now: datetime) -> None:
    """A new secret or role for a name; the latest row counts, an inactive one shuts the door. Old sessions end."""
    con.execute("DELETE FROM session WHERE name = ? OR ends < ?", [name, now])
    con.execute(
        "INSERT INTO account (name, role, secret_hash, active, made) VALUES (?, ?, ?, ?, ?)",
        [name, role, secret_hash, active, now],
    )


def by_secret(con: Connection, secret: str) -> Account | None:
    """The account this sign-in secret opens."""
    row = con.execute(
        """SELECT name, role FROM account a WHERE secret_hash = ? AND active
        AND seq = (SELECT max(seq) FROM account b WHERE b.name = a.name)""",
        [digest(secret)],
    ).fetchone()
    return Account(*row) if row else None


def start_session(con: Connection, secret: str, name: str, ends: datetime, now: datetime) -> None:
    con.execute("INSERT INTO session VALUES (?, ?, ?, ?)", [digest(secret), name, ends, now])


def end_session(con: Connection, secret: str) -> None:
    con.execute("DELETE FROM session WHERE secret_hash = ?", [digest(secret)])


def by_session(con: Connection, secret: str, now: datetime) -> Account | None:
    """Whose session this is, while it lasts and the account is open."""
    row = con.execute(
        """SELECT a.name, a.role FROM session s JOIN account a ON a.name = s.name
        WHERE s.secret_hash = ? AND s.ends > ? AND a.active AND a.seq = (SELECT max(seq) FROM account b WHERE b.name = a.name)""",
        [digest(secret), now],
    ).fetchone()
    return Account(*row) if row else None


def names(con: Connection) -> list[Account]:
    """The open accounts by name."""
    rows = con.execute(
        """SELECT name, role FROM account a WHERE active AND seq = (SELECT max(seq) FROM account b WHERE b.name = a.name)
        ORDER BY name"""
    ).fetchall()
    return [Account(*row) for row in rows]
