"""A review that publishes all the time, in every way there is, and processes of it that may be
killed.

python -m tests.publishing HOME: for each line of its input it forks a process that publishes until
it is killed, and prints its number. All is imported by then, so that a kill falls into publishing
and not into the start.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from livereview.ops import publish, published_files, surveil, withdraw
from livereview.store import placed
from livereview.store.open import Store
from livereview.summary.crate import SUMS
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import include
from tests.test_ops_as_of import extract

STEPS = 8  # kinds of publishes, one after another
MINUTE = timedelta(minutes=1)


def begin(store: Store, site: Path) -> None:
    """Four included reports, one of them extracted; version 1."""
    for record in found(store, *(article(number) for number in range(1, 5))):
        include(store, record)
    extract(store, 1, NOW)
    publish.settle_outbox(store, folder=site, now=NOW)


def step(store: Store, site: Path, number: int, mark: str) -> str:
    """Publish once: unchanged, changed and signed, refreshed, withdrawn or reinstated.

    Which it was.

    mark  makes the ids of this run differ from those of another
    """
    now, kind = NOW + (number + 1) * MINUTE, number % STEPS
    if kind == 1:
        turn = number // STEPS
        directions = ("favours_comparison", "favours_intervention")
        # another each time: a form that says what holds changes nothing
        direction = directions[(turn + turn // 4) % 2]
        extract(store, 1 + turn % 4, now, direction)
        # the killed one may have said it
        store.write(lambda con: publish.versions.ask(con, REVIEW, "a form", now))
        return _publish(store, site, now, mark)
    if kind == 3:
        found(store, article(1), search=f"search-{mark}-{number}", now=now)
        store.write(lambda con: publish.versions.ask(con, REVIEW, "a search", now))
        return _publish(store, site, now, mark)
    if kind in (5, 7):
        return _withdraw_or_back(store, site, now, f"{mark}-{number}", newest=kind == 5)
    publish.publish(store, review=REVIEW, folder=site, now=now)
    return "unchanged"


def _publish(store: Store, site: Path, now: datetime, mark: str) -> str:
    done = publish.settle_outbox(store, folder=site, now=now)[REVIEW]
    if not done.get("held"):
        return "new" if done["new"] else "refreshed"
    publish.sign(store, id=f"sign-{mark}-{now}", review=REVIEW, by="lena", now=now)
    publish.settle_outbox(store, folder=site, now=now)
    return "signed"


def _withdraw_or_back(store: Store, site: Path, now: datetime, id: str, *, newest: bool) -> str:
    with store.read() as con:
        versions = placed.numbers(con, REVIEW)
    number, gone = versions[-1 if newest else 0]
    act: dict[str, Any] = {
        "id": id,
        "review": REVIEW,
        "version": number,
        "by": "lena",
        "reason": "An error.",
    }
    (withdraw.take_back if gone else withdraw.withdraw)(store, **act, folder=site, now=now)
    return "reinstated" if gone else "withdrawn"


def wrong(site: Path) -> list[str]:
    """What a reader of the folder would find missing or half written.

    Nothing where all is whole.
    """
    home = site / REVIEW
    places = [home / "latest", *(path for path in (home / "v").iterdir() if path.name.isdigit())]
    problems = []
    for place in places:
        problem = (
            published_files.sums_problem(published_files.read(place.resolve()))
            if place.is_dir()
            else "is gone"
        )
        if problem:
            problems.append(f"{place.relative_to(site)}: {problem}")
    for name, last in (("index.html", b"</html>"), ("index.json", b"}")):
        if not (site / name).read_bytes().rstrip().endswith(last):
            problems.append(f"{name} is not whole")
    return problems


def temporary(site: Path) -> list[Path]:
    """What was left half way."""
    return list(site.rglob("*.new"))


def endlessly(home: Path) -> None:
    """Publish until the process is killed."""
    mark = str(os.getpid())
    with Store(home / "livereview.duckdb", "300MB", 1) as store:
        number = int.from_bytes(os.urandom(1)) % STEPS
        sys.stdout.write("publishing\n")
        sys.stdout.flush()
        while True:
            step(store, home / "site", number, mark)
            number += 1


if __name__ == "__main__":
    assert SUMS and surveil
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            endlessly(Path(sys.argv[1]))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)
