"""How each search of a protocol stands: when it runs, what it brought, how it fares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from livereview.ops.nights import cron_of
from livereview.ops.protocols import with_statuses
from livereview.review import Review, Search
from livereview.store import imports, ledger
from livereview.store.imports import Import
from livereview.store.open import Connection
from livereview.surveillance import calendar
from livereview.surveillance.health import RAN_THROUGH, Attempt, health

RECENT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class SearchState:
    """One search of the protocol.

    Attributes:
        schedule: When it runs, in words.
        next: When it runs next; None: the review is not searched on schedule.
        last: Its last run; None: it never ran.
        usual: Mean yield of the runs that ran through; None before the first.
        recent: Its runs of the last RECENT, oldest first.
        ran_through: How many of these did.
    """

    search: Search
    schedule: str
    next: datetime | None
    last: Attempt | None
    usual: float | None
    alarms: tuple[str, ...]
    recent: tuple[Attempt, ...]
    ran_through: int

    @property
    def runs(self) -> bool:
        """Whether it runs at this moment."""
        return self.last is not None and self.last.finished is None


@dataclass(frozen=True, slots=True)
class SearchList:
    """All searches of a review.

    Attributes:
        rules: The protocol in force with the status that holds.
        brought: Files that people brought, newest first.
        others: Look-ups, and searches that left the protocol, by their last run.
    """

    rules: Review
    states: tuple[SearchState, ...]
    brought: tuple[Import, ...]
    others: tuple[Attempt, ...]


def search_list(con: Connection, review: Review, now: datetime) -> SearchList:
    """How all searches of a review stand."""
    attempts = ledger.attempts(con, review.id)
    (rules,) = with_statuses(con, [review])
    states = tuple(
        _state(rules, search, attempts.get(search.name, []), now) for search in rules.searches
    )
    planned = {search.name for search in rules.searches}
    last = [tried[-1] for name, tried in attempts.items() if name not in planned][::-1]
    return SearchList(
        rules,
        states,
        tuple(imports.listing(con, review.id)),
        tuple(attempt for attempt in last if attempt.kind != "import"),
    )


def _state(
    rules: Review, search: Search, attempts: Sequence[Attempt], now: datetime
) -> SearchState:
    cron, zone = cron_of(rules, search), rules.living.timezone
    fares = None
    if attempts:
        fares = health(attempts, now, rules.living.stale_days, search.usual_zero)
    recent = tuple(attempt for attempt in attempts if now - attempt.started < RECENT)
    searched = rules.living.status == "living"
    return SearchState(
        search=search,
        schedule=calendar.in_words(cron),
        next=calendar.slot_after(cron, zone, now) if searched else None,
        last=attempts[-1] if attempts else None,
        usual=fares.usual if fares else None,
        alarms=fares.alarms if fares else (),
        recent=recent,
        ran_through=sum(attempt.outcome in RAN_THROUGH for attempt in recent),
    )
