from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livereview import review_toml
from livereview.review_toml import lines

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def leaves(value: Any, where: lines.Where = ()) -> Iterator[lines.Where]:
    """Every key and list item of a TOML document."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, item in items:
        yield (*where, name)
        yield from leaves(item, (*where, name))


@pytest.mark.parametrize("name", ["template", "signs-of-safety", "youth-homelessness"])
def test_every_key_is_found_in_the_line_that_holds_it(name: str) -> None:
    text = (
        review_toml.template()
        if name == "template"
        else (EXAMPLES / name / "review.toml").read_text("utf-8")
    )
    found = lines.find(text)
    for where in leaves(tomllib.loads(text)):
        key = next(part for part in reversed(where) if isinstance(part, str))
        assert key in text.splitlines()[found[where] - 1], where


def test_lines_are_found_behind_all_that_toml_allows() -> None:
    text = "\n".join(
        [
            "# a = 1",
            "a = '''",
            "[b]",
            "c = 1'''",
            '"d" . e = [ # ]',
            "  'x, y', [1, 2],",
            "  {f = 1}]",
            "[ g . 'h' ]",
            'i = """\\""" ]"""',
            "[[j]]",
            "[[j.k]]",
            "l = 1",
            "[[j]]",
            "[[j.k]]",
            "l = 2",
        ]
    )
    found = lines.find(text)
    expected = {
        ("a",): 2,
        ("d", "e"): 5,
        ("d", "e", 0): 6,
        ("d", "e", 1): 6,
        ("d", "e", 2): 7,
        ("g", "h"): 8,
    }
    expected |= {
        ("g", "h", "i"): 9,
        ("j", 0, "k", 0, "l"): 12,
        ("j", 1, "k", 0): 14,
        ("j", 1, "k", 0, "l"): 15,
    }
    assert {where: found.get(where) for where in expected} == expected
    assert ("b",) not in found
