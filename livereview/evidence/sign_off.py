"""What a version shows of each finding while a change of meaning waits for a signature.

Held is the finding, not the page: a new study, counts and dates are public at once; a finding whose
sentence would mean something else keeps its signed sentence and figures, marked as being weighed. Only a
large fall in what the review rests on holds the page (`falls.py`), since there the counts are in doubt too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from livereview.evidence import finding_changes
from livereview.evidence.falls import Fall
from livereview.evidence.finding import Finding, StudyEffect, Weighing
from livereview.evidence.finding_changes import FindingChange


@dataclass(frozen=True, slots=True)
class Shown:
    """The findings of a version, and what waits for a name.

    findings  as they are published, in the protocol's order
    changes   against the version before, of what is published
    pending   changes of meaning that nobody has signed
    falls     large falls that nobody has signed: the whole page waits
    waits     what a signature for both is put under (`waiting_hash`); None where nothing waits
    signed_by who signed what would else have waited; None where nobody had to
    """

    findings: tuple[Finding, ...]
    changes: tuple[FindingChange, ...]
    pending: tuple[FindingChange, ...] = ()
    falls: tuple[Fall, ...] = ()
    waits: str | None = None
    signed_by: str | None = None


def shown(
    before: Sequence[Finding] | None,
    now: Sequence[Finding],
    *,
    signed: Mapping[str, str],
    sign_off: bool,
    arrived: Mapping[str, datetime],
    falls: Sequence[Fall] = (),
) -> Shown:
    """What a version shows of the findings as they are now.

    Args:
        before: as the version before showed them; None for a first version, which is opened by name.
        now: as the evidence has them.
        signed: who signed what waited, by its hash.
        sign_off: whether the protocol asks for a name at all.
        arrived: when each study's extraction came.
        falls: large falls since the version before.
    """
    if before is None:
        return Shown(tuple(now), ())
    stood = [_settled(finding) for finding in before]
    changes = finding_changes.changes(stood, now)
    pending = tuple(change for change in changes if change.means_something_else)
    if not sign_off or not (pending or falls):
        return Shown(tuple(now), changes)
    key = waiting_hash(pending, falls, now)
    if key in signed:
        return Shown(tuple(now), changes, signed_by=signed[key])

    waits = {change.finding for change in pending}
    old = {finding.id: finding for finding in stood}
    kept = [_held(finding, old.get(finding.id), arrived) if finding.id in waits else finding for finding in now]
    gone = [finding for finding in stood if finding.id in waits - {one.id for one in now}]
    kept += [_weighed(finding, None, arrived) for finding in gone]
    published = finding_changes.changes(stood, [_settled(finding) for finding in kept])
    return Shown(tuple(kept), published, pending, tuple(falls), key)


def waiting_hash(pending: Sequence[FindingChange], falls: Sequence[Fall], now: Sequence[Finding]) -> str:
    """What a signature is put under: the new sentences, the results they rest on, and what has fallen."""
    basis = {finding.id: finding.basis for finding in now}
    rows: list[object] = [[change.finding, change.kind, change.after, basis.get(change.finding)] for change in pending]
    rows += [[fall.what, fall.before, fall.after] for fall in falls]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _settled(finding: Finding) -> Finding:
    """The finding without its mark, so that it is compared by what it says."""
    return finding.model_copy(update={"weighing": None})


def _held(now: Finding, before: Finding | None, arrived: Mapping[str, datetime]) -> Finding:
    """The finding as it was signed, marked; a new one says that it is not assessed yet."""
    if before is not None:
        return _weighed(before, now, arrived)
    blank = now.model_copy(
        update={
            "state": "not_yet_assessed",
            "side": None,
            "good": None,
            "size": None,
            "estimate": None,
            "lead": None,
            "studies": (),
            "not_used": (),
            "people": None,
            "people_unknown": 0,
            "certainty": None,
        }
    )
    return _weighed(blank, now, arrived)


def _weighed(finding: Finding, now: Finding | None, arrived: Mapping[str, datetime]) -> Finding:
    old = _results(finding)
    new = _results(now) if now else {}
    moved = [study for study in {*old, *new} if old.get(study) != new.get(study)]
    times = [arrived[study] for study in moved if study in arrived]
    since = min(times).astimezone(UTC).date().isoformat() if times else None
    return finding.model_copy(update={"weighing": Weighing(since=since, studies=len(moved))})


def _results(finding: Finding) -> dict[str, StudyEffect]:
    """By study what it gives; its weight is no part of that, since it moves with the other studies."""
    return {study.study: study.model_copy(update={"weight": None}) for study in finding.studies}
