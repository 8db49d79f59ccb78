"""Tables and RIS for other programs. No cell of ours is ever a formula there."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.writer.excel import ExcelWriter

from livereview.cells import csv_text
from livereview.records import Record

Value = str | int | float | None
_BAD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LONGEST = 32_000  # characters of a cell in Excel
_TYPES = {"journal-article": "JOUR", "book": "BOOK", "book-chapter": "CHAP", "report": "RPRT", "thesis": "THES",
          "conference-paper": "CPAPER", "preprint": "UNPB", "dataset": "DATA", "web-page": "ELEC"}  # fmt: skip


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> bytes:
    """UTF-8 with a mark that Excel understands.

    A text that a sheet would take for a formula gets a quote before it.
    """
    cells = ([_clean(row.get(column)) for column in columns] for row in rows)
    return csv_text([_clean(column) for column in columns], cells).encode("utf-8-sig", "replace")


def _clean(value: Value) -> Value:
    return _BAD.sub("", value) if isinstance(value, str) else value


def as_xlsx(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Value]],
    moment: datetime,
    title: str = "decisions",
) -> bytes:
    """One sheet of this title; each text is a text to Excel, whatever it begins with.

    The same rows and moment: the same bytes.
    """
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = moment.replace(tzinfo=None, microsecond=0)
    sheet = book.create_sheet(title)
    sheet.append([_text(sheet, column) for column in columns])
    for row in rows:
        sheet.append([_text(sheet, row.get(column)) for column in columns])
    out = io.BytesIO()
    # the book's own save puts the hour of the clock into it
    ExcelWriter(book, zipfile.ZipFile(out, "w")).save()
    return _still(out.getvalue())


def _text(sheet: object, value: Value) -> object:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, _BAD.sub("", value)[:LONGEST])  # type: ignore[arg-type]
    cell.data_type = "s"
    return cell


def _still(body: bytes) -> bytes:
    """The file without the hour at which each part was packed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(body)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for part in before.infolist():
            still = zipfile.ZipInfo(part.filename, (2000, 1, 1, 0, 0, 0))
            after.writestr(still, before.read(part), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def as_ris(records: Iterable[tuple[Record, Sequence[str]]]) -> bytes:
    """Records with notes (N1), as Covidence, Rayyan, ASReview and EPPI-Reviewer import them."""
    return "".join(_entry(record, notes) for record, notes in records).encode("utf-8", "replace")


def _entry(record: Record, notes: Sequence[str]) -> str:
    first, _, last = (record.pages or "").partition("-")
    tags: list[tuple[str, object]] = [
        ("TY", _TYPES.get(record.type or "", "GEN")),
        ("TI", record.title),
        *(("AU", author) for author in record.authors),
        ("PY", record.year),
        ("JO", record.container_title),
        ("VL", record.volume),
        ("IS", record.issue),
        ("SP", first),
        ("EP", last),
        ("DO", record.doi),
        ("AN", record.pmid),
        ("UR", record.url),
        ("LA", record.language),
        ("AB", record.abstract),
        *(("N1", note) for note in notes),
    ]
    lines = [f"{tag}  - {_line(value)}" for tag, value in tags if value not in (None, "")]
    return "\r\n".join([*lines, "ER  - ", "", ""])


def _line(value: object) -> str:
    return " ".join(_BAD.sub("", str(value)).split())


_BIBTEX_TYPES = {
    "journal-article": "article",
    "book": "book",
    "book-chapter": "incollection",
    "report": "techreport",
    "thesis": "phdthesis",
    "conference-paper": "inproceedings",
}
_BIBTEX_CONTAINER = {"incollection": "booktitle", "inproceedings": "booktitle"}
_BIBTEX_SIGNS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "%": r"\%",
        "&": r"\&",
        "#": r"\#",
        "_": r"\_",
        "$": r"\$",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)
_AS_THEY_ARE = ("doi", "url")  # BibTeX styles print these without reading signs in them


def as_bibtex(records: Iterable[Record]) -> bytes:
    """Records for reference managers and LaTeX; the key of each is its record's id."""
    return "\n".join(_bibtex(record) for record in records).encode("utf-8", "replace")


def _bibtex(record: Record) -> str:
    kind = _BIBTEX_TYPES.get(record.type or "", "misc")
    fields = {
        "title": record.title,
        "author": " and ".join(record.authors),
        "year": record.year,
        _BIBTEX_CONTAINER.get(kind, "journal"): record.container_title,
        "volume": record.volume,
        "number": record.issue,
        "pages": (record.pages or "").replace("-", "--"),
        "doi": record.doi,
        "url": record.url,
        "language": record.language,
        "abstract": record.abstract,
    }
    lines = [
        f"  {name} = {{{_bibtex_value(name, value)}}}"
        for name, value in fields.items()
        if value not in (None, "")
    ]
    return f"@{kind}{{{record.record_id},\n" + ",\n".join(lines) + "\n}\n"


def _bibtex_value(name: str, value: object) -> str:
    text = _line(value)
    if name in _AS_THEY_ARE:
        return text.replace("{", "").replace("}", "")
    return text.translate(_BIBTEX_SIGNS)
