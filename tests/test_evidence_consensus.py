"""Two extractions of one study: which rows belong together, what differs, how far people agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.evidence.consensus import (
    ABOUT,
    FieldAgreement,
    RowPair,
    agreement,
    differences,
    pair_rows,
)

CARE = {"outcome": "care", "construct": "entry", "effect": 0.8}
WELL_6 = {"outcome": "wellbeing", "construct": "SDQ", "time": 6.0, "effect": 0.2}
WELL_12 = {"outcome": "wellbeing", "construct": "SDQ", "time": 12.0, "effect": 0.1}


def pairs(part: str, left: list[Any], right: list[Any]) -> list[tuple[int | None, int | None]]:
    return [(pair.left, pair.right) for pair in pair_rows(part, left, right)]


def test_rows_meet_by_what_they_are_about_whatever_their_order() -> None:
    assert pairs("results", [CARE, WELL_6, WELL_12], [WELL_12, CARE, WELL_6]) == [
        (0, 1),
        (1, 2),
        (2, 0),
    ]


def test_a_row_that_one_person_has_stands_alone() -> None:
    assert pairs("results", [WELL_12], [CARE, WELL_6, WELL_12]) == [(0, 2), (None, 0), (None, 1)]
    assert pairs("results", [], []) == []
    assert pairs("appraisal", [{"domain": "a"}], [{"domain": "b"}]) == [(0, None), (None, 0)]


def test_a_figure_typed_wrong_parts_no_rows_and_a_wrong_outcome_does_not_where_the_rest_agrees() -> (
    None
):
    assert pairs("results", [CARE], [{**CARE, "effect": 8.0}]) == [(0, 0)]
    long = {**CARE, "ci_low": 0.5, "ci_high": 1.2}
    assert pairs("results", [long], [{**long, "outcome": "re-entry"}]) == [(0, 0)]
    assert pairs("results", [CARE], [{**WELL_6}]) == [(0, None), (None, 0)]


@pytest.mark.parametrize(
    ("part", "left", "right"),
    [
        ("costs", {"item": "training", "amount": 10.0}, {"item": "training", "amount": 12.0}),
        ("appraisal", {"domain": "a", "judgement": "low"}, {"domain": "a", "judgement": "high"}),
        ("findings", {"dimension": "mechanism", "text": "x"}, {"dimension": "mechanism", "text": "y"}),
    ],
)  # fmt: skip
def test_every_list_has_its_rule(part: str, left: dict[str, Any], right: dict[str, Any]) -> None:
    assert pairs(part, [left], [right]) == [(0, 0)]


rows = st.lists(
    st.fixed_dictionaries(
        {"outcome": st.sampled_from("abc"), "n": st.sampled_from([1, 2, None])},
        optional={"construct": st.sampled_from("xy")},
    ),
    max_size=6,
)


@given(rows, rows)
def test_each_row_is_in_one_pair_and_sides_can_be_exchanged(left: Any, right: Any) -> None:
    found = pair_rows("results", left, right)
    assert sorted(pair.left for pair in found if pair.left is not None) == [*range(len(left))]
    assert sorted(pair.right for pair in found if pair.right is not None) == [*range(len(right))]
    exchanged = pair_rows("results", right, left)
    assert sum(pair.found_by_both for pair in exchanged) == sum(p.found_by_both for p in found)
    assert all(pair != RowPair(None, None) for pair in found)


def test_differences_name_each_place_and_no_field_that_nobody_types() -> None:
    left = {"label": "A", "reports": ["x"], "results": [CARE, WELL_6], "form_version": "2"}
    right = {
        "label": "A",
        "reports": ["x", "y"],
        "results": [{**WELL_6, "n": 9}],
        "form_version": "3",
    }
    assert [(one.place, one.left, one.right) for one in differences(left, right)] == [
        ("reports", ["x"], ["x", "y"]),
        ("results[0]", CARE, None),
        ("results[1].n", None, 9),
    ]
    assert differences(left, left) == ()


def test_agreement_counts_what_somebody_says() -> None:
    left = {"label": "A", "year": 2020, "results": [CARE, WELL_6], "overlaps": []}
    right = {"label": "A", "year": 2021, "results": [{**CARE, "primary": False, "effect": 0.7}]}
    told = agreement([(left, right)])
    assert FieldAgreement("study", "label", 1, 1) in told
    assert FieldAgreement("study", "year", 0, 1) in told
    assert FieldAgreement("results", "row", 1, 2) in told
    assert FieldAgreement("results", "effect", 0, 1) in told
    assert not {"overlaps", "primary"} & {field.field for field in told}
    shares = [field.same / field.rows for field in told]
    assert shares == sorted(shares) and agreement([]) == ()


def test_what_a_row_is_about_are_fields_of_its_form() -> None:
    from livereview.evidence.forms import LISTS

    assert {part: set(about) <= set(LISTS[part].__slots__) for part, about in ABOUT.items()} == (
        dict.fromkeys(LISTS, True)
    )
