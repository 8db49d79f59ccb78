"""Tables: as many records and rejects as rows that are not blank, whoever wrote them."""

from __future__ import annotations

import csv as tables
import io
import time
from pathlib import Path

import pytest

from livereview import sources
from livereview.errors import SourceBroken
from livereview.records import Record
from livereview.sources import csv, tagged

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
shared = pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared data are not here")
REJECTED = {"asr_duplicate_records.csv": 4, "asr_missing_values.csv": 2}  # neither title nor DOI


def one(head: str, *rows: str) -> Record:
    return csv.parse("\n".join([head, *rows, ""]).encode(), None).records[0]


@shared
def test_every_recorded_file_gives_as_many_as_it_has_rows() -> None:
    total = 0
    for path in sorted((PAYLOADS / "refman_csv").iterdir()):
        text = path.read_text(encoding="utf-8-sig")
        sign = (
            "\t" if "tab" in path.name else ";" if text.startswith(("title;", "abstract;")) else ","
        )
        rows = [
            row
            for row in tables.reader(io.StringIO(text, newline=""), delimiter=sign)
            if any(map(str.strip, row))
        ]
        if "no_title" in path.name:
            with pytest.raises(SourceBroken, match="no column is called title"):
                csv.parse(path.read_bytes(), None)
            continue
        page = csv.parse(path.read_bytes(), None)
        assert (len(page.records), len(page.rejects)) == (
            len(rows) - 1 - REJECTED.get(path.name, 0),
            REJECTED.get(path.name, 0),
        ), path.name
        assert page.warnings == ()
        total += len(rows) - 1
    assert total == COUNTED


COUNTED = 187


@shared
def test_scopus_rows_with_a_second_funding_text_are_not_shifted() -> None:
    page = csv.parse((PAYLOADS / "refman_csv" / "ls_scopus.csv").read_bytes(), None)
    (record,) = [one for one in page.records if one.doi == "10.1038/s41598-022-04849-0"]
    assert (record.issn, record.pmid, record.language, record.type) == (
        "2045-2322",
        "35064163",
        "English",
        "journal-article",
    )
    assert all(record.language and record.type for record in page.records)


@shared
def test_springers_names_are_cut_apart() -> None:
    records = csv.parse((PAYLOADS / "refman_csv" / "ls_springer.csv").read_bytes(), None).records
    assert records[0].authors == ("Araz R. Aliev", "Nigar T. Ismayilova")
    assert records[2].authors == (
        "Barnabás Bede",
        "Prof. Martine Ceberio",
        "Dr. Martine De Cock",
        "Prof. Vladik Kreinovich",
    )


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        ("Jane SmithJohn Doe", ("Jane Smith", "John Doe")),
        ("Jane McDonaldJohn DeVriesAnn O'Neil", ("Jane McDonald", "John DeVries", "Ann O'Neil")),
        ("Åsa LindqvistÖrjan Ek", ("Åsa Lindqvist", "Örjan Ek")),
        ("PlatoAristotle", ("PlatoAristotle",)),
        ("Jane SmithPlato", ("Jane SmithPlato",)),
        ("Jane Smith", ("Jane Smith",)),
    ],
)
def test_names_run_together_are_cut_only_where_that_is_safe(
    text: str, authors: tuple[str, ...]
) -> None:
    assert one("Item Title,Item DOI,Authors", f"T,10.5555/a,{text}").authors == authors
    assert one("Title,DOI,Authors", f"T,10.5555/a,{text}").authors == (text,)


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        (  # Covidence
            "Title,Authors,Abstract,Published Year,Published Month,Journal,Volume,Issue,Pages,DOI,Covidence #,Notes",
            'T,"Doe, A.; Roe, B.",Text,2020,,J,1,2,3-4,10.5555/a,#7,',
            ("T", ("Doe, A.", "Roe, B."), 2020, "J", "1", "2", "3-4", "10.5555/a"),
        ),
        (  # Rayyan
            "key,title,year,month,day,journal,issn,volume,issue,pages,authors,url,language,publisher,abstract,notes",
            'rayyan-1,T,2020,1,1,J,,1,2,3-4,"Doe, A. and Roe, B.",https://doi.org/10.5555/a,eng,,x,"INCLUSION: {}"',
            ("T", ("Doe, A.", "Roe, B."), 2020, "J", "1", "2", "3-4", "10.5555/a"),
        ),
        (  # EPPI-Reviewer
            "ItemId,Title,ParentTitle,Authors,Year,Volume,Issue,Pages,DOI",
            "9,T,J,Doe A; Roe B;,2020,1,2,3-4,10.5555/a",
            ("T", ("Doe A", "Roe B"), 2020, "J", "1", "2", "3-4", "10.5555/a"),
        ),
        (  # Zotero
            '"Key","Item Type","Publication Year","Author","Title","Publication Title","DOI","Pages","Issue","Volume"',
            '"AB","journalArticle","2020","Doe, A.; Roe, B.","T","J","10.5555/a","3-4","2","1"',
            ("T", ("Doe, A.", "Roe, B."), 2020, "J", "1", "2", "3-4", "10.5555/a"),
        ),
        (  # PubMed
            "PMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,Create Date,PMCID,NIHMS ID,DOI",
            '1,T,"Doe A, Roe B.",J. 2020,Doe A,J,2020,2020/01/01,,,10.5555/a',
            ("T", ("Doe A", "Roe B."), 2020, "J", None, None, None, "10.5555/a"),
        ),
    ],
)
def test_what_each_tool_writes(head: str, row: str, said: tuple[object, ...]) -> None:
    r = one(head, row)
    assert (
        r.title,
        r.authors,
        r.year,
        r.container_title,
        r.volume,
        r.issue,
        r.pages,
        r.doi,
    ) == said


