"""Settled reports asked again: how steady a reviewer is, seen by answers that decide nothing.

Half of the items went on and half did not, as far as there are: excluded reports alone would say
little. A coefficient over them is therefore not that of the everyday stream, where nearly all is
excluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from numpy.random import default_rng

from livereview.screening.agreement import Coefficient, Vote, ac1, kappa


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of one reviewer: `settled` and `said` are include or exclude.

    Said, month: None until it is answered.

    Attributes:
        own: The reviewer's was one of the votes that settled it.
        month: Of the answer, as 2026-03.
    """

    reviewer: str
    item: str
    settled: str
    own: bool
    said: str | None = None
    month: str | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """How the answers of one month compare with what was decided."""

    month: str
    answered: int
    same: int
    ac1: Coefficient


@dataclass(frozen=True, slots=True)
class Told:
    """How one reviewer's answers compare with what was decided; `own` counts those of the answered
    on which they had voted, and `own_same` how often they said the same again.
    """

    reviewer: str
    asked: int
    answered: int
    same: int
    own: int
    own_same: int
    kappa: Coefficient
    ac1: Coefficient
    months: tuple[Month, ...]


def draw(pool: Iterable[tuple[str, str]], number: int, seed: int) -> tuple[str, ...]:
    """So many of the (report, verdict), at random: half of each verdict, more of one where the
    other has too few.

    The same for the same pool, number and seed, whatever the order of the pool.
    """
    chance, settled = default_rng(seed), sorted(pool)
    mixed = [settled[place] for place in chance.permutation(len(settled))]
    excluded = [report for report, verdict in mixed if verdict == "exclude"]
    others = [report for report, verdict in mixed if verdict != "exclude"]
    half = max(min(len(others), (number + 1) // 2), number - len(excluded))
    chosen = others[:half] + excluded[: max(0, number - half)]
    return tuple(chosen[place] for place in chance.permutation(len(chosen)))


def gap(seed: int, place: int) -> int:
    """How many other records come before the item at this place of its draw: 7 to 13, so that
    nobody can count.
    """
    return 7 + crc32(f"{seed}/{place}".encode()) % 7


def turn(gaps: Sequence[int], since: int, waiting: int) -> tuple[bool, int]:
    """(whether the first item comes now, how many come while the reviewer works through what
    waits).

    With each decision and each answer `waiting` and what comes go down by one together: no count
    tells them apart.

    Args:
        gaps: Of the items that are not answered yet, in their order.
        since: Records decided since the last item was answered, or the first was drawn.
        waiting: Records that wait.
    """
    ahead = [max(0, gap - since) if n == 0 else gap for n, gap in enumerate(gaps)]
    coming = sum(sum(ahead[: n + 1]) <= waiting for n in range(len(ahead)))
    return bool(ahead) and ahead[0] == 0, coming


def told(asked: Iterable[Asked]) -> list[Told]:
    """What the answers say of each reviewer, by name."""
    by_name: dict[str, list[Asked]] = {}
    for one in asked:
        by_name.setdefault(one.reviewer, []).append(one)
    return [_told(name, some) for name, some in sorted(by_name.items())]


def _told(name: str, asked: Sequence[Asked]) -> Told:
    done = [one for one in asked if one.said]
    own = [one for one in done if one.own]
    return Told(
        name,
        len(asked),
        len(done),
        _same(done),
        len(own),
        _same(own),
        kappa([(one.settled, one.said or "") for one in done]),
        _ac1(done),
        tuple(_month(month, done) for month in sorted({one.month or "" for one in done})),
    )


def _month(month: str, done: Iterable[Asked]) -> Month:
    here = [one for one in done if one.month == month]
    return Month(month, len(here), _same(here), _ac1(here))


def _same(done: Iterable[Asked]) -> int:
    return sum(one.said == one.settled for one in done)


def _ac1(done: Iterable[Asked]) -> Coefficient:
    return ac1(
        vote
        for one in done
        for vote in (Vote(one.item, "", one.settled), Vote(one.item, "?", one.said or ""))
    )
