"""Files of records that somebody brings: recognised, looked through, and only then taken in.

What was brought waits in a private folder of its own until it is taken in or given up; a day later
it is gone.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from livereview import parsing, sources, workbooks
from livereview.errors import LivereviewError, Refused
from livereview.ops import surveil
from livereview.packed import Packed, is_archive, members, unpacked
from livereview.parsing import ParsePage
from livereview.private_files import private_folder, write_private
from livereview.sources import columns as table_columns
from livereview.sources.protocol import Page, Query
from livereview.store import known
from livereview.store.known import Identity
from livereview.store.open import Store

FOLDER = "brought"
KEPT = timedelta(days=1)
MOST_FILES = 50
LARGEST = 100_000_000  # bytes of all files together, unpacked: they stay on the owner's disk a day
FIRST = 5  # records that are shown of each file
REJECTS = 500  # of each file that can be downloaded
STATES = ("ready", "unreadable", "waiting", "running", "taken", "failed", "left")


@dataclass(frozen=True, slots=True)
class FirstRecord:
    """One of the first records of a file, as it was read."""

    title: str | None
    authors: str
    year: int | None
    container_title: str | None
    doi: str | None
    known: bool


@dataclass(frozen=True, slots=True)
class BroughtFile:
    """A file with what is in it.

    Attributes:
        source: What reads it; "" where nothing can.
        columns: Of a table: the headings that somebody named.
        repeats: Records that stand in it more than once.
        known: Records that the review has already, by their identifiers.
        rejects: (place, reason, beginning) of what is no record.
        problem: Why it can't be read.
        state: One of STATES.
        outcome: What taking it in did, in words.
    """

    name: str
    source: str = ""
    columns: Mapping[str, str] | None = None
    records: int = 0
    repeats: int = 0
    known: int = 0
    first: tuple[FirstRecord, ...] = ()
    rejects: tuple[tuple[str, str, str], ...] = ()
    rejected: int = 0
    notes: tuple[str, ...] = ()
    problem: str = ""
    state: str = "ready"
    outcome: str = ""

    @property
    def kind(self) -> str:
        """What kind of file it is, for people."""
        if self.source:
            return sources.SOURCES[self.source].title
        return ""

    @property
    def new(self) -> int:
        """Records that the review has not, by their identifiers."""
        return self.records - self.repeats - self.known


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody brought at once."""

    id: str
    review: str
    person: str
    made: datetime
    files: tuple[BroughtFile, ...]

    @property
    def busy(self) -> bool:
        """Whether a file of it waits to be taken in, or is."""
        return any(file.state in ("waiting", "running") for file in self.files)


def folder_of(home: Path, id: str) -> Path:
    """Where it waits; raises Refused for what is no id."""
    if not re.fullmatch(r"[0-9a-f]{32}", id):
        raise Refused("there is no such import; bring the files again")
    return home / FOLDER / id


def bring(
    store: Store,
    home: Path,
    *,
    id: str,
    review: str,
    person: str,
    files: Sequence[Packed],
    now: datetime,
) -> Brought:
    """Keep these files and look through them; the same id again gives what is kept.

    Archives (.zip) are unpacked; each of their files is one.

    Raises:
        Refused: There is none, there are too many, or they are too large or damaged.
    """
    folder = folder_of(home, id)
    if (folder / "index.json").exists():
        return look(home, id, review)
    _forget_old(home, now)
    unpacked_files = _unpacked(files)
    looked = tuple(_looked(store, review, file, {}) for file in unpacked_files)
    for number, file in enumerate(unpacked_files):
        write_private(folder / str(number), file.body)
    brought = Brought(id, review, person, now, looked)
    _write(home, brought)
    return brought


def _unpacked(files: Sequence[Packed]) -> list[Packed]:
    """All files, those of archives one by one."""
    single: list[Packed] = []
    for file in files:
        body = unpacked(file.body, file.name, LARGEST)
        if is_archive(body):
            inside = members(body, file.name, LARGEST)
            single += [replace(part, name=f"{file.name}: {part.name}") for part in inside]
        else:
            single.append(replace(file, body=body))
    if not single:
        raise Refused("choose a file first")
    if len(single) > MOST_FILES:
        raise Refused(f"{len(single)} files are too many at once; bring up to {MOST_FILES}")
    size = sum(len(file.body) for file in single)
    if size > LARGEST:
        megabytes = size // 1_000_000
        raise Refused(f"the files have {megabytes} MB; bring up to {LARGEST // 1_000_000} at once")
    return single


def look(home: Path, id: str, review: str) -> Brought:
    """What was brought, as it stands; raises Refused where it is gone or another review's."""
    try:
        data: dict[str, Any] = json.loads((folder_of(home, id) / "index.json").read_bytes())
    except (OSError, ValueError):
        raise Refused("this import is gone: it was given up, or a day has passed") from None
    if data["review"] != review:
        raise Refused("this import is gone: it was given up, or a day has passed")
    files = tuple(_file(row) for row in data["files"])
    return Brought(
        data["id"],
        data["review"],
        data["person"],
        datetime.fromisoformat(data["made"]),
        files,
    )


def _file(row: dict[str, Any]) -> BroughtFile:
    first = tuple(FirstRecord(**record) for record in row.pop("first"))
    rejects = tuple((place, reason, raw) for place, reason, raw in row.pop("rejects"))
    notes = tuple(row.pop("notes"))
    return BroughtFile(**row, first=first, rejects=rejects, notes=notes)