def test_headings_in_any_case_given_twice_and_after_excels_hint() -> None:
    assert one("TITLE,Doi,doi", "T,,10.5555/a").doi == "10.5555/a"
    assert one("sep=;", "Title;Year", "T;2020").year == 2020
    assert one("", "", "Title,Year", "T,2020").year == 2020
    assert one("\ttitle\tyear", "0\tT\t2020").title == "T"
    assert (
        one("Title,Source", "T,Endoscopic Ultrasound (2014) 3:3 (152-160).").container_title
        == "Endoscopic Ultrasound"
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Conference Review", "conference-paper"),
        ("Book Chapter", "book-chapter"),
        ("bookSection", "book-chapter"),
        ("Book Review", "book-review"),
        ("Short Survey", "journal-article"),
        ("newspaperArticle", "newspaper-article"),
        ("journal article", "journal-article"),
        ("Something", None),
    ],
)
def test_types(said: str, kind: str | None) -> None:
    assert one("Title,Document Type", f"T,{said}").type == kind


def test_ragged_rows_are_rejects_and_blank_ones_nothing() -> None:
    page = csv.parse(b"title,year,doi\nA,2020,\n\nB,2020\nC,2020,,x\nD,2020,,\n,,\n", None)
    assert [record.title for record in page.records] == ["A", "D"]
    assert [(reject.where, reject.reason) for reject in page.rejects] == [
        ("line 4", "the row has 2 cells under 3 headings"),
        ("line 5", "the row has 4 cells under 3 headings"),
    ]


def test_a_quotation_that_is_not_closed_swallows_nothing_in_silence() -> None:
    page = csv.parse(b'title,year\nA,2020\n"B,2020\nC,2020\n', None)
    assert [record.title for record in page.records] == ["A"]
    assert [reject.reason for reject in page.rejects] == [csv.UNCLOSED] and page.warnings == (
        tagged.BROKEN_OFF,
    )


def test_formulas_are_text_and_lines_in_cells_are_kept_together() -> None:
    record = one("title,abstract", '"=1+1","@SUM(A1)\n\n-2"')
    assert (record.title, record.abstract) == ("=1+1", "@SUM(A1) -2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_encodings_and_separators(encoding: str, sign: str) -> None:
    body = f"title{sign}year\r\nÜber Ämter{sign}2020\r\n".encode(encoding)
    (record,) = csv.parse(body, None).records
    assert (record.title, record.year) == ("Über Ämter", 2020)


def test_a_guessed_encoding_is_a_note_with_a_word_to_check_it_by() -> None:
    body = "title,authors\nUn été à la ferme,Brün A\n".encode("mac_roman")
    page = sources.find("csv").parse(body, None)
    assert page.records[0].title == "Un été à la ferme"
    (note,) = page.notes
    assert "mac_roman" in note and "été" in note
    assert sources.find("csv").parse("title\nété\n".encode(), None).notes == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"PK\x03\x04\x14\x00\x06\x00", "Excel or ZIP file: save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "save the sheet as CSV"),
        (b"%PDF-1.4", "PDF"),
        (b"<html><title>title</title>", "web page"),
        (b"TY  - JOUR\nTI  - title\n", "use ris"),
        (b'[{"title": "T"}]', "use csl"),
        (b"@article{a,\ntitle = {T}}", "use bibtex"),
        (b"abstract,year\nx,2020\n", "no column is called title"),
    ],
)
def test_what_is_no_table_is_an_error(body: bytes, words: str) -> None:
    with pytest.raises(SourceBroken, match=words):
        csv.parse(body, None)


def test_a_heading_alone_is_an_empty_page() -> None:
    assert csv.parse(b"title,year\n", None).total == 0


@pytest.mark.parametrize(
    "body", [b"title,x\n" + b'"' * 500_001, b"title\n" + b"a\n" * 20_000, b"title" + b"," * 300_000]
)
def test_hostile_tables_end_soon(body: bytes) -> None:
    began = time.process_time()
    csv.parse(body, None)
    assert time.process_time() - began < 10
