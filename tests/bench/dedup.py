"""How good and how fast deduplication is: python -m tests.bench.dedup [OPTION].

Without arguments, the labelled sets (a folder beside the project): record F1 as bib-dedupe counts
it, pair precision, seconds of the whole command. --scale: N generated records in one batch, the
whole command. --night: NEW records against KNOWN ones in a database file, through the real store;
the night's seconds alone, the memory of the process. --beside: digital_work by this command and by
the bib-dedupe that is installed in another PYTHON, one after the other. --leave-one-out: the
threshold of titles chosen on the other sets, for each set. --damaged: the sets as badly read pages
would leave them, without pages and DOIs, each tenth title lost and three tenths cut off. --thinned:
with nothing but title, authors, place and year; --renamed: so, and every second place under another
name.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import multiprocessing
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

from livereview.dedup import compare, pair, rules
from livereview.dedup_files import read, run
from livereview.ops.settle import settle
from livereview.records import Record
from livereview.store import records
from livereview.store.open import Store

SHARED = Path(__file__).resolve().parents[3] / "shared"
SETS = (
    "cytology_screening",
    "respiratory",
    "diabetes",
    "digital_work",
    "mis_baseline",
    "mis_mixed",
    "special_cases",
)
COLUMNS = (
    "record_id",
    "title",
    "authors",
    "year",
    "container_title",
    "volume",
    "number",
    "pages",
    "doi",
    "abstract",
)
THIN = ("record_id", "title", "authors", "year", "container_title")
OPENINGS = (
    "The effect of",
    "A randomised controlled trial of",
    "Systematic review of",
    "Predictors of",
    "",
    "",
)
ROW = "{:20}{:>8}{:>6}{:>5}{:>5}{:>8}{:>11}{:>9}"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PAGE = 20_000  # known records laid down in one transaction


def command(source: Path, out: Path) -> float:
    """Seconds that `livereview dedup` takes as a process of its own."""
    started = time.monotonic()
    words = [sys.executable, "-m", "livereview", "dedup", str(source), "--out", str(out)]
    subprocess.run(words, check=True, capture_output=True)
    return time.monotonic() - started


def labelled(folder: Path) -> None:
    print(ROW.format("set", "records", "TP", "FP", "FN", "F1", "pair prec.", "seconds"))
    for name in SETS:
        data = SHARED / "data" / "dedup" / name
        seconds = command(data / "records.csv.gz", folder / "out.csv")
        scorer = [
            sys.executable,
            SHARED / "bench" / "score_dedup.py",
            folder / "out.csv",
            data / "truth.csv.gz",
        ]
        s = json.loads(subprocess.run(scorer, check=True, capture_output=True, text=True).stdout)
        shown = f"{s['rec_f1']:.4f}", f"{s['pair_precision']:.4f}", f"{seconds:.1f}"
        print(ROW.format(name, s["n"], s["rec_TP"], s["rec_FP"], s["rec_FN"], *shown))


def generated(number: int, dice: random.Random) -> Iterator[tuple[object, ...]]:
    """About 1.1 x number records: words as unevenly used as in real titles, half with an abstract.

    One in ten comes
    again without its DOI, in another hand.
    """
    words = [
        "".join(dice.choices("aabcdeeefghiiklmnooprstuuw", k=dice.randint(4, 12)))
        for _ in range(20_000)
    ]
    weights = list(accumulate(1 / (n + 5) for n in range(len(words))))
    names = [
        "".join(dice.choices("aabcdeefghiiklmnooprst", k=dice.randint(4, 10))).title()
        for _ in range(30_000)
    ]
    journals = [
        " ".join(["Journal of", *dice.choices(words, k=dice.randint(1, 3))]).title()
        for _ in range(4_000)
    ]
    for n in range(number):
        pool = dice.choices(words, cum_weights=weights, k=24)
        title = f"{dice.choice(OPENINGS)} {' '.join(pool[: dice.randint(5, 13)])}".strip()
        authors = [
            f"{dice.choice(names)}, {dice.choice('ABCDEFGHJKLM')}."
            for _ in range(dice.randint(1, 6))
        ]
        page = dice.randint(1, 2_000)
        place = (
            dice.randint(1990, 2026),
            dice.choice(journals),
            dice.randint(1, 90),
            dice.randint(1, 12),
        )
        abstract = " ".join(pool * 3) if n % 2 else ""
        yield (
            n,
            title.capitalize(),
            "; ".join(authors),
            *place,
            f"{page}-{page + 9}",
            f"10.1000/{n}",
            abstract,
        )
        if n % 10 == 0:
            short = "; ".join(name.replace(",", "") for name in authors)
            yield f"{n}b", f"{title.upper()}.", short, *place[:3], "", page, "", abstract


# Reads a set and finds its clusters, as bib-dedupe's README does; the file's columns under its
# names.
THEIRS = """
import sys, pandas
from bib_dedupe.bib_dedupe import block, cluster, match, prep
names = {"record_id": "ID", "authors": "author", "container_title": "journal", "entrytype": "ENTRYTYPE"}
table = pandas.read_csv(sys.argv[1], dtype=str).fillna("").rename(columns=names)
table["ENTRYTYPE"] = "article"
print(len(cluster(match(block(prep(table))))))
"""


def beside(python: str, folder: Path) -> None:
    data = SHARED / "data" / "dedup" / "digital_work" / "records.csv.gz"
    ours = command(data, folder / "out.csv")
    started = time.monotonic()
    subprocess.run([python, "-c", THEIRS, str(data)], check=True, capture_output=True, cwd=folder)
    theirs = time.monotonic() - started
    print(
        f"digital_work: bib-dedupe {theirs:.1f} s, livereview dedup {ours:.1f} s, {theirs / ours:.0f} times faster"
    )


def leave_one_out(folder: Path) -> None:
    """The threshold that matters most, chosen on the other sets, applied to the one left out."""
    tried: dict[float, dict[str, float]] = {}
    for alike in (0.88, 0.90, 0.92, 0.94, 0.96):
        for module in (compare, pair, rules):
            module.ALIKE = alike  # type: ignore[misc]
        tried[alike] = {name: f1(name, folder) for name in SETS[:-1]}
        print(
            f"titles alike from {alike:.2f}:",
            "  ".join(f"{name} {one:.4f}" for name, one in tried[alike].items()),
        )
    for left in SETS[:-1]:
        best = max(
            tried, key=lambda alike: sum(one for name, one in tried[alike].items() if name != left)
        )
        print(f"{left}: chosen on the others {best:.2f}, F1 {tried[best][left]:.4f}")


def f1(name: str, folder: Path) -> float:
    data = SHARED / "data" / "dedup" / name
    run([data / "records.csv.gz"], folder / "out.csv", None, lambda step: None)
    scorer = [
        sys.executable,
        SHARED / "bench" / "score_dedup.py",
        folder / "out.csv",
        data / "truth.csv.gz",
    ]
    return float(
        json.loads(subprocess.run(scorer, check=True, capture_output=True, text=True).stdout)[
            "rec_f1"
        ]
    )


def damaged(folder: Path) -> None:
    """What the rules do where little is known: the sets they were not made on tell whether they
    hold elsewhere.
    """
    dice = random.Random(7)

    def wear(row: dict[str, str]) -> dict[str, str]:
        return row | {"pages": "", "doi": "", "title": worn(row["title"], dice)}

    altered(folder, wear, lambda: dice.seed(7))


def thinned(folder: Path, renamed: bool) -> None:
    """Title, authors, place and year alone, as many tables have them; `renamed`: with the place of
    every second record under another name.
    """
    number = 0

    def thin(row: dict[str, str]) -> dict[str, str]:
        nonlocal number
        number += 1
        kept = {name: row[name] if name in THIN else "" for name in row}
        if renamed and number % 2:
            kept["container_title"] = f"Research Report {number % 97}"
        return kept

    altered(folder, thin, lambda: None)


def altered(
    folder: Path, alter: Callable[[dict[str, str]], dict[str, str]], begin: Callable[[], None]
) -> None:
    """Score each set with every row altered; `begin` is called before each set."""
    print(ROW.format("set", "records", "TP", "FP", "FN", "F1", "pair prec.", ""))
    for name in SETS[:-1]:
        data = SHARED / "data" / "dedup" / name
        begin()
        with gzip.open(data / "records.csv.gz", "rt", encoding="utf-8", newline="") as file:
            rows = [alter(row) for row in csv.DictReader(file)]
        with (folder / "altered.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        run([folder / "altered.csv"], folder / "out.csv", None, lambda step: None)
        scorer = [
            sys.executable,
            SHARED / "bench" / "score_dedup.py",
            folder / "out.csv",
            data / "truth.csv.gz",
        ]
        s = json.loads(subprocess.run(scorer, check=True, capture_output=True, text=True).stdout)
        shown = f"{s['rec_f1']:.4f}", f"{s['pair_precision']:.4f}", ""
        print(ROW.format(name, s["n"], s["rec_TP"], s["rec_FP"], s["rec_FN"], *shown))


def worn(title: str, dice: random.Random) -> str:
    lot, words = dice.random(), title.split()
    return (
        "" if lot < 0.1 else " ".join(words[: max(3, len(words) * 2 // 3)]) if lot > 0.7 else title
    )


def sheet(number: int, path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(generated(number * 10 // 11, random.Random(1)))
    return path


def scale(number: int, folder: Path) -> None:
    seconds = command(sheet(number, folder / "big.csv"), folder / "out.csv")
    with (folder / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    merged = len(rows) - len({row["cluster_id"] for row in rows})
    print(
        f"{len(rows):,} records, {merged:,} duplicates: {seconds:.1f} s, {peak(resource.RUSAGE_CHILDREN):,.0f} MB"
    )


def night(new: int, known: int, folder: Path) -> None:
    """The known records come in by a process of their own, so that the memory told is the night's."""
    share = (new + known) // new
    made = sheet(new + known, folder / "big.csv")
    before = multiprocessing.get_context("spawn").Process(
        target=lay_down, args=(made, share, folder)
    )
    before.start()
    before.join()
    later = [record for n, (_, record) in enumerate(read(made)) if record and n % share == 0]
    with Store(folder / "night.duckdb") as store:
        seconds = lay(store, later)
        with store.read() as con:
            merged = con.execute(
                "SELECT count(*) FROM report WHERE record_id <> report_id"
            ).fetchone()
    print(
        f"{len(later):,} new, {known:,} known, {merged[0]:,} merged: {seconds:.1f} s, {peak():,.0f} MB"
    )  # type: ignore[index]


