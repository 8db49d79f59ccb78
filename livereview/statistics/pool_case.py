"""What is to be pooled, read from JSON in the shape of the golden cases or from the rows of a CSV
sheet.

A case file may hold answers as well, as golden cases do: they are never read. Effects are computed
from `raw` where it is there; `yi` and `vi` count only where it is not, or where the measure is GEN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log
from typing import Any

from livereview.errors import Refused
from livereview.statistics import effects, pool_checks
from livereview.statistics.metareg import quantile
from livereview.statistics.tau2 import Number

Column = tuple[Number, ...]
Labels = tuple[str | None, ...]
Effects = tuple[Column, Column, tuple[str, ...]]
GENERIC = "GEN"
RAW = re.compile(r"[a-z]+\d?i")  # metafor's names of raw columns: ai, n1i, sd2i ...
INTERVAL = ("estimate", "ci_lower", "ci_upper")
KNOWN = {"yi", "vi", "sei", *INTERVAL}
# the columns that name a study, the surest first
STUDY = (
    "study",
    "study_id",
    "studyid",
    "study id",
    "study name",
    "slab",
    "trial",
    "author",
    "authors",
)
MISSING = ("", "na", "nan", "null", "none")
SHAPE = '"measure" with "raw" columns (ai, bi, ci, di ...), or "yi" and "vi"'
SHEET = "yi and vi; yi and sei; estimate, ci_lower and ci_upper; or the raw columns of --measure"
OPTION = re.compile(r"\b(add|to|drop00|vtype)\s*=\s*['\"]?([\w./]+)")


@dataclass(frozen=True, slots=True)
class Case:
    """Effects yi with variances vi, one per study, and what else the file says of the studies.

    Attributes:
        raw: The columns that yi came from.
        cluster: Which study each effect is of.
        group, moderators: For subgroups and meta-regression.
        votes: (favourable, in all), of a synthesis without meta-analysis; `p_values` likewise.
        notes: On single effects.
    """

    name: str | None = None
    measure: str = GENERIC
    yi: Column = ()
    vi: Column = ()
    raw: tuple[tuple[str, Column], ...] = ()
    cluster: Labels | None = None
    group: Labels | None = None
    moderators: tuple[tuple[str, Column], ...] = ()
    votes: tuple[tuple[int, int], ...] = ()
    p_values: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()


def read(data: Any) -> Case:
    """The case in a JSON object; Refused, naming the field, for what can't be pooled."""
    if not isinstance(data, Mapping):
        raise Refused(f"a case is one JSON object with {SHAPE}")
    raw = _object(data, "raw")
    if not raw and "yi" not in data and ("cases" in data or "fisher" in data):
        return Case(_name(data), votes=_votes(data), p_values=_p_values(data))
    measure = str(data.get("measure") or GENERIC).upper()
    columns = {name: _numbers(name, value) for name, value in raw.items() if RAW.fullmatch(name)}
    given = {n: _numbers(n, data[n]) for n in ("yi", "vi", "sei") if n in data}
    if measure == GENERIC or not columns:
        pool_checks.check(columns or given)
        yi, vi, notes = _given(columns or given)
    else:
        pool_checks.check(columns)
        yi, vi, notes = _computed(measure, columns, _options(str(data.get("escalc") or "")))
    cluster = raw.get("cluster", data.get("cluster"))
    studies = next((data[name] for name in STUDY if name in data), None)
    if cluster is None and studies is not None:
        notes += pool_checks.twice(_labels("study", studies, len(yi)) or ())
    return Case(
        name=_name(data),
        measure=measure,
        yi=yi,
        vi=vi,
        raw=tuple(columns.items()),
        cluster=_labels("cluster", cluster, len(yi)),
        group=_labels("group", _object(data, "subgroup").get("group", data.get("group")), len(yi)),
        moderators=_moderators(data, len(yi)),
        notes=notes,
    )


