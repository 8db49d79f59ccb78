"""What the lead must know: how each search fares, what waits, what is published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.ops.surveil import protocol
from livereview.store import accounts, decisions, searches, versions
from livereview.store.open import Connection, Store


def status(store: Store, *, now: datetime, review: str | None = None) -> dict[str, Any]:
    """The state of one review, or of all: searches, queue, versions; `alarms` in words, empty when all is well."""
    with store.read() as con:
        known = searches.review_ids(con)
        if review and review not in known:
            protocol(con, review)
        return {"reviews": [_review(con, name, now) for name in known if review in (None, name)]}


def _review(con: Connection, review: str, now: datetime) -> dict[str, Any]:
    rules = protocol(con, review)
    health = searches.health(con, review)
    published = versions.all_of(con, review)
    return {
        "review": review,
        "title": rules.title,
        "searches": health,
        "never_run": [s.name for s in rules.searches if s.name not in {row["name"] for row in health}],
        "flow": decisions.counts(con, review),
        "conflicts": len(decisions.conflicts(con, review)),
        "version": published[-1].number if published else None,
        "published": published[-1].made if published else None,
        "change": published[-1].change if published else None,
        "behind": versions.asked(con, review) is not None,
        "alarms": alarms(con, review, rules.living.stale_days, now),
    }


def alarms(con: Connection, review: str, stale_days: int, now: datetime) -> list[str]:
    """What is wrong now, one sentence each, most urgent first."""
    found = []
    for row in searches.health(con, review):
        if row["last_outcome"] in ("failed", "partial"):
            found.append(f"search {row['name']} ended {row['last_outcome']}: {row['last_error'] or 'no reason given'}")
        if row["suspicious_zero"] and not _usual_zero(con, review, row["name"]):
            found.append(f"search {row['name']} found nothing; it usually brings {row['usual']:.0f} records")
        if row["last_success"] and (now - row["last_success"]).days > stale_days:
            found.append(f"search {row['name']} last succeeded {(now - row['last_success']).days} days ago")
    if problem := versions.last_problem(con, review):
        found.append(f"the last build failed and the old page stands: {problem}")
    return found


def _usual_zero(con: Connection, review: str, name: str) -> bool:
    plan = protocol(con, review).search(name)
    return bool(plan and plan.usual_zero)


def add_account(store: Store, *, name: str, role: str, secret: str, now: datetime) -> dict[str, Any]:
    """Open an account, or give one a new secret or role; `secret` is what the person signs in with."""
    if role not in accounts.ROLES:
        raise Refused(f"role must be one of {', '.join(accounts.ROLES)}; it was {role!r}")
    if not name.isidentifier() or len(name) > 40:
        raise Refused("an account's name has letters, digits and _ only, at most 40")
    if len(secret) < 20:
        raise Refused("the secret is too short to be safe; let livereview make one")
    store.write(lambda con: accounts.append(con, name, role, accounts.digest(secret), True, now))
    return {"name": name, "role": role}


def close_account(store: Store, *, name: str, now: datetime) -> dict[str, Any]:
    """Shut an account; its decisions stay."""

    def job(con: Connection) -> None:
        if name not in {account.name for account in accounts.names(con)}:
            raise Refused(f"there is no open account {name!r}")
        accounts.append(con, name, "reader", "-", False, now)

    store.write(job)
    return {"name": name}
