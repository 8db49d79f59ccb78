"""What the team has settled is not one person's to undo, not even by taking back their own word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.review import Review
from livereview.screening.settled import is_the_teams
from livereview.screening.states import NO_VOTE, Ballot, Place, Sought, place
from livereview.store.decisions import Decision
from livereview.store.standings import Standing


class TeamsOutcome(Refused):
    """A person's word carries an outcome that the team has settled, so they can't take it back
    alone.
    """


def leave_to_the_team(
    rules: Review,
    asked: Decision,
    before: Standing,
    given: Sequence[Mapping[str, Any]],
    sought: Sought,
    now: datetime,
) -> None:
    """Raise TeamsOutcome where this person's word carries what the team has settled, and would not
    any more.

    Args:
        rules: The protocol in force.
        asked: What they say now instead, or that they take it back.
        before: Where the report stands.
        given: The decisions in force on it.
        sought: Who can't get it.
        now: The time.
    """
    if any(word["id"] == asked.id for word in given):
        return  # it was said before
    theirs = (asked.stage, asked.reviewer, asked.role)
    others = [word for word in given if (word["stage"], word["reviewer"], word["role"]) != theirs]
    ballots = [
        Ballot(word["stage"], word["reviewer"], word["role"], word["verdict"], word["seq"])
        for word in others
    ]
    if asked.verdict not in NO_VOTE:
        ballots.append(
            Ballot(asked.stage, asked.reviewer, asked.role, asked.verdict, max_seq(given) + 1)
        )

    after = place(ballots, rules.screening.stages, rules.screening.votes, sought)
    place_now = Place(before.stage, before.votes, before.state)
    newest = max(given, key=lambda word: word["seq"])
    said_last = None if newest in others else newest["made"]
    if is_the_teams(place_now, after, rules.screening.stages, asked.stage, said_last, now):
        raise TeamsOutcome(
            "the team has settled this report, so you can't take that back alone; ask a lead"
        )


def max_seq(given: Sequence[Mapping[str, Any]]) -> int:
    """The place of the newest of these decisions."""
    return max(int(word["seq"]) for word in given)