def read_rows(
    rows: Sequence[Mapping[str, str]],
    *,
    measure: str = GENERIC,
    ratio: bool = False,
    moderators: Sequence[str] = (),
    level: float = 0.95,
) -> Case:
    """The case in the rows of a sheet, whose column names are as in `SHEET`, in lower or upper
    case.

    `estimate` with its `level` interval becomes an effect and a variance, after taking logs if
    `ratio`. The columns cluster and group are read if they are there, others if they are named as
    moderators.
    """
    sheet = _sheet(rows)
    wanted = [name.lower() for name in moderators]
    if absent := [name for name in wanted if name not in sheet[0]]:
        raise Refused(f"no column {', '.join(absent)}; there are {', '.join(sheet[0])}")
    columns = {n: _cells(sheet, n) for n in sheet[0] if n in INTERVAL or RAW.fullmatch(n)}
    pool_checks.check(columns, unit="row")
    yi, vi, notes = _sheet_effects(columns, measure.upper(), ratio, level)
    cluster = _sheet_labels(sheet, "cluster")
    if cluster is None:
        notes += pool_checks.twice(_studies(sheet))
    return Case(
        measure=measure.upper(),
        yi=yi,
        vi=vi,
        raw=() if KNOWN & set(columns) else tuple(columns.items()),
        cluster=cluster,
        group=_sheet_labels(sheet, "group"),
        moderators=tuple((name, _cells(sheet, name)) for name in wanted),
        notes=notes,
    )


