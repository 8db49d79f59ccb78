"""What of a build waits for a lead's name: unsigned changes of meaning, large falls, and what
replaces a whole page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from livereview.evidence import wording
from livereview.evidence.falls import Fall
from livereview.evidence.finding_changes import most_serious
from livereview.evidence.sign_off import Shown
from livereview.ops.impact import sentence
from livereview.store.versions import Held, Version
from livereview.summary import data, tombstone, words
from livereview.summary.snapshot import Snapshot

RULES, LANGUAGE, WITHDRAWAL = "rules", "language", "withdrawal"
"""What may hold a whole page, beside a large fall."""


@dataclass(frozen=True, slots=True)
class _Unsigned:
    """What waits for a name.

    Attributes:
        key: What a signature for it is put under.
        change: The most serious class of what changes.
        reasons: For each thing that waits what it is, why it waits, and its words before and after.
        subjects: The names of these things; each keeps the time since which it has waited.
        whole: Nothing of the build is public until then; else only the findings that change wait.
    """

    key: str
    change: str
    reasons: Sequence[dict[str, Any]]
    subjects: Sequence[str]
    whole: bool


def held_back(
    snap: Snapshot, version: Version, shown: Shown, *, cause: str, before: Held | None, notice: bool
) -> Held | None:
    """What of a build waits for a name.

    Args:
        snap: What the version is made from.
        version: The version that was built.
        shown: What it shows of the findings.
        cause: What the build was asked for.
        before: What waited after the build before; what still waits keeps its cause and its time.
        notice: The newest version is withdrawn. Its answer is no stopgap while a new one is being
            weighed, and what comes after it may say the same, so that it needs a name whatever has
            changed.

    Returns:
        What a lead is shown and signs; None where all of the build may be public.
    """
    unsigned = _unsigned(snap, version, shown, notice)
    if unsigned is None:
        return None
    made = version.made.isoformat()
    began = before.waits if before else {}
    # more evidence makes no wait shorter
    waits = {subject: began.get(subject, made) for subject in unsigned.subjects}
    same = before is not None and before.content_hash == unsigned.key
    return Held(
        content_hash=unsigned.key,
        change=unsigned.change,
        reasons=list(unsigned.reasons),
        cause=before.cause if before and same else cause,
        since=min(waits.values()),
        whole=unsigned.whole,
        waits=waits,
    )


def _unsigned(snap: Snapshot, version: Version, shown: Shown, notice: bool) -> _Unsigned | None:
    is_new = version.number > len(snap.history)
    nameless = snap.review.living.sign_off and is_new and version.signed_by is None
    if nameless and data.by_other_rules(snap):
        return _Unsigned(
            version.content_hash, "now_shows", _by_new_rules(snap, version), [RULES], whole=True
        )
    if shown.waits is not None and shown.translated:
        return _in_other_language(snap, shown, shown.waits)
    if shown.waits is not None:
        return _changed(version, shown, shown.waits, notice)
    if nameless and notice:
        reason = _after_withdrawal(snap, version)
        return _Unsigned(version.content_hash, version.change, [reason], [WITHDRAWAL], whole=True)
    return None


def _changed(version: Version, shown: Shown, key: str, notice: bool) -> _Unsigned:
    """Findings that mean something else, and large falls."""
    return _Unsigned(
        key=key,
        change=most_serious(shown.pending) if shown.pending else version.change,
        reasons=[*map(_fallen, shown.falls), *map(sentence, shown.pending)],
        subjects=[
            *(fall.what for fall in shown.falls),
            *(change.finding for change in shown.pending),
        ],
        whole=notice or bool(shown.falls),
    )


def _in_other_language(snap: Snapshot, shown: Shown, key: str) -> _Unsigned:
    """The page changes its language: each sentence as it was published, and in the new language."""
    before = {row.id: row.headline for row in snap.history[-1].content.findings or ()}
    with words.as_told_in(snap.review):
        translated = [
            {
                "claim": finding.outcome_label,
                "class": "reworded",
                "why": f"the page is in another language ({snap.review.language})",
                "before": before.get(finding.id),
                "after": wording.headline(finding),
            }
            for finding in shown.findings
        ]
    changed = [change.finding for change in shown.pending]
    return _Unsigned(
        key=key,
        change="reworded",
        reasons=[*map(_fallen, shown.falls), *translated],
        subjects=[*(fall.what for fall in shown.falls), *changed, LANGUAGE],
        whole=True,
    )


def _by_new_rules(snap: Snapshot, version: Version) -> list[dict[str, Any]]:
    """Every sentence is told by new rules: the old ones and the new ones, side by side."""
    last = snap.history[-1].content
    before = {claim.id.removeprefix("outcome:"): claim.text for claim in last.claims}
    after = json.loads(version.summary)["findings"]
    return [
        {
            "claim": finding["outcome_label"],
            "class": "now shows",
            "why": "told by the rules of version 2 of the summary",
            "before": before.get(finding["outcome"]),
            "after": finding["wording"],
        }
        for finding in after
    ]


def _fallen(fall: Fall) -> dict[str, Any]:
    """A large fall as a reason to wait, as `impact.sentence` tells a change."""
    return {
        "claim": fall.what,
        "class": "large fall",
        "why": f"from {fall.before:,} to {fall.after:,}; look at the log of acts before you sign",
        "before": f"{fall.before:,} {fall.what}.",
        "after": f"{fall.after:,} {fall.what}.",
    }


def _after_withdrawal(snap: Snapshot, version: Version) -> dict[str, Any]:
    """A version comes after a withdrawn one and no finding means something else."""
    last = snap.history[-1]
    return {
        "claim": "the whole summary",
        "class": "after a withdrawal",
        "why": f"version {last.number} was withdrawn: {tombstone.in_force(snap.withdrawals)[last.number].reason}",
        "before": last.content.answer.text,
        "after": json.loads(version.summary)["answer"]["text"],
    }
