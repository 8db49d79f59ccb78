"""Numbers that no study can have, and studies that stand twice: told by row, before anything is
pooled.

A sign that slipped or two columns in the wrong order give an effect all the same, and a study that
counts twice makes an interval too narrow. Neither shows in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from livereview.errors import Refused
from livereview.statistics.tau2 import Number

Column = Sequence[Number]
MOST_TOLD = 5  # mistakes in one message; who mends these sees the next

# What each column is in words, and what it can't be.
_VARIANCES = {"vi": "the variance", "sei": "the standard error"}
_DEVIATIONS = dict.fromkeys(("sd1i", "sd2i", "sdi", "sdpi", "sddi"), "the standard deviation")
_COUNTS = {
    **dict.fromkeys(("ai", "bi", "ci", "di", "xi", "x1i", "x2i", "mi"), "the number of events"),
    **dict.fromkeys(("t1i", "t2i", "ti"), "the time at risk"),
}
_PEOPLE = dict.fromkeys(("n1i", "n2i", "ni"), "the number of people")
_NEVER_NEGATIVE = _VARIANCES | _DEVIATIONS | _COUNTS | _PEOPLE
_EVENTS_OF = (("ai", "n1i"), ("ci", "n2i"), ("xi", "ni"))
# Correlations, which are shares of a whole and its opposite.
_CORRELATIONS = ("ri", "r1i", "r2i")


def check(columns: Mapping[str, Column], unit: str = "study") -> None:
    """Nothing, for numbers that studies can have.

    Args:
        columns: By metafor's names.
        unit: What one place of a column is called: "study" in JSON, "row" in a sheet.

    Raises:
        Refused: it names each row, its number and what is wrong with it.
    """
    wrong = list(_impossible(columns, unit))
    if wrong:
        more = f"; and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        raise Refused("; ".join(wrong[:MOST_TOLD]) + more)


def _impossible(columns: Mapping[str, Column], unit: str) -> Iterator[str]:
    for name, words in _NEVER_NEGATIVE.items():
        for place, value in _where(columns, name, lambda value: value < 0):
            yield f"{unit} {place}: {words} ({name}) is negative: {value:g}"
    for name, words in _PEOPLE.items():
        for place, _ in _where(columns, name, lambda value: value == 0):
            yield f"{unit} {place}: {words} ({name}) is 0; leave out a group that nobody is in"
    for name in _CORRELATIONS:
        for place, value in _where(columns, name, lambda value: abs(value) > 1):
            yield f"{unit} {place}: the correlation ({name}) is {value:g}, which is not between -1 and 1"
    for events, people in _EVENTS_OF:
        yield from _more_events(columns, events, people, unit)


def _where(
    columns: Mapping[str, Column], name: str, wrong: Callable[[float], bool]
) -> Iterator[tuple[int, float]]:
    """The places, counted from 1, and values of a column of which this is so."""
    for place, value in enumerate(columns.get(name, ()), start=1):
        if value is not None and wrong(value):
            yield place, value


def _more_events(
    columns: Mapping[str, Column], events: str, people: str, unit: str
) -> Iterator[str]:
    pairs = zip(columns.get(events, ()), columns.get(people, ()), strict=False)
    for place, (happened, among) in enumerate(pairs, start=1):
        if happened is not None and among is not None and happened > among:
            yield (
                f"{unit} {place}: more events than people: {events} is {happened:g}, "
                f"{people} is {among:g}"
            )


def twice(labels: Sequence[str | None]) -> tuple[str, ...]:
    """A sentence for each study that more than one row is of, however its name is written."""
    rows: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for place, label in enumerate(labels, start=1):
        key = " ".join((label or "").casefold().split())
        if key:
            rows.setdefault(key, []).append(place)
            names.setdefault(key, label or "")
    return tuple(
        f"study {names[key]} stands in more than one row ({', '.join(map(str, places))}): its effects "
        "depend on each other, so they count too much unless a cluster column says so"
        for key, places in rows.items()
        if len(places) > 1
    )
