"""Tables as tools export them: where their headings stand, and what each means."""

from __future__ import annotations

import csv as tables
from datetime import datetime
from typing import Any

import pytest

from livereview import files, sources
from livereview.errors import Refused, SourceBroken
from livereview.ops import surveil
from livereview.records import Record
from livereview.sources import columns, csv, rows
from livereview.sources.protocol import Query
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW
from tests.hostile import workbook


def records(text: str) -> tuple[Record, ...]:
    return sources.find("csv").parse(text.encode(), None).records


def only(text: str) -> Record:
    (record,) = records(text)
    return record


EMBASE = """"SEARCH QUERY","'school meals':ti"
------------------------

"Title","Author Names","Source title","Publication Year","Volume","Issue","First Page","Last Page",\
"Publication Type","ISSN","Medline PMID","DOI"
"Meals at school","Ek A., Lo B.","Food","2024","15","1","20","29","Article","2041-1723",\
"38000001","10.5555/e.1"
"""
DIMENSIONS = """"About the data: Exported on May 05, 2025. Criteria: ""meals"" in title."
Rank,Publication ID,DOI,PMID,Title,Source title,ISSN,Publication Date,PubYear,Volume,Issue,\
Pagination,Publication Type,Authors
1,pub.1,10.5555/e.1,38000001,Meals at school,Food,2041-1723,2024-02-03,2024,15,1,20-29,Article,\
"Ek, A.; Lo, B."
"""
REFWORKS = (
    "Reference Type\tAuthors, Primary\tTitle Primary\tPeriodical Full\tPub Year\tVolume\tIssue"
    "\tStart Page\tOther Pages\tISSN/ISBN\tDOI\tPMID\n"
    "Journal Article\tEk,A.;Lo,B.\tMeals at school\tFood\t2024\t15\t1\t20\t29\t2041-1723"
    "\t10.5555/e.1\t38000001\n"
)
CINAHL = """Article Title,Author,Journal Title,ISSN,Publication Date,Volume,Issue,First Page,\
Page Count,DOI,Doctype,PLink
Meals at school,"Ek, A.; Lo, B.",Food,="20411723",="2/28/2024","15","1","20-29","9","10.5555/e.1",\
"Article","https://search.example.org/x"
"""
LENS = """"Lens ID","Title","Date Published","Publication Year","Publication Type","Source Title",\
"ISSNs","Author/s","Volume","Issue Number","Start Page","End Page","PMID","DOI"
"000-1","Meals at school","2024-02-03","2024","journal article","Food","20411723","A Ek; B Lo",\
"15","1","20","29","38000001","10.5555/e.1"
"""
SCOPUS = """sep=,
Authors,Title,Year,Source title,Volume,Issue,Art. No.,Page start,Page end,DOI,PubMed ID,ISSN,\
Document Type,Source,EID
"Ek A.; Lo B.",Meals at school,2024,Food,15,1,,20,29,10.5555/e.1,38000001,20411723,Article,Scopus,2
"""
WOS_NAMES = (
    "Publication Type\tAuthors\tArticle Title\tSource Title\tDocument Type\tISSN\tPublication Year"
    "\tVolume\tIssue\tStart Page\tEnd Page\tDOI\tPubmed Id\n"
    "J\tEk, A; Lo, B\tMeals at school\tFood\tArticle\t2041-1723\t2024\t15\t1\t20\t29\t10.5555/e.1"
    "\t38000001\n"
)
BIBLIOMETRIX = """"","AU","TI","SO","DT","DI","PM","SN","PY","VL","IS","BP","EP"
"EK A","EK A;LO B","MEALS AT SCHOOL","FOOD","ARTICLE","10.5555/E.1","38000001","20411723",2024,\
"15","1","20","29"
"""
SYNTHESISR = """"","source_type","author","year","title","journal","volume","issue","start_page",\
"end_page","doi","pubmed_id","issn"
"1","JOUR","Ek, A. and Lo, B.","2024","Meals at school","Food","15","1","20","29","10.5555/e.1",\
"38000001","2041-1723"
"""
LITSEARCHR = """"id","title","abstract","type","authors","source","year","volume","issue",\
"startpage","endpage","doi","pmid","issn","database"
"1","Meals at school",NA,"Article","Ek, A.; Lo, B.","Food","2024","15","1","20","29",\
"10.5555/e.1","38000001","2041-1723",NA
"""
REVTOOLS = """"label","type","author","title","journal","year","volume","number","pages","doi",\
"pmid","issn"
"Ek_2024","JOUR","Ek, A. and Lo, B.","Meals at school","Food","2024","15","1","20-29",\
"10.5555/e.1","38000001","2041-1723"
"""
ZOTERO = """"Key","Item Type","Publication Year","Author","Title","Publication Title","ISSN","DOI",\
"Date","Date Added","Pages","Issue","Volume","Extra"
"AB","journalArticle","2024","Ek, A.; Lo, B.","Meals at school","Food","2041-1723","10.5555/e.1",\
"2024-02-03","2025-11-11 10:00:00","20-29","1","15","PMID: 38000001 PMCID: PMC1"
"""
GERMAN = """Titel;Autor(en);Jahr;Zeitschrift;Band;Heft;Seiten;DOI;PMID;ISSN;Typ
Meals at school;Ek, A. and Lo, B.;2024;Food;15;1;20-29;10.5555/e.1;38000001;2041-1723;x
"""


