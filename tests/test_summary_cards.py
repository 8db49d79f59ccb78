"""What a shared link shows: cards that say things whole, a page a finding, and data for search engines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from livereview.messages import say
from livereview.summary import cards, linked_data, site
from livereview.summary.site import Build
from livereview.summary.templating import template
from tests import evidence
from tests.snapshots import MOMENT, result, snapshot, study

SITE = "https://reviews.example.org/site/small-review"
PNG = b"\x89PNG\r\n\x1a\n"
LONG = "How well does it do for one group, and for another one, in all that was measured? " * 14

# What search engines ask of a node (their documented rules, read in November 2026).
ASKED = {
    "ScholarlyArticle": ("headline", "author", "datePublished", "dateModified", "image"),
    "Dataset": ("name", "description", "creator", "license", "url", "distribution", "identifier"),
}


@cache
def built(**changes: Any) -> Build:
    asked = replace(evidence.review(), site_url=SITE, authors=("Ada Doe",), **changes)
    forms = (
        evidence.study("a", evidence.smd(0.5, 0.2), evidence.around(0.8, 0.1)),
        evidence.study("b", evidence.smd(0.6, 0.2)),
    )
    return site.build(snapshot(*forms, review=asked), 1, "first")


def linked(page: bytes) -> list[dict[str, Any]]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.decode())
    assert found is not None
    told = json.loads(found[1])
    assert told["@context"] == "https://schema.org"
    nodes: list[dict[str, Any]] = told["@graph"]
    return nodes


def test_search_engines_are_told_what_their_rules_ask_for() -> None:
    nodes = linked(built().files["index.html"])
    assert [node["@type"] for node in nodes] == list(ASKED)
    for node in nodes:
        missing = [name for name in ASKED[node["@type"]] if not node.get(name)]
        assert missing == [], node["@type"]
        assert node["license"].startswith("https://")
        for moment in (node["datePublished"], node["dateModified"]):
            assert datetime.fromisoformat(moment).tzinfo is not None
    article, dataset = nodes
    assert len(article["headline"]) <= 200
    assert article["author"] == [{"@type": "Person", "name": "Ada Doe"}]
    assert 50 <= len(dataset["description"]) <= linked_data.LONGEST
    files = {part["contentUrl"].removeprefix(f"{SITE}/latest/") for part in dataset["distribution"]}
    assert files <= set(built().files)


def test_without_an_address_none_is_made_up() -> None:
    files = site.build(snapshot(study("a", result())), 1, "first").files
    for node in linked(files["index.html"]):
        assert not {"url", "image", "distribution", "@id"} & set(node)
    assert b"og:image" not in files["index.html"]


def test_a_link_shows_a_card_of_the_size_that_sites_ask_for() -> None:
    files = built().files
    for page, card in (("index.html", "card.png"), ("finding-sos-care.html", "card-sos-care.png")):
        text = files[page].decode()
        assert f'<meta property="og:image" content="{SITE}/latest/{card}">' in text
        assert 'name="twitter:card" content="summary_large_image"' in text
        assert files[card].startswith(PNG)
        size = int.from_bytes(files[card][16:20]), int.from_bytes(files[card][20:24])
        assert size == (2 * cards.WIDTH, 2 * cards.HEIGHT)


@pytest.mark.parametrize("times", (1, 4, 9))
def test_a_card_says_an_answer_whole_or_not_at_all(times: int) -> None:
    snap = snapshot(study("a", result()))
    summary = site.draft(snap, 1, "first", moment=MOMENT).summary
    answer = " ".join(f"Answer {n} is what the studies say." for n in range(4 * times))
    drawn = str(cards.of_review(summary, [("", answer)]))
    words = " ".join(re.findall(r">([^<]+)</text>", drawn))
    assert (answer in words) != (say(cards.ON_THE_PAGE) in words)
    assert (answer in words) == (times <= 4)


def test_a_question_that_is_too_long_for_a_card_is_not_cut() -> None:
    summary = site.draft(snapshot(study("a", result())), 1, "first").summary
    question = summary.review.question.model_copy(update={"text": LONG})
    asked = summary.review.model_copy(update={"question": question})
    drawn = str(cards.of_review(summary.model_copy(update={"review": asked}), [("", "Yes.")]))
    assert "How well does it do" not in drawn and say(cards.ON_THE_PAGE) in drawn


def test_each_finding_that_says_something_has_a_page_with_its_certainty_and_its_date() -> None:
    files = built().files
    findings = {one["id"]: one for one in json.loads(files["summary.json"])["findings"]}
    for name, one in (("care", findings["sos/care"]), ("wellbeing", findings["sos/wellbeing"])):
        page = files[f"finding-sos-{name}.html"].decode()
        for words in (one["headline"], one["size_display"], one["evidence_display"]):
            assert template_text(words) in page
        assert "ertainty" in page and "Version 1," in page and "Searches" in page
    nothing = site.build(snapshot(), 1, "first").files
    assert not [name for name in nothing if name.startswith("finding-")]
    assert "card.png" in nothing


def template_text(words: str) -> str:
    """As a template writes it."""
    return str(template("finding.html").environment.from_string("{{ words }}").render(words=words))
