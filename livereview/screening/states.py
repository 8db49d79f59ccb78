"""Where a report stands because of the votes on it. The one place of these rules; the store keeps their answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ballot:
    """One decision in force on a record of a report; `seq` orders them as they came."""

    stage: str
    reviewer: str
    role: str
    verdict: str
    seq: int


@dataclass(frozen=True, slots=True)
class Place:
    """A report stands at `stage` with `votes`; `state`: open, half, conflict, included, excluded or not_retrieved."""

    stage: str
    votes: int
    state: str


def place(ballots: Collection[Ballot], stages: Sequence[str], needed: int) -> Place:
    """The first of the stages that the report has not left, and its state there.

    needed   votes that a stage asks for (`screening.votes` of review.toml)
    """
    by_stage: Mapping[str, list[Ballot]] = {
        stage: [ballot for ballot in ballots if ballot.stage == stage] for stage in stages
    }
    for stage in stages[:-1]:
        if (state := state_of(by_stage[stage], needed)) != "included":
            return Place(stage, _votes(by_stage[stage]), state)
    last = by_stage[stages[-1]]
    return Place(stages[-1], _votes(last), state_of(last, needed))


def state_of(ballots: Collection[Ballot], needed: int) -> str:
    """The state of a report at one stage, from the decisions in force on it there.

    A third person's word settles it. "maybe" counts as include: in doubt a report goes on to full text. "Not retrieved"
    is no vote: it is the state only while nobody has voted.
    """
    settled = [ballot for ballot in ballots if ballot.role == "adjudication"]
    if settled:
        return "excluded" if max(settled, key=lambda one: one.seq).verdict == "exclude" else "included"
    votes = _votes(ballots)
    includes = any(one.verdict in ("include", "maybe") for one in ballots)
    if includes and any(one.verdict == "exclude" for one in ballots):
        return "conflict" if votes >= needed else "half"
    if votes == 0:
        return "not_retrieved" if ballots else "open"
    if votes < needed:
        return "half"
    return "included" if includes else "excluded"


def _votes(ballots: Collection[Ballot]) -> int:
    return len({one.reviewer for one in ballots if one.role == "vote" and one.verdict != "not_retrieved"})
