"""Queries that leads try: each in a process of its own, whose answer waits here until it is looked
at. In memory only: a restart forgets them.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from livereview import trying
from livereview.errors import Refused, Retry
from livereview.trying import Asked, Found

AT_ONCE = 3  # processes; each waits for a source most of its time
KEPT = 50  # answers
GRACE = 5.0  # seconds that a process has beyond its own limit


@dataclass(slots=True)
class Trial:
    """One query on its way.

    Attributes:
        person: Who asked; nobody else is shown the answer.
        place: The address of the page that it was asked from.
        number: Which search of the protocol it is, from 0.
        found: What came; None while it is awaited.
    """

    person: str
    place: str
    number: int
    name: str
    asked: Asked
    begun: float
    found: Found | None = None
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)
    _answer: IO[str] | None = field(default=None, repr=False)

    def look(self, now: float) -> None:
        """Take the answer where it has come; end what takes too long."""
        if self.found is not None or self._process is None or self._answer is None:
            return
        code = self._process.poll()
        if code is None and now - self.begun < trying.LONGEST + GRACE:
            return
        if code is None:
            self.stop()
        self.found = self._read(code)
        self._answer.close()

    def _read(self, code: int | None) -> Found:
        assert self._answer is not None
        self._answer.seek(0)
        try:
            return trying.from_json(self._answer.read())
        except (ValueError, TypeError, KeyError):
            pass
        if code in (None, -signal.SIGALRM):
            return Found(problem=f"The source did not answer within {trying.LONGEST} seconds.")
        return Found(problem="The answer could not be read: it was too large, or broke its reader.")

    def stop(self) -> None:
        """End its process, if it has one that lives."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@dataclass(slots=True)
class Trials:
    """All trials of this server.

    Attributes:
        via: Address of a local server that answers in every source's place; None: none does.
    """

    via: str | None = None
    clock: Callable[[], float] = time.monotonic
    _all: dict[str, Trial] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self, id: str, trial: Trial) -> None:
        """Start its process; the same id again changes nothing.

        Raises:
            Retry: Others are being tried.
        """
        with self._lock:
            if id in self._all:
                return
            for one in self._all.values():
                one.look(self.clock())
            running = [one for one in self._all.values() if one.found is None]
            if len(running) >= AT_ONCE:
                raise Retry("Other queries are being tried at this moment. Try again in a minute.")
            answer = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - kept until read
            trial._answer = answer
            trial._process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-m", trying.__name__],
                stdin=subprocess.PIPE,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert trial._process.stdin is not None
            with trial._process.stdin as pipe:
                pipe.write(trying.to_json(trial.asked))
            self._all[id] = trial
            for old in list(self._all)[:-KEPT]:
                self._all.pop(old).stop()

    def of(self, id: str, person: str) -> Trial:
        """A person's trial as it is now; raises Refused where it is gone or somebody else's."""
        with self._lock:
            trial = self._all.get(id)
            if trial is None or trial.person != person:
                raise Refused("this trial is gone; try the query again")
            trial.look(self.clock())
            return trial
