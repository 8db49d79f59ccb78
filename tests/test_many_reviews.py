"""However many reviews a server has: as many questions to the database, and the same answers as for
each alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview import ops
from livereview.errors import LivereviewError
from livereview.ops import protocols, publish, surveil
from livereview.ops.team import add_account, screens
from livereview.settings import Settings
from livereview.store import queues, tasks
from livereview.store.open import Store
from livereview.web.app import create
from livereview.web.serve import Publisher
from tests.conftest import DATA, NOW, REVIEW, Browser, article, found, secret_of

TEXT = (DATA / "review.toml").read_text(encoding="utf-8")
LATER = NOW + timedelta(hours=1)


class Counted:
    """A connection that counts what is asked."""

    def __init__(self, connection: Any, asked: Counter[str]):
        self._connection = connection
        self._asked = asked

    def execute(self, question: str, *values: Any) -> Any:
        self._asked[question] += 1
        return self._connection.execute(question, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Every question that is read from the database, with how often it was asked."""
    count: Counter[str] = Counter()
    plain = Store.read

    @contextmanager
    def read(self: Store, seconds: float = 60.0) -> Iterator[Any]:
        with plain(self, seconds) as connection:
            yield Counted(connection, count)

    monkeypatch.setattr(Store, "read", read)
    return count


def server(folder: Path, reviews: int) -> tuple[Settings, Store]:
    """So many reviews, each with a record that waits; every second one is public."""
    settings = Settings(home=folder, secrets={}, memory="500MB", threads=1)
    store = Store(settings.database, settings.memory, settings.threads)
    for number in range(reviews):
        review = f"review-{number}"
        surveil.register(store, text=TEXT.replace(f'id = "{REVIEW}"', f'id = "{review}"'), now=NOW)
        found(store, article(number), review=review, search=f"s{number}")
    for name, role in (("lena", "lead"), ("ada", "reviewer")):
        add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)
    for number in range(0, 3, 2):
        review = f"review-{number}"
        publish.open_review(store, id=f"o{number}", review=review, by="lena", now=NOW)
    publish.settle_outbox(store, folder=settings.site, now=NOW)
    return settings, store


def looks(settings: Settings, store: Store) -> dict[str, Callable[[], object]]:
    """What is asked again and again of a server with many reviews."""
    app = create(store, settings, token="owner-token", clock=lambda: LATER)
    lena, ada = Browser(app, secret_of("lena")), Browser(app, secret_of("ada"))
    publisher = Publisher(store, settings.site)
    return {
        "the start, for a lead": lambda: lena.get("/"),
        "the start, for a reviewer": lambda: ada.get("/"),
        "status": lambda: ops.status.status(store, now=LATER, folder=settings.site),
        "digests": lambda: ops.notices.digests(store, base_url="https://r.example.org", now=LATER),
        "webhooks": lambda: ops.notices.due_webhooks(store, now=LATER),
        "schedule": lambda: ops.nights.schedule(store, now=LATER),
        "outbox": publisher.look,
        "published folder": lambda: ops.published.faults(store, settings.site),
        "readiness": lambda: ada.http.get("/readyz"),
    }


def test_no_look_asks_more_of_a_server_with_more_reviews(
    tmp_path: Path, asked: Counter[str]
) -> None:
    counts: dict[int, dict[str, int]] = {}
    for reviews in (3, 12):
        settings, store = server(tmp_path / str(reviews), reviews)
        with store:
            counts[reviews] = {}
            for name, look in looks(settings, store).items():
                asked.clear()
                look()
                counts[reviews][name] = asked.total()
    assert counts[3] == counts[12]
    assert max(counts[3].values()) < 45, counts[3]


PROTOCOLS = {
    "plain": TEXT,
    "core": TEXT.replace("votes = 2", 'votes = 2\ncore = ["ada"]'),
    "shares": TEXT.replace("votes = 2", "votes = 2\nshares = { ada = 50, bo = 30, lena = 20 }"),
    "three": TEXT.replace("votes = 2", "votes = 3"),
    "one": TEXT.replace("votes = 2", "votes = 1"),
}
PEOPLE = {"ada": "reviewer", "bo": "reviewer", "cy": "reviewer", "lena": "lead", "rea": "reader"}


@pytest.mark.parametrize("seed", range(3))
def test_progress_in_many_reviews_is_what_each_queue_says(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    for name, role in PEOPLE.items():
        add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)
    for number, (review, text) in enumerate(PROTOCOLS.items()):
        surveil.register(store, text=text.replace(f'id = "{REVIEW}"', f'id = "{review}"'), now=NOW)
        news = (article(100 * number + place) for place in range(12))
        screen(store, review, found(store, *news, review=review, search=review), chance)
    with store.read() as con:
        reviews = protocols.protocols(con)
        for person in PEOPLE:
            together = queues.progress_of(con, reviews, person)
            alone = {
                review.id: {
                    stage: (head.done, head.waiting)
                    for stage in review.screening.stages
                    for head in [queues.head(con, review, person, stage)]
                }
                for review in reviews
            }
            assert together == alone, person


def screen(store: Store, review: str, records: list[str], chance: random.Random) -> None:
    """Random acts of everybody: votes, some taken back, reports opened again, a lead who steps
    aside, a stop.
    """
    voters = [name for name, role in PEOPLE.items() if role != "reader"]
    for number in range(40):
        record, person = chance.choice(records), chance.choice(voters)
        stage = chance.choice(("title_abstract", "title_abstract", "full_text"))
        verdict = chance.choice(("include", "include", "exclude", "withdrawn", "not_retrieved"))
        try:
            ops.screen.decide(
                store,
                id=f"{review}-{number}",
                review=review,
                record=record,
                stage=stage,
                reviewer=person,
                verdict=verdict,
                reason="wrong-design" if verdict == "exclude" and stage == "full_text" else None,
                now=NOW,
            )
        except LivereviewError:  # nothing of theirs to take back, not at this stage, settled …
            continue
    again = chance.choice(records)
    store.write(
        lambda con: tasks.reopen(
            con, f"{review}-again", review, again, "title_abstract", "lena", "a look", NOW
        )
    )
    if chance.random() < 0.7:
        screens(store, id=f"{review}-aside", review=review, account="lena", screens=False, now=NOW)
        if chance.random() < 0.5:
            screens(
                store, id=f"{review}-back", review=review, account="lena", screens=True, now=NOW
            )
    if chance.random() < 0.7:
        try:
            ops.stopping.stop(
                store, id=f"{review}-stop", review=review, by="lena", now=NOW, note="enough"
            )
            ops.stopping.draw(
                store, id=f"{review}-draw", review=review, number=2, by="lena", now=NOW
            )
        except LivereviewError:  # too little was read
            pass
