"""Studies that readers suggest: taken down for a person to look at, and queued once that person
says so.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from livereview.errors import Refused
from livereview.ops import surveil
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.records import clean_doi
from livereview.review import Search
from livereview.sources.text import link as safe_link
from livereview.sources.text import plain
from livereview.store import searches, tasks
from livereview.store.open import Connection, Store
from livereview.store.searches import Run
from livereview.store.tasks import Task

# suggestions a day that stand on the lead's page: above it somebody is playing, and the rest is
# held back
A_DAY = 100
# suggestions that a review takes in a day at all; one network sends twenty at most
MOST_A_DAY = 2_000
LONGEST = {"title": 500, "link": 1_000, "note": 2_000}
SEARCH = Search(
    name="suggestions",
    source="tip",
    platform="Suggestions of readers",
    query='form "suggest a study"',
    grey=True,
)


@typed
def suggest(
    store: Store,
    *,
    review: str,
    id: str,
    title: str,
    now: datetime,
    link: str = "",
    note: str = "",
    noisy: bool = False,
) -> dict[str, Any]:
    """Take down a suggestion; the same id again changes nothing.

    On a busy day it is held back: it waits for the lead behind the others, and nobody is refused
    because others send much. `noisy` holds it back at once. Raises Refused, in words for the
    reader, for one that is no suggestion, and when there were far too many today.
    """
    data = _checked(title, link, note)

    def job(con: Connection) -> dict[str, Any]:
        protocol(con, review)
        today = tasks.count_since(con, review, "tip", now - timedelta(days=1))
        if today >= MOST_A_DAY:
            raise Refused("There were many suggestions today. Please come back tomorrow.")
        in_front = today - tasks.count_held(con, review, now - timedelta(days=1))
        held = {"held": "yes"} if noisy or in_front >= A_DAY else {}
        tasks.append(con, [Task(f"tip:{review}:{id}", review, None, "tip", {**data, **held})], now)
        return {"suggested": data["title"]}

    return store.write(job)


def _checked(title: str, link: str, note: str) -> dict[str, str]:
    for name, text in (("title", title), ("link", link), ("note", note)):
        if len(text) > LONGEST[name]:
            raise Refused(
                f"The {name} is longer than {LONGEST[name]:,} characters. Please shorten it."
            )
    words = plain(unicodedata.normalize("NFC", title)) or ""
    if len(words) < 8:
        raise Refused("Please give the whole title of the study.")
    address = link.strip()
    if address and not (safe_link(address) or clean_doi(address)):
        raise Refused(
            "The link must start with https:// or http://, or be a DOI. You can leave it out."
        )
    return {"title": words, "link": address, "note": plain(note, LONGEST["note"]) or ""}


@typed
def settle_tip(
    store: Store,
    *,
    review: str,
    task: str,
    outcome: str,
    by: str,
    now: datetime,
    note: str | None = None,
) -> dict[str, Any]:
    """accepted: the study goes to the screening queue as found by the search "suggestions".

    Declined: it does not.
    """
    with store.read() as con:
        tip = next(
            (one for one in tasks.of(con, review) if one.id == task and one.kind == "tip"), None
        )
    if tip is None:
        raise Refused("this suggestion is settled already; reload the page")
    if outcome not in ("accepted", "declined"):
        raise Refused(f"a suggestion is accepted or declined, not {outcome!r}")
    if outcome == "accepted":
        _queue(store, review, tip, now)
    store.write(lambda con: tasks.end(con, task, outcome, by, note, now))
    return {"task": task, "outcome": outcome}


def decline_held(store: Store, *, review: str, by: str, now: datetime) -> dict[str, Any]:
    """Decline every suggestion that is held back; how many those were."""

    def job(con: Connection) -> dict[str, Any]:
        held = [
            task for task in tasks.of(con, review) if task.kind == "tip" and "held" in task.data
        ]
        for tip in held:
            tasks.end(con, tip.id, "declined", by, "held back on a busy day", now)
        return {"declined": len(held)}

    return store.write(job)


def _queue(store: Store, review: str, tip: Task, now: datetime) -> None:
    """Let a search have found it. Done twice it is done once, as the search has the tip's id."""
    words = {name: text for name, text in tip.data.items() if name != "held"}
    body = json.dumps(
        {"tips": [{"id": tip.id, **words}]}, ensure_ascii=False, sort_keys=True
    ).encode()
    store.write(
        lambda con: searches.begin(con, tip.id, review, SEARCH, Run("import", None, now), now)
    )
    surveil.ingest(store, search=tip.id, body=body, now=now)
    surveil.finish(store, search=tip.id, now=now)
