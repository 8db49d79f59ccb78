"""The folder that the steps of a batch share, and the files in it.

A batch's records are numbered in the order read and cut into parts of the same size. Whatever is
looked up by number lies in a `Blobs` file, whatever is exchanged between parts in a `Sections` file;
both are read through the kernel's page cache, so that a step holds only what it works on.
"""

from __future__ import annotations

import mmap
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livereview.durable import beside

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a batch lies and how it is cut.

    Attributes:
        folder: Every worker reaches it under this path.
        records: How many records the batch has.
        size: Records in a part; the last may have fewer.
    """

    folder: Path
    records: int
    size: int

    @property
    def parts(self) -> range:
        """The numbers of the parts: of records, and of keys, which are spread over as many."""
        return range(-(-self.records // self.size))

    def first(self, part: int) -> int:
        """The number of the part's first record."""
        return part * self.size

    def file(self, kind: str, part: int) -> Path:
        return self.folder / f"{kind}-{part:06}"


def write_blobs(path: Path, things: Iterable[object]) -> None:
    """Write things that are looked up one by one, by their place in this order."""
    ends = [0]
    temporary = beside(path)
    with temporary.open("wb") as file:
        for thing in things:
            ends.append(ends[-1] + file.write(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)))
    _save(_ends(path), np.array(ends, np.int64))
    temporary.replace(path)


class Blobs:
    """What `write_blobs` wrote.

    The files are the batch's own, in a folder that nobody else writes to: they are unpickled.
    """

    def __init__(self, path: Path) -> None:
        self._ends: list[int] = np.load(_ends(path)).tolist()
        self._bytes: mmap.mmap | bytes = b""
        if self._ends[-1]:  # an empty file can't be mapped
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self._ends) - 1))

    def __getitem__(self, place: int) -> Any:
        own = self._bytes[self._ends[place] : self._ends[place + 1]]
        return pickle.loads(own)  # noqa: S301 - written by this batch, see the class


def write_sections(path: Path, rows: NDArray[Any], section: Numbers, sections: int) -> None:
    """Write rows so that each section of them can be read by itself.

    Args:
        path: The file to write.
        rows: Of any type that numpy stores; they keep their order within a section.
        section: Which section each row belongs to, from 0.
        sections: How many there are.
    """
    order = np.argsort(section, kind="stable")
    bounds = np.searchsorted(section[order], np.arange(sections + 1))
    _save(_ends(path), bounds.astype(np.int64))
    _save(path, rows[order])


def read_section(path: Path, section: int) -> NDArray[Any]:
    """The rows of one section."""
    start, end = np.load(_ends(path), mmap_mode="r")[section : section + 2]
    return np.array(np.load(path, mmap_mode="r")[start:end])


def _ends(path: Path) -> Path:
    return path.with_name(f"{path.name}.ends")


def _save(path: Path, array: NDArray[Any]) -> None:
    """Written beside and renamed: a step that is done twice, or killed, leaves a whole file."""
    temporary = beside(path)
    with temporary.open("wb") as file:
        np.save(file, array)
    temporary.replace(path)
