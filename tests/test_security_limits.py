"""Limits that a hostile file, address or text meets: each was once a fault that the checklist's
tests found.
"""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from openpyxl import Workbook

from livereview.errors import Refused
from livereview.exchange import decisions
from livereview.exchange.sheets import WIDEST
from livereview.exchange.write import as_csv
from livereview.sources.text import MARKS, safe
from livereview.web.guard import TRIES
from tests.conftest import TestClient


def workbook(*rows: list[object]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def cut(body: bytes, part: str) -> bytes:
    """The workbook with half of one part."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(body)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, content[: len(content) // 2] if name.endswith(part) else content)
    return out.getvalue()


@pytest.mark.parametrize("part", ["sheet1.xml", "workbook.xml"])
def test_a_damaged_workbook_is_refused_in_words(part: str) -> None:
    with pytest.raises(Refused, match="not a whole Excel file"):
        decisions.read(cut(workbook(["title", "decision"], ["A trial", "include"]), part), "a.xlsx")


def test_a_sheet_with_very_many_columns_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(Refused, match=f"more than {WIDEST} columns"):
        decisions.read(workbook([f"c{n}" for n in range(16_384)], ["x"]), "a.xlsx")


def test_an_origin_that_is_no_address_is_foreign(app: FastAPI) -> None:
    answer = TestClient(app).post("/sign-in", data={"secret": "x"}, headers={"Origin": "http://["})
    assert answer.status_code == 403


def test_guesses_at_the_same_time_count_each(app: FastAPI) -> None:
    def guess(number: int) -> int:
        return TestClient(app).post("/sign-in", data={"secret": f"guess-{number}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(3 * TRIES)))
    assert (said.count(401), said.count(429)) == (TRIES, 2 * TRIES)


@pytest.mark.parametrize("mark", ["\u0301", "\u05b0", "\u0e47", "\u20dd"])
def test_marks_are_capped_in_every_script(mark: str) -> None:
    kept = safe("x" + mark * 5_000, 1_000)
    assert kept is not None and kept.count(mark) <= MARKS
    assert safe("น้ำ ผึ้ง", 100) == "น้ำ ผึ้ง"


def test_a_formula_after_a_new_line_is_quoted() -> None:
    assert b"'\n=1+1" in as_csv(["a"], [{"a": "\n=1+1"}])
