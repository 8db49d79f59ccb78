"""How often something happened in two groups, as a result reports it: of people, or of time watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Events and others in the intervention group (a, b) and in the comparison group (c, d)."""

    a: float
    b: float
    c: float
    d: float

    @property
    def has_zero(self) -> bool:
        """Whether a group has no event, or nothing but events."""
        return 0 in (self.a, self.b, self.c, self.d)

    @property
    def people(self) -> int:
        return round(self.a + self.b + self.c + self.d)

    @property
    def comparator_risk(self) -> float | None:
        """Share of the comparison group that had the event."""
        if self.c + self.d:
            return self.c / (self.c + self.d)
        return None

    @property
    def lacks_a_group(self) -> bool:
        """Whether nobody is in one of the groups."""
        return self.a + self.b == 0 or self.c + self.d == 0

    @property
    def without_events(self) -> bool:
        """Whether nobody had the event in either group."""
        return self.a == self.c == 0

    @property
    def only_events(self) -> bool:
        """Whether everybody had the event in both groups."""
        return self.b == self.d == 0

    def turned(self) -> Table:
        """The same, counting the opposite event."""
        return Table(self.b, self.a, self.d, self.c)


@dataclass(frozen=True, slots=True)
class Rates:
    """Events and the time in which they were counted, in the intervention group (x1, t1) and in the
    comparison group (x2, t2).
    """

    x1: float
    t1: float
    x2: float
    t2: float

    @property
    def has_zero(self) -> bool:
        """Whether a group has no event."""
        return 0 in (self.x1, self.x2)

    @property
    def without_events(self) -> bool:
        """Whether nothing happened in either group."""
        return self.x1 == self.x2 == 0

    @property
    def lacks_time(self) -> bool:
        """Whether one of the groups was watched for no time at all."""
        return 0 in (self.t1, self.t2)


def table_from(reported: Mapping[str, float]) -> Table | None:
    """The counts among a result's figures; None where they are not all given, or can't be counts."""
    a, c = reported.get("ai"), reported.get("ci")
    if a is None or c is None:
        return None
    b = _others(reported, "bi", "n1i", a)
    d = _others(reported, "di", "n2i", c)
    if b is None or d is None or min(a, b, c, d) < 0:
        return None
    return Table(a, b, c, d)


def _others(
    reported: Mapping[str, float], others: str, size: str, with_event: float
) -> float | None:
    """Those of a group without the event: as reported, else what is left of all its people."""
    if others in reported:
        return reported[others]
    if size in reported:
        return reported[size] - with_event
    return None


def rates_from(reported: Mapping[str, float]) -> Rates | None:
    """The counts by time among a result's figures; None where they are not all given."""
    names = ("x1i", "t1i", "x2i", "t2i")
    if any(name not in reported for name in names):
        return None
    values = [reported[name] for name in names]
    return Rates(*values) if min(values) >= 0 else None
