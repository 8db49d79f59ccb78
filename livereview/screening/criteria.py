"""What a change of the criteria means for decisions made before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from livereview.review import Criterion, Review


@dataclass(frozen=True, slots=True)
class Change:
    """Criteria that came, went, or were put in other words (before, after), and the verdicts that
    may flip.
    """

    added: tuple[Criterion, ...]
    removed: tuple[Criterion, ...]
    reworded: tuple[tuple[Criterion, Criterion], ...]
    verdicts: tuple[str, ...]


def change(before: Sequence[Criterion], after: Sequence[Criterion]) -> Change:
    """How `after` differs.

    A further condition may turn inclusions, one less may turn exclusions, other words both.
    """
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    moved = {
        key for key in old.keys() & new.keys() if old[key].kind != new[key].kind
    }  # out of one list, into the other
    added = tuple(one for key, one in new.items() if key not in old or key in moved)
    removed = tuple(one for key, one in old.items() if key not in new or key in moved)
    reworded = tuple(
        (old[key], one) for key, one in new.items() if key in old.keys() - moved and old[key] != one
    )
    narrower, wider = bool(added or reworded), bool(removed or reworded)
    verdicts = ("include", "maybe") * narrower + ("exclude",) * wider
    return Change(added, removed, reworded, verdicts)


def fingerprint(review: Review) -> str:
    """What tells one wording of the criteria and the reasons to exclude from every other."""
    criteria = [asdict(criterion) for criterion in review.criteria]
    reasons = [asdict(reason) for reason in review.reasons]
    text = json.dumps([criteria, reasons], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def describe(before: Review, after: Review) -> list[str]:
    """What has changed between two protocols for a person who reads a record, a sentence each."""
    changed = change(before.criteria, after.criteria)
    sentences = [f"New: {_worded(criterion)}." for criterion in changed.added]
    sentences += [f"Gone: {_worded(criterion)}." for criterion in changed.removed]
    sentences += [f"“{old.text}” is now “{new.text}”." for old, new in changed.reworded]

    old_reasons, new_reasons = _reasons(before), _reasons(after)
    sentences += [f"New reason: {label}." for label in new_reasons if label not in old_reasons]
    sentences += [
        f"Reason no longer used: {label}." for label in old_reasons if label not in new_reasons
    ]
    return sentences


def _worded(criterion: Criterion) -> str:
    return f"{criterion.kind} if “{criterion.text}”"


def _reasons(review: Review) -> list[str]:
    return [reason.label for reason in review.reasons if not reason.retired]
