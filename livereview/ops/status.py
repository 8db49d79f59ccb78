"""What the lead must know: how each search fares, what waits, what is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from livereview.ops import evidence, nights, published, recheck, retrieval, service, tasks
from livereview.ops.published import Fault
from livereview.ops.surveil import protocol
from livereview.review import Review
from livereview.store import decisions, ledger, retirement, searches, versions
from livereview.store.open import Connection, Store
from livereview.surveillance.health import Health, health
from livereview.surveillance.recall import CAVEAT, recall


def status(store: Store, *, now: datetime, review: str | None = None, folder: Path | None = None) -> dict[str, Any]:
    """The state of one review, or of all: searches, queue, versions; `alarms` in words, empty when all is well.

    `service` are alarms of the whole service, such as a disk that is nearly full.

    folder  where sites are published; what is wrong there is an alarm. None: it is not looked at
    """
    nights.end_dead(store, now)
    damage = published.faults(store, folder, review) if folder else []
    with store.read() as con:
        known = searches.review_ids(con)
        if review and review not in known:
            protocol(con, review)
        reviews = [_review(con, name, now, damage) for name in known if review in (None, name)]
    return {"reviews": reviews, "service": service.alarms(store, now)}


def _review(con: Connection, review: str, now: datetime, damage: Sequence[Fault]) -> dict[str, Any]:
    rules = retirement.effective(con, protocol(con, review))
    known = healths(con, rules, now)
    published = versions.all_of(con, review)
    return {
        "review": review,
        "title": rules.title,
        "state": rules.living.status,
        "searches": [_row(one) for one in known],
        "never_run": _never_run(rules, known),
        "recall": _recall(con, review),
        "tasks": tasks.open_tasks(con, review),
        "out_of_reach": recheck.out_of_reach(con, review),
        "flow": decisions.counts(con, review),
        "conflicts": len(decisions.conflicts(con, review)),
        "to_retrieve": asdict(retrieval.waiting(con, rules)),
        "version": published[-1].number if published else None,
        "published": published[-1].made if published else None,
        "change": published[-1].change if published else None,
        "behind": versions.asked(con, review) is not None,
        "opened": bool(published) or versions.opening(con, review) is not None,
        "questions": evidence.questions(con, rules),
        "held": asdict(held) if (held := versions.held(con, review)) else None,
        "alarms": alarms(con, rules, known, now, damage),
    }


def _never_run(rules: Review, known: Sequence[Health]) -> list[str]:
    """The searches that still wait for their first run; a retired review has none."""
    ran = {one.name for one in known}
    return [s.name for s in rules.searches if s.name not in ran and rules.living.status != "retired"]


def healths(con: Connection, rules: Review, now: datetime) -> list[Health]:
    """How each search that ever ran fares; one that left the protocol, or a retired review's, is not asked for.

    Look-ups go on: readers of a retired review must still learn of a retraction.
    """
    retired = retirement.effective(con, rules).living.status == "retired"
    planned = {} if retired else {search.name: search for search in rules.searches}
    found = []
    for name, attempts in ledger.attempts(con, rules.id).items():
        plan = planned.get(name)
        one = health(attempts, now, rules.living.stale_days, plan.usual_zero if plan else True)
        regular = plan is not None or attempts[-1].kind == "lookup"
        found.append(one if regular else replace(one, alarms=()))
    return found


def _row(one: Health) -> dict[str, Any]:
    last = one.last
    return {
        "name": one.name,
        "source": one.source,
        "kind": last.kind,
        "last_outcome": last.outcome,
        "last_error": last.error,
        "last_at": last.started,
        "last_found": last.found,
        "last_success": one.last_success,
        "usual": one.usual,
        "successes": one.successes,
        "silent_since": one.silent_since,
        "quota": last.quota,
        "seconds": last.seconds,
        "notes": list(last.notes),
        "alarms": list(one.alarms),
    }


def _recall(con: Connection, review: str) -> dict[str, Any]:
    found = recall(ledger.found_by(con, review))
    return {**asdict(found), "share": found.share, "caveat": CAVEAT}


def alarms(
    con: Connection, rules: Review, known: Sequence[Health], now: datetime, damage: Sequence[Fault] = ()
) -> list[str]:
    """What is wrong now, one sentence each, most urgent first; `damage` to the published folder before all."""
    found = [fault.words() for fault in damage if fault.review in ("", rules.id)]
    marked = [task for task in tasks.open_tasks(con, rules.id) if task["kind"] != "tip"]
    found += [f"a report {task['words']} ({task['title']}): settle it on the lead's page" for task in marked]
    found += [alarm for one in known for alarm in one.alarms]
    found += nights.alarms(con, rules, nights.begun(ledger.attempts(con, rules.id)), now)
    found += recheck.overdue(con, rules.id, now)
    found += retrieval.alarms(con, rules, now)
    if problem := versions.last_problem(con, rules.id):
        found.append(f"the last build failed and the old page stands: {problem}")
    for row in evidence.questions(con, rules):
        if row["place"] is None:
            found.append(f"the form of {row['label']} can't be used by the protocol in force: {row['question']}")
    if held := versions.held(con, rules.id):
        found.append(
            f"a changed finding ({held.change.replace('_', ' ')}) waits for a lead's name since {held.since[:10]}"
        )
    return found


def ledger_of(store: Store, *, review: str, now: datetime) -> dict[str, Any]:
    """Every attempt of every search, newest first."""
    with store.read() as con:
        rules = protocol(con, review)
        attempts = [attempt for known in ledger.attempts(con, rules.id).values() for attempt in known]
        attempts += nights.attempts_of(con, rules)
    attempts.sort(key=lambda attempt: attempt.started, reverse=True)
    return {"review": review, "attempts": [asdict(attempt) for attempt in attempts]}
