"""Pooled sizes: only where the protocol says so, one result a study, and beside the direction of effect."""

from __future__ import annotations

import json
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import review_toml
from livereview.errors import Refused
from livereview.evidence.forms import Extraction
from livereview.evidence.pooling import estimate
from livereview.review import Outcome
from livereview.statistics.pooling import pool
from livereview.summary import site
from tests.snapshots import result, review, snapshot, study

WELL = Outcome("well", "Wellbeing", "higher", "SMD", 0.2, pool=True)


def one(name: str, effect: float, half: float = 0.3, n: int = 100, **more: object) -> Extraction:
    told = result(n=n, measure="SMD", effect=effect, ci_low=effect - half, ci_high=effect + half, **more)
    return study(name, told)


def test_nothing_is_pooled_unless_the_protocol_says_so() -> None:
    forms = [one("a", 0.1), one("b", 0.3)]
    plain = Outcome("well", "Wellbeing", "higher", "SMD")
    assert estimate(plain, forms) == (None, "results are synthesised by direction of effect, not pooled")
    assert estimate(WELL, forms[:1]) == (None, "fewer than two studies report SMD with a 95% interval")
    assert estimate(WELL, [])[0] is None


def test_the_pooled_effect_is_that_of_the_statistics() -> None:
    forms = [one("a", 0.1), one("b", 0.3, 0.2), one("c", 0.8, 0.5)]
    found, reason = estimate(WELL, forms)
    assert reason is None and found is not None
    sei = [half / 1.959963984540054 for half in (0.3, 0.2, 0.5)]
    pooled = pool([0.1, 0.3, 0.8], [se**2 for se in sei], method="REML", test="adhoc", prediction="riley")
    assert (found.value, found.ci_low, found.ci_high) == (pooled.b, pooled.ci_lb, pooled.ci_ub)
    assert (found.pi_low, found.pi_high) == (pooled.pi_lb, pooled.pi_ub)
    assert sum(part.weight for part in found.parts) == pytest.approx(100)
    two, _ = estimate(WELL, forms[:2])
    assert two is not None and two.pi_low is None


def test_ratios_are_pooled_as_logs() -> None:
    outcome = Outcome("well", "Housed", "higher", "OR", None, pool=True)
    told = [
        result(measure="OR", effect=2.0, ci_low=1.0, ci_high=4.0),
        result(measure="OR", effect=0.5, ci_low=0.25, ci_high=1.0),
    ]
    found, _ = estimate(outcome, [study("a", told[0]), study("b", told[1])])
    assert found is not None and found.value == pytest.approx(1.0) and found.null == 1.0
    assert log(found.ci_low) == pytest.approx(-log(found.ci_high))
    bad = study("c", result(measure="OR", effect=0.0, ci_low=0.0, ci_high=1.0))
    assert len((estimate(outcome, [study("a", told[0]), study("b", told[1]), bad])[0] or found).parts) == 2


def test_a_study_gives_its_largest_result_once() -> None:
    many = study(
        "a",
        result(construct="small", n=20, measure="SMD", effect=9.0, ci_low=8.0, ci_high=10.0),
        result(construct="large", n=200, measure="SMD", effect=0.1, ci_low=-0.1, ci_high=0.3),
        result(construct="other", n=900, measure="MD", effect=5.0, ci_low=4.0, ci_high=6.0),
        result(construct="bare", n=900, measure="SMD", effect=5.0),
    )
    found, _ = estimate(WELL, [many, one("b", 0.2)])
    assert found is not None
    assert [(part.study, part.effect, part.others) for part in found.parts] == [("a", 0.1, 1), ("b", 0.2, 0)]


@given(st.permutations(range(4)))
def test_the_order_of_studies_says_nothing(order: list[int]) -> None:
    forms = [one(name, effect) for name, effect in zip("abcd", (0.1, 0.5, -0.2, 0.3), strict=True)]
    assert estimate(WELL, [forms[place] for place in order]) == estimate(WELL, forms)


def test_the_page_shows_the_plot_its_table_and_the_numbers() -> None:
    protocol = review(outcomes=(WELL,))
    snap = snapshot(one("a", 0.1), one("b", 0.3), one("c", 0.2), review=protocol)
    files = site.build(snap, 1, "an extraction").files
    page, summary = files["index.html"].decode(), json.loads(files["summary.json"])
    row = summary["outcomes"][0]["estimate"]
    assert row["k"] == 3 and row["display"].startswith("SMD 0.20 (95% interval ") and row["display"] in page
    assert "Forest plot: Wellbeing" in page and "Sizes are averaged only where the protocol says" in page
    assert files["forest-well.svg"].startswith(b"<svg") and b"forest-well.svg" in files["SHA256SUMS"]
    assert summary["outcomes"][0]["state"] != "favours_intervention" or "counts directions" in page
    plain = site.build(snapshot(one("a", 0.1), one("b", 0.3)), 1, "x").files
    assert (
        not any(name.startswith("forest") for name in plain)
        and "No sizes are averaged here" in plain["index.html"].decode()
    )


def test_pooling_needs_a_measure(protocol: str) -> None:
    with pytest.raises(Refused, match="needs the measure that is pooled"):
        review_toml.parse(protocol.replace('better = "higher"', 'better = "higher"\npool = true'))
