"""Whether an outcome is the team's: then nobody takes it back alone, not even by taking back their
own word.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from livereview.screening.states import Place

SLIP = timedelta(minutes=10)
"""How long the last word on a report may be taken back as a slip of the finger, while nobody has said more."""


def is_the_teams(
    before: Place,
    after: Place,
    stages: Sequence[str],
    stage: str,
    said_last: datetime | None,
    now: datetime,
) -> bool:
    """Whether a person who takes back or changes their word at `stage` would undo what the team has
    settled.

    An included report is always the team's. Of others the person who spoke last may take that back
    for `SLIP`.

    Args:
        before: Where the report stands.
        after: Where it would stand.
        stages: Those of the review, in order.
        stage: That of the person's word.
        said_last: When the person spoke, if nobody has said anything since; else None.
        now: The time.
    """
    if (before.stage, before.state) == (after.stage, after.state):
        return False
    if (before.stage, before.state) == (stages[-1], "included"):
        return True
    went_on = stages.index(before.stage) > stages.index(stage)
    settled_here = before.stage == stage and before.state in ("included", "excluded")
    if not went_on and not settled_here:
        return False
    return said_last is None or now - said_last > SLIP
