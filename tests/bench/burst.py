"""From acceptance to published: python -m tests.bench.burst [--studies 500 --records 50000 --home
FOLDER].

A review of so many records, so many of them included and extracted with a pooled outcome, is
published. Then ten reports more are accepted and extracted one after another while the owner's
publisher looks at its outbox. Prints how long the build and its steps take, how long after the last
acceptance the page tells of all ten, and how many versions were made. With --home the laid down
database is kept, and used again.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from livereview import ops
from livereview.client import Local
from livereview.commands import OpenReview, Register
from livereview.ops.snapshot import snapshot
from livereview.settings import Settings
from livereview.store import past, standings, versions
from livereview.store.open import Connection, Store
from livereview.summary import site
from livereview.web.serve import publish_all
from tests.bench.load import REVIEW, fill, pages_of

T = TypeVar("T")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
BURST = 10
OUTCOMES = """
[[outcomes]]
id = "care"
label = "Children entering care"
better = "lower"
measure = "SMD"
important = 0.2
pool = true
"""


def lay_down(home: Path, studies: int, count: int) -> None:
    """The records, found by one search: `studies` of them included and extracted, ten more a vote
    short of it, all others excluded on title and abstract, each by two votes.
    """
    settings = Settings(home=home, secrets={})
    client = Local(settings)
    text = (Path(__file__).parents[1] / "data" / "review.toml").read_text(encoding="utf-8")
    text = text.replace("[[searches]]", f"{OUTCOMES}\n[[searches]]", 1).replace(
        "[living]", "[living]\nsign_off = false"
    )
    client.run(Register(text=text, now=NOW))
    client.run(OpenReview(id="opening", review=REVIEW, by="lena", now=NOW))
    fill(client, "before", pages_of(0, count))
    client.close()
    with Store(settings.database) as store:
        store.write(lambda con: _decide(con, studies + BURST))
        for number, report in enumerate(_reports(store, "included")):
            extract(store, report, number)


def _decide(con: Connection, wanted: int) -> None:
    """Everybody's votes in one go, spread over the queue.

    Laid down as rows, for 100,000 forms would take an hour.
    """
    con.execute(
        """INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict,
            criteria_version, made)
        WITH placed AS (SELECT report_id, row_number() OVER (ORDER BY hash(report_id)) AS place FROM screening_state)
        SELECT concat_ws('-', stage, reviewer, report_id), $review, report_id, 1, stage, reviewer, 'vote',
            if(place <= $wanted, 'include', 'exclude'), '2026-01', $now
        FROM placed, (VALUES ('title_abstract'), ('full_text')) s(stage), (VALUES ('ada'), ('ben')) p(reviewer)
        WHERE (stage = 'title_abstract' OR place <= $wanted)
            AND NOT (stage = 'full_text' AND reviewer = 'ben' AND place <= $burst)""",
        {"review": REVIEW, "wanted": wanted, "burst": BURST, "now": NOW},
    )
    standings.refresh_all(con)


def _reports(store: Store, kind: str) -> list[str]:
    """The included reports, or those that wait for one vote more at full text."""
    asked = {
        "included": "SELECT report_id FROM included ORDER BY report_id",
        "half": "SELECT report_id FROM screening_state WHERE stage = 'full_text' AND state = 'half' ORDER BY report_id",
    }
    with store.read() as con:
        return [row[0] for row in con.execute(asked[kind]).fetchall()]


def extract(store: Store, report: str, number: int) -> None:
    """One study of one report with a size for the pooled outcome and a direction for the other."""
    dice = random.Random(number)
    size = dice.gauss(-0.1, 0.2)
    sizes = {
        "effect": size,
        "ci_low": size - 0.3,
        "ci_high": size + 0.3,
        "measure": "SMD",
        "n": dice.randint(40, 400),
    }
    data = {
        "study": f"study-{number:04d}",
        "label": f"Author {number:04d} (2020)",
        "reports": [report],
        "year": 2000 + number % 26,
        "country": "UK",
        "risk_of_bias": dice.choice(["low", "some_concerns", "high"]),
        "risk_of_bias_tool": "RoB 2",
        "results": [
            {
                "outcome": "care",
                "construct": "care within a year",
                "direction": "no_difference",
                **sizes,
            },
            {
                "outcome": "attendance",
                "construct": "days",
                "direction": dice.choice(["unclear", "no_difference"]),
                "n": 90,
            },
        ],
    }
    ops.evidence.extract(store, id=f"x{number}", review=REVIEW, data=data, extractor="ada", now=NOW)


def timed(name: str, job: Callable[[], T]) -> T:
    began = time.monotonic()
    answer = job()
    print(f"{name:40}{time.monotonic() - began:8.2f} s", flush=True)
    return answer


def steps(store: Store) -> None:
    """What one build takes, step by step, without publishing anything."""
    with store.read() as con:
        known = versions.all_of(con, REVIEW)
        snap = timed("read what is known", lambda: snapshot(con, REVIEW, known))
        timed("number of the last event", lambda: past.seen(con))
    built = timed("build all files", lambda: site.build(snap, len(known) + 1, "measured"))
    print(f"{len(built.files)} files, {sum(map(len, built.files.values())) / 1e6:.1f} MB")


def burst(store: Store, folder: Path) -> None:
    """Ten acceptances and extractions, one after another; the publisher of the owner looks on."""
    with store.read() as con:
        before = len(versions.all_of(con, REVIEW))
    waiting, stop = _reports(store, "half"), threading.Event()
    publisher = threading.Thread(target=publish_all, args=(store, folder, stop), daemon=True)
    publisher.start()
    for number, report in enumerate(waiting[:BURST], start=100_000):
        vote: dict[str, Any] = {
            "record": report,
            "stage": "full_text",
            "reviewer": "ben",
            "verdict": "include",
        }
        ops.screen.decide(store, id=f"burst-{report}", review=REVIEW, now=datetime.now(UTC), **vote)
        extract(store, report, number)
    began = time.monotonic()
    page = folder / REVIEW / "latest" / "summary.json"
    wanted = len(_reports(store, "included"))
    while len(json.loads(page.read_bytes())["studies"]) < wanted:
        time.sleep(0.05)
    print(f"{'last acceptance to the page':40}{time.monotonic() - began:8.2f} s")
    stop.set()
    publisher.join()
    with store.read() as con:
        print(
            f"{len(waiting[:BURST])} acceptances made {len(versions.all_of(con, REVIEW)) - before} version(s)"
        )


def main(home: Path, studies: int, count: int) -> None:
    settings = Settings(home=home, secrets={})
    if not settings.database.exists():
        timed(
            f"{count:,} records, {studies} studies laid down",
            lambda: lay_down(home, studies, count),
        )
    folder = home / "site"
    folder.mkdir(exist_ok=True)
    with Store(settings.database) as store:
        steps(store)
        now = datetime.now(UTC)
        timed("publish", lambda: ops.publish.publish(store, review=REVIEW, folder=folder, now=now))
        timed(
            "publish again, nothing new",
            lambda: ops.publish.publish(store, review=REVIEW, folder=folder, now=now),
        )
        burst(store, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        main(asked.home or Path(place), asked.studies, asked.records)
