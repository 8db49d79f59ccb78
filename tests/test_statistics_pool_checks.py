"""Numbers that no study can have are refused by row, and a study that stands twice is named."""

from __future__ import annotations

from typing import Any

import pytest

from livereview.errors import Refused
from livereview.statistics import pool_case, pool_checks


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"yi": [0.1, 0.2], "sei": [0.1, -0.6]}, "study 2: the standard error .* negative: -0.6"),
        ({"yi": [0.1], "vi": [-0.04]}, "study 1: the variance .* negative"),
        ({"ai": [12.0], "n1i": [10.0]}, "study 1: more events than people: ai is 12, n1i is 10"),
        ({"ci": [3.0, None], "n2i": [2.0, 5.0]}, "study 1: more events than people"),
        ({"xi": [5.0], "ni": [4.0]}, "more events than people"),
        ({"n1i": [0.0]}, "is 0; leave out"),
        ({"ai": [-1.0]}, "the number of events .* negative"),
        ({"sd1i": [-2.0]}, "the standard deviation .* negative"),
        ({"ri": [1.2]}, "not between -1 and 1"),
        ({"ai": [-1.0] * 9}, "and 4 more"),
    ],
)
def test_an_impossible_number_is_refused_by_its_row(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        pool_checks.check(columns)


def test_possible_numbers_and_missing_ones_pass() -> None:
    pool_checks.check(
        {"yi": [-0.8, None], "sei": [0.0, None], "ai": [0.0], "n1i": [5.0], "ri": [-1.0]}
    )


def test_a_study_in_two_rows_is_named_unless_a_cluster_says_so() -> None:
    rows = [
        {"Study": name, "yi": effect, "vi": "0.04"}
        for name, effect in (("Lee 2019", "0.8"), ("lee  2019", "0.7"), ("Ray 2020", "0.2"))
    ]
    (note,) = pool_case.read_rows(rows).notes
    assert "study Lee 2019 stands in more than one row (1, 2)" in note
    clustered = [{**row, "cluster": row["Study"]} for row in rows]
    assert pool_case.read_rows(clustered).notes == ()
    data = {"yi": [0.8, 0.7], "vi": [0.1, 0.1], "study": ["A", "A"]}
    assert pool_case.read(data).notes and not pool_case.read({**data, "study": ["A", "B"]}).notes
    years = [{"author": "Lee", "year": year, "yi": "0.8", "vi": "0.1"} for year in ("2019", "2020")]
    assert pool_case.read_rows(years).notes == ()
