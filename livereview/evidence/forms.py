"""What people extract from a study, as data: checked when it comes in, the same for a form, a JSON and a CSV file."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import chain
from typing import Any, NamedTuple

from livereview.errors import Refused
from livereview.review import EMMIE, Review

FORM_VERSION = "1"
DIRECTIONS = ("favours_intervention", "favours_comparison", "no_difference", "unclear")
RISK_OF_BIAS = ("low", "some_concerns", "high", "serious", "critical")


@dataclass(frozen=True, slots=True)
class Result:
    """One outcome result as reported.

    outcome     id of an outcome in review.toml
    direction   one of DIRECTIONS, judged against the outcome's `better`
    effect      point estimate in `measure` with its 95% interval, where reported; None where not
    n           people analysed; `timing` in words, e.g. "18 months"
    """

    outcome: str
    construct: str
    direction: str
    measure: str | None = None
    effect: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int | None = None
    timing: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a study says on one EMMIE dimension, with its quality kept apart (EMMIE-E and EMMIE-Q).

    `dimension` is one of review.EMMIE; `quality` 0-4 or None; `polarity` "barrier", "enabler" or None.
    """

    dimension: str
    text: str
    quote: str | None = None
    page: str | None = None
    quality: int | None = None
    polarity: str | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """One person's extraction of one study.

    study       permanent id within the review, e.g. "slesnick-2015"
    reports     how to find its reports: DOIs, PMIDs ("pmid:1"), record ids, or titles
    risk_of_bias  overall judgement: "low", "some_concerns", "high", "serious", "critical" or None
    caution     why readers should be careful with this study, in one sentence
    """

    study: str
    label: str
    reports: tuple[str, ...]
    year: int | None = None
    design: str | None = None
    country: str | None = None
    population: str | None = None
    intervention: str | None = None
    comparator: str | None = None
    area: str | None = None
    participants: int | None = None
    risk_of_bias: str | None = None
    risk_of_bias_tool: str | None = None
    caution: str | None = None
    results: tuple[Result, ...] = ()
    findings: tuple[Finding, ...] = ()
    form_version: str = FORM_VERSION


def from_json(data: object, review: Review, name: str) -> Extraction:
    """The form in `data` (JSON text, or what it parses to), checked against the review's protocol.

    name  where it came from, for messages. Raises Refused with every problem, each with its place in the form and the
    valid choices. Absent and null mean the same: not reported.
    """
    problems: list[str] = []
    form = _form(_parsed(data, name), review, "", problems)
    if form is None:
        raise _refusal(name, problems)
    return form


def from_csv(text: str, review: Review, name: str) -> tuple[Extraction, ...]:
    """The forms in a CSV sheet, in order of first mention: one row a result or finding, the study's columns repeated.

    `kind` is "result" (also when empty), "finding" or "study" (a study with nothing else). An empty cell means not
    reported; a study's cells may be left empty in all rows but one. Reports are separated by " | ". Raises Refused
    with every problem of every row, and then takes none.
    """
    problems: list[str] = []
    studies: dict[str, dict[str, Any]] = {}
    for line, row in _rows(text, name, problems):
        _add(studies, row, f"row {line}", problems)
    forms = [_form(data, review, f"study {study!r}", problems) for study, data in studies.items()]
    if not forms and not problems:
        problems.append("no rows below the header; add one for each result")
    if problems:
        raise _refusal(name, problems)
    return tuple(form for form in forms if form)


def to_json(form: Extraction) -> dict[str, Any]:
    """The form as plain JSON data; `from_json` reads it back the same."""
    return {
        **asdict(form),
        "reports": list(form.reports),
        "results": [asdict(result) for result in form.results],
        "findings": [asdict(finding) for finding in form.findings],
    }


def _refusal(name: str, problems: list[str]) -> Refused:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return Refused("\n".join([f"{name} was not taken, {count} to put right:", *(f"- {text}" for text in problems)]))


# A check returns the value to keep, or raises ValueError with what is wrong and what would be right.
Check = Callable[[Any], Any]


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_shown(value)}")
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\t\n\r" for letter in value):
        raise ValueError("holds a control character; type it again rather than paste it")
    return " ".join(value.split()) or None


