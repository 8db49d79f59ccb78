"""Each published JSON file has a schema, made from the types it is written from and described.

It lies beside the file; that of tombstones, which hold nothing more than they must, on the front page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jsonschema
import pytest

from livereview.summary import front, site, tombstone_files
from livereview.summary.model import schema
from livereview.summary.snapshot import Withdrawal
from tests.published_states import states

ACT = Withdrawal(1, True, "wrong figures", datetime(2026, 3, 4, tzinfo=UTC))


@cache
def pages() -> dict[str, site.Build]:
    """The first version of some reviews: with many results, without any search, and with odd texts."""
    names = ("one-study", "no-search", "hostile")
    return {name: site.build(states()[name][0], 1, "an extraction") for name in names}


def files(name: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """(file, its schema) of every page."""
    for id, built in pages().items():
        above = front.files([front.Entry(id, built.summary, (ACT,))])
        grave = tombstone_files.of_version([built.summary], [ACT], 1, "../../")
        all_of_them = {**grave, **built.files, **above}
        yield (
            json.loads(all_of_them[f"{name}.json"]),
            json.loads(all_of_them[f"{name}.schema.json"]),
        )


@pytest.mark.parametrize("name", schema.TYPES)
def test_every_file_fits_its_schema(name: str) -> None:
    for content, beside in files(name):
        jsonschema.Draft202012Validator.check_schema(beside)
        jsonschema.validate(content, beside)


@pytest.mark.parametrize("name", schema.TYPES)
def test_every_property_is_described(name: str) -> None:
    silent = [place for place, one in properties(schema.schema(name)) if not one.get("description")]
    assert silent == []


@pytest.mark.parametrize("name", schema.TYPES)
def test_a_schema_would_notice_what_is_missing(name: str) -> None:
    content, beside = next(files(name))
    for key in beside["required"]:
        less = {other: value for other, value in content.items() if other != key}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(less, beside)


def properties(part: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, property) of every property in a schema."""
    if isinstance(part, list):
        for one in part:
            yield from properties(one, place)
    if not isinstance(part, dict):
        return
    for name, one in part.get("properties", {}).items():
        yield f"{place}.{name}", one
    for name, one in part.items():
        if name != "properties":
            yield from properties(one, f"{place}.{name}")
