"""Evidence debt: work that stands between what was found and what is published, and how long it has stood there."""

from __future__ import annotations

from livereview.summary import words
from livereview.summary.snapshot import Snapshot


def counts(snapshot: Snapshot) -> dict[str, int]:
    """How much waits at each step."""
    flow = snapshot.flow
    return {
        "awaiting_screening": flow.awaiting_screening,
        "in_screening": flow.in_screening,
        "awaiting_full_text": flow.awaiting_full_text,
        "awaiting_extraction": flow.awaiting_extraction,
        "doubtful_pairs": flow.doubtful_pairs,
    }


def since(snapshot: Snapshot) -> dict[str, dict[str, str | None]]:
    """When the oldest of what waits at a step was found; a step where nothing waits is left out."""
    return {
        step: {"date": words.iso(date), "date_display": words.day(date)}
        for step, date in sorted(snapshot.waiting_since)
        if counts(snapshot).get(step)
    }
