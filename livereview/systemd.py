"""The few words that a service says to systemd (sd_notify(3)). Elsewhere they go nowhere."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

PER_SECOND = 1_000_000  # systemd counts microseconds


def notify(words: str) -> None:
    """Say such as READY=1 to systemd, where it started this process and listens.

    Never raises: a service must not fail because nobody heard that it is well.
    """
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return
    if place.startswith("@"):
        place = "\0" + place[1:]  # an abstract socket of Linux
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.connect(place)
        door.sendall(words.encode())


def watchdog_seconds() -> float | None:
    """Within how many seconds systemd wants to hear of this process again; None: it does not."""
    asked = os.environ.get("WATCHDOG_USEC", "")
    whose = os.environ.get("WATCHDOG_PID", "")
    if not asked.isdigit() or int(asked) == 0 or whose not in ("", str(os.getpid())):
        return None
    return int(asked) / PER_SECOND
