"""Reading all that Prefect has of something, which it hands out a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
PAGE = 200  # the most that Prefect gives in one answer


def all_of(read: Callable[[int, int], Sequence[T]]) -> Iterator[T]:
    """Everything, page by page.

    Args:
        read: Gives one page, by its limit and its offset. What is read must not change meanwhile.
    """
    offset = 0
    while True:
        page = read(PAGE, offset)
        yield from page
        if len(page) < PAGE:
            return
        offset += PAGE
