"""The feed of changes: permanent ids, entries that never change."""

from dataclasses import replace
from datetime import timedelta

import feedparser

from livereview.summary import site
from tests.snapshots import MOMENT, published, result, review, snapshot, study


def feed(snap, number=1, **options):
    return feedparser.parse(
        site.build(snap, number, "extraction of A & <B>", **options).files["changes.atom"]
    )


def test_the_feed_parses_and_has_an_entry_a_version_with_a_permanent_id():
    effect = {"measure": "SMD", "effect": 0.5, "ci_low": 0.3, "ci_high": 0.7}
    first = site.build(snapshot(study("a", result(n=5))), 1, "an extraction")
    later = MOMENT + timedelta(days=9)
    history = (published(first),)
    free = review(living=replace(review().living, sign_off=False))
    studies = (study("a", result(n=5)), study("b", result(n=5, **effect)))
    found = feed(snapshot(*studies, history=history, moment=later, review=free), 2)
    assert not found.bozo
    assert [entry.id for entry in found.entries] == [
        "tag:livereview,2026:small-review/v/2",
        "tag:livereview,2026:small-review/v/1",
    ]
    assert [{tag.term for tag in entry.tags} for entry in found.entries] == [
        {"new_finding", "strengthened", "conclusion-changed"},
        {"first"},
    ]
    told = found.entries[0].summary
    assert told.startswith("Cause: extraction of A & <B>. New studies: b. Wellbeing: new finding (")
    assert "Children entering care" not in told.split("). ")[0], (
        "the feed names the findings that changed, not all"
    )
    assert found.entries[0].updated == found.feed.updated == "2026-03-12T02:05:00Z"
    assert found.entries[1].updated == "2026-03-03T02:05:00Z"
    assert feed(snapshot(), 1).entries[0].id == found.entries[1].id


def test_entries_of_old_versions_do_not_change():
    first = site.build(snapshot(study("a", result())), 1, "an extraction")
    snap = snapshot(study("a", result()), study("b", result()), history=(published(first),))
    second = site.build(snap, 2, "more")
    third = replace(snap, history=(*snap.history, published(second, 2)))
    assert feedparser.parse(second.files["changes.atom"]).entries == feed(third, 3).entries[1:]
