"""What somebody must hear of at once, whoever runs the schedule: the owner itself looks each minute.

Less than `status` shows: what waits until the morning is told by the digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

from livereview.errors import Retry
from livereview.notices.alarm import Alarm
from livereview.ops import nights, readiness, service
from livereview.ops.metrics import begun
from livereview.ops.protocols import protocols, with_statuses
from livereview.ops.readiness import Surroundings
from livereview.store import counts
from livereview.store.open import Connection, Store

FAILED_OFTEN = 2  # a source's bad night is over in the next; twice in a row is no accident


def urgent(store: Store, *, folder: Path, now: datetime) -> list[Alarm]:
    """Everything that is wrong now and can't wait, the service's own first.

    Args:
        store: The open database.
        folder: Where sites are published.
        now: The time of the look.
    """
    alarms: list[Alarm] = []
    try:
        for each in chain(_of_service(store), _of_reviews(store, folder, now)):
            alarms.append(each)  # those before a question that fails stay
    except Retry as problem:
        alarms.append(Alarm("answer", f"the database gives no answer: {problem.message}"))
    return alarms


def _of_service(store: Store) -> Iterator[Alarm]:
    looks = {
        "disk": service.disk_problem,
        "database": service.database_problem,
        "backup": service.backup_problem,
    }
    for kind, look in looks.items():
        words = look(store)
        if words is not None:
            yield Alarm(kind, words)


def _of_reviews(store: Store, folder: Path, now: datetime) -> Iterator[Alarm]:
    here = Surroundings(store, folder, now)
    for kind, check in (("schedule", readiness.schedule), ("publisher", readiness.publisher)):
        ok, words = check(here)
        if not ok:
            yield Alarm(kind, words)
    with store.read() as con:
        yield from _late_nights(con, now)
        yield from _failing_searches(con, now)


def _late_nights(con: Connection, now: datetime) -> Iterator[Alarm]:
    """Nights that did not begin, searches that are late or never ran."""
    rules = with_statuses(con, protocols(con))
    histories = nights.histories(con, [review.id for review in rules])
    states = counts.search_states(con, now)
    for review in rules:
        known = {state.name: state for state in states if state.review == review.id}
        for words in nights.alarms(review, begun(known), histories[review.id], now):
            yield Alarm(f"night {review.id} {words}", f"{review.id}: {words}")


def _failing_searches(con: Connection, now: datetime) -> Iterator[Alarm]:
    living = {
        (review.id, search.name)
        for review in with_statuses(con, protocols(con))
        if review.living.status == "living"
        for search in review.searches
    }
    for state in counts.search_states(con, now):
        if state.failures < FAILED_OFTEN or (state.review, state.name) not in living:
            continue
        words = (
            f"{state.review}: search {state.name} failed {state.failures} times in a row;"
            f" livereview ledger --review {state.review}"
        )
        yield Alarm(f"failing {state.review} {state.name}", words)
