"""A batch from its files to its clusters."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from livereview import dedup_files
from livereview.batches import steps
from livereview.batches.engines import Engine, Progress
from livereview.batches.layout import Blobs, Layout, Numbers, write_blobs
from livereview.batches.steps import Verdict
from livereview.dedup.clusters import Edge, clusters, left_out
from livereview.dedup_files import Counts
from livereview.errors import Refused
from livereview.records import Record

SIZE = 20_000  # records in a part: a step then holds some 200 MB


@dataclass(frozen=True, slots=True)
class Joined:
    """What the verdicts come to.

    Attributes:
        reports: The number of the first record of its report, for each record that is in one with
            another; all others are by themselves.
        waiting: Pairs for a person to judge, sorted by the records' ids.
        ids: Of all records that a verdict is about.
    """

    reports: dict[int, int]
    waiting: list[Verdict]
    ids: dict[int, str]


def run(
    paths: Sequence[Path],
    out: Path,
    engine: Engine,
    *,
    doubtful: Path | None = None,
    folder: Path | None = None,
    size: int = SIZE,
    progress: Progress = lambda _step: None,
) -> Counts:
    """Write what `dedup_files.run` writes, byte for byte, holding one part at a time.

    Args:
        paths: CSV or RIS files.
        out: The CSV to write: record_id,cluster_id.
        engine: Who does the parts.
        doubtful: The CSV to write of pairs for a person to judge.
        folder: Where to put what the steps share, some 4 kB a record; all workers must reach it
            under this path. None: the machine's folder for temporary files.
        size: Records in a part.
        progress: Told what has been done.

    Raises:
        Refused: A file can't be read whole, or a record_id comes twice.
    """
    with tempfile.TemporaryDirectory(prefix="livereview-batch-", dir=folder) as scratch:
        progress("reading")
        layout, rejected = _lay_down(paths, Path(scratch), size)
        for step in (steps.describe, steps.meet, steps.compare):
            engine.every_part(step, layout, progress)
        progress("joining")
        joined = _join(layout)
        progress("writing")
        dedup_files.write(out, dedup_files.CLUSTERS_HEAD, _clusters(layout, joined))
        if doubtful:
            dedup_files.write(doubtful, dedup_files.DOUBTFUL_HEAD, _doubtful(layout, joined))
    repeats = sum(number != first for number, first in joined.reports.items())
    return Counts(layout.records, repeats, len(joined.waiting), rejected)


def _lay_down(paths: Sequence[Path], folder: Path, size: int) -> tuple[Layout, int]:
    """Write the records in parts; returns also how many entries were no record."""
    entries = (entry for path in paths for entry in dedup_files.read(path))
    marks: list[Numbers] = []
    total = rejected = part = 0
    while found := list(islice(entries, size)):
        layout = Layout(folder, total + len(found), size)
        write_blobs(layout.file(steps.RECORDS, part), (steps.packed(record) for _, record in found))
        write_blobs(layout.file(steps.IDS, part), (key for key, _ in found))
        marks.append(np.array([hash(key) for key, _ in found], np.int64))
        rejected += sum(record is None for _, record in found)
        total, part = layout.records, part + 1
    layout = Layout(folder, total, size)
    _refuse_repeated(layout, marks)
    return layout, rejected


def _refuse_repeated(layout: Layout, marks: list[Numbers]) -> None:
    """Refuse the first id that comes a second time.

    Ids whose hashes are alike are looked at; all others need no memory.
    """
    if not marks:
        return
    hashes = np.concatenate(marks)
    values, times = np.unique(hashes, return_counts=True)
    alike = np.flatnonzero(np.isin(hashes, values[times > 1]))
    seen: set[str] = set()
    for key in steps.looked_up(layout, steps.IDS, alike.tolist()).values():
        if key in seen:
            raise Refused(f"record_id {key!r} comes twice; give each record an id of its own")
        seen.add(key)


def _join(layout: Layout) -> Joined:
    """Join records into reports. One that no verdict ties to another needs no place in memory."""
    verdicts: list[Verdict] = []
    for part in layout.parts:
        verdicts += Blobs(layout.file(steps.VERDICTS, part))
    about = {number for verdict in verdicts for number in verdict[:2]}
    ids: dict[int, str] = steps.looked_up(layout, steps.IDS, about)
    verdicts.sort(key=lambda verdict: (ids[verdict.left], ids[verdict.right]))
    edges: list[Edge] = []
    dois: dict[str, str] = {}
    for verdict in verdicts:
        pair = ids[verdict.left], ids[verdict.right]
        if verdict.verdict in dedup_files.TELLING:
            edges.append((*pair, verdict.verdict, "rule", verdict.score))
        dois.update((key, doi) for key, doi in zip(pair, verdict.dois, strict=True) if doi)
    members = [ids[number] for number in sorted(about)]
    groups = clusters(members, edges, dois)
    turned = {edge[:2] for edge in left_out(edges, groups)}
    waiting = []
    for verdict in verdicts:
        left, right = ids[verdict.left], ids[verdict.right]
        is_open = verdict.verdict == "doubtful" and groups[left] != groups[right]
        if is_open or (left, right) in turned:
            waiting.append(verdict)
    numbers = {key: number for number, key in ids.items()}
    reports = {number: numbers[groups[key]] for number, key in ids.items()}
    return Joined(reports, waiting, ids)


def _clusters(layout: Layout, joined: Joined) -> Iterator[tuple[str, str]]:
    number = 0
    for part in layout.parts:
        for key in Blobs(layout.file(steps.IDS, part)):
            first = joined.reports.get(number)
            yield key, key if first is None else joined.ids[first]
            number += 1


def _doubtful(layout: Layout, joined: Joined) -> Iterator[tuple[object, ...]]:
    numbers = {number for verdict in joined.waiting for number in verdict[:2]}
    found = steps.looked_up(layout, steps.RECORDS, numbers)
    titles = {number: Record(*values).title or "" for number, values in found.items()}
    for verdict in joined.waiting:
        pair = joined.ids[verdict.left], joined.ids[verdict.right]
        left, right = (titles[number] for number in verdict[:2])
        yield *pair, verdict.verdict, verdict.rule, verdict.score, left, right