@pytest.mark.parametrize(
    "text",
    [
        *(EMBASE, DIMENSIONS, REFWORKS, CINAHL, LENS, SCOPUS, WOS_NAMES, BIBLIOMETRIX, SYNTHESISR),
        *(LITSEARCHR, REVTOOLS, ZOTERO, GERMAN),
    ],
)
def test_one_article_reads_alike_in_the_table_of_every_tool(text: str) -> None:
    record = only(text)
    assert (record.title or "").casefold() == "meals at school"
    assert (record.container_title or "").casefold() == "food"
    place = (record.year, record.volume, record.issue, record.pages)
    assert place == (2024, "15", "1", "20-29")
    assert (record.doi, record.issn) == ("10.5555/e.1", "2041-1723")
    assert record.pmid == (None if text is CINAHL else "38000001")
    assert len(record.authors) == 2
    assert record.type == (None if text is GERMAN else "journal-article")
    assert record.abstract is None


def test_tables_from_google_scholar_have_no_identifier_but_an_address() -> None:
    head = "Cites,Authors,Title,Year,Source,Publisher,ArticleURL,CitesURL,Type,StartPage,EndPage,FullTextURL"
    row = '5,"J Ek, A Lo",Meals,2019,Food,P,https://a.example/1,https://c.example,PDF,1,9,https://f.example'
    record = only(f"{head}\n{row}\n")
    assert (record.url, record.pages, record.container_title) == (
        "https://a.example/1",
        "1-9",
        "Food",
    )
    record = only(
        "title,author,pub_year,venue,pub_url\nMeals,J Ek and A Lo,2019,Food,http://e.org/1\n"
    )
    assert (record.year, record.container_title, record.url) == (2019, "Food", "http://e.org/1")


def test_a_column_of_doubtful_meaning_counts_only_where_no_better_one_is() -> None:
    record = only("Title,Source title,Source,Issue,Number\nA,,Scopus,,17\n")
    assert (record.container_title, record.issue) == (None, None)
    record = only("Title,Source,Number\nA,Food,17\n")
    assert (record.container_title, record.issue) == ("Food", "17")


def test_embases_citation_gives_its_year_volume_and_pages() -> None:
    record = only("Title,Source\nA,Food Science (2014) 3:2 (152-160). Date of Publication: 2014\n")
    assert (record.container_title, record.year) == ("Food Science", 2014)
    assert (record.volume, record.issue, record.pages) == ("3", "2", "152-160")
    assert only("Title,Source\nA,Food (Basel)\n").container_title == "Food (Basel)"


