"""The published tables: complete, and safe to open in a spreadsheet."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.summary import tables
from tests.snapshots import report, result, snapshot, study


def rows(snap, name):
    (content,) = [table.csv for table in tables.published(snap) if table.name == name]
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_the_tables_hold_every_study_result_and_exclusion():
    form = study(
        "a", result("care", n=12), result(effect=0.1234567, measure="SMD"), country="Wales"
    )
    snap = snapshot(
        form,
        excluded=(report("x", reason="Wrong design", doi="10.1000/x", authors=("A, B", "C, D")),),
    )
    assert rows(snap, "studies")[0]["country"] == "Wales"
    assert [(row["outcome"], row["n"], row["effect"]) for row in rows(snap, "effects")] == [
        ("care", "12", ""),
        ("well", "", "0.1234567"),
    ]
    excluded = rows(snap, "exclusions")[0]
    assert (excluded["authors"], excluded["reason"]) == ("A, B | C, D", "Wrong design")
    assert excluded["link"] == "https://doi.org/10.1000/x"
    waiting = replace(snap, studies=(replace(snap.studies[0], extraction=None),))
    assert rows(waiting, "studies")[0]["year"] == ""


def written(value):
    """The one cell of the table, as a program reads it."""
    _, row = csv.reader(io.StringIO(tables.table(("a", "b"), [[value, "x"]]).decode(), newline=""))
    return row[0]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "|x", "%0"]
)
def test_a_cell_never_starts_a_formula(text):
    assert written(text).startswith("'")


@pytest.mark.parametrize("value", [-0.5, 3, "-0.5", "+3", "plain", "a=b", None, ""])
def test_numbers_and_plain_text_stay_as_they_are(value):
    assert written(value) == ("" if value is None else str(value))


@given(st.text())
def test_any_text_is_a_safe_cell_that_reads_back_as_one_row(text):
    content = tables.table(("a",), [[f"x{text}"], [text]])
    read = list(csv.reader(io.StringIO(content.decode())))
    assert len([row for row in read if row]) in (2, 3)
    assert written(text)[:1] not in tuple("=@") or not text
