"""When a file's word was said before, so that sending the file again is harmless: the one rule for
all of them.

It is not the bytes that count, nor the file, but what was said last: by this person, in this
review, on this record or study. A file is known as far as what was said last is what it says. A
after B after A brings A back; the same file from another person, or in another review, is theirs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from livereview.exchange.decisions import Row

Said = Hashable  # all that makes one word differ from another


def told_before(history: Sequence[Said], words: Sequence[Said], place: int) -> bool:
    """Whether the word at `place` of a file's words on one thing was said, and nothing of another
    kind since.

    Args:
        history: All that was said on it, oldest first.
        words: All that the file says on it, in its order: the history ends with these, up to
            `place` or further.
    """
    lengths = range(place + 1, len(words) + 1)
    return any(
        list(history[-length:]) == list(words[:length])
        for length in lengths
        if length <= len(history)
    )


def in_order(rows: Iterable[Row]) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Each decision of a file with what `take_decision` must know of the others by its person on
    its record.
    """
    listed = list(rows)
    groups: dict[tuple[str | None, ...], list[Row]] = {}
    for row in listed:
        groups.setdefault(_key(row), []).append(row)
    places: dict[tuple[str | None, ...], int] = {}
    for row in listed:
        key = _key(row)
        place = places.get(key, 0)
        places[key] = place + 1
        if len(groups[key]) > 1:
            others = [asdict(other) for other in groups[key]]
        else:
            others = None
        yield row, {"row": asdict(row), "words": others, "place": place}


def _key(row: Row) -> tuple[str | None, ...]:
    return row.record.strip().casefold(), row.stage, row.reviewer, row.role or "vote"
