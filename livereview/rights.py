"""What signed in, and what it may do: the one rule that every act is judged by.

Pages, the door for programs, changes of the team and the command line all ask `why_not` or
`why_not_give`. They never look at the account behind a token: a token may do less than the person
who owns it, and what it reaches binds everything that its request can reach.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a request may be for.

    A session has all scopes of its role, a token those it was given.
    """

    READ = "read"
    SCREEN = "screen"
    EXTRACT = "extract"
    MANAGE = "manage"
    FLOWS = "flows"
    MONITOR = "monitor"


# Tokens made before there were five scopes: "write" never meant what leads alone may do.
OLD_SCOPES = {"write": (Scope.SCREEN, Scope.EXTRACT)}


class Kind(StrEnum):
    """How somebody proved who they are."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105
    OWNER = "owner"


ROLE_SCOPES: dict[str, frozenset[Scope]] = {
    "lead": frozenset(Scope),
    "reviewer": frozenset({Scope.READ, Scope.SCREEN, Scope.EXTRACT}),
    "adjudicator": frozenset({Scope.READ, Scope.SCREEN}),
    "reader": frozenset({Scope.READ}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """What signed in, as it stands at this moment.

    `ops.principals` makes it, and nothing else does.

    Attributes:
        kind: How it proved who it is.
        account: Whose name its acts carry.
        role: The role of that account now.
        scopes: What it may be used for, never more than the role has.
        reviews: The only reviews that it reaches; None: every one.
        account_version: The row of the account that this was read from.
        token_id: Which token it is; None for a session or the owner.
    """

    kind: Kind
    account: str
    role: str
    scopes: frozenset[Scope]
    reviews: frozenset[str] | None
    account_version: int = 0
    token_id: str | None = None

    def enters(self, review: str) -> bool:
        """Whether this review is there for it at all."""
        return self.reviews is None or review in self.reviews

    def covers(self, reviews: frozenset[str] | None) -> bool:
        """Whether it reaches all of these (None: every review, of today and tomorrow)."""
        if self.reviews is None:
            return True
        return reviews is not None and reviews <= self.reviews

    @property
    def signature(self) -> str:
        """How the log of accounts names it: amina, or amina by token 1a2b3c4d."""
        if self.token_id:
            return f"{self.account} by token {self.token_id}"
        return self.account


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a request does: the scope it needs and the roles that may do it.

    Attributes:
        scope: What a session or token must have. None: the act is open to anybody.
        roles: Whose work it is.
        named_adjudicators: Also that of reviewers whom review.toml names as adjudicators.
        also: A second scope that it needs.
        owner_only: Only the owner's token of this machine does it.
        every_review: It reaches all reviews at once, so a limit to some of them forbids it.
        by_name: The door for programs, where each operation is judged by an act of its own.
        by_programs: It is done with a token or the owner's own secret, never with a session.
    """

    scope: Scope | None
    roles: tuple[str, ...] = ()
    named_adjudicators: bool = False
    also: Scope | None = None
    owner_only: bool = False
    every_review: bool = False
    by_name: bool = False
    by_programs: bool = False

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """All that it needs."""
        return tuple(scope for scope in (self.scope, self.also) if scope is not None)


LEADS = ("lead",)
VOTERS = ("lead", "reviewer")
MEMBERS = ("lead", "reviewer", "adjudicator")
EVERYBODY = ("lead", "reviewer", "adjudicator", "reader")
ADJUDICATORS = ("lead", "adjudicator")

