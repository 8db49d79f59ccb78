"""Whose votes a person may see who still votes themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TAKES_VOTES = ("open", "half", "not_retrieved")  # a report that was given up may be opened again


def visible(
    votes: Sequence[Mapping[str, Any]], stage: str, state: str, eyes: str | None
) -> list[Mapping[str, Any]]:
    """The decisions on a report that a person may see.

    Args:
        votes: Decisions in force on the report, each with `stage` and `reviewer`.
        stage: Where the report stands; `state`: how.
        eyes: Who looks, and votes; None: somebody who votes on nothing here, and sees all.
    """
    if eyes is None or state not in TAKES_VOTES:
        return list(votes)
    return [vote for vote in votes if vote["stage"] != stage or vote["reviewer"] == eyes]


def state_shown(state: str, eyes: str | None) -> str:
    """The state of a report in words that do not tell whether somebody has voted."""
    return "open" if state == "half" and eyes is not None else state
