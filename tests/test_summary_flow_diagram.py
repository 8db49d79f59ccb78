"""The flow diagram: boxes that balance, or no page."""

from dataclasses import replace

import pytest
from defusedxml import ElementTree

from livereview.errors import Refused
from livereview.summary import flow_diagram
from livereview.summary.model.status import ExcludedFor
from tests.snapshots import flow, report, result, snapshot, study

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg):
    return ElementTree.fromstring(str(svg))


def texts(svg):
    return [node.text for node in drawn(svg).iter(f"{SVG}text")]


def test_a_flow_that_balances_passes_and_its_table_holds_every_number():
    snap = snapshot(study("a", result()), excluded=(report("x", reason="Wrong design"),))
    flow_diagram.check(snap)
    rows = {name: n for name, n, _ in flow_diagram.rows(snap.flow)}
    assert rows["Excluded in full text: Wrong design"] == 1
    assert (
        rows["Identified in databases and registers"]
        + rows["Identified by other methods (grey literature)"]
        == 22
    )
    assert flow_diagram.published(snap.flow).excluded_full_text == (
        ExcludedFor(reason="Wrong design", reports=1),
    )


@pytest.mark.parametrize(
    ("changes", "box"),
    [
        ({"duplicates": 8}, "identified is 21"),
        ({"in_screening": 2}, "screened is 12"),
        ({"not_retrieved": 0}, "sought is 5"),
        ({"assessed": 2, "awaiting_full_text": 2}, "assessed is 2"),
        ({"included": 2, "assessed": 2, "awaiting_full_text": 2}, "included is 2"),
        ({"studies": 2}, "studies is 2"),
        ({"awaiting_screening": -1, "duplicates": 10}, "awaiting_screening is -1, below zero"),
    ],
)
def test_a_box_that_does_not_balance_is_named(changes, box):
    snap = snapshot(study("a", result()))
    with pytest.raises(Refused, match=box):
        flow_diagram.check(replace(snap, flow=replace(snap.flow, **changes)))


def test_the_flow_picture_has_title_description_and_all_numbers_as_text():
    many = tuple((f"A very long reason for leaving a report out <{n}>", 30 - n) for n in range(12))
    svg = flow_diagram.svg(flow(2, many))
    found = drawn(svg)
    assert [found[0].tag, found[1].tag] == [f"{SVG}title", f"{SVG}desc"]
    assert "294" in texts(svg)
    assert "other reasons (see the table)" in texts(svg)
    assert str(sum(n for _, n in many[8:])) in texts(svg)