OPEN_TO_ALL = Act(None)
USE_SESSION = Act(Scope.READ, EVERYBODY)
SEE_AS_LEAD = Act(Scope.READ, LEADS)
SEE_AS_VOTER = Act(Scope.READ, VOTERS)
SEE_AS_MEMBER = Act(Scope.READ, MEMBERS)
SEE_CONFLICTS = Act(Scope.READ, ADJUDICATORS, named_adjudicators=True)
SCREEN = Act(Scope.SCREEN, VOTERS)
TAKE_PART = Act(Scope.SCREEN, MEMBERS)
SETTLE_CONFLICTS = Act(Scope.SCREEN, ADJUDICATORS, named_adjudicators=True)
EXTRACT = Act(Scope.EXTRACT, VOTERS)
MANAGE = Act(Scope.MANAGE, LEADS)
MAKE_REVIEW = Act(Scope.MANAGE, LEADS, every_review=True)
IMPORT_DECISIONS = Act(Scope.MANAGE, LEADS, also=Scope.SCREEN)
RUN_FLOWS = Act(Scope.FLOWS, LEADS)
RUN_FLOWS_FOR_ALL = Act(Scope.FLOWS, LEADS, every_review=True)
READ_METRICS = Act(Scope.MONITOR, LEADS, every_review=True, by_programs=True)
OWN = Act(None, owner_only=True)
DOOR_FOR_PROGRAMS = Act(None, owner_only=True, by_name=True)


class WhyNot(StrEnum):
    """Why an act is refused, in the order in which it is looked for: what is not there tells
    nothing.
    """

    NOT_THERE = "the review is not there for it"
    SCOPE = "it lacks the scope"
    ROLE = "it is not the work of this role"
    OWNER = "only the owner's token does it"


def may(
    principal: Principal | None,
    act: Act,
    review: str | None = None,
    adjudicators: Collection[str] = (),
) -> bool:
    """Whether this principal may do this act on this review."""
    return why_not(principal, act, review, adjudicators) is None


def why_not(
    principal: Principal | None,
    act: Act,
    review: str | None = None,
    adjudicators: Collection[str] = (),
) -> WhyNot | None:
    """Why it may not; None: it may.

    Args:
        principal: What signed in; None: nobody did.
        act: What is to be done.
        review: On which review; None for what belongs to none.
        adjudicators: Reviewers whom the protocol of that review names as adjudicators.
    """
    if act == OPEN_TO_ALL:
        return None
    if principal is None:
        return WhyNot.ROLE
    if principal.kind == Kind.OWNER:
        return None
    if act.owner_only or act.scope is None:
        return WhyNot.OWNER
    if review is not None and not principal.enters(review):
        return WhyNot.NOT_THERE
    if act.every_review and principal.reviews is not None:
        return WhyNot.NOT_THERE
    if any(scope not in ROLE_SCOPES[principal.role] for scope in act.scopes):
        return WhyNot.ROLE
    named = (
        act.named_adjudicators
        and principal.role == "reviewer"
        and principal.account in adjudicators
    )
    if principal.role not in act.roles and not named:
        return WhyNot.ROLE
    if any(scope not in principal.scopes for scope in act.scopes):
        return WhyNot.SCOPE
    return None


def scopes_within(role: str, given: Collection[str]) -> frozenset[Scope]:
    """What a token with these scopes is worth while its account has this role.

    Old names are read too.
    """
    meant = {scope for name in given for scope in OLD_SCOPES.get(name, (name,))}
    return frozenset(scope for scope in ROLE_SCOPES.get(role, frozenset()) if scope in meant)


def session_scopes(role: str) -> frozenset[Scope]:
    """What somebody who signs in may do; flows and monitoring come with tokens only."""
    return ROLE_SCOPES[role] - {Scope.FLOWS, Scope.MONITOR}


def why_not_give(principal: Principal, role: str, reviews: frozenset[str] | None) -> str | None:
    """Why it may not open, change or close an account of this role and reach; None: it may.

    Whoever opens an account learns its secret and can sign in with it. So an account is never worth
    more than what opens it: in role, in scopes, in reviews.
    """
    if principal.kind == Kind.OWNER:
        return None
    if principal.role != "lead" or Scope.MANAGE not in principal.scopes:
        return "only leads change accounts"
    missing = session_scopes(role) - principal.scopes
    if missing:
        needed = ", ".join(sorted(missing))
        return f"a {role} may do more than this token: it lacks the scopes {needed}"
    if not principal.covers(reviews):
        own = ", ".join(sorted(principal.reviews or ()))
        return f"you may enter {own} only, and can't open more to others"
    return None
