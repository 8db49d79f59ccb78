"""Evidence debt: work that stands between what was found and what is published, and how long it has
stood there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from livereview.evidence.finding import Finding
from livereview.summary import words
from livereview.summary.model.status import Debt, Since
from livereview.summary.snapshot import Snapshot

SIGNATURE = "awaiting_signature"
"""The last step: a finding that would say something else keeps its signed sentence until a lead signs."""


def counts(snapshot: Snapshot, findings: Sequence[Finding]) -> Debt:
    """How much waits at each step; `findings` as the version shows them."""
    flow = snapshot.flow
    return Debt(
        awaiting_screening=flow.awaiting_screening,
        in_screening=flow.in_screening,
        awaiting_full_text=flow.awaiting_full_text,
        awaiting_extraction=flow.awaiting_extraction,
        doubtful_pairs=flow.doubtful_pairs,
        awaiting_signature=sum(finding.weighing is not None for finding in findings),
    )


def since(snapshot: Snapshot, findings: Sequence[Finding], date: datetime) -> dict[str, Since]:
    """When the oldest of what waits at a step was found, or began to wait.

    A step where nothing waits is left out.

    Args:
        date: Of the version that shows these findings.
    """
    waiting = dict(counts(snapshot, findings))
    began = dict(snapshot.waiting_since)
    held = held_since(snapshot, findings, date)
    if held is not None:
        began[SIGNATURE] = held
    return {
        step: Since(date=words.iso(moment), date_display=words.day(moment))
        for step, moment in sorted(began.items())
        if waiting.get(step)
    }


def held_since(snapshot: Snapshot, findings: Sequence[Finding], date: datetime) -> datetime | None:
    """The date of the version since which the oldest of these findings has waited without a break."""
    waits = {finding.id for finding in findings if finding.weighing is not None}
    if not waits:
        return None
    began = date
    for version in reversed(snapshot.history):
        rows = version.content.findings or ()
        waits &= {row.id for row in rows if row.weighing is not None}
        if not waits:
            break
        began = version.date
    return began
