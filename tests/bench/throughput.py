"""How fast records get in: python -m tests.bench.throughput [--records N].

N generated records come from four sources over HTTP from a local server (a process of its own) and
go through the real
way: fetch, parse, ingest, dedup, in the owner's database. Prints records a second for each source
    and the peak memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import resource
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from flows.surveil import run_search
from livereview import fetch
from livereview.client import Local
from livereview.commands import Register
from livereview.review import Search
from livereview.settings import Settings
from tests.bench.dedup import generated
from tests.internet import DAYS, Internet, Work, source_answers

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SOURCES = ("openalex", "crossref", "europepmc", "pubmed")
SHARED = 10  # one work in so many is in two sources
REVIEW = Path(__file__).parents[1] / "data" / "review.toml"
FILTERS = {
    "openalex": (),
    "crossref": (("rows", "500"),),
    "europepmc": (("pageSize", "500"),),
    "pubmed": (),
}


def works(count: int) -> list[dict[str, Any]]:
    """As `tests.internet.catalogue` has them, each in one source, one in ten in the next one too."""
    rows = (row for row in generated(count, random.Random(1)) if not str(row[0]).endswith("b"))
    found = []
    for number, (
        _,
        title,
        authors,
        year,
        journal,
        volume,
        issue,
        pages,
        doi,
        abstract,
    ) in enumerate(rows):
        own = {SOURCES[number % 4], *([SOURCES[(number + 1) % 4]] if number % SHARED == 0 else [])}
        found.append(
            {
                "key": f"w{number:07d}",
                "openalex": f"W{number + 1}",
                "pmid": str(number + 1),
                "ppr": f"PPR{number}",
                "doi": doi,
                "title": title,
                "mended": title,
                "mended_on": "9999",
                "authors": str(authors).split("; "),
                "year": year,
                "date": str(year),
                "container_title": journal,
                "volume": str(volume),
                "issue": str(issue),
                "pages": pages,
                "abstract": abstract,
                "type": "journal-article",
                "served": dict.fromkeys(
                    own, out := (date(2026, 1, 1) + timedelta(days=number % 270)).isoformat()
                ),
                "appears": dict.fromkeys(own, out),
            }
        )
    return found


class Fast(Internet):
    """The internet with its lists made once."""

    def __init__(self, catalogue: list[dict[str, Any]]):
        super().__init__(catalogue, NOW)
        self._lists = {
            source: [
                {**work, "served": work["served"][source]}
                for work in catalogue
                if source in work["served"]
            ]
            for source in SOURCES
        }

    def _body(self, source: str, asked: dict[str, str]) -> bytes:
        listed = self._lists[source]
        if source == "pubmed":
            listed, asked = self._pubmed(listed, asked)
        answer: bytes = getattr(source_answers, source)(listed, asked)
        return answer

    def _pubmed(
        self, listed: list[Work], asked: dict[str, str]
    ) -> tuple[list[Work], dict[str, str]]:
        """The works of a search's days, or the part of them to hand out: its speaker looks through
        all it is given.
        """
        if "term" in asked:
            span = re.search(DAYS["pubmed"], asked["term"])
            first, last = (
                text.replace("/", "-") for text in (span.groups() if span else ("0", "9"))
            )
            self._state.history = [work for work in listed if first <= work["served"] <= last]
            return self._state.history, asked
        start = int(asked["retstart"])
        return self._state.history[start : start + int(asked["retmax"])], {**asked, "retstart": "0"}


def serve(count: int, pipe: Connection) -> None:
    source_answers.PAGE = 1_000
    with Fast(works(count)) as net:
        pipe.send(net.base)
        pipe.recv()


def run(count: int, home: Path) -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(count, there), daemon=True
    )
    server.start()
    base = here.recv()
    client = Local(Settings(home=home, secrets={}, memory="1GB", threads=2))
    client.run(
        Register(
            text=REVIEW.read_text(encoding="utf-8").replace("[[searches]]", plans(), 1), now=NOW
        )
    )
    print(f"{'source':12}{'records':>9}{'seconds':>9}{'a second':>10}")
    total, began = 0, time.monotonic()
    with fetch.Fetcher(secrets={}, via=base) as fetcher:
        for source in SOURCES:
            started = time.monotonic()
            plan = Search(f"bench-{source}", source, source, "children", filters=FILTERS[source])
            ending = run_search(client, fetcher, "small-review", plan, NOW)
            took, total = time.monotonic() - started, total + ending.found
            print(
                f"{source:12}{ending.found:>9,}{took:>9.1f}{ending.found / took:>10,.0f}  {ending.error or ''}"
            )
    took = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with client.store.read() as con:
        reports = con.execute("SELECT count(DISTINCT report_id) FROM report").fetchall()[0][0]
    print(
        f"{'all':12}{total:>9,}{took:>9.1f}{total / took:>10,.0f}  {reports:,} reports, {memory:,.0f} MB"
    )
    client.close()
    here.send("done")


def plans() -> str:
    """The searches of the benchmark, as review.toml has them."""
    text = ""
    for source in SOURCES:
        filters = "".join(f'{name} = "{value}"\n' for name, value in FILTERS[source])
        text += f'[[searches]]\nname = "bench-{source}"\nsource = "{source}"\n'
        text += f'platform = "{source}"\nquery = "children"\n'
        text += f"[searches.filters]\n{filters}" if filters else ""
    return f"{text}\n[[searches]]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    with tempfile.TemporaryDirectory() as place:
        run(parser.parse_args().records, Path(place))
