"""What an extraction would change in public before anybody accepts it, and what the page would say without a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.evidence import checks, claims
from livereview.ops.snapshot import snapshot
from livereview.ops.surveil import protocol
from livereview.store.open import Connection, Store
from livereview.summary import data
from livereview.summary.snapshot import Snapshot, Study


def preview(store: Store, *, review: str, form: Any, now: datetime, name: str = "extraction") -> dict[str, Any]:
    """The public sentences that this form would change; nothing is written. Raises Refused for a form with errors."""
    with store.read() as con:
        extraction = checks.from_json(form, protocol(con, review), name)
        snap = snapshot(con, review, ())
        known = {study.study_id: study for study in snap.studies}
        reports = known[extraction.study].reports if extraction.study in known else ()
        known[extraction.study] = Study(extraction.study, extraction.label, reports, extraction)
        return _differs(snap, [known[study] for study in sorted(known)])


def without(store: Store, *, review: str, study: str, now: datetime) -> dict[str, Any]:
    """The public sentences that would change if this study were removed: what a retraction would do."""
    with store.read() as con:
        return removed(con, review, study)


def removed(con: Connection, review: str, study: str) -> dict[str, Any]:
    """As `without`; raises Refused for a study that the review does not have."""
    snap = snapshot(con, review, ())
    left = [one for one in snap.studies if one.study_id != study]
    if len(left) == len(snap.studies):
        known = ", ".join(one.study_id for one in snap.studies) or "none yet"
        raise Refused(f"no study {study!r} in {review}; the studies: {known}")
    return _differs(snap, left)


def _differs(snap: Snapshot, studies: Sequence[Study]) -> dict[str, Any]:
    """{change: the class, sentences: each with claim, class, why, before, after}."""
    before = [claims.to_json(claim) for claim in data.weigh(snap).claims]
    now = data.weigh(replace(snap, studies=tuple(studies))).claims
    change = claims.change_class(before, now)
    after = [claims.to_json(claim) for claim in now]
    return {"change": change.kind, "sentences": claims.sentences(before, after, change.reasons)}
