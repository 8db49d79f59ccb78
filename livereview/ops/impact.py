"""What an extraction would change in public before anybody accepts it, and what the page would say
without a study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.evidence import checks, finding_changes, upgrade, wording
from livereview.evidence.finding_changes import FindingChange
from livereview.ops.protocols import protocol
from livereview.ops.snapshot import snapshot
from livereview.store.open import Connection, Store
from livereview.summary import data
from livereview.summary.snapshot import Snapshot, Study


def preview(
    store: Store, *, review: str, form: Any, now: datetime, name: str = "extraction"
) -> dict[str, Any]:
    """The public sentences that this form would change; nothing is written.

    Raises:
        Refused: for a form with errors.
    """
    with store.read() as con:
        rules = protocol(con, review)
        extraction = upgrade.upgraded(checks.from_json(form, rules, name), rules)
        snap = snapshot(con, review, ())
        known = {study.study_id: study for study in snap.studies}
        reports = known[extraction.study].reports if extraction.study in known else ()
        known[extraction.study] = Study(extraction.study, extraction.label, reports, extraction)
        return _differs(snap, [known[study] for study in sorted(known)])


def first(con: Connection, review: str) -> dict[str, Any]:
    """What the first version would say if the review were opened now: the answer, and each
    finding's sentence.
    """
    evidence = data.weigh(snapshot(con, review, ()))
    answer = next(claim for claim in evidence.claims if claim.id == "answer")
    told = [
        {
            "label": finding.outcome_label,
            "comparison": finding.comparison_label,
            "text": wording.headline(finding),
        }
        for finding in evidence.now
    ]
    return {"answer": answer.text, "findings": told}


def without(store: Store, *, review: str, study: str, now: datetime) -> dict[str, Any]:
    """The public sentences that would change if this study were removed: what a retraction would
    do.
    """
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
    """{change: the kind, sentences: each with claim, class, why, before, after}."""
    before = data.weigh(snap).now
    after = data.weigh(replace(snap, studies=tuple(studies))).now
    found = finding_changes.changes(before, after)
    return {
        "change": finding_changes.most_serious(found),
        "sentences": [sentence(change) for change in found],
    }


def sentence(change: FindingChange) -> dict[str, Any]:
    """A change as rooms and command lines show it."""
    return {
        "claim": change.label,
        "class": change.kind.replace("_", " "),
        "why": change.text,
        "before": change.before,
        "after": change.after,
    }
