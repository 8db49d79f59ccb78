"""What a page costs in a small and in a large database: python -m tests.bench.ingest [--records N …].

For each N a home with N generated records is made; then pages of 200 more come, as a night brings
them, and the search is ended. Prints the CPU seconds a page, all threads and the end of the search
included, first with pages taken in together as a night does, then one by one. The memory is the
most that the process ever held.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from livereview.ops import surveil
from livereview.settings import Settings
from livereview.store.open import Store
from tests.bench import load

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FILL = 5_000  # records of a page while the home is filled
PAGES = 20  # pages of 200 that are measured
TEXT = (Path(__file__).parents[1] / "data" / "review.toml").read_text(encoding="utf-8")


def bodies(start: int, count: int, page: int) -> list[bytes]:
    """Answers of OpenAlex with these of the generated records, so many an answer."""
    load.PAGE = page
    return load.pages_of(start, count)


def take(store: Store, search: str, pages: list[bytes], more: bool) -> float:
    """CPU seconds of a search with these pages."""
    began = time.process_time()
    surveil.begin(store, review=load.REVIEW, name="openalex", search=search, now=NOW)
    for body in pages:
        surveil.ingest(store, search=search, body=body, now=NOW, more=more)
    surveil.finish(store, search=search, now=NOW)
    return time.process_time() - began


def measure(records: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), secrets={})
        with Store(settings.database, settings.memory, settings.threads) as store:
            surveil.register(store, text=TEXT, now=NOW)
            take(store, "fill", bodies(0, records, FILL), more=False)
            coming = bodies(records, 2 * PAGES * 200, 200)
            together = take(store, "together", coming[:PAGES], more=True) / PAGES
            alone = take(store, "alone", coming[PAGES:], more=False) / PAGES
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {records:,} | {together:.3f} s | {alone:.3f} s | {memory:,.0f} MB |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[20_000, 100_000, 300_000])
    print("| records before | a page, taken in together | a page by itself | memory, at most |")
    print("|---|---|---|---|", flush=True)
    for each in parser.parse_args().records:
        measure(each)
