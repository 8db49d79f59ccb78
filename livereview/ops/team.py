"""The people of the reviews: their accounts, and what the lead asks them to decide again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from livereview.errors import Refused
from livereview.ops.surveil import parsed, protocol
from livereview.screening.agreement import Coefficient, Vote, ac1, alpha, kappas
from livereview.screening.criteria import Change, change
from livereview.store import accounts, decisions, searches, tasks, versions
from livereview.store.accounts import Account
from livereview.store.decisions import Older
from livereview.store.open import Connection, Store


def add_token(
    store: Store,
    *,
    account: str,
    label: str,
    secret: str,
    by: str,
    now: datetime,
    scopes: Sequence[str] = ("read",),
    review: str | None = None,
) -> dict[str, Any]:
    """A key for a program that acts as `account`: "read" opens pages and exports, "write" also sends forms.

    label   what it is for;  review: the only one it opens, None for all. Raises Refused for no open account.
    """
    if not scopes or set(scopes) - set(accounts.SCOPES):
        raise Refused(f"scopes must be some of {', '.join(accounts.SCOPES)}; they were {', '.join(scopes) or 'none'}")
    if not label.strip() or len(label) > 80:
        raise Refused("say in at most 80 letters what the token is for")
    if not secret.startswith(accounts.BEGINS) or len(secret) < 30:
        raise Refused(f"a token begins with {accounts.BEGINS} and is long; let livereview make one")
    chosen = tuple(dict.fromkeys(scopes))
    token = accounts.Token(uuid4().hex[:8], account, label.strip(), chosen, review, now)

    def job(con: Connection) -> dict[str, Any]:
        if account not in {one.name for one in accounts.names(con)}:
            raise Refused(f"no open account {account!r}; make it first: livereview account {account}")
        if review is not None:
            protocol(con, review)
        accounts.add_token(con, token, accounts.digest(secret), by)
        return {"id": token.id, "account": account, "scopes": list(chosen), "review": review}

    return store.write(job)


def revoke_token(store: Store, *, id: str, by: str, now: datetime) -> dict[str, Any]:
    """End a token at once; raises Refused where there is none."""
    if not store.write(lambda con: accounts.revoke_token(con, id, by, now)):
        raise Refused(f"no token {id!r} is good; `livereview token` lists those that are")
    return {"id": id}


def tokens(store: Store, *, now: datetime) -> dict[str, Any]:
    """The tokens that are good; never their secrets."""
    with store.read() as con:
        return {"tokens": [asdict(one) for one in accounts.tokens(con)]}


def add_account(
    store: Store,
    *,
    name: str,
    role: str,
    secret: str,
    now: datetime,
    email: str | None = None,
    reviews: Sequence[str] | None = None,
    by: str | None = None,
) -> dict[str, Any]:
    """Open an account, or give one a new secret, role or reach; `secret` is what the person signs in with.

    email    where digests go; None keeps the one that is known
    reviews  the only ones that the person may enter, none: every one; None keeps what was, at first every one
    by       the lead who asks: nobody gives more than they have, or changes whom they can't reach; None: the operator
    """
    if role not in accounts.ROLES:
        raise Refused(f"role must be one of {', '.join(accounts.ROLES)}; it was {role!r}")
    if not name.isidentifier() or len(name) > 40:
        raise Refused("an account's name has letters, digits and _ only, at most 40")
    if len(secret) < 20:
        raise Refused("the secret is too short to be safe; let livereview make one")
    if email is not None and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+", email):
        raise Refused(f"{email!r} is no mail address such as amina@example.org")

    def job(con: Connection) -> dict[str, Any]:
        was = _reached(con, by, name)
        reach = tuple(reviews) if reviews is not None else was.reviews if was else ()
        for review in reach:
            protocol(con, review)
        account = Account(name, role, email, reach)
        if by is not None and not _acting(con, by).covers(account):
            raise Refused(f"you may enter {', '.join(_acting(con, by).reviews)} only, and can't open more to others")
        accounts.append(con, account, accounts.digest(secret), True, now)
        return {"name": name, "role": role, "reviews": list(reach)}

    return store.write(job)


def _reached(con: Connection, by: str | None, name: str) -> Account | None:
    """The account of this name; refused to a lead who may not enter all that it may."""
    was = accounts.last_of(con, name)
    if by is not None and was and not _acting(con, by).covers(was):
        raise Refused(f"{name} also works on reviews that you may not enter; ask a lead of all of them")
    return was


def _acting(con: Connection, by: str) -> Account:
    found = next((account for account in accounts.names(con) if account.name == by), None)
    if found is None:
        raise Refused(f"there is no open account {by!r}")
    return found


def close_account(store: Store, *, name: str, now: datetime, by: str | None = None) -> dict[str, Any]:
    """Shut an account. Its votes stay where others have voted too.

    Where its vote is the only one so far it is taken back, and the record waits for others: nobody is left who could
    explain it. How many those are. `by` as in `add_account`.
    """

    def job(con: Connection) -> dict[str, Any]:
        was = _reached(con, by, name)
        if was is None or name not in {account.name for account in accounts.names(con)}:
            raise Refused(f"there is no open account {name!r}")
        accounts.append(con, replace(was, role="reader"), "-", False, now)
        sole = decisions.sole_votes(con, name)
        for vote in sole:
            decisions.take_back(con, vote, f"closed/{vote}", now)
        return {"name": name, "requeued": len(sole)}

    return store.write(job)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers agree at a stage: overall, each two of them, and by the month of a record's last vote."""

    stage: str
    overall: tuple[Coefficient, ...]
    pairs: tuple[tuple[str, str, Coefficient], ...]
    months: tuple[tuple[str, Coefficient], ...]


