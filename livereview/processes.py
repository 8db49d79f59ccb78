"""Whether a process that said who it is still lives. Only one on this machine can be looked up."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process as others may look it up.

    Attributes:
        place: Machine, its boot, and the namespace that the pid is a number in; containers share a
            host name at times.
        started: In the kernel's words, so that a pid which was given away again is not taken for
            it; None: unknown.
    """

    place: str
    pid: int
    started: str | None


def this() -> Process:
    """The process that asks."""
    return Process(_place(), os.getpid(), _started(os.getpid()))


def is_alive(process: Process) -> bool | None:
    """Whether it lives; None where that can't be seen from here."""
    if process.place != _place():
        return None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's, and there
    now = _started(process.pid)
    if process.started is None or now is None:
        return True
    return now == process.started


def _place() -> str:
    namespace = boot = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()} {boot} {namespace}"


def _started(pid: int) -> str | None:
    """When the kernel started this process, in ticks since the boot.

    None where it does not tell, or it is a zombie.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name in parentheses may hold anything
    if fields[0] in ("Z", "X"):
        return "ended"
    return fields[19]
