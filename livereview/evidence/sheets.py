"""Extraction forms in a sheet: one row a result, finding, judgement or cost, the study's columns
repeated.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import fields
from itertools import chain
from typing import Any

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
COLUMNS["result"] = (*(name for name in COLUMNS["result"] if name != "reported"), *_FIGURES)
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
                    (key, cell.strip())
                    for key, cell in zip(header, cells, strict=False)
                    if cell.strip()
                )
                yield reader.line_num, {key: _cell(key, cell) for key, cell in filled}
    except csv.Error as error:
        raise Refused(
            f"{name} can't be read as CSV: {error}; save it again as comma-separated UTF-8"
        ) from error


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
        return float(text) if re.search(r"[.eEnN]", text) else int(text)
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
    figures = {key: row.pop(key) for key in _FIGURES if key in row}
    return row | {"reported": figures} if figures else row
