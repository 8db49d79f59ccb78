"""The how-to guide's own example of a source runs, by the very name that review.toml would use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from livereview import sources
from livereview.errors import SourceBroken
from livereview.sources.protocol import Query, Window
from tests.conftest import NOW

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "add-a-source.md"


def test_the_source_in_the_guide_is_found_by_name_and_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(
        r"```python\n(import json.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    (tmp_path / "care_notes.py").write_text(found[1], encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    source = sources.find("care_notes:SOURCE")
    page = source.parse(
        b'{"items": [{"id": 1, "title": "<b>A</b>", "doi": "10.1000/A"}, {"title": "no id"}]}', None
    )
    assert [(record.title, record.doi) for record in page.records] == [("A", "10.1000/a")]
    assert [one.reason for one in page.rejects] == ["an item without id"]
    assert source.request
    assert ("page", "2") in source.request(
        Query("care"), Window(None, NOW), page.next_cursor
    ).params
    with pytest.raises(SourceBroken, match="not Care Notes' answer"):
        source.parse(b"<html>", None)
