"""Readers of the values in review.toml: each returns what the review holds, or raises Wrong with
the next step.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from livereview.review import STAGES
from livereview.review_toml.lines import Where

_MONTHS = dict(
    zip(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        range(1, 13),
        strict=True,
    )
)
# characters of a word that is looked for among the choices, which takes the square of them
LONGEST_MEANT = 100
_DAYS = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), range(7), strict=True))
_CRON: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)


class Wrong(Exception):
    """What is wrong with a value; `inside` says where in it: the place in a list or the key of a
    small table.
    """

    def __init__(self, message: str, inside: Where = ()):
        super().__init__(message)
        self.inside = inside


def meant(word: str, choices: Collection[str]) -> str:
    if len(word) > LONGEST_MEANT:
        return ""
    close = get_close_matches(word, sorted(choices), 1)
    return f' — did you mean "{close[0]}"?' if close else ""


def _shown(value: Any) -> str:
    """The value as TOML writes it, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return "a table"
    return reprlib.repr(value)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(f'must be a text in quotes, e.g. "words"; this is {_shown(value)}')
    if not value.strip():
        raise Wrong('is empty; write the words, or "none" where there is nothing to say')
    return value.strip()


def slug(value: Any) -> str:
    if not re.fullmatch("[a-z0-9-]{1,64}", word := text(value)):
        raise Wrong(
            f'"{word}" must be 1 to 64 of small letters a-z, digits and hyphens, e.g. "entering-care"'
        )
    return word


def word(value: Any) -> str:
    """A judgement as forms and sheets hold it."""
    if not re.fullmatch("[a-z0-9_]{1,40}", given := text(value)):
        raise Wrong(
            f'"{given}" must be 1 to 40 of small letters a-z, digits and _, e.g. "some_concerns"'
        )
    return given


def labels(value: Any) -> tuple[tuple[str, str], ...]:
    """Ids with what each is about, in their order."""
    pairs = []
    for name, given in table(value).items():
        if not re.fullmatch("[a-z0-9-]{1,64}", name):
            raise Wrong(
                f'"{name}" must be 1 to 64 of small letters a-z, digits and hyphens', (name,)
            )
        try:
            pairs.append((name, text(given)))
        except Wrong as wrong:
            raise Wrong(str(wrong), (name, *wrong.inside)) from None
    if not pairs:
        raise Wrong(
            'is empty; give each an id and words, e.g. { sampling = "how people were chosen" }'
        )
    return tuple(pairs)


def currency(value: Any) -> str:
    if not re.fullmatch("[A-Z]{3}", given := text(value)):
        raise Wrong(f'"{given}" must be the three letters of a currency, e.g. "GBP"')
    return given


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, without quotes; this is {_shown(value)}")
    return value


def whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Wrong(
                f"must be a whole number from {low} to {high}, without quotes; this is {_shown(value)}"
            )
        return value

    return read


