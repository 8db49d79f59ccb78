"""The published CSV files. A cell never starts a formula when a spreadsheet opens it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from livereview.summary.snapshot import Report, Snapshot
from livereview.summary.words import link, tidy

Cell = str | int | float | None

STUDIES = (
    *("study", "label", "year", "design", "country", "population", "intervention", "comparator", "area"),
    *("participants", "risk_of_bias", "risk_of_bias_tool", "caution"),
)
RESULTS = ("outcome", "construct", "direction", "measure", "effect", "ci_low", "ci_high", "n", "timing")
REPORT = ("title", "authors", "year", "published_in", "doi", "link")


def studies_csv(snapshot: Snapshot) -> bytes:
    """One row a study with its extracted facts; studies without an extraction yet have their id and reports only."""
    rows = (
        [*(getattr(study.extraction, name, None) for name in STUDIES[2:]), _titles(study.reports), _dois(study.reports)]
        for study in snapshot.studies
    )
    named = ([study.study_id, study.label, *row] for study, row in zip(snapshot.studies, rows, strict=True))
    return table((*STUDIES, "reports", "dois"), named)


def effects_csv(snapshot: Snapshot) -> bytes:
    """One row a result, figures as reported and unrounded."""
    forms = [(study, study.extraction) for study in snapshot.studies if study.extraction]
    rows = (
        [study.study_id, study.label, *(getattr(result, name) for name in RESULTS)]
        for study, form in forms
        for result in form.results
    )
    return table(("study", "label", *RESULTS), rows)


def exclusions_csv(snapshot: Snapshot) -> bytes:
    """One row a report that was read in full and excluded, with the reason."""
    return table((*REPORT, "reason"), ([*_report(report), report.reason] for report in snapshot.excluded))


def plain(rows: Sequence[Sequence[object]]) -> bytes:
    """Rows with their heading first, such as a picture's."""
    head, *rest = rows
    return table([str(cell) for cell in head], [[_cell(cell) for cell in row] for row in rest])


def _cell(value: object) -> Cell:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file in UTF-8; unknown is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")


def cell(value: Cell) -> str:
    """The text of a cell; an apostrophe goes before what a spreadsheet would run, unless it is a plain number.

    The characters are those that OWASP's page on CSV injection names, their full-width forms included.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    text = " ".join(tidy(value).split())
    danger = text[:1] in tuple("=+-@＝＋－＠|%") and not re.fullmatch(r"[+-]?\d+(\.\d+)?", text)
    return f"'{text}" if text and danger else text


def _report(report: Report) -> list[Cell]:
    record = report.record
    authors = " | ".join(record.authors)
    return [record.title, authors, record.year, record.container_title, record.doi, link(record)]


def _titles(reports: Iterable[Report]) -> str:
    return " | ".join(report.record.title or report.report_id for report in reports)


def _dois(reports: Iterable[Report]) -> str:
    return " | ".join(report.record.doi for report in reports if report.record.doi)
