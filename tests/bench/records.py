"""The table of records over generated ones: python -m tests.bench.records [--records 100000].

Half of the reports have two votes and a third of these are at full text; one in twenty has a note
or a tag. Each look is a request of the web app in this process: the first page, each facet by its
commonest value, words, a phrase, a field and a word that is left out, for a reviewer and for a lead
who does not screen. Prints the median, the 95th percentile and the longest of all, and of each kind.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from livereview.ops import protocols, settle, surveil, team
from livereview.records import Record
from livereview.settings import Settings
from livereview.store import records, searches, standings
from livereview.store.open import Connection, Store
from livereview.web.app import create
from tests.conftest import DATA, REVIEW, Browser, secret_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PAGE = 5_000
WORDS = 180  # in an abstract
SOURCES = ("openalex", "pubmed", "ris", "crossref")
PLAIN = ["the", "of", "and", "in", "to", "a", "for", "with", "was", "were", "on", "by"]
FIELD = [
    "young",
    "people",
    "care",
    "mentoring",
    "trial",
    "outcome",
    "random",
    "family",
    "school",
    "health",
    "support",
]


def generated(number: int, chance: random.Random, rare: list[str]) -> Record:
    """A record whose words are spread like those of texts: few common ones, many rare ones."""
    words = chance.choices(PLAIN, k=WORDS // 3) + chance.choices(FIELD, k=WORDS // 6)
    words += chance.choices(rare, k=WORDS - len(words))
    chance.shuffle(words)
    return Record(
        source=chance.choice(SOURCES),
        source_key=f"K{number}",
        title=" ".join(words[:12]).capitalize(),
        authors=(f"{rare[number % 5000]}, A", f"{rare[number % 3000]}, B"),
        year=chance.randint(1985, 2026),
        container_title=f"Journal of {rare[number % 400]}",
        doi=f"10.1000/k{number}",
        type=chance.choice(("journal-article", "report", "preprint")),
        language=chance.choice(("en", "en", "en", "de")),
        abstract=" ".join(words) if chance.random() < 0.9 else None,
    )


def fill(store: Store, number: int) -> float:
    """Write so many reports; how many seconds their listing took in all."""
    chance = random.Random(1)
    letters = "abcdefghijklmnoprstuvw"
    rare = ["".join(chance.choices(letters, k=chance.randint(4, 11))) for _ in range(30_000)]
    surveil.register(store, text=(DATA / "review.toml").read_text(encoding="utf-8"), now=NOW)
    for name, role in (("ada", "reviewer"), ("bo", "reviewer"), ("lena", "lead")):
        team.add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)
    team.screens(store, id="x", review=REVIEW, account="lena", screens=False, now=NOW)
    began = time.perf_counter()
    for start in range(0, number, PAGE):
        news = [
            generated(start + place, chance, rare) for place in range(min(PAGE, number - start))
        ]
        store.write(lambda con, news=news, start=start: _found(con, news, f"s{start}"), bulk=True)
    took = time.perf_counter() - began
    store.write(_decided, bulk=True)
    return took


def _found(con: Connection, news: list[Record], search: str) -> None:
    plan = protocols.protocol(con, REVIEW).searches[0]
    searches.begin(con, search, REVIEW, plan, searches.Run("search", None, NOW), NOW)
    records.append(con, news, "0" * 64, NOW)
    records.add_hits(con, REVIEW, search, {record.record_id: 1 for record in news}, NOW)
    settle.refresh(con, [record.record_id for record in news])


def _decided(con: Connection) -> None:
    con.execute(
        """INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict,
            reason, note, tags, criteria_version, made)
        SELECT h.record_id || p.name, h.review, h.record_id, 1, 'title_abstract', p.name, 'vote',
            CASE WHEN h.seq % 3 = 0 THEN 'include' ELSE 'exclude' END, NULL,
            CASE WHEN h.seq % 20 = 0 THEN 'a note on it' END,
            CASE WHEN h.seq % 20 = 2 THEN ['background'] ELSE [] END, '1', $now
        FROM hit h CROSS JOIN (SELECT unnest(['ada', 'bo']) AS name) p WHERE h.seq % 2 = 0""",
        {"now": NOW},
    )
    standings.refresh_all(con)


def looks() -> dict[str, str]:
    """The addresses that are asked for, by what they are."""
    asked = {
        "first page": {},
        "second page": {"page": "2"},
        "word": {"q": "mentoring"},
        "two words": {"q": "mentoring school"},
        "phrase": {"q": '"young people"'},
        "left out": {"q": "health -trial"},
        "field": {"q": "title:random"},
        "rare word": {"q": "zebrafish"},
        "sorted": {"sort": "title"},
    }
    facets = {
        "stage": "full_text", "state": "open", "mine": "include", "year": "2020", "type": "report", "language": "de",
        "pdf": "yes", "abstract": "no", "source": "openalex", "search": "openalex", "tag": "background",
        "relation": "merged", "vote": "exclude", "by": "ada", "reason": "wrong-design",
    }  # fmt: skip
    asked |= {f"facet {key}": {key: value} for key, value in facets.items()}
    asked["word and facets"] = {"q": "school", "state": "excluded", "source": "pubmed"}
    return {name: urlencode(values) for name, values in asked.items()}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--times", type=int, default=7)
    options.add_argument("--home", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=chosen.home or Path(folder), secrets={})
        there = settings.database.exists()
        with Store(settings.database, settings.memory, settings.threads) as store:
            if not there:
                took = fill(store, chosen.records)
                print(f"{chosen.records:,} records written in {took:.0f} s")
            app = create(store, settings, token="owner-token", clock=lambda: NOW)
            size = settings.database.stat().st_size / 2**20
            print(f"database {size:,.0f} MiB")
            for name in ("ada", "lena"):
                measure(Browser(app, secret_of(name)), name, chosen.times)


def measure(person: Browser, name: str, times: int) -> None:
    every: list[float] = []
    for what, query in looks().items():
        took = []
        for _ in range(times):
            began = time.perf_counter()
            answer = person.http.get(f"/r/{REVIEW}/records?{query}")
            took.append(1000 * (time.perf_counter() - began))
            assert answer.status_code == 200, answer.text
        every += took
        print(
            f"{name:6} {what:16} median {statistics.median(took):5.0f} ms, longest {max(took):5.0f}"
        )
    every.sort()
    at = every[int(0.95 * (len(every) - 1))]
    print(
        f"{name:6} {'all':16} median {statistics.median(every):5.0f} ms, p95 {at:.0f}, longest {every[-1]:.0f}"
    )


if __name__ == "__main__":
    main()
