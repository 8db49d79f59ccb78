"""A retired review in words: since when, why, how the vote went, and what would bring it back."""

from __future__ import annotations

from livereview.evidence.retirement import Count, revives
from livereview.summary import words
from livereview.summary.model.status import Retirement, Sign, VoteCount
from livereview.summary.snapshot import Retired


def published(retired: Retired | None) -> Retirement | None:
    """For `status.retirement`; None while no vote has retired the review.

    Votes are numbers, never names.
    """
    if retired is None:
        return None
    votes = retired.votes
    return Retirement(
        since=words.iso(retired.date),
        since_display=words.day(retired.date),
        reason=retired.reason,
        votes=VoteCount(yes=votes.yes, no=votes.no, abstain=votes.abstain, voters=votes.voters),
        votes_display=_votes_in_words(votes),
        signs=tuple(Sign(id=sign.id, met=sign.met, told=sign.told) for sign in retired.triggers),
        revival=revives(retired.triggers),
    )


def _votes_in_words(votes: Count) -> str:
    people = "person" if votes.voters == 1 else "people"
    return (
        f"{votes.yes} for it, {votes.no} against, {votes.abstain} abstained, "
        f"of {votes.voters} {people} who could vote"
    )
