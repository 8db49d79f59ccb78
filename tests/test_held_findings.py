"""Attacks on what is held: whatever becomes of the protocol, nothing unsigned is public and nothing
signed is lost.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview import ops
from livereview.ops import publish, surveil, withdraw
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW
from tests.test_ops_sign_off import extract, held, page, site

__all__ = ["held", "site"]

OUTCOME = """[[outcomes]]
id = "attendance"
label = "School attendance"
better = "higher"
"""
COMPARISON = """[[comparisons]]
id = "{id}"
label = "{label}"
intervention = "mentoring"
comparator = "usual services"

[[outcomes]]"""


def edited(protocol: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in protocol
        protocol = protocol.replace(old, new, 1)
    return protocol


def told(site: Path) -> dict[str, dict[str, Any]]:
    """The public findings by id."""
    return {row["id"]: row for row in page(site)["findings"]}


class World:
    """A review with a held finding, and what its public page says after each thing that is done to
    it.
    """

    def __init__(self, store: Store, site: Path, protocol: str):
        self.store, self.site, self.protocol, self.now = store, site, protocol, NOW

    def publish(self) -> dict[str, Any]:
        self.now += timedelta(hours=1)
        return publish.publish(self.store, review=REVIEW, folder=self.site, now=self.now)

    def edit(self, *pairs: tuple[str, str]) -> dict[str, Any]:
        self.now += timedelta(hours=1)
        surveil.register(self.store, text=edited(self.protocol, *pairs), now=self.now)
        return self.publish()

    def sign(self) -> dict[str, Any]:
        publish.sign(self.store, id=f"sign-{self.now}", review=REVIEW, by="lena", now=self.now)
        return self.publish()

    def alarms(self) -> str:
        return str(
            ops.status.status(self.store, now=self.now, review=REVIEW)["reviews"][0]["alarms"]
        )


@pytest.fixture
def world(held: Store, site: Path, protocol: str) -> World:
    made = World(held, site, protocol)
    assert made.publish()["held"]["change"] == "new_finding"
    return made


@pytest.mark.parametrize(
    ("pairs", "kind"),
    [
        ([('label = "School attendance"', 'label = "Truancy"')], "new_finding"),
        ([('better = "higher"', 'better = "lower"')], "now_shows"),
        ([("pool = true", "pool = true\nimportant = 0.9")], "new_finding"),
        ([("pool = true", "pool = false")], "new_finding"),
        ([("[living]", '[methods]\ntest = "knha"\n\n[living]')], "new_finding"),
        ([("[living]", '[living]\nstatus = "retired"')], "new_finding"),
        (
            [("[[outcomes]]", COMPARISON.format(id="main", label="Mentoring, or usual services"))],
            "new_finding",
        ),
    ],
    ids=["label", "better", "important", "pool", "test", "retired", "comparison named"],
)
def test_a_protocol_that_changes_while_a_finding_waits_changes_no_signed_sentence(
    world: World, pairs: list[tuple[str, str]], kind: str
) -> None:
    signed = told(world.site)["main/attendance"]
    done = world.edit(*pairs)
    assert done["held"]["change"] == kind
    now = told(world.site)["main/attendance"]
    for key in (
        "headline",
        "wording",
        "estimate",
        "outcome_label",
        "comparison_label",
        "good",
        "certainty",
    ):
        assert now[key] == signed[key], key
    assert now["weighing_display"]
    assert world.sign()["new"]
    assert told(world.site)["main/attendance"]["weighing"] is None


def test_an_outcome_or_comparison_that_is_taken_out_keeps_its_signed_sentence_until_somebody_signs(
    world: World,
) -> None:
    signed = told(world.site)["main/attendance"]
    gone = edited(OUTCOME, ("attendance", "grades"), ("School attendance", "Grades"))
    world.edit((OUTCOME, gone))
    now = told(world.site)
    assert now["main/attendance"]["wording"] == signed["wording"]
    assert (
        now["main/attendance"]["weighing_display"]
        == "This answer is being weighed anew and may change."
    )
    assert now["main/grades"]["state"] == "not_yet_assessed", (
        "nobody has looked for it in the forms from before"
    )

    world.edit(("[[outcomes]]", COMPARISON.format(id="other", label="Mentoring, or nothing")))
    now = told(world.site)
    assert now["main/attendance"]["wording"] == signed["wording"]
    assert (now["other/attendance"]["state"], now["other/attendance"]["studies"]) == (
        "not_yet_assessed",
        [],
    )
    world.sign()
    now = told(world.site)
    assert list(now) == ["other/attendance"]
    assert now["other/attendance"]["state"] == "effect"


def test_another_language_waits_as_a_whole_and_is_no_new_evidence(world: World) -> None:
    before = (world.site / REVIEW / "latest" / "index.html").read_bytes()
    done = world.edit(("[question]", 'language = "fr"\n\n[question]'))
    assert (done["new"], done["held"]["whole"], done["held"]["change"]) == (False, True, "reworded")
    (reason,) = done["held"]["reasons"]
    assert reason["before"].startswith("There is too little evidence on school attendance.")
    assert "school attendance" in reason["after"] and reason["after"] != reason["before"]
    assert (world.site / REVIEW / "latest" / "index.html").read_bytes() == before
    assert "the whole page (reworded) waits for a lead's name since 2026-03-02" in world.alarms()
    world.sign()
    assert page(world.site)["language"] == "fr"


def test_a_version_that_is_withdrawn_while_a_finding_waits_is_followed_by_a_signed_one_only(
    world: World,
) -> None:
    act: dict[str, Any] = {
        "id": "w",
        "review": REVIEW,
        "version": 2,
        "by": "lena",
        "reason": "A wrong table.",
    }
    withdraw.withdraw(world.store, **act, folder=world.site, now=world.now)
    done = world.publish()
    assert (done["new"], done["held"]["whole"]) == (False, True)
    assert not (world.site / REVIEW / "latest" / "summary.json").exists()
    assert world.sign()["version"] == 3
    assert told(world.site)["main/attendance"]["state"] == "effect"
    assert page(world.site)["version"]["signed_by"] == "lena"


def test_sign_off_switched_off_and_on_publishes_by_rule_and_then_asks_again(world: World) -> None:
    off = ("[living]", "[living]\nsign_off = false")
    assert "held" not in world.edit(off)
    assert told(world.site)["main/attendance"]["state"] == "effect"
    assert page(world.site)["version"]["signed_by"] is None
    assert "held" not in world.edit()
    extract(world.store, 2, -0.9)
    done = world.publish()
    assert done["held"]["change"] == "now_shows"
    assert told(world.site)["main/attendance"]["state"] == "effect"


def test_more_evidence_on_a_held_finding_makes_its_wait_no_shorter(world: World) -> None:
    since = publish_since(world)
    extract(world.store, 2, 0.9)
    assert world.publish()["held"]["since"] == since
    assert page(world.site)["debt_since"]["awaiting_signature"]["date"] == page_date(world, 2)


def publish_since(world: World) -> str:
    return str(
        ops.status.status(world.store, now=world.now, review=REVIEW)["reviews"][0]["held"]["since"]
    )


def page_date(world: World, number: int) -> str:
    return next(str(row["date"]) for row in page(world.site)["versions"] if row["number"] == number)


def test_an_outcome_that_is_added_is_no_gap_until_somebody_has_looked_for_it(world: World) -> None:
    """It would be "no study has measured it" by being added, though no form was ever asked about
    it.
    """
    grades = edited(OUTCOME, ("attendance", "grades"), ("School attendance", "Grades"))
    both = ("[[searches]]", grades + 'measure = "SMD"\n\n[[searches]]')
    world.edit(both)
    assert told(world.site)["main/grades"]["state"] == "not_yet_assessed"
    assert "No study has measured grades" not in page(world.site)["answer"]["text"]
    for number, effect in ((1, 0.11), (2, 0.51)):
        extract(world.store, number, effect, world.now + timedelta(minutes=1))
    world.publish()
    assert told(world.site)["main/grades"]["state"] == "no_studies"
