"""Boxes of a protocol: what stands in them, and what typing in them does to the text."""

from __future__ import annotations

import tomllib
from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import review_toml
from livereview.errors import Refused
from livereview.review_toml import edit
from livereview.web import protocol_fields as fields

TEMPLATE = review_toml.template()
SMALL = """# the review's own words
id = "small"   # a name
title = 'The "small" review'

[[reasons]]  # what is chosen from
id = "wrong-design"
label = "Wrong design"   # as printed
"""


def changed_lines(before: str, after: str) -> list[str]:
    lines = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@")]


@pytest.mark.parametrize("step", fields.STEPS, ids=lambda step: step.name)
@pytest.mark.parametrize(
    "text", [TEMPLATE, review_toml.blank(), SMALL], ids=["all", "blank", "small"]
)
def test_saving_what_stands_there_changes_no_letter(step: fields.Step, text: str) -> None:
    assert fields.written(text, step, fields.stands(text, step)) == text


def test_one_box_changes_one_line_and_keeps_its_comment() -> None:
    typed = fields.stands(SMALL, fields.CRITERIA) | {"reasons.0.label": "No comparison"}
    after = fields.written(SMALL, fields.CRITERIA, typed)
    assert changed_lines(SMALL, after) == [
        '-label = "Wrong design"   # as printed',
        '+label = "No comparison"   # as printed',
    ]


def test_a_new_row_gets_a_short_name_of_its_words_which_no_other_row_has() -> None:
    text = SMALL
    for _ in range(2):
        typed = fields.stands(text, fields.CRITERIA)
        rows = fields.rows_of(edit.document(text), fields.CRITERIA.groups[3])
        typed[f"reasons.{rows}.label"] = "Wrong design"
        text = fields.written(text, fields.CRITERIA, typed)
    ids = [row["id"] for row in tomllib.loads(text)["reasons"]]
    assert ids == ["wrong-design", "wrong-design-2", "wrong-design-3"]


def test_rows_are_taken_out_and_added_at_once() -> None:
    typed = fields.stands(SMALL, fields.CRITERIA)
    typed |= {"reasons.0.out": "yes", "reasons.1.label": "No data"}
    after = tomllib.loads(fields.written(SMALL, fields.CRITERIA, typed))
    assert after["reasons"] == [{"id": "no-data", "label": "No data"}]


def test_the_short_name_of_a_row_that_is_there_never_changes() -> None:
    typed = fields.stands(SMALL, fields.CRITERIA) | {"reasons.0.id": "another"}
    assert fields.written(SMALL, fields.CRITERIA, typed) == SMALL


def test_each_kind_of_value_is_read_as_the_file_has_it() -> None:
    typed = {
        "searches.0.source": "openalex",
        "searches.0.platform": "OpenAlex API",
        "searches.0.query": 'mentor*\r\nAND "care leavers"',
        "searches.0.filters": "type: article\ntype: report\nlanguage: en",
        "searches.0.start": "2020-01-31",
        "searches.0.overlap_days": "14",
        "searches.0.grey": "yes",
    }
    search = tomllib.loads(fields.written(SMALL, fields.SEARCHES, typed))["searches"][0]
    assert search["name"] == "openalex-api"
    assert search["query"] == 'mentor*\nAND "care leavers"'
    assert search["filters"] == {"type": ["article", "report"], "language": "en"}
    assert search["start"].isoformat() == "2020-01-31"
    assert (search["overlap_days"], search["grey"]) == (14, True)


def test_what_is_no_number_stays_as_typed_and_the_reader_says_so_at_the_box() -> None:
    typed = fields.stands(TEMPLATE, fields.SCREENING) | {"screening.votes": "two"}
    text = fields.written(TEMPLATE, fields.SCREENING, typed)
    mistakes = review_toml.mistakes(text)
    section, *_ = fields.sections(
        text, fields.SCREENING, fields.stands(text, fields.SCREENING), mistakes
    )
    box = section.rows[0].boxes[0]
    assert (box.name, box.value) == ("screening.votes", "two")
    assert box.mistake == "must be a whole number from 1 to 5; this is 'two'"


def test_every_mistake_of_an_empty_protocol_has_its_step_and_says_no_toml() -> None:
    text = edit.with_values(review_toml.blank(), {("id",): "new"})
    for mistake in review_toml.mistakes(text):
        assert fields.step_of(mistake.where) is not None, mistake
        assert "livereview" not in fields.plain(mistake.what)


def test_an_unknown_key_belongs_to_the_text() -> None:
    (mistake,) = review_toml.mistakes(TEMPLATE + "\n[nonsense]\nx = 1\n")
    assert fields.step_of(mistake.where) is None


def test_an_empty_protocol_and_its_boxes_filled_in_make_a_good_one() -> None:
    text = edit.with_values(review_toml.blank(), {("id",): "new", ("title",): "New"})
    typed_by_step = {
        "question": {
            "authors": "Jane Doe\nRichard Roe",
            **{
                f"question.{part}": "any"
                for part in (
                    "text",
                    "population",
                    "intervention",
                    "comparator",
                    "outcomes",
                    "context",
                )
            },
        },
        "criteria": {"criteria.include.0.text": "Care leavers"},
        "outcomes": {"outcomes.0.label": "Homelessness", "outcomes.0.better": "lower"},
        "searches": {
            "searches.0.source": "openalex",
            "searches.0.platform": "OpenAlex",
            "searches.0.query": "mentoring",
        },
    }
    for name, typed in typed_by_step.items():
        step = fields.BY_NAME[name]
        text = fields.written(text, step, fields.stands(text, step) | typed)
    assert review_toml.mistakes(text) == ()
    assert review_toml.parse(text).authors == ("Jane Doe", "Richard Roe")


def test_a_text_that_is_no_toml_is_refused_and_its_line_is_said() -> None:
    with pytest.raises(Refused, match="no TOML"):
        fields.stands("title = \n", fields.QUESTION)
    (mistake,) = review_toml.mistakes('id = "a"\ntitle = \n')
    assert (mistake.line, mistake.where) == (2, ())


LINES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"),
    max_size=60,
)


@given(st.lists(LINES, min_size=1, max_size=4).map("\n".join))
def test_any_text_comes_back_as_it_was_typed(typed: str) -> None:
    where = ("question", "text")
    written = edit.with_values(TEMPLATE, {where: typed})
    assert edit.value_at(tomllib.loads(written), where) == typed
    other = edit.with_values(TEMPLATE, {("searches", 0, "query"): typed})
    assert review_toml.lines.find(other)[("screening",)]  # the walk over lines is not led astray
    assert edit.value_at(tomllib.loads(other), ("searches", 0, "query")) == typed
