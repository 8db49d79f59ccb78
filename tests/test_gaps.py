"""A gap on the map is what a review asked about and read everything for.

What nobody asked about is none.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from livereview.errors import Refused
from livereview.review import Area, Comparison
from livereview.summary import front, gap_map, site
from tests.snapshots import flow, result, review, snapshot, study

AREAS = (Area("practice", "Practice"), Area("mentoring", "Mentoring", asked=False))
NARROW = Comparison("main", "It, or not", "it", "nothing", outcomes=("well",))


def cells() -> dict[tuple[str, str], str]:
    """What the front page's map says of each area and outcome of one review, by their labels."""
    rules = review(taxonomy=AREAS, comparisons=(NARROW,))
    snap = snapshot(study("a", result("well", effect=0.5, ci_low=0.2, ci_high=0.8)), review=rules)
    read = {"awaiting_screening": 0, "in_screening": 0, "awaiting_full_text": 0}
    nothing_waits = replace(flow(1), **read, excluded=7, not_retrieved=4, identified_databases=16)
    summary = json.loads(site.build(replace(snap, flow=nothing_waits), 1, "x").summary)
    row = json.loads(front.files([front.Entry("r", json.dumps(summary))])["index.json"])["reviews"][
        0
    ]
    made = [
        gap_map.Cell(area, outcome, 0, empty=front.empty_cell([row], area, outcome))
        for area in row["areas"]
        for outcome in row["outcomes"]
    ]
    table = gap_map.rows(row["areas"], row["outcomes"], made)
    return {(area, outcome): words for area, outcome, _, words in table[1:]}


def test_what_no_review_asks_about_is_no_gap() -> None:
    told = cells()
    assert told["Practice", "Wellbeing"] == "gap"
    assert told["Mentoring", "Wellbeing"] == "not asked", "nobody searches for mentoring"
    assert told["Practice", "Children entering care"] == "not asked", "no comparison asks about it"


def test_a_map_tells_what_kind_of_nothing_it_shows() -> None:
    areas, outcomes = {"a": "A"}, {"x": "X", "y": "Y", "z": "Z"}
    made = [
        gap_map.Cell("a", "x", 0),
        gap_map.Cell("a", "y", 0, empty="not_asked"),
        gap_map.Cell("a", "z", 0, empty="waiting"),
    ]
    svg = str(gap_map.svg("i", "t", areas, outcomes, made))
    assert svg.count(">0 – gap<") == 1
    assert ">not asked<" in svg and ">not yet assessed<" in svg
    assert "0 cells have studies, 1 are gaps, 2 are not asked about or not yet assessed" in svg
    with pytest.raises(Refused, match="empty must be one of gap, not_asked, waiting"):
        gap_map.rows(areas, outcomes, [gap_map.Cell("a", "x", 0, empty="maybe")])


def test_records_that_wait_leave_no_gap_where_nothing_is_known() -> None:
    row = {"asked": ["a"], "known": {"x": "not_yet_assessed", "y": "no_studies", "z": "not_asked"}}
    told = [front.empty_cell([row], "a", outcome) for outcome in "xyz"]
    assert told == ["waiting", "gap", "not_asked"]
    both = [row, {**row, "known": {"x": "no_studies"}}]
    assert front.empty_cell(both, "a", "x") == "waiting", "another review has still to read"
