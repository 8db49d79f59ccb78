"""The people of the reviews: their accounts, and what the lead asks them to decide again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from html import escape
from typing import Any
from uuid import uuid4

from livereview import rights
from livereview.commands.service import Mail
from livereview.errors import Refused
from livereview.ops import principals
from livereview.ops.principals import OPERATOR
from livereview.ops.protocols import parsed, protocol
from livereview.ops.typed import typed
from livereview.rights import Kind, Principal, Scope
from livereview.screening.agreement import Coefficient, Vote, ac1, alpha, kappas
from livereview.screening.criteria import Change, change
from livereview.store import accounts, decisions, searches, voters
from livereview.store.accounts import Account
from livereview.store.decisions import Older, StageVote
from livereview.store.open import Connection, Store

# for somebody to take up an account that was opened for them: a fortnight's holiday fits in
INVITED_FOR = timedelta(days=14)
SHORTEST_SECRET = 20  # letters


@typed
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
    """A key for a program that acts as `account`, within scopes that its role has.

    Only the operator makes one: no session and no token ever comes this far (`ops.why_not`). It
    ends for good when its account is closed or gets a new secret, role or reach.

    Args:
        account: Whose name the program's acts carry; it must be open.
        label: What it is for.
        scopes: Some of `rights.Scope`; the old name "write" means screen and extract.
        review: The only one it opens; None for all that the account enters.
    """
    chosen = _scopes(scopes)
    if not label.strip() or len(label) > 80:
        raise Refused("say in at most 80 letters what the token is for")
    if not secret.startswith(accounts.BEGINS) or len(secret) < 30:
        raise Refused(f"a token begins with {accounts.BEGINS} and is long; let livereview make one")
    token = accounts.Token(uuid4().hex[:8], account, label.strip(), chosen, review, now)

    def job(con: Connection) -> dict[str, Any]:
        owner = accounts.open_one(con, account)
        if owner is None:
            raise Refused(
                f"no open account {account!r}; make it first: livereview account {account}"
            )
        _within_role(owner, chosen)
        if review is not None:
            protocol(con, review)
            if not owner.enters(review):
                raise Refused(f"{account} enters {', '.join(owner.reviews)} only, not {review}")
        accounts.add_token(con, token, accounts.digest(secret), by)
        return {"id": token.id, "account": account, "scopes": list(chosen), "review": review}

    return store.write(job)


def _scopes(given: Sequence[str]) -> tuple[str, ...]:
    """The scopes that are meant, each once; refused where one is none."""
    names = (given,) if isinstance(given, str) else tuple(given)
    wrong = [name for name in names if name not in (*Scope, *rights.OLD_SCOPES)]
    if not names or wrong:
        valid = ", ".join(Scope)
        raise Refused(
            f"scopes must be some of {valid}; they were {', '.join(map(str, names)) or 'none'}"
        )
    meant = [scope for name in names for scope in rights.OLD_SCOPES.get(name, (name,))]
    return tuple(dict.fromkeys(str(scope) for scope in meant))


def _within_role(owner: Account, scopes: Sequence[str]) -> None:
    allowed = rights.ROLE_SCOPES[owner.role]
    beyond = [scope for scope in scopes if scope not in allowed]
    if beyond:
        valid = ", ".join(scope for scope in Scope if scope in allowed)
        raise Refused(
            f"{owner.name} is a {owner.role}, whose tokens can have {valid}; not {', '.join(beyond)}"
        )


@typed
def revoke_token(store: Store, *, id: str, by: str, now: datetime) -> dict[str, Any]:
    """End a token at once; raises Refused where there is none."""
    if not store.write(lambda con: accounts.revoke_token(con, id, by, now)):
        raise Refused(f"no token {id!r} is good; `livereview token` lists those that are")
    return {"id": id}


def tokens(store: Store, *, now: datetime) -> dict[str, Any]:
    """The tokens that are good; never their secrets."""
    with store.read() as con:
        return {"tokens": [asdict(token) for token in accounts.tokens(con)]}


@typed
def add_account(
    store: Store,
    *,
    name: str,
    role: str,
    secret: str,
    now: datetime,
    email: str | None = None,
    reviews: Sequence[str] | None = None,
    by: Principal = OPERATOR,
) -> dict[str, Any]:
    """Open an account, or give one a new secret, role or reach.

    Its sessions and tokens end for good.

    Args:
        secret: What the person signs in with.
        email: Where digests go; None keeps the one that is known.
        reviews: The only ones that the person may enter, none: every one. None keeps what was; a
            new account gets what whoever asks may enter.
        by: Who asks: nobody gives more than they have, or changes what is worth more than they are.

    Returns:
    name, role, reviews, tokens_ended (how many of its tokens are dead now) and votes_back (how many
    votes came back that its closing had taken back).
    """
    check_account(name, role, email)
    if len(secret) < SHORTEST_SECRET:
        raise Refused("the secret is too short to be safe; let livereview make one")
    digest = accounts.digest(secret)
    return store.write(lambda con: open_in(con, name, role, digest, now, email, reviews, by))


def make_first_account(store: Store, *, name: str, secret: str, now: datetime) -> None:
    """Open the first account: a lead's, who may enter every review.

    Raises Refused where somebody has an account already, or the name can't be one.
    """
    check_account(name, "lead", None)

    def job(con: Connection) -> None:
        if accounts.names(con):
            raise Refused("there is an account on this server already; sign in with it")
        open_in(con, name, "lead", accounts.digest(secret), now)

    store.write(job)


def take_own_secret(store: Store, *, given: str, secret: str, now: datetime) -> Account:
    """Give an account a secret that its owner alone knows, for the one that somebody else made and
    gave them.

    Everything else of the account stays; its sessions and tokens end for good. Raises Refused where
    `given` opens no account any more, or is one that nobody else made.
    """
    if len(secret) < SHORTEST_SECRET:
        raise Refused("the secret is too short to be safe; let livereview make one")

    def job(con: Connection) -> Account:
        account = accounts.by_secret(con, given)
        if account is None or given_by(con, account) is None:
            raise Refused(
                "the secret that you were given opens nothing any more; sign in with your own"
            )
        accounts.append(con, account, accounts.digest(secret), True, now, account.name)
        renewed = accounts.open_one(con, account.name)
        assert renewed is not None
        return renewed

    return store.write(job)


def renew_own_secret(
    store: Store, *, account: str, present: str, secret: str, now: datetime
) -> Account:
    """Give one's own account another secret; its sessions and tokens end for good.

    Raises Refused where `present` is not the secret that opens this account now.
    """

    def job(con: Connection) -> Account:
        opened = accounts.by_secret(con, present)
        if opened is None or opened.name != account:
            raise Refused("this is not the secret that you sign in with now")
        accounts.append(con, opened, accounts.digest(secret), True, now, account)
        renewed = accounts.open_one(con, account)
        assert renewed is not None
        return renewed

    return store.write(job)


def is_over(given: accounts.Given, now: datetime) -> bool:
    """Whether a secret that somebody else made was not taken up in time."""
    return now - given.made > INVITED_FOR


def mail_invitation(
    *,
    name: str,
    address: str,
    by: str,
    link: str,
    title: str,
    server: str,
    sender: str,
    now: datetime,
) -> str | None:
    """Mail somebody the link to their new account; None, or why it was not sent."""
    from livereview.notices.post import mail

    until = (now + INVITED_FOR).date()
    lines = (
        f"Hello {name},",
        f"{by} invites you to work on the review “{title}”. Your link, good once and until {until}: {link}",
        "It leads to a secret of your own, with which you sign in from then on.",
        "Please don't pass the link on: who opens it first works in your name.",
    )
    message = Mail(
        name=name,
        email=address,
        subject=f"You are invited: {title}",
        text="\n\n".join(lines) + "\n",
        html="".join(f"<p>{escape(line)}</p>" for line in lines),
    )
    return mail([message], server, sender, now)[0][1]


def given_by(con: Connection, account: Account) -> accounts.Given | None:
    """Who else has seen the secret that opens this account.

    The operator of the machine counts as nobody.
    """
    return accounts.given(con, account, OPERATOR.signature)


def check_account(name: str, role: str, email: str | None) -> None:
    """Raise Refused, naming the value, where one of these can't be an account's."""
    if role not in accounts.ROLES:
        raise Refused(f"role must be one of {', '.join(accounts.ROLES)}; it was {role!r}")
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 40:
        raise Refused("an account's name has letters, digits and _ only, at most 40")
    if email is not None and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+", email):
        raise Refused(f"{email!r} is no mail address such as amina@example.org")


def open_in(
    con: Connection,
    name: str,
    role: str,
    secret_hash: str,
    now: datetime,
    email: str | None = None,
    reviews: Sequence[str] | None = None,
    by: Principal = OPERATOR,
) -> dict[str, Any]:
    """As `add_account`, within a transaction.

    Votes that the account's closing took back come back with it.
    """
    check_account(name, role, email)
    was = changeable(con, by, name)
    was_shut = was is not None and accounts.open_one(con, name) is None
    reach = _reach(by, was, reviews)
    for review in reach:
        protocol(con, review)
    account = Account(name, role, email, reach)
    problem = rights.why_not_give(by, role, account.reach)
    if problem:
        raise Refused(problem)
    ended = len(accounts.tokens_of(con, name))
    accounts.append(con, account, secret_hash, True, now, by.signature)
    returned = votes_come_back(con, account, now) if was_shut else 0
    return {
        "name": name,
        "role": role,
        "reviews": list(reach),
        "tokens_ended": ended,
        "votes_back": returned,
    }


def votes_come_back(con: Connection, account: Account, now: datetime) -> int:
    """Give an account that is opened again the votes that its closing took back.

    How many those are.

    Only where its report still waits for one, in the reviews that the account may enter now.
    """
    closed = decisions.closed_votes(con, account.name)
    reviews = decisions.reviews_of(con, closed)
    returns = [
        decisions.Return(vote, f"closed/{vote}", f"opened/{vote}")
        for vote in closed
        if vote in reviews and account.enters(reviews[vote])
    ]
    return decisions.bring_back(con, returns, now)


def _reach(by: Principal, was: Account | None, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The reviews of an account (none: every one): those asked for, else as before, else what the
    asker has.
    """
    if asked is not None:
        if isinstance(asked, str):
            raise Refused(f"reviews must be a list of their names, not {asked!r}")
        return tuple(asked)
    if was is not None:
        return was.reviews
    return tuple(sorted(by.reviews or ()))


