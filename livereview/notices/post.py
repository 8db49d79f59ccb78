"""Sending what `ops.notices` says is due; the only place where notices leave the machine."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import requests

from livereview.commands import FindDueWebhooks, NoteDelivery, Runs
from livereview.commands.service import DueWebhook, Mail
from livereview.errors import LivereviewError
from livereview.notices.digest import Digest
from livereview.notices.message import email
from livereview.notices.send import Delivery, guarded, smtp, webhook

MAIL_SECONDS = 600.0  # for all digests; a server that hangs would else take a minute for each
NOT_TRIED = f"not tried: the mail server took more than {MAIL_SECONDS:.0f} s for the others"
NO_ADDRESS = "no address is known: livereview account NAME --email ADDRESS"
MESSAGE_ID_LENGTH = 32  # hexadecimal digits: 128 bits
TEST = "test"  # the event of somebody who tries a webhook out
AT_ONCE = 8  # receivers served side by side


def mail(
    digests: Iterable[Mail],
    server: str,
    sender: str,
    now: datetime,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[tuple[str, str | None]]:
    """Hand each digest to the mail server: (name, None or why not) of each.

    One failure spares the others.

    Where the server is so slow that MAIL_SECONDS are over, the others are not tried: they stay due.
    """
    done: list[tuple[str, str | None]] = []
    until = monotonic() + MAIL_SECONDS
    for message in digests:
        if monotonic() >= until:
            done.append((message.name, NOT_TRIED))
        elif not message.email:
            done.append((message.name, NO_ADDRESS))
        else:
            done.append((message.name, _mail_one(message, message.email, server, sender, now)))
    return done


def _mail_one(message: Mail, address: str, server: str, sender: str, now: datetime) -> str | None:
    """Hand a digest to the mail server: None, or why not."""
    digest = Digest(message.subject, message.text, message.html)
    identity = f"{message.name} {now:%Y-%m-%d} {message.text}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:MESSAGE_ID_LENGTH]
    domain = sender.rpartition("@")[2].rstrip("> ")
    try:
        smtp(email(digest, sender, address, f"<{key}@{domain}>", now), server)
    except LivereviewError as problem:
        return problem.message
    return None


def deliver(
    client: Runs,
    secret: str,
    now: datetime,
    session: requests.Session | None = None,
    permitted: Collection[tuple[str, int]] = (),
) -> list[tuple[str, str, str | None]]:
    """Post every due event, signed, and log each attempt: (url, outcome, error).

    Failures are tried again later.

    Receivers are served side by side, so that one who hangs holds up nobody else; the events of one
    receiver go one after another, and once it gives no answer the rest of them stay due.

    Args:
        permitted: (address, port) of machines that are not public and may be told all the same.
    """
    by_receiver: dict[str, list[DueWebhook]] = defaultdict(list)
    for event in client.run(FindDueWebhooks(now=now)).due:
        by_receiver[event.url].append(event)

    def post(events: list[DueWebhook]) -> list[NoteDelivery]:
        attempts = []
        for event in events:
            attempt = _attempt(event, secret, now, session or guarded(permitted=permitted))
            attempts.append(attempt)
            if attempt.status is None:
                break
        return attempts

    done = []
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        for attempts in pool.map(post, by_receiver.values()):
            for attempt in attempts:
                client.run(attempt)
                done.append((attempt.url, attempt.outcome, attempt.error))
    return done


def try_out(
    url: str,
    secret: str,
    now: datetime,
    session: requests.Session | None = None,
    permitted: Collection[tuple[str, int]] = (),
) -> Delivery:
    """Post one signed event named `test`, and say what became of it; nothing is logged or repeated.

    Raises:
        LivereviewError: the address may not be told, or can't be reached.
    """
    told = {"event": TEST, "date": f"{now:%Y-%m-%dT%H:%M:%SZ}", "message": "This is a test."}
    body = json.dumps(told).encode()
    headers = {"X-Livereview-Event": TEST}
    opened = session or guarded(permitted=permitted)
    return webhook(url, body, secret.encode(), opened, now, headers)


def _attempt(
    event: DueWebhook, secret: str, now: datetime, session: requests.Session
) -> NoteDelivery:
    """One POST of an event, as it is to be logged."""
    headers = {"X-Livereview-Event": event.event}
    try:
        heard = webhook(event.url, event.body.encode(), secret.encode(), session, now, headers)
    except LivereviewError as problem:
        heard = Delivery(status=None, seconds=0.0, outcome="retry", error=problem.message)
    return NoteDelivery(
        review=event.review,
        version=event.version,
        url=event.url,
        attempt=event.attempt,
        about=event.about,
        outcome=heard.outcome,
        status=heard.status,
        error=heard.error,
        seconds=heard.seconds,
        now=now,
    )
