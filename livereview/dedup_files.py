"""Deduplicating files without a database: the same rules and clusters as the service, in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from livereview import records
from livereview.cells import csv_text
from livereview.dedup.blocks import block_keys, meetings
from livereview.dedup.clusters import Edge, clusters, left_out
from livereview.dedup.match import Judgement, judge_all
from livereview.dedup.text import Features, features
from livereview.errors import Refused, SourceBroken
from livereview.packed import unpacked
from livereview.records import Record
from livereview.sources import SOURCES

NEEDED = ("record_id", "title")
LARGEST_FIELD = 10_000_000
_UNKNOWN = {"unknown", "nan", "none", "null"}
LONGEST_UNKNOWN = max(map(len, _UNKNOWN))
CLUSTERS_HEAD = ("record_id", "cluster_id")
DOUBTFUL_HEAD = ("left", "right", "verdict", "rule", "score", "left_title", "right_title")
TELLING = ("same", "linked")  # verdicts that say something of which records are together
Judged = list[tuple[tuple[str, str], Judgement]]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there were, how many of them repeat another, how many pairs wait for a
    person, and how many entries of RIS files could not be read (they are in the output, each by
    itself).
    """

    records: int
    duplicates: int
    doubtful: int
    rejected: int = 0

    def __str__(self) -> str:
        text = f"{self.records:,} records, {self.duplicates:,} duplicates, {self.doubtful:,} doubtful pairs"
        return text + (
            f"; {self.rejected:,} entries could not be read, see livereview parse"
            if self.rejected
            else ""
        )


def run(
    paths: Sequence[Path],
    out: Path,
    doubtful: Path | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Counts:
    """Write record_id,cluster_id of every record, in the order read, and the doubtful pairs if
    asked for.

    A cluster's id is its first record's. Raises Refused, naming file and line, for a file that
    can't be read whole.
    """
    progress("reading")
    titles: dict[str, str] | None = {} if doubtful else None
    known = _known(paths, titles)
    progress(f"comparing {len(known):,} records")
    groups, waiting = settled({key: f for key, f in known.items() if f})
    progress("writing")
    write(out, CLUSTERS_HEAD, ((key, groups.get(key, key)) for key in known))
    if doubtful and titles is not None:
        write(doubtful, DOUBTFUL_HEAD, _rows(waiting, titles))
    rejected = sum(f is None for f in known.values())
    return Counts(
        len(known), len(known) - rejected - len(set(groups.values())), len(waiting), rejected
    )


def _known(paths: Sequence[Path], titles: dict[str, str] | None) -> dict[str, Features | None]:
    """What is compared of each record, and no more: a file is larger than memory sooner than its
    features are.
    """
    known: dict[str, Features | None] = {}
    for key, record in (pair for path in paths for pair in read(path)):
        if key in known:
            raise Refused(f"record_id {key!r} comes twice; give each record an id of its own")
        known[key] = features(record) if record else None
        if titles is not None and record:
            titles[key] = record.title or ""
    return known


def settled(known: dict[str, Features]) -> tuple[dict[str, str], Judged]:
    """The cluster of each record, and the pairs for a person to judge: doubtful ones and merges
    that others forbade.
    """
    judged = judge(known)
    edges: list[Edge] = [
        (a, b, j.verdict, "rule", j.scores["score"] or 0.0)
        for (a, b), j in judged
        if j.verdict in TELLING
    ]
    groups = clusters(list(known), edges, {key: f.doi for key, f in known.items() if f.doi})
    turned = {edge[:2] for edge in left_out(edges, groups)}
    return groups, [
        (pair, j)
        for pair, j in judged
        if pair in turned or (j.verdict == "doubtful" and groups[pair[0]] != groups[pair[1]])
    ]


def judge(known: dict[str, Features]) -> Judged:
    """Every pair that shares a key and is not simply different, with its verdict."""
    ids, all_ = list(known), list(known.values())
    judged: Judged = []
    for place, others in meetings(map(block_keys, all_)):
        pairs = [(place, other) if ids[place] < ids[other] else (other, place) for other in others]
        verdicts = judge_all([(all_[a], all_[b]) for a, b in pairs])
        found = zip(pairs, verdicts, strict=True)
        judged += [((ids[a], ids[b]), one) for (a, b), one in found if one.verdict != "different"]
    return sorted(judged, key=lambda one: one[0])


def _rows(waiting: Judged, titles: dict[str, str]) -> Iterator[tuple[object, ...]]:
    for (a, b), found in waiting:
        yield a, b, found.verdict, found.rule, found.scores["score"], titles[a], titles[b]


def write(path: Path, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write a CSV file."""
    path.write_text(csv_text(head, rows, line_end="\n"), encoding="utf-8", newline="")


def read(path: Path) -> Iterator[tuple[str, Record | None]]:
    """(id, record) of each entry of a CSV or RIS file, gzip or not.

    None where no record can be made of an entry.
    """
    name = path.name.removesuffix(".gz").lower()
    if not name.endswith((".ris", ".csv")):
        raise Refused(f"{path} is neither .csv nor .ris (.gz is fine); export it as one of these")
    try:
        body = unpacked(path.read_bytes(), str(path))
    except OSError as error:
        raise Refused(
            f"{path} can't be read: {error}; check that the file is there and was copied whole"
        ) from None
    yield from _ris(body, path) if name.endswith(".ris") else _csv(body, path)


def _ris(body: bytes, path: Path) -> Iterator[tuple[str, Record | None]]:
    try:
        page = SOURCES["ris"].parse(body, None)
    except SourceBroken as error:
        raise Refused(f"{path}: {error.message}; export it again as RIS") from None
    yield from ((f"{path.name}:{n}", record) for n, record in enumerate(page.records, start=1))
    yield from ((f"{path.name}:{reject.where}", None) for reject in page.rejects)


def _csv(body: bytes, path: Path) -> Iterator[tuple[str, Record | None]]:
    csv.field_size_limit(LARGEST_FIELD)
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
        head = next(reader, [])
        if missing := [name for name in NEEDED if name not in head]:
            raise Refused(
                f"{path} has no column {', '.join(missing)}; it needs at least {', '.join(NEEDED)}"
            )
        for row in filter(None, reader):
            yield _record(head, row, f"{path} line {reader.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path} is not a UTF-8 CSV file: {error}; save it as CSV in UTF-8") from None


def _record(head: Sequence[str], row: Sequence[str], place: str) -> tuple[str, Record]:
    if len(row) != len(head):
        raise Refused(
            f"{place}: not as many fields as the header; put quotes around fields with commas or line ends"
        )
    fields = dict(zip(head, row, strict=True))
    if not (key := fields["record_id"]):
        raise Refused(f"{place}: record_id is empty; give every record one")
    known = {
        name: text for name, field in fields.items() if (text := field.strip()) and _tells(text)
    }
    return key, Record(
        source="csv",
        source_key=key,
        authors=(known["authors"],) if "authors" in known else (),
        year=records.clean_year(known.get("year")),
        issue=known.get("number"),
        doi=records.clean_doi(known.get("doi")),
        issn=records.clean_issn(known.get("isbn")),
        isbn=records.clean_isbn(known.get("isbn")),
        type=known.get("entrytype"),
        title=known.get("title"),
        container_title=known.get("container_title"),
        volume=known.get("volume"),
        pages=known.get("pages"),
        abstract=known.get("abstract"),
    )


def _tells(text: str) -> bool:
    return len(text) > LONGEST_UNKNOWN or text.lower() not in _UNKNOWN
