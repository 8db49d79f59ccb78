"""Tables of records: CSV, TSV and Excel as databases, reference managers, screening tools and packages
write them, or anybody else with headings that say what they are.

Encoding, separator and the line of the headings are found out (`columns`); what a row says is a
record (`rows`); a row that is no record is a reject with its line number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from livereview import decoding, workbooks
from livereview.cells import unguarded
from livereview.errors import Refused, SourceBroken
from livereview.records import Record
from livereview.sources import columns, rows, tagged
from livereview.sources.columns import Head
from livereview.sources.protocol import Page, Query, Reject, Source
from livereview.sources.text import reject

NAME = rows.NAME
TITLE = "Table of records"
LARGEST_FIELD = 10_000_000
WIDEST, LONGEST = 1_000, 250_000  # columns and rows of a sheet; Web of Science has 71 columns
UNCLOSED = "a quotation mark is opened and not closed before the end of the file"
_NOT_TEXT = re.compile(rb"PK[\x03-\x08]|\xd0\xcf\x11\xe0|%PDF|\x1f\x8b")
_ANOTHER_FORMAT = re.compile(r"<|@\w+\{|[\[{]\s*[\"{]|TY {1,2}-|PMID- ")
# "sep=;" is for Excel
_SEP_LINE = re.compile(r"\A[\r\n \ufeff]*\"?sep=.\"?,*[ \t]*(?=\r|\n)", re.IGNORECASE)
_PROTECTED = re.compile(r'="([^"]*)"')  # from Excel, which would make a number of an ISSN


def parse(body: bytes, cursor: str | None) -> Page:
    """Every row as a record or a reject; SourceBroken for a file without a column of titles."""
    return _page(body, {})


def read(body: bytes, query: Query) -> Page:
    """As `parse`, with the columns that a person named (`columns.as_filters`) in the query."""
    return _page(body, columns.of_filters(query.filters))


def _page(body: bytes, named: Mapping[str, str]) -> Page:
    records: list[Record] = []
    rejects: list[Reject] = []
    for line, row in _rows(body, named):
        made = row if isinstance(row, str) else rows.record(row)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"line {line}", row))
    page = Page(tagged.distinct(records), rejects=tuple(rejects), total=len(records) + len(rejects))
    if rejects and rejects[-1].reason == UNCLOSED:
        return replace(page, warnings=(tagged.BROKEN_OFF,))
    return page


def _rows(body: bytes, named: Mapping[str, str]) -> Iterator[tuple[int, rows.Row | str]]:
    """(line, values by meaning) of each row that is not blank.

    A text where the row can't be read.
    """
    if workbooks.is_workbook(body):
        yield from _sheet_rows(body, named)
        return
    csv.field_size_limit(LARGEST_FIELD)
    text = _text(body)
    head = columns.head_of_text(text, named)
    closed = _closed(text, head)
    lines = list(_lines(text, head))
    for number, (line, values) in enumerate(lines, start=1):
        if not closed and number == len(lines):
            yield line, UNCLOSED
        elif _is_filled(values) and not _is_head_again(values, head):
            yield line, _row(values, head)


def _sheet_rows(body: bytes, named: Mapping[str, str]) -> Iterator[tuple[int, rows.Row | str]]:
    """As `_rows`, of the sheet on top of an Excel file; a row of a sheet has as many cells as any."""
    sheet = workbooks.rows(body, "this Excel file", widest=WIDEST, longest=LONGEST)
    try:
        table = [[_sheet_cell(value) for value in row] for row in sheet]
    except Refused as problem:
        raise SourceBroken(problem.message, source=NAME) from None
    if len(table) > LONGEST:
        raise SourceBroken(f"the sheet has more than {LONGEST:,} rows; split it", source=NAME)
    head = columns.head_of_rows(table, named)
    for line, values in enumerate(table[head.line :], start=head.line + 1):
        if _is_filled(values) and not _is_head_again(values, head):
            yield line, _row(values, head)


def _sheet_cell(value: object) -> str:
    """Excel's value as the text that stands in its cell; a date as ISO."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # Excel has no whole numbers
    return str(value)


def _text(body: bytes) -> str:
    """The text of a table.

    Raises:
        SourceBroken: it is a file of another kind, which is named.
    """
    text = _SEP_LINE.sub("", decoding.decode(body).text)
    begin = text.lstrip("\r\n \ufeff")[:5_000]
    if not begin or _NOT_TEXT.match(body):
        raise _foreign(body)
    if _ANOTHER_FORMAT.match(begin):
        raise tagged.foreign(begin.splitlines(), "this is no table of records", NAME)
    return text


