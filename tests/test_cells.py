"""Cells that no spreadsheet runs, and that come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.cells import FORMULA_STARTS, guarded, unguarded


@given(st.text("'=+-@1e. a\n", max_size=12))
def test_a_text_comes_back_as_it_was_and_no_cell_begins_a_formula(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    is_formula = cell.lstrip(" \n").startswith(FORMULA_STARTS)
    assert not is_formula or cell == text and float(text) is not None


@pytest.mark.parametrize("text", ["-5", "+1.5e3", "2020", "a=b", "'tis", ""])
def test_what_no_spreadsheet_runs_stays(text: str) -> None:
    assert guarded(text) == unguarded(text) == text
