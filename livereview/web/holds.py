"""Who has which record on the screen, so that not all reviewers are shown the same one. In memory: it only orders."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LASTS = timedelta(minutes=10)


@dataclass(slots=True)
class Holds:
    """The report that each person was shown last at each stage of a review; hold `lock` from the look to the note."""

    shown: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, review: str, stage: str, person: str, report: str, now: datetime) -> None:
        self.shown[review, stage, person] = report, now

    def of_others(self, review: str, stage: str, person: str, now: datetime) -> Mapping[str, int]:
        """How many others have each report on their screens now."""
        found: dict[str, int] = {}
        for (where, at, who), (report, since) in self.shown.items():
            if (where, at) == (review, stage) and who != person and now - since < LASTS:
                found[report] = found.get(report, 0) + 1
        return found
