"""Extraction forms in a sheet: one row a result, finding, judgement or cost, the study's columns
repeated.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import chain
from typing import Any

from livereview.cells import unguarded
from livereview.errors import Refused
from livereview.evidence import checks
from livereview.evidence.checks import Placed, refusal
from livereview.evidence.forms import LISTS, Extraction
from livereview.evidence.reported import FIGURES
from livereview.review import Review


def from_csv(text: str, review: Review, name: str) -> tuple[Extraction, ...]:
    """The forms in a CSV sheet, in order of first mention: one row a result or finding, the study's
    columns repeated.

    `kind` is "result" (also when empty), "finding", "judgement", "cost" or "study" (nothing else).
    An empty cell means not reported; a study's cells may be left empty in all rows but one. Reports
    are separated by " | ". Raises Refused with every problem of every row, and then takes none.
    """
    problems: list[str] = []
    studies: dict[str, dict[str, Any]] = {}
    for line, row in _rows(text, name, problems):
        _add(studies, row, f"row {line}", problems)
    forms = [
        checks.form(data, review, f"study {study!r}", problems) for study, data in studies.items()
    ]
    if not forms and not problems:
        problems.append("no rows below the header; add one for each result")
    if problems:
        raise refusal(name, problems)
    return tuple(form for form in forms if form)


_KINDS = {"result": "results", "finding": "findings", "judgement": "appraisal", "cost": "costs"}
COLUMNS = {
    "study": tuple(field.name for field in fields(Extraction) if field.name not in LISTS),
    **{kind: tuple(field.name for field in fields(LISTS[key])) for kind, key in _KINDS.items()},
}
# Figures with the name of another column (n, direction) can't be told apart in a sheet; a form has
# them.
_FIGURES = tuple(name for name in FIGURES if name not in set(chain.from_iterable(COLUMNS.values())))
# `kind` says what a row is, so the kind of a result has a column of its own.
OUTCOME_KIND = "result_kind"
_OWN_COLUMN = {"kind": OUTCOME_KIND}
COLUMNS["result"] = (
    *(_OWN_COLUMN.get(name, name) for name in COLUMNS["result"] if name != "reported"),
    *_FIGURES,
)
_NEVER_TYPED = ("derivation",)  # worked out again from what was reported
Row = dict[str, str | float | None]
YES_OR_NO = ("higher_is_better", "primary", "adjusted", "clustered", "total")
NUMBERS = {
    *(
        "effect",
        "ci_low",
        "ci_high",
        "n",
        "year",
        "participants",
        "sites",
        "quality",
        "amount",
        "price_year",
        "time",
    ),
    *_FIGURES,
}


def _rows(text: str, name: str, problems: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, filled cells) of each row that has any; numbers as numbers."""
    known = {"kind", *chain.from_iterable(COLUMNS.values())}
    try:
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        header = [cell.strip().lower() for cell in next(reader, [])]
        unknown = [cell for cell in header if cell not in known]
        if unknown or "study" not in header or len(set(header)) < len(header):
            raise Refused(
                f"{name}: the first row must name each column once, with commas, among them study; "
                f"not known: {', '.join(map(repr, unknown)) or 'none'}; known: {', '.join(sorted(known))}"
            )
        for cells in reader:
            if len(cells) > len(header):
                problems.append(
                    f"row {reader.line_num}: has {len(cells)} cells under {len(header)} columns; quote commas"
                )
            elif any(cell.strip() for cell in cells):
                filled = (
                    (key, unguarded(cell).strip())
                    for key, cell in zip(header, cells, strict=False)
                    if cell.strip()
                )
                yield reader.line_num, {key: _cell(key, cell) for key, cell in filled}
    except csv.Error as error:
        raise Refused(
            f"{name} can't be read as CSV: {error}; save it again as comma-separated UTF-8"
        ) from error


