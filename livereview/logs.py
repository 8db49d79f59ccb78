"""What the service writes of itself: one JSON object a line, so that no text from outside can pass
for another line; or plain lines, where a person reads along.

Each line that belongs to a request names it, and so does each that belongs to a night's run. Nor
can anybody fill the disk with it: a warning that repeats is written once a minute, with a count.
"""

from __future__ import annotations

import json
import logging
import math
import re
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

WINDOW = 60.0  # seconds in which a warning of one kind is written once
KINDS = 1_000  # kinds that are remembered
# lines a logger may write in WINDOW, of whatever kinds: texts from outside can vary without end
LINES = 120
NOTES = 6_000  # likewise of notes that warn of nothing, such as one for each request of a night
VARYING = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)
KEPT = 200  # characters of a message that make its kind


PLAIN = "%(asctime)s %(levelname)s %(message)s"

# What this piece of work belongs to: a request to the web app, and the run of a night that asks.
REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
RUN: ContextVar[str | None] = ContextVar("run", default=None)


def _belonging(record: logging.LogRecord) -> dict[str, str]:
    """The request and the run that a line belongs to, where it does.

    Kept with the line, as one that is held back is written later.
    """
    kept: dict[str, str] | None = getattr(record, "belonging", None)
    if kept is None:
        both = {"request": REQUEST.get(), "run": RUN.get()}
        kept = {name: value for name, value in both.items() if value}
        record.belonging = kept
    return kept


class Lines(logging.Formatter):
    """{"time", "level", "logger", "message"}, "request" and "run" where a line belongs to one, what
    its `fields` say and, of an error, "trace".

    Control characters are escaped by JSON.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_belonging(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Words(logging.Formatter):
    """For people: the time, the message, and the request and run that it belongs to.

    What could steer the terminal is shown as an escape.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        first, end, rest = text.partition("\n")
        first += "".join(f" {name}={value}" for name, value in _belonging(record).items())
        text = f"{first}{end}{rest}"
        return "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in text)


@dataclass(slots=True)
class Window:
    """What may still be written of one kind until a moment, how many lines were held back, and the
    last of them.
    """

    until: float
    allowed: int
    held: int = 0
    last: logging.LogRecord | None = None

    def takes(self, record: logging.LogRecord) -> bool:
        if self.allowed > 0:
            self.allowed -= 1
            return True
        self.held += 1
        self.last = record
        return False


class RateLimited(logging.StreamHandler[TextIO]):
    """Writes a warning or worse of one kind once in WINDOW.

    The next line tells how many were held back.

    Of one kind are lines of one logger and level whose beginnings differ in numbers only. What a
    logger writes in all is limited as well.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic):
        super().__init__(stream)
        self._clock = clock
        self._windows: dict[tuple[str, int, str], Window] = {}
        self._next_end = math.inf
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        _belonging(record)
        with self._guard:
            lines = self._due(record)
        for line in lines:
            super().emit(line)

    def _due(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """What to write now: the counts of windows that are over, and this record unless it is held
        back.
        """
        now = self._clock()
        lines: list[logging.LogRecord] = []
        if now >= self._next_end or len(self._windows) > KINDS:
            lines = self._finished(now)
        if self._may_be_written(record, now):
            lines.append(record)
        return lines

    def _may_be_written(self, record: logging.LogRecord, now: float) -> bool:
        is_warning = record.levelno >= logging.WARNING
        of_logger = self._window(
            (record.name, record.levelno, ""), LINES if is_warning else NOTES, now
        )
        if not of_logger.takes(record):
            return False
        if not is_warning:
            return True
        is_first = self._window((record.name, record.levelno, _kind(record)), 1, now).takes(record)
        if not is_first:
            of_logger.allowed += 1
        return is_first

    def _window(self, kind: tuple[str, int, str], allowed: int, now: float) -> Window:
        window = self._windows.get(kind)
        if window is None:
            window = self._windows[kind] = Window(now + WINDOW, allowed)
            self._next_end = min(self._next_end, window.until)
        return window

    def _finished(self, now: float) -> list[logging.LogRecord]:
        """A line for each kind of which some were held back and whose window is over, or must make
        room.
        """
        too_many = max(0, len(self._windows) - KINDS)
        over = list(self._windows)[:too_many]
        over += [kind for kind, window in self._windows.items() if window.until <= now]
        lines = []
        for kind in over:
            window = self._windows.pop(kind, None)
            if window is not None and window.last is not None:
                lines.append(_counted(window.last, window.held, kind))
        self._next_end = min((window.until for window in self._windows.values()), default=math.inf)
        return lines


def _kind(record: logging.LogRecord) -> str:
    first_line = record.getMessage()[:KEPT].partition("\n")[0]
    if record.exc_info and record.exc_info[0]:
        error = record.exc_info[0].__name__
    else:
        error = ""
    return f"{error} {VARYING.sub('#', first_line)}"


def _counted(last: logging.LogRecord, held: int, kind: tuple[str, int, str]) -> logging.LogRecord:
    """How often a line was held back, with its last message and without its trace, which was
    written the first time.
    """
    times = "once more" if held == 1 else f"{held:,} times more"
    if kind[2]:
        message = f"{last.getMessage()} ({times} within {WINDOW:g} s)"
    else:
        message = f"{held:,} more lines of this logger were left out within {WINDOW:g} s, the last: {last.getMessage()}"
    line = logging.LogRecord(
        last.name, last.levelno, last.pathname, last.lineno, message, None, None
    )
    line.created, line.belonging = last.created, _belonging(last)
    return line


def start(stream: TextIO, form: str = "", level: str = "info") -> None:
    """Log warnings and worse of everything, and the service's own notes, to this stream.

    Args:
        stream: Where to.
        form: `json` or `plain`; nothing: plain at a terminal, else JSON.
        level: What the service's own notes must be at least.
    """
    handler = RateLimited(stream)
    plain = form == "plain" or (not form and stream.isatty())
    handler.setFormatter(Words(PLAIN) if plain else Lines())
    own = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, own), force=True)
    logging.getLogger("livereview").setLevel(own)