def _sheet(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    sheet = [
        {(key or "").strip().lower(): (value or "").strip() for key, value in row.items()}
        for row in rows
    ]
    if not sheet:
        raise Refused(f"the sheet has no rows; its columns are {SHEET}")
    return sheet


def _sheet_effects(
    columns: Mapping[str, Column], measure: str, ratio: bool, level: float
) -> Effects:
    if set(INTERVAL) <= set(columns):
        return _from_intervals([columns[name] for name in INTERVAL], ratio, level)
    if "yi" in columns or measure == GENERIC:
        return _given(columns)
    return _computed(measure, columns, {})


def _sheet_labels(sheet: Sequence[Mapping[str, str]], name: str) -> Labels | None:
    if name in sheet[0]:
        return tuple(row.get(name) or None for row in sheet)
    return None


def _studies(sheet: Sequence[Mapping[str, str]]) -> Labels:
    """The name of each row's study, with its year where the name is only its author's."""
    name = next((column for column in STUDY if column in sheet[0]), None)
    if name is None:
        return ()
    year = "year" if name in ("author", "authors") else ""
    return tuple(" ".join(filter(None, (row.get(name), row.get(year)))) or None for row in sheet)


def _given(columns: Mapping[str, Column]) -> Effects:
    """Effects and variances as they stand.

    Variances from standard errors where only those are there.
    """
    yi, vi, sei = (columns.get(name) for name in ("yi", "vi", "sei"))
    if vi is None and sei is not None:
        vi = tuple(None if se is None else se**2 for se in sei)
    if yi is None or vi is None:
        raise Refused(f"no effects: a case needs {SHAPE}; a sheet {SHEET}")
    if len(yi) != len(vi):
        raise Refused(
            f"yi has {len(yi)} entries and vi {len(vi)}: give one of each per study, null where missing"
        )
    return yi, vi, ()


def _computed(measure: str, columns: Mapping[str, Column], options: Mapping[str, Any]) -> Effects:
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise Refused(
            f"the raw columns differ in length: {lengths}; give one entry per study, null where missing"
        )
    found = effects.escalc(measure, columns, **options)
    return (
        found.yi,
        found.vi,
        tuple(f"study {i}: {note}" for i, note in enumerate(found.notes, 1) if note),
    )


def _options(text: str) -> dict[str, Any]:
    """The options of metafor's escalc in a golden case, such as "add=1/2,to='all'"."""
    options: dict[str, Any] = dict(OPTION.findall(text))
    if "add" in options:
        try:
            options["add"] = float(Fraction(options["add"]))
        except (ValueError, ZeroDivisionError):
            raise Refused(f"escalc: add={options['add']} is not a number such as 1/2") from None
    if "drop00" in options:
        options["drop00"] = options["drop00"].upper().startswith("T")
    return options


def _from_intervals(columns: Sequence[Column], ratio: bool, level: float) -> Effects:
    """Effects and variances from estimates with confidence limits that a normal quantile gave."""
    yi: list[Number] = []
    vi: list[Number] = []
    notes: list[str] = []
    for place, row in enumerate(zip(*columns, strict=True), 1):
        estimate, low, high = (_logged(x, ratio, place) for x in row)
        if estimate is None or low is None or high is None:
            yi.append(None)
            vi.append(None)
            continue
        if not low <= estimate <= high:
            raise Refused(
                f"row {place}: the estimate does not lie between its limits; are the columns in order?"
            )
        if abs(estimate - (low + high) / 2) > 0.1 * (high - low):
            notes.append(
                f"row {place}: the estimate is not midway between its limits; is it a ratio or rounded?"
            )
        yi.append(estimate)
        vi.append(((high - low) / (2 * quantile(level, None))) ** 2)
    return tuple(yi), tuple(vi), tuple(notes)


def _logged(x: Number, ratio: bool, place: int) -> Number:
    if x is None or not ratio:
        return x
    if x <= 0:
        raise Refused(
            f"row {place}: {x} is not a ratio; leave out --ratio if the numbers are logs or differences"
        )
    return log(x)


def _cells(sheet: Sequence[Mapping[str, str]], name: str) -> Column:
    return _numbers(name, [row.get(name, "") for row in sheet])


def _numbers(name: str, values: Any) -> Column:
    """A column of numbers; None where one is missing."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise Refused(f"{name} must be a list with one number per study")
    return tuple(_number(name, place, value) for place, value in enumerate(values, 1))


def _number(name: str, place: int, value: Any) -> Number:
    if value is None or (isinstance(value, str) and value.strip().lower() in MISSING):
        return None
    try:
        found = float(value) if not isinstance(value, bool) else float("inf")
    except (TypeError, ValueError, OverflowError):
        found = float("inf")
    if found != found:
        return None
    if abs(found) == float("inf"):
        raise Refused(
            f"{name}, study {place}: {value!r} is not a number; leave it empty if it is missing"
        )
    return found


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name) or {}
    if not isinstance(value, Mapping):
        raise Refused(f"{name} must be an object of named columns")
    return value


def _labels(name: str, values: Any, k: int) -> Labels | None:
    if values is None:
        return None
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != k:
        raise Refused(f"{name} must be a list with one label for each of the {k} effects")
    return tuple(None if value is None else str(value) for value in values)


def _moderators(data: Mapping[str, Any], k: int) -> tuple[tuple[str, Column], ...]:
    named = _object(_object(data, "metareg"), "moderators") or _object(data, "moderators")
    found = tuple((str(name), _numbers(str(name), column)) for name, column in named.items())
    if wrong := [name for name, column in found if len(column) != k]:
        raise Refused(
            f"moderator {', '.join(wrong)} must have one number for each of the {k} effects"
        )
    return found


def _name(data: Mapping[str, Any]) -> str | None:
    return None if data.get("id") is None else str(data["id"])


def _votes(data: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    try:
        votes = tuple((vote["x"], vote["n"]) for vote in data.get("cases") or ())
    except (TypeError, KeyError):
        votes = (("", ""),)
    if any(type(x) is not int or type(n) is not int for x, n in votes):
        raise Refused(
            'cases must be a list of objects with whole "x" (favourable) and "n" (in all)'
        )
    return votes


def _p_values(data: Mapping[str, Any]) -> tuple[Column, ...]:
    try:
        return tuple(_numbers("fisher", group["p"]) for group in data.get("fisher") or ())
    except (TypeError, KeyError):
        raise Refused(
            'fisher must be a list of objects with a list "p" of one-sided p values'
        ) from None
