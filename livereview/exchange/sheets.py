"""Tables as people send them: CSV or TSV in any usual encoding, Excel, and the tags of RIS, each as
rows of text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livereview import decoding, workbooks
from livereview.cells import unguarded
from livereview.errors import Refused

_RIS_TAG = re.compile(r"([A-Za-z][A-Za-z0-9])  ?- ?(.*)")
HEAD_WITHIN = 20  # lines in which the headings are looked for
WIDEST, LONGEST = 200, 250_000  # columns and rows of a sheet of decisions


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table by the headings in lower case; `number` as the person's program counts it."""

    number: int
    values: dict[str, str]

    def first(self, *names: str) -> str:
        """The first of these columns that is not empty."""
        return next((self.values[name] for name in names if self.values.get(name)), "")


def read(body: bytes, name: str) -> list[Line]:
    """The rows of a file.

    Raises Refused, saying what to do, for what is no table, or one that nobody can have made.
    """
    if body.startswith(b"PK"):
        rows = _excel(body, name)
    elif body.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused(f"{name} is an old Excel file; save it as .xlsx or CSV")
    else:
        text = _text(body, name)
        if re.match(r"\s*(?:TY|ty)  ?-", text):
            return list(_ris(text))
        rows = _separated(text, name)
    return _lines(rows, name)


def grid(body: bytes, name: str, sheet: str | None = None) -> list[list[str]]:
    """All cells of a CSV file, or of one sheet of an Excel file (None: the one on top), as text."""
    rows = (
        _excel(body, name, sheet) if body.startswith(b"PK") else _separated(_text(body, name), name)
    )
    return [[_cell(value) for value in row] for row in rows]


def _text(body: bytes, name: str) -> str:
    if b"\x00" in body[:1_000] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(f"{name} is no text; save it as CSV in UTF-8")
    return re.sub(r"\A[\r\n \ufeff]*\"?sep=.\"?[ \t]*\r?\n", "", decoding.decode(body).text)


def _separator(text: str) -> str:
    """The sign that parts the headings: lines above them have few of any."""
    lines = [re.sub(r'"[^"]*"', "", line) for line in text[:50_000].splitlines()[:HEAD_WITHIN]]
    counts = ((line.count(sign), sign) for line in lines for sign in ",;\t")
    first = lines[0] if lines else ""
    own = max(",;\t", key=first.count)
    if first.count(own) > 1:
        return own
    enough = (sign for count, sign in counts if count > 1)
    return next(enough, own)


def _separated(text: str, name: str) -> Iterator[Sequence[object]]:
    separator = _separator(text)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            if len(row) > WIDEST and any(row[WIDEST:]):
                raise Refused(
                    f"{name} has more than {WIDEST} columns; keep those that tell of decisions"
                )
            yield row
    except csv.Error as error:
        raise Refused(f"{name} can't be read as CSV: {error}") from None


def _excel(body: bytes, name: str, wanted: str | None = None) -> Iterator[Sequence[object]]:
    return workbooks.rows(body, name, widest=WIDEST, longest=LONGEST, wanted=wanted)


def _lines(rows: Iterator[Sequence[object]], name: str) -> list[Line]:
    number, head = _head(rows)
    if not any(head):
        raise Refused(f"{name} is empty; its first line must hold the headings")
    found = []
    for place, row in enumerate(rows, start=number + 1):
        values = {key: _cell(value) for key, value in zip(head, row, strict=False) if key}
        if place > LONGEST:
            raise Refused(f"{name} has more than {LONGEST:,} rows; split it")
        if any(values.values()):
            found.append(Line(place, values))
    return found


def _head(rows: Iterator[Sequence[object]]) -> tuple[int, list[str]]:
    """The number and the headings of the first row with more than one cell that is filled."""
    head: list[str] = []
    for number, row in enumerate(rows, start=1):
        head = [_cell(value).lower() for value in row]
        if sum(map(bool, head)) > 1 or number == HEAD_WITHIN:
            return number, head
    return 1, head


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # Excel has no whole numbers
    text = str(value).strip()
    return unguarded(text)


def _ris(text: str) -> Iterator[Line]:
    """One line for each entry: its tags in lower case, those that come again joined by new lines.

    A line without a tag goes on with the value above it.
    """
    values: dict[str, list[str]] = {}
    start, last = 1, ""
    for number, line in enumerate(text.splitlines(), start=1):
        tag = _RIS_TAG.match(line)
        if tag is None:
            if last and line.strip():
                values[last][-1] += f" {line.strip()}"
            continue
        key, value = tag.group(1).lower(), tag.group(2).strip()
        if key in ("ty", "er") and values:
            yield Line(start, _named(values))
            values = {}
        last = "" if key == "er" else key
        if key == "ty":
            start = number
        if last:
            values.setdefault(key, []).append(value)
    if values:
        yield Line(start, _named(values))


def _named(lines: dict[str, list[str]]) -> dict[str, str]:
    """RIS' tags with the names of the columns that mean the same."""
    tags = {key: "\n".join(texts) for key, texts in lines.items()}
    title = tags.get("ti") or tags.get("t1") or ""
    return {**tags, "title": title, "doi": tags.get("do", ""), "notes": tags.get("n1", "")}