def _write(home: Path, brought: Brought) -> None:
    plain = asdict(brought) | {"made": brought.made.isoformat()}
    text = json.dumps(plain, ensure_ascii=False)
    private_folder(folder_of(home, brought.id))
    write_private(folder_of(home, brought.id) / "index.json", text.encode())


def _changed(home: Path, brought: Brought, number: int, file: BroughtFile) -> Brought:
    files = (*brought.files[:number], file, *brought.files[number + 1 :])
    changed = replace(brought, files=files)
    _write(home, changed)
    return changed


def _forget_old(home: Path, now: datetime) -> None:
    """Take away what nobody took in for a day."""
    for index in (home / FOLDER).glob("*/index.json"):
        try:
            made = datetime.fromisoformat(json.loads(index.read_bytes())["made"])
        except (OSError, ValueError, KeyError):
            continue
        if now - made > KEPT:
            shutil.rmtree(index.parent, ignore_errors=True)


def give_up(home: Path, id: str) -> None:
    """Keep what was brought no more."""
    shutil.rmtree(folder_of(home, id), ignore_errors=True)


def name_columns(
    store: Store, home: Path, brought: Brought, number: int, columns: Mapping[str, str]
) -> Brought:
    """Read a table again by the headings that hold its fields.

    Raises:
        Refused: There is no such file, or a field that no table has is named.
    """
    named = table_columns.checked({field: words for field, words in columns.items() if words})
    file = _numbered(brought, number)
    body = (folder_of(home, brought.id) / str(number)).read_bytes()
    looked = _looked(store, brought.review, Packed(file.name, body), named)
    return _changed(home, brought, number, looked)


def _numbered(brought: Brought, number: int) -> BroughtFile:
    if not 0 <= number < len(brought.files):
        raise Refused("there is no such file in this import")
    return brought.files[number]


# What is in a file


def _looked(store: Store, review: str, file: Packed, named: Mapping[str, str]) -> BroughtFile:
    """A file with what is in it; what can't be read says why."""
    try:
        source, page = _recognised(file, named)
    except LivereviewError as problem:
        words = problem.message.partition(" If one of them holds titles")[0]
        return BroughtFile(file.name, columns=dict(named), problem=words, state="unreadable")
    records = {record.record_id: record for record in page.records}
    identities = [Identity(id, record.doi, record.pmid) for id, record in records.items()]
    with store.read() as con:
        present = known.records_of(con, review, identities)
    first = tuple(
        FirstRecord(
            record.title,
            "; ".join(record.authors[:3]),
            record.year,
            record.container_title,
            record.doi,
            record.record_id in present,
        )
        for record in page.records[:FIRST]
    )
    rejects = tuple((one.where, one.reason, one.raw[:200]) for one in page.rejects[:REJECTS])
    return BroughtFile(
        name=file.name,
        source=source,
        columns=dict(named),
        records=len(page.records),
        repeats=len(page.records) - len(records),
        known=len(present),
        first=first,
        rejects=rejects,
        rejected=len(page.rejects),
        notes=(*page.notes, *page.warnings),
    )


def _recognised(file: Packed, named: Mapping[str, str]) -> tuple[str, Page]:
    """(what reads it, what it holds), read where it can stop nobody.

    Raises:
        LivereviewError: Nothing can read it; of a table whose columns nobody placed, its headings.
    """
    if named:
        query = Query(filters=table_columns.as_filters(named))
        tables = table_columns.TABLES
        return tables, parsing.read_page(ParsePage(tables, file.body, query=query))
    is_workbook = workbooks.is_workbook(file.body)
    readers = (table_columns.TABLES,) if is_workbook else sources.OF_FILES
    problem: LivereviewError | None = None
    for source in readers:
        try:
            page = parsing.read_page(ParsePage(source, file.body))
        except LivereviewError as error:
            problem = error
            continue
        if page.records:
            return source, page
    raise problem or Refused("nothing in it is a record")


# Taken in


def ask(home: Path, brought: Brought, numbers: Sequence[int]) -> Brought:
    """Mark these files to be taken in; others that can be read are left out."""
    for number, file in enumerate(brought.files):
        if file.state not in ("ready", "failed", "left"):
            continue
        state = "waiting" if number in numbers else "left"
        brought = _changed(home, brought, number, replace(file, state=state, outcome=""))
    return brought


def ask_again(home: Path, brought: Brought) -> Brought:
    """Mark what was being taken in when the server stopped, so that it is taken in once more."""
    for number, file in enumerate(brought.files):
        if file.state == "running":
            brought = _changed(home, brought, number, replace(file, state="waiting"))
    return brought


def take(
    store: Store, home: Path, brought: Brought, number: int, *, grey: bool, now: datetime
) -> Brought:
    """Take one file in; what goes wrong is its outcome."""
    file = _numbered(brought, number)
    brought = _changed(home, brought, number, replace(file, state="running"))
    try:
        body = (folder_of(home, brought.id) / str(number)).read_bytes()
        done = surveil.import_file(
            store,
            review=brought.review,
            source=file.source,
            name=file.name,
            body=body,
            now=now,
            grey=grey,
            columns=file.columns or None,
        )
    except LivereviewError as problem:
        failed = replace(file, state="failed", outcome=problem.message)
        return _changed(home, brought, number, failed)
    words = f"{done['found']:,} found, {done['fresh']:,} new, {done['changed']:,} changed"
    if done["rejected"]:
        words += f", {done['rejected']:,} rejected"
    outcome = f"It was taken in before: {words}." if done["known"] else f"{words}."
    return _changed(home, brought, number, replace(file, state="taken", outcome=outcome))
