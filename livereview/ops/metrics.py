"""The figures that a monitoring system reads: how old, how many, how full.

A handful of questions for all reviews together, none of which waits for a writer. Labels are names
of reviews, searches, sources and stages, which the protocols bound; never a person, a record or a
vote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from livereview.disk import room
from livereview.errors import Retry
from livereview.ops import nights, service
from livereview.ops.nights import Begun, History
from livereview.ops.protocols import protocols, with_statuses
from livereview.ops.readiness import PUBLISHER
from livereview.review import Review
from livereview.store import condition, counts, versions, vitals
from livereview.store.counts import SearchState
from livereview.store.open import Connection, Store

DAY = 86_400.0  # seconds
LONGEST_LOOK = 10.0  # seconds; Prometheus gives up after ten by default
Labels = tuple[str, ...]
Figures = dict[Labels, float]


class Kind(StrEnum):
    """How a figure may move: up and down, or up only."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of figure, as Prometheus names them.

    Attributes:
        name: With the base unit at its end.
        help: What it says, in one line.
        labels: The names of the labels.
        values: The figure of each set of labels.
        kind: How it may move.
    """

    name: str
    help: str
    labels: Labels
    values: Mapping[Labels, float]
    kind: Kind = Kind.GAUGE


def measured(store: Store, *, now: datetime) -> list[Metric]:
    """All figures of this moment. Where the database gives no answer in time, those that need none.

    `livereview_measured` says whether it did.
    """
    figures = [*_of_machine(store), *_of_writers(store)]
    try:
        with store.read(LONGEST_LOOK) as con:
            figures += _of_backup(store)
            figures += _of_database(con, now)
    except Retry:
        return [*figures, _single("livereview_measured", MEASURED, 0)]
    return [*figures, _single("livereview_measured", MEASURED, 1)]


MEASURED = "1: the database answered in time, so that its figures are there."


def _single(name: str, help: str, value: float, kind: Kind = Kind.GAUGE) -> Metric:
    return Metric(name, help, (), {(): value}, kind)


# The machine and the process


def _of_machine(store: Store) -> Iterator[Metric]:
    home = store.database.parent
    left = room(home)
    yield _single("livereview_disk_free_bytes", "Room left for the data folder.", left.free)
    if left.files is not None:
        yield _single("livereview_disk_free_files", "Files it may still take.", left.files)
    reserve = "What must stay free there (LIVEREVIEW_RESERVE)."
    yield _single("livereview_disk_reserve_bytes", reserve, store.reserve.size)
    yield _single("livereview_database_bytes", "The database file.", _size(store.database))
    log = "What was written since the last checkpoint."
    yield _single("livereview_wal_bytes", log, condition.size_of_log(store.database))
    damage = "1: the database is known to have lost something, or was closed by an error."
    problem = service.database_problem(store)
    yield _single("livereview_database_damaged", damage, problem is not None)
    silent = store.heartbeats.age(PUBLISHER)
    if silent is not None:
        words = "Seconds since the publishing thread gave a sign of life."
        yield _single("livereview_publisher_silent_seconds", words, silent)


def _of_backup(store: Store) -> Iterator[Metric]:
    backup = "Seconds since all that people did was kept in a second place, or since the beginning."
    yield _single("livereview_backup_age_seconds", backup, service.backup_age(store))
    late = "How old a backup may be."
    yield _single("livereview_backup_late_after_seconds", late, service.backup_late_after(store))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _of_writers(store: Store) -> Iterator[Metric]:
    loads = store.loads()
    in_hand: Figures = {(load.writer,): load.in_hand for load in loads}
    waiting: Figures = {(load.writer,): float(load.waiting) for load in loads}
    help = "Seconds since a writer took what it has in hand; 0: it rests."
    yield Metric("livereview_writer_busy_seconds", help, ("writer",), in_hand)
    yield Metric("livereview_writer_waiting_jobs", "Jobs that wait.", ("writer",), waiting)


# The database


def _of_database(con: Connection, now: datetime) -> Iterator[Metric]:
    rules = with_statuses(con, protocols(con))
    states = counts.search_states(con, now)
    histories = nights.histories(con, [review.id for review in rules])
    yield from _of_searches(rules, states, histories, now)
    yield from _of_work(con, rules, now)
    yield from _of_schedule(con, now)


@dataclass(frozen=True, slots=True)
class SearchFigures:
    """The figures of all searches, collected review by review."""

    ages: Figures = field(default_factory=dict)
    failures: Figures = field(default_factory=dict)
    running: Figures = field(default_factory=dict)
    stale: Figures = field(default_factory=dict)
    missed: Figures = field(default_factory=dict)

    def add(
        self,
        review: Review,
        states: Mapping[str, SearchState],
        history: History,
        now: datetime,
    ) -> None:
        """Those of one living review; `states` are by the names of its searches."""
        self.stale[(review.id,)] = review.living.stale_days * DAY
        self.missed[(review.id,)] = len(nights.alarms(review, begun(states), history, now))
        entered = nights.in_force_since(review, history)
        for search in review.searches:
            labels = (review.id, search.name)
            self.ages[labels] = _age(entered[search.name], now)
            self.failures[labels] = 0
            if search.name in states:
                self._add_search(labels, states[search.name], now)

    def _add_search(self, labels: Labels, state: SearchState, now: datetime) -> None:
        self.failures[labels] = state.failures
        if state.success is not None:
            self.ages[labels] = _age(state.success, now)
        if state.running:
            self.running[labels] = _age(state.begun, now)

    def metrics(self) -> list[Metric]:
        """As they are published."""
        return [
            Metric("livereview_search_success_age_seconds", SUCCESS, SEARCH, self.ages),
            Metric("livereview_search_failures_in_a_row", FAILURES, SEARCH, self.failures),
            Metric("livereview_search_running_seconds", RUNNING, SEARCH, self.running),
            Metric("livereview_search_stale_after_seconds", STALE, ("review",), self.stale),
            Metric("livereview_searches_missed", MISSED, ("review",), self.missed),
        ]


def _of_searches(
    rules: Sequence[Review],
    states: Sequence[SearchState],
    histories: Mapping[str, History],
    now: datetime,
) -> list[Metric]:
    """How the searches of the protocols in force fare. A retired review has none."""
    by_review: dict[str, dict[str, SearchState]] = {review.id: {} for review in rules}
    for state in states:
        by_review[state.review][state.name] = state
    figures = SearchFigures()
    for review in rules:
        if review.living.status == "living":
            figures.add(review, by_review[review.id], histories[review.id], now)
    return figures.metrics()


SEARCH = ("review", "search")
SUCCESS = "Seconds since a search last ran through, or since it came into the protocol."
FAILURES = "The newest attempts of a search that did not run through, in a row."
RUNNING = "Seconds since a search that runs now began."
STALE = "How old a success may be, by the protocol (stale_days)."
MISSED = "Searches that are late or never ran, and nights that did not begin."


def begun(states: Mapping[str, SearchState]) -> Begun:
    """When the searches of a review last began, from their states by name."""
    running = [state.begun for state in states.values() if state.running]
    last = {name: (state.begun,) for name, state in states.items()}
    return Begun(last, max(running, default=None))


def _age(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())


def _of_work(con: Connection, rules: Sequence[Review], now: datetime) -> Iterator[Metric]:
    ended: Figures = {
        (source, outcome): float(times) for source, outcome, times in counts.endings(con)
    }
    help = "Searches that ended, by source and outcome."
    yield Metric(
        "livereview_searches_ended_total", help, ("source", "outcome"), ended, Kind.COUNTER
    )
    waits: Figures = {
        (review, stage): float(reports) for review, stage, reports in counts.waiting(con)
    }
    help = "Reports that wait for people at a stage."
    yield Metric("livereview_queue_reports", help, ("review", "stage"), waits)
    asked = versions.asked(con).values()
    oldest = max((_age(each.since, now) for each in asked), default=0.0)
    help = "Seconds since the oldest request to publish that no build has answered; 0: none."
    yield _single("livereview_outbox_age_seconds", help, oldest)
    yield _single("livereview_outbox_reviews", "Reviews that wait for a build.", len(asked))
    built = versions.built(con, [review.id for review in rules])
    held: Figures = {(review,): _held(state) for review, state in built.items()}
    help = "Changed findings of a review that wait for a lead's name."
    yield Metric("livereview_held_findings", help, ("review",), held)
    failed: Figures = {
        (review,): float(state.problem is not None) for review, state in built.items()
    }
    help = "1: the last build failed and the page before stands."
    yield Metric("livereview_build_failed", help, ("review",), failed)
    by_state = Counter(review.living.status for review in rules)
    reviews: Figures = {(status,): float(number) for status, number in by_state.items()}
    yield Metric("livereview_reviews", "Reviews by status.", ("status",), reviews)


def _held(built: versions.Built) -> float:
    """What waits: the findings, or 1 where the whole page does."""
    if built.held is None:
        return 0.0
    return float(max(1, len(built.held.waits)))


def _of_schedule(con: Connection, now: datetime) -> Iterator[Metric]:
    """Nothing where no schedule ever reported: a laptop may search by hand."""
    sign = vitals.last_sign(con, vitals.SCHEDULE)
    if sign is None:
        return
    help = "Seconds since the schedule was last heard of."
    yield _single("livereview_schedule_silent_seconds", help, _age(sign.seen, now))
    yield _single("livereview_schedule_content", "1: it says that all is well.", sign.ok)
