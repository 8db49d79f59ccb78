"""The three steps of a batch, each on one part: describe its records, let them meet, compare them.

They read and write files of the layout only, so that a part may be done by any process that reaches
the folder, twice if need be, and in any order within a step. Together they come to the verdicts that
`livereview.dedup_files` comes to in one process (tests/test_batches.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from livereview.batches.layout import (
    Blobs,
    Layout,
    read_section,
    write_blobs,
    write_sections,
)
from livereview.dedup.blocks import CAP, block_keys
from livereview.dedup.match import judge
from livereview.dedup.text import Features, features
from livereview.records import Record

Thing = TypeVar("Thing")

# The kinds of files of a batch.
IDS, RECORDS, FEATURES = "ids", "records", "features"
KEYS, PAIRS, VERDICTS = "keys", "pairs", "verdicts"

# A key as a number of 128 bits, in two halves: among ten million records with ten keys each, two
# keys share a number once in 10^22 batches.
_KEY = np.dtype([("high", "<u8"), ("low", "<u8"), ("record", "<i8")])
_PAIR = np.dtype([("later", "<i8"), ("earlier", "<i8")])
# A dataclass goes into a file as the tuple of its fields, which takes a third of the time.
_fields_of_record = attrgetter(*(field.name for field in fields(Record)))
_fields_of_features = attrgetter(*(field.name for field in fields(Features)))
_NEAR = 20_000  # features of other parts that a comparison keeps at hand, some 40 MB


class Verdict(NamedTuple):
    """What the rules say of two records that are not simply different, with what joining needs.

    `left` and `right` are the records' numbers, the one with the smaller id first; `dois` are
    theirs, "" where unknown.
    """

    left: int
    right: int
    verdict: str
    rule: str
    score: float
    dois: tuple[str, str]


def packed(record: Record | None) -> tuple[object, ...] | None:
    """A record as it lies in the batch's file; None where an entry was none."""
    return _fields_of_record(record) if record else None


def describe(layout: Layout, part: int) -> None:
    """Write what is compared of each record of the part, and the keys by which it meets others."""
    known: list[tuple[object, ...] | None] = []
    digests: list[bytes] = []
    numbers: list[int] = []
    for number, values in enumerate(Blobs(layout.file(RECORDS, part)), start=layout.first(part)):
        if values is None:
            known.append(None)
            continue
        described = features(Record(*values))
        known.append(_fields_of_features(described))
        for key in block_keys(described):
            digests.append(hashlib.blake2b(key.encode(), digest_size=16).digest())
            numbers.append(number)
    write_blobs(layout.file(FEATURES, part), known)
    keys = np.empty(len(digests), _KEY)
    halves = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)
    keys["high"], keys["low"], keys["record"] = halves[:, 0], halves[:, 1], numbers
    spread = (keys["high"] % np.uint64(len(layout.parts))).astype(np.int64)
    write_sections(layout.file(KEYS, part), keys, spread, len(layout.parts))


def meet(layout: Layout, part: int) -> None:
    """Write the pairs of records that share a key, for the keys of this part."""
    found = [read_section(layout.file(KEYS, other), part) for other in layout.parts]
    keys = np.concatenate(found)
    pairs = _pairs(np.sort(keys, order=("high", "low", "record")))
    of = pairs["later"] // layout.size
    write_sections(layout.file(PAIRS, part), pairs, of, len(layout.parts))


def compare(layout: Layout, part: int) -> None:
    """Write the verdicts on the pairs whose later record is in this part."""
    found = [read_section(layout.file(PAIRS, other), part) for other in layout.parts]
    pairs = np.unique(np.concatenate(found))
    write_blobs(layout.file(VERDICTS, part), _verdicts(layout, pairs))


def _pairs(keys: NDArray[np.void]) -> NDArray[np.void]:
    """Every two records of one key, where 2 to CAP have it; `keys` are sorted.

    One of all groups of a size at a time, which is fast and keeps memory within their number.
    """
    is_first = np.ones(len(keys), bool)
    is_first[1:] = (keys["high"][1:] != keys["high"][:-1]) | (keys["low"][1:] != keys["low"][:-1])
    starts = np.flatnonzero(is_first)
    sizes = np.diff(np.append(starts, len(keys)))
    found = [np.empty(0, _PAIR)]
    for size in np.unique(sizes[(sizes > 1) & (sizes <= CAP)]):
        groups = starts[sizes == size]
        numbers = keys["record"][groups[:, np.newaxis] + np.arange(size)]
        later, earlier = np.tril_indices(size, -1)
        pairs = np.empty(len(groups) * len(later), _PAIR)
        pairs["later"] = numbers[:, later].ravel()
        pairs["earlier"] = numbers[:, earlier].ravel()
        found.append(np.unique(pairs))
    return np.unique(np.concatenate(found))


def _verdicts(layout: Layout, pairs: NDArray[np.void]) -> Iterator[Verdict]:
    keys: _Lookup[str] = _Lookup(layout, IDS)
    described = _Lookup(layout, FEATURES, lambda values: Features(*values))
    for later, earlier in pairs.tolist():
        left, right = earlier, later
        if keys[later] < keys[earlier]:
            left, right = later, earlier
        a, b = described[left], described[right]
        judged = judge(a, b)
        if judged.verdict != "different":
            score = judged.scores["score"] or 0.0
            yield Verdict(left, right, judged.verdict, judged.rule, score, (a.doi, b.doi))


class _Lookup(Generic[Thing]):
    """Things of one kind by their records' numbers, the last used at hand."""

    def __init__(
        self, layout: Layout, kind: str, made: Callable[[Any], Thing] = lambda value: value
    ) -> None:
        self._layout, self._kind, self._made = layout, kind, made
        self._opened: dict[int, Blobs] = {}
        self._near: dict[int, Thing] = {}

    def __getitem__(self, number: int) -> Thing:
        if number in self._near:
            return self._near[number]
        part, place = divmod(number, self._layout.size)
        if part not in self._opened:
            self._opened[part] = Blobs(self._layout.file(self._kind, part))
        if len(self._near) >= _NEAR:
            self._near.clear()
        thing = self._near[number] = self._made(self._opened[part][place])
        return thing


def looked_up(layout: Layout, kind: str, numbers: Iterable[int]) -> dict[int, Any]:
    """What the batch holds of some records, by their numbers, in their order."""
    lookup: _Lookup[Any] = _Lookup(layout, kind)
    return {number: lookup[number] for number in sorted(numbers)}