def agreements(con: Connection, review: str) -> list[Agreement]:
    """The agreement at each stage. "maybe" counts as include, as it does for the record."""
    found = []
    for stage in protocol(con, review).screening.stages:
        cast = decisions.votes(con, review, stage)
        ballots = [
            Vote(report, who, "exclude" if verdict == "exclude" else "include") for report, who, verdict, _ in cast
        ]
        month = {report: made.strftime("%Y-%m") for report, _, _, made in cast}  # that of the last vote on it
        by_month = {one: [b for b in ballots if month[b.item] == one] for one in sorted(set(month.values()))}
        found.append(
            Agreement(
                stage,
                (alpha(ballots), ac1(ballots)),
                tuple(kappas(ballots)),
                tuple((one, ac1(some)) for one, some in by_month.items()),
            )
        )
    return found


def older_criteria(con: Connection, review: str) -> list[tuple[str, Change, list[Older]]]:
    """For each earlier version of the criteria: how today's differ, and the decisions that may flip because of it."""
    rules = protocol(con, review)
    found = []
    for version, text in searches.criteria_texts(con, review):
        if version != rules.criteria_version:
            differs = change(parsed(text).criteria, rules.criteria)
            found.append((version, differs, decisions.made_under(con, review, version, differs.verdicts)))
    return [one for one in found if one[2]]


def ask_again(
    store: Store, *, review: str, records: Sequence[str], stage: str, version: str, by: str, now: datetime
) -> dict[str, Any]:
    """Open reports again that were decided at this stage under an older version of the criteria."""

    def job(con: Connection) -> dict[str, Any]:
        listed = {one.record_id for _, _, older in older_criteria(con, review) for one in older if one.stage == stage}
        chosen = [record for record in records if record in listed]
        rules = protocol(con, review)
        cause = f"the criteria are now version {rules.criteria_version}, and it was decided under version {version}"
        for record in chosen:
            tasks.reopen(con, f"criteria:{review}:{rules.hash}:{record}:{stage}", review, record, stage, by, cause, now)
        if chosen:
            versions.ask(con, review, "reports are decided again under changed criteria", now)
        return {"reopened": len(chosen)}

    return store.write(job)
