"""Open copies of full texts: which reports want one, and what a night fetched."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from livereview.errors import Refused
from livereview.ops import full_text
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.store import open_copies, records
from livereview.store.open import Connection, Store
from livereview.store.open_copies import Tried
from livereview.store.retrieval import STAGE

AUTHOR = "open copies"  # in whose name a file is kept that no person added
TRIED_AGAIN = timedelta(days=90)  # what could not be had is asked for again so much later
LONGEST = {"url": 2_000, "origin": 100, "licence": 100, "version": 100, "problem": 500}


def wanted(store: Store, *, review: str, now: datetime) -> dict[str, Any]:
    """The reports whose full text is sought and not there, and the addresses that were tried
    lately.
    """
    with store.read() as con:
        if STAGE not in protocol(con, review).screening.stages:
            return {"reports": [], "tried": []}
        reports = open_copies.wanted(con, review, STAGE)
        tried = open_copies.tried_since(con, review, now - TRIED_AGAIN)
    return {"reports": [asdict(report) for report in reports], "tried": tried}


@typed
def take(
    store: Store,
    *,
    id: str,
    review: str,
    record: str,
    url: str,
    origin: str,
    now: datetime,
    folder: Path,
    licence: str | None = None,
    version: str | None = None,
    body: bytes | None = None,
    problem: str | None = None,
) -> dict[str, Any]:
    """Keep an open copy with its report, or why it could not be had.

    The same id again changes nothing. What is no PDF is a try that failed, and no refusal.

    Args:
        folder: Where sites are published; full texts are kept beside it.
        body: The file; None: `problem` says why there is none.
    """
    if body is None and not problem:
        raise Refused("say what was fetched (body), or why nothing could be (problem)")
    sha256: str | None = None
    if body is not None:
        try:
            added = full_text.attach(
                store,
                folder.parent / full_text.FOLDER,
                id=f"open-copy/{id}",
                review=review,
                record=record,
                name=_name(url),
                body=body,
                author=AUTHOR,
                now=now,
            )
            sha256, problem = str(added["sha256"]), None
        except Refused as refusal:
            problem = refusal.message
    tried = Tried(
        _cut("url", url) or "",
        _cut("origin", origin) or "",
        _cut("licence", licence),
        _cut("version", version),
        _cut("problem", problem),
        sha256,
        now,
    )

    def job(con: Connection) -> bool:
        protocol(con, review)
        if not records.in_review(con, review, record):
            raise Refused(f"record {record} is not in review {review}")
        return open_copies.append(con, id, review, record, tried)

    return {"sha256": sha256, "problem": problem, "known": not store.write(job)}


def _cut(name: str, text: str | None) -> str | None:
    return text[: LONGEST[name]] if text else None


def _name(url: str) -> str:
    """What the file is called: the last part of its address."""
    last = url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
    return last or "open-copy.pdf"
