"""The stamp and the summary as data."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from livereview.evidence.forms import EmmieFinding
from livereview.review import Review
from livereview.summary import data, model, past, site, stamp
from livereview.summary.model import protocol, schema
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
    status = stamp.status(snap)
    assert (status.searched_to, status.stale) == ("2026-03-01T02:05:00Z", False)
    assert status.stale_after == "2026-04-15T02:05:00Z"
    assert [search.alert for search in status.searches] == [None, None, None]


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


def _undescribed(part: Any, path: str = "") -> list[str]:
    """Where in a schema a property has no description."""
    if isinstance(part, list):
        return [where for row in part for where in _undescribed(row, path)]
    if not isinstance(part, dict):
        return []
    silent = [
        f"{path}/{name}"
        for name, value in part.get("properties", {}).items()
        if not value.get("description")
    ]
    deeper = [
        where for key, value in part.items() for where in _undescribed(value, f"{path}/{key}")
    ]
    return silent + deeper


def test_every_property_of_the_schema_is_described():
    made = schema.schema()
    assert _undescribed(made) == []
    assert made["$defs"]["PublishedFinding"]["properties"]["headline"]["description"]


def test_what_a_protocol_holds_is_either_published_or_named_as_private():
    held = {field.name for field in fields(Review)}
    assert held == set(protocol.Protocol.model_fields) | set(protocol.PRIVATE)


def test_what_nobody_described_cannot_be_published():
    plain = model.plain(protocol.public(review()))
    with pytest.raises(ValidationError, match="Extra inputs"):
        protocol.Protocol.model_validate({**plain, "canaries": ["10.1/x"]})


def test_a_summary_reads_back_as_it_was_written_and_an_older_one_is_read_too():
    made = site.draft(snapshot(study("a")), 1, "x")
    assert model.Summary.model_validate_json(made.text) == made.summary
    content = json.loads(made.text)
    before_findings = {key: value for key, value in content.items() if key != "findings"}
    old = json.dumps({**before_findings, "outcomes": [{"id": "care"}]})
    assert past.read(old).findings is None
    assert past.findings(old) is None
    assert [study.id for study in past.read(old).studies] == ["a"]
