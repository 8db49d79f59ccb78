"""Full texts that reviewers add: checked, kept outside of everything that is served, named by their
content.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from livereview.disk import full, is_full
from livereview.errors import Refused
from livereview.ops import retrieval
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.private_files import write_private
from livereview.store import full_texts, records
from livereview.store.full_texts import FullText
from livereview.store.open import Connection, Store

LARGEST = 20_000_000  # bytes
FOLDER = "full-texts"  # of a home


@typed
def attach(
    store: Store,
    folder: Path,
    *,
    id: str,
    review: str,
    record: str,
    name: str,
    body: bytes,
    author: str,
    now: datetime,
) -> dict[str, Any]:
    """Keep a PDF with the report of this record; the same file again is kept once.

    A report on the list of those to be retrieved goes back into everybody's queue.

    Raises Refused, keeping nothing, for what is no PDF, is empty or too large, or for a record of
    no such review.
    """
    check(body)
    sha256 = hashlib.sha256(body).hexdigest()
    file = FullText(sha256, _named(name), len(body), author, now)

    def job(con: Connection) -> None:
        protocol(con, review)
        if not records.in_review(con, review, record):
            raise Refused(f"record {record} is not in review {review}")
        full_texts.append(con, id, review, record, file)
        retrieval.arrived(con, id, review, record, author, now)

    try:
        # first the file: a row without one would promise what is not there
        _keep(folder, sha256, body)
    except OSError as error:
        if is_full(error):
            raise full(error) from error
        raise
    store.write(job)
    return {"sha256": sha256, "name": file.name, "size": file.size}


def check(body: bytes) -> None:
    """Raise Refused for what is no whole PDF, or too large."""
    if len(body) > LARGEST:
        raise Refused(
            f"the file has {len(body) / 1e6:.0f} MB; the limit is {LARGEST // 1_000_000} MB"
        )
    if not body.startswith(b"%PDF-") or b"%%EOF" not in body[-2_048:]:
        raise Refused("this is not a whole PDF; save the publication as PDF and add that")


def path(folder: Path, sha256: str) -> Path:
    """Where a file of this content is kept."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Refused("a full text is named by its sha256")
    return folder / f"{sha256}.pdf"


def _keep(folder: Path, sha256: str, body: bytes) -> None:
    target = path(folder, sha256)
    if not target.exists():
        write_private(target, body)


def _named(name: str) -> str:
    """A file name that can't lead anywhere or end a header."""
    last = re.split(r"[/\\]", name)[-1]
    safe = re.sub(r"[^\w.()\[\] -]", "_", last, flags=re.ASCII).strip(". ")[:120]
    if safe.lower().endswith(".pdf"):
        return safe
    return f"{safe or 'full-text'}.pdf"
