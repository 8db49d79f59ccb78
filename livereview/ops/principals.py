"""Where every `Principal` is made: from a session, a token or the owner's own secret, as things
stand now.
"""

from __future__ import annotations

from datetime import datetime

from livereview.errors import Refused
from livereview.rights import Kind, Principal, Scope, scopes_within, session_scopes
from livereview.store import accounts
from livereview.store.accounts import Account, Token
from livereview.store.open import Connection

OPERATOR = Principal(Kind.OWNER, "the operator", "lead", frozenset(Scope), None)
"""Who runs the command line on the owner's machine, or holds the owner's token."""


def by_session(con: Connection, secret: str, now: datetime) -> Principal | None:
    """Whose session this is; None where it is nobody's or has ended."""
    account = accounts.by_session(con, secret, now) if secret else None
    if account is None:
        return None
    return Principal(
        Kind.SESSION,
        account.name,
        account.role,
        session_scopes(account.role),
        account.reach,
        account.version,
    )


def by_token(con: Connection, secret: str) -> Principal | None:
    """Whose token this is; None where it is nobody's or has ended."""
    found = accounts.by_token(con, secret)
    return _of_token(*found) if found else None


def _of_token(account: Account, token: Token) -> Principal:
    """A token is worth its own scopes within its account's role, in its own review within its
    account's.
    """
    reach = account.reach
    if token.review is not None:
        reach = frozenset({token.review} if account.enters(token.review) else ())
    return Principal(
        Kind.TOKEN,
        account.name,
        account.role,
        scopes_within(account.role, token.scopes),
        reach,
        account.version,
        token.id,
    )


def still_good(con: Connection, principal: Principal) -> None:
    """Refuse what was let in a moment ago and has ended since.

    Asked in the transaction of an act that makes or changes rights, so that a token which is being
    ended can't open an account with its last breath.
    """
    if principal.kind == Kind.OWNER:
        return
    account = accounts.open_one(con, principal.account)
    if account is None or account.version != principal.account_version:
        raise Refused("your access has changed meanwhile, so nothing was done; sign in again")
    live = {token.id for token in accounts.tokens_of(con, principal.account)}
    if principal.token_id is not None and principal.token_id not in live:
        raise Refused("this token has ended meanwhile, so nothing was done")
