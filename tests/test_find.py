"""What is typed to find reports: read, written again, compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.screening.find import FIELDS, LONGEST, MOST_TERMS, Term, fold, padded, parse, render

LETTERS = st.characters(codec="utf-8")


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("", ()),
        ("   ", ()),
        ("mentor", (Term("mentor"),)),
        ("Mentor  mentor", (Term("mentor"),)),
        ("-mentor", (Term("mentor", wanted=False),)),
        ('"young people"', (Term("young people", phrase=True),)),
        ('-"Young  people"', (Term("young people", phrase=True, wanted=False),)),
        ('"never closed', (Term("never closed", phrase=True),)),
        ("author:Müller", (Term("muller", "author"),)),
        ("AUTHORS:Müller", (Term("muller", "author"),)),
        ('-title:"care leavers"', (Term("care leavers", "title", True, False),)),
        ("doi:10.1000/xyz", (Term("10 1000 xyz", "id"),)),
        ("10.1000/xyz", (Term("10 1000 xyz"),)),
        ("year:2019", (Term("", "year", first=2019, last=2019),)),
        ("year:2015-2020", (Term("", "year", first=2015, last=2020),)),
        ("year:2015-", (Term("", "year", first=2015),)),
        ("-year:-1999", (Term("", "year", wanted=False, last=1999),)),
        ("year:soon", (Term("year soon"),)),
        ("Care: a study", (Term("care"), Term("a"), Term("study"))),
        ("outcome:good", (Term("outcome good"),)),
        ("- -- ... \"\" ''", ()),
        ("title:", (Term("title"),)),
        ("l'année", (Term("l annee"),)),
    ],
)
def test_what_is_typed_means(typed: str, terms: tuple[Term, ...]) -> None:
    assert parse(typed) == terms


@given(st.text(LETTERS))
def test_nothing_is_refused_and_no_term_is_empty(typed: str) -> None:
    terms = parse(typed)
    assert len(terms) <= MOST_TERMS
    for term in terms:
        assert term.field is None or term.field in FIELDS
        assert term.words or term.field == "year"
        assert term.words == fold(term.words)


@given(st.text(LETTERS, max_size=60))
def test_a_query_written_again_means_the_same(typed: str) -> None:
    terms = parse(typed)
    again = render(terms)
    if len(again) <= LONGEST:
        assert parse(again) == terms


@given(st.text(LETTERS), st.text(LETTERS))
def test_each_word_and_each_run_of_words_of_a_text_is_in_it(before: str, after: str) -> None:
    text = padded(f"{before} Young Péople {after}")
    for typed in ("young", "YOU", '"young people"', "péop"):
        (term,) = parse(typed)
        assert term.needle in text
    (half,) = parse('"young peop"')
    assert half.needle not in padded("young people")


@given(st.text(LETTERS))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_scripts_without_spaces_are_found_in_the_middle_of_a_sentence() -> None:
    (term,) = parse("若者")
    assert term.needle in padded("里親家庭の若者に関する研究")
