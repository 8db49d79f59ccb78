"""The alarm for a stream whose records no longer look like those that the ranking knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from livereview import ops
from livereview.commands import ReadStatus
from livereview.ranking.drift import FEWEST_NEW, FEWEST_OLD, drift
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found

People = Callable[..., Browser]
LEXICON = [f"word{letter}{other}" for letter in "abcdefghijklmnop" for other in "abcdefghijklmnop"]
LEXICON = [
    word.replace("word", "w" * (1 + n % 3)) + "x" * (n % 7) for n, word in enumerate(LEXICON)
]


def text(rng: Random, lexicon: list[str], own: float = 0.2) -> str:
    """Sixty words, most of a lexicon with some more frequent than others, some of nobody else."""
    weights = [1 / (rank + 1) for rank in range(len(lexicon))]
    words = rng.choices(lexicon, weights, k=60)
    rare = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(int(40 * own))]
    return " ".join([*words, *rare])


def test_records_of_the_same_kind_hardly_ever_raise_it() -> None:
    """A hundred streams whose new records are drawn like the old ones."""
    looks = []
    for seed in range(100):
        rng = Random(seed)
        looks.append(
            drift(
                [text(rng, LEXICON, rng.uniform(0.0, 0.4)) for _ in range(FEWEST_OLD)],
                [text(rng, LEXICON, rng.uniform(0.0, 0.4)) for _ in range(FEWEST_NEW)],
            )
        )
    assert not any(look.alarm for look in looks if look)
    low = sum(look.p < 0.05 for look in looks if look)
    assert low <= 12  # five are expected, and more than twelve once in five hundred


def test_records_of_another_kind_raise_it() -> None:
    rng = Random(1)
    other = [f"{word}q" for word in LEXICON]
    old = [text(rng, LEXICON) for _ in range(FEWEST_OLD)]
    new = [text(rng, LEXICON if n % 2 else other) for n in range(2 * FEWEST_NEW)]
    told = drift(old, new)
    assert told is not None and told.alarm
    assert told.unknown_new > 2 * told.unknown_old and told.superiority > 0.65


def test_too_few_or_too_short_records_tell_nothing() -> None:
    rng = Random(2)
    old, new = ([text(rng, LEXICON) for _ in range(number)] for number in (FEWEST_OLD, FEWEST_NEW))
    assert drift(old, new) is not None
    assert drift(old[1:], new) is None and drift(old, new[1:]) is None
    assert drift(old, ["A title alone"] * 100) is None


@pytest.fixture
def streamed(reviewed: Store) -> Store:
    """Two hundred records of one kind, and three months later thirty of another."""
    rng = Random(3)
    old = [article(n, title=f"Study {n}", abstract=text(rng, LEXICON)) for n in range(FEWEST_OLD)]
    other = [f"{word}q" for word in LEXICON]
    new = [
        article(1_000 + n, title=f"Study {n}", abstract=text(rng, other)) for n in range(FEWEST_NEW)
    ]
    found(reviewed, *old, now=NOW - timedelta(days=90))
    found(reviewed, *new, search="s2", now=NOW)
    return reviewed


def alarms(store: Store, now: datetime = NOW) -> list[str]:
    status = ops.run(store, Path(), ReadStatus(review=REVIEW, now=now))
    return [line for line in status.reviews[0].alarms if "in their words" in line]


def test_status_tells_of_it_until_a_random_share_is_drawn(streamed: Store, browser: People) -> None:
    assert alarms(streamed) == []
    ops.ranking.rerank(streamed, review=REVIEW, now=NOW, apart=False)
    (alarm,) = alarms(streamed)
    assert "the 30 records of the last 60 days differ" in alarm and "draw" in alarm
    assert "in their words" in browser("lena", "lead").get(f"/r/{REVIEW}")
    ops.stopping.draw(streamed, id="a", review=REVIEW, number=20, by="lena", now=NOW)
    assert alarms(streamed) == []
    assert len(alarms(streamed, NOW + timedelta(days=61))) == 1  # the share is drawn again
