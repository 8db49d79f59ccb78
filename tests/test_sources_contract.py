"""Every recorded case of every source: data/sources/<source>/<case>.<anything> beside
<case>.expected.json.

An expectation is a list, in the order records then rejects: {"kind": "record", …} with the record's
keys (None and empty ones may be left out) or {"kind": "reject", "reason": …} with a part of the
reason; or, where reading must fail, one object {"error": "SourceBroken", "message": a part of the
message}.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from livereview.errors import LivereviewError
from livereview.records import to_json
from livereview.sources.protocol import Page, Source

ROOT = Path(__file__).parent / "data" / "sources"
FILES = sorted(
    path for path in ROOT.glob("*/*") if path.is_file() and not path.name.startswith(".")
)
CASES = [path for path in FILES if not path.name.endswith(".expected.json")]


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _source(path: Path) -> Source:
    source = import_module(f"livereview.sources.{path.parent.name}").SOURCE
    assert isinstance(source, Source)
    return source


def _expected(case: Path) -> Any:
    file = case.with_suffix(".expected.json")
    assert file.exists(), f"{_name(case)} has no expectation: write {file.name} beside it"
    return json.loads(file.read_text(encoding="utf-8"))


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in fields.items() if value not in (None, []) and key != "kind"
    }


def _check_page(page: Page, expected: list[dict[str, Any]]) -> None:
    records = [_known(item) for item in expected if item["kind"] == "record"]
    reasons = [item["reason"] for item in expected if item["kind"] == "reject"]
    assert [_known(to_json(record)) for record in page.records] == records
    assert len(page.rejects) == len(reasons)
    for reject, reason in zip(page.rejects, reasons, strict=True):
        assert reason in reject.reason and reject.where


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_a_recorded_case_is_read_as_its_expectation_says(case: Path) -> None:
    source, expected = _source(case), _expected(case)
    if isinstance(expected, list):
        _check_page(source.parse(case.read_bytes(), None), expected)
        return
    with pytest.raises(LivereviewError) as failure:
        source.parse(case.read_bytes(), None)
    assert type(failure.value).__name__ == expected["error"]
    assert expected["message"] in failure.value.message


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_reading_a_case_twice_gives_the_same_page_and_names_its_source(case: Path) -> None:
    source = _source(case)
    assert source.name == case.parent.name
    try:
        page = source.parse(case.read_bytes(), None)
    except LivereviewError as error:
        assert error.source == source.name, "an error must say whose answer it is about"
        return
    assert page == source.parse(case.read_bytes(), None)
    assert all(record.source == source.name and record.source_key for record in page.records)


def test_no_expectation_is_left_without_its_case() -> None:
    cases = {path.with_suffix(".expected.json") for path in CASES}
    assert cases, f"no case found under {ROOT}"
    assert {path for path in FILES if path.name.endswith(".expected.json")} <= cases