def positive(value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value < float("inf"):
        raise Wrong(f"must be a number above 0, without quotes; this is {_shown(value)}")
    return float(value)


def amount(value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value < float("inf")
    ):
        raise Wrong(f"must be a number, 0 or more, without quotes; this is {_shown(value)}")
    return float(value)


def share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value < 1:
        raise Wrong(f"must be a number from 0.5 to below 1, such as 0.95; this is {_shown(value)}")
    return float(value)


def shares(value: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, dict):
        raise Wrong(
            f"must be names with percentages, e.g. {{ amina = 60, ben = 40 }}; this is {_shown(value)}"
        )
    for name, part in value.items():
        if not name.isidentifier():
            raise Wrong(
                f'"{name}" is no account: their names have letters, digits and _ only', (name,)
            )
        if isinstance(part, bool) or not isinstance(part, int | float) or not 0.01 <= part <= 100:
            raise Wrong(
                f"must be a percentage from 0.01 to 100, without quotes; this is {_shown(part)}",
                (name,),
            )
    return tuple((name, float(part)) for name, part in value.items())


def choice(what: str, choices: Collection[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if (word := text(value)) not in choices:
            raise Wrong(
                f'unknown {what} "{word}"; choose one of {", ".join(choices)}{meant(word, choices)}'
            )
        return word

    return read


def source(sources: Collection[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        word = text(value)
        if word not in sources and not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", word):
            known = f'choose one of {", ".join(sources)} or "package.module:Attribute"'
            raise Wrong(f'unknown source "{word}"; {known}{meant(word, sources)}')
        return word

    return read


def day(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise Wrong(f"must be a day as year-month-day, e.g. 2026-01-31; this is {_shown(value)}")


def url(value: Any) -> str:
    word = text(value)
    try:
        parts = urlsplit(word)
        if parts.scheme in ("http", "https") and parts.hostname and not re.search(r"\s", word):
            return word
    except ValueError:
        pass
    raise Wrong(f'"{word}" must be an address that begins with https:// or http://')


def doi(value: Any) -> str:
    if not re.fullmatch(r"10\.\d{4,9}/\S+", word := text(value)):
        raise Wrong(f'"{word}" must be a DOI without its resolver, e.g. "10.1000/xyz"')
    return word.lower()


def zone(value: Any) -> str:
    word = text(value)
    try:
        return ZoneInfo(word).key
    except (KeyError, ValueError, OSError):
        near = meant(word, available_timezones())
        raise Wrong(
            f'unknown time zone "{word}"; give Area/City, e.g. "Europe/London", or "UTC"{near}'
        ) from None


def cron(value: Any) -> str:
    parts = text(value).split()
    if len(parts) != len(_CRON):
        example = '"0 2 * * *" is every night at 02:00, "0 2 * * mon" every Monday, "0 2 1 * *" the first of each month'
        raise Wrong(f"has {len(parts)} fields, not 5 (minute hour day month weekday); {example}")
    for part, field in zip(parts, _CRON, strict=True):
        for item in part.split(","):
            _cron_item(item, *field)
    if re.fullmatch("30|31", parts[2]) and parts[3].lower() in ("2", "02", "feb"):
        raise Wrong(f'"{value}" never comes: February has no day {parts[2]}')
    return " ".join(parts)


def _cron_item(item: str, what: str, low: int, high: int, names: Mapping[str, int]) -> None:
    """One of *, 5, 1-5, */15 or 0-30/10, where names such as mon stand for numbers.

    A week may end before it begins.
    """
    found = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d?))?", item, re.ASCII)
    ends = (
        [str(names.get(end.lower(), end)) for end in found.groups()[:2] if end] if found else [item]
    )
    numbers = [int(end) for end in ends if re.fullmatch("[0-9]{1,2}", end)]
    in_order = numbers == sorted(numbers) or names is _DAYS
    if (
        not found
        or len(numbers) < len(ends)
        or not in_order
        or not all(low <= n <= high for n in numbers)
    ):
        words = f" or {', '.join(names)}" if names else ""
        raise Wrong(
            f'"{item}" is no {what}: give *, a number from {low} to {high}{words}, a range 1-5 or a step */2'
        )


def list_of(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Wrong(f'must be a list in [ ], e.g. ["one", "two"]; this is {_shown(value)}')
        found = []
        for n, item in enumerate(value):
            try:
                found.append(read(item))
            except Wrong as wrong:
                raise Wrong(str(wrong), (n, *wrong.inside)) from None
        return tuple(found)

    return read_all


def series(value: Any) -> str:
    """Two or more names of one series: "Campbell Reviews = The Campbell Library"."""
    line = text(value)
    names = [name.strip() for name in line.split("=")]
    if len(names) < 2 or not all(names):
        raise Wrong(
            f'must be two or more names with "=" between them, e.g. "Campbell Reviews = The Campbell '
            f'Library"; this is {_shown(value)}'
        )
    return line


def stages(value: Any) -> tuple[str, ...]:
    found = list_of(choice("stage", STAGES))(value)
    if not found or found != tuple(stage for stage in STAGES if stage in found):
        raise Wrong(
            f"must name one or more stages, each once and in this order: {', '.join(STAGES)}"
        )
    return found


def filters(value: Any) -> tuple[tuple[str, str], ...]:
    """Each value of a list is a filter of its own: to most sources that means "or"."""
    pairs = []
    for name, given in table(value).items():
        for item in given if isinstance(given, list) else [given]:
            if not isinstance(item, (str, int)) or item == "":
                raise Wrong(
                    f"must be a text, a whole number, true or false, or a list of them; not {_shown(item)}",
                    (name,),
                )
            pairs.append((name, str(item).lower() if isinstance(item, bool) else str(item)))
    return tuple(pairs)


def table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(
            "must be one table: write its name in single brackets, [name], and its keys below"
        )
    return value


def rows(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Wrong(
            "must be a list of tables: write its name in double brackets, [[name]], before each of them"
        )
    return value
