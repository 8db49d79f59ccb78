"""Which version of the door for programs this code speaks, so that two that can't understand each
other find out before anything is written.
"""

from __future__ import annotations

# One more whenever an operation that nights use, or an argument of one, changes so that older code
# no longer understands it. New operations and new optional arguments need no new number.
DOOR_VERSION = 1
DOOR_HEADER = "Livereview-Door"
DOOR_PATH = "/api/ops/"
OTHER_DOOR = 426  # the HTTP status of "Upgrade Required"


def other_door(spoken: str) -> str:
    """The words for two that do not understand each other."""
    return (
        f"two versions of livereview meet: this side speaks version {DOOR_VERSION} of the owner's"
        f" door, the other {spoken}; nothing was changed. Install the same version on both"
    )
