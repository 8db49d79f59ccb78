"""What a version shows of each finding while a change of meaning waits for a signature.

Held is the finding, not the page: a new study, counts and dates are public at once; a finding whose
sentence would mean something else keeps its signed sentence and figures, marked as being weighed.
Only a large fall in what the review rests on holds the page (`falls.py`), since there the counts
are in doubt too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.evidence import finding_changes, wording
from livereview.evidence.falls import Fall
from livereview.evidence.finding import Estimate, Finding, StudyEffect, Weighing
from livereview.evidence.finding_changes import FindingChange


@dataclass(frozen=True, slots=True)
class Shown:
    """The findings of a version, and what waits for a name.

    signed_by who signed what would else have waited; None where nobody had to

    Attributes:
        findings: As they are published, in the protocol's order.
        changes: Against the version before, of what is published.
        pending: Changes of meaning that nobody has signed.
        falls: Large falls that nobody has signed: the whole page waits.
        waits: What a signature for all of it is put under (`waiting_hash`); None where nothing
            waits.
        translated: The page changes its language and nobody has signed that: all of it waits, since
            a page that is half in one language and half in another is nobody's words.
    """

    findings: tuple[Finding, ...]
    changes: tuple[FindingChange, ...]
    pending: tuple[FindingChange, ...] = ()
    falls: tuple[Fall, ...] = ()
    waits: str | None = None
    signed_by: str | None = None
    translated: bool = False


def shown(
    before: Sequence[Finding] | None,
    now: Sequence[Finding],
    *,
    signed: Mapping[str, str],
    sign_off: bool,
    arrived: Mapping[str, datetime],
    falls: Sequence[Fall] = (),
    translated: bool = False,
) -> Shown:
    """What a version shows of the findings as they are now.

    Args:
        before: as the version before showed them; None for a first version, which is opened by
        name.
        now: as the evidence has them.
        signed: who signed what waited, by its hash.
        sign_off: whether the protocol asks for a name at all.
        arrived: when each study's extraction came, in the review's zone.
        falls: large falls since the version before.
        translated: the version before was in another language.
    """
    if before is None:
        return Shown(_anchored(now, (), ()), ())
    stood = [_settled(finding) for finding in before]
    changes = finding_changes.changes(stood, now)
    pending = tuple(change for change in changes if change.means_something_else)
    public = _anchored(now, stood, changes)
    if not sign_off or not (pending or falls or translated):
        return Shown(public, changes)
    key = waiting_hash(pending, falls, now, translated)
    if key in signed:
        return Shown(public, changes, signed_by=signed[key])
    if translated:
        return Shown(public, changes, pending, tuple(falls), key, translated=True)

    waits = {change.finding for change in pending}
    old = {finding.id: finding for finding in stood}
    came = _Came(
        arrived, {finding.id: finding.weighing.since for finding in before if finding.weighing}
    )
    kept = [
        _held(finding, old.get(finding.id), came) if finding.id in waits else finding
        for finding in now
    ]
    gone = [finding for finding in stood if finding.id in waits - {one.id for one in now}]
    kept += [_marked(finding, Weighing(studies=0)) for finding in gone]
    published = finding_changes.changes(stood, [_settled(finding) for finding in kept])
    return Shown(_anchored(kept, stood, published), published, pending, tuple(falls), key)


def _anchored(
    findings: Sequence[Finding], stood: Sequence[Finding], changes: Sequence[FindingChange]
) -> tuple[Finding, ...]:
    """The findings with the size that their figures may move from: today's where what is said of
    them changes.
    """
    old = {finding.id: finding for finding in stood}
    moved = {change.finding for change in changes if change.means_something_else}
    return tuple(
        finding.model_copy(
            update={"moves_from": _moves_from(finding, old.get(finding.id), finding.id in moved)}
        )
        for finding in findings
    )


def _moves_from(finding: Finding, before: Finding | None, moved: bool) -> Estimate | None:
    if finding.state != "effect":
        return None
    if before is None or moved:
        return finding_changes.sized(finding)
    return finding_changes.signed_size(before)


def waiting_hash(
    pending: Sequence[FindingChange],
    falls: Sequence[Fall],
    now: Sequence[Finding],
    translated: bool = False,
) -> str:
    """What a signature is put under: the new sentences, the results they rest on, and what has
    fallen.
    """
    basis = {finding.id: finding.basis for finding in now}
    rows: list[object] = [
        [change.finding, change.kind, change.after, basis.get(change.finding)] for change in pending
    ]
    rows += [[fall.what, fall.before, fall.after] for fall in falls]
    if translated:
        rows += [[finding.id, wording.headline(finding)] for finding in now]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _settled(finding: Finding) -> Finding:
    """The finding without its mark, so that it is compared by what it says."""
    return finding.model_copy(update={"weighing": None})


@dataclass(frozen=True, slots=True)
class _Came:
    """When new evidence came: each study's extraction, and the day that is told already, by
    finding.
    """

    arrived: Mapping[str, datetime]
    told: Mapping[str, str | None]


def _held(now: Finding, before: Finding | None, came: _Came) -> Finding:
    """The finding as it was signed, marked; a new one says that it is not assessed yet."""
    if before is not None:
        return _weighed(before, now, came)
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
    return _weighed(blank, now, came)


def _weighed(finding: Finding, now: Finding, came: _Came) -> Finding:
    old, new = _results(finding), _results(now)
    moved = [study for study in {*old, *new} if old.get(study) != new.get(study)]
    days = [came.arrived[study].date().isoformat() for study in moved if study in came.arrived]
    told = came.told.get(finding.id)
    if days and told is not None:
        days.append(told)  # a form that is corrected while it waits makes the wait no shorter
    return _marked(finding, Weighing(since=min(days, default=None), studies=len(moved)))


def _marked(finding: Finding, weighing: Weighing) -> Finding:
    return finding.model_copy(update={"weighing": weighing})


def _results(finding: Finding) -> dict[str, StudyEffect]:
    """By study what it gives.

    Its weight is no part of that, since it moves with the other studies.
    """
    return {study.study: study.model_copy(update={"weight": None}) for study in finding.studies}