def changeable(con: Connection, by: Principal, name: str) -> Account | None:
    """The account of this name, open or shut; refused where whoever asks may not change it."""
    if not isinstance(by, Principal):
        raise Refused("`by` can't be given: it is whoever signed in")
    principals.still_good(con, by)
    if by.kind == Kind.TOKEN and name == by.account:
        raise Refused("a token can't change the account that it belongs to; sign in to do that")
    was = accounts.last_of(con, name)
    if was is None:
        return None
    if not by.covers(was.reach):
        raise Refused(
            f"{name} also works on reviews that you may not enter; ask a lead of all of them"
        )
    problem = rights.why_not_give(by, was.role, was.reach)
    if problem:
        raise Refused(problem)
    return was


def check_may_bring_back(con: Connection, by: Principal, name: str, version: int) -> None:
    """Raise Refused where whoever asks could not give what the account was at this version."""
    was = accounts.at(con, name, version)
    problem = rights.why_not_give(by, was.role, was.reach)
    if problem:
        raise Refused(problem)


@typed
def close_account(
    store: Store, *, name: str, now: datetime, by: Principal = OPERATOR
) -> dict[str, Any]:
    """Shut an account; its sessions and tokens end for good.

    Its votes stay where others have voted too.

    Where its vote is the only one so far it is taken back, and the record waits for others: nobody
    is left who could explain it. They come back when the account is opened again. How many those
    are. `by` as in `add_account`.
    """
    return store.write(lambda con: close_in(con, name, now, by))


