"""A changed conclusion waits for a name; everything else publishes itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livereview import ops
from livereview.errors import Refused
from livereview.ops import evidence, publish, surveil
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_ops import form, include

People = Callable[..., Browser]
DOIS = ("10.1000/trial1", "10.1000/trial2")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir(exist_ok=True)
    return folder


def extract(store: Store, number: int, direction: str = "favours_intervention") -> None:
    result = {"outcome": "attendance", "construct": "x", "direction": direction, "n": 40}
    filled = form(
        study=f"s-{number}", label=f"S {number}", reports=[DOIS[number - 1]], results=[result], participants=40
    )
    evidence.extract(store, id=f"e{number}{direction}", review=REVIEW, data=filled, extractor="ada", now=NOW)


def publish_now(store: Store, site: Path) -> dict[str, Any]:
    return publish.publish(store, review=REVIEW, folder=site, now=NOW)


def page(site: Path) -> dict[str, Any]:
    return dict(json.loads((site / REVIEW / "latest" / "summary.json").read_text("utf-8")))


@pytest.fixture
def held(reviewed: Store, site: Path) -> Store:
    """One study published as version 1, and a second that changes the conclusion."""
    for record in found(reviewed, article(1), article(2)):
        include(reviewed, record)
    extract(reviewed, 1)
    assert publish_now(reviewed, site)["new"]
    extract(reviewed, 2)
    return reviewed


def test_a_changed_conclusion_is_held_until_somebody_signs_it(held: Store, site: Path) -> None:
    before = (site / REVIEW / "latest" / "index.html").read_bytes()
    told = publish_now(held, site)
    assert (told["new"], told["version"], told["held"]["change"]) == (False, 1, "strengthened")
    assert (site / REVIEW / "latest" / "index.html").read_bytes() == before
    status = ops.status.status(held, now=NOW, review=REVIEW)["reviews"][0]
    assert any("waits for a lead's name" in alarm for alarm in status["alarms"]) and not status["behind"]
    signed = publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)
    assert signed["known"] is False and publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)["known"] is True
    assert publish_now(held, site)["new"] is True
    version = page(site)["version"]
    assert (version["number"], version["signed_by"], version["trigger"]) == (2, "lena", "extraction of S 2")
    assert ops.status.status(held, now=NOW, review=REVIEW)["reviews"][0]["held"] is None


def test_what_is_held_tells_the_sentences_before_and_after(held: Store, site: Path) -> None:
    reasons = {one["claim"]: one for one in publish_now(held, site)["held"]["reasons"]}
    told = reasons["outcome:attendance"]
    assert told["before"].startswith("One study") and told["after"].startswith("2 of 2 studies")


def test_a_signature_is_for_what_was_seen(held: Store, site: Path) -> None:
    with pytest.raises(Refused, match="no changed conclusion"):
        publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)
    seen = publish_now(held, site)["held"]["content_hash"]
    extract(held, 2, "favours_comparison")
    publish_now(held, site)
    if ops.status.status(held, now=NOW, review=REVIEW)["reviews"][0]["held"]:
        with pytest.raises(Refused, match="the evidence has changed since"):
            publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW, content_hash=seen)


def test_a_review_may_publish_everything_by_itself(held: Store, site: Path, protocol: str) -> None:
    surveil.register(held, text=protocol.replace("[living]", "[living]\nsign_off = false"), now=NOW)
    told = publish_now(held, site)
    assert told["new"] and page(site)["version"]["signed_by"] is None


def test_a_rebuild_of_what_is_held_keeps_its_cause_and_its_day(held: Store, site: Path) -> None:
    first, again = publish_now(held, site)["held"], publish_now(held, site)["held"]
    assert again == first and first["cause"] == "extraction of S 2"


def test_the_lead_signs_on_the_page(held: Store, site: Path, browser: People) -> None:
    publish_now(held, site)
    lena = browser("lena", "lead")
    shown = lena.get(f"/r/{REVIEW}")
    assert "A changed conclusion waits for a name" in shown and "<ins" in shown and "Strengthened" in shown
    lena.press("Sign and publish")
    assert publish_now(held, site)["new"] and page(site)["version"]["signed_by"] == "lena"
    assert "A changed conclusion waits" not in lena.get(f"/r/{REVIEW}")
    assert "Signed off by" in (site / REVIEW / "latest" / "index.html").read_text("utf-8")


def test_a_rating_is_published_and_its_fall_waits_for_a_name(held: Store, site: Path) -> None:
    publish_now(held, site)
    publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)
    publish_now(held, site)
    rating: dict[str, Any] = {"outcome": "attendance", "start": "high", "reasons": []}
    assert evidence.rate(held, id="r1", review=REVIEW, data=rating, by="lena", now=NOW)["level"] == "high"
    assert publish_now(held, site)["change"] == "detail"
    assert page(site)["outcomes"][0]["certainty"]["level"] == "high"
    lower = rating | {"reasons": [{"domain": "imprecision", "step": -1, "why": "80 people"}]}
    evidence.rate(held, id="r2", review=REVIEW, data=lower, by="lena", now=NOW)
    assert publish_now(held, site)["held"]["change"] == "weakened"
