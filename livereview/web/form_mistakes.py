"""What is wrong in an extraction form, at its fields: the checks name places as data has them, people
see labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from livereview.evidence import sheets
from livereview.web.extraction_form import NAMES, label_of

# "- results[0].construct: must be given", "- year: must be a number", "- results[0]: give both …"
_LINE = re.compile(
    r"- (?:(?P<part>results|findings|appraisal|costs)\[(?P<row>\d{1,4})\]\.?)?"
    r"(?P<field>[a-z_]{1,30})?: (?P<words>.*)"
)
_FIELD_NAME = re.compile(r"\b[a-z]{1,20}(?:_[a-z]{1,20}){1,3}\b")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to put right: `field` is the name of its box on the page, None: of no one field.

    `row` is the part of the page that it is about, such as "results-0".
    """

    label: str
    words: str
    field: str | None = None
    row: str | None = None

    @property
    def part(self) -> str:
        """The section of the form that it is in: "study", or the name of a list."""
        return self.row.partition("-")[0] if self.row else "study"


def mistakes(message: str) -> tuple[Mistake, ...]:
    """The lines of a refusal by their fields; a refusal of another kind is one mistake."""
    lines = [line for line in message.splitlines() if line.startswith("- ")]
    if not lines:
        return (Mistake("", message),)
    return tuple(_mistake(line) for line in lines)


def _mistake(line: str) -> Mistake:
    match = _LINE.fullmatch(line)
    if match is None:
        return Mistake("", _with_labels(line.removeprefix("- ")))
    part, field, words = match["part"], match["field"], _with_labels(match["words"])
    if part is None:
        known = field in sheets.COLUMNS["study"]
        return Mistake(label_of(field or ""), words, field if known else None)
    row = f"{part}-{match['row']}"
    heading = f"{NAMES[part]} {int(match['row']) + 1}"
    if field is None:
        return Mistake(heading, words, None, row)
    return Mistake(f"{heading}, {label_of(field)}", words, f"{row}-{field}", row)


def _with_labels(words: str) -> str:
    """The words with the labels of fields, where they name fields as data has them."""

    def label(match: re.Match[str]) -> str:
        name = match.group()
        return f"“{label_of(name)}”" if name in _NAMES else name

    return _FIELD_NAME.sub(label, words)


_NAMES = frozenset(name for columns in sheets.COLUMNS.values() for name in columns)
