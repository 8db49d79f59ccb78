"""Structured abstracts: the parts that a journal labelled, and nothing else taken for one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.screening.abstracts import Paragraph, paragraphs

CASES = (
    (
        "BACKGROUND: Care is hard. METHODS: We asked 12 carers. RESULTS: They said so.",
        [
            ("BACKGROUND", "Care is hard."),
            ("METHODS", "We asked 12 carers."),
            ("RESULTS", "They said so."),
        ],
    ),
    (
        "OBJECTIVES Care is hard. METHODS We asked 12 (of 20). RESULTS They said so.",
        [
            ("OBJECTIVES", "Care is hard."),
            ("METHODS", "We asked 12 (of 20)."),
            ("RESULTS", "They said so."),
        ],
    ),
    (
        "Aims & objectives: To see. Design/setting: Two councils. Methods and findings: We saw.",
        [
            ("Aims & objectives", "To see."),
            ("Design/setting", "Two councils."),
            ("Methods and findings", "We saw."),
        ],
    ),
    (
        "Purpose – The purpose is x. Findings – Z. Originality/value – W.",
        [("Purpose", "The purpose is x."), ("Findings", "Z."), ("Originality/value", "W.")],
    ),
    (
        "A first line.\nMethods: a\nResults: b",
        [("", "A first line."), ("Methods", "a"), ("Results", "b")],
    ),
    ("Results: a.Conclusion: b", [("Results", "a."), ("Conclusion", "b")]),
    (
        "MAIN OUTCOME MEASURES: Days in care. AUTHORS' CONCLUSIONS: Unclear.",
        [("MAIN OUTCOME MEASURES", "Days in care."), ("AUTHORS' CONCLUSIONS", "Unclear.")],
    ),
)
PLAIN = (
    "",
    "Background:",
    "Results: good, as we expected.",
    "We report the results: they are good. The methods: none.",
    "Background Foster care is hard. Methods We asked. Results They said.",
    "Three themes: participants' methods: a; their results: b.",
    "We had two groups. PURPOSE 2 enrolled men. PURPOSE 1 enrolled women.",
    "AIM I came first. AIM II was better.",
    "It was tested vs. Outcome: none, (see e.g. Results: there).",
    "A randomised trial of MST. MST WAS compared with usual care.",
)


@pytest.mark.parametrize(("abstract", "parts"), CASES)
def test_labelled_parts_stand_by_themselves(abstract: str, parts: list[tuple[str, str]]) -> None:
    assert [(part.label, part.text) for part in paragraphs(abstract)] == parts


@pytest.mark.parametrize("abstract", PLAIN)
def test_a_text_that_no_journal_labelled_is_left_alone(abstract: str) -> None:
    assert paragraphs(abstract) == (Paragraph("", abstract),)


def words(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["Background: ", "METHODS ", "Results – ", "Conclusion:", ". ", "\n", "Aims/"]
            ),
            st.text(alphabet="aZ é.:-–\n(", max_size=12),
        ),
        max_size=12,
    ).map("".join)
)
def test_no_word_is_lost_and_none_moves(abstract: str) -> None:
    told = "".join(part.label + part.text for part in paragraphs(abstract))
    assert words(told) == words(abstract)
