"""A calendar of searches as an iCalendar file (RFC 5545): days that recur, by the protocol's schedule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
"""As iCalendar names them, in cron's order from 0."""

NAMES = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
MONTH, WEEK = range(1, 32), range(8)
"""Days that cron knows; Sunday is 0 and 7."""

LINE = 75
"""Octets of a line (section 3.1); a longer one goes on after a blank."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Days on which something happens: days of the month, or of the week (Sunday is 0)."""

    month_days: tuple[int, ...] = ()
    week_days: tuple[int, ...] = ()

    @property
    def rule(self) -> str:
        """As an RRULE."""
        if self.month_days:
            return f"FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, self.month_days))}"
        return f"FREQ=WEEKLY;BYDAY={','.join(DAYS[day] for day in self.week_days)}"

    def first(self, after: date) -> date:
        """The first such day after this one."""
        day = after + timedelta(days=1)
        while not self._holds(day):
            day += timedelta(days=1)
        return day

    def _holds(self, day: date) -> bool:
        if self.month_days:
            return day.day in self.month_days
        return day.isoweekday() % 7 in self.week_days


@dataclass(frozen=True, slots=True)
class Event:
    """What happens on days that recur.

    Attributes:
        uid: For ever.
        address: Whole; None: not known.
        known: The moment up to which this is known, with its offset.
    """

    uid: str
    title: str
    text: str
    address: str | None
    known: str
    when: Recurrence


def recurrence(cron: str) -> Recurrence | None:
    """The days of a cron line that names days of the month or of the week.

    None for every day, which nobody wants in a calendar, and for what would have to be guessed.
    """
    fields = cron.split()
    if len(fields) != 5 or fields[3] != "*":
        return None
    month_days, week_days = _numbers(fields[2]), _numbers(fields[4])
    if month_days is None or week_days is None or bool(month_days) == bool(week_days):
        return None
    if any(day not in MONTH for day in month_days) or any(day not in WEEK for day in week_days):
        return None
    return Recurrence(month_days, tuple(sorted({day % 7 for day in week_days})))


def _numbers(field: str) -> tuple[int, ...] | None:
    """The numbers of a field, of names of days too; empty: all of them; None: none of these."""
    if field == "*":
        return ()
    parts = [str(NAMES.get(part.lower(), part)) for part in field.split(",")]
    if not all(part.isdigit() for part in parts):
        return None
    return tuple(sorted(set(map(int, parts))))


def calendar(events: Sequence[Event]) -> bytes:
    """The file; empty bytes without an event, as a calendar must have one."""
    if not events:
        return b""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//livereview//searches//EN",
        "X-WR-CALNAME:Living reviews: searches",
    ]
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _event(event: Event) -> list[str]:
    known = datetime.fromisoformat(event.known).astimezone(UTC)
    first = event.when.first(known.date())
    lines = [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{known:%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{first:%Y%m%d}",
        f"RRULE:{event.when.rule}",
        f"SUMMARY:{_text(event.title)}",
        f"DESCRIPTION:{_text(event.text)}",
        "TRANSP:TRANSPARENT",
    ]
    if event.address:
        lines.append(f"URL:{event.address}")
    return [*lines, "END:VEVENT"]


def _text(value: str) -> str:
    """A text with what has a meaning of its own escaped (section 3.3.11)."""
    plain = " ".join(value.split())
    return re.sub(r"([\\;,])", r"\\\1", plain)


def _folded(line: str) -> str:
    """The line in pieces of at most LINE octets; no letter is broken."""
    pieces: list[str] = []
    piece, octets = "", 0
    for letter in line:
        size = len(letter.encode())
        if octets + size > LINE:
            pieces.append(piece)
            piece, octets = " ", 1
        piece += letter
        octets += size
    return "\r\n".join([*pieces, piece])
