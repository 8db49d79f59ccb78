"""Deduplicating files without a database: the same rules and clusters as the service, in memory."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from livereview import records
from livereview.dedup.clusters import clusters
from livereview.dedup.match import Judgement, block_keys, judge_all
from livereview.dedup.text import Features, features
from livereview.errors import Refused
from livereview.records import Record
from livereview.sources import ris
from livereview.store import candidates
from livereview.store.open import memory_database

NEEDED = ("record_id", "title")
LARGEST_FIELD = 10_000_000
CHUNK = 20_000
_UNKNOWN = {"", "unknown", "nan", "none", "null"}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there were, how many of them repeat another, and how many pairs wait for a person."""

    records: int
    duplicates: int
    doubtful: int

    def __str__(self) -> str:
        return f"{self.records:,} records, {self.duplicates:,} duplicates, {self.doubtful:,} doubtful pairs"


def run(
    paths: list[Path], out: Path, doubtful: Path | None = None, progress: Callable[[str], None] = lambda step: None
) -> Counts:
    """Write record_id,cluster_id of every record, in the order read, and the doubtful pairs if asked for.

    A cluster's id is its first record's. Raises Refused, naming file and line, for a file that can't be read whole.
    """
    progress("reading")
    found = [pair for path in paths for pair in read(path)]
    known: dict[str, Features] = {}
    for key, record in found:
        if key in known:
            raise Refused(f"record_id {key!r} comes twice; each record needs an id of its own")
        known[key] = features(record)
    progress("comparing")
    judged = judge(known)
    same = [(a, b, "same", "rule", j.scores["score"] or 0.0) for (a, b), j in judged if j.verdict == "same"]
    groups = clusters(list(known), same, {key: f.doi for key, f in known.items() if f.doi})
    waiting = [((a, b), j) for (a, b), j in judged if j.verdict in ("doubtful", "same") and groups[a] != groups[b]]
    progress("writing")
    _write(out, ("record_id", "cluster_id"), groups.items())
    if doubtful:
        titles = {key: record.title or "" for key, record in found}
        _write(
            doubtful, ("left", "right", "verdict", "rule", "score", "left_title", "right_title"), _rows(waiting, titles)
        )
    return Counts(len(known), len(known) - len(set(groups.values())), len(waiting))


def judge(known: dict[str, Features]) -> list[tuple[tuple[str, str], Judgement]]:
    """Every candidate pair with its verdict, found by blocking in an in-memory DuckDB."""
    con = memory_database()
    ids = list(known)
    candidates.replace(con, [(key, block_keys(f)) for key, f in known.items()])
    judged = []
    for start in range(0, len(ids), CHUNK):
        pairs = sorted(p for p in candidates.pairs(con, ids[start : start + CHUNK]))
        verdicts = judge_all([(known[a], known[b]) for a, b in pairs])
        judged += [(pair, found) for pair, found in zip(pairs, verdicts, strict=True) if found.verdict != "different"]
    con.close()
    return sorted(dict(judged).items())


def _rows(waiting: list[tuple[tuple[str, str], Judgement]], titles: dict[str, str]) -> Iterator[tuple[object, ...]]:
    for (a, b), found in waiting:
        yield a, b, found.verdict, found.rule, found.scores["score"], titles[a], titles[b]


def _write(path: Path, head: tuple[str, ...], rows: object) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)  # type: ignore[arg-type]


def read(path: Path) -> list[tuple[str, Record]]:
    """(id, record) of each record of a CSV or RIS file, gzip or not."""
    try:
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise Refused(f"{path} can't be read: {error}") from None
    name = path.name.removesuffix(".gz").lower()
    if name.endswith(".ris"):
        return [(f"{path.name}:{n}", record) for n, record in enumerate(ris.parse(body, None).records, start=1)]
    if name.endswith(".csv"):
        return _csv(body, path)
    raise Refused(f"{path} is neither .csv nor .ris (.gz is fine)")


def _csv(body: bytes, path: Path) -> list[tuple[str, Record]]:
    csv.field_size_limit(LARGEST_FIELD)
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
        if missing := [name for name in NEEDED if name not in (reader.fieldnames or ())]:
            raise Refused(f"{path} has no column {', '.join(missing)}; it needs at least {', '.join(NEEDED)}")
        return [_record(row, f"{path} line {reader.line_num}") for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path} is not a UTF-8 CSV file: {error}") from None


def _record(row: dict[str, str], place: str) -> tuple[str, Record]:
    if not row.get("record_id"):
        raise Refused(f"{place}: record_id is empty; every record needs one")

    def value(name: str) -> str | None:
        text = (row.get(name) or "").strip()
        return None if text.lower() in _UNKNOWN else text

    authors = value("authors")
    return row["record_id"], Record(
        source="csv",
        source_key=row["record_id"],
        title=value("title"),
        authors=(authors,) if authors else (),
        year=records.clean_year(value("year")),
        container_title=value("container_title"),
        volume=value("volume"),
        issue=value("number"),
        pages=value("pages"),
        doi=records.clean_doi(value("doi")),
        issn=records.clean_issn(value("isbn")),
        isbn=records.clean_isbn(value("isbn")),
        abstract=value("abstract"),
        type=value("entrytype"),
    )
