from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.review import Highlights
from livereview.web.card import link, pieces
from tests.conftest import article

WEB = Path(__file__).resolve().parents[1] / "livereview" / "web"


def marked(
    text: str, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    return [
        (piece.text, piece.kind)
        for piece in pieces(text, Highlights(include, exclude))
        if piece.kind
    ]


def test_words_phrases_plurals_and_stems_are_marked() -> None:
    text = "Fosters in residential  care; fostering, mentorship, RESIDENTIAL homes"
    assert marked(text, ("foster", "residential care", "mentor*"), ("residential",)) == [
        ("Fosters", "include"),
        ("residential  care", "include"),
        ("mentorship", "include"),
        ("RESIDENTIAL", "exclude"),
    ]
    assert marked("a (b+ c", (), ("(b+",)) == [("(b+", "exclude")]
    assert marked("nothing here", ("", " ", "*"), ()) == marked("", ("x",)) == []


@given(
    st.text(max_size=80),
    st.lists(st.text(max_size=6), max_size=4),
    st.lists(st.text(max_size=6), max_size=4),
)
def test_marking_never_changes_a_letter(text: str, include: list[str], exclude: list[str]) -> None:
    assert (
        "".join(piece.text for piece in pieces(text, Highlights(tuple(include), tuple(exclude))))
        == text
    )


@pytest.mark.parametrize(
    ("doi", "url", "expected"),
    [
        (
            "10.1002/(sici)<1661::aid-sim968>3.0.co;2-2",
            None,
            "https://doi.org/10.1002/(sici)%3C1661%3A%3Aaid-sim968%3E3.0.co%3B2-2",
        ),
        ("10.1000/abc", "http://x.org", "https://doi.org/10.1000/abc"),
        ("javascript:alert(1)", None, None),
        (None, "https://example.org/a?b=c", "https://example.org/a?b=c"),
        (None, "javascript:alert(1)", None),
        (None, "java\tscript:alert(1)", None),
        (None, "data:text/html,x", None),
        (None, "https://user@example.org/", None),
        (None, "https:///x", None),
        (None, "http://[", None),
        (None, None, None),
    ],
)
def test_only_a_doi_or_a_plain_web_address_becomes_a_link(
    doi: str | None, url: str | None, expected: str | None
) -> None:
    assert link(article(1, doi=doi, url=url)) == expected


def test_no_text_is_ever_marked_as_safe() -> None:
    files = [*WEB.rglob("*.py"), *WEB.rglob("*.html")]
    assert len(files) > 20
    for path in files:
        text = path.read_text(encoding="utf-8")
        bad = r"\|\s*safe\b|Markup\(|autoescape\s*=?\s*(False|false)|<script(?! src=\"/static/)|style=\"|\son\w+="
        assert not re.search(bad, text), path


def channel(value: int) -> float:
    return value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(int(colour[n : n + 2], 16)) for n in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_are_legible_in_light_and_dark() -> None:
    css = (WEB / "static" / "style.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.S)
    )
    assert light.keys() == dark.keys()
    pairs = [(ink, paper) for ink in ("ink", "soft", "accent") for paper in ("paper", "card")]
    pairs += [(name, f"{name}-tint") for name in ("no", "yes", "perhaps")] + [
        ("no", "alarm"),
        ("on-accent", "accent"),
    ]
    pairs += [("ink", tint) for tint in ("no-tint", "yes-tint", "perhaps-tint", "alarm")]
    for theme in (light, dark):
        for front, back in [*pairs, ("soft", "perhaps-tint"), ("card", "no")]:
            low, high = sorted((luminance(theme[front]), luminance(theme[back])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (front, back, (high + 0.05) / (low + 0.05))