def to_rows(forms: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[Row]]:
    """The columns and the rows of a sheet that holds these forms, as `from_csv` reads it back.

    Figures as reported that have the name of another column have none of their own, and are left
    out; a column that no form fills is left out too.

    Args:
        forms: Each as `forms.to_json` gives it.
    """
    rows: list[Row] = []
    for form in forms:
        rows += _rows_of(form)
    every = dict.fromkeys(("kind", *chain.from_iterable(COLUMNS.values())))
    filled = {name for row in rows for name in row}
    return tuple(name for name in every if name in filled), rows


def _rows_of(form: Mapping[str, Any]) -> Iterator[Row]:
    """A row for each item of a form, or one for a study without items; the study's own columns
    stand in the first.
    """
    study: Row = {"study": str(form["study"])}
    own = _written({name: form.get(name) for name in COLUMNS["study"]})
    first = True
    for kind, key in _KINDS.items():
        for item in form.get(key) or ():
            figures = item.get("reported") or {}
            known = {name: item.get(name, figures.get(name)) for name in COLUMNS[kind]}
            if kind == "result":
                known[OUTCOME_KIND] = item.get("kind")
            yield {"kind": kind, **(own if first else study), **_written(known)}
            first = False
    if first:
        yield {"kind": "study", **own}


def _written(values: Mapping[str, Any]) -> Row:
    """The cells of what is known."""
    cells = {name: _as_cell(value) for name, value in values.items() if name not in _NEVER_TYPED}
    return {name: cell for name, cell in cells.items() if cell is not None and cell != ""}


def _as_cell(value: Any) -> str | float | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " | ".join(f"{key} = {item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " | ".join(map(str, value))
    return value if isinstance(value, str | int | float) else None


def _cell(key: str, text: str) -> Any:
    if key == "reports":
        return tuple(part.strip() for part in text.split("|") if part.strip())
    if key == "overlaps":
        return tuple(part.strip() for part in text.split("|") if part.strip())
    if key in YES_OR_NO:
        return yes_or_no(text)
    return number(text) if key in NUMBERS else text


def yes_or_no(text: str) -> Any:
    """True or False for the words that sheets and forms use, else the text, which the field's own
    check refuses.
    """
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
        text.casefold(), text
    )


def number(text: str) -> Any:
    """The number that a cell holds, else its text: the field's own check says what is wrong with
    it.
    """
    try:
        if re.search(r"[.eEnN]", text):
            return float(text)
        return int(text)
    except ValueError:
        return text


def _add(
    studies: dict[str, dict[str, Any]], row: dict[str, Any], where: str, problems: list[str]
) -> None:
    """Put a row of a sheet where it belongs: the study's own columns, and its result or finding."""
    kind, study = row.pop("kind", "result"), row.get("study")
    if kind not in COLUMNS or study is None:
        problems.append(
            f"{where}: needs a study, and as kind one of {', '.join(COLUMNS)}, not {checks.shown(kind)}"
        )
        return
    form = studies.setdefault(study, {key: [] for key in LISTS})
    for key, value in row.items():
        if key in COLUMNS["study"]:
            if form.setdefault(key, value) != value:
                problems.append(
                    f"{where}, {key}: {checks.shown(value)} differs from {checks.shown(form[key])} in an earlier row"
                )
        elif kind == "study" or key not in COLUMNS[kind]:
            problems.append(
                f"{where}, {key}: has no place in a row of kind {kind}; its columns: {', '.join(COLUMNS[kind])}"
            )
    if kind != "study":
        form[_KINDS[kind]].append(
            Placed(where, _item({key: row[key] for key in row if key in COLUMNS[kind]}))
        )


def _item(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of an item; figures as reported stand together in a form."""
    if OUTCOME_KIND in row:
        row["kind"] = row.pop(OUTCOME_KIND)
    figures = {key: row.pop(key) for key in _FIGURES if key in row}
    return row | {"reported": figures} if figures else row
