"""The alarm for a review whose new records no longer look like those that its ranking knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from livereview.review import Review
from livereview.store.ranks import Drifted

# what counts as new; weekly searches bring some hundred records by then
LATELY = timedelta(days=60)


def alarms(
    rules: Review, drifted: Drifted | None, flow: Mapping[str, int], now: datetime
) -> list[str]:
    """One sentence where the new records differ, some are unread, and no random share of these was
    drawn lately.
    """
    if drifted is None or not drifted.alarm or not rules.screening.ranked:
        return []
    if not flow.get("awaiting_screening", 0) + flow.get("not_screened", 0):
        return []
    if drifted.audited is not None and now - drifted.audited <= LATELY:
        return []
    return [
        f"the {drifted.new:,} records of the last {LATELY.days} days differ in their words from the "
        f"{drifted.old:,} found before ({drifted.unknown_new:.0%} of a record's words are in no other, "
        f"before {drifted.unknown_old:.0%}): the ranking and any cut by it may miss what is new in kind; "
        f"draw a random share of the unread and read it (the lead's page, or livereview rank audit "
        f"--review {rules.id})"
    ]
