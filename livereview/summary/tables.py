"""The published tables, as CSV and as rows with types.

In a CSV file a cell never starts a formula in a spreadsheet.

That is a matter of spreadsheets: `Table` holds every text as it is, so the Parquet files do too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from livereview.cells import csv_text
from livereview.evidence import orientation
from livereview.evidence.finding import Finding
from livereview.summary import analysis_tables, findings_table
from livereview.summary.snapshot import Report, Snapshot, Study
from livereview.summary.words import link, tidy

Cell = str | int | float | None
Kind = Literal["text", "integer", "number"]

STUDIES = (
    *(
        "study",
        "label",
        "year",
        "design",
        "country",
        "population",
        "intervention",
        "comparator",
        "area",
    ),
    *("participants", "risk_of_bias", "risk_of_bias_tool", "caution"),
)
RESULTS = (
    *(
        "outcome",
        "construct",
        "direction",
        "measure",
        "effect",
        "ci_low",
        "ci_high",
        "n",
        "timing",
        "comparison",
    ),
    *(
        "instrument",
        "higher_is_better",
        "subgroup",
        "arm",
        "control_arm",
        "time",
        "time_unit",
        "kind",
        "derivation",
    ),
    *("currency", "price_year"),
    *("primary", "adjusted", "clustered", "analysed", "subgroup_is", "reported"),
)
REPORT = ("title", "authors", "year", "published_in", "doi", "link")
KINDS: Mapping[str, Kind] = {  # of columns that are no text
    **dict.fromkeys(("year", "participants", "n", "price_year"), "integer"),
    **dict.fromkeys(("effect", "ci_low", "ci_high", "time"), "number"),
    **findings_table.KINDS,
    **analysis_tables.KINDS,
}


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name and kind, and rows in their order.

    None is unknown, and no text is empty or only blanks.
    """

    name: str
    columns: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def csv(self) -> bytes:
        return table([name for name, _ in self.columns], self.rows)


def published(snapshot: Snapshot) -> tuple[Table, ...]:
    """The tables of a version.

    - studies: a row a study with its extracted facts; where nothing is extracted yet, its id and
      reports only
    - effects: a row a result, figures as reported and unrounded
    - exclusions: a row a report that was read in full and excluded, with the reason
    """
    return (
        tabled("studies", (*STUDIES, "reports", "dois"), map(_study, snapshot.studies)),
        tabled("effects", ("study", "label", *RESULTS), _results(snapshot)),
        tabled(
            "exclusions",
            (*REPORT, "reason"),
            ([*_report(one), one.reason] for one in snapshot.excluded),
        ),
    )


def findings(shown: Sequence[Finding]) -> Table:
    """The summary of findings: a row a finding, unrounded; what it means in words."""
    return tabled("findings", findings_table.COLUMNS, findings_table.data(shown))


def behind(snapshot: Snapshot, shown: Sequence[Finding]) -> tuple[Table, ...]:
    """What is behind the findings, for whoever does the analysis again (`analysis_tables.ALL`)."""
    rows = analysis_tables.rows(snapshot, shown)
    return tuple(
        tabled(name, columns, ([row.get(column) for column in columns] for row in rows[name]))
        for name, columns in analysis_tables.ALL.items()
    )


def _study(study: Study) -> list[Cell]:
    told = [getattr(study.extraction, name, None) for name in STUDIES[2:]]
    return [study.study_id, study.label, *told, _titles(study.reports), _dois(study.reports)]


def _results(snapshot: Snapshot) -> Iterator[list[Cell]]:
    for study in snapshot.studies:
        for result in study.extraction.results if study.extraction else ():
            told = {"direction": orientation.direction_in(snapshot.review, result)}
            yield [
                study.study_id,
                study.label,
                *(told.get(name, _plain(getattr(result, name))) for name in RESULTS),
            ]


def _plain(value: Any) -> Cell:
    """A field of a form as a cell: yes and no as words, figures by name as "ai = 40; n1i = 100"."""
    if isinstance(value, bool):
        return analysis_tables.yes_or_no(value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name} = {figure}" for name, figure in value.items())
    known: Cell = value
    return known


def tabled(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """A table whose columns have the kinds of KINDS; others are text."""
    kinds = tuple((column, KINDS.get(column, "text")) for column in columns)
    return Table(name, kinds, tuple(tuple(map(_known, row)) for row in rows))


def _known(value: Cell) -> Cell:
    """The value; of a text what UTF-8 can write, None where that is nothing."""
    if not isinstance(value, str):
        return value
    text = tidy(value)
    return text if text.strip() else None


def plain(rows: Sequence[Sequence[object]]) -> bytes:
    """Rows with their heading first, such as a picture's."""
    head, *rest = rows
    return table([str(cell) for cell in head], [[_cell(cell) for cell in row] for row in rest])


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file in UTF-8; unknown is an empty cell."""
    texts = ([cell(value) for value in row] for row in rows)
    return csv_text([cell(name) for name in header], texts, line_end="\n").encode(
        "utf-8", "replace"
    )


def cell(value: Cell) -> str:
    """The text of a cell on one line."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    return " ".join(tidy(value).split())


def _report(report: Report) -> list[Cell]:
    record = report.record
    authors = " | ".join(record.authors)
    return [record.title, authors, record.year, record.container_title, record.doi, link(record)]


def _titles(reports: Iterable[Report]) -> str:
    return " | ".join(report.record.title or report.report_id for report in reports)


def _dois(reports: Iterable[Report]) -> str:
    return " | ".join(report.record.doi for report in reports if report.record.doi)
