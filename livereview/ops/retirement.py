"""Retiring a review, and bringing it back: signs that are shown, a proposal, a vote, a lead who
closes it.

Nothing here acts by itself. A carried vote decides the review's status until the next one, or until
the protocol changes, whose own word then holds again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.evidence import retirement as rule
from livereview.evidence.retirement import RULES, Trigger
from livereview.ops.protocols import protocol
from livereview.ops.snapshot import snapshot
from livereview.ops.typed import typed
from livereview.review import Review
from livereview.store import accounts, retirement, versions
from livereview.store.open import Connection, Store
from livereview.store.retirement import Ballot, Outcome, Proposal
from livereview.store.versions import Version
from livereview.summary import data

LONGEST = 500
CAUSES = {
    "retire": "the team voted to retire the review",
    "revive": "the team voted to bring the review back",
}


def monitor(
    store: Store, *, review: str, now: datetime, person: str | None = None
) -> dict[str, Any]:
    """The review's status, its five signs, the open proposal and the closed ones, newest first.

    Args:
        person: Whose own vote on the open proposal is told; of the others' only how many there are,
            until it is closed.
    """
    with store.read() as con:
        rules = retirement.effective(con, protocol(con, review))
        known = retirement.proposals(con, review)
        waits = [_open(con, one, person) for one, outcome in known if outcome is None]
        decided = retirement.in_force(con, review)
        return {
            "review": review,
            "state": rules.living.status,
            "since": decided[1].made if decided else None,
            "triggers": [rule.to_json(one) for one in triggers(con, rules, now)],
            "open": waits[0] if waits else None,
            "closed": [_closed(con, one, outcome) for one, outcome in reversed(known) if outcome],
            "held": versions.held(con, review) is not None,
        }


def _open(con: Connection, one: Proposal, person: str | None) -> dict[str, Any]:
    voters = retirement.voters(con, one.review)
    last = {
        ballot.account: ballot
        for ballot in retirement.ballots(con, one.id)
        if ballot.account in voters
    }
    mine = last.get(person or "")
    return {
        **_told(one),
        "voted": len(last),
        "voters": len(voters),
        "mine": asdict(mine) if mine else None,
    }


def _closed(con: Connection, one: Proposal, outcome: Outcome) -> dict[str, Any]:
    """A closed vote, with who voted what."""
    last = {ballot.account: asdict(ballot) for ballot in retirement.ballots(con, one.id)}
    how = {"carried": outcome.carried, "votes": asdict(outcome.votes), "closed_by": outcome.author}
    return {
        **_told(one),
        **how,
        "closed": outcome.made,
        "ballots": [last[name] for name in sorted(last)],
    }


def _told(one: Proposal) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in ("id", "kind", "reason", "author", "made")}
    return {**plain, "triggers": [rule.to_json(trigger) for trigger in one.triggers]}


@typed
def propose(
    store: Store,
    *,
    id: str,
    review: str,
    kind: str,
    reason: str,
    by: str,
    now: datetime,
    not_asked: str | None = None,
    no_resources: str | None = None,
) -> dict[str, Any]:
    """Move that the review retires, or comes back; what the signs say now is kept with it.

    Raises Refused while another proposal is open, where the review already is what is moved, or for
    who may not vote.

    Args:
        reason: For the page of the retired review.
        not_asked, no_resources: Why the question is no longer asked, why nobody can keep the
            review.
    """

    def job(con: Connection) -> dict[str, Any]:
        if known := retirement.of_proposal(con, id):
            return {**_told(known[0]), "known": True}
        rules = _may_propose(con, review, kind, by)
        texts = [_text(text, what) for text, what in ((not_asked, "why"), (no_resources, "why"))]
        said = _text(reason, "the reason")
        if said is None:
            raise Refused(
                "give a reason: it is kept with the vote, and the page of a retired review tells it"
            )
        signs = triggers(con, rules, now, *texts)
        one = Proposal(id, review, kind, said, tuple(signs), by, now)
        retirement.propose(con, one)
        return {**_told(one), "known": False}

    return store.write(job)


def _may_propose(con: Connection, review: str, kind: str, by: str) -> Review:
    rules = retirement.effective(con, protocol(con, review))
    if kind not in rule.KINDS:
        raise Refused(f"kind must be one of {', '.join(rule.KINDS)}; it was {kind!r}")
    _voter(con, review, by)
    if any(outcome is None for _, outcome in retirement.proposals(con, review)):
        raise Refused("a proposal is open already: vote on it, or let a lead close it first")
    if (kind == "retire") == (rules.living.status == "retired"):
        raise Refused(f"{review} is {rules.living.status} already; there is nothing to vote on")
    return rules


@typed
def vote(
    store: Store,
    *,
    id: str,
    review: str,
    verdict: str,
    by: str,
    now: datetime,
    proposal: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """Vote on the open proposal: yes, no or abstain.

    A later vote of the same person counts instead.

    Args:
        proposal: The one that the person saw (None: whichever is open).

    Raises:
        Refused: it is not the open one.
    """
    if verdict not in rule.VERDICTS:
        raise Refused(f"a vote is one of {', '.join(rule.VERDICTS)}; it was {verdict!r}")

    def job(con: Connection) -> dict[str, Any]:
        if retirement.known_ballot(con, id):
            return {"verdict": verdict, "known": True}
        _voter(con, review, by)
        waits = _the_open(con, review, proposal)
        retirement.cast(con, waits.id, Ballot(id, by, verdict, _text(note, "the note"), now))
        return {"verdict": verdict, "known": False}

    return store.write(job)


@typed
def close(
    store: Store, *, id: str, review: str, by: str, now: datetime, proposal: str | None = None
) -> dict[str, Any]:
    """End the vote and count it.

    A carried one changes the review's status and asks for a version that says so.

    The votes of accounts that are closed by now, or may not vote any more, do not count. Raises
    Refused for who is no
    lead, and while a changed conclusion waits for a name: the page could not say that the review is
    retired.
    """

    return store.write(lambda con: close_in(con, id, review, by, now, proposal))


def close_in(
    con: Connection, id: str, review: str, by: str, now: datetime, proposal: str | None = None
) -> dict[str, Any]:
    """As `close`, within a transaction."""
    known = [(one, end) for one, end in retirement.proposals(con, review) if end and end.id == id]
    if known:
        return {**_result(*known[0]), "known": True}
    if _voter(con, review, by) != "lead":
        raise Refused(f"a lead closes the vote; {by} is none")
    one = _the_open(con, review, proposal)
    cast = [(ballot.account, ballot.verdict) for ballot in retirement.ballots(con, one.id)]
    votes = rule.count(cast, retirement.voters(con, review))
    outcome = Outcome(id, rule.carried(votes), votes, by, now)
    if outcome.carried and versions.held(con, review):
        raise Refused(
            "a changed conclusion waits for a lead's name: sign it first, then close the vote"
        )
    retirement.close(con, one.id, outcome)
    if outcome.carried:
        versions.ask(con, review, CAUSES[one.kind], now)
    return {**_result(one, outcome), "known": False}


def is_last_outcome(con: Connection, review: str, outcome: str) -> bool:
    """Whether the newest vote of a review is the one that was closed by this event."""
    known = retirement.proposals(con, review)
    if not known:
        return False
    end = known[-1][1]
    return end is not None and end.id == outcome


def _result(one: Proposal, outcome: Outcome) -> dict[str, Any]:
    return {"kind": one.kind, "carried": outcome.carried, "votes": asdict(outcome.votes)}


def _the_open(con: Connection, review: str, proposal: str | None) -> Proposal:
    protocol(con, review)
    waits = [one for one, outcome in retirement.proposals(con, review) if outcome is None]
    if not waits:
        raise Refused(f"no proposal on {review} is open; make one with a reason first")
    if proposal not in (None, waits[0].id):
        raise Refused("this vote was closed, and another one is open now; read it before you vote")
    return waits[0]


def _voter(con: Connection, review: str, name: str) -> str:
    """The role of somebody who may vote; raises Refused for others."""
    account = next((one for one in accounts.names(con) if one.name == name), None)
    if account is None or name not in retirement.voters(con, review):
        needs = f"an open account for {review} that is one of {', '.join(retirement.WHO)}"
        raise Refused(f"{name!r} may not vote: it takes {needs}")
    return account.role


def _text(text: str | None, what: str) -> str | None:
    found = " ".join((text or "").split())
    if len(found) > LONGEST:
        raise Refused(f"{what} is too long: {len(found)} letters, at most {LONGEST}")
    return found or None


def triggers(
    con: Connection,
    review: Review,
    now: datetime,
    not_asked: str | None = None,
    no_resources: str | None = None,
) -> Sequence[Trigger]:
    """The five signs as they stand now; the last two are what people say."""
    known = versions.all_of(con, review.id)
    snap = snapshot(con, review.id, known)
    names = [search.name for search in review.searches if search.source != "ris"]
    watched = retirement.watched(con, review.id, names, now - RULES.months * rule.MONTH)
    unread = min((since for _, since in snap.waiting_since), default=None)
    held = versions.held(con, review.id) is not None
    return (
        rule.stable([_edition(one) for one in known], now, held),
        rule.certain(data.weigh(snap).findings),
        rule.quiet(
            retirement.newest_study(con, review.id), watched, unread, now, review.living.stale_days
        ),
        rule.not_asked(not_asked),
        rule.no_resources(no_resources),
    )


def _edition(version: Version) -> rule.Edition:
    studies = json.loads(version.summary)["studies"]
    extracted = frozenset(str(one["id"]) for one in studies if one["extracted"])
    return rule.Edition(version.number, version.moment, version.change, extracted)
