"""Other people's extraction sheets as forms: a map in TOML says which column is which field.

The sheets stay.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livereview.errors import Refused

Grid = Sequence[Sequence[str]]
Sheet = Callable[[str, str | None], Grid]  # the cells of a file's sheet, as text
LISTS = {"result": "results", "finding": "findings", "judgement": "appraisal", "cost": "costs"}
KEYS = (
    "kind",
    "file",
    "sheet",
    "heading",
    "first",
    "study",
    "keep",
    "fields",
    "wide",
    "split",
    "cites",
    "worst",
    "orient_by",
    "null",
)
FAVOURS = ("favours_intervention", "favours_comparison")
"""The directions from which it follows which way a scale runs."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The forms by study, as plain data for `evidence.checks`, and what could not be placed:
    (where, why).
    """

    forms: Mapping[str, dict[str, Any]]
    problems: tuple[tuple[str, str], ...]


def read(text: str, sheet: Sheet, name: str) -> Mapped:
    """The forms that the sheets hold, by the map in `text`.

    [[tables]], each:

    - kind: study, result, finding, judgement or cost
    - file, sheet, heading and first (row numbers of the headings and of the first row of data)
    - study: a field
    - fields: as below
    - keep: {column, values}: only rows whose cell is among these values
    - wide: {heading: {field: value}}: each of these columns makes an item of its own, its cell in
      the field "*"
    - split: true: each paragraph of a cell is an item of its own
    - cites: {key: study}: instead of `study`, the studies whose key stands in the cell
    - worst: [judgements, best first]: of several judgements of a domain, the worst
    - orient_by: the field, such as "direction", whose favours_intervention or favours_comparison
      says with the effect which way the scale runs: it gives higher_is_better, and the direction is
      left to the figures. Where it says neither, or the effect is exactly `null` (0; 1 for ratios),
      nobody knows: the direction becomes unclear, and the result waits as a question

    A field is a heading ("name#2": the second of that name), or a table: column or columns (joined
    with `join`), values (cell: value; `other`: what any cell that is not among them says, "" for
    nothing), pattern (first group), prefix, suffix, value (a constant). [studies.<id>] gives what
    no sheet has, such as reports; blank = [...] are cells that say nothing.

    Raises:
        Refused: for a map that is none.
    """
    plan = _plan(text, name)
    blank = {cell.casefold() for cell in ("", *plan.get("blank", ()))}
    forms: dict[str, dict[str, Any]] = {
        key: {"study": key, **told} for key, told in plan.get("studies", {}).items()
    }
    problems: list[tuple[str, str]] = []
    for table in plan["tables"]:
        for where, study, item in _items(table, sheet, blank):
            if study not in forms:
                problems.append(
                    (where, f"study {study!r} is not in [studies]" if study else "names no study")
                )
            elif table["kind"] == "study":
                forms[study] |= {key: value for key, value in item.items() if value is not None}
            else:
                _place(forms[study].setdefault(LISTS[table["kind"]], []), item, table)
    return Mapped(forms, tuple(problems))


def _plan(text: str, name: str) -> dict[str, Any]:
    try:
        plan = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{name} is not TOML: {error}") from None
    if not plan.get("tables") or not plan.get("studies"):
        raise Refused(
            f"{name} must have [[tables]] and a [studies.ID] for each study; see examples/youth-homelessness"
        )
    for number, table in enumerate(plan["tables"], 1):
        if unknown := sorted(set(table) - set(KEYS)):
            raise Refused(
                f"{name}, table {number}: unknown {', '.join(unknown)}; the keys are {', '.join(KEYS)}"
            )
        if table.get("kind") not in ("study", *LISTS) or not table.get("file"):
            raise Refused(
                f"{name}, table {number}: needs a file, and as kind one of study, {', '.join(LISTS)}"
            )
    return plan


def _items(
    table: Mapping[str, Any], sheet: Sheet, blank: set[str]
) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """(where, study, fields) of each item of a table."""
    grid, heading = sheet(table["file"], table.get("sheet")), table.get("heading", 1)
    columns = _columns(grid[heading - 1] if len(grid) >= heading else ())
    for number, cells in enumerate(
        grid[table.get("first", heading + 1) - 1 :], table.get("first", heading + 1)
    ):
        row = _Row(columns, cells, blank, f"{table['file']}, row {number}")
        if not any(cell.strip() for cell in cells) or not _kept(table.get("keep"), row):
            continue
        fixed = {key: row.field(told) for key, told in table.get("fields", {}).items()}
        for cell, more in _wide(table, row):
            plain = {key: value for key, value in fixed.items() if value is not None}
            told = plain | {key: cell if value == "*" else value for key, value in more.items()}
            for study in _studies(table, row, cell):
                item = {key: _without_cites(value) for key, value in told.items()}
                yield row.where, study, _oriented(item, table)


def _oriented(item: dict[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """A result with which way its scale runs, where the map says that a field of the sheet tells
    it.
    """
    field = table.get("orient_by")
    effect = item.get("effect")
    if field is None or not isinstance(effect, int | float):
        return item

    direction = item.get(field)
    null = table.get("null", 0)
    if direction not in FAVOURS or effect == null:
        return item | {"direction": "unclear"}

    favours_intervention = direction == FAVOURS[0]
    plain = {key: value for key, value in item.items() if key != field}
    return plain | {"higher_is_better": (effect > null) == favours_intervention}


def _kept(keep: Mapping[str, Any] | None, row: _Row) -> bool:
    return keep is None or row.cell(keep["column"]) in keep["values"]


def _wide(table: Mapping[str, Any], row: _Row) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(cell, its fields) of each column that makes an item of its own.

    The row itself where there are none.
    """
    if "wide" not in table:
        yield "", {}
        return
    for heading, more in table["wide"].items():
        cell = row.field(
            {"column": heading, **({"values": more["values"]} if "values" in more else {})}
        )
        if table.get("split"):
            parts = re.split(r"\n\s*\n", cell or "")
        else:
            parts = [cell or ""]
        for part in filter(None, (part.strip() for part in parts)):
            yield part, {key: value for key, value in more.items() if key != "values"}