def test_headings_are_looked_for_in_the_first_forty_lines() -> None:
    banner = 'Downloaded "today\n' * (columns.HEAD_WITHIN - 1)
    assert only(f"{banner}Title;Year\nA;2020\n").year == 2020
    with pytest.raises(SourceBroken, match="no column is called title"):
        csv.parse(f"x\n{banner}Title;Year\nA;2020\n".encode(), None)


def test_lines_are_counted_from_the_top_of_the_file_and_headings_again_are_no_row() -> None:
    page = csv.parse(b"banner\n\ntitle,year\nA,2020\ntitle,year\n,2021\nB,2022\n", None)
    assert [record.title for record in page.records] == ["A", "B"]
    assert [reject.where for reject in page.rejects] == ["line 6"]


@pytest.mark.parametrize(
    ("cells", "pages"),
    [
        ({"pages": "20-29", "first": "20"}, "20-29"),
        ({"pages": "20", "first": "20", "last": "29"}, "20-29"),
        ({"first": "S105", "last": "S110"}, "S105-S110"),
        ({"first": "7", "last": "7"}, "7"),
        ({"first": "20-29", "last": "9"}, "20-29"),
        ({"article_number": "e0815"}, "e0815"),
        ({"first": "1", "article_number": "e0815"}, "1"),
        ({"pages": "5-Jan"}, None),  # a spreadsheet's
        ({"pages": "Jan-05", "article_number": "e1"}, "e1"),
        ({"pages": "2024-01-05 00:00:00"}, None),
    ],
)
def test_pages(cells: dict[str, str], pages: str | None) -> None:
    assert rows._pages(cells) == pages


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2023-11-02", "2023-11-02"),
        ("2023/11/02", "2023-11-02"),
        ("2014//", "2014"),
        ("20231102", "2023-11-02"),
        ("2023-11-02 00:00:00", "2023-11-02"),
        ("2 November 2023", "2023-11-02"),
        ("Nov 2, 2023", "2023-11-02"),
        ("Nov-Dec 2023", "2023"),
        ("Spring 2023", "2023"),
        ("4/3/2024", "2024"),  # nobody knows which of them is the month
        ("3/3/2024", "2024-03-03"),
        ("14/3/2024", "2024-03-14"),
        ("3/14/2024", "2024-03-14"),
        ("2019.0", "2019"),
        ("soon", None),
    ],
)
def test_dates(text: str, date: str | None) -> None:
    assert rows.date(text) == date


def test_a_date_of_another_year_than_the_year_is_not_taken() -> None:
    record = only("Title,Year,Publication Date\nA,2023,2022-12-30\n")
    assert (record.year, record.published) == (2023, "2023")
    assert only("Title,Early Access Date\nA,NOV 2022\n").published == "2022-11"


def test_of_several_addresses_in_a_cell_the_first_counts() -> None:
    record = only("Title,Source URLs\nA,https://a.example/1; https://b.example/2\n")
    assert record.url == "https://a.example/1"


@pytest.mark.parametrize(
    ("label", "kind"),
    [("JOUR", "journal-article"), ("THES", "thesis"), ("RPRT", "report"), ("J", "journal-article")],
)
def test_codes_of_other_formats_are_types(label: str, kind: str) -> None:
    assert only(f"title,source_type\nA,{label}\n").type == kind


def test_no_word_means_two_fields_but_the_number_of_a_serial_or_a_book() -> None:
    words = [word for text in columns.HEADINGS.values() for word in text.split()]
    assert {word for word in words if words.count(word) > 1} == {"issnisbn"}
    assert all(columns.plain_heading(word) == word for word in words)


# Excel


def test_an_excel_file_reads_as_the_same_table_in_csv() -> None:
    lines = EMBASE.splitlines()
    table = list(tables.reader(lines))
    (record,) = sources.find("csv").parse(workbook(*table), None).records
    assert record == only(EMBASE)


