"""Readers and kills at the published folder: python -m tests.bench.published [--publishes 200
--kills 200].

Readers poll `latest`, a version and the front page, over HTTP and on disk, through so many
publishes of every kind; then a process that publishes is killed so many times at random moments.
Prints what readers saw and what kills left.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from livereview.ops import publish, surveil
from livereview.ops.published import faults
from livereview.settings import Settings
from livereview.store.open import Store
from tests import publishing
from tests.conftest import DATA, NOW, REVIEW
from tests.test_published import kill, read_on


def run(home: Path, publishes: int, kills: int) -> None:
    settings = Settings(home=home, secrets={}, memory="500MB", threads=1)
    with Store(settings.database, settings.memory, settings.threads) as store:
        surveil.register(store, text=(DATA / "review.toml").read_text(encoding="utf-8"), now=NOW)
        publish.open_review(store, id="opening", review=REVIEW, by="lena", now=NOW)
        publishing.begin(store, settings.site)
        begun = time.monotonic()
        readers, kinds = read_on(store, settings, settings.site, publishes)
        took = time.monotonic() - begun
        print(f"{publishes} publishes in {took:.0f} s: {dict(kinds)}")
        print(
            f"{sum(readers.looks.values()):,} looks of readers: {len(readers.failures)} failures",
            flush=True,
        )
        for line in readers.failures[:20]:
            print(f"  {line}")
    chance = random.Random(11)
    done = kill(home, kills, lambda: chance.uniform(0, 2))
    with Store(settings.database, settings.memory, settings.threads) as store:
        publish.settle_outbox(store, folder=settings.site, now=NOW)
        left = len(faults(store, settings.site)), len(publishing.temporary(settings.site))
    print(
        f"{done} kills: whole pages after each; after the start {left[0]} faults, {left[1]} leftovers"
    )


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--publishes", type=int, default=200)
    words.add_argument("--kills", type=int, default=200)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), given.publishes, given.kills)
