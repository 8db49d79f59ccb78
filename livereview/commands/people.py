"""Commands of accounts and tokens, of votes on retiring, and of acts that undo others' work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from livereview.commands.base import Answer, Command
from livereview.commands.evidence import ChangedSentence
from livereview.commands.publishing import Published

# Accounts and tokens


class AccountOpened(Answer):
    """An account as it is now."""

    name: str
    role: str
    reviews: Sequence[str]
    """The only ones that it enters; none: every one."""
    tokens_ended: int
    votes_back: int
    """Votes that its closing had taken back and that count again."""


class AddAccount(Command[AccountOpened]):
    """Open an account, or give one a new secret, role or reach; its tokens end for good."""

    operation = "add_account"

    name: str
    role: str
    """lead, reviewer, adjudicator or reader."""
    secret: str
    """What the person signs in with."""
    email: str | None = None
    """Where digests go; null keeps the one that is known."""
    reviews: Sequence[str] | None = None
    """The only ones that the person may enter, none: every one; null keeps what was."""


class AccountClosed(Answer):
    """What the closing of an account did."""

    name: str
    requeued: int
    """Records that had no vote but theirs, and wait again."""
    tokens_ended: int


class CloseAccount(Command[AccountClosed]):
    """Shut an account; its sessions and tokens end for good."""

    operation = "close_account"

    name: str


class TokenMade(Answer):
    """A token that was made."""

    id: str
    account: str
    scopes: Sequence[str]
    review: str | None


class AddToken(Command[TokenMade]):
    """Make a key for a program that acts as an account, within scopes that its role has."""

    operation = "add_token"

    account: str
    label: str
    """What it is for."""
    secret: str
    by: str
    scopes: Sequence[str] = ("read",)
    review: str | None = None
    """The only one it opens; null: all that the account enters."""


class TokenRevoked(Answer):
    """A token that is good no more."""

    id: str


class RevokeToken(Command[TokenRevoked]):
    """End a token at once."""

    operation = "revoke_token"

    id: str
    by: str


class Token(Answer):
    """A program's key, without its secret."""

    id: str
    account: str
    label: str
    scopes: Sequence[str]
    review: str | None


class Tokens(Answer):
    """The tokens that are good."""

    tokens: Sequence[Token]


class ListTokens(Command[Tokens]):
    """The tokens that are good; never their secrets."""

    operation = "tokens"


# Votes on retiring


class Trigger(Answer):
    """A sign that a review could retire."""

    id: str
    met: bool | None
    """null: it can't be said."""
    told: str


class Proposal(Answer):
    """What somebody moved."""

    id: str
    kind: str
    """retire or revive."""
    reason: str
    author: str
    made: str
    """ISO time."""
    triggers: Sequence[Trigger]
    """What the signs said then."""


class Ballot(Answer):
    """A person's vote."""

    account: str
    verdict: str


class OpenVote(Proposal):
    """A proposal that is voted on."""

    voted: int
    voters: int
    mine: Ballot | None
    """The vote of the person who asks."""


class Votes(Answer):
    """How a vote went, in people."""

    yes: int
    no: int
    abstain: int
    voters: int
    """Who may vote."""


class ClosedVote(Proposal):
    """A proposal that was voted on."""

    carried: bool
    votes: Votes
    closed_by: str
    closed: str
    """ISO time."""
    ballots: Sequence[Ballot]


class RetirementState(Answer):
    """A review's status and what is moved about it."""

    review: str
    state: str
    since: str | None
    """ISO time of the vote that decided the status; null: no vote did."""
    triggers: Sequence[Trigger]
    open: OpenVote | None
    closed: Sequence[ClosedVote]
    """Newest first."""
    held: bool
    """A changed conclusion waits for a name."""


class ReadRetirement(Command[RetirementState]):
    """A review's status, its five signs, the open proposal and the closed ones."""

    operation = "retirement"

    review: str
    person: str | None = None
    """Whose own vote is told."""


class Proposed(Proposal):
    """A proposal as it was made."""

    known: bool


class ProposeRetirement(Command[Proposed]):
    """Move that a review retires, or comes back."""

    operation = "propose_retirement"

    id: str
    review: str
    kind: str
    """retire or revive."""
    reason: str
    """For the page of the retired review."""
    by: str
    not_asked: str | None = None
    """Why the question is no longer asked."""
    no_resources: str | None = None
    """Why nobody can keep the review."""