def _id(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value) or len(value) > 80:
        raise ValueError(f"must be small letters, digits and single hyphens, such as smith-2019, not {_shown(value)}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    found = tuple(filter(None, map(_text, value))) if isinstance(value, list | tuple) else ()
    if not found:
        raise ValueError("must list at least one report: a DOI, pmid:1, a record id or a title")
    if len(set(found)) < len(found):
        raise ValueError("names the same report twice")
    return found


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {_shown(value)}")
    if not math.isfinite(value):
        raise ValueError("must be a finite number; leave it out where it was not reported")
    return value


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        number = _number(value)
        if number != int(number) or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {_shown(value)}")
        return int(number)

    return check


def _one_of(choices: Iterable[str], what: str = "") -> Check:
    known = tuple(choices)

    def check(value: Any) -> str:
        if value not in known:
            raise ValueError(
                f"must be one of {', '.join(known) or f'none (the protocol has no {what})'}, not {_shown(value)}"
            )
        return str(value)

    return check


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_COUNT = _whole(1, 1_000_000_000)
_YEAR = _whole(1900, 2100)
_NUMBERS = ("effect", "ci_low", "ci_high", "n", "year", "participants", "quality")  # columns of numbers in a sheet


def _study_checks(review: Review) -> dict[str, Check]:
    return {
        "study": _id,
        "label": _text,
        "reports": _texts,
        "year": _YEAR,
        **dict.fromkeys(("design", "country", "population", "intervention", "comparator"), _text),
        "area": _one_of((area.id for area in review.taxonomy), "taxonomy"),
        "participants": _COUNT,
        "risk_of_bias": _one_of(RISK_OF_BIAS),
        "risk_of_bias_tool": _text,
        "caution": _text,
        "form_version": _one_of((FORM_VERSION,)),
    }


def _result_checks(review: Review) -> dict[str, Check]:
    return {
        "outcome": _one_of((outcome.id for outcome in review.outcomes), "outcomes"),
        "construct": _text,
        "direction": _one_of(DIRECTIONS),
        "measure": _text,
        "effect": _number,
        "ci_low": _number,
        "ci_high": _number,
        "n": _COUNT,
        "timing": _text,
        "note": _text,
    }


_FINDING_CHECKS: dict[str, Check] = {
    "dimension": _one_of(EMMIE),
    "text": _text,
    "quote": _text,
    "page": _text,
    "quality": _whole(0, 4),
    "polarity": _one_of(("barrier", "enabler")),
}
_REQUIRED = {"study", "label", "reports", "outcome", "construct", "direction", "dimension", "text"}


def _form(data: Any, review: Review, where: str, problems: list[str]) -> Extraction | None:
    """The form, or None after adding to `problems` what is wrong with it."""
    before = len(problems)
    if not isinstance(data, dict):
        problems.append(f"{where or 'the form'} must be an object with keys such as study and reports")
        return None
    dot = f"{where}, " if where else ""
    study = {key: value for key, value in data.items() if key not in ("results", "findings")}
    fields = _read(study, _study_checks(review), dot, problems)
    results = [_result(row, review, place, problems) for place, row in _items(data, "results", dot, problems)]
    findings = [
        _read(row, _FINDING_CHECKS, f"{place}.", problems) for place, row in _items(data, "findings", dot, problems)
    ]
    if len(problems) > before:
        return None
    return Extraction(
        **fields, results=tuple(Result(**row) for row in results), findings=tuple(Finding(**row) for row in findings)
    )


def _items(data: Mapping[str, Any], key: str, dot: str, problems: list[str]) -> list[tuple[str, Any]]:
    """(place, item) of a list in the form; in a sheet the place is the row it came from."""
    items = data.get(key)
    if items is not None and not isinstance(items, list | tuple):
        problems.append(f"{dot}{key}: must be a list, not {_shown(items)}")
        return []
    return [item if isinstance(item, _Placed) else (f"{dot}{key}[{n}]", item) for n, item in enumerate(items or ())]


def _read(data: Any, checks: Mapping[str, Check], dot: str, problems: list[str]) -> dict[str, Any]:
    """The checked fields of one object; unknown keys are problems too, since they are mostly slips of the pen."""
    if not isinstance(data, dict):
        problems.append(f"{dot.rstrip('.')}: must be an object, not {_shown(data)}")
        return {}
    problems.extend(f"{dot}{key}: unknown; the keys are {', '.join(checks)}" for key in data if key not in checks)
    fields: dict[str, Any] = {}
    for key, check in checks.items():
        value = data.get(key)
        try:
            checked = None if value is None else check(value)
        except ValueError as error:
            problems.append(f"{dot}{key}: {error}")
            continue
        if checked is not None:
            fields[key] = checked
        elif key in _REQUIRED:
            problems.append(f"{dot}{key}: must be given")
    return fields


def _result(data: Any, review: Review, place: str, problems: list[str]) -> dict[str, Any]:
    fields = _read(data, _result_checks(review), f"{place}.", problems)
    effect, low, high = (fields.get(key) for key in ("effect", "ci_low", "ci_high"))
    if (low is None) != (high is None):
        problems.append(f"{place}: give both ci_low and ci_high, or neither")
    elif low is not None and high is not None and not low <= (low if effect is None else effect) <= high:
        problems.append(f"{place}: must be ci_low <= effect <= ci_high, not {low} <= {effect} <= {high}")
    if not (effect is None and low is None) and "measure" not in fields:
        problems.append(f"{place}.measure: must be given where there is an effect, e.g. SMD")
    return fields


class _Placed(NamedTuple):
    """An item of a sheet with the row it came from."""

    place: str
    item: dict[str, Any]


_COLUMNS = {
    "study": tuple(field.name for field in fields(Extraction) if field.name not in ("results", "findings")),
    "result": tuple(field.name for field in fields(Result)),
    "finding": tuple(field.name for field in fields(Finding)),
}


def _rows(text: str, name: str, problems: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, filled cells) of each row that has any; numbers as numbers."""
    known = {"kind", *chain.from_iterable(_COLUMNS.values())}
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
                filled = ((key, cell.strip()) for key, cell in zip(header, cells, strict=False) if cell.strip())
                yield reader.line_num, {key: _cell(key, cell) for key, cell in filled}
    except csv.Error as error:
        raise Refused(f"{name} can't be read as CSV: {error}; save it again as comma-separated UTF-8") from error


def _cell(key: str, text: str) -> Any:
    if key == "reports":
        return tuple(part.strip() for part in text.split("|") if part.strip())
    try:
        return (float(text) if re.search(r"[.eEnN]", text) else int(text)) if key in _NUMBERS else text
    except ValueError:
        return text  # the field's own check says what is wrong with it


def _add(studies: dict[str, dict[str, Any]], row: dict[str, Any], where: str, problems: list[str]) -> None:
    """Put a row of a sheet where it belongs: the study's own columns, and its result or finding."""
    kind, study = row.pop("kind", "result"), row.get("study")
    if kind not in _COLUMNS or study is None:
        problems.append(f"{where}: needs a study, and as kind one of {', '.join(_COLUMNS)}, not {_shown(kind)}")
        return
    form = studies.setdefault(study, {"results": [], "findings": []})
    for key, value in row.items():
        if key in _COLUMNS["study"]:
            if form.setdefault(key, value) != value:
                problems.append(f"{where}, {key}: {_shown(value)} differs from {_shown(form[key])} in an earlier row")
        elif kind == "study" or key not in _COLUMNS[kind]:
            problems.append(
                f"{where}, {key}: has no place in a row of kind {kind}; its columns: {', '.join(_COLUMNS[kind])}"
            )
    if kind != "study":
        form[f"{kind}s"].append(_Placed(where, {key: row[key] for key in row if key in _COLUMNS[kind]}))


def _parsed(data: object, name: str) -> object:
    if not isinstance(data, str | bytes):
        return data
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name} is not JSON: {error}; see the example extractions") from error
