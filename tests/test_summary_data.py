"""The stamp and the summary as data."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from livereview.evidence.forms import EmmieFinding
from livereview.summary import data, site
from tests.snapshots import MOMENT, fact, review, snapshot, study


def test_the_stamp_reaches_as_far_as_the_weakest_regular_search():
    protocol = review()
    imported = replace(protocol.searches[0], name="old-files", source="ris")
    snap = snapshot(
        review=replace(protocol, searches=(*protocol.searches, imported)),
        searches=(
            fact("openalex"),
            fact("crossref", last_success=MOMENT - timedelta(days=2)),
            fact("old-files", last_success=None),
        ),
    )
    status = data.status(snap)
    assert (status["searched_to"], status["stale"]) == ("2026-03-01T02:05:00Z", False)
    assert status["stale_after"] == "2026-04-15T02:05:00Z"
    assert [one["alert"] for one in status["searches"]] == [None, None, None]


def test_dump_refuses_nan():
    with pytest.raises(ValueError, match="JSON"):
        data.dump({"x": float("nan")})


def test_the_summary_keeps_quality_apart_from_findings():
    told = study(
        "a",
        findings=(
            EmmieFinding("mechanism", "Trust.", quality=1),
            EmmieFinding("mechanism", "Time.", quality=3),
        ),
    )
    summary = json.loads(site.build(snapshot(told), 1, "x").summary)
    mechanism = next(one for one in summary["emmie"] if one["dimension"] == "mechanism")
    assert (mechanism["quality"], mechanism["quality_of"]) == (3, 4)
    assert [one["text"] for one in mechanism["findings"]] == ["Trust.", "Time."]
