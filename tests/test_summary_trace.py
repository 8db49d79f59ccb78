"""Each sentence leads back to the bytes a publisher sent.

What other sites embed never stands without its caveat.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview.ops import evidence, publish
from livereview.store.open import Store
from livereview.summary import front
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import form, include

SMD = {"measure": "SMD", "effect": 0.5, "ci_low": 0.3, "ci_high": 0.7}


@pytest.fixture
def site(reviewed: Store, tmp_path: Path) -> Path:
    """One study, published."""
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    result = {
        "outcome": "attendance",
        "construct": "days",
        "direction": "favours_intervention",
        "n": 40,
    }
    data = form(
        results=[result],
        funding="A fund",
        costs=[{"item": "training", "amount": 1200, "currency": "GBP"}],
    )
    evidence.extract(
        reviewed, id="e", review=REVIEW, data=data, extractor="ada-the-extractor", now=NOW
    )
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    return tmp_path / REVIEW / "latest"


def load(site: Path, name: str) -> Any:
    return json.loads((site / name).read_text(encoding="utf-8"))


def test_every_claim_leads_to_the_hash_of_the_bytes(reviewed: Store, site: Path) -> None:
    traced, summary = load(site, "trace.json"), load(site, "summary.json")
    assert set(traced["claims"]) == {claim["id"] for claim in summary["claims"]}
    claim = traced["claims"]["finding:main/attendance"]
    study = traced["studies"][claim["studies"][0]]
    (report,) = study["reports"].values()
    (origin,) = report["records"]
    with reviewed.read() as con:
        assert con.execute("SELECT DISTINCT sha256 FROM record").fetchall() == [(origin["sha256"],)]
    assert origin["source"] == "openalex" and origin["search"] and origin["found"].endswith("Z")
    assert [(one["stage"], one["by"], one["verdict"]) for one in report["decisions"]] == [
        ("title_abstract", "a reviewer", "include"), ("title_abstract", "a reviewer", "include"),
        ("full_text", "a reviewer", "include"), ("full_text", "a reviewer", "include"),
    ]  # fmt: skip
    assert study["extraction"] == {
        "form": "3",
        "people": 1,
        "date": "2026-03-02T09:00:00Z",
        "by": "an extractor",
    }


def test_no_name_of_a_person_is_public(site: Path) -> None:
    for path in site.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            assert b"ada-the-extractor" not in body and b"bo" not in body.split(), path.name


def test_the_page_of_traces_has_an_anchor_for_each_claim_and_study(site: Path) -> None:
    text = (site / "trace.html").read_text(encoding="utf-8")
    assert (
        'id="finding-main-attendance"' in text
        and 'href="#study-doe-2020"' in text
        and 'id="study-doe-2020"' in text
    )


def test_what_is_embedded_shows_version_search_date_certainty_and_caveat(site: Path) -> None:
    text, caveat = (
        (site / "embed.html").read_text(encoding="utf-8"),
        load(site, "summary.json")["caveat"],
    )
    assert (
        caveat in text
        and "Version 1" in text
        and "Searches complete to" in text
        and "Certainty: not rated" in text
    )
    script = (site / "embed.js").read_text(encoding="utf-8")
    assert "innerHTML" not in script and 'customElements.define("living-review"' in script


def test_the_json_feed_tags_a_changed_conclusion(reviewed: Store, site: Path) -> None:
    feed = load(site, "changes.json")
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [(one["tags"], one["url"]) for one in feed["items"]] == [(["first"], "../v/1/")]
    (record,) = found(reviewed, article(2), search="s2")
    include(reviewed, record)
    result = {
        "outcome": "attendance",
        "construct": "days",
        "higher_is_better": True,
        "n": 60,
        **SMD,
    }
    data = form(study="s-2", label="S 2", reports=["10.1000/trial2"], results=[result])
    later = NOW + timedelta(days=1)
    evidence.extract(reviewed, id="e2", review=REVIEW, data=data, extractor="ada", now=later)
    publish.publish(reviewed, review=REVIEW, folder=site.parents[1], now=later)
    publish.sign(reviewed, id="x", review=REVIEW, by="lena", now=later)
    publish.publish(reviewed, review=REVIEW, folder=site.parents[1], now=later)
    newest = load(site.parents[0] / "latest", "changes.json")["items"]
    assert newest[0]["tags"] == ["new_finding", "strengthened", "conclusion-changed"]
    assert newest[1]["tags"] == ["figures_updated", "detail"], (
        "the study is public while its finding waits for a name"
    )
    assert newest[2:] == feed["items"]


def test_costs_and_picture_numbers_are_on_the_page_and_the_sums_hold(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "GBP 1,200.00" in page and "Costs as studies report them" in page
    for line in (site / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((site / name).read_bytes()).hexdigest() == digest
    assert (
        (site / "effect_direction.csv")
        .read_text(encoding="utf-8")
        .startswith("study,comparison,outcome,direction")
    )


def test_a_pair_that_no_review_asks_about_is_no_gap(site: Path) -> None:
    one = load(site, "summary.json")
    one["review"]["taxonomy"] = [{"id": "a", "label": "Area A"}]
    two = json.loads(json.dumps(one).replace("attendance", "sleep").replace("Area A", "Area B"))
    two["review"]["id"] = "other"
    files = front.files([front.Entry("one", json.dumps(one)), front.Entry("two", json.dumps(two))])
    page = files["index.html"].decode()
    assert page.count("<svg") == 2 and "Area A" in page and "Area B" in page
    assert (
        front.files([front.Entry("one", json.dumps(one)), front.Entry("same", json.dumps(one))])[
            "index.html"
        ].count(b"<svg")
        == 1
    )


def test_what_waits_is_told_with_its_age(reviewed: Store, site: Path) -> None:
    assert load(site, "summary.json")["debt_since"] == {}
    found(reviewed, article(7), search="s7", now=NOW + timedelta(days=2))
    (eight,) = found(reviewed, article(8), search="s8", now=NOW + timedelta(days=3))
    include(reviewed, eight)
    publish.publish(reviewed, review=REVIEW, folder=site.parents[1], now=NOW + timedelta(days=4))
    since = load(site.parents[0] / "latest", "summary.json")["debt_since"]
    assert {step: told["date_display"] for step, told in since.items()} == {
        "awaiting_screening": "4 March 2026",
        "awaiting_extraction": "5 March 2026",
    }
    page = (site.parents[0] / "latest" / "methods.html").read_text(encoding="utf-8")
    assert (
        "The oldest was found on 4 March 2026" in page
        and "the oldest found on 5 March 2026" in page
    )
