"""Sending what `ops.notices` says is due; the only place where notices leave the machine."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from typing import Any

import requests

from livereview.errors import LivereviewError
from livereview.notices.digest import Digest
from livereview.notices.message import email
from livereview.notices.send import guarded, smtp, webhook

Call = Callable[..., dict[str, Any]]
MAIL_SECONDS = 600.0  # for all digests; a server that hangs would else take a minute for each
AT_ONCE = 8  # receivers served side by side


def mail(
    digests: Iterable[Mapping[str, Any]],
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
    for one in digests:
        if monotonic() >= until:
            done.append(
                (
                    one["name"],
                    f"not tried: the mail server took more than {MAIL_SECONDS:.0f} s for the others",
                )
            )
            continue
        if not one["email"]:
            done.append(
                (one["name"], "no address is known: livereview account NAME --email ADDRESS")
            )
            continue
        told = Digest(one["subject"], one["text"], one["html"])
        key = hashlib.sha256(f"{one['name']} {now:%Y-%m-%d} {one['text']}".encode()).hexdigest()[
            :32
        ]
        domain = sender.rpartition("@")[2].rstrip("> ")
        try:
            smtp(email(told, sender, one["email"], f"<{key}@{domain}>", now), server)
            done.append((one["name"], None))
        except LivereviewError as problem:
            done.append((one["name"], problem.message))
    return done


def deliver(
    call: Call, secret: str, now: datetime, session: requests.Session | None = None
) -> list[tuple[str, str, str | None]]:
    """Post every due event, signed, and log each attempt: (url, outcome, error).

    Failures are tried again later.

    Receivers are served side by side, so that one who hangs holds up nobody else; the events of one
    receiver go one after another, and once it gives no answer the rest of them stay due.
    """
    by_receiver: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in call("due_webhooks", now=now)["due"]:
        by_receiver[event["url"]].append(event)

    def post(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        attempts = []
        for event in events:
            attempts.append(_attempt(event, secret, now, session or guarded()))
            if attempts[-1]["status"] is None:
                break
        return attempts

    done = []
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        for attempts in pool.map(post, by_receiver.values()):
            for attempt in attempts:
                call("note_delivery", now=now, **attempt)
                done.append((attempt["url"], attempt["outcome"], attempt["error"]))
    return done


def _attempt(
    event: Mapping[str, Any], secret: str, now: datetime, session: requests.Session
) -> dict[str, Any]:
    """What `note_delivery` keeps of one POST of an event."""
    headers = {"X-Livereview-Event": event["event"]}
    try:
        outcome = asdict(
            webhook(event["url"], event["body"].encode(), secret.encode(), session, now, headers)
        )
    except LivereviewError as problem:
        outcome = {"status": None, "seconds": 0.0, "outcome": "retry", "error": problem.message}
    named = {name: value for name, value in event.items() if name not in ("event", "body")}
    return named | outcome
