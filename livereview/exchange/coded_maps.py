"""Codes of reports from files: our own columns, and the JSON of EPPI-Reviewer.

EPPI-Reviewer writes its code sets as trees of attributes, and on each reference the ids of those it
was given: `{"CodeSets": [{"SetName": …, "Attributes": {"AttributesList": […]}}], "References": […]}`,
as files that its users publish show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from livereview.errors import Refused
from livereview.evidence.map_codes import DESIGNS, FIELDS, KINDS
from livereview.exchange import sheets
from livereview.identifiers import clean_doi, clean_year
from livereview.review import Review

COLUMNS = ("record", *FIELDS)
"""Of our own table; several values of a cell are parted by semicolons."""

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "countries": ("country", "countries", "location", "geography"),
    "populations": ("population", "populations", "participants", "people"),
}
"""What a set or a branch of codes is called whose codes are in people's own words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One report's codes: `record` and `also` are how to find it, the surest first."""

    number: int
    record: str
    codes: dict[str, Any]
    also: tuple[str, ...] = ()
    year: int | None = None


@dataclass(frozen=True, slots=True)
class CodedMap:
    """What a file holds.

    Attributes:
        kind: Whose file it is.
        unplaced: Codes that mean nothing in this review, each with how many reports have it.
        problems: (row, why) of rows that can't be read.
    """

    kind: str
    rows: tuple[Row, ...]
    unplaced: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[tuple[int, str], ...] = ()


def read(body: bytes, name: str, review: Review) -> CodedMap:
    """The codes in a file.

    Raises:
        Refused: for a file of no kind that is understood.
    """
    if body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"{", b"[")):
        return _eppi(body, name, review)
    return _own(body, name)


def _own(body: bytes, name: str) -> CodedMap:
    lines = sheets.read(body, name)
    headings = set(lines[0].values) if lines else set()
    if lines and "record" not in headings:
        raise Refused(
            f"{name} has no column record; the columns of codes are {', '.join(COLUMNS)}, "
            "with several values of a cell parted by ;"
        )
    rows: list[Row] = []
    problems: list[tuple[int, str]] = []
    for line in lines:
        if not line.values.get("record"):
            problems.append((line.number, "it names no record"))
            continue
        codes = {column: _parted(line.values.get(column, "")) for column in FIELDS}
        rows.append(Row(line.number, line.values["record"], codes))
    return CodedMap("livereview's own columns", tuple(rows), problems=tuple(problems))


def _parted(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


# EPPI-Reviewer


@dataclass(frozen=True, slots=True)
class _Attribute:
    """A code of a tree: its name, and the names of what it stands under, the nearest first."""

    name: str
    above: tuple[str, ...]


def _eppi(body: bytes, name: str, review: Review) -> CodedMap:
    try:
        data = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refused(f"{name} is not JSON that can be read; export it again as JSON") from None
    if not isinstance(data, dict) or not isinstance(data.get("References"), list):
        raise Refused(
            f"{name} is JSON, but not EPPI-Reviewer's: it has no References; "
            f"or send a table with the columns {', '.join(COLUMNS)}"
        )
    attributes = dict(_attributes(data.get("CodeSets") or []))
    fields = {id: _field_of(attribute, review) for id, attribute in attributes.items()}
    rows: list[Row] = []
    problems: list[tuple[int, str]] = []
    unplaced: dict[str, int] = {}
    for number, reference in enumerate(data["References"], start=1):
        described = _references(reference) if isinstance(reference, dict) else ()
        if not described:
            problems.append((number, "it has no title and no DOI"))
            continue
        codes: dict[str, Any] = {}
        for id in _codes_on(reference):
            attribute = attributes.get(id)
            if attribute is None:
                continue
            place = fields[id]
            if place is None:
                unplaced[attribute.name] = unplaced.get(attribute.name, 0) + 1
            else:
                codes.setdefault(place, []).append(attribute.name)
        year = clean_year(str(reference.get("Year") or ""))
        rows.append(Row(number, described[0], codes, described[1:], year))
    return CodedMap("EPPI-Reviewer", tuple(rows), unplaced, tuple(problems))


def _attributes(sets: Any) -> Iterator[tuple[str, _Attribute]]:
    """Every code of all sets by its id, walked without recursion: a tree may be deep."""
    waiting: list[tuple[Any, tuple[str, ...]]] = []
    for code_set in sets if isinstance(sets, list) else []:
        if isinstance(code_set, dict):
            waiting.append((code_set.get("Attributes"), (_name(code_set.get("SetName")),)))
    while waiting:
        branch, above = waiting.pop()
        listed = branch.get("AttributesList") if isinstance(branch, dict) else None
        for item in listed if isinstance(listed, list) else []:
            if not isinstance(item, dict) or item.get("AttributeId") is None:
                continue
            name = _name(item.get("AttributeName"))
            yield str(item["AttributeId"]), _Attribute(name, above)
            waiting.append((item.get("Attributes"), (name, *above)))


def _name(value: Any) -> str:
    return " ".join(str(value or "").split())


def _field_of(attribute: _Attribute, review: Review) -> str | None:
    """Which field of codes a code belongs to: by its name, else by what it stands under."""
    word = attribute.name.casefold()
    listed: tuple[tuple[str, Sequence[tuple[str, str]]], ...] = (
        ("areas", [(area.id, area.label) for area in review.taxonomy]),
        ("outcomes", [(outcome.id, outcome.label) for outcome in review.outcomes]),
        ("comparisons", [(comparison.id, comparison.label) for comparison in review.comparisons]),
        ("design", list(DESIGNS.items())),
        ("kind", list(KINDS.items())),
    )
    for place, choices in listed:
        if any(word in (id.casefold(), label.casefold()) for id, label in choices):
            return place
    for above in attribute.above:
        words = set(re.findall(r"[a-z]+", above.casefold()))
        for place, headings in HEADINGS.items():
            if words & set(headings):
                return place
    return None


def _references(reference: Mapping[str, Any]) -> tuple[str, ...]:
    """How to find the report of a reference: its DOI, then its title."""
    doi = clean_doi(str(reference.get("DOI") or ""))
    title = _name(reference.get("Title"))
    return tuple(word for word in (doi, title) if word)


def _codes_on(reference: Mapping[str, Any]) -> list[str]:
    """The ids of the codes that a reference has, each once."""
    listed = reference.get("Codes")
    ids = [
        str(item["AttributeId"])
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and item.get("AttributeId") is not None
    ]
    return list(dict.fromkeys(ids))