class Voted(Answer):
    """A vote as it counts."""

    verdict: str
    known: bool


class VoteRetirement(Command[Voted]):
    """Vote on the open proposal; a later vote of the same person counts instead."""

    operation = "vote_retirement"

    id: str
    review: str
    verdict: str
    """yes, no or abstain."""
    by: str
    proposal: str | None = None
    """The one that the person saw; null: whichever is open."""
    note: str | None = None


class VoteClosed(Answer):
    """How a vote went."""

    kind: str
    carried: bool
    votes: Votes


class CloseRetirement(Command[VoteClosed]):
    """End the vote and count it; for leads."""

    operation = "close_retirement"

    id: str
    review: str
    by: str
    proposal: str | None = None


# Acts that undo others' work


class ReviewEffect(Answer):
    """What an act does to one review."""

    review: str
    sentences: Sequence[ChangedSentence]
    """What the public page would say."""


class Effect(Answer):
    """What an act does, or would do."""

    title: str = ""
    lines: Sequence[str]
    """In sentences."""
    reviews: Sequence[ReviewEffect]
    undoes_work: bool
    takes_out: bool
    shown: str
    """A fingerprint of it, which `CarryOut` takes."""


class PreviewAct(Command[Effect]):
    """What an act would do, in sentences and numbers; nothing is changed."""

    operation = "preview_act"

    kind: str
    review: str
    given: Mapping[str, str]
    """What it is about, such as {"version": "3"}."""
    reason: str = ""
    author: str = ""
    """Whose name the log shows; "": the operator's."""


class ActDone(Effect):
    """What an act did."""

    act: str
    """Its id in the log."""
    known: bool = False
    result: dict[str, Any] = Field(default_factory=dict)
    """The answer of its kind."""
    published: Published | None = None
    """What became of the page, where it could not wait."""


class CarryOut(Command[ActDone]):
    """Do an act and log it; the same id again changes nothing."""

    operation = "act"

    id: str
    kind: str
    review: str
    given: Mapping[str, str]
    reason: str = ""
    shown: str | None = None
    """What the preview gave; null: whoever asks wants it whatever it does."""
    author: str = ""
    secret_hash: str | None = None
    """Of the secret that `open_account` gives."""
    request: str | None = None
    """The request that this accepts."""


class TakeBackAct(Command[ActDone]):
    """Undo an act of the log: what stood before stands again, as new events."""

    operation = "take_back_act"

    id: str
    act: str
    review: str
    reason: str = ""
    author: str = ""


class TakenBack(Answer):
    """Who took an act back, and when."""

    author: str
    made: str
    """ISO time."""
    lines: Sequence[str]


class LoggedAct(Answer):
    """An act of the log."""

    id: str
    kind: str
    title: str
    author: str
    reason: str | None
    lines: Sequence[str]
    sentences: Sequence[ChangedSentence]
    made: str
    """ISO time."""
    taken_back: TakenBack | None


class ActRequest(Answer):
    """An act that somebody has asked a lead for."""

    id: str
    author: str
    reason: str
    outcome: str | None
    """null: it waits."""
    title: str


class Acts(Answer):
    """The log of a review, newest first, and its requests."""

    acts: Sequence[LoggedAct]
    requests: Sequence[ActRequest]


class ListActs(Command[Acts]):
    """The log of a review, newest first, and the requests that wait for a lead."""

    operation = "acts"

    review: str


class Requested(Answer):
    """A request as it was made."""

    request: str
    title: str
    known: bool


class AskForAct(Command[Requested]):
    """Ask a lead for an act; nothing changes before a lead accepts."""

    operation = "ask_for_act"

    id: str
    review: str
    kind: str
    given: Mapping[str, str]
    author: str
    reason: str


class Declined(Answer):
    """How a request ended."""

    request: str
    outcome: str
    """declined, or withdrawn by who asked."""


class DeclineAct(Command[Declined]):
    """Say no to a request; whoever asked takes it back so too."""

    operation = "decline_act"

    request: str
    review: str
    author: str
    note: str = ""