def test_numbers_and_days_of_excel_are_what_a_person_sees() -> None:
    head = ["Title", "Year", "Volume", "Pages", "PMID", "Publication Date"]
    day = datetime(2024, 2, 3)
    row = ["A", 2024.0, 12.0, datetime(2024, 1, 5), 38000001.0, day]
    page = sources.find("csv").parse(workbook(head, row, [], [None, 2020]), None)
    (record,) = page.records
    assert (record.year, record.volume, record.pages) == (2024, "12", None)
    assert (record.pmid, record.published) == ("38000001", "2024-02-03")
    assert page.notes == ()
    assert [(reject.where, reject.reason) for reject in page.rejects] == [
        ("line 4", "neither title nor DOI")
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (workbook(["x", "y"], ["A", "B"]), "no column is called title; its headings are x, y"),
        (workbook(["title", "year"])[:-60], "Excel or ZIP file"),
        (workbook(["title"] * (csv.WIDEST + 1)), "more than 1000 columns"),
    ],
)
def test_an_excel_file_that_is_no_table_says_why(body: bytes, words: str) -> None:
    with pytest.raises(SourceBroken, match=words):
        csv.parse(body, None)


# Columns that a person names

STRANGE = 'Work;Written by;"Year, printed";Year\nMeals at school;Ek, A.;2019;2024\n'


def test_a_table_that_cannot_be_placed_shows_its_headings_and_how_to_name_them() -> None:
    with pytest.raises(columns.Unplaced) as refusal:
        csv.parse(STRANGE.encode(), None)
    assert "its headings are Work, Written by, Year, printed, Year" in refusal.value.message
    assert "--columns title=Work" in refusal.value.message
    with pytest.raises(SourceBroken, match="its headings are Work, Written by"):
        files.guess(STRANGE.encode(), "ours.csv")


def test_columns_that_are_named_are_read_before_any_that_are_known() -> None:
    named = columns.mapped("title=work, authors=Written by,year=Year, printed")
    assert named == {"title": "work", "authors": "Written by", "year": "Year, printed"}
    query = Query(filters=(*columns.as_filters(named), ("from", "2020")))
    (record,) = sources.find("csv").read(STRANGE.encode(), query).records  # type: ignore[misc]
    assert (record.title, record.authors, record.year) == ("Meals at school", ("Ek, A.",), 2019)
    with pytest.raises(SourceBroken, match="no column is called Titles; the headings are Work"):
        csv.read(STRANGE.encode(), Query(filters=columns.as_filters({"title": "Titles"})))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title", "names no column"),
        ("heading=Work", "'heading' is no field of a table; choose from title, abstract"),
        ("title=", "must be a heading"),
        ("extra=x", "no field"),
        (f"title={'x' * 301}", "must be a heading"),
    ],
)
def test_a_list_of_columns_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        columns.mapped(text)
    assert columns.mapped("title=A,journal=B") == {"title": "A", "container_title": "B"}


def test_an_import_keeps_the_columns_that_were_named_for_it(reviewed: Store) -> None:
    asked: dict[str, Any] = {
        "review": REVIEW,
        "name": "ours.csv",
        "body": STRANGE.encode(),
        "now": NOW,
    }
    named = {"title": "Work", "year": "Year, printed"}
    first = surveil.import_file(reviewed, source="csv", columns=named, **asked)
    assert (first["outcome"], first["fresh"], first["known"]) == ("ok", 1, False)
    assert surveil.import_file(reviewed, source="csv", columns=named, **asked)["known"]
    other = surveil.import_file(reviewed, source="csv", columns={"title": "Work"}, **asked)
    assert not other["known"]  # read otherwise, it says something else
    with reviewed.read() as con:
        kept = con.execute("SELECT filters FROM search WHERE filters LIKE '%printed%'").fetchall()
    assert len(kept) == 1
    with pytest.raises(Refused, match="columns are named for tables"):
        surveil.import_file(reviewed, source="ris", columns=named, **asked)
