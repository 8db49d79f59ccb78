"""When a cron line is due.

The line was checked by `review_toml`: five fields, names for months and days allowed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_GAP = 366 * 9  # days between two slots of "0 2 29 2 *" around a year such as 2100


class _Line(NamedTuple):
    """The minutes, hours, days, months and weekdays (Sunday 0) of a cron line."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def falls_on(self, day: date) -> bool:
        """Whether the line is due on this day.

        Where both kinds of day are given either will do, as cron has it.
        """
        if day.month not in self.months:
            return False
        on_day = day.day in self.days
        on_weekday = day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return on_day and on_weekday
        return on_day or on_weekday


_LONG_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_AT = re.compile(r"(\d{1,2}) (\d{1,2}) (\*|\d{1,2}) \* (\S+)")


def in_words(cron: str) -> str:
    """When the line is due: "every Monday at 06:00"; a line of another kind stands as it is."""
    match = _AT.fullmatch(cron)
    if match is None:
        return f"by the schedule {cron}"
    minute, hour, day, weekdays = match.groups()
    time_of_day = f"{int(hour):02}:{int(minute):02}"
    if weekdays == "*":
        which = "day" if day == "*" else f"month, on day {int(day)},"
        return f"every {which} at {time_of_day}"
    names = [_weekday(name) for name in weekdays.split(",")]
    if day != "*" or None in names:
        return f"by the schedule {cron}"
    return f"every {' and '.join(str(name) for name in names)} at {time_of_day}"


def _weekday(name: str) -> str | None:
    """Monday for "mon" and "1"; None for what is no single day."""
    if name.isdecimal():
        return _LONG_DAYS[int(name) % 7]
    if name.lower() in DAYS:
        return _LONG_DAYS[DAYS.index(name.lower())]
    return None


def slot_before(cron: str, timezone: str, moment: datetime) -> datetime | None:
    """The last time, in UTC, that the line was due at or before this moment.

    None: not within years.
    """
    day = moment.astimezone(ZoneInfo(timezone)).date() + timedelta(days=1)
    for _ in range(LONGEST_GAP):
        due = [slot for slot in _slots(cron, timezone, day) if slot <= moment]
        if due:
            return due[-1]
        day -= timedelta(days=1)
    return None


def slot_after(cron: str, timezone: str, moment: datetime) -> datetime | None:
    """The first time, in UTC, that the line is due after this moment; None: not within years."""
    day = moment.astimezone(ZoneInfo(timezone)).date() - timedelta(days=1)
    for _ in range(LONGEST_GAP):
        due = [slot for slot in _slots(cron, timezone, day) if slot > moment]
        if due:
            return due[0]
        day += timedelta(days=1)
    return None


def _slots(cron: str, timezone: str, day: date) -> list[datetime]:
    """The times of one local day, in UTC and in order.

    An hour that the clocks skip counts as the one after it.
    """
    line = _read(cron)
    if not line.falls_on(day):
        return []
    zone = ZoneInfo(timezone)
    times = [time(hour, minute, tzinfo=zone) for hour in line.hours for minute in line.minutes]
    return sorted({datetime.combine(day, each).astimezone(UTC) for each in times})


@lru_cache(maxsize=256)
def _read(cron: str) -> _Line:
    minute, hour, day, month, weekday = cron.lower().split()
    return _Line(
        minutes=_numbers(minute, 0, 59),
        hours=_numbers(hour, 0, 23),
        days=_numbers(day, 1, 31),
        months=_numbers(month, 1, 12, MONTHS, first=1),
        weekdays=frozenset(number % 7 for number in _numbers(weekday, 0, 7, DAYS)),
        any_day=day.startswith("*"),
        any_weekday=weekday.startswith("*"),
    )


def _numbers(
    field: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0
) -> frozenset[int]:
    """What a field stands for: *, 5, 1-5, */15, 0-30/10 and lists of these.

    Fri-mon goes round the week.
    """
    numbers: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        start, _, end = span.partition("-")
        if start == "*":
            begin, last = low, high
        else:
            begin = _number(start, names, first)
            if end:
                last = _number(end, names, first)
            elif step:
                last = high
            else:
                last = begin
        if last < begin:
            last += 7
        numbers.update(range(begin, last + 1, int(step or 1)))
    return frozenset(number if number <= high else number - 7 for number in numbers)


def _number(word: str, names: tuple[str, ...], first: int) -> int:
    return names.index(word) + first if word in names else int(word)
