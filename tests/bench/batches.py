"""What deduplicating in parts costs beside one process: python -m tests.bench.batches [NUMBER ...].

For each NUMBER of generated records (as `tests.bench.dedup` makes them, a tenth of them repeats):
seconds and CPU seconds of the whole command for each engine, the ratio of CPU to the command that
holds all in memory, and the largest process's memory. Above a million, `--engine memory` is left
out with --without-memory. The answers must be the same bytes, or this ends with an error.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.dedup import COLUMNS, generated

ENGINES = {
    "memory": ("--engine", "memory"),
    "files": ("--engine", "files"),
    "dask, 1 worker": ("--engine", "dask", "--workers", "1"),
    "dask, 2 workers": ("--engine", "dask", "--workers", "2"),
}
ROW = "{:>10}  {:16}{:>9}{:>9}{:>8}{:>10}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One command: seconds of the clock and of the processors, MB of its largest process."""

    seconds: float
    cpu: float
    megabytes: float
    digest: str


def measured(words: tuple[str, ...], source: Path, folder: Path) -> Measured:
    """Run the command in a process that has no other children, and ask the kernel what it took."""
    out, doubtful = folder / "out.csv", folder / "doubtful.csv"
    command = [sys.executable, "-m", "livereview", "dedup", str(source), "--out", str(out)]
    command += ["--doubtful", str(doubtful), "--folder", str(folder), *words]
    started = time.monotonic()
    program = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command], check=True, capture_output=True, text=True
    )
    cpu, megabytes = map(float, done.stdout.splitlines()[-1].split())
    digest = hashlib.sha256(out.read_bytes() + doubtful.read_bytes()).hexdigest()
    return Measured(time.monotonic() - started, cpu, megabytes, digest)


def compare(number: int, folder: Path, engines: dict[str, tuple[str, ...]]) -> None:
    source = folder / f"{number}.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS])
        csv.writer(file).writerows(generated(number, random.Random(1)))
    first: Measured | None = None
    for name, words in engines.items():
        found = measured(words, source, folder)
        first = first or found
        if found.digest != first.digest:
            sys.exit(f"{name} comes to another answer at {number:,} records")
        figures = f"{found.seconds:.1f}", f"{found.cpu:.1f}", f"{found.cpu / first.cpu:.2f}"
        print(ROW.format(f"{number:,}", name, *figures, f"{found.megabytes:,.0f}"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", type=int, nargs="*", default=[100_000])
    parser.add_argument("--without-memory", action="store_true")
    asked = parser.parse_args()
    engines = dict(ENGINES)
    if asked.without_memory:
        del engines["memory"]
    print(ROW.format("records", "engine", "seconds", "CPU s", "ratio", "MB"))
    with tempfile.TemporaryDirectory() as folder:
        for number in asked.numbers:
            compare(number, Path(folder), engines)


if __name__ == "__main__":
    main()
