"""A changed conclusion waits for a name; everything else publishes itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

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


def extract(store: Store, number: int, effect: float = 0.5, now: datetime = NOW) -> None:
    figures = {"measure": "SMD", "effect": effect, "ci_low": effect - 0.2, "ci_high": effect + 0.2}
    result = {
        "outcome": "attendance",
        "construct": "x",
        "higher_is_better": True,
        "n": 40,
        **figures,
    }
    filled = form(
        study=f"s-{number}",
        label=f"S {number}",
        reports=[DOIS[number - 1]],
        results=[result],
        participants=40,
    )
    evidence.extract(store, id=uuid4().hex, review=REVIEW, data=filled, extractor="ada", now=now)


def publish_now(store: Store, site: Path) -> dict[str, Any]:
    return publish.publish(store, review=REVIEW, folder=site, now=NOW)


def page(site: Path) -> dict[str, Any]:
    return dict(json.loads((site / REVIEW / "latest" / "summary.json").read_text("utf-8")))


@pytest.fixture
def held(reviewed: Store, site: Path) -> Store:
    """One study published as version 1, and a second that changes what is said."""
    for record in found(reviewed, article(1), article(2)):
        include(reviewed, record)
    extract(reviewed, 1, 0.1)
    assert publish_now(reviewed, site)["new"]
    extract(reviewed, 2)
    return reviewed


def finding(site: Path) -> dict[str, Any]:
    return dict(page(site)["findings"][0])


def test_the_finding_is_held_and_the_page_is_not(held: Store, site: Path) -> None:
    before = finding(site)
    done = publish_now(held, site)
    assert (done["new"], done["version"], done["change"]) == (True, 2, "figures_updated")
    assert done["held"]["change"] == "new_finding"
    now = finding(site)
    assert (now["state"], now["headline"]) == (before["state"], before["headline"])
    assert now["estimate"] == before["estimate"]
    assert now["weighing_display"] == (
        "New evidence since 2 March 2026 (1 study) is being weighed; this answer may change."
    )
    assert len(page(site)["studies"]) == 2, "the new study itself is public at once"
    text = (site / REVIEW / "latest" / "index.html").read_text("utf-8")
    assert "New evidence since 2 March 2026 (1 study) is being weighed" in text
    status = ops.status.status(held, now=NOW, review=REVIEW)["reviews"][0]
    assert not any("waits for a lead's name" in alarm for alarm in status["alarms"]), (
        "a fortnight is promised"
    )
    assert status["awaiting_signature"] | {"since": ""} == {
        "findings": 1,
        "whole_page": False,
        "since": "",
        "days": 0,
        "promised_days": 14,
    }
    late = ops.status.status(held, now=NOW + timedelta(days=15), review=REVIEW)["reviews"][0]
    assert (
        "a changed finding (new finding) waits for a lead's name since 2026-03-02, 15 days"
        in str(late["alarms"])
    )
    assert page(site)["debt"]["awaiting_signature"] == 1
    assert page(site)["debt_since"]["awaiting_signature"]["date_display"] == "2 March 2026"
    methods = (site / REVIEW / "latest" / "methods.html").read_text()
    assert "1 finding would say something else and waits for the lead" in methods
    assert not status["behind"]


def test_a_signature_publishes_the_finding(held: Store, site: Path) -> None:
    publish_now(held, site)
    signed = publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)
    assert signed["known"] is False
    assert publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)["known"] is True
    assert publish_now(held, site)["change"] == "new_finding"
    version = page(site)["version"]
    assert (version["number"], version["signed_by"], version["conclusion_changed"]) == (
        3,
        "lena",
        True,
    )
    assert finding(site)["state"] == "effect"
    assert finding(site)["weighing"] is None
    assert ops.status.status(held, now=NOW, review=REVIEW)["reviews"][0]["held"] is None


def test_what_is_held_tells_the_sentences_before_and_after(held: Store, site: Path) -> None:
    (told,) = publish_now(held, site)["held"]["reasons"]
    assert told["claim"] == "School attendance"
    assert told["before"].startswith("There is too little evidence")
    assert told["after"].startswith(
        "So far, with the intervention, results for school attendance are"
    )


def test_a_held_version_is_the_same_however_often_it_is_built(held: Store, site: Path) -> None:
    first = publish_now(held, site)
    again = publish_now(held, site)
    assert (again["new"], again["version"]) == (False, 2)
    assert again["held"] == first["held"]
    assert first["held"]["cause"] == "extraction of S 2"


def test_a_signature_is_for_what_was_seen(held: Store, site: Path) -> None:
    with pytest.raises(Refused, match="no changed conclusion"):
        publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)
    seen = publish_now(held, site)["held"]["content_hash"]
    extract(held, 2, -0.6)
    assert publish_now(held, site)["held"]["content_hash"] != seen
    with pytest.raises(Refused, match="the evidence has changed since"):
        publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW, content_hash=seen)


def test_evidence_that_goes_back_to_what_was_signed_needs_no_name(held: Store, site: Path) -> None:
    publish_now(held, site)
    extract(held, 2, 0.0)
    done = publish_now(held, site)
    assert "held" not in done
    assert finding(site)["weighing"] is None


def test_a_name_says_nothing_of_a_change_that_went_and_came_back(held: Store, site: Path) -> None:
    publish_now(held, site)
    publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)
    publish_now(held, site)
    extract(held, 2, 0.0)
    publish_now(held, site)
    publish.sign(held, id="y", review=REVIEW, by="lena", now=NOW)
    publish_now(held, site)
    assert finding(site)["state"] == "too_little"
    extract(held, 2)
    assert publish_now(held, site)["held"]["change"] == "new_finding"
    assert finding(site)["state"] == "too_little"


def test_a_review_may_publish_everything_by_itself(held: Store, site: Path, protocol: str) -> None:
    surveil.register(held, text=protocol.replace("[living]", "[living]\nsign_off = false"), now=NOW)
    done = publish_now(held, site)
    assert done["new"]
    assert finding(site)["state"] == "effect"
    assert page(site)["version"]["signed_by"] is None


def test_the_lead_signs_on_the_page(held: Store, site: Path, browser: People) -> None:
    publish_now(held, site)
    lena = browser("lena", "lead")
    shown = lena.get(f"/r/{REVIEW}")
    assert "A changed finding waits for a name" in shown
    assert "<ins" in shown
    assert "New finding" in shown
    lena.press("Sign and publish")
    assert publish_now(held, site)["new"]
    assert page(site)["version"]["signed_by"] == "lena"
    assert "A changed finding waits" not in lena.get(f"/r/{REVIEW}")
    assert "Signed off by" in (site / REVIEW / "latest" / "index.html").read_text("utf-8")


def test_every_rating_that_changes_the_sentence_waits_the_first_one_too(
    held: Store, site: Path
) -> None:
    publish_now(held, site)
    publish.sign(held, id="x", review=REVIEW, by="lena", now=NOW)
    publish_now(held, site)
    answers = {
        "start": "both were allocated by lot",
        "imprecision": "the interval is narrow enough",
    }
    rating: dict[str, Any] = {"outcome": "attendance", "start": "high", "answers": answers}
    rating["reasons"] = [{"domain": "indirectness", "step": -1, "why": "another country"}]
    assert (
        evidence.rate(held, id="r1", review=REVIEW, data=rating, by="lena", now=NOW)["level"]
        == "moderate"
    )
    assert publish_now(held, site)["held"]["change"] == "more_certain"
    assert finding(site)["certainty"] is None
    publish.sign(held, id="y", review=REVIEW, by="lena", now=NOW)
    publish_now(held, site)
    assert finding(site)["certainty"]["level"] == "moderate"
    extract(held, 2, 0.55)
    done = publish_now(held, site)
    assert (done["new"], "held" in done) == (True, False), (
        "the estimate hardly moved, so the rating holds"
    )
    extract(held, 2, 0.9)
    assert publish_now(held, site)["held"]["change"] in ("larger", "less_certain")


# Opening


def test_nothing_is_public_before_a_lead_opens_the_review(
    store: Store, site: Path, protocol: str
) -> None:
    surveil.register(store, text=protocol, now=NOW)
    found(store, article(1))
    done = publish_now(store, site)
    assert (done["version"], done["new"]) == (0, False)
    assert not (site / REVIEW).exists()
    status = ops.status.status(store, now=NOW, review=REVIEW)["reviews"][0]
    assert (status["opened"], status["behind"]) == (False, False)
    assert publish.open_review(store, id="o", review=REVIEW, by="lena", now=NOW)["known"] is False
    assert publish.open_review(store, id="o2", review=REVIEW, by="lena", now=NOW)["known"] is True
    assert publish_now(store, site)["version"] == 1
    assert page(site)["version"]["signed_by"] == "lena"
    assert finding(site)["state"] == "not_yet_assessed"


def test_a_lead_opens_the_review_on_the_page_and_sees_first_what_it_will_say(
    store: Store, site: Path, protocol: str, browser: People
) -> None:
    surveil.register(store, text=protocol.replace(f'"{REVIEW}"', '"closed"'), now=NOW)
    lena = browser("lena", "lead")
    shown = lena.get("/r/closed")
    assert "This review is not public yet" in shown
    assert "No study has measured school attendance." in shown
    lena.press("Open the review to the public")
    assert publish.publish(store, review="closed", folder=site, now=NOW)["version"] == 1
    assert "not public yet" not in lena.get("/r/closed")
