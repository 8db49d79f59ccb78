"""What one owner carries: python -m tests.bench.capacity [--reviews 1 20 100] [--records 1000 10000].

Two series. The first has ever more reviews of 100 records each, the second ever more records in one
review. For each it makes a real home, opens it as `serve` does, and prints the CPU seconds of what
happens again and again: each look that costs more with more reviews, each page that costs more with
more records, a decision, a backup; and what it all takes on the disk and in memory. CPU seconds
count all threads of the process, so they compare on a busy machine too; the writer's share is in
them. Memory is the most that the process ever held, each series in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from fastapi import FastAPI

from livereview import ops
from livereview.ops import metrics, screen, settle, surveil, team
from livereview.settings import Settings
from livereview.store import records, searches
from livereview.store.condition import size_of_log
from livereview.store.open import Connection, Store
from livereview.web.app import create
from livereview.web.serve import Publisher
from tests.conftest import DATA, REVIEW, Browser, article, secret_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TEXT = (DATA / "review.toml").read_text(encoding="utf-8")
EACH = 100  # records of each review in the first series
BATCH = 5_000  # records that are written at once
TIMES = 5  # times that each look is measured; the median is told
DECISIONS = 40  # of which the mean is told
MB = 2**20


@dataclass
class Measured:
    """One home: what was asked of it, with CPU seconds, and its size."""

    reviews: int
    records: int
    seconds: dict[str, float]
    disk: float
    backup: float
    memory: float


def names(reviews: int) -> list[str]:
    return [f"review-{number}" for number in range(reviews)]


def fill(store: Store, reviews: int, each: int) -> None:
    """So many reviews, each with so many records that wait, none of them a duplicate."""
    for number, review in enumerate(names(reviews)):
        surveil.register(store, text=TEXT.replace(f'id = "{REVIEW}"', f'id = "{review}"'), now=NOW)
        for start in range(0, each, BATCH):
            stop = min(each, start + BATCH)
            first = number * each
            bring(store, review, f"{review}-{start}", range(first + start, first + stop))
    for name, role in (("lena", "lead"), ("ada", "reviewer"), ("ben", "reviewer")):
        team.add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)


def bring(store: Store, review: str, search: str, numbers: range) -> None:
    """Let one search have found these articles."""
    found = [article(number) for number in numbers]

    def job(con: Connection) -> None:
        from livereview.ops.protocols import protocol

        plan = protocol(con, review).searches[0]
        searches.begin(con, search, review, plan, searches.Run("search", None, NOW), NOW)
        ids = [record.record_id for record in found]
        fresh = records.sort_news(found, records.known(con, ids)).fresh
        records.append(con, fresh, "0" * 64, NOW)
        records.add_hits(con, review, search, dict.fromkeys(ids, 1), NOW)
        settle.refresh(con, ids)
        searches.end(con, search, "ok", None, searches.Counts(len(found), len(found)), None, NOW)

    store.write(job, bulk=True)


@contextmanager
def home(reviews: int, each: int) -> Iterator[tuple[Store, Settings, FastAPI]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), secrets={}, memory="1GB", threads=2)
        with Store(settings.database, settings.memory, settings.threads, reserve=0) as store:
            fill(store, reviews, each)
            app = create(store, settings, token="bench", clock=lambda: LATER)
            yield store, settings, app


def cpu(act: Callable[[], object], times: int = TIMES) -> float:
    """The median of the CPU seconds that it takes."""
    took = []
    for _ in range(times):
        began = time.process_time()
        act()
        took.append(time.process_time() - began)
    return statistics.median(took)


def decisions(store: Store, review: str) -> float:
    """CPU seconds of a decision, the mean of many by two people."""
    with store.read() as con:
        rows = con.execute(
            "SELECT record_id FROM hit WHERE review = ? ORDER BY record_id LIMIT ?",
            [review, DECISIONS // 2],
        ).fetchall()
    began = time.process_time()
    for record in (row[0] for row in rows):
        for person in ("ada", "ben"):
            screen.decide(
                store,
                id=f"{record}-{person}",
                review=review,
                record=record,
                record_version=1,
                stage="title_abstract",
                reviewer=person,
                verdict="exclude",
                reason="wrong-population",
                now=LATER,
            )
    return (time.process_time() - began) / (2 * len(rows))


def measure(reviews: int, each: int) -> Measured:
    """One home, made and looked at."""
    with home(reviews, each) as (store, settings, app):
        lena, ada = Browser(app, secret_of("lena")), Browser(app, secret_of("ada"))
        publisher = Publisher(store, settings.site)
        review = names(reviews)[-1]
        looks: dict[str, Callable[[], object]] = {
            "status of all": lambda: ops.status.status(store, now=LATER),
            "/metrics": lambda: metrics.measured(store, now=LATER),
            "the publisher's look": publisher.look,
            "a lead's start": lambda: lena.get("/"),
            "a lead's page": lambda: lena.get(f"/r/{review}"),
            "the next record": lambda: ada.get(f"/r/{review}/screen/title_abstract"),
            "the table of records": lambda: lena.get(f"/r/{review}/records"),
        }
        seconds = {name: cpu(look) for name, look in looks.items()}
        seconds["a decision"] = decisions(store, review)
        backups = Path(tempfile.mkdtemp(dir=settings.home.parent))
        began = time.process_time()
        done = ops.backup.backup(store, target=str(backups), now=LATER)
        seconds["a backup"] = time.process_time() - began
        disk = (settings.database.stat().st_size + size_of_log(settings.database)) / MB
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Measured(reviews, reviews * each, seconds, disk, done["bytes"] / MB, memory)


def in_process(pipe: Pipe, reviews: int, each: int) -> None:
    pipe.send(measure(reviews, each))


def apart(reviews: int, each: int) -> Measured:
    """In a process of its own, so that memory is its own."""
    here, there = multiprocessing.Pipe()
    asked = (there, reviews, each)
    process = multiprocessing.get_context("spawn").Process(target=in_process, args=asked)
    process.start()
    there.close()  # so that a process which dies ends the wait
    found: Measured = here.recv()
    process.join()
    return found


def table(series: list[Measured]) -> None:
    """A row for each look, a column for each home; CPU milliseconds."""
    print(
        f"| | {' | '.join(f'{each.reviews} × {each.records // each.reviews:,}' for each in series)} |"
    )
    print(f"|---|{'---|' * len(series)}")
    for name in series[0].seconds:
        row = " | ".join(f"{each.seconds[name] * 1_000:,.0f} ms" for each in series)
        print(f"| {name} | {row} |")
    for words, size in (
        ("the database and its log", lambda each: each.disk),
        ("the database in a backup", lambda each: each.backup),
        ("memory, at most", lambda each: each.memory),
    ):
        print(f"| {words} | {' | '.join(f'{size(each):,.0f} MB' for each in series)} |")
    print(flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, nargs="+", default=[1, 20, 100])
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    given = parser.parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; reviews × records of each, CPU of all threads\n")
    table([apart(reviews, EACH) for reviews in given.reviews])
    table([apart(1, records) for records in given.records])
