"""How good and how fast deduplication is: python -m tests.bench.dedup [--scale N].

Without --scale, the labelled sets (a folder beside the project): record F1 as bib-dedupe counts it, pair precision and
seconds of the whole command. With it, N generated records, a tenth of them copies written differently.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
SETS = ("cytology_screening", "respiratory", "diabetes", "digital_work", "mis_baseline", "mis_mixed")
COLUMNS = ("record_id", "title", "authors", "year", "container_title", "volume", "number", "pages", "doi")


def command(source: Path, out: Path) -> float:
    """Seconds that `livereview dedup` takes as a process of its own."""
    started = time.monotonic()
    words = [sys.executable, "-m", "livereview", "dedup", str(source), "--out", str(out)]
    subprocess.run(words, check=True, capture_output=True)
    return time.monotonic() - started


def labelled(folder: Path) -> None:
    print(f"{'set':22}{'F1':>8}{'FP':>5}{'FN':>5}{'pair precision':>16}{'seconds':>9}")
    for name in SETS:
        data = SHARED / "data" / "dedup" / name
        seconds = command(data / "records.csv.gz", folder / "out.csv")
        scorer = [
            sys.executable,
            str(SHARED / "bench" / "score_dedup.py"),
            str(folder / "out.csv"),
            str(data / "truth.csv.gz"),
        ]
        s = json.loads(subprocess.run(scorer, check=True, capture_output=True, text=True).stdout)
        print(f"{name:22}{s['rec_f1']:8.4f}{s['rec_FP']:5}{s['rec_FN']:5}{s['pair_precision']:16.4f}{seconds:9.1f}")


def generated(number: int, dice: random.Random) -> Iterator[tuple[object, ...]]:
    """Records with titles of a few thousand words; one in ten comes again without its DOI, in another hand."""
    words = ["".join(dice.choices("abcdefghiklmnoprstuw", k=dice.randint(4, 11))) for _ in range(6_000)]
    names = ["".join(dice.choices("abcdefghiklmnoprst", k=7)).title() for _ in range(9_000)]
    for n in range(number):
        title = " ".join(dice.choices(words, k=dice.randint(6, 14)))
        authors = [f"{dice.choice(names)}, {dice.choice('ABCDEFG')}." for _ in range(dice.randint(1, 5))]
        volume, page, year = dice.randint(1, 60), dice.randint(1, 900), dice.randint(1990, 2026)
        journal = f"Journal of {words[n % 300]} {words[n % 7]}"
        place = (year, journal, volume, 1, f"{page}-{page + 9}")
        yield n, title.capitalize(), "; ".join(authors), *place, f"10.1000/{n}"
        if n % 10 == 0:
            short = "; ".join(name.replace(",", "") for name in authors)
            yield f"{n}b", f"{title.upper()}.", short, year, journal, volume, "", page, ""


def scale(number: int, folder: Path) -> None:
    source = folder / "big.csv"
    with source.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(generated(number * 10 // 11, random.Random(1)))
    seconds = command(source, folder / "out.csv")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rows = list(csv.DictReader((folder / "out.csv").open()))
    merged = len(rows) - len({row["cluster_id"] for row in rows})
    print(f"{len(rows):,} records, {merged:,} duplicates: {seconds:.1f} s, {peak:,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int)
    chosen = parser.parse_args().scale
    with tempfile.TemporaryDirectory() as place:
        scale(chosen, Path(place)) if chosen else labelled(Path(place))