def close_in(con: Connection, name: str, now: datetime, by: Principal = OPERATOR) -> dict[str, Any]:
    """As `close_account`, within a transaction."""
    was = changeable(con, by, name)
    if was is None or accounts.open_one(con, name) is None:
        raise Refused(f"there is no open account {name!r}")
    ended = len(accounts.tokens_of(con, name))
    accounts.append(con, replace(was, role="reader"), "-", False, now, by.signature)
    requeued = take_back_sole_votes(con, name, now)
    return {"name": name, "requeued": requeued, "tokens_ended": ended}


def take_back_sole_votes(con: Connection, name: str, now: datetime) -> int:
    """Let the votes of a closed account that stand alone on their report count no more; how many
    those are.
    """
    sole = decisions.sole_votes(con, name)
    decisions.take_back(con, {vote: f"closed/{vote}" for vote in sole}, now)
    return len(sole)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers agree at a stage: overall, each two of them, and by the month of a record's
    last vote.
    """

    stage: str
    overall: tuple[Coefficient, ...]
    pairs: tuple[tuple[str, str, Coefficient], ...]
    months: tuple[tuple[str, Coefficient], ...]


def agreements(con: Connection, review: str) -> list[Agreement]:
    """The agreement at each stage. "maybe" counts as include, as it does for the record."""
    return [
        _agreement(stage, decisions.votes(con, review, stage))
        for stage in protocol(con, review).screening.stages
    ]


def _agreement(stage: str, votes: Sequence[StageVote]) -> Agreement:
    ballots: list[Vote] = []
    month: dict[str, str] = {}  # of the last vote on each report
    for vote in votes:
        verdict = "exclude" if vote.verdict == "exclude" else "include"
        ballots.append(Vote(vote.report_id, vote.reviewer, verdict))
        month[vote.report_id] = vote.made.strftime("%Y-%m")
    by_month: dict[str, list[Vote]] = {name: [] for name in sorted(set(month.values()))}
    for ballot in ballots:
        by_month[month[ballot.item]].append(ballot)
    return Agreement(
        stage,
        (alpha(ballots), ac1(ballots)),
        tuple(kappas(ballots)),
        tuple((name, ac1(some)) for name, some in by_month.items()),
    )


def older_criteria(
    con: Connection, review: str, eyes: str | None = None
) -> list[tuple[str, Change, list[Older]]]:
    """For each earlier version of the criteria: how today's differ, and the decisions that may flip
    because of it.
    """
    rules = protocol(con, review)
    found = []
    for version, text in searches.criteria_texts(con, review):
        if version != rules.criteria_version:
            differs = change(parsed(text).criteria, rules.criteria)
            found.append(
                (
                    version,
                    differs,
                    decisions.made_under(con, review, version, differs.verdicts, eyes),
                )
            )
    return [one for one in found if one[2]]


def to_decide_again(con: Connection, review: str, version: str, stage: str) -> list[str]:
    """The records that were decided at this stage under an older version of the criteria, and may
    turn.
    """
    for name, _, made in older_criteria(con, review):
        if name == version:
            return [older.record_id for older in made if older.stage == stage]
    return []


def screens(
    store: Store, *, id: str, review: str, account: str, screens: bool, now: datetime
) -> dict[str, Any]:
    """A lead says that they do not screen in this review, and then sees all votes.

    Or that they do again.

    Who comes back is asked about nothing on which there was a vote by then. The same id again
    changes nothing.
    Raises Refused for somebody who is no lead: a reviewer who does not screen needs no more rights.
    """

    def job(con: Connection) -> dict[str, Any]:
        protocol(con, review)
        role = {one.name: one.role for one in accounts.names(con)}.get(account)
        if role != "lead":
            raise Refused(f"{account} is no lead; only a lead says that they do not screen")
        voters.say(con, id, review, account, not screens, now)
        return {"account": account, "screens": screens}

    return store.write(job)
