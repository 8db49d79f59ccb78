"""Where a report stands because of the votes on it.

The one place of these rules; the store keeps their answers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

# where a report may stand at a stage, in the order in which one comes there
STATES = ("open", "half", "conflict", "included", "excluded", "not_retrieved")


@dataclass(frozen=True, slots=True)
class Ballot:
    """One decision in force on a record of a report; `seq` orders them as they came."""

    stage: str
    reviewer: str
    role: str
    verdict: str
    seq: int


@dataclass(frozen=True, slots=True)
class Sought:
    """The people who can't get the full text of a report, and whether a lead has made that final."""

    people: frozenset[str] = frozenset()
    final: bool = False

    def given_up(self, needed: int) -> bool:
        """Whether the report counts as not retrieved.

        It takes a lead, or as many people as a stage takes votes.

        Votes of others do not matter: a report on which somebody has voted must look like one on
        which nobody has.
        """
        return self.final or len(self.people) >= needed

    def without(self, voters: Collection[str]) -> Sought:
        """The same without people who have voted: they had it.

        A merge can join a person's vote and request.
        """
        return Sought(self.people - frozenset(voters), self.final)


NOBODY_ASKED = Sought()
# the second was a verdict once; as-of builds still meet it
NO_VOTE = ("withdrawn", "not_retrieved")


def is_vote(role: str, verdict: str) -> bool:
    """Whether a decision is one of the votes that a stage asks for."""
    return role == "vote" and verdict not in NO_VOTE


def has_answered(person: str, ballots: Collection[Ballot], sought: Sought) -> bool:
    """Whether a person has nothing more to say about a report at a stage: they voted, or they can't
    get it.

    Args:
        ballots: The decisions in force on the report at that stage.
        sought: Who can't get it; nobody at the first stage.
    """
    voted = any(
        ballot.reviewer == person and is_vote(ballot.role, ballot.verdict) for ballot in ballots
    )
    return voted or person in sought.people


@dataclass(frozen=True, slots=True)
class Place:
    """A report stands at `stage` with `votes`; `state`: open, half, conflict, included, excluded or
    not_retrieved.
    """

    stage: str
    votes: int
    state: str


def place(
    ballots: Collection[Ballot], stages: Sequence[str], needed: int, sought: Sought = NOBODY_ASKED
) -> Place:
    """The first of the stages that the report has not left, and its state there.

    Args:
        needed: Votes that a stage asks for (`screening.votes` of review.toml).
        sought: Who can't get the full text, which matters at the last stage only.
    """
    by_stage: Mapping[str, list[Ballot]] = {
        stage: [ballot for ballot in ballots if ballot.stage == stage] for stage in stages
    }
    for stage in stages[:-1]:
        state = state_of(by_stage[stage], needed)
        if state != "included":
            return Place(stage, _votes(by_stage[stage]), state)
    last = by_stage[stages[-1]]
    return Place(stages[-1], _votes(last), state_of(last, needed, sought))


def state_of(ballots: Collection[Ballot], needed: int, sought: Sought = NOBODY_ASKED) -> str:
    """The state of a report at one stage, from the decisions in force on it there.

    A third person's word settles it. "maybe" counts as include: in doubt a report goes on to full
    text. Where not all votes are in, a report that was given up is not retrieved.
    """
    settled = [ballot for ballot in ballots if ballot.role == "adjudication"]
    if settled:
        last = max(settled, key=lambda ballot: ballot.seq)
        if last.verdict == "exclude":
            return "excluded"
        return "included"

    voters = _voters(ballots)
    if len(voters) >= needed:
        includes = any(ballot.verdict in ("include", "maybe") for ballot in ballots)
        excludes = any(ballot.verdict == "exclude" for ballot in ballots)
        if includes and excludes:
            return "conflict"
        return "included" if includes else "excluded"

    if sought.without(voters).given_up(needed):
        return "not_retrieved"
    if voters:
        return "half"
    return "not_retrieved" if ballots else "open"  # ballots: "not retrieved" was a verdict once


def _votes(ballots: Collection[Ballot]) -> int:
    return len(_voters(ballots))


def _voters(ballots: Collection[Ballot]) -> set[str]:
    return {ballot.reviewer for ballot in ballots if is_vote(ballot.role, ballot.verdict)}