def _studies(table: Mapping[str, Any], row: _Row, cell: str) -> list[str | None]:
    if "cites" in table:
        return list(
            dict.fromkeys(study for key, study in table["cites"].items() if key in cell)
        ) or [None]
    found = row.field(table.get("study", ""))
    return [re.sub(r"[^a-z0-9]+", "-", found.casefold()).strip("-") if found else None]


def _without_cites(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"(?<!\s)\s*+\[@[^\]]{0,2000}\]", "", value).strip()
    return value


def _place(items: list[dict[str, Any]], item: dict[str, Any], table: Mapping[str, Any]) -> None:
    """Add an item; of judgements of one domain only the worst stays."""
    worst: list[str] = table.get("worst") or []
    same = next((one for one in items if worst and one.get("domain") == item.get("domain")), None)
    if same is None:
        items.append(item)
    elif worst.index(item["judgement"]) > worst.index(same["judgement"]):
        same.update(item)


def _columns(headings: Sequence[str]) -> dict[str, int]:
    """Where each heading stands; those that come again as "name#2", "name#3"."""
    found: dict[str, int] = {}
    for place, heading in enumerate(headings):
        plain = heading.strip().casefold()
        again = sum(key == plain or key.startswith(f"{plain}#") for key in found)
        found[f"{plain}#{again + 1}" if again else plain] = place
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    columns: Mapping[str, int]
    cells: Sequence[str]
    blank: set[str]
    where: str

    def cell(self, heading: str) -> str:
        place = self.columns.get(heading.strip().casefold())
        if place is None:
            known = ", ".join(list(self.columns)[:20])
            raise Refused(f"{self.where}: no column {heading!r}; the columns are {known}")
        text = self.cells[place].strip() if place < len(self.cells) else ""
        return "" if text.casefold() in self.blank else text

    def field(self, told: Any) -> Any:
        """What a field of the map is in this row; None where the sheet says nothing."""
        if isinstance(told, str):
            return _number(self.cell(told)) if told else None
        if "value" in told:
            return told["value"]
        cells = [self.cell(heading) for heading in told.get("columns") or [told["column"]]]
        text = told.get("join", ", ").join(filter(None, cells))
        if "pattern" in told and text:
            found = re.search(told["pattern"], text)
            text = found.group(1) if found else ""
        if not text:
            return None
        if "values" in told:
            return told["values"].get(text, told.get("other", text)) or None
        if "prefix" in told or "suffix" in told:
            return f"{told.get('prefix', '')}{text}{told.get('suffix', '')}"
        return _number(text)


def _number(text: str) -> Any:
    """The number in a cell, else its text."""
    if not re.fullmatch(r"[+-]?(\d++(?:\.\d*+)?|\.\d++)([eE][+-]?\d++)?", text):
        return text or None
    value = float(text)
    if value.is_integer() and "." not in text.rstrip("0").rstrip("."):
        return int(value)
    return value
