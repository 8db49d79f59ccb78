"""Why a decision is refused that would have been right a moment before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livereview.errors import Refused


class Stale(Refused):
    """The report does not wait for this person any more; `mine`: because they have decided it
    themselves.
    """

    def __init__(self, message: str, *, mine: bool = False, **place: str | None):
        super().__init__(message, **place)
        self.mine = mine


class Arrived(Stale):
    """A form of this id had arrived before and said something else: `said` is what, as
    `decisions.by_id` gives it.
    """

    def __init__(self, message: str, *, said: Mapping[str, Any] | None = None, **place: str | None):
        super().__init__(message, mine=True, **place)
        self.said = dict(said or {})


class Outdated(Refused):
    """What was on the screen is no longer in force; `what` is "criteria" or "record"."""

    def __init__(self, message: str, *, what: str = "", **place: str | None):
        super().__init__(message, **place)
        self.what = what
