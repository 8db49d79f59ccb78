"""Searches that leads start and stop from the room: each is a night of one search by hand, in a
process of its own, as the owner never fetches. What became of it stands in the ledger.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from livereview.errors import Refused, Retry

AT_ONCE = 2  # searches by hand on one server: each takes a process with Prefect in it, of 300 MB
STOPS_WITHIN = timedelta(seconds=15)  # to tell the owner that it ends; then it is killed
REMEMBERED = timedelta(hours=1)  # how one ended that never reached the ledger
TAIL = 600  # characters of what a process that failed said last


LOOK_UPS = "look ups"  # in the place of a search's name, which has no space: retractions looked up


def command(home: Path, review: str, name: str) -> list[str]:
    """What runs one search of a review now, or its look-ups."""
    what = ["recheck"] if name == LOOK_UPS else ["surveil", "--only", name]
    where = ["--review", review, "--home", str(home)]
    return [sys.executable, "-m", "livereview", *what, *where]


@dataclass(slots=True)
class HandRun:
    """A search that somebody started.

    Attributes:
        by: Who did.
        code: How its process ended; None while it runs.
        said: The last words of a process that failed.
    """

    by: str
    begun: datetime
    code: int | None = None
    said: str = ""
    stopped: datetime | None = None
    stopped_by: str = ""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)
    _output: IO[str] | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.code is None

    def look(self, now: datetime) -> None:
        """See whether its process has ended; kill one that does not stop."""
        if self.code is not None or self._process is None or self._output is None:
            return
        self.code = self._process.poll()
        if self.code is None:
            if self.stopped and now - self.stopped > STOPS_WITHIN:
                self._signal(signal.SIGKILL)
            return
        self._output.seek(0)
        self.said = self._output.read()[-TAIL:].strip() if self.code else ""
        self._output.close()

    def stop(self, by: str, now: datetime) -> None:
        """Ask its process, and what that started, to end."""
        if self.stopped is None:
            self.stopped, self.stopped_by = now, by
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return


@dataclass(slots=True)
class Runs:
    """All searches that were started by hand since this server began."""

    command: Callable[[Path, str, str], Sequence[str]] = command
    _all: dict[tuple[str, str], HandRun] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self, home: Path, review: str, name: str, by: str, now: datetime) -> None:
        """Start a search.

        Raises:
            Refused: It runs already.
            Retry: Others run.
        """
        with self._lock:
            self._look(now)
            before = self._all.get((review, name))
            if before is not None and before.running:
                raise Refused(f"{name} runs already, started by {before.by}")
            if sum(run.running for run in self._all.values()) >= AT_ONCE:
                raise Retry("Other searches are running by hand. Try again when one has ended.")
            output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
            process = subprocess.Popen(  # noqa: S603 - this program
                list(self.command(home, review, name)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            self._all[review, name] = HandRun(by, now, _process=process, _output=output)

    def stop(self, review: str, name: str, by: str, now: datetime) -> None:
        """Stop a search; raises Refused where it does not run by hand."""
        with self._lock:
            self._look(now)
            run = self._all.get((review, name))
            if run is None or not run.running:
                raise Refused(f"{name} was not started from here, or has ended")
            run.stop(by, now)

    def of(self, review: str, now: datetime) -> dict[str, HandRun]:
        """The runs of a review by the names of their searches: those that run, or ended lately."""
        with self._lock:
            self._look(now)
            return {
                name: run
                for (of_review, name), run in self._all.items()
                if of_review == review and (run.running or now - run.begun < REMEMBERED)
            }

    def _look(self, now: datetime) -> None:
        for run in self._all.values():
            run.look(now)
