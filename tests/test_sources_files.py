"""Files that people bring: BibTeX, EndNote XML and tables, as written here and as recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview import files
from livereview.errors import LivereviewError, SourceBroken
from livereview.records import Record
from livereview.sources import SOURCES

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
BIB = """@string{jcs = "Journal of Care"}
@article{doe26, title = {{Kinship} care and {\\"U}ber-stability}, author = {Doe, Ann and {Care Group} and Roe, R.},
  journal = jcs, year = 2026, month = may, pages = {1--9}, doi = {10.5555/A}}
@comment{nothing}
@techreport{r, title = "A report", institution = {Council}, year = "2025"}
"""
ENDNOTE = """<?xml version="1.0"?><xml><records><record><ref-type name="Journal Article">17</ref-type>
<contributors><authors><author><style>Doe, Ann</style></author></authors></contributors>
<titles><title><style>Kinship </style><style face="italic">care</style></title><secondary-title>J Care</secondary-title>
</titles><dates><year>2026</year></dates><electronic-resource-num>10.5555/b</electronic-resource-num></record>
<record><titles/></record></records></xml>"""
SCOPUS = (
    "\ufeffAuthors,Title,Year,Source title,Volume,Page start,Page end,DOI,Abstract,Document Type\n"
    '"Doe A.; Roe R.","Kinship care, again",2026,J Care,3,10,19,10.5555/C,"Two\nlines",Article\n'
    ",,,,,,,,,\n"
    ",,2025,J Care,,,,,,\n"
)


def one(name: str, body: str) -> Record:
    return SOURCES[name].parse(body.encode(), None).records[0]


def test_bibtex_with_strings_accents_braces_and_bodies() -> None:
    page = SOURCES["bibtex"].parse(BIB.encode(), None)
    first, second = page.records
    assert first.title == "Kinship care and Über-stability" and first.doi == "10.5555/a"
    assert first.authors == ("Doe, Ann", "Care Group", "Roe, R.")
    assert (first.container_title, first.published, first.pages) == (
        "Journal of Care",
        "2026-05",
        "1-9",
    )
    assert (second.type, second.container_title, second.year) == ("report", "Council", 2025)


def test_a_damaged_bibtex_entry_costs_no_other() -> None:
    page = SOURCES["bibtex"].parse(
        b"@article{a, title = {Unclosed\n@article{b, title={Whole}, year=2020}", None
    )
    assert len(page.records) + len(page.rejects) == 2 and "Whole" in {
        record.title for record in page.records
    }


def test_endnotes_spans_are_one_text_and_an_empty_record_is_a_reject() -> None:
    page = SOURCES["endnote"].parse(ENDNOTE.encode(), None)
    (record,) = page.records
    assert (
        record.title == "Kinship care"
        and record.authors == ("Doe, Ann",)
        and record.doi == "10.5555/b"
    )
    assert [reject.reason for reject in page.rejects] == ["neither title nor DOI"]


def test_a_scopus_table_with_quoted_lines_and_rows_that_are_no_records() -> None:
    page = SOURCES["csv"].parse(SCOPUS.encode(), None)
    (record,) = page.records
    assert record.title == "Kinship care, again" and record.authors == ("Doe A.", "Roe R.")
    assert (record.pages, record.doi, record.type, record.year) == (
        "10-19",
        "10.5555/c",
        "journal-article",
        2026,
    )
    assert [(reject.reason, reject.where) for reject in page.rejects] == [
        ("neither title nor DOI", "line 5")
    ]


@pytest.mark.parametrize(
    ("head", "row", "authors"),
    [
        ("title;authors", "A study;Doe, A. and Roe, B.", ("Doe, A.", "Roe, B.")),
        ("title\tauthors", "A study\tDoe, A., Roe, B.", ("Doe, A.", "Roe, B.")),
        ("Title|Author", "A study|Ann Doe", ("Ann Doe",)),
        ("TITLE,authors", "A study,\"['Doe A', 'Roe B']\"", ("Doe A", "Roe B")),
    ],
)
def test_separators_headings_and_names_are_found_out(
    head: str, row: str, authors: tuple[str, ...]
) -> None:
    assert one("csv", f"{head}\n{row}\n").authors == authors


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_found_out(encoding: str) -> None:
    body = "title,authors\nÜber Pflegekinder und Ämter,Müller\n".encode(encoding)
    assert SOURCES["csv"].parse(body, None).records[0].authors == ("Müller",)


def test_a_very_long_abstract_is_no_problem() -> None:
    assert one("csv", "title,abstract\nA study," + "word " * 90_000 + "\n").title == "A study"


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("csv", "abstract,year\nx,2020\n", "its headings are abstract, year"),
        ("bibtex", "TY  - JOUR\nTI  - x\nER  -\n", "use ris"),
        ("endnote", "<html><title>x</title></html>", "HTML page"),
        ("endnote", '<!DOCTYPE a [<!ENTITY b "c">]><xml><records/></xml>', "entities"),
    ],
)
def test_another_kind_of_file_is_named(name: str, body: str, words: str) -> None:
    with pytest.raises(SourceBroken, match=words):
        SOURCES[name].parse(body.encode(), None)


@pytest.mark.parametrize(("name", "body"), [("bibtex", BIB), ("endnote", ENDNOTE), ("csv", SCOPUS)])
def test_the_kind_of_a_file_is_guessed_from_its_content(name: str, body: str) -> None:
    assert files.guess(body.encode(), "x") == name


def test_the_same_item_in_two_files_has_one_key() -> None:
    assert (
        one("csv", "title,year\nA study,2020\n").source_key
        == one("csv", "year,title\n2020,A study\n").source_key
    )


@pytest.mark.parametrize("name", ["bibtex", "endnote", "csv", "csl"])
@settings(max_examples=40)
@given(st.binary(max_size=200) | st.text(alphabet='@{}=,"abc\n<>%', max_size=80).map(str.encode))
def test_any_bytes_never_crash(name: str, raw: bytes) -> None:
    try:
        SOURCES[name].parse(raw, None)
    except LivereviewError as error:
        assert error.source == name


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
@pytest.mark.parametrize(
    ("folder", "name", "pattern"),
    [
        ("refman_bibtex", "bibtex", "zot_*.bib"),
        ("refman_endnote", "endnote", "zot_EndnoteXML*.xml"),
    ],
)
def test_recorded_files_have_as_many_entries_as_zotero_found(
    folder: str, name: str, pattern: str
) -> None:
    read = 0
    for path in sorted((PAYLOADS / folder).glob(pattern)):
        beside = path.with_name(path.name + ".expected.json")
        if beside.exists():
            page = SOURCES[name].parse(path.read_bytes(), None)
            expected = json.loads(beside.read_text(encoding="utf-8"))
            assert len(page.records) + len(page.rejects) >= len(expected), path.name
            read += 1
    assert read >= 3