def _foreign(body: bytes) -> SourceBroken:
    if body.startswith(b"\xd0\xcf\x11\xe0"):
        return SourceBroken("this is an old Excel file: save the sheet as CSV", source=NAME)
    lines = body[:5_000].decode("utf-8-sig", "replace").splitlines()
    return tagged.foreign(lines, "this is no table of records", NAME)


def _lines(text: str, head: Head) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row below the headings.

    Raises:
        SourceBroken: a cell is larger than any text.
    """
    reader = csv.reader(_below(text, head), delimiter=head.separator)
    try:
        next(reader, [])
        for values in reader:
            yield head.line - 1 + reader.line_num, values
    except csv.Error as error:
        line = head.line - 1 + reader.line_num
        raise SourceBroken(f"this is not a table: {error} in line {line}", source=NAME) from None


def _closed(text: str, head: Head) -> bool:
    """Whether the last quoted cell ends before the file does."""
    try:
        for _ in csv.reader(_below(text, head), delimiter=head.separator, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" not in str(error)
    return True


def _below(text: str, head: Head) -> io.StringIO:
    """The text from its headings on."""
    stream = io.StringIO(text, newline="")
    stream.seek(head.start)
    return stream


def _is_filled(values: Sequence[str]) -> bool:
    return any(value.strip() for value in values)


def _is_head_again(values: Sequence[str], head: Head) -> bool:
    """Whether the headings come again, as where exports were put behind each other."""
    return len(head.places) > 1 and tuple(values) == head.titles


def _row(values: list[str], head: Head) -> rows.Row | str:
    """The values by meaning; a reason where there are more or fewer of them than headings."""
    values = _with_headings(values, head.titles)
    width, filled = len(head.titles), len(values)
    if _is_filled(values[width:]) or _is_filled(head.titles[filled:]):
        return f"the row has {filled} cells under {width} headings"
    cells = [_cell(value) for value in values]
    row: dict[str, str] = {}
    for field, places in head.places.items():
        texts = (cells[place] for place in places if place < filled)
        text = next(filter(None, texts), "")
        if text:
            row[field] = text
    return _glued(head.titles, row)


def _cell(value: str) -> str:
    """A cell's text without what guards it from a spreadsheet."""
    text = value.strip()
    protected = _PROTECTED.fullmatch(text)
    if protected:
        return protected.group(1).strip()
    return unguarded(text)


def _with_headings(values: list[str], head: Sequence[str]) -> list[str]:
    """A row of Scopus without the cells of second and third funding texts, which it exports without
    a heading.
    """
    surplus = len(values) - len(head)
    funding = [n for n, title in enumerate(head) if title.startswith("Funding Text")]
    if surplus > 0 and funding and head[-1].strip() == "EID" and values[-1].startswith("2-s2.0-"):
        return values[: funding[-1] + 1] + values[funding[-1] + 1 + surplus :]
    return values


def _glued(head: Sequence[str], row: rows.Row) -> rows.Row:
    """Springer's rows with "Jane SmithJohn Doe" cut where a lower-case letter meets a capital,
    where that is safe.
    """
    if {"Item Title", "Item DOI"} <= {title.strip() for title in head} and "authors" in row:
        return {**row, "authors": "; ".join(_unglued(row["authors"]))}
    return row


def _unglued(text: str) -> list[str]:
    """Names of people run together.

    The whole text as one where a part would be no name of two words.

    A prefix such as Mc, Mac, De or Van before a capital is part of a name ("McDonald", "DeVries").
    """
    parts = re.split(r"(?<=[^\W\d_A-Z])(?=[A-Z\u00c0-\u00de])", text)
    names: list[str] = []
    for part in parts:
        if names and _PREFIX.search(names[-1]):
            names[-1] += part
        else:
            names.append(part)
    if all(" " in part.strip() for part in names):
        return names
    return [text]


_PREFIX = re.compile(
    r"\b(?:Mc|Mac|De|Di|Da|Del|Della|Du|Des|La|Le|Van|Von|Vander|Fitz|El|Al|O\u2019|O')$"
)


SOURCE = Source(NAME, TITLE, parse, read=read)
