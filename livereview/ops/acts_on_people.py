"""Acts on accounts: closed, opened again, changed."""

from __future__ import annotations

from livereview.errors import Refused
from livereview.ops import team
from livereview.ops.act_types import Asked, Done
from livereview.store import accounts, searches
from livereview.store.acts import LoggedAct
from livereview.store.open import Connection


def concerns_person(con: Connection, asked: Asked) -> list[str]:
    """The reviews in which the person has decided, of those that whoever asks may enter, and the
    one asked from.
    """
    name = asked.given.get("name", "")
    rows = con.execute(
        "SELECT DISTINCT review FROM decision WHERE reviewer = ? ORDER BY review", [name]
    ).fetchall()
    seen = [review for (review,) in rows if asked.by.enters(review)]
    if not asked.review and not seen:
        account = accounts.when_last_open(con, name)
        if account and account.reviews:
            return list(account.reviews)
        return searches.review_ids(con)
    return list(dict.fromkeys([*([asked.review] if asked.review else []), *seen]))


def close_account(con: Connection, asked: Asked) -> Done:
    name = asked.value("name")
    if name == asked.by.account:
        raise Refused("this is your own account; another lead must close it")
    was = accounts.when_last_open(con, name)
    sessions = accounts.sessions_of(con, name, asked.now)
    done = team.close_in(con, name, asked.now, asked.by)
    now = accounts.last_of(con, name)
    assert was is not None and now is not None
    lines = [f"{name} can't sign in any more.", *_ended(done["tokens_ended"], sessions)]
    if done["requeued"]:
        noun = "record has" if done["requeued"] == 1 else "records have"
        lines.append(
            f"{done['requeued']:,} {noun} no vote but theirs: these votes are taken back, and come back "
            "if the account is opened again."
        )
    return Done(tuple(lines), {"name": name, "was": was.version, "is": now.version}, done)


def _ended(tokens: int, sessions: int) -> list[str]:
    lines = []
    if sessions:
        lines.append(f"{sessions:,} open {'session' if sessions == 1 else 'sessions'} end.")
    if tokens:
        lines.append(f"{tokens:,} {'token' if tokens == 1 else 'tokens'} end for good.")
    return lines


def open_account(con: Connection, asked: Asked) -> Done:
    """Open an account, or change one: `role`, `reviews` (names apart by commas, "*": every one),
    `email`.
    """
    name = asked.value("name")
    last, is_open = accounts.last_of(con, name), accounts.open_one(con, name) is not None
    was = accounts.when_last_open(con, name)
    role = asked.given.get("role") or (was.role if was else "reviewer")
    reviews = _reviews(asked.given.get("reviews", ""), was)
    sessions = accounts.sessions_of(con, name, asked.now)
    email = asked.given.get("email") or None
    done = team.open_in(con, name, role, asked.secret_hash, asked.now, email, reviews, asked.by)
    now = accounts.last_of(con, name)
    assert now is not None
    lines: list[str] = []
    if was is not None:
        if is_open:
            verb = "gets a new secret, and the old one opens nothing"
        else:
            verb = "is opened again"
        lines.append(f"{name} {verb}.")
        lines.append(_differs("Role", was.role, now.role))
        lines.append(_differs("May enter", _reach(was.reviews), _reach(now.reviews)))
        lines += _ended(done["tokens_ended"], sessions)
    if done["votes_back"]:
        noun = "vote" if done["votes_back"] == 1 else "votes"
        lines.append(
            f"{done['votes_back']:,} {noun} that the closing had taken back, back in force."
        )
    undo = {"name": name, "was": last.version if last else None, "is": now.version}
    return Done(tuple(lines), undo, done)


def _reviews(given: str, was: accounts.Account | None) -> list[str] | None:
    """The reviews that are asked for; None: as before, or for a new account as whoever asks."""
    if given == "*":
        return []
    if given:
        return [name.strip() for name in given.split(",") if name.strip()]
    return list(was.reviews) if was else None


def _reach(reviews: tuple[str, ...]) -> str:
    return ", ".join(reviews) or "every review"


def _differs(what: str, before: str, after: str) -> str:
    if before == after:
        return f"{what}: {before}, as before."
    return f"{what}: {before} before, {after} after."


def undo_account(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    name, was = str(act.undo["name"]), act.undo["was"]
    last = team.changeable(con, asked.by, name)
    if last is None or last.version != act.undo["is"]:
        raise Refused(
            f"the account {name} has been changed since; take that back first, or change it again"
        )
    if name == asked.by.account:
        raise Refused("this is your own account; another lead must take that back")
    if was is None:
        team.close_in(con, name, asked.now, asked.by)
        return ()
    team.check_may_bring_back(con, asked.by, name, was)
    opens = accounts.open_one(con, name) is None
    accounts.bring_back(con, name, was, asked.by.signature, asked.now)
    account = accounts.open_one(con, name)
    if account is None:
        return _close_again(con, name, asked)
    if opens:
        team.votes_come_back(con, account, asked.now)
    return ("Sessions and tokens that have ended stay dead.",)


def _close_again(con: Connection, name: str, asked: Asked) -> tuple[str, ...]:
    """The account is shut as it was before, and its sole votes are taken back as by any closing."""
    team.take_back_sole_votes(con, name, asked.now)
    return ()
