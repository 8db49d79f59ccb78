"""What there is to tell: a digest for each person with an address, and events that webhooks have
not heard of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from livereview.notices import events
from livereview.notices.backoff import schedule
from livereview.notices.digest import Digest, Night, SearchLine, SecretChange, Waiting, digest
from livereview.ops import nights as nights_of_now
from livereview.ops import published, service, status
from livereview.ops import retrieval as retrieving
from livereview.ops.protocols import protocols
from livereview.ops.published import Fault
from livereview.ops.review_facts import ReviewFacts, review_facts
from livereview.review import Review
from livereview.store import (
    accounts,
    evidence,
    matches,
    notices,
    queues,
    retirement,
    searches,
    versions,
    voters,
    withdrawals,
)
from livereview.store import nights as store_nights
from livereview.store.accounts import Account, NewSecret
from livereview.store.notices import Attempt
from livereview.store.open import Connection, Store
from livereview.summary import words
from livereview.surveillance.clock import in_future
from livereview.surveillance.health import Attempt as Run

# what a first digest looks back over: a day, though it had 25 hours
FIRST_DIGEST = timedelta(hours=26)


def digests(
    store: Store,
    *,
    base_url: str,
    now: datetime,
    person: str | None = None,
    always: bool = False,
    folder: Path | None = None,
) -> dict[str, Any]:
    """The message for each open account: name, email (None: none is known), subject, text, html.

    Nobody is listed for whom nothing waits and nothing happened, unless `always`. No count tells of
    another's vote: half-screened records stand among those to screen, conflicts only where this
    person settles them.

    Leads hear of what ended since their last digest. Say with `note_digests` who of `people` was
    told: a message that could not be sent is no digest. `now` is the time up to which it tells.

    Args:
        folder: Where sites are published; leads are told what is wrong there. None: it is not
            looked at.
    """
    nights_of_now.end_dead(store, now)
    wrong = service.alarms(store, now)
    damage = published.faults(store, folder) if folder else []
    with store.read() as con:
        reviews = protocols(con)
        known = review_facts(con, reviews, now)
        work = _work(con, known)
        replaced = accounts.new_secrets(con, now)
        messages: list[dict[str, Any]] = []
        people: list[str] = []
        for account in accounts.names(con):
            if person not in (None, account.name):
                continue
            changes = _unheard_of(con, replaced.get(account.name, ()), account, now)
            if account.role == "reader" and not changes:
                continue
            people.append(account.name)
            messages += _to_former_addresses(account, changes, base_url)
            secrets = _in_words(changes)
            if account.role == "reader":
                messages.append(
                    _message(account, digest(account.name, (), (), base_url, True, secrets))
                )
                continue
            own = [facts for facts in known.values() if account.enters(facts.rules.id)]
            waiting = _waiting(con, own, work, account)
            if account.role == "lead":
                nights = _nights(con, own, account, now, damage)
            else:
                nights = []
            if nights and wrong:  # told once, with the first of their reviews
                nights[0] = replace(nights[0], alarms=(*wrong, *nights[0].alarms))
            if message := digest(account.name, waiting, nights, base_url, always, secrets):
                messages.append(_message(account, message))
        return {"digests": messages, "people": people}


def _message(account: Account, message: Digest | None) -> dict[str, Any]:
    assert message is not None  # there is something to say
    return {"name": account.name, "email": account.email, **asdict(message)}


def _unheard_of(
    con: Connection, changes: Sequence[NewSecret], account: Account, now: datetime
) -> list[NewSecret]:
    """The new secrets of an account that its owner was not told of yet."""
    if not changes:
        return []
    last = store_nights.last_digests(con, account.name, now)
    since = max(last.values(), default=now - FIRST_DIGEST)
    return [change for change in changes if change.made > since]


@dataclass(frozen=True, slots=True)
class SecretMessage:
    """What a person is told at once: that their secret was replaced.

    Attributes:
        addresses: Theirs, and that which was replaced with the secret; empty: none is known.
        seq: The number of the event.
    """

    name: str
    addresses: tuple[str, ...]
    seq: int
    subject: str
    text: str
    html: str


def secret_messages(
    store: Store, *, base_url: str, now: datetime, after: int | None
) -> tuple[list[SecretMessage], int]:
    """A message for each new secret of an open account after an event, oldest first, and the number
    of the newest of all.

    Args:
        store: The open database.
        base_url: The address of the web app.
        now: Up to when it is looked.
        after: The number of an event; None: of the newest, so that there is no message.
    """
    with store.read() as con:
        replaced = accounts.new_secrets(con, now)
        people = {account.name: account for account in accounts.names(con)}
    changes = sorted(
        (change for each in replaced.values() for change in each), key=lambda change: change.seq
    )
    newest = changes[-1].seq if changes else 0
    since = newest if after is None else after
    messages = []
    for change in changes:
        account = people.get(change.name)
        if account is None or change.seq <= since:
            continue
        message = digest(account.name, (), (), base_url, True, _in_words([change]))
        assert message is not None  # there is something to say
        addresses = dict.fromkeys(filter(None, (account.email, change.former_email)))
        messages.append(
            SecretMessage(account.name, tuple(addresses), change.seq, **asdict(message))
        )
    return messages, newest


def _in_words(changes: Sequence[NewSecret]) -> list[SecretChange]:
    return [SecretChange(one.by, f"{one.made:%Y-%m-%d %H:%M} UTC") for one in changes]


def _to_former_addresses(
    account: Account, changes: Sequence[NewSecret], base_url: str
) -> list[dict[str, Any]]:
    """What goes to addresses that were replaced together with the secret: whoever takes an account
    over would else get the message that warns its owner.
    """
    former = {one.former_email for one in changes if one.former_email}
    message = digest(account.name, (), (), base_url, True, _in_words(changes))
    return [{**_message(account, message), "email": email} for email in sorted(former)]


@dataclass(frozen=True, slots=True)
class _Work:
    """What waits in each review whoever looks."""

    duplicates: Mapping[str, int]
    extraction: Mapping[str, int]
    voters: Mapping[str, set[str]]


def _work(con: Connection, known: Mapping[str, ReviewFacts]) -> _Work:
    ids = list(known)
    return _Work(
        duplicates=matches.doubtful_counts(con, ids),
        extraction=evidence.to_extract_counts(con, ids),
        voters=voters.names_of(con, ids),
    )


def _waiting(
    con: Connection, own: Sequence[ReviewFacts], work: _Work, account: Account
) -> list[Waiting]:
    """What waits for a person in each of their reviews."""
    voting = [facts.rules for facts in own if account.name in work.voters[facts.rules.id]]
    progress = queues.progress_of(con, voting, account.name)
    return [_waiting_in(facts, work, account, progress.get(facts.rules.id)) for facts in own]


def _waiting_in(
    facts: ReviewFacts,
    work: _Work,
    account: Account,
    progress: Mapping[str, tuple[int, int]] | None,
) -> Waiting:
    review = facts.rules
    left = progress or {}
    settles = (
        account.role in ("lead", "adjudicator") or account.name in review.screening.adjudicators
    )
    return Waiting(
        review=review.id,
        title=review.title,
        screening=left.get("title_abstract", (0, 0))[1],
        conflicts=facts.conflicts if settles else 0,
        full_text=left.get("full_text", (0, 0))[1],
        duplicates=work.duplicates[review.id],
        extraction=work.extraction[review.id] if progress is not None else 0,
        retrieval=retrieving.waiting(facts.to_retrieve).sought,
    )


def _nights(
    con: Connection,
    own: Sequence[ReviewFacts],
    account: Account,
    now: datetime,
    damage: Sequence[Fault],
) -> list[Night]:
    last = store_nights.last_digests(con, account.name, now)
    return [_night(facts, last.get(facts.rules.id), now, damage) for facts in own]


def _night(
    facts: ReviewFacts, last: datetime | None, now: datetime, damage: Sequence[Fault]
) -> Night:
    """What ended in a review since the last digest of this person, and what still runs."""
    since = last or now - FIRST_DIGEST
    runs = [
        run for attempts in facts.attempts.values() for run in attempts if _is_news(run, since, now)
    ]
    newest, held = facts.newest, facts.built.held
    is_new = newest is not None and since < newest.made <= now
    return Night(
        review=facts.rules.id,
        title=facts.rules.title,
        searches=tuple(_line(run) for run in runs),
        alarms=tuple(status.alarms(facts, status.healths(facts, now), now, damage)),
        published=f"version {newest.number} ({newest.change})" if newest and is_new else None,
        sign_offs=(f"a changed conclusion ({held.change}), after: {held.cause}",) if held else (),
    )


def _is_news(run: Run, since: datetime, now: datetime) -> bool:
    """Whether a run ended since then, or runs now.

    One that was told as running is told again with its end.
    """
    if run.finished is None:
        return run.started <= now
    return since < run.finished <= now


def _line(run: Run) -> SearchLine:
    began = f"{run.started:%Y-%m-%d %H:%M} UTC"
    return SearchLine(run.name, run.outcome, run.found, run.fresh, run.error, began)


def note_digests(store: Store, *, people: Sequence[str], now: datetime) -> dict[str, Any]:
    """Write down that these people were told all that had ended by then.

    The next digest goes on from there.

    Only of those whose message was sent, or who had none to get: what was not sent is told again.
    """

    def job(con: Connection) -> None:
        reviews = searches.review_ids(con)
        for account in accounts.names(con):
            if account.name in people:
                for review in filter(account.enters, reviews):
                    store_nights.save_digest(con, account.name, review, now)

    store.write(job)
    return {}


def due_webhooks(store: Store, *, now: datetime) -> dict[str, Any]:
    """What is to be posted now.

    Each has review, version, about, url, attempt, event, and the body as text; `about` is None for
    the newest version (who was away needs what holds, and the feed has all), else the id of a
    version's last withdrawal or reinstatement, or of the vote that decided the review's status.
    Those that were given up or heard are not among them.
    """
    with store.read() as con:
        subscribed = [review for review in protocols(con) if review.webhooks]
        return {"due": [event for review in subscribed for event in _due(con, review, now)]}


def _due(con: Connection, review: Review, now: datetime) -> Iterator[dict[str, Any]]:
    tried = notices.attempts(con, review.id)
    for about, event in _news(con, review.id):
        for url in review.webhooks:
            mine = [one for one in tried if one.url == url]
            before = [one for one in mine if (one.about, one.version) == (about, event["version"])]
            if any(one.outcome == "gone" for one in mine) or not _is_due(before, now):
                continue
            told = {"review": review.id, "version": event["version"], "about": about, "url": url}
            body = json.dumps(event, ensure_ascii=False, sort_keys=True)
            yield {**told, "attempt": len(before) + 1, "event": event["event"], "body": body}


def _is_due(before: Sequence[Attempt], now: datetime) -> bool:
    """Whether an event is to be posted now, after these attempts."""
    if not before:
        return True
    if in_future(
        before[-1].made, now
    ):  # its clock was ahead; waiting for that time would take for ever
        return True
    wait = schedule(len(before))
    return before[-1].outcome != "ok" and wait is not None and before[-1].made + wait <= now


def _news(con: Connection, review: str) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """(about, event) of all that a subscriber should know of a review today."""
    known = {one.number: json.loads(one.summary) for one in versions.all_of(con, review)}
    last = {act.version: act for act in withdrawals.acts(con, review)}
    stand = [number for number in known if not (number in last and last[number].withdraws)]
    if known and max(known) in stand:
        yield None, events.published(known[max(known)])
    for number, act in last.items():
        date = words.iso(act.made) or ""
        if act.withdraws:
            yield (
                act.id,
                events.withdrawn(known[number], date, act.reason, max(stand, default=None)),
            )
        else:
            yield act.id, events.reinstated(known[number], date, act.reason)
    if known and (decided := retirement.in_force(con, review)):
        proposal, outcome = decided
        told = events.decided(
            known[max(known)], proposal.kind, words.iso(outcome.made) or "", proposal.reason
        )
        yield outcome.id, told


def note_delivery(
    store: Store,
    *,
    review: str,
    version: int,
    url: str,
    attempt: int,
    outcome: str,
    now: datetime,
    about: str | None = None,
    status: int | None = None,
    error: str | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Log an attempt to deliver what `due_webhooks` gave."""
    one = Attempt(version, url, attempt, outcome, status, error, seconds, now, about)
    store.write(lambda con: notices.note(con, review, one))
    return {}
