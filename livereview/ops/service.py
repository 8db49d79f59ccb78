"""What is wrong with the service as a whole, whatever the review: its disk, its database, its backups."""

from __future__ import annotations

from datetime import datetime

from livereview.store.open import Store


def alarms(store: Store, now: datetime) -> list[str]:
    """A sentence each, with the next step; nothing where all is well."""
    problems = (disk_problem(store), database_problem(store))
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
