"""Sending what `ops.notices` says is due; the only place where notices leave the machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import requests

from livereview.errors import LivereviewError
from livereview.notices.digest import Digest
from livereview.notices.message import email
from livereview.notices.send import guarded, smtp, webhook

Call = Callable[..., dict[str, Any]]


def mail(digests: Iterable[Mapping[str, Any]], server: str, sender: str, now: datetime) -> list[tuple[str, str | None]]:
    """Hand each digest to the mail server: (name, None or why not) of each. One failure spares the others."""
    done: list[tuple[str, str | None]] = []
    for one in digests:
        if not one["email"]:
            done.append((one["name"], "no address is known: livereview account NAME --email ADDRESS"))
            continue
        told = Digest(one["subject"], one["text"], one["html"])
        key = hashlib.sha256(f"{one['name']} {now:%Y-%m-%d} {one['text']}".encode()).hexdigest()[:32]
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
    """Post every due event, signed, and log each attempt: (url, outcome, error). Failures are tried again later."""
    done = []
    for one in call("due_webhooks", now=now)["due"]:
        headers, body = {"X-Livereview-Event": one.pop("event")}, one.pop("body").encode()
        try:
            told = asdict(webhook(one["url"], body, secret.encode(), session or guarded(), now, headers))
        except LivereviewError as problem:
            told = {"status": None, "seconds": 0.0, "outcome": "retry", "error": problem.message}
        call("note_delivery", now=now, **one, **told)
        done.append((one["url"], told["outcome"], told["error"]))
    return done
