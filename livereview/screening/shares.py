"""Who is asked about which report where reviewers have shares: drawn by weighted rendezvous
hashing.

It depends on nothing but the names, never on the order of arrival, and a changed share moves as few
reports as can be. Each person waits for each report a time drawn from (review, report, person),
exponential with their share as its rate; the `votes` shortest waits are asked. A changed share
changes that person's waits only: reports move to or from them, never between others. Rendezvous:
Thaler and Ravishankar, IEEE/ACM Trans Netw 1998;6:1-14. Weighted so, the first is
asked in proportion to the shares, and each next one likewise among those who are left: Efraimidis
and Spirakis, Inf Process Lett 2006;97:181-5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray

# a report's id is a hash of its own: its first four digits stand for it, so that a table can hold
# all
SLOTS = 65_536


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """Somebody who takes a share of the reports, above 0; only the proportions of shares count."""

    name: str
    share: float
    core: bool = False


def slot(report_id: str) -> int:
    """The slot that stands for a report, from 0 to below SLOTS."""
    return int(report_id[1:5], 16)


def assigned(review: str, report_id: str, people: Sequence[Person], votes: int) -> tuple[str, ...]:
    """Who is asked about this report, by name."""
    table, place = deal(review, tuple(sorted(people)), votes), slot(report_id)
    return tuple(name for name, slots in table.items() if slots[place >> 3] >> (7 - place % 8) & 1)


def lack(people: Sequence[Person], votes: int, core: bool) -> str | None:
    """Why these people can't give every report its votes by themselves; None if they can.

    Else everybody is asked.

    Args:
        core: Whether one of the votes must be a core reviewer's.
    """
    if len(people) < votes:
        return f"only {len(people)} of those named have an open account that votes, and each record needs {votes}"
    if core and not any(one.core for one in people):
        return "no core reviewer is left among those named, and each record needs a vote of one"
    return None


@lru_cache(maxsize=64)
def deal(review: str, people: tuple[Person, ...], votes: int) -> Mapping[str, bytes]:
    """The slots of each person, by name: SLOTS bits, the first one the highest of the first byte.

    Every slot has `votes` people, or all where there are fewer; where some are core reviewers, at
    least one of them: the nearest takes the last seat. `people` come in any order, and a change of
    it changes nothing.
    """
    order = nearest_first(review, people)
    chosen = order[:, :votes].copy()
    core = np.array([one.core for one in people])
    if core.any():
        nearest = np.argmax(core[order], axis=1)
        without = np.flatnonzero(nearest >= votes)
        chosen[without, -1] = order[without, nearest[without]]
    seats = np.zeros(order.shape, dtype=bool)
    np.put_along_axis(seats, chosen, True, axis=1)
    return {one.name: np.packbits(seats[:, n]).tobytes() for n, one in enumerate(people)}


def nearest_first(review: str, people: Sequence[Person]) -> NDArray[np.int64]:
    """For each slot the places of `people` in the order in which they are asked.

    It depends on nothing but names.
    """
    waits = np.column_stack([_waits(review, person) for person in people])
    order: NDArray[np.int64] = np.argsort(waits, axis=1, kind="stable")
    return order


def _waits(review: str, one: Person) -> NDArray[np.float64]:
    """The logarithm of the person's wait for each slot.

    Of its like for every other person it is independent.
    """
    drawn = np.frombuffer(
        shake_256(f"{review}\0{one.name}".encode()).digest(8 * SLOTS), dtype=">u8"
    )
    uniform = ((drawn >> 11) + 0.5) / 2**53
    waits: NDArray[np.float64] = np.log(-np.log(uniform)) - np.log(one.share)
    return waits
