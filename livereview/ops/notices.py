"""What there is to tell: a digest for each person with an address, and versions that webhooks have not heard of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from livereview.notices.backoff import schedule
from livereview.notices.digest import Night, SearchLine, Waiting, digest
from livereview.ops import status
from livereview.ops.surveil import protocol
from livereview.review import Review
from livereview.store import (
    accounts,
    decisions,
    evidence,
    ledger,
    matches,
    notices,
    queues,
    searches,
    versions,
    withdrawals,
)
from livereview.store.accounts import Account
from livereview.store.notices import Attempt
from livereview.store.open import Connection, Store

NIGHT = timedelta(hours=24)


def digests(
    store: Store, *, base_url: str, now: datetime, person: str | None = None, always: bool = False
) -> dict[str, Any]:
    """The message for each open account: name, email (None: none is known), subject, text, html.

    Nobody is listed for whom nothing waits and nothing happened, unless `always`. No count tells of another's vote:
    half-screened records stand among those to screen, conflicts only where this person settles them.
    """
    with store.read() as con:
        reviews = [protocol(con, review) for review in searches.review_ids(con)]
        found = []
        for account in accounts.names(con):
            if person not in (None, account.name) or account.role == "reader":
                continue
            own = [review for review in reviews if account.enters(review.id)]
            waiting = [_waiting(con, review, account) for review in own]
            nights = [_night(con, review, now) for review in own] if account.role == "lead" else []
            if told := digest(account.name, waiting, nights, base_url, always):
                found.append({"name": account.name, "email": account.email, **asdict(told)})
        return {"digests": found}


def _waiting(con: Connection, review: Review, account: Account) -> Waiting:
    votes = account.role in ("lead", "reviewer")
    left = queues.progress(con, review, account.name) if votes else {}
    settles = account.role in ("lead", "adjudicator") or account.name in review.screening.adjudicators
    return Waiting(
        review=review.id,
        title=review.title,
        screening=left.get("title_abstract", (0, 0))[1],
        second_votes=0,
        conflicts=len(decisions.conflicts(con, review.id)) if settles else 0,
        full_text=left.get("full_text", (0, 0))[1],
        duplicates=matches.doubtful_count(con, review.id),
        extraction=len(evidence.to_extract(con, review.id)) if votes else 0,
        oldest_days=None,
    )


def _night(con: Connection, review: Review, now: datetime) -> Night:
    """The last 24 hours of a review."""
    since = now - NIGHT
    runs = [run for some in ledger.attempts(con, review.id).values() for run in some if run.started >= since]
    published = [one for one in versions.all_of(con, review.id) if one.made >= since]
    held = versions.held(con, review.id)
    return Night(
        review=review.id,
        title=review.title,
        searches=tuple(SearchLine(run.name, run.outcome, run.found, run.fresh, run.error) for run in runs),
        alarms=tuple(status.alarms(con, review, status.healths(con, review, now), now)),
        published=f"version {published[-1].number} ({published[-1].change})" if published else None,
        sign_offs=(f"a changed conclusion ({held.change}), after: {held.cause}",) if held else (),
    )


def due_webhooks(store: Store, *, now: datetime) -> dict[str, Any]:
    """What is to be posted now: review, version, url, attempt, and the body as text. Given-up and heard ones are not.

    Only the newest version is told of: a subscriber that was away needs what holds, and the feed has all.
    """
    with store.read() as con:
        return {"due": [one for review in searches.review_ids(con) for one in _due(con, protocol(con, review), now)]}


def _due(con: Connection, review: Review, now: datetime) -> Iterator[dict[str, Any]]:
    known = versions.all_of(con, review.id) if review.webhooks else []
    if not known or known[-1].number in withdrawals.in_force(con, review.id):
        return
    tried = notices.attempts(con, review.id)
    for url in review.webhooks:
        mine = [one for one in tried if one.url == url]
        if any(one.outcome == "gone" for one in mine):
            continue
        before = [one for one in mine if one.version == known[-1].number]
        wait = schedule(len(before)) if before else timedelta(0)
        if any(one.outcome == "ok" for one in before) or wait is None:
            continue
        if not before or before[-1].made + wait <= now:
            body = json.dumps(_event(json.loads(known[-1].summary)), ensure_ascii=False, sort_keys=True)
            yield {
                "review": review.id,
                "version": known[-1].number,
                "url": url,
                "attempt": len(before) + 1,
                "body": body,
            }


def _event(summary: dict[str, Any]) -> dict[str, Any]:
    """What a webhook is sent: enough to decide whether to fetch the rest."""
    version = summary["version"]
    return {
        "event": "version.published",
        "review": summary["review"]["id"],
        "title": summary["review"]["title"],
        "version": version["number"],
        "date": version["date"],
        "change": version["change"],
        "conclusion_changed": version["conclusion_changed"],
        "content_hash": version["content_hash"],
        "answer": summary["answer"]["text"],
        "caveat": summary["caveat"],
    }


def note_delivery(
    store: Store,
    *,
    review: str,
    version: int,
    url: str,
    attempt: int,
    outcome: str,
    now: datetime,
    status: int | None = None,
    error: str | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Log an attempt to deliver."""
    one = Attempt(version, url, attempt, outcome, status, error, seconds, now)
    store.write(lambda con: notices.note(con, review, one))
    return {}
