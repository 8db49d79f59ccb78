"""A statement of the team that newer evidence has left behind is a task of the lead, until it is
renewed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview import ops
from livereview.errors import Refused
from livereview.ops import evidence, publish, surveil, tasks
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_ops import form, include

People = Callable[..., Browser]
STATEMENTS = """
[[statements]]
id = "caution"
under = "answer"
text = "{text}"
{more}
[[statements]]
id = "rival"
under = "explanations"
text = "It was poorly tried."
standing = "plausible"
{more}"""


class World:
    """A public review with two statements, before any study."""

    def __init__(self, store: Store, site: Path, protocol: str):
        self.store, self.site, self.protocol, self.now = store, site, protocol, NOW

    def register(self, text: str = "Nobody knows.", more: str = "") -> None:
        self.now += timedelta(days=1)
        surveil.register(
            self.store, text=self.protocol + STATEMENTS.format(text=text, more=more), now=self.now
        )
        self.publish()

    def publish(self) -> None:
        publish.publish(self.store, review=REVIEW, folder=self.site, now=self.now)

    def extract(self, effect: float) -> None:
        self.now += timedelta(days=1)
        figures = {
            "measure": "SMD",
            "effect": effect,
            "ci_low": effect - 0.4,
            "ci_high": effect + 0.4,
        }
        result = {
            "outcome": "attendance",
            "construct": "x",
            "higher_is_better": True,
            "n": 40,
            **figures,
        }
        data = form(results=[result])
        evidence.extract(
            self.store, id=str(self.now), review=REVIEW, data=data, extractor="ada", now=self.now
        )
        self.publish()

    def status(self) -> dict[str, Any]:
        return dict(ops.status.status(self.store, now=self.now, review=REVIEW)["reviews"][0])

    def asked(self) -> list[tuple[str, str]]:
        return [(task["kind"], task["data"]["statement"]) for task in self.status()["tasks"]]


@pytest.fixture
def world(reviewed: Store, tmp_path: Path, protocol: str) -> World:
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    made = World(reviewed, tmp_path / "site", protocol)
    made.register()
    return made


def test_a_statement_that_is_left_behind_is_a_task_until_it_is_renewed(
    world: World, browser: People
) -> None:
    assert world.asked() == []
    world.extract(0.1)
    assert world.asked() == [("statement", "caution"), ("standing", "rival")]
    assert not any("statement" in alarm for alarm in world.status()["alarms"]), (
        "it is work, and nothing is broken"
    )
    world.extract(0.2)
    assert len(world.asked()) == 2, "more evidence on the same statement is the same task"
    shown = browser("lena", "lead").get(f"/r/{REVIEW}")
    assert "Nobody knows." in shown and "Written before 1 study came or changed" in shown
    assert "rival explanation whose standing may be out of date" in shown
    (task, _) = world.status()["tasks"]
    with pytest.raises(Refused, match="closes by itself: mend statement caution"):
        tasks.settle_task(
            world.store, review=REVIEW, task=task["id"], outcome="noted", by="lena", now=world.now
        )

    world.register(text="A little is known.")
    assert world.asked() == [("standing", "rival")], "the one that was written anew is renewed"
    checked = f'checked = "{world.now + timedelta(days=1):%Y-%m-%d}"'
    world.register(text="A little is known.", more=checked)
    assert world.asked() == []
    world.now += timedelta(days=1)
    world.extract(0.3)
    assert len(world.asked()) == 2, "what falls behind again is asked again"


def test_a_day_of_review_that_passes_is_a_task(world: World) -> None:
    world.register(more='review_by = "2026-03-08"')
    assert world.asked() == []
    world.now = datetime.fromisoformat("2026-03-09T00:30:00+00:00")
    found(world.store, article(9), search="night", now=world.now)
    world.publish()
    assert len(world.asked()) == 2
