"""The bubble plot of a meta-regression, and the values behind it."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest

from livereview.summary import bubbles, site
from livereview.summary.bubbles import Bubble, Fitted
from tests.published_states import pooled


@pytest.fixture(scope="module")
def build() -> site.Build:
    return site.build(pooled()[1], 1, "x")


def test_a_meta_regression_is_drawn_with_its_line_its_studies_and_its_table(
    build: site.Build,
) -> None:
    picture = build.files["bubbles-well-sessions.svg"].decode()
    assert picture.count("<circle") == 12
    assert "Bubble plot: Wellbeing by Number of sessions (session)" in picture
    assert "no proof of a cause" in picture
    table = list(csv.reader(io.StringIO(build.files["bubbles-well-sessions.csv"].decode())))
    assert table[0] == list(bubbles.HEADER)
    assert [float(row[1]) for row in table[1:]] == [float(n) for n in range(12)]
    assert b"bubbles-well-sessions.png" in build.files["index.html"]
    assert build.files["bubbles-well-sessions.png"].startswith(b"\x89PNG")


def test_the_line_is_that_of_the_regression(build: site.Build) -> None:
    summary = json.loads(build.summary)
    finding = next(row for row in summary["findings"] if row["outcome"] == "well")
    asked = next(row for row in finding["moderators"] if row["id"] == "sessions")
    regression = asked["regression"]
    # the effects of this world lie on one line exactly: 0.1 a session, from -0.3 on
    assert regression["slopes"][0]["value"] == pytest.approx(0.1)
    assert regression["intercept"] == pytest.approx(-0.3)
    groups = next(row for row in finding["moderators"] if row["id"] == "age")
    assert not groups["regression"] or "intercept" not in groups["regression"]


def test_what_each_study_has_stands_beside_its_part_in_the_finding(build: site.Build) -> None:
    rows = list(csv.DictReader(io.StringIO(build.files["contributions.csv"].decode())))
    mine = [row["moderators"] for row in rows if row["outcome"] == "well" and row["used"] == "yes"]
    assert mine[:2] == ["age = 10 and over | sessions = 0.0", "age = under 10 | sessions = 1.0"]


def test_a_ratio_stands_on_a_scale_of_its_logs_and_its_line_is_a_curve_through_the_same_points() -> (
    None
):
    fitted = Fitted("dose", 0.5, 2.0)
    assert [fitted.effect(at, 1) for at in (0, 1, 3)] == [0.5, 1.0, 4.0]
    some = [Bubble(f"S{n}", n, fitted.effect(n, 1), 0.1, 20.0, 10.0 + n) for n in range(5)]
    drawn = str(bubbles.svg("a", "Care", some, fitted, 1))
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
    steps = np.diff(heights)
    assert np.allclose(steps, steps[0], atol=0.2)  # equal factors are equal steps upwards
    assert steps[0] < 0
    (line,) = re.findall(r'd="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)"', drawn)
    assert [float(y) for y in line] == [heights[0], heights[-1]]  # from the first study to the last


def test_the_bubble_with_most_weight_is_the_largest_and_none_vanishes() -> None:
    some = [Bubble("A", 1, 0.1, 0, 0.2, 90.0), Bubble("B", 2, 0.3, 0.1, 0.5, 0.001)]
    drawn = str(bubbles.svg("a", "Care", some, Fitted("dose", 0, 0.1), 0))
    assert [float(r) for r in re.findall(r' r="([\d.]+)"', drawn)] == [16.0, 2.5]
