"""No regular expression of the tree can be pumped: its work grows no faster than the text it is
given.
"""

from __future__ import annotations

import re

import pytest

from livereview.sources import datacite_fields, oai_record, openaire, ris_ovid, tagged
from livereview.sources.people import LONGEST_NAME
from tests.patterns import PUMPED, ROOT, Found, everything, pumped_by, superlinear

OAI_END = (
    "livereview/sources/oai.py: f'</(?:[\\\\w.-]{{1,60}}:)?{kind}\\\\s{{0,99}}>"
    "|<(?:[\\\\w.-]{{1,60}}:)?{kind}\\\\b[^<>]*/>\\\\Z'"
)
PUBMED_END = "livereview/sources/pubmed_xml.py: f'</{kind}\\\\s{{0,99}}>\\\\Z|\\\\A\\\\s*<{kind}[^<]*/>\\\\Z'"

# Patterns that are put together when they are used: all they can be, or examples.
DYNAMIC: dict[str, tuple[str, ...]] = {
    "livereview/sources/bibtex.py: '[{}]|' + (re.escape(sign) if sign else '(?<!\\\\\\\\)[\\\\s~]+')": (
        r"[{}]|,",
        r"[{}]|(?<!\\)[\s~]+",
    ),
    "livereview/sources/csl.py: f'^{key}: *(\\\\S+)'": (r"^PMID: *(\S+)",),
    "livereview/sources/csv.py: sign": (r"[;|\n]", r"(?<!\s)\s++and\s+"),
    "livereview/sources/datacite_fields.py: pattern": tuple(
        pattern for pattern, _ in datacite_fields._WORDS
    ),
    "livereview/sources/oai_record.py: pattern": tuple(pattern for _, pattern in oai_record._TYPES),
    OAI_END: (r"</(?:[\w.-]{1,60}:)?record\s{0,99}>|<(?:[\w.-]{1,60}:)?record\b[^<>]*/>\Z",),
    PUBMED_END: (r"</eSearchResult\s{0,99}>\Z|\A\s*<eSearchResult[^<]*/>\Z",),
    "livereview/sources/openaire.py: pattern": tuple(pattern for pattern, _ in openaire._TYPES),
    "livereview/sources/ris_ovid.py: words": tuple(words for words, _ in ris_ovid._KINDS),
    "livereview/sources/tagged.py: pattern": tuple(pattern.pattern for pattern, _ in tagged._KINDS),
    "livereview/web/card.py: f\"(?<!\\\\w)(?:{'|'.join(parts)})(?!\\\\w)\"": (
        r"(?<!\w)(?:(?P<include>care\w*))(?!\w)",
    ),
    # A person's own pattern, in a command of their own (`livereview extract --map`).
    "livereview/exchange/mapped.py: told['pattern']": (),
    # The protocol's own pattern: pages are read in a process with a limit, see test_parsing.py.
    "livereview/sources/page.py: query.filter('keep') or ''": (),
}


# Patterns whose text is cut to so many letters where they are used.
MEETS = {
    "livereview/sources/page.py _IDLE": 80,
    "livereview/sources/oai_record.py _AFTER_NAME": 300,
    "livereview/sources/people.py": LONGEST_NAME,  # each of its patterns
    "livereview/sources/ris_dialects.py '(?<! ) *+\\\\(.*\\\\)$'": 500,
}


@pytest.fixture(scope="module")
def patterns() -> list[Found]:
    return everything(DYNAMIC)


def files() -> list[str]:
    """The files that use `re`."""
    paths = [
        path for folder in ("livereview", "flows") for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    return [
        str(path.relative_to(ROOT))
        for path in paths
        if re.search(r"\bre\.", path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("place", files())
def test_no_pattern_can_be_pumped(place: str, patterns: list[Found]) -> None:
    pumped = {
        str(one): growth
        for one in patterns
        if one.place == place
        and (growth := pumped_by(one, MEETS.get(str(one), MEETS.get(place, PUMPED))))
    }

    assert pumped == {}


def test_all_patterns_are_looked_at(patterns: list[Found]) -> None:
    assert len(patterns) > 300
    assert {"_BLOCK", "_STRAY"} <= {
        one.name for one in patterns if one.place == "livereview/sources/text.py"
    }


@pytest.mark.parametrize(
    "pattern",
    [
        r"</?(?:p|div)\b[^>]*>",
        r"RAYYAN-([A-Z-]+):\s*(.*?)\s*(?=\||$)",
        r"\s+(?:and|&)\s+",
        r"(a|aa)+$",
        r"(?:x+x+)+y",
        r"\d+\d+z",
    ],
)
def test_a_pattern_that_can_be_pumped_is_found(pattern: str) -> None:
    assert pumped_by(Found("here", pattern, re.compile(pattern, re.DOTALL), ("search",)))


def test_a_pattern_in_a_line_is_not_taken_for_one() -> None:
    for pattern in (r"<[^<>]*>", r"(?<!\s)\s++$", r"\d{4}-\d\d", r"[a-z]{0,300}\d"):
        assert pumped_by(Found("here", pattern, re.compile(pattern), ("search",))) is None


def test_growth_is_told_by_ratio_whatever_the_machine() -> None:
    def square(text: str) -> int:
        return sum(1 for _ in text for letter in text[::64] if letter == "x")

    assert superlinear(square, lambda size: "a" * size)
    assert superlinear(lambda text: sum(map(ord, text * 20)), lambda size: "a" * size) is None
