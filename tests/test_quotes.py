"""A quote counts only where the text says it, word by word and number by number."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.evidence.folding import fold
from livereview.evidence.quoted_numbers import number_in_quote
from livereview.evidence.quotes import LEAST_LETTERS, Missing, Place, beside, find
from tests.patterns import superlinear

SHARED = Path(__file__).resolve().parents[2] / "shared"
TEXT = (
    "The families who took part did not return to care as often (−0.45, 95% CI −0.80 to −0.10). "
    "“We felt heard”, a mother said. Follow-up lasted 12–15 months; p < 0.05 for 1,200 children. "
    "The effect was non-significant in men, and significant in women: it saved £1 200 a family. "
    "There was a 5% reduction, and 10² visits—more than before. It was an ineffective programme "
    "without any costs, and cannot be repeated. She left on 5 March with 3½ days of leave."
)

ALIKE = [
    ("The families who took part", "the families who took part"),
    ("did not return to care", "did  not\nreturn\u00a0to\tcare"),
    ("families who took part", "fami-\nlies who took part"),
    ("families who took part", "fami\u00adlies who took part"),
    ("families who took part", "fami- lies who took part"),
    ("“We felt heard”, a mother", '"We felt heard", a mother'),
    ("Follow-up lasted 12–15 months", "Follow‐up lasted 12-15 months"),
    ("Follow-up lasted 12–15 months", "Follow-\nup lasted 12−15 months"),
    ("significant in women", "signiﬁcant in women"),
    ("care as often (−0.45", "care as often ( -0.45"),
    ("p < 0.05 for 1,200 children", "p<0.05 for 1,200 children"),
    ("p < 0.05 for 1,200 children", "p < ０.０５ for 1,200 children"),
    ("more than before. It was", "more than before. It was"),
    ("95% CI −0.80 to −0.10", "“95% CI −0.80 to −0.10”"),
]


@pytest.mark.parametrize(
    ("before", "quote", "after", "negation", "cuts_word"),
    [
        ("It was not ", "effective in men", ", they said", "not", False),
        ("It was ", "effective in […] men", " of 40", None, False),
        ("It was ", "ffective in all men", " of 40", None, False),
        ("It was e", "ffective in all men", " of 40", None, True),
        ("It was not ", "“effective in all me”", "n of 40", "not", True),
        ("effective in all men, not ", "effective in all men", "", "not", False),
        ("", "effective in all men", "", None, False),
    ],
)
def test_what_stands_around_a_quote_is_known_from_the_text_kept_with_it(
    before: str, quote: str, after: str, negation: str | None, cuts_word: bool
) -> None:
    place = beside(before, quote, after)
    assert place is not None
    assert (place.negation, place.cuts_word) == (negation, cuts_word)


INTERVAL = (
    "Overall, the 95% confidence interval [CI] was rather wide in all of the groups. The end."
)


@pytest.mark.parametrize(
    "quote",
    [
        "the 95% confidence [CI] was rather wide",
        "the 95% confidence [ci] was rather wide",
        "the 95% confidence [CI]",
        "[the confidence] interval [CI] was rather wide",
        "[confidence] [CI] was rather wide",
        "was rather wide in all [groups]",
        "was rather wide [in groups]. The end",
        "Overall, the 95% [interval] was rather wide",
    ],
)
def test_words_in_brackets_are_not_picked_out_of_the_text_that_they_hide(quote: str) -> None:
    assert find(INTERVAL, quote) == Missing("insertion")


@pytest.mark.parametrize(
    "quote",
    [
        "the 95% confidence interval [CI] was rather wide",
        "the 95% confidence [interval] [CI] was rather wide",
        "[t]he 95% confidence interval [of the effect]",
        "[Interval] [CI] was rather wide",
        "was rather wide [in all studies]",
        "was rather wide in all of the [groups]",
        "[The end] was rather wide in all",  # another sentence's words
        "the 95% confidence interval [here: CI] was rather wide",
    ],
)
def test_words_in_brackets_that_hide_nothing_are_the_quoters(quote: str) -> None:
    assert isinstance(find(INTERVAL, quote), Place)


@pytest.mark.parametrize(("written", "typed"), ALIKE)
def test_what_typesetting_changes_is_folded(written: str, typed: str) -> None:
    place = find(TEXT, typed)

    assert isinstance(place, Place)
    found = TEXT[place.start : place.end]
    assert fold(found).core.casefold() == fold(written).core.casefold()


OTHER = [
    "The families who took part did return to care",
    "The families who took part did not return to carers",
    "care as often (0.45, 95% CI",
    "care as often (−0.54, 95% CI",
    "care as often (−045, 95% CI",
    "(−0.45, 95% CI −0.80 to −0.1",  # a number that ends later
    "45, 95% CI −0.80 to −0.10",  # one that began before
    "0.45, 95% CI −0.80 to −0.10",  # its sign is left out
    "0.05 for 1,200 children",  # its operator is left out
    "200 children. The effect was",
    "200 a family. There was",
    "There was a 5",  # its unit is left out
    "p > 0.05 for 1,200 children",
    "p < 0.05 for 1200 children",
    "and 102 visits",
    "with 31/2 days of leave",
    "March with 3",
    "significant in men",
    "effective programme without",
    "women and men",
    "men: it saved £1 200 a family",
    "he left on 5 March",
    "It was an ineffective programme with",
    "and can",
    "THE FAMILIES WHO TOOK PART",
    "lasted 1215 months",
    "lasted 12 −15 months",
    "programme with out any costs",
    "",
    "…",
    "[...]",
    "no",
    "in care",
    "\u200b" * 30,
]


@pytest.mark.parametrize("typed", OTHER)
def test_words_numbers_signs_and_negations_are_never_folded(typed: str) -> None:
    assert isinstance(find(TEXT, typed), Missing)


@pytest.mark.parametrize(
    "typed",
    [
        "significant in women […] it saved £1 200",
        "Follow-up lasted 12–15 months … for 1,200 children",
        "There was a 5% reduction (...) more than before",
        "The families [with children] who took part",
        "[Families] who took part did not return",
        "and significant in women: it saved £1 200 a [household]",
    ],
)
def test_words_may_be_left_out_and_put_in_where_that_is_shown(typed: str) -> None:
    assert isinstance(find(TEXT, typed), Place)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (
            "“We felt heard”, a mother said (...) Follow-up lasted 12–15 months",
            "omission",
        ),  # the next sentence
        ("The families who […] return to care", "omission"),  # leaves "not" out
        ("significant in women ... Follow-up lasted", "omission"),  # in another order
        ("The families who took part … an ineffective programme", "omission"),  # too far
        ("The families who [never] took part", "insertion"),
        ("The families who took part [n = 12] did not", "insertion"),
        ("The … took … did not … return to", "too short"),  # any sentence could be made of words
        ("families who took [women] part did", "not there"),
    ],
)
def test_pieces_prove_nothing_else(typed: str, reason: str) -> None:
    place = find(TEXT, typed)

    assert isinstance(place, Missing | Place)
    if reason == "not there" and isinstance(place, Place):
        return  # an insertion beside which nothing is missing
    assert isinstance(place, Missing)
    assert place.reason == reason
    assert place.words


def test_an_omission_stays_in_its_paragraph() -> None:
    text = "Costs were higher in both groups.\n\nThere was an effect on wellbeing."

    assert isinstance(find(text, "Costs were higher [...] There was an effect"), Missing)


def test_dots_and_brackets_of_the_text_itself_are_read_as_they_are() -> None:
    text = "She said: “well … it was not [really] what we wanted [12]”, and left."

    assert isinstance(find(text, "well … it was not [really] what we wanted [12]"), Place)


def test_a_negation_before_a_quote_is_shown() -> None:
    place = find("The effect was not significantly better than care.", "significantly better than")

    assert isinstance(place, Place)
    assert place.negation == "not"


def test_a_line_may_end_inside_a_word_at_a_ligature_only() -> None:
    assert isinstance(find("it was signi\r\nficantly better", "significantly better"), Place)
    assert isinstance(find("it was not\r\nable for change", "was notable for change"), Missing)


def test_a_glyph_of_a_line_end_is_a_hyphen() -> None:
    text = "the inter\ufffe\r\nvention lasted for a follow\ufffe\r\nup of 12\ufffe\r\n15 months"

    assert isinstance(find(text, "the intervention lasted for a follow-up of 12-15 months"), Place)


WORDS = st.lists(
    st.sampled_from(["care", "no", "not", "women", "men", "5", "-5", "0.5", "%", "fi", "(", "…"]),
    min_size=1,
    max_size=30,
)


@given(WORDS, st.integers(0, 30), st.integers(0, 30))
def test_what_is_taken_out_of_a_text_at_white_space_is_in_it_or_cuts_a_number(
    words: list[str], first: int, last: int
) -> None:
    piece = " ".join(words[first:last])
    place = find(" ".join(words), piece)

    if isinstance(place, Place):
        assert (
            fold(" ".join(words)[place.start : place.end]).core == fold(piece).core or "…" in piece
        )
    else:
        assert place.reason != "not there" or "…" in piece


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_asked_for_in_any_other(text: str, quote: str) -> None:
    place = find(text, quote)

    if isinstance(place, Place):
        assert all(0 <= start < end <= len(text) for start, end in place.spans)
        assert sum(sign.isalnum() for sign in fold(quote).core) >= LEAST_LETTERS


HOSTILE: list[tuple[Callable[[int], str], Callable[[int], str]]] = [
    (lambda n: "a" * n, lambda n: "a" * (n // 2) + "b"),
    (lambda n: "a " * n, lambda n: "a " * (n // 2) + "aa"),
    (lambda n: "ab " * n, lambda n: "ab ab ab a b"),
    (lambda n: "e" + "\u0301\u0323" * n, lambda n: "e" + "\u0323\u0301" * (n // 4) + "abcdefgh"),
    (lambda n: "people " * n, lambda n: "people people … people people [...] people people"),
    (lambda n: "people " * n, lambda n: '"' * n + "people people" + '"' * n),
    (lambda n: "1 " * n, lambda n: "1 1 1 1 1 1 1 1 1"),
    (lambda n: "[" * n, lambda n: "[" * n + "abcdefgh"),
    (lambda n: "." * n, lambda n: ". . " * (n // 8) + "abcdefgh"),
    (lambda n: "word" + " " * n + "word" + "-" * n, lambda n: "word " * 8),
]


@pytest.mark.parametrize("n", range(len(HOSTILE)))
def test_no_text_makes_the_search_take_long(n: int) -> None:
    text, quote = HOSTILE[n]

    def use(both: str) -> object:
        size = len(both)
        return find(text(size), quote(size))

    assert superlinear(use, lambda size: "x" * size) is None


@pytest.mark.parametrize(
    ("value", "quote"),
    [
        (0.5, "an effect of .5"),
        (0.5, "an effect of 0·5 (0·1 to 0·9)"),
        (0.5, "eine Wirkung von 0,5"),
        (0.125, "0,125"),
        (1200, "1,200 children"),
        (1200, "1 200 children"),
        (1200, "1’200 children"),
        (1200.5, "1.200,5 Euro und 0,7"),
        (1234, "1.234 und 0,5"),
        (-0.45, "(−0.45, 95% CI −0.80 to −0.10)"),
        (-0.45, "= − 0.45"),
        (-0.1, "95% CI −0.80, -0.10"),
        (15, "aged 12–15"),
        (45, "45%"),
        (12, "n = 12 40"),
        (3, "３ of ４"),
    ],
)
def test_a_figure_stands_in_its_quote(value: float, quote: str) -> None:
    assert number_in_quote(value, quote)


@pytest.mark.parametrize(
    ("value", "quote"),
    [
        (-5, "reduced by 5"),
        (5, "a change of −5"),
        (-15, "aged 12–15"),
        (-19, "COVID-19"),
        (0.45, "45%"),
        (1.2, "1,200 children"),
        (5, "1.5 of 15"),
        (102, "10² visits"),
        (10, "10² visits"),
        (12, "twelve people"),
        (0.05, "p < 0.5"),
        (12, ""),
    ],
)
def test_another_figure_does_not(value: float, quote: str) -> None:
    assert not number_in_quote(value, quote)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared texts and their scorer are not here")
def test_true_quotes_are_taken_and_false_ones_refused(tmp_path: Path) -> None:
    bench, folder, cases = SHARED / "bench", SHARED / "data" / "quotes", tmp_path / "cases.jsonl"
    make = [str(bench / "mutate_quotes.py"), str(folder), str(cases), "--per-kind", "40"]
    subprocess.run([sys.executable, *make, "--seed", "7"], check=True, capture_output=True)
    with gzip.open(folder / "texts.jsonl.gz", "rt", encoding="utf-8", newline="\n") as file:
        texts = {row["doc"]: row["text"] for row in map(json.loads, file)}
    rows = [json.loads(line) for line in cases.read_text(encoding="utf-8").splitlines()]
    folded = {doc: fold(texts[doc]) for doc in {row["doc"] for row in rows[::3]}}

    wrong = [
        (row["kind"], row["quote"])
        for row in rows[::3]
        if isinstance(find(folded[row["doc"]], row["quote"]), Place) != (row["must"] == "accept")
    ]

    assert wrong == []
