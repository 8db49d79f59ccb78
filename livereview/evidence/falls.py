"""Whether so many included studies have gone at once that a person should look before the public
page says so.
"""

from __future__ import annotations

from dataclasses import dataclass

LARGE_FALL = 2
"""Fewest studies that make a fall large: one study may always be retracted or found to be a duplicate."""

LARGE_SHARE = 0.25
"""Share of the included that makes a fall large. A review that loses a quarter of its evidence between two versions
has rarely learned something; more often somebody pressed a button."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a review rests on: reports that are included, and studies on its page."""

    reports: int
    studies: int


@dataclass(frozen=True, slots=True)
class Fall:
    """What has become much less, as in "included reports", with its number before and after."""

    what: str
    before: int
    after: int


def large_falls(before: Size, after: Size) -> tuple[Fall, ...]:
    """Each fall that needs a lead's name; empty where none does."""
    both = (
        Fall("included reports", before.reports, after.reports),
        Fall("included studies", before.studies, after.studies),
    )
    return tuple(fall for fall in both if is_large_fall(fall.before, fall.after))


def is_large_fall(before: int, after: int) -> bool:
    """Whether the fall from `before` to `after` included studies needs a lead's name.

    At least two and at least a quarter of them, or any fall to none.
    """
    lost = before - after
    if lost <= 0:
        return False
    if after == 0:
        return True
    return lost >= LARGE_FALL and lost >= LARGE_SHARE * before
