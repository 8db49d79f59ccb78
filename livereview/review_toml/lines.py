"""The line in which a key of a TOML text stands: tomllib does not say, so the text is walked once
more for messages.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

Where = tuple[str | int, ...]  # ("searches", 1, "source"): the second search's source

_NAME = r"(?:[\w-]++|\"(?:\\.|[^\"\\\n])*+(?:\"|(?=\\?(?:\n|\Z)))|'[^'\n]*+(?:'|(?=\n)|\Z))"
_NAMES = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_NAMES})[ \t]*\].*\n?")
_ENTRY = re.compile(rf"[ \t]*({_NAMES})[ \t]*=")
_OTHER = re.compile(r".*\n?")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""(?!")|\Z)|\'\'\'.*?(?:\'\'\'(?!\')|\Z)|"(?:\\.|[^"\\\n])*+"?|\'[^\'\n]*+\'?'
    r"|#[^\n]*|[\[\]{},\n]|[^\s\[\]{},#\"']+",
    re.DOTALL,
)


def find(text: str) -> dict[Where, int]:
    """The line, counted from 1, of each table, key and list item of a valid TOML text."""
    found: dict[Where, int] = {}
    counts: dict[Where, int] = {}
    # counting line ends from the beginning for each key would take the square of the text
    ends = [end.start() for end in re.finditer("\n", text)]
    table: Where = ()
    at = 0
    while at < len(text):
        line = bisect_left(ends, at) + 1
        if header := _HEADER.match(text, at):
            table = _enter(header[1] == "[[", _split(header[2]), counts)
            found[table] = line
            if isinstance(table[-1], int):
                found.setdefault(table[:-1], line)
            at = header.end()
        elif entry := _ENTRY.match(text, at):
            where = (*table, *_split(entry[1]))
            found[where] = line
            at = _skip_value(text, entry.end(), where, found, ends)
        else:
            at = max(_OTHER.match(text, at).end(), at + 1)  # type: ignore[union-attr]
    return found


def _split(names: str) -> Where:
    return tuple(name.strip("\"'") for name in re.findall(_NAME, names))


def _enter(many: bool, names: Where, counts: dict[Where, int]) -> Where:
    """The table that a header opens.

    The names before its last one mean the latest row of theirs.
    """
    where: Where = ()
    for name in names[:-1]:
        where = (*where, name)
        if where in counts:
            where = (*where, counts[where] - 1)
    where = (*where, names[-1])
    if not many:
        return where
    counts[where] = counts.get(where, 0) + 1
    return (*where, counts[where] - 1)


def _skip_value(
    text: str, at: int, where: Where, found: dict[Where, int], ends: Sequence[int]
) -> int:
    """Where the value that starts here ends; notes the line of each item if it is a list.

    Args:
        ends: Where the lines of the text end.
    """
    depth = item = 0
    for token in _TOKEN.finditer(text, at):
        if token[0] == "\n" and depth == 0:
            return token.end()
        if token[0] in "]}":
            depth -= 1
        elif token[0] == ",":
            item += depth == 1
        elif token[0] != "\n" and not token[0].startswith("#"):
            if depth == 1:
                found.setdefault((*where, item), bisect_left(ends, token.start()) + 1)
            depth += token[0] in "[{"
    return len(text)