def lay_down(made: Path, share: int, folder: Path) -> None:
    """All but every share-th record, a page at a time."""
    with Store(folder / "night.duckdb") as store:
        page: list[Record] = []
        for n, (_, record) in enumerate(read(made)):
            if record and n % share:
                page.append(record)
            if len(page) == PAGE:
                lay(store, page)
                page = []
        lay(store, page)


def lay(store: Store, page: list[Record]) -> float:
    started = time.monotonic()
    store.write(lambda con: records.append(con, page, "0" * 64, NOW))
    store.write(lambda con: settle(con, page, NOW))
    return time.monotonic() - started


def peak(who: int = resource.RUSAGE_SELF) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int)
    parser.add_argument("--night", type=int, nargs=2, metavar=("NEW", "KNOWN"))
    parser.add_argument("--beside", metavar="PYTHON")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--damaged", action="store_true")
    parser.add_argument("--thinned", action="store_true")
    parser.add_argument("--renamed", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if chosen.leave_one_out:
            leave_one_out(Path(place))
        elif chosen.damaged:
            damaged(Path(place))
        elif chosen.thinned or chosen.renamed:
            thinned(Path(place), chosen.renamed)
        elif chosen.beside:
            beside(chosen.beside, Path(place))
        elif chosen.night:
            night(*chosen.night, Path(place))
        elif chosen.scale:
            scale(chosen.scale, Path(place))
        else:
            labelled(Path(place))
