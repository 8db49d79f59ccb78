"""Verdicts on pairs: what is merged, what is never merged silently, and the same answer either way
round.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.dedup import compare
from livereview.dedup.explain import explain
from livereview.dedup.match import block_keys, judge, judge_all
from livereview.dedup.text import Features, features
from livereview.records import Record, from_json

DATA = Path(__file__).parent / "data" / "dedup"
CASES = json.loads((DATA / "pairs.json").read_text(encoding="utf-8"))
BASE = {
    "title": "Mentoring for young people leaving care: a randomised trial",
    "authors": ["Doe, Jane", "Roe, Rik"],
}


def record(key: str, **known: object) -> Record:
    return from_json({"source": "s", "source_key": key, **BASE, **known})


def pair(case: dict[str, dict[str, object]]) -> tuple[Features, Features]:
    return features(record("a", **case["a"])), features(record("b", **case["b"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_pair_made_by_hand_gets_its_verdict_either_way_round(
    case: dict[str, dict[str, object]],
) -> None:
    a, b = pair(case)
    assert judge(a, b).verdict == case["verdict"], judge(a, b)
    assert judge(b, a) == judge(a, b)
    assert judge_all([(a, b), (b, a)]) == [judge(a, b)] * 2


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["verdict"] != "different"], ids=lambda case: case["name"]
)
def test_pairs_that_matter_meet_under_a_shared_key(case: dict[str, dict[str, object]]) -> None:
    a, b = pair(case)
    assert set(block_keys(a)) & set(block_keys(b))


words = st.sampled_from(
    ["care", "children", "safety", "trial", "home", "mentoring", "family", "review", "part", "ii", "erratum:", "2", "β",
     "editor's comments", "remarks from the editor", "editorial", "doe", "roe", "poe", "1985", "985", "cs"]
)  # fmt: skip
titles = st.none() | st.lists(words, max_size=9).map(" ".join)
some_records = st.builds(
    lambda title, doi, names, year, volume, page, place, kind: record(
        "r", title=title, doi=doi, authors=names, year=year, volume=volume, issue="1" if volume else None, pages=page,
        container_title=place, type=kind
    ),
    titles, st.sampled_from([None, "10.1000/a", "10.1000/b", "10.1000/b/v2"]),
    st.lists(st.sampled_from(["Doe, J", "Roe R.", "Piet Poe", ""]), max_size=3),
    st.sampled_from([None, 2019, 2020, 2025]), st.sampled_from([None, "1", "2 (Suppl 1)", "2020"]),
    st.sampled_from([None, "1-9", "20-30", "S20", "e77", "01-Jun"]),
    st.sampled_from([None, "J Care", "Journal of Care", "medRxiv"]), st.sampled_from([None, "preprint", "report"]),
)  # fmt: skip


@settings(max_examples=300)
@given(some_records, some_records)
def test_any_pair_is_judged_alike_either_way_round(a: Record, b: Record) -> None:
    one, two = features(a), features(b)
    assert judge(one, two) == judge(two, one)
    assert judge(one, two).verdict in ("same", "linked", "doubtful", "different")


def test_a_meetings_page_counts_on_whichever_side_it_is() -> None:
    meeting = features(record("a", title="care care", authors=["Doe, J"], volume="2", pages="S20"))
    paper = features(record("b", title="children", authors=["Doe, J"], volume="2", pages="20-30"))
    assert judge(meeting, paper) == judge(paper, meeting)
    assert judge(meeting, paper).rule == "too little agrees"


@settings(max_examples=300)
@given(some_records, some_records)
def test_two_different_dois_are_never_the_same(a: Record, b: Record) -> None:
    one, two = features(a), features(b)
    if one.doi and two.doi and one.doi != two.doi:
        assert judge(one, two).verdict != "same"


@settings(max_examples=100)
@given(some_records)
def test_a_record_with_an_identifier_and_a_title_is_the_same_as_itself(a: Record) -> None:
    one = features(a)
    if one.doi and one.title:
        assert judge(one, one).verdict == "same"


def test_records_without_titles_are_never_merged_by_their_place() -> None:
    place = {
        "title": None,
        "year": 2020,
        "container_title": "J Care",
        "volume": "4",
        "pages": "5-19",
    }
    assert judge(*(features(record(key, **place)) for key in "ab")).verdict == "doubtful"


def test_words_that_resemble_one_another_are_counted_alike_from_either_side() -> None:
    one, two = (features(record("r", title="mentoring in care homes", authors=names)) for names in (
        ["Marten, Anna", "Marter, Joan"], ["Martin, Karl", "Bodden, Olaf"]))  # fmt: skip
    assert compare.authors(one, two, True) == compare.authors(two, one, True)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("invited mentoring of the young after their years", "mentoring of the young after their years in care", True),
        ("mentoring of the young after their years in care", "mentoring of the old after their years in homes", False),
        ("young people after their years", "people after their years in care", False), ("", "mentoring", False),
    ],
)  # fmt: skip
def test_two_titles_are_torn_where_a_long_end_of_one_begins_the_other(
    one: str, two: str, expected: bool
) -> None:
    assert compare.torn(one, two) is compare.torn(two, one) is expected


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("J Soc Work Pract", "Journal of Social Work Practice", True), ("BMJ", "British Medical Journal", True),
        ("Dtsch Med Wochenschr", "Deutsche Medizinische Wochenschrift", True),
        ("JAMA", "Journal of the American Medical Association", True), ("Diabetes", "Diabetes Care", False),
        ("Jthoraccardiovascsurg", "Journal of Thoracic & Cardiovascular Surgery", True), ("Cancer", "Chest", False),
        ("Diabetes", "Diabetologia", False), ("Lancet Oncol", "The Lancet", False), ("a" * 90 + "b", "aa " * 60, False),
    ],
)  # fmt: skip
def test_a_journal_is_known_by_its_abbreviation_and_not_by_its_neighbour(
    one: str, two: str, same: bool
) -> None:
    a, b = (features(record(name, container_title=name)) for name in (one, two))
    score = compare.journal(a, b)
    assert score == compare.journal(b, a)
    assert (score == 1) is same


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (("5", "19"), ("5", "21"), 1), (("s528", "529"), ("528", ""), 1), (("19", ""), ("5", "19"), 1),
        (("s10", ""), ("a10", ""), 0), (("7", ""), ("8", ""), 0),
        (("1", "6"), ("269", "276"), None), (("1", "15"), ("1", "12"), None), (("5", ""), ("", ""), None),
    ],
)  # fmt: skip
def test_pages_agree_contradict_or_say_nothing(
    one: tuple[str, str], two: tuple[str, str], expected: float | None
) -> None:
    assert compare.pages(one, two) == compare.pages(two, one) == expected


@pytest.mark.parametrize(
    ("one", "two", "differ"),
    [
        ("care in men", "care in women", True), ("focus 1 trial", "focus 2 trial", True),
        ("care of children", "care of veterans", True), ("a trial 2", "a trial", False),
        ("randomised trial", "randomized trials", False), ("kinship care", "kinshipcare", False),
    ],
)  # fmt: skip
def test_titles_differ_in_a_word_that_matters(one: str, two: str, differ: bool) -> None:
    assert compare.other_word(one, two) == compare.other_word(two, one) == differ


def test_an_explanation_names_the_rule_the_shared_keys_and_each_field() -> None:
    text = explain(
        record("a", doi="10.1000/a", year=2020), record("b", doi="10.1000/b", pages="5-9")
    )
    lines = text.splitlines()
    assert lines[0].startswith("doubtful: two DOIs, one title (rule two-dois-one-title, rules ")
    assert lines[1].startswith("because: One of the DOIs")
    assert "t mentoringyoungpeopleleav" in lines[2]
    assert any(line.split() == ["doi", "0.00", "10.1000/a", "|", "10.1000/b"] for line in lines)
    assert any(line.split() == ["pages", "-", "|", "5;", "9"] for line in lines)
    assert "would not compare" in explain(record("a"), record("b", title="Another", authors=[]))
