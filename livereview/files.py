"""Files that people bring: opened whatever their packing, decisions and extractions read row by
row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from livereview import records, review_toml, sources, workbooks
from livereview.client import Client
from livereview.commands import Code, Extract, ReadProtocol, ReadSheet, TakeDecision
from livereview.commands.evidence import Extracted
from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.exchange import coded_maps, decisions, mapped, repeats, sheets
from livereview.packed import Packed, is_archive, members, unpacked
from livereview.sources import columns
from livereview.sources.protocol import Page

TABLES = (".csv", ".tsv", ".tab", ".xlsx", ".csv.gz", ".tsv.gz")


def read(path: Path) -> bytes:
    """The file's bytes, unpacked if it is gzip; raises Refused for what can't be read."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} can't be read: {error}") from None
    return unpacked(body, str(path))


def read_all(path: Path) -> list[Packed]:
    """The file with its name, or the files of an archive (.zip), such as Rayyan exports.

    Each of an archive is called after both, as it is one export of several.

    Raises:
        Refused: it can't be read, or unpacks to more than a real export does.
    """
    body = read(path)
    if not is_archive(body):
        return [Packed(path.name, body)]
    return [replace(part, name=f"{path.name}: {part.name}") for part in members(body, path.name)]


def lines(page: Page) -> Iterator[dict[str, Any]]:
    """What a page holds as JSON objects: its records, then its rejects."""
    for record in page.records:
        yield {"kind": "record", **records.to_json(record)}
    for reject in page.rejects:
        yield {"kind": "reject", "reason": reject.reason, "where": reject.where, "raw": reject.raw}


def guess(body: bytes, name: str) -> str:
    """The source that can read this file.

    Raises:
        SourceBroken: none of those for files can; of a table whose columns nobody placed, its
            headings and how to name them.
    """
    readers = ("csv",) if workbooks.is_workbook(body) else sources.OF_FILES
    for source in readers:
        try:
            if sources.find(source).parse(body, None).records:
                return source
        except columns.Unplaced:
            if name.lower().endswith(TABLES):
                raise
        except (SourceBroken, Retry):
            continue
    raise SourceBroken(
        f"{name} is of no kind that is known by its content; name its kind with --source"
    )


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of a file's rows: written, known from before, and (line number, why) of those
    refused.
    """

    written: int
    known: int
    refused: tuple[tuple[int, str], ...]


def decide(
    client: Client,
    review: str,
    path: Path,
    now: datetime,
    tick: Callable[[], None],
    stage: str | None = None,
    reviewer: str | None = None,
    change_settled: bool = False,
) -> RowReport:
    """Write each row of a decisions file; a refused row changes nothing and spares the others.

    Columns: record (id, DOI, pmid:… or exact title), stage, reviewer, verdict; and optionally
    reason, note, role, tags (split at ;); or a file of another tool (`exchange.decisions`), with
    `stage` and `reviewer` where it does not say. The same file again changes nothing, unless
    something else was said since. What a team has settled stays, unless `change_settled`.
    """
    sheet = decisions.read(read(path), path.name)
    written, known, refused = 0, 0, list(sheet.problems)
    rows = [
        replace(row, stage=row.stage or stage, reviewer=row.reviewer or reviewer)
        for row in sheet.rows
    ]
    for row, asked in repeats.in_order(rows):
        try:
            answer = client.run(
                TakeDecision(
                    id=uuid4().hex,
                    review=review,
                    now=now,
                    change_settled=change_settled,
                    **asked,
                )
            )
        except LivereviewError as error:
            refused.append((row.number, str(error)))
        else:
            known += answer.known
            written += not answer.known
        tick()
    return RowReport(written, known, tuple(sorted(refused)))


def count_rows(path: Path) -> int:
    """How many decisions a file holds, for a progress bar."""
    return len(decisions.read(read(path), path.name).rows)


def extractions(client: Client, review: str, path: Path) -> Sequence[dict[str, Any]]:
    """The forms in a JSON file (one, or a list) or a CSV file."""
    body = read(path)
    if path.suffix == ".csv":
        return client.run(ReadSheet(review=review, text=body.decode("utf-8-sig"))).forms
    try:
        data = json.loads(body)
    except ValueError as error:
        raise Refused(f"{path} is not JSON: {error}") from None
    return data if isinstance(data, list) else [data]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a map made of other people's sheets: what was written of each study, and (where, why) of
    what was not.
    """

    written: list[Extracted]
    problems: list[tuple[str, str]]


def extract_mapped(
    client: Client, review: str, map_: Path, folder: Path, extractor: str, now: datetime
) -> Taken:
    """Write the forms that the sheets in `folder` hold by a map.

    A study with a mistake spares the others.
    """
    known: dict[tuple[str, str | None], mapped.Grid] = {}

    def sheet(name: str, which: str | None) -> mapped.Grid:
        if (name, which) not in known:
            known[name, which] = sheets.grid(read(folder / name), name, which)
        return known[name, which]

    text = read(map_).decode("utf-8")
    found = mapped.read(text, sheet, map_.name)
    written, problems = [], list(found.problems)
    for study, form in found.forms.items():
        try:
            extract = Extract(
                id=uuid4().hex, review=review, data=form, extractor=extractor, name=study, now=now
            )
            written.append(client.run(extract))
        except Refused as refusal:
            problems += [(study, line.removeprefix("- ")) for line in refusal.message.splitlines()]
    return Taken(written, problems)


def extract(
    client: Client, review: str, path: Path, extractor: str, now: datetime
) -> list[Extracted]:
    """Write the extractions of a file.

    The same file again changes nothing, unless something else was said since.
    """
    forms = extractions(client, review, path)
    return [
        client.run(
            Extract(
                id=uuid4().hex,
                review=review,
                data=form,
                extractor=extractor,
                name=path.name,
                now=now,
            )
        )
        for form in forms
    ]


def ratings(path: Path) -> list[Any]:
    """The ratings in a JSON file: one, or a list."""
    try:
        found = json.loads(read(path).decode("utf-8"))
    except ValueError as error:
        raise Refused(
            f"{path} is not JSON: {error}; `livereview rate --help` has an example"
        ) from None
    return found if isinstance(found, list) else [found]


@dataclass(frozen=True, slots=True)
class MapReport:
    """What became of a file of codes: `unplaced` are its codes that mean nothing in this review."""

    kind: str
    written: int
    known: int
    unplaced: Mapping[str, int]
    refused: tuple[tuple[int, str], ...]


def code(client: Client, review: str, path: Path, by: str, now: datetime) -> MapReport:
    """Code the reports of a file for the map; a row that can't be taken spares the others.

    The same file again changes nothing, unless something else was said since.
    """
    rules = review_toml.parse(client.run(ReadProtocol(review=review)).text)
    coded = coded_maps.read(read(path), path.name, rules)
    written, known, refused = 0, 0, list(coded.problems)
    for row in coded.rows:
        try:
            answer = client.run(
                Code(
                    id=uuid4().hex,
                    review=review,
                    record=row.record,
                    also=row.also,
                    year=row.year,
                    codes=row.codes,
                    by=by,
                    now=now,
                )
            )
        except Refused as refusal:
            refused.append((row.number, refusal.message))
        else:
            known += answer.known
            written += not answer.known
    return MapReport(coded.kind, written, known, coded.unplaced, tuple(sorted(refused)))
