"""When which searches run: what the owner tells whoever serves the cron lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LIVING = "living"


@dataclass(frozen=True, slots=True)
class TimedSearch:
    """A search of a protocol in force.

    Attributes:
        cron: The cron line that starts it.
        url: The address that it asks, where the protocol names one.
        asks: Equal for searches that ask their source the same, apart from the days.
    """

    name: str
    source: str
    cron: str
    url: str | None = None
    asks: str = ""


@dataclass(frozen=True, slots=True)
class TimedReview:
    """A review with a protocol in force.

    Attributes:
        version: The number of its newest published version; None: it has none.
        crons: The cron lines of its searches, each once.
        timezone: Where they are meant.
        status: living, paused or retired, as it holds now.
    """

    review: str
    crons: tuple[str, ...]
    searches: tuple[TimedSearch, ...]
    timezone: str
    status: str = LIVING
    version: int | None = None

    @property
    def is_living(self) -> bool:
        """Whether it is searched."""
        return self.status == LIVING


def zone_of_all(reviews: Iterable[TimedReview]) -> str:
    """The time zone of what serves all reviews together: that of the first."""
    return next((review.timezone for review in reviews), "UTC")
