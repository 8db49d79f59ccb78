"""What is wrong with the service as a whole, whatever the review: its disk, its database, its
backups.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from livereview.store import vitals
from livereview.store.open import Store

WITHOUT_BACKUP = timedelta(days=2)  # a nightly copy may fail once before somebody is called
BEHIND_SECONDS = 300.0  # events are shipped each minute: a place that is away for a few is no alarm


def alarms(store: Store, now: datetime) -> list[str]:
    """A sentence each, with the next step; nothing where all is well."""
    problems = (
        disk_problem(store),
        database_problem(store),
        backup_problem(store),
        schedule_problem(store),
    )
    return [problem for problem in problems if problem]


def disk_problem(store: Store) -> str | None:
    """That the disk is nearly full, before it is."""
    words = store.reserve.short()
    if words is None:
        return None
    return (
        f"the disk is nearly full: {words}. Make room or give it a larger disk; until then no queue is ranked, "
        "nothing new is published or recorded, and at half of the reserve searches stop too"
    )


def database_problem(store: Store) -> str | None:
    """That the database is known to have lost something, or was closed by an error."""
    if store.broken.is_set():
        return "DuckDB closed the database after an error: restart the owner, and look into its log"
    return store.torn.words()


def schedule_problem(store: Store) -> str | None:
    """That several schedules serve one review: each would start its nights."""
    doubled = store.schedules.doubled()
    if not doubled:
        return None
    places = "; ".join(one.where or one.id for one in doubled)
    return (
        f"{len(doubled)} schedules serve the same reviews: {places}. Stop all but one; until then each search runs"
        " once for its slot all the same, by whichever comes first"
    )


def backup_problem(store: Store) -> str | None:
    """That acts of people are in no backup: what is shipped each minute is behind, or there was no
    copy for days.
    """
    shipping = store.shipping.state()
    if shipping is not None:
        place, seconds, problem = shipping
        if seconds <= BEHIND_SECONDS:
            return None
        why = f": {problem}" if problem else ""
        return f"the last {seconds / 60:,.0f} minutes are not backed up in {place}{why}"
    wall = datetime.now(UTC)
    last = _last_copy(store)
    if last is not None:
        if wall - last <= WITHOUT_BACKUP:
            return None
        return f"the last backup is of {last:%Y-%m-%d %H:%M} UTC; make one: livereview backup --to FOLDER"
    with store.read() as con:
        born = vitals.birth(con)
    if wall - born <= WITHOUT_BACKUP:
        return None
    return "there has never been a backup; make one: livereview backup --to FOLDER, or set LIVEREVIEW_BACKUP"


def backup_late_after(store: Store) -> float:
    """Seconds that `backup_age` may come to: minutes where each minute is shipped, else days."""
    if store.shipping.state() is not None:
        return BEHIND_SECONDS
    return WITHOUT_BACKUP.total_seconds()


def backup_age(store: Store) -> float:
    """Seconds since all that people did was in a second place; since the database began, where it
    never was.
    """
    shipping = store.shipping.state()
    if shipping is not None:
        return shipping[1]
    last = _last_copy(store)
    if last is None:
        with store.read() as con:
            last = vitals.birth(con)
    return max(0.0, (datetime.now(UTC) - last).total_seconds())


def _last_copy(store: Store) -> datetime | None:
    """When the last whole copy was made, as the home remembers it."""
    try:
        return datetime.fromisoformat(json.loads((store.backups / "last.json").read_text())["made"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
