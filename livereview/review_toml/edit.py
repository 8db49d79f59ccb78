"""Changes values of a review.toml and leaves all else as its authors wrote it: comments, order,
spaces, the way in which a text is quoted.

A place is a `Where`: ("outcomes", 0, "label"). What is taken out of a list of tables takes the
comments that stand in its rows with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError
from tomlkit.items import AoT

from livereview.errors import Refused
from livereview.review_toml.lines import Where

LONG_LINE = 80  # characters of a list from which each item has a line of its own


def document(text: str) -> dict[str, Any]:
    """The values of a text, as plain data; raises Refused where it is no TOML."""
    plain: dict[str, Any] = _parsed(text).unwrap()
    return plain


def value_at(values: Mapping[str, Any], where: Where) -> Any:
    """What stands there; None where nothing does."""
    here: Any = values
    for part in where:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return None
    return here


def with_values(text: str, changes: Mapping[Where, Any]) -> str:
    """The text with these values set; None takes a key out.

    A table or a row of a list that is not there yet is made; rows are made in order.

    Raises:
        Refused: The text is no TOML, or something else stands where a table is needed.
    """
    parsed = _parsed(text)
    for where, value in changes.items():
        _set(parsed, where, value)
    return tomlkit.dumps(parsed)


def without_rows(text: str, rows: Iterable[Where]) -> str:
    """The text without these rows of lists of tables: ("reasons", 2) is the third reason."""
    parsed = _parsed(text)
    for where in sorted(rows, key=_row_number, reverse=True):
        list_of_rows = value_at(parsed, where[:-1])
        number = where[-1]
        if isinstance(list_of_rows, list) and isinstance(number, int):
            if number < len(list_of_rows):
                del list_of_rows[number]
            if not list_of_rows:
                _remove(parsed, where[:-1])
    return tomlkit.dumps(parsed)


def _row_number(where: Where) -> int:
    number = where[-1]
    return number if isinstance(number, int) else -1


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except (ParseError, RecursionError, ValueError) as error:
        raise Refused(f"this text is no TOML yet: {error}") from None


def _set(parsed: tomlkit.TOMLDocument, where: Where, value: Any) -> None:
    if value is None:
        _remove(parsed, where)
        return
    table = _made(parsed, where[:-1])
    key = where[-1]
    if not isinstance(key, str):
        raise Refused(f"{key!r} is no key of a table")
    if key in table and _same(table[key], value):
        return
    table[key] = _written(value)


def _same(present: Any, value: Any) -> bool:
    plain = present.unwrap() if hasattr(present, "unwrap") else present
    return type(plain) is type(value) and bool(plain == value)


def _remove(parsed: tomlkit.TOMLDocument, where: Where) -> None:
    table = value_at(parsed, where[:-1])
    if isinstance(table, Mapping) and where[-1] in table:
        del table[where[-1]]  # type: ignore[attr-defined]


def _made(parsed: tomlkit.TOMLDocument, where: Where) -> Any:
    """The table at this place, made where it is missing."""
    here: Any = parsed
    for place, part in enumerate(where):
        follows = where[place + 1] if place + 1 < len(where) else ""
        if isinstance(part, int):
            here = _row(here, part)
        elif part in here:
            here = here[part]
        else:
            here[part] = tomlkit.aot() if isinstance(follows, int) else tomlkit.table()
            here = here[part]
        if not isinstance(here, Mapping | Sequence) or isinstance(here, str):
            raise Refused(f"{part!r} is no table in this text; mend it in the text itself")
    return here


def _row(rows: Any, number: int) -> Any:
    if number == len(rows):
        rows.append(tomlkit.table() if isinstance(rows, AoT) else tomlkit.inline_table())
    return rows[number]


def _written(value: Any) -> Any:
    """The value as TOML writes it best: a text of several lines stands between quotes of its own."""
    if isinstance(value, str) and "\n" in value:
        literal = "'''" not in value and not value.endswith("'")
        return tomlkit.string(value, multiline=True, literal=literal)
    if isinstance(value, str):
        literal = '"' in value and "'" not in value
        return tomlkit.string(value, literal=literal)
    if isinstance(value, list) and sum(len(str(item)) for item in value) > LONG_LINE:
        array = tomlkit.array()
        array.extend(value)
        return array.multiline(True)
    return tomlkit.item(value)
