"""Tables that a spreadsheet opens: no cell of ours is ever a formula there, headings included.

Every CSV file for people is written by `csv_text`, so that no writer can forget a cell or a
heading.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

# those of OWASP's page on CSV injection, their full-width forms included
FORMULA_STARTS = tuple("=+-@＝＋－＠|%\t\r")
QUOTE = "'"  # what a spreadsheet takes for "this is a text"

_NUMBER = re.compile(r"[+-]?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?")


def guarded(text: str) -> str:
    """The text with a quote before it where a spreadsheet would run it.

    A plain number stays as it is. A text that begins with quotes before such a one gets another, so
    that `unguarded` gives each text back as it was.
    """
    return f"{QUOTE}{text}" if _is_formula(text.lstrip(QUOTE)) else text


def unguarded(text: str) -> str:
    """The text as it was before `guarded`."""
    if text.startswith(QUOTE) and _is_formula(text.lstrip(QUOTE)):
        return text[1:]
    return text


def _is_formula(text: str) -> bool:
    start = text.lstrip(" \n")[:1]
    return start != "" and start in FORMULA_STARTS and not _NUMBER.fullmatch(text)


def csv_text(
    header: Sequence[object], rows: Iterable[Sequence[object]], line_end: str = "\r\n"
) -> str:
    """A whole table as CSV.

    None is an empty cell, and texts are guarded, those of the heading too.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=line_end)
    writer.writerow(_row(header))
    writer.writerows(map(_row, rows))
    return out.getvalue()


def _row(values: Sequence[object]) -> list[object]:
    return [guarded(value) if isinstance(value, str) else value for value in values]
