"""What a change of the criteria means for decisions made before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livereview.review import Criterion


@dataclass(frozen=True, slots=True)
class Change:
    """Criteria that came, went, or were put in other words (before, after), and the verdicts that may flip."""

    added: tuple[Criterion, ...]
    removed: tuple[Criterion, ...]
    reworded: tuple[tuple[Criterion, Criterion], ...]
    verdicts: tuple[str, ...]


def change(before: Sequence[Criterion], after: Sequence[Criterion]) -> Change:
    """How `after` differs. A further condition may turn inclusions, one less may turn exclusions, other words both."""
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    moved = {
        key for key in old.keys() & new.keys() if old[key].kind != new[key].kind
    }  # out of one list, into the other
    added = tuple(one for key, one in new.items() if key not in old or key in moved)
    removed = tuple(one for key, one in old.items() if key not in new or key in moved)
    reworded = tuple((old[key], one) for key, one in new.items() if key in old.keys() - moved and old[key] != one)
    narrower, wider = bool(added or reworded), bool(removed or reworded)
    verdicts = ("include", "maybe") * narrower + ("exclude",) * wider
    return Change(added, removed, reworded, verdicts)
