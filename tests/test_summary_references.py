"""What a reference manager gets is what the review holds, whatever stands in a title."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.records import Record
from livereview.sources import bibtex as bibtex_reader
from livereview.sources import csl as csl_reader
from livereview.sources import ris as ris_reader
from livereview.sources.text import plain
from livereview.summary import references
from livereview.summary.model import Summary
from livereview.summary.model.studies import Report
from livereview.summary.site import draft
from tests.snapshots import result, snapshot, study

READERS = {"ris": ris_reader.parse, "bibtex": bibtex_reader.parse, "csl": csl_reader.parse}
HOSTILE = (
    "Braces {in} pairs and {{nested}}",
    "An open { brace",
    "A shut } brace",
    "}, title = {Another title}, note = {",
    "}\n\n@article{injected, title = {x}}",
    "Care (home) @home (and away)",
    "50% of R&D #1: $5 to $10, x_1^2 ~ y",
    "ER  - \nTY  - JOUR",
    "Line\nbreaks\r\nand\ttabs",
    "A -- B --- C ``quoted'' \"too\"",
    "p<0.05 but x>y",
    "Zoë Łódź 上海 Ωmega 𝒳 naïve ‘quotes’ — dash",
    "\\alpha is not a command here",
    "{",
    "=1+1",
)
AUTHORS = (
    ["Gilmer, Todd P.", "Kozloff, Nicole"],
    ["King, Martin Luther, Jr"],
    ["van der Berg, Jan", "O'Brien & Sons", "Müller-Lüdenscheidt, Ängström"],
    ["Todd P. Gilmer", "Department of Health and Social Care"],
    ["Health and Care, Department of"],
    ["Care, Health, Housing, and Work Group"],
    ["The livereview example"],
)


def summary(*reports: Report, **protocol: Any) -> Summary:
    """A summary as the site builds it, with the reports given in place of the study's own."""
    made = draft(snapshot(study("gilmer-2016", result())), 3, "an extraction").summary
    (one,) = made.studies
    return made.model_copy(
        update={
            "studies": (one.model_copy(update={"reports": reports}),),
            "review": made.review.model_copy(update=protocol),
        }
    )


def report(**fields: Any) -> Report:
    plain_one = {"id": "r1", "title": "A title", "authors": (), "year": 2020, "published_in": None}
    return Report.model_validate(
        {**plain_one, "doi": None, "link": None, "retraction": None, **fields}
    )


def read(name: str, given: Summary) -> tuple[Record, ...]:
    page = READERS[name](getattr(references, name)(given), None)
    assert page.rejects == () and page.warnings == ()
    return page.records


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_survives(name: str, title: str) -> None:
    first, found, last = read(
        name, summary(report(title=title, doi="10.1000/x_1(a)%b"), report(title="The next one"))
    )
    assert (found.title, found.year, found.doi) == (
        " ".join(title.split()),
        2020,
        "10.1000/x_1(a)%b",
    )
    assert first.title is not None and last.title == "The next one"


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("authors", AUTHORS, ids=lambda names: names[0])
def test_authors_survive_in_order(name: str, authors: list[str]) -> None:
    _, found = read(name, summary(report(authors=authors)))
    assert found.authors == tuple(authors)


# What the readers themselves change is left out: their own markup, signs they drop, and a backslash
# before no letter.
TEXT = st.text(
    st.one_of(
        st.sampled_from(" {}%&#_$~^@'`-()[]=,;:.\"/*+!?|\n"),
        st.characters(categories=("L", "Nd"), max_codepoint=0x24F),
    ),
    max_size=60,
)


@pytest.mark.parametrize("name", READERS)
@given(text=TEXT)
def test_any_title_reads_back_as_it_was(name: str, text: str) -> None:
    title = plain(text)
    found = read(name, summary(report(title=title, doi="10.1000/x")))[1]
    assert found.title == title and found.doi == "10.1000/x"


@given(text=TEXT)
def test_what_tex_gets_has_balanced_braces(text: str) -> None:
    depth = 0
    for sign in references.tex(text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("name", READERS)
def test_the_review_version_is_the_first_entry(name: str) -> None:
    given_one = summary(
        report(), title="Mentoring: a living review", authors=["Doe, Jane", "A body"]
    )
    first = read(name, given_one)[0]
    assert (first.title, first.authors, first.year) == (
        "Mentoring: a living review",
        ("Doe, Jane", "A body"),
        2026,
    )
    assert first.published == "2026-03-03"
    assert b"version 3 of 3 March 2026" in getattr(references, name)(given_one)


@pytest.mark.parametrize("name", READERS)
def test_each_report_names_its_study_and_its_retraction(name: str) -> None:
    given_one = summary(
        report(published_in="Journal of R&D"), report(retraction="expression-of-concern")
    )
    _, article, other = read(name, given_one)
    assert (article.container_title, article.type) == ("Journal of R&D", "journal-article")
    assert other.type is None
    body = getattr(references, name)(given_one).decode()
    assert body.count("Study: Gilmer-2016 (gilmer-2016)") == 2
    assert "marked by its publisher: expression of concern" in body
    assert "gilmer-2016-1" in body and "gilmer-2016-2" in body


@pytest.mark.parametrize("name", READERS)
def test_what_is_unknown_is_left_out(name: str) -> None:
    _, nameless, untitled = read(
        name,
        summary(
            report(id="r9", title=None, year=None), report(title=None, year=None, doi="10.1000/y")
        ),
    )
    assert (nameless.title, nameless.year, nameless.doi, nameless.authors) == ("r9", None, None, ())
    assert (untitled.title, untitled.doi, untitled.container_title) == (None, "10.1000/y", None)
    assert b"None" not in getattr(references, name)(summary(report(title=None)))


@pytest.mark.parametrize("name", READERS)
def test_only_web_addresses_and_dois_are_written(name: str) -> None:
    body = getattr(references, name)(
        summary(
            report(link="javascript:alert(1)", doi="10.1000/x}, title={y"),
            report(link="https://a.org/(b)@c(d)"),
        )
    )
    assert b"javascript" not in body and b"title={y" not in body
    assert READERS[name](body, None).records[2].url in (
        "https://a.org/(b)@c(d)",
        "https://a.org/(b)%40c(d)",
    )


@pytest.mark.parametrize("name", READERS)
def test_the_same_summary_gives_the_same_bytes_and_bad_signs_no_error(name: str) -> None:
    given_one = summary(report(title="A\u202e lone \ud800 surrogate\x07", authors=["\x00"]))
    once = getattr(references, name)(given_one)
    assert once == getattr(references, name)(given_one.model_copy(deep=True)) and once.decode()
    assert read(name, given_one)[1].title == "A lone surrogate"


def test_the_files_keep_to_their_formats() -> None:
    given_one = summary(report(authors=["King, Martin Luther, Jr", "A & B"], year=2020))
    lines = references.ris(given_one).decode().split("\r\n")
    assert lines[0] == "TY  - ELEC" and all(line == "" or line[2:6] == "  - " for line in lines)
    assert lines.count("ER  - ") == 2
    assert (
        "author = {King, Jr, Martin Luther and {A \\& B}}" in references.bibtex(given_one).decode()
    )
    item = json.loads(references.csl(given_one))[1]
    assert item["author"] == [
        {"family": "King", "given": "Martin Luther", "suffix": "Jr"},
        {"literal": "A & B"},
    ]
    assert item["issued"] == {"date-parts": [[2020]]} and item["type"] == "document"
