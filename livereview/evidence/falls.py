"""Whether so many included studies have gone at once that a person should look before the public page says so."""

from __future__ import annotations

LARGE_FALL = 2
"""Fewest studies that make a fall large: one study may always be retracted or found to be a duplicate."""

LARGE_SHARE = 0.25
"""Share of the included that makes a fall large. A review that loses a quarter of its evidence between two versions
has rarely learned something; more often somebody pressed a button."""


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
