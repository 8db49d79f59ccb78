"""A retired review in words: since when, why, how the vote went, and what would bring it back."""

from __future__ import annotations

from typing import Any

from livereview.evidence.retirement import revives
from livereview.summary import words
from livereview.summary.snapshot import Retired


def to_json(retired: Retired | None) -> dict[str, Any] | None:
    """For `status.retirement`; None while no vote has retired the review.

    Votes are numbers, never names.
    """
    if retired is None:
        return None
    votes = retired.votes
    return {
        "since": words.iso(retired.date),
        "since_display": words.day(retired.date),
        "reason": retired.reason,
        "votes": {
            "yes": votes.yes,
            "no": votes.no,
            "abstain": votes.abstain,
            "voters": votes.voters,
        },
        "votes_display": f"{votes.yes} for it, {votes.no} against, {votes.abstain} abstained, of {votes.voters}"
        f" {'person' if votes.voters == 1 else 'people'} who could vote",
        "signs": [{"id": one.id, "met": one.met, "told": one.told} for one in retired.triggers],
        "revival": revives(retired.triggers),
    }
