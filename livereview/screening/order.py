"""What a reviewer's queue may tell of others: nothing, unless it could be anybody.

That a colleague has voted must not show by the order of a queue or by its length. In a small team
it would name the
colleague: of two reviewers there is only one who can have put a record first. So there are two ways
    to order a queue.

A crowd: at least CROWD other people may have voted on any record that waits. Then half-screened
records come first, and
nobody is shown a record that is in enough hands already: whose vote or whose hands those are,
nobody can say.

A small team: the order is that of the ranking, or of arrival, moved only by a draw from names. Each
record has a first reader for each vote that it needs, a next one, and so on, by rendezvous hashing
as for shares; each further person meets it later by as many places as hold OWN_READS records of
their own (`step_of`). Nothing of it depends on a vote or on
what others have before them. Every record comes to everybody in the end, so all are finished even
where some people never come; and people who work side by side meet different records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from livereview.screening.shares import SLOTS, Person, deal, nearest_first

CROWD = 10  # others who may have voted: counts below ten are what statistical offices suppress
# Records of which one is a first reader, between one's turn and the next: about a quarter of an
# hour's reading, in which the others of a record have usually been there. Counted in places it was
# too short for larger teams: of ten people with two votes one meets a record of their own at every
# fifth place, and 25 places were five records. Who was five behind then met a record that was on
# two other screens, and came too late with one decision in twelve.
OWN_READS = 17
PLANES = 4  # bits of a turn, which is below CROWD + 1


@dataclass(frozen=True, slots=True)
class Order:
    """How the queue of one person is ordered.

    Attributes:
        crowd: Half-screened records come first, and leases count.
        open_to: The slots of records that this person may vote on at all, as bits; None: every
        record.
        turns: The person's turn at each slot in binary, a plane of bits each, the lowest first;
            turn 0 comes at its place, turn n is `step` times n places later. Empty: everything at
            its place.
        step: Places between a turn and the next.
    """

    crowd: bool
    open_to: bytes | None = None
    turns: tuple[bytes, ...] = ()
    step: int = 0


PLAIN = Order(crowd=False)


def order(review: str, people: tuple[Person, ...], person: str, votes: int, shared: bool) -> Order:
    """How the queue of `person` is ordered in a review.

    Args:
        people: Everybody with an account who votes in the review, by name; core reviewers are
        marked.
        votes: Votes that a record takes.
        shared: Each record is dealt to as many people as it takes votes, by their shares: so nobody
        else is asked.
    """
    me = next((one for one in people if one.name == person), None)
    if shared or me is None:
        return PLAIN
    core = tuple(one for one in people if one.core)
    if not core:
        if len(people) - 1 >= CROWD:
            return Order(crowd=True)
        return _in_turn(review, people, person, votes, None)

    # One vote is a core reviewer's; the others are dealt in advance, so no count tells of a novice
    # who was quicker.
    novices = tuple(one for one in people if not one.core)
    open_to = None if me.core else deal(review, equal(novices), votes - 1)[person]
    others = len(core) - me.core + min(votes - 1, len(novices)) - (not me.core)
    crowd = others >= CROWD
    if crowd or not me.core:
        return Order(crowd, open_to)
    return _in_turn(review, core, person, 1, open_to)


def _in_turn(
    review: str, people: tuple[Person, ...], person: str, seats: int, open_to: bytes | None
) -> Order:
    """The order of a small team, in which everybody meets each record at their turn."""
    mine = turns(review, people, seats)[person]
    return Order(False, open_to, mine, step_of(len(people), seats) if mine else 0)


def step_of(people: int, seats: int) -> int:
    """The places among which so many people, `seats` of whom are a record's first readers, have
    OWN_READS records each of which they are a first reader.
    """
    return -(-OWN_READS * people // seats)


def equal(people: tuple[Person, ...]) -> tuple[Person, ...]:
    """The same people, all with one share."""
    return tuple(Person(one.name, 1.0) for one in people)


@lru_cache(maxsize=64)
def turns(review: str, people: tuple[Person, ...], seats: int) -> Mapping[str, tuple[bytes, ...]]:
    """The turn of each person at each slot, as planes of bits: 0 for the first `seats` people, then
    1, 2, …
    """
    if len(people) <= seats:
        return {one.name: () for one in people}
    nearest = nearest_first(review, equal(people))
    place = np.empty_like(nearest)
    np.put_along_axis(place, nearest, np.arange(len(people))[np.newaxis, :], axis=1)
    turn = np.maximum(place - (seats - 1), 0)
    return {
        one.name: tuple(_plane(turn[:, n], bit) for bit in range(PLANES))
        for n, one in enumerate(people)
    }


def _plane(turn: np.ndarray, bit: int) -> bytes:
    assert len(turn) == SLOTS
    return np.packbits((turn >> bit) & 1 == 1).tobytes()
