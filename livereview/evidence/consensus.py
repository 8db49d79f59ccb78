"""Two people's extractions of one study, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two extractions tell differently; `place` such as "results[2].effect".

    None: not given.
    """

    place: str
    left: Any
    right: Any


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Where two forms (as `forms.to_json` gives them) differ, in the form's order.

    Rows of lists in their order.
    """
    return tuple(_apart("", left, right))


def _apart(place: str, left: Any, right: Any) -> Iterator[Difference]:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in dict.fromkeys((*left, *right)):
            yield from _apart(f"{place}.{key}" if place else key, left.get(key), right.get(key))
    elif _rows(left) and _rows(right):
        for n in range(max(len(left), len(right))):
            yield from _apart(f"{place}[{n}]", _at(left, n), _at(right, n))
    elif left != right:
        yield Difference(place, left, right)


def _rows(value: Any) -> bool:
    """Whether this is a list of rows, and not one of words."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(one, Mapping) for one in value)
    )


def _at(rows: Sequence[Any], n: int) -> Any:
    return rows[n] if n < len(rows) else None
