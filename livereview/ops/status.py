"""What the lead must know: how each search fares, what waits, what is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from livereview.ops import assistant, drifts, nights, published, recheck, retrieval, service, tasks
from livereview.ops.protocols import protocol, protocols
from livereview.ops.published import Fault
from livereview.ops.review_facts import ReviewFacts, review_facts
from livereview.review import Review
from livereview.store import ledger
from livereview.store.open import Store
from livereview.store.versions import Held
from livereview.surveillance.health import Health, health
from livereview.surveillance.recall import CAVEAT, recall


def status(
    store: Store, *, now: datetime, review: str | None = None, folder: Path | None = None
) -> dict[str, Any]:
    """The state of one review, or of all: searches, queue, versions.

    `alarms` in words, empty when all is well.

    `service` are alarms of the whole service, such as a disk that is nearly full.

    Args:
        folder: Where sites are published; what is wrong there is an alarm. None: it is not looked
            at.
    """
    nights.end_dead(store, now)
    damage = published.faults(store, folder, review) if folder else []
    with store.read() as con:
        asked = [protocol(con, review)] if review else protocols(con)
        known = review_facts(con, asked, now)
        reviews = [_review(facts, now, damage) for facts in known.values()]
    return {"reviews": reviews, "service": service.alarms(store, now)}


def _review(facts: ReviewFacts, now: datetime, damage: Sequence[Fault]) -> dict[str, Any]:
    rules = facts.rules
    searches = healths(facts, now)
    newest, held = facts.newest, facts.built.held
    groups = alarm_groups(facts, searches, now, damage)
    return {
        "review": rules.id,
        "title": rules.title,
        "state": rules.living.status,
        "searches": [_row(search) for search in searches],
        "never_run": _never_run(rules, searches),
        "recall": _recall(facts),
        "tasks": facts.tasks,
        "out_of_reach": recheck.out_of_reach(facts.included),
        "flow": facts.flow,
        "conflicts": facts.conflicts,
        "to_retrieve": asdict(retrieval.waiting(facts.to_retrieve)),
        "version": newest.number if newest else None,
        "published": newest.made if newest else None,
        "change": newest.change if newest else None,
        "behind": facts.behind,
        "opened": newest is not None or facts.opened,
        "questions": facts.questions,
        "held": asdict(held) if held else None,
        "awaiting_signature": _debt(held, rules, now),
        "alarms": [line for group in groups for line in group.lines],
        "alarm_groups": [asdict(group) for group in groups],
    }


def _never_run(rules: Review, known: Sequence[Health]) -> list[str]:
    """The searches that still wait for their first run; a retired review has none."""
    if rules.living.status == "retired":
        return []
    ran = {search.name for search in known}
    return [search.name for search in rules.searches if search.name not in ran]


def healths(facts: ReviewFacts, now: datetime) -> list[Health]:
    """How each search that ever ran fares.

    One that left the protocol, or a retired review's, is not asked for.

    Look-ups go on: readers of a retired review must still learn of a retraction.
    """
    rules = facts.rules
    if rules.living.status == "retired":
        planned = {}
    else:
        planned = {search.name: search for search in rules.searches}
    judged = []
    for name, attempts in facts.attempts.items():
        plan = planned.get(name)
        usual_zero = plan.usual_zero if plan else True
        search = health(attempts, now, rules.living.stale_days, usual_zero)
        regular = plan is not None or attempts[-1].kind == "lookup"
        judged.append(search if regular else replace(search, alarms=()))
    return judged


def _row(search: Health) -> dict[str, Any]:
    last = search.last
    return {
        "name": search.name,
        "source": search.source,
        "kind": last.kind,
        "last_outcome": last.outcome,
        "last_error": last.error,
        "last_at": last.started,
        "last_found": last.found,
        "last_success": search.last_success,
        "usual": search.usual,
        "successes": search.successes,
        "silent_since": search.silent_since,
        "quota": last.quota,
        "seconds": last.seconds,
        "notes": list(last.notes),
        "alarms": list(search.alarms),
    }


def _recall(facts: ReviewFacts) -> dict[str, Any]:
    estimate = recall(facts.found_by)
    return {**asdict(estimate), "share": estimate.share, "caveat": CAVEAT}


@dataclass(frozen=True, slots=True)
class AlarmGroup:
    """What is wrong for one cause, a sentence each: one next step mends or looks into all of them."""

    cause: str
    lines: tuple[str, ...]


def alarms(
    facts: ReviewFacts, searches: Sequence[Health], now: datetime, damage: Sequence[Fault] = ()
) -> list[str]:
    """What is wrong now, one sentence each, most urgent first; `damage` to the published folder
    before all.
    """
    return [line for group in alarm_groups(facts, searches, now, damage) for line in group.lines]


def alarm_groups(
    facts: ReviewFacts, searches: Sequence[Health], now: datetime, damage: Sequence[Fault] = ()
) -> list[AlarmGroup]:
    """`alarms` by their causes, most urgent first; a cause without any is left out."""
    rules, built = facts.rules, facts.built
    quiet = ("tip", *tasks.STATEMENTS)
    failed = f"the last build failed and the old page stands: {built.problem}"
    causes = {
        "published": [fault.words() for fault in damage if fault.review in ("", rules.id)],
        "notices": [
            f"a report {task['words']} ({task['title']}): settle it on the lead's page"
            for task in facts.tasks
            if task["kind"] not in quiet
        ],
        "searches": [alarm for search in searches for alarm in search.alarms],
        "nights": nights.alarms(rules, nights.begun(facts.attempts), facts.history, now),
        "look-ups": recheck.overdue(facts.included, now),
        "retrieval": retrieval.alarms(facts.to_retrieve, now),
        "ranking": drifts.alarms(rules, facts.drifted, facts.flow, now),
        "assistant": assistant.alarms(facts.assistant) if rules.assistant else [],
        "build": [failed] if built.problem else [],
        "forms": [
            f"the form of {row['label']} can't be used by the protocol in force: {row['question']}"
            for row in facts.questions
            if row["place"] is None
        ],
        "signature": _overdue(built.held, rules, now),
    }
    return [AlarmGroup(cause, tuple(lines)) for cause, lines in causes.items() if lines]


def _overdue(held: Held | None, rules: Review, now: datetime) -> list[str]:
    """That something waits for a signature longer than the protocol promises.

    At once where the whole page waits.
    """
    if held is None:
        return []
    change = held.change.replace("_", " ")
    zone = ZoneInfo(rules.living.timezone)
    since = datetime.fromisoformat(held.since).astimezone(zone).date()
    if held.whole:
        return [
            f"the whole page ({change}) waits for a lead's name since {since}: readers see the version before"
        ]
    days, promised = (now.astimezone(zone).date() - since).days, rules.living.sign_off_days
    if days <= promised:
        return []
    late = sum(
        (now - datetime.fromisoformat(moment)).days > promised for moment in held.waits.values()
    )
    findings = (
        f"{late} changed findings wait" if late > 1 else f"a changed finding ({change}) waits"
    )
    return [
        f"{findings} for a lead's name since {since}, {days} days; the protocol promises {promised} (sign_off_days):"
        " sign on the lead's page"
    ]


def _debt(held: Held | None, rules: Review, now: datetime) -> dict[str, Any] | None:
    """What waits for a signature: how many findings, since when, how many days, and how many are
    promised.
    """
    if held is None:
        return None
    began = datetime.fromisoformat(held.since)
    return {
        "findings": len(held.waits),
        "whole_page": held.whole,
        "since": held.since,
        "days": (now - began).days,
        "promised_days": rules.living.sign_off_days,
    }


def ledger_of(store: Store, *, review: str, now: datetime) -> dict[str, Any]:
    """Every attempt of every search, newest first."""
    with store.read() as con:
        rules = protocol(con, review)
        attempts = [
            attempt for known in ledger.attempts(con, rules.id).values() for attempt in known
        ]
        attempts += nights.attempts_of(con, rules)
    attempts.sort(key=lambda attempt: attempt.started, reverse=True)
    return {"review": review, "attempts": [asdict(attempt) for attempt in attempts]}
