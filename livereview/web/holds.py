"""Who has which record on the screen, so that not all reviewers are shown the same one. In memory: it only orders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from livereview.store.queues import Next

LASTS = timedelta(minutes=10)
LOOKS = 4  # as often one looks again when somebody else was quicker


@dataclass(slots=True)
class Holds:
    """The report that each person was shown last at each stage of a review."""

    shown: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(
        self,
        place: tuple[str, str],
        person: str,
        now: datetime,
        look: Callable[[Mapping[str, int]], Next],
    ) -> Next:
        """What `look` finds for a person, given how many others have each report; noted as on their screen.

        place   review and stage

        People look side by side; where somebody took the same report meanwhile, one looks again.
        """
        for _ in range(LOOKS):
            before = self._of_others(place, person, now)
            found = look(before)
            if found.report_id is None:
                break
            after = self._of_others(place, person, now, found.report_id)
            if after.get(found.report_id) == before.get(found.report_id):
                break
        return found

    def _of_others(
        self, place: tuple[str, str], person: str, now: datetime, noted: str | None = None
    ) -> Mapping[str, int]:
        """How many others have each report on their screens now; `noted` is what this person is about to see."""
        found: dict[str, int] = {}
        with self.lock:
            for (*where, who), (report, since) in self.shown.items():
                if tuple(where) == place and who != person and now - since < LASTS:
                    found[report] = found.get(report, 0) + 1
            if noted:
                self.shown[*place, person] = noted, now
        return found
